// snapshot.c - open a city, hand out snapshots, swap when another is committed.
#include "engine/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "engine/layer/dead.h"

/* DESIGN
 * A snapshot owns its manifest and a reference to each segment. Segment files
 * never change and their names are never used twice, so a refresh keeps the
 * segments whose names are still there, and with them everything that caches
 * have learnt about them: a layer's serial is a hash of its segments' serials.
 * Files that a commit replaced may be unlinked at once; the mappings of older
 * snapshots keep them alive until the last reader lets go. */

#define PATH_BYTES 4096

const struct om_policy OM_POLICY_ALL = {.all = true};

/* What the file system says of a city.json: another file or another time is
 * another commit. */
struct stamp {
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct counted_snapshot {
    struct om_snapshot public;  // first: handed out as such
    atomic_size_t refs;
    struct om_manifest manifest;
    struct om_arena arena;
};

struct om_city {
    char path[PATH_BYTES];
    pthread_mutex_t lock;  // guards the two below
    struct om_snapshot *snapshot;
    struct stamp stamp;
};

static struct counted_snapshot *counted(struct om_snapshot *snapshot)
{
    return (struct counted_snapshot *)snapshot;
}

struct om_snapshot *om_snapshot_ref(struct om_snapshot *snapshot)
{
    atomic_fetch_add(&counted(snapshot)->refs, 1);
    return snapshot;
}

void om_snapshot_unref(struct om_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&counted(snapshot)->refs, 1) > 1) return;
    for (size_t i = 0; i < snapshot->layers; i++)
        for (size_t p = 0; p < snapshot->layer[i].parts; p++)
            om_segment_unref(snapshot->layer[i].part[p].segment);
    om_manifest_deinit(&counted(snapshot)->manifest);
    om_arena_deinit(&counted(snapshot)->arena);
    om_free(snapshot);
}

/* The segment of an older snapshot that lies in the same files, or NULL. */
static struct om_segment *known_segment(const struct om_snapshot *old,
                                        const char *layer_name,
                                        const struct om_manifest_part *wanted)
{
    const struct om_layer *layer =
        old ? om_snapshot_layer(old, layer_name) : NULL;
    for (size_t i = 0; layer && i < layer->parts; i++) {
        const struct om_manifest_part *have = &layer->meta->part[i];
        if (!strcmp(have->file, wanted->file) &&
            !strcmp(have->units_file, wanted->units_file))
            return om_segment_ref(layer->part[i].segment);
    }
    return NULL;
}

static om_status open_part(const char *city,
                           const struct om_manifest_part *part,
                           struct om_segment **out, struct om_err *err)
{
    char path[PATH_BYTES], units[PATH_BYTES];
    const bool has_units = part->units_file[0] != '\0';
    if (om_path_join(path, sizeof path, city, part->file) ||
        om_path_join(units, sizeof units, city, part->units_file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(om_segment_open(path, has_units ? units : NULL, out, err));
    if (om_segment_rows(*out) == part->rows) return OM_OK;
    const size_t rows = om_segment_rows(*out);
    om_segment_unref(*out);
    *out = NULL;
    return om_fail(err, OM_E_DAMAGED, 0, "%s has %zu rows, city.json says %llu",
                   part->file, rows, (unsigned long long)part->rows);
}

/* The rows of a part that are gone. */
static om_status open_dead(const char *city,
                           const struct om_manifest_part *part,
                           struct om_arena *arena, struct om_part *out,
                           struct om_err *err)
{
    char path[PATH_BYTES];
    if (!part->dead_file[0]) return OM_OK;
    if (om_path_join(path, sizeof path, city, part->dead_file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(om_dead_read(path, out->segment, arena, &out->dead,
                        &out->dead_count, err));
    if (out->dead_count == part->dead) return OM_OK;
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s has %zu rows, city.json says %llu", part->dead_file,
                   out->dead_count, (unsigned long long)part->dead);
}

static bool same_fields(const struct om_schema *a, const struct om_schema *b,
                        size_t count)
{
    bool same = a->geometry == b->geometry;
    for (size_t i = 0; same && i < count; i++)
        same = !strcmp(a->field[i].name, b->field[i].name) &&
               a->field[i].type == b->field[i].type;
    return same;
}

/* All segments of a layer must have the manifest's columns, then units', and
 * all parts the same. first: the schema of the first part, or NULL. */
static om_status check_schema(const struct om_manifest_layer *meta,
                              const struct om_schema *schema,
                              const struct om_schema *first, const char *file,
                              struct om_err *err)
{
    if (schema->count < meta->schema.count ||
        !same_fields(schema, &meta->schema, meta->schema.count))
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s has other columns than city.json says", file);
    if (first && (schema->count != first->count ||
                  !same_fields(schema, first, schema->count)))
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s has other unit columns than the layer's first part",
                       file);
    return OM_OK;
}

static om_status open_layer(const char *city,
                            const struct om_manifest_layer *meta,
                            const struct om_snapshot *old,
                            struct om_arena *arena, struct om_layer *out,
                            struct om_err *err)
{
    snprintf(out->name, sizeof out->name, "%s", meta->name);
    out->meta = meta;
    out->schema = meta->schema;
    out->part = om_arena_calloc(arena, meta->parts, sizeof *out->part);
    if (!out->part) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    uint64_t serial = om_hash64(meta->name, strlen(meta->name), 0);
    for (size_t i = 0; i < meta->parts; i++) {
        struct om_segment *segment =
            known_segment(old, meta->name, &meta->part[i]);
        if (!segment) OM_TRY(open_part(city, &meta->part[i], &segment, err));
        out->part[i].segment = segment;
        out->parts = i + 1;  // from here on the snapshot's end lets go of it
        OM_TRY(open_dead(city, &meta->part[i], arena, &out->part[i], err));
        const struct om_schema *schema = om_segment_schema(segment);
        OM_TRY(check_schema(
            meta, schema,
            i ? om_segment_schema(out->part[0].segment) : NULL,
            meta->part[i].file, err));
        if (i == 0) {
            out->schema = *schema;
            out->schema.id_field = meta->schema.id_field;
            out->schema.time_field = meta->schema.time_field;
        }
        const uint64_t of_part = om_segment_serial(segment);
        serial = om_hash64(&of_part, sizeof of_part, serial);
        if (out->part[i].dead_count)
            serial = om_hash64(out->part[i].dead,
                               out->part[i].dead_count * sizeof(uint32_t),
                               serial);
        out->rows += om_segment_rows(segment) - out->part[i].dead_count;
    }
    out->unit_columns = out->schema.count - meta->schema.count;
    out->serial = serial;
    return OM_OK;
}

static om_status open_snapshot(const char *city, const struct om_snapshot *old,
                               struct om_snapshot **out, struct om_err *err)
{
    struct counted_snapshot *fresh = om_calloc(1, sizeof *fresh);
    if (!fresh) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&fresh->refs, 1);
    struct om_snapshot *snapshot = &fresh->public;
    om_status st = om_manifest_read(city, &fresh->manifest, err);
    if (st) goto done;
    const struct om_manifest *m = snapshot->manifest = &fresh->manifest;
    snapshot->sequence = m->sequence;
    snapshot->layer =
        om_arena_calloc(&fresh->arena, m->layers, sizeof *snapshot->layer);
    if (!snapshot->layer) {
        st = om_fail(err, OM_E_MEMORY, 0, "out of memory");
        goto done;
    }
    for (size_t i = 0; i < m->layers && !st; i++) {
        snapshot->layers = i + 1;
        st = open_layer(city, &m->layer[i], old, &fresh->arena,
                        &snapshot->layer[i], err);
    }
done:
    if (st)
        om_snapshot_unref(snapshot);
    else
        *out = snapshot;
    return st;
}

static om_status read_stamp(const char *city, struct stamp *out,
                            struct om_err *err)
{
    char path[PATH_BYTES];
    struct stat info;
    if (om_path_join(path, sizeof path, city, "city.json"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (stat(path, &info))
        return om_fail(
            err, OM_E_NOTFOUND, 0,
            "%s is not a city: it has no city.json (onemap import makes one)",
            city);
    *out = (struct stamp){info.st_ino, info.st_size, info.st_mtim};
    return OM_OK;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

om_status om_city_open(const char *path, struct om_city **out,
                       struct om_err *err)
{
    struct om_city *city = om_calloc(1, sizeof *city);
    if (!city) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    pthread_mutex_init(&city->lock, NULL);
    om_status st = OM_OK;
    if (snprintf(city->path, sizeof city->path, "%s", path) >= PATH_BYTES)
        st = om_fail(err, OM_E_LIMIT, 0, "path too long");
    // The stamp first: a commit in between is then seen by the next refresh.
    if (!st) st = read_stamp(path, &city->stamp, err);
    if (!st) st = open_snapshot(path, NULL, &city->snapshot, err);
    if (st)
        om_city_close(city);
    else
        *out = city;
    return st;
}

void om_city_close(struct om_city *city)
{
    if (!city) return;
    om_snapshot_unref(city->snapshot);
    pthread_mutex_destroy(&city->lock);
    om_free(city);
}

struct om_snapshot *om_city_snapshot(struct om_city *city)
{
    pthread_mutex_lock(&city->lock);
    struct om_snapshot *snapshot = om_snapshot_ref(city->snapshot);
    pthread_mutex_unlock(&city->lock);
    return snapshot;
}

om_status om_city_refresh(struct om_city *city, bool *changed,
                          struct om_err *err)
{
    if (changed) *changed = false;
    struct stamp stamp;
    OM_TRY(read_stamp(city->path, &stamp, err));
    pthread_mutex_lock(&city->lock);
    const bool same = same_stamp(&stamp, &city->stamp);
    struct om_snapshot *old = same ? NULL : om_snapshot_ref(city->snapshot);
    pthread_mutex_unlock(&city->lock);
    if (same) return OM_OK;

    // Opening happens outside the lock: readers never wait for a file.
    struct om_snapshot *fresh = NULL;
    const om_status st = open_snapshot(city->path, old, &fresh, err);
    om_snapshot_unref(old);
    if (st) return st;
    pthread_mutex_lock(&city->lock);
    old = city->snapshot;
    city->snapshot = fresh;
    city->stamp = stamp;
    pthread_mutex_unlock(&city->lock);
    om_snapshot_unref(old);
    if (changed) *changed = true;
    return OM_OK;
}

uint64_t om_city_changed(struct om_city *city, const char *layer,
                         struct om_box box)
{
    (void)box;
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const uint64_t sequence =
        om_snapshot_layer(snapshot, layer) ? snapshot->sequence : 0;
    om_snapshot_unref(snapshot);
    return sequence;
}

int64_t om_snapshot_now(const struct om_snapshot *snapshot)
{
    const int64_t clock_s = snapshot->manifest->clock_s;
    return clock_s ? clock_s : (int64_t)time(NULL);
}

const struct om_layer *om_snapshot_layer(const struct om_snapshot *snapshot,
                                         const char *name)
{
    for (size_t i = 0; i < snapshot->layers; i++)
        if (!strcmp(snapshot->layer[i].name, name)) return &snapshot->layer[i];
    return NULL;
}

size_t om_layer_unit_field(const struct om_layer *layer, const char *level)
{
    for (size_t i = layer->schema.count - layer->unit_columns;
         i < layer->schema.count; i++)
        if (!strcmp(layer->schema.field[i].name, level)) return i;
    return OM_NO_FIELD;
}

const struct om_layer *om_snapshot_units(const struct om_snapshot *snapshot,
                                         const char *level)
{
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        if (layer->meta && !strcmp(layer->meta->unit_level, level))
            return layer;
    }
    return NULL;
}

bool om_layer_bounds(const struct om_layer *layer, double bounds[4])
{
    struct om_box all = OM_BOX_NONE;
    memset(bounds, 0, 4 * sizeof *bounds);
    for (size_t i = 0; i < layer->parts; i++)
        if (om_segment_rows(layer->part[i].segment))
            om_box_widen(&all, om_segment_box(layer->part[i].segment));
    if (all.x0 > all.x1) return false;
    om_pos_to_lonlat((struct om_pos){all.x0, all.y0}, &bounds[0], &bounds[3]);
    om_pos_to_lonlat((struct om_pos){all.x1, all.y1}, &bounds[2], &bounds[1]);
    return true;
}
