/* publish_statistics.c - regions and figures as layers of the release.
 *
 * DESIGN
 * Regions are a level of units of the release, outlines of their own; figures
 * are a layer of points, one for each region, topic and period, that lie in
 * their region. So counts by unit, choropleths, tiles and exports are those
 * that every city has, and there is no other way to the figures. The points are
 * joined with their regions only: a region is no grid and no village, though
 * its point lies in one.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/model/time.h"
#include "engine/layer/build.h"
#include "engine/shape/dissolve.h"
#include "engine/units.h"
#include "web/publish_topics.h"

#define LEVELS_MOST 16

/* A level above the cells of a family, and in which of its units each is. */
struct upper {
    struct om_units units;
    uint32_t *parent;  // [cells]
};

struct writing {
    struct om__release *release;
    const struct om__topics *topics;
    struct om__family *family;
    struct om_units cells;
    struct upper upper[LEVELS_MOST];
    size_t levels;
    uint32_t *first, *members;  // [regions] its first cell, how many it has
    uint32_t *largest;          // [regions] the largest of its cells
    char region[OM_LIMIT_NAME_BYTES], statistic[OM_LIMIT_NAME_BYTES];
    struct om_arena arena;
};

/* ---- columns of text ---- */

struct texts {
    struct om_buf bytes;
    uint32_t *offset;
    size_t rows;
};

static om_status texts_begin(struct texts *t, size_t rows,
                             struct om_arena *arena)
{
    t->offset = om_arena_calloc(arena, rows + 1, sizeof *t->offset);
    return t->offset ? OM_OK : OM_E_MEMORY;
}

static void texts_add(struct texts *t, const char *text)
{
    om_buf_add_text(&t->bytes, text);
    t->offset[++t->rows] = (uint32_t)t->bytes.len;
}

static struct om_batch_column texts_column(const struct texts *t)
{
    return (struct om_batch_column){
        .offset = t->offset,
        .bytes = t->bytes.bytes ? (const char *)t->bytes.bytes : ""};
}

/* ---- what regions are called ---- */

static const char *called(const struct om_unit *unit)
{
    return unit->name[0] ? unit->name : unit->id;
}

/* The finest unit that holds all cells of a region, and how many it holds;
 * NULL: none does. */
static const struct om_unit *holder_of(const struct writing *w, uint32_t region,
                                       size_t *cells_of_it)
{
    for (size_t l = 0; l < w->levels; l++) {
        const struct upper *u = &w->upper[l];
        const uint32_t unit = u->parent[w->first[region]];
        bool same = unit != OM_NO_UNIT;
        *cells_of_it = 0;
        for (size_t i = 0; i < w->cells.count; i++) {
            if (u->parent[i] == unit) ++*cells_of_it;
            if (w->family->region[i] == region && u->parent[i] != unit)
                same = false;
        }
        if (same) return &u->units.unit[unit];
    }
    return NULL;
}

/* A unit's own name; the unit's that holds it and how much of it it is; or its
 * first cell and how many more. */
static om_status add_name(const struct writing *w, uint32_t region,
                          struct om_buf *out)
{
    size_t all = 0;
    const struct om_unit *first = &w->cells.unit[w->first[region]];
    const struct om_unit *holder = holder_of(w, region, &all);
    const uint32_t n = w->members[region];
    if (n == 1) return om_buf_add_text(out, called(first));
    if (holder && all == n) return om_buf_add_text(out, called(holder));
    if (holder) return om_buf_addf(out, "%s (%u/%zu)", called(holder), n, all);
    return om_buf_addf(out, "%s +%u", called(first), n - 1);
}

/* Of the first of its cells, which stays as long as the region does. */
static void region_id(const struct writing *w, uint32_t region,
                      char out[OM_LIMIT_NAME_BYTES * 2])
{
    const char *id = w->cells.unit[w->first[region]].id;
    if (w->members[region] == 1)
        snprintf(out, OM_LIMIT_NAME_BYTES * 2, "%.100s", id);
    else
        snprintf(out, OM_LIMIT_NAME_BYTES * 2, "%.100s+%u", id,
                 w->members[region] - 1);
}

/* ---- reading ---- */

static om_status read_uppers(struct writing *w, struct om_err *err)
{
    const struct om_snapshot *s = w->release->plan->snapshot;
    size_t at = 0;
    while (at < s->manifest->levels &&
           strcmp(s->manifest->level[at], w->family->unit) != 0)
        at++;
    for (size_t l = at + 1; l < s->manifest->levels && w->levels < LEVELS_MOST;
         l++) {
        struct upper *u = &w->upper[w->levels];
        if (!om_snapshot_units(s, s->manifest->level[l])) continue;
        w->levels++;
        OM_TRY(om_units_read(s, s->manifest->level[l], &u->units, err));
        u->parent =
            om_arena_calloc(&w->arena, w->cells.count, sizeof *u->parent);
        if (!u->parent) return OM_E_MEMORY;
        OM_TRY(om_units_parents(&w->cells, &u->units, u->parent));
    }
    return OM_OK;
}

static om_status read_regions(struct writing *w)
{
    const struct om__family *f = w->family;
    w->first = om_arena_calloc(&w->arena, f->regions, sizeof *w->first);
    w->members = om_arena_calloc(&w->arena, f->regions, sizeof *w->members);
    w->largest = om_arena_calloc(&w->arena, f->regions, sizeof *w->largest);
    if (!w->first || !w->members || !w->largest) return OM_E_MEMORY;
    for (uint32_t i = 0; i < f->cells; i++) {
        const uint32_t r = f->region[i];
        if (!w->members[r]++) w->first[r] = w->largest[r] = i;
        if (w->cells.unit[i].area_km2 > w->cells.unit[w->largest[r]].area_km2)
            w->largest[r] = i;
    }
    return OM_OK;
}

/* ---- layers ---- */

static void add_field(struct om_schema *s, const char *name, enum om_type type)
{
    struct om_field *field = &s->field[s->count++];
    snprintf(field->name, sizeof field->name, "%s", name);
    field->type = type;
}

/* Build a layer of one batch, and note it. */
static om_status build(struct writing *w, const char *name,
                       const struct om_schema *schema, struct om_batch *batch,
                       bool units, struct om_manifest_layer **layer,
                       struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES], file[OM_LIMIT_NAME_BYTES * 3];
    struct om_builder *builder = NULL;
    struct om_json *one = om_json_object();
    if (om_json_add_take(om_json_get(w->release->manifest.document, "layers"),
                         one) ||
        om_json_set_take(one, "name", om_json_of_text(name)) ||
        om_json_set_take(one, "class", om_json_of_text("public")))
        return OM_E_MEMORY;
    OM_TRY(om__publish_file(w->release, name, path, file, err));
    om_status st = om_builder_new(schema, &builder);
    if (!st) om_builder_set_shared(builder, units);
    if (!st) st = om_builder_add(builder, batch);
    if (!st) st = om_builder_write(builder, path, NULL, err);
    // A region without outline, or a figure without region, would be a lie.
    if (!st && om_builder_rows(builder) != batch->rows)
        st = om_fail(err, OM_E_GEOMETRY, 0, "%s: not all rows can be written",
                     name);
    om_builder_free(builder);
    if (st) return st;
    return om__publish_note(w->release, name, schema, batch->rows, layer, err);
}

static void title(const struct writing *w, struct om_manifest_layer *layer,
                  const char *zh, const char *en)
{
    const struct om_manifest_layer *meta = w->family->layer->meta;
    snprintf(layer->title, sizeof layer->title, "%.80s%s",
             meta->title[0] ? meta->title : w->family->layer->name, zh);
    snprintf(layer->title_en, sizeof layer->title_en, "%.80s%s",
             meta->title_en[0] ? meta->title_en : w->family->layer->name, en);
    memcpy(layer->department, meta->department, sizeof layer->department);
    for (size_t p = 0; p < w->family->periods; p++)
        if (w->family->period[p].to_s > layer->as_of_s)
            layer->as_of_s = w->family->period[p].to_s;
}

static om_status number_rows(struct om_batch *batch, struct om_arena *arena)
{
    uint64_t *source = om_arena_calloc(arena, batch->rows, sizeof *source);
    if (!source) return OM_E_MEMORY;
    for (size_t i = 0; i < batch->rows; i++) source[i] = i + 1;
    batch->source_row = source;
    return OM_OK;
}

static om_status write_regions(struct writing *w, struct om_err *err)
{
    const size_t n = w->family->regions;
    struct om_schema *schema = om_arena_calloc(&w->arena, 1, sizeof *schema);
    int64_t *units = om_arena_calloc(&w->arena, n, sizeof *units);
    uint32_t *group =
        om_arena_calloc(&w->arena, w->cells.rings.count, sizeof *group);
    struct texts id = {0}, name = {0};
    struct om_batch batch = {.rows = n};
    struct om_manifest_layer *layer;
    if (!schema || !units || !group) return OM_E_MEMORY;
    schema->geometry = OM_GEOMETRY_POLYGON;
    schema->time_field = OM_NO_FIELD;
    add_field(schema, "id", OM_TYPE_TEXT);
    add_field(schema, "name", OM_TYPE_TEXT);
    add_field(schema, "units", OM_TYPE_INTEGER);
    for (size_t i = 0; i < w->cells.rings.count; i++) group[i] = OM_NO_UNIT;
    for (size_t i = 0; i < w->cells.count; i++)
        group[w->cells.unit[i].row] = w->family->region[i];
    om_status st =
        om_rings_dissolve(&w->cells.rings, group, n, &w->arena, &batch.shapes);
    if (!st) st = texts_begin(&id, n, &w->arena);
    if (!st) st = texts_begin(&name, n, &w->arena);
    for (uint32_t i = 0; i < n && !st; i++) {
        char text[OM_LIMIT_NAME_BYTES * 2];
        region_id(w, i, text);
        texts_add(&id, text);
        st = add_name(w, i, &name.bytes);
        name.offset[++name.rows] = (uint32_t)name.bytes.len;
        units[i] = w->members[i];
    }
    if (!st) st = id.bytes.status;
    const struct om_batch_column column[] = {
        texts_column(&id), texts_column(&name), {.integer = units}};
    batch.column = column;
    if (!st) st = number_rows(&batch, &w->arena);
    if (!st) st = build(w, w->region, schema, &batch, true, &layer, err);
    om_buf_deinit(&id.bytes);
    om_buf_deinit(&name.bytes);
    if (st) return st;
    title(w, layer, "公布区域", ": published regions");
    snprintf(layer->unit_level, sizeof layer->unit_level, "%s", w->region);
    // Nobody lives in one: the map is of towns and villages.
    snprintf(layer->base, sizeof layer->base, "none");
    return om_manifest_add_level(&w->release->manifest, w->region);
}

/* ---- figures ---- */

struct figures {
    struct texts id, topic, period;
    int64_t *begins, *ends, *value;
    struct om_pos *pos;
    size_t rows;
};

static bool is_told(const struct om__family *f, size_t topic, size_t period)
{
    const struct om__topic *t = &f->topic[topic];
    return !t->earlier && !t->held_back && t->period[period];
}

static size_t count_figures(const struct om__family *f)
{
    size_t n = 0;
    for (size_t t = 0; t < f->topics; t++)
        for (size_t p = 0; p < f->periods; p++)
            if (is_told(f, t, p)) n += f->regions;
    return n;
}

static void add_figures(struct writing *w, size_t topic, size_t period,
                        struct figures *out)
{
    const struct om__family *f = w->family;
    const uint64_t *value =
        f->value + (topic * f->periods + period) * f->regions;
    for (uint32_t i = 0; i < f->regions; i++) {
        char region[OM_LIMIT_NAME_BYTES * 2], id[OM_LIMIT_NAME_BYTES * 5];
        region_id(w, i, region);
        snprintf(id, sizeof id, "%s/%s/%s", f->topic[topic].name,
                 f->period[period].text, region);
        texts_add(&out->id, id);
        texts_add(&out->topic, f->topic[topic].name);
        texts_add(&out->period, f->period[period].text);
        out->begins[out->rows] = f->period[period].from_s;
        out->ends[out->rows] = f->period[period].to_s;
        out->value[out->rows] = (int64_t)value[i];
        out->pos[out->rows++] = w->cells.unit[w->largest[i]].inside;
    }
}

static om_status begin_figures(struct writing *w, size_t rows,
                               struct figures *out)
{
    struct om_arena *a = &w->arena;
    OM_TRY(texts_begin(&out->id, rows, a));
    OM_TRY(texts_begin(&out->topic, rows, a));
    OM_TRY(texts_begin(&out->period, rows, a));
    out->begins = om_arena_calloc(a, rows, sizeof *out->begins);
    out->ends = om_arena_calloc(a, rows, sizeof *out->ends);
    out->value = om_arena_calloc(a, rows, sizeof *out->value);
    out->pos = om_arena_calloc(a, rows, sizeof *out->pos);
    return out->begins && out->ends && out->value && out->pos ? OM_OK
                                                              : OM_E_MEMORY;
}

static om_status write_figures(struct writing *w, struct om_err *err)
{
    struct om_schema *schema = om_arena_calloc(&w->arena, 1, sizeof *schema);
    struct om_manifest_layer *layer;
    struct figures f = {0};
    if (!schema) return OM_E_MEMORY;
    schema->geometry = OM_GEOMETRY_POINT;
    add_field(schema, "id", OM_TYPE_TEXT);
    add_field(schema, "topic", OM_TYPE_CATEGORY);
    add_field(schema, "period", OM_TYPE_CATEGORY);
    schema->time_field = schema->count;
    add_field(schema, "begins", OM_TYPE_TIME);
    add_field(schema, "ends", OM_TYPE_TIME);
    add_field(schema, "value", OM_TYPE_INTEGER);
    om_status st = begin_figures(w, count_figures(w->family), &f);
    for (size_t t = 0; t < w->family->topics && !st; t++)
        for (size_t p = 0; p < w->family->periods; p++)
            if (is_told(w->family, t, p)) add_figures(w, t, p, &f);
    if (!st) st = f.id.bytes.status;
    if (!st) st = f.topic.bytes.status;
    if (!st) st = f.period.bytes.status;
    const struct om_batch_column column[] = {
        texts_column(&f.id),   texts_column(&f.topic), texts_column(&f.period),
        {.integer = f.begins}, {.integer = f.ends},    {.integer = f.value}};
    struct om_batch batch = {.rows = f.rows, .pos = f.pos, .column = column};
    if (!st) st = number_rows(&batch, &w->arena);
    if (!st) st = build(w, w->statistic, schema, &batch, false, &layer, err);
    om_buf_deinit(&f.id.bytes);
    om_buf_deinit(&f.topic.bytes);
    om_buf_deinit(&f.period.bytes);
    if (!st) title(w, layer, "公布统计", ": published figures");
    return st;
}

/* ---- what is said of them ---- */

static om_status add_periods(const struct om__family *f, size_t topic,
                             struct om_json *one)
{
    struct om_json *list = om_json_list();
    OM_TRY(om_json_set_take(one, "periods", list));
    for (size_t p = 0; p < f->periods; p++)
        if (f->topic[topic].period[p])
            OM_TRY(om_json_add_take(list, om_json_of_text(f->period[p].text)));
    return OM_OK;
}

/* How pages find the figures, and the next release what was told. */
static om_status say_topic(const struct writing *w, size_t topic,
                           struct om_json *list)
{
    const struct om__topic *t = &w->family->topic[topic];
    struct om_json *one = om_json_object();
    const struct {
        const char *key, *text;
    } SAID[] = {{"topic", t->name},
                {"title", t->title},
                {"title_en", t->title_en},
                {"layer", w->statistic},
                {"regions", w->region},
                {"column", "value"},
                {"of", w->family->layer->name},
                {"unit", w->family->unit},
                {"filter", t->filter_text},
                {"approved_by", t->approved_by},
                {"approved_on", t->approved_on}};
    OM_TRY(om_json_add_take(list, one));
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        OM_TRY(
            om_json_set_take(one, SAID[i].key, om_json_of_text(SAID[i].text)));
    return add_periods(w->family, topic, one);
}

/* Periods of a topic that is told of others. */
static om_status report_late(const struct om__family *f,
                             const struct om__topic *t, struct om_json *one,
                             struct om_buf *words)
{
    struct om_json *list = om_json_object();
    OM_TRY(om_json_set_take(one, "held_back_periods", list));
    for (size_t p = 0; p < f->periods; p++) {
        if (!t->late[p]) continue;
        om_buf_addf(words, "%s for %s: held back: %s\n", t->name,
                    f->period[p].text, t->late[p]);
        OM_TRY(om_json_set_take(list, f->period[p].text,
                                om_json_of_text(t->late[p])));
    }
    return words->status;
}

static om_status report_topic(const struct writing *w, size_t topic,
                              struct om_json *list)
{
    const struct om__topic *t = &w->family->topic[topic];
    const struct om__family *f = w->family;
    struct om_buf *words = &w->release->words;
    struct om_json *one = om_json_object();
    OM_TRY(om_json_add_take(list, one));
    OM_TRY(om_json_set_take(one, "topic", om_json_of_text(t->name)));
    OM_TRY(om_json_set_take(one, "title", om_json_of_text(t->title)));
    OM_TRY(
        om_json_set_take(one, "approved_by", om_json_of_text(t->approved_by)));
    OM_TRY(
        om_json_set_take(one, "approved_on", om_json_of_text(t->approved_on)));
    OM_TRY(add_periods(f, topic, one));
    om_buf_addf(words, "%s (%s), approved by %s on %s: ", t->name, t->title,
                t->approved_by, t->approved_on);
    if (t->held_back) {
        om_buf_addf(words, "held back: %s\n", t->held_back);
        return om_json_set_take(one, "held_back",
                                om_json_of_text(t->held_back));
    }
    om_buf_addf(words, "told of %zu regions for", f->regions);
    for (size_t p = 0, n = 0; p < f->periods; p++)
        if (t->period[p])
            om_buf_addf(words, "%s %s", n++ ? "," : "", f->period[p].text);
    om_buf_add_text(words, "\n");
    OM_TRY(report_late(f, t, one, words));
    OM_TRY(om_json_set_take(one, "layer", om_json_of_text(w->statistic)));
    OM_TRY(om_json_set_take(one, "region_level", om_json_of_text(w->region)));
    return om_json_set_take(one, "regions",
                            om_json_of_integer((int64_t)f->regions));
}

static om_status say_merging(const struct writing *w)
{
    const struct om__family *f = w->family;
    const struct om__limits *l = &w->topics->said;
    size_t whole = 0;
    for (size_t i = 0; i < f->regions; i++) whole += w->members[i] == 1;
    return om_buf_addf(
        &w->release->words,
        "%s: %zu of %zu units of level %s stand alone, the others were merged "
        "into %zu regions, because every region, when a period was told first, "
        "had at least %llu addresses (rows of %s) and, of every topic and of "
        "what topics differ by, at least %llu or none in the whole city; "
        "figures are rounded to %llu, and stay as they were told first\n",
        w->statistic, whole, f->cells, f->unit, f->regions - whole,
        (unsigned long long)l->addresses, w->topics->addresses->name,
        (unsigned long long)l->incidents, (unsigned long long)l->round);
}

/* ---- a family ---- */

static om_status write_family(struct writing *w, struct om_err *err)
{
    const struct om_snapshot *s = w->release->plan->snapshot;
    OM_TRY(om__family_names(w->family, w->region, w->statistic, err));
    if (om_snapshot_layer(s, w->region) || om_snapshot_layer(s, w->statistic))
        return om_fail(err, OM_E_EXISTS, 0,
                       "the city has a layer %s or %s of its own, which is "
                       "what figures of %s are called",
                       w->region, w->statistic, w->family->layer->name);
    OM_TRY(om_units_read(s, w->family->unit, &w->cells, err));
    OM_TRY(read_uppers(w, err));
    OM_TRY(read_regions(w));
    OM_TRY(write_regions(w, err));
    if (!count_figures(w->family)) return OM_OK;  // kept for the next release
    OM_TRY(write_figures(w, err));
    return say_merging(w);
}

/* Topics of an earlier release are known for good: the next one minds them. */
static om_status say_family(struct writing *w, struct om_json *said,
                            struct om_json *earlier, struct om_json *reported)
{
    for (size_t t = 0; t < w->family->topics; t++) {
        const struct om__topic *topic = &w->family->topic[t];
        if (!topic->held_back)
            OM_TRY(say_topic(w, t, topic->earlier ? earlier : said));
        if (!topic->earlier) OM_TRY(report_topic(w, t, reported));
    }
    return OM_OK;
}

static om_status say_limits(const struct om__topics *topics,
                            struct om_json *about)
{
    struct om_json *limits = om_json_object();
    const struct om__limits *l = &topics->said;
    OM_TRY(om_json_set_take(about, "limits", limits));
    OM_TRY(om_json_set_take(limits, "addresses",
                            om_json_of_integer((int64_t)l->addresses)));
    OM_TRY(om_json_set_take(limits, "incidents",
                            om_json_of_integer((int64_t)l->incidents)));
    return om_json_set_take(limits, "round",
                            om_json_of_integer((int64_t)l->round));
}

om_status om__statistics_write(struct om__release *release,
                               const struct om__topics *topics,
                               struct om_err *err)
{
    struct om_json *about = om_json_get(release->manifest.document, "release");
    struct om_json *said = om_json_list(), *reported = om_json_list();
    struct om_json *known = om_json_list();
    om_status st = om_json_set_take(about, "statistics", said);
    if (om_json_set_take(about, "earlier", known) ||
        om_json_set_take(release->report, "statistics", reported) || st)
        return OM_E_MEMORY;
    if (topics->families) OM_TRY(say_limits(topics, about));
    for (size_t f = 0; f < topics->families && !st; f++) {
        struct writing w = {
            .release = release, .topics = topics, .family = &topics->family[f]};
        if (w.family->regions) st = write_family(&w, err);
        if (!st) st = say_family(&w, said, known, reported);
        for (size_t l = 0; l < w.levels; l++)
            om_units_deinit(&w.upper[l].units);
        om_units_deinit(&w.cells);
        om_arena_deinit(&w.arena);
    }
    return st;
}
