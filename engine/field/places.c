// places.c - a field at places that are no tile's pixels.
#include <math.h>

#include "engine/field/field_internal.h"

om_status om_field_places(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_places *places,
                          struct om_arena *arena, float *value)
{
    (void)fields;
    (void)arena;
    if (places->cell_m > spec->bandwidth_m) return OM_E_UNSUPPORTED;
    for (size_t i = 0; i < places->rows * places->columns; i++) {
        double exact;
        OM_TRY(om_field_exact(spec, places->x[i], places->y[i], &exact));
        value[i] = (float)exact;
    }
    return OM_OK;
}

om_status om_field_bandwidth(const struct om_field_spec *spec,
                             double *bandwidth_m)
{
    (void)spec;
    (void)bandwidth_m;
    return OM_E_UNSUPPORTED;
}
