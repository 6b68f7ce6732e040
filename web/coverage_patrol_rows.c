/* coverage_patrol_rows.c - the list a worker walks by.
 *
 * Those that are overdue come first, by days, and among equals in the order of
 * the Morton curve, which passes from house to neighbouring house.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/coverage_patrol.h"

#define DAY_S 86400
/* Columns: those named below and one for each level of units. */
#define COLUMNS_MOST 64

static const struct om_table_column COLUMN[] = {
    {"lon", OM_TYPE_REAL},
    {"lat", OM_TYPE_REAL},
    {"id", OM_TYPE_TEXT},
    {"name", OM_TYPE_TEXT},
    {"layer", OM_TYPE_TEXT},
    {"level", OM_TYPE_TEXT},
    {"address", OM_TYPE_TEXT},
    {"class", OM_TYPE_TEXT},
    {"owed", OM_TYPE_INTEGER},
    {"due", OM_TYPE_INTEGER},
    {"done", OM_TYPE_INTEGER},
    {"missed", OM_TYPE_INTEGER},
    {"doubtful", OM_TYPE_INTEGER},
    {"ahead", OM_TYPE_INTEGER},
    {"extra", OM_TYPE_INTEGER},
    {"visits", OM_TYPE_INTEGER},
    {"overdue_days", OM_TYPE_INTEGER},
    {"last", OM_TYPE_TIME},
    {"risk", OM_TYPE_REAL}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)
/* GeoJSON has the place as geometry. */
#define PLACE_COLUMNS 2

/* A row in the order of the list. */
struct listed {
    int64_t days;  // overdue; -1 - state where it is not
    uint64_t key;
    const struct om_patrol_row *row;
};

static int by_need(const void *one, const void *two)
{
    const struct listed *p = one, *q = two;
    if (p->days != q->days) return p->days > q->days ? -1 : 1;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    if (p->row->target != q->row->target)
        return p->row->target < q->row->target ? -1 : 1;
    if (p->row->part != q->row->part)
        return p->row->part < q->row->part ? -1 : 1;
    return (p->row->row > q->row->row) - (p->row->row < q->row->row);
}

/* --- which ------------------------------------------------------------- */

/* Which rows: of one of these states, and with visits that are due, or made. */
struct wanted {
    bool state[OM_PATROL_STATES];
    bool due, visited;
};

static bool is_word(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && !strncmp(word, text, len);
}

/* The state of a name, or OM_PATROL_STATES. */
static enum om_patrol_state state_of(const char *text, size_t len)
{
    enum om_patrol_state s = 0;
    while (s < OM_PATROL_STATES && !is_word(om_patrol_state_name(s), text, len))
        s++;
    return s;
}

static om_status read_states(struct om_coverage *q, struct wanted *out)
{
    const char *list = om__coverage_text(q, "state");
    bool any = false;
    *out = (struct wanted){0};
    for (const char *at = list ? list : ""; *at;) {
        const size_t n = strcspn(at, ",");
        const enum om_patrol_state s = state_of(at, n);
        if (is_word("due", at, n))
            out->due = true;
        else if (is_word("visited", at, n))
            out->visited = true;
        else if (s == OM_PATROL_STATES)
            return om__coverage_bad(q, "state", OM_E_FORMAT,
                                    "'%.*s' is none of overdue, missed, "
                                    "unjudged, not_due, done, no_duty, due, "
                                    "visited",
                                    (int)(n < 40 ? n : 40), at);
        else
            any = out->state[s] = true;
        at += n + (at[n] == ',');
    }
    for (size_t s = 0; s < OM_PATROL_STATES && !any; s++) out->state[s] = true;
    return OM_OK;
}

static bool is_wanted(const struct wanted *w, const struct om_patrol_row *row)
{
    return w->state[row->state] && (!w->due || row->due) &&
           (!w->visited || row->done);
}

static om_status key_of(const struct om__patrol_question *p,
                        const struct om_patrol_row *row, uint64_t *out)
{
    const uint64_t *key;
    const struct om_layer *layer = p->duty.target[row->target].layer;
    OM_TRY(om_segment_keys(layer->part[row->part].segment, row->row,
                           row->row + 1, &key));
    *out = key[row->row];
    return OM_OK;
}

static void count_row(struct om_patrol_sum *sum,
                      const struct om_patrol_row *row)
{
    sum->rows++;
    sum->owed += row->owed;
    sum->due += row->due;
    sum->done += row->done;
    sum->doubtful += row->doubtful;
    sum->visits += row->visits;
}

/* sum: of all that are listed, as far as members tell of it. */
static om_status list_rows(struct om__patrol_question *p, struct listed **out,
                           size_t *count, struct om_patrol_sum *sum)
{
    struct wanted wanted;
    *count = 0;
    OM_TRY(read_states(p->question, &wanted));
    struct listed *list =
        om_arena_alloc(&p->arena, (p->patrol.count + 1) * sizeof *list);
    if (!list) return OM_E_MEMORY;
    for (size_t i = 0; i < p->patrol.count; i++) {
        const struct om_patrol_row *row = &p->patrol.row[i];
        if (!is_wanted(&wanted, row)) continue;
        struct listed *l = &list[(*count)++];
        l->row = row;
        l->days = row->overdue_s == OM_NEVER
                      ? -1 - (int64_t)row->state
                      : (p->spec.at_s - row->overdue_s) / DAY_S;
        OM_TRY(key_of(p, row, &l->key));
        count_row(sum, row);
    }
    if (*count > 1) qsort(list, *count, sizeof *list, by_need);
    *out = list;
    return OM_OK;
}

/* --- writing ----------------------------------------------------------- */

struct writing {
    struct om__patrol_question *patrol;
    struct om_table *table;
    struct om_text_reader id, label, address, text;
    struct om_text_reader unit[COLUMNS_MOST];
};

static om_status put_column(struct writing *w, const struct om_layer *layer,
                            const struct om_patrol_row *row, size_t column,
                            struct om_text_reader *reader)
{
    const char *text = NULL;
    size_t len = 0;
    if (column != OM_NO_FIELD)
        OM_TRY(om_segment_text(layer->part[row->part].segment, column, row->row,
                               reader, &text, &len));
    om_table_text(w->table, text, len);
    return OM_OK;
}

/* The text of the address that the row names, where there is one. */
static om_status put_address(struct writing *w,
                             const struct om_duty_target *target,
                             const struct om_patrol_row *row)
{
    const char *id = NULL, *text = NULL;
    size_t len = 0;
    if (target->address != OM_NO_FIELD)
        OM_TRY(om_segment_text(target->layer->part[row->part].segment,
                               target->address, row->row, &w->address, &id,
                               &len));
    const struct om_layer *layer = target->address_layer;
    for (size_t p = 0; id && p < layer->parts; p++) {
        size_t found;
        const om_status st =
            om_segment_find(layer->part[p].segment, id, len, &w->text, &found);
        if (st == OM_E_NOTFOUND) continue;
        OM_TRY(st);
        // What it was before it was written to lies in an older part.
        const size_t dead = om_part_dead_from(&layer->part[p], found);
        if (dead < layer->part[p].dead_count &&
            layer->part[p].dead[dead] == found)
            continue;
        OM_TRY(om_segment_text(layer->part[p].segment, target->address_text,
                               found, &w->text, &text, &len));
        break;
    }
    om_table_text(w->table, text, text ? len : 0);
    return OM_OK;
}

static void put_figures(struct writing *w, const struct om_duty_target *target,
                        const struct om_patrol_row *row)
{
    struct om_table *t = w->table;
    const bool overdue = row->overdue_s != OM_NEVER;
    const int64_t late_s = overdue ? w->patrol->spec.at_s - row->overdue_s : 0;
    const uint16_t n[] = {
        row->owed,     row->due,
        row->done,     (uint16_t)(row->due - row->done - row->doubtful),
        row->doubtful, row->ahead,
        row->extra,    row->visits};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) om_table_integer(t, n[i]);
    om_table_integer(t, late_s / DAY_S);
    if (row->last_s == OM_NEVER)
        om_table_null(t);
    else
        om_table_time(t, row->last_s);
    om_table_real(t, row->level < target->levels
                         ? target->risk[row->level] * (double)late_s / DAY_S
                         : 0);
}

static om_status put_row(struct writing *w, const struct listed *l)
{
    const struct om_patrol_row *row = l->row;
    const struct om_duty_target *target = &w->patrol->duty.target[row->target];
    const struct om_layer *layer = target->layer;
    const struct om_manifest *m = w->patrol->question->snapshot->manifest;
    const struct om_pos pos = om_morton_pos(l->key);
    struct om_table *t = w->table;
    if (w->patrol->question->format != OM_TABLE_GEOJSON) {
        double lon, lat;
        om_pos_to_lonlat(pos, &lon, &lat);
        om_table_real(t, round(lon * 1e7) / 1e7);
        om_table_real(t, round(lat * 1e7) / 1e7);
    } else {
        om_table_at(t, pos.x + 0.5, pos.y + 0.5);
    }
    OM_TRY(put_column(w, layer, row, layer->schema.id_field, &w->id));
    OM_TRY(put_column(w, layer, row, target->label, &w->label));
    om_table_word(t, layer->name);
    om_table_word(
        t, row->level < target->levels ? target->level_name[row->level] : NULL);
    OM_TRY(put_address(w, target, row));
    om_table_word(t, om_patrol_state_name(row->state));
    put_figures(w, target, row);
    for (size_t i = 0; i < m->levels && i < COLUMNS_MOST - COLUMNS; i++)
        OM_TRY(put_column(w, layer, row,
                          om_layer_unit_field(layer, m->level[i]),
                          &w->unit[i]));
    return OM_OK;
}

static om_status begin_list(struct writing *w, struct om_table_column *column,
                            const struct om_patrol_sum *sum)
{
    struct om_coverage *q = w->patrol->question;
    const struct om_manifest *m = q->snapshot->manifest;
    const size_t skip = q->format == OM_TABLE_GEOJSON ? PLACE_COLUMNS : 0;
    size_t n = COLUMNS;
    memcpy(column, COLUMN, sizeof COLUMN);
    for (size_t i = 0; i < m->levels && n < COLUMNS_MOST; i++)
        column[n++] = (struct om_table_column){m->level[i], OM_TYPE_TEXT};
    struct om_buf members = {0};
    om_status st = om__patrol_members(w->patrol, sum, &members);
    if (!st)
        st = om__coverage_table(q, column + skip, n - skip,
                                (const char *)members.bytes, &w->table);
    om_buf_deinit(&members);
    return st;
}

/* How many rows: what was asked for, and no more than the caller can take. */
static om_status read_limit(struct om_coverage *q, size_t count, size_t *out)
{
    uint64_t limit = UINT32_MAX;
    OM_TRY(om__coverage_whole(q, "limit", 1, UINT32_MAX, &limit));
    *out = limit < count ? (size_t)limit : count;
    if (q->rows_page && *out > q->rows_page) *out = q->rows_page;
    if (q->rows_most && *out > q->rows_most)
        return om__coverage_bad(q, "limit", OM_E_COST,
                                "%zu rows are more than %zu; ask for fewer by "
                                "limit, state, filter or layer",
                                *out, q->rows_most);
    return OM_OK;
}

om_status om__patrol_list(struct om__patrol_question *p)
{
    struct listed *list;
    size_t count;
    struct om_patrol_sum sum = {0};
    struct om_table_column column[COLUMNS_MOST];
    OM_TRY(list_rows(p, &list, &count, &sum));
    OM_TRY(read_limit(p->question, count, &count));
    struct writing *w = om_arena_calloc(&p->arena, 1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    w->patrol = p;
    om_status st = begin_list(w, column, &sum);
    for (size_t i = 0; i < count && !st && om__coverage_tell(p->question); i++)
        st = put_row(w, &list[i]);
    if (!st) st = om_table_end(w->table, NULL);
    om_table_free(w->table);
    om_text_reader_deinit(&w->id);
    om_text_reader_deinit(&w->label);
    om_text_reader_deinit(&w->address);
    om_text_reader_deinit(&w->text);
    for (size_t i = 0; i < COLUMNS_MOST; i++)
        om_text_reader_deinit(&w->unit[i]);
    return st;
}
