/* needs_area.c - where in an area an answer looks.
 *
 * DESIGN
 * Whoever has an area is answered from its rows alone. An answer that depended
 * on a box beside it would have another ETag when a row there changes, and so
 * tell where somebody's house was written to. So a box is cut to the area's,
 * and where it does not meet the area's outline it is nowhere. A box that the
 * outline crosses stays: of a strip along the border it is told that something
 * changed in a tile, not where in it.
 */
#include "web/server/needs.h"
#include "web/server/unit_of.h"

struct om_box om__needs_in_area(const struct om__request *r, const char *layer,
                                struct om_box box)
{
    const struct om_layer *l = om_snapshot_layer(r->snapshot, layer);
    struct om__unit_of unit;
    // Shapes may lie beyond the unit that they are in; who follows people has
    // rows of another kind.
    if (!l || !l->rights.area || l->schema.geometry != OM_GEOMETRY_POINT ||
        l->rights.area_column + l->unit_columns < l->schema.count ||
        l->rights.by_level ||
        om__unit_find(r->whole, l->schema.field[l->rights.area_column].name,
                      l->rights.area_unit, &unit))
        return box;
    if (box.x0 < unit.box.x0) box.x0 = unit.box.x0;
    if (box.y0 < unit.box.y0) box.y0 = unit.box.y0;
    if (box.x1 > unit.box.x1) box.x1 = unit.box.x1;
    if (box.y1 > unit.box.y1) box.y1 = unit.box.y1;
    return box.x0 <= box.x1 && box.y0 <= box.y1 &&
                   om__unit_meets(r->whole, &unit, box)
               ? box
               : OM__NOWHERE;
}
