/* A city in files that is written to against one built from scratch.
 *
 * Plan
 *   writer_*   random writes through the writer, with compactions beside it,
 *              closed and opened again, seen by another process' eyes: every
 *              kind of answer is that of a city built from the array of rows
 *
 * OM_MODEL_WRITES says how many writes; where it is test_long(), a million.
 */
#include "data/base/file.h"
#include "engine/live/live.h"
#include "engine/verify.h"
#include "tests/tiles/live_answers.h"

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
        struct om_segment *run = model_rows(m, l, rooms[l]), *out;
        const struct om_part part = {.segment = run};
        snprintf(file, sizeof file, "%s-1.seg", MODEL_NAME[l]);
        snprintf(units_file, sizeof units_file, "%s-1-0.units", MODEL_NAME[l]);
        snprintf(path, sizeof path, "%s/%s", m->city.folder, file);
        snprintf(units, sizeof units, "%s/%s", m->city.folder, units_file);
        assert_int_equal(om_run_merge(&layer->schema, &part, 1, m->joiner, path,
                                      units, &out, NULL),
                         OM_OK);
        add_layer(&manifest, MODEL_NAME[l], file, units_file,
                  om_segment_rows(run), &layer->schema);
        om_segment_unref(run);
        om_segment_unref(out);
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
    const size_t writes = model_writes_wanted() / 2;
    struct om_city *reader = NULL;
    model_begin(&m, 20230628);
    answers_begin(&w.caches);
    make_city(&m, ROOMS);
    open_city(&w);
    assert_int_equal(om_city_open(m.city.folder, &reader, NULL), OM_OK);
    const size_t wanted = model_looks_wanted();
    size_t done = 0;
    for (size_t looks = 0; looks < wanted; looks++) {
        struct om_err err = {0};
        while (done < writes * (looks + 1) / wanted) {
            const size_t n =
                model_random(&m) % 3 ? 1 + model_random(&m) % 40 : 1;
            write_kinds(&w, LAYER[model_random(&m) % 6], n);
            done += n;
            if (model_random(&m) % 300 == 0 && om_live_compact(w.live, &err))
                fail_msg("%s", err.text);
        }
        look(&w, w.city);
        if (looks % MODEL_LOOKS_FEW == 1) {
            close_city(&w);
            open_city(&w);
            look(&w, w.city);
        }
        if (looks % MODEL_LOOKS_FEW == 3) {
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
        cmocka_unit_test(writer_keeps_a_city_that_is_one_from_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
