// model.h - risk models as a city keeps them, CITY/models/NAME.json, and what
// is exposed in a city, `exposures` of its city.json.
#ifndef OM_ENGINE_RISK_MODEL_H
#define OM_ENGINE_RISK_MODEL_H

#include <stdatomic.h>

#include "data/base/arena.h"
#include "data/json.h"
#include "engine/snapshot.h"

/** Terms of a model, exposures of a city or of a denominator, values of a
 *  severity table: enough for anything a person can still explain. */
#define OM_MODEL_TERMS_MOST 16
#define OM_MODEL_EXPOSURES_MOST 16
#define OM_MODEL_VALUES_MOST 64
/** Bytes of one model's file; more is refused. */
#define OM_MODEL_BYTES_MOST (256 * 1024)
/** Half-lives, in days: an hour to a century. */
#define OM_HALF_LIFE_MIN_DAYS (1.0 / 24.0)
#define OM_HALF_LIFE_MAX_DAYS 36525.0

/* What something counts by the value of a column. */
struct om_severity {
    const char *column;  // NULL: no table
    size_t count;
    const char **value;  // as text
    double *weight;
    double otherwise;  // values that are not listed, and NULL
};

/* A term: rows of a layer and what each counts for. Texts are NULL where the
 * file says nothing; numbers 0. */
struct om_model_term {
    const char *name;  // "" unless the model names its terms
    const char *title, *title_en;
    const char *layer, *filter;
    const char *since;   // a time column: rows count from then on (a level)
    const char *until;   // a time column: rows count until then (open cases)
    const char *weight;  // a number column that multiplies
    struct om_severity severity;
    double factor;  // 1
    double half_life_days;
    const char *kernel;
    double bandwidth_m;
};

/* One kind of what is exposed, of a denominator. */
struct om_model_per {
    const char *per;  // a member of the city's exposures
    double factor;
};

/* A model, as read; immutable. Texts lie in `arena`. */
struct om_model {
    const char *name, *title, *title_en, *about, *about_en;
    int64_t version;  // the author's number
    uint64_t hash;    // of what is computed: titles and words do not count
    const char *kernel;
    double bandwidth_m;  // of terms and denominator that name none
    size_t terms;
    struct om_model_term *term;
    size_t pers;  // 0: per area
    struct om_model_per *per;
    const char *per_kernel;     // of the exposures; NULL: `kernel`
    double per_bandwidth_m;     // 0: the largest of the terms'
    double per_half_life_days;  // of windowed exposures; 0: the terms' one
    double floor;               // units; 0: the exposure's own
    double shrink;              // units; 0: not at all
    double scale;               // 0: the exposure's own
    const char *per_unit, *per_unit_en;  // NULL: the exposure's own
    atomic_size_t shares;                // who holds it beside the first
    struct om_arena arena;
};

/**
 * Read a model from its text. Every member is known, or it is an error: a
 * misspelt "halflife_days" must not be a model without decay.
 *
 * `name` is what the model must be called (its file's name), NULL: anything.
 * returns  OM_E_FORMAT, OM_E_RANGE, OM_E_LIMIT, OM_E_MEMORY; err says member
 *          and reason ("terms[1].bandwidth_m: -5 is not between 10 and 20000
 *          (metres)")
 * owns     *out: om_model_free
 * test     tests/engine/test_model.c, tests/fuzz/fuzz_model.c
 */
om_status om_model_parse(const char *text, size_t len, const char *name,
                         struct om_model **out, struct om_err *err) OM_MUST_USE;
/** One more who calls om_model_free; any thread. */
struct om_model *om_model_ref(struct om_model *model);
/** NULL is fine. The last one frees it. */
void om_model_free(struct om_model *model);
/* One kind of what is exposed in a city: `exposures` of city.json,
 *   "house": {"layer": "rental", "filter": "..", "weight": "residents",
 *             "windowed": false, "scale": 1000, "floor": 10,
 *             "unit": "每千栋出租屋", "unit_en": "per 1,000 rental houses",
 *             "title": "出租屋", "title_en": "rental houses"} */
struct om_exposure {
    const char *name, *layer, *filter, *weight;
    bool windowed;  // counts rows of the numerator's period, decayed alike
    double scale, floor;
    const char *unit, *unit_en, *title, *title_en;
};
struct om_exposures {
    size_t count;
    struct om_exposure exposure[OM_MODEL_EXPOSURES_MOST];
    struct om_arena arena;
};
/** Read what the city says is exposed; nothing where it says nothing. err
 *  names member and reason. owns: om_exposures_deinit. */
om_status om_exposures_read(const struct om_manifest *city,
                            struct om_exposures *out,
                            struct om_err *err) OM_MUST_USE;
/** *out is empty, or what it was if that fails. owns: om_exposures_deinit */
om_status om_exposures_copy(const struct om_exposures *from,
                            struct om_exposures *out) OM_MUST_USE;
void om_exposures_deinit(struct om_exposures *exposures);
/** By name, or NULL. */
const struct om_exposure *om_exposures_find(const struct om_exposures *e,
                                            const char *name);

/* A model's file: the model, or why it is none. */
struct om_model_entry {
    char name[OM_LIMIT_NAME_BYTES];
    struct om_model *model;  // NULL: `err` says why
    struct om_err err;       // "models/fire.json: terms[0].layer: ..."; with a
                             // model: why this is the one that was before
};
/* All models of a city, by name, and its exposures. Immutable, counted. */
struct om_models {
    size_t count;
    struct om_model_entry *entry;
    struct om_exposures exposures;
    om_status exposures_status;   // exposures empty and
    struct om_err exposures_err;  // ... why, if this is not OM_OK; else why
                                  // these are those that were before
};
/**
 * Read CITY/models/ beside a snapshot. A model that cannot be used (bad
 * member, a layer or column that the city has not, a filter that cannot be
 * read, an exposure that the city does not name, the name of a layer) is an
 * entry with an error, and no error of the whole.
 *
 * returns  OM_E_MEMORY, OM_E_IO (the folder is there and cannot be read)
 * owns     *out: om_models_unref
 * threads  what is read is immutable
 */
om_status om_models_read(const char *city, const struct om_snapshot *snapshot,
                         struct om_models **out,
                         struct om_err *err) OM_MUST_USE;
/**
 * Read them where others were read before: for a model that cannot be used, and
 * for exposures that cannot, those of `before` (NULL: none) stand in if the
 * snapshot still bears them; their entries have both, the model and why it is
 * not the file's.
 *
 * returns, owns, threads as om_models_read
 */
om_status om_models_reread(const char *city, const struct om_snapshot *snapshot,
                           const struct om_models *before,
                           struct om_models **out,
                           struct om_err *err) OM_MUST_USE;
/** The first that is wrong in what was read, whether another stands in or not;
 *  OM_OK: nothing is. */
om_status om_models_fault(const struct om_models *models, struct om_err *err);
struct om_models *om_models_ref(struct om_models *models);
void om_models_unref(struct om_models *models);
/** Are an exposure's layer and the columns that it names there for whoever
 *  asks? */
bool om_exposure_seen(const struct om_exposure *exposure,
                      const struct om_snapshot *snapshot);
/** Are all layers and columns of a model, and of what it compares with, in the
 *  snapshot of whoever asks? */
bool om_model_seen(const struct om_models *models,
                   const struct om_model_entry *entry,
                   const struct om_snapshot *snapshot);
/** Entry by name, or NULL. */
const struct om_model_entry *om_models_find(const struct om_models *models,
                                            const char *name);
/** Would the model work with these layers? What om_models_read checks. */
om_status om_model_check(const struct om_model *model,
                         const struct om_exposures *exposures,
                         const struct om_snapshot *snapshot,
                         struct om_err *err) OM_MUST_USE;

#endif
