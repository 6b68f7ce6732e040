/* shapes.c - tiles of lines and polygons.
 *
 * DESIGN
 * Polygons of layers of modest size come ready from the zoom's level
 * (level.c), or where rows were written are made like it (mend.c), lines from
 * the borders' ranks (border.c), all others vertex by vertex from the segment.
 * Most buildings lie inside the frame and are four places that need nothing
 * but rounding. What the zoom does not draw is counted in cells, as is what
 * rounding leaves without area or length. Features come in the order of a layer
 * that was built anew: along the curve, those of one place by id.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/query/shapes.h"
#include "tiles/vector/vector_internal.h"

struct work {
    struct om__making *m;
    bool polygons;
    const struct om__drawing *drawing;  // of what lives
    const struct om__few *few;      // of the lasting part; NULL: look at all
    const struct om__level *level;  // of polygons, or NULL
    struct om__ranks ranks;
    bool ranked;                   // there are ranks
    struct om__frame frame;        // in units of the zoom
    unsigned least;                // class of sizes drawn
    struct om_buf found;           // struct om_row_at
    struct om_buf drawn;           // struct om_row_at: of the tile itself
    struct om_buf line, end;       // a line being thinned
    struct om_arena arena;         // of one shape
    const struct om_rings *rings;  // [parts]
    const size_t *lasting;         // [parts] om__lasting
    unsigned all_zoom;             // om__all_zoom
};

/* ---- which rows ---- */

static om_status see(void *ctx, const struct om_shape_hit *hit)
{
    struct work *w = ctx;
    if (om__size_class(hit->rings->box[hit->row]) < w->least) return OM_OK;
    const struct om_row_at found = {(uint32_t)hit->part, (uint32_t)hit->row};
    return om_buf_add(&w->found, &found, sizeof found);
}

/* The few of a part, the dead among them. */
struct few_of {
    struct work *w;
    size_t part;
};

static bool see_few(void *ctx, uint32_t i)
{
    const struct few_of *f = ctx;
    struct work *w = f->w;
    const struct om_shape_hit hit = {f->part, w->few->row[i],
                                     &w->rings[f->part]};
    if (!om_selection_has(w->m->spec->selection, f->part, hit.row)) return true;
    return !see(w, &hit);
}

static om_status find_rows(struct work *w)
{
    const struct om_vector_spec *spec = w->m->spec;
    const struct om_box box = om__place_reach(&w->m->place);
    for (size_t p = 0; p < spec->layer->parts; p++) {
        struct few_of of = {w, p};
        if (w->few && w->lasting[p] != OM__PASSING)
            om_tree_search(w->few->tree, box, see_few, &of);
        else
            OM_TRY(om_shapes_each_of(spec->layer, p, spec->selection, box, see,
                                     w));
    }
    return w->found.status;
}

static om_status sort_rows(struct work *w)
{
    return om_curve_order(w->m->spec->layer,
                          (struct om_row_at *)(void *)w->found.bytes,
                          w->found.len / sizeof(struct om_row_at));
}

/* ---- the geometry of a row ---- */

/* Rings of a shape: ends of each from the shape's first vertex. */
static om_status ends_of(struct work *w, const struct om_rings *r, size_t row,
                         size_t *first)
{
    const size_t from = r->part_ring[r->shape_part[row]];
    const size_t to = r->part_ring[r->shape_part[row + 1]];
    om_buf_clear(&w->end);
    *first = r->ring_vertex[from];
    for (size_t i = from; i < to; i++) {
        const uint32_t end = (uint32_t)(r->ring_vertex[i + 1] - *first);
        om_buf_add(&w->end, &end, sizeof end);
    }
    return w->end.status;
}

static om_status read_level(struct work *w, struct om_row_at row,
                            struct om__rings *out)
{
    const struct om__level *level = w->level;
    const uint32_t *ring = level->shape_ring[w->lasting[row.part]];
    const size_t from = ring[row.row], to = ring[row.row + 1];
    const size_t first = from ? level->ring_end[from - 1] : 0;
    *out = (struct om__rings){0};
    if (from == to) return OM_OK;
    const size_t n = level->ring_end[to - 1] - first;
    *out = (struct om__rings){
        .at = om_arena_alloc(&w->arena, n * sizeof *out->at),
        .end = om_arena_alloc(&w->arena, (to - from) * sizeof *out->end),
        .rings = to - from,
        .places = n};
    if (!out->at || !out->end) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        out->at[i].x = level->place[first + i].x;
        out->at[i].y = level->place[first + i].y;
    }
    for (size_t i = from; i < to; i++)
        out->end[i - from] = (uint32_t)(level->ring_end[i] - first);
    return OM_OK;
}

/* Nodes of the vertices of a part, or NULL. */
static const uint32_t *nodes_of(const struct work *w, size_t part)
{
    return w->ranked && w->lasting[part] != OM__PASSING
               ? om__borders_of(w->ranks.lasting, w->lasting[part])
               : NULL;
}

static om_status read_polygon(struct work *w, struct om_row_at row,
                              struct om__rings *out)
{
    const struct om_rings *r = &w->rings[row.part];
    const unsigned z = w->m->place.z;
    size_t first;
    if (w->level && w->lasting[row.part] != OM__PASSING &&
        !om__mend_touches(&w->ranks, r, row.row, z))
        return read_level(w, row, out);
    if (w->level)
        return om__mend_polygon(&w->ranks, r, nodes_of(w, row.part), row.row, z,
                                &w->arena, out);
    OM_TRY(ends_of(w, r, row.row, &first));
    return om__polygon_snap(r->vertex + first, (const void *)w->end.bytes,
                            w->end.len / sizeof(uint32_t), z, NULL, &w->arena,
                            out);
}

/* A line keeps the vertices of the zoom, and no place twice in a row. */
static om_status thin_line(struct work *w, const struct om_rings *r,
                           const uint32_t *node, size_t ring)
{
    const size_t before = w->line.len / sizeof(struct om__xy);
    const unsigned z = w->m->place.z;
    size_t n = before;
    for (size_t v = r->ring_vertex[ring]; v < r->ring_vertex[ring + 1]; v++) {
        uint8_t zoom = 0;
        if (w->ranked)
            OM_TRY(om__rank(&w->ranks, node ? &node[v] : NULL, r->vertex[v],
                            &zoom));
        if (zoom > z) continue;
        const struct om__xy at = {om__corner_of(r->vertex[v].x, z),
                                  om__corner_of(r->vertex[v].y, z)};
        const struct om__xy *all = (const void *)w->line.bytes;
        if (n > before && all[n - 1].x == at.x && all[n - 1].y == at.y)
            continue;
        OM_TRY(om_buf_add(&w->line, &at, sizeof at));
        n++;
    }
    if (n < before + 2) n = before;
    w->line.len = n * sizeof(struct om__xy);
    const uint32_t end = (uint32_t)n;
    return n > before ? om_buf_add(&w->end, &end, sizeof end) : OM_OK;
}

static om_status read_line(struct work *w, struct om_row_at row,
                           struct om__rings *out)
{
    const struct om_rings *r = &w->rings[row.part];
    const uint32_t *node = nodes_of(w, row.part);
    om_buf_clear(&w->line);
    om_buf_clear(&w->end);
    for (size_t ring = r->part_ring[r->shape_part[row.row]];
         ring < r->part_ring[r->shape_part[row.row + 1]]; ring++)
        OM_TRY(thin_line(w, r, node, ring));
    *out = (struct om__rings){.at = (struct om__xy *)(void *)w->line.bytes,
                              .end = (uint32_t *)(void *)w->end.bytes,
                              .rings = w->end.len / sizeof(uint32_t),
                              .places = w->line.len / sizeof(struct om__xy)};
    return w->line.status ? w->line.status : w->end.status;
}

/* ---- into the tile ---- */

static bool in_frame(const struct work *w, struct om_box box)
{
    const unsigned z = w->m->place.z;
    return om__corner_of(box.x0, z) >= w->frame.west &&
           om__corner_of(box.x1, z) <= w->frame.east &&
           om__corner_of(box.y0, z) >= w->frame.north &&
           om__corner_of(box.y1, z) <= w->frame.south;
}

static om_status write_rings(struct work *w, const struct om__rings *rings)
{
    struct om_mvt_xy few[64], *at = few;
    const struct om__place *place = &w->m->place;
    if (rings->places > sizeof few / sizeof *few)
        at = om_arena_alloc(&w->arena, rings->places * sizeof *at);
    if (!at) return OM_E_MEMORY;
    for (size_t i = 0; i < rings->places; i++)
        at[i] = (struct om_mvt_xy){(int32_t)(rings->at[i].x - place->west),
                                   (int32_t)(rings->at[i].y - place->north)};
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        (w->polygons ? om_mvt_ring : om_mvt_line)(&w->m->rows, at + from,
                                                  rings->end[r] - from);
    return OM_OK;
}

static bool at_home(const struct work *w, struct om_row_at row)
{
    const struct om__stretch *s = &w->m->stretch[row.part];
    return row.row >= s->from && row.row < s->to;
}

static om_status add_shape(struct work *w, struct om__rows *rows,
                           struct om_row_at row)
{
    struct om__rings shape, inside;
    om_arena_reset(&w->arena);
    OM_TRY((w->polygons ? read_polygon : read_line)(w, row, &shape));
    if (!shape.rings) return OM_OK;  // nothing is left of it: counted
    if (at_home(w, row)) {
        OM_TRY(om_buf_add(&w->drawn, &row, sizeof row));
        w->m->shown++;
    }
    if (in_frame(w, w->rings[row.part].box[row.row]))
        inside = shape;
    else
        OM_TRY((w->polygons ? om__polygon_clip : om__lines_clip)(
            &shape, &w->frame, &w->arena, &inside));
    if (!inside.rings) return OM_OK;
    OM_TRY(write_rings(w, &inside));
    OM_TRY(om__rows_touch(rows, row.part, row.row, (size_t)row.row + 1));
    return om__rows_feature(rows, w->polygons ? OM_MVT_POLYGON : OM_MVT_LINE,
                            row.part, row.row);
}

static om_status add_cells(struct work *w)
{
    struct om__making *m = w->m;
    struct om__cells cells;
    const size_t drawn = w->drawn.len / sizeof(struct om_row_at);
    if (drawn)
        qsort(w->drawn.bytes, drawn, sizeof(struct om_row_at),
              om_row_at_compare);
    OM_TRY(om__cells_gather(m->vectors, m->spec, &m->place, m->stretch,
                            OM_VECTOR_CELL_ZOOMS, (const void *)w->drawn.bytes,
                            drawn, m->arena, &cells));
    return om__cells_write(&cells, m->spec, &m->place, 0, 0, w->all_zoom,
                           m->arena, &m->cells);
}

/* Where many of the tile's own rows are drawn, all are looked at at once. */
static om_status touch_own(struct work *w, struct om__rows *rows)
{
    const struct om__making *m = w->m;
    const size_t found = w->found.len / sizeof(struct om_row_at);
    for (size_t p = 0; p < m->spec->layer->parts; p++) {
        const struct om__stretch s = m->stretch[p];
        if (s.to - s.from < 16 * found)
            OM_TRY(om__rows_touch(rows, p, s.from, s.to));
    }
    return OM_OK;
}

static om_status make(struct work *w)
{
    struct om__rows *rows = NULL;
    struct om__making *m = w->m;
    om__making_clear(m);
    om_buf_clear(&w->found);
    om_buf_clear(&w->drawn);
    OM_TRY(om__rows_new(m->spec, w->drawing->lean[m->place.z], &m->rows,
                        m->arena, &rows));
    om_status st = find_rows(w);
    if (!st) st = sort_rows(w);
    if (!st) st = touch_own(w, rows);
    const struct om_row_at *found = (const void *)w->found.bytes;
    for (size_t i = 0; i < w->found.len / sizeof *found && !st; i++)
        st = add_shape(w, rows, found[i]);
    om__rows_free(rows);
    if (!st && m->shown < m->total) st = add_cells(w);
    return st;
}

/* The zoom's sizes, and if the tile is too large for its limit all the same,
 * sizes of its own. */
static om_status make_fitting(struct work *w)
{
    w->least = w->drawing->least[w->m->place.z];
    for (;;) {
        OM_TRY(make(w));
        if (om__making_fits(w->m) || w->least >= OM__SIZE_CLASSES) return OM_OK;
        w->least += 2;
    }
}

static om_status read_rings(struct work *w)
{
    const struct om_layer *layer = w->m->spec->layer;
    struct om_rings *rings =
        om_arena_calloc(w->m->arena, layer->parts + 1, sizeof *rings);
    size_t *lasting =
        om_arena_calloc(w->m->arena, layer->parts + 1, sizeof *lasting);
    if (!rings || !lasting) return OM_E_MEMORY;
    w->rings = rings;
    w->lasting = lasting;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        // All have been looked at when the zoom's sizes were found.
        OM_TRY(om_segment_rings(s, 0, 0, &rings[p]));
        lasting[p] = om__lasting(layer, p);
    }
    w->all_zoom = om__all_zoom(w->drawing);
    return OM_OK;
}

/* Those that the lasting part's own sizes list are enough while what lives has
 * larger ones. */
static void choose_few(struct work *w, const struct om__drawing *lasting)
{
    const unsigned z = w->m->place.z;
    if (lasting->few[z].tree && lasting->least[z] <= w->drawing->least[z])
        w->few = &lasting->few[z];
}

om_status om__shapes_make(struct om__making *m)
{
    const struct om_layer *layer = m->spec->layer;
    const struct om__place *place = &m->place;
    struct om__kept drawing = {0}, lasting = {0}, level = {0};
    struct work w = {
        .m = m,
        .polygons = layer->schema.geometry == OM_GEOMETRY_POLYGON,
        .frame = {place->west - OM_VECTOR_BUFFER,
                  place->north - OM_VECTOR_BUFFER,
                  place->west + OM_MVT_EXTENT + OM_VECTOR_BUFFER,
                  place->north + OM_MVT_EXTENT + OM_VECTOR_BUFFER}};
    om_status st = om__drawing_get(m->vectors, m->spec, true, &drawing);
    if (!st) st = om__drawing_get(m->vectors, m->spec, false, &lasting);
    w.drawing = drawing.value;
    if (!st) choose_few(&w, lasting.value);
    if (!st) st = read_rings(&w);
    if (!st && place->z < OM__ZOOM_EXACT &&
        om__borders_wanted(m->vectors, layer)) {
        st = om__ranks_open(&w.ranks, m->vectors, layer, m->arena);
        w.ranked = !st;
        if (!st && w.polygons)
            st = om__level_get(m->vectors, layer, place->z, &level);
    }
    w.level = level.value;
    if (!st) st = make_fitting(&w);
    om__keep_release(m->vectors, &drawing);
    om__keep_release(m->vectors, &lasting);
    om__keep_release(m->vectors, &level);
    om__ranks_close(&w.ranks);
    om_arena_deinit(&w.arena);
    om_buf_deinit(&w.found);
    om_buf_deinit(&w.drawn);
    om_buf_deinit(&w.line);
    om_buf_deinit(&w.end);
    return st;
}
