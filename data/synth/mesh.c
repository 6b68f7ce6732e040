// mesh.c - the lattice: numbering, neighbours, corners, finding a cell.
#include "data/synth/mesh.h"

#include "data/base/alloc.h"

#define ROOT3 1.7320508075688772
#define RIM 2  // cells of padding that never belong to a unit

om_status om__mesh_init(struct om__mesh *mesh, struct om__xy south_west,
                        struct om__xy north_east, double step_m)
{
    *mesh = (struct om__mesh){.step_m = step_m};
    const double pitch = step_m * ROOT3 / 2;
    mesh->columns =
        (uint32_t)((north_east.x - south_west.x) / step_m) + 2 * RIM + 2;
    mesh->rows =
        (uint32_t)((north_east.y - south_west.y) / pitch) + 2 * RIM + 2;
    mesh->cells = mesh->columns * mesh->rows;
    mesh->columns_per_m = 1 / step_m;
    mesh->rows_per_m = 1 / pitch;
    mesh->origin = (struct om__xy){south_west.x - RIM * step_m,
                                   south_west.y - RIM * pitch};
    mesh->corner = om_alloc_array(mesh->cells, 2 * sizeof(struct om__corner));
    mesh->moved = om_calloc(mesh->cells, 1);
    if (!mesh->corner || !mesh->moved) {
        om__mesh_deinit(mesh);
        return OM_E_MEMORY;
    }
    for (uint32_t cell = 0; cell < mesh->cells; cell++) {
        const struct om__xy m = om__mesh_middle(mesh, cell);
        const double reach = step_m / ROOT3;
        mesh->corner[2 * cell] =
            om__plane_corner((struct om__xy){m.x, m.y + reach});
        mesh->corner[2 * cell + 1] =
            om__plane_corner((struct om__xy){m.x, m.y - reach});
    }
    return OM_OK;
}

void om__mesh_deinit(struct om__mesh *mesh)
{
    om_free(mesh->corner);
    om_free(mesh->moved);
    *mesh = (struct om__mesh){0};
}

struct om__xy om__mesh_middle(const struct om__mesh *mesh, uint32_t cell)
{
    const uint32_t row = cell / mesh->columns, column = cell % mesh->columns;
    return (struct om__xy){
        mesh->origin.x + mesh->step_m * (column + 0.5 * (row & 1)),
        mesh->origin.y + mesh->step_m * (ROOT3 / 2) * row};
}

double om__mesh_cell_m2(const struct om__mesh *mesh)
{
    return mesh->step_m * mesh->step_m * ROOT3 / 2;
}

void om__mesh_neighbours(const struct om__mesh *mesh, uint32_t cell,
                         uint32_t out[OM__SIDES])
{
    const uint32_t n = mesh->columns, row = cell / n, column = cell % n;
    const uint32_t odd = row & 1;
    const bool west = column > 0, east = column + 1 < n;
    const bool south = row > 0, north = row + 1 < mesh->rows;
    const bool right = odd ? east : true, left = odd ? true : west;
    out[0] = east ? cell + 1 : OM__NO_CELL;
    out[1] = north && right ? cell + n + odd : OM__NO_CELL;
    out[2] = north && left ? cell + n + odd - 1 : OM__NO_CELL;
    out[3] = west ? cell - 1 : OM__NO_CELL;
    out[4] = south && left ? cell - n + odd - 1 : OM__NO_CELL;
    out[5] = south && right ? cell - n + odd : OM__NO_CELL;
}

void om__mesh_corners(const struct om__mesh *mesh, uint32_t cell,
                      uint32_t out[OM__SIDES])
{
    const uint32_t n = mesh->columns, odd = (cell / n) & 1;
    out[0] = 2 * (cell - n + odd);          // top of the south-east one
    out[1] = 2 * (cell + n + odd) + 1;      // bottom of the north-east one
    out[2] = 2 * cell;                      // own top
    out[3] = 2 * (cell + n + odd - 1) + 1;  // bottom of the north-west one
    out[4] = 2 * (cell - n + odd - 1);      // top of the south-west one
    out[5] = 2 * cell + 1;                  // own bottom
}

bool om__mesh_rim(const struct om__mesh *mesh, uint32_t cell)
{
    const uint32_t row = cell / mesh->columns, column = cell % mesh->columns;
    return row < RIM || column < RIM || row + RIM >= mesh->rows ||
           column + RIM >= mesh->columns;
}

uint32_t om__mesh_raw(const struct om__mesh *mesh, struct om__xy p)
{
    const double y = (p.y - mesh->origin.y) * mesh->rows_per_m;
    const double x = (p.x - mesh->origin.x) * mesh->columns_per_m;
    // One row of padding less than there is, so that truncation is floor.
    if (!(y >= 1 && x >= 1 && y < mesh->rows - 1 && x < mesh->columns - 1))
        return OM__NO_CELL;
    const uint32_t below = (uint32_t)y;
    uint32_t best = OM__NO_CELL;
    double best_d2 = 1e30;
    // The nearest middle is in the row below or in the one above.
    for (uint32_t row = below; row <= below + 1; row++) {
        const double shifted = x - 0.5 * (row & 1);
        const uint32_t column = (uint32_t)(shifted + 0.5);
        const double dx = shifted - column, dy = (y - row) * (ROOT3 / 2);
        const double d2 = dx * dx + dy * dy;
        if (d2 >= best_d2) continue;
        best_d2 = d2;
        best = row * mesh->columns + column;
    }
    return best;
}

/* Is c left of the line a-b (positive), on it (0), right of it? Exact. */
static int64_t side(struct om__corner a, struct om__corner b,
                    struct om__corner c)
{
    return (int64_t)(b.lon_e7 - a.lon_e7) * (c.lat_e7 - a.lat_e7) -
           (int64_t)(b.lat_e7 - a.lat_e7) * (c.lon_e7 - a.lon_e7);
}

/* Crossings with half-open edges: a point belongs to exactly one cell. */
static bool cell_holds(const struct om__mesh *mesh, uint32_t cell,
                       struct om__corner p)
{
    uint32_t at[OM__SIDES];
    om__mesh_corners(mesh, cell, at);
    bool inside = false;
    for (int k = 0; k < OM__SIDES; k++) {
        struct om__corner a = mesh->corner[at[k]];
        struct om__corner b = mesh->corner[at[(k + 1) % OM__SIDES]];
        if ((a.lat_e7 > p.lat_e7) == (b.lat_e7 > p.lat_e7)) continue;
        if (a.lat_e7 > b.lat_e7) {
            const struct om__corner swap = a;
            a = b;
            b = swap;
        }
        if (side(a, b, p) > 0) inside = !inside;
    }
    return inside;
}

uint32_t om__mesh_find(const struct om__mesh *mesh, struct om__xy p)
{
    const uint32_t raw = om__mesh_raw(mesh, p);
    if (raw == OM__NO_CELL || !mesh->moved[raw] || om__mesh_rim(mesh, raw))
        return raw;
    const struct om__corner c = om__plane_corner(p);
    if (cell_holds(mesh, raw, c)) return raw;
    uint32_t near[OM__SIDES];
    om__mesh_neighbours(mesh, raw, near);
    for (int k = 0; k < OM__SIDES; k++)
        if (!om__mesh_rim(mesh, near[k]) && cell_holds(mesh, near[k], c))
            return near[k];
    return raw;
}
