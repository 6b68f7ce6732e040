// verb_hotspots.c - onemap hotspots: where is it unusual, and how sure is that?
#include <stdio.h>
#include <string.h>

#include "web/cli/verb.h"
#include "web/hotspots.h"

#define OPTIONS_MAX 32
#define NAME_BYTES 32

/* Every option, as the command line takes it. */
struct words {
    char name[OPTIONS_MAX][NAME_BYTES];  // with dashes
    const char *value[OPTIONS_MAX];
    struct om_option option[OPTIONS_MAX];
    size_t options;
    const char *format, *out;
};

static void list_options(struct words *w)
{
    for (const char *at = om_hotspots_options; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " "), i = w->options++;
        snprintf(w->name[i], NAME_BYTES, "--%.*s", (int)n, at);
        w->option[i] = (struct om_option){w->name[i], &w->value[i], NULL};
        at += n;
    }
    w->option[w->options++] = (struct om_option){"--format", &w->format, NULL};
    w->option[w->options++] = (struct om_option){"--out", &w->out, NULL};
}

static size_t given_options(const struct words *w,
                            struct om_hotspots_option *given)
{
    size_t n = 0;
    for (size_t i = 0; i < w->options; i++)
        if (w->value[i])
            given[n++] = (struct om_hotspots_option){
                w->option[i].name + strlen("--"), w->value[i]};
    return n;
}

static int read_format(const struct words *w, enum om_table_format *out)
{
    const char *name = w->format;
    if (!name && w->out) {
        const char *dot = strrchr(w->out, '.');
        if (dot && om_table_format_from_name(dot + 1, out)) return OM_EXIT_DONE;
    }
    if (om_table_format_from_name(name ? name : "csv", out))
        return OM_EXIT_DONE;
    return om__verb_usage("hotspots",
                          "--format: '%s' is not csv, json or geojson", name);
}

static int fail(struct om_hotspots_question *q, om_status st)
{
    if (!q->err.text[0]) om_fail(&q->err, st, 0, "%s", om_status_text(st));
    if (q->wrong)
        return om__verb_usage("hotspots", "--%s: %s", q->wrong, q->err.text);
    return om__verb_fail("hotspots", &q->err);
}

static int answer(struct om_hotspots_question *q, const char *out)
{
    struct om_table_file *file = NULL;
    om_status st = om_table_file_new(out, &file, &q->err);
    if (st) return fail(q, st);
    q->take = om_table_file_take;
    q->take_ctx = file;
    st = om_hotspots_answer(q);
    if (!st) st = om_table_file_commit(file, &q->err);
    om_table_file_free(file);
    return st ? fail(q, st) : OM_EXIT_DONE;
}

int om__verb_hotspots(int argc, char **argv)
{
    const char *operand[2];
    size_t operands;
    bool help;
    struct words w = {0};
    list_options(&w);
    const int bad = om__options_read("hotspots", argc, argv, w.option,
                                     w.options, operand, 2, &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("hotspots", "needs CITY and LAYER");
    struct om_hotspots_option given[OPTIONS_MAX];
    struct om_hotspots_question q = {.layer = operand[1],
                                     .option = given,
                                     .options = given_options(&w, given)};
    const int unknown = read_format(&w, &q.format);
    if (unknown) return unknown;
    struct om_city *city = NULL;
    const om_status st = om_city_open(operand[0], &city, &q.err);
    if (st) return fail(&q, st);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    q.snapshot = snapshot;
    const int status = answer(&q, w.out);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return status;
}
