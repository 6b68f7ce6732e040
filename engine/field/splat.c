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
/* Lanes of a row that are computed at once; what falls beside is not used. */
#define LANES 8
#define SHAPES 1024

struct splat {
    const struct om__field *field;
    unsigned margin;  // pixels around the block that reach into it
    size_t stride;
    float *value;    // [SIDE][stride], `margin + LANES` columns before
    float *radius;   // [SIDE + 2 * margin] pixels, by row of the mass
    float *per_km2;  // [SIDE] mean: 1 / area of a pixel of this row
    float peak;      // value at the centre of a mass of 1
    float *shape;    // [SHAPES + 2] by squared distance
};

static inline float shape_at(const struct splat *s, float q)
{
    const float at = q * SHAPES;
    const unsigned i = (unsigned)at;
    const float part = at - (float)i;
    return s->shape[i] + (s->shape[i + 1] - s->shape[i]) * part;
}

/* One row of one mass: dx[0] of the first place, in pixels. */
static inline void row_quartic(float *out, unsigned n, float dx, float dy2,
                               float scale, float amount)
{
    for (unsigned c = 0; c < n; c += LANES)
        for (unsigned i = c; i < c + LANES; i++) {
            const float x = dx + (float)i;
            const float fall = 1.0f - (x * x + dy2) * scale;
            const float in = fall > 0.0f ? fall : 0.0f;
            out[i] += amount * in * in;
        }
}

static inline void row_table(const struct splat *s, float *out, unsigned n,
                             float dx, float dy2, float scale, float amount)
{
    for (unsigned i = 0; i < n; i++) {
        const float x = dx + (float)i;
        const float q = (x * x + dy2) * scale;
        if (q < 1.0f) out[i] += amount * shape_at(s, q);
    }
}

OM_CLONES
static void take_values(void *ctx, const struct om__batch *b)
{
    struct splat *s = ctx;
    const int32_t margin = (int32_t)s->margin, limit = SIDE + margin;
    const bool quartic = s->field->kernel->kind == OM_KERNEL_QUARTIC;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i], col = b->column[i];
        if (row < -margin || row >= limit || col < -margin || col >= limit)
            continue;
        const float radius = s->radius[row + margin];
        const float scale = 1.0f / (radius * radius);
        const float amount = s->peak * b->weight[i];
        // Places from the first whose centre can be nearer than the radius.
        const float dx = 0.5f - b->tx[i], dy = 0.5f - b->ty[i];
        const int32_t up = (int32_t)ceilf(-radius - dy);
        const int32_t down = (int32_t)floorf(radius - dy);
        const int32_t left = (int32_t)ceilf(-radius - dx);
        const int32_t right = (int32_t)floorf(radius - dx);
        if (right < left) continue;
        for (int32_t r = up; r <= down; r++) {
            if (row + r < 0 || row + r >= SIDE) continue;
            const float y = dy + (float)r;
            float *out = s->value + (size_t)(row + r) * s->stride +
                         (col + left + 2 * margin);
            if (quartic)
                row_quartic(out, (unsigned)(right - left + 1), dx + (float)left,
                            y * y, scale, amount);
            else
                row_table(s, out, (unsigned)(right - left + 1),
                          dx + (float)left, y * y, scale, amount);
        }
    }
}

/* Mass of the kernel with u < a, v < b; a, b in radii. */
static inline float quadrant(const struct om__kernel *k, float a, float b)
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
    const int32_t margin = (int32_t)s->margin;
    float ex[EDGES], ey[EDGES], above[EDGES] = {0};
    int32_t left, top;
    const unsigned columns = cut(b->tx[i], radius, &left, ex);
    const unsigned rows = cut(b->ty[i], radius, &top, ey);
    for (unsigned r = 1; r <= rows; r++) {
        const int32_t row = b->row[i] + top + (int32_t)r - 1;
        const bool in = row >= 0 && row < SIDE;
        float *out = s->value + (in ? (size_t)row : 0) * s->stride +
                     (b->column[i] + left + 2 * margin);
        float before = 0.0f;
        for (unsigned c = 1; c <= columns; c++) {
            const float below = quadrant(s->field->kernel, ex[c], ey[r]);
            if (in)
                out[c - 1] += b->weight[i] * s->per_km2[row] *
                              (below - above[c] - before);
            before = below - above[c];
            above[c] = below;
        }
    }
}

static void take_means(void *ctx, const struct om__batch *b)
{
    struct splat *s = ctx;
    const int32_t margin = (int32_t)s->margin, limit = SIDE + margin;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i], col = b->column[i];
        if (row < -margin || row >= limit || col < -margin || col >= limit)
            continue;
        const float radius = s->radius[row + margin];
        const float tx = b->tx[i], ty = b->ty[i], far = 1.0f - radius;
        const bool whole =
            tx >= radius && tx <= far && ty >= radius && ty <= far;
        if (!whole)
            take_cut(s, b, i, radius);
        else if (row >= 0 && row < SIDE)
            s->value[(size_t)row * s->stride + (size_t)(col + 2 * margin)] +=
                b->weight[i] * s->per_km2[row];
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
    s->margin = (unsigned)((up > down ? up : down) * 1.05) + 3;
    s->stride = SIDE + 4 * (size_t)s->margin + LANES;
    const double h_km = f->spec->bandwidth_m / 1000.0;
    s->peak = (float)(f->kernel->peak / (h_km * h_km));
    s->value = om_arena_calloc(f->arena, SIDE * s->stride, sizeof(float));
    s->radius =
        om_arena_calloc(f->arena, SIDE + 2 * (size_t)s->margin, sizeof(float));
    s->per_km2 = om_arena_calloc(f->arena, SIDE, sizeof(float));
    s->shape = om_arena_calloc(f->arena, SHAPES + 2, sizeof(float));
    if (!s->value || !s->radius || !s->per_km2 || !s->shape) return OM_E_MEMORY;
    for (size_t i = 0; i < SIDE + 2 * (size_t)s->margin; i++)
        s->radius[i] = (float)radius_px(
            f, side, (double)row0 + (double)i - (double)s->margin);
    for (size_t i = 0; i < SIDE; i++) {
        const double km =
            side * om__ground_m(((double)(row0 + (int64_t)i) + 0.5) * side) /
            1000.0;
        s->per_km2[i] = (float)(1.0 / (km * km));
    }
    if (f->kernel->kind != OM_KERNEL_QUARTIC)
        for (size_t i = 0; i <= SHAPES; i++)
            s->shape[i] = (float)om__kernel_shape(
                f->kernel->kind, fmin((double)i / SHAPES, 1.0 - 1e-12));
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
        memcpy(out + row * SIDE, s.value + row * s.stride + 2 * s.margin,
               SIDE * sizeof *out);
    return OM_OK;
}
