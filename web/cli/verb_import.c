// verb_import.c - onemap import: files into a city.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "web/cli/verb.h"
#include "web/import.h"

#define PATH_BYTES 4096
#define MAPS_MAX 256

static void print_reason(void *ctx, const char *reason, uint64_t count,
                         uint64_t first_row)
{
    (void)ctx;
    printf("  %llu rejected: %s (first: row %llu)\n", (unsigned long long)count,
           reason, (unsigned long long)first_row);
}

static void print_report(void *ctx, const struct om_import_report *r)
{
    (void)ctx;
    printf("%s: read %llu, taken %llu, rejected %llu", r->layer,
           (unsigned long long)r->read, (unsigned long long)r->taken,
           (unsigned long long)r->rejected);
    if (r->repaired)
        printf(", geometry repaired %llu", (unsigned long long)r->repaired);
    printf(" in %.1f s\n", r->seconds);
    om_rejects_each(r->rejects, print_reason, NULL);
    if (r->rejected) printf("  listed in %s\n", r->rejects_path);
    if (r->overrun)
        om_log(OM_LOG_WARN, "import",
               "%s: %llu writes that the city took while this ran are gone "
               "with the rows that it replaces: write them again",
               r->layer, (unsigned long long)r->overrun);
}

/* "COLUMN=FIELD" or "COLUMN=FIELD:TYPE", split in place. */
static bool split_map(char *text, struct om_source_map *out)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0') return false;
    *equals = '\0';
    *out =
        (struct om_source_map){.column = text, .field = equals + 1, .type = -1};
    char *colon = strrchr(equals + 1, ':');
    enum om_type type;
    if (colon && om_type_from_name(colon + 1, &type)) {
        *colon = '\0';
        out->type = (int)type;
    }
    return true;
}

/* Take every --map out of argv (it may be repeated); the rest moves up.
 * returns OM_EXIT_USAGE on one that is not COLUMN=FIELD. */
static int take_maps(int *argc, char **argv, struct om_source_map *map,
                     size_t *maps)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        char *text = NULL;
        if (!strncmp(argv[i], "--map=", 6))
            text = argv[i] + 6;
        else if (!strcmp(argv[i], "--map") && i + 1 < *argc)
            text = argv[++i];
        if (!text) {
            argv[kept++] = argv[i];
            continue;
        }
        if (*maps == MAPS_MAX || !split_map(text, &map[(*maps)++]))
            return om__verb_usage("import",
                                  "--map takes COLUMN=FIELD, not '%s'", text);
    }
    *argc = kept;
    return OM_EXIT_DONE;
}

/* A job for each layer that the folder's city.json names and has a file of. */
static om_status folder_jobs(const char *folder, const struct om_manifest *m,
                             enum om_import_mode mode,
                             struct om_import_job *job,
                             char (*path)[PATH_BYTES], size_t *jobs,
                             struct om_err *err)
{
    static const char *const ENDING[] = {"fgb", "csv", "gpkg", "geojson",
                                         "shp"};
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *layer = &m->layer[i];
        for (size_t e = 0; e < sizeof ENDING / sizeof *ENDING; e++) {
            const int n = snprintf(path[*jobs], PATH_BYTES, "%s/%s.%s", folder,
                                   layer->name, ENDING[e]);
            if (n < 0 || n >= PATH_BYTES)
                return om_fail(err, OM_E_LIMIT, 0, "path too long: %s", folder);
            if (!om_file_exists(path[*jobs])) continue;
            job[*jobs] = (struct om_import_job){
                .layer = layer->name,
                .source = {.path = path[*jobs],
                           .id = layer->id,
                           .time = layer->time[0] ? layer->time : NULL},
                .unit_level = layer->unit_level[0] ? layer->unit_level : NULL,
                .mode = mode};
            (*jobs)++;
            break;
        }
    }
    if (*jobs == 0)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "%s holds no layer that its city.json names", folder);
    return OM_OK;
}

static om_status import_folder(const char *city, const char *folder,
                               enum om_import_mode mode, struct om_err *err)
{
    struct om_manifest m = {0};
    OM_TRY(om_manifest_read(folder, &m, err));
    struct om_import_job *job = om_calloc(m.layers, sizeof *job);
    char(*path)[PATH_BYTES] = om_calloc(m.layers, sizeof *path);
    size_t jobs = 0;
    om_status st =
        job && path ? OM_OK : om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (!st) st = folder_jobs(folder, &m, mode, job, path, &jobs, err);
    if (!st)
        st = om_import_run(city, folder, job, jobs, print_report, NULL, err);
    om_free(job);
    om_free(path);
    om_manifest_deinit(&m);
    return st;
}

int om__verb_import(int argc, char **argv)
{
    static struct om_source_map map[MAPS_MAX];
    struct om_import_job job = {.source = {.map = map}};
    const char *operand[3], *all = NULL, *as = NULL;
    bool replace = false, append = false, help;
    size_t operands;
    int bad = take_maps(&argc, argv, map, &job.source.maps);
    if (bad) return bad;
    const struct om_option option[] = {
        {"--all", &all, NULL},
        {"--as", &as, NULL},
        {"--source-layer", &job.source.source_layer, NULL},
        {"--crs", &job.source.crs, NULL},
        {"--encoding", &job.source.encoding, NULL},
        {"--x", &job.source.x, NULL},
        {"--y", &job.source.y, NULL},
        {"--id", &job.source.id, NULL},
        {"--time", &job.source.time, NULL},
        {"--rejects", &job.rejects_path, NULL},
        {"--replace", NULL, &replace},
        {"--append", NULL, &append},
    };
    bad = om__options_read("import", argc, argv, option,
                           sizeof option / sizeof *option, operand, 3,
                           &operands, &help);
    if (bad || help) return bad;
    if (replace && append)
        return om__verb_usage("import", "--replace or --append, not both");
    if (operands != (all ? 1u : 3u))
        return om__verb_usage("import", all ? "--all takes CITY and a folder"
                                            : "needs CITY LAYER SOURCE");
    // What a folder's layers are like is said by its city.json.
    const struct om_source_options *source = &job.source;
    if (all && (as || source->maps || source->source_layer || source->crs ||
                source->encoding || source->x || source->y || source->id ||
                source->time || job.rejects_path))
        return om__verb_usage("import",
                              "--all takes only --replace or --append");
    job.mode = replace  ? OM_IMPORT_REPLACE
               : append ? OM_IMPORT_APPEND
                        : OM_IMPORT_NEW;
    struct om_err err = {0};
    om_status st;
    umask(077);  // what is in a city is for its owner only
    if (all) {
        st = import_folder(operand[0], all, job.mode, &err);
    } else {
        if (as && strncmp(as, "unit:", 5) != 0)
            return om__verb_usage("import", "--as takes unit:LEVEL, not '%s'",
                                  as);
        job.unit_level = as ? as + 5 : NULL;
        job.layer = operand[1];
        job.source.path = operand[2];
        st = om_import_run(operand[0], NULL, &job, 1, print_report, NULL, &err);
    }
    return st ? om__verb_fail("import", &err) : OM_EXIT_DONE;
}
