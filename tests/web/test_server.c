/* The server under failing allocations, and under many writers.
 *
 * Plan
 *   fault_start   whichever allocation fails while it starts: a status comes
 *                 back and nothing is left behind
 *   fault_answer  whichever fails while it answers: a status or a closed
 *                 connection, and the next request is answered
 *   fault_write   whichever fails while it writes: what was acknowledged is
 *                 there, what was not is there whole or not at all
 *   tile_*        a tile that is drawn while a write is told and not yet shown:
 *                 who has it gets the new one afterwards
 *   writers_*     threads that write, change and remove rows, each of which
 *                 finds what it was told (for ThreadSanitizer)
 * What it answers otherwise is looked at from outside: server.test.mjs.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"  // where a write can be held
#include "tests/folder.h"
#include "web/cli/verb.h"
#include "web/server/server.h"

static char folder[512], city[600];

static void write_points(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("lon,lat,id,kind,weight\n", f);
    for (int i = 0; i < 500; i++)
        fprintf(f, "%.6f,%.6f,P%03d,%s,%d\n", 113.5 + i % 25 * 0.004,
                22.8 + i / 25 * 0.004, i, i % 3 ? "shop" : "home", i % 7);
    fclose(f);
}

static int make_city(void **state)
{
    (void)state;
    if (!test_folder("onemap-server", folder, sizeof folder)) return -1;
    char points[600];
    snprintf(points, sizeof points, "%s/points.csv", folder);
    snprintf(city, sizeof city, "%s/city", folder);
    write_points(points);
    om_progress_quiet(true);
    om_log_set_level(OM_LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    char *argv[] = {"import", city,  "place", points, "--x", "lon",
                    "--y",    "lat", "--id",  "id",   NULL};
    return om__verb_import(10, argv);
}

static int drop_city(void **state)
{
    (void)state;
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct om_server_options options(void)
{
    return (struct om_server_options){.city = city,
                                      .listen = "127.0.0.1:0",
                                      .threads = 1,
                                      .workers = 1,
                                      .cache_bytes = 1 << 20};
}

static void fault_start(void **state)
{
    (void)state;
    const struct om_server_options o = options();
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_server *server = NULL;
        struct om_err err = {0};
        om_alloc_fail_after(n, false);
        st = om_server_start(&o, &server, &err);
        om_alloc_fail_after(0, false);
        if (st) {
            assert_null(server);
            assert_true(err.text[0]);
        }
        om_server_stop(st ? NULL : server);
        assert_int_equal(om_alloc_live(), live);
        assert_true(n < 100000);
    }
}

/* The status of one request with a body (NULL: none) and more lines of its
 * head; 0 where the connection was closed instead. text: the answer's first
 * bytes. */
static int exchange(const char *address, const char *method, const char *target,
                    const char *more, const char *body, char text[4096])
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(colon + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 20};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    char about[100] = "";
    if (body)
        snprintf(about, sizeof about,
                 "Content-Type: application/geo+json\r\n"
                 "Content-Length: %zu\r\n",
                 strlen(body));
    const int len = snprintf(text, 4096,
                             "%s %s HTTP/1.1\r\nHost: localhost\r\n"
                             "Accept-Encoding: gzip\r\n%s%s"
                             "Connection: close\r\n\r\n%s",
                             method, target, about, more, body ? body : "");
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got + 1 < 4096; got += (size_t)n) {
        n = recv(fd, text + got, 4096 - 1 - got, 0);
        if (n < 0) n = 0;
    }
    text[got] = '\0';
    close(fd);
    int status = 0;
    if (got) assert_int_equal(sscanf(text, "HTTP/1.1 %d ", &status), 1);
    return status;
}

static int ask_with(const char *address, const char *method, const char *target,
                    const char *body)
{
    char text[4096];
    return exchange(address, method, target, "", body, text);
}

static int ask(const char *address, const char *target)
{
    return ask_with(address, "GET", target, NULL);
}

static int write_row(const char *address, const char *method, const char *id,
                     int weight)
{
    char body[300], target[100];
    const bool one = strcmp(method, "POST") != 0;
    snprintf(target, sizeof target, "/collections/place/items%s%s",
             one ? "/" : "", one ? id : "");
    snprintf(body, sizeof body,
             "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":"
             "\"Point\",\"coordinates\":[113.5%02d,22.85]},\"properties\":{"
             "\"kind\":\"shop\",\"weight\":%d}}",
             id, weight % 100, weight);
    return ask_with(address, method, target,
                    strcmp(method, "DELETE") ? body : NULL);
}

static int see_row(const char *address, const char *id)
{
    char target[100];
    snprintf(target, sizeof target, "/collections/place/items/%s", id);
    return ask(address, target);
}

static void fault_write(void **state)
{
    (void)state;
    const struct om_server_options o = options();
    struct om_server *server = NULL;
    struct om_err err = {0};
    assert_int_equal(om_server_start(&o, &server, &err), OM_OK);
    const char *address = om_server_address(server);
    bool acknowledged[160] = {false};
    for (int n = 1; n < 160; n++) {
        char id[24];
        snprintf(id, sizeof id, "F%d", n);
        om_alloc_fail_after((size_t)n, false);
        const int status = write_row(address, "POST", id, n);
        om_alloc_fail_after(0, false);
        acknowledged[n] = status == 201;
        if (status != 0 && status != 201 && status != 503)
            fail_msg("allocation %d failing: %d", n, status);
        assert_int_equal(write_row(address, "PUT", "other", n) / 100, 2);
    }
    om_server_stop(server);
    assert_int_equal(om_server_start(&o, &server, &err), OM_OK);
    int all = 0;
    for (int n = 1; n < 160; n++) {
        char id[24];
        snprintf(id, sizeof id, "F%d", n);
        const int status = see_row(om_server_address(server), id);
        if (acknowledged[n]) assert_int_equal(status, 200);
        if (!acknowledged[n]) assert_true(status == 200 || status == 404);
        all += acknowledged[n];
    }
    assert_true(all > 20);
    om_server_stop(server);
}

enum { WRITERS = 8, ROUNDS = 30 };

struct writer {
    pthread_t thread;
    const char *address;
    int number, wrong;
};

static void *keep_writing(void *ctx)
{
    struct writer *w = ctx;
    char id[24], page[120];
    bool there = false;
    snprintf(id, sizeof id, "W%d", w->number);
    for (int i = 0; i < ROUNDS; i++) {
        const char *method = !there       ? "POST"
                             : i % 3 == 0 ? "DELETE"
                             : i % 3 == 1 ? "PATCH"
                                          : "PUT";
        const int status = write_row(w->address, method, id, i);
        w->wrong += status / 100 != 2;
        there = strcmp(method, "DELETE") != 0;
        w->wrong += see_row(w->address, id) != (there ? 200 : 404);
        snprintf(page, sizeof page,
                 "/collections/place/items?limit=3&filter=weight+%%3C+%d", i);
        w->wrong += ask(w->address, page) != 200;
        w->wrong += ask(w->address, "/tiles/place/12/3340/1780.mvt") / 100 != 2;
    }
    if (there) w->wrong += write_row(w->address, "DELETE", id, 0) != 204;
    return NULL;
}

static void writers_find_what_they_were_told(void **state)
{
    (void)state;
    struct om_server_options o = options();
    struct om_server *server = NULL;
    struct om_err err = {0};
    struct writer writer[WRITERS] = {0};
    o.threads = 2;
    assert_int_equal(om_server_start(&o, &server, &err), OM_OK);
    for (int i = 0; i < WRITERS; i++) {
        writer[i] =
            (struct writer){.address = om_server_address(server), .number = i};
        assert_int_equal(
            pthread_create(&writer[i].thread, NULL, keep_writing, &writer[i]),
            0);
    }
    // Whoever runs the server looks at it and reloads it meanwhile.
    for (int i = 0; i < 10; i++) {
        assert_int_equal(om_server_reload(server, &o, &err), OM_OK);
        assert_int_equal(ask(om_server_address(server), "/metrics"), 200);
        assert_int_equal(ask(om_server_address(server), "/ready"), 200);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writer[i].thread, NULL);
        assert_int_equal(writer[i].wrong, 0);
    }
    om_server_stop(server);
}

/* A write that is told to be there and not shown, until it is let go. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static enum { NOT_HELD, HOLDS, HELD } held;
static void hold_told(const char *step)
{
    pthread_mutex_lock(&gate);
    if (held == HOLDS && !strcmp(step, "told")) {
        held = HELD;
        pthread_cond_broadcast(&moved);
        while (held == HELD) pthread_cond_wait(&moved, &gate);
    }
    pthread_mutex_unlock(&gate);
}

static void *write_held(void *address)
{
    const int status = write_row(address, "POST", "HELD", 50);
    return status == 201 ? address : NULL;
}

/* The tile with its ETag in a line that asks for another one. */
static int tile_of(const char *address, const char *more, char none_match[120])
{
    char text[4096];
    const int status =
        exchange(address, "GET", "/tiles/place/0/0/0.mvt", more, NULL, text);
    const char *etag = strstr(text, "\nETag: ");
    assert_non_null(etag);
    snprintf(none_match, 120, "If-None-Match: %.*s\r\n",
             (int)strcspn(etag + 7, "\r"), etag + 7);
    return status;
}

static void tile_before_a_write_is_shown_is_not_kept_after(void **state)
{
    (void)state;
    struct om_server_options o = options();
    struct om_server *server = NULL;
    struct om_err err = {0};
    char before[120], during[120], after[120];
    o.threads = 2;
    om__live_die = hold_told;
    assert_int_equal(om_server_start(&o, &server, &err), OM_OK);
    const char *address = om_server_address(server);
    assert_int_equal(tile_of(address, "", before), 200);
    assert_int_equal(tile_of(address, before, after), 304);

    pthread_t writer;
    void *written;
    pthread_mutex_lock(&gate);
    held = HOLDS;
    assert_int_equal(
        pthread_create(&writer, NULL, write_held, (void *)(uintptr_t)address),
        0);
    while (held != HELD) pthread_cond_wait(&moved, &gate);
    pthread_mutex_unlock(&gate);
    assert_int_equal(see_row(address, "HELD"), 404);
    assert_int_equal(tile_of(address, "", during), 200);
    pthread_mutex_lock(&gate);
    held = NOT_HELD;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&gate);
    pthread_join(writer, &written);
    assert_non_null(written);

    assert_int_equal(see_row(address, "HELD"), 200);
    assert_int_equal(tile_of(address, during, after), 200);
    assert_string_not_equal(after, during);
    assert_int_equal(tile_of(address, before, after), 200);
    assert_int_equal(tile_of(address, after, during), 304);
    assert_int_equal(write_row(address, "DELETE", "HELD", 0), 204);
    om_server_stop(server);
    om__live_die = NULL;
}

static void fault_answer(void **state)
{
    (void)state;
    static const char *const target[] = {
        "/collections",
        "/stats/place?by=kind&filter=weight+%3E+%zu",
        "/tiles/heat:place/12/3340/1780.png?filter=weight+%3C%3E+%zu",
        "/value?name=heat:place&lon=113.55&lat=22.82&bandwidth=1%zu",
        "/collections/place/items?limit=20&filter=weight+%3C+%zu",
        "/collections/place/items/P007",
        "/metrics",
        "/nothing",
    };
    const struct om_server_options o = options();
    struct om_server *server = NULL;
    struct om_err err = {0};
    assert_int_equal(om_server_start(&o, &server, &err), OM_OK);
    const char *address = om_server_address(server);
    for (size_t t = 0; t < sizeof target / sizeof *target; t++)
        for (size_t n = 1; n < 120; n++) {
            // Another question each time: what is kept needs no memory.
            char text[200], number[24];
            snprintf(number, sizeof number, "%zu", n + 200);
            const char *hole = strstr(target[t], "%zu");
            snprintf(
                text, sizeof text, "%.*s%s",
                (int)(hole ? (size_t)(hole - target[t]) : strlen(target[t])),
                target[t], hole ? number : "");
            om_alloc_fail_after(n, false);
            const int status = ask(address, text);
            om_alloc_fail_after(0, false);
            if (status != 0 && status != 200 && status != 503 &&
                !(status == 404 && t == 7))
                fail_msg("%s with allocation %zu failing: %d", text, n, status);
        }
    for (size_t t = 0; t < sizeof target / sizeof *target; t++)
        if (!strstr(target[t], "%zu"))
            assert_int_equal(ask(address, target[t]), t == 7 ? 404 : 200);
    om_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_start),
        cmocka_unit_test(fault_answer),
        cmocka_unit_test(fault_write),
        cmocka_unit_test(tile_before_a_write_is_shown_is_not_kept_after),
        cmocka_unit_test(writers_find_what_they_were_told),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
