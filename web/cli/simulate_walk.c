/* simulate_walk.c - where those on duty are.
 *
 * DESIGN
 * Everybody goes round a few places of their duty unit, places at which things
 * happen in the register, on foot, and stays at each for a while. Where
 * somebody is follows from the moment alone: nothing is remembered, so that any
 * speed and any start give the same walks. Some have no device that sends, and
 * all are off duty at night and on one day a week.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/model/time.h"
#include "engine/query/query.h"
#include "web/cli/simulate.h"
#include "web/features_internal.h"
#include "web/server/positions.h"

#define PLACES 8
/* Of a unit, places that are remembered: drawn evenly from all. */
#define DRAWN 64
#define WALK_M_PER_S 1.2
#define STAY_S 300
#define DUTY_FROM_S (8 * 3600)
#define DUTY_S (10 * 3600)
#define DUTY_JITTER_S 1800
#define UNCONNECTED_PERCENT 5
#define DAY_S 86400

struct unit {
    uint64_t key;  // hash of the id; 0: free
    size_t seen;
    struct om_pos place[DRAWN];
};

struct worker {
    size_t id, len;  // in `ids`
    uint64_t dice;
    size_t places;
    struct om_pos place[PLACES];
    int32_t leaves_s[PLACES + 1];  // when the stay at a place ends; the last:
                                   // the length of the round
};

struct om__walk {
    int32_t zone_s;
    uint64_t seed;
    size_t units, unit_room, workers, room;
    struct unit *unit;
    struct worker *worker;
    struct om_buf ids;
};

static struct unit *slot(struct unit *unit, size_t room, uint64_t key)
{
    size_t at = key % room;
    while (unit[at].key && unit[at].key != key) at = (at + 1) % room;
    return &unit[at];
}

static uint64_t key_of(const char *id, size_t len)
{
    const uint64_t key = om_hash64(id, len, 0);
    return key ? key : 1;
}

static om_status grow(struct om__walk *w)
{
    const size_t room = w->unit_room ? 2 * w->unit_room : 256;
    struct unit *grown = om_calloc(room, sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    for (size_t i = 0; i < w->unit_room; i++)
        if (w->unit[i].key)
            *slot(grown, room, w->unit[i].key) = w->unit[i];
    om_free(w->unit);
    w->unit = grown;
    w->unit_room = room;
    return OM_OK;
}

/* Every place of a unit has the same chance to be among those drawn. */
static om_status see_place(void *ctx, const char *id, size_t len,
                           struct om_pos pos)
{
    struct om__walk *w = ctx;
    const uint64_t key = key_of(id, len);
    if (4 * (w->units + 1) > 3 * w->unit_room) OM_TRY(grow(w));
    struct unit *u = slot(w->unit, w->unit_room, key);
    if (!u->key) {
        u->key = key;
        w->units++;
    }
    const uint64_t what[] = {key, u->seen};
    const size_t at = u->seen < DRAWN
                          ? u->seen
                          : om_hash64(what, sizeof what, w->seed) % (u->seen + 1);
    if (at < DRAWN) u->place[at] = pos;
    u->seen++;
    return OM_OK;
}

static double metres(struct om_pos a, struct om_pos b)
{
    const double cell_m = om_world_ground_m((double)a.y);
    return hypot((double)a.x - (double)b.x, (double)a.y - (double)b.y) * cell_m;
}

/* The round of somebody: home, and places of their unit. */
static void make_round(const struct om__walk *w, struct worker *one,
                       struct om_pos home, const struct unit *unit)
{
    const size_t drawn = !unit ? 0 : unit->seen < DRAWN ? unit->seen : DRAWN;
    one->place[0] = home;
    one->places = 1;
    for (uint64_t i = 0; drawn && one->places < PLACES; i++) {
        const uint64_t what[] = {one->dice, i};
        one->place[one->places++] =
            unit->place[om_hash64(what, sizeof what, w->seed) % drawn];
    }
    double at_s = STAY_S;
    for (size_t i = 0; i < one->places; i++) {
        one->leaves_s[i] = (int32_t)fmin(at_s, 1e9);
        at_s += metres(one->place[i], one->place[(i + 1) % one->places]) /
                    WALK_M_PER_S +
                (i + 1 < one->places ? STAY_S : 0);
    }
    one->leaves_s[one->places] = (int32_t)fmin(at_s, 1e9);
}

struct reading {
    struct om__walk *walk;
    struct om__rows *rows;
    size_t unit;  // column; OM_NO_FIELD: none
    om_status status;
};

static om_status add_worker(struct reading *r, const struct om_hit *hit)
{
    struct om__walk *w = r->walk;
    const char *id;
    size_t len;
    struct om_pos home;
    struct om_value value = {.null = true};
    if (w->workers == w->room) {
        const size_t room = w->room ? 2 * w->room : 256;
        struct worker *grown = om_realloc(w->worker, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        w->worker = grown;
        w->room = room;
    }
    OM_TRY(om__rows_pos(r->rows, hit, &home));
    if (r->unit != OM_NO_FIELD)
        OM_TRY(om__rows_value(r->rows, hit, r->unit, &value));
    const struct unit *unit =
        !value.null && w->unit_room
            ? slot(w->unit, w->unit_room, key_of(value.text, value.len))
            : NULL;
    OM_TRY(om__rows_id(r->rows, hit, &id, &len));
    struct worker *one = &w->worker[w->workers++];
    *one = (struct worker){
        .id = w->ids.len, .len = len, .dice = om_hash64(id, len, w->seed)};
    make_round(w, one, home, unit && unit->key ? unit : NULL);
    return om_buf_add(&w->ids, id, len);
}

static bool see_worker(void *ctx, const struct om_hit *hit)
{
    struct reading *r = ctx;
    r->status = add_worker(r, hit);
    return !r->status;
}

/* The column that says which unit somebody works in, and its level. */
static size_t duty_unit(const struct om_snapshot *s,
                        const struct om_layer *layer, const char **level)
{
    const struct om_json *workers = om_json_get(
        om_json_get(s->manifest->document, "duty"), "workers");
    const char *name = om_json_text(om_json_get(workers, "layer"), "");
    *level = s->manifest->levels ? s->manifest->level[0] : "";
    if (!strcmp(name, layer->name)) {
        const char *unit = om_json_text(om_json_get(workers, "unit"), "");
        const size_t column = om_schema_find(&layer->schema, unit);
        if (column != OM_NO_FIELD &&
            layer->schema.field[column].type == OM_TYPE_CATEGORY) {
            *level = om_json_text(om_json_get(workers, "level"), *level);
            return column;
        }
    }
    return om_layer_unit_field(layer, *level);
}

static om_status read_workers(struct om__walk *w, const struct om_snapshot *s,
                              const struct om_layer *layer, size_t unit)
{
    const struct om_features_options options = {.zone_s = w->zone_s};
    struct om__rows rows;
    OM_TRY(om__rows_init(&rows, layer, &options));
    struct reading reading = {w, &rows, unit, OM_OK};
    const struct om_query all = {.snapshot = s, .layer = layer};
    om_status st = om_query_each(&all, see_worker, &reading);
    om__rows_deinit(&rows);
    return st ? st : reading.status;
}

om_status om__walk_new(const struct om_snapshot *snapshot,
                       struct om__plan *plan, uint64_t seed,
                       struct om__walk **out)
{
    struct om__positions_about about;
    const char *level;
    *out = NULL;
    const struct om_layer *layer =
        om__positions_about(snapshot, &about)
            ? om_snapshot_layer(snapshot, about.layer)
            : NULL;
    if (!layer || layer->schema.geometry != OM_GEOMETRY_POINT) return OM_OK;
    struct om__walk *w = om_calloc(1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    w->seed = seed;
    w->zone_s = snapshot->manifest->zone_s;
    const size_t unit = duty_unit(snapshot, layer, &level);
    om_status st = om__plan_each_place(plan, level, see_place, w);
    if (!st) st = read_workers(w, snapshot, layer, unit);
    if (st)
        om__walk_free(w);
    else
        *out = w;
    return st;
}

void om__walk_free(struct om__walk *w)
{
    if (!w) return;
    om_free(w->unit);
    om_free(w->worker);
    om_buf_deinit(&w->ids);
    om_free(w);
}

static bool on_duty(const struct om__walk *w, const struct worker *one,
                    int64_t clock_s)
{
    if (one->dice % 100 < UNCONNECTED_PERCENT) return false;
    const int64_t local_s = clock_s + w->zone_s;
    const int64_t day = local_s / DAY_S;
    if ((uint64_t)day % 7 == one->dice / 100 % 7) return false;
    const int64_t from_s =
        DUTY_FROM_S + (int64_t)(one->dice / 700 % (2 * DUTY_JITTER_S)) -
        DUTY_JITTER_S;
    const int64_t of_day_s = local_s % DAY_S - from_s;
    return of_day_s >= 0 && of_day_s < DUTY_S;
}

static void place_at(const struct worker *one, int64_t clock_s, double *x,
                     double *y)
{
    const int32_t round_s = one->leaves_s[one->places];
    const int32_t t = (int32_t)((uint64_t)(clock_s + (int64_t)(one->dice % DAY_S)) %
                                (uint64_t)(round_s > 0 ? round_s : 1));
    size_t i = 0;
    while (i + 1 < one->places && t >= one->leaves_s[i + 1] - STAY_S) i++;
    const struct om_pos a = one->place[i];
    const struct om_pos b = one->place[(i + 1) % one->places];
    // At it, or on the way to the next.
    const int32_t arrives_s = i + 1 < one->places
                                  ? one->leaves_s[i + 1] - STAY_S
                                  : round_s;
    const int32_t way_s = arrives_s - one->leaves_s[i];
    double part = way_s > 0 ? (double)(t - one->leaves_s[i]) / way_s : 0;
    part = fmin(fmax(part, 0), 1);
    *x = (double)a.x + part * ((double)b.x - (double)a.x) + 0.5;
    *y = (double)a.y + part * ((double)b.y - (double)a.y) + 0.5;
}

om_status om__walk_write(struct om__walk *w, int64_t clock_s, size_t slice,
                         size_t slices, struct om_buf *out, size_t *count)
{
    char at[OM_TIME_TEXT_BYTES];
    om_time_format(clock_s, w->zone_s, at);
    *count = 0;
    for (size_t i = slice; i < w->workers; i += slices) {
        const struct worker *one = &w->worker[i];
        double x, y, lon, lat;
        if (!on_duty(w, one, clock_s)) continue;
        place_at(one, clock_s, &x, &y);
        om_world_to_lonlat(x, y, &lon, &lat);
        om_buf_add_text(out, "{\"worker\":");
        om_buf_add_json_text(out, (const char *)w->ids.bytes + one->id,
                             one->len);
        om_buf_add_text(out, ",\"lon\":");
        om__degrees(out, lon);
        om_buf_add_text(out, ",\"lat\":");
        om__degrees(out, lat);
        om_buf_addf(out, ",\"at\":\"%s\",\"on_duty\":true}\n", at);
        ++*count;
    }
    return out->status;
}
