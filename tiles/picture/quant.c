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

#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "tiles/png.h"

#define COLOURS 256
#define MEMO_BITS 14
/* An entry that is set: so that colour 0 is not taken for known. */
#define KNOWN (UINT64_C(1) << 63)

struct om_quant {
    size_t count;
    uint8_t rgba[COLOURS][4];  // as PNG wants them
    int32_t flat[4][COLOURS];  // premultiplied; far away where unused
    atomic_uint_least64_t memo[1 << MEMO_BITS];
};

om_status om_quant_new(struct om_quant **out)
{
    *out = om_calloc(1, sizeof **out);
    if (!*out) return OM_E_MEMORY;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < COLOURS; i++) (*out)->flat[k][i] = 10000;
    return OM_OK;
}

void om_quant_free(struct om_quant *quant)
{
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

om_status om_quant_png(struct om_quant *quant, const struct om_canvas *canvas,
                       struct om_arena *arena, struct om_buf *png)
{
    const size_t n = (size_t)canvas->view.width * canvas->view.height;
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
