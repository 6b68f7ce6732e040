// verb_query.c - onemap query: rows, counts, sums and groups of a layer.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/file.h"
#include "data/model/time.h"
#include "web/cli/question.h"
#include "web/features.h"

/* The command line as it was typed. */
struct words {
    const char *id, *bbox, *within, *near, *radius, *nearest;
    const char *where, *time, *sum, *by, *format, *out, *limit;
    bool count;
};

/* The question it becomes, and what must be given back. */
struct task {
    const struct words *words;
    const char *layer_name;
    struct om__question ask;
    struct om_query query;
    struct om_rings rings;  // in arena
    struct om_arena arena;
    enum om_features_format format;
    size_t by, sum;
    enum om_step step;
};

/* A mistake in the command line, to be told from work that failed. */
static int wrong(const struct om_err *err, const char *option)
{
    return om__verb_usage("query", "%s: %s", option,
                          err->text[0] ? err->text : om_status_text(err->code));
}

/* `n` numbers with commas between them and nothing else. */
static bool read_numbers(const char *text, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(text, &end);
        if (end == text || !isfinite(out[i])) return false;
        if (*end != (i + 1 < n ? ',' : '\0')) return false;
        text = end + 1;
    }
    return true;
}

static bool read_whole(const char *text, size_t *out)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value == 0)
        return false;
    *out = (size_t)value;
    return true;
}

static int read_bbox(struct task *t)
{
    double d[4];
    if (!read_numbers(t->words->bbox, d, 4))
        return om__verb_usage("query", "--bbox: '%s' is not W,S,E,N",
                              t->words->bbox);
    t->ask.err.code = om_place_box(d[0], d[1], d[2], d[3], &t->query.place);
    if (!t->ask.err.code) return OM_EXIT_DONE;
    return om__verb_usage("query",
                          "--bbox: '%s' is not a box west,south,east,north",
                          t->words->bbox);
}

static int read_near(struct task *t)
{
    const struct words *w = t->words;
    struct om_place *place = &t->query.place;
    double d[2];
    if (!w->radius == !w->nearest)
        return om__verb_usage("query",
                              "--near needs either --radius or --nearest");
    if (!read_numbers(w->near, d, 2) ||
        om_pos_from_lonlat(d[0], d[1], &place->pos))
        return om__verb_usage("query", "--near: '%s' is not LON,LAT", w->near);
    if (w->nearest) {
        place->kind = OM_PLACE_NEAREST;
        if (!read_whole(w->nearest, &place->nearest) ||
            place->nearest > OM_LIMIT_NEAREST)
            return om__verb_usage("query", "--nearest: '%s' is not 1 to %d",
                                  w->nearest, OM_LIMIT_NEAREST);
        return OM_EXIT_DONE;
    }
    place->kind = OM_PLACE_RADIUS;
    if (!read_numbers(w->radius, &place->radius_m, 1) || place->radius_m < 0)
        return om__verb_usage("query", "--radius: '%s' is not metres",
                              w->radius);
    return OM_EXIT_DONE;
}

/* --within takes a file's name or the polygon itself. */
static int read_within(struct task *t)
{
    const char *text = t->words->within;
    size_t len = strlen(text);
    struct om_buf file = {0};
    struct om_place *place = &t->query.place;
    if (om_file_exists(text)) {
        if (om_file_read(text, OM_LIMIT_JSON_BYTES, &file, &t->ask.err)) {
            om_buf_deinit(&file);
            return om__verb_fail("query", &t->ask.err);
        }
        text = (const char *)file.bytes;
        len = file.len;
    }
    const om_status st =
        om_rings_parse(text, len, &t->arena, &t->rings, &t->ask.err);
    om_buf_deinit(&file);
    if (st) {
        t->ask.err.code = st;
        return wrong(&t->ask.err,
                     "--within (a file of GeoJSON or WKT, or WKT)");
    }
    place->kind = OM_PLACE_WITHIN;
    place->rings = &t->rings;
    return OM_EXIT_DONE;
}

static int read_place(struct task *t)
{
    const struct words *w = t->words;
    if (!!w->id + !!w->bbox + !!w->within + !!w->near > 1)
        return om__verb_usage("query",
                              "only one of --id, --bbox, --within and --near");
    if (!w->near && (w->radius || w->nearest))
        return om__verb_usage("query", "--radius and --nearest need --near");
    if (w->bbox) return read_bbox(t);
    if (w->within) return read_within(t);
    if (w->near) return read_near(t);
    if (w->id)
        t->query.place = (struct om_place){
            .kind = OM_PLACE_ID, .id = w->id, .id_len = strlen(w->id)};
    return OM_EXIT_DONE;
}

static int read_limit(struct task *t)
{
    const struct words *w = t->words;
    if (w->limit && !read_whole(w->limit, &t->query.limit))
        return om__verb_usage("query", "--limit: '%s' is not 1 or more",
                              w->limit);
    return OM_EXIT_DONE;
}

static int read_sum(struct task *t)
{
    t->sum = OM_NO_FIELD;
    if (!t->words->sum) return OM_EXIT_DONE;
    return om__question_number(&t->ask, "--sum", t->words->sum, &t->sum);
}

/* hour, day and month are steps of the layer's time; without one they may be
 * columns like any other. */
static int read_by(struct task *t)
{
    static const char *const STEP[] = {"", "hour", "day", "month"};
    const char *by = t->words->by;
    const struct om_schema *schema = &t->query.layer->schema;
    t->by = OM_NO_FIELD;
    if (!by) return OM_EXIT_DONE;
    enum om_step step = OM_STEP_NONE;
    for (size_t i = 1; i < sizeof STEP / sizeof *STEP; i++)
        if (!strcmp(by, STEP[i])) step = (enum om_step)i;
    if (step != OM_STEP_NONE && schema->time_field != OM_NO_FIELD) {
        t->step = step;
        t->by = schema->time_field;
        return OM_EXIT_DONE;
    }
    t->by = om_schema_find(schema, by);
    if (t->by != OM_NO_FIELD) return OM_EXIT_DONE;
    if (step != OM_STEP_NONE)
        return om__verb_usage("query", "--by %s: %s has no time column", by,
                              t->layer_name);
    return om__verb_usage(
        "query", "--by: %s has no column '%s', nor is it hour, day or month",
        t->layer_name, by);
}

/* Of the file's name, when --format is not given. */
static const char *format_of_name(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    if (!dot) return NULL;
    return !strcmp(dot, ".json") ? "geojson" : dot + 1;
}

static int read_format(struct task *t, bool table)
{
    const struct words *w = t->words;
    t->format = table ? OM_FEATURES_CSV : OM_FEATURES_GEOJSON;
    if (!w->format) {
        const char *name = format_of_name(w->out);
        if (name) om_features_format_from_name(name, &t->format);
    } else if (!om_features_format_from_name(w->format, &t->format)) {
        return om__verb_usage("query",
                              "--format: '%s' is not geojson, csv, fgb or gpkg",
                              w->format);
    }
    const bool file =
        t->format == OM_FEATURES_FGB || t->format == OM_FEATURES_GPKG;
    if (file && table)
        return om__verb_usage(
            "query", "counts and sums are written as csv or geojson (JSON)");
    if (file && !w->out)
        return om__verb_usage("query", "fgb and gpkg need --out FILE");
    return OM_EXIT_DONE;
}

/* Names of groups that are units: the name column of the unit layer. */
struct namer {
    const struct om_layer *units;
    size_t column;
    struct om_text_reader ids, names;
};

static const char *name_of(void *ctx, const struct om_group *group, size_t *len)
{
    struct namer *n = ctx;
    for (size_t i = 0; i < n->units->parts; i++) {
        struct om_segment *segment = n->units->part[i].segment;
        const char *name;
        size_t row;
        if (om_segment_find(segment, group->id, group->len, &n->ids, &row))
            continue;
        if (!om_segment_text(segment, n->column, row, &n->names, &name, len))
            return name;
    }
    return NULL;
}

/* False if the groups are no units, or units without names. */
static bool namer_init(struct namer *n, const struct task *t)
{
    const struct om_layer *layer = t->query.layer;
    *n = (struct namer){0};
    if (t->step != OM_STEP_NONE ||
        t->by + layer->unit_columns < layer->schema.count)
        return false;
    const char *level = layer->schema.field[t->by].name;
    n->units = om_snapshot_units(t->ask.snapshot, level);
    if (!n->units) return false;
    n->column = om_schema_find(&n->units->schema, "name");
    if (n->column == OM_NO_FIELD) return false;
    const enum om_type type = n->units->schema.field[n->column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static om_status add_groups(struct task *t, struct om_buf *out)
{
    struct om_groups groups = {0};
    struct namer namer;
    const struct om_schema *schema = &t->query.layer->schema;
    OM_TRY(om_query_group(&t->query, t->by, t->step,
                          t->ask.snapshot->manifest->zone_s, t->sum, &groups));
    struct om_groups_options options = {
        .format = t->format,
        // What a script reads from a pipe should begin with the first name.
        .no_mark = !t->words->out && !t->words->format,
        .sum = t->sum != OM_NO_FIELD,
        .real =
            t->sum != OM_NO_FIELD && schema->field[t->sum].type == OM_TYPE_REAL,
    };
    if (namer_init(&namer, t)) {
        options.name = name_of;
        options.name_ctx = &namer;
    }
    om_status st = om_groups_write(&groups, &options, out);
    if (!st && t->format != OM_FEATURES_CSV) st = om_buf_add_byte(out, '\n');
    om_text_reader_deinit(&namer.ids);
    om_text_reader_deinit(&namer.names);
    om_groups_deinit(&groups);
    return st;
}

/* One number: bare, or with its name where a format was asked for. */
static om_status add_number(struct task *t, struct om_buf *out)
{
    struct om_buf number = {0};
    const char *name = t->sum == OM_NO_FIELD ? "count" : "sum";
    om_status st;
    if (t->sum == OM_NO_FIELD) {
        uint64_t count = 0;
        st = om_query_count(&t->query, &count);
        om_buf_addf(&number, "%llu", (unsigned long long)count);
    } else {
        om_wide integer = 0;
        double real = 0;
        st = om_query_sum(&t->query, t->sum, &integer, &real);
        if (t->query.layer->schema.field[t->sum].type == OM_TYPE_REAL)
            om_buf_add_json_real(&number, real);
        else
            om_buf_add_wide(&number, integer);
    }
    om_buf_add_byte(&number, '\0');
    if (!st) st = number.status;
    if (!st && !t->words->format)
        st = om_buf_addf(out, "%s\n", (const char *)number.bytes);
    else if (!st && t->format == OM_FEATURES_CSV)
        st = om_buf_addf(out, "\xEF\xBB\xBF%s\r\n%s\r\n", name,
                         (const char *)number.bytes);
    else if (!st)
        st =
            om_buf_addf(out, "{\"%s\":%s}\n", name, (const char *)number.bytes);
    om_buf_deinit(&number);
    return st;
}

static om_status put_stdout(void *ctx, const void *bytes, size_t len)
{
    struct om_err *err = ctx;
    if (fwrite(bytes, 1, len, stdout) == len) return OM_OK;
    return om_fail(err, OM_E_IO, 0, "standard output: %s", strerror(errno));
}

static om_status answer_table(struct task *t)
{
    struct om_buf out = {0};
    om_status st =
        t->by == OM_NO_FIELD ? add_number(t, &out) : add_groups(t, &out);
    if (!st && t->words->out)
        st =
            om_file_write_whole(t->words->out, out.bytes, out.len, &t->ask.err);
    else if (!st)
        st = put_stdout(&t->ask.err, out.bytes, out.len);
    om_buf_deinit(&out);
    return st;
}

static om_status answer_rows(struct task *t)
{
    const enum om_place_kind kind = t->query.place.kind;
    const struct om_features_options options = {
        .format = t->format,
        .zone_s = t->ask.snapshot->manifest->zone_s,
        .distance = kind == OM_PLACE_RADIUS || kind == OM_PLACE_NEAREST,
    };
    if (kind == OM_PLACE_ID) {
        uint64_t count;
        OM_TRY(om_query_count(&t->query, &count));
        if (!count)
            return om_fail(&t->ask.err, OM_E_NOTFOUND, 0, "no row '%s' in %s",
                           t->words->id, t->layer_name);
    }
    if (t->words->out)
        return om_features_save(&t->query, &options, t->words->out, NULL,
                                &t->ask.err);
    return om_features_write(&t->query, &options, put_stdout, &t->ask.err, NULL,
                             NULL);
}

static int run(struct task *t)
{
    const bool table = t->words->count || t->words->sum || t->words->by;
    if (table && t->words->limit)
        return om__verb_usage("query", "--limit is for rows, not for counts");
    if (t->words->count && t->words->sum && !t->words->by)
        return om__verb_usage("query", "--count or --sum (--by gives both)");
    int status = om__question_open(&t->ask);
    if (!status) status = om__question_layer(&t->ask, t->layer_name, false);
    if (status) return status;
    t->query.snapshot = t->ask.snapshot;
    t->query.layer = t->ask.layer;
    t->query.filter = t->ask.filter;
    t->query.window = t->ask.window;
    status = read_place(t);
    if (!status) status = read_limit(t);
    if (!status) status = read_sum(t);
    if (!status) status = read_by(t);
    if (!status) status = read_format(t, table);
    if (status) return status;
    const om_status st = table ? answer_table(t) : answer_rows(t);
    if (!st && fflush(stdout) == 0) return OM_EXIT_DONE;
    if (!st)
        om_fail(&t->ask.err, OM_E_IO, 0, "standard output: %s",
                strerror(errno));
    return om__question_fail(&t->ask, st);
}

int om__verb_query(int argc, char **argv)
{
    struct words w = {0};
    const struct om_option option[] = {
        {"--id", &w.id, NULL},         {"--bbox", &w.bbox, NULL},
        {"--within", &w.within, NULL}, {"--near", &w.near, NULL},
        {"--radius", &w.radius, NULL}, {"--nearest", &w.nearest, NULL},
        {"--where", &w.where, NULL},   {"--time", &w.time, NULL},
        {"--sum", &w.sum, NULL},       {"--by", &w.by, NULL},
        {"--format", &w.format, NULL}, {"--out", &w.out, NULL},
        {"--limit", &w.limit, NULL},   {"--count", NULL, &w.count},
    };
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read("query", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("query", "needs CITY and LAYER");
    struct task t = {.words = &w,
                     .layer_name = operand[1],
                     .ask = {.verb = "query",
                             .city_path = operand[0],
                             .where = w.where,
                             .time = w.time}};
    const int status = run(&t);
    om__question_close(&t.ask);
    om_arena_deinit(&t.arena);
    return status;
}
