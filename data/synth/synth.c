// synth.c - makes the city stage by stage, then writes it layer by layer.
#include "data/synth/synth.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/synth/city_internal.h"
#include "data/synth/events.h"
#include "data/synth/write_internal.h"

#define SCALE_LEAST 0.001
#define SCALE_MOST 10.0
/* Cells of 95 m make quarters of some 350 m; a small city needs fewer. */
#define STEP_FULL_M 95.0
#define STEP_SMALL_M 150.0
#define SCALE_FULL_MESH 0.3

/* The box that the city lies in, degrees. */
#define WEST_DEG 113.515
#define EAST_DEG 114.265
#define SOUTH_DEG 22.645
#define NORTH_DEG 23.155

void om__city_deinit(struct om__city *city)
{
    om__mesh_deinit(&city->mesh);
    om_free(city->town_of);
    om_free(city->village_of);
    om_free(city->grid_of);
    om_free(city->quarter_of);
    om_free(city->urban);
    om_free(city->cover);
    om_free(city->village);
    om_free(city->grid);
    om_free(city->quarter);
    om_free(city->street);
    om_free(city->house);
    om_free(city->rental_house);
    om_free(city->premises_house);
    for (size_t i = 0; i < OM__HOTSPOTS; i++) om_free(city->hotspot[i].house);
    om_free(city->rhythm);
    om_free(city->background);
    om_free(city->visited);
    om_free(city->open);
    *city = (struct om__city){0};
}

static om_status make(struct om__city *city, struct om_err *err)
{
    const double begun = om_seconds();
    om__city_count(city);
    OM_TRY(om__mesh_init(
        &city->mesh, om__plane_from_deg(WEST_DEG, SOUTH_DEG),
        om__plane_from_deg(EAST_DEG, NORTH_DEG),
        city->scale < SCALE_FULL_MESH ? STEP_SMALL_M : STEP_FULL_M));
    OM_TRY(om__cover_make(city));
    OM_TRY(city->towns_file ? om__towns_read(city, err)
                            : om__towns_make(city, err));
    OM_TRY(om__units_make(city, err));
    OM_TRY(om__quarters_make(city));
    om_progress_done("units", city->grids, om_seconds() - begun);
    const double housed = om_seconds();
    OM_TRY(om__houses_make(city));
    OM_TRY(om__people_make(city));
    OM_TRY(om__hotspots_make(city));
    OM_TRY(om__events_make(city));
    om_progress_done("buildings planned", city->houses, om_seconds() - housed);
    return OM_OK;
}

static om_status write_all(const struct om__city *city, struct om_err *err)
{
    OM_TRY(om__write_units(city, err));
    OM_TRY(om__write_water(city, err));
    OM_TRY(om__write_roads(city, err));
    OM_TRY(om__write_buildings(city, err));
    OM_TRY(om__write_register(city, err));
    OM_TRY(om__write_services(city, err));
    OM_TRY(om__write_events(city, err));
    if (!city->only) {
        OM_TRY(om__write_models(city, err));
        OM_TRY(om__write_publish(city, err));
        OM_TRY(om__write_truth(city, err));
        OM_TRY(om__write_dirt(city, err));
    }
    // Last: a folder with a city.json is a whole one.
    return om__write_manifest(city, err);
}

static om_status check_only(const char *only, struct om_err *err)
{
    for (const char *at = only; at && *at;) {
        const size_t len = strcspn(at, ",");
        if (!om__layer_known(at, len))
            return om_fail(err, OM_E_RANGE, (size_t)(at - only),
                           "no layer '%.*s' in the synthetic city", (int)len,
                           at);
        at += len + (at[len] == ',');
    }
    return OM_OK;
}

om_status om_synth_write(const struct om_synth_options *options,
                         struct om_err *err)
{
    if (!(options->scale >= SCALE_LEAST && options->scale <= SCALE_MOST))
        return om_fail(err, OM_E_RANGE, 0, "scale %g is not between %g and %g",
                       options->scale, SCALE_LEAST, SCALE_MOST);
    OM_TRY(check_only(options->only, err));
    OM_TRY(om_folder_make(options->out, err));
    struct om__city city = {.seed = options->seed,
                            .scale = options->scale,
                            .plain = options->plain,
                            .out = options->out,
                            .only = options->only,
                            .towns_file = options->towns};
    om_status st = make(&city, err);
    if (!st) st = write_all(&city, err);
    if (st == OM_E_MEMORY)
        om_fail(err, st, 0, "the city at this scale needs more memory");
    om__city_deinit(&city);
    return st;
}
