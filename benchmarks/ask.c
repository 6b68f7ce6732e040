/* ask.c - a client for servers of tiles: many connections, a list of targets.
 *
 *     ask [-c CONNECTIONS] [-s SECONDS [-r RATE]] [-z] [-o FILE] [-w FOLDER]
 *         PORT LIST
 *
 * LIST has a target of http://127.0.0.1:PORT a line. Without -s each is asked
 * once, in the order of the list; with -s round and round until the time is
 * up. Each connection asks, reads the whole answer and asks again (keep-alive;
 * an answer without a length ends with its connection, which is opened anew).
 * -r: so many requests a second are due, whatever the answers do, and latency
 * counts from the moment at which a request was due.
 * -z: Accept-Encoding: gzip. -o: for each answer its target, status, bytes and
 * seconds, a line. -w: bodies into FOLDER, each under its target. CONNECTIONS
 * is 64 if not given.
 *
 * One line is printed:
 *     answers seconds p50 p99 longest bytes_median bytes_p99 bytes_most bytes
 *     answers_not_200 hash
 * Latencies are from before the request is written (or when it was due) until
 * the last byte of its answer is read. hash is of all bodies, whatever their
 * order; 0 with -s. An answer that cannot be read ends the program with
 * status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"

#define CONNECTIONS_MOST 1024
/* Room for an answer: vector tiles of peers without a bound reach 101 MB. */
#define ANSWER_ROOM_FIRST 65536
#define ANSWER_BYTES_MOST ((size_t)1 << 30)
#define TARGET_BYTES 1024

struct connection {
    int fd;
    const char *target;  // what it asked for, NULL when idle
    double asked;
    char *in;
    size_t room, len, head, body;  // head: bytes before the body, 0 unread
    bool until_close, closing;
    int status;
    struct connection *idle;  // next
};

struct client {
    struct sockaddr_in server;
    int epoll;
    char **target;
    size_t targets, next, answers, bad;
    double until;  // 0: each once
    double rate, start;
    size_t asked;
    struct connection *idle, **idle_end;  // that wait until a request is due
    bool gzip;
    FILE *each;
    const char *folder;
    struct bench_samples latency, bytes;
    uint64_t sum, hash;
};

static void fail(const char *why, const char *what)
{
    fprintf(stderr, "ask: %s %s\n", why, what ? what : "");
    exit(1);
}

static void read_list(struct client *c, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[TARGET_BYTES];
    size_t room = 0;
    if (!file) fail("cannot read", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!*line) continue;
        if (c->targets == room) {
            room = room ? room * 2 : 1024;
            c->target = realloc(c->target, room * sizeof *c->target);
            if (!c->target) fail("no memory", NULL);
        }
        c->target[c->targets] = strdup(line);
        if (!c->target[c->targets++]) fail("no memory", NULL);
    }
    fclose(file);
    if (!c->targets) fail("nothing to ask for in", path);
}

static void connect_to(struct client *c, struct connection *k)
{
    const int on = 1;
    k->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (k->fd < 0 ||
        connect(k->fd, (struct sockaddr *)&c->server, sizeof c->server))
        fail("cannot connect:", strerror(errno));
    setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = k};
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, k->fd, &event))
        fail("epoll:", strerror(errno));
}

/* When the next request is due: now, or as the rate says. */
static double next_due(const struct client *c, double now)
{
    return c->rate > 0 ? c->start + (double)c->asked / c->rate : now;
}

/* The next target, if there is one and it is its time. A request fits into an
 * empty socket's buffer, so that writing it does not wait. */
static bool ask_next(struct client *c, struct connection *k)
{
    char request[TARGET_BYTES + 256];
    const double now = bench_now(), due = next_due(c, now);
    k->target = NULL;
    if (c->until > 0) {
        if (due >= c->until) return false;
        if (due > now) {
            // At the end: none is idle so long that the server closes it.
            k->idle = NULL;
            *c->idle_end = k;
            c->idle_end = &k->idle;
            return false;
        }
        if (c->next == c->targets) c->next = 0;
    } else if (c->next == c->targets)
        return false;
    k->target = c->target[c->next++];
    k->len = k->head = k->body = 0;
    k->until_close = k->closing = false;
    const int len = snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
        k->target, c->gzip ? "Accept-Encoding: gzip\r\n" : "");
    k->asked = due;
    c->asked++;
    if (write(k->fd, request, (size_t)len) != len)
        fail("cannot write:", strerror(errno));
    return true;
}

/* True once the head is there; then where the body starts and ends is known. */
static bool read_head(struct connection *k)
{
    char *end = memmem(k->in, k->len, "\r\n\r\n", 4);
    if (!end) return false;
    *end = 0;
    k->head = (size_t)(end - k->in) + 4;
    if (sscanf(k->in, "HTTP/1.%*d %d", &k->status) != 1)
        fail("not HTTP:", k->target);
    const char *length = strcasestr(k->in, "\r\nContent-Length:");
    if (strcasestr(k->in, "\r\nTransfer-Encoding:"))
        fail("in chunks:", k->target);
    k->closing = strcasestr(k->in, "\r\nConnection: close") != NULL;
    if (length)
        k->body = strtoull(length + 17, NULL, 10);
    else if (k->status != 204 && k->status != 304)
        k->until_close = k->closing = true;
    return true;
}

static void keep_body(const struct client *c, const struct connection *k)
{
    char path[2 * TARGET_BYTES];
    snprintf(path, sizeof path, "%s%s", c->folder, k->target);
    for (char *p = path + strlen(c->folder) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(path, 0755);
        *p = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file || fwrite(k->in + k->head, 1, k->body, file) != k->body ||
        fclose(file))
        fail("cannot write", path);
}

static void answered(struct client *c, struct connection *k)
{
    const double took = bench_now() - k->asked;
    bench_add(&c->latency, took);
    bench_add(&c->bytes, (double)k->body);
    c->sum += k->body;
    c->answers++;
    if (k->status != 200) c->bad++;
    if (!(c->until > 0)) c->hash ^= om_hash64(k->in + k->head, k->body, 0);
    if (c->each)
        fprintf(c->each, "%s %d %zu %.6f\n", k->target, k->status, k->body,
                took);
    if (c->folder) keep_body(c, k);
}

/* True while the connection has something under way. */
static bool go_on(struct client *c, struct connection *k)
{
    if (k->len == k->room) {
        k->room *= 2;
        k->in = k->room > ANSWER_BYTES_MOST ? NULL : realloc(k->in, k->room);
        if (!k->in) fail("too large:", k->target);
    }
    const ssize_t got = read(k->fd, k->in + k->len, k->room - k->len);
    if (got < 0) fail("cannot read:", strerror(errno));
    k->len += (size_t)got;
    if (!k->head && !read_head(k) && got) return true;
    if (!got) {
        if (!k->head || !k->until_close) fail("closed early:", k->target);
        k->body = k->len - k->head;
    } else if (k->until_close || k->len < k->head + k->body)
        return true;
    if (k->len > k->head + k->body) fail("more than asked:", k->target);
    answered(c, k);
    if (k->closing) {
        close(k->fd);
        connect_to(c, k);
    }
    return ask_next(c, k);
}

/* Let idle connections ask for what is due by now; how many do. */
static size_t ask_due(struct client *c)
{
    size_t asked = 0;
    while (c->idle && next_due(c, 0) <= bench_now()) {
        struct connection *k = c->idle;
        c->idle = k->idle;
        if (!c->idle) c->idle_end = &c->idle;
        if (!ask_next(c, k)) break;
        asked++;
    }
    return asked;
}

static struct timespec span(double seconds)
{
    const double s = seconds > 0 ? seconds : 0;
    return (struct timespec){(time_t)s, (long)((s - floor(s)) * 1e9)};
}

static void run(struct client *c, size_t connections)
{
    struct connection *all = calloc(connections, sizeof *all);
    struct epoll_event event[64];
    size_t busy = 0;
    if (!all) fail("no memory", NULL);
    for (size_t i = 0; i < connections; i++) {
        all[i].room = ANSWER_ROOM_FIRST;
        all[i].in = malloc(all[i].room);
        if (!all[i].in) fail("no memory", NULL);
        connect_to(c, &all[i]);
    }
    for (size_t i = 0; i < connections; i++)
        if (ask_next(c, &all[i])) busy++;
    while (busy || (c->idle && next_due(c, 0) < c->until)) {
        const struct timespec wait =
            span(c->idle ? next_due(c, 0) - bench_now() : 600);
        const int n = epoll_pwait2(c->epoll, event, 64, &wait, NULL);
        if (n <= 0 && errno != EINTR && !c->idle)
            fail("no answer in ten minutes", NULL);
        for (int i = 0; i < n; i++)
            if (!go_on(c, event[i].data.ptr)) busy--;
        busy += ask_due(c);
    }
    for (size_t i = 0; i < connections; i++) {
        close(all[i].fd);
        free(all[i].in);
    }
    free(all);
}

int main(int argc, char **argv)
{
    struct client c = {0};
    size_t connections = 64;
    double seconds = 0;
    for (int option; (option = getopt(argc, argv, "c:s:r:zo:w:")) != -1;)
        switch (option) {
            case 'c':
                connections = strtoul(optarg, NULL, 10);
                break;
            case 's':
                seconds = strtod(optarg, NULL);
                break;
            case 'r':
                c.rate = strtod(optarg, NULL);
                break;
            case 'z':
                c.gzip = true;
                break;
            case 'o':
                c.each = fopen(optarg, "w");
                if (!c.each) fail("cannot write", optarg);
                break;
            case 'w':
                c.folder = optarg;
                break;
            default:
                return 2;
        }
    if (argc - optind != 2 || !connections || connections > CONNECTIONS_MOST)
        fail(
            "usage: ask [-c N] [-s SECONDS [-r RATE]] [-z] [-o FILE] "
            "[-w FOLDER]",
            "PORT LIST");
    c.server = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(argv[optind], NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    read_list(&c, argv[optind + 1]);
    c.idle_end = &c.idle;
    c.epoll = epoll_create1(0);
    if (c.epoll < 0) fail("epoll:", strerror(errno));

    const double start = c.start = bench_now();
    c.until = seconds > 0 ? start + seconds : 0;
    run(&c, connections);
    const double took = bench_now() - start;
    printf("%zu %.6f %.6f %.6f %.6f %.0f %.0f %.0f %llu %zu %016llx\n",
           c.answers, took, bench_percentile(&c.latency, 0.5),
           bench_percentile(&c.latency, 0.99),
           bench_percentile(&c.latency, 1.0), bench_percentile(&c.bytes, 0.5),
           bench_percentile(&c.bytes, 0.99), bench_percentile(&c.bytes, 1.0),
           (unsigned long long)c.sum, c.bad, (unsigned long long)c.hash);
    if (c.each && fclose(c.each)) fail("cannot write", "what -o names");
    bench_free(&c.latency);
    bench_free(&c.bytes);
    for (size_t i = 0; i < c.targets; i++) free(c.target[i]);
    free(c.target);
    close(c.epoll);
    return 0;
}
