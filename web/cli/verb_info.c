// verb_info.c - onemap info: what a city holds.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/risk/model.h"
#include "engine/snapshot.h"
#include "web/cli/verb.h"

static uint64_t bytes_of(const struct om_layer *layer)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < layer->parts; i++)
        bytes += om_segment_bytes(layer->part[i].segment);
    return bytes;
}

static void as_of_text(const struct om_snapshot *s,
                       const struct om_layer *layer,
                       char out[OM_TIME_TEXT_BYTES])
{
    const int64_t at = om_snapshot_as_of(s, layer);
    if (at)
        om_time_format(at, s->manifest->zone_s, out);
    else
        snprintf(out, OM_TIME_TEXT_BYTES, "unknown");
}

static void print_layer(const struct om_snapshot *s,
                        const struct om_layer *layer)
{
    char as_of[OM_TIME_TEXT_BYTES];
    as_of_text(s, layer, as_of);
    double b[4];
    om_layer_bounds(layer, b);
    printf("layer       %s %s\n", layer->name, layer->meta->title);
    printf("rows        %llu\n", (unsigned long long)layer->rows);
    printf("geometry    %s\n", om_geometry_name(layer->schema.geometry));
    printf("extent      %.7f,%.7f,%.7f,%.7f\n", b[0], b[1], b[2], b[3]);
    printf("units       %s\n",
           layer->meta->unit_level[0] ? layer->meta->unit_level : "-");
    printf("segments    %zu\n", layer->parts);
    printf("bytes       %llu\n", (unsigned long long)bytes_of(layer));
    printf("data as of  %s\n", as_of);
    printf("department  %s\n", layer->meta->department);
    printf("columns\n");
    for (size_t i = 0; i < layer->schema.count; i++)
        printf("  %-24s %s%s%s%s\n", layer->schema.field[i].name,
               om_type_name(layer->schema.field[i].type),
               i == layer->schema.id_field ? " (id)" : "",
               i == layer->schema.time_field ? " (time)" : "",
               i >= layer->schema.count - layer->unit_columns ? " (unit)" : "");
}

static void print_city(const struct om_snapshot *s)
{
    const struct om_manifest *m = s->manifest;
    char as_of[OM_TIME_TEXT_BYTES];
    uint64_t rows = 0, bytes = 0;
    as_of_text(s, NULL, as_of);
    printf("city        %s%s\n", m->name,
           m->synthetic ? " (合成数据 synthetic)" : "");
    printf("sequence    %llu\n", (unsigned long long)s->sequence);
    printf("data as of  %s\n", as_of);
    printf("units      ");
    for (size_t i = 0; i < m->levels; i++) printf(" %s", m->level[i]);
    printf("\n\n%-16s %-8s %12s %14s  %s\n", "layer", "geometry", "rows",
           "bytes", "title");
    for (size_t i = 0; i < s->layers; i++) {
        const struct om_layer *layer = &s->layer[i];
        rows += layer->rows;
        bytes += bytes_of(layer);
        printf("%-16s %-8s %12llu %14llu  %s\n", layer->name,
               om_geometry_name(layer->schema.geometry),
               (unsigned long long)layer->rows,
               (unsigned long long)bytes_of(layer), layer->meta->title);
    }
    for (size_t i = 0; i < s->withheld; i++) {
        const struct om_manifest_layer *meta = s->held_back[i].meta;
        printf("%-16s %-8s   NOT SERVED: %s\n", meta->name,
               om_geometry_name(meta->schema.geometry), s->held_back[i].why);
    }
    printf("%-16s %-8s %12llu %14llu\n", "total", "", (unsigned long long)rows,
           (unsigned long long)bytes);
}

static void print_models(const char *city, const struct om_snapshot *s)
{
    struct om_models *models = NULL;
    if (om_models_read(city, s, &models, NULL) || models->count == 0) {
        om_models_unref(models);
        return;
    }
    printf("\n%-16s %8s %6s  %s\n", "model", "version", "terms", "title");
    for (size_t i = 0; i < models->count; i++) {
        const struct om_model *m = models->entry[i].model;
        if (m)
            printf("%-16s %8lld %6zu  %s\n", m->name, (long long)m->version,
                   m->terms, m->title ? m->title : "");
        else
            printf("%-16s cannot be used: %s\n", models->entry[i].name,
                   models->entry[i].err.text);
    }
    om_models_unref(models);
}

int om__verb_info(int argc, char **argv)
{
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read("info", argc, argv, NULL, 0, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 1) return om__verb_usage("info", "needs CITY");
    struct om_err err = {0};
    struct om_city *city = NULL;
    if (om_city_open(operand[0], &city, &err))
        return om__verb_fail("info", &err);
    struct om_snapshot *s = om_city_snapshot(city);
    int status = OM_EXIT_DONE;
    if (operands == 1) {
        char fault[OM_ERR_TEXT_BYTES];
        print_city(s);
        if (om_city_journal_fault(city, fault))
            printf("\njournal     NOT SOUND, no writes: %s\n", fault);
        print_models(operand[0], s);
    } else {
        const struct om_layer *layer = om_snapshot_layer(s, operand[1]);
        if (layer) {
            print_layer(s, layer);
        } else if (om_snapshot_lacks(s, operand[1], &err) == OM_E_WITHHELD) {
            status = om__verb_fail("info", &err);
        } else {
            om_fail(&err, OM_E_NOTFOUND, 0,
                    "no layer '%s' (onemap info %s lists them)", operand[1],
                    operand[0]);
            status = om__verb_fail("info", &err);
        }
    }
    om_snapshot_unref(s);
    om_city_close(city);
    return status;
}
