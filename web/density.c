// density.c - a risk or a layer's field as a raster file.
#include "web/density.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/json.h"
#include "data/model/time.h"
#include "data/source/raster.h"
#include "engine/field/raster.h"

/* Cells of the smallest bandwidth, where nobody says otherwise. */
#define CELLS_PER_BANDWIDTH 16.0
/* Rows of a stretch that is computed and written at once. */
#define STRETCH_ROWS OM_RASTER_TILE
#define NOTES 16

struct density {
    struct om_fields *fields;
    const struct om_snapshot *snapshot;
    const struct om_risk_bound *bound;
    struct om_frame frame;
    struct om_err *err;
    // What the file says about itself.
    struct om_raster_note note[NOTES];
    size_t notes;
    struct om_arena arena;
};

/* ---- where ------------------------------------------------------------- */

/* 1, 2 or 5 and zeros: the largest such length that is not above `m`. */
static double round_down(double m)
{
    const double ten = pow(10.0, floor(log10(m)));
    return (m >= 5.0 * ten ? 5.0 : m >= 2.0 * ten ? 2.0 : 1.0) * ten;
}

/* Smallest and largest bandwidth. */
static void bandwidths(const struct om_risk *risk, double *least, double *most)
{
    *least = INFINITY;
    *most = 0.0;
    for (size_t i = 0; i < risk->terms; i++) {
        *least = fmin(*least, risk->term[i].spec.bandwidth_m);
        *most = fmax(*most, risk->term[i].spec.bandwidth_m);
    }
    for (size_t i = 0; i < risk->exposures; i++)
        *least = fmin(*least, risk->exposure[i].spec.bandwidth_m);
}

/* All rows that count; where none do, those that might have. */
static om_status find_box(const struct density *d, struct om_box *out)
{
    const struct om_risk *risk = &d->bound->risk;
    *out = OM_BOX_NONE;
    for (size_t i = 0; i < risk->terms; i++) {
        struct om_box box;
        const om_status st = om_field_box(&risk->term[i].spec, &box);
        if (st && st != OM_E_NOTFOUND) return st;
        if (!st) om_box_widen(out, box);
    }
    if (out->x0 <= out->x1) return OM_OK;
    for (size_t i = 0; i < risk->terms; i++) {
        const struct om_box box = om_layer_box(risk->term[i].spec.layer);
        if (box.x0 <= box.x1) om_box_widen(out, box);
    }
    if (out->x0 <= out->x1) return OM_OK;
    return om_fail(d->err, OM_E_NOTFOUND, 0,
                   "%s has no rows: there is nothing to cover", d->bound->name);
}

/* What city.json says, or NULL. */
static om_status city_crs(const struct density *d, const char **out)
{
    const struct om_json *crs =
        om_json_get(d->snapshot->manifest->document, "crs");
    *out = om_json_text(crs, NULL);
    if (*out || !crs) return OM_OK;
    return om_fail(d->err, OM_E_FORMAT, 0,
                   "city.json: crs: not a text such as \"EPSG:4547\"");
}

static om_status lay_frame(struct density *d,
                           const struct om_density_shape *shape)
{
    double least, most;
    bandwidths(&d->bound->risk, &least, &most);
    const double cell_m = shape->cell_m > 0.0
                              ? shape->cell_m
                              : round_down(least / CELLS_PER_BANDWIDTH);
    const char *crs = shape->crs;
    if (!crs) OM_TRY(city_crs(d, &crs));
    struct om_box box = shape->box;
    if (!shape->boxed) OM_TRY(find_box(d, &box));
    OM_TRY(om_frame_init(crs, box, shape->boxed ? 0.0 : most, cell_m, &d->frame,
                         d->err));
    const double cells = (double)d->frame.columns * (double)d->frame.rows;
    if (shape->cells_most <= 0.0 || cells <= shape->cells_most) return OM_OK;
    return om_fail(d->err, OM_E_COST, 0,
                   "%zu x %zu cells of %g m are more than %.0f million: take "
                   "cells of %.3g m, or a smaller box",
                   d->frame.columns, d->frame.rows, cell_m,
                   shape->cells_most / 1e6,
                   1.1 * cell_m * sqrt(cells / shape->cells_most));
}

/* ---- what -------------------------------------------------------------- */

static void note(struct density *d, const char *key, const char *value)
{
    if (!value || !*value || d->notes == NOTES) return;
    d->note[d->notes++] = (struct om_raster_note){key, value};
}

static void note_real(struct density *d, const char *key, double value)
{
    char text[40];
    const int len = snprintf(text, sizeof text, "%.12g", value);
    note(d, key, om_arena_text(&d->arena, text, (size_t)len));
}

static void note_time(struct density *d, const char *key, int64_t at_s)
{
    char text[OM_TIME_TEXT_BYTES];
    const size_t len =
        om_time_format(at_s, d->snapshot->manifest->zone_s, text);
    note(d, key, om_arena_text(&d->arena, text, len));
}

/* Kernel, bandwidth and half-life, where all terms agree. */
static void note_terms(struct density *d)
{
    const struct om_risk *risk = &d->bound->risk;
    const struct om_field_spec *first = &risk->term[0].spec;
    bool kernel = true, bandwidth = true, half_life = true;
    for (size_t i = 1; i < risk->terms; i++) {
        const struct om_field_spec *s = &risk->term[i].spec;
        kernel &= s->kernel == first->kernel;
        bandwidth &= s->bandwidth_m == first->bandwidth_m;
        half_life &= s->weight.half_life_s == first->weight.half_life_s;
    }
    note(d, "KERNEL", kernel ? om_kernel_name(first->kernel) : "several");
    if (bandwidth)
        note_real(d, "BANDWIDTH_M", first->bandwidth_m);
    else
        note(d, "BANDWIDTH_M", "several");
    // A Gaussian ends at 3 sigma (field.h).
    if (kernel && bandwidth && first->kernel == OM_KERNEL_GAUSSIAN)
        note_real(d, "SIGMA_M", first->bandwidth_m / 3.0);
    if (half_life && first->weight.half_life_s > 0.0)
        note_real(d, "HALF_LIFE_DAYS", first->weight.half_life_s / 86400.0);
}

static om_status note_all(struct density *d, const char *where,
                          struct om_raster_about *about)
{
    const struct om_risk_bound *b = d->bound;
    const char *title =
        b->model ? b->model->title_en : b->layer->meta->title_en;
    if (!title || !*title) title = b->name;
    char line[300];
    const int len = snprintf(line, sizeof line, "%s, %s", title, b->unit_en);
    about->description = om_arena_text(&d->arena, line, (size_t)len);
    about->unit = b->unit_en;
    note(d, "TIFFTAG_SOFTWARE", "onemap");
    note(d, "TIFFTAG_IMAGEDESCRIPTION", about->description);
    note(d, b->model ? "MODEL" : "LAYER", b->name);
    note_terms(d);
    if (b->dated) note_time(d, "AS_OF", b->at_s);
    if (b->window.set && b->window.from_s != INT64_MIN)
        note_time(d, "FROM", b->window.from_s);
    if (b->window.set && b->window.to_s != INT64_MAX)
        note_time(d, "TO", b->window.to_s);
    if (b->risk.exposures) {
        note(d, "PER", b->per->name);
        note_real(d, "FLOOR", b->risk.floor);
    }
    note(d, "FILTER", where);
    if (d->snapshot->manifest->synthetic) note(d, "SYNTHETIC", "true");
    about->note = d->note;
    about->notes = d->notes;
    return about->description ? OM_OK : OM_E_MEMORY;
}

/* ---- the file ---------------------------------------------------------- */

static om_status evaluate(void *ctx, const struct om_places *places,
                          struct om_arena *arena, float *value)
{
    const struct density *d = ctx;
    return om_risk_places(d->fields, &d->bound->risk, places, arena, value,
                          NULL);
}

static om_status write_rows(struct density *d, struct om_raster *raster)
{
    const struct om_frame *f = &d->frame;
    float *value = NULL;
    size_t cells;
    if (om_mul_size(f->columns, STRETCH_ROWS, &cells) &&
        cells <= SIZE_MAX / sizeof *value)
        value = om_alloc(cells * sizeof *value);
    if (!value) return OM_E_MEMORY;
    om_status st = OM_OK;
    for (size_t row = 0; !st && row < f->rows; row += STRETCH_ROWS) {
        const size_t left = f->rows - row;
        const size_t rows = left < STRETCH_ROWS ? left : STRETCH_ROWS;
        st = om_raster_cells(f, row, rows, evaluate, d, value);
        if (!st) st = om_raster_write(raster, row, rows, value, d->err);
        om_progress("density", (row + rows) * f->columns, f->rows * f->columns);
    }
    om_free(value);
    return st;
}

static om_status write_file(struct density *d, const char *where,
                            const char *path)
{
    const double start = om_seconds();
    struct om_raster_about about = {0};
    struct om_raster *raster = NULL;
    OM_TRY(note_all(d, where, &about));
    // Weights are prepared on all threads here, before the blocks take them.
    struct om_risk_totals totals;
    OM_TRY(om_risk_totals(d->fields, &d->bound->risk, &totals));
    OM_TRY(om_raster_open(path, &d->frame, &about, &raster, d->err));
    om_status st = write_rows(d, raster);
    if (st) {
        om_raster_discard(raster);
        return st;
    }
    OM_TRY(om_raster_close(raster, d->err));
    om_progress_done("density", d->frame.rows * d->frame.columns,
                     om_seconds() - start);
    return OM_OK;
}

om_status om_density_write(struct om_fields *fields,
                           const struct om_snapshot *snapshot,
                           const struct om_risk_bound *bound,
                           const struct om_density_shape *shape,
                           const char *path, struct om_err *err)
{
    struct om_err own = {0};
    struct density d = {.fields = fields,
                        .snapshot = snapshot,
                        .bound = bound,
                        .err = err ? err : &own};
    om_status st = lay_frame(&d, shape);
    if (!st) st = write_file(&d, shape->where, path);
    om_frame_deinit(&d.frame);
    om_arena_deinit(&d.arena);
    return st;
}
