// stat_sample.h - graphs and values for the tests of statistics.
#ifndef OM_TESTS_ENGINE_STAT_SAMPLE_H
#define OM_TESTS_ENGINE_STAT_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/stat/graph.h"
#include "tests/engine/mesh.h"
#include "tests/rounds.h"

/* A golden table, read line by line; comments and empty lines left out. */
static inline FILE *golden_open(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/golden/%s", name);
    FILE *file = fopen(path, "r");
    for (int up = 0; !file && up < 4; up++) {  // from wherever it is started
        char more[128];
        snprintf(more, sizeof more, "../%.120s", path);
        strcpy(path, more);
        file = fopen(path, "r");
    }
    assert_non_null(file);
    return file;
}
static inline bool golden_line(FILE *file, char *line, size_t room)
{
    while (fgets(line, (int)room, file))
        if (line[0] != '#' && line[0] != '\n') return true;
    return false;
}

static inline void assert_close(double got, double want)
{
    const double off = want < 0 ? -want : want;
    if (!(got - want <= 1e-6 * (1 + off) && want - got <= 1e-6 * (1 + off)))
        fail_msg("%.12g is not %.12g", got, want);
}

/* Links as a matrix, the slow way to ask. */
static inline bool *matrix_of(const struct om_graph *g)
{
    bool *m = calloc(g->count * g->count + 1, sizeof *m);
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++) {
            assert_true(g->to[k] < g->count && g->to[k] != i);
            assert_true(k == g->first[i] || g->to[k] > g->to[k - 1]);
            m[i * g->count + g->to[k]] = true;
        }
    return m;
}

/* A random symmetric graph; about one area in ten has no neighbours. */
static inline struct om_graph random_graph(size_t n, uint64_t *seed)
{
    struct om_graph g;
    uint64_t *pair = calloc(8 * n + 1, sizeof *pair);
    size_t pairs = 0;
    for (size_t k = 0; k < 3 * n && n > 1; k++) {
        const uint64_t a = mesh_random(seed) % n, b = mesh_random(seed) % n;
        if (a == b || a % 10 == 3 || b % 10 == 3) continue;
        pair[pairs++] = a << 32 | b;
        pair[pairs++] = b << 32 | a;
    }
    assert_int_equal(om__graph_from_pairs(n, pair, pairs, &g), OM_OK);
    free(pair);
    return g;
}

#endif
