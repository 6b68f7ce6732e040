/* lattice.c - the field on a lattice: spread, two passes of taps.
 *
 * DESIGN
 * Masses are spread over 3 x 3 nodes by the quadratic B-spline. That blurs by
 * a variance of 1/4 node whatever the place between the nodes, which the taps
 * undo (a second difference of 1/8): what is left is an error of third order,
 * 0.5 % of the peak at 8 nodes a bandwidth. The kernel is a sum of products
 * (kernel.c), so a row is filtered once per factor and the columns are
 * summed: 2 * 4 * taps steps a node instead of taps squared. Where places lie
 * several nodes apart, only these are computed.
 *
 * A row's kernel is as wide as mercator makes it at the row's own latitude,
 * in steps of 1/2048: rows of one step share their taps.
 *
 * Every sum runs in an order given by the lattice alone; empty stretches are
 * left out, which adds zeros to nothing.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "engine/field/field_internal.h"

#define LANES 16
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float lanes_at
    __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t bits __attribute__((vector_size(4 * LANES)));
typedef int32_t bits_at
    __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define WIDTH_STEPS 2048.0
/* A quadratic B-spline has variance 1/4: half of it undoes it. */
#define UNDO 0.125

/* Taps of one kernel size. t counts from the first source node that reaches
 * a place: node = step * place + step / 2 - reach + t. */
struct taps {
    int32_t width, height;  // log2 of the radii in nodes, in steps
    unsigned reach, count;
    float *across;  // [rank][count]
    float *down;    // [count][rank], weights and units folded in
    struct taps *next;
};

struct lattice {
    const struct om__field *field;
    unsigned exponent, step, step_log;
    bool smooth;
    const struct om__nodes *places;
    // Source nodes: `pad` before and behind the places'.
    unsigned pad;
    size_t columns, rows, stride;
    int64_t column0, row0;
    float *mass;         // [(rows + 2 * BORDER)][stride]
    size_t chunks;       // of LANES places
    float *across;       // [chunk][row][rank][LANES]
    struct taps **taps;  // [rows]
    struct taps *all;
    bool *empty;  // [rows]
};

/* Nodes around the source lattice that a mass just outside may touch. */
#define BORDER 2

static struct om__ground node_m(const struct lattice *l, int64_t row)
{
    const double side = ldexp(1.0, (int)l->exponent);
    const struct om__ground g = om__ground(((double)row + 0.5) * side);
    return (struct om__ground){side * g.x_m, side * g.y_m};
}

/* The longer of the two: meridians are shorter than the sphere's. */
static double radius_nodes(const struct lattice *l, int64_t row)
{
    const struct om__ground m = node_m(l, row);
    return l->field->spec->bandwidth_m / fmin(m.x_m, m.y_m);
}

static unsigned reach_of(const struct lattice *l, double radius)
{
    return (unsigned)(radius * l->field->kernel->reach) + 2 + l->smooth;
}

static double undone(const struct om__kernel *k, unsigned r, double radius,
                     double at, unsigned times)
{
    if (times == 0) return om__kernel_factor(k, r, at / radius);
    return (1.0 + 2.0 * UNDO) * undone(k, r, radius, at, times - 1) -
           UNDO * (undone(k, r, radius, at - 1.0, times - 1) +
                   undone(k, r, radius, at + 1.0, times - 1));
}

static om_status taps_new(struct lattice *l, int32_t width, int32_t height,
                          struct taps **out)
{
    const struct om__field *f = l->field;
    const double rx = exp2(width / WIDTH_STEPS);
    const double ry = exp2(height / WIDTH_STEPS);
    const unsigned reach = reach_of(l, fmax(rx, ry));
    const unsigned count = 2 * reach + (l->step == 1);
    struct taps *t = om_arena_alloc(f->arena, sizeof *t);
    float *across = om_arena_calloc(f->arena, (size_t)count * OM_FIELD_RANK, 4);
    float *down = om_arena_calloc(f->arena, (size_t)count * OM_FIELD_RANK, 4);
    if (!t || !across || !down) return OM_E_MEMORY;
    const double h_km = f->spec->bandwidth_m / 1000.0;
    const double peak = f->kernel->peak / (h_km * h_km);
    const double first = -(double)reach + (l->step == 1 ? 0.0 : 0.5);
    for (unsigned r = 0; r < OM_FIELD_RANK; r++)
        for (unsigned i = 0; i < count; i++) {
            const double at = first + i;
            across[(size_t)r * count + i] =
                (float)undone(f->kernel, r, rx, at, 1 + l->smooth);
            down[(size_t)i * OM_FIELD_RANK + r] =
                (float)(undone(f->kernel, r, ry, at, 1 + l->smooth) *
                        f->kernel->weight[r] * peak);
        }
    *t = (struct taps){width, height, reach, count, across, down, l->all};
    *out = l->all = t;
    return OM_OK;
}

static int32_t steps_of(double radius)
{
    return (int32_t)lrint(log2(radius) * WIDTH_STEPS);
}

static om_status choose_taps(struct lattice *l)
{
    const double h = l->field->spec->bandwidth_m;
    l->taps = om_arena_calloc(l->field->arena, l->rows, sizeof *l->taps);
    if (!l->taps) return OM_E_MEMORY;
    for (size_t i = 0; i < l->rows; i++) {
        const struct om__ground m = node_m(l, l->row0 + (int64_t)i);
        const int32_t width = steps_of(h / m.x_m);
        // The ratio hardly changes: most rows share one, and their taps.
        const int32_t height = width + steps_of(m.x_m / m.y_m);
        struct taps *t = i ? l->taps[i - 1] : NULL;
        if (!t || t->width != width || t->height != height)
            for (t = l->all; t && (t->width != width || t->height != height);)
                t = t->next;
        if (!t) OM_TRY(taps_new(l, width, height, &t));
        l->taps[i] = t;
    }
    return OM_OK;
}

/* The widest reach of any row that can matter. Kernels widen towards the
 * poles, so the window is grown until the rows in it reach no further. */
static unsigned widest_reach(const struct lattice *l)
{
    const int64_t top = l->places->row0 * l->step;
    const int64_t bottom = top + (int64_t)(l->places->rows * l->step);
    unsigned reach = 0;
    for (;;) {
        const double up = radius_nodes(l, top - (int64_t)reach);
        const double down = radius_nodes(l, bottom + (int64_t)reach);
        // One node more: widths are rounded.
        const unsigned wider = reach_of(l, (up > down ? up : down)) + 1;
        if (wider <= reach) return reach;
        reach = wider;
    }
}

static om_status lattice_init(struct lattice *l)
{
    struct om_arena *arena = l->field->arena;
    const struct om__nodes *p = l->places;
    const unsigned step = l->step;
    l->pad = (widest_reach(l) + step - 1) / step * step;
    l->chunks = (p->columns + LANES - 1) / LANES;
    l->columns = l->chunks * LANES * step + 2 * l->pad;
    l->rows = p->rows * step + 2 * l->pad;
    l->column0 = p->column0 * step - l->pad;
    l->row0 = p->row0 * step - l->pad;
    l->stride = (l->columns + 2 * BORDER + LANES - 1) / LANES * LANES;
    l->mass =
        om_arena_calloc(arena, (l->rows + 2 * BORDER) * l->stride + LANES, 4);
    l->across = om_arena_alloc(
        arena, l->chunks * l->rows * OM_FIELD_RANK * sizeof(lanes));
    l->empty = om_arena_calloc(arena, l->rows, 1);
    if (!l->mass || !l->across || !l->empty) return OM_E_MEMORY;
    return choose_taps(l);
}

/* Weights of a quadratic B-spline on three nodes; t in [0, 1) across the
 * middle one's square. more: half the variance of what is spread. */
static inline void spline3(float t, float more, float w[3])
{
    const float o = 1.0f - t, m = t - 0.5f;
    w[0] = 0.5f * o * o + more;
    w[1] = 0.75f - 2.0f * more - m * m;
    w[2] = 0.5f * t * t + more;
}

OM_CLONES
static void spread(void *ctx, const struct om__batch *b)
{
    struct lattice *l = ctx;
    const uint32_t columns = (uint32_t)l->columns + 2;
    const uint32_t rows = (uint32_t)l->rows + 2;
    const size_t stride = l->stride;
    for (size_t i = 0; i < b->count; i++) {
        const uint32_t c = (uint32_t)(b->column[i] + 1);
        const uint32_t r = (uint32_t)(b->row[i] + 1);
        if (c >= columns || r >= rows) continue;
        const float more = b->weight[i] == 1.0f ? 0.0f : 0.5f * b->variance;
        float x[3], y[3];
        spline3(b->tx[i], more, x);
        spline3(b->ty[i], more, y);
        float *at = l->mass + (size_t)r * stride + c;
        for (unsigned j = 0; j < 3; j++, at += stride) {
            const float w = b->weight[i] * y[j];
            at[0] += w * x[0];
            at[1] += w * x[1];
            at[2] += w * x[2];
        }
    }
}

static om_status spread_all(struct lattice *l, unsigned level)
{
    const double side = ldexp(1.0, (int)l->exponent);
    const double x0 = (double)(l->column0 - 1) * side;
    const double y0 = (double)(l->row0 - 1) * side;
    const double x1 = x0 + ((double)l->columns + 2.0) * side - 1.0;
    const double y1 = y0 + ((double)l->rows + 2.0) * side - 1.0;
    const double last = OM_POS_SIDE - 1.0;
    if (x1 < 0.0 || y1 < 0.0 || x0 > last || y0 > last) return OM_OK;
    return om__gather_run(&(struct om__gather){
        .spec = l->field->spec,
        .prepared = l->field->prepared,
        .reference_s = l->field->reference_s,
        .box = {(uint32_t)fmax(x0, 0.0), (uint32_t)fmax(y0, 0.0),
                (uint32_t)fmin(x1, last), (uint32_t)fmin(y1, last)},
        .level = level,
        .exponent = l->exponent,
        .column0 = l->column0,
        .row0 = l->row0,
        .take = spread,
        .ctx = l,
    });
}

/* First and last mass of a row of n, to the nearest LANES; false if there is
 * none. What lies behind the row, to the next LANES, is read too. */
OM_CLONES
static bool row_extent(const float *row, size_t n, size_t *first, size_t *last)
{
    bool any = false;
    for (size_t at = 0; at < n; at += LANES) {
        const bits here = *(const bits_at *)(const void *)(row + at);
        int32_t some = 0;
        for (unsigned i = 0; i < LANES; i++) some |= here[i];
        if (!some) continue;
        if (!any) *first = at;
        any = true;
        *last = at + LANES - 1;
    }
    if (any && *last >= n) *last = n - 1;
    return any;
}

/* LANES places of one row for all factors. source[t] is where tap t begins;
 * taps of mirrored places are the same and share a multiplication. */
OM_CLONES
static void filter_lanes(const struct taps *taps, const float *const *source,
                         size_t at, float *out)
{
    lanes sum[OM_FIELD_RANK] = {0};
    const unsigned n = taps->count;
    for (unsigned t = 0; t < n / 2; t++) {
        const lanes pair = *(const lanes_at *)(source[t] + at) +
                           *(const lanes_at *)(source[n - 1 - t] + at);
        for (unsigned r = 0; r < OM_FIELD_RANK; r++)
            sum[r] += pair * taps->across[(size_t)r * n + t];
    }
    if (n % 2) {
        const lanes middle = *(const lanes_at *)(source[n / 2] + at);
        for (unsigned r = 0; r < OM_FIELD_RANK; r++)
            sum[r] += middle * taps->across[(size_t)r * n + n / 2];
    }
    for (unsigned r = 0; r < OM_FIELD_RANK; r++)
        *(lanes_at *)(out + (size_t)r * LANES) = sum[r];
}

/* Nodes [first, last] of a row sorted by their number modulo step, so that taps
 * of neighbouring places are neighbours; the others are 0. */
OM_CLONES
static void deal_out(const float *row, size_t step, size_t first, size_t last,
                     float *phase, size_t each)
{
    memset(phase, 0, step * each * sizeof *phase);
    const size_t from = first / step, to = last / step;
    for (size_t i = from; i <= to; i++)
        for (size_t q = 0; q < step; q++)
            phase[q * each + i] = row[i * step + q];
}

static size_t chunk_floats(void)
{
    return (size_t)OM_FIELD_RANK * LANES;
}

static void filter_row(struct lattice *l, size_t row, float *phase,
                       const float **source)
{
    const struct taps *taps = l->taps[row];
    const float *mass = l->mass + (row + BORDER) * l->stride + BORDER;
    size_t first = 0, last = 0;
    l->empty[row] = !row_extent(mass, l->columns, &first, &last);
    const size_t each = l->columns / l->step;
    if (!l->empty[row] && l->step > 1)
        deal_out(mass, l->step, first, last, phase, each);
    const size_t offset = l->pad + l->step / 2 - taps->reach;
    for (unsigned t = 0; t < taps->count; t++) {
        const size_t at = offset + t;
        source[t] = l->step == 1 ? mass + at
                                 : phase + at % l->step * each + at / l->step;
    }
    for (size_t c = 0; c < l->chunks; c++) {
        float *out = l->across + (c * l->rows + row) * chunk_floats();
        const size_t left = c * LANES * l->step + offset;
        const size_t right = left + LANES * l->step + taps->count;
        if (l->empty[row] || last < left || first > right)
            memset(out, 0, chunk_floats() * sizeof *out);
        else
            filter_lanes(taps, source, c * LANES, out);
    }
}

static om_status filter_across(struct lattice *l)
{
    struct om_arena *arena = l->field->arena;
    float *phase = om_arena_alloc(arena, l->columns * sizeof *phase);
    const float **source =
        om_arena_alloc(arena, (2 * (size_t)l->pad + 2) * sizeof *source);
    if (!phase || !source) return OM_E_MEMORY;
    for (size_t row = 0; row < l->rows; row++)
        filter_row(l, row, phase, source);
    return OM_OK;
}

/* The source rows that reach one row of places, with their taps. */
struct column_sum {
    size_t first, count;
    float *weight;  // [count][rank]
};

static void sum_of_row(const struct lattice *l, size_t place, float *weight,
                       struct column_sum *out)
{
    const size_t middle = l->pad + place * l->step + l->step / 2;
    *out = (struct column_sum){.weight = weight};
    for (size_t row = middle - l->pad; row < middle + l->pad + 1; row++) {
        if (row >= l->rows || l->empty[row]) continue;
        const struct taps *t = l->taps[row];
        if (row + t->reach < middle || row + t->reach - middle >= t->count)
            continue;
        if (!out->count) out->first = row;
        // Rows between that are empty or out of reach weigh nothing.
        const size_t n = row - out->first;
        memset(weight + out->count * OM_FIELD_RANK, 0,
               (n - out->count) * OM_FIELD_RANK * sizeof *weight);
        memcpy(weight + n * OM_FIELD_RANK,
               t->down + (row + t->reach - middle) * OM_FIELD_RANK,
               OM_FIELD_RANK * sizeof *weight);
        out->count = n + 1;
    }
}

OM_CLONES
static void sum_lanes(const float *across, const struct column_sum *s,
                      float *out)
{
    lanes sum[OM_FIELD_RANK] = {0};
    const float *a = across + s->first * OM_FIELD_RANK * LANES;
    for (size_t i = 0; i < s->count; i++, a += OM_FIELD_RANK * LANES)
        for (unsigned r = 0; r < OM_FIELD_RANK; r++)
            sum[r] += *(const lanes_at *)(a + (size_t)r * LANES) *
                      s->weight[i * OM_FIELD_RANK + r];
    *(lanes_at *)out = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static om_status sum_down(struct lattice *l, float *out)
{
    struct om_arena *arena = l->field->arena;
    const size_t rows = l->places->rows, columns = l->places->columns;
    const size_t most = 2 * (size_t)l->pad + 2;
    struct column_sum *sum = om_arena_alloc(arena, rows * sizeof *sum);
    float *weight =
        om_arena_alloc(arena, rows * most * OM_FIELD_RANK * sizeof *weight);
    if (!sum || !weight) return OM_E_MEMORY;
    for (size_t row = 0; row < rows; row++)
        sum_of_row(l, row, weight + row * most * OM_FIELD_RANK, &sum[row]);
    for (size_t c = 0; c < l->chunks; c++) {
        const float *across = l->across + c * l->rows * chunk_floats();
        const size_t left = columns - c * LANES;
        const size_t n = left < LANES ? left : LANES;
        for (size_t row = 0; row < rows; row++) {
            float value[LANES];
            sum_lanes(across, &sum[row], value);
            memcpy(out + row * columns + c * LANES, value, n * sizeof *out);
        }
    }
    return OM_OK;
}

om_status om__lattice_values(const struct om__field *field, unsigned exponent,
                             unsigned step_log, bool smooth, unsigned level,
                             const struct om__nodes *places, float *out)
{
    struct lattice l = {
        .field = field,
        .exponent = exponent,
        .step = 1u << step_log,
        .step_log = step_log,
        .smooth = smooth,
        .places = places,
    };
    OM_TRY(lattice_init(&l));
    OM_TRY(spread_all(&l, level));
    OM_TRY(filter_across(&l));
    return sum_down(&l, out);
}
