// stats_values.c - counts by a column whose values tell of rows.
#include "web/server/stats_values.h"

#include "engine/policy/values.h"
#include "web/server/guard.h"
#include "web/server/params.h"

om_status om__stats_values_tell(struct om__request *r, size_t by,
                                enum om_step step, size_t groups)
{
    bool lists = false;
    r->told_rows = 0;
    if (step != OM_STEP_NONE) return OM_OK;
    OM_TRY(om_column_lists(r->layer, by, &lists));
    if (!lists) return OM_OK;
    r->told_rows = groups;
    if (r->who->role->export || groups <= OM__LOOK_ROWS) return OM_OK;
    return om__param_bad(
        r, "by", OM_E_COST,
        "by %.64s tells of %zu values, as a list of rows does; "
        "who may not take rows away is told of %d at once: "
        "fewer by filter, bbox or datetime",
        om__param_text(r, "by"), groups, OM__LOOK_ROWS);
}
