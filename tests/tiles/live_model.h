// live_model.h - a city as a plain array of rows, the same city as parts that
// are written to, and every kind of question asked of both.
#ifndef OM_TESTS_TILES_LIVE_MODEL_H
#define OM_TESTS_TILES_LIVE_MODEL_H

#include <math.h>

#include "data/base/alloc.h"
#include "engine/coverage/audit.h"
#include "engine/coverage/patrol.h"
#include "engine/coverage/workload.h"
#include "engine/field/field.h"
#include "engine/live/run.h"
#include "engine/query/sorted.h"
#include "engine/reach/crowd.h"
#include "engine/risk/backtest.h"
#include "engine/risk/explain.h"
#include "engine/stat/hotspots.h"
#include "engine/stat/zones.h"
#include "tests/engine/city_sample.h"
#include "tests/rounds.h"
#include "tests/tiles/read_mvt.h"
#include "tiles/vector/vector.h"

#define MODEL_COLUMNS 6
#define MODEL_TEXT 24
#define MODEL_WEST 3.49e9
#define MODEL_NORTH 1.86e9
#define MODEL_SIDE 8  // units along a side
#define MODEL_STEP 3e5
#define MODEL_BEGIN_S INT64_C(1672502400)  // 2023-01-01T00:00+08:00
#define MODEL_DAYS 120

enum {
    MODEL_CASE,
    MODEL_HOUSE,
    MODEL_VISIT,
    MODEL_LOT,
    MODEL_ROAD,
    MODEL_LAYERS
};
static const char *const MODEL_NAME[] = {"case", "house", "visit", "lot",
                                         "road"};

/* A row of the array. */
struct model_row {
    bool alive;
    struct om_pos pos;
    uint32_t width, height;  // of lots
    bool valid[MODEL_COLUMNS];
    int64_t number[MODEL_COLUMNS];
    char text[MODEL_COLUMNS][MODEL_TEXT];
};

struct model_layer {
    struct om_schema schema;
    struct model_row *row;  // [room]; row i is called LETTER and i
    size_t room, alive;
    char letter;
};

struct model {
    uint64_t seed;
    struct city_sample city;  // the units; never written to
    struct mesh fine, coarse;
    struct om_joiner *joiner;
    struct model_layer layer[MODEL_LAYERS];
};

static inline uint64_t model_random(struct model *m)
{
    return mesh_random(&m->seed);
}

static inline void model_field(struct om_schema *s, const char *name,
                               enum om_type type)
{
    snprintf(s->field[s->count].name, OM_LIMIT_NAME_BYTES, "%s", name);
    if (type == OM_TYPE_TIME && s->time_field == OM_NO_FIELD)
        s->time_field = s->count;
    s->field[s->count++].type = type;
}

static inline bool model_is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static inline void model_schemas(struct model *m)
{
    for (int l = 0; l < MODEL_LAYERS; l++) {
        struct om_schema *s = &m->layer[l].schema;
        *s = (struct om_schema){.time_field = OM_NO_FIELD};
        s->geometry = l == MODEL_LOT    ? OM_GEOMETRY_POLYGON
                      : l == MODEL_ROAD ? OM_GEOMETRY_LINE
                                        : OM_GEOMETRY_POINT;
        model_field(s, "id", OM_TYPE_TEXT);
        m->layer[l].letter = "CHVLR"[l];
    }
    struct om_schema *s = &m->layer[MODEL_CASE].schema;
    model_field(s, "kind", OM_TYPE_CATEGORY);
    model_field(s, "weight", OM_TYPE_INTEGER);
    model_field(s, "share", OM_TYPE_REAL);
    model_field(s, "at", OM_TYPE_TIME);
    model_field(s, "note", OM_TYPE_TEXT);
    s = &m->layer[MODEL_HOUSE].schema;
    model_field(s, "level", OM_TYPE_CATEGORY);
    model_field(s, "since", OM_TYPE_TIME);
    s = &m->layer[MODEL_VISIT].schema;
    model_field(s, "layer", OM_TYPE_CATEGORY);
    model_field(s, "target", OM_TYPE_TEXT);
    model_field(s, "at", OM_TYPE_TIME);
    model_field(s, "ok", OM_TYPE_BOOLEAN);
    s = &m->layer[MODEL_LOT].schema;
    model_field(s, "use", OM_TYPE_CATEGORY);
    model_field(s, "floors", OM_TYPE_INTEGER);
    s = &m->layer[MODEL_ROAD].schema;
    model_field(s, "rank", OM_TYPE_CATEGORY);
}

static const char MODEL_DUTY[] =
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":\"level\","
    "\"since\":\"since\",\"tables\":[{\"from\":\"2022-01-01\",\"visits\":"
    "{\"low\":1,\"mid\":2,\"high\":4}}]}],\"visits\":{\"layer\":\"visit\","
    "\"target_layer\":\"layer\",\"target\":\"target\",\"at\":\"at\","
    "\"verified\":\"ok\"}}}";

static inline void model_begin(struct model *m, uint64_t seed)
{
    *m = (struct model){.seed = seed};
    const struct mesh_plan fine = {.cols = MODEL_SIDE,
                                   .rows = MODEL_SIDE,
                                   .bends = 3,
                                   .x = MODEL_WEST,
                                   .y = MODEL_NORTH,
                                   .step = MODEL_STEP,
                                   .seed = 3};
    const struct mesh_plan coarse = {.cols = 2,
                                     .rows = 2,
                                     .x = MODEL_WEST,
                                     .y = MODEL_NORTH,
                                     .step = MODEL_STEP * MODEL_SIDE / 2,
                                     .seed = 4};
    mesh_init(&m->fine, 20000);
    mesh_init(&m->coarse, 200);
    mesh_partition(&m->fine, &fine);
    mesh_partition(&m->coarse, &coarse);
    city_begin(&m->city);
    city_add_units(&m->city, "grid", &m->fine, "G");
    city_add_units(&m->city, "town", &m->coarse, "T");
    assert_int_equal(om_joiner_new(&m->city.snapshot, &m->joiner, NULL), OM_OK);
    assert_int_equal(om_json_parse(MODEL_DUTY, strlen(MODEL_DUTY),
                                   &m->city.manifest.document, NULL),
                     OM_OK);
    model_schemas(m);
}

static inline void model_end(struct model *m)
{
    om_joiner_unref(m->joiner);
    om_json_free(m->city.manifest.document);
    city_end(&m->city);
    mesh_deinit(&m->fine);
    mesh_deinit(&m->coarse);
    for (int l = 0; l < MODEL_LAYERS; l++) free(m->layer[l].row);
}

/* ---- made-up rows ---- */

/* In clusters and stacks; some beyond all units. */
static inline struct om_pos model_pos(struct model *m)
{
    const double side = MODEL_SIDE * MODEL_STEP;
    uint64_t where = model_random(m) % 40;
    const double x = mesh_between(&where, -0.02, 1.02) * side;
    const double y = mesh_between(&where, -0.02, 1.02) * side;
    const double spread = model_random(m) % 3 ? 3000 : 200000;
    if (model_random(m) % 4 == 0)
        return (struct om_pos){(uint32_t)(MODEL_WEST + x),
                               (uint32_t)(MODEL_NORTH + y)};
    return (struct om_pos){
        (uint32_t)(MODEL_WEST + x + mesh_between(&m->seed, -spread, spread)),
        (uint32_t)(MODEL_NORTH + y + mesh_between(&m->seed, -spread, spread))};
}

static inline void model_fill(struct model *m, int layer, size_t column,
                              struct model_row *r)
{
    static const char *const KIND[] = {"fire", "gas", "road", "煤气", ""};
    static const char *const LEVEL[] = {"low", "mid", "high", "odd"};
    static const char *const USE[] = {"home", "shop", "works"};
    static const char *const RANK[] = {"lane", "street", "way", "new"};
    const struct om_schema *s = &m->layer[layer].schema;
    const uint64_t n = model_random(m);
    char *text = r->text[column];
    r->valid[column] = n % 11 != 0;
    r->number[column] = 0;
    memset(text, 0, MODEL_TEXT);
    if (!r->valid[column]) return;
    switch (s->field[column].type) {
        case OM_TYPE_TIME:
            r->number[column] =
                MODEL_BEGIN_S + (int64_t)(n % (MODEL_DAYS * 86400));
            break;
        case OM_TYPE_BOOLEAN:
            r->number[column] = n % 5 != 0;
            break;
        case OM_TYPE_INTEGER:
            r->number[column] = (int64_t)(n % 9) + 1;
            break;
        case OM_TYPE_REAL:
            r->number[column] = (int64_t)(n % 1000);
            break;
        case OM_TYPE_CATEGORY:
            snprintf(text, MODEL_TEXT, "%s",
                     layer == MODEL_CASE    ? KIND[n / 16 % 5]
                     : layer == MODEL_HOUSE ? LEVEL[n / 16 % 4]
                     : layer == MODEL_LOT   ? USE[n / 16 % 3]
                     : layer == MODEL_ROAD  ? RANK[n / 16 % 97 ? n % 3 : 3]
                     : n % 9                ? "house"
                                            : "shop");
            break;
        case OM_TYPE_TEXT:
            if (layer == MODEL_VISIT)
                snprintf(text, MODEL_TEXT, "H%06zu",
                         (size_t)(n / 16 % (m->layer[MODEL_HOUSE].room + 20)));
            else
                snprintf(text, MODEL_TEXT, "note %llx",
                         (unsigned long long)(n / 16 % 100000));
            break;
    }
}

/* Side of parcels: lots that lie on a grid, so that neighbours share borders.
 */
#define MODEL_PARCEL 8192

static inline void model_place(struct model *m, int layer, struct model_row *r)
{
    r->pos = model_pos(m);
    r->width = 40 + (uint32_t)(model_random(m) % 4000);
    r->height = 40 + (uint32_t)(model_random(m) % 4000);
    const uint64_t kind = model_random(m) % 3;
    if (layer == MODEL_LOT && kind == 0) {
        r->pos.x -= r->pos.x % MODEL_PARCEL;
        r->pos.y -= r->pos.y % MODEL_PARCEL;
        r->width = r->height = MODEL_PARCEL;
    } else if (layer == MODEL_LOT && kind == 1) {  // some are large
        const uint32_t times = 1u << model_random(m) % 9;
        r->width *= times;
        r->height *= times;
    } else if (layer == MODEL_ROAD && kind == 0) {  // from a crossing
        r->pos.x -= r->pos.x % 100000;
        r->pos.y -= r->pos.y % 100000;
    }
}

static inline void model_make(struct model *m, int layer, size_t slot)
{
    struct model_layer *l = &m->layer[layer];
    struct model_row *r = &l->row[slot];
    l->alive += !r->alive;
    *r = (struct model_row){.alive = true};
    model_place(m, layer, r);
    snprintf(r->text[0], MODEL_TEXT, "%c%06zu", l->letter, slot);
    r->valid[0] = true;
    for (size_t c = 1; c < l->schema.count; c++) model_fill(m, layer, c, r);
}

/* ---- rows as batches ---- */

static inline void model_texts(const struct model_layer *l, size_t column,
                               const uint32_t *slot, size_t n,
                               struct om_arena *arena,
                               struct om_batch_column *out)
{
    uint32_t *offset = om_arena_calloc(arena, n + 1, sizeof *offset);
    char *bytes = om_arena_calloc(arena, n + 1, MODEL_TEXT);
    for (size_t i = 0; i < n; i++) {
        const struct model_row *r = &l->row[slot[i]];
        const size_t len = r->valid[column] ? strlen(r->text[column]) : 0;
        memcpy(bytes + offset[i], r->text[column], len);
        offset[i + 1] = offset[i] + (uint32_t)len;
    }
    out->offset = offset;
    out->bytes = bytes;
}

/* A border of a parcel bends in its middle, the same way for both sides. */
static inline double model_bend(uint32_t x, uint32_t y)
{
    const uint32_t at = (x / 4096 * 31 + y / 4096) * 2654435761u;
    return ((double)(at >> 24) / 255 - 0.5) * 0.3;
}

static inline void model_parcel(const struct model_row *r, size_t k, double *x,
                                double *y)
{
    static const double X[] = {0, 0, 0, 0.5, 1, 1, 1, 0.5};
    static const double Y[] = {0, 0.5, 1, 1, 1, 0.5, 0, 0};
    *x = (double)r->pos.x + X[k] * MODEL_PARCEL;
    *y = (double)r->pos.y + Y[k] * MODEL_PARCEL;
    const double bend =
        floor(MODEL_PARCEL * model_bend((uint32_t)*x, (uint32_t)*y));
    if (k % 4 == 1) *x += bend;
    if (k % 4 == 3) *y += bend;
}

/* A lot is a rectangle with corners cut in, a road a zigzag: some of their
 * vertices go as one looks from further away. */
#define MODEL_VERTICES 8
static inline void model_vertex(const struct model_row *r, bool line, size_t k,
                                double *x, double *y)
{
    static const double X[] = {0, 0, 0.03, 0.5, 1, 1, 0.97, 0.5};
    static const double Y[] = {0, 0.98, 1, 0.99, 1, 0.02, 0, 0.01};
    if (!line && r->width == MODEL_PARCEL && r->height == MODEL_PARCEL) {
        model_parcel(r, k, x, y);
        return;
    }
    const double along = (double)k / (MODEL_VERTICES - 1);
    const double aside = (double)((k * 7 + r->width) % 5) / 25;
    *x = (double)r->pos.x + r->width * (line ? along : X[k]) * (line ? 30 : 1);
    *y = (double)r->pos.y + r->height * (line ? 10 * (along + aside) : Y[k]);
}

static inline void model_shapes(const struct model_layer *l,
                                const uint32_t *slot, size_t n,
                                struct om_batch *out)
{
    const bool line = l->schema.geometry == OM_GEOMETRY_LINE;
    struct om_arena *a = &out->arena;
    uint32_t *end = om_arena_calloc(a, n + 1, sizeof *end);
    uint32_t *vertex = om_arena_calloc(a, n + 1, sizeof *vertex);
    double *x = om_arena_calloc(a, MODEL_VERTICES * n + 1, sizeof *x);
    double *y = om_arena_calloc(a, MODEL_VERTICES * n + 1, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < MODEL_VERTICES; k++)
            model_vertex(&l->row[slot[i]], line, k, &x[MODEL_VERTICES * i + k],
                         &y[MODEL_VERTICES * i + k]);
        end[i + 1] = (uint32_t)i + 1;
        vertex[i + 1] = MODEL_VERTICES * ((uint32_t)i + 1);
    }
    out->shapes = (struct om_shapes){n, end, end, vertex, x, y};
}

/* owns: om_arena_deinit of its arena */
static inline void model_batch(const struct model_layer *l,
                               const uint32_t *slot, size_t n,
                               struct om_batch *out)
{
    *out = (struct om_batch){.rows = n};
    struct om_arena *a = &out->arena;
    struct om_batch_column *column =
        om_arena_calloc(a, l->schema.count, sizeof *column);
    uint64_t *source = om_arena_calloc(a, n + 1, sizeof *source);
    struct om_pos *pos = om_arena_calloc(a, n + 1, sizeof *pos);
    for (size_t i = 0; i < n; i++) {
        source[i] = i + 1;
        pos[i] = l->row[slot[i]].pos;
    }
    for (size_t c = 0; c < l->schema.count; c++) {
        uint64_t *valid = om_arena_calloc(a, n / 64 + 1, sizeof *valid);
        int64_t *integer = om_arena_calloc(a, n + 1, sizeof *integer);
        double *real = om_arena_calloc(a, n + 1, sizeof *real);
        for (size_t i = 0; i < n; i++) {
            const struct model_row *r = &l->row[slot[i]];
            if (r->valid[c]) om_bit_set(valid, i);
            integer[i] = r->number[c];
            real[i] = (double)r->number[c] / 7;
        }
        column[c] = (struct om_batch_column){
            .valid = valid, .integer = integer, .real = real};
        if (model_is_text(l->schema.field[c].type))
            model_texts(l, c, slot, n, a, &column[c]);
    }
    column[0].valid = NULL;
    out->source_row = source;
    out->column = column;
    if (l->schema.geometry == OM_GEOMETRY_POINT)
        out->pos = pos;
    else
        model_shapes(l, slot, n, out);
}

/* Room for so many rows of a layer, half of which are there from the start.
 * owns: om_segment_unref of these */
static inline struct om_segment *model_rows(struct model *m, int l, size_t room)
{
    struct model_layer *layer = &m->layer[l];
    layer->room = room;
    layer->row = calloc(room, sizeof *layer->row);
    uint32_t *slot = calloc(room, sizeof *slot);
    size_t n = 0;
    for (uint32_t i = 0; i < room; i += 2) {
        model_make(m, l, i);
        slot[n++] = i;
    }
    struct om_batch batch;
    const struct om_batch *list = &batch;
    struct om_segment *run;
    model_batch(layer, slot, n, &batch);
    assert_int_equal(
        om_run_new(&layer->schema, &list, 1, m->joiner, &run, NULL), OM_OK);
    om_arena_deinit(&batch.arena);
    free(slot);
    return run;
}

/* A city built from scratch from what is alive. owns: model_city_drop */
struct model_city {
    struct om_snapshot snapshot;
    struct om_layer layer[MODEL_LAYERS + 2];
    struct om_part part[MODEL_LAYERS];
    struct om_manifest_layer meta[MODEL_LAYERS];
};

static inline void model_layer_init(const struct model *m, int l,
                                    struct om_layer *layer,
                                    struct om_manifest_layer *meta)
{
    *layer = (struct om_layer){.unit_columns = 2, .meta = meta};
    snprintf(layer->name, sizeof layer->name, "%s", MODEL_NAME[l]);
    snprintf(meta->name, sizeof meta->name, "%s", MODEL_NAME[l]);
    meta->schema = layer->schema = m->layer[l].schema;
    for (size_t k = 0; k < 2; k++) {
        struct om_field *f = &layer->schema.field[layer->schema.count++];
        memcpy(f->name, m->city.level[k], sizeof f->name);
        f->type = OM_TYPE_CATEGORY;
    }
}

static inline void model_city_make(const struct model *m,
                                   struct model_city *out)
{
    static uint64_t serial = 1u << 20;
    *out = (struct model_city){0};
    out->snapshot = m->city.snapshot;
    memcpy(out->layer, m->city.layer, 2 * sizeof *out->layer);
    for (int l = 0; l < MODEL_LAYERS; l++) {
        const struct model_layer *from = &m->layer[l];
        struct om_layer *layer = &out->layer[l + 2];
        uint32_t *slot = calloc(from->room + 1, sizeof *slot);
        size_t n = 0;
        for (size_t i = 0; i < from->room; i++)
            if (from->row[i].alive) slot[n++] = (uint32_t)i;
        assert_int_equal(n, from->alive);
        struct om_batch batch;
        const struct om_batch *list = &batch;
        model_batch(from, slot, n, &batch);
        assert_int_equal(om_run_new(&from->schema, &list, 1, m->joiner,
                                    &out->part[l].segment, NULL),
                         OM_OK);
        om_arena_deinit(&batch.arena);
        free(slot);
        model_layer_init(m, l, layer, &out->meta[l]);
        layer->parts = 1;
        layer->part = &out->part[l];
        layer->rows = n;
        layer->serial = ++serial;
    }
    out->snapshot.layer = out->layer;
    out->snapshot.layers = MODEL_LAYERS + 2;
}

static inline void model_city_drop(struct model_city *city)
{
    for (int l = 0; l < MODEL_LAYERS; l++)
        om_segment_unref(city->part[l].segment);
}

/* How many writes a test makes. */
#define MODEL_WRITES 20000
static inline size_t model_writes_wanted(void)
{
    const char *text = getenv("OM_MODEL_WRITES");
    if (text) return (size_t)strtoul(text, NULL, 10);
    return test_long() ? 1000000 : test_rounds(MODEL_WRITES);
}

/* How often all answers are looked at meanwhile. What is slow of it under
 * ThreadSanitizer is one thread's: few looks have the same races. */
#define MODEL_LOOKS 12
#define MODEL_LOOKS_FEW 4  // among so many is each way of looking
static inline size_t model_looks_wanted(void)
{
    return test_rounds(MODEL_LOOKS) < MODEL_LOOKS ? MODEL_LOOKS_FEW
                                                  : MODEL_LOOKS;
}

#endif
