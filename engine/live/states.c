// states.c - the layers of a city as its files say.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "engine/layer/dead.h"
#include "engine/policy/unsaid.h"
#include "engine/snapshot_internal.h"

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
        pthread_mutex_init(&base->lock, NULL);
    if (!st) *out = base;
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
    om__unsaid_free(base);
    pthread_mutex_destroy(&base->lock);
    om_manifest_deinit(&base->manifest);
    om_free(base);
}

uint64_t om__units_hash(const struct om_manifest *m,
                        const struct om__layer_state *state)
{
    uint64_t hash = m->levels;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *layer = &m->layer[i];
        if (!layer->unit_level[0]) continue;
        if (state && state[i].stack->fault) hash = ~hash;
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

om_status om__stamp_written(const char *city, uint64_t sequence,
                            struct om__stamp *out, struct om_err *err)
{
    struct om_manifest now = {0};
    OM_TRY(om__stamp_read(city, out, err));
    // Else what an editor saved in this moment would pass for ours.
    const om_status st = om_manifest_read(city, &now, NULL);
    if (st == OM_E_MEMORY) return om_fail(err, st, 0, "out of memory");
    if (st || now.sequence != sequence) *out = (struct om__stamp){0};
    om_manifest_deinit(&now);
    return OM_OK;
}

bool om__stamp_same(const struct om__stamp *a, const struct om__stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

bool om__units_withheld(const struct om_manifest *m,
                        const struct om__layer_state *state)
{
    for (size_t i = 0; i < m->layers; i++)
        if (m->layer[i].unit_level[0] && state[i].stack->fault) return true;
    return false;
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

bool om__same_files(const struct om_manifest_layer *a,
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

void om__without_folder(const char *city, const char *text,
                        char out[OM_ERR_TEXT_BYTES])
{
    size_t len = strlen(city), n = 0;
    while (len > 1 && city[len - 1] == '/') len--;
    while (*text && n + 1 < OM_ERR_TEXT_BYTES) {
        if (!strncmp(text, city, len) && text[len] == '/') {
            text += len;
            while (*text == '/') text++;
            continue;
        }
        out[n++] = *text++;
    }
    out[n] = '\0';
}

static om_status withhold(const char *city, const struct om_err *err,
                          struct om__stack **out)
{
    char why[OM_ERR_TEXT_BYTES];
    om__without_folder(city, err->text, why);
    return om__stack_withheld(why, out);
}

/* Files of a layer that is not known yet. */
static om_status open_layer(const char *city,
                            const struct om_manifest_layer *meta,
                            const struct om_manifest_layer *was,
                            const struct om__layer_state *state, bool refused,
                            struct om__layer_state *out, struct om_err *err)
{
    struct om_err why = {0};
    const om_status st = open_stack(
        city, meta, was, state ? state->stack : NULL, &out->stack, &why);
    if (!st) return OM_OK;
    if (err) *err = why;
    if (st == OM_E_MEMORY || !refused) return st;
    return withhold(city, &why, &out->stack);
}

om_status om__states_open(const char *city, const struct om__base *base,
                          const struct om__base *old_base,
                          const struct om__layer_state *old,
                          struct om__layer_state *out, bool *kept,
                          struct om_err *err)
{
    const struct om_manifest *m = &base->manifest;
    // A name of a file stands for its bytes in one city, not in two.
    const bool same_city = old_base && old_base->manifest.id == m->id;
    const struct om_manifest *om = same_city ? &old_base->manifest : NULL;
    // Known only when the units are; taken for changed if one was withheld.
    const bool units_changed =
        om && (om__units_hash(m, NULL) != om__units_hash(om, NULL) ||
               om__units_withheld(om, old));
    size_t faults = 0, filed = 0;
    om_status first = OM_OK;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *meta = &m->layer[i];
        const struct om_manifest_layer *was =
            om ? om_manifest_find(om, meta->name) : NULL;
        const struct om__layer_state *state =
            was ? &old[was - om->layer] : NULL;
        const bool has_runs = state && state->stack->parts > was->parts;
        const bool lacked = state && state->stack->fault;
        filed += meta->parts > 0;
        if (state && !lacked && om__same_files(was, meta) &&
            !(units_changed && has_runs)) {
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
        struct om_err why = {0};
        const om_status st =
            open_layer(city, meta, lacked ? NULL : was, lacked ? NULL : state,
                       !om || lacked, &out[i], &why);
        if (!first && why.code) {
            first = why.code;
            if (err) *err = why;
        }
        if (st) return st;
        if (!out[i].stack->fault) continue;
        faults++;
        // Nothing is new about it.
        if (kept && lacked && om__same_files(was, meta)) kept[i] = true;
    }
    return faults && faults == filed ? first : OM_OK;
}
