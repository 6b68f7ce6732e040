/* wall_routes.c - a second screen drives a wall.
 *
 * DESIGN
 * A wall listens to /changes under a name that it shows. Who knows the name
 * and may ask here posts a key; it is passed on at once and forgotten. What
 * can be said is a key of a short list, a unit by level and id, or a place in
 * degrees: nothing that is posted reaches a wall as it came. What is at a place
 * a wall finds out itself, as it may.
 */
#include <string.h>

#include "web/server/handlers.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/writes.h"

#define UNIT_BYTES 128
#define DEGREE_DIGITS 7

bool om__wall_name_ok(const char *text)
{
    static const char known[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const size_t len = strlen(text);
    return len >= 4 && len < OM__WALL_BYTES && strspn(text, known) == len;
}

static om_status add_unit(struct om__request *r, const char *level,
                          struct om_buf *out)
{
    const char *unit = om__param_text(r, "unit");
    if (!om_snapshot_units(r->snapshot, level))
        return om__param_bad(r, "level", OM_E_FORMAT,
                             "there is no level of units '%.60s'", level);
    if (!unit || !*unit || strlen(unit) >= UNIT_BYTES)
        return om__param_bad(r, "unit", OM_E_FORMAT,
                             "unit is the id of a unit of %.60s", level);
    om_buf_add_text(out, "{\"level\":");
    om_buf_add_json_text(out, level, strlen(level));
    om_buf_add_text(out, ",\"unit\":");
    om_buf_add_json_text(out, unit, strlen(unit));
    return om_buf_add_text(out, "}");
}

static om_status add_place(struct om__request *r, struct om_buf *out)
{
    struct om_pos pos;
    double lon, lat;
    OM_TRY(om__param_lonlat(r, &pos));
    om_pos_to_lonlat(pos, &lon, &lat);
    om_buf_add_text(out, "{\"lon\":");
    om_buf_add_fixed(out, lon, DEGREE_DIGITS);
    om_buf_add_text(out, ",\"lat\":");
    om_buf_add_fixed(out, lat, DEGREE_DIGITS);
    return om_buf_add_text(out, "}");
}

static om_status add_note(struct om__request *r, struct om_buf *out)
{
    const char *press, *level = om__param_text(r, "level");
    if (level) return add_unit(r, level, out);
    if (om__param_text(r, "lon") || om__param_text(r, "lat"))
        return add_place(r, out);
    OM_TRY(om__param_word(
        r, "press",
        "1 2 3 4 5 6 7 8 9 pause next back whole replay still close", "",
        &press));
    if (!*press)
        return om__param_bad(r, "press", OM_E_FORMAT,
                             "press says which key, or level and unit, or lon "
                             "and lat, where to");
    return om_buf_addf(out, "{\"press\":\"%s\"}", press);
}

om_status om__post_wall(struct om__request *r)
{
    const char *wall = r->address.segment[1];
    struct om_buf note = {0}, nothing = {0};
    OM_TRY(om__write_sender(r));
    if (!om__wall_name_ok(wall))
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such wall");
    om_status st = add_note(r, &note);
    if (!st) st = om_buf_add_byte(&note, 0);
    if (!st)
        st = om__hub_note(r->server->hub, wall, "drive",
                          (const char *)note.bytes);
    om_buf_deinit(&note);
    if (st == OM_E_NOTFOUND)
        return om_fail(&r->err, st, 0, "no wall of that name listens now");
    if (st == OM_E_RATE) r->retry_after_s = 1;
    if (st == OM_E_RATE)
        return om_fail(&r->err, st, 0, "too much is said to walls at once");
    if (st) return st;
    static const struct om__head head = {.type = "application/json",
                                         .cache = "no-store"};
    om_buf_add_text(&nothing, "{\"told\":true}\n");
    st = om__reply(r, &nothing, &head);
    om_buf_deinit(&nothing);
    return st;
}
