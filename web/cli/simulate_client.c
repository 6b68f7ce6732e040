// simulate_client.c - questions to a server over one connection that is kept.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "web/cli/simulate.h"

/* Longer than the server may take for a write, group by group. */
#define PATIENCE_S 60
#define ANSWER_BYTES ((size_t)16 << 20)

struct om__client {
    char host[256], port[8], path[256];
    char token[256];
    int fd;
    struct om_buf head, answer;
};

om_status om__client_open(const char *url, const char *token,
                          struct om__client **out, struct om_err *err)
{
    const char *at = url;
    struct om__client *c = om_calloc(1, sizeof *c);
    if (!c) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    c->fd = -1;
    bool good = !strncmp(at, "http://", 7);
    if (good) at += 7;
    const bool six = *at == '[';
    const size_t host = six ? strcspn(++at, "]") : strcspn(at, ":/");
    good = good && host && host < sizeof c->host;
    if (good) {
        memcpy(c->host, at, host);
        at += host + (six && at[host] == ']');
    }
    strcpy(c->port, "80");
    if (good && *at == ':') {
        const size_t port = strspn(++at, "0123456789");
        good = port && port < sizeof c->port;
        if (good) snprintf(c->port, sizeof c->port, "%.*s", (int)port, at);
        at += port;
    }
    size_t path = strlen(at);
    while (path && at[path - 1] == '/') path--;
    good = good && (!path || *at == '/') && path < sizeof c->path &&
           !strpbrk(at, " ?#\r\n");
    if (good) snprintf(c->path, sizeof c->path, "%.*s", (int)path, at);
    if (good && token)
        good = snprintf(c->token, sizeof c->token, "%s", token) <
               (int)sizeof c->token;
    if (!good) {
        om__client_close(c);
        return om_fail(err, OM_E_FORMAT, 0,
                       "--url %.100s: not http://HOST[:PORT]", url);
    }
    *out = c;
    return OM_OK;
}

static void hang_up(struct om__client *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

void om__client_close(struct om__client *c)
{
    if (!c) return;
    hang_up(c);
    om_buf_deinit(&c->head);
    om_buf_deinit(&c->answer);
    om_free(c);
}

static om_status dial(struct om__client *c, struct om_err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int one = 1;
    struct addrinfo *found = NULL;
    if (getaddrinfo(c->host, c->port, &hints, &found))
        return om_fail(err, OM_E_IO, 0, "%.100s: no such host", c->host);
    int why = ECONNREFUSED;
    for (struct addrinfo *a = found; a && c->fd < 0; a = a->ai_next) {
        c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0) continue;
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!connect(c->fd, a->ai_addr, a->ai_addrlen)) break;
        why = errno;
        hang_up(c);
    }
    freeaddrinfo(found);
    return c->fd >= 0 ? OM_OK
                      : om_fail(err, OM_E_IO, 0, "%.100s:%s: %s", c->host,
                                c->port, strerror(why));
}

static bool send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Value of a header line, in the head that ends at `end`; NULL: none. */
static const char *header(const char *head, const char *end, const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = head; at < end; at += 2) {
        if (!strncasecmp(at, name, len) && at[len] == ':') {
            at += len + 1;
            while (*at == ' ') at++;
            return at;
        }
        at = strstr(at, "\r\n");
        if (!at) break;
    }
    return NULL;
}

/* Until `more` says that all is there. */
static bool receive(struct om__client *c)
{
    if (om_buf_reserve(&c->answer, 16384)) return false;
    for (;;) {
        const ssize_t n =
            recv(c->fd, c->answer.bytes + c->answer.len,
                 c->answer.room - c->answer.len - 1, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        c->answer.len += (size_t)n;
        c->answer.bytes[c->answer.len] = '\0';
        return true;
    }
}

/* One answer, whose length its head says: our servers' all do. */
static bool read_answer(struct om__client *c, struct om__said *out)
{
    char *end = NULL;
    om_buf_clear(&c->answer);
    c->answer.max = ANSWER_BYTES;
    while (!end) {
        if (!receive(c)) return false;
        end = strstr((char *)c->answer.bytes, "\r\n\r\n");
        // 100 Continue is not the answer.
        if (end && !strncmp((char *)c->answer.bytes, "HTTP/1.1 100", 12)) {
            const size_t skip = (size_t)(end + 4 - (char *)c->answer.bytes);
            memmove(c->answer.bytes, end + 4, c->answer.len - skip + 1);
            c->answer.len -= skip;
            end = strstr((char *)c->answer.bytes, "\r\n\r\n");
        }
    }
    const size_t head = (size_t)(end + 4 - (char *)c->answer.bytes);
    const char *length =
        header((char *)c->answer.bytes, end, "Content-Length");
    const unsigned long long body = length ? strtoull(length, NULL, 10) : 0;
    if (body > ANSWER_BYTES) return false;
    while (c->answer.len < head + body)
        if (!receive(c)) return false;
    const char *text = (char *)c->answer.bytes;
    end = strstr((char *)c->answer.bytes, "\r\n\r\n");
    const char *retry = header(text, end, "Retry-After");
    const char *closes = header(text, end, "Connection");
    *out = (struct om__said){
        .status = (unsigned)strtoul(text + 9, NULL, 10),
        .retry_after_s = retry ? strtod(retry, NULL) : 0,
        .body = text + head,
        .len = (size_t)body};
    if (closes && !strncasecmp(closes, "close", 5)) hang_up(c);
    return !strncmp(text, "HTTP/1.1 ", 9);
}

om_status om__client_ask(struct om__client *c, const char *method,
                         const char *path, const char *headers,
                         const char *type, const struct om_buf *body,
                         struct om__said *out, struct om_err *err)
{
    const bool six = strchr(c->host, ':') != NULL;
    om_buf_clear(&c->head);
    om_buf_addf(&c->head, "%s %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n", method,
                c->path, path, six ? "[" : "", c->host, six ? "]" : "",
                c->port);
    if (c->token[0])
        om_buf_addf(&c->head, "Authorization: Bearer %s\r\n", c->token);
    if (headers) om_buf_add_text(&c->head, headers);
    if (body)
        om_buf_addf(&c->head, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                    type, body->len);
    om_buf_add_text(&c->head, "\r\n");
    if (c->head.status) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    // A connection that was kept may have been closed meanwhile: once more.
    for (int tries = c->fd >= 0 ? 0 : 1; tries < 2; tries++) {
        if (c->fd < 0) OM_TRY(dial(c, err));
        if (send_all(c->fd, c->head.bytes, c->head.len) &&
            (!body || send_all(c->fd, body->bytes, body->len)) &&
            read_answer(c, out))
            return OM_OK;
        hang_up(c);
    }
    return om_fail(err, OM_E_IO, 0, "%.100s:%s: the connection was lost",
                   c->host, c->port);
}
