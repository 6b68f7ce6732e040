/* charge.c - who is in charge: may see rows that are about single persons.
 *
 * DESIGN
 * Until there are roles there is one token, and whoever sends it as
 *     Authorization: Bearer TOKEN
 * is in charge. Layers that city.json marks "personal": true give single rows
 * to them only; everybody else gets counts by unit, and cells of vector tiles
 * with at least OM__CROWD rows. om__rows_allowed is the one place that decides,
 * and what was answered to those in charge is kept under other keys than what
 * others get (om__request_key).
 */
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "web/server/server_internal.h"

#define TOKEN_MIN 16
#define TOKEN_MAX 200

struct token {
    size_t len;  // 0: nobody is in charge
    char text[TOKEN_MAX + 1];
    struct token *before;  // of earlier ones, which requests may be looking at
};

struct om__charge {
    _Atomic(struct token *) now;
};

static om_status read_token(const char *path, struct token *token,
                            struct om_err *err)
{
    struct om_buf text = {0};
    const om_status st = om_file_read(path, TOKEN_MAX + 3, &text, err);
    size_t len = st ? 0 : text.len;
    while (len && (text.bytes[len - 1] == '\n' || text.bytes[len - 1] == '\r'))
        len--;
    bool good = len >= TOKEN_MIN && len <= TOKEN_MAX;
    for (size_t i = 0; good && i < len; i++)
        good = text.bytes[i] > ' ' && text.bytes[i] < 127;
    if (good) memcpy(token->text, text.bytes, len);
    token->len = good ? len : 0;
    om_buf_deinit(&text);
    if (st || good) return st;
    return om_fail(err, OM_E_FORMAT, 0,
                   "%.80s: a token is one line of %d to %d printable "
                   "characters without blanks",
                   path, TOKEN_MIN, TOKEN_MAX);
}

om_status om__charge_reload(struct om__charge *charge, const char *path,
                            struct om_err *err)
{
    struct token *token = om_calloc(1, sizeof *token);
    if (!token) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    const om_status st = path ? read_token(path, token, err) : OM_OK;
    if (st) {
        om_free(token);
        return st;
    }
    token->before = atomic_load(&charge->now);
    atomic_store(&charge->now, token);
    return OM_OK;
}

om_status om__charge_new(const char *path, struct om__charge **out,
                         struct om_err *err)
{
    struct om__charge *charge = om_calloc(1, sizeof *charge);
    if (!charge) return OM_E_MEMORY;
    const om_status st = om__charge_reload(charge, path, err);
    if (st)
        om__charge_free(charge);
    else
        *out = charge;
    return st;
}

bool om__charge_set(const struct om__charge *charge)
{
    return atomic_load(&charge->now)->len > 0;
}

void om__charge_free(struct om__charge *charge)
{
    struct token *token = charge ? atomic_load(&charge->now) : NULL;
    while (token) {
        struct token *before = token->before;
        om_free(token);
        token = before;
    }
    om_free(charge);
}

bool om__charge_holds(const struct om__charge *charge, const char *given)
{
    const struct token *token = atomic_load(&charge->now);
    if (!token->len || !given || strncasecmp(given, "Bearer ", 7) != 0)
        return false;
    given += 7;
    while (*given == ' ') given++;
    // As many steps as the client's text is long, whatever the token is.
    const size_t len = strlen(given);
    volatile size_t differ = len ^ token->len;
    for (size_t i = 0; i < len; i++)
        differ = differ | (size_t)(given[i] ^ token->text[i % token->len]);
    return !differ;
}

bool om__layer_personal(const struct om_snapshot *snapshot,
                        const struct om_layer *layer)
{
    const struct om_json *layers =
        om_json_get(snapshot->manifest->document, "layers");
    for (size_t i = 0; i < om_json_count(layers); i++) {
        const struct om_json *one = om_json_at(layers, i);
        if (!strcmp(om_json_text(om_json_get(one, "name"), ""), layer->name))
            return om_json_true(om_json_get(one, "personal"), false);
    }
    return false;
}

bool om__crowds_only(const struct om__request *r, const struct om_layer *layer)
{
    return !r->in_charge && om__layer_personal(r->snapshot, layer);
}

om_status om__rows_allowed(struct om__request *r, const struct om_layer *layer)
{
    if (!om__crowds_only(r, layer)) return OM_OK;
    r->error_status = MHD_HTTP_UNAUTHORIZED;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "rows of %s are about single persons: those in charge see "
                   "them, with a token; counts by unit are at /stats/%s",
                   layer->name, layer->name);
}
