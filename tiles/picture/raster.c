/* raster.c - exact cover of pixels, in integers.
 *
 * DESIGN
 * Each line adds to a sum for each pixel it passes: what the area right of it
 * covers there. The running sum of a row is then the cover of each pixel (the
 * idea of libart and of FreeType's 'smooth' rasteriser; here the two numbers
 * of a cell are folded into one array). Lines are cut into rows and pixels by
 * flooring exact quotients of the whole line, which is first turned to run
 * southward. So
 * (1) a pixel's sum depends on the line and its place, not on the window: no
 *     line is ever clipped, rows and pixels outside are left out;
 * (2) a line and its reverse give the same numbers with opposite signs: what
 *     two neighbours share cancels, and a partition covers every pixel of its
 *     inside exactly once.
 * Sums are unsigned so that absurdly many layers wrap instead of overflowing.
 */
#include "tiles/picture/raster.h"

#include <string.h>

struct om_raster_row {
    unsigned first, end;  // entries of `sum` that are not zero; first >= end:
                          // none
};

om_status om_raster_init(struct om_raster *raster, unsigned width,
                         unsigned height, struct om_arena *arena)
{
    *raster = (struct om_raster){.width = width, .height = height};
    raster->sum =
        om_arena_calloc(arena, (size_t)height * (width + 2), sizeof(uint32_t));
    raster->row = om_arena_calloc(arena, height, sizeof *raster->row);
    raster->cover = om_arena_calloc(arena, width + 8, 1);
    if (!raster->sum || !raster->row || !raster->cover) return OM_E_MEMORY;
    for (unsigned y = 0; y < height; y++) raster->row[y].first = width + 2;
    raster->first_row = height;
    return OM_OK;
}

/* A stretch of a line within one row: from (x0, y0) down to (x1, y0 + dy), y
 * from the row's top. */
struct stretch {
    int64_t x0, x1;
    int dy;
    uint32_t sign;  // 1 or -1
};

static void touch(struct om_raster *r, unsigned y, unsigned first, unsigned end)
{
    struct om_raster_row *row = &r->row[y];
    if (first < row->first) row->first = first;
    if (end > row->end) row->end = end;
    if (y < r->first_row) r->first_row = y;
    if (y >= r->end_row) r->end_row = y + 1;
}

/* How far down a stretch is when it passes x: y less y0, between 0 and dy.
 * For stretches that go left it is counted from the lower end. */
static inline int depth_at(const struct stretch *s, int64_t x)
{
    return s->x0 < s->x1 ? (int)((x - s->x0) * s->dy / (s->x1 - s->x0))
                         : s->dy - (int)((s->x0 - x) * s->dy / (s->x0 - s->x1));
}

static inline void add_cell(uint32_t *sum, int dy, int fractions, uint32_t sign)
{
    const uint32_t right = (uint32_t)(dy * fractions);
    sum[0] += sign * ((uint32_t)dy * 512 - right);
    sum[1] += sign * right;
}

static void add_across(struct om_raster *r, unsigned y, const struct stretch *s)
{
    uint32_t *sum = r->sum + (size_t)y * (r->width + 2);
    const int64_t left = s->x0 < s->x1 ? s->x0 : s->x1;
    const int64_t right = s->x0 < s->x1 ? s->x1 : s->x0;
    int64_t cell = left >> 8;
    const int64_t last = right >> 8;
    int done = 0, entry = (int)(left & 255);
    if (left < 0) {
        // All that lies left of the window covers its first pixel fully.
        done = depth_at(s, 0);
        add_cell(sum, done, 0, s->sign);
        cell = 0;
        entry = 0;
    }
    touch(r, y, (unsigned)cell,
          (unsigned)(last < r->width ? last + 2 : r->width + 1));
    for (; cell <= last && cell < r->width; cell++) {
        const bool end = cell == last;
        const int upto = end ? s->dy : depth_at(s, (cell + 1) * 256);
        const int exit = end ? (int)(right & 255) : 256;
        add_cell(sum + cell, upto - done, entry + exit, s->sign);
        done = upto;
        entry = 0;
    }
}

static void add_stretch(struct om_raster *r, unsigned y,
                        const struct stretch *s)
{
    const int64_t width = (int64_t)r->width * 256;
    if (s->x0 >= width && s->x1 >= width) return;
    uint32_t *sum = r->sum + (size_t)y * (r->width + 2);
    if (s->x0 < 0 && s->x1 < 0) {
        add_cell(sum, s->dy, 0, s->sign);
        touch(r, y, 0, 1);
        return;
    }
    const int64_t cell = s->x0 >> 8;
    if (cell != s->x1 >> 8) {
        add_across(r, y, s);
        return;
    }
    add_cell(sum + cell, s->dy, (int)(s->x0 & 255) + (int)(s->x1 & 255),
             s->sign);
    touch(r, y, (unsigned)cell, (unsigned)cell + 2);
}

/* a * b / c rounded down, c > 0, and what is left. */
static int64_t quotient(int64_t a, int64_t b, int64_t c, int64_t *rest)
{
    __extension__ typedef __int128 wide;
    int64_t q;
    if (a < INT64_C(1) << 31 && b < INT64_C(1) << 31 &&
        b > -(INT64_C(1) << 31)) {
        q = a * b / c;
        *rest = a * b % c;
    } else {
        q = (int64_t)((wide)a * b / c);
        *rest = (int64_t)((wide)a * b % c);
    }
    if (*rest < 0) {
        q--;
        *rest += c;
    }
    return q;
}

/* A line that leaves its row: cut it where the rows meet. (1) holds since
 * each cut is floor((y - from.y) * dx / dy), whichever row is the first. */
static void add_rows(struct om_raster *r, struct om_spot from,
                     struct om_spot to, uint32_t sign)
{
    const int64_t dx = to.x - from.x, dy = to.y - from.y;
    const int64_t bottom = (int64_t)r->height * 256;
    const int64_t top = from.y > 0 ? from.y : 0;
    const int64_t end = to.y < bottom ? to.y : bottom;
    int64_t y = top, rest, step_rest;
    int64_t x = from.x + quotient(y - from.y, dx, dy, &rest);
    const int64_t step = quotient(256, dx, dy, &step_rest);
    while (y < end) {
        const int64_t next = (y | 255) + 1;
        struct stretch s = {.x0 = x, .sign = sign};
        if (next >= to.y) {
            s.x1 = to.x;
            s.dy = (int)(to.y - y);
        } else {
            if (next - y == 256) {
                x += step;
                rest += step_rest;
                if (rest >= dy) {
                    rest -= dy;
                    x++;
                }
            } else {
                x = from.x + quotient(next - from.y, dx, dy, &rest);
            }
            s.x1 = x;
            s.dy = (int)(next - y);
        }
        add_stretch(r, (unsigned)(y >> 8), &s);
        y = next;
    }
}

void om_raster_line(struct om_raster *raster, struct om_spot from,
                    struct om_spot to)
{
    if (from.y == to.y) return;
    uint32_t sign = UINT32_MAX;  // southward: minus one
    if (from.y > to.y) {
        const struct om_spot swap = from;
        from = to;
        to = swap;
        sign = 1;
    }
    const int64_t bottom = (int64_t)raster->height * 256;
    const int64_t right = (int64_t)raster->width * 256;
    if (to.y <= 0 || from.y >= bottom) return;
    if (from.x >= right && to.x >= right) return;
    if (from.y >= 0 && from.y >> 8 == (to.y - 1) >> 8) {
        const struct stretch s = {
            .x0 = from.x, .x1 = to.x, .dy = (int)(to.y - from.y), .sign = sign};
        add_stretch(raster, (unsigned)(from.y >> 8), &s);
        return;
    }
    add_rows(raster, from, to, sign);
}

static uint8_t cover_of(uint32_t sum)
{
    int32_t c = (int32_t)sum;
    c = c < 0 ? 0 : c > OM_RASTER_FULL ? OM_RASTER_FULL : c;
    return (uint8_t)((c * 255 + OM_RASTER_FULL / 2) / OM_RASTER_FULL);
}

/* Entries from `i` on that are zero, eight at a time; never beyond `end`. */
static unsigned zeros_end(const uint32_t *sum, unsigned i, unsigned end)
{
    while (i + 8 <= end) {
        uint64_t w[4];
        memcpy(w, sum + i, sizeof w);
        if (w[0] | w[1] | w[2] | w[3]) break;
        i += 8;
    }
    while (i < end && !sum[i]) i++;
    return i;
}

/* Covers from `i` on until nothing is covered any more; returns where. Sums
 * become zero. */
static unsigned run_end(uint32_t *sum, unsigned i, unsigned end, unsigned width,
                        uint8_t *cover)
{
    uint32_t now = 0;
    while (i < end) {
        now += sum[i];
        sum[i] = 0;
        const uint8_t c = cover_of(now);
        cover[i++] = c;
        const unsigned same = zeros_end(sum, i, end);
        if (!now) {
            if (same > i) return i;
        } else {
            memset(cover + i, c, same - i);
            i = same;
        }
    }
    // What is still covered goes on to the window's edge.
    if (i < width && (int32_t)now > 0) {
        memset(cover + i, cover_of(now), width - i);
        i = width;
    }
    return i;
}

void om_raster_sweep(struct om_raster *raster, om_raster_fn *take, void *ctx)
{
    const unsigned width = raster->width;
    for (unsigned y = raster->first_row; y < raster->end_row; y++) {
        struct om_raster_row *row = &raster->row[y];
        uint32_t *sum = raster->sum + (size_t)y * (width + 2);
        const unsigned end = row->end < width ? row->end : width;
        for (unsigned i = row->first; i < end;) {
            const unsigned from = zeros_end(sum, i, end);
            if (from == end) break;
            i = run_end(sum, from, end, width, raster->cover);
            take(ctx, y, from, i - from, raster->cover + from);
        }
        sum[width] = sum[width + 1] = 0;
        *row = (struct om_raster_row){.first = width + 2};
    }
    raster->first_row = raster->height;
    raster->end_row = 0;
}

int64_t om_raster_total(const struct om_raster *raster)
{
    int64_t total = 0;
    for (unsigned y = 0; y < raster->height; y++) {
        uint32_t now = 0;
        for (unsigned x = 0; x < raster->width; x++) {
            now += raster->sum[(size_t)y * (raster->width + 2) + x];
            total += (int32_t)now;
        }
    }
    return total;
}
