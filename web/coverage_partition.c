// coverage_partition.c - are the units sound?
#include <stdio.h>

#include "data/base/buf.h"
#include "web/coverage_internal.h"

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_TEXT},        {"class", OM_TYPE_CATEGORY},
    {"count", OM_TYPE_INTEGER},  {"gaps", OM_TYPE_INTEGER},
    {"gap_m2", OM_TYPE_REAL},    {"overlaps", OM_TYPE_INTEGER},
    {"overlap_m2", OM_TYPE_REAL}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

static om_status add_level(struct om_coverage *q, const char *level,
                           struct om_table *table)
{
    struct om_units units = {0};
    struct om_partition_report report;
    OM_TRY(om_units_read(q->snapshot, level, &units, &q->err));
    const om_status st = om_partition_check(&units.rings, &report);
    const size_t count = units.count;
    om_units_deinit(&units);
    if (st) return st;
    q->faults = q->faults || report.gaps || report.overlaps;
    om_table_word(table, level);
    om_table_word(table, "level");
    om_table_integer(table, (int64_t)count);
    om_table_integer(table, (int64_t)report.gaps);
    om_table_real(table, report.gap_km2 * 1e6);
    om_table_integer(table, (int64_t)report.overlaps);
    om_table_real(table, report.overlap_km2 * 1e6);
    return OM_OK;
}

om_status om__coverage_partition(struct om_coverage *q)
{
    const struct om_manifest *m = q->snapshot->manifest;
    const char *level;
    struct om_table *table = NULL;
    OM_TRY(om__coverage_level(q, &level));
    const bool one = om__coverage_text(q, "by") != NULL;
    OM_TRY(om__coverage_table(q, COLUMN, COLUMNS, NULL, &table));
    om_status st = OM_OK;
    for (size_t i = 0; i < m->levels && !st; i++)
        if (!one || m->level[i] == level) st = add_level(q, m->level[i], table);
    if (!st) st = om_table_end(table, NULL);
    om_table_free(table);
    return st;
}
