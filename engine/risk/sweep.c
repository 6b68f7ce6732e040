/* sweep.c - a risk over the whole city, tile by tile.
 *
 * DESIGN
 * Statistics of a surface (its largest value, the rank of a place, how much of
 * it is red) need places to be counted at. We take the pixels of one zoom of
 * the web mercator scheme: they are the places that pictures show, they do not
 * depend on who asks or on the extent of the data, and evaluating them is what
 * the engine does best. Each pixel counts by its ground area. Tiles that no
 * row reaches are left out: nothing is there.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/field/field_internal.h"
#include "engine/risk/risk.h"
#include "engine/shape/shape.h"

#define SIDE_LOG 8
#define SIDE (1u << SIDE_LOG)
#define PIXELS ((size_t)SIDE * SIDE)
#define ZOOM_MAX 22
/* Evaluation places of a kernel's radius, where nobody says otherwise. */
#define PLACES_PER_BANDWIDTH 8.0
#define M2_PER_KM2 1e6

/* ---- which tiles ------------------------------------------------------- */

/* Morton codes of tiles. */
struct tiles {
    uint64_t *code;
    size_t count, room;
};

static om_status add_tile(struct tiles *t, uint64_t code)
{
    if (t->count == t->room) {
        const size_t room = t->room ? 2 * t->room : 64;
        uint64_t *grown = om_realloc(t->code, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        t->code = grown;
        t->room = room;
    }
    t->code[t->count++] = code;
    return OM_OK;
}

static int by_code(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_tiles(struct tiles *t)
{
    size_t kept = 0;
    if (t->count) qsort(t->code, t->count, sizeof *t->code, by_code);
    for (size_t i = 0; i < t->count; i++)
        if (!kept || t->code[kept - 1] != t->code[i])
            t->code[kept++] = t->code[i];
    t->count = kept;
}

/* The tiles that hold selected rows of a part: each is one range of rows, and
 * the next begins where it ends. */
static om_status add_part(const struct om_field_spec *spec, size_t part,
                          unsigned zoom, struct tiles *out)
{
    const struct om_segment *segment = spec->layer->part[part].segment;
    const size_t rows = om_segment_rows(segment);
    const unsigned shift = 64 - 2 * zoom;
    const size_t before = out->count;
    for (size_t row = 0; row < rows;) {
        const uint64_t *key;
        OM_TRY(om_segment_keys(segment, row, row + 1, &key));
        // A shift by 64 is not one: all is in the only tile of zoom 0.
        const uint64_t code = zoom ? key[row] >> shift : 0;
        const uint64_t end = zoom ? (code + 1) << shift : 0;
        size_t from, to;
        OM_TRY(om_segment_range(segment, zoom ? code << shift : 0, end, &from,
                                &to));
        if (spec->selection->all ||
            om_selection_count(spec->selection, part, from, to) > 0)
            OM_TRY(add_tile(out, code));
        if (out->count - before > OM_RISK_TILES_MOST) return OM_E_COST;
        row = to > row ? to : row + 1;
    }
    return OM_OK;
}

static om_status add_occupied(const struct om_risk_part *part, size_t n,
                              unsigned zoom, struct tiles *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < part[i].spec.layer->parts; p++)
            OM_TRY(add_part(&part[i].spec, p, zoom, out));
    sort_tiles(out);
    return OM_OK;
}

/* Tiles around those that hold something, as far as a kernel reaches. */
static om_status add_reached(const struct tiles *from, unsigned zoom,
                             unsigned tiles_wide, struct tiles *out)
{
    const int64_t reach = tiles_wide, side = INT64_C(1) << zoom;
    for (size_t i = 0; i < from->count; i++) {
        const struct om_pos at = om_morton_pos(from->code[i]);
        for (int64_t dy = -reach; dy <= reach; dy++)
            for (int64_t dx = -reach; dx <= reach; dx++) {
                const int64_t x = (int64_t)at.x + dx, y = (int64_t)at.y + dy;
                if (x < 0 || y < 0 || x >= side || y >= side) continue;
                const struct om_pos tile = {(uint32_t)x, (uint32_t)y};
                OM_TRY(add_tile(out, om_morton(tile)));
            }
        if (out->count > 64 * OM_RISK_TILES_MOST) {
            sort_tiles(out);
            if (out->count > OM_RISK_TILES_MOST) return OM_E_COST;
        }
    }
    sort_tiles(out);
    return out->count > OM_RISK_TILES_MOST ? OM_E_COST : OM_OK;
}

static double each_bandwidth(const struct om_risk *risk,
                             double (*pick)(double, double))
{
    double h = risk->term[0].spec.bandwidth_m;
    for (size_t i = 1; i < risk->terms; i++)
        h = pick(h, risk->term[i].spec.bandwidth_m);
    for (size_t i = 0; i < risk->exposures; i++)
        h = pick(h, risk->exposure[i].spec.bandwidth_m);
    return h;
}

static double pixel_m(unsigned zoom, double y)
{
    return om__ground_m(y) * ldexp(1.0, 32 - SIDE_LOG - (int)zoom);
}

static om_status find_tiles(const struct om_risk *risk, unsigned zoom,
                            struct tiles *out)
{
    struct tiles occupied = {0};
    om_status st = add_occupied(risk->term, risk->terms, zoom, &occupied);
    if (!st)
        st = add_occupied(risk->exposure, risk->exposures, zoom, &occupied);
    if (!st && occupied.count) {
        // Ground metres shrink poleward: the narrowest pixel reaches furthest.
        double narrow = INFINITY;
        for (size_t i = 0; i < occupied.count; i++) {
            const double side = ldexp(1.0, 32 - (int)zoom);
            const double y = om_morton_pos(occupied.code[i]).y * side;
            narrow =
                fmin(narrow, fmin(pixel_m(zoom, y), pixel_m(zoom, y + side)));
        }
        const double reach = each_bandwidth(risk, fmax) / (narrow * SIDE);
        st = reach < OM_RISK_TILES_MOST
                 ? add_reached(&occupied, zoom, (unsigned)reach + 1, out)
                 : OM_E_COST;
    }
    om_free(occupied.code);
    return st;
}

unsigned om_risk_zoom(const struct om_risk *risk, double cell_m)
{
    const struct om_box box = om_layer_box(risk->term[0].spec.layer);
    const double middle =
        box.y0 <= box.y1 ? ((double)box.y0 + box.y1) / 2 : ldexp(1.0, 31);
    if (!(cell_m > 0.0))
        cell_m = each_bandwidth(risk, fmin) / PLACES_PER_BANDWIDTH;
    unsigned zoom = 0;
    while (zoom < ZOOM_MAX && pixel_m(zoom, middle) > cell_m) zoom++;
    return zoom;
}

/* ---- the sweep --------------------------------------------------------- */

/* One tile in work. */
struct slot {
    struct om_field_window window;
    float *value, *exposure;
};

struct sweep {
    struct om_fields *fields;
    const struct om_risk *risk;
    const struct om_partition *units;
    unsigned zoom;
    struct slot *slot;
    size_t slots, lanes;
    struct om_arena *lane;  // one a thread
    struct om_arena memory;
    uint64_t *place, *inside;  // [PIXELS / 64]
    uint64_t *key;             // [PIXELS], places in Morton order
    uint32_t *unit;            // [PIXELS]
    double km2[SIDE];
};

static om_status evaluate_slots(void *ctx, size_t first, size_t end,
                                size_t lane)
{
    struct sweep *s = ctx;
    for (size_t i = first; i < end; i++) {
        struct slot *slot = &s->slot[i];
        om_arena_reset(&s->lane[lane]);
        OM_TRY(om_risk_window(s->fields, s->risk, &slot->window, &s->lane[lane],
                              slot->value, slot->exposure));
    }
    return OM_OK;
}

static om_status mark_units(struct sweep *s, const struct om_field_window *w)
{
    const unsigned side_log = 32 - SIDE_LOG - s->zoom;
    for (size_t i = 0; i < PIXELS; i++) {
        const struct om_pos px = om_morton_pos(i);
        const uint32_t half = (UINT32_C(1) << side_log) / 2;
        s->key[i] = om_morton(
            (struct om_pos){((w->x << SIDE_LOG | px.x) << side_log) + half,
                            ((w->y << SIDE_LOG | px.y) << side_log) + half});
    }
    OM_TRY(om_partition_join(s->units, s->key, PIXELS, s->unit));
    for (size_t i = 0; i < PIXELS; i++) {
        const struct om_pos px = om_morton_pos(i);
        const size_t at = (size_t)px.y << SIDE_LOG | px.x;
        if (s->unit[i] != OM_NO_UNIT)
            s->inside[at / 64] |= UINT64_C(1) << (at % 64);
    }
    return OM_OK;
}

/* Which pixels are places, and how large. */
static om_status mark_places(struct sweep *s, const struct slot *slot)
{
    memset(s->inside, s->units ? 0 : 0xff, PIXELS / 8);
    if (s->units) OM_TRY(mark_units(s, &slot->window));
    memcpy(s->place, s->inside, PIXELS / 8);
    const bool zeros = s->units || s->risk->exposures;
    for (size_t i = 0; i < PIXELS; i++) {
        const float v = slot->value[i];
        if (isnan(v) || (!zeros && v == 0.0f))
            s->place[i / 64] &= ~(UINT64_C(1) << (i % 64));
    }
    const double side = ldexp(1.0, 32 - SIDE_LOG - (int)s->zoom);
    for (size_t row = 0; row < SIDE; row++) {
        const double y =
            ((double)slot->window.y * SIDE + (double)row + 0.5) * side;
        const double m = pixel_m(s->zoom, y);
        s->km2[row] = m * m / M2_PER_KM2;
    }
    return OM_OK;
}

static om_status hand_out(struct sweep *s, const struct slot *slot,
                          om_status (*take)(void *ctx,
                                            const struct om_risk_tile *tile),
                          void *ctx)
{
    OM_TRY(mark_places(s, slot));
    return take(ctx, &(struct om_risk_tile){.window = slot->window,
                                            .value = slot->value,
                                            .exposure = slot->exposure,
                                            .place = s->place,
                                            .inside = s->inside,
                                            .km2 = s->km2});
}

static om_status make_room(struct sweep *s)
{
    s->lanes = om_threads();
    s->slots = 2 * s->lanes;
    s->lane = om_calloc(s->lanes, sizeof *s->lane);
    s->slot = om_arena_calloc(&s->memory, s->slots, sizeof *s->slot);
    s->place = om_arena_calloc(&s->memory, PIXELS / 64, sizeof *s->place);
    s->inside = om_arena_calloc(&s->memory, PIXELS / 64, sizeof *s->inside);
    s->key = om_arena_calloc(&s->memory, PIXELS, sizeof *s->key);
    s->unit = om_arena_calloc(&s->memory, PIXELS, sizeof *s->unit);
    if (!s->lane || !s->slot || !s->place || !s->inside || !s->key || !s->unit)
        return OM_E_MEMORY;
    for (size_t i = 0; i < s->slots; i++) {
        struct slot *slot = &s->slot[i];
        slot->value = om_arena_calloc(&s->memory, PIXELS, sizeof(float));
        if (s->risk->exposures)
            slot->exposure = om_arena_calloc(&s->memory, PIXELS, sizeof(float));
        if (!slot->value || (s->risk->exposures && !slot->exposure))
            return OM_E_MEMORY;
    }
    return OM_OK;
}

static om_status sweep_tiles(struct sweep *s, const struct tiles *tiles,
                             om_status (*take)(void *ctx,
                                               const struct om_risk_tile *tile),
                             void *ctx)
{
    for (size_t at = 0; at < tiles->count; at += s->slots) {
        const size_t left = tiles->count - at;
        const size_t n = left < s->slots ? left : s->slots;
        for (size_t i = 0; i < n; i++) {
            const struct om_pos tile = om_morton_pos(tiles->code[at + i]);
            s->slot[i].window = (struct om_field_window){
                .z = s->zoom, .x = tile.x, .y = tile.y, .side_px = SIDE};
        }
        OM_TRY(om_parallel(n, 1, evaluate_slots, s));
        for (size_t i = 0; i < n; i++)
            OM_TRY(hand_out(s, &s->slot[i], take, ctx));
    }
    return OM_OK;
}

om_status om_risk_sweep(struct om_fields *fields, const struct om_risk *risk,
                        const struct om_partition *units, unsigned zoom,
                        om_status (*take)(void *ctx,
                                          const struct om_risk_tile *tile),
                        void *ctx)
{
    OM_TRY(om_risk_check(risk));
    if (zoom > ZOOM_MAX) return OM_E_RANGE;
    struct tiles tiles = {0};
    struct om_risk_totals totals;
    struct sweep s = {
        .fields = fields, .risk = risk, .units = units, .zoom = zoom};
    om_status st = find_tiles(risk, zoom, &tiles);
    // What is prepared for a field is prepared now, on all threads, and not by
    // the first window that needs it.
    if (!st) st = om_risk_totals(fields, risk, &totals);
    if (!st && tiles.count) st = make_room(&s);
    if (!st) st = sweep_tiles(&s, &tiles, take, ctx);
    for (size_t i = 0; s.lane && i < s.lanes; i++) om_arena_deinit(&s.lane[i]);
    om_free(s.lane);
    om_arena_deinit(&s.memory);
    om_free(tiles.code);
    return st;
}
