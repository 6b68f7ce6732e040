// manifest.h - city.json: which files make the city, committed by one rename.
#ifndef OM_DATA_CITY_MANIFEST_H
#define OM_DATA_CITY_MANIFEST_H

#include "data/base/arena.h"
#include "data/base/status.h"
#include "data/json.h"
#include "data/model/schema.h"

/* One segment file of a layer, its unit columns if it has them, and which of
 * its rows are dead. Names are relative to the city's folder. */
struct om_manifest_part {
    char file[OM_LIMIT_NAME_BYTES * 3];
    char units_file[OM_LIMIT_NAME_BYTES * 3];  // empty: none
    char dead_file[OM_LIMIT_NAME_BYTES * 3];   // empty: all rows live
    uint64_t rows;                             // the dead included
    uint64_t dead;                             // rows of dead_file
};

struct om_manifest_layer {
    char name[OM_LIMIT_NAME_BYTES];
    char title[OM_LIMIT_NAME_BYTES * 2];  // 标准地址; may be empty
    char title_en[OM_LIMIT_NAME_BYTES * 2];
    char department[OM_LIMIT_NAME_BYTES * 2];  // where the data comes from
    char rhythm[OM_LIMIT_NAME_BYTES];          // how often it comes
    char base[OM_LIMIT_NAME_BYTES];  // "water", "road" or "building" if pages
                                     // draw it as part of the base map
    char unit_level[OM_LIMIT_NAME_BYTES];  // "grid" if it is a unit layer
    char id[OM_LIMIT_NAME_BYTES], time[OM_LIMIT_NAME_BYTES];  // column names
    bool planned;  // rows are of what is to come: their times may be later than
                   // the city's clock
    struct om_schema schema;  // own columns; count 0: not yet
    int64_t as_of_s;          // UTC; 0 unknown
    uint64_t applied;         // journal sequence up to which the files hold
                              // everything; 0: none
    uint64_t base_commit;     // sequence of the last commit that changed the
                              // layer as a whole; where nothing says it, that
                              // of the city as it was read
    size_t parts;
    struct om_manifest_part *part;  // in the manifest's arena
};

struct om_manifest {
    char name[OM_LIMIT_NAME_BYTES * 2];
    bool synthetic;
    bool release;       // it holds what is public of another city, and is
                        // never changed (web/publish.h)
    int32_t zone_s;     // of the city's clock
    int64_t clock_s;    // the data's own now, UTC; 0: the machine's
    uint64_t id;        // of this city and no other, from its first commit on;
                        // 0: none yet
    uint64_t sequence;  // grows with every commit
    // The journal beside it (om_journal_identity; 0: none is known), and a
    // number that it had reached.
    uint64_t journal, journal_last;
    size_t layers;
    struct om_manifest_layer *layer;  // in the arena
    size_t levels;  // of units, finest first: grid, village, town
    char (*level)[OM_LIMIT_NAME_BYTES];
    struct om_arena arena;
    // The document as read: members that this version does not know are kept
    // when it is written again. NULL for a city that begins.
    struct om_json *document;
};

/** Read CITY/city.json. returns OM_E_NOTFOUND, OM_E_FORMAT (err says where),
 *  OM_E_VERSION. owns: om_manifest_deinit. */
om_status om_manifest_read(const char *city, struct om_manifest *out,
                           struct om_err *err) OM_MUST_USE;
/** Write CITY/city.json whole: old or new after a crash, never half. */
om_status om_manifest_write(const char *city, const struct om_manifest *m,
                            struct om_err *err) OM_MUST_USE;
/** The same of a file of another name in the city's folder. */
om_status om_manifest_read_as(const char *city, const char *file,
                              struct om_manifest *out,
                              struct om_err *err) OM_MUST_USE;
om_status om_manifest_write_as(const char *city, const char *file,
                               const struct om_manifest *m,
                               struct om_err *err) OM_MUST_USE;
void om_manifest_deinit(struct om_manifest *m);
/** May a layer be called so? Letters, digits, '_' and '-' of ASCII, not empty,
 *  shorter than OM_LIMIT_NAME_BYTES: it becomes a file name and an address. */
bool om_manifest_name_ok(const char *name);
/** Layer by name, or NULL. */
struct om_manifest_layer *om_manifest_find(const struct om_manifest *m,
                                           const char *name);
/** Add an empty layer at the end. NULL: no memory. Layers move: pointers from
 *  om_manifest_find are not valid any more. */
struct om_manifest_layer *om_manifest_add(struct om_manifest *m,
                                          const char *name);

/** Make level `name` known, if it is not yet. */
om_status om_manifest_add_level(struct om_manifest *m,
                                const char *name) OM_MUST_USE;
/**
 * Which own columns of a layer are times of what has happened: a row that is
 * added or changed has none that is later than the city's clock.
 *
 * They are the layer's time, unless it is `planned`, and the times of the steps
 * of the closed loop (`wall.loop.steps`) that is the layer's. Other columns of
 * times are plans, such as what a report is due by.
 *
 * shapes   out  [layer->schema.count]
 */
void om_manifest_happened(const struct om_manifest *m,
                          const struct om_manifest_layer *layer, bool *out);
/** What city.json says of a layer, also what this program does not read: its
 *  member of the document, or NULL. */
const struct om_json *om_manifest_about(const struct om_manifest *m,
                                        const char *layer);
/** The moment of "data as of": the layer's, else the city's clock; of the city
 *  (layer NULL) without a clock the newest of its layers. 0: unknown. */
int64_t om_manifest_as_of(const struct om_manifest *m,
                          const struct om_manifest_layer *layer);

/** Take the city's write lock (one writer at a time, across processes).
 *  returns OM_E_BUSY if another holds it. *fd is closed to release. */
om_status om_city_lock(const char *city, int *fd,
                       struct om_err *err) OM_MUST_USE;

#endif
