// guard.h - who asks: tokens, roles, and what nobody has to show a token for.
#ifndef OM_WEB_SERVER_GUARD_H
#define OM_WEB_SERVER_GUARD_H

#include "data/city/tokens.h"
#include "engine/policy/role.h"
#include "web/server/rates.h"

/** Of persons, as many together are shown to anyone, whatever a role says. */
#define OM__CROWD OM_CROWD
/** Rows that a role which does not export is told: of one page, a second over
 *  time, and seconds that may be saved up. Enough to look at what is shown; a
 *  million takes half a day. */
#define OM__LOOK_ROWS 1000
#define OM__LOOK_ROWS_PER_S 20.0
#define OM__LOOK_BURST_S 1000.0
/** What is said where the list of tokens is gone. */
#define OM__TOKENS_LOST                                                    \
    "this city has had tokens, and their list (tokens.json) is gone: "     \
    "nobody is let in until whoever runs it makes new ones (onemap token " \
    "CITY add ROLE)"
/** Where a link with a token leads to, for each page. */
#define OM__TOKEN_PARAM "token"

struct om_server;
struct om_snapshot;
struct om__request;
struct om__guard;
struct om__book;

/* Somebody who may ask: a role, and the unit it is for. Lives as long as its
 * book. */
struct om__who {
    const struct om_role *role;
    struct om_token token;  // id "": no token was shown
    uint64_t key;  // equal for all who see the same; part of every cache key
    uint64_t id;   // hash of the token's id; 0: none
    bool asked;    // has shown a token: the answer is for nobody else
    struct om_rates *rates;  // NULL: no limit
    struct om_rates *rows;   // that are told page by page; NULL: no limit
};

struct om__guard_options {
    const char *city;
    const char *charge_file;  // a token of role admin; may be NULL
    bool local;  // is only reached from this machine: who has no token is
                 // OM_ROLE_LOCAL if the city has no list of tokens
};
/** returns  OM_E_FORMAT: roles, tokens or the token file are wrong. owns: *out
 *  with om__guard_free */
om_status om__guard_new(const struct om__guard_options *options,
                        struct om__guard **out, struct om_err *err) OM_MUST_USE;
void om__guard_free(struct om__guard *guard);
/** Read all again; where anything is wrong it stays as it was. */
om_status om__guard_reload(struct om__guard *guard, const char *charge_file,
                           struct om_err *err) OM_MUST_USE;
/** Take tokens that were added or revoked since; true: there were such. A file
 *  that is gone or cannot be read changes nothing. */
bool om__guard_refresh(struct om__guard *guard);
/** Is the city a release, which anybody may see? */
void om__guard_publish(struct om__guard *guard,
                       const struct om_snapshot *snapshot);
/** Is it reached from this machine only? (Known once the server listens.) */
void om__guard_open(struct om__guard *guard, bool local);
/** A token of this process alone, ended with it. */
om_status om__guard_lend(struct om__guard *guard, const char *role,
                         char text[OM_TOKEN_TEXT_BYTES],
                         struct om_err *err) OM_MUST_USE;
/** The largest of the smallest counts of roles that only count persons. */
uint64_t om__guard_least(struct om__guard *guard);
/** Are there tokens of any kind, or a token file? */
bool om__guard_set(struct om__guard *guard);
/** Are strangers of this machine let in? */
bool om__guard_local(struct om__guard *guard);
/** Has the city had tokens, whose list is gone, and is nobody let in for that?
 */
bool om__guard_lost(struct om__guard *guard);

/** Into request->who and request->book: who it is by header and cookie, NULL:
 *  nobody that may ask. */
void om__guard_meet(struct om__request *request);
void om__guard_part(struct om__request *request);
/** May the request be answered at all? Else the error is set: 401, 429. */
om_status om__guard_admit(struct om__request *request) OM_MUST_USE;
/** A link with a token in it: answers with a cookie and where to go on, or
 *  with 401. False: the address has none. */
bool om__guard_link(struct om__request *request);
/* site.c: pages of other sites, names that are not ours. All refuse with 403.
 */
/** Is whoever asks let in only for being on this machine? Then pages of other
 *  sites see nothing, and answers bear no CORS. */
bool om__site_closed(const struct om__request *request);
/** Does a page of another site ask, or somebody by a name that is not ours? */
bool om__site_strange(const struct om__request *request);
/** Is the name that links of the answer have one that we know? Where no url is
 *  said it is that of Host, which any asker may choose: caches that many ask
 *  keep no answer that was made by another. */
bool om__site_named(const struct om__request *request);
om_status om__site_refuse(struct om__request *request) OM_MUST_USE;
/** No page of another site, whoever's token it sends. */
om_status om__site_may_write(struct om__request *request) OM_MUST_USE;
/** By a name of ours, or with a token. */
om_status om__site_names_us(struct om__request *request) OM_MUST_USE;

/** Is who had a token of this id (hash) still somebody? */
bool om__guard_knows(struct om__guard *guard, uint64_t id);

#endif
