/* select.c - selections of a layer, and the cache that keeps them.
 *
 * DESIGN
 * Two kinds of things are kept. A base is the bitmap of one segment under a
 * filter and a window: segments never change, so neither does it. A selection
 * is what a layer looks like now: where no row of a part is gone it borrows
 * the base, else it holds a copy without those rows, whose ranks are the
 * base's less the rows gone so far. So a new tombstone costs a copy and never a
 * pass over columns. Filters are known by their canonical text.
 *
 * Invariants, all under the cache's lock:
 * (1) an entry is COMPUTING, known only to the table, or READY, in the list
 *     too, its object counted once for the cache;
 * (2) bases of a selection stand in front of it in the list, so that a
 *     selection leaves first: dropping a base that one still holds would free
 *     nothing;
 * (3) whoever computes an entry waits for bases only, and bases wait for
 *     nobody: no circle.
 * (4) of what is selected from a layer by one condition the newest stays: of a
 *     layer that is written to there is another with each write, which copies
 *     all bits of parts in which rows are dead, and nobody asks for the one
 *     before. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "engine/filter/eval_internal.h"

/* Chains of the table. Most entries are megabytes, so there are few; but of a
 * layer that is written to each small run in memory has some, for as long as it
 * is there, and nobody asks for those of runs that are gone. */
#define BUCKETS 1024
#define ENTRIES_MOST 8192

struct entry {
    struct entry *chain;          // of its bucket
    struct entry *newer, *older;  // of the list
    uint64_t hash;
    uint8_t *key;
    size_t key_len;
    uint64_t family;        // layer and condition of a selection; 0: a base
    struct entry *kin;      // of its bucket of families, once READY
    struct object *object;  // NULL while COMPUTING
};

/* What both kinds begin with. */
struct object {
    atomic_size_t refs;
    size_t bytes;  // what it holds itself
    bool is_base;
    struct entry *entry;  // while it is in the cache; under its lock
};

struct base {
    struct object object;
    uint64_t serial;  // of segment and condition: the hash of its key
    struct om_bitmap bitmap;
};

struct selection {
    struct object object;
    struct om_selection selection;   // what callers see
    struct base **base;              // [parts]
    struct om_selection_base *seen;  // [parts] of them, for callers
};

struct om_selections {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t max_bytes;
    struct om_cache_stats stats;
    struct entry *newest, *oldest;
    struct entry *bucket[BUCKETS], *family[BUCKETS];
};

static atomic_uint_fast64_t last_serial;

/* ---- objects */

static struct selection *whole(struct om_selection *selection)
{
    return (struct selection *)(void *)((char *)selection -
                                        offsetof(struct selection, selection));
}

static void object_unref(struct object *object);

static void free_selection(struct selection *s)
{
    const size_t parts = s->base && s->selection.part ? s->selection.parts : 0;
    for (size_t i = 0; i < parts; i++) {
        struct base *base = s->base[i];
        // A bitmap of its own where rows of the base are dead.
        if (!base || s->selection.part[i].word != base->bitmap.word)
            om__bitmap_deinit(&s->selection.part[i]);
        if (base) object_unref(&base->object);
    }
    om_free(s->base);
    om_free(s->seen);
    om_free(s->selection.part);
    om_free(s);
}

static void object_unref(struct object *object)
{
    if (atomic_fetch_sub(&object->refs, 1) != 1) return;
    if (!object->is_base) {
        free_selection((struct selection *)(void *)object);
        return;
    }
    om__bitmap_deinit(&((struct base *)(void *)object)->bitmap);
    om_free(object);
}

struct om_selection *om_selection_ref(struct om_selection *selection)
{
    if (selection) atomic_fetch_add(&whole(selection)->object.refs, 1);
    return selection;
}

void om_selection_unref(struct om_selection *selection)
{
    if (selection) object_unref(&whole(selection)->object);
}

/* ---- the table and the list */

om_status om_selections_new(size_t max_bytes, struct om_selections **out)
{
    struct om_selections *cache = om_calloc(1, sizeof *cache);
    *out = cache;
    if (!cache) return OM_E_MEMORY;
    cache->max_bytes = max_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->changed, NULL);
    return OM_OK;
}

static struct entry **slot(struct om_selections *cache, uint64_t hash,
                           const struct om_buf *key)
{
    struct entry **e = &cache->bucket[hash % BUCKETS];
    while (*e && !((*e)->hash == hash && (*e)->key_len == key->len &&
                   memcmp((*e)->key, key->bytes, key->len) == 0))
        e = &(*e)->chain;
    return e;
}

static void list_remove(struct om_selections *cache, struct entry *e)
{
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void list_push(struct om_selections *cache, struct entry *e)
{
    e->older = cache->newest;
    e->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

/* To the front, and behind that the bases in front of it (2). */
static void touch(struct om_selections *cache, struct entry *e)
{
    list_remove(cache, e);
    list_push(cache, e);
    if (e->object->is_base) return;
    const struct selection *s = (struct selection *)(void *)e->object;
    for (size_t i = 0; i < s->selection.parts && s->base; i++) {
        struct entry *of_base = s->base[i] ? s->base[i]->object.entry : NULL;
        if (!of_base) continue;
        list_remove(cache, of_base);
        list_push(cache, of_base);
    }
}

static void entry_free(struct entry *e)
{
    om_free(e->key);
    om_free(e);
}

/* Out of the table: the entry is nobody's any more. */
static void unchain(struct om_selections *cache, struct entry *e)
{
    struct entry **at = &cache->bucket[e->hash % BUCKETS];
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
}

static struct entry **family_of(struct om_selections *cache, uint64_t family)
{
    return &cache->family[family % BUCKETS];
}

static void leave_family(struct om_selections *cache, struct entry *e)
{
    struct entry **at = family_of(cache, e->family);
    while (*at != e) at = &(*at)->kin;
    *at = e->kin;
}

static void drop(struct om_selections *cache, struct entry *e)
{
    unchain(cache, e);
    if (e->family) leave_family(cache, e);
    list_remove(cache, e);
    cache->stats.entries--;
    cache->stats.bytes -= e->object->bytes;
    e->object->entry = NULL;
    object_unref(e->object);
    entry_free(e);
}

void om_selections_clear(struct om_selections *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->oldest) drop(cache, cache->oldest);
    pthread_mutex_unlock(&cache->lock);
}

void om_selections_free(struct om_selections *cache)
{
    if (!cache) return;
    om_selections_clear(cache);
    pthread_cond_destroy(&cache->changed);
    pthread_mutex_destroy(&cache->lock);
    om_free(cache);
}

struct om_cache_stats om_selections_stats(const struct om_selections *cache)
{
    // The lock is no part of what a caller thinks of as constant.
    struct om_selections *c = (struct om_selections *)(uintptr_t)cache;
    pthread_mutex_lock(&c->lock);
    const struct om_cache_stats stats = c->stats;
    pthread_mutex_unlock(&c->lock);
    return stats;
}

/* Into the family, in the place of who was there (4). */
static void succeed(struct om_selections *cache, struct entry *e)
{
    struct entry **first = family_of(cache, e->family), *old = *first;
    while (old && old->family != e->family) old = old->kin;
    if (old) drop(cache, old);
    e->kin = *first;
    *first = e;
}

static struct entry *entry_new(uint64_t hash, const struct om_buf *key)
{
    struct entry *e = om_calloc(1, sizeof *e);
    if (!e) return NULL;
    e->hash = hash;
    e->key_len = key->len;
    e->key = om_alloc(key->len);
    if (!e->key) {
        om_free(e);
        return NULL;
    }
    memcpy(e->key, key->bytes, key->len);
    return e;
}

typedef om_status make_fn(void *ctx, struct object **out);

/* A computed object becomes an entry's; the cache takes a reference. */
static void publish(struct om_selections *cache, struct entry *e,
                    struct object *object)
{
    atomic_fetch_add(&object->refs, 1);
    object->entry = e;
    e->object = object;
    list_push(cache, e);
    touch(cache, e);
    if (e->family) succeed(cache, e);
    cache->stats.entries++;
    cache->stats.bytes += object->bytes;
    while ((cache->stats.bytes > cache->max_bytes ||
            cache->stats.entries > ENTRIES_MOST) &&
           cache->oldest)
        drop(cache, cache->oldest);
}

/* The object of a key: found, waited for, or made. The caller's reference is
 * counted. family: of a selection, else 0. */
static om_status obtain(struct om_selections *cache, const struct om_buf *key,
                        uint64_t family, make_fn *make, void *ctx,
                        struct object **out)
{
    if (!cache) return make(ctx, out);
    const uint64_t hash = om_hash64(key->bytes, key->len, 0);
    pthread_mutex_lock(&cache->lock);
    struct entry *e;
    while ((e = *slot(cache, hash, key)) && !e->object)
        pthread_cond_wait(&cache->changed, &cache->lock);
    if (family) ++*(e ? &cache->stats.hits : &cache->stats.misses);
    if (e) {
        touch(cache, e);
        *out = e->object;
        atomic_fetch_add(&e->object->refs, 1);
        pthread_mutex_unlock(&cache->lock);
        return OM_OK;
    }
    e = entry_new(hash, key);
    if (e) {
        e->family = family;
        *slot(cache, hash, key) = e;
    }
    pthread_mutex_unlock(&cache->lock);

    // Others may wait for it.
    struct om_cancel *held = om_cancel_swap(NULL);
    om_status st = make(ctx, out);
    om_cancel_swap(held);
    if (!e) return st;  // no memory to remember it by
    pthread_mutex_lock(&cache->lock);
    if (!st) {
        publish(cache, e, *out);
    } else {
        unchain(cache, e);
        entry_free(e);
    }
    pthread_cond_broadcast(&cache->changed);
    pthread_mutex_unlock(&cache->lock);
    return st;
}

/* ---- bases */

/* What is selected from which segment. */
struct request {
    struct om_selections *cache;
    const struct om_layer *layer;
    const struct om_filter *filter;  // with the window's column, or NULL: all
    const struct om__node *root;
    const struct om_buf *condition;  // key of filter and window
    const struct om_segment *segment;
    uint64_t serial;  // of the base
};

static om_status make_base(void *ctx, struct object **out)
{
    const struct request *r = ctx;
    struct base *base = om_calloc(1, sizeof *base);
    if (!base) return OM_E_MEMORY;
    const om_status st =
        om__bitmap_eval(r->filter, r->root, r->segment, &base->bitmap);
    if (st) {
        om_free(base);
        return st;
    }
    base->object.refs = 1;
    base->serial = r->serial;
    base->object.is_base = true;
    base->object.bytes = sizeof *base + om__bitmap_bytes(base->bitmap.rows);
    *out = &base->object;
    return OM_OK;
}

static om_status obtain_base(struct request *r, struct base **out)
{
    struct om_buf key = {0};
    const uint64_t serial = om_segment_serial(r->segment);
    om_buf_add_byte(&key, 'B');
    om_buf_add(&key, &serial, sizeof serial);
    om_buf_add(&key, r->condition->bytes, r->condition->len);
    struct object *object = NULL;
    om_status st = key.status;
    if (!st) {
        r->serial = om_hash64(key.bytes, key.len, 1) | 1;  // never 0
        st = obtain(r->cache, &key, 0, make_base, r, &object);
    }
    om_buf_deinit(&key);
    *out = (struct base *)(void *)object;
    return st;
}

/* ---- selections */

static om_status select_part(struct request *r, size_t i, struct selection *s)
{
    const struct om_part *part = &r->layer->part[i];
    r->segment = part->segment;
    OM_TRY(obtain_base(r, &s->base[i]));
    const struct base *base = s->base[i];
    s->seen[i] = (struct om_selection_base){base->serial, &base->bitmap};
    if (part->dead_count == 0) {
        s->selection.part[i] = base->bitmap;
        return OM_OK;
    }
    OM_TRY(om__bitmap_without(&base->bitmap, part->dead, part->dead_count,
                              &s->selection.part[i]));
    s->object.bytes += om__bitmap_bytes(s->selection.part[i].rows);
    return OM_OK;
}

static om_status make_selection(void *ctx, struct object **out)
{
    struct request *r = ctx;
    const size_t parts = r->layer->parts;
    struct selection *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->object.refs = 1;
    s->selection.serial = atomic_fetch_add(&last_serial, 1) + 1;
    s->selection.parts = parts;
    s->selection.part = om_calloc(parts, sizeof *s->selection.part);
    s->base = om_calloc(parts, sizeof *s->base);
    s->seen = om_calloc(parts, sizeof *s->seen);
    s->selection.base = s->seen;
    s->selection.living = !r->root;
    om_status st =
        s->selection.part && s->base && s->seen ? OM_OK : OM_E_MEMORY;
    s->object.bytes = sizeof *s + parts * (sizeof *s->selection.part +
                                           sizeof *s->base + sizeof *s->seen);
    for (size_t i = 0; i < parts && !st; i++) {
        st = select_part(r, i, s);
        s->selection.count += s->selection.part[i].count;
    }
    if (st) {
        object_unref(&s->object);
        return st;
    }
    *out = &s->object;
    return OM_OK;
}

/* All rows: no bitmaps at all. */
static om_status select_all(const struct om_layer *layer,
                            struct om_selection **out)
{
    struct selection *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->object.refs = 1;
    s->selection.all = true;
    s->selection.parts = layer->parts;
    s->selection.serial = atomic_fetch_add(&last_serial, 1) + 1;
    for (size_t i = 0; i < layer->parts; i++)
        s->selection.count += om_segment_rows(layer->part[i].segment);
    *out = &s->selection;
    return OM_OK;
}

static bool has_dead(const struct om_layer *layer)
{
    for (size_t i = 0; i < layer->parts; i++)
        if (layer->part[i].dead_count) return true;
    return false;
}

/* ---- the window as one more condition */

/* The filter's tree and the window's under one AND; `with` borrows what
 * `filter` has. */
static om_status add_window(const struct om_filter *filter,
                            const struct om_layer *layer,
                            struct om_window window, struct om_filter *with)
{
    const size_t columns = filter ? filter->columns : 0;
    const struct om_field *field =
        &layer->schema.field[layer->schema.time_field];
    with->column =
        om_arena_calloc(&with->arena, columns + 1, sizeof *with->column);
    struct om__node *root = om__node_new(with, OM__AND);
    struct om__node *leaf = om__node_new(with, OM__RANGES);
    struct om__range *range = om_arena_calloc(&with->arena, 1, sizeof *range);
    if (!with->column || !root || !leaf || !range) return OM_E_MEMORY;
    if (columns)
        memcpy(with->column, filter->column, columns * sizeof *with->column);
    memcpy(with->column[columns].name, field->name, sizeof field->name);
    with->column[columns].type = field->type;
    with->columns = columns + 1;
    leaf->column = columns;
    leaf->range = range;
    if (window.from_s < window.to_s) {
        // INT64_MAX is the open end, not the second before it.
        const bool open = window.to_s == INT64_MAX;
        *range = (struct om__range){window.from_s, window.to_s - !open};
        leaf->ranges = 1;
    }
    root->child = leaf;
    if (filter) {
        struct om__node *copy = om__node_new(with, OM__CONST);
        if (!copy) return OM_E_MEMORY;
        *copy = *filter->root;
        copy->next = NULL;
        leaf->next = copy;
    }
    with->root = root;
    return OM_OK;
}

/* The layer's area and what is asked under one AND; `with` borrows what both
 * have. The area is a leaf (policy.c). */
static om_status add_area(const struct om_filter *area,
                          const struct om_filter *filter,
                          struct om_filter *with)
{
    const size_t columns = filter ? filter->columns : 0;
    with->column = om_arena_calloc(&with->arena, columns + area->columns,
                                   sizeof *with->column);
    struct om__node *root = om__node_new(with, OM__AND);
    struct om__node *leaf = om__node_new(with, OM__CONST);
    if (!with->column || !root || !leaf) return OM_E_MEMORY;
    if (columns)
        memcpy(with->column, filter->column, columns * sizeof *with->column);
    memcpy(with->column + columns, area->column,
           area->columns * sizeof *with->column);
    with->columns = columns + area->columns;
    if (filter) with->geometry = filter->geometry;
    if (filter) with->uses_geometry = filter->uses_geometry;
    *leaf = *area->root;
    leaf->column += columns;
    leaf->next = NULL;
    root->child = leaf;
    if (filter) {
        struct om__node *copy = om__node_new(with, OM__CONST);
        if (!copy) return OM_E_MEMORY;
        *copy = *filter->root;
        copy->next = NULL;
        leaf->next = copy;
    }
    with->root = root;
    return OM_OK;
}

static void add_i64(struct om_buf *key, int64_t value)
{
    om_buf_add(key, &value, sizeof value);
}

/* Filter and window as bytes: what both kinds of keys end with. */
static om_status condition_key(const struct om_filter *filter,
                               const struct om_layer *layer,
                               struct om_window window, struct om_buf *key)
{
    const struct om_filter *area = layer->rights.area;
    if (area) om_buf_add(key, area->canonical.bytes, area->canonical.len);
    om_buf_add_byte(key, 0);
    if (window.set) {
        const char *name = layer->schema.field[layer->schema.time_field].name;
        om_buf_add(key, name, strlen(name) + 1);
        add_i64(key, window.from_s);
        add_i64(key, window.to_s);
    }
    om_buf_add_byte(key, 0);
    return filter
               ? om_buf_add(key, filter->canonical.bytes, filter->canonical.len)
               : key->status;
}

static om_status selection_key(const struct om_layer *layer,
                               const struct om_buf *condition,
                               struct om_buf *key)
{
    om_buf_add_byte(key, 'S');
    om_buf_add(key, &layer->serial, sizeof layer->serial);
    for (size_t i = 0; i < layer->parts; i++) {
        const uint64_t serial = om_segment_serial(layer->part[i].segment);
        om_buf_add(key, &serial, sizeof serial);
        om_buf_add(key, &layer->part[i].dead_count,
                   sizeof layer->part[i].dead_count);
    }
    return om_buf_add(key, condition->bytes, condition->len);
}

static uint64_t family_key(const struct om_layer *layer,
                           const struct om_buf *condition)
{
    return om_hash64(condition->bytes, condition->len,
                     om_hash64(layer->name, strlen(layer->name), 0)) |
           1;  // never 0
}

static bool takes_all(const struct om_filter *filter)
{
    return !filter || (filter->root->kind == OM__CONST && filter->root->value);
}

om_status om_select(struct om_selections *cache, const struct om_layer *layer,
                    const struct om_filter *filter, struct om_window window,
                    struct om_selection **out)
{
    *out = NULL;
    if (window.set && layer->schema.time_field == OM_NO_FIELD)
        return OM_E_NOTFOUND;
    if (takes_all(filter)) filter = NULL;
    const struct om_filter *area = layer->rights.area;
    if (!filter && !window.set && !area && !has_dead(layer))
        return select_all(layer, out);

    struct om_buf condition = {0}, key = {0};
    struct om_filter with = {0}, within = {0};
    struct object *object = NULL;
    struct request request = {.cache = cache,
                              .layer = layer,
                              .filter = filter,
                              .root = filter ? filter->root : NULL,
                              .condition = &condition};
    om_status st = condition_key(filter, layer, window, &condition);
    if (st) goto done;
    st = selection_key(layer, &condition, &key);
    if (st) goto done;
    if (window.set) {
        st = add_window(filter, layer, window, &with);
        if (st) goto done;
        request.filter = &with;
        request.root = with.root;
    }
    if (area) {
        st = add_area(area, request.filter, &within);
        if (st) goto done;
        request.filter = &within;
        request.root = within.root;
    }
    st = obtain(cache, &key, family_key(layer, &condition), make_selection,
                &request, &object);
    if (!st) *out = &((struct selection *)(void *)object)->selection;
done:
    om_arena_deinit(&within.arena);
    om_arena_deinit(&with.arena);
    om_buf_deinit(&condition);
    om_buf_deinit(&key);
    return st;
}
