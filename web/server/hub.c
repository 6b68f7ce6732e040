/* hub.c - many listeners, one thread.
 *
 * DESIGN
 * A listener is a socket that we write to ourselves: the library's connection
 * behind it is suspended and does not touch it (stream_routes.c). We rejected
 * the library's own way, a callback that is asked for more bytes: to wait it
 * must suspend, a suspended connection does not notice that its client has
 * left, and telling 1,000 listeners would wake 1,000 of them through two locks
 * each. Here one thread has all sockets in one epoll, which says at once who
 * has left, and an event is written once and shared by all who listen to the
 * same layers.
 *
 * (1) What is published is gathered (told.h) under news_lock, which is held for
 *     microseconds only: whoever publishes never waits for a listener.
 * (2) A telling takes what was gathered, then, under `lock`, gives it to all
 *     listeners and moves `told`. A listener joins under `lock`, too: what is
 *     above the number it is given it will get, what is not it looks up.
 * (3) Only the thread writes to sockets and ends listeners that have started.
 *     The newest OM__HUB_MEMORY changes are remembered, so that a thousand who
 *     come back after a short break do not all read the journal.
 * (4) Nobody is waited for: a listener that is OM__HUB_BEHIND events or
 *     buffer_bytes behind, or takes no byte for slow_ms, is let go; it comes
 *     back with the last id that it has seen.
 */
#include "web/server/hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/log.h"

/* Events that a listener may be behind: a quarter of a minute of a busy city.
 */
#define OM__HUB_BEHIND 64
/* Of these, as many are looked at before whoever publishes may go on. */
#define AT_ONCE 1024
/* Bytes that the system buffers for a listener beside ours: its own default
 * grows to megabytes for those that do not read. */
#define SOCKET_BYTES (64 << 10)
#define EVENTS 256

/* Bytes on their way to many. Counts change under `lock` only. */
struct block {
    size_t refs, len;
    uint8_t *bytes;
};

struct om__listener {
    struct om__hub *hub;
    struct om__listener *next, *previous;
    int fd;  // -1: not started
    bool lost, ended;
    uint64_t client, who;
    char wall[OM__WALL_BYTES];  // "": none
    void (*gone)(void *ctx);
    void *ctx;
    double stuck_s;  // since when it takes nothing; 0: it does
    size_t first, count, sent, bytes;  // blocks; sent of the first
    struct block *block[OM__HUB_BEHIND];
    char layers[];
};

/* A change that was published; its layer is a number into `name`. */
struct memory {
    uint64_t sequence, cell, other_cell;
    struct om_box box, other_box;
    uint64_t quiet;
    uint32_t layer, kind;
    bool unsure, person, moved;
};

struct om__hub {
    struct om__hub_options o;
    pthread_mutex_t news_lock, lock;
    struct om__told gathered, telling;
    // Under news_lock: change number i is at i % OM__HUB_MEMORY; all behind
    // `floor` are there.
    struct memory *memory;
    uint64_t remembered, floor;
    char name[OM__TOLD_LAYERS][OM_LIMIT_NAME_BYTES];
    uint32_t names;
    char moved[OM_LIMIT_NAME_BYTES];  // layer of those who are followed,
    uint64_t moved_at;                // told otherwise as of that sequence
    struct om__listener *listeners;
    size_t listening;
    uint64_t told;
    struct om__hub_stats stats;
    int epoll, wake;
    bool thread_made;
    atomic_bool stop, cut;  // cut: some are lost
    pthread_t thread;
    double told_s, beat_s;
    double notes_s;  // the second that `notes` are of, under lock
    unsigned notes;
};

static struct block *block_of(struct om_buf *take)
{
    struct block *b = take->status ? NULL : om_calloc(1, sizeof *b);
    if (!b) {
        om_buf_deinit(take);
        return NULL;
    }
    *b = (struct block){1, take->len, take->bytes};
    *take = (struct om_buf){0};
    return b;
}

static void block_unref(struct block *b)
{
    if (!b || --b->refs) return;
    om_free(b->bytes);
    om_free(b);
}

static bool write_event(struct om__hub *hub, const char *kind,
                        uint64_t sequence, const struct om__told *told,
                        const char *layers, struct om_buf *out)
{
    const size_t begun = out->len;
    om_buf_addf(out, "id: %llu\nevent: %s\ndata: {\"sequence\":%llu",
                (unsigned long long)sequence, kind,
                (unsigned long long)sequence);
    if (hub->o.say) hub->o.say(hub->o.ctx, out);
    if (told) {
        om_buf_add_text(out, ",\"layers\":{");
        const bool any =
            om__told_write(told, layers, hub->o.heard, hub->o.ctx, out);
        om_buf_add_byte(out, '}');
        if (told->everything) om_buf_add_text(out, ",\"everything\":true");
        if (!any && !told->everything) {
            out->len = begun;
            return false;
        }
    }
    om_buf_add_text(out, "}\n\n");
    return true;
}

bool om__event_write(struct om__hub *hub, const char *kind, uint64_t sequence,
                     const struct om__told *told, const char *layers,
                     struct om_buf *out)
{
    return write_event(hub, kind, sequence, told, layers, out);
}

/* ---- listeners, under the lock */

static void push(struct om__listener *l, struct block *b)
{
    if (l->lost || l->ended) return;
    if (!b || l->count == OM__HUB_BEHIND ||
        (l->count && l->bytes + b->len > l->hub->o.buffer_bytes)) {
        l->lost = true;
        return;
    }
    b->refs++;
    l->block[(l->first + l->count++) % OM__HUB_BEHIND] = b;
    l->bytes += b->len;
}

/* Before all that waits. */
static void push_first(struct om__listener *l, struct block *b)
{
    if (!b || l->count == OM__HUB_BEHIND) {
        l->lost = true;
        return;
    }
    b->refs++;
    l->first = (l->first + OM__HUB_BEHIND - 1) % OM__HUB_BEHIND;
    l->count++;
    l->block[l->first] = b;
    l->bytes += b->len;
}

static void pop(struct om__listener *l)
{
    struct block *b = l->block[l->first];
    l->bytes -= b->len;
    l->first = (l->first + 1) % OM__HUB_BEHIND;
    l->count--;
    l->sent = 0;
    block_unref(b);
}

static void unlink_listener(struct om__listener *l)
{
    struct om__hub *hub = l->hub;
    if (l->next) l->next->previous = l->previous;
    *(l->previous ? &l->previous->next : &hub->listeners) = l->next;
    hub->listening--;
    while (l->count) pop(l);
}

/* As much as the socket takes. False: it is of no use any more. */
static bool flush(struct om__listener *l, double now_s)
{
    while (l->count) {
        const struct block *b = l->block[l->first];
        const ssize_t n = send(l->fd, b->bytes + l->sent, b->len - l->sent,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (l->stuck_s == 0) l->stuck_s = now_s;
            return true;
        }
        if (n <= 0) return false;
        l->stuck_s = 0;
        l->hub->stats.bytes += (uint64_t)n;
        l->sent += (size_t)n;
        if (l->sent == b->len) pop(l);
    }
    return true;
}

static bool is_slow(const struct om__listener *l, double now_s)
{
    return l->lost ||
           (l->stuck_s > 0 && now_s - l->stuck_s > l->hub->o.slow_ms / 1e3);
}

/* Out of the list, onto that of the ended. */
static void end(struct om__listener *l, struct om__listener **ended)
{
    epoll_ctl(l->hub->epoll, EPOLL_CTL_DEL, l->fd, NULL);
    unlink_listener(l);
    l->ended = true;
    l->next = *ended;
    *ended = l;
}

/* Outside the lock: what follows is the caller's business. */
static void bury(struct om__listener *ended)
{
    while (ended) {
        struct om__listener *l = ended;
        ended = l->next;
        shutdown(l->fd, SHUT_RDWR);
        l->gone(l->ctx);
        om_free(l);
    }
}

om_status om__hub_join(struct om__hub *hub, const char *layers, uint64_t client,
                       struct om__listener **out, uint64_t *told)
{
    const size_t len = strlen(layers);
    struct om__listener *l = om_calloc(1, sizeof *l + len + 1);
    if (!l) return OM_E_MEMORY;
    l->hub = hub;
    l->fd = -1;
    l->client = client;
    memcpy(l->layers, layers, len);
    pthread_mutex_lock(&hub->lock);
    size_t same = 0;
    for (const struct om__listener *o = hub->listeners; o && client;
         o = o->next)
        same += o->client == client;
    const om_status st =
        atomic_load(&hub->stop) || hub->listening >= hub->o.listeners
            ? OM_E_BUSY
        : client && same >= hub->o.per_client ? OM_E_RATE
                                              : OM_OK;
    if (!st) {
        l->next = hub->listeners;
        if (l->next) l->next->previous = l;
        hub->listeners = l;
        hub->listening++;
        hub->stats.joined++;
        *told = hub->told;
        *out = l;
    }
    pthread_mutex_unlock(&hub->lock);
    if (st) om_free(l);
    return st;
}

void om__listener_drop(struct om__listener *l)
{
    if (!l) return;
    struct om__hub *hub = l->hub;
    pthread_mutex_lock(&hub->lock);
    unlink_listener(l);
    pthread_mutex_unlock(&hub->lock);
    om_free(l);
}

void om__listener_name(struct om__listener *l, uint64_t who)
{
    l->who = who;
}

void om__listener_wall(struct om__listener *l, const char wall[OM__WALL_BYTES])
{
    memcpy(l->wall, wall, sizeof l->wall);
}

/* Under the lock: whoever cannot be told is let go by the thread. */
static om_status note(struct om__hub *hub, const char *wall, struct block *b,
                      bool *lost)
{
    const double now_s = om_seconds();
    bool any = false;
    if (now_s - hub->notes_s >= 1) {
        hub->notes_s = now_s;
        hub->notes = 0;
    }
    if (hub->notes >= OM__NOTES_PER_S) return OM_E_RATE;
    hub->notes++;
    for (struct om__listener *l = hub->listeners; l; l = l->next) {
        if (!*l->wall || strcmp(l->wall, wall) != 0) continue;
        push(l, b);
        any = true;
        if (l->fd >= 0 && !flush(l, now_s)) l->lost = true;
        *lost |= l->lost;
    }
    return any ? OM_OK : OM_E_NOTFOUND;
}

om_status om__hub_note(struct om__hub *hub, const char *wall, const char *kind,
                       const char *json)
{
    struct om_buf text = {0};
    bool lost = false;
    om_buf_addf(&text, "event: %s\ndata: %s\n\n", kind, json);
    pthread_mutex_lock(&hub->lock);
    struct block *b = block_of(&text);
    const om_status st = b ? note(hub, wall, b, &lost) : OM_E_MEMORY;
    block_unref(b);
    pthread_mutex_unlock(&hub->lock);
    const uint64_t one = 1;
    if (lost) {
        atomic_store(&hub->cut, true);
        (void)!write(hub->wake, &one, sizeof one);
    }
    return st;
}

void om__hub_cut(struct om__hub *hub, bool (*knows)(void *ctx, uint64_t who),
                 void *ctx)
{
    bool any = false;
    pthread_mutex_lock(&hub->lock);
    for (struct om__listener *l = hub->listeners; l; l = l->next) {
        if (l->lost || knows(ctx, l->who)) continue;
        l->lost = any = true;
    }
    pthread_mutex_unlock(&hub->lock);
    const uint64_t one = 1;
    if (!any) return;
    atomic_store(&hub->cut, true);
    (void)!write(hub->wake, &one, sizeof one);
}

void om__listener_start(struct om__listener *l, int fd, struct om_buf *first,
                        void (*gone)(void *ctx), void *ctx)
{
    struct om__hub *hub = l->hub;
    struct om__listener *ended = NULL;
    const int bytes = SOCKET_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    struct block *b = block_of(first);
    pthread_mutex_lock(&hub->lock);
    l->gone = gone;
    l->ctx = ctx;
    l->fd = fd;
    push_first(l, b);
    block_unref(b);
    // Edge-triggered: that it can be written to is said at once, and again
    // whenever it has been full.
    struct epoll_event e = {.events = EPOLLOUT | EPOLLRDHUP | EPOLLET,
                            .data.ptr = l};
    if (l->lost || atomic_load(&hub->stop) ||
        epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &e))
        end(l, &ended);
    pthread_mutex_unlock(&hub->lock);
    bury(ended);
}

/* ---- telling */

/* Under news_lock. A layer too many is a change that is not remembered. */
static void remember(struct om__hub *hub, const struct om_live_change *change)
{
    uint32_t layer = 0;
    while (layer < hub->names && strcmp(hub->name[layer], change->layer) != 0)
        layer++;
    if (layer == OM__TOLD_LAYERS) {
        hub->floor = change->sequence;
        return;
    }
    if (layer == hub->names) {
        strncpy(hub->name[layer], change->layer, OM_LIMIT_NAME_BYTES - 1);
        hub->names++;
    }
    struct memory *m = &hub->memory[hub->remembered++ % OM__HUB_MEMORY];
    if (hub->remembered > OM__HUB_MEMORY && m->sequence > hub->floor)
        hub->floor = m->sequence;
    *m = (struct memory){.sequence = change->sequence,
                         .cell = change->cell,
                         .other_cell = change->other_cell,
                         .box = change->box,
                         .other_box = change->other_box,
                         .quiet = change->quiet,
                         .layer = layer,
                         .kind = (uint32_t)change->kind,
                         .unsure = change->unsure,
                         .person = change->person,
                         .moved = change->moved};
}

void om__hub_remember(struct om__hub *hub, uint64_t floor,
                      const struct om_live_change *change, size_t count)
{
    pthread_mutex_lock(&hub->news_lock);
    hub->floor = floor;
    for (size_t i = 0; i < count; i++) remember(hub, &change[i]);
    pthread_mutex_unlock(&hub->news_lock);
}

uint64_t om__hub_floor(struct om__hub *hub)
{
    pthread_mutex_lock(&hub->news_lock);
    const uint64_t floor = hub->floor;
    pthread_mutex_unlock(&hub->news_lock);
    return floor;
}

/* Number of the first change that is kept and behind `after`. Sequences rise.
 */
static uint64_t first_after(const struct om__hub *hub, uint64_t after)
{
    uint64_t high = hub->remembered;
    uint64_t low = high > OM__HUB_MEMORY ? high - OM__HUB_MEMORY : 0;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (hub->memory[middle % OM__HUB_MEMORY].sequence <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

om_status om__hub_recall(struct om__hub *hub, uint64_t after, uint64_t upto,
                         struct om__told *told)
{
    bool more = true, known = true;
    for (uint64_t i = UINT64_MAX; more && known;) {
        pthread_mutex_lock(&hub->news_lock);
        // Also later: what was to come next may have been overwritten.
        known = hub->floor <= after;
        if (i == UINT64_MAX) i = first_after(hub, after);
        for (size_t n = 0; n < AT_ONCE && more && known; n++, i++) {
            more = i < hub->remembered;
            if (!more) break;
            const struct memory *m = &hub->memory[i % OM__HUB_MEMORY];
            const struct om_live_change change = {
                .sequence = m->sequence,
                .layer = hub->name[m->layer],
                .cell = m->cell,
                .other_cell = m->other_cell,
                .kind = (enum om_entry_kind)m->kind,
                .quiet = m->quiet,
                .unsure = m->unsure,
                .person = m->person,
                .moved = m->moved,
                .box = m->box,
                .other_box = m->other_box};
            more = m->sequence <= upto;
            if (more) om__told_add(told, &change);
        }
        pthread_mutex_unlock(&hub->news_lock);
    }
    if (known) om__hub_recall_moved(hub, after, told);
    return known ? OM_OK : OM_E_NOTFOUND;
}

void om__hub_recall_moved(struct om__hub *hub, uint64_t after,
                          struct om__told *told)
{
    pthread_mutex_lock(&hub->news_lock);
    // As of the sequence itself, too: it was told some time after that.
    if (*hub->moved && hub->moved_at >= after)
        om__told_add_steps(told, hub->moved, told->last);
    pthread_mutex_unlock(&hub->news_lock);
}

void om__hub_news(struct om__hub *hub, const struct om_live_news *news)
{
    const char *layer = NULL;
    bool hidden = false;
    pthread_mutex_lock(&hub->news_lock);
    const bool idle = !hub->gathered.last;
    for (size_t i = 0; i < news->count; i++) {
        struct om_live_change change = news->change[i];
        // Mostly they are of one layer.
        if (hub->o.hidden && (!layer || strcmp(layer, change.layer) != 0)) {
            layer = change.layer;
            hidden = hub->o.hidden(hub->o.ctx, layer);
        }
        if (hidden) om__told_hide(&change);
        om__told_add(&hub->gathered, &change);
        // Those who walk are ten thousand a second: who comes back later is not
        // told where.
        if (change.moved) {
            if (i && news->change[i - 1].moved) continue;
            change.cell = change.other_cell = OM_NO_CELL;
        }
        remember(hub, &change);
    }
    if (news->last > hub->gathered.last) hub->gathered.last = news->last;
    if (!hub->gathered.first) hub->gathered.first = news->first;
    pthread_mutex_unlock(&hub->news_lock);
    const uint64_t one = 1;
    if (idle) (void)!write(hub->wake, &one, sizeof one);
}

void om__hub_moved(struct om__hub *hub, const char *layer, uint64_t sequence)
{
    pthread_mutex_lock(&hub->news_lock);
    const bool idle = !hub->gathered.last;
    om__told_add_steps(&hub->gathered, layer, sequence);
    snprintf(hub->moved, sizeof hub->moved, "%s", layer);
    hub->moved_at = sequence;
    pthread_mutex_unlock(&hub->news_lock);
    const uint64_t one = 1;
    if (idle) (void)!write(hub->wake, &one, sizeof one);
}

/* An event for those who listen to the same layers, given to all of them. */
static void tell_same(struct om__hub *hub, struct om__listener *like,
                      const char *kind, bool told)
{
    struct om_buf text = {0};
    if (!told) om_buf_add_text(&text, ": beat\n");
    if (!write_event(hub, kind, hub->told, told ? &hub->telling : NULL,
                     like->layers, &text)) {
        om_buf_deinit(&text);
        return;
    }
    hub->stats.events++;
    struct block *b = block_of(&text);
    for (struct om__listener *l = like; l; l = l->next)
        if (!strcmp(l->layers, like->layers)) push(l, b);
    block_unref(b);
}

static bool is_first_of_its_layers(const struct om__hub *hub,
                                   const struct om__listener *like)
{
    for (const struct om__listener *l = hub->listeners; l != like; l = l->next)
        if (!strcmp(l->layers, like->layers)) return false;
    return true;
}

static void tell(struct om__hub *hub, const char *kind, bool told, double now_s,
                 struct om__listener **ended)
{
    // Most listen to everything; others to a few choices.
    struct om__listener *all = NULL;
    for (struct om__listener *l = hub->listeners; l && !all; l = l->next)
        if (!*l->layers) all = l;
    if (all) tell_same(hub, all, kind, told);
    for (struct om__listener *l = hub->listeners; l; l = l->next)
        if (*l->layers && is_first_of_its_layers(hub, l))
            tell_same(hub, l, kind, told);
    struct om__listener *next;
    for (struct om__listener *l = hub->listeners; l; l = next) {
        next = l->next;
        if (l->fd < 0) continue;
        const bool useful = flush(l, now_s);
        if (useful && !is_slow(l, now_s)) continue;
        hub->stats.slow += useful;
        end(l, ended);
    }
}

static void tell_if_due(struct om__hub *hub, double now_s,
                        struct om__listener **ended)
{
    if (now_s - hub->told_s < hub->o.tick_ms / 1e3) return;
    pthread_mutex_lock(&hub->news_lock);
    const struct om__told taken = hub->gathered;
    if (taken.last) {
        hub->gathered = hub->telling;
        hub->telling = taken;
        om__told_clear(&hub->gathered);
    }
    pthread_mutex_unlock(&hub->news_lock);
    if (!taken.last) return;
    hub->told_s = now_s;
    if (hub->o.touch) hub->o.touch(hub->o.ctx, &hub->telling);
    pthread_mutex_lock(&hub->lock);
    hub->telling.after = hub->told;
    if (taken.last > hub->told) hub->told = taken.last;
    tell(hub, "change", true, now_s, ended);
    pthread_mutex_unlock(&hub->lock);
}

static void beat_if_due(struct om__hub *hub, double now_s,
                        struct om__listener **ended)
{
    if (now_s - hub->beat_s < hub->o.beat_ms / 1e3) return;
    hub->beat_s = now_s;
    pthread_mutex_lock(&hub->lock);
    tell(hub, "beat", false, now_s, ended);
    pthread_mutex_unlock(&hub->lock);
}

static void cut_lost(struct om__hub *hub, struct om__listener **ended)
{
    struct om__listener *next;
    if (!atomic_exchange(&hub->cut, false)) return;
    pthread_mutex_lock(&hub->lock);
    for (struct om__listener *l = hub->listeners; l; l = next) {
        next = l->next;
        if (l->lost && l->fd >= 0) end(l, ended);
    }
    pthread_mutex_unlock(&hub->lock);
}

/* Milliseconds until there is something to do without an event. */
static int rest_ms(struct om__hub *hub, double now_s)
{
    double until_s = hub->beat_s + hub->o.beat_ms / 1e3;
    pthread_mutex_lock(&hub->news_lock);
    const bool some = hub->gathered.last != 0;
    pthread_mutex_unlock(&hub->news_lock);
    const double tell_s = hub->told_s + hub->o.tick_ms / 1e3;
    if (some && tell_s < until_s) until_s = tell_s;
    const double ms = (until_s - now_s) * 1e3;
    return ms <= 0 ? 0 : ms > 60e3 ? 60000 : (int)ms + 1;
}

static void see(struct om__hub *hub, const struct epoll_event *e, int n,
                struct om__listener **ended)
{
    const double now_s = om_seconds();
    pthread_mutex_lock(&hub->lock);
    for (int i = 0; i < n; i++) {
        struct om__listener *l = e[i].data.ptr;
        if (!l) {
            uint64_t count;
            (void)!read(hub->wake, &count, sizeof count);
            continue;
        }
        const bool left = e[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        if (left || !flush(l, now_s)) end(l, ended);
    }
    pthread_mutex_unlock(&hub->lock);
}

static void *run(void *ctx)
{
    struct om__hub *hub = ctx;
    struct epoll_event e[EVENTS];
    while (!atomic_load(&hub->stop)) {
        struct om__listener *ended = NULL;
        const int n =
            epoll_wait(hub->epoll, e, EVENTS, rest_ms(hub, om_seconds()));
        see(hub, e, n < 0 ? 0 : n, &ended);
        const double now_s = om_seconds();
        tell_if_due(hub, now_s, &ended);
        beat_if_due(hub, now_s, &ended);
        cut_lost(hub, &ended);
        bury(ended);
    }
    return NULL;
}

om_status om__hub_new(const struct om__hub_options *o, struct om__hub **out)
{
    struct om__hub *hub = om_calloc(1, sizeof *hub);
    if (!hub) return OM_E_MEMORY;
    hub->o = *o;
    hub->told = hub->floor = o->sequence;
    hub->memory = om_calloc(OM__HUB_MEMORY, sizeof *hub->memory);
    if (!hub->memory) {
        om_free(hub);
        return OM_E_MEMORY;
    }
    hub->beat_s = om_seconds();
    pthread_mutex_init(&hub->news_lock, NULL);
    pthread_mutex_init(&hub->lock, NULL);
    hub->epoll = epoll_create1(EPOLL_CLOEXEC);
    hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    om_status st = hub->epoll < 0 || hub->wake < 0 ||
                           epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->wake, &e)
                       ? OM_E_IO
                       : OM_OK;
    if (!st) hub->thread_made = !pthread_create(&hub->thread, NULL, run, hub);
    if (!st && !hub->thread_made) st = OM_E_MEMORY;
    if (st)
        om__hub_free(hub);
    else
        *out = hub;
    return st;
}

void om__hub_stop(struct om__hub *hub)
{
    if (!hub) return;
    const uint64_t one = 1;
    struct om__listener *ended = NULL, *next;
    pthread_mutex_lock(&hub->lock);
    atomic_store(&hub->stop, true);
    pthread_mutex_unlock(&hub->lock);
    (void)!write(hub->wake, &one, sizeof one);
    if (hub->thread_made) pthread_join(hub->thread, NULL);
    hub->thread_made = false;
    // Those that have not started end when they do.
    pthread_mutex_lock(&hub->lock);
    for (struct om__listener *l = hub->listeners; l; l = next) {
        next = l->next;
        if (l->fd >= 0) end(l, &ended);
    }
    pthread_mutex_unlock(&hub->lock);
    bury(ended);
}

void om__hub_free(struct om__hub *hub)
{
    if (!hub) return;
    om__hub_stop(hub);
    if (hub->epoll >= 0) close(hub->epoll);
    if (hub->wake >= 0) close(hub->wake);
    om__told_deinit(&hub->gathered);
    om__told_deinit(&hub->telling);
    om_free(hub->memory);
    pthread_mutex_destroy(&hub->news_lock);
    pthread_mutex_destroy(&hub->lock);
    om_free(hub);
}

struct om__hub_stats om__hub_stats(struct om__hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    struct om__hub_stats stats = hub->stats;
    stats.listening = hub->listening;
    stats.told = hub->told;
    pthread_mutex_unlock(&hub->lock);
    return stats;
}
