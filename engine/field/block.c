/* block.c - a block of places, and the masses around it in its own measure.
 *
 * DESIGN
 * Pixels of a tile are squares of the grid. Cells of a raster in another
 * projection are quadrangles of it, given by their corners. Both are cells
 * (u, v) to what spreads masses: a mesh hands out each mass at the (u, v)
 * whose bilinear place between corners it is, found by Newton's steps, which
 * need no projection. Neighbouring quadrangles share their edges, so nothing
 * falls between them and nothing is counted twice.
 */
#include <math.h>

#include "engine/field/field_internal.h"

/* Grid cells (log2) that positions are handed out in on the way to a mesh:
 * their 24 bits below that are more than a mean position has. */
#define MESH_EXPONENT 8
/* The first guess is a block's width off at most, and cells are all but
 * parallelograms: three steps leave less than a millionth of a cell. */
#define STEPS 3
#define ENOUGH 1e-3

struct vector {
    double x, y;
};

static struct vector corner(const struct om__mesh *m, size_t row, size_t column)
{
    const size_t at = row * (m->columns + 1) + column;
    return (struct vector){m->x[at], m->y[at]};
}

static size_t clamp_cell(double at, size_t cells)
{
    if (!(at > 0.0)) return 0;
    return at < (double)cells ? (size_t)at : cells - 1;
}

/* Place of (u, v), and how it moves with u and with v. Beyond the mesh its
 * outermost cells go on. */
static struct vector mesh_place(const struct om__mesh *m, double u, double v,
                                struct vector *along, struct vector *down)
{
    const size_t c = clamp_cell(u, m->columns), r = clamp_cell(v, m->rows);
    const struct vector a = corner(m, r, c), b = corner(m, r, c + 1);
    const struct vector d = corner(m, r + 1, c), e = corner(m, r + 1, c + 1);
    const double s = u - (double)c, t = v - (double)r;
    *along = (struct vector){(1.0 - t) * (b.x - a.x) + t * (e.x - d.x),
                             (1.0 - t) * (b.y - a.y) + t * (e.y - d.y)};
    *down = (struct vector){(1.0 - s) * (d.x - a.x) + s * (e.x - b.x),
                            (1.0 - s) * (d.y - a.y) + s * (e.y - b.y)};
    return (struct vector){
        (1.0 - t) * (a.x + s * (b.x - a.x)) + t * (d.x + s * (e.x - d.x)),
        (1.0 - t) * (a.y + s * (b.y - a.y)) + t * (d.y + s * (e.y - d.y))};
}

/* Where a place lies in the mesh, from a guess on. */
static void mesh_locate(const struct om__mesh *m, double x, double y, double *u,
                        double *v)
{
    for (unsigned k = 0; k < STEPS; k++) {
        struct vector along, down;
        const struct vector at = mesh_place(m, *u, *v, &along, &down);
        const double dx = x - at.x, dy = y - at.y;
        const double det = along.x * down.y - along.y * down.x;
        const double du = (dx * down.y - dy * down.x) / det;
        const double dv = (dy * along.x - dx * along.y) / det;
        *u += du;
        *v += dv;
        // Newton squares what is left: cells bend by far less than a tenth.
        if (fabs(du) < ENOUGH && fabs(dv) < ENOUGH) return;
    }
}

bool om__mesh_is_sound(const struct om__mesh *m)
{
    const double last = OM_POS_SIDE;
    for (size_t i = 0; i < (m->rows + 1) * (m->columns + 1); i++)
        if (!(m->x[i] >= 0.0 && m->x[i] <= last && m->y[i] >= 0.0 &&
              m->y[i] <= last))
            return false;
    for (size_t r = 0; r < m->rows; r++)
        for (size_t c = 0; c < m->columns; c++) {
            struct vector along, down;
            mesh_place(m, (double)c + 0.5, (double)r + 0.5, &along, &down);
            if (!(along.x * down.y - along.y * down.x > 0.0)) return false;
        }
    return true;
}

/* ---- sizes ------------------------------------------------------------- */

static struct om__ground square_m(const struct om__block *b, double row)
{
    const double side = ldexp(1.0, (int)b->exponent);
    const struct om__ground g =
        om__ground(((double)b->row0 + row + 0.5) * side);
    return (struct om__ground){side * g.x_m, side * g.y_m};
}

/* Of the cell around v in the middle of the mesh. */
static struct om__ground quadrangle_m(const struct om__mesh *m, double v)
{
    struct vector along, down;
    const struct vector at =
        mesh_place(m, (double)m->columns / 2.0, v, &along, &down);
    const struct om__ground g = om__ground(at.y);
    return (struct om__ground){hypot(along.x * g.x_m, along.y * g.y_m),
                               hypot(down.x * g.x_m, down.y * g.y_m)};
}

struct om__ground om__block_cell_m(const struct om__block *b, double row)
{
    if (!b->mesh) return square_m(b, row);
    const struct om__mesh *m = b->mesh;
    const double v = b->v0 + row + 0.5;
    const double inside = fmin(fmax(v, 0.5), (double)m->rows - 0.5);
    const struct om__ground at = quadrangle_m(m, inside);
    if (v == inside || m->rows < 2) return at;
    // Beyond the mesh sizes go on as they changed at its edge.
    const double step = v < inside ? 1.0 : -1.0, far = fabs(v - inside);
    const struct om__ground in = quadrangle_m(m, inside + step);
    return (struct om__ground){
        fmax(at.x_m + far * (at.x_m - in.x_m), 0.5 * at.x_m),
        fmax(at.y_m + far * (at.y_m - in.y_m), 0.5 * at.y_m)};
}

/* ---- masses ------------------------------------------------------------ */

struct turn {
    const struct om__mesh *mesh;
    double u0, v0;  // of the block's first cell in the mesh
    double u, v;    // of the last mass: masses come near each other
    int64_t column0, row0;
    double cell2;  // squared grid cells of a cell
    struct om__batch *batch;
    void (*take)(void *ctx, const struct om__batch *batch);
    void *ctx;
};

static void turn_batch(void *ctx, const struct om__batch *in)
{
    struct turn *t = ctx;
    const double side = ldexp(1.0, MESH_EXPONENT);
    struct om__batch *out = t->batch;
    out->count = in->count;
    out->variance = (float)((double)in->variance * side * side / t->cell2);
    for (size_t i = 0; i < in->count; i++) {
        const double x =
            ((double)(t->column0 + in->column[i]) + (double)in->tx[i]) * side;
        const double y =
            ((double)(t->row0 + in->row[i]) + (double)in->ty[i]) * side;
        double u = t->u, v = t->v;
        mesh_locate(t->mesh, x, y, &u, &v);
        t->u = u;
        t->v = v;
        const double column = floor(u - t->u0), row = floor(v - t->v0);
        out->column[i] = (int32_t)fmin(fmax(column, -1e9), 1e9);
        out->row[i] = (int32_t)fmin(fmax(row, -1e9), 1e9);
        out->tx[i] = (float)(u - t->u0 - column);
        out->ty[i] = (float)(v - t->v0 - row);
        out->weight[i] = in->weight[i];
    }
    t->take(t->ctx, out);
}

/* The positions within `margin` cells of the block; false if there are none. */
static bool block_box(const struct om__block *b, double margin,
                      struct om_box *box)
{
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    if (b->mesh) {
        const struct om__mesh *m = b->mesh;
        double widest = 0.0;  // squared
        for (size_t i = 0; i < (m->rows + 1) * (m->columns + 1); i++) {
            if (m->x[i] < x0) x0 = m->x[i];
            if (m->x[i] > x1) x1 = m->x[i];
            if (m->y[i] < y0) y0 = m->y[i];
            if (m->y[i] > y1) y1 = m->y[i];
            if (i == 0) continue;
            const size_t before = i % (m->columns + 1) ? i - 1 : i - m->columns;
            const double dx = m->x[i] - m->x[before];
            const double dy = m->y[i] - m->y[before];
            if (dx * dx + dy * dy > widest) widest = dx * dx + dy * dy;
        }
        margin *= 1.05 * sqrt(widest);
    } else {
        const double side = ldexp(1.0, (int)b->exponent);
        x0 = (double)b->column0 * side;
        y0 = (double)b->row0 * side;
        x1 = x0 + (double)b->columns * side - 1.0;
        y1 = y0 + (double)b->rows * side - 1.0;
        margin *= side;
    }
    const double last = OM_POS_SIDE - 1.0;
    x0 -= margin;
    y0 -= margin;
    x1 += margin;
    y1 += margin;
    if (x1 < 0.0 || y1 < 0.0 || x0 > last || y0 > last) return false;
    *box = (struct om_box){(uint32_t)fmax(x0, 0.0), (uint32_t)fmax(y0, 0.0),
                           (uint32_t)fmin(x1, last), (uint32_t)fmin(y1, last)};
    return true;
}

static om_status turn_init(struct turn *t, const struct om__field *f,
                           const struct om__block *b)
{
    const struct om__mesh *m = b->mesh;
    struct vector along, down;
    const struct vector middle = mesh_place(
        m, (double)m->columns / 2.0, (double)m->rows / 2.0, &along, &down);
    t->mesh = m;
    t->u0 = b->u0;
    t->v0 = b->v0;
    t->u = (double)m->columns / 2.0;
    t->v = (double)m->rows / 2.0;
    t->column0 = (int64_t)ldexp(middle.x, -MESH_EXPONENT);
    t->row0 = (int64_t)ldexp(middle.y, -MESH_EXPONENT);
    t->cell2 = along.x * down.y - along.y * down.x;
    t->batch = om_arena_alloc(f->arena, sizeof *t->batch);
    return t->batch ? OM_OK : OM_E_MEMORY;
}

om_status om__block_gather(
    const struct om__field *field, const struct om__block *block, double margin,
    unsigned level, void (*take)(void *ctx, const struct om__batch *batch),
    void *ctx)
{
    struct om__gather gather = {
        .spec = field->spec,
        .prepared = field->prepared,
        .reference_s = field->reference_s,
        .level = level,
        .exponent = block->exponent,
        .column0 = block->column0,
        .row0 = block->row0,
        .take = take,
        .ctx = ctx,
    };
    if (!block_box(block, margin, &gather.box)) return OM_OK;
    if (!block->mesh) return om__gather_run(&gather);
    struct turn turn = {.take = take, .ctx = ctx};
    OM_TRY(turn_init(&turn, field, block));
    gather.exponent = MESH_EXPONENT;
    gather.column0 = turn.column0;
    gather.row0 = turn.row0;
    gather.take = turn_batch;
    gather.ctx = &turn;
    return om__gather_run(&gather);
}
