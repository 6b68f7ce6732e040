// ringset.c - four growing arrays.
#include "engine/shape/ringset.h"

#include <stdbool.h>

#include "data/base/alloc.h"

#define FIRST_ROOM 64

void om__ringset_deinit(struct om__ringset *set)
{
    om_free(set->vertex);
    om_free(set->ring_end);
    om_free(set->part_end);
    om_free(set->shape_end);
    *set = (struct om__ringset){0};
}

void om__ringset_clear(struct om__ringset *set)
{
    set->vertices = set->rings = set->parts = set->shapes = 0;
}

static om_status grow(void *array, size_t bytes_each, size_t *room)
{
    if (*room >= UINT32_MAX) return OM_E_LIMIT;
    const size_t wanted = *room ? *room * 2 : FIRST_ROOM;
    size_t bytes;
    if (!om_mul_size(wanted, bytes_each, &bytes)) return OM_E_MEMORY;
    void **block = array;
    void *grown = om_realloc(*block, bytes);
    if (!grown) return OM_E_MEMORY;
    *block = grown;
    *room = wanted;
    return OM_OK;
}

om_status om__ringset_add(struct om__ringset *set, struct om__xy vertex)
{
    if (set->vertices == set->vertex_room)
        OM_TRY(grow(&set->vertex, sizeof *set->vertex, &set->vertex_room));
    if (set->vertices >= UINT32_MAX) return OM_E_LIMIT;
    set->vertex[set->vertices++] = vertex;
    return OM_OK;
}

static om_status end(uint32_t **ends, size_t *count, size_t *room, size_t at)
{
    if (*count == *room) OM_TRY(grow(ends, sizeof **ends, room));
    (*ends)[(*count)++] = (uint32_t)at;
    return OM_OK;
}

om_status om__ringset_end_ring(struct om__ringset *set)
{
    return end(&set->ring_end, &set->rings, &set->ring_room, set->vertices);
}

om_status om__ringset_end_part(struct om__ringset *set)
{
    return end(&set->part_end, &set->parts, &set->part_room, set->rings);
}

om_status om__ringset_end_shape(struct om__ringset *set)
{
    return end(&set->shape_end, &set->shapes, &set->shape_room, set->parts);
}
