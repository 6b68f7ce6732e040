// test_synth.c - the synthetic city: same bytes, exact partitions, exact sums.
//
// Plan
//   same_*      the same bytes for any number of threads, for --only, twice
//   count_*     rows as promised, read back through GDAL; ids unique
//   partition_* edges cancel to the bit at all three levels; areas; validity
//   sum_*       residents, also by town as in the census; checks, centres
//   time_*      the five steps in order, all before the clock
//   beside_*    city.json, truth.json, dirt/
//   towns_*     outlines from a file
//   error_*     bad scale, unknown layer, no memory
#include <dirent.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "data/json.h"
#include "data/synth/facts.h"
#include "data/synth/synth.h"
#include "tests/folder.h"
#include "tests/rounds.h"

#define SCALE 0.002
#define CLOCK "2023-06-26T24:00:00+08:00"
#define PATH_BYTES 1024

static char folder[PATH_BYTES];  // of all tests
static char city[PATH_BYTES];    // the one most tests look at

static void path_in(char *out, const char *base, const char *name)
{
    assert_int_equal(om_path_join(out, PATH_BYTES, base, name), OM_OK);
}

static om_status synth(const char *out, double scale, const char *only,
                       const char *towns)
{
    struct om_err err = {0};
    const om_status st =
        om_synth_write(&(struct om_synth_options){.out = out,
                                                  .scale = scale,
                                                  .seed = 7,
                                                  .only = only,
                                                  .towns = towns},
                       &err);
    if (st) print_message("synth: %s\n", err.text);
    return st;
}

static int remove_tree(const char *path)
{
    char inside[PATH_BYTES];
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        path_in(inside, path, e->d_name);
        if (unlink(inside)) remove_tree(inside);
    }
    if (dir) closedir(dir);
    return rmdir(path);
}

static int make_city(void **state)
{
    (void)state;
    if (!test_folder("synth", folder, sizeof folder)) return -1;
    GDALAllRegister();
    om_progress_quiet(true);
    path_in(city, folder, "city");
    return synth(city, SCALE, NULL, NULL) ? -1 : 0;
}

static int remove_city(void **state)
{
    (void)state;
    return remove_tree(folder);
}

/* Every file of one folder has the same bytes in the other. */
static unsigned compare_folders(const char *a, const char *b)
{
    unsigned files = 0;
    DIR *dir = opendir(a);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        char at[PATH_BYTES], other[PATH_BYTES];
        path_in(at, a, e->d_name);
        path_in(other, b, e->d_name);
        struct stat info;
        assert_int_equal(stat(at, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            files += compare_folders(at, other);
            continue;
        }
        struct om_buf x = {0}, y = {0};
        assert_int_equal(om_file_read(at, SIZE_MAX, &x, NULL), OM_OK);
        assert_int_equal(om_file_read(other, SIZE_MAX, &y, NULL), OM_OK);
        if (x.len != y.len || memcmp(x.bytes, y.bytes, x.len))
            fail_msg("%s differs from %s", at, other);
        om_buf_deinit(&x);
        om_buf_deinit(&y);
        files++;
    }
    closedir(dir);
    return files;
}

static void same_bytes_with_any_number_of_threads(void **state)
{
    (void)state;
    char again[PATH_BYTES];
    path_in(again, folder, "again");
    for (size_t threads = 1; threads <= 3; threads++) {
        om_threads_set(threads);
        assert_int_equal(synth(again, SCALE, NULL, NULL), OM_OK);
        assert_true(compare_folders(city, again) >= 30);
    }
    om_threads_set(0);
}

static void same_bytes_when_only_some_layers_are_written(void **state)
{
    (void)state;
    char only[PATH_BYTES], a[PATH_BYTES];
    path_in(only, folder, "only");
    assert_int_equal(synth(only, SCALE, "hazard,grid", NULL), OM_OK);
    path_in(a, only, "city.json");
    assert_int_equal(unlink(a), 0);  // names two layers, not twenty
    assert_int_equal(compare_folders(only, city), 2);
}

static OGRLayerH open_layer(const char *base, const char *file,
                            GDALDatasetH *data)
{
    char path[PATH_BYTES];
    path_in(path, base, file);
    const char *options[] = {"X_POSSIBLE_NAMES=lon", "Y_POSSIBLE_NAMES=lat",
                             NULL};
    const bool table = strstr(file, ".csv") != NULL;
    *data =
        GDALOpenEx(path, GDAL_OF_VECTOR, NULL, table ? options : NULL, NULL);
    assert_non_null(*data);
    return GDALDatasetGetLayer(*data, 0);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows of a layer; all ids are there and no two the same. */
static size_t count_rows(const char *file)
{
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, file, &data);
    size_t rows = 0, room = 1 << 20;
    char **id = malloc(room * sizeof *id);
    assert_non_null(id);
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        const int at = OGR_F_GetFieldIndex(f, "id");
        assert_true(at >= 0 && rows < room);
        id[rows++] = strdup(OGR_F_GetFieldAsString(f, at));
        assert_true(id[rows - 1][0] != '\0');
        OGRGeometryH g = OGR_F_GetGeometryRef(f);
        OGREnvelope box;
        assert_non_null(g);
        OGR_G_GetEnvelope(g, &box);
        assert_true(box.MinX > 113.3 && box.MaxX < 114.4 && box.MinY > 22.5 &&
                    box.MaxY < 23.3);
        OGR_F_Destroy(f);
    }
    qsort(id, rows, sizeof *id, by_text);
    for (size_t i = 1; i < rows; i++) assert_string_not_equal(id[i - 1], id[i]);
    for (size_t i = 0; i < rows; i++) free(id[i]);
    free(id);
    GDALClose(data);
    return rows;
}

static void count_rows_as_promised(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        double full;
    } LAYER[] = {{"building.fgb", 1700000},  {"address.csv", 12000000},
                 {"rental.csv", 384000},     {"premises.csv", 602000},
                 {"facility.csv", 1500000},  {"business.csv", 1200000},
                 {"organisation.csv", 3000}, {"activity.csv", 5000},
                 {"worker.csv", 10374},      {"hazard.csv", 1133600},
                 {"tip.csv", 139000}};
    for (size_t i = 0; i < sizeof LAYER / sizeof *LAYER; i++)
        assert_int_equal(count_rows(LAYER[i].file),
                         (size_t)(LAYER[i].full * SCALE + 0.5));
    assert_int_equal(count_rows("appeal.csv"), 5 + 80);
    assert_int_equal(count_rows("check.csv"), 21 * 6);
    assert_int_equal(count_rows("town.fgb"), 33);
    assert_int_equal(count_rows("village.fgb"), 65);
    assert_int_equal(count_rows("service_centre.csv"), 65);
    assert_int_equal(count_rows("grid.fgb"), 130);
    assert_true(count_rows("visit.csv") > 4000);
    assert_true(count_rows("road.fgb") > 1000);
    assert_true(count_rows("water.fgb") > 10);
}

/* An edge of an outline, with the unit on its left. Degrees are compared as
 * the doubles that the file holds: equal to the bit or not at all. */
struct edge {
    double ax, ay, bx, by;
    char unit[24];
};

struct edges {
    struct edge *edge;
    size_t count, room;
    double area;
    unsigned parts, holes;
};

static void add_ring(struct edges *e, OGRGeometryH ring, const char *unit)
{
    const int n = OGR_G_GetPointCount(ring);
    for (int i = 0; i + 1 < n; i++) {
        if (e->count == e->room) {
            e->room = e->room ? 2 * e->room : 4096;
            e->edge = realloc(e->edge, e->room * sizeof *e->edge);
            assert_non_null(e->edge);
        }
        struct edge *edge = &e->edge[e->count++];
        memset(edge, 0, sizeof *edge);
        edge->ax = OGR_G_GetX(ring, i);
        edge->ay = OGR_G_GetY(ring, i);
        edge->bx = OGR_G_GetX(ring, i + 1);
        edge->by = OGR_G_GetY(ring, i + 1);
        snprintf(edge->unit, sizeof edge->unit, "%s", unit);
    }
}

/* All edges of a level, named by the column `unit` of the row. */
static struct edges read_edges(const char *base, const char *file,
                               const char *unit)
{
    struct edges e = {0};
    GDALDatasetH data;
    OGRLayerH layer = open_layer(base, file, &data);
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        OGRGeometryH g = OGR_F_GetGeometryRef(f);
        const char *name =
            OGR_F_GetFieldAsString(f, OGR_F_GetFieldIndex(f, unit));
        assert_true(OGR_G_IsValid(g));
        e.area += OGR_G_Area(g);
        const int parts = OGR_G_GetGeometryCount(g);
        e.parts += (unsigned)(parts - 1);
        for (int p = 0; p < parts; p++) {
            OGRGeometryH part = OGR_G_GetGeometryRef(g, p);
            const int rings = OGR_G_GetGeometryCount(part);
            e.holes += (unsigned)(rings - 1);
            for (int r = 0; r < rings; r++)
                add_ring(&e, OGR_G_GetGeometryRef(part, r), name);
        }
        OGR_F_Destroy(f);
    }
    GDALClose(data);
    return e;
}

static int by_edge(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct edge));
}

static bool has_edge(const struct edges *e, struct edge edge)
{
    return bsearch(&edge, e->edge, e->count, sizeof edge, by_edge) != NULL;
}

static struct edge reversed(struct edge e)
{
    struct edge r = e;
    r.ax = e.bx;
    r.ay = e.by;
    r.bx = e.ax;
    r.by = e.ay;
    return r;
}

/* Edges between units of the same name go away; what is left, sorted. */
static void cancel(struct edges *e)
{
    qsort(e->edge, e->count, sizeof *e->edge, by_edge);
    struct edge *left = malloc((e->count + 1) * sizeof *left);
    assert_non_null(left);
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        if (!has_edge(e, reversed(e->edge[i]))) left[n++] = e->edge[i];
    free(e->edge);
    e->edge = left;
    e->count = n;
}

static void assert_same_edges(const struct edges *a, const struct edges *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->edge, b->edge, a->count * sizeof *a->edge);
}

static void check_partition(const char *base)
{
    static const char *const CHILD[] = {"grid.fgb", "grid.fgb", "village.fgb"};
    static const char *const COLUMN[] = {"village", "town", "town"};
    static const char *const PARENT[] = {"village.fgb", "town.fgb", "town.fgb"};
    for (int k = 0; k < 3; k++) {
        struct edges child = read_edges(base, CHILD[k], COLUMN[k]);
        struct edges parent = read_edges(base, PARENT[k], "id");
        cancel(&child);
        qsort(parent.edge, parent.count, sizeof *parent.edge, by_edge);
        assert_same_edges(&child, &parent);
        assert_true(fabs(child.area / parent.area - 1) < 1e-9);
        free(child.edge);
        free(parent.edge);
    }
}

static void partition_edges_cancel_to_the_bit(void **state)
{
    (void)state;
    check_partition(city);
}

static void partition_edges_are_shared_by_two_or_lie_at_the_rim(void **state)
{
    (void)state;
    struct edges e = read_edges(city, "grid.fgb", "id");
    // Without names: an edge appears once, its reverse once or never.
    for (size_t i = 0; i < e.count; i++)
        memset(e.edge[i].unit, 0, sizeof e.edge[i].unit);
    qsort(e.edge, e.count, sizeof *e.edge, by_edge);
    size_t rim = 0;
    for (size_t i = 0; i < e.count; i++) {
        if (i) assert_true(by_edge(&e.edge[i - 1], &e.edge[i]) != 0);
        rim += !has_edge(&e, reversed(e.edge[i]));
    }
    struct edges town = read_edges(city, "town.fgb", "id");
    for (size_t i = 0; i < town.count; i++)
        memset(town.edge[i].unit, 0, sizeof town.edge[i].unit);
    cancel(&town);
    assert_int_equal(rim, town.count);
    assert_true(town.parts > 0 && town.holes > 0);
    assert_true(e.parts > 0 && e.holes > 0);
    free(e.edge);
    free(town.edge);
}

static void partition_has_the_size_of_the_city(void **state)
{
    (void)state;
    struct edges town = read_edges(city, "town.fgb", "id");
    const double km2 = town.area * 110.75 * 102.6;
    assert_true(km2 > 2300 && km2 < 2600);
    free(town.edge);
}

static void buildings_are_valid_and_some_have_courts(void **state)
{
    (void)state;
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, "building.fgb", &data);
    unsigned courts = 0, ells = 0;
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        OGRGeometryH g = OGR_F_GetGeometryRef(f);
        assert_true(OGR_G_IsValid(g));
        courts += OGR_G_GetGeometryCount(g) == 2;
        ells += OGR_G_GetPointCount(OGR_G_GetGeometryRef(g, 0)) == 7;
        OGR_F_Destroy(f);
    }
    assert_true(courts > 10 && ells > 50);
    GDALClose(data);
}

static int64_t sum_of(const char *file, const char *column)
{
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, file, &data);
    int64_t sum = 0;
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        const int at = OGR_F_GetFieldIndex(f, column);
        assert_true(at >= 0);
        sum += strtoll(OGR_F_GetFieldAsString(f, at), NULL, 10);
        OGR_F_Destroy(f);
    }
    GDALClose(data);
    return sum;
}

/* As many matters as `items` says, none twice, each on the city's list; some
 * that every centre has and some that not every one has. */
static void matters_are_as_many_as_items(void **state)
{
    (void)state;
    struct om_json *document = NULL;
    struct om_buf text = {0};
    char path[PATH_BYTES];
    path_in(path, city, "city.json");
    assert_int_equal(om_file_read(path, 1 << 20, &text, NULL), OM_OK);
    assert_int_equal(
        om_json_parse((char *)text.bytes, text.len, &document, NULL), OM_OK);
    const struct om_json *list = om_json_get(
        om_json_get(om_json_get(document, "community"), "matters"), "list");
    const size_t matters = om_json_count(list);
    assert_true(matters > 100 && matters < 200);
    size_t centres = 0, total = 0, by[200] = {0};
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, "service_centre.csv", &data);
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer)); centres++) {
        const char *at =
            OGR_F_GetFieldAsString(f, OGR_F_GetFieldIndex(f, "matters"));
        size_t items = 0, from = 0;
        while (*at) {
            const size_t len = strcspn(at, ";");
            size_t k = from;  // they come in the list's order
            while (k < matters) {
                const char *name =
                    om_json_text(om_json_get(om_json_at(list, k), "name"), "");
                if (strlen(name) == len && !memcmp(name, at, len)) break;
                k++;
            }
            assert_true(k < matters);
            by[k]++;
            from = k + 1;
            items++;
            at += len + (at[len] == ';');
        }
        assert_int_equal(
            items, OGR_F_GetFieldAsInteger(f, OGR_F_GetFieldIndex(f, "items")));
        total += items;
        OGR_F_Destroy(f);
    }
    GDALClose(data);
    assert_true(total > 90 * centres && total < 98 * centres);
    size_t everywhere = 0;
    for (size_t k = 0; k < matters; k++) everywhere += by[k] == centres;
    assert_true(everywhere > 20 && everywhere < matters - 40);
    om_json_free(document);
    om_buf_deinit(&text);
}

static void sum_of_residents_is_that_of_the_record(void **state)
{
    (void)state;
    assert_int_equal(sum_of("address.csv", "residents"), 26000);
    assert_int_equal(sum_of("building.fgb", "residents"), 26000);
    assert_int_equal(
        sum_of("rental.csv", "residents") + sum_of("premises.csv", "residents"),
        14000);
    assert_int_equal(sum_of("check.csv", "count"), 7672);
    assert_int_equal(sum_of("service_centre.csv", "windows"), 303);
    assert_int_equal(sum_of("service_centre.csv", "terminals"), 66);
    assert_int_equal(sum_of("service_centre.csv", "staff"), 386);
}

static const char *text_of(OGRFeatureH f, const char *column)
{
    return OGR_F_GetFieldAsString(f, OGR_F_GetFieldIndex(f, column));
}

/* The town that an address names: 东莞市, then the name of the town. */
static size_t town_of_text(const char *text)
{
    static const char CITY[] = "东莞市";
    assert_memory_equal(text, CITY, sizeof CITY - 1);
    text += sizeof CITY - 1;
    size_t t = 0;
    while (t < OM__TOWNS && strncmp(text, OM__TOWN_FACT[t].name,
                                    strlen(OM__TOWN_FACT[t].name)) != 0)
        t++;
    assert_true(t < OM__TOWNS);
    return t;
}

static void sum_of_residents_by_town_follows_the_census(void **state)
{
    (void)state;
    double people[OM__TOWNS] = {0}, addresses[OM__TOWNS] = {0}, census = 0;
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, "address.csv", &data);
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        const size_t t = town_of_text(text_of(f, "text"));
        people[t] += strtod(text_of(f, "residents"), NULL);
        addresses[t]++;
        OGR_F_Destroy(f);
    }
    GDALClose(data);
    for (size_t t = 0; t < OM__TOWNS; t++)
        census += OM__TOWN_FACT[t].population;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const double due = 26000.0 * OM__TOWN_FACT[t].population / census;
        if (fabs(people[t] - due) > 1)
            fail_msg("%s: %.0f residents, %.1f by the census",
                     OM__TOWN_FACT[t].name, people[t], due);
        assert_true(people[t] > 0.9 * addresses[t]);
        assert_true(people[t] < 1.3 * addresses[t]);
    }
}

static void count_of_departments_is_nineteen(void **state)
{
    (void)state;
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, "hazard.csv", &data);
    char seen[64][64];
    size_t departments = 0;
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        const char *name = text_of(f, "department");
        size_t k = 0;
        while (k < departments && strcmp(seen[k], name)) k++;
        if (k == departments)
            snprintf(seen[departments++], sizeof seen[0], "%s", name);
        // The handler is that department of a town.
        const char *handler = text_of(f, "handler");
        assert_true(strlen(handler) > strlen(name));
        assert_string_equal(handler + strlen(handler) - strlen(name), name);
        assert_true(departments < 64);
        OGR_F_Destroy(f);
    }
    assert_int_equal(departments, 19);
    GDALClose(data);
}

static void time_steps_follow_each_other_before_the_clock(void **state)
{
    (void)state;
    static const char *const STEP[] = {"reported", "accepted", "dispatched",
                                       "resolved", "verified"};
    GDALDatasetH data;
    OGRLayerH layer = open_layer(city, "hazard.csv", &data);
    size_t done = 0;
    for (OGRFeatureH f; (f = OGR_L_GetNextFeature(layer));) {
        const char *status = text_of(f, "status");
        int reached = 0;
        while (strcmp(STEP[reached], status)) reached++;
        done += reached >= 3;
        // All in one zone and form, so they compare as texts.
        char before[32] = "2023-01-01T00:00:00+08:00";
        for (int k = 0; k < 5; k++) {
            const char *at = text_of(f, STEP[k]);
            assert_int_equal(at[0] != '\0', k <= reached);
            if (k > reached) continue;
            assert_int_equal(strlen(at), strlen(before));
            assert_true(strcmp(at, before) >= 0 && strcmp(at, CLOCK) < 0);
            snprintf(before, sizeof before, "%s", at);
        }
        const char severity = text_of(f, "severity")[0];
        assert_true(severity >= '1' && severity <= '4');
        OGR_F_Destroy(f);
    }
    // 1,091,400 of 1,133,600.
    assert_int_equal(done, 2183);
    GDALClose(data);
}

static struct om_json *read_json(const char *name)
{
    char path[PATH_BYTES];
    struct om_buf text = {0};
    struct om_json *json = NULL;
    path_in(path, city, name);
    assert_int_equal(om_file_read(path, SIZE_MAX, &text, NULL), OM_OK);
    assert_int_equal(
        om_json_parse((const char *)text.bytes, text.len, &json, NULL), OM_OK);
    om_buf_deinit(&text);
    return json;
}

static void beside_the_layers_lie_manifest_truth_and_dirt(void **state)
{
    (void)state;
    struct om_json *manifest = read_json("city.json");
    struct om_json *layers = om_json_get(manifest, "layers");
    assert_int_equal(om_json_count(layers), 20);
    for (size_t i = 0; i < 20; i++) {
        char path[PATH_BYTES];
        struct om_json *layer = om_json_at(layers, i);
        path_in(path, city, om_json_text(om_json_get(layer, "source"), ""));
        assert_true(om_file_exists(path));
        // What a background map is drawn from names its part of it.
        const char *name = om_json_text(om_json_get(layer, "name"), "");
        const bool base = !strcmp(name, "water") || !strcmp(name, "road") ||
                          !strcmp(name, "building");
        assert_string_equal(om_json_text(om_json_get(layer, "base"), ""),
                            base ? name : "");
    }
    om_json_free(manifest);
    struct om_json *truth = read_json("truth.json");
    struct om_json *spots = om_json_get(truth, "hotspots");
    assert_int_equal(om_json_count(spots), 14);
    unsigned emerging = 0;
    for (size_t i = 0; i < 14; i++)
        emerging +=
            om_json_true(om_json_get(om_json_at(spots, i), "emerging"), false);
    assert_int_equal(emerging, 2);
    om_json_free(truth);
    char dirt[PATH_BYTES];
    path_in(dirt, city, "dirt/README.txt");
    assert_true(om_file_exists(dirt));
}

static void towns_from_a_file_keep_the_units_exact(void **state)
{
    (void)state;
    char out[PATH_BYTES], towns[PATH_BYTES];
    path_in(out, folder, "towns");
    path_in(towns, city, "town.fgb");
    assert_int_equal(synth(out, SCALE, "town,village,grid", towns), OM_OK);
    check_partition(out);
    struct edges own = read_edges(city, "town.fgb", "id");
    struct edges read = read_edges(out, "town.fgb", "id");
    assert_true(fabs(own.area / read.area - 1) < 0.01);
    free(own.edge);
    free(read.edge);
}

static void error_on_bad_scale_layer_and_towns(void **state)
{
    (void)state;
    char out[PATH_BYTES], towns[PATH_BYTES];
    path_in(out, folder, "bad");
    path_in(towns, city, "address.csv");
    assert_int_equal(synth(out, 0, NULL, NULL), OM_E_RANGE);
    assert_int_equal(synth(out, 11, NULL, NULL), OM_E_RANGE);
    assert_int_equal(synth(out, (double)NAN, NULL, NULL), OM_E_RANGE);
    assert_int_equal(synth(out, SCALE, "hazard,person", NULL), OM_E_RANGE);
    assert_int_equal(synth(out, SCALE, "town", towns), OM_E_FORMAT);
    assert_int_equal(synth(out, SCALE, "town", "/nowhere"), OM_E_FORMAT);
}

static void fault_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    if (test_for_races()) skip();
    char out[PATH_BYTES];
    path_in(out, folder, "fault");
    om_threads_set(1);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    // Every allocation would be minutes; ever wider steps reach all stages.
    for (size_t n = 1; st; n += 1 + n / 6) {
        struct om_err err = {0};
        om_alloc_fail_after(n, false);
        st = om_synth_write(
            &(struct om_synth_options){
                .out = out, .scale = 0.001, .seed = 7, .only = "grid,check"},
            &err);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
    }
    om_threads_set(0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_with_any_number_of_threads),
        cmocka_unit_test(same_bytes_when_only_some_layers_are_written),
        cmocka_unit_test(count_rows_as_promised),
        cmocka_unit_test(count_of_departments_is_nineteen),
        cmocka_unit_test(partition_edges_cancel_to_the_bit),
        cmocka_unit_test(partition_edges_are_shared_by_two_or_lie_at_the_rim),
        cmocka_unit_test(partition_has_the_size_of_the_city),
        cmocka_unit_test(buildings_are_valid_and_some_have_courts),
        cmocka_unit_test(sum_of_residents_is_that_of_the_record),
        cmocka_unit_test(matters_are_as_many_as_items),
        cmocka_unit_test(sum_of_residents_by_town_follows_the_census),
        cmocka_unit_test(time_steps_follow_each_other_before_the_clock),
        cmocka_unit_test(beside_the_layers_lie_manifest_truth_and_dirt),
        cmocka_unit_test(towns_from_a_file_keep_the_units_exact),
        cmocka_unit_test(error_on_bad_scale_layer_and_towns),
        cmocka_unit_test(fault_no_memory_leaves_nothing_behind),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, make_city, remove_city);
}
