// publish_internal.h - what the files of publishing share.
#ifndef OM_WEB_PUBLISH_INTERNAL_H
#define OM_WEB_PUBLISH_INTERNAL_H

#include "data/json.h"
#include "data/model/batch.h"
#include "engine/query/query.h"
#include "engine/search/roman.h"
#include "web/publish.h"

#define OM__PUBLISH_PATH_BYTES 4096
#define OM__PUBLISH_LAYERS 64

/* Rows of a layer that go out as they are, in some of its columns. */
struct om__publish_layer {
    const struct om_layer *layer;
    const struct om_json *member;     // of the city's list of layers
    struct om_filter *filter;         // NULL: all rows
    size_t column[OM_LIMIT_COLUMNS];  // of the layer, in its order
    struct om_schema schema;          // of what goes out
    // Column of what goes out that is told in English, too, by one more column
    // behind all others; OM_NO_FIELD: none.
    size_t english;
    uint64_t rows;  // written
};

/* publish.json, read against a city. */
struct om__publish_plan {
    const struct om_snapshot *snapshot;
    struct om_json *document;
    size_t layers;
    struct om__publish_layer *layer;
    size_t terms;
    struct om_term *term;  // owned; its texts are the document's
};

/** Read the text of a plan. owns: om__publish_plan_deinit, also on errors */
om_status om__publish_plan_read(const char *text, size_t len,
                                const struct om_snapshot *snapshot,
                                struct om__publish_plan *out,
                                struct om_err *err) OM_MUST_USE;
void om__publish_plan_deinit(struct om__publish_plan *plan);
/** Terms of the plan's "english": {"社区": "Community", ...}. */
om_status om__publish_terms(struct om__publish_plan *plan,
                            struct om_err *err) OM_MUST_USE;
/** The layer's "english", the column of names: one more column goes out, called
 *  COLUMN_en. `path` is for messages. */
om_status om__publish_english(const struct om_json *one, const char *path,
                              struct om__publish_layer *layer,
                              struct om_err *err) OM_MUST_USE;
/** Texts of that column for those of a batch. owns: they lie in `arena` */
om_status om__publish_romanise(const struct om__publish_plan *plan,
                               const struct om_batch_column *names, size_t rows,
                               struct om_arena *arena,
                               struct om_batch_column *out,
                               struct om_err *err) OM_MUST_USE;
/** Has the object at `path` only members that are known? known ends in NULL. */
om_status om__publish_known(const struct om_json *object, const char *path,
                            const char *const *known,
                            struct om_err *err) OM_MUST_USE;
/** Members of the plan's document, without looking at a city. */
om_status om__publish_members(const struct om_json *document,
                              struct om_err *err) OM_MUST_USE;
/** Why neither rows nor figures of a layer can ever be public; NULL: they
 *  can. */
const char *om__publish_barred(const struct om_snapshot *snapshot,
                               const char *layer);
/** Does city.json say that a column of a layer is about single persons? Neither
 *  rows nor figures tell of it. */
bool om__publish_personal(const struct om_snapshot *snapshot, const char *layer,
                          const char *column);
/** Does city.json say that the rows of a layer are addresses? */
bool om__publish_holds_addresses(const struct om_snapshot *snapshot,
                                 const char *layer);

struct om__topics;

/* A release that is being written. */
struct om__release {
    const struct om__publish_plan *plan;
    const struct om__topics *topics;
    const char *folder;  // where it is made
    uint64_t sequence;   // of its only commit
    struct om_manifest manifest;
    struct om_buf words;  // of the report
    struct om_json *report;
    struct om_json *left_out;  // of the report: what city.json says too much
};

/** Write the rows of a layer and note them in the manifest. */
om_status om__publish_rows(struct om__release *release,
                           struct om__publish_layer *what,
                           struct om_err *err) OM_MUST_USE;
/** Begin the manifest of the release. */
om_status om__publish_city(struct om__release *release,
                           struct om_err *err) OM_MUST_USE;
/** What it says of the city, once there is a report to note what is left out.
 */
om_status om__publish_about(struct om__release *release,
                            struct om_err *err) OM_MUST_USE;
/** A layer of the manifest whose only part is the file that was written. */
om_status om__publish_note(struct om__release *release, const char *name,
                           const struct om_schema *schema, uint64_t rows,
                           struct om_manifest_layer **out,
                           struct om_err *err) OM_MUST_USE;
/** Where the segment of a layer is written: in the folder, and its name. */
om_status om__publish_file(const struct om__release *release, const char *layer,
                           char path[OM__PUBLISH_PATH_BYTES],
                           char file[OM_LIMIT_NAME_BYTES * 3],
                           struct om_err *err) OM_MUST_USE;

#endif
