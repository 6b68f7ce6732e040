// days.c - tiles of days: their cells and their bytes.
#include "tiles/days.h"

#include <math.h>

#include "data/model/earth.h"
#include "data/model/pos.h"
#include "tiles/varint.h"

#define SIDE_LOG 8
#define ZOOM_MAX 22
/* Cells a bandwidth at the equator, at least, where cells are not as small as
 * they get. A row counts at its cell's middle, so that a lone one errs by up to
 * a 2 * CELLS-th of the bandwidth in place. */
#define CELLS 16.0
/* Sums that are not whole are told as so many steps (log2) of the largest. */
#define STEPS_LOG 20

om_status om_days_tile_init(const struct om_field_spec *spec, unsigned z,
                            uint32_t x, uint32_t y, struct om_days_tile *out)
{
    const double h = spec->bandwidth_m;
    if (z > ZOOM_MAX || x >> z || y >> z) return OM_E_RANGE;
    if (!(h >= OM_BANDWIDTH_MIN_M && h <= OM_BANDWIDTH_MAX_M))
        return OM_E_RANGE;
    const struct om_field_window window = {
        .z = z, .x = x, .y = y, .side_px = 1u << SIDE_LOG};
    const struct om_box box = om_field_reach(spec, &window);
    const unsigned pixel = 32 - z - SIDE_LOG;
    const unsigned lattice = (unsigned)floor(log2(h / OM_POS_CELL_M / CELLS));
    const unsigned e = lattice > pixel ? lattice : pixel;
    *out = (struct om_days_tile){
        .z = z,
        .x = x,
        .y = y,
        .kernel = spec->kernel,
        .bandwidth_m = h,
        .net = {.exponent = e,
                .column0 = box.x0 >> e,
                .row0 = box.y0 >> e,
                .columns = (box.x1 >> e) - (box.x0 >> e) + 1,
                .rows = (box.y1 >> e) - (box.y0 >> e) + 1},
        .box = box,
    };
    return OM_OK;
}

/* ---- bytes ------------------------------------------------------------- */

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v < 0 ? -1 : 0);
}

/* What a sum is told in: 1 where all are whole. */
static double unit_of(const struct om_days *days)
{
    double most = 0.0;
    bool whole = true;
    for (size_t i = 0; i < days->count; i++) {
        const double size = fabs(days->sum[i].sum);
        most = fmax(most, size);
        whole = whole && size == floor(size);
    }
    if (whole && most < 9007199254740992.0) return 1.0;
    int exponent;
    frexp(most, &exponent);
    return ldexp(1.0, exponent - STEPS_LOG);
}

static size_t cells_of(const struct om_days *days)
{
    size_t cells = 0;
    for (size_t i = 0; i < days->count; i++)
        cells += !i || days->sum[i].cell != days->sum[i - 1].cell;
    return cells;
}

static void add_head(const struct om_days_tile *t, double unit,
                     struct om_buf *out)
{
    const struct om_day_net *n = &t->net;
    om_buf_add(out, "OMD1", 4);
    om_real_add(out, t->bandwidth_m);
    om_real_add(out, unit);
    const uint64_t numbers[] = {
        (uint64_t)t->kernel, t->z,    t->x,       t->y,   n->exponent,
        n->column0,          n->row0, n->columns, n->rows};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        om_varint_add(out, numbers[i]);
}

/* Sums [from, end) are those of one cell. */
static void add_cell(const struct om_day_sum *sum, size_t count, uint32_t gap,
                     double unit, struct om_buf *out)
{
    uint32_t next = 0;  // day
    om_varint_add(out, gap);
    om_varint_add(out, count);
    for (size_t i = 0; i < count; i++) {
        const int64_t steps = llround(sum[i].sum / unit);
        const uint64_t days = sum[i].day - next;
        om_varint_add(out, days << 1 | (steps != 1));
        if (steps != 1) om_varint_add(out, zigzag(steps));
        next = sum[i].day + 1;
    }
}

om_status om_days_write_cells(const struct om_days *days, double unit,
                              struct om_buf *out)
{
    uint32_t next = 0;  // cell
    const uint64_t numbers[] = {zigzag(days->first), days->days, cells_of(days),
                                days->count};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        om_varint_add(out, numbers[i]);
    for (size_t i = 0, end; i < days->count; i = end) {
        const uint32_t cell = days->sum[i].cell;
        for (end = i; end < days->count && days->sum[end].cell == cell;) end++;
        add_cell(days->sum + i, end - i, cell - next, unit, out);
        next = cell + 1;
    }
    return out->status;
}

om_status om_days_write(const struct om_days_tile *tile,
                        const struct om_days *days, struct om_buf *out)
{
    const double unit = unit_of(days);
    if (!days->count) return out->status;
    add_head(tile, unit, out);
    return om_days_write_cells(days, unit, out);
}
