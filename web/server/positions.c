// positions.c - where those who are on duty were last seen.
#include "web/server/positions.h"

#define RETENTION_DAYS 2.0

bool om__positions_about(const struct om_snapshot *snapshot,
                         struct om__positions_about *out)
{
    const struct om_json *positions =
        om_json_get(snapshot->manifest->document, "positions");
    *out = (struct om__positions_about){
        .layer = om_json_text(om_json_get(positions, "layer"), NULL),
        .seen = om_json_text(om_json_get(positions, "seen"), NULL),
        .retention_days = om_json_real(
            om_json_get(positions, "retention_days"), RETENTION_DAYS)};
    if (!(out->retention_days >= 0)) out->retention_days = RETENTION_DAYS;
    return out->layer && out->seen;
}
