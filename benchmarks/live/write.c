/* write.c - clients that write rows: many connections, at a rate or at once.
 *
 *     write [-c CONNECTIONS] [-r RATE] [-s SECONDS] [-b ROWS] [-u IDS]
 *           PORT LAYER W,S,E,N PROPERTIES
 *
 * Each request POSTs a Feature to a layer of http://127.0.0.1:PORT, with an id
 * of its own, at a random place in the box, with PROPERTIES (JSON members such
 * as "severity":2). -r: so many requests a second are due, whatever the answers
 * do, and latency counts from the moment at which a request was due: a server
 * that stalls is charged for all that waits. Without -r each connection writes
 * again when it has its answer. -b: lines of so many rows instead. -u: the same
 * IDS ids over and over, so that from the second time on rows are changed.
 *
 * One line is printed:
 *     answers seconds p50 p99 longest rows not_2xx
 * An answer that cannot be read ends the program with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "benchmarks/bench.h"

#define CONNECTIONS_MOST 1024
#define ANSWER_BYTES 65536

struct connection {
    int fd;
    double due;
    char *out;
    size_t out_len, sent;
    char in[ANSWER_BYTES];
    size_t in_len;
    struct connection *idle;  // next
};

struct client {
    struct sockaddr_in server;
    int epoll;
    const char *layer, *properties;
    double box[4], rate, start, until;
    size_t rows_each, ids, asked, answers, bad, rows;
    uint64_t seed, run;
    struct connection *idle, **last;  // in turn: none is idle until it is closed
    struct bench_samples latency;
};

static void fail(const char *why, const char *what)
{
    fprintf(stderr, "write: %s %s\n", why, what ? what : "");
    exit(1);
}

static double dice(struct client *c)
{
    return (double)(bench_random(&c->seed) >> 11) / 9007199254740992.0;
}

static void connect_to(struct client *c, struct connection *k)
{
    const int on = 1;
    k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (k->fd < 0) fail("socket:", strerror(errno));
    if (connect(k->fd, (struct sockaddr *)&c->server, sizeof c->server) &&
        errno != EINPROGRESS)
        fail("cannot connect:", strerror(errno));
    setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                .data.ptr = k};
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, k->fd, &event))
        fail("epoll:", strerror(errno));
}

/* Row number `n` of this client as a Feature; its length. */
static size_t make_row(struct client *c, size_t n, char *out, size_t room)
{
    return (size_t)snprintf(
        out, room,
        "{\"type\":\"Feature\",\"id\":\"B%llx-%zu\",\"geometry\":{\"type\":"
        "\"Point\",\"coordinates\":[%.7f,%.7f]},\"properties\":{%s}}\n",
        (unsigned long long)c->run, c->ids ? n % c->ids : n,
        c->box[0] + (c->box[2] - c->box[0]) * dice(c),
        c->box[1] + (c->box[3] - c->box[1]) * dice(c), c->properties);
}

/* The request into the connection's buffer. */
static void make(struct client *c, struct connection *k)
{
    const size_t rows = c->rows_each ? c->rows_each : 1;
    const size_t row = strlen(c->properties) + 200;
    char *body = malloc(rows * row);
    size_t len = 0;
    if (!body) fail("no memory", NULL);
    for (size_t i = 0; i < rows; i++)
        len += make_row(c, c->asked * rows + i, body + len, row);
    k->out = malloc(len + 512);
    if (!k->out) fail("no memory", NULL);
    k->out_len = (size_t)snprintf(
        k->out, 512,
        "POST /collections/%s/items%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/%s\r\nContent-Length: %zu\r\n\r\n",
        c->layer, c->ids ? "?upsert=true" : "",
        c->rows_each ? "x-ndjson" : "geo+json", len);
    memcpy(k->out + k->out_len, body, len);
    k->out_len += len;
    k->sent = k->in_len = 0;
    free(body);
}

static void send_more(struct connection *k)
{
    while (k->out && k->sent < k->out_len) {
        const ssize_t n = write(k->fd, k->out + k->sent, k->out_len - k->sent);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
        if (n < 0) fail("cannot write:", strerror(errno));
        k->sent += (size_t)n;
    }
}

/* Has the whole answer come? */
static bool read_answer(struct connection *k, int *status)
{
    for (;;) {
        const size_t room = sizeof k->in - 1 - k->in_len;
        if (!room) fail("an answer is too long", NULL);
        const ssize_t n = read(k->fd, k->in + k->in_len, room);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) fail("cannot read:", strerror(errno));
        if (n == 0) fail("closed early", NULL);
        k->in_len += (size_t)n;
    }
    k->in[k->in_len] = '\0';
    const char *end = strstr(k->in, "\r\n\r\n");
    if (!end) return false;
    const char *length = strcasestr(k->in, "\r\nContent-Length:");
    const size_t body = length ? strtoull(length + 17, NULL, 10) : 0;
    if (k->in_len < (size_t)(end - k->in) + 4 + body) return false;
    if (sscanf(k->in, "HTTP/1.%*d %d", status) != 1) fail("not HTTP", NULL);
    return true;
}

static void put_back(struct client *c, struct connection *k)
{
    k->idle = NULL;
    *c->last = k;
    c->last = &k->idle;
}

static void event(struct client *c, struct connection *k)
{
    int status;
    send_more(k);
    if (!k->out || k->sent < k->out_len || !read_answer(k, &status)) return;
    bench_add(&c->latency, bench_now() - k->due);
    c->answers++;
    if (status / 100 == 2)
        c->rows += c->rows_each ? c->rows_each : 1;
    else if (c->bad++ < 3)
        fprintf(stderr, "write: %.600s\n", k->in);
    free(k->out);
    k->out = NULL;
    put_back(c, k);
}

/* Ask what is due on what is idle; seconds until the next is. */
static double ask(struct client *c)
{
    for (;;) {
        const double now = bench_now();
        const double due =
            c->rate > 0 ? c->start + (double)c->asked / c->rate : now;
        if (due >= c->until) return 3600;
        if (due > now) return due - now;
        struct connection *k = c->idle;
        if (!k) return 3600;
        c->idle = k->idle;
        if (!c->idle) c->last = &c->idle;
        k->due = due;
        make(c, k);
        c->asked++;
        send_more(k);
    }
}

static void run(struct client *c, size_t connections, double seconds)
{
    struct epoll_event events[64];
    struct connection *all = calloc(connections, sizeof *all);
    if (!all) fail("no memory", NULL);
    c->last = &c->idle;
    for (size_t i = 0; i < connections; i++) {
        connect_to(c, &all[i]);
        put_back(c, &all[i]);
    }
    c->start = bench_now();
    c->until = c->start + seconds;
    const double last = c->until + 60;
    while (bench_now() < last) {
        const double wait = ask(c);
        if (c->answers == c->asked && bench_now() >= c->until) break;
        const struct timespec limit = {
            (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
        const struct timespec most = {0, 200000000};
        const int n = epoll_pwait2(c->epoll, events, 64,
                                   wait > 0.2 ? &most : &limit, NULL);
        for (int i = 0; i < n; i++) event(c, events[i].data.ptr);
    }
    if (c->answers < c->asked) fail("answers are missing", NULL);
    for (size_t i = 0; i < connections; i++) close(all[i].fd);
    free(all);
}

int main(int argc, char **argv)
{
    struct client c = {.seed = 7};
    size_t connections = 64;
    double seconds = 10;
    for (int option; (option = getopt(argc, argv, "c:r:s:b:u:")) != -1;)
        switch (option) {
            case 'c':
                connections = strtoul(optarg, NULL, 10);
                break;
            case 'r':
                c.rate = strtod(optarg, NULL);
                break;
            case 's':
                seconds = strtod(optarg, NULL);
                break;
            case 'b':
                c.rows_each = strtoul(optarg, NULL, 10);
                break;
            case 'u':
                c.ids = strtoul(optarg, NULL, 10);
                break;
            default:
                return 2;
        }
    if (argc - optind != 4 || !connections || connections > CONNECTIONS_MOST ||
        sscanf(argv[optind + 2], "%lf,%lf,%lf,%lf", &c.box[0], &c.box[1],
               &c.box[2], &c.box[3]) != 4)
        fail(
            "usage: write [-c N] [-r RATE] [-s SECONDS] [-b ROWS] "
            "[-u IDS]",
            "PORT LAYER W,S,E,N PROPERTIES");
    c.server = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(argv[optind], NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c.layer = argv[optind + 1];
    c.properties = argv[optind + 3];
    c.run = (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    c.seed += c.run;
    c.epoll = epoll_create1(0);
    if (c.epoll < 0) fail("epoll:", strerror(errno));
    run(&c, connections, seconds);
    printf("%zu %.6f %.6f %.6f %.6f %zu %zu\n", c.answers,
           bench_now() - c.start, bench_percentile(&c.latency, 0.5),
           bench_percentile(&c.latency, 0.99),
           bench_percentile(&c.latency, 1.0), c.rows, c.bad);
    bench_free(&c.latency);
    close(c.epoll);
    return 0;
}
