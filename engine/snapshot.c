// snapshot.c - open a city, hand out snapshots, swap when another is committed.
#include "engine/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/filter/filter.h"
#include "engine/live/audience.h"
#include "engine/snapshot_internal.h"

/* DESIGN
 * A snapshot shares its manifest and, layer by layer, a list of parts with
 * those before and after it; to publish is to make a list of such references
 * and to swap one pointer. Segment files never change and their names are never
 * used twice, so a refresh keeps the segments whose names are still there, and
 * with them everything that caches have learnt about them: a layer's serial is
 * a hash of its segments' serials and of what is dead in them. Files that a
 * commit replaced may be unlinked at once; the mappings of older snapshots keep
 * them alive until the last reader lets go. */

/* Refreshes (one a second of a server) until a faulty journal is opened again.
 */
#define FAULTY_LOOKS 5

void om__rights_unref(struct om__rights *rights)
{
    if (!rights || atomic_fetch_sub(&rights->refs, 1) > 1) return;
    for (size_t i = 0; rights->area && i < rights->layers; i++)
        om_filter_free(rights->area[i]);
    while (rights->narrow) {
        struct om__narrow *n = rights->narrow;
        rights->narrow = n->next;
        for (size_t p = 0; p < n->parts; p++) om_free(n->dead[p]);
        om_free(n->dead);
        om_free(n->part);
        om_free(n);
    }
    om__rights_unref(rights->below);
    om_snapshot_unref(rights->still);
    for (size_t l = 0; l < rights->levels; l++)
        om_snapshot_unref(rights->level[l]);
    om_free(rights->level);
    om_free(rights->by_level);
    om_free(rights->listed);
    om_free(rights->area);
    om_free(rights->open);
    om_free(rights);
}

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
    om__rights_unref(s->rights);
    om_free(snapshot->layer);
    om_free(snapshot->held_back);
    om_free(s);
}

/* ---- snapshots ---- */

static void copy_schema(const struct om_schema *from, struct om_schema *to)
{
    to->geometry = from->geometry;
    to->count = from->count;
    memcpy(to->field, from->field, from->count * sizeof *from->field);
    to->id_field = from->id_field;
    to->time_field = from->time_field;
    memset(to->hidden, 0, sizeof to->hidden);
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
    out->rights = (struct om_layer_rights){0};
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
    snapshot->held_back = om_calloc(m->layers + 1, sizeof *snapshot->held_back);
    fresh->state = om__states_copy(state, m->layers);
    if (!snapshot->layer || !snapshot->held_back || !fresh->state) {
        om__states_free(fresh->state, m->layers);
        om_free(snapshot->layer);
        om_free(snapshot->held_back);
        om_free(fresh);
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    atomic_init(&fresh->refs, 1);
    fresh->base = om__base_ref(base);
    snapshot->manifest = m;
    snapshot->sequence = sequence;
    snapshot->clock_s = clock_s;
    for (size_t i = 0; i < m->layers; i++) {
        // What a snapshot of some layers has left out has no stack.
        if (!fresh->state[i].stack) continue;
        const char *fault = fresh->state[i].stack->fault;
        if (fault)
            snapshot->held_back[snapshot->withheld++] =
                (struct om_withheld){&m->layer[i], fault};
        else
            set_layer(&m->layer[i], &fresh->state[i],
                      &snapshot->layer[snapshot->layers++]);
    }
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
        const char *name = m->layer[i].name;
        const struct om_layer *from = is_named(name, layer, layers)
                                          ? om_snapshot_layer(snapshot, name)
                                          : NULL;
        if (from) {
            // With the same rights: its parts are those of the same stack.
            (*out)->layer[kept++] = *from;
            continue;
        }
        om__stack_unref(fresh->state[i].stack);
        fresh->state[i].stack = NULL;
    }
    (*out)->layers = kept;
    (*out)->withheld = 0;
    if (s->rights) atomic_fetch_add(&s->rights->refs, 1);
    fresh->rights = s->rights;
    (*out)->manifest = snapshot->manifest;
    (*out)->rights = snapshot->rights;
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
    const uint64_t units = om__units_hash(
        snapshot->manifest,
        om__snapshot_of((struct om_snapshot *)(uintptr_t)snapshot)->state);
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

om_status om__city_lend_joiner(struct om_city *city,
                               const struct om_snapshot *snapshot,
                               struct om_joiner **out)
{
    pthread_mutex_lock(&city->refreshing);
    const om_status st = om__city_joiner(city, snapshot, out, NULL);
    pthread_mutex_unlock(&city->refreshing);
    return st;
}

/* ---- the city ---- */

om_status om_city_open(const char *path, struct om_city **out,
                       struct om_err *err)
{
    return om_city_open_at(path, 0, out, err);
}

om_status om_city_open_at(const char *path, uint64_t at, struct om_city **out,
                          struct om_err *err)
{
    struct om_city *city = om_calloc(1, sizeof *city);
    if (!city) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    pthread_mutex_init(&city->lock, NULL);
    pthread_mutex_init(&city->refreshing, NULL);
    city->at = at;
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
    om_snapshot_unref(city->then);
    om_journal_close(city->journal);
    om_joiner_unref(city->joiner);
    om_changes_free(city->made);
    pthread_mutex_destroy(&city->lock);
    pthread_mutex_destroy(&city->refreshing);
    om_free(city);
}

struct om_snapshot *om_city_then(struct om_city *city)
{
    pthread_mutex_lock(&city->lock);
    struct om_snapshot *then = city->then;
    city->then = NULL;
    pthread_mutex_unlock(&city->lock);
    return then;
}

struct om_snapshot *om_city_snapshot(struct om_city *city)
{
    pthread_mutex_lock(&city->lock);
    struct om_snapshot *snapshot = om_snapshot_ref(city->snapshot);
    pthread_mutex_unlock(&city->lock);
    return snapshot;
}

bool om_city_journal_fault(struct om_city *city, char out[OM_ERR_TEXT_BYTES])
{
    char text[OM_ERR_TEXT_BYTES];
    pthread_mutex_lock(&city->lock);
    memcpy(text, city->fault, sizeof text);
    pthread_mutex_unlock(&city->lock);
    om__without_folder(city->path, text, out);
    return out[0] != '\0';
}

/* Is there anything new? A journal that appears is. One that is faulty is
 * looked at again now and then: somebody may have mended it. */
static bool anything_new(struct om_city *city, const struct om__stamp *stamp)
{
    pthread_mutex_lock(&city->lock);
    const bool same = om__stamp_same(stamp, &city->stamp);
    const uint64_t upto = city->snapshot->manifest->layers
                              ? om__snapshot_of(city->snapshot)->state[0].upto
                              : 0;
    const bool faulty = city->fault[0] != '\0';
    pthread_mutex_unlock(&city->lock);
    if (!same) return true;
    if (faulty) return ++city->looks % FAULTY_LOOKS == 0;
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

static uint64_t changed_as_whole(struct om_city *city, const char *layer,
                                 int64_t *at_s)
{
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(snapshot, layer);
    const uint64_t sequence = l ? l->changed : 0;
    if (at_s) *at_s = l ? om_snapshot_as_of(snapshot, l) : 0;
    om_snapshot_unref(snapshot);
    return sequence;
}

uint64_t om_city_changed_at(struct om_city *city, const char *layer,
                            struct om_box box, int64_t *at_s)
{
    const struct om_changes *changes = atomic_load(&city->changes);
    return changes ? om_changes_in(changes, layer, box, at_s)
                   : changed_as_whole(city, layer, at_s);
}

void om_city_join(struct om_city *city, const struct om_snapshot *snapshot,
                  const struct om_layer *layer)
{
    struct om_changes *changes = atomic_load(&city->changes);
    if (changes && layer->rights.audience)
        om_changes_join(changes, layer, om_snapshot_as_of(snapshot, NULL));
}

uint64_t om_city_heard(struct om_city *city, const char *layer,
                       uint64_t audience, struct om_box box,
                       struct om_heard *out)
{
    struct om_changes *changes = atomic_load(&city->changes);
    if (changes && om_changes_heard(changes, audience, box, out))
        return out->sequence;
    struct om_snapshot *snapshot = om_city_snapshot(city);
    if (!changes) *out = (struct om_heard){0};
    if (!out->at_s) out->at_s = om_snapshot_as_of(snapshot, NULL);
    out->veil = OM_VEILS;
    out->sequence = out->base =
        om_snapshot_layer(snapshot, layer) ? snapshot->sequence : 0;
    om_snapshot_unref(snapshot);
    return out->sequence;
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

om_status om_snapshot_lacks(const struct om_snapshot *snapshot,
                            const char *name, struct om_err *err)
{
    for (size_t i = 0; i < snapshot->withheld; i++) {
        const struct om_withheld *w = &snapshot->held_back[i];
        const bool level =
            w->meta->unit_level[0] && !strcmp(w->meta->unit_level, name);
        if (level || !strcmp(w->meta->name, name))
            return om_fail(err, OM_E_WITHHELD, 0, "layer %s is not served: %s",
                           w->meta->name, w->why);
    }
    return OM_E_NOTFOUND;
}

size_t om_layer_unit_field(const struct om_layer *layer, const char *level)
{
    for (size_t i = layer->schema.count - layer->unit_columns;
         i < layer->schema.count; i++)
        if (!strcmp(layer->schema.field[i].name, level)) return i;
    return OM_NO_FIELD;
}

const struct om_layer *om_layer_by(const struct om_snapshot *snapshot,
                                   const struct om_layer *layer,
                                   const char *level)
{
    const struct om_manifest *city = snapshot->manifest;
    if (!layer || !layer->rights.by_level) return layer;
    for (size_t l = 0; l < city->levels; l++)
        if (!strcmp(city->level[l], level)) return &layer->rights.by_level[l];
    return layer;
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

bool om_snapshot_has_layer(const struct om_snapshot *snapshot, const char *name)
{
    bool has = om_snapshot_layer(snapshot, name) != NULL;
    for (size_t i = 0; i < snapshot->withheld && !has; i++)
        has = !strcmp(snapshot->held_back[i].meta->name, name);
    return has;
}

bool om_snapshot_has_level(const struct om_snapshot *snapshot,
                           const char *level)
{
    bool has = om_snapshot_units(snapshot, level) != NULL;
    for (size_t i = 0; i < snapshot->withheld && !has; i++)
        has = !strcmp(snapshot->held_back[i].meta->unit_level, level);
    return has;
}

/* The boxes of rows [from, to) of a segment. */
struct boxes {
    const uint64_t *key;
    struct om_rings rings;  // box NULL: points
};

static om_status read_boxes(const struct om_segment *segment, size_t from,
                            size_t to, struct boxes *out)
{
    *out = (struct boxes){0};
    if (om_segment_schema(segment)->geometry == OM_GEOMETRY_POINT)
        return om_segment_keys(segment, from, to, &out->key);
    return om_segment_rings(segment, from, to, &out->rings);
}

static struct om_box box_at(const struct boxes *b, size_t row)
{
    if (b->rings.box) return b->rings.box[row];
    const struct om_pos pos = om_morton_pos(b->key[row]);
    return (struct om_box){pos.x, pos.y, pos.x, pos.y};
}

/* Does a dead row touch the rim of the part's box? */
static bool rim_died(const struct om_part *part, struct om_box all)
{
    for (size_t i = 0; i < part->dead_count; i++) {
        const size_t row = part->dead[i];
        struct boxes boxes;
        if (read_boxes(part->segment, row, row + 1, &boxes)) return false;
        const struct om_box b = box_at(&boxes, row);
        if (b.x0 == all.x0 || b.y0 == all.y0 || b.x1 == all.x1 ||
            b.y1 == all.y1)
            return true;
    }
    return false;
}

/* Where it cannot be read, the box of all its rows holds the living too. */
static struct om_box living_box(const struct om_part *part)
{
    const size_t rows = om_segment_rows(part->segment);
    const struct om_box all = om_segment_box(part->segment);
    struct om_box living = OM_BOX_NONE;
    struct boxes boxes;
    if (rows == part->dead_count) return living;
    if (!rim_died(part, all) || read_boxes(part->segment, 0, rows, &boxes))
        return all;
    for (size_t row = 0, d = 0; row < rows; row++)
        if (d < part->dead_count && part->dead[d] == row)
            d++;
        else
            om_box_widen(&living, box_at(&boxes, row));
    return living;
}

struct om_box om_layer_box(const struct om_layer *layer)
{
    struct om_box all = OM_BOX_NONE;
    for (size_t i = 0; i < layer->parts; i++) {
        const struct om_box box = living_box(&layer->part[i]);
        if (box.x0 <= box.x1) om_box_widen(&all, box);
    }
    return all;
}

bool om_layer_bounds(const struct om_layer *layer, double bounds[4])
{
    const struct om_box all = om_layer_box(layer);
    memset(bounds, 0, 4 * sizeof *bounds);
    if (all.x0 > all.x1) return false;
    om_pos_to_lonlat((struct om_pos){all.x0, all.y0}, &bounds[0], &bounds[3]);
    om_pos_to_lonlat((struct om_pos){all.x1, all.y1}, &bounds[2], &bounds[1]);
    return true;
}
