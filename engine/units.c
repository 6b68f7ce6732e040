/* units.c - the units of a level, read once for a statistic.
 *
 * DESIGN
 * A unit layer is replaced as a whole, so it is one part and its rings can be
 * borrowed as they lie in the segment. Units are listed by id because that is
 * how dictionaries and grouped counts are sorted: a table of counts and a list
 * of units then share one index. A position inside each unit decides in which
 * unit of another level it lies: the centroid may be outside of it.
 */
#include "engine/units.h"

#include "engine/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"

/* Lines across a unit that are tried for a position inside: the first nearly
 * always has one, thin and comb-like shapes need more. */
#define INSIDE_LINES 31

static om_status no_such_level(const struct om_snapshot *snapshot,
                               const char *level, struct om_err *err)
{
    struct om_buf known = {0};
    for (size_t i = 0; i < snapshot->manifest->levels; i++)
        if (om_snapshot_has_level(snapshot, snapshot->manifest->level[i]))
            om_buf_addf(&known, "%s%s", known.len ? ", " : "",
                        snapshot->manifest->level[i]);
    om_buf_add_byte(&known, 0);
    const om_status st =
        known.status
            ? known.status
            : om_fail(err, OM_E_NOTFOUND, 0,
                      "the city has no units of level '%.60s' (it has: %s)",
                      level,
                      known.len > 1 ? (const char *)known.bytes : "none");
    om_buf_deinit(&known);
    return st;
}

/* Twice the area and its moments, with signs: outer rings run one way and
 * holes the other. From a corner of the box, which keeps the digits. */
static void add_moments(const struct om_pos *vertex, size_t n,
                        struct om_pos from, double sum[3])
{
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        const double xi = (double)vertex[i].x - from.x;
        const double yi = (double)vertex[i].y - from.y;
        const double xj = (double)vertex[j].x - from.x;
        const double yj = (double)vertex[j].y - from.y;
        const double cross = xj * yi - xi * yj;
        sum[0] += cross;
        sum[1] += cross * (xi + xj);
        sum[2] += cross * (yi + yj);
    }
}

/* The rings of a shape as a range of ring numbers. */
static void rings_of(const struct om_rings *rings, size_t shape,
                     uint32_t *first, uint32_t *end)
{
    *first = rings->part_ring[rings->shape_part[shape]];
    *end = rings->part_ring[rings->shape_part[shape + 1]];
}

static void find_centroid(const struct om_rings *rings, size_t shape,
                          struct om_unit *unit)
{
    const struct om_box box = rings->box[shape];
    const struct om_pos from = {box.x0, box.y0};
    double sum[3] = {0};
    uint32_t first, end;
    rings_of(rings, shape, &first, &end);
    for (uint32_t r = first; r < end; r++) {
        const uint32_t v = rings->ring_vertex[r];
        add_moments(rings->vertex + v, rings->ring_vertex[r + 1] - v, from,
                    sum);
    }
    if (sum[0] == 0.0) {  // collapsed: nothing but its box is known
        unit->x = ((double)box.x0 + box.x1) / 2;
        unit->y = ((double)box.y0 + box.y1) / 2;
        return;
    }
    unit->x = from.x + sum[1] / (3 * sum[0]);
    unit->y = from.y + sum[2] / (3 * sum[0]);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Where the line at height y enters and leaves the shape, sorted. `cut` has
 * room for all edges. */
static size_t cut_shape(const struct om_rings *rings, size_t shape, double y,
                        double *cut)
{
    size_t n = 0;
    uint32_t first, end;
    rings_of(rings, shape, &first, &end);
    for (uint32_t r = first; r < end; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t upto = rings->ring_vertex[r + 1];
        for (uint32_t i = from; i < upto; i++) {
            const struct om_pos a = rings->vertex[i];
            const struct om_pos b = rings->vertex[i + 1 < upto ? i + 1 : from];
            if ((a.y <= y) == (b.y <= y)) continue;
            cut[n++] =
                a.x + ((double)b.x - a.x) * (y - a.y) / ((double)b.y - a.y);
        }
    }
    qsort(cut, n, sizeof *cut, compare_doubles);
    return n;
}

/* The middle of the widest stretch inside along one of a few lines. */
static om_status find_inside(const struct om_rings *rings, size_t shape,
                             struct om_unit *unit)
{
    const struct om_box box = rings->box[shape];
    uint32_t first, end;
    rings_of(rings, shape, &first, &end);
    const size_t edges = rings->ring_vertex[end] - rings->ring_vertex[first];
    double *cut = om_alloc_array(edges ? edges : 1, sizeof *cut);
    if (!cut) return OM_E_MEMORY;
    // Halves, then quarters, and so on: 1/2, 1/4, 3/4, 1/8 ...
    for (unsigned k = 1; k <= INSIDE_LINES; k++) {
        unsigned of = 2;
        while (of <= k) of *= 2;
        const double at = (double)(2 * k - of + 1) / of;
        const double y = box.y0 + at * ((double)box.y1 - box.y0) + 0.5;
        const size_t n = cut_shape(rings, shape, y, cut);
        double wide = 0, x = 0;
        for (size_t i = 0; i + 1 < n; i += 2)
            if (cut[i + 1] - cut[i] > wide) {
                wide = cut[i + 1] - cut[i];
                x = (cut[i] + cut[i + 1]) / 2;
            }
        unit->inside = (struct om_pos){(uint32_t)x, (uint32_t)y};
        if (wide > 0 && om_rings_contain(rings, shape, unit->inside)) break;
        // A shape thinner than a cell may hold no position at all.
        unit->inside = (struct om_pos){(uint32_t)unit->x, (uint32_t)unit->y};
    }
    om_free(cut);
    return OM_OK;
}

static om_status copy_text(const struct om_segment *segment, size_t column,
                           size_t row, struct om_text_reader *reader,
                           struct om_arena *arena, const char **out)
{
    const char *text = NULL;
    size_t len = 0;
    if (column != OM_NO_FIELD)
        OM_TRY(om_segment_text(segment, column, row, reader, &text, &len));
    *out = om_arena_text(arena, text ? text : "", text ? len : 0);
    return *out ? OM_OK : OM_E_MEMORY;
}

static bool is_text(const struct om_schema *schema, size_t column)
{
    return column != OM_NO_FIELD &&
           (schema->field[column].type == OM_TYPE_TEXT ||
            schema->field[column].type == OM_TYPE_CATEGORY);
}

static om_status read_unit(struct om_units *units,
                           const struct om_segment *segment, size_t row,
                           struct om_text_reader reader[2])
{
    const struct om_schema *schema = &units->layer->schema;
    struct om_unit *unit = &units->unit[units->count++];
    size_t name = om_schema_find(schema, "name");
    if (!is_text(schema, name)) name = OM_NO_FIELD;
    unit->row = row;
    OM_TRY(copy_text(segment, schema->id_field, row, &reader[0], &units->arena,
                     &unit->id));
    OM_TRY(
        copy_text(segment, name, row, &reader[1], &units->arena, &unit->name));
    find_centroid(&units->rings, row, unit);
    unit->area_km2 = om_rings_area_km2(&units->rings, row);
    return find_inside(&units->rings, row, unit);
}

static int compare_units(const void *a, const void *b)
{
    return strcmp(((const struct om_unit *)a)->id,
                  ((const struct om_unit *)b)->id);
}

/* A unit that whoever asks sees. */
static om_status read_seen(struct om_units *units, size_t row,
                           struct om_text_reader reader[2])
{
    bool seen;
    OM_TRY(om_row_seen(units->layer, 0, row, &seen));
    return seen ? read_unit(units, units->layer->part[0].segment, row, reader)
                : OM_OK;
}

static om_status read_part(struct om_units *units, const struct om_part *part)
{
    struct om_text_reader reader[2] = {0};
    const size_t rows = om_segment_rows(part->segment);
    om_status st = OM_OK;
    units->unit =
        om_arena_calloc(&units->arena, rows ? rows : 1, sizeof *units->unit);
    if (!units->unit) return OM_E_MEMORY;
    OM_TRY(om_segment_rings(part->segment, 0, rows, &units->rings));
    for (size_t row = 0, dead = 0; row < rows && !st; row++) {
        if (dead < part->dead_count && part->dead[dead] == row)
            dead++;
        else
            st = read_seen(units, row, reader);
    }
    for (int i = 0; i < 2; i++) om_text_reader_deinit(&reader[i]);
    qsort(units->unit, units->count, sizeof *units->unit, compare_units);
    return st;
}

om_status om_units_read(const struct om_snapshot *snapshot, const char *level,
                        struct om_units *out, struct om_err *err)
{
    *out = (struct om_units){0};
    const struct om_layer *layer =
        level[0] ? om_snapshot_units(snapshot, level) : NULL;
    if (!layer && om_snapshot_lacks(snapshot, level, err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!layer || layer->schema.geometry != OM_GEOMETRY_POLYGON)
        return no_such_level(snapshot, level, err);
    if (layer->parts > 1)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the units of '%s' lie in %zu parts; units are replaced "
                       "as a whole",
                       level, layer->parts);
    out->layer = layer;
    memcpy(out->level, layer->meta->unit_level, sizeof out->level);
    if (!layer->parts) return OM_OK;
    const om_status st = read_part(out, &layer->part[0]);
    if (!st) return OM_OK;
    om_units_deinit(out);
    return om_fail(err, st, 0, "units of '%s': %s", level, om_status_text(st));
}

void om_units_deinit(struct om_units *units)
{
    om_arena_deinit(&units->arena);
    *units = (struct om_units){0};
}

static int compare_id(const char *id, size_t len, const char *with)
{
    const int order = strncmp(id, with, len);
    return order ? order : with[len] ? -1 : 0;
}

size_t om_units_find(const struct om_units *units, const char *id, size_t len)
{
    size_t low = 0, high = units->count;
    if (memchr(id, 0, len)) return SIZE_MAX;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare_id(id, len, units->unit[middle].id);
        if (order == 0) return middle;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

om_status om_units_rows(const struct om_units *units,
                        const struct om_layer *layer, size_t part,
                        struct om_arena *arena, struct om_unit_rows *out)
{
    const size_t field = om_layer_unit_field(layer, units->level);
    if (field == OM_NO_FIELD) return OM_E_NOTFOUND;
    const struct om_segment *segment = layer->part[part].segment;
    const struct om_column *column;
    OM_TRY(om_segment_column(segment, field, 0, om_segment_rows(segment),
                             &column));
    if (column->coding != OM_CODING_DICTIONARY) return OM_E_TYPE;
    uint32_t *unit_of =
        om_arena_calloc(arena, column->words + 1, sizeof *unit_of);
    if (!unit_of) return OM_E_MEMORY;
    for (size_t w = 0; w < column->words; w++) {
        const uint32_t at = column->word_offset[w];
        const size_t unit = om_units_find(units, column->word_bytes + at,
                                          column->word_offset[w + 1] - at);
        unit_of[w] = unit == SIZE_MAX ? OM_NO_UNIT : (uint32_t)unit;
    }
    *out = (struct om_unit_rows){column, unit_of};
    return OM_OK;
}

om_status om_units_parents(const struct om_units *units,
                           const struct om_units *upper, uint32_t *parent)
{
    struct om_partition *partition = NULL;
    for (size_t i = 0; i < units->count; i++) parent[i] = OM_NO_UNIT;
    if (!upper->count || !units->count) return OM_OK;
    uint32_t *unit_of_row =
        om_alloc_array(upper->rings.count, sizeof *unit_of_row);
    om_status st = unit_of_row ? OM_OK : OM_E_MEMORY;
    if (!st) st = om_partition_new(&upper->rings, &partition);
    if (st) goto done;
    for (size_t r = 0; r < upper->rings.count; r++) unit_of_row[r] = OM_NO_UNIT;
    for (size_t i = 0; i < upper->count; i++)
        unit_of_row[upper->unit[i].row] = (uint32_t)i;
    for (size_t i = 0; i < units->count; i++) {
        const uint32_t row =
            om_partition_find(partition, units->unit[i].inside);
        if (row != OM_NO_UNIT) parent[i] = unit_of_row[row];
    }
done:
    om_partition_free(partition);
    om_free(unit_of_row);
    return st;
}
