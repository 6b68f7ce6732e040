// fuzz_model.c - any bytes as a risk model and as a city's exposures: read or
// refused with a word, the same way twice, and what is read keeps its bounds.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/field/field.h"
#include "engine/risk/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_model(const struct om_model *m)
{
    if (!m->terms || m->terms > OM_MODEL_TERMS_MOST) abort();
    if (m->pers > OM_MODEL_EXPOSURES_MOST) abort();
    for (size_t i = 0; i < m->terms; i++) {
        const struct om_model_term *t = &m->term[i];
        const double h = t->bandwidth_m > 0 ? t->bandwidth_m : m->bandwidth_m;
        if (!(h >= OM_BANDWIDTH_MIN_M && h <= OM_BANDWIDTH_MAX_M)) abort();
        if (!(t->factor > 0) || !isfinite(t->factor)) abort();
        if (!t->layer || t->severity.count > OM_MODEL_VALUES_MOST) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size ? (const char *)data : "";
    struct om_model *once = NULL, *twice = NULL;
    struct om_err err = {0};
    const om_status st = om_model_parse(text, size, NULL, &once, &err);
    if (om_model_parse(text, size, NULL, &twice, NULL) != st) abort();
    if (st && !err.text[0]) abort();
    if (!st && once->hash != twice->hash) abort();
    if (!st) check_model(once);
    om_model_free(once);
    om_model_free(twice);
    struct om_manifest city = {0};
    struct om_exposures exposures;
    if (om_json_parse(text, size, &city.document, NULL)) return 0;
    if (!om_exposures_read(&city, &exposures, NULL))
        om_exposures_deinit(&exposures);
    om_json_free(city.document);
    return 0;
}
