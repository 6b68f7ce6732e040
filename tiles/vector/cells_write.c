// cells_write.c - cells as features of a tile.
#include <math.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

/* Decimals of degrees in boxes: at most a hundredth of a metre, and no more
 * than tell a 64th of a cell's side. */
#define DECIMALS 7
#define SIDE_PARTS 64

struct writer {
    const struct om__cells *cells;
    const struct om_vector_spec *spec;
    const struct om__place *place;
    uint64_t alone, whole_rows;
    unsigned whole_zoom;
    int64_t degree_parts;  // a power of 10
    struct om_mvt *mvt;
    uint32_t count, bbox, expansion;  // keys
    uint32_t *word, *sum;
    // Rows of the tiles of deeper zooms, of each zoom behind those of the one
    // before: 4, 16, ...
    uint64_t deeper[(4 * OM__CELLS - 4) / 3 + 1];
};

static uint32_t add_key(struct om_mvt *mvt, const char *before,
                        size_t before_len, const char *after, size_t after_len,
                        struct om_buf *room)
{
    om_buf_clear(room);
    om_buf_add(room, before, before_len);
    om_buf_add(room, ":", 1);
    om_buf_add(room, after, after_len);
    return room->status ? 0
                        : om_mvt_key(mvt, (const char *)room->bytes, room->len);
}

/* Does a cell that is written have the word? Others are not named: a tile does
 * not depend on words that rows elsewhere have, or had. */
static bool is_used(const struct writer *w, size_t word)
{
    const struct om__cells *c = w->cells;
    for (size_t i = 0; i < c->count; i++)
        if (c->cell[i].count > w->alone && c->cell[i].word[word]) return true;
    return false;
}

static om_status add_keys(struct writer *w)
{
    const struct om_field *field = w->spec->layer->schema.field;
    const struct om__cells *c = w->cells;
    struct om_buf room = {0};
    w->count = om_mvt_key(w->mvt, "count", 5);
    for (size_t i = 0; w->word && i <= c->words.count; i++) {
        const char *by = field[w->spec->by].name;
        const bool null = i == c->words.count;
        if (!is_used(w, i)) continue;
        w->word[i] =
            add_key(w->mvt, by, strlen(by), null ? "" : c->words.text[i],
                    null ? 0 : c->words.len[i], &room);
    }
    for (size_t i = 0; i < c->sums; i++) {
        const char *name = field[c->sum_column[i]].name;
        w->sum[i] = add_key(w->mvt, "sum", 3, name, strlen(name), &room);
    }
    w->bbox = om_mvt_key(w->mvt, "bbox", 4);
    w->expansion = om_mvt_key(w->mvt, "expansion_zoom", 14);
    const om_status st = room.status;
    om_buf_deinit(&room);
    return st;
}

static size_t deeper_at(unsigned zooms)
{
    return ((size_t)1 << 2 * zooms) / 3 - 1;  // 0, 4, 20, ... for 1, 2, 3
}

static void count_deeper(struct writer *w)
{
    const struct om__cells *c = w->cells;
    for (unsigned k = 1; k <= c->zooms; k++)
        for (size_t i = 0; i < c->count; i++)
            w->deeper[deeper_at(k) + (i >> 2 * (c->zooms - k))] +=
                c->cell[i].count;
}

/* The first zoom at which rows of the cell are features of their own, or in
 * different cells; beyond OM__ZOOM_MAX: none. */
static unsigned expansion_of(const struct writer *w, size_t i)
{
    const struct om__cells *c = w->cells;
    const struct om__cell *cell = &c->cell[i];
    const unsigned next = w->place->z + 1;
    unsigned zoom = OM__ZOOM_MAX + 1;
    if (cell->first != cell->last) {
        // They share cells down to this level.
        const unsigned same =
            (unsigned)__builtin_clzll(cell->first ^ cell->last) / 2;
        const unsigned apart = same + 1 > OM_VECTOR_CELL_ZOOMS
                                   ? same + 1 - OM_VECTOR_CELL_ZOOMS
                                   : 0;
        zoom = apart > next ? apart : next;
    }
    for (unsigned k = 1; k <= c->zooms && w->whole_rows; k++)
        if (w->deeper[deeper_at(k) + (i >> 2 * (c->zooms - k))] <=
            w->whole_rows) {
            if (w->place->z + k < zoom) zoom = w->place->z + k;
            break;
        }
    const unsigned whole = w->whole_zoom > next ? w->whole_zoom : next;
    return whole < zoom ? whole : zoom;
}

/* Degrees in decimals, rounded down or up. */
static char *put_degrees(char *at, double degrees, int64_t degree_parts,
                         bool up)
{
    const double scaled = degrees * (double)degree_parts;
    int64_t parts = (int64_t)(up ? ceil(scaled) : floor(scaled));
    if (parts < 0) {
        *at++ = '-';
        parts = -parts;
    }
    char digit[24];
    size_t n = 0;
    int64_t whole = parts / degree_parts, rest = parts % degree_parts;
    do digit[n++] = (char)('0' + whole % 10);
    while (whole /= 10);
    while (n) *at++ = digit[--n];
    *at++ = '.';
    for (int64_t unit = degree_parts / 10; unit; unit /= 10)
        *at++ = (char)('0' + rest / unit % 10);
    return at;
}

static int64_t degree_parts_of(unsigned level)
{
    const double least = ldexp(1.0, (int)level) * SIDE_PARTS / 360.0;
    int64_t parts = 10;
    for (int i = 1; i < DECIMALS && (double)parts < least; i++) parts *= 10;
    return parts;
}

static uint32_t bbox_value(struct writer *w, struct om_box box)
{
    double west, north, east, south;
    char text[96], *at = text;
    om_world_to_lonlat(box.x0, box.y0, &west, &north);
    om_world_to_lonlat((double)box.x1 + 1.0, (double)box.y1 + 1.0, &east,
                       &south);
    at = put_degrees(at, west, w->degree_parts, false);
    *at++ = ',';
    at = put_degrees(at, south, w->degree_parts, false);
    *at++ = ',';
    at = put_degrees(at, east, w->degree_parts, true);
    *at++ = ',';
    at = put_degrees(at, north, w->degree_parts, true);
    return om_mvt_text_once(w->mvt, text, (size_t)(at - text));
}

static int32_t in_tile(uint64_t sum, uint64_t count, unsigned z, int64_t edge)
{
    return (int32_t)(om__unit_of((uint32_t)(sum / count), z) - edge);
}

/* Beyond 64 bits the nearest double. */
static uint32_t sum_value(struct om_mvt *mvt, om_wide sum)
{
    return sum < INT64_MIN || sum > INT64_MAX
               ? om_mvt_real(mvt, (double)sum)
               : om_mvt_integer(mvt, (int64_t)sum);
}

static void write_cell(struct writer *w, size_t i)
{
    const struct om__cells *c = w->cells;
    const struct om__cell *cell = &c->cell[i];
    const struct om__place *place = w->place;
    om_mvt_tag(w->mvt, w->count, om_mvt_integer(w->mvt, (int64_t)cell->count));
    for (size_t k = 0; w->word && k <= c->words.count; k++)
        if (cell->word[k])
            om_mvt_tag(w->mvt, w->word[k],
                       om_mvt_integer(w->mvt, (int64_t)cell->word[k]));
    for (size_t k = 0; k < c->sums; k++)
        om_mvt_tag(w->mvt, w->sum[k], sum_value(w->mvt, cell->sum[k]));
    const unsigned expansion = expansion_of(w, i);
    if (!w->spec->crowd) om_mvt_tag(w->mvt, w->bbox, bbox_value(w, cell->box));
    if (!w->spec->crowd && expansion <= OM__ZOOM_MAX)
        om_mvt_tag(w->mvt, w->expansion,
                   om_mvt_integer(w->mvt, (int64_t)expansion));
    om_mvt_point(w->mvt,
                 (struct om_mvt_xy){
                     in_tile(cell->x, cell->placed, place->z, place->west),
                     in_tile(cell->y, cell->placed, place->z, place->north)});
    // The cell's code, unless it is no whole number of a double any more.
    const unsigned level = place->z + c->zooms;
    om_mvt_feature(w->mvt, OM_MVT_POINT,
                   level > 26
                       ? OM_MVT_NO_ID
                       : (place->z ? place->code >> (64 - 2 * level) : 0) + i);
}

om_status om__cells_write(const struct om__cells *cells,
                          const struct om_vector_spec *spec,
                          const struct om__place *place, uint64_t alone,
                          uint64_t whole_rows, unsigned whole_zoom,
                          struct om_arena *arena, struct om_mvt *mvt)
{
    struct writer *w = om_arena_calloc(arena, 1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    *w = (struct writer){
        .cells = cells,
        .spec = spec,
        .place = place,
        .alone = alone,
        .whole_rows = whole_rows,
        .whole_zoom = whole_zoom,
        .degree_parts = degree_parts_of(place->z + cells->zooms),
        .mvt = mvt};
    w->sum = om_arena_alloc(arena, (cells->sums + 1) * sizeof *w->sum);
    if (!w->sum) return OM_E_MEMORY;
    if (spec->by != OM_NO_FIELD) {
        w->word =
            om_arena_alloc(arena, (cells->words.count + 1) * sizeof *w->word);
        if (!w->word) return OM_E_MEMORY;
    }
    OM_TRY(add_keys(w));
    count_deeper(w);
    for (size_t i = 0; i < cells->count; i++)
        if (cells->cell[i].count > alone) write_cell(w, i);
    return OM_OK;
}
