// check.c - is a level of units a partition? Edges, overlaps, gaps.
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/faults.h"

/* Edges are counted exactly: in a clean partition every inner directed edge
 * has its reverse. The rest is a summary of faults.c. */

struct directed {
    struct om_pos a, b;
};

static int by_ends(const void *one, const void *two)
{
    const struct directed *p = one, *q = two;
    const uint32_t pv[] = {p->a.x, p->a.y, p->b.x, p->b.y};
    const uint32_t qv[] = {q->a.x, q->a.y, q->b.x, q->b.y};
    for (int i = 0; i < 4; i++)
        if (pv[i] != qv[i]) return pv[i] < qv[i] ? -1 : 1;
    return 0;
}

static om_status count_edges(const struct om_rings *rings,
                             struct om_partition_report *out)
{
    const uint32_t ring_count =
        rings->part_ring[rings->shape_part[rings->count]];
    const size_t n = rings->ring_vertex[ring_count];
    struct directed *edge = om_alloc_array(n, sizeof *edge);
    if (!edge) return OM_E_MEMORY;
    for (uint32_t r = 0; r < ring_count; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t end = rings->ring_vertex[r + 1];
        for (uint32_t i = from; i < end; i++)
            edge[i] = (struct directed){
                rings->vertex[i], rings->vertex[i + 1 < end ? i + 1 : from]};
    }
    if (n > 1) qsort(edge, n, sizeof *edge, by_ends);
    out->edges = n;
    for (size_t i = 0; i < n; i++) {
        const struct directed back = {edge[i].b, edge[i].a};
        out->shared_edges +=
            bsearch(&back, edge, n, sizeof *edge, by_ends) != NULL;
    }
    om_free(edge);
    return OM_OK;
}

/* Pieces of one pair are one overlap. */
static int by_pair(const void *one, const void *two)
{
    const struct om_fault *p = one, *q = two;
    for (int i = 0; i < 2; i++)
        if (p->unit[i] != q->unit[i]) return p->unit[i] < q->unit[i] ? -1 : 1;
    return 0;
}

om_status om_partition_check(const struct om_rings *rings,
                             struct om_partition_report *out)
{
    struct om_faults faults;
    *out = (struct om_partition_report){0};
    OM_TRY(count_edges(rings, out));
    OM_TRY(om_faults_find(rings, &faults));
    size_t gaps = 0;
    while (gaps < faults.count && faults.fault[gaps].kind == OM_FAULT_GAP)
        out->gap_km2 += faults.fault[gaps++].area_m2 * 1e-6;
    out->gaps = gaps;
    struct om_fault *overlap = faults.fault + gaps;
    const size_t n = faults.count - gaps;
    for (size_t i = 0; i < n; i++)
        out->overlap_km2 += overlap[i].area_m2 * 1e-6;
    if (n > 1) qsort(overlap, n, sizeof *overlap, by_pair);
    for (size_t i = 0; i < n; i++)
        out->overlaps += i == 0 || by_pair(&overlap[i - 1], &overlap[i]) != 0;
    om_faults_deinit(&faults);
    return OM_OK;
}
