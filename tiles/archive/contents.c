// contents.c - the contents of an archive by their hash, so that each is
// stored once.
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/archive/archive_internal.h"

#define SLOTS_FIRST 1024

void om__content_hash(const void *bytes, size_t len, uint64_t out[2])
{
    out[0] = om_hash64(bytes, len, 0);
    out[1] = om_hash64(bytes, len, UINT64_C(0x9E3779B97F4A7C15));
}

void om__contents_deinit(struct om__contents *c)
{
    om_free(c->slot);
    *c = (struct om__contents){0};
}

/* Where the hash is or would be. An entry is taken once it has a hash: one of
 * nothing but zeros does not come up. */
static struct om__content *probe(const struct om__contents *c,
                                 const uint64_t hash[2])
{
    size_t at = hash[0] & (c->slots - 1);
    for (;; at = (at + 1) & (c->slots - 1)) {
        struct om__content *slot = &c->slot[at];
        if (!slot->hash[0] && !slot->hash[1]) return slot;
        if (slot->hash[0] == hash[0] && slot->hash[1] == hash[1]) return slot;
    }
}

static om_status grow(struct om__contents *c)
{
    struct om__contents more = {.slots = c->slots ? 2 * c->slots : SLOTS_FIRST,
                                .count = c->count};
    more.slot = om_calloc(more.slots, sizeof *more.slot);
    if (!more.slot) return OM_E_MEMORY;
    for (size_t i = 0; i < c->slots; i++)
        if (c->slot[i].hash[0] || c->slot[i].hash[1])
            *probe(&more, c->slot[i].hash) = c->slot[i];
    om_free(c->slot);
    *c = more;
    return OM_OK;
}

om_status om__contents_find(struct om__contents *c, const uint64_t hash[2],
                            struct om__content **out)
{
    if (c->count * 2 >= c->slots) OM_TRY(grow(c));
    struct om__content *slot = probe(c, hash);
    if (!slot->hash[0] && !slot->hash[1]) {
        memcpy(slot->hash, hash, sizeof slot->hash);
        c->count++;
    }
    *out = slot;
    return OM_OK;
}
