/* heat.c - from values to colours to a picture.
 *
 * DESIGN
 * A legend is 16 steps over (0, largest value of the unfiltered field], at the
 * squares of 1/17 to 16/17 of it: density spans orders of magnitude, and the
 * lower half of the steps belongs to the lower quarter of the values. One
 * legend serves all zooms and periods; it is never the maximum of a picture.
 * Risks have a legend of ratios instead: steps of the square root of 2 around
 * the city's mean, coloured by the four grades of risk, so that twice the mean
 * is as far from it as half of it, and a colour is a statement ("two to four
 * times the mean"). Unknown is a grey of its own.
 * A tile's palette holds only the colours it uses, so that nearly every tile
 * fits 4 bits a pixel.
 */
#include "tiles/heat.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "tiles/heat_internal.h"
#include "tiles/png.h"

#define STOPS 5
#define ALPHA_FIRST 72
#define ALPHA_LAST 236
/* Step of a relative legend that begins at the mean. */
#define STEP_MEAN 8
/* Steps of a picture: transparent, the legend's, unknown. */
#define STEP_UNKNOWN (OM_LEGEND_STEPS + 1)
#define STEPS_ALL (OM_LEGEND_STEPS + 2)
/* Of 255: how far lines of the lowest values stand off the ground. */
#define LINE_LIFT 150
/* Pixels of a legend's picture. */
#define SWATCH_WIDTH 32
#define SWATCH_HEIGHT 12

/* Ramps from the lowest step to the highest, even to the eye on the ground
 * they are named after. */
static const uint8_t RAMP[2][STOPS][3] = {
    [OM_PALETTE_DARK] = {{0x2a, 0x1e, 0x5c},
                         {0x6b, 0x2a, 0x8f},
                         {0xb8, 0x3a, 0x7c},
                         {0xf0, 0x71, 0x3c},
                         {0xfb, 0xd5, 0x6b}},
    [OM_PALETTE_LIGHT] = {{0xfc, 0xe3, 0xb4},
                          {0xf7, 0xb2, 0x67},
                          {0xef, 0x7b, 0x45},
                          {0xc4, 0x47, 0x2f},
                          {0x6e, 0x1e, 0x23}},
};

/* Transparent pictures of one bit a pixel. */
static const uint8_t EMPTY_256[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
    0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x01, 0x03, 0x00, 0x00, 0x00, 0x66, 0xbc, 0x3a, 0x25, 0x00, 0x00, 0x00,
    0x03, 0x50, 0x4c, 0x54, 0x45, 0x00, 0x00, 0x00, 0xa7, 0x7a, 0x3d, 0xda,
    0x00, 0x00, 0x00, 0x01, 0x74, 0x52, 0x4e, 0x53, 0x00, 0x40, 0xe6, 0xd8,
    0x66, 0x00, 0x00, 0x00, 0x1f, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0xed,
    0xc1, 0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf7, 0x4f, 0x6d, 0x0e,
    0x37, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xbe, 0x0d,
    0x21, 0x00, 0x00, 0x01, 0x60, 0xe4, 0x9d, 0x97, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};
static const uint8_t EMPTY_512[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
    0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00,
    0x01, 0x03, 0x00, 0x00, 0x00, 0xce, 0xb6, 0x46, 0xb9, 0x00, 0x00, 0x00,
    0x03, 0x50, 0x4c, 0x54, 0x45, 0x00, 0x00, 0x00, 0xa7, 0x7a, 0x3d, 0xda,
    0x00, 0x00, 0x00, 0x01, 0x74, 0x52, 0x4e, 0x53, 0x00, 0x40, 0xe6, 0xd8,
    0x66, 0x00, 0x00, 0x00, 0x36, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0xed,
    0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x82, 0x20, 0xff, 0xaf, 0x6e, 0x48,
    0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7c, 0x1b, 0x82,
    0x00, 0x00, 0x01, 0x63, 0x75, 0x50, 0xa4, 0x00, 0x00, 0x00, 0x00, 0x49,
    0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

bool om_palette_from_name(const char *name, enum om_palette *out)
{
    if (!strcmp(name, "dark"))
        *out = OM_PALETTE_DARK;
    else if (!strcmp(name, "light"))
        *out = OM_PALETTE_LIGHT;
    else
        return false;
    return true;
}

static void fill_colours(enum om_palette palette, struct om_legend *out)
{
    memset(out->rgba[0], 0, sizeof out->rgba[0]);
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++) {
        const double at = (double)i * (STOPS - 1) / (OM_LEGEND_STEPS - 1);
        const unsigned stop = at < STOPS - 1 ? (unsigned)at : STOPS - 2;
        for (unsigned c = 0; c < 3; c++) {
            const double a = RAMP[palette][stop][c];
            const double b = RAMP[palette][stop + 1][c];
            out->rgba[i + 1][c] = (uint8_t)lrint(a + (b - a) * (at - stop));
        }
        out->rgba[i + 1][3] =
            (uint8_t)(ALPHA_FIRST +
                      (ALPHA_LAST - ALPHA_FIRST) * i / (OM_LEGEND_STEPS - 1));
    }
}

static void fill_breaks(double most, struct om_legend *out)
{
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++) {
        const double root = (i + 1.0) / (OM_LEGEND_STEPS + 1);
        // Positive even for an empty layer: nothing is drawn then.
        out->from[i] = (float)fmax(most * root * root, FLT_MIN * (i + 1.0));
    }
}

static const uint8_t UNKNOWN[2][4] = {
    [OM_PALETTE_DARK] = {0x8a, 0x90, 0x98, 0x58},
    [OM_PALETTE_LIGHT] = {0x6e, 0x74, 0x7c, 0x50},
};

void om_legend_density(double most, enum om_palette palette,
                       struct om_legend *out)
{
    *out = (struct om_legend){.unit = "per km2"};
    fill_breaks(most, out);
    fill_colours(palette, out);
    memcpy(out->unknown, UNKNOWN[palette], sizeof out->unknown);
}

/* ---- relative risk ----------------------------------------------------- */

const struct om_legend_grade om_legend_grade[OM_LEGEND_GRADES] = {
    {"low", "低", "蓝", 0.0, 0},
    {"moderate", "一般", "黄", 1.0, STEP_MEAN},
    {"serious", "较大", "橙", 2.0, STEP_MEAN + 2},
    {"high", "重大", "红", 4.0, STEP_MEAN + 4},
};

/* First and last colour of each grade. Low risk stays in the background. */
static const uint8_t GRADE[2][OM_LEGEND_GRADES][2][4] = {
    [OM_PALETTE_DARK] = {{{0x1d, 0x3a, 0x6e, 0x60}, {0x3f, 0x83, 0xc9, 0x90}},
                         {{0xe8, 0xcf, 0x4e, 0xa8}, {0xf5, 0xc2, 0x1d, 0xbc}},
                         {{0xf7, 0x9a, 0x32, 0xcc}, {0xf2, 0x74, 0x1b, 0xd8}},
                         {{0xe9, 0x45, 0x2f, 0xe0}, {0xc0, 0x10, 0x28, 0xf0}}},
    [OM_PALETTE_LIGHT] = {{{0xcf, 0xe0, 0xf3, 0x70}, {0x7f, 0xae, 0xdd, 0xa0}},
                          {{0xf6, 0xe2, 0x7a, 0xb8}, {0xf0, 0xc4, 0x30, 0xc8}},
                          {{0xf2, 0x98, 0x3c, 0xd0}, {0xe4, 0x72, 0x1e, 0xdc}},
                          {{0xd8, 0x3b, 0x2c, 0xe4}, {0x9c, 0x0c, 0x22, 0xf0}}},
};

double om_legend_relative_from(unsigned step)
{
    return step == 0 ? 0.0 : exp2(((double)step - STEP_MEAN) / 2.0);
}

static void fill_grades(enum om_palette palette, struct om_legend *out)
{
    memset(out->rgba[0], 0, sizeof out->rgba[0]);
    for (unsigned g = 0; g < OM_LEGEND_GRADES; g++) {
        const unsigned first = om_legend_grade[g].step;
        const unsigned end = g + 1 < OM_LEGEND_GRADES
                                 ? om_legend_grade[g + 1].step
                                 : OM_LEGEND_STEPS;
        for (unsigned i = first; i < end; i++)
            for (unsigned c = 0; c < 4; c++) {
                const double a = GRADE[palette][g][0][c];
                const double b = GRADE[palette][g][1][c];
                const double part = (double)(i - first) / (end - first - 1);
                out->rgba[i + 1][c] = (uint8_t)lrint(a + (b - a) * part);
            }
    }
    memcpy(out->unknown, UNKNOWN[palette], sizeof out->unknown);
}

void om_legend_relative(double mean, enum om_palette palette,
                        struct om_legend *out)
{
    *out = (struct om_legend){0};
    // Where there is no mean nothing is known, and any breaks will do.
    if (!(mean > 0.0)) mean = 1.0;
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        out->from[i] = (float)(mean * om_legend_relative_from(i));
    fill_grades(palette, out);
}

/* A part of `to` in 255 of a colour. */
static uint8_t mixed(uint8_t from, uint8_t to, unsigned part)
{
    return (uint8_t)((from * (255 - part) + to * part + 127) / 255);
}

void om_legend_lines(const struct om_legend *from, enum om_palette palette,
                     struct om_legend *out)
{
    const uint8_t away = palette == OM_PALETTE_DARK ? 255 : 0;
    *out = *from;
    out->lines = true;
    memset(out->unknown, 0, sizeof out->unknown);
    for (unsigned i = 1; i <= OM_LEGEND_STEPS; i++) {
        // The lowest are nearest to the ground: they are lifted most.
        const unsigned lift =
            LINE_LIFT * (OM_LEGEND_STEPS - i) / OM_LEGEND_STEPS;
        for (unsigned c = 0; c < 3; c++)
            out->rgba[i][c] = mixed(from->rgba[i][c], away, lift);
        out->rgba[i][3] = 255;
    }
}

om_status om_legend_png(const struct om_legend *legend, struct om_buf *png)
{
    enum { ROWS = STEPS_ALL - 1, HEIGHT = ROWS * SWATCH_HEIGHT };
    static const unsigned WIDTH = SWATCH_WIDTH;
    uint8_t index[HEIGHT * SWATCH_WIDTH];
    uint8_t rgba[ROWS][4];
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        memcpy(rgba[i], legend->rgba[OM_LEGEND_STEPS - i], sizeof rgba[i]);
    memcpy(rgba[OM_LEGEND_STEPS], legend->unknown, sizeof legend->unknown);
    for (unsigned i = 0; i < HEIGHT * WIDTH; i++)
        index[i] = (uint8_t)(i / WIDTH / SWATCH_HEIGHT);
    return om_png_palette(index, WIDTH, HEIGHT,
                          (const uint8_t(*)[4])(const void *)rgba, ROWS, png);
}

/* ---- tiles ------------------------------------------------------------- */

om_status om_heat_legend(struct om_fields *fields,
                         const struct om_field_spec *spec,
                         struct om_selections *cache, enum om_palette palette,
                         struct om_legend *out)
{
    struct om_selection *all = NULL;
    OM_TRY(om_select(cache, spec->layer, NULL, (struct om_window){0}, &all));
    struct om_field_spec whole = *spec;
    whole.selection = all;
    double most = 0.0, whole_weight = 0.0, weight = 0.0;
    om_status st = om_field_scale(fields, &whole, &most, &whole_weight);
    if (!st) st = om_field_weight(fields, spec, &weight);
    om_selection_unref(all);
    if (st) return st;
    const double share = whole_weight > 0.0 ? weight / whole_weight : 1.0;
    om_legend_density(share > 0.0 ? most * fmin(share, 1.0) : most, palette,
                      out);
    return OM_OK;
}

/* Step of every value: how many breaks are not above it; of no number a step
 * of its own. */
OM_CLONES
static void find_steps(const float *value, size_t n, const float *from,
                       uint8_t *step)
{
    for (size_t i = 0; i < n; i++) {
        int32_t above = 0;
        for (unsigned k = 0; k < OM_LEGEND_STEPS; k++)
            above += value[i] >= from[k];
        above += (value[i] != value[i]) * STEP_UNKNOWN;
        step[i] = (uint8_t)above;
    }
}

/* The line that a value lies within: 0 below the lowest. */
static unsigned line_of(uint8_t step)
{
    return step == STEP_UNKNOWN ? 0 : step / OM_LEGEND_LINE_EVERY;
}

/* Is there less within so many pixels beside, above or below? */
static bool is_edge(const uint8_t *step, unsigned side, unsigned x, unsigned y,
                    unsigned width)
{
    const uint8_t *at = step + (size_t)y * side + x;
    const unsigned here = line_of(*at);
    for (unsigned d = 1; d <= width; d++)
        if ((x >= d && line_of(at[-(ptrdiff_t)d]) < here) ||
            (x + d < side && line_of(at[d]) < here) ||
            (y >= d && line_of(at[-(ptrdiff_t)(d * side)]) < here) ||
            (y + d < side && line_of(at[(size_t)d * side]) < here))
            return true;
    return false;
}

/* Keep of the steps where lines run; the rest is nothing. What lies beyond the
 * square is not known: a line that runs along its very edge may be missing. */
static om_status keep_lines(uint8_t *step, unsigned side,
                            struct om_arena *arena)
{
    const size_t n = (size_t)side * side;
    const unsigned width = side / OM_TILE_SIDE_PX;
    uint8_t *line = om_arena_calloc(arena, n, 1);
    if (!line) return OM_E_MEMORY;
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            const unsigned here = line_of(step[(size_t)y * side + x]);
            if (here && is_edge(step, side, x, y, width))
                line[(size_t)y * side + x] =
                    (uint8_t)(here * OM_LEGEND_LINE_EVERY);
        }
    memcpy(step, line, n);
    return OM_OK;
}

/* Bit s set: some pixel is of step s. */
static uint32_t steps_used(const uint8_t *step, size_t n)
{
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++) used |= UINT32_C(1) << step[i];
    return used;
}

OM_CLONES
static void renumber(uint8_t *step, size_t n, const uint8_t *number)
{
    for (size_t i = 0; i < n; i++) step[i] = number[step[i]];
}

static om_status write_empty(unsigned side_px, struct om_buf *png)
{
    if (side_px == OM_TILE_SIDE_PX)
        return om_buf_add(png, EMPTY_256, sizeof EMPTY_256);
    return om_buf_add(png, EMPTY_512, sizeof EMPTY_512);
}

om_status om_heat_png(const float *value, unsigned side_px,
                      const struct om_legend *legend, struct om_arena *arena,
                      struct om_buf *png)
{
    if (side_px != OM_TILE_SIDE_PX && side_px != 2 * OM_TILE_SIDE_PX)
        return OM_E_RANGE;
    const size_t n = (size_t)side_px * side_px;
    uint8_t *step = om_arena_alloc(arena, n);
    if (!step) return OM_E_MEMORY;
    find_steps(value, n, legend->from, step);
    if (legend->lines) OM_TRY(keep_lines(step, side_px, arena));
    const uint32_t used = steps_used(step, n);
    if (used == 1) return write_empty(side_px, png);

    uint8_t number[STEPS_ALL] = {0};
    uint8_t rgba[STEPS_ALL][4];
    unsigned colours = 0;
    for (unsigned s = 0; s < STEPS_ALL; s++) {
        if (!(used >> s & 1)) continue;
        number[s] = (uint8_t)colours;
        memcpy(rgba[colours++],
               s == STEP_UNKNOWN ? legend->unknown : legend->rgba[s],
               sizeof *rgba);
    }
    if (colours < STEPS_ALL) renumber(step, n, number);
    return om_png_palette(step, side_px, side_px,
                          (const uint8_t(*)[4])(const void *)rgba, colours,
                          png);
}

om_status om_heat_tile(struct om_fields *fields,
                       const struct om_field_spec *spec,
                       const struct om_field_window *window,
                       const struct om_legend *legend, struct om_arena *arena,
                       struct om_buf *png)
{
    if (window->side_px != OM_TILE_SIDE_PX &&
        window->side_px != 2 * OM_TILE_SIDE_PX)
        return OM_E_RANGE;
    const size_t n = (size_t)window->side_px * window->side_px;
    float *value = om_arena_alloc(arena, n * sizeof *value);
    if (!value) return OM_E_MEMORY;
    OM_TRY(om_field_window(fields, spec, window, arena, value));
    return om_heat_png(value, window->side_px, legend, arena, png);
}

/* Less than a unit within a kernel is nothing: a hem around the last house, and
 * what the lattice blurs beyond it. */
static double least_shown(const struct om_risk *risk)
{
    if (risk->exposures == 0) return 0.0;
    const struct om_field_spec *spec = &risk->exposure[0].spec;
    const double one =
        1.0 / om_kernel_area_km2(spec->kernel, spec->bandwidth_m);
    return fmax(fmin(one, om_risk_least_exposure(risk)), DBL_MIN);
}

om_status om_risk_shown(struct om_fields *fields, const struct om_risk *risk,
                        const struct om_field_window *window,
                        const struct om_legend *legend, struct om_arena *arena,
                        float *value)
{
    const float nothing = (float)least_shown(risk);
    if (om__risk_is_coarse(risk, window))
        return om__risk_coarse(fields, risk, window, legend, nothing, arena,
                               value);
    const size_t n = (size_t)window->side_px * window->side_px;
    float *exposure =
        risk->exposures ? om_arena_alloc(arena, n * sizeof *exposure) : NULL;
    if (risk->exposures && !exposure) return OM_E_MEMORY;
    OM_TRY(om_risk_window(fields, risk, window, arena, value, exposure));
    for (size_t i = 0; exposure && i < n; i++)
        if (exposure[i] < nothing) value[i] = -INFINITY;
    return OM_OK;
}

om_status om_legend_colours(const struct om_legend *legend, const float *value,
                            unsigned side_px, struct om_arena *arena,
                            uint8_t (*rgba)[4])
{
    const size_t n = (size_t)side_px * side_px;
    uint8_t *step = om_arena_alloc(arena, n);
    if (!step) return OM_E_MEMORY;
    find_steps(value, n, legend->from, step);
    if (legend->lines) OM_TRY(keep_lines(step, side_px, arena));
    for (size_t i = 0; i < n; i++)
        memcpy(
            rgba[i],
            step[i] == STEP_UNKNOWN ? legend->unknown : legend->rgba[step[i]],
            4);
    return OM_OK;
}

om_status om_risk_png(struct om_fields *fields, const struct om_risk *risk,
                      const struct om_field_window *window,
                      const struct om_legend *legend, struct om_arena *arena,
                      struct om_buf *png)
{
    if (window->side_px != OM_TILE_SIDE_PX &&
        window->side_px != 2 * OM_TILE_SIDE_PX)
        return OM_E_RANGE;
    const size_t n = (size_t)window->side_px * window->side_px;
    float *value = om_arena_alloc(arena, n * sizeof *value);
    if (!value) return OM_E_MEMORY;
    OM_TRY(om_risk_shown(fields, risk, window, legend, arena, value));
    return om_heat_png(value, window->side_px, legend, arena, png);
}
