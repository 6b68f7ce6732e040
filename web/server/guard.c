/* guard.c - who asks, and whether they may.
 *
 * DESIGN
 * Roles and tokens are read into a book, which is never changed: a reload or a
 * token that was added or revoked makes another, and requests under way keep
 * theirs. A token comes as
 *     Authorization: Bearer TOKEN
 * or as the password of Basic, for programs such as QGIS that can send nothing
 * else (browsers are never asked for one), or in a cookie that only this server
 * sets: who opens a link with ?token= is sent on to the same address without
 * it, so that it stays in no history and no log of ours. SameSite=Strict keeps
 * pages of other sites from using it.
 *
 * Who shows no token is nobody (401), with three exceptions: /health; a
 * release, which has nothing to hide; and a server that is reached from its own
 * machine only, of a city that has no list of tokens: whoever gets there could
 * read the city's files as well. A list that was read once stays in force when
 * its file is gone or damaged; one that names nobody lets nobody in, nor does
 * one that was there before we were and is gone (data/city/tokens.c). A url
 * that clients reach us by means that there is a proxy, and everybody comes
 * from this machine; so does a header
 * that proxies add, and a request that names no host: programs of this machine
 * send one.
 */
#include "web/server/guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/refusals.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"

#define FILE_TOKEN_MIN 16
#define FILE_TOKEN_MAX 200
#define PATH_BYTES 4096
/* Tokens that a process lends out: one for each page. */
#define LENT_MAX 32
#define LENT_DAYS 3650
#define DAY_S 86400

struct om__book {
    atomic_size_t refs;
    struct om_roles *roles;
    struct om_tokens tokens;
    struct om__who *who;  // [tokens.count], NULL where the role is gone
    struct om__who lent[LENT_MAX];
    size_t lents;
    struct om__who local, public, file;
    bool has_file;
    struct om_rates **rates, **rows;  // [roles->count]
};

struct stamp {
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct om__guard {
    char city[PATH_BYTES], charge_file[PATH_BYTES];
    atomic_bool local, released;
    pthread_mutex_t lock;  // guards the pointer
    struct om__book *book;
    pthread_mutex_t making;  // one at a time; guards what follows
    struct stamp stamp;
    struct om_token lent[LENT_MAX];
    size_t lents;
};

/* ---- the book ---- */

static void book_unref(struct om__book *book)
{
    if (!book || atomic_fetch_sub(&book->refs, 1) > 1) return;
    for (size_t i = 0; book->rates && i < book->roles->count; i++)
        om_rates_free(book->rates[i]);
    for (size_t i = 0; book->rows && i < book->roles->count; i++)
        om_rates_free(book->rows[i]);
    om_free(book->rates);
    om_free(book->rows);
    om_free(book->who);
    om_tokens_deinit(&book->tokens);
    om_roles_unref(book->roles);
    om_free(book);
}

static struct om__book *book_now(struct om__guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    struct om__book *book = guard->book;
    atomic_fetch_add(&book->refs, 1);
    pthread_mutex_unlock(&guard->lock);
    return book;
}

/* Two tokens see the same where the role is the same and the unit. */
static uint64_t key_of(const struct om_role *role, const struct om_token *token)
{
    char area[2 * OM_LIMIT_NAME_BYTES + 2];
    const int n =
        snprintf(area, sizeof area, "%s:%s", token->level, token->unit);
    return om_hash64(area, (size_t)n, role->hash);
}

/* `book` NULL: as often and as much as wanted. */
static void set_who(struct om__who *who, const struct om_role *role,
                    const struct om_token *token, const struct om__book *book)
{
    const size_t i = book ? (size_t)(role - book->roles->role) : 0;
    *who =
        (struct om__who){.role = role,
                         .token = *token,
                         .key = key_of(role, token),
                         .id = om_hash64(token->id, strlen(token->id), 0) | 1,
                         .asked = true,
                         .rates = book ? book->rates[i] : NULL,
                         .rows = book ? book->rows[i] : NULL};
}

static void set_open(struct om__who *who, const struct om_role *role)
{
    const struct om_token none = {.id = ""};
    *who = (struct om__who){.role = role, .key = key_of(role, &none)};
}

/* A role that has an area is only for tokens that name a unit of it. */
static bool fits(const struct om_role *role, const struct om_token *token)
{
    return role->area.count ? om_names_have(&role->area, token->level)
                            : !token->level[0];
}

static om_status make_who(struct om__guard *guard, struct om__book *book)
{
    const struct om_roles *roles = book->roles;
    const struct om_tokens *tokens = &book->tokens;
    book->rates = om_calloc(roles->count, sizeof(struct om_rates *));
    book->rows = om_calloc(roles->count, sizeof(struct om_rates *));
    book->who = om_calloc(tokens->count + 1, sizeof *book->who);
    if (!book->rates || !book->rows || !book->who) return OM_E_MEMORY;
    for (size_t i = 0; i < roles->count; i++) {
        const struct om_role *role = &roles->role[i];
        if (role->rate_per_s > 0)
            OM_TRY(om_rates_new(0, role->rate_per_s, &book->rates[i]));
        if (role->export) continue;
        OM_TRY(om_rates_new(0, OM__LOOK_ROWS_PER_S, &book->rows[i]));
        om_rates_hold(book->rows[i], OM__LOOK_BURST_S);
    }
    for (size_t i = 0; i < tokens->count; i++) {
        const struct om_token *token = &tokens->token[i];
        const struct om_role *role = om_roles_find(roles, token->role);
        if (role && fits(role, token)) {
            set_who(&book->who[i], role, token, book);
        } else {
            om_log(OM_LOG_WARN, "http",
                   "token %s is of no use: its role %s is not there, or for "
                   "other units",
                   token->id, token->role);
        }
    }
    for (size_t i = 0; i < guard->lents; i++) {
        const struct om_role *role = om_roles_find(roles, guard->lent[i].role);
        if (role && fits(role, &guard->lent[i]))
            set_who(&book->lent[book->lents++], role, &guard->lent[i], book);
    }
    set_open(&book->local, &OM_ROLE_LOCAL);
    set_open(&book->public, &OM_ROLE_PUBLIC);
    return OM_OK;
}

/* The only line of a file, of printable characters without blanks. */
static om_status read_file(const char *path, struct om__book *book,
                           struct om_err *err)
{
    struct om_buf text = {0};
    struct om_token token = {.id = "file", .expires_s = INT64_MAX};
    om_status st = om_file_read(path, FILE_TOKEN_MAX + 3, &text, err);
    size_t len = st ? 0 : text.len;
    while (len && (text.bytes[len - 1] == '\n' || text.bytes[len - 1] == '\r'))
        len--;
    bool good = len >= FILE_TOKEN_MIN && len <= FILE_TOKEN_MAX;
    for (size_t i = 0; good && i < len; i++)
        good = text.bytes[i] > ' ' && text.bytes[i] < 127;
    if (!st && !good)
        st = om_fail(err, OM_E_FORMAT, 0,
                     "%.80s: a token is one line of %d to %d printable "
                     "characters without blanks",
                     path, FILE_TOKEN_MIN, FILE_TOKEN_MAX);
    if (!st) st = om_token_hash((char *)text.bytes, len, token.hash);
    om_buf_deinit(&text);
    if (st) return st;
    set_who(&book->file, &OM_ROLE_ALL, &token, NULL);
    book->has_file = true;
    return OM_OK;
}

static void read_stamp(const struct om__guard *guard, struct stamp *out)
{
    char path[PATH_BYTES];
    struct stat s;
    *out = (struct stamp){0};
    if (om_path_join(path, sizeof path, guard->city, "tokens.json") ||
        stat(path, &s))
        return;
    *out = (struct stamp){s.st_ino, s.st_size, s.st_mtim};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool is_level(const struct om_manifest *m, const char *name)
{
    for (size_t i = 0; i < m->levels; i++)
        if (!strcmp(m->level[i], name)) return true;
    return false;
}

/* What is told at least stays so, whatever a role says. */
static void warn_of_limits(const char *city, const struct om_roles *roles)
{
    struct om_manifest m = {0};
    // Of those that nobody wrote nobody is told.
    if (roles->built_in) return;
    const bool known = om_manifest_read(city, &m, NULL) == OM_OK;
    for (size_t i = 0; i < roles->count; i++) {
        const struct om_role *role = &roles->role[i];
        if (role->personal == OM_PERSONAL_COUNTS &&
            role->smallest_count < OM_CROWD)
            om_log(OM_LOG_WARN, "roles",
                   "roles.json: %s: smallest_count %llu is taken as %d: no "
                   "fewer persons are told",
                   role->name, (unsigned long long)role->smallest_count,
                   OM_CROWD);
        if (role->smallest_cell && known && !is_level(&m, role->smallest_cell))
            om_log(OM_LOG_WARN, "roles",
                   "roles.json: %s: smallest_cell '%s' is no level of units of "
                   "this city: the role is told no number of persons by unit",
                   role->name, role->smallest_cell);
    }
    om_manifest_deinit(&m);
}

/* Of ten changes that are told together the writer of nine knows the tenth. */
static void warn_of_roles(const char *city, const struct om_roles *roles)
{
    const uint64_t least = om_roles_least(roles);
    warn_of_limits(city, roles);
    for (size_t i = 0; i < roles->count; i++) {
        const struct om_role *role = &roles->role[i];
        if (role->personal == OM_PERSONAL_COUNTS && least > OM_CROWD &&
            role->smallest_count == least)
            om_log(OM_LOG_WARN, "roles",
                   "%s counts no fewer than %llu persons: what is told of "
                   "persons changes in steps of %llu for all roles",
                   role->name, (unsigned long long)least,
                   (unsigned long long)least);
        if (role->personal == OM_PERSONAL_COUNTS && role->write.count)
            om_log(OM_LOG_WARN, "roles",
                   "%s counts persons and writes: by changes of their own such "
                   "clients can tell single ones of others",
                   role->name);
    }
}

/* A book of what there is now, with roles as they were (NULL: read again).
 * Under `making`. */
static om_status make_book(struct om__guard *guard, struct om_roles *roles,
                           const char *charge_file, struct om__book **out,
                           struct om_err *err)
{
    struct om__book *book = om_calloc(1, sizeof *book);
    if (!book) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&book->refs, 1);
    om_status st = OM_OK;
    if (roles)
        book->roles = om_roles_ref(roles);
    else
        st = om_roles_read(guard->city, &book->roles, err);
    if (!roles && !st) warn_of_roles(guard->city, book->roles);
    read_stamp(guard, &guard->stamp);
    if (!st) st = om_tokens_read(guard->city, &book->tokens, err);
    const struct om_tokens *old = guard->book ? &guard->book->tokens : NULL;
    const bool gone = !book->tokens.there || book->tokens.lost;
    if (!st && gone && old && old->there && !old->lost)
        st = om_fail(err, OM_E_NOTFOUND, 0, "%.80s/tokens.json is gone",
                     guard->city);
    if (!st) st = make_who(guard, book);
    if (!st && charge_file && *charge_file)
        st = read_file(charge_file, book, err);
    if (st)
        book_unref(book);
    else
        *out = book;
    return st;
}

static void swap(struct om__guard *guard, struct om__book *fresh)
{
    pthread_mutex_lock(&guard->lock);
    struct om__book *old = guard->book;
    guard->book = fresh;
    pthread_mutex_unlock(&guard->lock);
    book_unref(old);
}

om_status om__guard_reload(struct om__guard *guard, const char *charge_file,
                           struct om_err *err)
{
    struct om__book *book = NULL;
    const char *file = charge_file ? charge_file : "";
    if (strlen(file) >= sizeof guard->charge_file)
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    pthread_mutex_lock(&guard->making);
    const om_status st = make_book(guard, NULL, file, &book, err);
    if (!st) {
        snprintf(guard->charge_file, sizeof guard->charge_file, "%s", file);
        swap(guard, book);
    }
    pthread_mutex_unlock(&guard->making);
    return st;
}

bool om__guard_refresh(struct om__guard *guard)
{
    struct om__book *book = NULL;
    struct om_err err = {0};
    struct stamp now;
    pthread_mutex_lock(&guard->making);
    read_stamp(guard, &now);
    const bool changed = !same_stamp(&now, &guard->stamp);
    if (changed) {
        if (make_book(guard, guard->book->roles, guard->charge_file, &book,
                      &err))
            om_log(OM_LOG_ERROR, "http", "tokens stay as they were: %s",
                   err.text);
        else
            swap(guard, book);
    }
    pthread_mutex_unlock(&guard->making);
    return changed;
}

om_status om__guard_new(const struct om__guard_options *o,
                        struct om__guard **out, struct om_err *err)
{
    struct om__guard *guard = om_calloc(1, sizeof *guard);
    if (!guard) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    pthread_mutex_init(&guard->lock, NULL);
    pthread_mutex_init(&guard->making, NULL);
    atomic_init(&guard->local, o->local);
    snprintf(guard->city, sizeof guard->city, "%s", o->city);
    const om_status st = om__guard_reload(guard, o->charge_file, err);
    if (st)
        om__guard_free(guard);
    else
        *out = guard;
    return st;
}

void om__guard_free(struct om__guard *guard)
{
    if (!guard) return;
    book_unref(guard->book);
    pthread_mutex_destroy(&guard->lock);
    pthread_mutex_destroy(&guard->making);
    om_free(guard);
}

void om__guard_publish(struct om__guard *guard,
                       const struct om_snapshot *snapshot)
{
    atomic_store(&guard->released, snapshot->manifest->release);
}

void om__guard_open(struct om__guard *guard, bool local)
{
    atomic_store(&guard->local, local);
}

om_status om__guard_lend(struct om__guard *guard, const char *role,
                         char text[OM_TOKEN_TEXT_BYTES], struct om_err *err)
{
    struct om_token token = {0};
    struct om__book *book = NULL;
    snprintf(token.role, sizeof token.role, "%s", role);
    OM_TRY(om_token_make(&token, (int64_t)time(NULL), LENT_DAYS, text, err));
    pthread_mutex_lock(&guard->making);
    const struct om_role *found = om_roles_find(guard->book->roles, role);
    om_status st = guard->lents == LENT_MAX ? OM_E_LIMIT
                   : found && fits(found, &token)
                       ? OM_OK
                       : om_fail(err, OM_E_NOTFOUND, 0,
                                 "there is no role %s of the whole city", role);
    if (!st) {
        guard->lent[guard->lents++] = token;
        st = make_book(guard, guard->book->roles, guard->charge_file, &book,
                       err);
    }
    if (!st) swap(guard, book);
    pthread_mutex_unlock(&guard->making);
    return st;
}

bool om__guard_set(struct om__guard *guard)
{
    struct om__book *book = book_now(guard);
    const bool set = book->tokens.there || book->has_file;
    book_unref(book);
    return set;
}

uint64_t om__guard_least(struct om__guard *guard)
{
    struct om__book *book = book_now(guard);
    const uint64_t least = om_roles_least(book->roles);
    book_unref(book);
    return least;
}

static bool is_local(const struct om__guard *guard, const struct om__book *book)
{
    return atomic_load(&guard->local) && !book->tokens.there;
}

bool om__guard_local(struct om__guard *guard)
{
    struct om__book *book = book_now(guard);
    const bool local = is_local(guard, book);
    book_unref(book);
    return local;
}

bool om__guard_lost(struct om__guard *guard)
{
    struct om__book *book = book_now(guard);
    const bool lost = book->tokens.lost && !atomic_load(&guard->released);
    book_unref(book);
    return lost;
}

/* ---- a request ---- */

static const struct om__who *find(const struct om__book *book, const char *text,
                                  size_t len)
{
    const int64_t now_s = (int64_t)time(NULL);
    const struct om_token *token = om_tokens_find(&book->tokens, text, len);
    if (token) {
        const struct om__who *who = &book->who[token - book->tokens.token];
        return who->role && om_token_alive(token, now_s) ? who : NULL;
    }
    for (size_t i = 0; i < book->lents; i++)
        if (om_token_is(&book->lent[i].token, text, len)) return &book->lent[i];
    return book->has_file && om_token_is(&book->file.token, text, len)
               ? &book->file
               : NULL;
}

/* Servers on one machine share the cookies of its name, whatever their ports:
 * each has a name of its own. */
static void cookie_name(const struct om_server *server, char out[32])
{
    const char *colon = strrchr(server->address, ':');
    snprintf(out, 32, "onemap_%.*s", colon ? (int)strcspn(colon + 1, "/") : 0,
             colon ? colon + 1 : "");
}

/* The value of our cookie among those of the header; NULL: none. */
static const char *find_cookie(const struct om__request *r, size_t *len)
{
    char name[32];
    cookie_name(r->server, name);
    const size_t n = strlen(name);
    for (const char *at = r->cookie; at && *at;) {
        at += strspn(at, " ;\t");
        const size_t whole = strcspn(at, ";");
        if (whole > n && !strncmp(at, name, n) && at[n] == '=') {
            *len = whole - n - 1;
            return at + n + 1;
        }
        at += whole;
    }
    return NULL;
}

/* A token that lets nobody in: of one that has ended it is known which. */
static void set_wrong(struct om__request *r, const char *text, size_t len)
{
    const struct om_token *token = om_tokens_find(&r->book->tokens, text, len);
    r->wrong = true;
    snprintf(r->wrong_id, sizeof r->wrong_id, "%s", token ? token->id : "");
}

void om__guard_meet(struct om__request *r)
{
    struct om__guard *guard = r->server->guard;
    struct om__book *book = book_now(guard);
    const char *bearer = r->authorization;
    char password[OM_TOKEN_BASIC_BYTES];
    size_t len = 0;
    const char *cookie = bearer ? NULL : find_cookie(r, &len);
    r->book = book;
    const char *shown = cookie;
    if (bearer && !strncasecmp(bearer, "Bearer ", 7)) {
        shown = bearer + 7 + strspn(bearer + 7, " ");
        len = strlen(shown);
    } else if (bearer && !strncasecmp(bearer, "Basic ", 6)) {
        om_token_of_basic(bearer + 6, password);
        shown = password;
        len = strlen(shown);
    }
    if (shown) r->who = find(book, shown, len);
    if (shown && !r->who) set_wrong(r, shown, len);
    // Whoever runs a release shows a token to see how its server fares.
    if (atomic_load(&guard->released)) {
        if (!r->who || !r->who->role->operate) r->who = &book->public;
    } else if (!r->who && is_local(guard, book) && !r->relayed && r->host) {
        r->who = &book->local;
    }
    r->stranger = r->who == &book->local && om__site_strange(r);
    if (r->stranger) r->who = NULL;
}

void om__guard_part(struct om__request *r)
{
    book_unref(r->book);
    r->book = NULL;
    r->who = NULL;
}

bool om__guard_knows(struct om__guard *guard, uint64_t id)
{
    struct om__book *book = book_now(guard);
    const int64_t now_s = (int64_t)time(NULL);
    bool known = !id ? is_local(guard, book) || atomic_load(&guard->released)
                     : book->has_file && book->file.id == id;
    for (size_t i = 0; i < book->tokens.count && !known; i++)
        known = book->who[i].id == id && book->who[i].role &&
                om_token_alive(&book->tokens.token[i], now_s);
    for (size_t i = 0; i < book->lents && !known; i++)
        known = book->lent[i].id == id;
    book_unref(book);
    return known;
}

/* A page that comes without a part of itself is a broken one, and its files
 * tell nothing of the city. */
static bool is_file(const struct om__request *r)
{
    static const char FILES[] = "/pages/";
    return !strncmp(r->target, FILES, sizeof FILES - 1);
}

om_status om__guard_admit(struct om__request *r)
{
    if (r->stranger) return om__site_refuse(r);
    if (!r->who) {
        if (r->wrong) OM_TRY(om__refusals_add(r));
        const bool lost = om__guard_lost(r->server->guard);
        r->error_status = MHD_HTTP_UNAUTHORIZED;
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "%s",
                       lost ? OM__TOKENS_LOST
                            : "a token is needed: as Authorization: Bearer "
                              "TOKEN, or open a link that has one");
    }
    if (!r->who->rates || is_file(r)) return OM_OK;
    const double wait_s =
        om_rates_take(r->who->rates, r->who->id, om_seconds());
    if (wait_s <= 0) return OM_OK;
    r->retry_after_s = (unsigned)fmin(ceil(wait_s), 3600);
    return om_fail(&r->err, OM_E_RATE, 0,
                   "too many requests of this token; the next is taken in %u s",
                   r->retry_after_s);
}

/* ---- links ---- */

/* The target without its token, as it came. The parameters are those of the
 * address, one for each part that says something: however the name was
 * written, it is known by what it was read as. */
static om_status clean_target(const struct om__request *r, struct om_buf *out)
{
    const char *query = strchr(r->target, '?');
    const struct om_param *param = r->address.param;
    om_buf_add(out, r->target,
               query ? (size_t)(query - r->target) : r->target_len);
    char sign = '?';
    while (query && *query) {
        const char *at = query + 1;
        const size_t len = strcspn(at, "&");
        const bool empty = !len || (len == 1 && *at == '=');
        const bool token = !empty && !strcmp((param++)->name, OM__TOKEN_PARAM);
        if (!empty && !token) {
            om_buf_add_byte(out, (uint8_t)sign);
            om_buf_add(out, at, len);
            sign = '&';
        }
        query = at + len;
    }
    return om_buf_add(out, "", 1);
}

/* A cookie that is strict is not sent where a page of another site leads to,
 * even through us: there our own page leads on. */
static om_status send_on(struct om__request *r, const struct om__who *who,
                         const char *text)
{
    static const char PAGE[] =
        "<!doctype html><meta charset=\"utf-8\"><title>onemap</title>";
    char name[32], cookie[512];
    struct om_buf to = {0}, refresh = {0}, body = {0};
    const int64_t left_s = who->token.expires_s - (int64_t)time(NULL);
    const bool secure = r->server->url && !strncmp(r->server->url, "https:", 6);
    const char *site = r->fetch_site;
    const bool strange =
        site && strcmp(site, "none") != 0 && strcmp(site, "same-origin") != 0;
    cookie_name(r->server, name);
    // One that is lent ends with the server: its cookie with the browser.
    const bool lent =
        who >= r->book->lent && who < r->book->lent + r->book->lents;
    char age[40] = "";
    if (!lent)
        snprintf(age, sizeof age, "; Max-Age=%lld",
                 (long long)(left_s > 400 * DAY_S ? 400 * DAY_S : left_s));
    snprintf(cookie, sizeof cookie,
             "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name, text, age,
             secure ? "; Secure" : "");
    om_status st = clean_target(r, &to);
    om_buf_addf(&refresh, "0; url=%s", (const char *)to.bytes);
    om_buf_add(&refresh, "", 1);
    om_buf_add_text(&body, PAGE);
    const struct om__head head = {
        .type = "text/html; charset=utf-8",
        .cache = "no-store",
        .status = strange ? MHD_HTTP_OK : MHD_HTTP_SEE_OTHER,
        .etag = "",
        .more = {"Set-Cookie", cookie, strange ? "Refresh" : "Location",
                 strange ? (const char *)refresh.bytes : (const char *)to.bytes,
                 "Referrer-Policy", "no-referrer"}};
    if (!st) st = refresh.status ? refresh.status : body.status;
    if (!st)
        st = om__reply(r, &body, &head);
    else
        om_buf_deinit(&body);
    om_buf_deinit(&to);
    om_buf_deinit(&refresh);
    return st;
}

bool om__guard_link(struct om__request *r)
{
    const struct om_param *p = om_address_param(&r->address, OM__TOKEN_PARAM);
    if (!p) return false;
    const struct om__who *who = find(r->book, p->value, p->len);
    r->route = NULL;  // speaks of no data
    om_status st = OM_OK;
    if (!who) {
        set_wrong(r, p->value, p->len);
        st = om__refusals_add(r);
        if (!st) {
            r->error_status = MHD_HTTP_UNAUTHORIZED;
            st = om_fail(&r->err, OM_E_NOTFOUND, 0,
                         "the link's token is not known here, has expired or "
                         "was revoked");
        }
    } else {
        st = send_on(r, who, p->value);
    }
    if (st) om__reply_problem(r, st);
    return true;
}
