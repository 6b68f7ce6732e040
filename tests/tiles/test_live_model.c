/* A city that is written to against one built from scratch.
 *
 * Plan
 *   runs_*     random writes as runs and dead rows, merged now and then: every
 *              kind of answer is that of a city built from the array of rows
 *   writer_*   the same through the writer of a city in files: with compactions
 *              beside it, closed and opened again, seen by another process'
 *              eyes
 *
 * OM_MODEL_WRITES says how many writes; `make test-long` makes a million.
 */
#include "data/base/file.h"
#include "engine/live/live.h"
#include "engine/verify.h"
#include "tests/rounds.h"
#include "tests/tiles/live_answers.h"

#define WRITES 20000
#define CHECKS 12  // looks at all answers
#define RUNS_MOST 7

/* Layers as stacks of parts. */
struct stack {
    struct om_layer layer;
    struct om_manifest_layer meta;
    struct om_part part[RUNS_MOST + 1];
    uint32_t *dead[RUNS_MOST + 1];
    size_t files;  // ever written
};

struct city {
    struct model *model;
    struct stack stack[MODEL_LAYERS];
    struct om_snapshot snapshot;
    struct om_layer layer[MODEL_LAYERS + 2];
    uint64_t serial;
};

static size_t writes_wanted(void)
{
    const char *text = getenv("OM_MODEL_WRITES");
    if (text) return (size_t)strtoul(text, NULL, 10);
    return test_long() ? 1000000 : test_rounds(WRITES);
}

static void push(struct stack *s, struct om_segment *segment)
{
    const size_t p = s->layer.parts++;
    assert_true(p <= RUNS_MOST);
    s->dead[p] = malloc((om_segment_rows(segment) + 1) * sizeof(uint32_t));
    s->part[p] = (struct om_part){.segment = segment, .dead = s->dead[p]};
}

static void pop(struct stack *s)
{
    const size_t p = --s->layer.parts;
    om_segment_unref(s->part[p].segment);
    free(s->dead[p]);
}

/* Parts from `first` on become one, in memory or as files. */
static void merge(struct city *c, int l, size_t first, bool file)
{
    struct stack *s = &c->stack[l];
    char path[128], units[128];
    struct om_segment *merged;
    struct om_err err = {0};
    snprintf(path, sizeof path, "%s/%s-%zu.seg", c->model->city.folder,
             MODEL_NAME[l], ++s->files);
    snprintf(units, sizeof units, "%s/%s-%zu.units", c->model->city.folder,
             MODEL_NAME[l], s->files);
    if (om_run_merge(&c->model->layer[l].schema, s->part + first,
                     s->layer.parts - first, c->model->joiner,
                     file ? path : NULL, file ? units : NULL, &merged, &err))
        fail_msg("%s", err.text);
    while (s->layer.parts > first) pop(s);
    push(s, merged);
    unlink(path);
    unlink(units);
}

/* The row called so dies, wherever it is. */
static bool kill_row(struct stack *s, const char *id)
{
    struct om_text_reader reader = {0};
    bool killed = false;
    for (size_t p = s->layer.parts; p-- > 0 && !killed;) {
        struct om_part *part = &s->part[p];
        size_t row;
        if (om_segment_find(part->segment, id, strlen(id), &reader, &row))
            continue;
        const size_t at = om_part_dead_from(part, row);
        if (at < part->dead_count && part->dead[at] == row) continue;
        memmove(s->dead[p] + at + 1, s->dead[p] + at,
                (part->dead_count - at) * sizeof(uint32_t));
        s->dead[p][at] = (uint32_t)row;
        part->dead_count++;
        killed = true;
    }
    om_text_reader_deinit(&reader);
    return killed;
}

/* Writes to one layer, as one publication. Each slot once. */
static void write_some(struct city *c, int l, size_t count)
{
    struct model *m = c->model;
    struct model_layer *layer = &m->layer[l];
    struct stack *s = &c->stack[l];
    uint32_t slot[64], put[64];
    size_t n = 0, puts = 0;
    while (n < count) {
        const uint32_t one = (uint32_t)(model_random(m) % layer->room);
        bool fresh = true;
        for (size_t i = 0; i < n && fresh; i++) fresh = slot[i] != one;
        if (fresh) slot[n++] = one;
    }
    for (size_t i = 0; i < n; i++) {
        struct model_row *r = &layer->row[slot[i]];
        char id[MODEL_TEXT];
        snprintf(id, sizeof id, "%c%06u", layer->letter, slot[i]);
        const bool was = r->alive;
        assert_true(kill_row(s, id) == was);
        const uint64_t kind = model_random(m) % 8;
        if (was && kind == 0) {  // gone
            r->alive = false;
            layer->alive--;
            continue;
        }
        if (!was || kind == 1)  // new, or put in its place
            model_make(m, l, slot[i]);
        else if (kind < 4)  // moved
            model_place(m, l, r);
        else  // patched
            model_fill(m, l, 1 + model_random(m) % (layer->schema.count - 1),
                       r);
        put[puts++] = slot[i];
    }
    if (puts) {
        struct om_batch batch;
        const struct om_batch *list = &batch;
        struct om_segment *run;
        struct om_err err = {0};
        if (s->layer.parts > RUNS_MOST)
            merge(c, l, 1 + model_random(m) % (RUNS_MOST - 1), false);
        model_batch(layer, put, puts, &batch);
        if (om_run_new(&layer->schema, &list, 1, m->joiner, &run, &err))
            fail_msg("%s", err.text);
        om_arena_deinit(&batch.arena);
        push(s, run);
    }
}

static const struct om_snapshot *publish(struct city *c)
{
    memcpy(c->layer, c->model->city.layer, 2 * sizeof *c->layer);
    for (int l = 0; l < MODEL_LAYERS; l++) {
        struct om_layer *layer = &c->stack[l].layer;
        layer->rows = 0;
        layer->serial = ++c->serial;
        for (size_t p = 0; p < layer->parts; p++)
            layer->rows += om_segment_rows(layer->part[p].segment) -
                           layer->part[p].dead_count;
        c->layer[l + 2] = *layer;
    }
    c->snapshot = c->model->city.snapshot;
    c->snapshot.layer = c->layer;
    c->snapshot.layers = MODEL_LAYERS + 2;
    return &c->snapshot;
}

static void begin(struct city *c, struct model *m, const size_t *rooms)
{
    *c = (struct city){.model = m};
    for (int l = 0; l < MODEL_LAYERS; l++) {
        struct model_layer *layer = &m->layer[l];
        struct stack *s = &c->stack[l];
        model_layer_init(m, l, &s->layer, &s->meta);
        s->layer.part = s->part;
        layer->room = rooms[l];
        layer->row = calloc(rooms[l], sizeof *layer->row);
        // Half of them are there from the start.
        uint32_t *slot = calloc(rooms[l], sizeof *slot);
        size_t n = 0;
        for (uint32_t i = 0; i < rooms[l]; i += 2) {
            model_make(m, l, i);
            slot[n++] = i;
        }
        struct om_batch batch;
        const struct om_batch *list = &batch;
        struct om_segment *run;
        model_batch(layer, slot, n, &batch);
        assert_int_equal(
            om_run_new(&layer->schema, &list, 1, m->joiner, &run, NULL), OM_OK);
        push(s, run);
        merge(c, l, 0, true);
        om_arena_deinit(&batch.arena);
        free(slot);
    }
}

static void end(struct city *c)
{
    for (int l = 0; l < MODEL_LAYERS; l++)
        while (c->stack[l].layer.parts) pop(&c->stack[l]);
}

static void runs_and_dead_rows_are_a_city_from_scratch(void **state)
{
    (void)state;
    static const size_t ROOMS[MODEL_LAYERS] = {6000, 900, 4000, 3000, 1500};
    static const int LAYER[] = {MODEL_CASE,  MODEL_CASE, MODEL_HOUSE,
                                MODEL_VISIT, MODEL_LOT,  MODEL_ROAD};
    struct model m;
    static struct city c;
    struct answers_caches caches;
    const size_t writes = writes_wanted();
    model_begin(&m, 20230627);
    answers_begin(&caches);
    begin(&c, &m, ROOMS);
    size_t done = 0, looks = 0;
    while (looks < CHECKS) {
        while (done < writes * (looks + 1) / CHECKS) {
            const int l = LAYER[model_random(&m) % 6];
            const size_t n =
                model_random(&m) % 3 ? 1 + model_random(&m) % 40 : 1;
            write_some(&c, l, n);
            done += n;
            // Now and then a compaction: all of it, or all but the base.
            if (model_random(&m) % 400 == 0)
                merge(&c, l,
                      model_random(&m) % 3 ? 1 % c.stack[l].layer.parts : 0,
                      true);
        }
        struct model_city scratch;
        model_city_make(&m, &scratch);
        const struct asked_city city[2] = {{publish(&c), &caches},
                                           {&scratch.snapshot, &caches}};
        answers_same_city(&m, city);
        model_city_drop(&scratch);
        looks++;
    }
    print_message("%zu writes\n", done);
    end(&c);
    answers_end(&caches);
    om_query_forget();
    model_end(&m);
}

/* ---- through the writer ---- */

struct written {
    struct model *model;
    struct answers_caches caches;
    struct om_city *city;
    struct om_live *live;
    struct om_live_options options;
};

static void open_city(struct written *w)
{
    struct om_err err = {0};
    if (om_city_open(w->model->city.folder, &w->city, &err) ||
        om_live_open(w->city, &w->options, &w->live, &err))
        fail_msg("%s", err.text);
}

static void close_city(struct written *w)
{
    om_live_close(w->live);
    om_city_close(w->city);
}

static struct om_manifest_layer *add_layer(struct om_manifest *m,
                                           const char *name, const char *file,
                                           const char *units, size_t rows,
                                           const struct om_schema *schema)
{
    struct om_manifest_layer *layer = om_manifest_add(m, name);
    assert_non_null(layer);
    layer->schema = *schema;
    layer->parts = 1;
    layer->part = om_arena_calloc(&m->arena, 1, sizeof *layer->part);
    snprintf(layer->part->file, sizeof layer->part->file, "%s", file);
    snprintf(layer->part->units_file, sizeof layer->part->units_file, "%s",
             units);
    layer->part->rows = rows;
    if (schema->time_field != OM_NO_FIELD)
        snprintf(layer->time, sizeof layer->time, "%s",
                 schema->field[schema->time_field].name);
    return layer;
}

/* Half of the rows as files, and a city.json that names them. */
static void make_city(struct model *m, const size_t *rooms)
{
    struct om_manifest manifest = {.zone_s = 8 * 3600, .sequence = 1};
    struct om_err err = {0};
    for (size_t i = 0; i < 2; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.seg", m->city.level[i]);
        const struct om_layer *units = &m->city.layer[i];
        struct om_manifest_layer *layer = add_layer(
            &manifest, units->name, file, "", units->rows, &units->schema);
        snprintf(layer->unit_level, sizeof layer->unit_level, "%s",
                 m->city.level[i]);
        assert_int_equal(om_manifest_add_level(&manifest, m->city.level[i]),
                         OM_OK);
    }
    for (int l = 0; l < MODEL_LAYERS; l++) {
        struct model_layer *layer = &m->layer[l];
        char path[128], units[128], file[64], units_file[64];
        layer->room = rooms[l];
        layer->row = calloc(rooms[l], sizeof *layer->row);
        uint32_t *slot = calloc(rooms[l], sizeof *slot);
        size_t n = 0;
        for (uint32_t i = 0; i < rooms[l]; i += 2) {
            model_make(m, l, i);
            slot[n++] = i;
        }
        struct om_batch batch;
        const struct om_batch *list = &batch;
        struct om_segment *run, *out;
        model_batch(layer, slot, n, &batch);
        assert_int_equal(
            om_run_new(&layer->schema, &list, 1, m->joiner, &run, NULL), OM_OK);
        const struct om_part part = {.segment = run};
        snprintf(file, sizeof file, "%s-1.seg", MODEL_NAME[l]);
        snprintf(units_file, sizeof units_file, "%s-1-0.units", MODEL_NAME[l]);
        snprintf(path, sizeof path, "%s/%s", m->city.folder, file);
        snprintf(units, sizeof units, "%s/%s", m->city.folder, units_file);
        assert_int_equal(om_run_merge(&layer->schema, &part, 1, m->joiner, path,
                                      units, &out, NULL),
                         OM_OK);
        add_layer(&manifest, MODEL_NAME[l], file, units_file, n,
                  &layer->schema);
        om_segment_unref(run);
        om_segment_unref(out);
        om_arena_deinit(&batch.arena);
        free(slot);
    }
    char path[128];
    snprintf(path, sizeof path, "%s/layers", m->city.folder);
    assert_int_equal(om_folder_make(path, NULL), OM_OK);
    assert_int_equal(
        om_json_parse(MODEL_DUTY, strlen(MODEL_DUTY), &manifest.document, NULL),
        OM_OK);
    if (om_manifest_write(m->city.folder, &manifest, &err))
        fail_msg("%s", err.text);
    om_manifest_deinit(&manifest);
}

static void send(struct written *w, int l, enum om_write_kind kind,
                 const uint32_t *slot, size_t n, const bool *given, bool moved)
{
    struct om_batch batch;
    if (!n) return;
    model_batch(&w->model->layer[l], slot, n, &batch);
    struct om_write write = {.layer = MODEL_NAME[l],
                             .kind = kind,
                             .batch = &batch,
                             .given = given,
                             .geometry_given = moved};
    if (om_live_write_wait(w->live, &write)) fail_msg("%s", write.err.text);
    assert_int_equal(write.taken, n);
    om_arena_deinit(&batch.arena);
}

/* One write of each kind, of slots that are all different. */
static void write_kinds(struct written *w, int l, size_t count)
{
    struct model *m = w->model;
    struct model_layer *layer = &m->layer[l];
    uint32_t slot[4][64];
    size_t n[4] = {0};
    bool given[MODEL_COLUMNS] = {false};
    const size_t column = 1 + model_random(m) % (layer->schema.count - 1);
    const bool moved = model_random(m) % 2;
    uint32_t seen[64];
    for (size_t i = 0; i < count;) {
        const uint32_t one = (uint32_t)(model_random(m) % layer->room);
        bool fresh = true;
        for (size_t k = 0; k < i && fresh; k++) fresh = seen[k] != one;
        if (!fresh) continue;
        seen[i++] = one;
        struct model_row *r = &layer->row[one];
        if (!r->alive) {
            model_make(m, l, one);
            slot[OM_WRITE_INSERT][n[OM_WRITE_INSERT]++] = one;
        } else if (model_random(m) % 6 == 0) {
            slot[OM_WRITE_DELETE][n[OM_WRITE_DELETE]++] = one;
        } else if (model_random(m) % 3 == 0) {
            model_make(m, l, one);
            slot[OM_WRITE_PUT][n[OM_WRITE_PUT]++] = one;
        } else {
            model_fill(m, l, column, r);
            if (moved) model_place(m, l, r);
            slot[OM_WRITE_PATCH][n[OM_WRITE_PATCH]++] = one;
        }
    }
    given[column] = true;
    for (int k = 0; k < 4; k++)
        send(w, l, (enum om_write_kind)k, slot[k], n[k], given, moved);
    for (size_t i = 0; i < n[OM_WRITE_DELETE]; i++) {
        layer->row[slot[OM_WRITE_DELETE][i]].alive = false;
        layer->alive--;
    }
}

static void no_fault(void *ctx, const struct om_layer_verify *found)
{
    (void)ctx;
    if (found->first_fault[0])
        fail_msg("%s: %s", found->layer, found->first_fault);
}

static void look(struct written *w, struct om_city *with)
{
    struct model_city scratch;
    struct om_snapshot *snapshot = om_city_snapshot(with);
    model_city_make(w->model, &scratch);
    const struct asked_city city[2] = {{snapshot, &w->caches},
                                       {&scratch.snapshot, &w->caches}};
    answers_same_city(w->model, city);
    assert_int_equal(om_snapshot_verify(snapshot, no_fault, NULL), OM_OK);
    model_city_drop(&scratch);
    om_snapshot_unref(snapshot);
}

static void writer_keeps_a_city_that_is_one_from_scratch(void **state)
{
    (void)state;
    static const size_t ROOMS[MODEL_LAYERS] = {3000, 500, 2000, 1500, 800};
    static const int LAYER[] = {MODEL_CASE,  MODEL_CASE, MODEL_HOUSE,
                                MODEL_VISIT, MODEL_LOT,  MODEL_ROAD};
    struct model m;
    // Files are written now and then, and runs merged all the time.
    struct written w = {.model = &m, .options = {.compact_rows = 900}};
    const size_t writes = writes_wanted() / 2;
    struct om_city *reader = NULL;
    model_begin(&m, 20230628);
    answers_begin(&w.caches);
    make_city(&m, ROOMS);
    open_city(&w);
    assert_int_equal(om_city_open(m.city.folder, &reader, NULL), OM_OK);
    size_t done = 0;
    for (size_t looks = 0; looks < CHECKS; looks++) {
        struct om_err err = {0};
        while (done < writes * (looks + 1) / CHECKS) {
            const size_t n =
                model_random(&m) % 3 ? 1 + model_random(&m) % 40 : 1;
            write_kinds(&w, LAYER[model_random(&m) % 6], n);
            done += n;
            if (model_random(&m) % 300 == 0 && om_live_compact(w.live, &err))
                fail_msg("%s", err.text);
        }
        look(&w, w.city);
        if (looks % 4 == 1) {
            close_city(&w);
            open_city(&w);
            look(&w, w.city);
        }
        if (looks % 4 == 3) {
            if (om_city_refresh(reader, NULL, &err)) fail_msg("%s", err.text);
            look(&w, reader);
        }
    }
    const struct om_live_stats stats = om_live_stats(w.live);
    print_message("%zu writes, %llu compactions\n", done,
                  (unsigned long long)stats.compactions);
    om_city_close(reader);
    close_city(&w);
    answers_end(&w.caches);
    om_query_forget();
    model_end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_dead_rows_are_a_city_from_scratch),
        cmocka_unit_test(writer_keeps_a_city_that_is_one_from_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
