// tokens.h - who may ask a city as which role: tokens, kept as hashes.
#ifndef OM_DATA_CITY_TOKENS_H
#define OM_DATA_CITY_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/limits.h"
#include "data/base/status.h"

/* DESIGN in tokens.c. A token is "om1.ID.SECRET": eight hexadecimal digits that
 * say which it is and may be told, and 256 random bits that may not. */
#define OM_TOKEN_TEXT_BYTES 64
#define OM_TOKEN_ID_BYTES 9
#define OM_TOKEN_HASH_BYTES 32
/** Tokens of one city, the revoked ones too. */
#define OM_TOKENS_MAX 100000
/** Days after which a token ends where nobody says otherwise, and at most. */
#define OM_TOKEN_DAYS 90
#define OM_TOKEN_DAYS_MAX 3660

struct om_token {
    char id[OM_TOKEN_ID_BYTES];
    uint8_t hash[OM_TOKEN_HASH_BYTES];
    char role[OM_LIMIT_NAME_BYTES];
    // The unit that it is for: "town" and its id; both empty: the whole city
    char level[OM_LIMIT_NAME_BYTES], unit[OM_LIMIT_NAME_BYTES];
    int64_t made_s, expires_s, revoked_s;  // UTC; revoked 0: it is not
};

/* By id. Zero is a valid empty list. */
struct om_tokens {
    bool there;  // the city has a list, be it empty, or has had one
    bool lost;   // ... of which nothing is left but the mark that it had one
    size_t count;
    struct om_token *token;
};

/** The tokens of CITY/tokens.json; none where there is no such file. A city
 *  that ever had a token keeps CITY/tokens.lock: where that stands alone, the
 *  list is lost, and not a city that was never given one.
 *  returns  OM_E_FORMAT (err says where)     owns: om_tokens_deinit */
om_status om_tokens_read(const char *city, struct om_tokens *out,
                         struct om_err *err) OM_MUST_USE;
void om_tokens_deinit(struct om_tokens *tokens);
/** Mark a city's folder that has a list as one that has had tokens; keep false:
 *  and remove the list. *there: it had one. On an error the list is there. */
om_status om_tokens_mark(const char *city, bool keep, bool *there,
                         struct om_err *err) OM_MUST_USE;
/**
 * Make a token of the role and area in *token: the rest of it is filled in, and
 * `text` is what is given away. Nothing is kept.
 * returns  OM_E_IO  there is no randomness
 */
om_status om_token_make(struct om_token *token, int64_t now_s, unsigned days,
                        char text[OM_TOKEN_TEXT_BYTES],
                        struct om_err *err) OM_MUST_USE;
/** Make one and keep its hash in CITY/tokens.json (0600). OM_E_LIMIT, OM_E_IO:
 *  the city is as it was, one without a list has none and no mark either.
 *  threads: one of the process (umask); processes wait for each other. */
om_status om_tokens_add(const char *city, struct om_token *token, int64_t now_s,
                        unsigned days, char text[OM_TOKEN_TEXT_BYTES],
                        struct om_err *err) OM_MUST_USE;
/** End a token now. returns OM_E_NOTFOUND; threads as om_tokens_add. */
om_status om_tokens_revoke(const char *city, const char *id, int64_t now_s,
                           struct om_err *err) OM_MUST_USE;
/** Is it neither expired nor revoked? */
bool om_token_alive(const struct om_token *token, int64_t now_s);
/**
 * The token that `text` is, dead ones too; NULL: none. How long it takes says
 * nothing about any secret. cost: a hash and a binary search
 */
const struct om_token *om_tokens_find(const struct om_tokens *tokens,
                                      const char *text, size_t len);
/** Is `text` the token? The time it takes says nothing. */
bool om_token_is(const struct om_token *token, const char *text, size_t len);
/** What a header "Authorization: Basic CODED" shows: its password, or where
 * that is empty its name, for programs that can send nothing else (RFC 7617).
 * Into `out`, NUL-terminated; "": it is not base64, has no colon, or is longer
 * than any token. threads any */
#define OM_TOKEN_BASIC_BYTES 256
void om_token_of_basic(const char *coded, char out[OM_TOKEN_BASIC_BYTES]);
/** The hash that is kept of a text. */
om_status om_token_hash(const char *text, size_t len,
                        uint8_t hash[OM_TOKEN_HASH_BYTES]) OM_MUST_USE;

#endif
