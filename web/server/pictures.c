/* pictures.c - the base map and pictures made ready, each once.
 *
 * DESIGN
 * A page asks for twenty tiles of a picture at the same moment, the first makes
 * it, the others wait for it (made.c). What is ready is shared by all tiles:
 * the rows selected, units counted and put into classes, names placed. It is
 * made from the layers that it shows, and again when one of these changes: the
 * base map does not care for reports. Making is for workers; a tile whose
 * picture is ready is drawn where its request is, unless it looks at very many
 * rows.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/looks.h"
#include "web/server/made.h"
#include "web/server/needs.h"
#include "web/server/pictures.h"
#include "web/server/server_internal.h"

/* Pictures kept. */
#define PICTURES 48
/* Base maps kept: one for each language of names. */
#define LANGUAGES 2

struct om__pictures {
    struct om_font *font;   // NULL: maps without labels
    struct om_err no_font;  // why
    struct om__made *bases, *pictures;
    pthread_mutex_t lock;    // guards the next
    struct om_base *newest;  // NULL: none was made
};

static void *base_ref(void *thing)
{
    return om_base_ref(thing);
}

static void base_unref(void *thing)
{
    om_base_unref(thing);
}

static void *picture_ref(void *thing)
{
    return om_picture_ref(thing);
}

static void picture_unref(void *thing)
{
    om_picture_unref(thing);
}

static const struct om__made_kind BASE_KIND = {"bases", LANGUAGES, base_ref,
                                               base_unref};
static const struct om__made_kind PICTURE_KIND = {"pictures", PICTURES,
                                                  picture_ref, picture_unref};

om_status om__pictures_new(const char *fonts, struct om__pictures **out)
{
    struct om__pictures *p = om_calloc(1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    OM_TRY(om__made_new(&BASE_KIND, &p->bases));
    OM_TRY(om__made_new(&PICTURE_KIND, &p->pictures));
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

struct om__made *om__pictures_table(struct om__pictures *pictures)
{
    return pictures->pictures;
}

void om__pictures_sweep(struct om__pictures *pictures)
{
    om__made_sweep(pictures->pictures, OM__IDLE_THING_S);
}

/* The newest base map; if `change` another comes in its place. owns:
 * om_base_unref; takes `base` */
static struct om_base *newest_base(struct om__pictures *p, bool change,
                                   struct om_base *base)
{
    pthread_mutex_lock(&p->lock);
    struct om_base *was = p->newest;
    if (change)
        p->newest = base;
    else if (was)
        om_base_ref(was);
    pthread_mutex_unlock(&p->lock);
    return was;
}

void om__pictures_clear(struct om__pictures *p)
{
    om__made_clear(p->pictures);
    om__made_clear(p->bases);
    om_base_unref(newest_base(p, true, NULL));
}

void om__pictures_free(struct om__pictures *p)
{
    if (!p) return;
    // Pictures hold base maps, and these the font.
    om__made_free(p->pictures);
    om__made_free(p->bases);
    om_base_unref(p->newest);
    pthread_mutex_destroy(&p->lock);
    om_font_close(p->font);
    om_free(p);
}

/* ---- what they are made from */

static bool is_base(const struct om_layer *layer)
{
    return layer->meta && (layer->meta->base[0] || layer->meta->unit_level[0]);
}

/* Serials of the layers of the base map, or of the units alone. */
static void add_base_serials(const struct om_snapshot *snapshot, bool units,
                             struct om_buf *key)
{
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        if (is_base(layer) && (!units || layer->meta->unit_level[0]))
            om_buf_add(key, &layer->serial, sizeof layer->serial);
    }
}

/* The exposure of a rate; NULL: none, or its layer is not there. */
static const struct om_layer *exposed(const struct om_snapshot *snapshot,
                                      const struct om_picture_bound *bound)
{
    return bound->per ? om_snapshot_layer(snapshot, bound->per->layer) : NULL;
}

void om__base_needs(struct om__request *r, const struct om_picture_bound *bound,
                    const struct om_view *view)
{
    const struct om_snapshot *s = r->snapshot;
    for (size_t i = 0; i < s->layers; i++) {
        const struct om_manifest_layer *meta = s->layer[i].meta;
        struct om_box box = om_base_reach(view, bound->labels);
        // Buildings have no names.
        if (meta && !strcmp(meta->base, "building"))
            box = om_base_reach(view, false);
        if (is_base(&s->layer[i])) om__needs_layer(r, s->layer[i].name, box);
    }
}

void om__picture_needs(struct om__request *r,
                       const struct om_picture_bound *bound)
{
    const struct om_snapshot *s = r->snapshot;
    const struct om_layer *per = exposed(s, bound);
    // What an analysis looks at it finds itself.
    if (om_picture_heavy(bound)) {
        om__needs_beat(r);
        om__needs_city(r);
        return;
    }
    if (bound->layer) om__needs_layer(r, bound->layer->name, OM__EVERYWHERE);
    if (per) om__needs_layer(r, per->name, OM__EVERYWHERE);
    for (size_t i = 0; i < s->layers && bound->kind != OM_PICTURE_ROWS; i++) {
        const bool units = bound->kind == OM_PICTURE_UNITS;
        if (is_base(&s->layer[i]) &&
            (!units || s->layer[i].meta->unit_level[0]))
            om__needs_layer(r, s->layer[i].name, OM__EVERYWHERE);
    }
}

static void add_serials(const struct om__request *r,
                        const struct om_picture_bound *bound,
                        struct om_buf *key)
{
    const struct om_layer *per = exposed(r->snapshot, bound);
    if (om_picture_heavy(bound)) {
        om_buf_add(key, &r->snapshot->sequence, sizeof r->snapshot->sequence);
        om_buf_add(key, &r->now_s, sizeof r->now_s);
    }
    if (bound->layer)
        om_buf_add(key, &bound->layer->serial, sizeof bound->layer->serial);
    if (per) om_buf_add(key, &per->serial, sizeof per->serial);
    if (bound->kind != OM_PICTURE_ROWS)
        add_base_serials(r->snapshot, bound->kind == OM_PICTURE_UNITS, key);
}

/* ---- making */

struct asking {
    struct om__request *request;
    const struct om_picture_bound *bound;
};

/* Of the layers of the base map alone: it may be kept for months. */
static om_status base_snapshot(const struct om_snapshot *from,
                               struct om_arena *arena, struct om_snapshot **out)
{
    const char **name =
        om_arena_alloc(arena, (from->layers + 1) * sizeof *name);
    size_t names = 0;
    if (!name) return OM_E_MEMORY;
    for (size_t i = 0; i < from->layers; i++)
        if (is_base(&from->layer[i])) name[names++] = from->layer[i].name;
    return om_snapshot_some(from, name, names, out);
}

static om_status make_base(void *ctx, void **out)
{
    const struct asking *a = ctx;
    struct om__request *r = a->request;
    struct om_snapshot *some;
    struct om_base *base = NULL;
    // The ground is the same for all.
    OM_TRY(base_snapshot(r->whole, &om__lane(r->server)->arena, &some));
    struct om__pictures *p = r->server->pictures;
    struct om_base *older = newest_base(p, false, NULL);
    const om_status st =
        om_base_renew(older, some, p->font, a->bound->language, &base, &r->err);
    om_base_unref(older);
    om_snapshot_unref(some);
    if (!st) om_base_unref(newest_base(p, true, om_base_ref(base)));
    *out = base;
    return st;
}

/* Rows of a layer hold a snapshot: one of this layer alone. */
static om_status make_rows(const struct asking *a, struct om_base *base,
                           struct om_picture **out)
{
    struct om__request *r = a->request;
    const char *name = a->bound->layer->name;
    struct om_picture_bound own = *a->bound;  // borrows all of it
    struct om_snapshot *some;
    OM_TRY(om_snapshot_some(r->snapshot, &name, 1, &some));
    own.layer = om_snapshot_layer(some, name);
    const om_status st =
        om_picture_make(&own, some, base, r->server->selections, out, &r->err);
    om_snapshot_unref(some);
    return st;
}

/* The base map of the request's snapshot that a picture is made with. */
static om_status get_base(const struct asking *a, struct om_base **out)
{
    struct om__request *r = a->request;
    struct om__made_key key = {.newness = r->snapshot->sequence};
    void *thing = NULL;
    om_buf_add(&key.text, &a->bound->language, sizeof a->bound->language);
    key.family = key.text.len;
    add_base_serials(r->whole, false, &key.text);
    struct asking ask = *a;
    const om_status st = om__made_get(r->server->pictures->bases, &key, NULL,
                                      false, make_base, &ask, &thing);
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

static om_status make_picture(void *ctx, void **out)
{
    const struct asking *a = ctx;
    struct om__request *r = a->request;
    struct om_base *base;
    struct om_picture *picture = NULL;
    OM_TRY(get_base(a, &base));
    const om_status st =
        a->bound->kind == OM_PICTURE_ROWS
            ? make_rows(a, base, &picture)
            : om_picture_make(a->bound, r->snapshot, base,
                              r->server->selections, &picture, &r->err);
    om_base_unref(base);
    if (!st && a->bound->kind == OM_PICTURE_ROWS)
        om__looks_note(r->server->looks, a->bound, r->snapshot->sequence,
                       om_picture_look(picture));
    *out = picture;
    return st;
}

om_status om__picture_get(struct om__request *r,
                          const struct om_picture_bound *bound,
                          struct om_picture **out)
{
    struct asking ask = {r, bound};
    struct om__made_key key = {.newness = r->snapshot->sequence};
    void *thing = NULL;
    om_buf_add(&key.text, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_add(&key.text, bound->canonical.bytes, bound->canonical.len);
    key.family = key.text.len;
    add_serials(r, bound, &key.text);
    const om_status st =
        om__made_get(r->server->pictures->pictures, &key, r,
                     om_picture_heavy(bound), make_picture, &ask, &thing);
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}
