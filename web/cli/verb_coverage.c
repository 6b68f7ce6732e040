// verb_coverage.c - onemap coverage: is the city covered, is the work done?
#include <stdio.h>
#include <string.h>

#include "data/base/file.h"
#include "web/cli/verb.h"
#include "web/coverage.h"

#define OPTIONS_MAX 48
#define NAME_BYTES 32

/* Every option of every kind, once, as the command line takes them. Which of
 * them a kind knows is its own affair. */
struct words {
    char name[OPTIONS_MAX][NAME_BYTES];  // with dashes
    const char *value[OPTIONS_MAX];
    bool flag[OPTIONS_MAX];
    struct om_option option[OPTIONS_MAX];
    size_t options;
    const char *format, *out;
};

static void add_option(struct words *w, const char *name, size_t len, bool flag)
{
    char dashed[NAME_BYTES];
    snprintf(dashed, sizeof dashed, "--%.*s", (int)len, name);
    for (size_t i = 0; i < w->options; i++)
        if (!strcmp(w->name[i], dashed)) return;
    if (w->options == OPTIONS_MAX) return;
    const size_t i = w->options++;
    memcpy(w->name[i], dashed, sizeof dashed);
    w->option[i] = (struct om_option){w->name[i], flag ? NULL : &w->value[i],
                                      flag ? &w->flag[i] : NULL};
}

static void add_words(struct words *w, const char *words, bool flag)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        add_option(w, at, n, flag);
        at += n;
    }
}

static void list_options(struct words *w)
{
    for (size_t i = 0; om_coverage_kind(i); i++) {
        add_words(w, om_coverage_kind(i)->options, false);
        add_words(w, om_coverage_kind(i)->flags, true);
    }
    w->option[w->options++] = (struct om_option){"--format", &w->format, NULL};
    w->option[w->options++] = (struct om_option){"--out", &w->out, NULL};
}

static size_t given_options(const struct words *w,
                            struct om_coverage_option *given)
{
    size_t n = 0;
    for (size_t i = 0; i < w->options; i++) {
        const char *name = w->option[i].name + strlen("--");
        if (w->flag[i])
            given[n++] = (struct om_coverage_option){name, "true"};
        else if (w->value[i])
            given[n++] = (struct om_coverage_option){name, w->value[i]};
    }
    return n;
}

static int read_format(const struct words *w, enum om_table_format *out)
{
    const char *name = w->format;
    if (!name && w->out) {
        const char *dot = strrchr(w->out, '.');
        if (dot && om_table_format_from_name(dot + 1, out)) return OM_EXIT_DONE;
    }
    if (!name) name = "csv";
    if (om_table_format_from_name(name, out)) return OM_EXIT_DONE;
    return om__verb_usage("coverage",
                          "--format: '%s' is not csv, json or geojson", name);
}

static int wrong(const struct om_coverage *q)
{
    return om__verb_usage("coverage", "--%s: %s", q->wrong, q->err.text);
}

static int fail(struct om_err *err, om_status st)
{
    if (!err->text[0]) om_fail(err, st, 0, "%s", om_status_text(st));
    return om__verb_fail("coverage", err);
}

static int answer(const struct om_coverage_kind *kind, struct om_coverage *q,
                  const char *out)
{
    struct om_table_file *file = NULL;
    om_status st = om_table_file_new(out, &file, &q->err);
    if (st) return fail(&q->err, st);
    q->take = om_table_file_take;
    q->take_ctx = file;
    st = om_coverage_run(kind, q);
    if (!st) st = om_table_file_commit(file, &q->err);
    om_table_file_free(file);
    if (st) return q->wrong ? wrong(q) : fail(&q->err, st);
    return q->faults ? OM_EXIT_FAILED : OM_EXIT_DONE;
}

static int no_kind(const char *name)
{
    char known[256] = "";
    for (size_t i = 0; om_coverage_kind(i); i++) {
        const size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "",
                 om_coverage_kind(i)->name);
    }
    return om__verb_usage("coverage", "'%s' is none of %s", name, known);
}

int om__verb_coverage(int argc, char **argv)
{
    const char *operand[2];
    size_t operands;
    bool help;
    struct words w = {0};
    list_options(&w);
    const int bad = om__options_read("coverage", argc, argv, w.option,
                                     w.options, operand, 2, &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("coverage", "needs CITY and KIND");
    const struct om_coverage_kind *kind = om_coverage_find(operand[1]);
    if (!kind) return no_kind(operand[1]);
    struct om_coverage_option given[OPTIONS_MAX + 2];
    struct om_coverage q = {.option = given,
                            .may_write = true,
                            .options = given_options(&w, given)};
    const int unknown = read_format(&w, &q.format);
    if (unknown) return unknown;
    struct om_city *city = NULL;
    const om_status st = om_city_open(operand[0], &city, &q.err);
    if (st) return fail(&q.err, st);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    q.snapshot = snapshot;
    const int status = answer(kind, &q, w.out);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return status;
}
