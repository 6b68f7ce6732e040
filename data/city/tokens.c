/* tokens.c - tokens of a city: made once, kept as hashes.
 *
 * DESIGN
 * The secret has 256 bits of randomness, so that a fast hash is enough: nobody
 * can try them (a slow one is for what people choose, and would cost each
 * request milliseconds). The id finds the entry; only then the hash of the
 * whole text is compared, in constant time. tokens.json is written as a whole
 * under a lock file of its own, as the city's lock is held by whoever serves
 * it. The lock stays when the list goes: a city that has had tokens is never
 * again taken for one that nobody has given any. It is there before the first
 * list is, so that nothing that stops us opens a closed city; where that list
 * cannot be written it goes again. This is the only file that knows libsodium.
 */
#include "data/city/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/json.h"
#include "data/model/time.h"

#define FILE_NAME "tokens.json"
#define LOCK_NAME "tokens.lock"
#define PREFIX "om1."
#define PREFIX_LEN 4
#define SECRET_BYTES 32
#define ID_LEN (OM_TOKEN_ID_BYTES - 1)
#define DAY_S 86400
#define PATH_BYTES 4096

om_status om_token_hash(const char *text, size_t len,
                        uint8_t hash[OM_TOKEN_HASH_BYTES])
{
    if (sodium_init() < 0) return OM_E_IO;
    return crypto_generichash(hash, OM_TOKEN_HASH_BYTES,
                              (const unsigned char *)text, len, NULL, 0)
               ? OM_E_INTERNAL
               : OM_OK;
}

void om_token_of_basic(const char *coded, char out[OM_TOKEN_BASIC_BYTES])
{
    char text[OM_TOKEN_BASIC_BYTES];
    size_t len = 0;
    out[0] = '\0';
    if (sodium_init() < 0 ||
        sodium_base642bin((unsigned char *)text, sizeof text - 1, coded,
                          strlen(coded), " ", &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return;
    text[len] = '\0';
    const char *colon = memchr(text, ':', len);
    if (!colon || strlen(text) != len) return;
    const bool named = !colon[1];
    snprintf(out, OM_TOKEN_BASIC_BYTES, "%.*s",
             named ? (int)(colon - text) : (int)(len - 1) - (int)(colon - text),
             named ? text : colon + 1);
}

bool om_token_is(const struct om_token *token, const char *text, size_t len)
{
    uint8_t hash[OM_TOKEN_HASH_BYTES];
    return !om_token_hash(text, len, hash) &&
           sodium_memcmp(hash, token->hash, sizeof hash) == 0;
}

bool om_token_alive(const struct om_token *token, int64_t now_s)
{
    return !token->revoked_s && now_s < token->expires_s;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct om_token *)a)->id,
                  ((const struct om_token *)b)->id, OM_TOKEN_ID_BYTES);
}

static struct om_token *find_id(const struct om_tokens *tokens, const char *id,
                                size_t len)
{
    struct om_token key = {0};
    if (len != ID_LEN || !tokens->count) return NULL;
    memcpy(key.id, id, len);
    return bsearch(&key, tokens->token, tokens->count, sizeof key, by_id);
}

const struct om_token *om_tokens_find(const struct om_tokens *tokens,
                                      const char *text, size_t len)
{
    if (len <= PREFIX_LEN + ID_LEN || len >= OM_TOKEN_TEXT_BYTES ||
        memcmp(text, PREFIX, PREFIX_LEN) != 0)
        return NULL;
    const struct om_token *token = find_id(tokens, text + PREFIX_LEN, ID_LEN);
    return token && om_token_is(token, text, len) ? token : NULL;
}

void om_tokens_deinit(struct om_tokens *tokens)
{
    om_free(tokens->token);
    *tokens = (struct om_tokens){0};
}

/* ---- the file ---- */

static om_status read_text(const struct om_json *object, const char *key,
                           char *out, size_t room, bool needed)
{
    const char *text = om_json_text(om_json_get(object, key), NULL);
    if (!text) return needed ? OM_E_FORMAT : OM_OK;
    const int n = snprintf(out, room, "%s", text);
    return n >= 0 && (size_t)n < room ? OM_OK : OM_E_FORMAT;
}

static om_status read_moment(const struct om_json *object, const char *key,
                             bool needed, int64_t *out)
{
    const char *text = om_json_text(om_json_get(object, key), NULL);
    *out = 0;
    if (!text) return needed ? OM_E_FORMAT : OM_OK;
    return om_time_parse(text, strlen(text), 0, out);
}

static om_status read_token(const struct om_json *one, struct om_token *out)
{
    char hash[2 * OM_TOKEN_HASH_BYTES + 1] = "";
    size_t bytes = 0;
    OM_TRY(read_text(one, "id", out->id, sizeof out->id, true));
    OM_TRY(read_text(one, "role", out->role, sizeof out->role, true));
    OM_TRY(read_text(one, "level", out->level, sizeof out->level, false));
    OM_TRY(read_text(one, "unit", out->unit, sizeof out->unit, false));
    OM_TRY(read_text(one, "hash", hash, sizeof hash, true));
    OM_TRY(read_moment(one, "made", true, &out->made_s));
    OM_TRY(read_moment(one, "expires", true, &out->expires_s));
    OM_TRY(read_moment(one, "revoked", false, &out->revoked_s));
    const bool good = strlen(out->id) == ID_LEN &&
                      !sodium_hex2bin(out->hash, sizeof out->hash, hash,
                                      strlen(hash), NULL, &bytes, NULL) &&
                      bytes == sizeof out->hash;
    return good ? OM_OK : OM_E_FORMAT;
}

static om_status read_list(const struct om_json *list, const char *path,
                           struct om_tokens *out, struct om_err *err)
{
    const size_t count = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_LIST || count > OM_TOKENS_MAX)
        return om_fail(err, OM_E_FORMAT, 0,
                       "%s: \"tokens\" is not a list of at most %d", path,
                       OM_TOKENS_MAX);
    // Room for one more: the list is about to grow, or is only looked at.
    out->token = om_calloc(count + 1, sizeof *out->token);
    if (!out->token) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (read_token(om_json_at(list, i), &out->token[i]))
            return om_fail(err, OM_E_FORMAT, 0,
                           "%s: tokens[%zu] is not a token", path, i);
    out->count = count;
    qsort(out->token, count, sizeof *out->token, by_id);
    for (size_t i = 1; i < count; i++)
        if (!by_id(&out->token[i - 1], &out->token[i]))
            return om_fail(err, OM_E_FORMAT, 0, "%s: two tokens have the id %s",
                           path, out->token[i].id);
    return OM_OK;
}

/* What only cannot be reached is there: nobody is let in for it. */
static bool is_absent(const char *path)
{
    struct stat s;
    return lstat(path, &s) && errno == ENOENT;
}

static om_status read_absent(const char *city, struct om_tokens *out)
{
    char lock[PATH_BYTES];
    OM_TRY(om_path_join(lock, sizeof lock, city, LOCK_NAME));
    out->there = out->lost = !is_absent(lock);
    return OM_OK;
}

om_status om_tokens_read(const char *city, struct om_tokens *out,
                         struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf text = {0};
    struct om_json *document = NULL;
    *out = (struct om_tokens){0};
    OM_TRY(om_path_join(path, sizeof path, city, FILE_NAME));
    if (is_absent(path)) return read_absent(city, out);
    om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, &text, err);
    struct om_err why = {0};
    if (!st &&
        om_json_parse((const char *)text.bytes, text.len, &document, &why))
        st = om_fail(err, OM_E_FORMAT, 0, "%s: %s", path, why.text);
    if (!st) st = read_list(om_json_get(document, "tokens"), path, out, err);
    if (st) om_tokens_deinit(out);
    out->there = !st;
    om_json_free(document);
    om_buf_deinit(&text);
    return st;
}

static void add_moment(struct om_buf *out, const char *key, int64_t moment_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(moment_s, 0, text);
    om_buf_addf(out, ", \"%s\": \"%s\"", key, text);
}

static void add_token(struct om_buf *out, const struct om_token *t)
{
    char hash[2 * OM_TOKEN_HASH_BYTES + 1];
    sodium_bin2hex(hash, sizeof hash, t->hash, sizeof t->hash);
    om_buf_addf(out, "{\"id\": \"%s\", \"role\": ", t->id);
    om_buf_add_json_text(out, t->role, strlen(t->role));
    if (t->level[0]) {
        om_buf_add_text(out, ", \"level\": ");
        om_buf_add_json_text(out, t->level, strlen(t->level));
        om_buf_add_text(out, ", \"unit\": ");
        om_buf_add_json_text(out, t->unit, strlen(t->unit));
    }
    add_moment(out, "made", t->made_s);
    add_moment(out, "expires", t->expires_s);
    if (t->revoked_s) add_moment(out, "revoked", t->revoked_s);
    om_buf_addf(out, ", \"hash\": \"%s\"}", hash);
}

static om_status write_file(const char *city, const struct om_tokens *tokens,
                            struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"tokens\": [");
    for (size_t i = 0; i < tokens->count; i++) {
        om_buf_add_text(&out, i ? ",\n  " : "\n  ");
        add_token(&out, &tokens->token[i]);
    }
    om_buf_add_text(&out, "\n]}\n");
    om_status st = out.status;
    if (!st) st = om_path_join(path, sizeof path, city, FILE_NAME);
    const mode_t mask = umask(077);
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    umask(mask);
    om_buf_deinit(&out);
    return st;
}

/* ---- changes ---- */

struct lock {
    char path[PATH_BYTES];
    int fd;
    bool made;  // it was not there
};

/* Is the file that is open still the one of that name? */
static bool is_there(const struct lock *lock)
{
    struct stat open_one, named;
    return !fstat(lock->fd, &open_one) && !lstat(lock->path, &named) &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* From now on the city is one that has had tokens. Who waited for a lock that
 * was taken back (unlock_as_was) begins again. */
static om_status lock(const char *city, struct lock *out, struct om_err *err)
{
    OM_TRY(om_path_join(out->path, sizeof out->path, city, LOCK_NAME));
    do {
        out->made = is_absent(out->path);
        out->fd = open(out->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (out->fd >= 0 && !flock(out->fd, LOCK_EX)) {
            if (is_there(out)) return OM_OK;
            errno = 0;
        }
        const int why = errno;
        if (out->fd >= 0) close(out->fd);
        if (why)
            return om_fail(err, OM_E_IO, 0, "%s: %s", out->path, strerror(why));
    } while (true);
}

/* The list could not be written. A city that had none (`had`: it had one, or
 * what it has cannot be read) has none again, and one that never had one has no
 * mark: else nobody would be let in for a token that nobody was given. */
static void unlock_as_was(const struct lock *lock, const char *city, bool had)
{
    char path[PATH_BYTES];
    if (!had && !om_path_join(path, sizeof path, city, FILE_NAME) &&
        (!unlink(path) || errno == ENOENT) && lock->made)
        unlink(lock->path);
    close(lock->fd);
}

om_status om_tokens_mark(const char *city, bool keep, bool *there,
                         struct om_err *err)
{
    char path[PATH_BYTES];
    struct lock mark;
    OM_TRY(om_path_join(path, sizeof path, city, FILE_NAME));
    *there = !is_absent(path);
    if (!*there) return OM_OK;
    OM_TRY(lock(city, &mark, err));
    om_status st = OM_OK;
    if (fsync(mark.fd) || (!keep && unlink(path)))
        st = om_fail(err, OM_E_IO, 0, "%s: %s", path, strerror(errno));
    close(mark.fd);
    return st;
}

om_status om_token_make(struct om_token *token, int64_t now_s, unsigned days,
                        char text[OM_TOKEN_TEXT_BYTES], struct om_err *err)
{
    unsigned char secret[SECRET_BYTES], id[ID_LEN / 2];
    char coded[48];
    if (sodium_init() < 0)
        return om_fail(err, OM_E_IO, 0, "the system gives no random numbers");
    randombytes_buf(id, sizeof id);
    randombytes_buf(secret, sizeof secret);
    sodium_bin2hex(token->id, sizeof token->id, id, sizeof id);
    sodium_bin2base64(coded, sizeof coded, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    const int len =
        snprintf(text, OM_TOKEN_TEXT_BYTES, PREFIX "%s.%s", token->id, coded);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(coded, sizeof coded);
    token->made_s = now_s;
    token->expires_s = now_s + (int64_t)days * DAY_S;
    token->revoked_s = 0;
    return om_token_hash(text, (size_t)len, token->hash);
}

om_status om_tokens_add(const char *city, struct om_token *token, int64_t now_s,
                        unsigned days, char text[OM_TOKEN_TEXT_BYTES],
                        struct om_err *err)
{
    struct om_tokens tokens = {0};
    struct lock mark;
    OM_TRY(lock(city, &mark, err));
    om_status st = om_tokens_read(city, &tokens, err);
    const bool had = st || !tokens.lost;
    if (!st && tokens.count == OM_TOKENS_MAX)
        st = om_fail(err, OM_E_LIMIT, 0, "the city has %d tokens already",
                     OM_TOKENS_MAX);
    if (!st && !tokens.token) {
        tokens.token = om_calloc(1, sizeof *tokens.token);
        if (!tokens.token) st = om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    do {
        if (!st) st = om_token_make(token, now_s, days, text, err);
    } while (!st && find_id(&tokens, token->id, ID_LEN));
    if (!st) {
        tokens.token[tokens.count++] = *token;
        st = write_file(city, &tokens, err);
    }
    om_tokens_deinit(&tokens);
    if (st)
        unlock_as_was(&mark, city, had);
    else
        close(mark.fd);
    return st;
}

static om_status no_token(const char *id, struct om_err *err)
{
    return om_fail(err, OM_E_NOTFOUND, 0,
                   "there is no token %.40s (onemap token CITY list)", id);
}

om_status om_tokens_revoke(const char *city, const char *id, int64_t now_s,
                           struct om_err *err)
{
    struct om_tokens tokens = {0};
    struct lock mark;
    OM_TRY(om_tokens_read(city, &tokens, err));
    const bool had = tokens.there;
    om_tokens_deinit(&tokens);
    if (!had) return no_token(id, err);  // and no lock for it
    OM_TRY(lock(city, &mark, err));
    om_status st = om_tokens_read(city, &tokens, err);
    struct om_token *token = st ? NULL : find_id(&tokens, id, strlen(id));
    if (!st && !token) st = no_token(id, err);
    if (!st && !token->revoked_s) {
        token->revoked_s = now_s;
        st = write_file(city, &tokens, err);
    }
    om_tokens_deinit(&tokens);
    close(mark.fd);
    return st;
}
