/* fuzz_filter.c - any bytes as a filter: no crash, and what is read has a
 * canonical form that reads as itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/filter/filter.h"

static const struct om_field FIELD[] = {
    {"id", OM_TYPE_TEXT},       {"name", OM_TYPE_TEXT},
    {"kind", OM_TYPE_CATEGORY}, {"severity", OM_TYPE_INTEGER},
    {"depth", OM_TYPE_REAL},    {"reported", OM_TYPE_TIME},
    {"due", OM_TYPE_TIME},      {"model_house", OM_TYPE_BOOLEAN},
    {"状态", OM_TYPE_CATEGORY}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct om_layer layer;
    layer.schema.count = sizeof FIELD / sizeof *FIELD;
    memcpy(layer.schema.field, FIELD, sizeof FIELD);
    layer.schema.time_field = 5;
    struct om_filter *once = NULL, *twice = NULL;
    struct om_err err = {0};
    if (om_filter_parse((const char *)data, size, &layer, 28800, &once, &err)) {
        if (err.code == OM_OK || !err.text[0] || once) abort();
        return 0;
    }
    const char *canonical = om_filter_canonical(once);
    const om_status st =
        om_filter_parse(canonical, strlen(canonical), &layer, 0, &twice, &err);
    // A canonical text may outgrow what is read from outside.
    if (st && st != OM_E_LIMIT) abort();
    if (!st && strcmp(canonical, om_filter_canonical(twice)) != 0) abort();
    om_filter_free(once);
    om_filter_free(twice);
    return 0;
}
