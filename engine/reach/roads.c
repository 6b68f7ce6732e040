// roads.c - a layer of lines into a network: reads, and puts it together.
#include "engine/reach/roads.h"

#include <math.h>

#include "data/base/alloc.h"
#include "engine/reach/roads_internal.h"

#define JOIN_MAX_M 10.0
/* Squares of 2^13 cells: some 70 m in our latitudes, a few edges each. */
#define SQUARE_SHIFT 13

static om_status lines_room(struct om__lines *lines, size_t more)
{
    if (lines->count + more <= lines->room) return OM_OK;
    const size_t room = (lines->count + more) * 3 / 2 + 256;
    void *stretch = om_realloc(lines->stretch, room * sizeof *lines->stretch);
    if (!stretch) return OM_E_MEMORY;
    lines->stretch = stretch;
    void *mark = om_realloc(lines->mark, room);
    if (!mark) return OM_E_MEMORY;
    lines->mark = mark;
    lines->room = room;
    return OM_OK;
}

/* One line: stretches between vertices that differ. */
static om_status add_line(struct om__lines *lines, const struct om_pos *vertex,
                          size_t n, uint8_t apart)
{
    OM_TRY(lines_room(lines, n));
    const size_t begun = lines->count;
    for (size_t i = 0; i + 1 < n; i++) {
        const struct om_pos a = vertex[i], b = vertex[i + 1];
        if (a.x == b.x && a.y == b.y) continue;
        lines->mark[lines->count] = apart;
        lines->stretch[lines->count++] = (struct om__stretch){a, b};
    }
    if (lines->count == begun) return OM_OK;
    lines->mark[begun] |= OM__A_ENDS;
    lines->mark[lines->count - 1] |= OM__B_ENDS;
    lines->lines++;
    return OM_OK;
}

om_status om__lines_read(const struct om_layer *layer,
                         const struct om_road_rules *rules,
                         struct om__lines *out)
{
    for (size_t p = 0; p < layer->parts; p++) {
        struct om_rings rings;
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        OM_TRY(om_segment_rings(segment, 0, rows, &rings));
        for (size_t row = 0; row < rows; row++) {
            if (!om_selection_has(rules->usable, p, row)) continue;
            const uint8_t apart =
                rules->apart && om_selection_has(rules->apart, p, row)
                    ? OM__APART
                    : 0;
            const uint32_t first = rings.part_ring[rings.shape_part[row]];
            const uint32_t end = rings.part_ring[rings.shape_part[row + 1]];
            for (uint32_t r = first; r < end; r++) {
                const uint32_t v = rings.ring_vertex[r];
                OM_TRY(add_line(out, rings.vertex + v,
                                rings.ring_vertex[r + 1] - v, apart));
            }
        }
    }
    return out->count >= UINT32_MAX ? OM_E_LIMIT : OM_OK;
}

void om__lines_deinit(struct om__lines *lines)
{
    om_free(lines->stretch);
    om_free(lines->mark);
    *lines = (struct om__lines){0};
}

static om_status check(const struct om_layer *layer,
                       const struct om_road_rules *rules)
{
    if (layer->schema.geometry != OM_GEOMETRY_LINE) return OM_E_TYPE;
    if (rules->water && rules->water->schema.geometry != OM_GEOMETRY_POLYGON)
        return OM_E_TYPE;
    if (!(rules->join_m >= 0 && rules->join_m <= JOIN_MAX_M)) return OM_E_RANGE;
    if (!(rules->least_m >= 0 && isfinite(rules->least_m))) return OM_E_RANGE;
    return OM_OK;
}

om_status om_roads_new(const struct om_layer *layer,
                       const struct om_road_rules *rules, struct om_roads **out)
{
    OM_TRY(check(layer, rules));
    struct om__lines lines = {0};
    struct om__noded noded = {0};
    struct om_roads *roads = om_calloc(1, sizeof *roads);
    if (!roads) return OM_E_MEMORY;
    om_status st = om__lines_read(layer, rules, &lines);
    if (!st) st = om__lines_node(&lines, rules, &noded);
    if (!st) st = om__graph_make(&noded, rules->least_m, roads);
    if (!st)
        st = om__buckets_make(roads->line, roads->edges, SQUARE_SHIFT,
                              &roads->net);
    if (!st && rules->water)
        st = om__shores_read(rules->water, rules->wet, roads);
    roads->figures.lines = lines.lines;
    roads->figures.crossings = noded.crossings;
    roads->figures.joined = noded.joined;
    om__lines_deinit(&lines);
    om__noded_deinit(&noded);
    if (st) {
        om_roads_free(roads);
        return st;
    }
    *out = roads;
    return OM_OK;
}

void om_roads_free(struct om_roads *roads)
{
    if (!roads) return;
    om_free(roads->node);
    om_free(roads->line);
    om_free(roads->edge);
    om_free(roads->arc_start);
    om_free(roads->arc);
    om__buckets_deinit(&roads->net);
    om_free(roads->shore);
    om_free(roads->shore_of);
    om_free(roads->shore_end);
    om__buckets_deinit(&roads->bank);
    om_free(roads);
}

struct om_road_figures om_roads_figures(const struct om_roads *roads)
{
    return roads->figures;
}

struct om_edge om_roads_edge(const struct om_roads *roads, uint32_t edge)
{
    return roads->edge[edge];
}

struct om_pos om_roads_node(const struct om_roads *roads, uint32_t node)
{
    return roads->node[node];
}

size_t om_roads_arcs(const struct om_roads *roads, uint32_t node,
                     uint32_t *first)
{
    *first = roads->arc_start[node];
    return roads->arc_start[node + 1] - *first;
}

uint32_t om_roads_arc_edge(const struct om_roads *roads, uint32_t arc)
{
    return roads->arc[arc].edge;
}
