/* pictures.c - the base map and pictures made ready, each once a commit.
 *
 * DESIGN
 * As with views (views.c): a page asks for twenty tiles of a picture at the
 * same moment, the first makes it, the others wait for it. What is ready is
 * shared by all tiles: the rows selected, units counted and put into classes,
 * names placed. Making is for workers; a tile whose picture is ready is drawn
 * where its request is, unless it looks at very many rows.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/server_internal.h"

/* Pictures kept. */
#define PICTURES 48

struct slot {
    char *key;
    size_t key_len;
    uint64_t hash, used;
    struct om_picture *picture;  // NULL while it is being made
};

struct om__pictures {
    struct om_font *font;   // NULL: maps without labels
    struct om_err no_font;  // why
    pthread_mutex_t lock;
    pthread_cond_t finished;
    struct om_base *base;
    uint64_t base_sequence;
    uint64_t clock;
    size_t count;
    struct slot slot[PICTURES];
};

om_status om__pictures_new(const char *fonts, struct om__pictures **out)
{
    struct om__pictures *p = om_calloc(1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->finished, NULL);
    *out = p;
    const om_status st = om_font_open(fonts, &p->font, &p->no_font);
    if (st == OM_E_MEMORY) return st;
    if (st)
        om_log(OM_LOG_WARN, "picture", "maps have no labels: %s",
               p->no_font.text);
    return OM_OK;
}

const char *om__pictures_no_font(const struct om__pictures *pictures)
{
    return pictures->font ? NULL : pictures->no_font.text;
}

struct om_font *om__pictures_font(const struct om__pictures *pictures)
{
    return pictures->font;
}

static void slot_drop(struct om__pictures *p, size_t i)
{
    om_picture_unref(p->slot[i].picture);
    om_free(p->slot[i].key);
    p->slot[i] = p->slot[--p->count];
}

void om__pictures_clear(struct om__pictures *p)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->count; i-- > 0;)
        if (p->slot[i].picture) slot_drop(p, i);
    om_base_unref(p->base);
    p->base = NULL;
    pthread_mutex_unlock(&p->lock);
}

void om__pictures_free(struct om__pictures *p)
{
    if (!p) return;
    om__pictures_clear(p);
    om_font_close(p->font);
    pthread_cond_destroy(&p->finished);
    pthread_mutex_destroy(&p->lock);
    om_free(p);
}

om_status om__base_get(struct om__request *r, struct om_base **out)
{
    struct om__pictures *p = r->server->pictures;
    om_status st = OM_OK;
    *out = NULL;
    // Held while it is made: everybody wants the same one.
    pthread_mutex_lock(&p->lock);
    if (p->base && p->base_sequence != r->snapshot->sequence) {
        om_base_unref(p->base);
        p->base = NULL;
    }
    if (!p->base) st = om_base_new(r->snapshot, p->font, &p->base, &r->err);
    if (!st) {
        p->base_sequence = r->snapshot->sequence;
        *out = om_base_ref(p->base);
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

static struct slot *find(struct om__pictures *p, const struct om_buf *key,
                         uint64_t hash)
{
    for (size_t i = 0; i < p->count; i++) {
        struct slot *s = &p->slot[i];
        if (s->hash == hash && s->key_len == key->len &&
            !memcmp(s->key, key->bytes, key->len))
            return s;
    }
    return NULL;
}

/* Make room for one more; false while all are being made. */
static bool make_room(struct om__pictures *p)
{
    if (p->count < PICTURES) return true;
    size_t oldest = PICTURES;
    for (size_t i = 0; i < p->count; i++)
        if (p->slot[i].picture &&
            (oldest == PICTURES || p->slot[i].used < p->slot[oldest].used))
            oldest = i;
    if (oldest == PICTURES) return false;
    slot_drop(p, oldest);
    return true;
}

static om_status take_slot(struct om__pictures *p, const struct om_buf *key,
                           uint64_t hash)
{
    if (!make_room(p)) return OM_E_BUSY;
    char *copy = om_alloc(key->len ? key->len : 1);
    if (!copy) return OM_E_MEMORY;
    memcpy(copy, key->bytes, key->len);
    p->slot[p->count++] = (struct slot){
        .key = copy, .key_len = key->len, .hash = hash, .used = ++p->clock};
    return OM_OK;
}

/* Look a picture up, waiting while another thread makes it. On OM_OK without
 * one the slot has been taken for the caller to fill, or it is for later. */
static om_status claim(struct om__request *r, const struct om_buf *key,
                       uint64_t hash, bool heavy, struct om_picture **out)
{
    struct om__pictures *p = r->server->pictures;
    const bool here = heavy ? r->on_heavy : r->on_worker;
    om_status st = OM_OK;
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(p, key, hash);
    while (slot && !slot->picture && here) {
        pthread_cond_wait(&p->finished, &p->lock);
        slot = find(p, key, hash);
    }
    if (slot && slot->picture) {
        slot->used = ++p->clock;
        *out = om_picture_ref(slot->picture);
    } else if (!here) {
        r->later = true;
        r->heavy = heavy;
    } else {
        st = take_slot(p, key, hash);
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

/* The slot is ours to fill; the lock is not held. */
static om_status fill(struct om__request *r,
                      const struct om_picture_bound *bound,
                      const struct om_buf *key, uint64_t hash,
                      struct om_picture **out)
{
    struct om__pictures *p = r->server->pictures;
    struct om_base *base;
    struct om_cancel *held = om_cancel_swap(NULL);  // others may wait for it
    om_status st = om__base_get(r, &base);
    if (!st)
        st = om_picture_make(bound, r->snapshot, base, r->server->selections,
                             out, &r->err);
    om_base_unref(base);
    om_cancel_swap(held);
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(p, key, hash);
    if (st)
        slot_drop(p, (size_t)(slot - p->slot));
    else
        slot->picture = om_picture_ref(*out);
    pthread_cond_broadcast(&p->finished);
    pthread_mutex_unlock(&p->lock);
    return st;
}

om_status om__picture_get(struct om__request *r,
                          const struct om_picture_bound *bound,
                          struct om_picture **out)
{
    struct om_buf key = {0};
    *out = NULL;
    om_buf_add(&key, &r->snapshot->sequence, sizeof r->snapshot->sequence);
    om_status st =
        om_buf_add(&key, bound->canonical.bytes, bound->canonical.len);
    const uint64_t hash = st ? 0 : om_hash64(key.bytes, key.len, 0);
    if (!st) st = claim(r, &key, hash, om_picture_heavy(bound), out);
    if (!st && !*out && !r->later) st = fill(r, bound, &key, hash, out);
    om_buf_deinit(&key);
    return st;
}
