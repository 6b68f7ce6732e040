/* window.c - which way to evaluate a window, and how finely to look.
 *
 * DESIGN
 * A window is one or four blocks of 256 x 256 pixels of the zoom whose tiles
 * they are, so that a pixel is always computed as part of the same block. A
 * block is evaluated in one of three ways, by the size of its pixels alone
 * (Epanechnikov's kernel, which no lattice follows, by rows: scan.c):
 *   pixels finer than the lattice   at nodes, then smoothly between them
 *   up to 4 nodes wide              at the pixels' centres (lattice.c)
 *   wider                           mass by mass (splat.c)
 * The lattice follows from the bandwidth alone. Masses come from the coarsest
 * cells that are fine enough: a cell's rows count at their mean position, as
 * spread half as much as if they were even in it (OM_FIELD_SPREAD). Evenly
 * spread rows and stacks then err alike, by (cell / bandwidth)^2 / 6 of their
 * own peak.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "engine/field/field_internal.h"

#define SIDE 256
#define SIDE_LOG 8
/* Deepest zoom of a window: pixels of 512 are still positions wide. */
#define ZOOM_MAX 22
/* Nodes a bandwidth at the equator, at least; below twice that: where values
 * lie between nodes, and where nodes or places between them are all there is
 * to see, which leaves half the error. */
#define NODES_BETWEEN 7.0
#define NODES_AT 6.0
/* Pixels that are this many nodes wide (log2) are done mass by mass; from half
 * of that on where kernels are of few pixels. */
#define SPLAT_LOG 3
#define SPLAT_PIXELS 2.0
/* Cells a bandwidth at least, where pixels are wider than nodes and where
 * they are much finer. */
#define CELLS_WIDE 5.0
#define CELLS_FINE 24.0
/* The same for a kernel with a kink, and from how many rows on cells are
 * read at all: each of them costs as much as a row. */
#define CELLS_SCAN 6.0
#define SCAN_ROWS_FEW 2000

struct om__ground om__ground(double y)
{
    const double psi =
        (1.0 - 2.0 * fmin(fmax(y, 0.0), OM_POS_SIDE) / OM_POS_SIDE) * OM_PI;
    const double sine = tanh(psi), cosine = 1.0 / cosh(psi);
    const double w2 = 1.0 - OM_WGS84_E2 * sine * sine;
    const double east = OM_POS_CELL_M * cosine / sqrt(w2);
    return (struct om__ground){east, east * (1.0 - OM_WGS84_E2) / w2};
}

double om__ground_m(double y)
{
    const struct om__ground g = om__ground(y);
    return sqrt(g.x_m * g.y_m);
}

static unsigned exponent_for(double bandwidth_m, double nodes)
{
    return (unsigned)floor(log2(bandwidth_m / OM_POS_CELL_M / nodes));
}

unsigned om__lattice_exponent(double bandwidth_m)
{
    return exponent_for(bandwidth_m, NODES_BETWEEN);
}

unsigned om__level_for(double bandwidth_m, double parts)
{
    const double level = ceil(log2(OM_MERCATOR_SIDE_M / bandwidth_m * parts));
    return level < 0.0 ? 0 : level > 32.0 ? 32 : (unsigned)level;
}

static unsigned level_of(const struct om__field *f, const struct om__block *b,
                         unsigned lattice, double pixel_m, bool mean)
{
    const double h = f->spec->bandwidth_m;
    if (f->rows <= OM_FIELD_ROWS_FEW) return 32;
    if (mean) return om__mean_level(f, ldexp(1.0, (int)b->exponent), pixel_m);
    if (b->exponent >= exponent_for(h, NODES_AT))
        return om__level_for(h, CELLS_WIDE);
    if (b->exponent + 1 >= lattice)
        return om__level_for(h, OM_FIELD_CELLS_ALIKE);
    return om__level_for(h, CELLS_FINE);
}

unsigned om__mean_level(const struct om__field *f, double side, double cell_m)
{
    if (f->rows <= OM_FIELD_ROWS_FEW) return 32;
    // A quarter of a pixel, where the pixel is the measure; less where kernels
    // are small beside that.
    const double parts = 4.0 * f->spec->bandwidth_m >= cell_m ? 4.0 : 8.0;
    const double level = ceil(log2(OM_POS_SIDE / side * parts) - 1e-9);
    return level < 0.0 ? 0 : level > 32.0 ? 32 : (unsigned)level;
}

unsigned om__place_level(const struct om__field *f, double cell_m)
{
    const double h = f->spec->bandwidth_m;
    if (f->rows <= OM_FIELD_ROWS_FEW) return 32;
    const double node_m = ldexp(OM_POS_CELL_M, (int)om__lattice_exponent(h));
    return om__level_for(
        h, 2.0 * cell_m >= node_m ? OM_FIELD_CELLS_ALIKE : CELLS_FINE);
}

unsigned om__scan_level(const struct om__field *f)
{
    return f->rows <= SCAN_ROWS_FEW
               ? 32
               : om__level_for(f->spec->bandwidth_m, CELLS_SCAN);
}

/* Weights of the nodes around pixel i of the 2^log pixels of a node. */
static void between3(unsigned i, unsigned log, float w[3])
{
    const float t = ((float)i + 0.5f) / (float)(1u << log);
    w[0] = 0.5f * (1.0f - t) * (1.0f - t);
    w[1] = 0.75f - (t - 0.5f) * (t - 0.5f);
    w[2] = 0.5f * t * t;
}

OM_CLONES
static void blend_rows(const float *a, const float *b, const float *c,
                       const float w[3], float *restrict out)
{
    for (size_t i = 0; i < SIDE; i++)
        out[i] = (w[0] * a[i] + w[1] * b[i]) + w[2] * c[i];
}

/* Spline coefficients at nodes to pixels, along then down. A node is 2^log
 * pixels wide; nodes->column0 is one before that of pixel `column0`. */
static om_status between(const struct om__nodes *nodes, const float *node,
                         const struct om__block *b, unsigned log,
                         struct om_arena *arena, float *out)
{
    float *wide = om_arena_alloc(arena, nodes->rows * SIDE * sizeof *wide);
    if (!wide) return OM_E_MEMORY;
    const uint32_t mask = (1u << log) - 1;
    for (size_t x = 0; x < SIDE; x++) {
        const int64_t column = b->column0 + (int64_t)x;
        const size_t at = (size_t)((column >> log) - nodes->column0 - 1);
        float w[3];
        between3((uint32_t)column & mask, log, w);
        for (size_t row = 0; row < nodes->rows; row++) {
            const float *n = node + row * nodes->columns + at;
            wide[row * SIDE + x] = (w[0] * n[0] + w[1] * n[1]) + w[2] * n[2];
        }
    }
    for (size_t y = 0; y < SIDE; y++) {
        const int64_t row = b->row0 + (int64_t)y;
        const float *a = wide + (size_t)((row >> log) - nodes->row0 - 1) * SIDE;
        float w[3];
        between3((uint32_t)row & mask, log, w);
        blend_rows(a, a + SIDE, a + (size_t)2 * SIDE, w, out + y * SIDE);
    }
    return OM_OK;
}

static om_status block_between(const struct om__field *f,
                               const struct om__block *b, unsigned lattice,
                               unsigned level, float *out)
{
    const unsigned log = lattice - b->exponent;
    const int64_t c0 = b->column0 >> log, r0 = b->row0 >> log;
    const struct om__nodes nodes = {
        .column0 = c0 - 1,
        .row0 = r0 - 1,
        .columns = (size_t)(((b->column0 + SIDE - 1) >> log) - c0) + 3,
        .rows = (size_t)(((b->row0 + SIDE - 1) >> log) - r0) + 3,
    };
    float *node =
        om_arena_alloc(f->arena, nodes.columns * nodes.rows * sizeof *node);
    if (!node) return OM_E_MEMORY;
    OM_TRY(om__lattice_values(f, lattice, 0, true, level, &nodes, node));
    return between(&nodes, node, b, log, f->arena, out);
}

static om_status block_values(const struct om__field *f,
                              const struct om__block *b, float *out)
{
    const double h = f->spec->bandwidth_m;
    const double side = ldexp(1.0, (int)b->exponent);
    const double middle = ((double)b->row0 + SIDE / 2) * side;
    const double pixel_m = side * om__ground_m(middle);
    const bool mean = pixel_m > h;
    if (!mean && f->kernel->kind == OM_KERNEL_EPANECHNIKOV)
        return om__scan_values(f, b, om__scan_level(f), out);
    unsigned lattice = exponent_for(h, NODES_AT);
    if (b->exponent < lattice) lattice = om__lattice_exponent(h);
    const unsigned level = level_of(f, b, lattice, pixel_m, mean);
    const bool few = h < SPLAT_PIXELS * pixel_m;
    if (mean || b->exponent + few >= lattice + SPLAT_LOG)
        return om__splat_values(f, b, mean, level, out);
    if (b->exponent < lattice) return block_between(f, b, lattice, level, out);
    const struct om__nodes places = {
        .column0 = b->column0, .row0 = b->row0, .columns = SIDE, .rows = SIDE};
    return om__lattice_values(f, lattice, b->exponent - lattice, false, level,
                              &places, out);
}

void om__values_finish(const struct om__field *field, float *value, size_t n)
{
    const float factor = (float)field->factor;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(value[i]) || (!field->signed_field && value[i] < 0.0f))
            value[i] = 0.0f;
    if (factor != 1.0f)
        for (size_t i = 0; i < n; i++) value[i] *= factor;
}

static struct om__block block_of(unsigned zoom, int64_t column0, int64_t row0)
{
    return (struct om__block){
        .columns = SIDE,
        .rows = SIDE,
        .exponent = 32 - zoom - SIDE_LOG,
        .column0 = column0,
        .row0 = row0,
    };
}

static om_status window_values(const struct om__field *f,
                               const struct om_field_window *w, float *value)
{
    const unsigned parts = w->side_px / SIDE;
    const unsigned zoom = w->z + parts - 1;
    if (parts == 1) {
        const struct om__block b =
            block_of(zoom, (int64_t)w->x * SIDE, (int64_t)w->y * SIDE);
        return block_values(f, &b, value);
    }
    float *quarter = om_arena_alloc(f->arena, SIDE * SIDE * sizeof *quarter);
    if (!quarter) return OM_E_MEMORY;
    for (unsigned i = 0; i < 4; i++) {
        const struct om__block b =
            block_of(zoom, ((int64_t)w->x * 2 + (i & 1)) * SIDE,
                     ((int64_t)w->y * 2 + (i >> 1)) * SIDE);
        OM_TRY(block_values(f, &b, quarter));
        float *to = value + (i >> 1) * SIDE * 2 * SIDE + (i & 1) * SIDE;
        for (size_t row = 0; row < SIDE; row++)
            memcpy(to + row * 2 * SIDE, quarter + row * SIDE,
                   SIDE * sizeof *to);
    }
    return OM_OK;
}

static om_status check_window(const struct om_field_window *w)
{
    if (w->side_px != SIDE && w->side_px != 2 * SIDE) return OM_E_RANGE;
    if (w->z > ZOOM_MAX) return OM_E_RANGE;
    const uint64_t tiles = UINT64_C(1) << w->z;
    return w->x < tiles && w->y < tiles ? OM_OK : OM_E_RANGE;
}

om_status om_field_window(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_field_window *window,
                          struct om_arena *arena, float *value)
{
    OM_TRY(check_window(window));
    struct om__field field;
    struct om__held *held;
    OM_TRY(om__fields_hold(fields, spec, &field, &held));
    field.arena = arena;
    const size_t n = (size_t)window->side_px * window->side_px;
    om_status st = OM_OK;
    if (field.rows == 0)
        memset(value, 0, n * sizeof *value);
    else
        st = window_values(&field, window, value);
    if (!st) om__values_finish(&field, value, n);
    om__fields_release(fields, held);
    return st;
}
