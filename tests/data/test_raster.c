/* A raster's frame, and its file.
 *
 * Plan
 *   frame_*   cells lie where PROJ says, cover the box, fit each other
 *   file_*    what is written is read back by GDAL, with all it says about
 *             itself; overviews are means
 *   whole_*   there is no half of a file
 *   fault_*   projections, cells and boxes that cannot be; no memory
 */
#include <gdal.h>
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/source/project.h"
#include "data/source/raster.h"
#include "tests/folder.h"

static char folder[300], path[400];

static int set_up(void **state)
{
    (void)state;
    om_progress_quiet(true);
    if (!test_folder("onemap-raster", folder, sizeof folder)) return 1;
    snprintf(path, sizeof path, "%s/a.tif", folder);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* Files in the folder. */
static size_t files(void)
{
    char pattern[400];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*", folder);
    const size_t n = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
    if (n) globfree(&found);
    return n;
}

static struct om_box box_of(double west, double south, double east,
                            double north)
{
    struct om_pos a, b;
    assert_int_equal(om_pos_from_lonlat(west, north, &a), OM_OK);
    assert_int_equal(om_pos_from_lonlat(east, south, &b), OM_OK);
    return (struct om_box){a.x, a.y, b.x, b.y};
}

static struct om_box city(void)
{
    return box_of(113.52, 22.66, 114.25, 23.14);
}

static void frame_of(const char *crs, struct om_box box, double margin_m,
                     double cell_m, struct om_frame *out)
{
    struct om_err err = {0};
    const om_status st = om_frame_init(crs, box, margin_m, cell_m, out, &err);
    if (st) print_message("%s\n", err.text);
    assert_int_equal(st, OM_OK);
}

/* ---- frame ------------------------------------------------------------- */

static void frame_cells_lie_where_proj_says(void **state)
{
    (void)state;
    static const double CELLS[] = {3.0, 50.0, 333.3, 2500.0};
    for (size_t c = 0; c < 4; c++) {
        struct om_frame f;
        struct om_project *project;
        frame_of("EPSG:4547", city(), 800.0, CELLS[c], &f);
        assert_int_equal(om_project_open(om_system_find("EPSG:4547"), &project),
                         OM_OK);
        for (size_t k = 0; k < 500; k++) {
            const double column = (double)(f.columns * (k % 25) / 24);
            const double row = (double)(f.rows * (k / 25) / 19);
            double x, y, lon = f.west_m + column * f.cell_m;
            double lat = f.north_m - row * f.cell_m, world_x, world_y;
            om_frame_places(&f, column, row, 1, 1, &x, &y);
            assert_int_equal(om_project_to_lonlat(project, &lon, &lat, 1),
                             OM_OK);
            assert_int_equal(om_pos_world(lon, lat, &world_x, &world_y), OM_OK);
            // A centimetre of a kilometre's knots; wide cells are knots.
            assert_true(fabs(x - world_x) * OM_POS_CELL_M < 0.012);
            assert_true(fabs(y - world_y) * OM_POS_CELL_M < 0.012);
        }
        om_project_close(project);
        om_frame_deinit(&f);
    }
}

static void frame_covers_its_box_and_margin(void **state)
{
    (void)state;
    static const char *const CRS[] = {"EPSG:4547", "EPSG:3857", NULL,
                                      "EPSG:32649"};
    for (size_t c = 0; c < 4; c++)
        for (int big = 0; big < 2; big++) {
            const struct om_box box =
                big ? city() : box_of(113.8, 22.9, 113.8, 22.9);
            const double margin = 5000.0;
            struct om_frame f;
            frame_of(CRS[c], box, margin, 500.0, &f);
            // The frame's own outline lies outside of the box, further than
            // the margin, and not much further.
            const double ground = om_world_ground_m(box.y0);
            double least = INFINITY;
            for (size_t i = 0; i <= f.columns; i++)
                for (size_t j = 0; j <= f.rows; j++) {
                    if (i && j && i < f.columns && j < f.rows) continue;
                    double x, y;
                    om_frame_places(&f, (double)i, (double)j, 1, 1, &x, &y);
                    const double dx = fmax(box.x0 - x, x - box.x1);
                    const double dy = fmax(box.y0 - y, y - box.y1);
                    const double out = fmax(dx, dy) * ground;
                    assert_true(out >= 0.999 * margin);
                    least = fmin(least, out);
                }
            assert_true(least < 1.1 * margin + 2000.0);
            assert_true(fmod(f.west_m, 500.0) == 0.0);
            assert_true(fmod(f.north_m, 500.0) == 0.0);
            if (!CRS[c]) assert_string_equal(f.crs, "EPSG:32649");
            om_frame_deinit(&f);
        }
    struct om_frame south;
    frame_of(NULL, box_of(-43.3, -23.0, -43.1, -22.8), 10.0, 100.0, &south);
    assert_string_equal(south.crs, "EPSG:32723");
    om_frame_deinit(&south);
}

/* ---- file -------------------------------------------------------------- */

static float value_at(size_t column, size_t row)
{
    if ((column / 40 + row / 30) % 7 == 3) return NAN;
    return (float)(sin((double)column / 50.0) * cos((double)row / 31.0) + 1.5);
}

static void write_rows(struct om_raster *raster, const struct om_frame *f,
                       size_t stretch)
{
    float *value = malloc(f->columns * stretch * sizeof *value);
    for (size_t row = 0; row < f->rows; row += stretch) {
        const size_t rows = f->rows - row < stretch ? f->rows - row : stretch;
        for (size_t i = 0; i < rows * f->columns; i++)
            value[i] = value_at(i % f->columns, row + i / f->columns);
        assert_int_equal(om_raster_write(raster, row, rows, value, NULL),
                         OM_OK);
    }
    free(value);
}

static const struct om_raster_note NOTES[] = {
    {"KERNEL", "quartic"}, {"FILTER", "severity >= 3 <&>"}, {"NOTHING", NULL}};
static const struct om_raster_about ABOUT = {.unit = "per km2",
                                             .description = "隐患, per km2",
                                             .note = NOTES,
                                             .notes = 3};

static void file_is_read_back_by_gdal(void **state)
{
    (void)state;
    struct om_frame f;
    struct om_raster *raster;
    frame_of("EPSG:4547", city(), 800.0, 50.0, &f);
    assert_int_equal(om_raster_open(path, &f, &ABOUT, &raster, NULL), OM_OK);
    write_rows(raster, &f, 300);
    assert_int_equal(om_raster_close(raster, NULL), OM_OK);
    assert_int_equal(files(), 1);

    GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    assert_non_null(d);
    assert_int_equal(GDALGetRasterXSize(d), f.columns);
    assert_int_equal(GDALGetRasterYSize(d), f.rows);
    double to_m[6];
    assert_int_equal(GDALGetGeoTransform(d, to_m), CE_None);
    assert_true(to_m[0] == f.west_m && to_m[1] == 50.0 && to_m[2] == 0.0 &&
                to_m[3] == f.north_m && to_m[4] == 0.0 && to_m[5] == -50.0);
    assert_non_null(strstr(GDALGetProjectionRef(d), "\"4547\""));
    assert_string_equal(GDALGetMetadataItem(d, "LAYOUT", "IMAGE_STRUCTURE"),
                        "COG");
    assert_string_equal(GDALGetMetadataItem(d, "KERNEL", NULL), "quartic");
    assert_string_equal(GDALGetMetadataItem(d, "FILTER", NULL),
                        "severity >= 3 <&>");
    assert_null(GDALGetMetadataItem(d, "NOTHING", NULL));
    GDALRasterBandH band = GDALGetRasterBand(d, 1);
    int has = 0;
    assert_true(isnan(GDALGetRasterNoDataValue(band, &has)) && has);
    assert_string_equal(GDALGetRasterUnitType(band), "per km2");
    assert_string_equal(GDALGetDescription(band), ABOUT.description);
    float *row = malloc(f.columns * sizeof *row);
    for (size_t r = 0; r < f.rows; r++) {
        assert_int_equal(
            GDALRasterIO(band, GF_Read, 0, (int)r, (int)f.columns, 1, row,
                         (int)f.columns, 1, GDT_Float32, 0, 0),
            CE_None);
        for (size_t c = 0; c < f.columns; c++) {
            const float want = value_at(c, r);
            assert_true(row[c] == want || (isnan(want) && isnan(row[c])));
        }
    }
    // The first overview is the mean of what is known among 2 x 2.
    assert_true(GDALGetOverviewCount(band) >= 1);
    GDALRasterBandH half = GDALGetOverview(band, 0);
    for (size_t c = 10; c < 300; c += 7) {
        float got, sum = 0.0f;
        int n = 0;
        assert_int_equal(GDALRasterIO(half, GF_Read, (int)c, 20, 1, 1, &got, 1,
                                      1, GDT_Float32, 0, 0),
                         CE_None);
        for (size_t k = 0; k < 4; k++) {
            const float v = value_at(2 * c + (k & 1), 40 + k / 2);
            if (isnan(v)) continue;
            sum += v;
            n++;
        }
        // An odd number of columns makes cells of overviews a little wider.
        assert_true(n ? fabsf(got - sum / (float)n) < 0.05f : isnan(got));
    }
    free(row);
    GDALClose(d);
    om_frame_deinit(&f);
}

static void file_of_one_cell_and_of_rows_never_written(void **state)
{
    (void)state;
    struct om_frame f;
    struct om_raster *raster;
    frame_of("EPSG:4547", box_of(113.8, 22.9, 113.8, 22.9), 0.0, 1e5, &f);
    assert_int_equal(f.columns * f.rows, 1);
    assert_int_equal(
        om_raster_open(path, &f, &(struct om_raster_about){0}, &raster, NULL),
        OM_OK);
    assert_int_equal(om_raster_close(raster, NULL), OM_OK);
    GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    float v = 0.0f;
    assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, 0, 1, 1,
                                  &v, 1, 1, GDT_Float32, 0, 0),
                     CE_None);
    assert_true(isnan(v));
    GDALClose(d);
    om_frame_deinit(&f);
}

/* ---- whole ------------------------------------------------------------- */

static void whole_or_not_at_all(void **state)
{
    (void)state;
    struct om_frame f;
    struct om_raster *raster;
    struct om_err err = {0};
    frame_of("EPSG:4547", city(), 0.0, 500.0, &f);
    assert_int_equal(om_file_write_whole(path, "old", 3, NULL), OM_OK);
    assert_int_equal(om_raster_open(path, &f, &ABOUT, &raster, NULL), OM_OK);
    write_rows(raster, &f, 10);
    om_raster_discard(raster);
    struct om_buf buf = {0};
    assert_int_equal(om_file_read(path, 100, &buf, NULL), OM_OK);
    assert_true(buf.len == 3 && files() == 1);
    om_buf_deinit(&buf);
    char nowhere[500];
    snprintf(nowhere, sizeof nowhere, "%s/not/there.tif", folder);
    assert_int_equal(om_raster_open(nowhere, &f, &ABOUT, &raster, &err),
                     OM_E_IO);
    assert_non_null(strstr(err.text, nowhere));
    om_raster_discard(NULL);
    om_frame_deinit(&f);
}

/* ---- fault ------------------------------------------------------------- */

static void fault_of_frames_is_said(void **state)
{
    (void)state;
    const struct {
        const char *crs;
        double cell_m;
        om_status status;
        const char *says;
    } C[] = {
        {"EPSG:4547", 0.0, OM_E_RANGE, "--cell"},
        {"EPSG:4547", -5.0, OM_E_RANGE, "--cell"},
        {"EPSG:4547", NAN, OM_E_RANGE, "--cell"},
        {"EPSG:4547", INFINITY, OM_E_RANGE, "--cell"},
        {"EPSG:4547", 0.5, OM_E_LIMIT, "--cell"},
        {"EPSG:4326", 50.0, OM_E_CRS, "--crs"},
        {"GCJ02", 50.0, OM_E_CRS, "--crs"},
        {"EPSG:2225", 50.0, OM_E_CRS, "--crs"},   // feet
        {"EPSG:27700", 50.0, OM_E_CRS, "--crs"},  // Great Britain
        {"nonsense", 50.0, OM_E_CRS, "--crs"},
    };
    for (size_t i = 0; i < sizeof C / sizeof *C; i++) {
        struct om_frame f;
        struct om_err err = {0};
        assert_int_equal(
            om_frame_init(C[i].crs, city(), 0.0, C[i].cell_m, &f, &err),
            C[i].status);
        assert_non_null(strstr(err.text, C[i].says));
    }
    struct om_frame f;
    assert_int_equal(om_frame_init(NULL, OM_BOX_NONE, 0.0, 50.0, &f, NULL),
                     OM_E_RANGE);
}

static void fault_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        struct om_frame f = {0};
        struct om_raster *raster = NULL;
        om_alloc_fail_after(k, false);
        st = om_frame_init("EPSG:4547", city(), 0.0, 2000.0, &f, NULL);
        if (!st) st = om_raster_open(path, &f, &ABOUT, &raster, NULL);
        if (!st) st = om_raster_close(raster, NULL);
        om_alloc_fail_after(0, false);
        om_frame_deinit(&f);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_cells_lie_where_proj_says),
        cmocka_unit_test(frame_covers_its_box_and_margin),
        cmocka_unit_test(file_is_read_back_by_gdal),
        cmocka_unit_test(file_of_one_cell_and_of_rows_never_written),
        cmocka_unit_test(whole_or_not_at_all),
        cmocka_unit_test(fault_of_frames_is_said),
        cmocka_unit_test(fault_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
