// subcell.c - finer cells of a part, stored or made once: places of many rows.
#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "tiles/vector/vector_internal.h"

/* Level that is made for segments without stored ones. */
#define LEVEL_MADE 18
/* Smaller segments are read row by row. */
#define ROWS_LEAST 100000
#define ROW_S 4e-9

struct made {
    struct om_cells cells;
    struct om_arena arena;
};

static void free_made(void *value)
{
    struct made *m = value;
    om_arena_deinit(&m->arena);
    om_free(m);
}

static om_status make_made(void *ask, void **value, size_t *bytes)
{
    const struct om_segment *segment = ask;
    const size_t rows = om_segment_rows(segment);
    const uint64_t *key;
    OM_TRY(om_segment_keys(segment, 0, rows, &key));
    struct made *m = om_calloc(1, sizeof *m);
    if (!m) return OM_E_MEMORY;
    const om_status st =
        om_cells_build(key, rows, LEVEL_MADE, &m->arena, &m->cells);
    if (st) {
        free_made(m);
        return st;
    }
    *bytes = m->cells.count * 16 + sizeof *m;
    *value = m;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"subcells", make_made, free_made};

static bool wanted(const struct om_segment *segment, unsigned level)
{
    return !om_segment_cell_levels(segment) && level <= LEVEL_MADE &&
           om_segment_rows(segment) >= ROWS_LEAST;
}

om_status om__subcells_get(struct om_vectors *vectors,
                           const struct om_segment *segment, unsigned level,
                           struct om__kept *kept, struct om_cells *out)
{
    *out = (struct om_cells){0};
    for (size_t i = 0; i < om_segment_cell_levels(segment); i++) {
        OM_TRY(om_segment_cells(segment, i, out));
        if (out->level >= level) return OM_OK;
    }
    *out = (struct om_cells){0};
    if (!wanted(segment, level)) return OM_OK;
    const uint64_t serial = om_segment_serial(segment);
    OM_TRY(om__keep_get(vectors, &KIND, &serial, sizeof serial,
                        (void *)(uintptr_t)segment, kept));
    *out = ((const struct made *)kept->value)->cells;
    return OM_OK;
}

double om__subcells_cost_s(struct om_vectors *vectors,
                           const struct om_segment *segment, unsigned level)
{
    const uint64_t serial = om_segment_serial(segment);
    if (!wanted(segment, level) ||
        om__keep_has(vectors, &KIND, &serial, sizeof serial))
        return 0.0;
    return ROW_S * (double)om_segment_rows(segment);
}
