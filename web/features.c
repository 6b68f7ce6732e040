/* features.c - rows on their way out, a piece at a time.
 *
 * A writer gathers text in a buffer and hands it on when it has some 64 KiB,
 * so that neither twelve million rows nor a slow client need memory.
 */
#include "web/features.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/features_internal.h"

#define HAND_ON_BYTES ((size_t)64 << 10)

struct om_features {
    struct om_features_options options;
    struct om__rows rows;
    struct om_buf buf;
    om_features_take_fn *take;
    void *ctx;
    uint64_t count;
};

bool om_features_format_from_name(const char *name,
                                  enum om_features_format *out)
{
    static const char *const NAME[] = {"geojson", "csv", "fgb", "gpkg"};
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++)
        if (!strcmp(name, NAME[i])) {
            *out = (enum om_features_format)i;
            return true;
        }
    return false;
}

static om_status hand_on(struct om_features *f, size_t at_least)
{
    if (f->buf.status) return f->buf.status;
    if (f->buf.len < at_least || !f->buf.len) return OM_OK;
    OM_TRY(f->take(f->ctx, f->buf.bytes, f->buf.len));
    om_buf_clear(&f->buf);
    return OM_OK;
}

static void put_csv_head(struct om_features *f)
{
    const struct om_schema *schema = &f->rows.layer->schema;
    om_buf_add_text(&f->buf, "\xEF\xBB\xBF");
    const struct om_project *project = f->options.project;
    const bool degrees = !project || om_project_system(project)->degrees;
    om_buf_add_text(&f->buf, schema->geometry != OM_GEOMETRY_POINT ? "WKT"
                             : degrees                             ? "lon,lat"
                                                                   : "x,y");
    for (size_t i = 0; i < f->rows.columns; i++) {
        const char *name = schema->field[f->rows.column[i]].name;
        om_buf_add_byte(&f->buf, ',');
        om__text_csv(&f->buf, name, strlen(name));
    }
    if (f->options.distance) om_buf_add_text(&f->buf, ",distance_m");
    om_buf_add_text(&f->buf, "\r\n");
}

om_status om_features_begin(const struct om_layer *layer,
                            const struct om_features_options *options,
                            om_features_take_fn *take, void *ctx,
                            struct om_features **out)
{
    if (options->format != OM_FEATURES_GEOJSON &&
        options->format != OM_FEATURES_CSV)
        return OM_E_UNSUPPORTED;
    struct om_features *f = om_calloc(1, sizeof *f);
    if (!f) return OM_E_MEMORY;
    f->options = *options;
    f->take = take;
    f->ctx = ctx;
    om_status st = om__rows_init(&f->rows, layer, options);
    if (st) goto done;
    if (options->format == OM_FEATURES_CSV)
        put_csv_head(f);
    else
        om_buf_add_text(&f->buf,
                        "{\"type\":\"FeatureCollection\",\"features\":[");
    st = f->buf.status;
done:
    if (st)
        om_features_free(f);
    else
        *out = f;
    return st;
}

static om_status put_json(struct om_buf *buf, struct om__rows *rows,
                          const struct om_hit *hit, bool distance,
                          const char *members)
{
    const struct om_schema *schema = &rows->layer->schema;
    const char *id;
    size_t len;
    OM_TRY(om__rows_id(rows, hit, &id, &len));
    om_buf_add_text(buf, "{\"type\":\"Feature\",\"id\":");
    om_buf_add_json_text(buf, id ? id : "", len);
    om_buf_add_text(buf, ",\"geometry\":");
    OM_TRY(om__geometry_json(buf, rows, hit));
    om_buf_add_text(buf, ",\"properties\":{");
    for (size_t i = 0; i < rows->columns; i++) {
        const struct om_field *field = &schema->field[rows->column[i]];
        struct om_value value;
        OM_TRY(om__rows_value(rows, hit, rows->column[i], &value));
        if (i) om_buf_add_byte(buf, ',');
        om_buf_add_json_text(buf, field->name, strlen(field->name));
        om_buf_add_byte(buf, ':');
        om__value_json(buf, field->type, &value, rows->zone_s);
    }
    if (distance) {
        om_buf_add_text(buf,
                        rows->columns ? ",\"distance_m\":" : "\"distance_m\":");
        om_buf_add_fixed(buf, hit->distance_m, 3);
    }
    if (members) {
        if (rows->columns || distance) om_buf_add_byte(buf, ',');
        om_buf_add_text(buf, members);
    }
    return om_buf_add_text(buf, "}}");
}

static om_status put_csv(struct om_buf *buf, struct om__rows *rows,
                         const struct om_hit *hit, bool distance)
{
    const struct om_schema *schema = &rows->layer->schema;
    if (schema->geometry == OM_GEOMETRY_POINT) {
        struct om_pos pos;
        double x, y;
        OM_TRY(om__rows_pos(rows, hit, &pos));
        OM_TRY(om__place_out(rows->project, pos, &x, &y));
        if (isfinite(x)) om__number_out(buf, rows->project, x);
        om_buf_add_byte(buf, ',');
        if (isfinite(x)) om__number_out(buf, rows->project, y);
    } else {
        // WKT has commas but neither quotes nor line ends.
        om_buf_add_byte(buf, '"');
        OM_TRY(om__geometry_wkt(buf, rows, hit));
        om_buf_add_byte(buf, '"');
    }
    for (size_t i = 0; i < rows->columns; i++) {
        struct om_value value;
        OM_TRY(om__rows_value(rows, hit, rows->column[i], &value));
        om_buf_add_byte(buf, ',');
        om__value_csv(buf, schema->field[rows->column[i]].type, &value,
                      rows->zone_s);
    }
    if (distance) {
        om_buf_add_byte(buf, ',');
        om_buf_add_fixed(buf, hit->distance_m, 3);
    }
    return om_buf_add_text(buf, "\r\n");
}

om_status om_features_add(struct om_features *features,
                          const struct om_hit *hit)
{
    return om_features_add_with(features, hit, NULL);
}

om_status om_features_add_with(struct om_features *features,
                               const struct om_hit *hit, const char *members)
{
    struct om_features *f = features;
    if (f->options.format == OM_FEATURES_CSV) {
        OM_TRY(put_csv(&f->buf, &f->rows, hit, f->options.distance));
    } else {
        om_buf_add_text(&f->buf, f->count ? ",\n" : "\n");
        OM_TRY(put_json(&f->buf, &f->rows, hit, f->options.distance, members));
    }
    f->count++;
    return hand_on(f, HAND_ON_BYTES);
}

om_status om_features_end(struct om_features *features, const char *members)
{
    if (features->options.format == OM_FEATURES_GEOJSON) {
        om_buf_add_text(&features->buf, "\n]");
        if (members && *members) {
            om_buf_add_byte(&features->buf, ',');
            om_buf_add_text(&features->buf, members);
        }
        om_buf_add_text(&features->buf, "}\n");
    }
    return hand_on(features, 0);
}

uint64_t om_features_count(const struct om_features *features)
{
    return features->count;
}

void om_features_free(struct om_features *features)
{
    if (!features) return;
    om__rows_deinit(&features->rows);
    om_buf_deinit(&features->buf);
    om_free(features);
}

/* Rows between two looks at whether anybody still waits. */
#define GIVE_UP_ROWS 1024

om_status om__rows_each(const struct om_query *query,
                        const struct om_features_options *options,
                        bool (*each)(void *ctx, const struct om_hit *hit),
                        void *ctx)
{
    if (!options->sort_keys) return om_query_each(query, each, ctx);
    return om_query_sorted(query, options->sort, options->sort_keys, each, ctx);
}

om_status om__rows_go_on(const struct om_features_options *options,
                         uint64_t count)
{
    if (count % GIVE_UP_ROWS || !options->give_up) return OM_OK;
    return options->give_up(options->give_up_ctx) ? OM_E_STOPPED : OM_OK;
}

/* A query's hits on their way into a writer. */
struct pour {
    struct om_features *features;
    struct om_hit last;
    om_status status;
};

static bool pour_hit(void *ctx, const struct om_hit *hit)
{
    struct pour *p = ctx;
    p->status = om__rows_go_on(&p->features->options, p->features->count);
    if (!p->status) p->status = om_features_add(p->features, hit);
    p->last = *hit;
    return p->status == OM_OK;
}

om_status om_features_write(const struct om_query *query,
                            const struct om_features_options *options,
                            om_features_take_fn *take, void *ctx,
                            uint64_t *written, struct om_hit *last)
{
    struct pour p = {0};
    OM_TRY(om_features_begin(query->layer, options, take, ctx, &p.features));
    om_status st = om__rows_each(query, options, pour_hit, &p);
    if (!st) st = p.status;
    if (!st) st = om_features_end(p.features, NULL);
    if (written) *written = om_features_count(p.features);
    if (last) *last = p.last;
    om_features_free(p.features);
    return st;
}

om_status om_features_one(const struct om_layer *layer,
                          const struct om_features_options *options,
                          const struct om_hit *hit, struct om_buf *out)
{
    struct om__rows rows;
    OM_TRY(om__rows_init(&rows, layer, options));
    const om_status st = put_json(out, &rows, hit, options->distance, NULL);
    om__rows_deinit(&rows);
    return st;
}
