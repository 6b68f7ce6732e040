// snapshot.c - open a city, hand out snapshots, swap when another is committed.
#include "engine/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "engine/layer/dead.h"
#include "engine/live/replay_internal.h"
#include "engine/snapshot_internal.h"

/* DESIGN
 * A snapshot shares its manifest and, layer by layer, a list of parts with
 * those before and after it; to publish is to make a list of such references
 * and to swap one pointer. Segment files never change and their names are never
 * used twice, so a refresh keeps the segments whose names are still there, and
 * with them everything that caches have learnt about them: a layer's serial is
 * a hash of its segments' serials and of what is dead in them. Files that a
 * commit replaced may be unlinked at once; the mappings of older snapshots keep
 * them alive until the last reader lets go.
 *
 * What the journal has and the files have not is put on top in every process
 * that opens the city (engine/live/replay.c). city.json and journal are two
 * things that are read one after the other, so city.json is looked at again
 * once the journal is held: entries are let go only after a commit that has
 * taken them in. */

/* A city that is committed to again and again while it is being opened. */
#define TRIES 10

const struct om_policy OM_POLICY_ALL = {.all = true};

struct om_snapshot *om_snapshot_ref(struct om_snapshot *snapshot)
{
    atomic_fetch_add(&om__snapshot_of(snapshot)->refs, 1);
    return snapshot;
}

void om_snapshot_unref(struct om_snapshot *snapshot)
{
    struct om__snapshot *s = om__snapshot_of(snapshot);
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1) return;
    om__states_free(s->state, s->base->manifest.layers);
    om__base_unref(s->base);
    om_free(snapshot->layer);
    om_free(s);
}

/* ---- manifests ---- */

om_status om__base_read(const char *city, struct om__base **out,
                        struct om_err *err)
{
    struct om__base *base = om_calloc(1, sizeof *base);
    if (!base) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&base->refs, 1);
    const om_status st = om_manifest_read(city, &base->manifest, err);
    if (st)
        om_free(base);
    else
        *out = base;
    return st;
}

struct om__base *om__base_ref(struct om__base *base)
{
    atomic_fetch_add(&base->refs, 1);
    return base;
}

void om__base_unref(struct om__base *base)
{
    if (!base || atomic_fetch_sub(&base->refs, 1) > 1) return;
    om_manifest_deinit(&base->manifest);
    om_free(base);
}

uint64_t om__units_hash(const struct om_manifest *m)
{
    uint64_t hash = m->levels;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *layer = &m->layer[i];
        if (!layer->unit_level[0]) continue;
        hash = om_hash64(layer->unit_level, strlen(layer->unit_level), hash);
        for (size_t p = 0; p < layer->parts; p++)
            hash = om_hash64(layer->part[p].file, strlen(layer->part[p].file),
                             hash);
    }
    return hash;
}

om_status om__stamp_read(const char *city, struct om__stamp *out,
                         struct om_err *err)
{
    char path[OM__PATH_BYTES];
    struct stat info;
    if (om_path_join(path, sizeof path, city, "city.json"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (stat(path, &info))
        return om_fail(
            err, OM_E_NOTFOUND, 0,
            "%s is not a city: it has no city.json (onemap import makes one)",
            city);
    *out = (struct om__stamp){info.st_ino, info.st_size, info.st_mtim};
    return OM_OK;
}

bool om__stamp_same(const struct om__stamp *a, const struct om__stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* ---- the states of layers ---- */

void om__states_free(struct om__layer_state *state, size_t layers)
{
    for (size_t i = 0; state && i < layers; i++)
        om__stack_unref(state[i].stack);
    om_free(state);
}

struct om__layer_state *om__states_copy(const struct om__layer_state *state,
                                        size_t layers)
{
    struct om__layer_state *copy = om_calloc(layers, sizeof *copy);
    for (size_t i = 0; copy && i < layers; i++) {
        copy[i] = state[i];
        if (copy[i].stack) om__stack_ref(copy[i].stack);
    }
    return copy;
}

/* The segment of an older snapshot that lies in the same files, or NULL. */
static struct om_segment *known_segment(const struct om_manifest_layer *old,
                                        const struct om__stack *stack,
                                        const struct om_manifest_part *wanted)
{
    for (size_t i = 0; old && i < old->parts && i < stack->files; i++) {
        const struct om_manifest_part *have = &old->part[i];
        if (!strcmp(have->file, wanted->file) &&
            !strcmp(have->units_file, wanted->units_file))
            return om_segment_ref(stack->part[i].segment);
    }
    return NULL;
}

static om_status open_part(const char *city,
                           const struct om_manifest_part *part,
                           struct om_segment **out, struct om_err *err)
{
    char path[OM__PATH_BYTES], units[OM__PATH_BYTES];
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
 * all parts the same. first: the schema of the first part. */
static om_status check_schema(const struct om_manifest_layer *meta,
                              const struct om_schema *schema,
                              const struct om_schema *first, const char *file,
                              struct om_err *err)
{
    if (schema->count < meta->schema.count ||
        !same_fields(schema, &meta->schema, meta->schema.count))
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s has other columns than city.json says", file);
    if (schema->count != first->count ||
        !same_fields(schema, first, schema->count))
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s has other unit columns than the layer's first part",
                       file);
    return OM_OK;
}

/* The rows of a part that are gone. */
static om_status open_dead(const char *city,
                           const struct om_manifest_part *part,
                           const struct om_segment *segment,
                           struct om__dead **out, struct om_err *err)
{
    char path[OM__PATH_BYTES];
    struct om_arena arena = {0};
    const uint32_t *row;
    size_t count;
    if (!part->dead_file[0]) return OM_OK;
    if (om_path_join(path, sizeof path, city, part->dead_file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    om_status st = om_dead_read(path, segment, &arena, &row, &count, err);
    if (!st && count != part->dead)
        st = om_fail(err, OM_E_DAMAGED, 0,
                     "%s has %zu rows, city.json says %llu", part->dead_file,
                     count, (unsigned long long)part->dead);
    if (!st) {
        st = om__dead_new(row, count, out);
        if (st) om_fail(err, st, 0, "out of memory");
    }
    om_arena_deinit(&arena);
    return st;
}

static om_status open_stack(const char *city,
                            const struct om_manifest_layer *meta,
                            const struct om_manifest_layer *old,
                            const struct om__stack *old_stack,
                            struct om__stack **out, struct om_err *err)
{
    struct om_segment **segment = om_calloc(meta->parts + 1, sizeof *segment);
    struct om__dead **dead =
        om_calloc(meta->parts + 1, sizeof(struct om__dead *));
    om_status st = segment && dead ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < meta->parts && !st; i++) {
        const struct om_manifest_part *part = &meta->part[i];
        segment[i] = known_segment(old, old_stack, part);
        if (!segment[i]) st = open_part(city, part, &segment[i], err);
        if (!st)
            st = check_schema(meta, om_segment_schema(segment[i]),
                              om_segment_schema(segment[0]), part->file, err);
        if (!st) st = open_dead(city, part, segment[i], &dead[i], err);
    }
    if (!st) st = om__stack_new(segment, dead, meta->parts, meta->parts, out);
    for (size_t i = 0; i < meta->parts; i++) {
        if (segment) om_segment_unref(segment[i]);
        if (dead) om__dead_unref(dead[i]);
    }
    om_free(segment);
    om_free(dead);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st;
}

static bool same_files(const struct om_manifest_layer *a,
                       const struct om_manifest_layer *b)
{
    if (a->parts != b->parts || a->schema.count != b->schema.count)
        return false;
    for (size_t i = 0; i < a->parts; i++)
        if (strcmp(a->part[i].file, b->part[i].file) ||
            strcmp(a->part[i].units_file, b->part[i].units_file) ||
            strcmp(a->part[i].dead_file, b->part[i].dead_file))
            return false;
    return true;
}

om_status om__states_open(const char *city, const struct om__base *base,
                          const struct om__base *old_base,
                          const struct om__layer_state *old,
                          struct om__layer_state *out, bool *kept,
                          struct om_err *err)
{
    const struct om_manifest *m = &base->manifest;
    const struct om_manifest *om = old_base ? &old_base->manifest : NULL;
    const bool units_changed = om && om__units_hash(m) != om__units_hash(om);
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *meta = &m->layer[i];
        const struct om_manifest_layer *was =
            om ? om_manifest_find(om, meta->name) : NULL;
        const struct om__layer_state *state =
            was ? &old[was - om->layer] : NULL;
        const bool has_runs = state && state->stack->parts > was->parts;
        if (state && same_files(was, meta) && !(units_changed && has_runs)) {
            out[i] = *state;
            om__stack_ref(state->stack);
            if (kept) kept[i] = true;
            continue;
        }
        out[i] = (struct om__layer_state){.upto = meta->applied,
                                          .changed = meta->base_commit};
        if (state && was->base_commit == meta->base_commit) {
            out[i].changed = state->changed;
            out[i].as_of_s = state->as_of_s;
        }
        OM_TRY(open_stack(city, meta, was, state ? state->stack : NULL,
                          &out[i].stack, err));
    }
    return OM_OK;
}

/* ---- snapshots ---- */

static void copy_schema(const struct om_schema *from, struct om_schema *to)
{
    to->geometry = from->geometry;
    to->count = from->count;
    memcpy(to->field, from->field, from->count * sizeof *from->field);
    to->id_field = from->id_field;
    to->time_field = from->time_field;
}

static void set_layer(const struct om_manifest_layer *meta,
                      const struct om__layer_state *state, struct om_layer *out)
{
    const struct om__stack *stack = state->stack;
    snprintf(out->name, sizeof out->name, "%s", meta->name);
    out->meta = meta;
    copy_schema(stack->parts ? om_segment_schema(stack->part[0].segment)
                             : &meta->schema,
                &out->schema);
    out->schema.id_field = meta->schema.id_field;
    out->schema.time_field = meta->schema.time_field;
    out->unit_columns = out->schema.count - meta->schema.count;
    out->parts = stack->parts;
    out->part = stack->part;
    out->rows = stack->rows;
    out->serial = om_hash64(meta->name, strlen(meta->name), stack->serial);
    out->changed = state->changed;
    out->as_of_s = state->as_of_s;
}

om_status om__snapshot_new(struct om__base *base,
                           const struct om__layer_state *state,
                           uint64_t sequence, int64_t clock_s,
                           struct om_snapshot **out, struct om_err *err)
{
    const struct om_manifest *m = &base->manifest;
    struct om__snapshot *fresh = om_calloc(1, sizeof *fresh);
    if (!fresh) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    struct om_snapshot *snapshot = &fresh->public;
    // Not zeroed: most of it is room for columns that are not there.
    snapshot->layer = om_alloc_array(m->layers + 1, sizeof *snapshot->layer);
    fresh->state = om__states_copy(state, m->layers);
    if (!snapshot->layer || !fresh->state) {
        om__states_free(fresh->state, m->layers);
        om_free(snapshot->layer);
        om_free(fresh);
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    atomic_init(&fresh->refs, 1);
    fresh->base = om__base_ref(base);
    snapshot->manifest = m;
    snapshot->sequence = sequence;
    snapshot->clock_s = clock_s;
    snapshot->layers = m->layers;
    for (size_t i = 0; i < m->layers; i++)
        set_layer(&m->layer[i], &fresh->state[i], &snapshot->layer[i]);
    *out = snapshot;
    return OM_OK;
}

static bool is_named(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i], name)) return true;
    return false;
}

om_status om_snapshot_some(const struct om_snapshot *snapshot,
                           const char *const *layer, size_t layers,
                           struct om_snapshot **out)
{
    struct om__snapshot *s =
        om__snapshot_of((struct om_snapshot *)(uintptr_t)snapshot);
    OM_TRY(om__snapshot_new(s->base, s->state, snapshot->sequence,
                            snapshot->clock_s, out, NULL));
    struct om__snapshot *fresh = om__snapshot_of(*out);
    const struct om_manifest *m = &fresh->base->manifest;
    size_t kept = 0;
    for (size_t i = 0; i < m->layers; i++) {
        if (is_named(m->layer[i].name, layer, layers)) {
            if (kept != i) (*out)->layer[kept] = (*out)->layer[i];
            kept++;
            continue;
        }
        om__stack_unref(fresh->state[i].stack);
        fresh->state[i].stack = NULL;
    }
    (*out)->layers = kept;
    return OM_OK;
}

void om__city_publish(struct om_city *city, struct om_snapshot *fresh,
                      const struct om__stamp *stamp)
{
    pthread_mutex_lock(&city->lock);
    struct om_snapshot *old = city->snapshot;
    city->snapshot = fresh;
    if (stamp) city->stamp = *stamp;
    pthread_mutex_unlock(&city->lock);
    om_snapshot_unref(old);
}

om_status om__city_joiner(struct om_city *city,
                          const struct om_snapshot *snapshot,
                          struct om_joiner **out, struct om_err *err)
{
    const uint64_t units = om__units_hash(snapshot->manifest);
    if (!city->joiner || city->units != units) {
        struct om_joiner *fresh = NULL;
        OM_TRY(om_joiner_new(snapshot, &fresh, err));
        om_joiner_unref(city->joiner);
        city->joiner = fresh;
        city->units = units;
    }
    *out = om_joiner_ref(city->joiner);
    return OM_OK;
}

/* ---- what files and journal say ---- */

/* Something that is being built. */
struct reload {
    struct om_city *city;
    struct om_snapshot *old;  // may be NULL
    struct om__stamp stamp;
    struct om__base *base;
    struct om__layer_state *state;
    uint64_t sequence;
    int64_t clock_s;
    bool viewing;
};

static void reload_end(struct reload *r)
{
    if (r->viewing) om_journal_view_end(r->city->journal);
    if (r->base) om__states_free(r->state, r->base->manifest.layers);
    om__base_unref(r->base);
    r->viewing = false;
    r->base = NULL;
    r->state = NULL;
}

/* What was let go of in the journal still tells when a layer changed. */
struct folded {
    const struct om_manifest *manifest;
    struct om__layer_state *state;
    bool own_clock;
};

static bool note_folded(void *ctx, const char *layer, unsigned level,
                        uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    const struct folded *f = ctx;
    (void)level;
    (void)cell;
    for (size_t i = 0; i < f->manifest->layers; i++) {
        struct om__layer_state *s = &f->state[i];
        if (layer[0] && strcmp(layer, f->manifest->layer[i].name)) continue;
        if (sequence > s->changed) s->changed = sequence;
        if (!f->own_clock && at_ms / 1000 > s->as_of_s)
            s->as_of_s = at_ms / 1000;
    }
    return true;
}

/* The first look at a journal. Numbers of commits (manifest.sequence) are
 * those of the journal only up to where it begins; the entries that note later
 * ones raise what is cut here. */
static om_status begin_journal(struct reload *r, struct om_err *err)
{
    struct om_journal *journal = r->city->journal;
    const struct om_manifest *m = &r->base->manifest;
    const uint64_t floor = om_journal_floor(journal);
    for (size_t i = 0; i < m->layers; i++)
        if (r->state[i].changed > floor) r->state[i].changed = floor;
    struct folded f = {m, r->state, m->clock_s != 0};
    return om_journal_each_cell(journal, note_folded, &f, err);
}

/* Put the journal on top. */
static om_status put_journal(struct reload *r, struct om_err *err)
{
    struct om_journal *journal = r->city->journal;
    const struct om_manifest *m = &r->base->manifest;
    const int64_t clock_s = om_journal_clock(journal);
    if (m->clock_s && clock_s) r->clock_s = clock_s;
    if (!r->old) OM_TRY(begin_journal(r, err));
    r->sequence = om_journal_last(journal);
    if (om_journal_commit_noted(journal) < m->sequence && r->old &&
        r->base != om__snapshot_of(r->old)->base)
        r->sequence++;  // nobody has noted the commit yet
    if (!om__replay_needed(journal, r->state, m->layers)) return OM_OK;
    struct om_snapshot *files = NULL;
    struct om_joiner *joiner = NULL;
    om_status st =
        om__snapshot_new(r->base, r->state, r->sequence, 0, &files, err);
    if (!st) st = om__city_joiner(r->city, files, &joiner, err);
    int64_t ignored_s = r->clock_s;
    struct om_err why = {0};
    if (!st) st = om__replay(journal, m, joiner, r->state, &ignored_s, &why);
    if (st == OM_E_DAMAGED) {
        // Better all that can be read, and a word, than nothing.
        if (!r->city->told)
            om_log(OM_LOG_ERROR, "city",
                   "%s: %s; what was written after that is not shown",
                   r->city->path, why.text);
        r->city->told = true;
        st = OM_OK;
    } else if (st && why.code) {
        if (err) *err = why;
    }
    om_joiner_unref(joiner);
    om_snapshot_unref(files);
    return st;
}

static om_status open_journal(struct om_city *city, struct om_err *err)
{
    const om_status st =
        om_journal_open(city->path, OM_JOURNAL_READ, 0, &city->journal, err);
    const uint64_t missing = st ? 0 : om_journal_missing(city->journal);
    if (missing)
        om_log(OM_LOG_ERROR, "city",
               "%s: the last %llu rows that were written are not in the "
               "journal any more",
               city->path, (unsigned long long)missing);
    return st;
}

/* One try: OM_E_BUSY if city.json changed meanwhile. */
static om_status build(struct reload *r, struct om_err *err)
{
    struct om_city *city = r->city;
    OM_TRY(om__stamp_read(city->path, &r->stamp, err));
    const bool same = r->old && om__stamp_same(&r->stamp, &city->stamp);
    if (same)
        r->base = om__base_ref(om__snapshot_of(r->old)->base);
    else
        OM_TRY(om__base_read(city->path, &r->base, err));
    const struct om_manifest *m = &r->base->manifest;
    if (!city->journal && om_journal_exists(city->path))
        OM_TRY(open_journal(city, err));
    if (city->journal) {
        OM_TRY(om_journal_view(city->journal, err));
        r->viewing = true;
    }
    struct om__stamp again;
    OM_TRY(om__stamp_read(city->path, &again, err));
    if (!om__stamp_same(&again, &r->stamp)) return OM_E_BUSY;
    const struct om__snapshot *old = r->old ? om__snapshot_of(r->old) : NULL;
    r->state = om_calloc(m->layers, sizeof *r->state);
    if (!r->state) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    const om_status st =
        om__states_open(city->path, r->base, old ? old->base : NULL,
                        old ? old->state : NULL, r->state, NULL, err);
    // A file that is not there may be one that a commit has just replaced.
    if (st == OM_E_NOTFOUND && !om__stamp_read(city->path, &again, NULL) &&
        !om__stamp_same(&again, &r->stamp))
        return OM_E_BUSY;
    if (st) return st;
    r->clock_s = m->clock_s;
    r->sequence = m->sequence;
    return city->journal ? put_journal(r, err) : OM_OK;
}

/* Numbers rise in one process, and what is new as a whole has the newest. */
static void settle_numbers(struct reload *r)
{
    const struct om_manifest *m = &r->base->manifest;
    if (!r->old) return;
    if (r->sequence < r->old->sequence) r->sequence = r->old->sequence;
    bool replaced = false;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < m->layers; i++) {
            const struct om_manifest_layer *was =
                om_manifest_find(r->old->manifest, m->layer[i].name);
            if (was && was->base_commit == m->layer[i].base_commit &&
                same_files(was, &m->layer[i]))
                continue;
            const struct om__layer_state *state =
                was ? &om__snapshot_of(r->old)
                           ->state[was - r->old->manifest->layer]
                    : NULL;
            if (state && was->base_commit == m->layer[i].base_commit &&
                m->layer[i].applied > was->applied)
                continue;  // only written to other files
            replaced = true;
            if (round == 1) r->state[i].changed = r->sequence;
        }
        if (!replaced) return;
        if (round == 0 && r->sequence == r->old->sequence) r->sequence++;
    }
}

om_status om__city_reload(struct om_city *city, bool *changed,
                          struct om_err *err)
{
    struct reload r = {.city = city,
                       .old = city->snapshot ? om_city_snapshot(city) : NULL};
    struct om_snapshot *fresh = NULL;
    om_status st = OM_E_BUSY;
    for (int i = 0; i < TRIES && st == OM_E_BUSY; i++) {
        reload_end(&r);
        st = build(&r, err);
    }
    if (st == OM_E_BUSY)
        om_fail(err, st, 0, "%s is committed to all the time", city->path);
    if (!st) settle_numbers(&r);
    if (!st)
        st = om__snapshot_new(r.base, r.state, r.sequence, r.clock_s, &fresh,
                              err);
    if (!st) om__city_publish(city, fresh, &r.stamp);
    if (!st && changed) *changed = true;
    reload_end(&r);
    om_snapshot_unref(r.old);
    return st;
}

/* ---- the city ---- */

om_status om_city_open(const char *path, struct om_city **out,
                       struct om_err *err)
{
    struct om_city *city = om_calloc(1, sizeof *city);
    if (!city) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    pthread_mutex_init(&city->lock, NULL);
    pthread_mutex_init(&city->refreshing, NULL);
    om_status st = OM_OK;
    if (snprintf(city->path, sizeof city->path, "%s", path) >= OM__PATH_BYTES)
        st = om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (!st) st = om__city_reload(city, NULL, err);
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
    om_journal_close(city->journal);
    om_joiner_unref(city->joiner);
    om_changes_free(city->made);
    pthread_mutex_destroy(&city->lock);
    pthread_mutex_destroy(&city->refreshing);
    om_free(city);
}

struct om_snapshot *om_city_snapshot(struct om_city *city)
{
    pthread_mutex_lock(&city->lock);
    struct om_snapshot *snapshot = om_snapshot_ref(city->snapshot);
    pthread_mutex_unlock(&city->lock);
    return snapshot;
}

/* Is there anything new? A journal that appears is. */
static bool anything_new(struct om_city *city, const struct om__stamp *stamp)
{
    pthread_mutex_lock(&city->lock);
    const bool same = om__stamp_same(stamp, &city->stamp);
    const uint64_t upto = city->snapshot->layers
                              ? om__snapshot_of(city->snapshot)->state[0].upto
                              : 0;
    pthread_mutex_unlock(&city->lock);
    if (!same) return true;
    if (!city->journal) return om_journal_exists(city->path);
    return om_journal_last(city->journal) > upto;
}

om_status om_city_refresh(struct om_city *city, bool *changed,
                          struct om_err *err)
{
    if (changed) *changed = false;
    if (atomic_load(&city->written)) return OM_OK;
    struct om__stamp stamp;
    OM_TRY(om__stamp_read(city->path, &stamp, err));
    om_status st = OM_OK;
    pthread_mutex_lock(&city->refreshing);
    if (anything_new(city, &stamp)) st = om__city_reload(city, changed, err);
    pthread_mutex_unlock(&city->refreshing);
    return st;
}

uint64_t om_city_changed(struct om_city *city, const char *layer,
                         struct om_box box)
{
    return om_city_changed_at(city, layer, box, NULL);
}

uint64_t om_city_changed_at(struct om_city *city, const char *layer,
                            struct om_box box, int64_t *at_s)
{
    const struct om_changes *changes = atomic_load(&city->changes);
    if (changes) return om_changes_in(changes, layer, box, at_s);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(snapshot, layer);
    const uint64_t sequence = l ? l->changed : 0;
    if (at_s) *at_s = l ? om_snapshot_as_of(snapshot, l) : 0;
    om_snapshot_unref(snapshot);
    return sequence;
}

int64_t om_snapshot_now(const struct om_snapshot *snapshot)
{
    if (snapshot->clock_s) return snapshot->clock_s;
    const int64_t clock_s = snapshot->manifest->clock_s;
    return clock_s ? clock_s : (int64_t)time(NULL);
}

int64_t om_snapshot_as_of(const struct om_snapshot *snapshot,
                          const struct om_layer *layer)
{
    if (layer) {
        if (layer->as_of_s) return layer->as_of_s;
        if (layer->meta && layer->meta->as_of_s) return layer->meta->as_of_s;
        return snapshot->manifest->clock_s;
    }
    if (snapshot->clock_s) return snapshot->clock_s;
    int64_t newest = 0;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const int64_t at_s = om_snapshot_as_of(snapshot, &snapshot->layer[i]);
        if (at_s > newest) newest = at_s;
    }
    return newest;
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
