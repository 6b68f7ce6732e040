/* publish_regions.c - regions that are large enough for all that is told.
 *
 * DESIGN
 * Rows of a family fall, in each period, into classes: those that the same
 * topics count. Whatever is published of a region, or follows from it by
 * subtracting topics, is a sum of classes; so every region must hold the least
 * of every class that occurs, in every period, and not only of every topic.
 * (1) Regions are made once for all topics and periods of the family.
 * (2) Those of the release that is replaced stay; what they are too small for
 *     is held back, period by period.
 * (3) What that release told stays as it was told (publish_told.c), and of the
 *     periods it told of nothing else is told: counted of rows that may have
 *     changed since, a new cut together with the older ones could tell the
 *     change.
 * Topics are taken in the order of the plan while there is enough of
 * everything; what is too rare is held back, not told coarsely.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/stat/merge.h"
#include "web/publish_topics.h"

#define LEVELS_MOST 16
/* Of its area that a region may differ from its cells: rounding, and no more
 * than a sliver that nobody lives in. */
#define FIT 1e-6
#define CLASSES ((size_t)1 << OM__TOPICS_MOST)

static const char RARE[] =
    "there is too little of it, or of what another topic counts and it does "
    "not, for every region in each of the periods";
static const char TOLD[] =
    "the period was told before, without it: rows may have changed since, and "
    "the change could be told";

struct regions {
    const struct om_snapshot *snapshot;
    const struct om__topics *topics;
    struct om__family *family;
    struct om_units units;
    struct om_graph graph;
    uint32_t *parent[LEVELS_MOST];
    size_t levels;
    const struct om_snapshot *before;
    struct om_units older;  // regions of `before`, if they stay
    uint32_t *together;     // [cells] which of them; NULL: regions are new
    double *x, *y;
    uint64_t *addresses;  // [cells]
    // [periods * CLASSES]: counts of a class by cell; NULL: it does not occur
    uint64_t **class;
    struct om_arena arena;
};

static void regions_deinit(struct regions *r)
{
    om_units_deinit(&r->units);
    om_units_deinit(&r->older);
    om_graph_deinit(&r->graph);
    om_arena_deinit(&r->arena);
}

/* ---- cells ---- */

static om_status read_parents(struct regions *r, struct om_err *err)
{
    const struct om_manifest *m = r->snapshot->manifest;
    size_t at = 0;
    while (at < m->levels && strcmp(m->level[at], r->family->unit) != 0) at++;
    for (size_t l = at + 1; l < m->levels && r->levels < LEVELS_MOST; l++) {
        struct om_units upper = {0};
        if (!om_snapshot_units(r->snapshot, m->level[l])) continue;
        uint32_t *parent =
            om_arena_calloc(&r->arena, r->units.count, sizeof *parent);
        if (!parent) return OM_E_MEMORY;
        om_status st = om_units_read(r->snapshot, m->level[l], &upper, err);
        if (!st) st = om_units_parents(&r->units, &upper, parent);
        om_units_deinit(&upper);
        if (st) return st;
        r->parent[r->levels++] = parent;
    }
    return OM_OK;
}

/* Is every older region just what the cells in it make up? */
static bool still_fit(const struct regions *r, struct om_arena *arena)
{
    const struct om_units *older = &r->older;
    double *left_km2 =
        om_arena_calloc(arena, older->count + 1, sizeof *left_km2);
    if (!left_km2) return false;
    for (size_t i = 0; i < older->count; i++)
        left_km2[i] = older->unit[i].area_km2;
    for (size_t i = 0; i < r->units.count; i++) {
        if (r->together[i] == OM_NO_UNIT) return false;
        left_km2[r->together[i]] -= r->units.unit[i].area_km2;
    }
    for (size_t i = 0; i < older->count; i++)
        if (fabs(left_km2[i]) > FIT * older->unit[i].area_km2) return false;
    return true;
}

/* Units that were drawn anew have no regions in common with the older ones:
 * what was told of those is not told again of others. */
static om_status check_new_periods(const struct regions *r, struct om_err *err)
{
    const struct om__family *family = r->family;
    for (size_t t = 0; t < family->topics; t++)
        for (size_t p = 0; p < family->periods; p++)
            if (!family->topic[t].earlier && family->topic[t].period[p] &&
                family->period[p].before)
                return om_fail(
                    err, OM_E_FORMAT, 0,
                    "publish.json: the units of level %s are others than when "
                    "%s was told of %s: told again of new regions, the "
                    "difference could be told",
                    family->unit, family->period[p].text, family->layer->name);
    return OM_OK;
}

/* Cells that lay in one region of the older release stay together. */
static om_status read_before(struct regions *r, struct om_err *err)
{
    char region[OM_LIMIT_NAME_BYTES], statistic[OM_LIMIT_NAME_BYTES];
    OM_TRY(om__family_names(r->family, region, statistic, err));
    if (!r->before || !om_snapshot_units(r->before, region))
        return check_new_periods(r, err);
    OM_TRY(om_units_read(r->before, region, &r->older, err));
    r->together =
        om_arena_calloc(&r->arena, r->units.count, sizeof *r->together);
    if (!r->together) return OM_E_MEMORY;
    OM_TRY(om_units_parents(&r->units, &r->older, r->together));
    if (still_fit(r, &r->arena)) return OM_OK;
    r->together = NULL;
    return check_new_periods(r, err);
}

static om_status read_cells(struct regions *r, struct om_err *err)
{
    OM_TRY(om_units_read(r->snapshot, r->family->unit, &r->units, err));
    const size_t n = r->units.count;
    OM_TRY(om_graph_touching(&r->units, OM_TOUCH_SIDE, &r->graph));
    r->x = om_arena_calloc(&r->arena, n, sizeof *r->x);
    r->y = om_arena_calloc(&r->arena, n, sizeof *r->y);
    r->addresses = om_arena_calloc(&r->arena, n, sizeof *r->addresses);
    r->class = om_arena_calloc(&r->arena, r->family->periods * CLASSES,
                               sizeof *r->class);
    if (!r->x || !r->y || !r->addresses || !r->class) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        r->x[i] = r->units.unit[i].x;
        r->y[i] = r->units.unit[i].y;
    }
    OM_TRY(read_parents(r, err));
    return read_before(r, err);
}

/* ---- counts ---- */

static om_status count_addresses(struct regions *r)
{
    const struct om_layer *layer = r->topics->addresses;
    const struct om_query query = {.snapshot = r->snapshot, .layer = layer};
    struct om_groups groups = {0};
    const size_t column = om_layer_unit_field(layer, r->family->unit);
    if (column == OM_NO_FIELD) return OM_E_NOTFOUND;
    OM_TRY(
        om_query_group(&query, column, OM_STEP_NONE, 0, OM_NO_FIELD, &groups));
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t cell =
            g->null ? SIZE_MAX : om_units_find(&r->units, g->id, g->len);
        if (cell != SIZE_MAX) r->addresses[cell] = g->count;
    }
    om_groups_deinit(&groups);
    return OM_OK;
}

static om_status count_part(struct regions *r, size_t period, size_t part,
                            struct om_selection *const *selection)
{
    const struct om__family *family = r->family;
    const size_t rows = om_segment_rows(family->layer->part[part].segment);
    struct om_arena arena = {0};
    struct om_unit_rows unit;
    om_status st = om_units_rows(&r->units, family->layer, part, &arena, &unit);
    for (size_t row = 0; row < rows && !st; row++) {
        size_t class = 0;
        for (size_t t = 0; t < family->topics; t++)
            if (selection[t] && om_selection_has(selection[t], part, row))
                class |= (size_t)1 << t;
        const uint32_t cell = class ? om_unit_of_row(&unit, row) : OM_NO_UNIT;
        if (cell == OM_NO_UNIT) continue;
        uint64_t **count = &r->class[period * CLASSES + class];
        if (!*count)
            *count = om_arena_calloc(&r->arena, r->units.count, sizeof **count);
        if (*count)
            (*count)[cell]++;
        else
            st = OM_E_MEMORY;
    }
    om_arena_deinit(&arena);
    return st;
}

static om_status count_period(struct regions *r, size_t period)
{
    const struct om__family *family = r->family;
    const struct om_window window = {true, family->period[period].from_s,
                                     family->period[period].to_s};
    struct om_selection *selection[OM__TOPICS_MOST] = {0};
    om_status st = OM_OK;
    for (size_t t = 0; t < family->topics && !st; t++)
        if (family->topic[t].period[period])
            st = om_select(NULL, family->layer, family->topic[t].filter, window,
                           &selection[t]);
    for (size_t part = 0; part < family->layer->parts && !st; part++)
        st = count_part(r, period, part, selection);
    for (size_t t = 0; t < family->topics; t++)
        om_selection_unref(selection[t]);
    return st;
}

/* ---- regions ---- */

/* Is anything told of a period by the topics in `taken`? */
static bool is_told(const struct om__family *family, size_t taken,
                    size_t period)
{
    for (size_t t = 0; t < family->topics; t++)
        if (taken >> t & 1 && !family->topic[t].earlier &&
            family->topic[t].period[period])
            return true;
    return false;
}

/* Demands that grow as classes are met. */
struct demands {
    uint64_t *count;  // [room * cells]
    size_t used, room, cells;
};

static uint64_t *add_demand(struct demands *d)
{
    if (d->used == d->room) {
        const size_t room = d->room ? 2 * d->room : 16;
        uint64_t *grown = om_realloc(d->count, room * d->cells * sizeof *grown);
        if (!grown) return NULL;
        d->count = grown;
        d->room = room;
    }
    uint64_t *count = d->count + d->used++ * d->cells;
    memset(count, 0, d->cells * sizeof *count);
    return count;
}

/* One for each class among the taken topics that occurs in the period: classes
 * that differ only in other topics are one. */
static om_status add_classes(const struct regions *r, size_t period,
                             size_t taken, struct demands *d)
{
    size_t slot[CLASSES] = {0};  // 0: none yet; that of addresses is no class
    for (size_t c = 1; c < CLASSES; c++) {
        const uint64_t *count = r->class[period * CLASSES + c];
        const size_t among = c & taken;
        if (!count || !among) continue;
        if (!slot[among]) {
            slot[among] = d->used;
            if (!add_demand(d)) return OM_E_MEMORY;
        }
        uint64_t *sum = d->count + slot[among] * d->cells;
        for (size_t i = 0; i < d->cells; i++) sum[i] += count[i];
    }
    return OM_OK;
}

/* What every region must hold when the topics in `taken` are told: addresses
 * first, then classes. */
static om_status demands_of(const struct regions *r, size_t taken,
                            struct demands *d)
{
    d->cells = r->units.count;
    uint64_t *addresses = add_demand(d);
    if (!addresses) return OM_E_MEMORY;
    memcpy(addresses, r->addresses, d->cells * sizeof *addresses);
    for (size_t p = 0; p < r->family->periods; p++)
        if (is_told(r->family, taken, p)) OM_TRY(add_classes(r, p, taken, d));
    return OM_OK;
}

static om_status merge(struct regions *r, size_t taken, uint32_t *region,
                       size_t *regions)
{
    struct demands d = {0};
    uint64_t *least = NULL;
    struct om_merge m = {.cells = r->units.count,
                         .levels = r->levels,
                         .parent = (const uint32_t *const *)r->parent,
                         .touching = &r->graph,
                         .x = r->x,
                         .y = r->y,
                         .together = r->together};
    om_status st = demands_of(r, taken, &d);
    if (!st && !(least = om_alloc_array(d.used, sizeof *least)))
        st = OM_E_MEMORY;
    for (size_t i = 0; i < d.used && !st; i++)
        least[i] =
            i ? r->topics->limits.incidents : r->topics->limits.addresses;
    // Those that stay are only numbered.
    if (!st && r->together) least[0] = 0;
    m.demands = d.used;
    m.count = d.count;
    m.least = least;
    if (!st) st = om_merge_regions(&m, region, regions);
    om_free(d.count);
    om_free(least);
    return st;
}

/* A topic that is told in a period of which no row is of it says 0 of every
 * region, which is less than the least. */
static bool has_period(const struct regions *r, size_t topic, size_t period)
{
    uint64_t sum = 0;
    for (size_t c = 1; c < CLASSES; c++)
        for (size_t i = 0; i < r->units.count; i++)
            if (c >> topic & 1 && r->class[period * CLASSES + c])
                sum += r->class[period * CLASSES + c][i];
    return sum >= r->topics->limits.incidents;
}

static bool has_all_periods(const struct regions *r, size_t topic)
{
    for (size_t p = 0; p < r->family->periods; p++)
        if (r->family->topic[topic].period[p] && !has_period(r, topic, p))
            return false;
    return true;
}

/* ---- regions that stay ---- */

/* Does every region hold the least of addresses, and of each class among the
 * taken topics of the period? */
static om_status are_enough(const struct regions *r, size_t period,
                            size_t taken, bool *out)
{
    const struct om__family *family = r->family;
    const struct om__limits *limits = &r->topics->limits;
    struct demands d = {.cells = r->units.count};
    uint64_t *sum = om_calloc(family->regions + 1, sizeof *sum);
    uint64_t *addresses = add_demand(&d);
    om_status st = sum && addresses ? OM_OK : OM_E_MEMORY;
    if (!st) memcpy(addresses, r->addresses, d.cells * sizeof *addresses);
    if (!st) st = add_classes(r, period, taken, &d);
    *out = true;
    for (size_t k = 0; k < d.used && !st; k++) {
        const uint64_t least = k ? limits->incidents : limits->addresses;
        memset(sum, 0, family->regions * sizeof *sum);
        for (size_t i = 0; i < d.cells; i++)
            sum[family->region[i]] += d.count[k * d.cells + i];
        for (size_t i = 0; i < family->regions; i++)
            *out = *out && sum[i] >= least;
    }
    om_free(d.count);
    om_free(sum);
    return st;
}

/* What of a topic the regions that stay are large enough for. */
static om_status take_periods(const struct regions *r, size_t t,
                              size_t taken[OM__PERIODS_MOST])
{
    struct om__topic *topic = &r->family->topic[t];
    size_t left = 0;
    for (size_t p = 0; p < r->family->periods; p++) {
        bool enough = false;
        if (!topic->period[p] || topic->told_topic[p]) {
            left += topic->period[p];
            continue;
        }
        const size_t with = taken[p] | (size_t)1 << t;
        if (has_period(r, t, p)) OM_TRY(are_enough(r, p, with, &enough));
        topic->late[p] = !enough                       ? RARE
                         : r->family->period[p].before ? TOLD
                                                       : NULL;
        if (topic->late[p]) continue;
        taken[p] = with;
        left++;
    }
    for (size_t p = 0; p < r->family->periods; p++) {
        if (!topic->late[p]) continue;
        if (left)
            topic->period[p] = false;
        else if (!topic->held_back)
            topic->held_back = topic->late[p];
    }
    return OM_OK;
}

static om_status keep_regions(struct regions *r)
{
    struct om__family *family = r->family;
    size_t taken[OM__PERIODS_MOST] = {0};
    OM_TRY(merge(r, 0, family->region, &family->regions));
    for (size_t t = 0; t < family->topics; t++)
        for (size_t p = 0; p < family->periods; p++)
            if (family->topic[t].told_topic[p]) taken[p] |= (size_t)1 << t;
    for (size_t t = 0; t < family->topics; t++)
        if (!family->topic[t].earlier) OM_TRY(take_periods(r, t, taken));
    return OM_OK;
}

/* Topics in the order of the plan, as long as there is enough for all. */
static om_status take_topics(struct regions *r)
{
    struct om__family *family = r->family;
    size_t taken = 0, told = 0;
    if (r->together) return keep_regions(r);
    for (size_t t = 0; t < family->topics; t++)
        if (family->topic[t].earlier) taken |= (size_t)1 << t;
    for (size_t t = 0; t < family->topics; t++) {
        struct om__topic *topic = &family->topic[t];
        const size_t with = taken | (size_t)1 << t;
        if (topic->earlier) continue;
        om_status st = has_all_periods(r, t)
                           ? merge(r, with, family->region, &family->regions)
                           : OM_E_RANGE;
        if (st && st != OM_E_RANGE) return st;
        if (st) {
            topic->held_back = RARE;
            continue;
        }
        taken = with;
        told++;
    }
    family->regions = 0;
    return told ? merge(r, taken, family->region, &family->regions) : OM_OK;
}

/* ---- values ---- */

static uint64_t rounded(uint64_t n, uint64_t to)
{
    return (n + to / 2) / to * to;
}

/* Figures that are out, as they were told. */
static om_status keep_values(const struct regions *r, size_t topic,
                             size_t period, uint64_t *value, struct om_err *err)
{
    const struct om__family *family = r->family;
    const struct om__topic *t = &family->topic[topic];
    char region[OM_LIMIT_NAME_BYTES], statistic[OM_LIMIT_NAME_BYTES];
    size_t done = 0;  // regions are numbered by their first cell
    OM_TRY(om__family_names(family, region, statistic, err));
    for (size_t i = 0; i < family->cells; i++) {
        if (family->region[i] != done) continue;
        OM_TRY(om__told_figure(
            r->before, statistic, t->told_topic[period], t->told_period[period],
            r->older.unit[r->together[i]].id, &value[done], err));
        done++;
    }
    return OM_OK;
}

static om_status make_values(struct regions *r, struct om_err *err)
{
    struct om__family *family = r->family;
    const size_t n = family->regions;
    family->value = om_calloc(family->topics * family->periods * n + 1,
                              sizeof *family->value);
    if (!family->value) return OM_E_MEMORY;
    for (size_t t = 0; t < family->topics; t++)
        for (size_t p = 0; p < family->periods; p++) {
            uint64_t *value = family->value + (t * family->periods + p) * n;
            if (r->together && family->topic[t].told_topic[p]) {
                OM_TRY(keep_values(r, t, p, value, err));
                continue;
            }
            for (size_t c = 1; c < CLASSES; c++) {
                const uint64_t *count = r->class[p * CLASSES + c];
                if (!count || !(c >> t & 1)) continue;
                for (size_t i = 0; i < r->units.count; i++)
                    value[family->region[i]] += count[i];
            }
            for (size_t i = 0; i < n; i++)
                value[i] = rounded(value[i], r->topics->limits.round);
        }
    return OM_OK;
}

om_status om__regions_make(const struct om_snapshot *snapshot,
                           const struct om__topics *topics,
                           const struct om_snapshot *before,
                           struct om__family *family, struct om_err *err)
{
    struct regions r = {.snapshot = snapshot,
                        .topics = topics,
                        .family = family,
                        .before = before};
    om_status st = read_cells(&r, err);
    if (!st) st = count_addresses(&r);
    for (size_t p = 0; p < family->periods && !st; p++)
        st = count_period(&r, p);
    family->cells = r.units.count;
    if (!st) {
        family->region =
            om_alloc_array(family->cells + 1, sizeof *family->region);
        st = family->region ? take_topics(&r) : OM_E_MEMORY;
    }
    if (!st && family->regions) st = make_values(&r, err);
    regions_deinit(&r);
    if (st && err && !err->text[0])
        om_fail(err, st, 0, "regions of %s: %s", family->layer->name,
                om_status_text(st));
    return st;
}
