// ogr_learn.c - what the first rows of a layer of GDAL tell about the rest.
#include <cpl_conv.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/source/gdal.h"
#include "data/source/ogr.h"
#include "data/source/wkb.h"

/* Point, line or polygon: by the layer, or what most of the first rows are. */
static om_status learn_geometry(const struct om_source_options *options,
                                struct om__ogr *ogr, enum om_geometry *out,
                                struct om_err *err)
{
    *out = OM_GEOMETRY_POINT;
    ogr->x = ogr->y = OM_NO_FIELD;
    if (ogr->geometry_child == OM__NO_CHILD || options->x || options->y) {
        ogr->geometry_child = OM__NO_CHILD;
        OM_TRY(om__fields_xy(options, ogr->field, ogr->fields, &ogr->x, &ogr->y,
                             err));
        if (ogr->x == OM_NO_FIELD)
            return om_fail(err, OM_E_FORMAT, 0,
                           "%s: has no geometry (give --x and --y)", ogr->path);
        ogr->field[ogr->x].hidden = ogr->field[ogr->y].hidden = true;
        return OM_OK;
    }
    const OGRwkbGeometryType flat =
        OGR_GT_Flatten(OGR_L_GetGeomType(ogr->layer));
    if (flat >= wkbPoint && flat <= wkbMultiPolygon) {
        static const enum om_geometry KIND[] = {
            OM_GEOMETRY_POINT, OM_GEOMETRY_LINE, OM_GEOMETRY_POLYGON};
        *out = KIND[(flat - wkbPoint) % 3];
        return OM_OK;
    }
    size_t seen[3] = {0};
    const size_t n = ogr->first.release ? (size_t)ogr->first.length : 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *wkb;
        size_t len;
        enum om_geometry kind;
        if (om__arrow_wkb(&ogr->first, ogr->geometry_child, i, &wkb, &len) &&
            om__wkb_kind(wkb, len, &kind))
            seen[kind]++;
    }
    for (size_t k = 0; k < 3; k++)
        if (seen[k] > seen[*out]) *out = (enum om_geometry)k;
    if (n > 0 && seen[*out] == 0)
        return om_fail(err, OM_E_GEOMETRY, 0,
                       "%s: none of the first rows is a point, line or polygon",
                       ogr->path);
    return OM_OK;
}

/* Coordinates of the first rows: one vertex of each. */
static om_status learn_extent(const struct om__ogr *ogr, struct om_arena *arena,
                              struct om__extent *extent)
{
    const struct ArrowArray *array = &ogr->first;
    const size_t n = array->release ? (size_t)array->length : 0;
    const uint8_t *wkb;
    size_t len;
    double x, y;
    if (ogr->geometry_child != OM__NO_CHILD) {
        for (size_t i = 0; i < n; i++)
            if (om__arrow_wkb(array, ogr->geometry_child, i, &wkb, &len) &&
                om__wkb_first(wkb, len, &x, &y))
                om__extent_add(extent, x, y);
        return OM_OK;
    }
    struct om_csv_field *fx = om_arena_alloc(arena, n * sizeof *fx);
    struct om_csv_field *fy = om_arena_alloc(arena, n * sizeof *fy);
    if (!fx || !fy) return OM_E_MEMORY;
    if (n == 0) return OM_OK;
    OM_TRY(om__arrow_fields(array, ogr->child[ogr->x], ogr->how[ogr->x], arena,
                            fx));
    OM_TRY(om__arrow_fields(array, ogr->child[ogr->y], ogr->how[ogr->y], arena,
                            fy));
    for (size_t i = 0; i < n; i++)
        if (!om_number_real(fx[i].at, fx[i].len, &x) &&
            !om_number_real(fy[i].at, fy[i].len, &y))
            om__extent_add(extent, x, y);
    return OM_OK;
}

/* Texts of one field: what they could be, and in which encoding. */
static om_status learn_field(struct om__ogr *ogr, size_t f,
                             struct om_arena *arena,
                             struct om__encoding_guess *encoding,
                             enum om_date_order *order)
{
    const struct ArrowArray *array = &ogr->first;
    if (!array->release) return OM_OK;
    const size_t n = (size_t)array->length;
    struct om_csv_field *field = om_arena_alloc(arena, n * sizeof *field);
    struct om__guess guess;
    if (!field) return OM_E_MEMORY;
    OM_TRY(om__arrow_fields(array, ogr->child[f], ogr->how[f], arena, field));
    OM_TRY(om__guess_open(&guess));
    for (size_t i = 0; i < n; i++) {
        om__guess_add(&guess, field[i].at, field[i].len);
        if (field[i].len)
            om__encoding_sample(encoding, field[i].at, field[i].len);
    }
    enum om_type type = om__guess_type(&guess, order);
    // A format with types of its own means its texts; but it may have none
    // for a moment, and these are unmistakable.
    const bool moment = type == OM_TYPE_TIME && *order == OM_DATE_YMD;
    if (!ogr->is_text && !moment) type = om__guess_text(&guess);
    if (ogr->field[f].type == OM_TYPE_TEXT) ogr->field[f].type = type;
    om__guess_close(&guess);
    return OM_OK;
}

/* Integers that a double skips are no measures but codes: texts. */
static void learn_codes(struct om__ogr *ogr, size_t f)
{
    const struct ArrowArray *array = &ogr->first;
    const size_t n = array->release ? (size_t)array->length : 0;
    for (size_t i = 0; i < n; i++)
        if (om__arrow_is_code(array, ogr->child[f], ogr->how[f], i))
            ogr->field[f].type = OM_TYPE_TEXT;
}

/* GeoJSON keeps a number as id where the others keep row numbers: they are ids
 * unless they just count. */
static void learn_numbers(struct om__ogr *ogr)
{
    const size_t last = ogr->fields - 1;
    const char *driver =
        GDALGetDriverShortName(GDALGetDatasetDriver(ogr->dataset));
    if (strncmp(driver, "GeoJSON", 7) != 0 || !ogr->first.release) return;
    if (om__field_find(ogr->field, last, "id") != OM_NO_FIELD) return;
    const struct ArrowArray *number = ogr->first.children[ogr->child[last]];
    const int64_t *value = number->buffers[1];
    bool counts = true;
    for (int64_t i = 0; i < number->length; i++)
        counts &= value[number->offset + i] == i;
    char *name = counts ? NULL : om_strdup("id");
    if (!name) return;
    om_free(ogr->field[last].name);
    ogr->field[last].name = name;
    ogr->field[last].absent = false;
}

/* What a Shapefile says about its texts: *charset NULL if nothing. */
static const char *said_encoding(OGRLayerH layer)
{
    static const char DOMAIN[] = "SHAPEFILE";
    const char *cpg = GDALGetMetadataItem(layer, "ENCODING_FROM_CPG", DOMAIN);
    if (cpg && *cpg) return cpg;
    const char *ldid = GDALGetMetadataItem(layer, "LDID_VALUE", DOMAIN);
    // 87 is "the code page of whoever wrote it".
    if (!ldid || strcmp(ldid, "0") == 0 || strcmp(ldid, "87") == 0) return NULL;
    const char *from = GDALGetMetadataItem(layer, "ENCODING_FROM_LDID", DOMAIN);
    return from && *from ? from : NULL;
}

static om_status learn_encoding(const struct om_source_options *options,
                                struct om__ogr *ogr,
                                const struct om__encoding_guess *guess,
                                struct om_err *err)
{
    struct om_source *source = ogr->source;
    const char *charset = options->encoding;
    if (!charset && ogr->is_shape) charset = said_encoding(ogr->layer);
    if (!charset && (ogr->is_shape || ogr->is_text))
        charset = om__encoding_guessed(guess);
    if (!charset) return OM_OK;
    OM_TRY(om__encoding_open(charset, &source->encoding, err));
    if (!om__encoding_converts(source->encoding)) return OM_OK;
    for (size_t f = 0; f < ogr->fields; f++) {
        const char *name = ogr->field[f].name;
        const size_t len = strlen(name);
        char *text = om_alloc(len * OM_ENCODING_GROWTH + 1);
        size_t n;
        if (!text) return OM_E_MEMORY;
        if (om__encoding_text(source->encoding, 0, name, len, text, &n)) {
            om_free(text);
            continue;
        }
        text[n] = '\0';
        om_free(ogr->field[f].name);
        ogr->field[f].name = text;
    }
    return OM_OK;
}

static om_status learn_crs(const struct om_source_options *options,
                           struct om__ogr *ogr, struct om_arena *arena,
                           struct om_err *err)
{
    struct om_source *source = ogr->source;
    char *wkt = NULL;
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(ogr->layer);
    const bool said = options->crs || (srs && !OSRIsLocal(srs));
    if (!options->crs && said) {
        static const char *const FORMAT[] = {"FORMAT=WKT2_2018", NULL};
        om__gdal_catch();
        if (OSRExportToWktEx(srs, &wkt, FORMAT) != OGRERR_NONE) {
            CPLFree(wkt);
            wkt = NULL;
        }
        om__gdal_release();
    }
    om_status st =
        om__crs_open(options->crs ? options->crs : wkt, &source->crs, err);
    CPLFree(wkt);
    if (st) return st;
    struct om__extent extent = {0};
    OM_TRY(learn_extent(ogr, arena, &extent));
    source->zero_is_missing = om__extent_zero_is_missing(&extent);
    return om__extent_check(&extent, ogr->path, source->crs, said, err);
}

/* OpenStreetMap's areas have two fields of ids. */
static void learn_osm(const struct om_source_options *options,
                      struct om__ogr *ogr)
{
    const struct om_source *source = ogr->source;
    const size_t id = source->plan.from[source->plan.schema.id_field];
    if (!ogr->is_osm_areas || options->id || id == OM_NO_FIELD) return;
    if (strcmp(ogr->field[id].name, "osm_id") != 0) return;
    ogr->osm_way = om__field_find(ogr->field, ogr->fields, "osm_way_id");
}

static om_status learn(const struct om_source_options *options,
                       struct om__ogr *ogr, struct om_arena *arena,
                       enum om_date_order *order, struct om_err *err)
{
    struct om_source *source = ogr->source;
    struct om__encoding_guess encoding = {0};
    enum om_geometry geometry;
    OM_TRY(om__ogr_open_stream(ogr, err));
    OM_TRY(om__ogr_read(ogr, &ogr->first, err));
    learn_numbers(ogr);
    OM_TRY(learn_geometry(options, ogr, &geometry, err));
    for (size_t f = 0; f < ogr->fields; f++)
        if (!ogr->field[f].absent && ogr->how[f].kind == OM__ARROW_TEXT)
            OM_TRY(learn_field(ogr, f, arena, &encoding, &order[f]));
        else if (!ogr->field[f].absent && ogr->how[f].kind == OM__ARROW_INTEGER)
            learn_codes(ogr, f);
    OM_TRY(learn_encoding(options, ogr, &encoding, err));
    OM_TRY(om__plan_make(options, ogr->field, ogr->fields, geometry,
                         &source->plan, err));
    if (geometry != OM_GEOMETRY_POINT && ogr->geometry_child == OM__NO_CHILD)
        return OM_E_INTERNAL;
    for (size_t c = 0; c < source->plan.schema.count; c++) {
        const size_t from = source->plan.from[c];
        source->reading[c] = (struct om__reading){
            .type = source->plan.schema.field[c].type,
            .order = from == OM_NO_FIELD ? OM_DATE_YMD : order[from],
            .zone_s = options->zone_s,
            .encoding = source->encoding};
        if (source->reading[c].type == OM_TYPE_TIME && from != OM_NO_FIELD &&
            ogr->field[from].type != OM_TYPE_TIME)
            source->reading[c].order = OM_DATE_DMY;
    }
    learn_osm(options, ogr);
    return learn_crs(options, ogr, arena, err);
}

om_status om__ogr_learn(const struct om_source_options *options,
                        struct om__ogr *ogr, struct om_err *err)
{
    struct om_arena arena = {0};
    enum om_date_order *order = om_calloc(ogr->fields, sizeof *order);
    const om_status st =
        order ? learn(options, ogr, &arena, order, err) : OM_E_MEMORY;
    om_free(order);
    om_arena_deinit(&arena);
    return st;
}
