// parse.c - a polygon that a user gave as text becomes rings on the grid.
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "engine/shape/shape.h"
#include "engine/shape/text.h"

om_status om__reading_add(struct om__reading *reading, size_t at,
                          double lon_deg, double lat_deg)
{
    struct om__ringset *set = &reading->set;
    struct om__xy v;
    if (set->vertices >= OM_LIMIT_QUERY_VERTICES)
        return om_fail(reading->err, OM_E_COST, at,
                       "the polygon has more than %d vertices",
                       OM_LIMIT_QUERY_VERTICES);
    if (om_pos_world(lon_deg, lat_deg, &v.x, &v.y))
        return om_fail(reading->err, OM_E_COORD, at,
                       "%.9g %.9g is no longitude and latitude on the map",
                       lon_deg, lat_deg);
    if (set->vertices == reading->ring_start) {
        reading->first_lon = lon_deg;
        reading->first_lat = lat_deg;
    }
    reading->last_lon = lon_deg;
    reading->last_lat = lat_deg;
    return om__ringset_add(set, v);
}

om_status om__reading_end_ring(struct om__reading *reading, size_t at)
{
    const size_t n = reading->set.vertices - reading->ring_start;
    if (n < 4)
        return om_fail(reading->err, OM_E_FORMAT, at,
                       "a ring needs at least four positions");
    if (reading->first_lon != reading->last_lon ||
        reading->first_lat != reading->last_lat)
        return om_fail(reading->err, OM_E_FORMAT, at,
                       "a ring must end where it begins");
    reading->ring_start = reading->set.vertices;
    return om__ringset_end_ring(&reading->set);
}

/* Starts from ends, with a 0 before them. */
static uint32_t *starts_of(struct om_arena *arena, const uint32_t *end,
                           size_t n)
{
    uint32_t *start = om_arena_alloc(arena, (n + 1) * sizeof *start);
    if (!start) return NULL;
    start[0] = 0;
    if (n) memcpy(start + 1, end, n * sizeof *start);
    return start;
}

static om_status settle(const struct om__ringset *set, struct om_arena *arena,
                        struct om_rings *out, struct om_err *err)
{
    struct om_arena scratch = {0};
    struct om_shape_note note;
    om_status st = OM_E_MEMORY;
    double *x = om_arena_alloc(&scratch, set->vertices * sizeof *x);
    double *y = om_arena_alloc(&scratch, set->vertices * sizeof *y);
    const struct om_shapes shapes = {
        .count = 1,
        .shape_part = starts_of(&scratch, set->shape_end, 1),
        .part_ring = starts_of(&scratch, set->part_end, set->parts),
        .ring_vertex = starts_of(&scratch, set->ring_end, set->rings),
        .x = x,
        .y = y,
    };
    if (!x || !y || !shapes.shape_part || !shapes.part_ring ||
        !shapes.ring_vertex)
        goto done;
    for (size_t i = 0; i < set->vertices; i++) {
        x[i] = set->vertex[i].x;
        y[i] = set->vertex[i].y;
    }
    st = om_shapes_settle(&shapes, OM_GEOMETRY_POLYGON, false, arena, out,
                          &note);
    if (!st && note.fate == OM_SHAPE_REFUSED)
        st = om_fail(err, note.costly ? OM_E_COST : OM_E_GEOMETRY, 0,
                     "the polygon cannot be used: %s", note.text);
done:
    om_arena_deinit(&scratch);
    return st;
}

om_status om_rings_parse(const char *text, size_t len, struct om_arena *arena,
                         struct om_rings *out, struct om_err *err)
{
    struct om__reading reading = {.err = err};
    size_t start = 0;
    *out = (struct om_rings){0};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) start = 3;
    size_t look = start;
    while (look < len && strchr(" \t\r\n", text[look]) && text[look]) look++;
    const bool json = look < len && text[look] == '{';
    om_status st = json ? om__geojson_read(&reading, text + start, len - start)
                        : om__wkt_read(&reading, text + start, len - start);
    if (st) goto done;
    if (reading.set.parts == 0) {
        st = om_fail(err, OM_E_GEOMETRY, 0, "the polygon is empty");
        goto done;
    }
    st = om__ringset_end_shape(&reading.set);
    if (st) goto done;
    st = settle(&reading.set, arena, out, err);
done:
    if (st == OM_E_MEMORY) (void)om_fail(err, st, 0, "%s", om_status_text(st));
    if (st) *out = (struct om_rings){0};
    om__ringset_deinit(&reading.set);
    return st;
}
