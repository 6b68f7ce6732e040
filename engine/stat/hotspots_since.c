/* hotspots_since.c - the same question asked one step earlier, and again.
 *
 * The windows of all looks overlap, so rows are counted once, between all the
 * moments at which a window begins or ends, and a look adds up its slices.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/stat/fdr.h"
#include "engine/stat/hotspots_internal.h"

/* Numbers of all looks together: more would take longer than the question. */
#define NUMBERS_MOST ((size_t)1 << 22)

/* Look k is at [from[k], to[k]); look 0 is now. */
struct looks {
    size_t count;
    int64_t from[OM_LOOKS_MOST + 1], to[OM_LOOKS_MOST + 1];
    size_t bounds;
    int64_t bound[2 * (OM_LOOKS_MOST + 1)];
};

static int by_time(const void *a, const void *b)
{
    const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static void plan(const struct om__hunt *hunt, struct looks *l)
{
    const struct om_hotspots *out = hunt->out;
    const struct om_window *w = &hunt->ask->window;
    const bool open = !w->set || w->from_s == INT64_MIN;
    size_t most = OM_LOOKS_MOST;
    while (most && out->count * (2 * most + 2) > NUMBERS_MOST) most--;
    for (size_t k = 0; k <= most; k++) {
        const int64_t to =
            om_stride_back(&out->step, out->to_s, hunt->zone_s, k);
        const int64_t from =
            open ? out->from_s
                 : om_stride_back(&out->step, out->from_s, hunt->zone_s, k);
        // Before the data begin nothing was significant, and that says nothing.
        if (k && (from < hunt->begin_s || to <= hunt->begin_s)) break;
        l->from[k] = from;
        l->to[k] = to;
        l->count = k + 1;
        l->bound[l->bounds++] = from;
        l->bound[l->bounds++] = to;
    }
    qsort(l->bound, l->bounds, sizeof *l->bound, by_time);
    size_t kept = 0;
    for (size_t i = 0; i < l->bounds; i++)
        if (!i || l->bound[i] != l->bound[kept - 1])
            l->bound[kept++] = l->bound[i];
    l->bounds = kept;
}

/* Sum of the slices of look k. A tally of one slice is of all times. */
static void add_slices(const struct looks *l, size_t k,
                       const struct om_census *tally, size_t kind, double *out)
{
    if (tally->slices == 1 && l->bounds > 2) {
        memcpy(out, om_census_sums(tally, kind, 0), tally->areas * sizeof *out);
        return;
    }
    memset(out, 0, tally->areas * sizeof *out);
    for (size_t s = 0; s < tally->slices; s++) {
        if (l->bound[s] < l->from[k] || l->bound[s] >= l->to[k]) continue;
        const double *sum = om_census_sums(tally, kind, s);
        for (size_t i = 0; i < tally->areas; i++) out[i] += sum[i];
    }
}

/* Room for one look. */
struct room {
    double *cases, *exposure, *value;  // [areas]
    double *z, *p;                     // [rows]
};

static om_status look(const struct om__hunt *hunt, const struct looks *l,
                      size_t k, const struct om_census *cases,
                      const struct om_census *exposed, const struct room *room)
{
    const double *exposure = NULL;
    if (exposed->sum) {
        add_slices(l, k, exposed, 0, room->exposure);
        om__hunt_floor(hunt, room->exposure);
        exposure = room->exposure;
    }
    for (size_t kind = 0; kind < hunt->kinds; kind++) {
        struct om_rates rates;
        add_slices(l, k, cases, kind, room->cases);
        OM_TRY(
            om__hunt_values(hunt, room->cases, exposure, room->value, &rates));
        OM_TRY(om__hunt_z(hunt, room->value, room->z + kind * hunt->areas));
    }
    om_normal_ps(room->z, hunt->out->count, room->p);
    return om_fdr_q(room->p, hunt->out->count, room->p);
}

static bool significant(const struct om__hunt *hunt, int bin)
{
    return abs(bin) >= hunt->ask->least;
}

/* Lengthen the runs that this look confirms, end the others. `run` counts
 * looks; a run that has ended is shorter than k. */
static void follow(const struct om__hunt *hunt, const struct room *room,
                   size_t k, size_t *run)
{
    for (size_t i = 0; i < hunt->out->count; i++) {
        const struct om_hotspot *row = &hunt->out->row[i];
        if (run[i] < k || !significant(hunt, row->bin)) continue;
        const int bin =
            isnan(room->z[i]) ? 0 : om_fdr_bin(room->z[i], room->p[i]);
        if (significant(hunt, bin) && (bin > 0) == (row->bin > 0)) run[i]++;
    }
}

static void tell(struct om__hunt *hunt, const struct looks *l,
                 const size_t *run)
{
    for (size_t i = 0; i < hunt->out->count; i++) {
        struct om_hotspot *row = &hunt->out->row[i];
        if (!significant(hunt, row->bin) || l->count < 2) continue;
        row->since_s = om_stride_back(&hunt->out->step, hunt->out->to_s,
                                      hunt->zone_s, run[i]);
        row->first = run[i] == 1;
        row->open = run[i] == l->count;
    }
}

static om_status make_room(size_t areas, size_t rows, struct room *r)
{
    r->cases = om_alloc_array(3 * areas + 1, sizeof *r->cases);
    r->z = om_alloc_array(2 * rows + 1, sizeof *r->z);
    if (!r->cases || !r->z) return OM_E_MEMORY;
    r->exposure = r->cases + areas;
    r->value = r->cases + 2 * areas;
    r->p = r->z + rows;
    return OM_OK;
}

om_status om__hunt_since(struct om__hunt *hunt)
{
    struct om_hotspots *out = hunt->out;
    struct looks looks = {0};
    struct om_census cases = {0}, exposed = {0};
    struct room room = {0};
    out->step =
        hunt->ask->stepped ? hunt->ask->step : (struct om_stride){.days = 7};
    if (!hunt->timed || out->from_s >= out->to_s) return OM_OK;
    plan(hunt, &looks);
    out->looks = looks.count - 1;
    if (looks.count < 2) return OM_OK;
    size_t *run = om_alloc_array(out->count + 1, sizeof *run);
    om_status st =
        run ? make_room(hunt->areas, out->count, &room) : OM_E_MEMORY;
    for (size_t i = 0; i < out->count && !st; i++) run[i] = 1;
    if (!st)
        st = om__hunt_tally(hunt, false, looks.bounds - 1, looks.bound, &cases);
    if (!st && om__hunt_exposed(hunt))
        st =
            om__hunt_tally(hunt, true, looks.bounds - 1, looks.bound, &exposed);
    for (size_t k = 1; k < looks.count && !st; k++) {
        st = look(hunt, &looks, k, &cases, &exposed, &room);
        if (!st) follow(hunt, &room, k, run);
    }
    if (!st) tell(hunt, &looks, run);
    om_census_deinit(&cases);
    om_census_deinit(&exposed);
    om_free(room.cases);
    om_free(room.z);
    om_free(run);
    return st;
}
