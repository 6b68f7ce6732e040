// risk_town.h - random towns, and what a risk is at pixels of a window.
#ifndef RISK_TOWN_H
#define RISK_TOWN_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/risk/risk.h"
#include "engine/shape/shape.h"
#include "tests/engine/field_sample.h"

#define SIDE 256
#define PIXELS ((size_t)SIDE * SIDE)
#define CITY_X 3500000000.0
#define CITY_Y 1863000000.0
#define CELLS_PER_M 107.2  // of the equator; a metre there is 117 of these

static struct om_fields *fields;

static inline int set_up(void **state)
{
    (void)state;
    return (int)om_fields_new((size_t)1 << 28, &fields);
}

static inline int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    return 0;
}

/* A layer of random towns, kept with its rows. */
struct town {
    struct field_layer l;
    struct om_selection all;
    struct field_row *row;
    size_t n;
};

static inline double normal(uint64_t *seed)
{
    const double u = field_uniform(seed), v = field_uniform(seed);
    return sqrt(-2.0 * log(u + 1e-12)) * cos(2.0 * OM_PI * v);
}

static inline void town_of_rows(struct town *t, struct field_row *row, size_t n)
{
    *t = (struct town){.row = row, .n = n};
    assert_int_equal(field_layer_add(&t->l, row, n), OM_OK);
    t->all = field_all(&t->l.layer);
}

/* n rows in three clusters of a few kilometres. */
static inline void town_init(struct town *t, size_t n, uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    assert_non_null(row);
    for (size_t i = 0; i < n; i++) {
        const double cluster = (double)(field_random(&seed) % 3);
        const double x =
            CITY_X + (cluster * 3000.0 + 900.0 * normal(&seed)) * CELLS_PER_M;
        const double y =
            CITY_Y + (1200.0 * normal(&seed) - 500.0 * cluster) * CELLS_PER_M;
        row[i] =
            (struct field_row){.pos = {(uint32_t)x, (uint32_t)y},
                               .people = (int64_t)(field_random(&seed) % 9),
                               .score = field_uniform(&seed),
                               .kind = (int)(field_random(&seed) % 10)};
    }
    town_of_rows(t, row, n);
}

static inline void town_deinit(struct town *t)
{
    field_layer_free(&t->l);
    free(t->row);
}

static inline struct om_risk_part part_of(const struct town *t,
                                          double bandwidth_m, double factor)
{
    return (struct om_risk_part){.spec = {.layer = &t->l.layer,
                                          .selection = &t->all,
                                          .kernel = OM_KERNEL_QUARTIC,
                                          .bandwidth_m = bandwidth_m,
                                          .weight = OM_WEIGHT_ONE},
                                 .factor = factor};
}

static inline struct om_field_window window_at(double x, double y, unsigned z)
{
    return (struct om_field_window){.z = z,
                                    .x = (uint32_t)ldexp(x, (int)z - 32),
                                    .y = (uint32_t)ldexp(y, (int)z - 32),
                                    .side_px = SIDE};
}

static inline void pixel_place(const struct om_field_window *w, size_t i,
                               double *x, double *y)
{
    const double px = ldexp(1.0, 32 - (int)w->z) / SIDE;
    *x = ((double)w->x * SIDE + (double)(i % SIDE) + 0.5) * px;
    *y = ((double)w->y * SIDE + (double)(i / SIDE) + 0.5) * px;
}

static inline void evaluate(const struct om_risk *risk,
                            const struct om_field_window *w, float *out,
                            float *exposed)
{
    struct om_arena arena = {0};
    assert_int_equal(om_risk_window(fields, risk, w, &arena, out, exposed),
                     OM_OK);
    om_arena_deinit(&arena);
}

struct sum {
    double area_km2, mass, exposed, product;
    size_t tiles, places;
    const struct om_rings *rings;  // places must be just those inside
    float most;
};

static inline om_status add_tile(void *ctx, const struct om_risk_tile *tile)
{
    struct sum *s = ctx;
    s->tiles++;
    for (size_t i = 0; i < PIXELS; i++) {
        const bool place = tile->place[i / 64] >> (i % 64) & 1;
        const double km2 = tile->km2[i / SIDE];
        if (s->rings && !isnan(tile->value[i])) {
            double x, y;
            pixel_place(&tile->window, i, &x, &y);
            const struct om_pos pos = {(uint32_t)x, (uint32_t)y};
            assert_int_equal(place, om_rings_contain(s->rings, 0, pos));
        }
        if (!place) continue;
        s->places++;
        s->area_km2 += km2;
        s->mass += km2 * (double)tile->value[i];
        if (tile->value[i] > s->most) s->most = tile->value[i];
        if (!tile->exposure) continue;
        s->exposed += km2 * (double)tile->exposure[i];
        s->product += km2 * (double)tile->exposure[i] * (double)tile->value[i];
    }
    return OM_OK;
}

#endif
