/* audience.c - what those are told of changes who do not see all of a layer.
 *
 * DESIGN
 * A role that does not see a column, or has an area, would learn by the map of
 * changes, its ETags and the stream that a row has changed that it does not
 * see, though every answer is what it was. So each audience has a tree of its
 * own, into which the committer puts what it sees of a row that is written: a
 * row that came into its unit is new there, one that left has gone, and one
 * that differs in hidden columns alone has not changed (quiet.c). An audience
 * is found by the row's units, so that a thousand of them cost a row no more
 * than one.
 *
 * Nothing is kept of audiences: one begins when somebody first asks, with all
 * of the layer new. It may have joined while a group was on its way that was
 * looked at without it, so the committer adopts it before the next one. Until
 * then what it asks is as new as the city, whose sequence everybody is told
 * anyway; that sequence is its beginning, so that adopting it changes no
 * answer. The same is told to who has no audience: of a server that only reads.
 *
 * The lock is held shared by who asks and by the writer, whose trees are read
 * while they grow (change_tree.c), and alone by who joins or is forgotten.
 */
#include "engine/live/audience.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/hash.h"
#include "data/city/journal.h"
#include "engine/live/changes_internal.h"
#include "engine/snapshot.h"

/* Of a tree of one unit (1.3 MB) and of all audiences (84 MB), lent as they are
 * needed. Without room cells are coarser. */
#define BLOCKS_OF_UNIT ((uint32_t)8192)
#define BLOCKS_OF_ALL ((uint32_t)1 << 19)
#define BLOCKS_LENT ((uint32_t)512)
#define CELL_BLOCKS ((uint32_t)OM_CHANGE_LEVEL)
#define BOX_CELLS_MOST 64
#define AT_ONCE 256
/* Hashes of veils: of crowds, and a bit of all others. */
#define CROWDS 1
#define COLUMNS 2

/* ---- who it is ---- */

uint64_t om_audience_unit(const char *level, const char *unit, size_t len)
{
    return om_hash64(unit, len, om_hash64(level, strlen(level), 1)) | 1;
}

static bool is_hidden(const struct om_layer *layer, size_t column)
{
    return layer->rights.veiled[column] &&
           column + layer->unit_columns < layer->schema.count;
}

/* 0: none is hidden. */
static uint64_t veil_of(const struct om_layer *layer)
{
    uint64_t hash = 0;
    if (layer->rights.crowds) return CROWDS;
    for (size_t i = 0; i < layer->schema.count && layer->rights.veils; i++) {
        const char *name = layer->schema.field[i].name;
        if (is_hidden(layer, i))
            hash = om_hash64(name, strlen(name), hash) | COLUMNS;
    }
    return hash;
}

static uint64_t unit_of(const struct om_layer *layer)
{
    const struct om_layer_rights *rights = &layer->rights;
    return rights->area
               ? om_audience_unit(layer->schema.field[rights->area_column].name,
                                  rights->area_unit, strlen(rights->area_unit))
               : 0;
}

uint64_t om_audience_of(const struct om_layer *layer)
{
    // Units change as a whole only.
    if (layer->meta && layer->meta->unit_level[0]) return 0;
    const uint64_t who[] = {veil_of(layer), unit_of(layer)};
    return who[0] || who[1]
               ? om_hash64(who, sizeof who,
                           om_hash64(layer->name, strlen(layer->name), 0)) |
                     1
               : 0;
}

/* ---- the table, under the lock ---- */

static struct om__audience **bucket_of(struct om_changes *changes, uint64_t id)
{
    return &changes->head[(id >> 1) % OM__AUDIENCE_HEADS];
}

static bool is_crowd(const struct om__audience *a)
{
    return a->veil != OM__NO_VEIL && a->layer->veil[a->veil].crowds;
}

static struct om__audience *find(struct om_changes *changes, uint64_t id)
{
    struct om__audience *a = *bucket_of(changes, id);
    while (a && a->id != id) a = a->next;
    return a;
}

static struct om__audience **place_of(struct om__changes_layer *layer,
                                      uint64_t unit)
{
    return unit ? &layer->unit[(unit >> 1) % OM__UNIT_HEADS]
                : &layer->everywhere;
}

static void audience_free(struct om__audience *a)
{
    om__change_tree_deinit(&a->tree);
    om_free(a);
}

static void veil_let_go(struct om__changes_layer *layer, size_t veil)
{
    if (veil == OM__NO_VEIL || --layer->veil[veil].audiences) return;
    om_free(layer->veil[veil].names);
    layer->veil[veil] = (struct om__veil){0};
}

static void forget(struct om_changes *changes, struct om__audience *a)
{
    struct om__changes_layer *layer = a->layer;
    struct om__audience **at = bucket_of(changes, a->id);
    while (*at != a) at = &(*at)->next;
    *at = a->next;
    at = place_of(layer, a->unit);
    while (*at != a) at = &(*at)->next_here;
    *at = a->next_here;
    layer->areas -= a->unit != 0;
    changes->lent -= a->tree.most;
    veil_let_go(layer, a->veil);
    audience_free(a);
    changes->audiences--;
    atomic_fetch_add(&changes->generation, 1);
}

static void forget_oldest(struct om_changes *changes)
{
    struct om__audience *oldest = NULL;
    for (size_t i = 0; i < OM__AUDIENCE_HEADS; i++)
        for (struct om__audience *a = changes->head[i]; a; a = a->next)
            if (!oldest || atomic_load(&a->asked) < atomic_load(&oldest->asked))
                oldest = a;
    if (oldest) forget(changes, oldest);
}

void om_changes_forget(struct om_changes *changes)
{
    pthread_rwlock_wrlock(&changes->lock);
    for (size_t i = 0; i < OM__AUDIENCE_HEADS; i++)
        while (changes->head[i]) forget(changes, changes->head[i]);
    pthread_rwlock_unlock(&changes->lock);
}

void om__audiences_free(struct om__changes_layer *layer)
{
    for (size_t i = 0; i <= OM__UNIT_HEADS; i++) {
        struct om__audience *a = i == OM__UNIT_HEADS ? layer->everywhere
                                 : layer->unit       ? layer->unit[i]
                                                     : NULL;
        for (struct om__audience *next; a; a = next) {
            next = a->next_here;
            audience_free(a);
        }
    }
    for (size_t i = 0; i < OM_VEILS; i++) om_free(layer->veil[i].names);
    om_free(layer->unit);
}

/* ---- joining ---- */

static om_status name_hidden(const struct om_layer *layer, char **out)
{
    struct om_buf names = {0};
    for (size_t i = 0; i < layer->schema.count && !layer->rights.crowds; i++) {
        const char *name = layer->schema.field[i].name;
        if (is_hidden(layer, i)) om_buf_add(&names, name, strlen(name) + 1);
    }
    om_buf_add_byte(&names, 0);
    if (names.status) om_buf_deinit(&names);
    *out = (char *)names.bytes;
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status take_veil(struct om__changes_layer *here,
                           const struct om_layer *layer, size_t *out)
{
    const uint64_t hash = veil_of(layer);
    size_t free = OM_VEILS;
    *out = OM__NO_VEIL;
    if (!hash) return OM_OK;
    for (size_t i = 0; i < OM_VEILS && *out == OM__NO_VEIL; i++) {
        if (here->veil[i].hash == hash) *out = i;
        if (!here->veil[i].hash && free == OM_VEILS) free = i;
    }
    if (*out == OM__NO_VEIL) {
        if (free == OM_VEILS) return OM_E_LIMIT;
        OM_TRY(name_hidden(layer, &here->veil[free].names));
        here->veil[free].hash = hash;
        here->veil[free].crowds = layer->rights.crowds;
        *out = free;
    }
    here->veil[*out].audiences++;
    return OM_OK;
}

static om_status add(struct om_changes *changes, const struct om_layer *layer,
                     int64_t at_s)
{
    struct om__changes_layer *here = om__changes_layer(changes, layer->name);
    const uint64_t id = layer->rights.audience, unit = unit_of(layer);
    if (!here) return OM_E_NOTFOUND;
    if (unit && !here->unit)
        here->unit = om_calloc(OM__UNIT_HEADS, sizeof(struct om__audience *));
    struct om__audience *a = om_calloc(1, sizeof *a);
    om_status st = a && (here->unit || !unit) ? OM_OK : OM_E_MEMORY;
    if (!st) st = take_veil(here, layer, &a->veil);
    if (st) {
        om_free(a);
        return st;
    }
    a->id = id;
    a->unit = unit;
    a->layer = here;
    a->joined_s = at_s;
    atomic_init(&a->asked, atomic_fetch_add(&changes->asked, 1));
    struct om__audience **head = bucket_of(changes, id);
    struct om__audience **place = place_of(here, unit);
    a->next = *head;
    *head = a;
    a->next_here = *place;
    *place = a;
    here->areas += unit != 0;
    changes->audiences++;
    atomic_store(&changes->fresh, true);
    return OM_OK;
}

void om_changes_join(struct om_changes *changes, const struct om_layer *layer,
                     int64_t at_s)
{
    const uint64_t id = layer->rights.audience;
    pthread_rwlock_rdlock(&changes->lock);
    const bool known = find(changes, id) != NULL;
    pthread_rwlock_unlock(&changes->lock);
    if (known) return;
    pthread_rwlock_wrlock(&changes->lock);
    if (!find(changes, id)) {
        if (changes->audiences >= OM_AUDIENCES) forget_oldest(changes);
        // Without room it is told what a server that only reads tells.
        (void)!add(changes, layer, at_s);
    }
    pthread_rwlock_unlock(&changes->lock);
}

bool om_changes_heard(struct om_changes *changes, uint64_t audience,
                      struct om_box box, struct om_heard *out)
{
    *out = (struct om_heard){.veil = OM_VEILS};
    pthread_rwlock_rdlock(&changes->lock);
    struct om__audience *a = find(changes, audience);
    const bool known = a && a->adopted;
    if (a) {
        atomic_store(&a->asked, atomic_fetch_add(&changes->asked, 1));
        out->at_s = a->joined_s;
    }
    if (known) {
        out->sequence = om__change_tree_in(&a->tree, box, &out->at_s);
        out->base = om__change_tree_base(&a->tree);
        out->looks = atomic_load(&a->looks);
        if (a->veil != OM__NO_VEIL) out->veil = a->veil;
        out->crowds = is_crowd(a);
    }
    pthread_rwlock_unlock(&changes->lock);
    return known;
}

/* ---- the writer's ---- */

void om_changes_adopt(struct om_changes *changes, uint64_t sequence)
{
    if (!atomic_load_explicit(&changes->fresh, memory_order_relaxed)) return;
    pthread_rwlock_wrlock(&changes->lock);
    atomic_store(&changes->fresh, false);
    for (size_t i = 0; i < OM__AUDIENCE_HEADS; i++)
        for (struct om__audience *a = changes->head[i]; a; a = a->next) {
            if (a->adopted) continue;
            a->adopted = true;
            om__change_tree_renew(&a->tree, sequence, a->joined_s);
        }
    atomic_fetch_add(&changes->generation, 1);
    pthread_rwlock_unlock(&changes->lock);
}

void om_changes_renew(struct om_changes *changes, uint64_t audience,
                      uint64_t sequence, int64_t at_s)
{
    pthread_rwlock_rdlock(&changes->lock);
    struct om__audience *a = find(changes, audience);
    if (a && a->adopted) {
        om__change_tree_renew(&a->tree, sequence, at_s);
        atomic_store(&a->looks, sequence);
    }
    pthread_rwlock_unlock(&changes->lock);
}

uint64_t om_changes_generation(const struct om_changes *changes)
{
    return atomic_load_explicit(&changes->generation, memory_order_relaxed);
}

static bool is_named(const char *names, const char *name)
{
    for (; *names; names += strlen(names) + 1)
        if (!strcmp(names, name)) return true;
    return false;
}

uint64_t om_changes_veils(struct om_changes *changes, const char *layer,
                          const struct om_schema *schema, uint64_t *hides,
                          uint64_t *crowds)
{
    uint64_t all = 0;
    *crowds = 0;
    pthread_rwlock_rdlock(&changes->lock);
    const struct om__changes_layer *here = om__changes_layer(changes, layer);
    for (size_t v = 0; here && v < OM_VEILS; v++) {
        const struct om__veil *veil = &here->veil[v];
        const uint64_t bit = UINT64_C(1) << v;
        if (!veil->hash) continue;
        all |= bit;
        if (veil->crowds) *crowds |= bit;
        for (size_t i = 0; i < schema->count; i++)
            if (is_named(veil->names, schema->field[i].name)) hides[i] |= bit;
    }
    pthread_rwlock_unlock(&changes->lock);
    return all;
}

bool om_changes_told(struct om_changes *changes, const char *layer, bool *areas)
{
    pthread_rwlock_rdlock(&changes->lock);
    const struct om__changes_layer *here = om__changes_layer(changes, layer);
    const bool any = here && (here->everywhere || here->areas);
    *areas = here && here->areas;
    pthread_rwlock_unlock(&changes->lock);
    return any;
}

static bool is_quiet(const struct om__audience *a, uint64_t quiet)
{
    return !a->adopted || (a->veil != OM__NO_VEIL && quiet >> a->veil & 1);
}

/* Room for some cells more, if there is any. */
static void lend(struct om_changes *changes, struct om__audience *a,
                 size_t cells)
{
    const uint32_t needed = a->tree.blocks + CELL_BLOCKS * (uint32_t)cells;
    const uint32_t most = a->unit ? BLOCKS_OF_UNIT : OM__CHANGE_BLOCKS;
    while (a->tree.most < needed && a->tree.most < most &&
           changes->lent < BLOCKS_OF_ALL) {
        a->tree.most += BLOCKS_LENT;
        changes->lent += BLOCKS_LENT;
    }
}

static void add_place(struct om_changes *changes, struct om__audience *a,
                      const struct om_place_told *place, uint64_t sequence,
                      int64_t at_s)
{
    const struct om_box *b = &place->reach;
    if (place->cell == OM_NO_CELL) return;
    if (b->x0 || b->y0 || b->x1 || b->y1) {
        lend(changes, a, BOX_CELLS_MOST);
        om__change_tree_add_box(&a->tree, *b, sequence, at_s);
    } else {
        lend(changes, a, 1);
        om__change_tree_add(&a->tree, OM_CHANGE_LEVEL, place->cell, sequence,
                            at_s);
    }
}

void om_changes_tell(struct om_changes *changes, const char *layer,
                     const struct om_row_told *row, size_t count, int64_t at_s)
{
    pthread_rwlock_rdlock(&changes->lock);
    const struct om__changes_layer *here = om__changes_layer(changes, layer);
    struct om__audience *a = here ? here->everywhere : NULL;
    for (; a; a = a->next_here)
        for (size_t i = 0; i < count; i++) {
            if (is_quiet(a, row[i].quiet)) continue;
            add_place(changes, a, &row[i].old, row[i].sequence, at_s);
            add_place(changes, a, &row[i].fresh, row[i].sequence, at_s);
        }
    pthread_rwlock_unlock(&changes->lock);
}

void om_changes_tell_all(struct om_changes *changes, const char *layer,
                         const struct om_change *change, const uint64_t *quiet,
                         size_t count, int64_t at_s)
{
    struct om_change loud[AT_ONCE];
    pthread_rwlock_rdlock(&changes->lock);
    const struct om__changes_layer *here = om__changes_layer(changes, layer);
    struct om__audience *a = here ? here->everywhere : NULL;
    for (; a; a = a->next_here)
        for (size_t i = 0; i < count;) {
            size_t n = 0;
            for (; i < count && n < AT_ONCE; i++)
                if (!is_quiet(a, quiet[i])) loud[n++] = change[i];
            lend(changes, a, n);
            om__change_tree_add_all(&a->tree, loud, n, at_s);
        }
    pthread_rwlock_unlock(&changes->lock);
}

/* What those of a unit see of a row that was, or is, in it. */
static void tell_unit(struct om_changes *changes,
                      struct om__changes_layer *here, uint64_t unit,
                      const struct om_row_told *row, bool was, bool is,
                      int64_t at_s)
{
    struct om__audience *a = *place_of(here, unit);
    for (; a; a = a->next_here) {
        if (a->unit != unit || (was && is && is_quiet(a, row->quiet))) continue;
        // Rows that are only counted are told otherwise, wherever they are.
        if (!a->adopted || is_crowd(a)) continue;
        if (was) add_place(changes, a, &row->old, row->sequence, at_s);
        if (is) add_place(changes, a, &row->fresh, row->sequence, at_s);
    }
}

void om_changes_tell_units(struct om_changes *changes, const char *layer,
                           const struct om_row_told *row, size_t count,
                           size_t units, int64_t at_s)
{
    pthread_rwlock_rdlock(&changes->lock);
    struct om__changes_layer *here = om__changes_layer(changes, layer);
    for (size_t i = 0; here && here->unit && i < count; i++)
        for (size_t u = 0; u < units; u++) {
            const uint64_t was = row[i].was[u], is = row[i].now[u];
            if (was)
                tell_unit(changes, here, was, &row[i], true, was == is, at_s);
            if (is && is != was)
                tell_unit(changes, here, is, &row[i], false, true, at_s);
        }
    pthread_rwlock_unlock(&changes->lock);
}

static void renew(struct om__audience *a, bool crowds, uint64_t sequence,
                  int64_t at_s)
{
    for (; a; a = a->next_here)
        if (a->adopted && (crowds || !is_crowd(a)))
            om__change_tree_renew(&a->tree, sequence, at_s);
}

static void renew_areas(struct om__changes_layer *layer, bool crowds,
                        uint64_t sequence, int64_t at_s)
{
    for (size_t i = 0; layer->unit && i < OM__UNIT_HEADS; i++)
        renew(layer->unit[i], crowds, sequence, at_s);
}

void om_changes_tell_areas(struct om_changes *changes, const char *layer,
                           uint64_t sequence, int64_t at_s)
{
    pthread_rwlock_rdlock(&changes->lock);
    struct om__changes_layer *here = om__changes_layer(changes, layer);
    if (here) renew_areas(here, false, sequence, at_s);
    pthread_rwlock_unlock(&changes->lock);
}

void om__audiences_renew(struct om_changes *changes,
                         struct om__changes_layer *layer, bool crowds,
                         uint64_t sequence, int64_t at_s)
{
    pthread_rwlock_rdlock(&changes->lock);
    renew(layer->everywhere, crowds, sequence, at_s);
    renew_areas(layer, crowds, sequence, at_s);
    pthread_rwlock_unlock(&changes->lock);
}
