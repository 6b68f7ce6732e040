// region.c - the city's area as a partition of its coarsest units.
#include "engine/risk/region.h"

om_status om_risk_region_new(const struct om_snapshot *snapshot,
                             struct om_partition **out)
{
    const struct om_manifest *city = snapshot->manifest;
    *out = NULL;
    for (size_t i = city->levels; i-- > 0;) {
        const struct om_layer *layer =
            om_snapshot_units(snapshot, city->level[i]);
        if (!layer || layer->parts == 0 || layer->rows == 0 ||
            layer->schema.geometry != OM_GEOMETRY_POLYGON)
            continue;
        // A level changes as a whole, so it is one part and none of it dead.
        struct om_segment *segment = layer->part[0].segment;
        struct om_rings rings;
        OM_TRY(om_segment_rings(segment, 0, om_segment_rows(segment), &rings));
        return om_partition_new(&rings, out);
    }
    return OM_OK;
}
