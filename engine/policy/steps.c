/* steps.c - where those are who are followed, ten at a time.
 *
 * DESIGN
 * Rows of people who walk cannot be held back as others are (still.c): whoever
 * goes from unit to unit binds them together, in an hour the whole city, and
 * nothing would be told any more. So it is not rows that are told but numbers.
 * Of each unit there is the count that was made for what is told, and it is
 * made again when it has changed by a step: until then as many are told. What
 * is told is rounded to the step, and nothing below one, so that
 *
 * (1) of two tellings each number is the same, or a step and more apart, and in
 *     between a step of people have come or gone there on balance;
 * (2) all numbers and all their sums and differences are multiples of a step:
 *     those of a town less those of its villages, of all less those connected.
 *
 * Each level counts for itself: a town would be as wrong as all its villages
 * together, and one whose grids have three each would never change. We rejected
 * numbers that add up, for that reason. Counts outlive the process (om_steps_
 * write), as the first telling of each start would be one of single people.
 *
 * Numbers become rows again, which stand in the middle of their unit: all that
 * counts rows counts these, and there is nothing else to be found. As numbers
 * of levels do not add up each level has rows of its own.
 */
#include "engine/policy/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/query.h"
#include "engine/snapshot_internal.h"
#include "engine/units.h"

#define MAGIC "onemap steps 1"
/* Rows of one level of a snapshot at most: as many as are followed, and what
 * rounding adds. */
#define ROWS_MOST ((uint64_t)1 << 20)
#define ID_BYTES 24

enum { ALL, CONNECTED, KINDS };

struct unit {
    char id[OM_LIMIT_NAME_BYTES];
    uint64_t counted[KINDS];  // when what is told was
    uint64_t told[KINDS];
    struct om_pos inside;
};

struct level {
    char name[OM_LIMIT_NAME_BYTES];
    size_t count;
    struct unit *unit;  // by id
};

struct om_steps {
    uint64_t step;
    int64_t seen_s;
    bool read;  // and not counted since
    size_t levels;
    struct level *level;  // as in the manifest
    struct unit city;
};

om_status om_steps_new(uint64_t step, int64_t seen_s, struct om_steps **out)
{
    struct om_steps *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->step = step ? step : 1;
    s->seen_s = seen_s;
    *out = s;
    return OM_OK;
}

static void free_levels(struct level *level, size_t levels)
{
    for (size_t l = 0; level && l < levels; l++) om_free(level[l].unit);
    om_free(level);
}

void om_steps_free(struct om_steps *s)
{
    if (!s) return;
    free_levels(s->level, s->levels);
    om_free(s);
}

const struct om_layer *om_steps_layer(const struct om_snapshot *snapshot)
{
    const struct om_json *about =
        om_json_get(snapshot->manifest->document, "positions");
    const char *name = om_json_text(om_json_get(about, "layer"), NULL);
    const struct om_layer *layer =
        name ? om_snapshot_layer(snapshot, name) : NULL;
    return layer && layer->schema.geometry == OM_GEOMETRY_POINT ? layer : NULL;
}

void om_steps_all(const struct om_steps *s, uint64_t told[2])
{
    // A register's length is no place: it is told to the one.
    told[0] = s->city.counted[ALL];
    told[1] = s->city.told[CONNECTED];
}

size_t om_steps_levels(const struct om_steps *s)
{
    return s->levels;
}

size_t om_steps_middle(const struct om_steps *s)
{
    for (size_t l = 0; l < s->levels; l++)
        if (s->level[l].count &&
            s->city.counted[ALL] / s->level[l].count >= s->step)
            return l;
    return s->levels ? s->levels - 1 : 0;
}

/* ---- counting ---- */

static uint64_t round_down_few(uint64_t n, uint64_t step)
{
    return n < step ? 0 : (n + step / 2) / step * step;
}

static struct unit *find(const struct level *level, const char *id)
{
    size_t low = 0, high = level->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(level->unit[middle].id, id);
        if (!order) return &level->unit[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Another count is told where a step came or went. */
static void tell(const struct om_steps *s, const struct unit *was,
                 const uint64_t now[KINDS], struct unit *out)
{
    for (int k = 0; k < KINDS; k++) {
        const uint64_t then = was ? was->counted[k] : now[k];
        const uint64_t by = now[k] > then ? now[k] - then : then - now[k];
        const bool keeps = was && (s->read || by < s->step);
        out->counted[k] = keeps ? was->counted[k] : now[k];
        out->told[k] = round_down_few(out->counted[k], s->step);
    }
    if (out->told[CONNECTED] > out->told[ALL])
        out->told[CONNECTED] = out->told[ALL];
}

struct counting {
    struct om_steps *steps;
    struct om_query all, seen;
    bool timed;
};

static om_status add_counts(const struct om_query *query,
                            const struct om_units *units, int kind,
                            uint64_t (*count)[KINDS])
{
    const size_t by = om_layer_unit_field(query->layer, units->level);
    struct om_groups groups;
    if (by == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_query_group(query, by, OM_STEP_NONE, 0, OM_NO_FIELD, &groups));
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t unit =
            g->null ? SIZE_MAX : om_units_find(units, g->id, g->len);
        if (unit != SIZE_MAX) count[unit][kind] += g->count;
    }
    om_groups_deinit(&groups);
    return OM_OK;
}

static om_status count_level(const struct counting *c,
                             const struct om_units *units,
                             const struct level *was, struct level *out)
{
    uint64_t(*count)[KINDS] = om_calloc(units->count + 1, sizeof *count);
    out->unit = om_calloc(units->count + 1, sizeof *out->unit);
    om_status st = count && out->unit ? OM_OK : OM_E_MEMORY;
    if (!st) st = add_counts(&c->all, units, ALL, count);
    if (!st && c->timed) st = add_counts(&c->seen, units, CONNECTED, count);
    for (size_t i = 0; i < units->count && !st; i++) {
        struct unit *u = &out->unit[out->count];
        // An id that is longer is none of a level.
        if (strlen(units->unit[i].id) >= sizeof u->id) continue;
        snprintf(u->id, sizeof u->id, "%s", units->unit[i].id);
        u->inside = units->unit[i].inside;
        tell(c->steps, was ? find(was, u->id) : NULL, count[i], u);
        out->count++;
    }
    om_free(count);
    return st;
}

static const struct level *level_named(const struct om_steps *s,
                                       const char *name)
{
    for (size_t l = 0; l < s->levels; l++)
        if (!strcmp(s->level[l].name, name)) return &s->level[l];
    return NULL;
}

static om_status count_levels(const struct counting *c, struct level *out)
{
    const struct om_manifest *city = c->all.snapshot->manifest;
    for (size_t l = 0; l < city->levels; l++) {
        struct om_units units = {0};
        snprintf(out[l].name, sizeof out[l].name, "%s", city->level[l]);
        // A level that is withheld has no units to tell of.
        if (!om_snapshot_units(c->all.snapshot, city->level[l])) continue;
        om_status st =
            om_units_read(c->all.snapshot, city->level[l], &units, NULL);
        if (!st)
            st = count_level(c, &units, level_named(c->steps, city->level[l]),
                             &out[l]);
        om_units_deinit(&units);
        OM_TRY(st);
    }
    return OM_OK;
}

static bool same_told(const struct level *a, const struct level *b)
{
    bool same = a->count == b->count && !strcmp(a->name, b->name);
    for (size_t i = 0; same && i < a->count; i++) {
        const struct unit *x = &a->unit[i], *y = &b->unit[i];
        same = !strcmp(x->id, y->id) && x->told[ALL] == y->told[ALL] &&
               x->told[CONNECTED] == y->told[CONNECTED] &&
               x->inside.x == y->inside.x && x->inside.y == y->inside.y;
    }
    return same;
}

static om_status count_city(const struct counting *c, struct unit *out)
{
    uint64_t now[KINDS] = {0};
    OM_TRY(om_query_count(&c->all, &now[ALL]));
    if (c->timed) OM_TRY(om_query_count(&c->seen, &now[CONNECTED]));
    tell(c->steps, c->steps->levels ? &c->steps->city : NULL, now, out);
    return OM_OK;
}

om_status om_steps_next(struct om_steps *s, struct om_snapshot *newest,
                        bool *changed)
{
    const struct om_layer *layer = om_steps_layer(newest);
    const size_t levels = newest->manifest->levels;
    *changed = false;
    if (!layer) return OM_OK;
    struct counting c = {.steps = s,
                         .all = {.snapshot = newest, .layer = layer},
                         .timed = layer->schema.time_field != OM_NO_FIELD};
    c.seen = c.all;
    c.seen.window =
        (struct om_window){.set = true,
                           .from_s = om_snapshot_now(newest) - s->seen_s,
                           .to_s = INT64_MAX};
    struct level *fresh = om_calloc(levels + 1, sizeof *fresh);
    struct unit city = {0};
    om_status st = fresh ? count_levels(&c, fresh) : OM_E_MEMORY;
    if (!st) st = count_city(&c, &city);
    if (st) {
        free_levels(fresh, levels);
        return st;
    }
    *changed = s->levels != levels ||
               city.counted[ALL] != s->city.counted[ALL] ||
               city.told[CONNECTED] != s->city.told[CONNECTED];
    for (size_t l = 0; l < levels && !*changed; l++)
        *changed = !same_told(&s->level[l], &fresh[l]);
    free_levels(s->level, s->levels);
    s->level = fresh;
    s->levels = levels;
    s->city = city;
    s->read = false;
    return OM_OK;
}

/* ---- numbers as rows ---- */

/* Rows of a level, a batch at a time. */
struct making {
    const struct level *level;
    size_t unit;     // that is next,
    uint64_t of_it;  // ... and how many rows of it there are
    int64_t now_s;
    size_t row;  // of all batches
};

/* A batch on its way, in its arena. */
struct columns {
    struct om_batch_column *column;
    struct om_pos *pos;
    int64_t *seen;
    uint64_t *seen_valid, *none;
    uint32_t *offset;
    char *ids;
    void *zeros;  // values of what has none
};

static om_status make_room(struct om_arena *arena, size_t columns, size_t rows,
                           struct columns *c)
{
    const size_t words = rows / 64 + 1;
    c->column = om_arena_calloc(arena, columns, sizeof *c->column);
    c->pos = om_arena_calloc(arena, rows + 1, sizeof *c->pos);
    c->seen = om_arena_calloc(arena, rows + 1, sizeof *c->seen);
    c->seen_valid = om_arena_calloc(arena, words, sizeof *c->seen_valid);
    c->none = om_arena_calloc(arena, words, sizeof *c->none);
    c->offset = om_arena_calloc(arena, rows + 1, sizeof *c->offset);
    c->ids = om_arena_alloc(arena, ID_BYTES * (rows + 1));
    c->zeros = om_arena_calloc(arena, rows + 1, sizeof(uint64_t));
    return c->column && c->pos && c->seen && c->seen_valid && c->none &&
                   c->offset && c->ids && c->zeros
               ? OM_OK
               : OM_E_MEMORY;
}

static size_t fill_rows(struct making *m, struct columns *c, size_t room)
{
    size_t n = 0, bytes = 0;
    while (n < room && m->unit < m->level->count) {
        const struct unit *u = &m->level->unit[m->unit];
        if (m->of_it == u->told[ALL]) {
            m->unit++;
            m->of_it = 0;
            continue;
        }
        c->pos[n] = u->inside;
        if (m->of_it++ < u->told[CONNECTED]) {
            c->seen[n] = m->now_s;
            om_bit_set(c->seen_valid, n);
        }
        bytes += (size_t)snprintf(c->ids + bytes, ID_BYTES, "%zu", m->row++);
        c->offset[++n] = (uint32_t)bytes;
    }
    return n;
}

/* Nothing is said of them but the id and the column of times. */
static void fill_columns(const struct om_schema *schema, struct columns *c)
{
    for (size_t i = 0; i < schema->count; i++) {
        struct om_batch_column *one = &c->column[i];
        const enum om_type type = schema->field[i].type;
        one->valid = c->none;
        if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
            one->offset = c->zeros;
            one->bytes = c->ids;
        } else if (type == OM_TYPE_REAL) {
            one->real = c->zeros;
        } else {
            one->integer = c->zeros;
        }
    }
    struct om_batch_column *id = &c->column[schema->id_field];
    *id = (struct om_batch_column){.offset = c->offset, .bytes = c->ids};
    if (schema->time_field == OM_NO_FIELD) return;
    struct om_batch_column *time = &c->column[schema->time_field];
    *time =
        (struct om_batch_column){.integer = c->seen, .valid = c->seen_valid};
}

static om_status make_batch(struct making *m, const struct om_schema *schema,
                            uint64_t rows, struct om_batch *out)
{
    const size_t room =
        rows < OM_LIMIT_BATCH_ROWS ? (size_t)rows : OM_LIMIT_BATCH_ROWS;
    struct columns c = {0};
    OM_TRY(make_room(&out->arena, schema->count, room, &c));
    out->rows = fill_rows(m, &c, room);
    fill_columns(schema, &c);
    out->source_row = c.zeros;
    out->pos = c.pos;
    out->column = c.column;
    return OM_OK;
}

static om_status make_run(const struct level *level, struct om_snapshot *newest,
                          const struct om_joiner *joiner,
                          const struct om_schema *own, uint64_t rows,
                          struct om_segment **out)
{
    const size_t batches = (size_t)(rows / OM_LIMIT_BATCH_ROWS + 1);
    struct making m = {.level = level, .now_s = om_snapshot_now(newest)};
    struct om_batch *batch = om_calloc(batches, sizeof *batch);
    const struct om_batch **each =
        om_calloc(batches, sizeof(struct om_batch *));
    om_status st = batch && each ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < batches && !st; i++) {
        each[i] = &batch[i];
        st = make_batch(&m, own, rows - i * (uint64_t)OM_LIMIT_BATCH_ROWS,
                        &batch[i]);
    }
    if (!st) st = om_run_new(own, each, batches, joiner, out, NULL);
    for (size_t i = 0; batch && i < batches; i++)
        om_arena_deinit(&batch[i].arena);
    om_free(batch);
    om_free(each);
    return st;
}

om_status om_steps_rows(const struct om_steps *s, struct om_snapshot *newest,
                        const struct om_joiner *joiner, size_t level,
                        struct om_snapshot **out)
{
    const struct om__snapshot *from = om__snapshot_of(newest);
    const struct om_layer *layer = om_steps_layer(newest);
    const size_t layers = newest->manifest->layers;
    struct om_segment *run = NULL;
    struct om__stack *stack = NULL;
    uint64_t rows = 0;
    *out = NULL;
    if (!layer || level >= s->levels) return OM_E_NOTFOUND;
    struct om_schema own = layer->schema;
    own.count -= layer->unit_columns;
    for (size_t i = 0; i < s->level[level].count; i++)
        rows += s->level[level].unit[i].told[ALL];
    if (rows > ROWS_MOST) return OM_E_LIMIT;
    struct om__layer_state *state = om_calloc(layers + 1, sizeof *state);
    om_status st = state ? OM_OK : OM_E_MEMORY;
    if (!st) st = make_run(&s->level[level], newest, joiner, &own, rows, &run);
    if (!st) st = om__stack_new(&run, NULL, 1, 0, &stack);
    const size_t at = st ? 0 : (size_t)(layer->meta - newest->manifest->layer);
    if (!st) {
        state[at] = from->state[at];
        state[at].stack = stack;
        st = om__snapshot_new(from->base, state, newest->sequence,
                              newest->clock_s, out, NULL);
    }
    om__stack_unref(stack);
    om_segment_unref(run);
    om_free(state);
    return st;
}

/* ---- from one start to the next ---- */

om_status om_steps_write(const struct om_steps *s, struct om_buf *out)
{
    om_buf_addf(out, "%s\n%" PRIu64 "\n", MAGIC, s->step);
    om_buf_addf(out, "*\t*\t%" PRIu64 "\t%" PRIu64 "\n", s->city.counted[ALL],
                s->city.counted[CONNECTED]);
    for (size_t l = 0; l < s->levels; l++)
        for (size_t i = 0; i < s->level[l].count; i++) {
            const struct unit *u = &s->level[l].unit[i];
            if (strpbrk(u->id, "\t\n")) continue;
            om_buf_addf(out, "%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n",
                        s->level[l].name, u->id, u->counted[ALL],
                        u->counted[CONNECTED]);
        }
    return om_buf_add_text(out, ".\n");
}

/* What is before the next `mark`, which becomes NUL; *rest goes behind it, NULL
 * at the end. */
static char *cut(char **rest, char mark)
{
    char *at = *rest, *end = strchr(at, mark);
    if (end) *end++ = 0;
    *rest = end;
    return at;
}

static int by_id(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    return strcmp(x->id, y->id);
}

/* One line, into the last of the levels or a new one. */
static om_status read_line(struct om_steps *s, char *line)
{
    char *part[4], *rest = line;
    for (int i = 0; i < 4; i++) {
        part[i] = rest ? cut(&rest, '\t') : NULL;
        if (!part[i] || strlen(part[i]) >= OM_LIMIT_NAME_BYTES)
            return OM_E_FORMAT;
    }
    struct unit unit = {
        .counted = {strtoull(part[2], NULL, 10), strtoull(part[3], NULL, 10)}};
    for (int k = 0; k < KINDS; k++)
        unit.told[k] = round_down_few(unit.counted[k], s->step);
    snprintf(unit.id, sizeof unit.id, "%s", part[1]);
    if (!strcmp(part[0], "*")) {
        s->city = unit;
        return OM_OK;
    }
    struct level *last = s->levels ? &s->level[s->levels - 1] : NULL;
    if (!last || strcmp(last->name, part[0]) != 0) {
        struct level *more =
            om_realloc(s->level, (s->levels + 1) * sizeof *more);
        if (!more) return OM_E_MEMORY;
        s->level = more;
        last = &more[s->levels++];
        *last = (struct level){0};
        snprintf(last->name, sizeof last->name, "%s", part[0]);
    }
    // Room grows by doubling: full whenever the count is a power of two.
    if (!(last->count & (last->count - 1))) {
        const size_t room = last->count ? 2 * last->count : 1;
        struct unit *grown = om_realloc(last->unit, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        last->unit = grown;
    }
    last->unit[last->count++] = unit;
    return OM_OK;
}

om_status om_steps_read(struct om_steps *s, const uint8_t *bytes, size_t len)
{
    char *text = om_alloc(len + 1);
    struct om_steps fresh = {.step = s->step, .seen_s = s->seen_s};
    if (!text) return OM_E_MEMORY;
    memcpy(text, bytes, len);
    text[len] = 0;
    char *rest = text;
    const char *magic = cut(&rest, '\n');
    const char *step = rest ? cut(&rest, '\n') : NULL;
    om_status st = magic && !strcmp(magic, MAGIC) && step &&
                           strtoull(step, NULL, 10) == s->step
                       ? OM_OK
                       : OM_E_FORMAT;
    bool whole = false;
    while (!st && !whole && rest) {
        char *line = cut(&rest, '\n');
        whole = !strcmp(line, ".");
        if (!whole) st = read_line(&fresh, line);
    }
    if (!st && !whole) st = OM_E_FORMAT;
    om_free(text);
    if (st) {
        free_levels(fresh.level, fresh.levels);
        return st;
    }
    for (size_t l = 0; l < fresh.levels; l++)
        qsort(fresh.level[l].unit, fresh.level[l].count, sizeof(struct unit),
              by_id);
    free_levels(s->level, s->levels);
    *s = fresh;
    s->read = fresh.levels > 0;
    return OM_OK;
}
