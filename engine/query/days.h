// days.h - how much of what lies where on which day: a net of cells by days.
#ifndef OM_ENGINE_QUERY_DAYS_H
#define OM_ENGINE_QUERY_DAYS_H

#include "engine/query/query.h"

/** Days from the first to the last that has anything: three years. More is
 *  OM_E_COST: their sums are kept a cell at a time. */
#define OM_DAYS_MOST 1100
/** Cells and days that have anything: what a page can hold and step through. */
#define OM_DAY_SUMS_MOST ((size_t)2 << 20)
/** Cells of a net: the pixels of the largest tile, and what reaches into it.
 *  OM_E_RANGE. */
#define OM_DAY_CELLS_MOST ((size_t)5 << 18)
/** Kinds of rows that are told apart, at most. OM_E_RANGE. */
#define OM_DAY_KINDS_MOST 12

/* Squares of 2^exponent grid cells (data/model/pos.h); the first one begins at
 * (column0, row0) such squares from the corner of the grid. */
struct om_day_net {
    unsigned exponent;  // 0 to 32
    uint32_t column0, row0;
    uint32_t columns, rows;
};

/* What lies in one cell on one day. */
struct om_day_sum {
    uint32_t cell;  // row * columns + column
    uint32_t day;   // after the first
    double sum;     // exact below 2^53 where the weights are whole
};

/* Sorted by cell, then day, each pair once; sums of 0 are listed, too. */
struct om_days {
    int64_t first;  // days since 1970-01-01 by the clock of the zone
    uint32_t days;  // 0: there is nothing
    size_t count;
    struct om_day_sum *sum;  // owned
};

/**
 * Sum `weight_column` (OM_NO_FIELD: count) of the rows that match and lie in
 * the net, by cell and by day of the layer's time in the zone. Rows without a
 * time, or without a number in the column, are left out.
 *
 * returns  OM_E_NOTFOUND  the layer has no time
 *          OM_E_TYPE      not a layer of points; the column is no number
 *          OM_E_RANGE     not a net
 *          OM_E_COST      more than OM_DAYS_MOST days from where the window
 *                         begins (of one that does not say where: the newest
 *                         are told), or OM_DAY_SUMS_MOST pairs
 *          and as om_query_count; *out is empty then
 * owns     om_days_deinit
 * threads  any
 * cost     some 15 ns a row
 * test     tests/engine/test_query_days.c
 */
om_status om_query_days(const struct om_query *query,
                        const struct om_day_net *net, int32_t zone_s,
                        size_t weight_column, struct om_days *out) OM_MUST_USE;
void om_days_deinit(struct om_days *days);

/* What rows are told apart by. */
struct om_day_kinds {
    size_t count;
    /* The rows of a part come next. */
    om_status (*begin)(void *ctx, size_t part);
    /* Kind of a row, from 0; `count` or more: it is left out. */
    size_t (*of)(const void *ctx, size_t row);
    void *ctx;
};
/**
 * Count the same rows by kind, too: cells of `out` are those of kind 0, then as
 * many again of kind 1, and so on.
 * returns  OM_E_RANGE (no kinds, or too many), what `begin` returned, and as
 *          om_query_days
 */
om_status om_query_days_of_kinds(const struct om_query *query,
                                 const struct om_day_net *net, int32_t zone_s,
                                 const struct om_day_kinds *kinds,
                                 struct om_days *out) OM_MUST_USE;

#endif
