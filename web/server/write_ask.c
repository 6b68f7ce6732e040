// write_ask.c - what the head of a write says: who, how often, on what
// condition, in which form.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/base/sha256.h"
#include "web/server/jobs.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/writes.h"

/* Of a digest: as many as a key may have with a layer's name before it. */
#define KEY_DIGITS 40

/* ---- may it be written at all */

static om_status refuse(struct om__request *r, unsigned http, const char *text)
{
    r->error_status = http;
    return om_fail(&r->err, OM_E_UNSUPPORTED, 0, "%s", text);
}

/* Whoever's role lets them; who has no token only from this machine, and only
 * where there are no tokens to have. */
static om_status check_who(struct om__request *r)
{
    if (r->who->asked || r->who->role != &OM_ROLE_LOCAL) return OM_OK;
    if (!om__guard_set(r->server->guard) && !om__client_of(r)) return OM_OK;
    return refuse(r, MHD_HTTP_UNAUTHORIZED,
                  om__guard_set(r->server->guard)
                      ? "those in charge may write, with a token"
                      : "this server has no tokens, so only programs of its "
                        "own machine may write");
}

/* Who writes a layer sees its rows, or has it not among its layers at all and
 * sends them as they are to be (ingest). Programs of this machine write what
 * they do not see, too. */
static bool writes_layer(const struct om__request *r, const char *name)
{
    const struct om_role *role = r->who->role;
    const struct om_layer *seen = om_snapshot_layer(r->snapshot, name);
    if (!om_role_writes(role, name)) return false;
    return role == &OM_ROLE_LOCAL || !om_role_sees(role, name) ||
           (seen && !seen->rights.crowds);
}

void om__write_unseen(const struct om__request *r, struct om__write *w)
{
    const struct om_layer *seen =
        om_snapshot_layer(r->snapshot, r->layer->name);
    if (!seen) return;
    for (size_t i = 0; i < seen->schema.count; i++)
        w->unsees = (w->unseen[i] = seen->schema.hidden[i]) || w->unsees;
    if (r->who->role != &OM_ROLE_LOCAL && w->unsees)
        w->rules.unseen = w->unseen;
}

static om_status find_layer(struct om__request *r, const char *name)
{
    const bool writes = writes_layer(r, name);
    r->layer = writes ? om_snapshot_layer(r->whole, name) : NULL;
    if (writes && !r->layer &&
        om_snapshot_lacks(r->whole, name, &r->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    // Not yours to write to looks like not there, seen or not.
    if (r->layer && !om__write_has_area(r, r->layer)) r->layer = NULL;
    if (!r->layer)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there is no layer of that name");
    return OM_OK;
}

om_status om__write_role(struct om__request *r, const char *layer)
{
    const struct om_layer *before = r->layer;
    const om_status st = find_layer(r, layer);
    r->layer = before;
    return st;
}

static om_status check_rate(struct om__request *r)
{
    struct om__writes *writes = r->server->writes;
    uint64_t client = om__client_of(r);
    // On this machine it may be a proxy that speaks for many, unless whoever
    // runs the server has said how many.
    if (!client && writes->client_limit_set) client = 1;
    const double wait_s = om_rates_take(writes->rates, client, om_seconds());
    if (wait_s <= 0) return OM_OK;
    r->retry_after_s = (unsigned)fmin(ceil(wait_s), 3600);
    return om_fail(&r->err, OM_E_RATE, 0,
                   "too many writes; the next is taken in %u s",
                   r->retry_after_s);
}

static om_status check_writer(struct om__request *r)
{
    struct om__writes *writes = r->server->writes;
    char why[OM_ERR_TEXT_BYTES];
    if (om__writes_ready(writes, why)) return OM_OK;
    if (writes->read_only) return refuse(r, MHD_HTTP_FORBIDDEN, why);
    r->retry_after_s = 5;
    return refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

om_status om__write_sender(struct om__request *r)
{
    OM_TRY(om__site_may_write(r));
    OM_TRY(check_who(r));
    return om__site_names_us(r);
}

om_status om__write_allowed(struct om__request *r)
{
    OM_TRY(om__write_sender(r));
    OM_TRY(check_writer(r));
    return check_rate(r);
}

om_status om__write_may(struct om__request *r)
{
    OM_TRY(om__write_sender(r));
    OM_TRY(find_layer(r, r->address.segment[1]));
    if (r->layer->meta && r->layer->meta->unit_level[0]) {
        snprintf(r->allow, sizeof r->allow, "GET, HEAD, OPTIONS");
        r->error_status = MHD_HTTP_METHOD_NOT_ALLOWED;
        return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                       "%s is a level of units: those change only as a whole "
                       "(onemap import --replace)",
                       r->layer->name);
    }
    OM_TRY(check_writer(r));
    return check_rate(r);
}

/* ---- on which condition */

/* Which of several is the row's sequence now; the engine looks again, when it
 * is the row's turn. */
static om_status read_if_match(struct om__request *r, struct om__write *w)
{
    const char *at = r->if_match;
    uint64_t now = 0, one = 0, first = 0;
    size_t tags = 0;
    const struct om_layer *seen =
        om_snapshot_layer(r->snapshot, r->layer->name);
    // Who does not see all of a row would learn by its sequence when the rest
    // is changed.
    const bool veiled = seen && seen->rights.veils;
    while (*(at += strspn(at, " \t,"))) {
        const size_t whole = strcspn(at, ",");
        size_t len = whole;
        while (len && strchr(" \t", at[len - 1])) len--;
        const bool any = len == 1 && *at == '*';
        if (!any && (len < 2 || at[len - 1] != '"'))
            return refuse(r, MHD_HTTP_BAD_REQUEST,
                          "If-Match is a list of ETags, such as \"123\", or *");
        const bool ours = any || (!veiled && om__row_tag_read(at, len, &one));
        if (any) one = 0;
        const char *tag = at;
        at += whole;
        if (!tags++ && ours && !any && !*(at + strspn(at, " \t,"))) {
            w->if_sequence = one;  // the usual case: the engine alone decides
            return OM_OK;
        }
        if (!now) {
            const om_status st =
                om__row_sequence(r, r->address.segment[3], &now);
            if (st == OM_E_NOTFOUND) break;
            OM_TRY(st);
        }
        bool same = any || (ours && one == now);
        if (!ours) OM_TRY(om__row_tag_told(r, tag, len, &same));
        if (same) first = now;
    }
    if (first) {
        w->if_sequence = first;
        return OM_OK;
    }
    return refuse(r, MHD_HTTP_PRECONDITION_FAILED,
                  "the row is not the one that If-Match names");
}

om_status om__write_conditions(struct om__request *r, struct om__write *w)
{
    if (r->if_match) {
        if (!w->single)
            return refuse(r, MHD_HTTP_BAD_REQUEST,
                          "If-Match is for one row, at its own address");
        OM_TRY(read_if_match(r, w));
    }
    if (!r->if_none_match) return OM_OK;
    if (strcmp(r->if_none_match, "*") != 0 || w->kind != OM_WRITE_PUT)
        return refuse(r, MHD_HTTP_BAD_REQUEST,
                      "If-None-Match of a write is *, and of PUT");
    w->if_none = true;
    w->kind = OM_WRITE_INSERT;
    return OM_OK;
}

/* Another token's key is another one, however alike they are. */
static om_status key_of_token(const struct om__request *r, const char *key,
                              struct om__write *w)
{
    char both[OM_TOKEN_ID_BYTES + OM__KEY_BYTES + 2], hash[OM_SHA256_HEX_BYTES];
    snprintf(both, sizeof both, "%s %s", r->who->token.id, key);
    om_sha256_hex(both, strlen(both), hash);
    snprintf(w->key, sizeof w->key, "%s/%.*s", r->layer->name, KEY_DIGITS,
             hash);
    return OM_OK;
}

om_status om__write_key(struct om__request *r, struct om__write *w)
{
    const char *key = r->idempotency_key;
    if (!key) return OM_OK;
    const size_t len = strlen(key);
    bool good = len >= 1 && len <= OM__KEY_BYTES;
    for (size_t i = 0; i < len && good; i++) good = key[i] > 32 && key[i] < 127;
    if (!good)
        return om__param_bad(r, "Idempotency-Key", OM_E_FORMAT,
                             "Idempotency-Key is 1 to %d printable characters "
                             "without blanks",
                             OM__KEY_BYTES);
    if (r->who->asked) return key_of_token(r, key, w);
    snprintf(w->key, sizeof w->key, "%s/%s", r->layer->name, key);
    return OM_OK;
}

/* ---- in which form */

static bool is_type(const char *given, const char *type, size_t len)
{
    return !strncasecmp(given, type, len) && strchr("; \t", given[len]) != NULL;
}

/* Texts are UTF-8, whatever else a parameter would like. */
static bool good_charset(const char *type)
{
    const char *at = strcasestr(type, "charset=");
    if (!at) return true;
    at += 8;
    if (*at == '"') at++;
    return !strncasecmp(at, "utf-8", 5) || !strncasecmp(at, "utf8", 4);
}

om_status om__write_form(struct om__request *r, enum om_body_form *out)
{
    const char *given = r->content_type ? r->content_type : "";
    if (r->content_encoding && strcasecmp(r->content_encoding, "identity") != 0)
        return refuse(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                      "bodies are taken as they are, not compressed");
    for (const char *at = r->route->bodies; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        if (is_type(given, at, len) && good_charset(given)) {
            *out = !strncmp(at, "text/csv", 8) ? OM_BODY_CSV
                   : strstr(given, "ndjson") || strstr(given, "jsonl")
                       ? OM_BODY_LINES
                       : OM_BODY_GEOJSON;
            return OM_OK;
        }
        at += len;
    }
    r->error_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                   "Content-Type is one of: %s; in UTF-8", r->route->bodies);
}

void om__write_hash(struct om__write *w, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len) {
        size_t n = sizeof w->block - w->block_len;
        if (n > len) n = len;
        memcpy(w->block + w->block_len, at, n);
        w->block_len += n;
        at += n;
        len -= n;
        if (w->block_len < sizeof w->block) continue;
        w->hash = om_hash64(w->block, sizeof w->block, w->hash);
        w->block_len = 0;
    }
}

uint64_t om__write_hashed(const struct om__write *w)
{
    return om_hash64(w->block, w->block_len, w->hash);
}

/* ---- which row */

/* How often to look for a snapshot that has what the journal has already: it
 * is published a moment after. */
#define LOOKS 200

om_status om__row_sequence(struct om__request *r, const char *id, uint64_t *out)
{
    struct om__writes *writes = r->server->writes;
    om_status st = OM_OK;
    for (int i = 0; i < LOOKS; i++) {
        pthread_rwlock_rdlock(&writes->lock);
        st = writes->live ? om_live_row_sequence(writes->live, r->layer->name,
                                                 id, strlen(id), out)
                          : OM_E_UNSUPPORTED;
        pthread_rwlock_unlock(&writes->lock);
        if (st) return st;
        struct om_snapshot *newest = om_city_snapshot(r->server->city);
        if (!newest) return OM_E_MEMORY;
        const struct om_layer *layer =
            om_snapshot_layer(newest, r->layer->name);
        if (layer && *out <= newest->sequence) {
            char name[OM_LIMIT_NAME_BYTES];
            snprintf(name, sizeof name, "%s", layer->name);
            OM_TRY(om__rights_take(r, newest));
            r->layer = om_snapshot_layer(
                r->route->method ? r->whole : r->snapshot, name);
            return r->layer ? OM_OK : OM_E_NOTFOUND;
        }
        om_snapshot_unref(newest);
        if (!layer) return OM_E_NOTFOUND;
        const struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
    return OM_E_BUSY;
}
