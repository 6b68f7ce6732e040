// newest.c - the sequence of a row's last entry, without asking the journal.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * The journal knows the same, but it is one thread's at a time, and that one
 * may be waiting for the disk while somebody asks for the ETag of a row. So: a
 * table of hashes of layer and id, 16 bytes a row that is still in the journal,
 * with a lock that is held for a look-up only. Two rows with one hash (64 bits)
 * would share the newer number: If-Match would fail once in vain.
 *
 * Rows without an entry have the number below which entries are let go. Where
 * there is no memory for another row that number is raised instead. */

#define ROOM 1024
/* Rows whose slots are fetched before they are needed. */
#define AHEAD 16

uint64_t om__newest_hash(const char *layer, const char *id, size_t len)
{
    const uint64_t hash =
        om_hash64(id, len, om_hash64(layer, strlen(layer), len));
    return hash ? hash : 1;  // 0 is nobody's
}

static struct om__newest_slot *find(const struct om__newest *n, uint64_t hash)
{
    size_t i = (size_t)hash & (n->room - 1);
    while (n->slot[i].hash && n->slot[i].hash != hash)
        i = (i + 1) & (n->room - 1);
    return &n->slot[i];
}

/* Twice the room of what is still of use, and of `more`. */
static bool grow(struct om__newest *n, size_t more)
{
    size_t used = 0;
    for (size_t i = 0; i < n->room; i++)
        used += n->slot[i].hash && n->slot[i].sequence > n->floor;
    struct om__newest fresh = {.room = ROOM, .floor = n->floor};
    while (fresh.room < 4 * used || fresh.room / 2 <= used + more)
        fresh.room *= 2;
    fresh.slot = om_calloc(fresh.room, sizeof *fresh.slot);
    if (!fresh.slot) return false;
    for (size_t i = 0; i < n->room; i++)
        if (n->slot[i].hash && n->slot[i].sequence > n->floor)
            *find(&fresh, n->slot[i].hash) = n->slot[i];
    om_free(n->slot);
    n->slot = fresh.slot;
    n->room = fresh.room;
    n->used = used;
    return true;
}

static void note(struct om__newest *n, uint64_t hash, uint64_t sequence)
{
    if (2 * (n->used + 1) > n->room && !grow(n, 1)) {
        n->floor = sequence;
        return;
    }
    struct om__newest_slot *slot = find(n, hash);
    n->used += !slot->hash;
    *slot = (struct om__newest_slot){hash, sequence};
}

void om__newest_expect(struct om__newest *n, uint64_t rows)
{
    pthread_mutex_lock(&n->lock);
    // Without the room now it is tried again later.
    if (rows < SIZE_MAX / 64) (void)grow(n, (size_t)rows);
    pthread_mutex_unlock(&n->lock);
}

void om__newest_note(struct om__newest *n, const char *layer, const char *id,
                     size_t len, uint64_t sequence)
{
    const uint64_t hash = om__newest_hash(layer, id, len);
    pthread_mutex_lock(&n->lock);
    note(n, hash, sequence);
    pthread_mutex_unlock(&n->lock);
}

void om__newest_note_all(struct om__newest *n, const uint64_t *hash,
                         size_t count, uint64_t first)
{
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < count; i++) {
        // The table is larger than any cache.
        if (i + AHEAD < count && n->room)
            __builtin_prefetch(&n->slot[hash[i + AHEAD] & (n->room - 1)], 1);
        note(n, hash[i], first + i);
    }
    pthread_mutex_unlock(&n->lock);
}

void om__newest_forget(struct om__newest *n, uint64_t floor)
{
    pthread_mutex_lock(&n->lock);
    if (floor > n->floor) n->floor = floor;
    pthread_mutex_unlock(&n->lock);
}

uint64_t om__newest_of(struct om__newest *n, const char *layer, const char *id,
                       size_t len)
{
    const uint64_t row = om__newest_hash(layer, id, len),
                   whole = om__newest_hash(layer, "", 0);
    pthread_mutex_lock(&n->lock);
    uint64_t newest = n->floor;
    if (n->room) {
        const struct om__newest_slot *slot = find(n, row);
        if (slot->hash && slot->sequence > newest) newest = slot->sequence;
        slot = find(n, whole);
        if (slot->hash && slot->sequence > newest) newest = slot->sequence;
    }
    pthread_mutex_unlock(&n->lock);
    return newest;
}
