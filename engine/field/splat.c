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

#define SIDE 256
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
    unsigned margin;  // pixels around the block that reach into it
    unsigned pad;     // rows and columns around `value`
    size_t stride;
    float *value;           // [SIDE + 2 * pad][stride], `pad` columns before
    float *radius;          // [SIDE + 2 * margin] pixels, by row of the mass
    float *per_km2;         // [SIDE + 4] 1 / area of a pixel of row - 2
    float peak;             // value at the centre of a mass of 1
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

/* One kernel: rows of it, from the first whose middle it reaches. at: the
 * first row's first place; dx: of that place from the mass. */
static inline void add_quartic(const struct splat *s, float *at, float dx,
                               float dy, float scale, float amount, float bend)
{
    static const lanes step = {0, 1, 2, 3, 4, 5, 6, 7};
    const float less = 8.0f * bend, more = 4.0f * bend;
    for (unsigned c = 0; c < s->chunks; c++, at += LANES, dx += LANES) {
        const lanes x = dx + step;
        const lanes x2 = 1.0f - x * x * scale;
        float *out = at, y = dy;
        for (unsigned r = 0; r < s->rows; r++, out += s->stride, y += 1.0f) {
            const lanes fall = x2 - y * y * scale;
            const lanes in = amount * (fall * (fall - less) + more);
            *(lanes_at *)out += (lanes)((mask)in & (fall > 0.0f));
        }
    }
}

static inline void add_table(const struct splat *s, float *at, float dx,
                             float dy, float scale, float amount, float bend)
{
    for (unsigned r = 0; r < s->rows; r++, at += s->stride, dy += 1.0f)
        for (unsigned c = 0; c < s->chunks * LANES; c++) {
            const float x = dx + (float)c;
            const float q = (x * x + dy * dy) * scale;
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
    const uint32_t limit = SIDE + 2 * s->margin;
    const bool quartic = s->field->kernel->kind == OM_KERNEL_QUARTIC;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i] + margin, col = b->column[i] + margin;
        if ((uint32_t)row >= limit || (uint32_t)col >= limit) continue;
        const float radius = s->radius[row];
        const float scale = 1.0f / (radius * radius);
        // The first place whose middle is not before the kernel.
        const float up = b->ty[i] - 0.5f - radius;
        const float left = b->tx[i] - 0.5f - radius;
        const int32_t first_row = b->row[i] + floor_near(up) + 1 + pad;
        const int32_t first =
            (b->column[i] + floor_near(left) + 1 + pad) & ~(START - 1);
        const float dx = (float)(first - pad - b->column[i]) + 0.5f - b->tx[i];
        const float dy = (float)(first_row - pad - b->row[i]) + 0.5f - b->ty[i];
        const float bend = b->weight[i] == 1.0f ? 0.0f : b->variance * scale;
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
                     float radius)
{
    const int32_t pad = (int32_t)s->pad;
    float ex[EDGES], ey[EDGES], above[EDGES] = {0};
    int32_t left, top;
    const unsigned columns = cut(b->tx[i], radius, &left, ex);
    const unsigned rows = cut(b->ty[i], radius, &top, ey);
    for (unsigned r = 1; r <= rows; r++) {
        const int32_t row = b->row[i] + top + (int32_t)r - 1;
        const bool in = row >= 0 && row < SIDE;
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
                         float radius)
{
    const struct om__kernel *k = s->field->kernel;
    const float inverse = 1.0f / radius;
    const float x0 = within_1(-b->tx[i] * inverse);
    const float x1 = within_1((1.0f - b->tx[i]) * inverse);
    const float y0 = within_1(-b->ty[i] * inverse);
    const float y1 = within_1((1.0f - b->ty[i]) * inverse);
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
    // A kernel has an eighth of its squared radius as its variance.
    const float wider = 8.0f * b->variance;
    const int32_t margin = (int32_t)s->margin, limit = SIDE + margin;
    const int32_t pad = (int32_t)s->pad;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i], col = b->column[i];
        if (row < -margin || row >= limit || col < -margin || col >= limit)
            continue;
        const float radius =
            sqrtf(s->radius[row + margin] * s->radius[row + margin] + wider);
        const float tx = b->tx[i], ty = b->ty[i], far = 1.0f - radius;
        const bool whole =
            tx >= radius && tx <= far && ty >= radius && ty <= far;
        if (!whole && radius <= 1.0f && row >= -1 && row <= SIDE)
            take_corners(s, b, i, radius);
        else if (!whole)
            take_cut(s, b, i, radius);
        else if (row >= 0 && row < SIDE)
            s->value[(size_t)(row + pad) * s->stride + (size_t)(col + pad)] +=
                b->weight[i] * s->per_km2[row + 2];
    }
}

static double radius_px(const struct om__field *f, double side, double row)
{
    return f->spec->bandwidth_m / (side * om__ground_m((row + 0.5) * side));
}

static om_status splat_init(struct splat *s, double side, int64_t row0)
{
    const struct om__field *f = s->field;
    const double up = radius_px(f, side, (double)row0 - 2.0);
    const double down = radius_px(f, side, (double)row0 + SIDE + 2.0);
    // A mass further out than its own radius does not reach in; those at the
    // margin are a little nearer to the pole or not, hence two more.
    const double widest = (up > down ? up : down) * 1.05;
    s->margin = (unsigned)widest + 3;
    s->rows = (unsigned)(2.0 * widest) + 1;
    s->chunks = (s->rows + START - 1 + LANES - 1) / LANES;
    s->pad = (2 * s->margin + START - 1) / START * START;
    s->stride = SIDE + 2 * (size_t)s->pad + s->chunks * LANES;
    const double h_km = f->spec->bandwidth_m / 1000.0;
    s->peak = (float)(f->kernel->peak / (h_km * h_km));
    s->value = om_arena_calloc(
        f->arena, (SIDE + 2 * (size_t)s->pad + s->rows) * s->stride,
        sizeof(float));
    s->radius =
        om_arena_calloc(f->arena, SIDE + 2 * (size_t)s->margin, sizeof(float));
    s->per_km2 = om_arena_calloc(f->arena, SIDE + 4, sizeof(float));
    s->shape = om_arena_calloc(f->arena, SHAPES + 2, sizeof(float));
    s->bent = om_arena_calloc(f->arena, SHAPES + 2, sizeof(float));
    if (!s->value || !s->radius || !s->per_km2 || !s->shape || !s->bent)
        return OM_E_MEMORY;
    for (size_t i = 0; i < SIDE + 2 * (size_t)s->margin; i++)
        s->radius[i] = (float)radius_px(
            f, side, (double)row0 + (double)i - (double)s->margin);
    for (size_t i = 0; i < SIDE; i++) {
        const double km =
            side * om__ground_m(((double)(row0 + (int64_t)i) + 0.5) * side) /
            1000.0;
        s->per_km2[i + 2] = (float)(1.0 / (km * km));
    }
    if (f->kernel->kind != OM_KERNEL_QUARTIC)
        for (size_t i = 0; i <= SHAPES; i++) {
            const double q = fmin((double)i / SHAPES, 1.0 - 1e-12);
            s->shape[i] = (float)om__kernel_shape(f->kernel->kind, q);
            s->bent[i] = (float)om__kernel_bend(f->kernel->kind, q);
        }
    return OM_OK;
}

om_status om__splat_values(const struct om__field *field, unsigned exponent,
                           bool mean, unsigned level, int64_t column0,
                           int64_t row0, float *out)
{
    struct splat s = {.field = field};
    const double side = ldexp(1.0, (int)exponent);
    OM_TRY(splat_init(&s, side, row0));
    const double last = OM_POS_SIDE - 1.0, around = s.margin * side;
    const double x0 = (double)column0 * side, y0 = (double)row0 * side;
    const double span = SIDE * side + around - 1.0;
    OM_TRY(om__gather_run(&(struct om__gather){
        .spec = field->spec,
        .prepared = field->prepared,
        .reference_s = field->reference_s,
        .box = {(uint32_t)fmax(x0 - around, 0.0),
                (uint32_t)fmax(y0 - around, 0.0),
                (uint32_t)fmin(x0 + span, last),
                (uint32_t)fmin(y0 + span, last)},
        .level = level,
        .exponent = exponent,
        .column0 = column0,
        .row0 = row0,
        .arena = field->arena,
        .take = mean ? take_means : take_values,
        .ctx = &s,
    }));
    for (size_t row = 0; row < SIDE; row++)
        memcpy(out + row * SIDE, s.value + (row + s.pad) * s.stride + s.pad,
               SIDE * sizeof *out);
    return OM_OK;
}
