// grow.c - region growing by shortest paths, seeds improved a few times.
#include "data/synth/grow.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/dice.h"

#define ROUNDS 3      // of moving seeds to the middle of their regions
#define CANDIDATES 6  // tried for each seed; the one farthest from others wins

struct om__grow_step {
    float cost;
    uint32_t cell;
};

void om__grow_scratch_deinit(struct om__grow_scratch *scratch)
{
    om_free(scratch->heap);
    *scratch = (struct om__grow_scratch){0};
}

/* Equal costs are ordered by cell, so that the result has one form. */
static bool before(struct om__grow_step a, struct om__grow_step b)
{
    return a.cost < b.cost || (a.cost == b.cost && a.cell < b.cell);
}

static om_status heap_push(struct om__grow_scratch *s, uint32_t *size,
                           struct om__grow_step step)
{
    if (*size == s->heap_room) {
        const uint32_t room = s->heap_room ? 2 * s->heap_room : 4096;
        struct om__grow_step *heap = om_realloc(s->heap, room * sizeof *heap);
        if (!heap) return OM_E_MEMORY;
        s->heap = heap;
        s->heap_room = room;
    }
    uint32_t at = (*size)++;
    for (; at > 0 && before(step, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = step;
    return OM_OK;
}

static struct om__grow_step heap_pop(struct om__grow_scratch *s, uint32_t *size)
{
    const struct om__grow_step top = s->heap[0];
    const struct om__grow_step last = s->heap[--*size];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= *size) break;
        if (child + 1 < *size && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s->heap[child], last)) break;
        s->heap[at] = s->heap[child];
        at = child;
    }
    if (*size) s->heap[at] = last;
    return top;
}

static om_status spread(const struct om__grow_field *f, const uint32_t *seed,
                        uint32_t regions, uint32_t first,
                        struct om__grow_scratch *scratch)
{
    uint32_t size = 0;
    for (uint32_t r = 0; r < regions; r++) {
        f->label[seed[r]] = first + r;
        f->cost_so_far[seed[r]] = 0;
        OM_TRY(heap_push(scratch, &size, (struct om__grow_step){0, seed[r]}));
    }
    while (size > 0) {
        const struct om__grow_step at = heap_pop(scratch, &size);
        if (at.cost > f->cost_so_far[at.cell]) continue;
        uint32_t near[OM__SIDES];
        om__mesh_neighbours(f->mesh, at.cell, near);
        for (int k = 0; k < OM__SIDES; k++) {
            const uint32_t to = near[k];
            if (to == OM__NO_CELL || f->parent[to] != f->parent[at.cell])
                continue;
            const float pace = sqrtf(f->weight[at.cell] * f->weight[to]);
            const float cost = at.cost + sqrtf(pace) * (f->friction[at.cell] +
                                                        f->friction[to]);
            if (cost >= f->cost_so_far[to]) continue;
            f->cost_so_far[to] = cost;
            f->label[to] = f->label[at.cell];
            OM_TRY(heap_push(scratch, &size, (struct om__grow_step){cost, to}));
        }
    }
    return OM_OK;
}

/* A cell drawn with probability proportional to its weight. */
static uint32_t draw(const float *weight, const uint32_t *cell, uint32_t cells,
                     const double *sum, struct om__dice *dice)
{
    (void)weight;
    const double want = om__dice_real(dice) * sum[cells - 1];
    uint32_t low = 0, high = cells - 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (sum[middle] > want)
            high = middle;
        else
            low = middle + 1;
    }
    return cell[low];
}

static double nearest_seed(const struct om__mesh *mesh, uint32_t cell,
                           const uint32_t *seed, uint32_t n)
{
    const struct om__xy p = om__mesh_middle(mesh, cell);
    double best = 1e30;
    for (uint32_t i = 0; i < n; i++) {
        const double d = om__distance(p, om__mesh_middle(mesh, seed[i]));
        if (d < best) best = d;
    }
    return best;
}

static om_status first_seeds(const struct om__grow_field *f,
                             const uint32_t *cell, uint32_t cells,
                             uint32_t regions, struct om__dice *dice,
                             uint32_t *seed)
{
    double *sum = om_alloc_array(cells, sizeof *sum);
    if (!sum) return OM_E_MEMORY;
    double total = 0;
    for (uint32_t i = 0; i < cells; i++) sum[i] = total += f->weight[cell[i]];
    for (uint32_t r = 0; r < regions; r++) {
        double best = 0;
        seed[r] = OM__NO_CELL;
        for (int k = 0; k < CANDIDATES; k++) {
            const uint32_t c = draw(f->weight, cell, cells, sum, dice);
            const double room =
                nearest_seed(f->mesh, c, seed, r) * sqrt((double)f->weight[c]);
            if (room > best) {
                best = room;
                seed[r] = c;
            }
        }
        // All candidates taken: any free cell will do.
        for (uint32_t i = 0; seed[r] == OM__NO_CELL && i < cells; i++)
            if (nearest_seed(f->mesh, cell[i], seed, r) > 0) seed[r] = cell[i];
    }
    om_free(sum);
    return OM_OK;
}

/* Move each seed to the cell of its region nearest to the weighted middle. */
static om_status centre_seeds(const struct om__grow_field *f,
                              const uint32_t *cell, uint32_t cells,
                              uint32_t regions, uint32_t first, uint32_t *seed)
{
    struct middle {
        double x, y, weight, best;
    } *middle = om_calloc(regions, sizeof *middle);
    if (!middle) return OM_E_MEMORY;
    for (uint32_t i = 0; i < cells; i++) {
        if (f->label[cell[i]] - first >= regions) continue;
        struct middle *m = &middle[f->label[cell[i]] - first];
        const struct om__xy p = om__mesh_middle(f->mesh, cell[i]);
        const double w = (double)f->weight[cell[i]];
        m->x += w * p.x;
        m->y += w * p.y;
        m->weight += w;
        m->best = 1e30;
    }
    for (uint32_t i = 0; i < cells; i++) {
        if (f->label[cell[i]] - first >= regions) continue;
        const uint32_t r = f->label[cell[i]] - first;
        struct middle *m = &middle[r];
        const double d =
            om__distance(om__mesh_middle(f->mesh, cell[i]),
                         (struct om__xy){m->x / m->weight, m->y / m->weight});
        if (d >= m->best) continue;
        m->best = d;
        seed[r] = cell[i];
    }
    om_free(middle);
    return OM_OK;
}

om_status om__grow(const struct om__grow_field *field, const uint32_t *cell,
                   uint32_t cells, uint32_t regions, uint32_t first,
                   uint64_t seed, unsigned purpose,
                   struct om__grow_scratch *scratch, uint32_t *seed_cell)
{
    if (regions == 0 || regions > cells) return OM_E_INTERNAL;
    struct om__dice dice = om__dice(seed, purpose, cell[0]);
    OM_TRY(first_seeds(field, cell, cells, regions, &dice, seed_cell));
    for (int round = 0; round < ROUNDS; round++) {
        if (round)
            OM_TRY(centre_seeds(field, cell, cells, regions, first, seed_cell));
        for (uint32_t i = 0; i < cells; i++) {
            field->label[cell[i]] = OM__NO_CELL;
            field->cost_so_far[cell[i]] = 1e30f;
        }
        OM_TRY(spread(field, seed_cell, regions, first, scratch));
    }
    // Islands of a parent in several parts go to the nearest seed.
    for (uint32_t i = 0; i < cells; i++) {
        if (field->label[cell[i]] != OM__NO_CELL) continue;
        const struct om__xy p = om__mesh_middle(field->mesh, cell[i]);
        double best = 1e30;
        for (uint32_t r = 0; r < regions; r++) {
            const double d =
                om__distance(p, om__mesh_middle(field->mesh, seed_cell[r]));
            if (d >= best) continue;
            best = d;
            field->label[cell[i]] = first + r;
        }
    }
    return OM_OK;
}

om_status om__share(const double *weight, size_t n, uint64_t total,
                    uint64_t least, const uint32_t *most, uint32_t *out)
{
    if (total < least * n) return OM_E_INTERNAL;
    double *rest = om_alloc_array(n, sizeof *rest);
    if (!rest) return OM_E_MEMORY;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += weight[i];
    const double each = sum > 0 ? (double)(total - least * n) / sum : 0;
    uint64_t given = 0;
    for (size_t i = 0; i < n; i++) {
        const double want = weight[i] * each;
        out[i] = (uint32_t)(least + (uint64_t)want);
        if (most && out[i] > most[i]) out[i] = most[i];
        rest[i] = (double)least + want - out[i];
        given += out[i];
    }
    // What remains goes one by one to whoever is farthest below its share.
    while (given < total) {
        size_t best = n;
        for (size_t i = 0; i < n; i++)
            if ((!most || out[i] < most[i]) &&
                (best == n || rest[i] > rest[best]))
                best = i;
        if (best == n) break;
        out[best]++;
        rest[best] -= 1;
        given++;
    }
    om_free(rest);
    return given == total ? OM_OK : OM_E_INTERNAL;
}
