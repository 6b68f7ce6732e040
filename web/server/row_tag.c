/* row_tag.c - the ETag of a row, for If-Match.
 *
 * DESIGN
 * A row's sequence, where whoever asks sees all of it: the engine compares it
 * when it is the row's turn. Whoever does not see all columns would learn by it
 * that one of the others has changed; they get a hash of what they see, with a
 * letter before it. Sent back, it is compared with the row as it is now, and
 * the sequence that the row had before that is what the engine is told: nothing
 * comes in between unseen.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/base/hash.h"
#include "web/features.h"
#include "web/server/writes.h"

#define HASH_DIGITS 16

struct telling {
    const struct om_layer *layer;
    struct om_features_options options;
    struct om_buf out;
    bool found;
    om_status status;
};

static bool tell(void *ctx, const struct om_hit *hit)
{
    struct telling *t = ctx;
    t->found = true;
    t->status = om_features_one(t->layer, &t->options, hit, &t->out);
    return false;
}

/* Of what is told of a row in the usual form, whatever form is asked for. */
static om_status hash_told(const struct om__request *r,
                           const struct om_layer *layer, const char *id,
                           uint64_t *hash)
{
    struct telling t = {.layer = layer,
                        .options = {.zone_s = r->snapshot->manifest->zone_s}};
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = layer,
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = strlen(id)}};
    om_status st = om_query_each(&query, tell, &t);
    if (!st) st = t.status;
    if (!st && !t.found) st = OM_E_NOTFOUND;
    if (!st) st = t.out.status;
    if (!st) *hash = om_hash64(t.out.bytes, t.out.len, 0);
    om_buf_deinit(&t.out);
    return st;
}

om_status om__row_tag(struct om__request *r, const char *id, char *etag,
                      size_t room)
{
    uint64_t value;
    char why[OM_ERR_TEXT_BYTES];
    *etag = '\0';
    if (om__writes_reads_only(r->server->writes) ||
        !om__writes_ready(r->server->writes, why))
        return OM_OK;
    if (r->layer->rights.veils) {
        OM_TRY(hash_told(r, r->layer, id, &value));
        snprintf(etag, room, "\"v%0*" PRIx64 "\"", HASH_DIGITS, value);
        return OM_OK;
    }
    const om_status st = om__row_sequence(r, id, &value);
    if (!st) snprintf(etag, room, "\"%" PRIu64 "\"", value);
    return st == OM_E_UNSUPPORTED ? OM_OK : st;
}

/* What is between the quotes, without what says that it was gzipped. */
static bool unquote(const char **text, size_t *len)
{
    if (*len < 3 || (*text)[0] != '"' || (*text)[*len - 1] != '"') return false;
    ++*text;
    *len -= 2;
    if (*len > 2 && !memcmp(*text + *len - 2, "-g", 2)) *len -= 2;
    return true;
}

bool om__row_tag_read(const char *text, size_t len, uint64_t *sequence)
{
    return unquote(&text, &len) &&
           om_digits_read(text, len, INT64_MAX, sequence);
}

om_status om__row_tag_told(struct om__request *r, const char *text, size_t len,
                           bool *same)
{
    char now[HASH_DIGITS + 2];
    uint64_t hash = 0;
    *same = false;
    if (!unquote(&text, &len) || len != HASH_DIGITS + 1 || *text != 'v')
        return OM_OK;
    const struct om_layer *layer =
        om_snapshot_layer(r->snapshot, r->layer->name);
    if (!layer) return OM_OK;
    const om_status st = hash_told(r, layer, r->address.segment[3], &hash);
    if (st) return st == OM_E_NOTFOUND ? OM_OK : st;
    snprintf(now, sizeof now, "v%0*" PRIx64, HASH_DIGITS, hash);
    *same = !memcmp(now, text, len);
    return OM_OK;
}
