/* splat.c - the field where pixels are not much smaller than the kernel.
 *
 * DESIGN
 * A mass then reaches a handful of pixels, so each is spread on its own and
 * exactly: the kernel at the pixels' centres, or, where a pixel is wider than
 * the bandwidth, the part of the kernel's mass that falls into each pixel,
 * from a table of the mass of quadrants. Whatever lies wholly in a pixel is
 * simply counted.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "engine/field/field_internal.h"

/* Places of a row that are computed at once; what falls beside the kernel is
 * zero. Rows begin at a multiple of START, so that a store of one mass and the
 * load of the next mostly are of the same places: else the load waits. */
#define LANES 8
#define START 4
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float lanes_at
    __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
#define SHAPES 1024
/* Parts of a loop with clones have to lie in each of them. */
#define INLINE static inline __attribute__((always_inline))

struct splat {
    const struct om__field *field;
    int32_t side_x, side_y;  // columns and rows of the block
    unsigned margin;         // cells around the block that reach into it
    unsigned pad;            // rows and columns around `value`
    size_t stride;
    float *value;                // [side_y + 2 * pad][stride], `pad` before
    float *radius_x, *radius_y;  // [side_y + 2 * margin] in cells, by row of
                                 // the mass
    float *per_km2;              // [side_y + 4] 1 / area of a cell of row - 2
    float peak;                  // value at the centre of a mass of 1
    unsigned rows, chunks;  // rows and LANES of columns that any kernel reaches
    float *shape;           // [SHAPES + 2] by squared distance
    float *bent;            // [SHAPES + 2] half the shape's Laplacian
};

static inline float shape_at(const float *shape, float q)
{
    const float at = q * SHAPES;
    const unsigned i = (unsigned)at;
    const float part = at - (float)i;
    return shape[i] + (shape[i + 1] - shape[i]) * part;
}

/* floor for what is not far below zero. */
static inline int32_t floor_near(float v)
{
    return (int32_t)(v + 1024.0f) - 1024;
}

/* 1 / squared radius, in cells. */
struct scale {
    float x, y;
};

/* One kernel: rows of it, from the first whose middle it reaches. at: the
 * first row's first place; dx: of that place from the mass. */
static inline void add_quartic(const struct splat *s, float *at, float dx,
                               float dy, struct scale scale, float amount,
                               float bend)
{
    static const lanes step = {0, 1, 2, 3, 4, 5, 6, 7};
    const float less = 8.0f * bend, more = 4.0f * bend;
    for (unsigned c = 0; c < s->chunks; c++, at += LANES, dx += LANES) {
        const lanes x = dx + step;
        const lanes x2 = 1.0f - x * x * scale.x;
        float *out = at, y = dy;
        for (unsigned r = 0; r < s->rows; r++, out += s->stride, y += 1.0f) {
            const lanes fall = x2 - y * y * scale.y;
            const lanes in = amount * (fall * (fall - less) + more);
            *(lanes_at *)out += (lanes)((mask)in & (fall > 0.0f));
        }
    }
}

static inline void add_table(const struct splat *s, float *at, float dx,
                             float dy, struct scale scale, float amount,
                             float bend)
{
    for (unsigned r = 0; r < s->rows; r++, at += s->stride, dy += 1.0f)
        for (unsigned c = 0; c < s->chunks * LANES; c++) {
            const float x = dx + (float)c;
            const float q = x * x * scale.x + dy * dy * scale.y;
            if (q < 1.0f)
                at[c] += amount *
                         (shape_at(s->shape, q) + bend * shape_at(s->bent, q));
        }
}

OM_CLONES
static void take_values(void *ctx, const struct om__batch *b)
{
    struct splat *s = ctx;
    const int32_t margin = (int32_t)s->margin, pad = (int32_t)s->pad;
    const uint32_t columns = (uint32_t)s->side_x + 2 * s->margin;
    const uint32_t rows = (uint32_t)s->side_y + 2 * s->margin;
    const bool quartic = s->field->kernel->kind == OM_KERNEL_QUARTIC;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i] + margin, col = b->column[i] + margin;
        if ((uint32_t)row >= rows || (uint32_t)col >= columns) continue;
        const float rx = s->radius_x[row], ry = s->radius_y[row];
        const struct scale scale = {1.0f / (rx * rx), 1.0f / (ry * ry)};
        // The first place whose middle is not before the kernel.
        const float up = b->ty[i] - 0.5f - ry;
        const float left = b->tx[i] - 0.5f - rx;
        const int32_t first_row = b->row[i] + floor_near(up) + 1 + pad;
        const int32_t first =
            (b->column[i] + floor_near(left) + 1 + pad) & ~(START - 1);
        const float dx = (float)(first - pad - b->column[i]) + 0.5f - b->tx[i];
        const float dy = (float)(first_row - pad - b->row[i]) + 0.5f - b->ty[i];
        const float bend = b->weight[i] == 1.0f ? 0.0f : b->variance * scale.x;
        float *at = s->value + (size_t)first_row * s->stride + first;
        if (quartic)
            add_quartic(s, at, dx, dy, scale, s->peak * b->weight[i], bend);
        else
            add_table(s, at, dx, dy, scale, s->peak * b->weight[i], bend);
    }
}

/* Mass of the kernel with u < a, v < b; a, b in radii. */
INLINE float quadrant(const struct om__kernel *k, float a, float b)
{
    const float half = OM_FIELD_QUADRANT / 2;
    const float x = (a + 1.0f) * half, y = (b + 1.0f) * half;
    const unsigned i = (unsigned)x, j = (unsigned)y;
    const float px = x - (float)i, py = y - (float)j;
    const float *r0 = k->quadrant[j], *r1 = k->quadrant[j + 1];
    const float low = r0[i] + (r0[i + 1] - r0[i]) * px;
    const float high = r1[i] + (r1[i + 1] - r1[i]) * px;
    return low + (high - low) * py;
}

/* Mass of the kernel with u < a. */
INLINE float half_plane(const struct om__kernel *k, float a)
{
    const float x = (a + 1.0f) * (OM_FIELD_QUADRANT / 2);
    const unsigned i = (unsigned)x;
    const float *all = k->quadrant[OM_FIELD_QUADRANT];
    return all[i] + (all[i + 1] - all[i]) * (x - (float)i);
}

/* Pixel edges that cut a kernel, from -1 to 1 in radii: edge[0] = -1 is where
 * pixel `first` begins to matter. */
#define EDGES 32
static unsigned cut(float at, float radius, int32_t *first, float *edge)
{
    *first = (int32_t)floorf(at - radius);
    const int32_t last = (int32_t)floorf(at + radius);
    unsigned n = (unsigned)(last - *first + 1);
    if (n > EDGES - 1) n = EDGES - 1;
    edge[0] = -1.0f;
    for (unsigned i = 1; i < n; i++) {
        const float e = ((float)(*first + (int32_t)i) - at) / radius;
        edge[i] = e < -1.0f ? -1.0f : e > 1.0f ? 1.0f : e;
    }
    edge[n] = 1.0f;
    return n;
}

static void take_cut(struct splat *s, const struct om__batch *b, size_t i,
                     float rx, float ry)
{
    const int32_t pad = (int32_t)s->pad;
    float ex[EDGES], ey[EDGES], above[EDGES] = {0};
    int32_t left, top;
    const unsigned columns = cut(b->tx[i], rx, &left, ex);
    const unsigned rows = cut(b->ty[i], ry, &top, ey);
    for (unsigned r = 1; r <= rows; r++) {
        const int32_t row = b->row[i] + top + (int32_t)r - 1;
        const bool in = row >= 0 && row < s->side_y;
        float *out = s->value + (size_t)(in ? row + pad : 0) * s->stride +
                     (b->column[i] + left + pad);
        float before = 0.0f;
        for (unsigned c = 1; c <= columns; c++) {
            const float below = quadrant(s->field->kernel, ex[c], ey[r]);
            if (in)
                out[c - 1] += b->weight[i] * s->per_km2[row + 2] *
                              (below - above[c] - before);
            before = below - above[c];
            above[c] = below;
        }
    }
}

INLINE float within_1(float v)
{
    return v < -1.0f ? -1.0f : v > 1.0f ? 1.0f : v;
}

/* The same where the kernel reaches no further than the pixels around: four
 * quadrants at the corners of the mass's own pixel say it all. */
INLINE void take_corners(struct splat *s, const struct om__batch *b, size_t i,
                         float rx, float ry)
{
    const struct om__kernel *k = s->field->kernel;
    const float fx = 1.0f / rx, fy = 1.0f / ry;
    const float x0 = within_1(-b->tx[i] * fx);
    const float x1 = within_1((1.0f - b->tx[i]) * fx);
    const float y0 = within_1(-b->ty[i] * fy);
    const float y1 = within_1((1.0f - b->ty[i]) * fy);
    const float q00 = quadrant(k, x0, y0), q10 = quadrant(k, x1, y0);
    const float q01 = quadrant(k, x0, y1), q11 = quadrant(k, x1, y1);
    const float west = half_plane(k, x0), east = half_plane(k, x1);
    const float north = half_plane(k, y0), south = half_plane(k, y1);
    const int32_t row = b->row[i];
    float *at = s->value + (size_t)(row - 1 + (int32_t)s->pad) * s->stride +
                (b->column[i] - 1 + (int32_t)s->pad);
    const float w = b->weight[i];
    const float *per_km2 = s->per_km2 + row + 2;
    at[0] += w * per_km2[-1] * q00;
    at[1] += w * per_km2[-1] * (q10 - q00);
    at[2] += w * per_km2[-1] * (north - q10);
    at += s->stride;
    at[0] += w * per_km2[0] * (q01 - q00);
    at[1] += w * per_km2[0] * ((q11 - q10) - (q01 - q00));
    at[2] += w * per_km2[0] * ((south - north) - (q11 - q10));
    at += s->stride;
    at[0] += w * per_km2[1] * (west - q01);
    at[1] += w * per_km2[1] * ((east - west) - (q11 - q01));
    at[2] += w * per_km2[1] * ((1.0f - south) - (east - q11));
}

OM_CLONES
static void take_means(void *ctx, const struct om__batch *b)
{
    struct splat *s = ctx;
    const float wider = b->variance / (float)s->field->kernel->variance;
    const int32_t margin = (int32_t)s->margin, pad = (int32_t)s->pad;
    const uint32_t columns = (uint32_t)(s->side_x + 2 * margin);
    const uint32_t rows = (uint32_t)(s->side_y + 2 * margin);
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i], col = b->column[i];
        if ((uint32_t)(row + margin) >= rows ||
            (uint32_t)(col + margin) >= columns)
            continue;
        float rx = s->radius_x[row + margin], ry = s->radius_y[row + margin];
        rx = sqrtf(rx * rx + wider);
        ry = sqrtf(ry * ry + wider);
        const float tx = b->tx[i], ty = b->ty[i];
        const bool whole =
            tx >= rx && tx <= 1.0f - rx && ty >= ry && ty <= 1.0f - ry;
        if (!whole && rx <= 1.0f && ry <= 1.0f && row >= -1 && row <= s->side_y)
            take_corners(s, b, i, rx, ry);
        else if (!whole)
            take_cut(s, b, i, rx, ry);
        else if (row >= 0 && row < s->side_y)
            s->value[(size_t)(row + pad) * s->stride + (size_t)(col + pad)] +=
                b->weight[i] * s->per_km2[row + 2];
    }
}

/* The largest radius in cells of any mass that reaches into the block. Those
 * further out than their own radius do not; nearer to a pole they reach
 * further. */
static double widest_radius(const struct om__block *b, double h)
{
    double most = 0.0;
    for (unsigned end = 0; end < 2; end++) {
        const double row = end ? (double)b->rows + 2.0 : -2.0;
        const struct om__ground m = om__block_cell_m(b, row);
        most = fmax(most, h / fmin(m.x_m, m.y_m));
    }
    return 1.05 * most;
}

static om_status splat_alloc(struct splat *s)
{
    struct om_arena *arena = s->field->arena;
    const size_t rows = (size_t)s->side_y;
    const size_t around = rows + 2 * (size_t)s->margin;
    s->value = om_arena_calloc(
        arena, (rows + 2 * (size_t)s->pad + s->rows) * s->stride,
        sizeof(float));
    s->radius_x = om_arena_alloc(arena, around * sizeof(float));
    s->radius_y = om_arena_alloc(arena, around * sizeof(float));
    s->per_km2 = om_arena_calloc(arena, rows + 4, sizeof(float));
    s->shape = om_arena_calloc(arena, SHAPES + 2, sizeof(float));
    s->bent = om_arena_calloc(arena, SHAPES + 2, sizeof(float));
    return s->value && s->radius_x && s->radius_y && s->per_km2 && s->shape &&
                   s->bent
               ? OM_OK
               : OM_E_MEMORY;
}

static om_status splat_init(struct splat *s, const struct om__block *b)
{
    const struct om__field *f = s->field;
    const double h = f->spec->bandwidth_m, widest = widest_radius(b, h);
    s->side_x = (int32_t)b->columns;
    s->side_y = (int32_t)b->rows;
    s->margin = (unsigned)widest + 3;
    s->rows = (unsigned)(2.0 * widest) + 1;
    s->chunks = (s->rows + START - 1 + LANES - 1) / LANES;
    s->pad = (2 * s->margin + START - 1) / START * START;
    s->stride = b->columns + 2 * (size_t)s->pad + s->chunks * LANES;
    s->peak = (float)(f->kernel->peak * 1e6 / (h * h));
    OM_TRY(splat_alloc(s));
    for (size_t i = 0; i < b->rows + 2 * (size_t)s->margin; i++) {
        const double row = (double)i - (double)s->margin;
        const struct om__ground m = om__block_cell_m(b, row);
        s->radius_x[i] = (float)(h / m.x_m);
        s->radius_y[i] = (float)(h / m.y_m);
        if (row >= 0.0 && row < (double)b->rows)
            s->per_km2[(size_t)row + 2] = (float)(1e6 / (m.x_m * m.y_m));
    }
    if (f->kernel->kind != OM_KERNEL_QUARTIC)
        for (size_t i = 0; i <= SHAPES; i++) {
            const double q = fmin((double)i / SHAPES, 1.0 - 1e-12);
            s->shape[i] = (float)om__kernel_shape(f->kernel->kind, q);
            s->bent[i] = (float)om__kernel_bend(f->kernel->kind, q);
        }
    return OM_OK;
}

om_status om__splat_values(const struct om__field *field,
                           const struct om__block *block, bool mean,
                           unsigned level, float *out)
{
    struct splat s = {.field = field};
    OM_TRY(splat_init(&s, block));
    OM_TRY(om__block_gather(field, block, s.margin, level,
                            mean ? take_means : take_values, &s));
    for (size_t row = 0; row < block->rows; row++)
        memcpy(out + row * block->columns,
               s.value + (row + s.pad) * s.stride + s.pad,
               block->columns * sizeof *out);
    return OM_OK;
}
