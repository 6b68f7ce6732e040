// settle.c - from coordinates as they come to valid rings on the grid.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/shape/known.h"
#include "engine/shape/node.h"
#include "engine/shape/repair.h"
#include "engine/shape/ringset.h"
#include "engine/shape/shape.h"
#include "engine/shape/valid.h"

/* DESIGN
 * A vertex goes to the cell it lies in, by itself: the same double gives the
 * same position whatever shape or level it belongs to, so what was identical
 * stays identical. Repeated vertices and rings without area left go; then the
 * polygon is checked *as it is now*, since rounding itself can tangle it. The
 * check of valid.c passes nearly all; the others meet GEOS.
 *
 * Shapes that share edges take three steps: (a) what is broken is repaired in
 * doubles, (b) all of them are noded together (node.c), (c) rounded and
 * checked as above. If (c) had to repair one, its neighbours may lack the new
 * vertices, so (b) and (c) are done once more. */

/* Shapes handed to a thread at once. */
#define GRAIN 2048
/* Repair, round, look again: the second look is nearly always content. */
#define MAX_REPAIRS 4
/* Times that shared edges are noded. */
#define MAX_NODINGS 3

/* Where shapes come from: a batch, or what an earlier step left. */
struct source {
    const struct om_shapes *shapes;
    const struct om__ringset *set;
};

/* What one thread keeps for itself. */
struct lane {
    struct om__geos geos;
    struct om__checker checker;
    struct om__ringset trial;
};

struct settling {
    struct source source;
    size_t count;
    enum om_geometry geometry;
    bool round;                 // else step (a): doubles stay
    struct om__ringset *chunk;  // one for each GRAIN shapes
    struct om_shape_note *note;
    struct lane lane[OM_LIMIT_THREADS];
};

static struct om__xy vertex_of(const struct source *source, size_t i)
{
    if (source->set) return source->set->vertex[i];
    return (struct om__xy){source->shapes->x[i], source->shapes->y[i]};
}

static size_t ring_start(const struct source *source, size_t ring)
{
    return source->set ? om__ring_first(source->set, ring)
                       : source->shapes->ring_vertex[ring];
}

static size_t part_start(const struct source *source, size_t part)
{
    return source->set ? om__part_first(source->set, part)
                       : source->shapes->part_ring[part];
}

static size_t shape_start(const struct source *source, size_t shape)
{
    return source->set ? om__shape_first(source->set, shape)
                       : source->shapes->shape_part[shape];
}

static bool on_map(const struct source *source, size_t shape)
{
    const size_t first = part_start(source, shape_start(source, shape));
    const size_t end = part_start(source, shape_start(source, shape + 1));
    const size_t stop = ring_start(source, end);
    for (size_t i = ring_start(source, first); i < stop; i++) {
        const struct om__xy v = vertex_of(source, i);
        // Also false for NaN.
        if (!(v.x >= 0 && v.x <= OM_POS_SIDE && v.y >= 0 && v.y <= OM_POS_SIDE))
            return false;
    }
    return true;
}

static double whole(double at)
{
    return at >= OM_POS_SIDE ? OM_POS_SIDE - 1 : floor(at);
}

static bool same(struct om__xy a, struct om__xy b)
{
    return a.x == b.x && a.y == b.y;
}

/* Are there two, or for a polygon three, different vertices? */
static bool has_extent(const struct om__xy *v, size_t n, bool closed)
{
    if (n < 2) return false;  // neighbours differ
    if (!closed) return true;
    if (n < 3) return false;
    for (size_t i = 2; i < n; i++)
        if (!same(v[i], v[0]) && !same(v[i], v[1])) return true;
    return false;
}

/* Append a ring without repeated vertices; *kept false if nothing is left. */
static om_status copy_ring(const struct source *source, size_t ring,
                           bool closed, bool round, struct om__ringset *out,
                           bool *kept)
{
    const size_t first = out->vertices;
    const size_t end = ring_start(source, ring + 1);
    for (size_t i = ring_start(source, ring); i < end; i++) {
        struct om__xy v = vertex_of(source, i);
        if (round) v = (struct om__xy){whole(v.x), whole(v.y)};
        if (out->vertices > first && same(v, out->vertex[out->vertices - 1]))
            continue;
        OM_TRY(om__ringset_add(out, v));
    }
    while (closed && out->vertices > first + 1 &&
           same(out->vertex[first], out->vertex[out->vertices - 1]))
        out->vertices--;
    *kept = out->vertices > first &&
            has_extent(out->vertex + first, out->vertices - first, closed);
    if (*kept) return om__ringset_end_ring(out);
    out->vertices = first;
    return OM_OK;
}

/* Append the parts of a shape; a part goes with its outer ring. */
static om_status copy_parts(const struct source *source, size_t shape,
                            bool closed, bool round, struct om__ringset *out,
                            size_t *dropped)
{
    const size_t end = shape_start(source, shape + 1);
    *dropped = 0;
    for (size_t p = shape_start(source, shape); p < end; p++) {
        const size_t before = out->rings;
        const size_t outer = part_start(source, p);
        const size_t stop = part_start(source, p + 1);
        for (size_t r = outer; r < stop; r++) {
            bool kept;
            OM_TRY(copy_ring(source, r, closed, round, out, &kept));
            *dropped += !kept;
            if (!kept && closed && r == outer) break;
        }
        if (out->rings > before) OM_TRY(om__ringset_end_part(out));
    }
    return OM_OK;
}

static void refuse(struct om__ringset *out, struct om__mark from,
                   struct om_shape_note *note, const char *why)
{
    om__ringset_cut(out, from);
    note->fate = OM_SHAPE_REFUSED;
    snprintf(note->text, sizeof note->text, "%s", why);
}

/* May GEOS look at what is not plainly valid? It is refused if that would take
 * long; called after om__polygon_plain of `looked`, the shape as rounded. */
static void look_closer(struct lane *lane, const struct om__ringset *looked,
                        struct om__mark looked_from, struct om__ringset *out,
                        struct om__mark from, struct om_shape_note *note,
                        bool *plain)
{
    struct om__tangle tangle;
    om__polygon_tangle(&lane->checker, looked, looked_from, &tangle);
    *plain = tangle.plain;
    note->cost_ns += tangle.cost_ns;
    if (!tangle.why) return;
    refuse(out, from, note, tangle.why);
    note->costly = true;
}

/* Step (c), and all there is to do for shapes that share nothing. */
static om_status make_plain(struct lane *lane, struct om__ringset *out,
                            struct om__mark from, struct om_shape_note *note)
{
    bool plain, changed, close = false;
    for (int i = 0; i < MAX_REPAIRS; i++) {
        OM_TRY(om__polygon_plain(&lane->checker, out, from, &plain));
        const uint64_t mark = plain ? 0 : om__shape_mark(out, from);
        if (!plain) {
            close = true;
            plain = om__shape_known(mark);
        }
        if (!plain) look_closer(lane, out, from, out, from, note, &plain);
        if (!plain && note->fate != OM_SHAPE_REFUSED) {
            OM_TRY(
                om__geos_repair(&lane->geos, out, from, true, note, &changed));
            plain = !changed;
        }
        if (note->fate == OM_SHAPE_REFUSED) return OM_OK;
        if (!plain) continue;
        if (mark) om__shape_note(mark);
        om__polygon_orient(out, from);
        // As it comes back from whoever has put it on the grid.
        if (close) om__shape_note(om__shape_mark(out, from));
        return OM_OK;
    }
    refuse(out, from, note, "cannot be made valid on the grid");
    return OM_OK;
}

/* Step (a): repair in doubles what would not be plain once rounded. */
static om_status make_sound(struct lane *lane, const struct source *source,
                            size_t shape, struct om__ringset *out,
                            struct om__mark from, struct om_shape_note *note)
{
    size_t dropped;
    bool plain = false, changed;
    om__ringset_clear(&lane->trial);
    OM_TRY(copy_parts(source, shape, true, true, &lane->trial, &dropped));
    if (lane->trial.parts > 0)
        OM_TRY(om__polygon_plain(&lane->checker, &lane->trial,
                                 (struct om__mark){0}, &plain));
    if (plain) return OM_OK;
    if (lane->trial.parts > 0)
        look_closer(lane, &lane->trial, (struct om__mark){0}, out, from, note,
                    &plain);
    else
        refuse(out, from, note, "smaller than a cell of the grid");
    if (plain || note->fate == OM_SHAPE_REFUSED) return OM_OK;
    // Rings within a cell of the grid were not compared.
    if (out->vertices - from.vertices - lane->trial.vertices >
            OM_LIMIT_SHAPE_CROSSINGS &&
        dropped) {
        refuse(out, from, note, "rings smaller than a cell of the grid");
        return OM_OK;
    }
    return om__geos_repair(&lane->geos, out, from, false, note, &changed);
}

static om_status settle_shape(const struct settling *job, struct lane *lane,
                              size_t shape, struct om__ringset *out)
{
    const struct source *source = &job->source;
    const bool polygon = job->geometry == OM_GEOMETRY_POLYGON;
    const struct om__mark from = om__ringset_mark(out);
    struct om_shape_note *note = &job->note[shape];
    size_t dropped = 0;

    if (note->fate == OM_SHAPE_REFUSED) return om__ringset_end_shape(out);
    if (on_map(source, shape)) {
        OM_TRY(copy_parts(source, shape, polygon, job->round, out, &dropped));
        if (out->parts == from.parts)
            refuse(out, from, note,
                   dropped ? "smaller than a cell of the grid" : "empty");
    } else {
        refuse(out, from, note, "a coordinate is not finite or off the map");
    }
    if (note->fate != OM_SHAPE_REFUSED && polygon)
        OM_TRY(job->round ? make_plain(lane, out, from, note)
                          : make_sound(lane, source, shape, out, from, note));
    if (note->fate == OM_SHAPE_FINE && dropped) {
        note->fate = OM_SHAPE_REPAIRED;
        snprintf(note->text, sizeof note->text,
                 "%zu of its rings without area left out", dropped);
    }
    return om__ringset_end_shape(out);
}

static om_status settle_range(void *ctx, size_t first, size_t end, size_t lane)
{
    struct settling *job = ctx;
    struct om__ringset *out = &job->chunk[first / GRAIN];
    for (size_t s = first; s < end; s++)
        OM_TRY(settle_shape(job, &job->lane[lane], s, out));
    return OM_OK;
}

static size_t chunk_count(size_t shapes)
{
    return (shapes + GRAIN - 1) / GRAIN;
}

static void drop_chunks(struct settling *job)
{
    const size_t chunks = job->chunk ? chunk_count(job->count) : 0;
    for (size_t i = 0; i < chunks; i++) om__ringset_deinit(&job->chunk[i]);
    om_free(job->chunk);
    job->chunk = NULL;
}

static om_status run(struct settling *job, struct source source, bool round)
{
    job->source = source;
    job->round = round;
    job->chunk = om_calloc(chunk_count(job->count), sizeof *job->chunk);
    if (!job->chunk) return OM_E_MEMORY;
    return om_parallel(job->count, GRAIN, settle_range, job);
}

static om_status append(struct om__ringset *to, const struct om__ringset *from)
{
    size_t ring = 0, part = 0, vertex = 0;
    for (size_t s = 0; s < from->shapes; s++) {
        for (; part < from->shape_end[s]; part++) {
            for (; ring < from->part_end[part]; ring++) {
                for (; vertex < from->ring_end[ring]; vertex++)
                    OM_TRY(om__ringset_add(to, from->vertex[vertex]));
                OM_TRY(om__ringset_end_ring(to));
            }
            OM_TRY(om__ringset_end_part(to));
        }
        OM_TRY(om__ringset_end_shape(to));
    }
    return OM_OK;
}

/* Take the chunks of the last run as one set. */
static om_status collect(struct settling *job, struct om__ringset *set)
{
    om__ringset_clear(set);
    for (size_t i = 0; i < chunk_count(job->count); i++)
        OM_TRY(append(set, &job->chunk[i]));
    drop_chunks(job);
    return OM_OK;
}

static size_t repaired(const struct settling *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->count; i++)
        n += job->note[i].fate == OM_SHAPE_REPAIRED;
    return n;
}

static om_status settle_shared(struct settling *job,
                               const struct om_shapes *shapes)
{
    struct om__ringset set = {0};
    om_status st = run(job, (struct source){.shapes = shapes}, false);
    if (st) goto done;
    for (int i = 0; i < MAX_NODINGS; i++) {
        st = collect(job, &set);
        if (st) goto done;
        st = om__ringset_node(&set);
        if (st) goto done;
        const size_t before = repaired(job);
        st = run(job, (struct source){.set = &set}, true);
        if (st || repaired(job) == before) break;
    }
done:
    om__ringset_deinit(&set);
    return st;
}

static om_status allot(const struct settling *job, struct om_arena *arena,
                       struct om_rings *out)
{
    size_t parts = 0, rings = 0, vertices = 0;
    for (size_t i = 0; i < chunk_count(job->count); i++) {
        parts += job->chunk[i].parts;
        rings += job->chunk[i].rings;
        vertices += job->chunk[i].vertices;
    }
    if (vertices >= UINT32_MAX) return OM_E_LIMIT;
    out->count = job->count;
    out->shape_part =
        om_arena_alloc(arena, (job->count + 1) * sizeof(uint32_t));
    out->part_ring = om_arena_alloc(arena, (parts + 1) * sizeof(uint32_t));
    out->ring_vertex = om_arena_alloc(arena, (rings + 1) * sizeof(uint32_t));
    out->vertex = om_arena_alloc(arena, vertices * sizeof(struct om_pos));
    out->box = om_arena_alloc(arena, job->count * sizeof(struct om_box));
    return out->shape_part && out->part_ring && out->ring_vertex &&
                   out->vertex && out->box
               ? OM_OK
               : OM_E_MEMORY;
}

static void put_box(struct om_box *box, struct om_pos p)
{
    if (p.x < box->x0) box->x0 = p.x;
    if (p.y < box->y0) box->y0 = p.y;
    if (p.x > box->x1) box->x1 = p.x;
    if (p.y > box->y1) box->y1 = p.y;
}

/* Write chunk after chunk into the arrays of `out`. */
static void fill(const struct settling *job, const struct om_rings *out)
{
    // om_rings is read-only to everyone else; these are its arrays.
    uint32_t *shape_part = (uint32_t *)out->shape_part;
    uint32_t *part_ring = (uint32_t *)out->part_ring;
    uint32_t *ring_vertex = (uint32_t *)out->ring_vertex;
    struct om_pos *vertex = (struct om_pos *)out->vertex;
    struct om_box *box = (struct om_box *)out->box;
    uint32_t parts = 0, rings = 0, vertices = 0;
    size_t shape = 0;

    shape_part[0] = part_ring[0] = ring_vertex[0] = 0;
    for (size_t c = 0; c < chunk_count(job->count); c++) {
        const struct om__ringset *set = &job->chunk[c];
        const uint32_t part_base = parts, ring_base = rings;
        const uint32_t vertex_base = vertices;
        for (size_t r = 0; r < set->rings; r++)
            ring_vertex[++rings] = vertex_base + set->ring_end[r];
        for (size_t p = 0; p < set->parts; p++)
            part_ring[++parts] = ring_base + set->part_end[p];
        for (size_t s = 0; s < set->shapes; s++, shape++) {
            shape_part[shape + 1] = part_base + set->shape_end[s];
            struct om_box *b = &box[shape];
            *b = (struct om_box){UINT32_MAX, UINT32_MAX, 0, 0};
            const uint32_t end = ring_vertex[part_ring[shape_part[shape + 1]]];
            for (; vertices < end; vertices++) {
                const struct om__xy v = set->vertex[vertices - vertex_base];
                vertex[vertices] =
                    (struct om_pos){(uint32_t)v.x, (uint32_t)v.y};
                put_box(b, vertex[vertices]);
            }
        }
    }
}

om_status om_shapes_settle(const struct om_shapes *shapes,
                           enum om_geometry geometry, bool shared,
                           struct om_arena *arena, struct om_rings *out,
                           struct om_shape_note *note)
{
    om_status st;
    *out = (struct om_rings){0};
    struct settling *job = om_calloc(1, sizeof *job);
    if (!job) return OM_E_MEMORY;
    job->count = shapes->count;
    job->geometry = geometry;
    job->note = note;
    if (shapes->count) memset(note, 0, shapes->count * sizeof *note);

    if (shared && geometry == OM_GEOMETRY_POLYGON)
        st = settle_shared(job, shapes);
    else
        st = run(job, (struct source){.shapes = shapes}, true);
    if (st) goto done;
    st = allot(job, arena, out);
    if (st) goto done;
    fill(job, out);
done:
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) {
        om__geos_close(&job->lane[i].geos);
        om__checker_deinit(&job->lane[i].checker);
        om__ringset_deinit(&job->lane[i].trial);
    }
    drop_chunks(job);
    om_free(job);
    if (st) *out = (struct om_rings){0};
    return st;
}
