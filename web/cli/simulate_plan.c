/* simulate_plan.c - what happens next in a synthetic city.
 *
 * DESIGN
 * The register itself is the pattern: a week of it, as it happened, is what
 * happens in every week from the city's clock on, each row and all its steps
 * moved by the same time: hours of the day, days of the week, places, kinds and
 * delays are those that the city has. `from` is where the week begins, four
 * weeks before the clock unless said otherwise, so that the steps of its rows,
 * which take days, are known. Week number L of the simulation is L weeks
 * further on, and its rows have new ids, ID-(L+1), so that all of it follows
 * from the register, the seed and the clock: a simulation that is stopped goes
 * on where it was, by looking at the clock, and knows the ids of rows that it
 * sent before. The seed moves each row by up to half an hour and ten metres, so
 * that no two weeks are the same.
 *
 * A layer lives if it has points, times, a rhythm of "live" or "daily" and
 * nothing after the clock. Its status is the first category that has names of
 * its columns of times as values: those columns are the steps, and a row that
 * has made none has the value that such rows have.
 *
 * Happenings of a week are sorted once; weeks overlap by the longest delay, and
 * the next happening is the earliest of all weeks' next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/query/query.h"
#include "web/cli/simulate.h"
#include "web/features_internal.h"
#include "web/server/positions.h"

#define DAY_S 86400
#define WEEK_S (7 * DAY_S)
#define BEFORE_S (4 * WEEK_S)
#define STEPS_MAX 8
#define JITTER_S 1800
#define JITTER_M 10.0
#define WEEKS_MAX 64
#define STATUS_VALUES 64
#define WORD_BYTES 64

struct template {
    uint32_t part, row;
    int64_t at_s;
};

struct living {
    const struct om_layer *layer;
    struct om__rows rows;
    bool rows_made;
    size_t time;                 // column
    size_t steps, step[STEPS_MAX];  // columns
    size_t status;               // column; OM_NO_FIELD: none
    char begins[WORD_BYTES];     // its value before the first step
    struct template *template;
    size_t count, room;
};

struct week {
    int64_t number;
    struct om__happening *happening;
    size_t count, room, next;
};

struct om__plan {
    const struct om_snapshot *snapshot;
    uint64_t seed;
    int64_t from_s, length_s, shift_s, span_s;
    int64_t clock_s;   // of the register
    int64_t start_s;   // nothing before
    int64_t next_week;
    size_t layers, weeks;
    struct living *living;
    struct week week[WEEKS_MAX];
};

static struct om_hit hit_of(const struct template *t)
{
    return (struct om_hit){.part = t->part, .row = t->row};
}

/* ---- which layers live, and how */

static bool is_alive(const struct om_snapshot *s, const struct om_layer *layer)
{
    const struct om_manifest_layer *meta = layer->meta;
    struct om__positions_about about;
    if (!meta || layer->schema.geometry != OM_GEOMETRY_POINT ||
        layer->schema.time_field == OM_NO_FIELD ||
        (strcmp(meta->rhythm, "live") != 0 &&
         strcmp(meta->rhythm, "daily") != 0))
        return false;
    if (om__positions_about(s, &about) && !strcmp(about.layer, layer->name))
        return false;
    const struct om_query later = {
        .snapshot = s,
        .layer = layer,
        .window = {.set = true,
                   .from_s = s->manifest->clock_s + BEFORE_S,
                   .to_s = INT64_MAX}};
    uint64_t count = 1;
    return !om_query_count(&later, &count) && !count;
}

static bool remember(void *ctx, const struct om_hit *hit)
{
    struct living *l = ctx;
    if (l->count == l->room) {
        const size_t room = l->room ? 2 * l->room : 1024;
        struct template *grown = om_realloc(l->template, room * sizeof *grown);
        if (!grown) return false;
        l->template = grown;
        l->room = room;
    }
    l->template[l->count++] = (struct template){.part = (uint32_t)hit->part,
                                                .row = (uint32_t)hit->row};
    return true;
}

static om_status find_templates(const struct om__plan *plan, struct living *l)
{
    uint64_t matched = 0;
    const struct om_query query = {
        .snapshot = plan->snapshot,
        .layer = l->layer,
        .window = {.set = true,
                   .from_s = plan->from_s,
                   .to_s = plan->from_s + plan->length_s}};
    OM_TRY(om_query_count(&query, &matched));
    OM_TRY(om_query_each(&query, remember, l));
    if (l->count != matched) return OM_E_MEMORY;
    for (size_t i = 0; i < l->count; i++) {
        const struct om_hit hit = hit_of(&l->template[i]);
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, &hit, l->time, &value));
        l->template[i].at_s = value.integer;
    }
    return OM_OK;
}

/* Columns of times, but the layer's own, that are called like this value. */
static size_t step_called(const struct living *l, const char *word, size_t len)
{
    const struct om_schema *s = &l->layer->schema;
    for (size_t f = 0; f < s->count; f++)
        if (f != l->time && s->field[f].type == OM_TYPE_TIME &&
            strlen(s->field[f].name) == len &&
            !memcmp(s->field[f].name, word, len))
            return f;
    return OM_NO_FIELD;
}

static bool has_step(const struct living *l, size_t column)
{
    for (size_t k = 0; k < l->steps; k++)
        if (l->step[k] == column) return true;
    return false;
}

static om_status made_none(struct living *l, const struct om_hit *hit,
                           bool *none)
{
    *none = true;
    for (size_t k = 0; k < l->steps && *none; k++) {
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, hit, l->step[k], &value));
        *none = value.null;
    }
    return OM_OK;
}

/* Which of the layer's categories is its status. */
static om_status try_status(struct living *l, size_t column)
{
    struct om_value value;
    l->steps = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct om_hit hit = hit_of(&l->template[i]);
        OM_TRY(om__rows_value(&l->rows, &hit, column, &value));
        const size_t step =
            value.null ? OM_NO_FIELD : step_called(l, value.text, value.len);
        if (step != OM_NO_FIELD && !has_step(l, step) && l->steps < STEPS_MAX)
            l->step[l->steps++] = step;
    }
    if (!l->steps) return OM_OK;
    l->status = column;
    return OM_OK;
}

/* In the order in which they are made: that of the columns. */
static int by_column(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static bool see_first(void *ctx, const struct om_hit *hit)
{
    struct living *l = ctx;
    struct om_value value;
    bool none = false;
    if (made_none(l, hit, &none)) return false;
    if (!none) return true;
    if (om__rows_value(&l->rows, hit, l->status, &value) || value.null)
        return true;
    if (value.len < sizeof l->begins) memcpy(l->begins, value.text, value.len);
    return false;
}

static om_status find_steps(struct om__plan *plan, struct living *l)
{
    const struct om_schema *s = &l->layer->schema;
    l->status = OM_NO_FIELD;
    const size_t own = s->count - l->layer->unit_columns;
    for (size_t f = 0; f < own && l->status == OM_NO_FIELD; f++)
        if (s->field[f].type == OM_TYPE_CATEGORY) OM_TRY(try_status(l, f));
    if (l->status == OM_NO_FIELD) return OM_OK;
    qsort(l->step, l->steps, sizeof *l->step, by_column);
    // Most of those who have made no step are the newest.
    const struct om_query newest = {
        .snapshot = plan->snapshot,
        .layer = l->layer,
        .window = {.set = true, .from_s = plan->from_s, .to_s = INT64_MAX}};
    return om_query_each(&newest, see_first, l);
}

static om_status add_living(struct om__plan *plan, const struct om_layer *layer)
{
    const struct om_features_options options = {
        .zone_s = plan->snapshot->manifest->zone_s};
    struct living *grown =
        om_realloc(plan->living, (plan->layers + 1) * sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    plan->living = grown;
    struct living *l = &grown[plan->layers];
    *l = (struct living){.layer = layer, .time = layer->schema.time_field};
    OM_TRY(om__rows_init(&l->rows, layer, &options));
    l->rows_made = true;
    plan->layers++;
    OM_TRY(find_templates(plan, l));
    OM_TRY(find_steps(plan, l));
    return OM_OK;
}

om_status om__plan_new(const struct om_snapshot *snapshot, int64_t from_s,
                       uint64_t seed, struct om__plan **out, struct om_err *err)
{
    const struct om_manifest *city = snapshot->manifest;
    size_t rows = 0;
    if (!city->synthetic || !city->clock_s)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the city is not synthetic: its clock is nobody's to "
                       "move, and its rows are real");
    if (from_s == INT64_MIN) from_s = city->clock_s - BEFORE_S;
    const int64_t days = (city->clock_s - from_s) / DAY_S;
    if (days < 1)
        return om_fail(err, OM_E_RANGE, 0,
                       "--from is to be at least a day before the city's "
                       "clock: it says which days are played again");
    struct om__plan *plan = om_calloc(1, sizeof *plan);
    if (!plan) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    plan->snapshot = snapshot;
    plan->seed = seed;
    plan->from_s = from_s;
    plan->clock_s = city->clock_s;
    plan->shift_s = city->clock_s - from_s;
    plan->length_s = days < 7 ? days * DAY_S : WEEK_S;
    plan->span_s = plan->shift_s + JITTER_S;
    om_status st = OM_OK;
    for (size_t i = 0; i < snapshot->layers && !st; i++)
        if (is_alive(snapshot, &snapshot->layer[i]))
            st = add_living(plan, &snapshot->layer[i]);
    for (size_t i = 0; i < plan->layers; i++) rows += plan->living[i].count;
    if (st)
        om_fail(err, st, 0, "%s", om_status_text(st));
    else if (!plan->layers)
        st = om_fail(err, OM_E_UNSUPPORTED, 0,
                     "no layer of points has times and a rhythm of live or "
                     "daily");
    else if (!rows)
        st = om_fail(err, OM_E_RANGE, 0,
                     "nothing happened in the days that were to be played");
    if (st)
        om__plan_free(plan);
    else
        *out = plan;
    return st;
}

void om__plan_free(struct om__plan *plan)
{
    if (!plan) return;
    for (size_t i = 0; i < plan->layers; i++) {
        if (plan->living[i].rows_made) om__rows_deinit(&plan->living[i].rows);
        om_free(plan->living[i].template);
    }
    for (size_t i = 0; i < plan->weeks; i++) om_free(plan->week[i].happening);
    om_free(plan->living);
    om_free(plan);
}

const char *om__plan_layer(const struct om__plan *plan, uint32_t layer)
{
    return plan->living[layer].layer->name;
}

/* ---- weeks */

/* Chance that is the same whenever it is asked for. */
static uint64_t chance(const struct om__plan *plan, const struct om__happening *h,
                       uint64_t what)
{
    const uint64_t key[] = {h->layer, h->row, (uint64_t)h->loop, what};
    return om_hash64(key, sizeof key, plan->seed);
}

/* What a row's times are moved by. */
static int64_t moved_s(const struct om__plan *plan,
                       const struct om__happening *h)
{
    return plan->shift_s + h->loop * plan->length_s +
           (int64_t)(chance(plan, h, 1) % (2 * JITTER_S + 1)) - JITTER_S;
}

static om_status add(struct week *w, struct om__happening h)
{
    if (w->count == w->room) {
        const size_t room = w->room ? 2 * w->room : 4096;
        struct om__happening *grown =
            om_realloc(w->happening, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        w->happening = grown;
        w->room = room;
    }
    w->happening[w->count++] = h;
    return OM_OK;
}

static int by_time(const void *a, const void *b)
{
    const struct om__happening *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

static om_status add_row(struct om__plan *plan, struct week *w, uint32_t layer,
                         uint32_t row)
{
    struct living *l = &plan->living[layer];
    const struct om_hit hit = hit_of(&l->template[row]);
    struct om__happening h = {.layer = layer, .row = row, .loop = w->number};
    const int64_t moved = moved_s(plan, &h);
    const int64_t born_s = l->template[row].at_s;
    h.at_s = born_s + moved;
    // Before the register's end nothing is played, and so nothing goes on.
    if (h.at_s < plan->clock_s) return OM_OK;
    if (h.at_s >= plan->start_s) OM_TRY(add(w, h));
    int64_t before_s = born_s;
    for (size_t k = 0; k < l->steps; k++) {
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, &hit, l->step[k], &value));
        // A step that was made in no time comes with the one before it.
        if (value.null || value.integer < before_s) continue;
        before_s = value.integer;
        h.step = (uint32_t)k + 1;
        h.at_s = value.integer + moved;
        if (h.at_s >= plan->start_s) OM_TRY(add(w, h));
    }
    return OM_OK;
}

static om_status add_week(struct om__plan *plan, int64_t number)
{
    // The oldest is over, if any is.
    size_t i = 0;
    while (i < plan->weeks && plan->week[i].next < plan->week[i].count) i++;
    if (i == WEEKS_MAX) return OM_E_LIMIT;
    if (i == plan->weeks) plan->weeks++;
    struct week *w = &plan->week[i];
    w->number = number;
    w->count = w->next = 0;
    for (uint32_t l = 0; l < plan->layers; l++)
        for (uint32_t r = 0; r < plan->living[l].count; r++)
            OM_TRY(add_row(plan, w, l, r));
    if (w->count)
        qsort(w->happening, w->count, sizeof *w->happening, by_time);
    return OM_OK;
}

/* When the first row of a week may come. */
static int64_t begins_s(const struct om__plan *plan, int64_t number)
{
    return plan->clock_s + number * plan->length_s - JITTER_S;
}

om_status om__plan_start(struct om__plan *plan, int64_t clock_s)
{
    // What happened in this very second was played before.
    plan->start_s = clock_s > plan->clock_s ? clock_s + 1 : clock_s;
    plan->weeks = 0;
    // Weeks some of whose rows may still be on their way.
    int64_t first =
        (clock_s - plan->clock_s - plan->length_s - plan->span_s) /
        plan->length_s;
    plan->next_week = first > 0 ? first : 0;
    return OM_OK;
}

om_status om__plan_next(struct om__plan *plan, int64_t upto_s,
                        struct om__happening *out, bool *found)
{
    while (begins_s(plan, plan->next_week) <= upto_s)
        OM_TRY(add_week(plan, plan->next_week++));
    struct week *first = NULL;
    for (size_t i = 0; i < plan->weeks; i++) {
        struct week *w = &plan->week[i];
        if (w->next < w->count &&
            (!first || by_time(&w->happening[w->next],
                               &first->happening[first->next]) < 0))
            first = w;
    }
    *found = first && first->happening[first->next].at_s <= upto_s;
    if (*found) *out = first->happening[first->next++];
    return OM_OK;
}

/* ---- rows as text */

om_status om__plan_id(struct om__plan *plan, const struct om__happening *h,
                      struct om_buf *out)
{
    struct living *l = &plan->living[h->layer];
    const struct om_hit hit = hit_of(&l->template[h->row]);
    const char *id;
    size_t len;
    OM_TRY(om__rows_id(&l->rows, &hit, &id, &len));
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)id[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || strchr("-_.~", c);
        if (plain)
            om_buf_add_byte(out, c);
        else
            om_buf_addf(out, "%%%02X", c);
    }
    om_buf_addf(out, "-%lld", (long long)h->loop + 1);
    if (plan->seed != 1)
        om_buf_addf(out, ".%llu", (unsigned long long)plan->seed);
    return out->status;
}

static om_status write_id(struct om__plan *plan, const struct om__happening *h,
                          struct om_buf *out)
{
    struct living *l = &plan->living[h->layer];
    const struct om_hit hit = hit_of(&l->template[h->row]);
    struct om_buf text = {0};
    const char *id;
    size_t len;
    OM_TRY(om__rows_id(&l->rows, &hit, &id, &len));
    om_buf_add(&text, id, len);
    om_buf_addf(&text, "-%lld", (long long)h->loop + 1);
    if (plan->seed != 1)
        om_buf_addf(&text, ".%llu", (unsigned long long)plan->seed);
    om_status st = text.status;
    if (!st)
        st = om_buf_add_json_text(out, (const char *)text.bytes, text.len);
    om_buf_deinit(&text);
    return st;
}

static om_status write_place(struct om__plan *plan,
                             const struct om__happening *h, struct om_buf *out)
{
    struct living *l = &plan->living[h->layer];
    const struct om_hit hit = hit_of(&l->template[h->row]);
    struct om_pos pos;
    double lon, lat;
    OM_TRY(om__rows_pos(&l->rows, &hit, &pos));
    const double cell_m = om_world_ground_m((double)pos.y);
    const uint64_t dice = chance(plan, h, 2);
    const double east = ((double)(dice & 0xFFFF) / 65535 * 2 - 1) * JITTER_M;
    const double south =
        ((double)(dice >> 16 & 0xFFFF) / 65535 * 2 - 1) * JITTER_M;
    om_world_to_lonlat((double)pos.x + 0.5 + east / cell_m,
                       (double)pos.y + 0.5 + south / cell_m, &lon, &lat);
    om_buf_add_text(out, "{\"type\":\"Point\",\"coordinates\":[");
    om__degrees(out, lon);
    om_buf_add_byte(out, ',');
    om__degrees(out, lat);
    return om_buf_add_text(out, "]}");
}

/* Which step, if any, the row has made last at the happening. */
static om_status last_step(struct om__plan *plan, const struct om__happening *h,
                           size_t *out)
{
    struct living *l = &plan->living[h->layer];
    const struct om_hit hit = hit_of(&l->template[h->row]);
    const int64_t moved = moved_s(plan, h);
    *out = OM_NO_FIELD;
    for (size_t k = 0; k < h->step; k++) {
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, &hit, l->step[k], &value));
        if (!value.null && value.integer + moved <= h->at_s) *out = l->step[k];
    }
    return OM_OK;
}

/* A column as it is after the happening; *skip: it says nothing. */
static om_status value_then(struct om__plan *plan,
                            const struct om__happening *h, size_t f,
                            size_t made, struct om_value *value)
{
    struct living *l = &plan->living[h->layer];
    const struct om_hit hit = hit_of(&l->template[h->row]);
    const struct om_schema *s = &l->layer->schema;
    OM_TRY(om__rows_value(&l->rows, &hit, f, value));
    if (f == l->status && (made != OM_NO_FIELD || l->begins[0])) {
        const char *word = made == OM_NO_FIELD ? l->begins : s->field[made].name;
        *value = (struct om_value){.text = word, .len = strlen(word)};
    } else if (s->field[f].type == OM_TYPE_TIME && !value->null) {
        value->integer += moved_s(plan, h);
        // Steps that are to come are not known yet.
        if (has_step(l, f) && value->integer > h->at_s) value->null = true;
        if (has_step(l, f) && !h->step) value->null = true;
    }
    return OM_OK;
}

om_status om__plan_write(struct om__plan *plan, const struct om__happening *h,
                         bool patch, struct om_buf *out)
{
    struct living *l = &plan->living[h->layer];
    const struct om_schema *s = &l->layer->schema;
    const size_t own = s->count - l->layer->unit_columns;
    size_t made;
    bool first = true;
    OM_TRY(last_step(plan, h, &made));
    om_buf_add_text(out, "{\"type\":\"Feature\",\"id\":");
    OM_TRY(write_id(plan, h, out));
    if (!patch) {
        om_buf_add_text(out, ",\"geometry\":");
        OM_TRY(write_place(plan, h, out));
    }
    om_buf_add_text(out, ",\"properties\":{");
    for (size_t f = 0; f < own; f++) {
        struct om_value value;
        if (f == s->id_field) continue;
        if (patch && f != l->status && !has_step(l, f)) continue;
        OM_TRY(value_then(plan, h, f, made, &value));
        if (value.null) continue;
        if (!first) om_buf_add_byte(out, ',');
        first = false;
        om_buf_add_json_text(out, s->field[f].name, strlen(s->field[f].name));
        om_buf_add_byte(out, ':');
        om__value_json(out, s->field[f].type, &value,
                       plan->snapshot->manifest->zone_s);
    }
    return om_buf_add_text(out, "}}");
}

om_status om__plan_each_place(struct om__plan *plan, const char *level,
                              om_status (*each)(void *ctx, const char *id,
                                                size_t len, struct om_pos pos),
                              void *ctx)
{
    for (size_t i = 0; i < plan->layers; i++) {
        struct living *l = &plan->living[i];
        const size_t unit = om_layer_unit_field(l->layer, level);
        for (size_t r = 0; unit != OM_NO_FIELD && r < l->count; r++) {
            const struct om_hit hit = hit_of(&l->template[r]);
            struct om_value value;
            struct om_pos pos;
            OM_TRY(om__rows_value(&l->rows, &hit, unit, &value));
            if (value.null) continue;
            OM_TRY(om__rows_pos(&l->rows, &hit, &pos));
            OM_TRY(each(ctx, value.text, value.len, pos));
        }
    }
    return OM_OK;
}
