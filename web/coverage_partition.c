/* coverage_partition.c - are the units sound?
 *
 * DESIGN
 * One table holds findings of several kinds, told apart by their class: a row
 * for each level, pair of levels and layer says how it stands, and each fault
 * is a row of its own with its shape. A reader of the whole table sees what
 * was looked at; whoever wants the faults filters by class.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/buf.h"
#include "engine/coverage/duty.h"
#include "web/coverage_partition.h"

/* Below this mean width a gap or overlap is called a sliver. */
#define SLIVER_DEFAULT_M 1.0
/* Two levels are rounded to the grid on their own, so their borders may lie a
 * cell apart, on both sides: pieces as thin as two cells of under 1 cm are
 * that and no fault. */
#define LEVEL_SLACK_M 0.02
#define LISTED_DEFAULT 10

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_TEXT},       {"name", OM_TYPE_TEXT},
    {"class", OM_TYPE_TEXT},    {"level", OM_TYPE_TEXT},
    {"layer", OM_TYPE_TEXT},    {"units", OM_TYPE_TEXT},
    {"count", OM_TYPE_INTEGER}, {"value", OM_TYPE_REAL},
    {"width_m", OM_TYPE_REAL},  {"text", OM_TYPE_TEXT},
    {"text_en", OM_TYPE_TEXT}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

/* --- gaps and overlaps of a level -------------------------------------- */

static bool is_sliver(const struct om__audit *a, const struct om_fault *f)
{
    return f->width_m < a->sliver_m;
}

static void name_units(struct om__audit *a, const struct om_fault *f)
{
    for (size_t i = 0; i < f->units; i++) {
        const struct om_unit *u = &a->units.unit[f->unit[i]];
        om__audit_list_unit(a, u->id);
        // Names of a few; a gap among dozens is known by its place.
        if (i >= 4) continue;
        om_buf_addf(&a->text_en, "%s%s", i ? ", " : "", om__unit_called(u));
        om_buf_addf(&a->text, "%s%s", i ? "、" : "", om__unit_called(u));
    }
}

static void add_fault_row(struct om__audit *a, size_t i, unsigned number)
{
    const struct om_fault *f = &a->found.fault[i];
    const bool gap = f->kind == OM_FAULT_GAP;
    const char *class = is_sliver(a, f) ? "sliver" : gap ? "gap" : "overlap";
    char id[OM_LIMIT_NAME_BYTES * 2];
    snprintf(id, sizeof id, "%s-%s-%u", a->units.level, gap ? "gap" : "overlap",
             number);
    om__audit_begin_row(a);
    om_buf_addf(&a->text_en, "%s%s of %.1f m2 %s ",
                is_sliver(a, f) ? "Sliver: " : "", gap ? "gap" : "overlap",
                f->area_m2, gap ? "among" : "of");
    om_buf_addf(&a->text, "%s%s %.1f 平方米:", is_sliver(a, f) ? "细缝," : "",
                gap ? "空隙" : "重叠", f->area_m2);
    name_units(a, f);
    om_table_polygon(a->table, &a->found.shapes, i);
    om__audit_add_row(a, &(struct om__finding){.id = id,
                                               .class = class,
                                               .level = a->units.level,
                                               .count = (int64_t)f->units,
                                               .value = f->area_m2,
                                               .width_m = f->width_m});
    a->faults++;
}

static void count_faults(const struct om__audit *a, uint64_t n[3], double *m2)
{
    for (size_t i = 0; i < a->found.count; i++) {
        const struct om_fault *f = &a->found.fault[i];
        n[is_sliver(a, f) ? 2 : f->kind == OM_FAULT_GAP ? 0 : 1]++;
        *m2 += f->area_m2;
    }
}

static void add_level_row(struct om__audit *a)
{
    uint64_t n[3] = {0};
    double fault_m2 = 0, km2 = 0;
    count_faults(a, n, &fault_m2);
    for (size_t i = 0; i < a->units.count; i++)
        km2 += a->units.unit[i].area_km2;
    om__audit_begin_row(a);
    om__audit_add_count(&a->text_en, a->units.count);
    om__audit_add_count(&a->text, a->units.count);
    om_buf_addf(&a->text_en,
                " unit%s on %.3f km2: ", om__plural(a->units.count), km2);
    om_buf_addf(&a->text, " 个单元,%.3f 平方公里:", km2);
    if (!a->found.count) {
        om_buf_add_text(&a->text_en, "sound, no gap, no overlap");
        om_buf_add_text(&a->text, "无空隙、无重叠");
    } else {
        om_buf_addf(&a->text_en,
                    "%llu gap%s, %llu overlap%s, %llu sliver%s, %.1f m2 in all",
                    (unsigned long long)n[0], om__plural(n[0]),
                    (unsigned long long)n[1], om__plural(n[1]),
                    (unsigned long long)n[2], om__plural(n[2]), fault_m2);
        om_buf_addf(&a->text,
                    "空隙 %llu 处,重叠 %llu 处,细缝 %llu 处,共 %.1f 平方米",
                    (unsigned long long)n[0], (unsigned long long)n[1],
                    (unsigned long long)n[2], fault_m2);
    }
    om__audit_add_row(
        a, &(struct om__finding){.id = a->units.level,
                                 .name = om__layer_called(a->units.layer),
                                 .class = "level",
                                 .level = a->units.level,
                                 .count = (int64_t)a->units.count,
                                 .value = km2 * 1e6,
                                 .width_m = NAN});
}

static om_status audit_level(struct om__audit *a)
{
    OM_TRY(om_audit_level(&a->units, &a->found));
    add_level_row(a);
    unsigned gaps = 0, overlaps = 0;
    for (size_t i = 0; i < a->found.count; i++)
        add_fault_row(
            a, i, a->found.fault[i].kind == OM_FAULT_GAP ? ++gaps : ++overlaps);
    return om__audit_status(a);
}

/* --- a level and the next ---------------------------------------------- */

static void add_leaving_row(struct om__audit *a, const struct om_faults *found,
                            size_t i)
{
    const struct om_fault *f = &found->fault[i];
    const bool outside = f->kind == OM_FAULT_OUTSIDE;
    const struct om_unit *parent = &a->units.unit[f->unit[f->units - 1]];
    const struct om_unit *unit = outside ? &a->lower.unit[f->unit[0]] : parent;
    om__audit_begin_row(a);
    om__audit_list_unit(a, unit->id);
    if (outside) {
        om__audit_list_unit(a, parent->id);
        om_buf_addf(&a->text_en, "%s reaches %.1f m2 beyond %s",
                    om__unit_called(unit), f->area_m2, om__unit_called(parent));
        om_buf_addf(&a->text, "%s 越出 %s %.1f 平方米", om__unit_called(unit),
                    om__unit_called(parent), f->area_m2);
    } else {
        om_buf_addf(&a->text_en, "%.1f m2 of %s lie in no %s", f->area_m2,
                    om__unit_called(unit), a->lower.level);
        om_buf_addf(&a->text, "%s 有 %.1f 平方米不属于任何 %s",
                    om__unit_called(unit), f->area_m2,
                    om__layer_called(a->lower.layer));
    }
    om_table_polygon(a->table, &found->shapes, i);
    om__audit_add_row(a, &(struct om__finding){
                             .id = unit->id,
                             .name = om__unit_called(unit),
                             .class = outside ? "crosses" : "uncovered",
                             .level = outside ? a->lower.level : a->units.level,
                             .count = -1,
                             .value = f->area_m2,
                             .width_m = f->width_m});
    a->faults++;
}

/* A unit that lies in no parent, or says another than it lies in. */
static void add_parent_row(struct om__audit *a, const struct om_parenting *p,
                           size_t i)
{
    const struct om_unit *unit = &a->lower.unit[i];
    const bool orphan = p->lies[i] == OM_NO_UNIT;
    const char *lies = orphan ? NULL : a->units.unit[p->lies[i]].id;
    om__audit_begin_row(a);
    om__audit_list_unit(a, unit->id);
    if (p->says[i]) om__audit_list_unit(a, p->says[i]);
    if (lies) om__audit_list_unit(a, lies);
    om_buf_addf(&a->text_en, "%s lies in %s%s", om__unit_called(unit),
                orphan ? "no " : "", orphan ? a->units.level : lies);
    if (orphan)
        om_buf_addf(&a->text, "%s 不在任何 %s 之内", om__unit_called(unit),
                    om__layer_called(a->units.layer));
    else
        om_buf_addf(&a->text, "%s 位于 %s", om__unit_called(unit), lies);
    if (p->says[i] && p->contradicts[i]) {
        om_buf_addf(&a->text_en, ", but is said to belong to %s", p->says[i]);
        om_buf_addf(&a->text, ",而登记属于 %s", p->says[i]);
    }
    om_table_shape(a->table, &a->lower.rings, unit->row);
    om__audit_add_row(
        a, &(struct om__finding){.id = unit->id,
                                 .name = om__unit_called(unit),
                                 .class = orphan ? "no_parent" : "stated",
                                 .level = a->lower.level,
                                 .count = -1,
                                 .value = unit->area_km2 * 1e6,
                                 .width_m = NAN});
    a->faults++;
}

static double sum_m2(const struct om_units *units)
{
    double sum = 0;
    for (size_t i = 0; i < units->count; i++) sum += units->unit[i].area_km2;
    return sum * 1e6;
}

static void add_pair_row(struct om__audit *a, uint64_t faults)
{
    char id[OM_LIMIT_NAME_BYTES * 2 + 2];
    snprintf(id, sizeof id, "%s/%s", a->lower.level, a->units.level);
    // To the square millimetre: what is below is the order of the sums.
    const double differ =
        round((sum_m2(&a->lower) - sum_m2(&a->units)) * 1e6) / 1e6 + 0.0;
    om__audit_begin_row(a);
    if (!faults) {
        om_buf_addf(&a->text_en, "Every %s lies in its %s, areas add up",
                    a->lower.level, a->units.level);
        om_buf_addf(&a->text, "%s 均在所属 %s 之内,面积相符",
                    om__layer_called(a->lower.layer),
                    om__layer_called(a->units.layer));
    } else {
        om_buf_addf(&a->text_en,
                    "%llu contradiction%s between %s and %s, areas differ by "
                    "%.1f m2",
                    (unsigned long long)faults, om__plural(faults),
                    a->lower.level, a->units.level, differ);
        om_buf_addf(&a->text, "%s 与 %s 有 %llu 处矛盾,面积相差 %.1f 平方米",
                    om__layer_called(a->lower.layer),
                    om__layer_called(a->units.layer),
                    (unsigned long long)faults, differ);
    }
    om__audit_add_row(a, &(struct om__finding){.id = id,
                                               .class = "levels",
                                               .level = a->lower.level,
                                               .count = (int64_t)faults,
                                               .value = differ,
                                               .width_m = NAN});
}

/* The level at hand is larger than the one before it. */
static om_status audit_pair(struct om__audit *a)
{
    struct om_parenting parents;
    struct om_faults found = {0};
    const size_t column =
        om_schema_find(&a->lower.layer->schema, a->units.level);
    OM_TRY(om_audit_parents(&a->lower, &a->units, column, &a->arena, &parents));
    OM_TRY(om_audit_levels(&a->lower, &a->units, parents.lies, LEVEL_SLACK_M,
                           &found));
    uint64_t rows = found.count;
    for (size_t i = 0; i < a->lower.count; i++)
        rows += parents.lies[i] == OM_NO_UNIT || parents.contradicts[i];
    add_pair_row(a, rows);
    for (size_t i = 0; i < a->lower.count; i++)
        if (parents.lies[i] == OM_NO_UNIT || parents.contradicts[i])
            add_parent_row(a, &parents, i);
    for (size_t i = 0; i < found.count; i++) add_leaving_row(a, &found, i);
    om_faults_deinit(&found);
    return om__audit_status(a);
}

/* --- workers ----------------------------------------------------------- */

static void add_unmanned_row(struct om__audit *a, const struct om_unit *unit)
{
    om__audit_begin_row(a);
    om__audit_list_unit(a, unit->id);
    om_buf_addf(&a->text_en, "%s has no worker", om__unit_called(unit));
    om_buf_addf(&a->text, "%s 没有网格管理员", om__unit_called(unit));
    om_table_shape(a->table, &a->units.rings, unit->row);
    om__audit_add_row(
        a, &(struct om__finding){.id = unit->id,
                                 .name = om__unit_called(unit),
                                 .class = "no_worker",
                                 .level = a->units.level,
                                 .layer = a->duty.workers.layer->name,
                                 .count = 0,
                                 .value = unit->area_km2 * 1e6,
                                 .width_m = NAN});
    a->unmanned++;  // a matter of staff, not of borders
}

static om_status audit_workers(struct om__audit *a)
{
    const struct om_duty_workers *w = &a->duty.workers;
    struct om_manning m;
    if (!w->layer || strcmp(w->level, a->units.level) != 0) return OM_OK;
    OM_TRY(om_audit_workers(&a->units, w->layer, w->unit, &a->arena, &m));
    uint64_t unmanned = 0;
    for (size_t i = 0; i < a->units.count; i++) unmanned += !m.workers[i];
    om__audit_begin_row(a);
    om__audit_add_count(&a->text_en, w->layer->rows);
    om__audit_add_count(&a->text, w->layer->rows);
    om_buf_addf(
        &a->text_en,
        " worker%s: %llu unit%s without, %llu worker%s of no unit, %llu "
        "of a unit that does not exist",
        om__plural(w->layer->rows), (unsigned long long)unmanned,
        om__plural(unmanned), (unsigned long long)m.without,
        om__plural(m.without), (unsigned long long)m.lost);
    om_buf_addf(&a->text,
                " 名网格管理员:%llu 个单元无人,%llu 人未定责任单元,%llu "
                "人的责任单元不存在",
                (unsigned long long)unmanned, (unsigned long long)m.without,
                (unsigned long long)m.lost);
    om__audit_add_row(
        a, &(struct om__finding){.id = w->layer->name,
                                 .name = om__layer_called(w->layer),
                                 .class = "workers",
                                 .level = a->units.level,
                                 .layer = w->layer->name,
                                 .count = (int64_t)(unmanned + m.lost),
                                 .value = NAN,
                                 .width_m = NAN});
    a->faults += m.lost;
    // Who only sees how many there are is not told where there is none.
    const bool named = !om__coverage_hides(a->question, w->layer);
    for (size_t i = 0; i < a->units.count && named; i++)
        if (!m.workers[i]) add_unmanned_row(a, &a->units.unit[i]);
    return om__audit_status(a);
}

/* --- all together ------------------------------------------------------ */

static om_status audit_all(struct om__audit *a, const char *only)
{
    struct om_coverage *q = a->question;
    const struct om_manifest *m = q->snapshot->manifest;
    for (size_t i = 0; i < m->levels; i++) {
        if (only && strcmp(m->level[i], only) != 0) continue;
        OM_TRY(om_units_read(q->snapshot, m->level[i], &a->units, &q->err));
        OM_TRY(audit_level(a));
        if (a->lower.layer) OM_TRY(audit_pair(a));
        OM_TRY(audit_workers(a));
        OM_TRY(om__audit_layers(a));
        om_faults_deinit(&a->found);
        om_units_deinit(&a->lower);
        a->lower = a->units;
        a->units = (struct om_units){0};
    }
    return OM_OK;
}

static om_status end_table(struct om__audit *a)
{
    om__audit_begin_row(a);
    om_buf_addf(&a->text_en,
                "\"sound\":%s,\"faults\":%llu,\"unmanned\":%llu,"
                "\"sliver_m\":",
                a->faults ? "false" : "true", (unsigned long long)a->faults,
                (unsigned long long)a->unmanned);
    om_buf_add_json_real(&a->text_en, a->sliver_m);
    om_buf_add_byte(&a->text_en, 0);
    OM_TRY(om__audit_status(a));
    return om_table_end(a->table, (const char *)a->text_en.bytes);
}

static om_status read_options(struct om_coverage *q, struct om__audit *a,
                              const char **only)
{
    uint64_t listed = LISTED_DEFAULT;
    OM_TRY(om__coverage_level(q, only));
    if (!om__coverage_text(q, "by")) *only = NULL;
    OM_TRY(om__audit_check_layers(q));
    a->sliver_m = SLIVER_DEFAULT_M;
    OM_TRY(om__coverage_real(q, "sliver", 0, 1e6, &a->sliver_m));
    OM_TRY(om__coverage_whole(q, "limit", 0, UINT32_MAX, &listed));
    a->listed = om__coverage_flag(q, "rows") ? SIZE_MAX : (size_t)listed;
    OM_TRY(om_duty_read(q->snapshot, &a->duty, &q->err));
    om__coverage_missing(&a->duty);
    return OM_OK;
}

om_status om__coverage_partition(struct om_coverage *q)
{
    struct om__audit a = {.question = q};
    const char *only = NULL;
    om_status st = read_options(q, &a, &only);
    if (!st) st = om__coverage_table(q, COLUMN, COLUMNS, NULL, &a.table);
    if (!st) st = audit_all(&a, only);
    if (!st) st = end_table(&a);
    q->faults = a.faults > 0;
    om_table_free(a.table);
    om_faults_deinit(&a.found);
    om_units_deinit(&a.units);
    om_units_deinit(&a.lower);
    om_duty_deinit(&a.duty);
    om_arena_deinit(&a.arena);
    om_buf_deinit(&a.list);
    om_buf_deinit(&a.text_en);
    om_buf_deinit(&a.text);
    return st;
}
