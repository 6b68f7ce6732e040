/* verb_simulate.c - onemap simulate: a synthetic city goes on living.
 *
 * DESIGN
 * The machine's clock says how far the city's clock is to be; what has happened
 * until then (simulate_plan.c) is sent: rows that came, a request a layer; then
 * steps, a PATCH each while they are few, else as whole rows in the place of
 * the old. Every write brings the city's clock along. Once a second a tenth of
 * those on duty say where they are. There is one connection and one question at
 * a time: a server that is slow, or says 429 or 503, slows the city down, and
 * nothing piles up.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/model/time.h"
#include "web/cli/simulate.h"
#include "web/cli/verb.h"

/* Happenings, and of these rows of one request, sent before the clock is looked
 * at again. */
#define TICK_MS 200
#define TICK_HAPPENINGS 4000
/* Steps that are sent one by one. */
#define PATCHES 50
/* How often everybody says where they are. */
#define SLICES 10
#define AGAIN_S 0.5
#define LOST_S 60.0
#define SPEED_MAX 1e6
#define PATH_BYTES 1024

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

struct simulation {
    struct om_city *city;
    struct om_snapshot *snapshot;
    struct om__plan *plan;
    struct om__walk *walk;
    struct om__client *client;
    double speed, for_s;
    int64_t start_s, clock_s;
    int64_t moved_s;  // to which rows that were taken have moved the server's
    double began_s, waited_s;
    uint64_t rows, steps, fixes, refused, missing;
    struct om__happening *step;  // of one tick
    size_t step_count, step_room;
    struct om_buf *lines;  // rows that came, by layer
    size_t *line_count;
    size_t layers;
};

static void rest(double seconds)
{
    while (seconds > 0 && !stopped) {
        const double part = fmin(seconds, 0.1);
        const struct timespec t = {0, (long)(part * 1e9)};
        nanosleep(&t, NULL);
        seconds -= part;
    }
}

/* Detail of a problem document. */
static void read_problem(const struct om__said *said, const char *path,
                         struct om_err *err)
{
    struct om_json *document = NULL;
    const char *detail = "";
    if (!om_json_parse(said->body, said->len, &document, NULL))
        detail = om_json_text(om_json_get(document, "detail"), "");
    om_fail(err, OM_E_IO, 0, "%.60s: %u %.80s", path, said->status, detail);
    om_json_free(document);
}

/* Ask until there is an answer that is one. */
static om_status ask(struct simulation *s, const char *method, const char *path,
                     const char *headers, const char *type,
                     const struct om_buf *body, struct om__said *said,
                     struct om_err *err)
{
    const double began_s = om_seconds();
    // What has begun is ended: once is always asked.
    for (double wait_s = AGAIN_S;; wait_s = fmin(2 * wait_s, 8)) {
        const double asked_s = om_seconds();
        const om_status st = om__client_ask(s->client, method, path, headers,
                                            type, body, said, err);
        if (st && om_seconds() - began_s > LOST_S) return st;
        const bool busy =
            !st && (said->status == 429 || said->status == 503);
        if (!st && !busy) {
            if (said->status != 401 && said->status != 403) return OM_OK;
            read_problem(said, path, err);
            return OM_E_IO;
        }
        if (stopped) return OM_E_STOPPED;
        rest(st ? wait_s : fmax(said->retry_after_s, AGAIN_S));
        // Meanwhile the city stands still.
        s->waited_s += om_seconds() - asked_s;
    }
}

static void clock_header(const struct simulation *s, char out[96])
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(s->clock_s, s->snapshot->manifest->zone_s, text);
    snprintf(out, 96, "City-Clock: %s\r\n", text);
}

/* Why the first row that was refused was. */
static void tell_first(const struct simulation *s, const struct om_json *said)
{
    const struct om_json *first =
        om_json_at(om_json_get(said, "errors"), 0);
    const char *detail = om_json_text(om_json_get(said, "detail"), "");
    if (s->refused) return;
    om_log(OM_LOG_WARN, "simulate", "refused, of several the first: %s",
           om_json_text(om_json_get(first, "reason"), detail));
}

/* How many rows of a request the server took and did not take. */
static void count_rows(struct simulation *s, const struct om__said *said,
                       size_t sent, uint64_t *taken)
{
    struct om_json *document = NULL;
    uint64_t not_taken = said->status < 300 ? 0 : sent;
    if (!om_json_parse(said->body, said->len, &document, NULL) &&
        said->status < 300) {
        const int64_t n =
            om_json_integer(om_json_get(document, "refused"), 0);
        not_taken = n > 0 ? (uint64_t)n : 0;
    }
    if (not_taken) tell_first(s, document);
    om_json_free(document);
    *taken += not_taken < sent ? sent - not_taken : 0;
    s->refused += not_taken;
}

static om_status send_lines(struct simulation *s, uint32_t layer,
                            const char *query, struct om_buf *lines,
                            size_t count, uint64_t *taken, struct om_err *err)
{
    char path[PATH_BYTES], clock[96];
    struct om__said said;
    snprintf(path, sizeof path, "/collections/%s/items?%s",
             om__plan_layer(s->plan, layer), query);
    clock_header(s, clock);
    OM_TRY(ask(s, "POST", path, clock, "application/x-ndjson", lines, &said,
               err));
    if (said.status == 404 || said.status == 405 || said.status == 415) {
        read_problem(&said, path, err);
        return OM_E_IO;
    }
    const uint64_t before = *taken;
    count_rows(s, &said, count, taken);
    if (*taken > before) s->moved_s = s->clock_s;
    return OM_OK;
}

static om_status send_rows(struct simulation *s, struct om_err *err)
{
    for (uint32_t l = 0; l < s->layers; l++) {
        if (!s->line_count[l]) continue;
        if (s->lines[l].status) return s->lines[l].status;
        OM_TRY(send_lines(s, l, "partial=true", &s->lines[l], s->line_count[l],
                          &s->rows, err));
        om_buf_clear(&s->lines[l]);
        s->line_count[l] = 0;
    }
    return OM_OK;
}

static om_status send_patch(struct simulation *s, const struct om__happening *h,
                            struct om_err *err)
{
    char clock[96];
    struct om__said said;
    struct om_buf path = {0}, body = {0};
    om_buf_addf(&path, "/collections/%s/items/",
                om__plan_layer(s->plan, h->layer));
    om_status st = om__plan_id(s->plan, h, &path);
    if (!st) st = om_buf_add_byte(&path, '\0');
    if (!st) st = om__plan_write(s->plan, h, true, &body);
    if (st) goto done;
    clock_header(s, clock);
    st = ask(s, "PATCH", (const char *)path.bytes, clock,
             "application/merge-patch+json", &body, &said, err);
    if (st) goto done;
    if (said.status < 300) {
        s->steps++;
        s->moved_s = s->clock_s;
    } else if (said.status == 404) {
        s->missing++;
    } else {
        count_rows(s, &said, 1, &s->steps);
    }
done:
    om_buf_deinit(&path);
    om_buf_deinit(&body);
    return st;
}

static int by_row(const void *a, const void *b)
{
    const struct om__happening *x = a, *y = b;
    if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
    if (x->loop != y->loop) return x->loop < y->loop ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

static bool same_row(const struct om__happening *a,
                     const struct om__happening *b)
{
    return a->layer == b->layer && a->loop == b->loop && a->row == b->row;
}

/* Many steps: each row as it is after its last, in the place of the old. */
static om_status send_steps_at_once(struct simulation *s, struct om_err *err)
{
    struct om_buf lines = {0};
    size_t count = 0;
    om_status st = OM_OK;
    qsort(s->step, s->step_count, sizeof *s->step, by_row);
    for (size_t i = 0; i < s->step_count && !st; i++) {
        const struct om__happening *h = &s->step[i];
        const bool end = i + 1 == s->step_count;
        if (end || !same_row(h, h + 1)) {
            st = om__plan_write(s->plan, h, false, &lines);
            if (!st) st = om_buf_add_byte(&lines, '\n');
            count++;
        }
        if (st || (!end && h->layer == h[1].layer)) continue;
        uint64_t taken = 0;
        st = send_lines(s, h->layer, "partial=true&upsert=true", &lines, count,
                        &taken, err);
        s->steps += taken;
        om_buf_clear(&lines);
        count = 0;
    }
    om_buf_deinit(&lines);
    return st;
}

static om_status send_steps(struct simulation *s, struct om_err *err)
{
    om_status st = OM_OK;
    if (s->step_count > PATCHES) {
        st = send_steps_at_once(s, err);
    } else {
        for (size_t i = 0; i < s->step_count && !st; i++)
            st = send_patch(s, &s->step[i], err);
    }
    s->step_count = 0;
    return st;
}

/* What happened up to `upto_s`, or as much of it as goes out at once. */
static om_status gather(struct simulation *s, int64_t upto_s)
{
    struct om__happening h;
    bool found = true;
    size_t n = 0;
    for (; n < TICK_HAPPENINGS; n++) {
        OM_TRY(om__plan_next(s->plan, upto_s, &h, &found));
        if (!found) break;
        s->clock_s = h.at_s;
        if (h.step) {
            s->step[s->step_count++] = h;
            continue;
        }
        OM_TRY(om__plan_write(s->plan, &h, false, &s->lines[h.layer]));
        OM_TRY(om_buf_add_byte(&s->lines[h.layer], '\n'));
        s->line_count[h.layer]++;
    }
    if (!found) s->clock_s = upto_s;
    return OM_OK;
}

/* Fixes do not move the city's clock. Where nothing has been written for a
 * while, workers stand as they were when it had got as far as they may be
 * ahead of it. */
static int64_t fix_time(const struct simulation *s)
{
    const int64_t latest_s = s->moved_s + OM_LIMIT_AHEAD_S;
    return s->clock_s < latest_s ? s->clock_s : latest_s;
}

static om_status send_fixes(struct simulation *s, size_t slice,
                            struct om_err *err)
{
    struct om_buf body = {0};
    struct om__said said = {0};
    size_t count = 0;
    om_status st =
        om__walk_write(s->walk, fix_time(s), slice, SLICES, &body, &count);
    if (!st && count)
        st = ask(s, "POST", "/positions", NULL, "application/x-ndjson", &body,
                 &said, err);
    if (!st && count && said.status == 404) {
        om_log(OM_LOG_WARN, "simulate", "the server follows nobody");
        om__walk_free(s->walk);
        s->walk = NULL;
    } else if (!st && count) {
        count_rows(s, &said, count, &s->fixes);
    }
    om_buf_deinit(&body);
    return st;
}

static om_status run(struct simulation *s, struct om_err *err)
{
    uint64_t seconds = 0;
    s->began_s = om_seconds();
    while (!stopped) {
        const double lived_s = om_seconds() - s->began_s;
        if (s->for_s > 0 && lived_s >= s->for_s) break;
        const double moved_s = fmax(lived_s - s->waited_s, 0) * s->speed;
        const int64_t due_s = s->start_s + (int64_t)moved_s;
        OM_TRY(gather(s, due_s));
        OM_TRY(send_rows(s, err));
        OM_TRY(send_steps(s, err));
        if (s->walk && (uint64_t)lived_s >= seconds) {
            OM_TRY(send_fixes(s, seconds % SLICES, err));
            seconds = (uint64_t)lived_s + 1;
        }
        om_progress("simulate", s->rows + s->steps + s->fixes, 0);
        if (s->clock_s >= due_s) rest(TICK_MS / 1e3);
    }
    return OM_OK;
}

/* ---- before and after */

static om_status read_token(const char *path, char *out, size_t room,
                            struct om_err *err)
{
    struct om_buf text = {0};
    const om_status st = om_file_read(path, room - 1, &text, err);
    if (!st)
        snprintf(out, room, "%.*s",
                 (int)strcspn(text.bytes ? (char *)text.bytes : "", "\r\n"),
                 text.bytes ? (char *)text.bytes : "");
    om_buf_deinit(&text);
    return st;
}

/* The server's clock, which may be further than that of the files we see. */
static om_status read_clock(struct simulation *s, struct om_err *err)
{
    struct om__said said;
    struct om_json *document = NULL;
    OM_TRY(ask(s, "GET", "/?f=json", NULL, NULL, NULL, &said, err));
    if (said.status != 200) {
        read_problem(&said, "/", err);
        return OM_E_IO;
    }
    OM_TRY(om_json_parse(said.body, said.len, &document, err));
    const char *clock = om_json_text(om_json_get(document, "clock"), "");
    const bool synthetic =
        om_json_true(om_json_get(document, "synthetic"), false);
    const om_status st =
        om_time_parse(clock, strlen(clock), 0, &s->start_s);
    om_json_free(document);
    if (!synthetic || st)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the server's city is not synthetic");
    return OM_OK;
}

static om_status prepare(struct simulation *s, const char *city,
                         const char *from, uint64_t seed, bool positions,
                         struct om_err *err)
{
    int64_t from_s = INT64_MIN;
    OM_TRY(om_city_open(city, &s->city, err));
    s->snapshot = om_city_snapshot(s->city);
    if (!s->snapshot) return OM_E_MEMORY;
    if (from && om_time_parse(from, strlen(from),
                              s->snapshot->manifest->zone_s, &from_s))
        return om_fail(err, OM_E_FORMAT, 0, "--from %.40s: not a moment",
                       from);
    OM_TRY(om__plan_new(s->snapshot, from_s, seed, &s->plan, err));
    if (positions) OM_TRY(om__walk_new(s->snapshot, s->plan, seed, &s->walk));
    s->layers = s->snapshot->layers;
    s->lines = om_calloc(s->layers, sizeof *s->lines);
    s->line_count = om_calloc(s->layers, sizeof *s->line_count);
    s->step = om_calloc(TICK_HAPPENINGS, sizeof *s->step);
    return s->lines && s->line_count && s->step ? OM_OK : OM_E_MEMORY;
}

static void forget(struct simulation *s)
{
    for (size_t i = 0; s->lines && i < s->layers; i++)
        om_buf_deinit(&s->lines[i]);
    om_free(s->lines);
    om_free(s->line_count);
    om_free(s->step);
    om__client_close(s->client);
    om__walk_free(s->walk);
    om__plan_free(s->plan);
    om_snapshot_unref(s->snapshot);
    om_city_close(s->city);
}

static void say_summary(const struct simulation *s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(s->clock_s, s->snapshot->manifest->zone_s, text);
    printf("{\"clock\":\"%s\",\"rows\":%llu,\"steps\":%llu,\"fixes\":%llu,"
           "\"refused\":%llu,\"missing\":%llu,\"seconds\":%.1f,"
           "\"waited_s\":%.1f}\n",
           text, (unsigned long long)s->rows, (unsigned long long)s->steps,
           (unsigned long long)s->fixes, (unsigned long long)s->refused,
           (unsigned long long)s->missing, om_seconds() - s->began_s,
           s->waited_s);
}

/* What would be sent in so many hours, a line each. */
static om_status print_hours(struct simulation *s, double hours)
{
    const int64_t upto_s = s->start_s + (int64_t)(hours * 3600);
    bool found = true;
    OM_TRY(om__plan_start(s->plan, s->start_s));
    while (found && !stopped) {
        struct om__happening h;
        char at[OM_TIME_TEXT_BYTES];
        struct om_buf out = {0};
        OM_TRY(om__plan_next(s->plan, upto_s, &h, &found));
        if (!found) break;
        om_time_format(h.at_s, s->snapshot->manifest->zone_s, at);
        om_buf_addf(&out, "{\"at\":\"%s\",\"layer\":\"%s\",\"step\":%u,"
                          "\"feature\":",
                    at, om__plan_layer(s->plan, h.layer), h.step);
        om_status st = om__plan_write(s->plan, &h, h.step > 0, &out);
        om_buf_add_text(&out, "}\n");
        if (!st) st = out.status;
        if (!st) fwrite(out.bytes, 1, out.len, stdout);
        om_buf_deinit(&out);
        OM_TRY(st);
    }
    return OM_OK;
}

static void catch_signals(void)
{
    // The second one ends the program at once.
    const struct sigaction action = {.sa_handler = stop,
                                     .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool read_number(const char *text, double min, double max, double *out)
{
    char *end;
    if (!text) return true;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out) && *out >= min && *out <= max;
}

int om__verb_simulate(int argc, char **argv)
{
    const char *city = NULL, *url = NULL, *from = NULL, *speed = NULL;
    const char *seed = NULL, *seconds = NULL, *token = NULL, *print = NULL;
    bool no_positions = false, help;
    size_t operands;
    const struct om_option option[] = {
        {"--url", &url, NULL},
        {"--from", &from, NULL},
        {"--speed", &speed, NULL},
        {"--seed", &seed, NULL},
        {"--for", &seconds, NULL},
        {"--print", &print, NULL},
        {"--in-charge-token-file", &token, NULL},
        {"--no-positions", NULL, &no_positions},
    };
    const int usage = om__options_read("simulate", argc, argv, option,
                                       sizeof option / sizeof *option, &city, 1,
                                       &operands, &help);
    if (usage || help) return usage;
    if (!operands) return om__verb_usage("simulate", "which city?");
    struct simulation s = {.speed = 1};
    double number = 1, hours = 0;
    char secret[256] = "";
    if (!read_number(speed, 0.001, SPEED_MAX, &s.speed))
        return om__verb_usage("simulate", "--speed is from 0.001 to 1000000");
    if (!read_number(seconds, 0.1, 1e9, &s.for_s))
        return om__verb_usage("simulate", "--for is a number of seconds");
    if (!read_number(print, 0, 24 * 366, &hours))
        return om__verb_usage("simulate", "--print is a number of hours");
    if (!read_number(seed, 0, 1e15, &number) || floor(number) != number)
        return om__verb_usage("simulate", "--seed is a whole number");
    if (!url && !print)
        return om__verb_usage("simulate", "--url is missing: which server?");

    struct om_err err = {0};
    catch_signals();
    om_status st = OM_OK;
    if (token) st = read_token(token, secret, sizeof secret, &err);
    if (!st)
        st = prepare(&s, city, from, (uint64_t)number, !no_positions, &err);
    if (!st && print) {
        s.start_s = om_snapshot_now(s.snapshot);
        st = print_hours(&s, hours);
    } else if (!st) {
        st = om__client_open(url, token ? secret : NULL, &s.client, &err);
        if (!st) st = read_clock(&s, &err);
        if (!st) st = om__plan_start(s.plan, s.start_s);
        s.clock_s = s.moved_s = s.start_s;
        if (!st) st = run(&s, &err);
        if (st == OM_E_STOPPED && stopped) st = OM_OK;
        if (!st) om_progress_done("simulate", s.rows + s.steps + s.fixes,
                                  om_seconds() - s.began_s);
        if (!st) say_summary(&s);
    }
    if (st && !err.text[0]) om_fail(&err, st, 0, "%s", om_status_text(st));
    forget(&s);
    return st ? om__verb_fail("simulate", &err) : OM_EXIT_DONE;
}
