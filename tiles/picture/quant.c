/* quant.c - rounding to a fixed palette.
 *
 * DESIGN
 * The nearest of 256 colours takes a tenth of a microsecond to find, and a
 * picture has few thousand different colours: what was found is remembered in
 * one table for all pictures of the style. An entry is one word, written and
 * read whole; whoever computes it computes the same, so that no lock is
 * needed. Distances are between premultiplied colours: what is transparent
 * has no hue.
 */
#include "tiles/picture/quant.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "tiles/png.h"

#define COLOURS 256
#define MEMO_BITS 14
/* An entry that is set: so that colour 0 is not taken for known. */
#define KNOWN (UINT64_C(1) << 63)

/* Pictures of one colour, as they were written: tiles beyond the city, inside
 * of a lake or a large unit. */
#define EVEN_KEPT 16
struct even {
    uint8_t colour;
    unsigned width, height;
    struct om_buf png;
};

struct om_quant {
    pthread_mutex_t lock;  // of `even`
    size_t evens;
    struct even even[EVEN_KEPT];
    size_t count;
    uint8_t rgba[COLOURS][4];  // as PNG wants them
    int32_t flat[4][COLOURS];  // premultiplied; far away where unused
    atomic_uint_least64_t memo[1 << MEMO_BITS];
};

om_status om_quant_new(struct om_quant **out)
{
    *out = om_calloc(1, sizeof **out);
    if (!*out) return OM_E_MEMORY;
    pthread_mutex_init(&(*out)->lock, NULL);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < COLOURS; i++) (*out)->flat[k][i] = 10000;
    return OM_OK;
}

void om_quant_free(struct om_quant *quant)
{
    if (!quant) return;
    for (size_t i = 0; i < quant->evens; i++)
        om_buf_deinit(&quant->even[i].png);
    pthread_mutex_destroy(&quant->lock);
    om_free(quant);
}

void om_quant_add(struct om_quant *quant, struct om_colour c)
{
    if (!c.a) c = (struct om_colour){0};
    const uint8_t rgba[4] = {c.r, c.g, c.b, c.a};
    for (size_t i = 0; i < quant->count; i++)
        if (!memcmp(quant->rgba[i], rgba, 4)) return;
    if (quant->count == COLOURS) return;
    memcpy(quant->rgba[quant->count], rgba, 4);
    for (int k = 0; k < 3; k++)
        quant->flat[k][quant->count] = (rgba[k] * c.a + 127) / 255;
    quant->flat[3][quant->count] = c.a;
    quant->count++;
}

void om_quant_ramp(struct om_quant *quant, struct om_colour from,
                   struct om_colour to, unsigned steps)
{
    // What lies between is mixed premultiplied, as a canvas mixes.
    for (unsigned i = 0; i <= steps; i++) {
        const unsigned u = steps - i, v = i;
        const unsigned a = (from.a * u + to.a * v + steps / 2) / steps;
        const unsigned w = from.a * u + to.a * v;
        if (!w) {
            om_quant_add(quant, (struct om_colour){0});
            continue;
        }
        om_quant_add(
            quant,
            (struct om_colour){
                (uint8_t)((from.r * from.a * u + to.r * to.a * v + w / 2) / w),
                (uint8_t)((from.g * from.a * u + to.g * to.a * v + w / 2) / w),
                (uint8_t)((from.b * from.a * u + to.b * to.a * v + w / 2) / w),
                (uint8_t)a});
    }
}

size_t om_quant_count(const struct om_quant *quant)
{
    return quant->count;
}

struct om_colour om_quant_colour(const struct om_quant *quant, uint8_t i)
{
    const uint8_t *c = quant->rgba[i];
    return (struct om_colour){c[0], c[1], c[2], c[3]};
}

/* Square of the distance to every colour; eyes see green best. */
OM_CLONES
static void distances(const int32_t (*flat)[COLOURS], const uint8_t pixel[4],
                      int32_t *out)
{
    const int32_t r = pixel[0], g = pixel[1], b = pixel[2], a = pixel[3];
    for (int i = 0; i < COLOURS; i++) {
        const int32_t dr = flat[0][i] - r, dg = flat[1][i] - g;
        const int32_t db = flat[2][i] - b, da = flat[3][i] - a;
        out[i] = 3 * dr * dr + 4 * dg * dg + 2 * db * db + 3 * da * da;
    }
}

static uint8_t search(const struct om_quant *quant, const uint8_t pixel[4])
{
    int32_t far[COLOURS], best = INT32_MAX;
    distances(quant->flat, pixel, far);
    for (int i = 0; i < COLOURS; i++) best = far[i] < best ? far[i] : best;
    int i = 0;
    while (far[i] != best) i++;
    return (uint8_t)i;
}

uint8_t om_quant_nearest(struct om_quant *quant, const uint8_t pixel[4])
{
    uint32_t word;
    memcpy(&word, pixel, 4);
    const uint32_t slot = word * UINT32_C(0x9E3779B1) >> (32 - MEMO_BITS);
    const uint64_t seen =
        atomic_load_explicit(&quant->memo[slot], memory_order_relaxed);
    if ((seen & KNOWN) && (uint32_t)(seen >> 8) == word) return (uint8_t)seen;
    const uint8_t i = search(quant, pixel);
    atomic_store_explicit(&quant->memo[slot], KNOWN | (uint64_t)word << 8 | i,
                          memory_order_relaxed);
    return i;
}

/* Index of every pixel; `used` counts what occurs. */
static void round_all(struct om_quant *quant, const struct om_canvas *canvas,
                      uint8_t *index, bool used[COLOURS])
{
    const size_t n = (size_t)canvas->view.width * canvas->view.height;
    uint32_t last = 0;
    uint8_t now = om_quant_nearest(quant, (const uint8_t[4]){0});
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, canvas->pixel[i], 4);
        if (word != last || !any) {
            now = om_quant_nearest(quant, canvas->pixel[i]);
            used[now] = true;
            last = word;
            any = true;
        }
        index[i] = now;
    }
}

/* Is the whole canvas one colour? */
static bool is_even(const struct om_canvas *canvas)
{
    const size_t n = (size_t)canvas->view.width * canvas->view.height;
    return n && !memcmp(canvas->pixel[0], canvas->pixel[1], (n - 1) * 4);
}

/* Write a picture of one colour, or copy it. */
static om_status write_even(struct om_quant *quant,
                            const struct om_canvas *canvas, struct om_buf *png)
{
    const uint8_t colour = om_quant_nearest(quant, canvas->pixel[0]);
    const unsigned width = canvas->view.width, height = canvas->view.height;
    om_status st = OM_OK;
    pthread_mutex_lock(&quant->lock);
    size_t i = 0;
    while (i < quant->evens &&
           (quant->even[i].colour != colour || quant->even[i].width != width ||
            quant->even[i].height != height))
        i++;
    if (i == EVEN_KEPT) om_buf_deinit(&quant->even[--i].png);
    struct even *e = &quant->even[i];
    if (!e->png.len) {
        *e = (struct even){.colour = colour, .width = width, .height = height};
        uint8_t *index = om_calloc(width, height);
        st = index ? om_png_drawing(index, width, height,
                                    (const uint8_t(*)[4])quant->rgba[colour], 1,
                                    &e->png)
                   : OM_E_MEMORY;
        om_free(index);
        if (st) om_buf_deinit(&e->png);
        if (!st && i == quant->evens) quant->evens++;
    }
    if (!st) st = om_buf_add(png, e->png.bytes, e->png.len);
    pthread_mutex_unlock(&quant->lock);
    return st;
}

om_status om_quant_png(struct om_quant *quant, const struct om_canvas *canvas,
                       struct om_arena *arena, struct om_buf *png)
{
    const size_t n = (size_t)canvas->view.width * canvas->view.height;
    if (is_even(canvas)) return write_even(quant, canvas, png);
    uint8_t *index = om_arena_alloc(arena, n);
    if (!index) return OM_E_MEMORY;
    bool used[COLOURS] = {false};
    uint8_t rgba[COLOURS][4], number[COLOURS];
    unsigned colours = 0;
    round_all(quant, canvas, index, used);
    for (unsigned i = 0; i < COLOURS; i++) {
        number[i] = (uint8_t)colours;
        if (!used[i]) continue;
        memcpy(rgba[colours++], quant->rgba[i], 4);
    }
    for (size_t i = 0; i < n; i++) index[i] = number[index[i]];
    return om_png_drawing(index, canvas->view.width, canvas->view.height,
                          (const uint8_t(*)[4])rgba, colours, png);
}
