// dissolve.c - the borders of a group's members cancel, what is left is the
// group's own.
#include "engine/shape/dissolve.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/chain.h"

/* Members of all groups, group by group: member[first[g]] .. first[g + 1]. */
struct members {
    uint32_t *first, *member;
};

static om_status list_members(size_t shapes, const uint32_t *group,
                              size_t groups, struct members *out)
{
    out->first = om_calloc(groups + 2, sizeof *out->first);
    out->member = om_alloc_array(shapes + 1, sizeof *out->member);
    if (!out->first || !out->member) return OM_E_MEMORY;
    for (size_t i = 0; i < shapes; i++)
        if (group[i] < groups) out->first[group[i] + 2]++;
    for (size_t g = 0; g < groups; g++) out->first[g + 2] += out->first[g + 1];
    for (size_t i = 0; i < shapes; i++)
        if (group[i] < groups)
            out->member[out->first[group[i] + 1]++] = (uint32_t)i;
    return OM_OK;
}

static om_status add_part(const struct om__ringset *from, size_t part,
                          struct om__ringset *to)
{
    for (size_t r = om__part_first(from, part); r < from->part_end[part]; r++) {
        for (size_t i = om__ring_first(from, r); i < from->ring_end[r]; i++)
            OM_TRY(om__ringset_add(to, from->vertex[i]));
        OM_TRY(om__ringset_end_ring(to));
    }
    return om__ringset_end_part(to);
}

static om_status add_group(const struct om_rings *rings, const uint32_t *member,
                           size_t members, struct om__geos *geos,
                           struct om__ringset *out)
{
    struct om__chain chain = {0};
    struct om__faces faces = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < members && !st; i++)
        st = om__chain_add(&chain, rings, member[i], 1);
    if (!st) {
        om__chain_cancel(&chain);
        st = om__chain_faces(&chain, geos, &faces);
    }
    for (size_t f = 0; f < faces.count && !st; f++)
        if (faces.cover[f] > 0) st = add_part(&faces.set, f, out);
    if (!st) st = om__ringset_end_shape(out);
    om__faces_deinit(&faces);
    om__chain_deinit(&chain);
    return st;
}

/* Ends of things as offsets with a zero before them. */
static om_status offsets(const uint32_t *end, size_t count,
                         struct om_arena *arena, const uint32_t **out)
{
    uint32_t *offset = om_arena_calloc(arena, count + 1, sizeof *offset);
    if (!offset) return OM_E_MEMORY;
    if (count) memcpy(offset + 1, end, count * sizeof *offset);
    *out = offset;
    return OM_OK;
}

static om_status as_shapes(const struct om__ringset *set,
                           struct om_arena *arena, struct om_shapes *out)
{
    double *x = om_arena_calloc(arena, set->vertices + 1, sizeof *x);
    double *y = om_arena_calloc(arena, set->vertices + 1, sizeof *y);
    if (!x || !y) return OM_E_MEMORY;
    for (size_t i = 0; i < set->vertices; i++) {
        x[i] = set->vertex[i].x;
        y[i] = set->vertex[i].y;
    }
    out->count = set->shapes;
    out->x = x;
    out->y = y;
    OM_TRY(offsets(set->shape_end, set->shapes, arena, &out->shape_part));
    OM_TRY(offsets(set->part_end, set->parts, arena, &out->part_ring));
    return offsets(set->ring_end, set->rings, arena, &out->ring_vertex);
}

om_status om_rings_dissolve(const struct om_rings *rings, const uint32_t *group,
                            size_t groups, struct om_arena *arena,
                            struct om_shapes *out)
{
    struct members m = {0};
    struct om__geos geos = {0};
    struct om__ringset set = {0};
    *out = (struct om_shapes){0};
    om_status st = list_members(rings->count, group, groups, &m);
    if (!st) st = om__geos_open(&geos);
    for (size_t g = 0; g < groups && !st; g++)
        st = add_group(rings, m.member + m.first[g],
                       m.first[g + 1] - m.first[g], &geos, &set);
    if (!st) st = as_shapes(&set, arena, out);
    om__ringset_deinit(&set);
    om__geos_close(&geos);
    om_free(m.first);
    om_free(m.member);
    return st;
}
