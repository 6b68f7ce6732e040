/* simulate_plan.c - what happens next in a synthetic city.
 *
 * DESIGN
 * The register itself is the pattern. Rows: a week of it, as they came, comes
 * in every week from the city's clock on, each row moved by the same time:
 * hours of the day, days of the week, places and kinds are those that the city
 * has. `from` is where the week begins, four weeks before the clock unless said
 * otherwise. Week number L of the simulation is L weeks further on, and its
 * rows have new ids, ID-(L+1). The seed moves each row by up to half an hour
 * and ten metres, so that no two weeks are the same.
 *
 * Steps: what the register has come to is where the city stays. Of its rows of
 * one age, a share has made step k (simulate_pace.c). A row draws once where it
 * stands among those of its age, and makes step k when that share has got as
 * far: so steps come in their order, and at every later moment of rows of each
 * age as many are open, and at each step, as at the clock. A row of the
 * register that is not done draws among those who stand where it does, and goes
 * on from there. What the register never does is done late, at a chance the
 * same on every day, such that as many of those get done as new ones come to
 * be. Which layers live, and what their steps are: simulate_living.c.
 *
 * Layers that are brought live, daily or weekly, and do not live, are brought
 * again each half hour, in the morning, or on the first one of a week: a few of
 * their rows, as they are.
 *
 * All of it follows from the register, the seed and the clock: of the register
 * only what was before its clock counts, so that a simulation that is stopped
 * goes on where it was, knows the ids of rows that it sent before, and takes no
 * step of its own for one of the register.
 *
 * Happenings of a week are sorted once, those of the register's own rows too;
 * weeks overlap by the longest delay, and the next happening is the earliest of
 * all weeks' next.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/query/query.h"
#include "web/cli/simulate.h"
#include "web/cli/simulate_living.h"
#include "web/cli/simulate_pace.h"
#include "web/features_internal.h"

#define DAY_S 86400
#define WEEK_S (7 * DAY_S)
#define JITTER_S 1800
#define JITTER_M 10.0
#define WEEKS_MAX 128
/* Happenings of the register's own rows are a week of their own. */
#define REGISTER (-1)
/* What is late is done by then; steps then follow each other within hours. */
#define LATE_MAX_S (40 * WEEK_S)
#define LATE_GAP_S (4 * 3600)
/* When rows are brought again. */
#define AGAIN_FROM_S (6 * 3600)
#define AGAIN_S 60
#define AGAIN_LIVE_A_DAY 48

struct week {
    int64_t number;
    struct om__happening *happening;
    size_t count, room, next;
};

struct om__plan {
    struct om__past past;
    uint64_t seed;
    int64_t shift_s;
    int64_t start_s;  // nothing before
    int64_t next_week;
    size_t layers, weeks;
    struct om__living *living;
    struct week week[WEEKS_MAX];
};

static const struct om__template *template_of(const struct om__plan *plan,
                                              const struct om__happening *h)
{
    const struct om__living *l = &plan->living[h->layer];
    return h->loop == REGISTER ? &l->open.at[h->row] : &l->born.at[h->row];
}

static om_status add_living(struct om__plan *plan, const struct om_layer *layer)
{
    if (!om__living_is_brought(layer)) return OM_OK;
    struct om__living *grown =
        om_realloc(plan->living, (plan->layers + 1) * sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    plan->living = grown;
    return om__living_init(&plan->past, layer, &grown[plan->layers++]);
}

om_status om__plan_new(const struct om_snapshot *snapshot, int64_t from_s,
                       uint64_t seed, struct om__plan **out, struct om_err *err)
{
    const struct om_manifest *city = snapshot->manifest;
    size_t rows = 0, alive = 0;
    if (!city->synthetic || !city->clock_s)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the city is not synthetic: its clock is nobody's to "
                       "move, and its rows are real");
    if (from_s == INT64_MIN) from_s = city->clock_s - OM__LIVING_BEFORE_S;
    const int64_t days = (city->clock_s - from_s) / DAY_S;
    if (days < 1)
        return om_fail(err, OM_E_RANGE, 0,
                       "--from is to be at least a day before the city's "
                       "clock: it says which days are played again");
    struct om__plan *plan = om_calloc(1, sizeof *plan);
    if (!plan) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    plan->past.snapshot = snapshot;
    plan->seed = seed;
    plan->past.from_s = from_s;
    plan->past.clock_s = city->clock_s;
    plan->shift_s = city->clock_s - from_s;
    plan->past.length_s = days < 7 ? days * DAY_S : WEEK_S;
    om_status st = OM_OK;
    for (size_t i = 0; i < snapshot->layers && !st; i++)
        st = add_living(plan, &snapshot->layer[i]);
    for (size_t i = 0; i < plan->layers; i++) {
        rows += plan->living[i].born.count;
        alive += !plan->living[i].again;
    }
    if (st)
        om_fail(err, st, 0, "%s", om_status_text(st));
    else if (!alive)
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
        om__living_deinit(&plan->living[i]);
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
static uint64_t chance(const struct om__plan *plan,
                       const struct om__happening *h, uint64_t what)
{
    const uint64_t key[] = {template_of(plan, h)->key, (uint64_t)h->loop, what};
    return om_hash64(key, sizeof key, plan->seed);
}

/* What a row's times are moved by. */
static int64_t moved_s(const struct om__plan *plan,
                       const struct om__happening *h)
{
    if (h->loop == REGISTER) return 0;
    return plan->shift_s + h->loop * plan->past.length_s +
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

/* From 0 to 1, neither of them. */
static double real_chance(const struct om__plan *plan,
                          const struct om__happening *h, uint64_t what)
{
    return ((double)(chance(plan, h, what) >> 11) + 0.5) * 0x1p-53;
}

/* When a row makes each of its steps; of those that it had made at the clock
 * nothing is said. *made: how many these are. */
static om_status step_times(struct om__plan *plan,
                            const struct om__happening *h, size_t *made,
                            int64_t at_s[OM__PACE_STEPS])
{
    struct om__living *l = &plan->living[h->layer];
    const struct om__template *t = template_of(plan, h);
    const struct om_hit hit = om__template_hit(t);
    const int64_t born_s = t->at_s + moved_s(plan, h);
    double age_s = 0, stands = real_chance(plan, h, 3);
    *made = 0;
    if (h->loop == REGISTER) {
        OM_TRY(om__living_made(l, &hit, plan->past.clock_s, made));
        if (*made == l->steps) return OM_OK;
        age_s = (double)(plan->past.clock_s - born_s);
        const double least = om__pace_share(&l->pace, *made, age_s);
        const double most =
            *made ? om__pace_share(&l->pace, *made - 1, age_s) : 1;
        // Where the register has none that stand like this, it is late.
        stands = most > least ? least + stands * (most - least) : 2;
    }
    const double late_s =
        age_s + fmin(-l->late_s * log(real_chance(plan, h, 4)), LATE_MAX_S);
    double before_s = age_s;
    for (size_t k = *made; k < l->steps; k++) {
        double then_s = om__pace_age(&l->pace, k, stands);
        if (isinf(then_s))
            then_s = fmax(late_s, before_s) +
                     LATE_GAP_S * real_chance(plan, h, 5 + k);
        before_s = fmax(then_s, before_s);
        at_s[k] = born_s + (int64_t)ceil(before_s);
    }
    return OM_OK;
}

static om_status add_steps(struct om__plan *plan, struct week *w,
                           struct om__happening h)
{
    int64_t at_s[OM__PACE_STEPS];
    size_t made;
    OM_TRY(step_times(plan, &h, &made, at_s));
    for (size_t k = made; k < plan->living[h.layer].steps; k++) {
        h.step = (uint32_t)k + 1;
        h.at_s = at_s[k];
        if (h.at_s >= plan->start_s) OM_TRY(add(w, h));
    }
    return OM_OK;
}

static om_status add_row(struct om__plan *plan, struct week *w, uint32_t layer,
                         uint32_t row)
{
    struct om__happening h = {.layer = layer, .row = row, .loop = w->number};
    h.at_s = plan->living[layer].born.at[row].at_s + moved_s(plan, &h);
    // Before the register's end nothing is played, and so nothing goes on.
    if (h.at_s < plan->past.clock_s) return OM_OK;
    if (h.at_s >= plan->start_s) OM_TRY(add(w, h));
    return add_steps(plan, w, h);
}

/* A week of what is brought again. */
static om_status add_again(struct om__plan *plan, struct week *w,
                           uint32_t layer)
{
    const struct om__living *l = &plan->living[layer];
    const char *rhythm = l->layer->meta->rhythm;
    const int32_t zone_s = plan->past.snapshot->manifest->zone_s;
    const int64_t week_s = plan->past.clock_s + w->number * plan->past.length_s;
    const bool live = !strcmp(rhythm, "live");
    const bool once = !strcmp(rhythm, "weekly");
    const int64_t day_s = once ? week_s : week_s - (week_s + zone_s) % DAY_S;
    const int64_t most = live ? AGAIN_LIVE_A_DAY : OM__LIVING_AGAIN_A_DAY;
    const int64_t each_s = live ? DAY_S / AGAIN_LIVE_A_DAY : AGAIN_S;
    const int64_t days = once ? 1 : plan->past.length_s / DAY_S + 1;
    if (!l->again || !l->open.count) return OM_OK;
    for (int64_t i = 0; i < days * most; i++) {
        struct om__happening h = {
            .layer = layer,
            .row = (uint32_t)((uint64_t)i % l->open.count),
            .loop = REGISTER,
            .step = 1};
        h.at_s = day_s + i / most * DAY_S + (live ? 0 : AGAIN_FROM_S) +
                 i % most * each_s;
        if (h.at_s >= week_s && h.at_s < week_s + plan->past.length_s &&
            h.at_s >= plan->start_s)
            OM_TRY(add(w, h));
    }
    return OM_OK;
}

/* What is over is not kept. */
static void shrink(struct week *w)
{
    if (!w->next || w->next * 2 < w->count) return;
    w->count -= w->next;
    memmove(w->happening, w->happening + w->next,
            w->count * sizeof *w->happening);
    w->next = 0;
    struct om__happening *less =
        w->count ? om_realloc(w->happening, w->count * sizeof *less) : NULL;
    if (!less) return;
    w->happening = less;
    w->room = w->count;
}

static om_status add_week(struct om__plan *plan, int64_t number)
{
    for (size_t i = 0; i < plan->weeks; i++) shrink(&plan->week[i]);
    size_t i = 0;
    while (i < plan->weeks && plan->week[i].next < plan->week[i].count) i++;
    if (i == WEEKS_MAX) return OM_E_LIMIT;
    if (i == plan->weeks) plan->weeks++;
    struct week *w = &plan->week[i];
    w->number = number;
    w->count = w->next = 0;
    for (uint32_t l = 0; l < plan->layers; l++) {
        const struct om__living *living = &plan->living[l];
        if (number == REGISTER) {
            for (uint32_t r = 0; r < living->open.count && !living->again; r++)
                OM_TRY(add_steps(plan, w,
                                 (struct om__happening){
                                     .layer = l, .row = r, .loop = REGISTER}));
            continue;
        }
        for (uint32_t r = 0; r < living->born.count; r++)
            OM_TRY(add_row(plan, w, l, r));
        OM_TRY(add_again(plan, w, l));
    }
    if (w->count) qsort(w->happening, w->count, sizeof *w->happening, by_time);
    return OM_OK;
}

/* When the first row of a week may come. */
static int64_t begins_s(const struct om__plan *plan, int64_t number)
{
    return plan->past.clock_s + number * plan->past.length_s - JITTER_S;
}

om_status om__plan_start(struct om__plan *plan, int64_t clock_s)
{
    // What happened in this very second was played before.
    plan->start_s = clock_s > plan->past.clock_s ? clock_s + 1 : clock_s;
    plan->weeks = 0;
    // Weeks some of whose rows may still be on their way.
    double slowest_s = 0;
    for (size_t i = 0; i < plan->layers; i++) {
        const struct om__pace *pace = &plan->living[i].pace;
        if (pace->bins)
            slowest_s = fmax(slowest_s, pace->age_s[pace->bins - 1]);
    }
    const int64_t span_s =
        (int64_t)slowest_s + LATE_MAX_S + 2 * OM__PACE_STEPS * LATE_GAP_S;
    const int64_t first =
        (clock_s - plan->past.clock_s - plan->past.length_s - span_s) /
        plan->past.length_s;
    plan->next_week = first > 0 ? first : 0;
    return add_week(plan, REGISTER);
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

/* What makes an id of the register one of a week. */
static void add_loop(const struct om__plan *plan, const struct om__happening *h,
                     struct om_buf *out)
{
    if (h->loop == REGISTER) return;
    om_buf_addf(out, "-%lld", (long long)h->loop + 1);
    if (plan->seed != 1)
        om_buf_addf(out, ".%llu", (unsigned long long)plan->seed);
}

om_status om__plan_id(struct om__plan *plan, const struct om__happening *h,
                      struct om_buf *out)
{
    struct om__living *l = &plan->living[h->layer];
    const struct om_hit hit = om__template_hit(template_of(plan, h));
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
    add_loop(plan, h, out);
    return out->status;
}

static om_status write_id(struct om__plan *plan, const struct om__happening *h,
                          struct om_buf *out)
{
    struct om__living *l = &plan->living[h->layer];
    const struct om_hit hit = om__template_hit(template_of(plan, h));
    struct om_buf text = {0};
    const char *id;
    size_t len;
    OM_TRY(om__rows_id(&l->rows, &hit, &id, &len));
    om_buf_add(&text, id, len);
    add_loop(plan, h, &text);
    om_status st = text.status;
    if (!st) st = om_buf_add_json_text(out, (const char *)text.bytes, text.len);
    om_buf_deinit(&text);
    return st;
}

static om_status write_place(struct om__plan *plan,
                             const struct om__happening *h, struct om_buf *out)
{
    struct om__living *l = &plan->living[h->layer];
    const struct om_hit hit = om__template_hit(template_of(plan, h));
    struct om_pos pos;
    double lon, lat;
    OM_TRY(om__rows_pos(&l->rows, &hit, &pos));
    const double cell_m = om_world_ground_m((double)pos.y);
    const double jitter_m = h->loop == REGISTER ? 0 : JITTER_M;
    const uint64_t dice = chance(plan, h, 2);
    const double east = ((double)(dice & 0xFFFF) / 65535 * 2 - 1) * jitter_m;
    const double south =
        ((double)(dice >> 16 & 0xFFFF) / 65535 * 2 - 1) * jitter_m;
    om_world_to_lonlat((double)pos.x + 0.5 + east / cell_m,
                       (double)pos.y + 0.5 + south / cell_m, &lon, &lat);
    om_buf_add_text(out, "{\"type\":\"Point\",\"coordinates\":[");
    om__degrees(out, lon);
    om_buf_add_byte(out, ',');
    om__degrees(out, lat);
    return om_buf_add_text(out, "]}");
}

/* A column as it is after the happening; null: it says nothing. */
static om_status value_then(struct om__plan *plan,
                            const struct om__happening *h, size_t f,
                            size_t made, const int64_t at_s[OM__PACE_STEPS],
                            struct om_value *value)
{
    struct om__living *l = &plan->living[h->layer];
    const struct om_hit hit = om__template_hit(template_of(plan, h));
    const struct om_schema *s = &l->layer->schema;
    OM_TRY(om__rows_value(&l->rows, &hit, f, value));
    if (!l->steps || f != l->status) {
        if (s->field[f].type == OM_TYPE_TIME && !value->null)
            value->integer += moved_s(plan, h);
        for (size_t k = made; k < l->steps; k++)
            if (l->step[k] == f)
                *value =
                    (struct om_value){.null = k >= h->step, .integer = at_s[k]};
    } else if (h->step || l->begins[0]) {
        const char *word =
            h->step ? s->field[l->step[h->step - 1]].name : l->begins;
        *value = (struct om_value){.text = word, .len = strlen(word)};
    }
    return OM_OK;
}

om_status om__plan_write(struct om__plan *plan, const struct om__happening *h,
                         bool patch, struct om_buf *out)
{
    struct om__living *l = &plan->living[h->layer];
    const struct om_schema *s = &l->layer->schema;
    const size_t own = s->count - l->layer->unit_columns;
    int64_t at_s[OM__PACE_STEPS];
    size_t made;
    bool first = true;
    OM_TRY(step_times(plan, h, &made, at_s));
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
        if (patch && l->steps && f != l->status && !om__living_has_step(l, f))
            continue;
        OM_TRY(value_then(plan, h, f, made, at_s, &value));
        if (value.null) continue;
        if (!first) om_buf_add_byte(out, ',');
        first = false;
        om_buf_add_json_text(out, s->field[f].name, strlen(s->field[f].name));
        om_buf_add_byte(out, ':');
        om__value_json(out, s->field[f].type, &value,
                       plan->past.snapshot->manifest->zone_s);
    }
    return om_buf_add_text(out, "}}");
}

om_status om__plan_each_place(struct om__plan *plan, const char *level,
                              om_status (*each)(void *ctx, const char *id,
                                                size_t len, struct om_pos pos),
                              void *ctx)
{
    for (size_t i = 0; i < plan->layers; i++) {
        struct om__living *l = &plan->living[i];
        const size_t unit = om_layer_unit_field(l->layer, level);
        for (size_t r = 0; unit != OM_NO_FIELD && r < l->born.count; r++) {
            const struct om_hit hit = om__template_hit(&l->born.at[r]);
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
