/* looks.c - layers that are drawn otherwise, told.
 *
 * DESIGN
 * A row with a value that none had before, or one of so many that dots become
 * smaller, changes tiles far from where it lies. The map of changes knows only
 * where; so a server that writes remembers how each picture looked that
 * somebody asked for of late, looks again once a second where rows were
 * written, and has the whole layer noted as changed (om_live_touch) when the
 * look is another. From then on no kept tile is current, and everyone who
 * listens or polls is told, also by a server that begins anew. We rejected
 * finding that out while writing, which would make each write count all
 * columns. Looks change in steps (tiles/picture), so this is rare.
 */
#include "web/server/looks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/server_internal.h"
#include "web/server/writes.h"

/* Pictures that are remembered; the one asked for longest ago makes room. */
#define LOOKS 64
/* Seconds that may be spent on looking again, in each of which rows were
 * written; the others are looked at in the next. */
#define TELLING_S 0.1

struct look {
    uint64_t family, look, sequence;
    double used_s;
    char layer[OM_LIMIT_NAME_BYTES];
    size_t by;
    char *filter;  // canonical; NULL: none
    struct om_window window;
};

struct om__looks {
    pthread_mutex_t lock;  // guards all below
    size_t count, next;
    struct look look[LOOKS];
};

om_status om__looks_new(struct om__looks **out)
{
    *out = om_calloc(1, sizeof **out);
    if (!*out) return OM_E_MEMORY;
    pthread_mutex_init(&(*out)->lock, NULL);
    return OM_OK;
}

void om__looks_free(struct om__looks *looks)
{
    if (!looks) return;
    for (size_t i = 0; i < looks->count; i++) om_free(looks->look[i].filter);
    pthread_mutex_destroy(&looks->lock);
    om_free(looks);
}

/* Under the lock: the entry of a picture, an old one in its place, or a free
 * one. */
static struct look *entry_of(struct om__looks *l, uint64_t family)
{
    struct look *oldest = l->look;
    for (size_t i = 0; i < l->count; i++) {
        if (l->look[i].family == family) return &l->look[i];
        if (l->look[i].used_s < oldest->used_s) oldest = &l->look[i];
    }
    if (l->count < LOOKS) return &l->look[l->count++];
    om_free(oldest->filter);
    *oldest = (struct look){0};
    return oldest;
}

void om__looks_note(struct om__looks *looks,
                    const struct om_picture_bound *bound, uint64_t sequence,
                    uint64_t look)
{
    const uint64_t family =
        om_hash64(bound->canonical.bytes, bound->canonical.len, 0);
    pthread_mutex_lock(&looks->lock);
    struct look *l = entry_of(looks, family);
    l->used_s = om_seconds();
    if (l->family != family) {
        // What was not there before needs no telling.
        *l = (struct look){.family = family,
                           .look = look,
                           .sequence = sequence,
                           .used_s = l->used_s,
                           .by = bound->by,
                           .window = bound->window};
        memcpy(l->layer, bound->layer->name, sizeof l->layer);
        if (bound->filter)
            l->filter = om_strdup(om_filter_canonical(bound->filter));
        if (bound->filter && !l->filter) l->family = 0;  // never found again
    }
    pthread_mutex_unlock(&looks->lock);
}

/* How the picture of an entry looks now. */
static om_status look_now(const struct look *l, struct om_server *server,
                          struct om_snapshot *snapshot, uint64_t *out)
{
    struct om_picture_bound bound = {
        .kind = OM_PICTURE_ROWS, .by = l->by, .window = l->window};
    struct om_picture *picture = NULL;
    struct om_filter *filter = NULL;
    struct om_err why = {0};
    bound.layer = om_snapshot_layer(snapshot, l->layer);
    if (!bound.layer) return OM_E_NOTFOUND;
    if (l->filter)
        OM_TRY(om_filter_parse(l->filter, strlen(l->filter), bound.layer,
                               snapshot->manifest->zone_s, &filter, &why));
    bound.filter = filter;
    const om_status st = om_picture_make(&bound, snapshot, NULL,
                                         server->selections, &picture, &why);
    if (!st) *out = om_picture_look(picture);
    om_picture_unref(picture);
    om_filter_free(filter);
    return st;
}

/* An entry that was written to since it was looked at, as a copy. */
static bool next_changed(struct om__looks *looks, struct om_server *server,
                         struct look *out)
{
    bool found = false;
    pthread_mutex_lock(&looks->lock);
    for (size_t i = 0; i < looks->count && !found; i++) {
        looks->next = (looks->next + 1) % looks->count;
        const struct look *l = &looks->look[looks->next];
        if (om_city_changed(server->city, l->layer, OM__EVERYWHERE) <=
            l->sequence)
            continue;
        *out = *l;
        out->filter = l->filter ? om_strdup(l->filter) : NULL;
        found = !l->filter || out->filter;
    }
    pthread_mutex_unlock(&looks->lock);
    return found;
}

static void remember(struct om__looks *looks, const struct look *seen)
{
    pthread_mutex_lock(&looks->lock);
    for (size_t i = 0; i < looks->count; i++)
        if (looks->look[i].family == seen->family) {
            looks->look[i].look = seen->look;
            looks->look[i].sequence = seen->sequence;
        }
    pthread_mutex_unlock(&looks->lock);
}

static void look_again(struct om__looks *looks, struct om_server *server,
                       struct look *l)
{
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    struct om_err why = {0};
    uint64_t look;
    if (!snapshot) return;
    if (!look_now(l, server, snapshot, &look)) {
        om_status st = OM_OK;
        if (look != l->look)
            st = om__writes_touch(server->writes, l->layer, &why);
        if (st && st != OM_E_STOPPED)
            om_log(OM_LOG_WARN, "picture", "%s looks otherwise, untold: %s",
                   l->layer, why.text);
        l->look = look;
        l->sequence = snapshot->sequence;
        if (!st) remember(looks, l);
    }
    om_snapshot_unref(snapshot);
}

void om__looks_tell(struct om__looks *looks, struct om_server *server)
{
    const double end_s = om_seconds() + TELLING_S;
    struct look changed;
    if (om__writes_reads_only(server->writes)) return;
    for (size_t i = 0; i < LOOKS && om_seconds() < end_s; i++) {
        if (!next_changed(looks, server, &changed)) return;
        look_again(looks, server, &changed);
        om_free(changed.filter);
    }
}
