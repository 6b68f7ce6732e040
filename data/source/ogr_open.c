/* ogr_open.c - a file, one of its layers, and the fields of that.
 *
 * DESIGN
 * Rows are read through OGR_L_GetArrowStream. Two things it does badly in GDAL
 * 3.6, and both are asked for through "SELECT ..." in OGR's own SQL instead:
 * - moments lose their zones in Arrow, so they are cast to text, which keeps
 *   them, and read by moment.h;
 * - a layer of an OpenStreetMap file must be read in turn with the others
 *   ("too many features have accumulated"); SQL tells the driver to gather
 *   only the one that is named.
 */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/source/gdal.h"
#include "data/source/ogr.h"

static bool ends_with(const char *text, const char *tail)
{
    const size_t len = strlen(text), n = strlen(tail);
    return len > n && strcasecmp(text + len - n, tail) == 0;
}

/* GDAL's name of the file: compressed ones are read through its prefixes. */
static char *gdal_name(const char *path)
{
    const char *prefix = "";
    if (strncmp(path, "/vsi", 4) != 0 && ends_with(path, ".gz"))
        prefix = "/vsigzip/";
    if (strncmp(path, "/vsi", 4) != 0 && ends_with(path, ".zip"))
        prefix = "/vsizip/";
    // Lines of GeoJSON are known by their name, which .gz hides.
    const char *driver = "";
    if (ends_with(path, ".geojsonl.gz") || ends_with(path, ".geojsons.gz") ||
        ends_with(path, ".ndjson.gz"))
        driver = "GeoJSONSeq:";
    const size_t room = strlen(path) + strlen(prefix) + strlen(driver) + 1;
    char *name = om_alloc(room);
    if (name) snprintf(name, room, "%s%s%s", driver, prefix, path);
    return name;
}

static GDALDatasetH open_with(const char *name, bool raw_shapes)
{
    // Names of WKT columns; without effect on other formats.
    static const char *const CSV[] = {
        "GEOM_POSSIBLE_NAMES=wkt,geom,geometry,the_geom,wkb_geometry,geo",
        "KEEP_GEOM_COLUMNS=NO", "AUTODETECT_TYPE=NO", NULL};
    static const char *const SHAPE[] = {"ENCODING=", NULL};
    return GDALOpenEx(name, GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR, NULL,
                      raw_shapes ? SHAPE : CSV, NULL);
}

static bool is_driver(GDALDatasetH dataset, const char *name)
{
    return strcmp(GDALGetDriverShortName(GDALGetDatasetDriver(dataset)),
                  name) == 0;
}

static om_status open_dataset(const struct om_source_options *options,
                              struct om__ogr *ogr, struct om_err *err)
{
    char *name = gdal_name(options->path);
    if (!name) return om_fail(err, OM_E_MEMORY, 0, "source: out of memory");
    om_status st = OM_OK;
    om__gdal_catch();
    ogr->dataset = open_with(name, false);
    if (ogr->dataset && is_driver(ogr->dataset, "ESRI Shapefile")) {
        ogr->is_shape = true;
        GDALClose(ogr->dataset);
        ogr->dataset = open_with(name, true);
    }
    const bool is_file =
        !strchr(options->path, ':') && strncmp(options->path, "/vsi", 4) != 0;
    if (!ogr->dataset && is_file && !om_file_exists(options->path))
        st =
            om_fail(err, OM_E_NOTFOUND, 0, "%s: does not exist", options->path);
    else if (!ogr->dataset)
        st = om_fail(err, OM_E_FORMAT, 0, "%s: cannot be read: %s",
                     options->path, om__gdal_message());
    else
        ogr->is_text = is_driver(ogr->dataset, "CSV");
    om__gdal_release();
    om_free(name);
    return st;
}

/* "points, lines, ...": what there is to choose from. */
static void list_layers(GDALDatasetH dataset, char *out, size_t room)
{
    size_t at = 0;
    out[0] = '\0';
    const int layers = GDALDatasetGetLayerCount(dataset);
    for (int i = 0; i < layers && at + 1 < room; i++) {
        const char *name = OGR_L_GetName(GDALDatasetGetLayer(dataset, i));
        const int n =
            snprintf(out + at, room - at, "%s%s", i ? ", " : "", name);
        at += n > 0 ? (size_t)n : 0;
    }
}

static om_status choose_layer(const struct om_source_options *options,
                              struct om__ogr *ogr, struct om_err *err)
{
    char names[160];
    list_layers(ogr->dataset, names, sizeof names);
    const char *wanted = options->source_layer;
    const int layers = GDALDatasetGetLayerCount(ogr->dataset);
    om__gdal_catch();
    if (wanted) {
        ogr->layer = GDALDatasetGetLayerByName(ogr->dataset, wanted);
        char *stop;
        const long number = strtol(wanted, &stop, 10);
        if (!ogr->layer && *wanted && !*stop && number >= 0 && number < layers)
            ogr->layer = GDALDatasetGetLayer(ogr->dataset, (int)number);
    } else {
        size_t found = 0;
        for (int i = 0; i < layers; i++) {
            OGRLayerH layer = GDALDatasetGetLayer(ogr->dataset, i);
            if (layers > 1 && OGR_L_GetGeomType(layer) == wkbNone) continue;
            ogr->layer = layer;
            found++;
        }
        if (found != 1) ogr->layer = NULL;
    }
    om__gdal_release();
    if (ogr->layer) return OM_OK;
    if (wanted)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "%s: no layer '%s' (there are: %s)", options->path,
                       wanted, names);
    if (layers == 0)
        return om_fail(err, OM_E_FORMAT, 0, "%s: has no layers", options->path);
    return om_fail(err, OM_E_NOTFOUND, 0,
                   "%s: has several layers (give --source-layer, one of: %s)",
                   options->path, names);
}

static bool has_zone(OGRFieldDefnH field)
{
    return OGR_Fld_GetType(field) == OFTDateTime;
}

static bool column_type(OGRFieldDefnH field, enum om_type *out)
{
    switch (OGR_Fld_GetType(field)) {
        case OFTInteger:
        case OFTInteger64:
            *out = OGR_Fld_GetSubType(field) == OFSTBoolean ? OM_TYPE_BOOLEAN
                                                            : OM_TYPE_INTEGER;
            return true;
        case OFTReal:
            *out = OM_TYPE_REAL;
            return true;
        case OFTString:
            *out = OM_TYPE_TEXT;
            return true;
        case OFTDate:
        case OFTDateTime:
            *out = OM_TYPE_TIME;
            return true;
        default:
            return false;
    }
}

static om_status list_fields(struct om__ogr *ogr)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(ogr->layer);
    const int n = OGR_FD_GetFieldCount(definition);
    ogr->fields = (size_t)n + 1;
    ogr->field = om_calloc(ogr->fields, sizeof *ogr->field);
    ogr->child = om_calloc(ogr->fields, sizeof *ogr->child);
    ogr->how = om_calloc(ogr->fields, sizeof *ogr->how);
    if (!ogr->field || !ogr->child || !ogr->how) return OM_E_MEMORY;
    for (int i = 0; i < n; i++) {
        OGRFieldDefnH from = OGR_FD_GetFieldDefn(definition, i);
        struct om__field *field = &ogr->field[i];
        field->name = om_strdup(OGR_Fld_GetNameRef(from));
        if (!field->name) return OM_E_MEMORY;
        field->absent = !column_type(from, &field->type);
        if (field->absent)
            om_log(OM_LOG_WARN, "source",
                   "%s: field %s is left out: its type is %s", ogr->path,
                   field->name, OGR_GetFieldTypeName(OGR_Fld_GetType(from)));
    }
    const char *fid = OGR_L_GetFIDColumn(ogr->layer);
    struct om__field *number = &ogr->field[n];
    number->name = om_strdup(fid ? fid : "");
    number->type = OM_TYPE_INTEGER;
    number->hidden = true;
    number->absent = !fid || !*fid;
    return number->name ? OM_OK : OM_E_MEMORY;
}

static void add_quoted(struct om_buf *sql, const char *name)
{
    om_buf_add_byte(sql, '"');
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') om_buf_add_byte(sql, '\\');
        om_buf_add_byte(sql, (uint8_t)*name);
    }
    om_buf_add_byte(sql, '"');
}

/* The same layer as the result of a query, its moments as texts. */
static om_status select_layer(struct om__ogr *ogr, struct om_err *err)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(ogr->layer);
    struct om_buf sql = {0};
    om_buf_add_text(&sql, "SELECT ");
    bool any = false;
    for (int i = 0; i < OGR_FD_GetFieldCount(definition); i++) {
        const struct om__field *field = &ogr->field[i];
        if (field->absent) continue;
        if (any) om_buf_add_text(&sql, ", ");
        any = true;
        const bool cast = has_zone(OGR_FD_GetFieldDefn(definition, i));
        if (cast) om_buf_add_text(&sql, "CAST(");
        add_quoted(&sql, field->name);
        if (cast) om_buf_add_text(&sql, " AS CHARACTER(40)) AS ");
        if (cast) add_quoted(&sql, field->name);
    }
    if (!any) om_buf_add_text(&sql, "FID");
    om_buf_add_text(&sql, " FROM ");
    add_quoted(&sql, OGR_L_GetName(ogr->layer));
    om_buf_add_byte(&sql, '\0');
    om_status st = sql.status;
    if (!st) {
        om__gdal_catch();
        OGRLayerH result = GDALDatasetExecuteSQL(
            ogr->dataset, (const char *)sql.bytes, NULL, "OGRSQL");
        if (!result)
            st = om_fail(err, OM_E_FORMAT, 0, "%s: cannot be queried: %s",
                         ogr->path, om__gdal_message());
        om__gdal_release();
        if (result) {
            ogr->layer = result;
            ogr->is_result = true;
        }
    }
    om_buf_deinit(&sql);
    return st;
}

om_status om__ogr_open_layer(const struct om_source_options *options,
                             struct om__ogr *ogr, struct om_err *err)
{
    om__gdal_init();
    OM_TRY(open_dataset(options, ogr, err));
    OM_TRY(choose_layer(options, ogr, err));
    OM_TRY(list_fields(ogr));
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(ogr->layer);
    bool select = is_driver(ogr->dataset, "OSM");
    ogr->is_osm_areas =
        select && strcmp(OGR_L_GetName(ogr->layer), "multipolygons") == 0;
    bool absent = false;
    for (int i = 0; i < OGR_FD_GetFieldCount(definition); i++) {
        select |= has_zone(OGR_FD_GetFieldDefn(definition, i));
        absent |= ogr->field[i].absent;
    }
    const double rows = (double)OGR_L_GetFeatureCount(ogr->layer, FALSE);
    ogr->source->rows = rows > 0 ? (uint64_t)rows : 0;
    ogr->source->rows_exact = rows > 0;
    ogr->source->path = ogr->path;
    if (select || absent) OM_TRY(select_layer(ogr, err));
    return OM_OK;
}

/* Children in their order: the feature number, the fields, the geometry. */
static om_status match_children(struct om__ogr *ogr,
                                const struct ArrowSchema *schema,
                                struct om_err *err)
{
    size_t at = 0;
    const size_t children = (size_t)schema->n_children, last = ogr->fields - 1;
    if (children > 0 && strcmp(schema->children[0]->format, "l") == 0) {
        ogr->child[last] = at;
        ogr->how[last] = om__arrow_child_of(schema->children[0]->format);
        at++;
    } else {
        ogr->field[last].absent = true;
    }
    for (size_t f = 0; f < last; f++) {
        if (ogr->field[f].absent) continue;
        if (at >= children ||
            strcmp(schema->children[at]->name, ogr->field[f].name) != 0)
            return om_fail(err, OM_E_INTERNAL, 0,
                           "%s: field %s is missing from what GDAL gives",
                           ogr->path, ogr->field[f].name);
        ogr->child[f] = at;
        ogr->how[f] = om__arrow_child_of(schema->children[at]->format);
        ogr->field[f].absent = ogr->how[f].kind == OM__ARROW_NONE ||
                               ogr->how[f].kind == OM__ARROW_BINARY;
        at++;
    }
    ogr->geometry_child = OM__NO_CHILD;
    if (OGR_L_GetGeomType(ogr->layer) != wkbNone && at < children &&
        strcmp(schema->children[at]->format, "z") == 0)
        ogr->geometry_child = at;
    return OM_OK;
}

om_status om__ogr_open_stream(struct om__ogr *ogr, struct om_err *err)
{
    static const char *const OPTIONS[] = {"MAX_FEATURES_IN_BATCH=32768", NULL};
    struct ArrowSchema schema = {0};
    om_status st = OM_OK;
    om__gdal_catch();
    if (!OGR_L_GetArrowStream(ogr->layer, &ogr->stream, (char **)OPTIONS) ||
        ogr->stream.get_schema(&ogr->stream, &schema) != 0)
        st = om_fail(err, OM_E_FORMAT, 0, "%s: cannot be read: %s", ogr->path,
                     om__gdal_message());
    om__gdal_release();
    if (!st) st = match_children(ogr, &schema, err);
    if (schema.release) schema.release(&schema);
    return st;
}

om_status om__ogr_read(struct om__ogr *ogr, struct ArrowArray *array,
                       struct om_err *err)
{
    om_status st = OM_OK;
    om__gdal_catch();
    *array = (struct ArrowArray){0};
    const int failed = ogr->stream.get_next(&ogr->stream, array);
    if (failed) array->release = NULL;
    // A driver that meets a damaged place may just end: its error tells.
    if (failed || (!array->release && om__gdal_failed()))
        st = om_fail(err, OM_E_FORMAT, 0, "%s: reading failed: %s", ogr->path,
                     om__gdal_message());
    om__gdal_release();
    return st;
}

void om__ogr_free(struct om__ogr *ogr)
{
    if (!ogr) return;
    om__gdal_catch();
    if (ogr->first.release) ogr->first.release(&ogr->first);
    if (ogr->stream.release) ogr->stream.release(&ogr->stream);
    if (ogr->is_result) GDALDatasetReleaseResultSet(ogr->dataset, ogr->layer);
    if (ogr->dataset) GDALClose(ogr->dataset);
    om__gdal_release();
    for (size_t i = 0; ogr->field && i < ogr->fields; i++)
        om_free(ogr->field[i].name);
    om_free(ogr->field);
    om_free(ogr->child);
    om_free(ogr->how);
    om_free(ogr->path);
    om_free(ogr);
}
