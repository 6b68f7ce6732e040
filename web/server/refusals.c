/* refusals.c - tokens that let nobody in.
 *
 * DESIGN
 * Of wrong tokens an address is told 401 once a second, sixty at once, and 429
 * beyond that. A right token is looked at before and never waits: whoever else
 * comes through the same proxy notices nothing, and 256 bits cannot be tried.
 * The address is that of the connection; of a program on this machine, which
 * may be a proxy, it is the last one in X-Forwarded-For, which is what the
 * proxy itself has seen.
 *
 * In the audit it is a line a minute, an address and a token whose id the city
 * knows: how many, and how many of them were braked. Nothing of the text that
 * was sent is kept. Of more addresses than there is room for one line counts
 * all.
 */
#include "web/server/refusals.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/city/audit.h"
#include "web/server/rates.h"

#define MINUTE_S 60
/* Addresses of a minute; the last entry is of all others. */
#define ADDRESSES 256

struct refusal {
    int64_t begun_s, last_s;  // begun 0: free
    char address[INET6_ADDRSTRLEN];
    char id[OM_TOKEN_ID_BYTES];
    uint64_t tried, braked;
};

struct om__refusals {
    pthread_mutex_t lock;
    struct om_rates *rates;
    struct refusal refusal[ADDRESSES + 1];
};

om_status om__refusals_new(struct om__refusals **out)
{
    struct om__refusals *refusals = om_calloc(1, sizeof *refusals);
    if (!refusals) return OM_E_MEMORY;
    pthread_mutex_init(&refusals->lock, NULL);
    const om_status st =
        om_rates_new(OM__WRONG_TOTAL_PER_S, OM__WRONG_PER_S, &refusals->rates);
    if (st) {
        om__refusals_free(refusals);
        return st;
    }
    om_rates_hold(refusals->rates, OM__WRONG_BURST_S);
    *out = refusals;
    return OM_OK;
}

void om__refusals_free(struct om__refusals *refusals)
{
    if (!refusals) return;
    om_rates_free(refusals->rates);
    pthread_mutex_destroy(&refusals->lock);
    om_free(refusals);
}

/* ---- lines ---- */

static void write_line(struct om_server *server, const struct refusal *f)
{
    char target[160];
    struct om_err err = {0};
    snprintf(target, sizeof target, "/?address=%s&tried=%llu&braked=%llu",
             f->address, (unsigned long long)f->tried,
             (unsigned long long)f->braked);
    const struct om_audit_entry entry = {.at_ms = f->last_s * 1000,
                                         .token = f->id,
                                         .role = "",
                                         .area = "",
                                         .method = "",
                                         .route = "refused",
                                         .target = target,
                                         .status = MHD_HTTP_UNAUTHORIZED};
    const om_status st = om_audit_add(server->audit, &entry, &err);
    if (st)
        om_log(OM_LOG_ERROR, "audit", "nothing is noted: %s",
               err.text[0] ? err.text : om_status_text(st));
}

void om__refusals_write(struct om_server *server, bool all)
{
    struct om__refusals *refusals = server->refusals;
    const int64_t now_s = (int64_t)time(NULL);
    for (size_t i = 0; refusals && i <= ADDRESSES; i++) {
        pthread_mutex_lock(&refusals->lock);
        const struct refusal f = refusals->refusal[i];
        // Clocks may be set back.
        const bool over = f.begun_s && (all || now_s < f.begun_s ||
                                        now_s - f.begun_s >= MINUTE_S);
        if (over) refusals->refusal[i].begun_s = 0;
        pthread_mutex_unlock(&refusals->lock);
        if (over) write_line(server, &f);
    }
}

/* Under the lock. */
static struct refusal *find(struct om__refusals *refusals, const char *address,
                            const char *id)
{
    struct refusal *unused = NULL;
    for (size_t i = 0; i < ADDRESSES; i++) {
        struct refusal *f = &refusals->refusal[i];
        if (f->begun_s && !strcmp(f->address, address) && !strcmp(f->id, id))
            return f;
        if (!f->begun_s && !unused) unused = f;
    }
    return unused ? unused : &refusals->refusal[ADDRESSES];
}

static void note(struct om__refusals *refusals, const char *address,
                 const char *id, bool braked)
{
    const int64_t now_s = (int64_t)time(NULL);
    pthread_mutex_lock(&refusals->lock);
    struct refusal *f = find(refusals, address, id);
    const bool others = f == &refusals->refusal[ADDRESSES];
    if (!f->begun_s) {
        *f = (struct refusal){.begun_s = now_s};
        snprintf(f->address, sizeof f->address, "%s", others ? "*" : address);
        snprintf(f->id, sizeof f->id, "%s", others ? "" : id);
    }
    f->last_s = now_s;
    f->tried++;
    f->braked += braked;
    pthread_mutex_unlock(&refusals->lock);
}

/* ---- the address ---- */

static bool is_loopback(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)at)
                         ->sin_addr.s_addr) >>
                   24 ==
               127;
    return IN6_IS_ADDR_LOOPBACK(
        &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr);
}

/* The last address of a list, if it is one. */
static bool last_address(const char *list, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr any;
    const char *comma = strrchr(list, ',');
    const char *at = comma ? comma + 1 : list;
    at += strspn(at, " \t");
    const size_t len = strcspn(at, " \t");
    if (!len || len >= INET6_ADDRSTRLEN) return false;
    char text[INET6_ADDRSTRLEN];
    memcpy(text, at, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, &any) != 1 &&
        inet_pton(AF_INET6, text, &any) != 1)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static void address_of(const struct om__request *r, char out[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *at = info ? info->client_addr : NULL;
    snprintf(out, INET6_ADDRSTRLEN, "-");
    if (!at) return;
    if (r->forwarded_for && is_loopback(at) &&
        last_address(r->forwarded_for, out))
        return;
    const void *bytes =
        at->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)at)
                  ->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)(const void *)at)
                  ->sin6_addr;
    (void)inet_ntop(at->sa_family, bytes, out, INET6_ADDRSTRLEN);
}

om_status om__refusals_add(struct om__request *r)
{
    struct om__refusals *refusals = r->server->refusals;
    char address[INET6_ADDRSTRLEN];
    address_of(r, address);
    const double wait_s =
        om_rates_take(refusals->rates,
                      om_hash64(address, strlen(address), 0) | 1, om_seconds());
    note(refusals, address, r->wrong_id, wait_s > 0);
    if (wait_s <= 0) return OM_OK;
    r->retry_after_s = (unsigned)fmin(ceil(wait_s), 3600);
    return om_fail(&r->err, OM_E_RATE, 0,
                   "too many wrong tokens from this address; the next is "
                   "looked at in %u s, a right one at once",
                   r->retry_after_s);
}
