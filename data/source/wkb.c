// wkb.c - one walk for checking, counting and writing. source: OGC 06-103r4,
// section 8.2; Z and M as ISO (thousands) and as EWKB (high bits).
#include "data/source/wkb.h"

#include <math.h>
#include <string.h>

enum wkb_type {
    WKB_POINT = 1,
    WKB_LINE = 2,
    WKB_POLYGON = 3,
    WKB_MULTI_POINT = 4,
    WKB_MULTI_LINE = 5,
    WKB_MULTI_POLYGON = 6,
    WKB_COLLECTION = 7,
};
#define EWKB_Z 0x80000000u
#define EWKB_M 0x40000000u
#define EWKB_SRID 0x20000000u

static const char CUT[] = "geometry is cut";
static const char EMPTY[] = "empty geometry";
static const char COLLECTION[] = "geometry collection";
static const char OTHER_KIND[] = "geometry of another kind";
static const char NOT_FINITE[] = "coordinate is not finite";
static const char MANY_POINTS[] = "several points";
static const char FEW_VERTICES[] = "fewer vertices than a shape needs";

/* A reading head; `big` and `step` follow the header read last. */
struct head {
    const uint8_t *at, *end;
    bool big;
    uint32_t type;
    size_t step;  // bytes of a vertex
};

static uint32_t get_u32(const uint8_t *at, bool big)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++)
        v |= (uint32_t)at[i] << (8 * (big ? 3 - i : i));
    return v;
}

static double get_double(const uint8_t *at, bool big)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++)
        v |= (uint64_t)at[i] << (8 * (big ? 7 - i : i));
    double out;
    memcpy(&out, &v, sizeof out);
    return out;
}

static bool take_u32(struct head *h, uint32_t *out)
{
    if (h->end - h->at < 4) return false;
    *out = get_u32(h->at, h->big);
    h->at += 4;
    return true;
}

static bool take_header(struct head *h)
{
    if (h->end - h->at < 5 || h->at[0] > 1) return false;
    h->big = h->at[0] == 0;
    h->at++;
    uint32_t raw;
    if (!take_u32(h, &raw)) return false;
    size_t dimensions = 2;
    if (raw & EWKB_SRID) {
        if (h->end - h->at < 4) return false;
        h->at += 4;
    }
    dimensions += (raw & EWKB_Z) != 0;
    dimensions += (raw & EWKB_M) != 0;
    raw &= ~(EWKB_Z | EWKB_M | EWKB_SRID);
    if (raw >= 1000 && raw < 4000) {
        dimensions += raw >= 3000 ? 2 : 1;
        raw %= 1000;
    }
    h->type = raw;
    h->step = dimensions * 8;
    return true;
}

bool om__wkb_kind(const uint8_t *wkb, size_t len, enum om_geometry *out)
{
    struct head h = {.at = wkb, .end = wkb + len};
    if (!take_header(&h) || h.type < WKB_POINT || h.type > WKB_MULTI_POLYGON)
        return false;
    static const enum om_geometry KIND[] = {OM_GEOMETRY_POINT, OM_GEOMETRY_LINE,
                                            OM_GEOMETRY_POLYGON};
    *out = KIND[(h.type - 1) % 3];
    return true;
}

bool om__wkb_first(const uint8_t *wkb, size_t len, double *x, double *y)
{
    struct head h = {.at = wkb, .end = wkb + len};
    uint32_t n;
    for (;;) {
        if (!take_header(&h)) return false;
        if (h.type < WKB_POINT || h.type > WKB_MULTI_POLYGON) return false;
        if (h.type < WKB_MULTI_POINT) break;
        if (!take_u32(&h, &n) || n == 0) return false;
    }
    if (h.type >= WKB_LINE && (!take_u32(&h, &n) || n == 0)) return false;
    if (h.type == WKB_POLYGON && (!take_u32(&h, &n) || n == 0)) return false;
    if ((size_t)(h.end - h.at) < h.step) return false;
    *x = get_double(h.at, h.big);
    *y = get_double(h.at + 8, h.big);
    return true;
}

const char *om__wkb_point(const uint8_t *wkb, size_t len, double *x, double *y)
{
    struct head h = {.at = wkb, .end = wkb + len};
    if (!take_header(&h)) return CUT;
    if (h.type == WKB_MULTI_POINT) {
        uint32_t n;
        if (!take_u32(&h, &n)) return CUT;
        if (n == 0) return EMPTY;
        if (n > 1) return MANY_POINTS;
        if (!take_header(&h)) return CUT;
    }
    if (h.type == WKB_COLLECTION) return COLLECTION;
    if (h.type != WKB_POINT) return OTHER_KIND;
    if ((size_t)(h.end - h.at) < h.step) return CUT;
    *x = get_double(h.at, h.big);
    *y = get_double(h.at + 8, h.big);
    if (isnan(*x) && isnan(*y)) return EMPTY;  // how WKB says it
    return isfinite(*x) && isfinite(*y) ? NULL : NOT_FINITE;
}

/* Vertices of one ring or line: into `out` if there is one, counted in any
 * case. A ring loses its closing vertex. */
static const char *walk_vertices(struct head *h, bool ring,
                                 struct om__wkb_size *size,
                                 struct om__ragged *out, size_t *kept)
{
    uint32_t n;
    if (!take_u32(h, &n)) return CUT;
    if ((size_t)(h->end - h->at) / h->step < n) return CUT;
    const uint8_t *first = h->at;
    h->at += n * h->step;
    if (ring && n > 1 && memcmp(first, h->at - h->step, 16) == 0) n--;
    for (uint32_t i = 0; i < n; i++) {
        const double x = get_double(first + i * h->step, h->big);
        const double y = get_double(first + i * h->step + 8, h->big);
        if (!isfinite(x) || !isfinite(y)) return NOT_FINITE;
        if (!out) continue;
        out->x[size->vertices + i] = x;
        out->y[size->vertices + i] = y;
    }
    *kept = n;
    return NULL;
}

/* A ring that has vertices enough becomes one; others leave no trace. */
static const char *walk_ring(struct head *h, enum om_geometry want,
                             struct om__wkb_size *size, struct om__ragged *out,
                             bool *taken)
{
    const bool ring = want == OM_GEOMETRY_POLYGON;
    size_t n = 0;
    const char *why = walk_vertices(h, ring, size, out, &n);
    *taken = n >= (ring ? 3u : 2u);
    if (why || !*taken) return why;
    if (out) out->ring_vertex[size->rings] = (uint32_t)size->vertices;
    size->rings++;
    size->vertices += n;
    return NULL;
}

/* One line or polygon behind its header: a part. */
static const char *walk_part(struct head *h, enum om_geometry want,
                             struct om__wkb_size *size, struct om__ragged *out)
{
    uint32_t rings = 1;
    if (want == OM_GEOMETRY_POLYGON && !take_u32(h, &rings)) return CUT;
    const size_t first_ring = size->rings;
    bool outer = true;
    for (uint32_t r = 0; r < rings; r++) {
        const struct om__wkb_size before = *size;
        bool taken;
        const char *why = walk_ring(h, want, size, out, &taken);
        if (why) return why;
        if (r == 0) outer = taken;
        if (!outer) *size = before;  // holes of nothing
    }
    if (size->rings == first_ring) return NULL;
    if (out) out->part_ring[size->parts] = (uint32_t)first_ring;
    size->parts++;
    return NULL;
}

static const char *walk_shape(struct head *h, enum om_geometry want,
                              struct om__wkb_size *size, struct om__ragged *out)
{
    const uint32_t single = want == OM_GEOMETRY_LINE ? WKB_LINE : WKB_POLYGON;
    if (!take_header(h)) return CUT;
    if (h->type == WKB_COLLECTION) return COLLECTION;
    if (h->type == single) return walk_part(h, want, size, out);
    if (h->type != single + 3) return OTHER_KIND;
    uint32_t parts;
    if (!take_u32(h, &parts)) return CUT;
    for (uint32_t p = 0; p < parts; p++) {
        if (!take_header(h)) return CUT;
        if (h->type != single) return OTHER_KIND;
        const char *why = walk_part(h, want, size, out);
        if (why) return why;
    }
    return NULL;
}

const char *om__wkb_shape(const uint8_t *wkb, size_t len, enum om_geometry want,
                          struct om__wkb_size *size, struct om__ragged *out)
{
    struct head h = {.at = wkb, .end = wkb + len};
    const struct om__wkb_size before = *size;
    const char *why = walk_shape(&h, want, size, out);
    if (!why && size->parts == before.parts)
        why = len <= 9 ? EMPTY : FEW_VERTICES;
    if (why) *size = before;
    return why;
}
