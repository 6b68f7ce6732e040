/* simulate_living.c - which layers of a register live, and how.
 *
 * DESIGN
 * A layer lives if it has points, times, a rhythm of "live" or "daily" and
 * nothing after the clock but what was played. Its status is the first category
 * that has names of its columns of times as values: those columns are the
 * steps, and a row that has made none has the value that such rows have. What
 * share of the rows of each age has made which step is the pace
 * (simulate_pace.c).
 *
 * Of the register only what was before its clock counts, so that a simulation
 * that is stopped learns the same when it goes on.
 */
#include "web/cli/simulate_living.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/positions.h"

struct om_hit om__template_hit(const struct om__template *t)
{
    return (struct om_hit){.part = t->part, .row = t->row};
}

/* Rows that were played are ID-N or ID-N.SEED. */
static bool was_played(const char *id, size_t len)
{
    size_t digits = 0;
    while (len &&
           ((id[len - 1] >= '0' && id[len - 1] <= '9') || id[len - 1] == '.')) {
        len--;
        digits++;
    }
    return digits && len && id[len - 1] == '-';
}

struct later {
    struct om__rows *rows;
    bool any;
    om_status status;
};

static bool see_later(void *ctx, const struct om_hit *hit)
{
    struct later *later = ctx;
    const char *id;
    size_t len;
    later->status = om__rows_id(later->rows, hit, &id, &len);
    later->any = !later->status && !was_played(id, len);
    return !later->status && !later->any;
}

/* Rows that the city has of times to come are plans, and no reports. */
static om_status is_alive(const struct om_snapshot *s, struct om__living *l,
                          bool *alive)
{
    struct om__positions_about about;
    *alive = false;
    if (l->layer->schema.time_field == OM_NO_FIELD ||
        !strcmp(l->layer->meta->rhythm, "weekly") ||
        (om__positions_about(s, &about) &&
         !strcmp(about.layer, l->layer->name)))
        return OM_OK;
    struct later later = {.rows = &l->rows};
    const struct om_query query = {
        .snapshot = s,
        .layer = l->layer,
        .window = {.set = true,
                   .from_s = s->manifest->clock_s + OM__LIVING_BEFORE_S,
                   .to_s = INT64_MAX}};
    const om_status st = om_query_each(&query, see_later, &later);
    if (later.status || (st && st != OM_E_STOPPED))
        return later.status ? later.status : st;
    *alive = !later.any;
    return OM_OK;
}

struct finding {
    const struct om__past *past;
    struct om__living *living;
    struct om__templates *into;
    size_t most;
    om_status status;
};

static om_status remember(struct om__living *l, struct om__templates *into,
                          const struct om_hit *hit)
{
    struct om__template t = {.part = (uint32_t)hit->part,
                             .row = (uint32_t)hit->row};
    const char *id;
    size_t len;
    OM_TRY(om__rows_id(&l->rows, hit, &id, &len));
    t.key = om_hash64(id, len, 0);
    if (l->time != OM_NO_FIELD) {
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, hit, l->time, &value));
        t.at_s = value.null ? INT64_MIN : value.integer;
    }
    if (into->count == into->room) {
        const size_t room = into->room ? 2 * into->room : 1024;
        struct om__template *grown = om_realloc(into->at, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        into->at = grown;
        into->room = room;
    }
    into->at[into->count++] = t;
    return OM_OK;
}

static bool find(void *ctx, const struct om_hit *hit)
{
    struct finding *f = ctx;
    f->status = remember(f->living, f->into, hit);
    return !f->status && f->into->count < f->most;
}

/* In an order that does not depend on where rows are kept. */
static int by_key(const void *a, const void *b)
{
    const struct om__template *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

static om_status find_rows(const struct om__past *past, struct om__living *l,
                           struct om__templates *into, int64_t from_s,
                           int64_t to_s, size_t most)
{
    struct finding f = {.living = l, .into = into, .most = most};
    const struct om_query query = {
        .snapshot = past->snapshot,
        .layer = l->layer,
        .window = {.set = from_s < to_s, .from_s = from_s, .to_s = to_s}};
    const om_status st = om_query_each(&query, find, &f);
    if (f.status || (st && into->count < most)) return f.status ? f.status : st;
    if (into->count) qsort(into->at, into->count, sizeof *into->at, by_key);
    return OM_OK;
}

/* Columns of times, but the layer's own, that are called like this value. */
static size_t step_called(const struct om__living *l, const char *word,
                          size_t len)
{
    const struct om_schema *s = &l->layer->schema;
    for (size_t f = 0; f < s->count; f++)
        if (f != l->time && s->field[f].type == OM_TYPE_TIME &&
            strlen(s->field[f].name) == len &&
            !memcmp(s->field[f].name, word, len))
            return f;
    return OM_NO_FIELD;
}

bool om__living_has_step(const struct om__living *l, size_t column)
{
    for (size_t k = 0; k < l->steps; k++)
        if (l->step[k] == column) return true;
    return false;
}

om_status om__living_made(struct om__living *l, const struct om_hit *hit,
                          int64_t clock_s, size_t *made)
{
    *made = 0;
    for (size_t k = 0; k < l->steps; k++) {
        struct om_value value;
        OM_TRY(om__rows_value(&l->rows, hit, l->step[k], &value));
        if (!value.null && value.integer < clock_s) *made = k + 1;
    }
    return OM_OK;
}

static om_status made_none(struct om__living *l, const struct om_hit *hit,
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
static om_status try_status(struct om__living *l, size_t column)
{
    struct om_value value;
    l->steps = 0;
    for (size_t i = 0; i < l->born.count; i++) {
        const struct om_hit hit = om__template_hit(&l->born.at[i]);
        OM_TRY(om__rows_value(&l->rows, &hit, column, &value));
        const size_t step =
            value.null ? OM_NO_FIELD : step_called(l, value.text, value.len);
        if (step != OM_NO_FIELD && !om__living_has_step(l, step) &&
            l->steps < OM__PACE_STEPS)
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
    struct om__living *l = ctx;
    struct om_value value;
    bool none = false;
    if (made_none(l, hit, &none)) return false;
    if (!none) return true;
    if (om__rows_value(&l->rows, hit, l->status, &value) || value.null)
        return true;
    if (value.len < sizeof l->begins) memcpy(l->begins, value.text, value.len);
    return false;
}

static om_status find_steps(const struct om__past *past, struct om__living *l)
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
        .snapshot = past->snapshot,
        .layer = l->layer,
        .window = {.set = true, .from_s = past->from_s, .to_s = INT64_MAX}};
    return om_query_each(&newest, see_first, l);
}

static bool see_pace(void *ctx, const struct om_hit *hit)
{
    struct finding *f = ctx;
    struct om__living *l = f->living;
    const int64_t clock_s = f->past->clock_s;
    struct om_value at;
    size_t made;
    f->status = om__rows_value(&l->rows, hit, l->time, &at);
    if (f->status || at.null || at.integer >= clock_s) return !f->status;
    f->status = om__living_made(l, hit, clock_s, &made);
    if (f->status) return false;
    om__pace_add(&l->pace, clock_s - at.integer, made);
    if (made < l->steps) f->status = remember(l, f->into, hit);
    f->most++;
    return !f->status;
}

/* What the register has come to, and which of its rows go on. */
static om_status find_pace(const struct om__past *past, struct om__living *l)
{
    if (!l->steps) return OM_OK;
    struct finding f = {.past = past, .living = l, .into = &l->open};
    const struct om_query query = {
        .snapshot = past->snapshot,
        .layer = l->layer,
        .window = {.set = true, .from_s = INT64_MIN, .to_s = past->clock_s}};
    l->pace.steps = l->steps;
    const om_status st = om_query_each(&query, see_pace, &f);
    if (f.status || st) return f.status ? f.status : st;
    if (l->open.count)
        qsort(l->open.at, l->open.count, sizeof *l->open.at, by_key);
    om__pace_fit(&l->pace);
    const double born = l->born.count ? (double)l->born.count : 1;
    l->late_s = (double)f.most * (double)past->length_s / born;
    return OM_OK;
}

static om_status learn(const struct om__past *past, struct om__living *l)
{
    bool alive;
    OM_TRY(is_alive(past->snapshot, l, &alive));
    if (!alive) {
        l->again = true;
        l->time = l->status = OM_NO_FIELD;
        return find_rows(past, l, &l->open, 0, 0, 7 * OM__LIVING_AGAIN_A_DAY);
    }
    OM_TRY(find_rows(past, l, &l->born, past->from_s,
                     past->from_s + past->length_s, SIZE_MAX));
    OM_TRY(find_steps(past, l));
    return find_pace(past, l);
}

bool om__living_is_brought(const struct om_layer *layer)
{
    const char *rhythm = layer->meta ? layer->meta->rhythm : "";
    return layer->schema.geometry == OM_GEOMETRY_POINT &&
           layer->schema.id_field != OM_NO_FIELD &&
           (!strcmp(rhythm, "live") || !strcmp(rhythm, "daily") ||
            !strcmp(rhythm, "weekly"));
}

om_status om__living_init(const struct om__past *past,
                          const struct om_layer *layer, struct om__living *out)
{
    const struct om_features_options options = {
        .zone_s = past->snapshot->manifest->zone_s};
    *out =
        (struct om__living){.layer = layer, .time = layer->schema.time_field};
    OM_TRY(om__rows_init(&out->rows, layer, &options));
    out->rows_made = true;
    return learn(past, out);
}

void om__living_deinit(struct om__living *l)
{
    if (l->rows_made) om__rows_deinit(&l->rows);
    om_free(l->born.at);
    om_free(l->open.at);
}
