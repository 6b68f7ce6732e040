// verb_search.c - onemap search: names and addresses by what somebody types.
#include <stdlib.h>
#include <string.h>

#include "data/base/log.h"
#include "web/cli/verb.h"
#include "web/search.h"

#define LIMIT_DEFAULT 10
#define LAYERS_MAX 32

struct task {
    const char *limit, *layers, *near, *bbox, *format;
    const char *city_path, *text;
    struct om_search_ask ask;
    const char *layer[LAYERS_MAX];
    char layer_names[LAYERS_MAX * OM_LIMIT_NAME_BYTES];
    bool csv;
    struct om_err err;
};

static int fail(struct task *t, om_status st)
{
    if (!t->err.code) om_fail(&t->err, st, 0, "%s", om_status_text(st));
    return om__verb_fail("search", &t->err);
}

/* `n` numbers with commas between them and nothing else. */
static bool read_numbers(const char *text, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(text, &end);
        if (end == text || *end != (i + 1 < n ? ',' : '\0')) return false;
        text = end + 1;
    }
    return true;
}

static int read_layers(struct task *t)
{
    if (strlen(t->layers) >= sizeof t->layer_names)
        return om__verb_usage("search", "--layers: too many");
    memcpy(t->layer_names, t->layers, strlen(t->layers) + 1);
    t->ask.layer = t->layer;
    for (char *at = strtok(t->layer_names, ","); at; at = strtok(NULL, ",")) {
        if (t->ask.layers == LAYERS_MAX)
            return om__verb_usage("search", "--layers: at most %d", LAYERS_MAX);
        t->layer[t->ask.layers++] = at;
    }
    return OM_EXIT_DONE;
}

static int read_place(struct task *t)
{
    double d[4];
    struct om_pos a, b;
    if (t->near) {
        if (!read_numbers(t->near, d, 2) ||
            om_pos_from_lonlat(d[0], d[1], &t->ask.at))
            return om__verb_usage("search", "--near: '%s' is not LON,LAT",
                                  t->near);
        t->ask.near = true;
    }
    if (t->bbox) {
        if (!read_numbers(t->bbox, d, 4) || d[0] > d[2] || d[1] > d[3] ||
            om_pos_from_lonlat(d[0], d[3], &a) ||
            om_pos_from_lonlat(d[2], d[1], &b))
            return om__verb_usage("search", "--bbox: '%s' is not W,S,E,N",
                                  t->bbox);
        t->ask.boxed = true;
        t->ask.box = (struct om_box){a.x, a.y, b.x, b.y};
    }
    return OM_EXIT_DONE;
}

static int read_words(struct task *t)
{
    t->ask.text = t->text;
    t->ask.len = strlen(t->text);
    t->ask.limit = LIMIT_DEFAULT;
    if (t->limit) {
        char *end;
        const long n = strtol(t->limit, &end, 10);
        if (end == t->limit || *end || n < 1 || n > OM_SEARCH_LIMIT)
            return om__verb_usage("search", "--limit: '%s' is not 1 to %d",
                                  t->limit, OM_SEARCH_LIMIT);
        t->ask.limit = (size_t)n;
    }
    if (t->format && strcmp(t->format, "json") != 0 &&
        strcmp(t->format, "csv") != 0)
        return om__verb_usage("search", "--format: '%s' is not json or csv",
                              t->format);
    t->csv = t->format && !strcmp(t->format, "csv");
    const int bad = t->layers ? read_layers(t) : OM_EXIT_DONE;
    return bad ? bad : read_place(t);
}

static om_status answer(struct task *t, const struct om_snapshot *snapshot,
                        struct om_search *search)
{
    struct om_arena arena = {0};
    struct om_buf out = {0};
    struct om_search_answer found;
    om_status st = om_search_prepare(search, snapshot, NULL, &t->err);
    if (!st)
        st = om_search_run(search, snapshot, &t->ask, &arena, &found, &t->err);
    if (!st)
        st = t->csv ? om_search_csv(snapshot, &found, &out)
                    : om_search_json(snapshot, &found, &out);
    if (!st) {
        if (!t->csv) om_buf_add_text(&out, "\n");
        fwrite(out.bytes, 1, out.len, stdout);
    }
    om_buf_deinit(&out);
    om_arena_deinit(&arena);
    return st;
}

static int run(struct task *t)
{
    struct om_city *city = NULL;
    struct om_search *search = NULL;
    om_status st = om_city_open(t->city_path, &city, &t->err);
    if (st) return fail(t, st);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    st = om_search_new(t->city_path, !snapshot->manifest->release, &search);
    if (!st) st = answer(t, snapshot, search);
    om_search_free(search);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return st ? fail(t, st) : OM_EXIT_DONE;
}

int om__verb_search(int argc, char **argv)
{
    struct task t = {0};
    const struct om_option option[] = {
        {"--limit", &t.limit, NULL},   {"--layers", &t.layers, NULL},
        {"--near", &t.near, NULL},     {"--bbox", &t.bbox, NULL},
        {"--format", &t.format, NULL},
    };
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read("search", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("search", "needs CITY and TEXT");
    t.city_path = operand[0];
    t.text = operand[1];
    const int wrong = read_words(&t);
    return wrong ? wrong : run(&t);
}
