// verb_audit.c - onemap audit: who asked for which rows, and when.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/city/audit.h"
#include "data/city/manifest.h"
#include "data/model/time.h"
#include "web/cli/verb.h"

#define DAY_S 86400

/* A line that is to be printed: where it begins in the text of its day. */
struct line {
    char at[OM_TIME_TEXT_BYTES];  // UTC, all of one length
    size_t begin;
};

/* Files are of a process and a day: their lines are printed day by day, in the
 * order of their times. */
struct asking {
    const char *token, *role;
    char mark[OM_AUDIT_MARK_BYTES + 1];  // behind its sign; "": any
    int64_t from_s, to_s;
    int64_t day;  // of what is held
    struct om_buf text, lines;
    om_status status;
};

/* Lines of one moment stay as they were read. */
static int by_time(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    const int order = strcmp(one->at, other->at);
    if (order) return order;
    return one->begin < other->begin ? -1 : one->begin > other->begin;
}

static void print_day(struct asking *a)
{
    const size_t count = a->lines.len / sizeof(struct line);
    struct line *line = (struct line *)(void *)a->lines.bytes;
    if (count) qsort(line, count, sizeof *line, by_time);
    for (size_t i = 0; i < count; i++)
        puts((const char *)a->text.bytes + line[i].begin);
    a->text.len = a->lines.len = 0;
}

static bool hold(struct asking *a, int64_t at_s, const char *at,
                 const char *text, size_t len)
{
    if (at_s / DAY_S != a->day) print_day(a);
    a->day = at_s / DAY_S;
    struct line line = {.begin = a->text.len};
    snprintf(line.at, sizeof line.at, "%s", at);
    a->status = om_buf_add(&a->lines, &line, sizeof line);
    if (!a->status) a->status = om_buf_add(&a->text, text, len + 1);
    return !a->status;
}

static bool is(const struct om_json *line, const char *key, const char *wanted)
{
    return !wanted || !strcmp(om_json_text(om_json_get(line, key), ""), wanted);
}

static bool print_line(void *ctx, const char *text, size_t len)
{
    struct asking *a = ctx;
    struct om_json *line = NULL;
    int64_t at_s = 0;
    if (om_json_parse(text, len, &line, NULL)) return true;
    const char *at = om_json_text(om_json_get(line, "at"), "");
    const bool known = !om_time_parse(at, strlen(at), 0, &at_s);
    if (known && at_s >= a->from_s && at_s < a->to_s &&
        is(line, "token", a->token) && is(line, "role", a->role) &&
        strstr(om_json_text(om_json_get(line, "target"), ""), a->mark))
        hold(a, at_s, at, text, len);
    om_json_free(line);
    return !a->status;
}

static void say_bad(void *ctx, const char *file, const char *what)
{
    (void)ctx;
    fprintf(stderr, "onemap audit: audit/%s: %s\n", file, what);
}

int om__verb_audit(int argc, char **argv)
{
    const char *city = NULL, *time = NULL, *text = NULL;
    struct asking a = {.from_s = INT64_MIN, .to_s = INT64_MAX};
    size_t operands, broken = 0;
    bool help;
    const struct om_option option[] = {{"--time", &time, NULL},
                                       {"--token", &a.token, NULL},
                                       {"--role", &a.role, NULL},
                                       {"--text", &text, NULL}};
    const int usage = om__options_read("audit", argc, argv, option,
                                       sizeof option / sizeof *option, &city, 1,
                                       &operands, &help);
    if (usage || help) return usage;
    if (!operands) return om__verb_usage("audit", "which city?");
    struct om_err err = {0};
    struct om_manifest manifest = {0};
    om_status st = om_manifest_read(city, &manifest, &err);
    if (!st && time &&
        om_time_parse_interval(time, strlen(time), manifest.zone_s, &a.from_s,
                               &a.to_s)) {
        om_manifest_deinit(&manifest);
        return om__verb_usage("audit", "--time is a date, a month or FROM/TO");
    }
    om_manifest_deinit(&manifest);
    if (!st && text) {
        a.mark[0] = '~';
        st = om_audit_find_mark(city, text, strlen(text), a.mark + 1, &err);
    }
    if (!st) st = om_audit_read(city, print_line, say_bad, &a, &broken, &err);
    if (!st && a.status) st = om_fail(&err, a.status, 0, "out of memory");
    if (!st) print_day(&a);
    om_buf_deinit(&a.text);
    om_buf_deinit(&a.lines);
    if (st) return om__verb_fail("audit", &err);
    return broken ? OM_EXIT_FAILED : OM_EXIT_DONE;
}
