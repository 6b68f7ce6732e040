/* A city that is written to against one built from scratch.
 *
 * Plan
 *   runs_*     random writes as runs and dead rows, merged now and then: every
 *              kind of answer is that of a city built from the array of rows
 *
 * OM_MODEL_WRITES says how many writes; where it is test_long(), a million.
 */
#include "tests/tiles/live_answers.h"

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
        struct stack *s = &c->stack[l];
        model_layer_init(m, l, &s->layer, &s->meta);
        s->layer.part = s->part;
        push(s, model_rows(m, l, rooms[l]));
        merge(c, l, 0, true);
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
    const size_t writes = model_writes_wanted();
    model_begin(&m, 20230627);
    answers_begin(&caches);
    begin(&c, &m, ROOMS);
    const size_t wanted = model_looks_wanted();
    size_t done = 0, looks = 0;
    while (looks < wanted) {
        while (done < writes * (looks + 1) / wanted) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_dead_rows_are_a_city_from_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
