/* needs.c - what answers depend on, and whether that has changed.
 *
 * DESIGN
 * A city that is written to has a new sequence many times a second, and nearly
 * every answer is what it was. So nothing is kept by sequence. An answer says
 * what it looked at (layers, and where in them; the moment, to the beat; or
 * simply the whole city) and which sequence it was made from, and it is current
 * as long as the change map has nothing newer there: one look-up a layer. A
 * write so invalidates what lies above it, and no sweep looks for that.
 *
 * A request takes its snapshot before it looks at the change map. What the map
 * says may therefore be newer than the snapshot, and then the snapshot is
 * exchanged; it is never older than the answer that is named by it.
 *
 * The moment of an answer is the city's clock rounded down to the beat: what
 * moves with time alone moves on the beat, for all at once, and not between.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/audience.h"
#include "web/server/needs.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"

int64_t om__beat(const struct om_server *server, int64_t moment_s)
{
    const int64_t beat_s = server->beat_s ? server->beat_s : 1;
    const int64_t over_s = moment_s % beat_s;
    return moment_s - (over_s < 0 ? over_s + beat_s : over_s);
}

void om__needs_forget(struct om__request *r)
{
    r->needs = (struct om__needs){0};
    r->needs_known = false;
}

static struct om__needs *known(struct om__request *r)
{
    if (!r->needs_known) {
        om__needs_forget(r);
        r->needs_known = true;
    }
    return &r->needs;
}

static void add_layer(struct om__needs *needs, const char *layer,
                      struct om_box box, uint64_t audience)
{
    for (size_t i = 0; i < needs->layers; i++)
        if (!strcmp(needs->layer[i], layer)) {
            om_box_widen(&needs->box[i], box);
            return;
        }
    const size_t len = strlen(layer);
    if (needs->layers == OM__NEEDS_MOST || len >= sizeof needs->layer[0]) {
        needs->city = true;
        return;
    }
    needs->box[needs->layers] = box;
    needs->audience[needs->layers] = audience;
    memcpy(needs->layer[needs->layers++], layer, len + 1);
}

void om__needs_layer(struct om__request *r, const char *layer,
                     struct om_box box)
{
    const struct om_layer *seen = om_snapshot_layer(r->snapshot, layer);
    // What a layer says that is not seen is not told by when it changes.
    if (!seen)
        om__needs_city(r);
    else
        add_layer(known(r), layer, box, om__rights_audience(r, seen));
}

void om__needs_units(struct om__request *r)
{
    const struct om_snapshot *s = r->snapshot;
    for (size_t i = 0; i < s->layers; i++)
        if (s->layer[i].meta && s->layer[i].meta->unit_level[0])
            om__needs_layer(r, s->layer[i].name, OM__EVERYWHERE);
}

void om__needs_city(struct om__request *r)
{
    known(r)->city = true;
}

void om__needs_nothing(struct om__request *r)
{
    om__needs_forget(r);
    r->needs_known = true;
}

void om__needs_beat(struct om__request *r)
{
    known(r)->beat = true;
}

void om__needs_answer(struct om__request *r, const struct om__answer *answer)
{
    struct om__needs *needs = known(r);
    needs->city |= answer->city;
    needs->beat |= answer->beat;
    const char *name = answer->layer;
    for (size_t i = 0; i < answer->layers; i++, name += strlen(name) + 1)
        add_layer(needs, name, answer->need[i].box, answer->need[i].audience);
}

static uint64_t newest_of(struct om_server *server)
{
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    const uint64_t sequence = snapshot ? snapshot->sequence : UINT64_MAX;
    om_snapshot_unref(snapshot);
    return sequence;
}

/* Of one layer; gone is newer than anything. */
static uint64_t changed(struct om_server *server, const char *layer,
                        struct om_box box, uint64_t audience)
{
    struct om_heard heard;
    const uint64_t sequence =
        audience ? om_city_heard(server->city, layer, audience, box, &heard)
                 : om_city_changed(server->city, layer, box);
    return sequence ? sequence : UINT64_MAX;
}

uint64_t om__needs_changed(struct om_server *server,
                           const struct om__needs *needs)
{
    uint64_t newest = needs->city ? newest_of(server) : 1;
    for (size_t i = 0; i < needs->layers; i++) {
        const uint64_t of =
            changed(server, needs->layer[i], needs->box[i], needs->audience[i]);
        if (of > newest) newest = of;
    }
    return newest;
}

static int64_t now_of(struct om_server *server)
{
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    const int64_t now_s =
        snapshot ? om__beat(server, om_snapshot_now(snapshot)) : INT64_MIN;
    om_snapshot_unref(snapshot);
    return now_s;
}

bool om__answer_current(struct om_server *server,
                        const struct om__answer *answer)
{
    const uint64_t sequence = answer->sequence;
    if (answer->city && newest_of(server) > sequence) return false;
    const char *name = answer->layer;
    for (size_t i = 0; i < answer->layers; i++, name += strlen(name) + 1)
        if (changed(server, name, answer->need[i].box,
                    answer->need[i].audience) > sequence)
            return false;
    return !answer->beat || now_of(server) == answer->now_s;
}

struct om__answer *om__answer_find(struct om_server *server, const void *key,
                                   size_t len)
{
    struct om__answer *answer = om__cache_get(server->cache, key, len);
    if (!answer || om__answer_current(server, answer)) return answer;
    om__answer_unref(answer);
    om__cache_stale(server->cache);
    return NULL;
}
