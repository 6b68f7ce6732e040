/* risk.c - sums of fields over sums of fields, and when not to say.
 *
 * DESIGN
 * Everything rests on om_field_window and its kin: terms are added in their
 * order, in double, and rounded once. Ratios of two densities are steady where
 * the lower one is, so a value is given only above the floor, which is a
 * density: the same threshold for a pixel of any zoom, a raster and the exact
 * place.
 */
#include "engine/risk/risk.h"

#include <math.h>
#include <string.h>

#include "data/model/earth.h"

#define M2_PER_KM2 1e6

/* 1 / integral of the squared kernel of radius 1. */
static double kernel_area(enum om_kernel kernel)
{
    switch (kernel) {
        case OM_KERNEL_QUARTIC:  // (3/pi)^2 * pi * integral of q^4
            return OM_PI * 5.0 / 9.0;
        case OM_KERNEL_EPANECHNIKOV:  // (2/pi)^2 * pi * integral of q^2
            return OM_PI * 3.0 / 4.0;
        case OM_KERNEL_GAUSSIAN: {  // sigma = 1/3, cut at 1
            // exp(-9 q / 2): its integrals over the disc, of it and of its
            // square, are pi * (1 - exp(-4.5)) / 4.5 and pi * (1 - exp(-9)) / 9
            const double one = (1.0 - exp(-4.5)) / 4.5;
            const double square = (1.0 - exp(-9.0)) / 9.0;
            return OM_PI * one * one / square;
        }
    }
    return OM_PI;
}

double om_kernel_area_km2(enum om_kernel kernel, double bandwidth_m)
{
    return kernel_area(kernel) * bandwidth_m * bandwidth_m / M2_PER_KM2;
}

static bool factors_ok(const struct om_risk_part *part, size_t n, bool exposed)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(part[i].factor) || (exposed && !(part[i].factor > 0.0)))
            return false;
    return true;
}

om_status om_risk_check(const struct om_risk *risk)
{
    if (risk->terms == 0 || !factors_ok(risk->term, risk->terms, false) ||
        !factors_ok(risk->exposure, risk->exposures, true))
        return OM_E_RANGE;
    if (!(risk->scale > 0.0) || !isfinite(risk->scale)) return OM_E_RANGE;
    if (!(risk->floor >= 0.0) || !isfinite(risk->floor)) return OM_E_RANGE;
    if (!(risk->shrink >= 0.0) || !isfinite(risk->shrink)) return OM_E_RANGE;
    for (size_t i = 1; i < risk->exposures; i++) {
        const struct om_field_spec *a = &risk->exposure[0].spec;
        const struct om_field_spec *b = &risk->exposure[i].spec;
        if (a->kernel != b->kernel || a->bandwidth_m != b->bandwidth_m)
            return OM_E_RANGE;
    }
    return OM_OK;
}

/* Units as a density of what is exposed. */
static double density_of(const struct om_risk *risk, double units)
{
    if (risk->exposures == 0) return 0.0;
    const struct om_field_spec *spec = &risk->exposure[0].spec;
    return units / om_kernel_area_km2(spec->kernel, spec->bandwidth_m);
}

double om_risk_least_exposure(const struct om_risk *risk)
{
    return density_of(risk, risk->floor);
}

/* ---- windows and places ------------------------------------------------ */

/* How one field is evaluated into values. */
struct evaluate {
    struct om_fields *fields;
    struct om_arena *arena;
    const struct om_field_window *window;  // or
    const struct om_places *places;
    size_t n;
    float *scratch;
};

static om_status evaluate_one(const struct evaluate *e,
                              const struct om_field_spec *spec)
{
    return e->window ? om_field_window(e->fields, spec, e->window, e->arena,
                                       e->scratch)
                     : om_field_places(e->fields, spec, e->places, e->arena,
                                       e->scratch);
}

/* sum of factor * field */
static om_status add_parts(const struct evaluate *e,
                           const struct om_risk_part *part, size_t parts,
                           double *sum)
{
    memset(sum, 0, e->n * sizeof *sum);
    for (size_t i = 0; i < parts; i++) {
        OM_TRY(evaluate_one(e, &part[i].spec));
        const double factor = part[i].factor;
        for (size_t k = 0; k < e->n; k++)
            sum[k] += factor * (double)e->scratch[k];
    }
    return OM_OK;
}

/* From numerator and exposure to a value. */
struct ratio {
    bool per_area;
    double scale, least, added, mean;
};

static struct ratio ratio_of(const struct om_risk *risk)
{
    // Of a city where nothing is exposed there is no mean, and no value.
    const double mean = isfinite(risk->mean) ? risk->mean : 0.0;
    return (struct ratio){.per_area = risk->exposures == 0,
                          .scale = risk->scale,
                          .least = density_of(risk, risk->floor),
                          .added = density_of(risk, risk->shrink),
                          .mean = mean};
}

static double value_of(const struct ratio *r, double numerator, double exposure)
{
    if (r->per_area) return numerator;
    // Not known either where 0 is asked for and nothing is.
    if (!(exposure >= r->least) || !(exposure > 0.0)) return NAN;
    return (r->scale * numerator + r->mean * r->added) / (exposure + r->added);
}

static om_status evaluate(struct evaluate *e, const struct om_risk *risk,
                          float *value, float *exposure)
{
    OM_TRY(om_risk_check(risk));
    e->scratch = om_arena_alloc(e->arena, e->n * sizeof *e->scratch);
    double *above = om_arena_alloc(e->arena, e->n * sizeof *above);
    double *below = om_arena_alloc(e->arena, e->n * sizeof *below);
    if (!e->scratch || !above || !below) return OM_E_MEMORY;
    OM_TRY(add_parts(e, risk->term, risk->terms, above));
    OM_TRY(add_parts(e, risk->exposure, risk->exposures, below));
    const struct ratio ratio = ratio_of(risk);
    for (size_t k = 0; k < e->n; k++)
        value[k] = (float)value_of(&ratio, above[k], below[k]);
    for (size_t k = 0; exposure && k < e->n; k++) exposure[k] = (float)below[k];
    return OM_OK;
}

om_status om_risk_window(struct om_fields *fields, const struct om_risk *risk,
                         const struct om_field_window *window,
                         struct om_arena *arena, float *value, float *exposure)
{
    struct evaluate e = {.fields = fields,
                         .arena = arena,
                         .window = window,
                         .n = (size_t)window->side_px * window->side_px};
    // A single field is itself: the short way of nearly every tile.
    if (risk->terms == 1 && risk->exposures == 0 &&
        risk->term[0].factor == 1.0 && !exposure) {
        OM_TRY(om_risk_check(risk));
        return om_field_window(fields, &risk->term[0].spec, window, arena,
                               value);
    }
    return evaluate(&e, risk, value, exposure);
}

om_status om_risk_places(struct om_fields *fields, const struct om_risk *risk,
                         const struct om_places *places, struct om_arena *arena,
                         float *value, float *exposure)
{
    struct evaluate e = {.fields = fields,
                         .arena = arena,
                         .places = places,
                         .n = places->columns * places->rows};
    return evaluate(&e, risk, value, exposure);
}

/* ---- one place, and all ------------------------------------------------ */

om_status om_risk_exact(const struct om_risk *risk, double x, double y,
                        struct om_risk_value *out, double *part)
{
    *out = (struct om_risk_value){.value = NAN};
    OM_TRY(om_risk_check(risk));
    for (size_t i = 0; i < risk->terms; i++) {
        double value;
        OM_TRY(om_field_exact(&risk->term[i].spec, x, y, &value));
        value *= risk->term[i].factor;
        if (part) part[i] = value;
        out->numerator += value;
    }
    for (size_t i = 0; i < risk->exposures; i++) {
        double value;
        OM_TRY(om_field_exact(&risk->exposure[i].spec, x, y, &value));
        out->exposure += risk->exposure[i].factor * value;
    }
    if (risk->exposures) {
        const struct om_field_spec *spec = &risk->exposure[0].spec;
        out->exposed =
            out->exposure * om_kernel_area_km2(spec->kernel, spec->bandwidth_m);
    }
    const struct ratio ratio = ratio_of(risk);
    out->value = value_of(&ratio, out->numerator, out->exposure);
    return OM_OK;
}

static om_status add_weights(struct om_fields *fields,
                             const struct om_risk_part *part, size_t n,
                             double *sum)
{
    *sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double weight;
        OM_TRY(om_field_weight(fields, &part[i].spec, &weight));
        *sum += part[i].factor * weight;
    }
    return OM_OK;
}

om_status om_risk_totals(struct om_fields *fields, const struct om_risk *risk,
                         struct om_risk_totals *out)
{
    *out = (struct om_risk_totals){.mean = NAN};
    OM_TRY(om_risk_check(risk));
    OM_TRY(add_weights(fields, risk->term, risk->terms, &out->numerator));
    OM_TRY(
        add_weights(fields, risk->exposure, risk->exposures, &out->exposure));
    if (risk->exposures && out->exposure > 0.0)
        out->mean = risk->scale * out->numerator / out->exposure;
    return OM_OK;
}
