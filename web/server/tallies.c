/* tallies.c - which rows were seen on tiles, and by whom.
 *
 * DESIGN
 * A screen that is looked at for months asks for tiles all the time, and a line
 * for each would fill the disk with the same. So tiles of one layer that one
 * token is told within a minute become one line of the audit: how many, the
 * deepest zoom, the box around them all, and how many rows lay in them. The
 * lines are written by the server's clock, and at its end; one that is killed
 * loses its last minute.
 *
 * Counted is a tile on which single rows can be seen: few points, as vector
 * tiles show them, or shapes; never units, nor what is only told as crowds.
 * What a filter leaves of the rows is not counted, but its tiles are. It is
 * looked at when the answer has gone, whatever made it or had kept it.
 */
#include "web/server/tallies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/audit.h"
#include "tiles/vector/vector.h"
#include "web/server/rights.h"
#include "web/server/tile_maker.h"
#include "web/server/wmts.h"

#define MINUTE_S 60
/* Layers times tokens of a minute; of more the oldest is written early. */
#define TALLIES 256
/* Zooms from which shapes of a tile are few enough to be counted. */
#define SHAPES_ZOOM 14

struct tally {
    int64_t begun_s, last_s;  // begun 0: free
    struct om_token token;
    char role[OM_LIMIT_NAME_BYTES], layer[OM_LIMIT_NAME_BYTES];
    uint64_t tiles, rows;
    unsigned zoom;
    struct om_box box;
};

struct om__tallies {
    pthread_mutex_t lock;
    struct tally tally[TALLIES];
};

om_status om__tallies_new(struct om__tallies **out)
{
    struct om__tallies *tallies = om_calloc(1, sizeof *tallies);
    if (!tallies) return OM_E_MEMORY;
    pthread_mutex_init(&tallies->lock, NULL);
    *out = tallies;
    return OM_OK;
}

void om__tallies_free(struct om__tallies *tallies)
{
    if (!tallies) return;
    pthread_mutex_destroy(&tallies->lock);
    om_free(tallies);
}

/* ---- lines ---- */

static void write_line(struct om_server *server, const struct tally *t)
{
    char target[512], area[2 * OM_LIMIT_NAME_BYTES + 2] = "";
    double west, south, east, north;
    struct om_err err = {0};
    om_pos_to_lonlat((struct om_pos){t->box.x0, t->box.y0}, &west, &north);
    om_pos_to_lonlat((struct om_pos){t->box.x1, t->box.y1}, &east, &south);
    snprintf(target, sizeof target,
             "/tiles/%s?tiles=%llu&zoom=%u&bbox=%.5f,%.5f,%.5f,%.5f&rows=%llu",
             t->layer, (unsigned long long)t->tiles, t->zoom, west, south, east,
             north, (unsigned long long)t->rows);
    if (t->token.level[0])
        snprintf(area, sizeof area, "%s:%s", t->token.level, t->token.unit);
    const struct om_audit_entry entry = {.at_s = t->last_s,
                                         .token = t->token.id,
                                         .role = t->role,
                                         .area = area,
                                         .method = "GET",
                                         .route = "tiles",
                                         .target = target,
                                         .status = MHD_HTTP_OK};
    const om_status st = om_audit_add(server->audit, &entry, &err);
    if (st)
        om_log(OM_LOG_ERROR, "audit", "nothing is noted: %s",
               err.text[0] ? err.text : om_status_text(st));
}

void om__tallies_write(struct om_server *server, bool all)
{
    struct om__tallies *tallies = server->tallies;
    const int64_t now_s = (int64_t)time(NULL);
    for (size_t i = 0; tallies && i < TALLIES; i++) {
        pthread_mutex_lock(&tallies->lock);
        const struct tally t = tallies->tally[i];
        // Clocks may be set back.
        const bool over = t.begun_s && (all || now_s < t.begun_s ||
                                        now_s - t.begun_s >= MINUTE_S);
        if (over) tallies->tally[i].begun_s = 0;
        pthread_mutex_unlock(&tallies->lock);
        if (over) write_line(server, &t);
    }
}

static bool is_of(const struct tally *t, const struct om__request *r,
                  const char *layer)
{
    return t->begun_s && !strcmp(t->token.id, r->who->token.id) &&
           !strcmp(t->role, r->who->role->name) && !strcmp(t->layer, layer);
}

/* Where to add: what was begun, else a free one, else the oldest, which is
 * copied out to be written. Under the lock. */
static struct tally *find(struct om__tallies *tallies,
                          const struct om__request *r, const char *layer,
                          struct tally *out)
{
    struct tally *unused = NULL, *oldest = tallies->tally;
    for (struct tally *t = tallies->tally; t < tallies->tally + TALLIES; t++) {
        if (is_of(t, r, layer)) return t;
        if (!t->begun_s && !unused) unused = t;
        if (t->begun_s < oldest->begun_s) oldest = t;
    }
    if (!unused) {
        *out = *oldest;
        oldest->begun_s = 0;
        unused = oldest;
    }
    return unused;
}

static void add(struct om__request *r, const struct om_layer *layer,
                unsigned zoom, struct om_box box, uint64_t rows)
{
    struct om__tallies *tallies = r->server->tallies;
    struct tally full = {0};
    const int64_t now_s = (int64_t)time(NULL);
    pthread_mutex_lock(&tallies->lock);
    struct tally *t = find(tallies, r, layer->name, &full);
    if (!t->begun_s) {
        *t = (struct tally){
            .begun_s = now_s, .token = r->who->token, .box = OM_BOX_NONE};
        snprintf(t->role, sizeof t->role, "%s", r->who->role->name);
        snprintf(t->layer, sizeof t->layer, "%s", layer->name);
    }
    t->last_s = now_s;
    t->tiles++;
    t->rows += rows;
    if (zoom > t->zoom) t->zoom = zoom;
    om_box_widen(&t->box, box);
    pthread_mutex_unlock(&tallies->lock);
    if (full.begun_s) write_line(r->server, &full);
}

/* ---- tiles ---- */

/* A tile by what its address says. */
struct place {
    const char *name;
    unsigned zoom;
    struct om_box box;
};

static bool by_matrix(const char *set_id, const char *matrix, const char *row,
                      const char *col, struct place *out)
{
    char text[32];
    struct om_tile_address tile;
    struct om_place place;
    const struct om__matrix_set *set = om__matrix_set_find(set_id);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(col, "."), col);
    if (!set || om__matrix_tile_read(set, matrix, row, text, &tile))
        return false;
    out->zoom = tile.z;
    out->box = om__tile_box(&tile);
    if (!set->degrees) return true;
    const double side_deg = 360.0 / (double)om__matrix_width(tile.z);
    const double west = tile.x * side_deg - 180, north = 90 - tile.y * side_deg;
    if (om_place_box(west, north - side_deg, west + side_deg, north, &place))
        return false;
    out->box = place.box;
    return true;
}

static const char *key_of(const struct om__request *r, const char *name)
{
    for (size_t i = 0; i < r->address.params; i++)
        if (!strcasecmp(r->address.param[i].name, name))
            return r->address.param[i].value;
    return "";
}

static bool read_place(const struct om__request *r, struct place *out)
{
    const char *route = r->route->name;
    const char *const *at = r->address.segment;
    const size_t n = r->address.segments;
    struct om_tile_address tile;
    if (!strcmp(route, "tile")) {
        out->name = at[1];
        if (om_tile_address_parse(at[2], at[3], at[4], &tile)) return false;
        out->zoom = tile.z;
        out->box = om__tile_box(&tile);
        return true;
    }
    if (!strcmp(route, "tilesettile")) {
        out->name = at[1];
        return by_matrix(at[n - 4], at[n - 3], at[n - 2], at[n - 1], out);
    }
    if (!strcmp(route, "wmtstile")) {
        out->name = at[2];
        return by_matrix(at[n - 4], at[n - 3], at[n - 2], at[n - 1], out);
    }
    if (strcmp(route, "wmts") != 0) return false;
    out->name = key_of(r, "Layer");
    return by_matrix(key_of(r, "TileMatrixSet"), key_of(r, "TileMatrix"),
                     key_of(r, "TileRow"), key_of(r, "TileCol"), out);
}

/* Can single rows be seen on it? *rows: as far as they are counted. */
static bool shows_rows(const struct om__request *r,
                       const struct om_layer *layer, const struct place *place,
                       uint64_t *rows)
{
    static const bool none[OM_LIMIT_COLUMNS];
    const bool points = layer->schema.geometry == OM_GEOMETRY_POINT;
    const bool part = *key_of(r, "filter") || *key_of(r, "datetime") ||
                      r->address.segments == 9 || *key_of(r, "Time");
    *rows = 0;
    if (part || (!points && place->zoom < SHAPES_ZOOM)) return true;
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = layer,
        .cache = r->server->selections,
        .place = {.kind = OM_PLACE_BOX, .box = place->box}};
    if (om_query_count(&query, rows)) return true;
    const struct om_vector_spec spec = {
        .layer = layer, .column = none, .by = OM_NO_FIELD};
    return *rows && (!points || *rows <= om_vector_points_most(&spec));
}

void om__tallies_add(struct om__request *r)
{
    struct place place;
    uint64_t rows;
    if (r->head) return;
    if (r->status != MHD_HTTP_OK && r->status != MHD_HTTP_NOT_MODIFIED) return;
    if (!read_place(r, &place)) return;
    // What was kept is answered without.
    if (!r->snapshot &&
        om__rights_take(r, om_city_snapshot(r->server->city)))
        return;
    const struct om_layer *layer = om_snapshot_layer(r->snapshot, place.name);
    if (!layer || (layer->meta && layer->meta->unit_level[0]) ||
        om__crowds_only(r, layer))
        return;
    if (shows_rows(r, layer, &place, &rows))
        add(r, layer, place.zoom, place.box, rows);
}
