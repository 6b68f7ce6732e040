// coverage_patrol_field.c - overdue risk as a field, in a GeoTIFF.
#include <stdio.h>
#include <string.h>

#include "engine/coverage/overdue.h"
#include "web/coverage_patrol.h"
#include "web/density.h"

#define FIELDS_BYTES ((size_t)256 << 20)
#define PATH_BYTES 4096

static void folder_of(const char *path, char out[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(out, PATH_BYTES, ".");
    else
        snprintf(out, PATH_BYTES, "%.*s", (int)(slash - path + 1), path);
}

static om_status write_field(struct om__patrol_question *p,
                             const struct om_overdue *overdue,
                             double bandwidth_m, double cell_m,
                             const char *path)
{
    struct om_coverage *q = p->question;
    struct om_fields *fields = NULL;
    const struct om_risk_part term = {
        .spec = {.layer = &overdue->layer,
                 .selection = overdue->all,
                 .kernel = OM_KERNEL_QUARTIC,
                 .bandwidth_m = bandwidth_m,
                 .weight = om_weight_by(overdue->weight)},
        .factor = 1};
    const struct om_risk_bound bound = {
        .risk = {.terms = 1, .term = &term, .scale = 1},
        .name = "overdue",
        .layer = &overdue->layer,
        .unit = "每平方公里逾期天数(按风险加权)",
        .unit_en = "days overdue, weighted by risk, per km2",
        .window = {.set = true, .from_s = p->spec.from_s, .to_s = p->spec.to_s},
        .at_s = p->spec.at_s,
        .dated = true};
    const struct om_density_shape shape = {
        .cell_m = cell_m, .where = om__coverage_text(q, "where")};
    OM_TRY(om_fields_new(FIELDS_BYTES, &fields));
    const om_status st =
        om_density_write(fields, q->snapshot, &bound, &shape, path, &q->err);
    om_fields_free(fields);
    return st;
}

om_status om__patrol_field(struct om__patrol_question *p)
{
    struct om_coverage *q = p->question;
    const char *path = om__coverage_text(q, "raster");
    double bandwidth_m = OM_BANDWIDTH_DEFAULT_M, cell_m = 0;
    if (!path) return OM_OK;
    if (!q->may_write)
        return om__coverage_bad(q, "raster", OM_E_UNSUPPORTED,
                                "a file is written by the command line only");
    OM_TRY(om__coverage_real(q, "bandwidth", OM_BANDWIDTH_MIN_M,
                             OM_BANDWIDTH_MAX_M, &bandwidth_m));
    OM_TRY(om__coverage_real(q, "cell", 0.1, 1e5, &cell_m));
    char folder[PATH_BYTES];
    struct om_overdue overdue;
    folder_of(path, folder);
    om_status st =
        om_overdue_make(&p->spec, &p->patrol, folder, &overdue, &q->err);
    if (!st && !overdue.layer.rows)
        st = om_fail(&q->err, OM_E_NOTFOUND, 0,
                     "nothing is overdue: there is no field to write");
    if (!st) st = write_field(p, &overdue, bandwidth_m, cell_m, path);
    om_overdue_free(&overdue);
    return st;
}
