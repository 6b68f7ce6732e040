// params.c - parameters with a type; each error names its parameter.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"

om_status om__param_bad(struct om__request *r, const char *parameter,
                        om_status status, const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->parameter = parameter;
    return om_fail(&r->err, status, r->err.at, "%s", text);
}

const char *om__param_text(const struct om__request *r, const char *name)
{
    const struct om_param *p = om_address_param(&r->address, name);
    return p ? p->value : NULL;
}

/* A decimal number, all of `len` bytes: digits, a sign, a point, an exponent;
 * not what else strtod takes (blanks, hexadecimal, nan, inf). */
static bool read_real(const char *text, size_t len, double *out)
{
    char copy[64];
    if (!len || len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (strspn(copy, "0123456789+-.eE") != len || copy[0] == '+') return false;
    char *end;
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

om_status om__param_real(struct om__request *r, const char *name, double min,
                         double max, double *out)
{
    const struct om_param *p = om_address_param(&r->address, name);
    if (!p) return OM_OK;
    double value;
    if (!read_real(p->value, p->len, &value))
        return om__param_bad(r, name, OM_E_FORMAT, "%s is not a number", name);
    if (value < min || value > max)
        return om__param_bad(r, name, OM_E_RANGE, "%s is not in [%g, %g]", name,
                             min, max);
    *out = value;
    return OM_OK;
}

om_status om__param_lonlat(struct om__request *r, struct om_pos *out)
{
    static const char *const name[] = {"lon", "lat"};
    double degree[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        if (!om__param_text(r, name[i]))
            return om__param_bad(r, name[i], OM_E_FORMAT,
                                 "%s is missing: a place is lon and lat, in "
                                 "degrees",
                                 name[i]);
        OM_TRY(om__param_real(r, name[i], i ? -90 : -180, i ? 90 : 180,
                              &degree[i]));
    }
    if (om_pos_from_lonlat(degree[0], degree[1], out))
        return om__param_bad(r, "lat", OM_E_COORD,
                             "lat lies beyond the square of the map");
    return OM_OK;
}

om_status om__param_count(struct om__request *r, const char *name, uint64_t min,
                          uint64_t max, uint64_t *out)
{
    const struct om_param *p = om_address_param(&r->address, name);
    if (!p) return OM_OK;
    uint64_t value;
    if (!om_digits_read(p->value, p->len, max, &value) || value < min)
        return om__param_bad(r, name, OM_E_RANGE,
                             "%s is not a whole number from %llu to %llu", name,
                             (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return OM_OK;
}

size_t om__reals_read(const char *text, size_t room, double *out)
{
    for (size_t n = 0; n < room; n++) {
        const size_t len = strcspn(text, ",");
        if (!read_real(text, len, &out[n])) return 0;
        if (!text[len]) return n + 1;
        text += len + 1;
    }
    return 0;
}

/* Four numbers, or six of which the heights are left out. */
static om_status read_corners(struct om__request *r, const char *text,
                              double v[4])
{
    double six[6];
    const size_t n = om__reals_read(text, 6, six), step = n / 2;
    if (n != 4 && n != 6)
        return om__param_bad(r, "bbox", OM_E_FORMAT,
                             "bbox is four numbers: W,S,E,N in degrees");
    v[0] = six[0], v[1] = six[1], v[2] = six[step], v[3] = six[step + 1];
    return OM_OK;
}

/* Latitude where the square ends, and what a box without width has, degrees. */
#define LAT_END 85.0511287
#define HAIR 1e-7

/* West of the antimeridian and east of it: one place of two boxes. */
static om_status box_across(struct om__request *r, const double v[4],
                            struct om_place *out)
{
    struct om_buf wkt = {0};
    const double south = fmin(fmax(v[1], -LAT_END), LAT_END - HAIR);
    const double north = fmax(fmin(v[3], LAT_END), south + HAIR);
    const double west = fmin(v[0], 180 - HAIR), east = fmax(v[2], -180 + HAIR);
    om_buf_addf(&wkt, "MULTIPOLYGON(");
    for (int part = 0; part < 2; part++) {
        const double w = part ? -180 : west, e = part ? east : 180;
        om_buf_addf(
            &wkt, "%s((%.9f %.9f,%.9f %.9f,%.9f %.9f,%.9f %.9f,%.9f %.9f))",
            part ? "," : "", w, south, e, south, e, north, w, north, w, south);
    }
    om_status st = om_buf_add(&wkt, ")", 1);
    if (!st) st = om__param_rings(r, (const char *)wkt.bytes, wkt.len, out);
    om_buf_deinit(&wkt);
    return st;
}

/* OGC API Features, 7.15.3: a box whose west is east of its east goes across
 * the antimeridian. */
static om_status box_of_degrees(struct om__request *r, double v[4],
                                struct om_place *out)
{
    if (v[1] > v[3])
        return om__param_bad(r, "bbox", OM_E_RANGE,
                             "bbox is W,S,E,N with S <= N");
    if (fabs(v[0]) > 180 || fabs(v[2]) > 180 || v[1] < -90 || v[3] > 90)
        return om__param_bad(r, "bbox", OM_E_RANGE,
                             "bbox reaches beyond the world");
    if (v[0] > v[2]) return box_across(r, v, out);
    // Nothing lies beyond the square; a box of the whole world is welcome.
    return om_place_box(v[0], v[1], v[2], v[3], out);
}

om_status om__param_bbox(struct om__request *r, struct om_place *out)
{
    const char *text = om__param_text(r, "bbox");
    double v[4];
    if (!text) return OM_OK;
    OM_TRY(read_corners(r, text, v));
    return box_of_degrees(r, v, out);
}

om_status om__param_bbox_in(struct om__request *r, struct om_place *out)
{
    const char *text = om__param_text(r, "bbox");
    struct om_project *project;
    double v[4];
    OM_TRY(om__param_crs(r, "bbox-crs", &project));
    if (!text) return OM_OK;
    OM_TRY(read_corners(r, text, v));
    const struct om_system *system = om_project_system(project);
    if (system->north_first) {
        const double turned[] = {v[1], v[0], v[3], v[2]};
        memcpy(v, turned, sizeof turned);
    }
    if (system->degrees) return box_of_degrees(r, v, out);
    struct om_buf wkt = {0};
    om_status st = om_project_box_wkt(project, v, &wkt);
    if (!st) st = om__param_rings(r, (const char *)wkt.bytes, wkt.len, out);
    om_buf_deinit(&wkt);
    if (st && st != OM_E_MEMORY)
        return om__param_bad(r, "bbox", OM_E_RANGE, "bbox is no box of %s",
                             system->code);
    return st;
}

om_status om__param_crs(struct om__request *r, const char *name,
                        struct om_project **out)
{
    const char *text = om__param_text(r, name);
    const struct om_system *system =
        text ? om_system_find(text) : om_system_at(0);
    if (!system)
        return om__param_bad(r, name, OM_E_CRS,
                             "%s is one of those that the collection lists, "
                             "such as %s",
                             name, om_system_at(2)->uri);
    struct om__lane *lane = om__lane(r->server);
    size_t i = 0;
    while (om_system_at(i) != system) i++;
    if (!lane->project[i]) OM_TRY(om_project_open(system, &lane->project[i]));
    *out = lane->project[i];
    return OM_OK;
}

om_status om__param_filter(struct om__request *r, struct om_filter **out)
{
    const struct om_param *p = om_address_param(&r->address, "filter");
    const char *lang = om__param_text(r, "filter-lang");
    *out = NULL;
    if (lang && strcmp(lang, "cql2-text") != 0 && strcmp(lang, "cql-text") != 0)
        return om__param_bad(r, "filter-lang", OM_E_UNSUPPORTED,
                             "filter-lang is cql2-text");
    if (!p || !p->len) return OM_OK;
    struct om_project *crs = NULL;
    if (om__param_text(r, "filter-crs"))
        OM_TRY(om__param_crs(r, "filter-crs", &crs));
    om_status st =
        om_filter_parse_in(p->value, p->len, r->layer,
                           r->snapshot->manifest->zone_s, crs, out, &r->err);
    if (!st) return OM_OK;
    r->parameter = "filter";
    // An unknown column is a mistake in the question, not a missing page.
    if (st == OM_E_NOTFOUND) st = OM_E_FORMAT;
    return st;
}

om_status om__param_datetime(struct om__request *r, struct om_window *out)
{
    const struct om_param *p = om_address_param(&r->address, "datetime");
    if (!p || !p->len) return OM_OK;
    if (r->layer->schema.time_field == OM_NO_FIELD)
        return om__param_bad(r, "datetime", OM_E_TYPE,
                             "the layer %s has no time column", r->layer->name);
    const om_status st =
        om_time_parse_interval(p->value, p->len, r->snapshot->manifest->zone_s,
                               &out->from_s, &out->to_s);
    if (st == OM_E_RANGE)
        return om__param_bad(r, "datetime", st,
                             "datetime: from is not before to");
    if (st)
        return om__param_bad(
            r, "datetime", OM_E_FORMAT,
            "datetime is a date, a month or FROM/TO (ISO 8601; "
            ".. leaves a side open)");
    out->set = true;
    return OM_OK;
}

om_status om__param_column(struct om__request *r, const char *name, size_t *out)
{
    const char *text = om__param_text(r, name);
    *out = OM_NO_FIELD;
    if (!text) return OM_OK;
    *out = om_schema_find(&r->layer->schema, text);
    if (*out == OM_NO_FIELD)
        return om__param_bad(r, name, OM_E_FORMAT,
                             "the layer %s has no column of that name",
                             r->layer->name);
    return OM_OK;
}

om_status om__request_layer(struct om__request *r, const char *name)
{
    r->layer = om_snapshot_layer(r->snapshot, name);
    if (!r->layer &&
        om_snapshot_lacks(r->snapshot, name, &r->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!r->layer)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there is no layer of that name");
    return r->route->counts ? OM_OK : om__rows_allowed(r, r->layer);
}

om_status om__param_word(struct om__request *r, const char *name,
                         const char *allowed, const char *otherwise,
                         const char **out)
{
    const char *text = om__param_text(r, name);
    *out = otherwise;
    if (!text) return OM_OK;
    const size_t len = strlen(text);
    for (const char *at = allowed; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, text, n)) {
            *out = text;
            return OM_OK;
        }
        at += n;
    }
    return om__param_bad(r, name, OM_E_FORMAT, "%s is one of: %s", name,
                         allowed);
}
