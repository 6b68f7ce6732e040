// fuzz_wkb.c - any bytes as a geometry of a source: counting and writing are
// the same walk and agree.
#include <math.h>
#include <stdlib.h>

#include "data/source/wkb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const uint8_t *wkb, size_t len, enum om_geometry want)
{
    struct om__wkb_size n = {0}, again = {0};
    if (om__wkb_shape(wkb, len, want, &n, NULL)) return;
    // As much as wkb.h asks for, so that a sanitizer sees one more.
    struct om__ragged out = {
        .part_ring = malloc((n.parts + len / 4 + 1) * sizeof(uint32_t)),
        .ring_vertex = malloc((n.rings + len / 4 + 1) * sizeof(uint32_t)),
        .x = malloc((n.vertices + len / 16 + 1) * sizeof(double)),
        .y = malloc((n.vertices + len / 16 + 1) * sizeof(double))};
    if (om__wkb_shape(wkb, len, want, &again, &out)) abort();
    if (n.parts != again.parts || n.rings != again.rings || !n.parts ||
        n.vertices != again.vertices)
        abort();
    for (size_t i = 0; i < n.vertices; i++)
        if (!isfinite(out.x[i]) || !isfinite(out.y[i])) abort();
    free(out.part_ring);
    free(out.ring_vertex);
    free(out.x);
    free(out.y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum om_geometry kind;
    double x, y;
    walk(data, size, OM_GEOMETRY_LINE);
    walk(data, size, OM_GEOMETRY_POLYGON);
    (void)om__wkb_kind(data, size, &kind);
    (void)om__wkb_first(data, size, &x, &y);
    if (!om__wkb_point(data, size, &x, &y) && !(isfinite(x) && isfinite(y)))
        abort();
    return 0;
}
