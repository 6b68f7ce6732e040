// vector.c - one tile from beginning to end.
#include "tiles/vector/vector.h"

#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "tiles/vector/vector_internal.h"

/* Bytes kept free for the layer of meta and heads of layers. */
#define META_BYTES 1000

void om__making_clear(struct om__making *m)
{
    om_mvt_deinit(&m->rows);
    om_mvt_deinit(&m->cells);
    m->shown = 0;
}

bool om__making_fits(const struct om__making *m)
{
    return om_mvt_bytes(&m->rows) + om_mvt_bytes(&m->cells) <=
           OM_VECTOR_BYTES - META_BYTES;
}

/* Rows of each part that lie in the tile, and how many are selected. */
static om_status find_stretches(struct om__making *m)
{
    const struct om_layer *layer = m->spec->layer;
    m->stretch =
        om_arena_calloc(m->arena, layer->parts + 1, sizeof *m->stretch);
    if (!m->stretch) return OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts; p++) {
        struct om__stretch *s = &m->stretch[p];
        OM_TRY(om_segment_range(layer->part[p].segment, m->place.code,
                                m->place.code_end, &s->from, &s->to));
        m->total += om__selected_count(m->spec->selection, p, s->from, s->to);
    }
    return OM_OK;
}

static void tag_count(struct om_mvt *mvt, const char *key, uint64_t count)
{
    const uint32_t k = om_mvt_key(mvt, key, strlen(key));
    om_mvt_tag(mvt, k, om_mvt_integer(mvt, (int64_t)count));
}

static void tag_text(struct om_mvt *mvt, const char *key, const char *text)
{
    const uint32_t k = om_mvt_key(mvt, key, strlen(key));
    om_mvt_tag(mvt, k, om_mvt_text(mvt, text, strlen(text)));
}

static om_status write_meta(const struct om__making *m, const char *name,
                            struct om_buf *tile)
{
    const struct om_vector_spec *spec = m->spec;
    const struct om_mvt_xy corner[] = {{0, 0},
                                       {OM_MVT_EXTENT, 0},
                                       {OM_MVT_EXTENT, OM_MVT_EXTENT},
                                       {0, OM_MVT_EXTENT}};
    struct om_mvt meta = {0};
    tag_count(&meta, "total", m->total);
    tag_count(&meta, "shown", m->shown);
    tag_count(&meta, "suppressed", m->total - m->shown);
    if (spec->by != OM_NO_FIELD)
        tag_text(&meta, "by", spec->layer->schema.field[spec->by].name);
    if (spec->as_of_s) {
        char text[OM_TIME_TEXT_BYTES];
        om_time_format(spec->as_of_s, spec->zone_s, text);
        tag_text(&meta, "as_of", text);
    }
    om_mvt_ring(&meta, corner, 4);
    om_mvt_feature(&meta, OM_MVT_POLYGON, OM_MVT_NO_ID);
    const om_status st = om_mvt_write(&meta, name, tile);
    om_mvt_deinit(&meta);
    return st;
}

void om_vector_name(const struct om_vector_spec *spec, const char *what,
                    char out[OM_VECTOR_NAME_BYTES])
{
    const char *name = spec->name;
    if (spec->apart)
        snprintf(out, OM_VECTOR_NAME_BYTES, "%s:%s", name, what);
    else
        snprintf(out, OM_VECTOR_NAME_BYTES, "%s%s", what,
                 strcmp(name, what) ? "" : "_");
}

static om_status write_layers(const struct om__making *m, struct om_buf *tile)
{
    char cells[OM_VECTOR_NAME_BYTES], meta[OM_VECTOR_NAME_BYTES];
    om_vector_name(m->spec, "cells", cells);
    om_vector_name(m->spec, "meta", meta);
    OM_TRY(om_mvt_write(&m->rows, m->spec->name, tile));
    OM_TRY(om_mvt_write(&m->cells, cells, tile));
    return m->cells.feature_count ? write_meta(m, meta, tile) : OM_OK;
}

om_status om_vector_tile(struct om_vectors *vectors,
                         const struct om_vector_spec *spec, unsigned z,
                         uint32_t x, uint32_t y, struct om_arena *arena,
                         struct om_buf *tile)
{
    const bool points = spec->layer->schema.geometry == OM_GEOMETRY_POINT;
    struct om__making m = {.vectors = vectors, .spec = spec, .arena = arena};
    const size_t before = tile->len;
    OM_TRY(tile->status);
    OM_TRY(om__place_init(&m.place, z, x, y));
    if (spec->by != OM_NO_FIELD)
        OM_TRY(om_vector_by_check(spec->layer, spec->by));
    OM_TRY(find_stretches(&m));
    // How few there are would be told by the meta layer.
    if (m.total < spec->crowd) return OM_OK;
    om_status st = OM_OK;
    if (!points)
        st = om__shapes_make(&m);
    else if (m.total)
        st = om__points_make(&m);
    if (!st) st = write_layers(&m, tile);
    if (!st && spec->shown) *spec->shown = m.shown;
    om__making_clear(&m);
    if (st) tile->len = before;
    return st;
}

double om_vector_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, unsigned z,
                        uint32_t x, uint32_t y)
{
    const struct om_layer *layer = spec->layer;
    struct om_arena arena = {0};
    struct om__making m = {.vectors = vectors, .spec = spec, .arena = &arena};
    double cost_s = 0.0;
    if (om__place_init(&m.place, z, x, y) || find_stretches(&m)) goto done;
    if (layer->schema.geometry != OM_GEOMETRY_POINT) {
        cost_s += om__drawing_cost_s(vectors, spec);
        if (z < OM__ZOOM_EXACT && om__borders_wanted(vectors, layer))
            cost_s += om__ranks_cost_s(vectors, layer, &m.place) +
                      (layer->schema.geometry == OM_GEOMETRY_POLYGON
                           ? om__level_cost_s(vectors, layer, z)
                           : om__borders_cost_s(vectors, layer));
    }
    if (layer->schema.geometry != OM_GEOMETRY_POINT ||
        m.total > om__points_whole(spec))
        cost_s += om__cells_cost_s(vectors, spec, &m.place, m.stretch);
done:
    om_arena_deinit(&arena);
    return cost_s;
}
