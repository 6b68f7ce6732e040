// reach.c - where the rows lie that a window of a field is made of.
#include <math.h>

#include "engine/field/field_internal.h"

/* Nodes beyond the kernel that a place of the lattice takes part of: masses are
 * spread over a node and a half, twice undone by a node, and looked at between
 * nodes (lattice.c). */
#define NODES_BEYOND 5.0

/* The Gaussian is softened beyond its cut (kernel.c). */
static double kernel_reach(enum om_kernel kernel)
{
    return kernel == OM_KERNEL_GAUSSIAN ? 1.1 : 1.0;
}

struct om_box om_field_reach(const struct om_field_spec *spec,
                             const struct om_field_window *w)
{
    const double side = ldexp(1.0, 32 - (int)w->z);
    const double x0 = w->x * side, y0 = w->y * side;
    const double x1 = x0 + side, y1 = y0 + side;
    const double last = OM_POS_SIDE - 1.0;
    const struct om__ground north = om__ground(y0), south = om__ground(y1);
    const double cell_m =
        fmin(fmin(north.x_m, north.y_m), fmin(south.x_m, south.y_m));
    const double node =
        ldexp(1.0, (int)om__lattice_exponent(spec->bandwidth_m));
    const double margin = OM_FIELD_REACH * kernel_reach(spec->kernel) *
                              spec->bandwidth_m / cell_m +
                          NODES_BEYOND * node + 2.0 * side / w->side_px;
    return (struct om_box){(uint32_t)fmax(x0 - margin, 0.0),
                           (uint32_t)fmax(y0 - margin, 0.0),
                           (uint32_t)fmin(x1 - 1.0 + margin, last),
                           (uint32_t)fmin(y1 - 1.0 + margin, last)};
}
