/* next.c - where a page ends, as the link to the next one says it.
 *
 * DESIGN
 * A page goes on behind a place in the order of rows (Morton code and id, or
 * the values of the columns that rows are sorted by, then these), not behind a
 * number of a row: the city may be written to between two pages, and then the
 * next one is of the newest snapshot. A row that nobody touches is on exactly
 * one page, and none is on two unless it was moved behind the place. Only where
 * a layer has been replaced as a whole do its pages begin again (410).
 *
 * The link holds bytes in base64url: a version, the commit of the layer's
 * whole, the code, the values, the id, and a checksum, so that a link that was
 * cut or altered is told from one that is old. Of texts it holds TEXT_MOST
 * bytes; of a longer one the row is looked for by its id, and if it has gone,
 * so has the page.
 */
#include <string.h>

#include "data/base/hash.h"
#include "web/server/item_ask.h"
#include "web/server/params.h"

#define VERSION 1
#define TEXT_MOST 600
#define ID_MOST 1500
/* Above all that is written. */
#define BYTES_MOST 5000

enum { IS_NULL = 1, IS_TEXT = 2, IS_CUT = 4 };

/* ---- base64url (RFC 4648, section 5), without padding */

static const char DIGIT[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void write_text(const struct om_buf *from, struct om_buf *out)
{
    for (size_t i = 0; i < from->len; i += 3) {
        const size_t n = from->len - i < 3 ? from->len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? from->bytes[i + k] : 0);
        for (size_t k = 0; k <= n; k++)
            om_buf_add_byte(out, (uint8_t)DIGIT[bits >> (18 - 6 * k) & 63]);
    }
}

static bool read_text(const char *text, struct om_buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (; *text; text++) {
        const char *digit = strchr(DIGIT, *text);
        if (!digit || out->len > BYTES_MOST) return false;
        bits = bits << 6 | (uint32_t)(digit - DIGIT);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        if (om_buf_add_byte(out, (uint8_t)(bits >> have))) return false;
    }
    // What is left over must be nothing: one text for the same bytes.
    return have < 6 && (bits & ((1u << have) - 1)) == 0;
}

/* ---- the bytes */

static void add_number(struct om_buf *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0) om_buf_add_byte(out, (uint8_t)(number >> 8 * bytes));
}

static void add_text(struct om_buf *out, const char *text, size_t len)
{
    add_number(out, len, 2);
    om_buf_add(out, text, len);
}

static void add_key(struct om_buf *out, const struct om_behind_key *key)
{
    const bool cut = !key->null && key->is_text && key->len > TEXT_MOST;
    om_buf_add_byte(
        out, (uint8_t)((key->null ? IS_NULL : 0) |
                       (key->is_text ? IS_TEXT : 0) | (cut ? IS_CUT : 0)));
    if (key->null || cut) return;
    if (key->is_text)
        add_text(out, key->text, key->len);
    else
        add_number(out, key->number, 8);
}

om_status om__next_write(struct om__request *r, const struct om__item_ask *ask,
                         const struct om_hit *last, struct om_buf *out)
{
    struct om_behind stand;
    struct om_buf bytes = {0};
    OM_TRY(om_query_stand(r->layer, last, ask->key, ask->keys,
                          &om__lane(r->server)->arena, &stand));
    if (stand.id_len > ID_MOST)
        return om_fail(&r->err, OM_E_LIMIT, 0,
                       "the row that this page ends with has an id of more "
                       "than %d bytes; ask for more or fewer rows",
                       ID_MOST);
    add_number(&bytes, VERSION, 1);
    add_number(&bytes, r->layer->meta->base_commit, 8);
    add_number(&bytes, stand.code, 8);
    add_number(&bytes, stand.keys, 1);
    for (size_t k = 0; k < stand.keys; k++) add_key(&bytes, &stand.key[k]);
    add_text(&bytes, stand.id, stand.id_len);
    if (!bytes.status)
        add_number(&bytes, om_hash64(bytes.bytes, bytes.len, VERSION), 4);
    const om_status st = bytes.status;
    if (!st) write_text(&bytes, out);
    om_buf_deinit(&bytes);
    return st ? st : out->status;
}

/* Bytes being read; `bad` once more was wanted than there is. */
struct reading {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static uint64_t take_number(struct reading *g, unsigned bytes)
{
    uint64_t number = 0;
    if (g->left < bytes) g->bad = true;
    for (; !g->bad && bytes > 0; bytes--) {
        number = number << 8 | *g->at++;
        g->left--;
    }
    return number;
}

static const char *take_text(struct reading *g, size_t *len)
{
    const char *text;
    *len = (size_t)take_number(g, 2);
    if (g->left < *len) g->bad = true;
    if (g->bad) return "";
    text = (const char *)g->at;
    g->at += *len;
    g->left -= *len;
    return text;
}

static void take_key(struct reading *g, struct om_behind_key *key, bool *cut)
{
    const uint64_t flags = take_number(g, 1);
    if (flags > (IS_NULL | IS_TEXT | IS_CUT)) g->bad = true;
    key->null = flags & IS_NULL;
    key->is_text = flags & IS_TEXT;
    *cut |= (flags & IS_CUT) != 0;
    if (flags & (IS_NULL | IS_CUT)) return;
    if (key->is_text)
        key->text = take_text(g, &key->len);
    else
        key->number = take_number(g, 8);
}

static bool take_all(struct reading *g, struct om_behind *out, uint64_t *base,
                     bool *cut)
{
    if (take_number(g, 1) != VERSION) return false;
    *base = take_number(g, 8);
    out->code = take_number(g, 8);
    out->keys = (size_t)take_number(g, 1);
    if (out->keys > OM_SORT_KEYS) return false;
    for (size_t k = 0; k < out->keys; k++) take_key(g, &out->key[k], cut);
    out->id = take_text(g, &out->id_len);
    return !g->bad && g->left == 0;
}

static om_status refuse(struct om__request *r)
{
    return om__param_bad(r, "next", OM_E_FORMAT,
                         "next is what the link of that name gave");
}

static om_status gone(struct om__request *r, const char *why)
{
    r->error_status = MHD_HTTP_GONE;
    return om__param_bad(r, "next", OM_E_NOTFOUND, "%s; begin again", why);
}

static bool note_hit(void *ctx, const struct om_hit *hit)
{
    *(struct om_hit *)ctx = *hit;
    return false;
}

/* Where the row stands now that is too long to be told in a link. */
static om_status look_up(struct om__request *r, struct om__item_ask *ask)
{
    struct om_hit hit = {.row = SIZE_MAX};
    const struct om_query query = {.snapshot = r->snapshot,
                                   .layer = r->layer,
                                   .place = {.kind = OM_PLACE_ID,
                                             .id = ask->behind.id,
                                             .id_len = ask->behind.id_len}};
    const om_status st = om_query_each(&query, note_hit, &hit);
    if (st && st != OM_E_NOTFOUND) return st;
    if (hit.row == SIZE_MAX)
        return gone(r, "the row it goes on behind is gone");
    return om_query_stand(r->layer, &hit, ask->key, ask->keys,
                          &om__lane(r->server)->arena, &ask->behind);
}

/* Is it a place in the order that is asked for? */
static bool fits(const struct om__request *r, const struct om__item_ask *ask)
{
    if (ask->behind.keys != ask->keys) return false;
    for (size_t k = 0; k < ask->keys; k++) {
        const enum om_type type =
            r->layer->schema.field[ask->key[k].column].type;
        const bool text = type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
        if (ask->behind.key[k].is_text != text) return false;
    }
    return true;
}

om_status om__next_read(struct om__request *r, struct om__item_ask *ask)
{
    const char *text = om__param_text(r, "next");
    struct om_buf bytes = {0};
    uint64_t base = 0;
    bool cut = false;
    if (!text) return OM_OK;
    const bool read = read_text(text, &bytes);
    // Texts stay where they are, in an arena that the answer outlives not.
    uint8_t *copy = om_arena_alloc(&om__lane(r->server)->arena, bytes.len + 1);
    if (copy && bytes.len) memcpy(copy, bytes.bytes, bytes.len);
    const size_t len = bytes.len;
    const om_status st = bytes.status;
    om_buf_deinit(&bytes);
    if (st || !copy) return st ? st : OM_E_MEMORY;
    if (!read || len < 4) return refuse(r);
    struct reading check = {copy + len - 4, 4, false};
    struct reading g = {copy, len - 4, false};
    if (take_number(&check, 4) != (uint32_t)om_hash64(copy, len - 4, VERSION) ||
        !take_all(&g, &ask->behind, &base, &cut) || !fits(r, ask))
        return refuse(r);
    if (base != r->layer->meta->base_commit)
        return gone(r, "the layer has been replaced since");
    if (cut) OM_TRY(look_up(r, ask));
    ask->query.behind = &ask->behind;
    return OM_OK;
}
