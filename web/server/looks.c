/* looks.c - layers that are drawn otherwise, told.
 *
 * DESIGN
 * A row with a value that none had before, or one of so many that dots become
 * smaller, changes tiles far from where it lies. The map of changes knows only
 * where; so a server that writes remembers how each picture looked that
 * somebody asked for of late, looks again once a second where rows were
 * written, and has the whole layer noted as changed (om_live_touch) when the
 * look is another. From then on no kept tile is current, and everyone who
 * listens or polls is told, also by a server that begins anew. So it is with
 * vector tiles: a shape more may be one too many for the zoom's fullest tile,
 * and smaller ones are then not drawn anywhere. We rejected
 * finding that out while writing, which would make each write count all
 * columns. Looks change in steps (tiles/picture), so this is rare.
 *
 * Who does not see some columns draws by the others, and is told of these looks
 * alone. What somebody with an area draws is looked at whenever a row changes
 * there (picture_routes.c).
 */
#include "web/server/looks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/needs.h"
#include "web/server/server_internal.h"
#include "web/server/writes.h"

/* Pictures that are remembered; the one asked for longest ago makes room. */
#define LOOKS 64
/* Seconds that may be spent on looking again, in each of which rows were
 * written; the others are looked at in the next. */
#define TELLING_S 0.1

struct look {
    uint64_t family, look, sequence, audience;
    double used_s;
    char layer[OM_LIMIT_NAME_BYTES];
    size_t by;
    char *filter;  // canonical; NULL: none
    struct om_window window;
    bool vector, some;  // of vector tiles, and only of some columns
    bool column[OM_LIMIT_COLUMNS];
    bool hidden[OM_LIMIT_COLUMNS];  // of pictures: from the audience
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

static void note(struct om__looks *looks, const struct look *fresh,
                 const struct om_filter *filter)
{
    pthread_mutex_lock(&looks->lock);
    struct look *l = entry_of(looks, fresh->family);
    if (l->family != fresh->family) {
        // What was not there before needs no telling.
        *l = *fresh;
        if (filter) l->filter = om_strdup(om_filter_canonical(filter));
        if (filter && !l->filter) l->family = 0;  // never found again
    }
    // A layer that was replaced may have them in other places.
    memcpy(l->hidden, fresh->hidden, sizeof l->hidden);
    l->used_s = om_seconds();
    pthread_mutex_unlock(&looks->lock);
}

void om__looks_note(struct om__looks *looks,
                    const struct om_picture_bound *bound, uint64_t sequence,
                    uint64_t look)
{
    const struct om_layer_rights *rights = &bound->layer->rights;
    if (rights->area || rights->crowds) return;
    struct look fresh = {
        .family = om_hash64(bound->canonical.bytes, bound->canonical.len,
                            rights->audience),
        .look = look,
        .sequence = sequence,
        .audience = rights->audience,
        .by = bound->by,
        .window = bound->window};
    memcpy(fresh.layer, bound->layer->name, sizeof fresh.layer);
    memcpy(fresh.hidden, bound->layer->schema.hidden, sizeof fresh.hidden);
    note(looks, &fresh, bound->filter);
}

void om__looks_note_vector(struct om__looks *looks,
                           const struct om_vector_ask *ask,
                           const struct om_layer *layer, uint64_t sequence,
                           uint64_t look)
{
    struct look fresh = {.look = look,
                         .sequence = sequence,
                         .by = ask->by,
                         .window = ask->window,
                         .vector = true,
                         .some = ask->some};
    const char *filter = ask->filter ? om_filter_canonical(ask->filter) : "";
    const int64_t window[] = {ask->window.set, ask->window.from_s,
                              ask->window.to_s};
    memcpy(fresh.layer, layer->name, sizeof fresh.layer);
    if (ask->some) memcpy(fresh.column, ask->column, sizeof fresh.column);
    uint64_t family = om_hash64(layer->name, strlen(layer->name), 1);
    family = om_hash64(filter, strlen(filter), family);
    family = om_hash64(window, sizeof window, family);
    fresh.family = om_hash64(fresh.column, sizeof fresh.column, family);
    note(looks, &fresh, ask->filter);
}

/* As those see the layer who are told. */
static om_status picture_now(const struct look *l, struct om_server *server,
                             struct om_snapshot *snapshot,
                             const struct om_layer *layer,
                             struct om_filter *filter, uint64_t *out)
{
    struct om_layer *seen = om_alloc(sizeof *seen);
    if (!seen) return OM_E_MEMORY;
    *seen = *layer;
    memcpy(seen->schema.hidden, l->hidden, sizeof l->hidden);
    const struct om_picture_bound bound = {.kind = OM_PICTURE_ROWS,
                                           .layer = seen,
                                           .filter = filter,
                                           .by = l->by,
                                           .window = l->window};
    struct om_picture *picture = NULL;
    struct om_err why = {0};
    const om_status st = om_picture_make(&bound, snapshot, NULL,
                                         server->selections, &picture, &why);
    if (!st) *out = om_picture_look(picture);
    om_picture_unref(picture);
    om_free(seen);
    return st;
}

static om_status vector_now(const struct look *l, struct om_server *server,
                            struct om_snapshot *snapshot,
                            const struct om_layer *layer,
                            struct om_filter *filter, uint64_t *out)
{
    struct om_selection *selection;
    struct om_vector_ask ask = {
        .filter = filter, .window = l->window, .some = l->some, .by = l->by};
    memcpy(ask.column, l->column, sizeof ask.column);
    OM_TRY(om_select(server->selections, layer, filter, l->window, &selection));
    const struct om_vector_spec spec =
        om_vector_ask_spec(&ask, snapshot, layer, selection, layer->name);
    const om_status st = om_vector_look(server->vectors, &spec, out);
    om_selection_unref(selection);
    return st;
}

/* How what an entry is of looks now. */
static om_status look_now(const struct look *l, struct om_server *server,
                          struct om_snapshot *snapshot, uint64_t *out)
{
    struct om_filter *filter = NULL;
    struct om_err why = {0};
    const struct om_layer *layer = om_snapshot_layer(snapshot, l->layer);
    if (!layer) return OM_E_NOTFOUND;
    if (l->filter)
        OM_TRY(om_filter_parse(l->filter, strlen(l->filter), layer,
                               snapshot->manifest->zone_s, &filter, &why));
    const om_status st = (l->vector ? vector_now : picture_now)(
        l, server, snapshot, layer, filter, out);
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
            st = om__writes_touch(server->writes, l->layer, l->audience, &why);
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
