// live_rows.h - a layer of the full city after rows of it were written.
#ifndef OM_BENCHMARKS_LIVE_ROWS_H
#define OM_BENCHMARKS_LIVE_ROWS_H

#include <stdio.h>
#include <stdlib.h>

#include "benchmarks/bench.h"
#include "engine/live/run.h"

static inline void stop(const char *what, const struct om_err *err)
{
    fprintf(stderr, "bench: %s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* The layer after `n` writes all over it. owns: part[1].segment */
static inline void write_rows(const struct om_layer *base,
                       const struct om_joiner *joiner, size_t n,
                       uint32_t *dead, struct om_part part[2],
                       struct om_layer *out)
{
    static uint64_t serial = 1;
    static uint64_t seed = 9;
    const size_t all = om_segment_rows(base->part[0].segment);
    const size_t step = all / n, at = bench_random(&seed) % step;
    struct om_batch batch;
    const struct om_batch *list = &batch;
    struct om_err err;
    for (size_t i = 0; i < n; i++) dead[i] = (uint32_t)(i * step + at);
    if (om_segment_extract(base->part[0].segment, &base->meta->schema, 0, n,
                           dead, NULL, 0, &batch))
        stop("extract", NULL);
    part[0] = (struct om_part){base->part[0].segment, dead, n};
    part[1] = (struct om_part){0};
    if (om_run_new(&base->meta->schema, &list, 1, joiner, &part[1].segment,
                   &err))
        stop("run", &err);
    om_arena_deinit(&batch.arena);
    *out = *base;
    out->parts = 2;
    out->part = part;
    out->serial = ++serial;
}

#endif
