// snapshot.h - what a reader holds: the layers of a city at one moment.
#ifndef OM_ENGINE_SNAPSHOT_H
#define OM_ENGINE_SNAPSHOT_H

#include "data/city/manifest.h"
#include "engine/layer/segment.h"

/* One segment of a layer as a snapshot sees it: the rows in `dead` (sorted,
 * unique row numbers) are gone. */
struct om_part {
    struct om_segment *segment;
    const uint32_t *dead;
    size_t dead_count;
};

/** Index of the first dead row that is not before `row`; dead_count: none. */
static inline size_t om_part_dead_from(const struct om_part *part, size_t row)
{
    size_t low = 0, high = part->dead_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (part->dead[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What whoever asks may see of a layer (engine/policy/policy.h). Zero: all. */
struct om_filter;
struct om_json;
struct om_layer;
struct om_layer_rights {
    uint64_t hash;       // of what is hidden; 0: nothing
    uint64_t audience;   // who is told of its changes; 0: everybody of all
    bool crowds;         // it is about single persons and may only be counted,
    bool doers;          // ... by whose doing rows are (engine/policy/doers.h):
    size_t doer_column;  // ... this says it
    const struct om_json *tells;  // what may be counted of it besides units:
                                  // "tells" of city.json; NULL: nothing
    uint64_t smallest_count;      // of persons; fewer are not told of
    const char *smallest_cell;  // finest level they are counted by; NULL: any.
                                // Lives as long as the role
    bool counted_column[OM_LIMIT_COLUMNS];  // hidden ones that may be added up
                                            // over units, or counted by
    bool summed_column[OM_LIMIT_COLUMNS];   // those of them that are added up:
                                            // of what several layers have, one
                                            // tells
    struct om_filter *area;  // other rows are not there; NULL: all are
    size_t area_column;      // ... those that have area_unit in it
    char area_unit[OM_LIMIT_NAME_BYTES];
    bool veils;                     // there are columns that ...
    bool veiled[OM_LIMIT_COLUMNS];  // ... nobody names from outside
    bool unlists;                     // and of them those that ...
    bool unlisted[OM_LIMIT_COLUMNS];  // ... look as if they were not there
    const struct om_layer *open;    // with these columns, and rows of the still
                                    // (engine/policy/still.h); NULL: this is it
    // Where they are is told in steps, by rows that stand for nobody
    // (engine/policy/steps.h), of each level of the manifest others; NULL: not.
    const struct om_layer *by_level;  // [manifest's levels]
    const struct om_layer *listed;    // what the register says of them, which
                                      // is by no place; NULL: this is it
    uint64_t told[2];                 // all of them, and those connected
};

/* A layer is a list of segments with the same columns, even while there is
 * only one. `serial` changes whenever anything in it does: cache keys. */
struct om_layer {
    char name[OM_LIMIT_NAME_BYTES];
    struct om_schema schema;  // unit columns included, after the layer's own
    size_t unit_columns;      // how many of the last fields are unit columns
    size_t parts;
    struct om_part *part;
    uint64_t rows;  // live ones
    uint64_t serial;
    uint64_t changed;  // sequence of its newest change
    int64_t as_of_s;   // of its newest write; 0: none (om_snapshot_as_of)
    const struct om_manifest_layer *meta;  // labels, department, as of ...
    struct om_layer_rights rights;
};

/* A layer of the manifest that is not served, because its files cannot be read:
 * `why` is a sentence with names of files relative to the city. */
struct om_withheld {
    const struct om_manifest_layer *meta;
    const char *why;
};

/** The layer with all its columns, for what models and city.json ask of it;
 *  never for names that come from outside. */
static inline const struct om_layer *om_layer_open(const struct om_layer *layer)
{
    return layer && layer->rights.open ? layer->rights.open : layer;
}

/** What a register says of those whose places are told otherwise; of other
 *  layers the layer. Not for places, nor for when somebody was seen. */
static inline const struct om_layer *om_layer_listed(
    const struct om_layer *layer)
{
    return layer && layer->rights.listed ? layer->rights.listed : layer;
}

/* Immutable and counted. threads: any number of readers. */
struct om_snapshot {
    size_t layers;
    struct om_layer *layer;
    size_t withheld;  // layers that are not among them
    struct om_withheld *held_back;
    const struct om_manifest *manifest;
    // Of the newest write, or of the newest commit of a city that was never
    // written to row by row. Rises; numbers of two processes that do not write
    // are only alike where the writer has noted all commits.
    uint64_t sequence;
    int64_t clock_s;  // the city's own clock now, UTC; 0: the machine's
    uint64_t rights;  // hash of what whoever asks does not see of it; 0: it is
                      // all there. Part of every cache key
};

/** Are there layers of the city that whoever asks does not see? */
static inline bool om_snapshot_hides_layers(const struct om_snapshot *snapshot)
{
    return snapshot->layers + snapshot->withheld < snapshot->manifest->layers;
}

/** ... or columns of layers that they see, which look as if they were not? */
static inline bool om_snapshot_unlists(const struct om_snapshot *snapshot)
{
    bool any = om_snapshot_hides_layers(snapshot);
    for (size_t i = 0; i < snapshot->layers && !any; i++)
        any = snapshot->layer[i].rights.unlists;
    return any;
}

struct om_city;

/**
 * Open a city. Layers are mapped, not read; what the journal has beyond them
 * is put on top. A layer whose files cannot be opened is withheld, and a word
 * about it logged; while a level of units is, rows that are put on top lie in
 * no unit of it. returns  OM_E_NOTFOUND (no such city), OM_E_DAMAGED,
 * OM_E_VERSION, ... (of the first layer, if none at all can be opened) owns
 * *out: om_city_close
 */
om_status om_city_open(const char *path, struct om_city **out,
                       struct om_err *err) OM_MUST_USE;
/**
 * The same, and beside it the city as it was at an older sequence `at` of the
 * journal (om_city_then): as far as its files have not gone beyond that, which
 * a layer's `applied` says; 0: as it is.
 * cost     that of om_city_open
 */
om_status om_city_open_at(const char *path, uint64_t at, struct om_city **out,
                          struct om_err *err) OM_MUST_USE;
/** What om_city_open_at has kept, once: NULL from then on. Its manifest is that
 *  of the newest snapshot at the opening. owns: om_snapshot_unref */
struct om_snapshot *om_city_then(struct om_city *city);
void om_city_close(struct om_city *city);
/** Why the journal is not what city.json and itself say that it should be: what
 *  is shown then is what is sure, and nothing is written. false: it is. `out`
 *  names no folder of the machine. threads: any */
bool om_city_journal_fault(struct om_city *city, char out[OM_ERR_TEXT_BYTES]);
/** The newest snapshot; give it back with om_snapshot_unref. threads: any. */
struct om_snapshot *om_city_snapshot(struct om_city *city);
struct om_snapshot *om_snapshot_ref(struct om_snapshot *snapshot);
void om_snapshot_unref(struct om_snapshot *snapshot);
/**
 * A snapshot of some layers of another: for what is made from these and kept
 * for long, so that it holds no file open that has nothing to do with it. Names
 * that are not there are left out.
 * owns     *out: om_snapshot_unref
 */
om_status om_snapshot_some(const struct om_snapshot *snapshot,
                           const char *const *layer, size_t layers,
                           struct om_snapshot **out) OM_MUST_USE;
/** Look whether another process has committed or written, and swap if so.
 *  *changed may be NULL. On an error the old snapshot stays. A process that
 *  writes the city itself calls om_live_refresh. */
om_status om_city_refresh(struct om_city *city, bool *changed,
                          struct om_err *err) OM_MUST_USE;

/**
 * Sequence of the newest change of a layer whose place meets `box` (in grid
 * cells, closed), at the granularity of level-18 cells (engine/live/changes.h);
 * that of the layer as a whole where nothing changed since. 0: no such layer.
 *
 * Ask for it before you look at rows, with a snapshot at hand: a number above
 * snapshot->sequence means that the snapshot is not the newest; take the
 * newest then, which has it. So content is never older than the number beside
 * it.
 * threads  any     cost  under a microsecond for a tile
 */
uint64_t om_city_changed(struct om_city *city, const char *layer,
                         struct om_box box);
/** The same, and when that was (the city's clock, UTC seconds). */
uint64_t om_city_changed_at(struct om_city *city, const char *layer,
                            struct om_box box, int64_t *at_s);
struct om_heard;
/** From now on tell apart what those are told of who see as much of a layer of a
 *  restricted snapshot (layer->rights.audience; 0: nothing to do).
 *  threads: any. cost: a look-up */
void om_city_join(struct om_city *city, const struct om_snapshot *snapshot,
                  const struct om_layer *layer);
/** What om_city_changed_at is, for an audience that has joined
 *  (engine/live/audience.h): the newest change that it sees. Of one that is not
 *  known (another process writes the city), as new as the city. */
uint64_t om_city_heard(struct om_city *city, const char *layer,
                       uint64_t audience, struct om_box box,
                       struct om_heard *out);
/** The city's now: its own clock where it has one (it moves on with what is
 *  written), else the machine's. UTC seconds. */
int64_t om_snapshot_now(const struct om_snapshot *snapshot);
/** "Data as of" of a layer: when it was last written to or imported; of the
 *  city (layer NULL): its clock, or the newest of its layers. 0: unknown. */
int64_t om_snapshot_as_of(const struct om_snapshot *snapshot,
                          const struct om_layer *layer);

/** Layer by name, or NULL. Borrowed from the snapshot. */
const struct om_layer *om_snapshot_layer(const struct om_snapshot *snapshot,
                                         const char *name);
/** Is there such a layer for who asks: is it there, or withheld? */
bool om_snapshot_has_layer(const struct om_snapshot *snapshot,
                           const char *name);
/** The same of a level: are its units there, or withheld? */
bool om_snapshot_has_level(const struct om_snapshot *snapshot,
                           const char *level);
/**
 * What to answer where a layer, or the layer of a level of units, is not there:
 * returns  OM_E_WITHHELD (err says why), if it is one that is withheld; else
 *          OM_E_NOTFOUND, err left as it is
 */
om_status om_snapshot_lacks(const struct om_snapshot *snapshot,
                            const char *name, struct om_err *err);
/** Number of the unit column called `level` in the layer's schema, or
 *  OM_NO_FIELD. */
size_t om_layer_unit_field(const struct om_layer *layer, const char *level);

/** The layer as it is told by the units of `level`; most are the same by all.
 *  Borrowed. */
const struct om_layer *om_layer_by(const struct om_snapshot *snapshot,
                                   const struct om_layer *layer,
                                   const char *level);

/** The layer that holds the units of `level`, or NULL. Borrowed. */
const struct om_layer *om_snapshot_units(const struct om_snapshot *snapshot,
                                         const char *level);
/** Box of the living rows of a layer; OM_BOX_NONE if there are none.
 *  cost: a look at the dead; a pass over a part at whose rim one died. */
struct om_box om_layer_box(const struct om_layer *layer);
/** West, south, east, north of a layer in degrees; false and zeros if it is
 *  empty. */
bool om_layer_bounds(const struct om_layer *layer, double bounds[4]);

#endif
