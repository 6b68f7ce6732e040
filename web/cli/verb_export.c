/* verb_export.c - onemap export: all tiles of a map to one file.
 *
 * DESIGN
 * Zooms are gone through one after the other. The tiles of a zoom that may
 * hold anything are those below such tiles of the zoom before, so that a stray
 * row on the other side of the world costs a few tiles a zoom and not all
 * between; they come in the order of the Hilbert curve by themselves. Some at
 * a time are drawn by all threads and then added in order: the file does not
 * depend on how many threads there were, nor on whether a run broke off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "tiles/archive/archive.h"
#include "tiles/archive/gzip.h"
#include "tiles/archive/tile_id.h"
#include "web/cli/tile.h"

#define NAMES_MOST 32
/* Tiles drawn between two looks at the clock, and by one thread in one go. */
#define CHUNK 256
#define GRAIN 4
/* Seconds after which what was drawn is safe. */
#define KEEP_S 2.0
/* More tiles of one zoom than this are refused: months of work. */
#define TILES_MOST 100000000

struct words {
    struct om__tile_words tile;
    const char *zoom, *format, *out;
};

/* One of the maps whose layers make the tiles. */
struct map {
    const struct om__tile_kind *kind;
    struct om__tile_words words;
    void *self;
};

struct export
{
    const struct words *words;
    const char *city;
    size_t maps;
    struct map map[NAMES_MOST];
    unsigned zoom_min, zoom_max;
    struct om_archive_about about;
    enum om_archive_format format;
    struct om_archive *archive;
    struct om_buf metadata, identity, title;
    uint64_t *tile;  // ids of the zoom at hand that may hold anything
    size_t tiles, room;
    // The chunk at hand.
    const uint64_t *drawing;
    struct om_buf drawn[CHUNK];
    struct om_arena arena[OM_LIMIT_THREADS];
    char zoom[16];  // the zoom at hand, for the progress
    double kept_s;
    struct om_err err;
};

/* ---- the command line --------------------------------------------------- */

static int read_zooms(struct export *e)
{
    const char *text = e->words->zoom;
    char *end;
    if (!text) return om__verb_usage("export", "needs --zoom A-B");
    const unsigned long a = strtoul(text, &end, 10);
    unsigned long b = a;
    bool good = end > text && *text >= '0' && *text <= '9';
    if (good && *end == '-') {
        const char *second = end + 1;
        b = strtoul(second, &end, 10);
        good = end > second && *second >= '0' && *second <= '9';
    }
    if (!good || *end || a > b || b > 22)
        return om__verb_usage(
            "export", "--zoom: '%s' is not A-B, 0 to 22, A first", text);
    e->zoom_min = (unsigned)a;
    e->zoom_max = (unsigned)b;
    return OM_EXIT_DONE;
}

/* A layer's rows are most useful as such; other names are of pictures. */
static const char *usual(const char *name)
{
    static const char *const PICTURE[] = {OM__TILE_HEAT,
                                          "choropleth:", "base:", "labels:"};
    for (size_t i = 0; i < sizeof PICTURE / sizeof *PICTURE; i++)
        if (!strncmp(name, PICTURE[i], strlen(PICTURE[i]))) return "png";
    return strcmp(name, "base") && strcmp(name, "labels") ? "mvt" : "png";
}

static int open_maps(struct export *e, const char *const *name)
{
    const char *format = e->words->format;
    for (size_t i = 0; i < e->maps; i++) {
        struct map *m = &e->map[i];
        for (size_t k = 0; k < i; k++)
            if (!strcmp(name[k], name[i]))
                return om__verb_usage("export", "%s is named twice", name[i]);
        m->kind = om__tile_kind_of("export", name[i],
                                   format ? format : usual(name[i]));
        if (!m->kind) return OM_EXIT_USAGE;
        if (e->maps > 1 && strcmp(m->kind->format, "mvt") != 0)
            return om__verb_usage("export",
                                  "several names are layers of vector tiles; a "
                                  "picture is exported by itself");
        m->words = e->words->tile;
        m->words.city = e->city;
        m->words.name = name[i];
        m->words.apart = e->maps > 1;
        const int status = m->kind->open(&m->words, &m->self);
        if (status) return status;
    }
    return OM_EXIT_DONE;
}

/* ---- what the archive says of itself ------------------------------------ */

static void add_word(struct om_buf *out, const char *word)
{
    om_buf_add_text(out, word ? word : "");
    om_buf_add_byte(out, '\n');
}

/* All that the tiles depend on: other data is another export. */
static void add_identity(struct export *e)
{
    const struct om__tile_words *w = &e->words->tile;
    const char *const word[] = {
        w->ask.filter,    w->ask.datetime, w->ask.at,     w->ask.kernel,
        w->ask.bandwidth, w->ask.halflife, w->ask.weight, w->ask.per,
        w->scale,         w->palette,      w->properties, w->by,
        w->labels,        w->lang,         w->stat,       w->layer,
        w->column};
    struct om_city *city = NULL;
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        add_word(&e->identity, word[i]);
    for (size_t i = 0; i < e->maps; i++)
        add_word(&e->identity, e->map[i].words.name);
    if (!om_city_open(e->city, &city, &e->err)) {
        struct om_snapshot *snapshot = om_city_snapshot(city);
        om_buf_addf(&e->identity, "%u-%u %llu", e->zoom_min, e->zoom_max,
                    (unsigned long long)snapshot->sequence);
        om_buf_addf(&e->metadata, "\"sequence\":\"%llu\",\"synthetic\":\"%s\"",
                    (unsigned long long)snapshot->sequence,
                    snapshot->manifest->synthetic ? "true" : "false");
        if (snapshot->manifest->synthetic)
            e->about.attribution = "合成数据 synthetic data";
        om_snapshot_unref(snapshot);
    }
    om_city_close(city);
    om_buf_add_byte(&e->identity, 0);
}

static om_status describe(struct export *e)
{
    const bool vector = !strcmp(e->map[0].kind->format, "mvt");
    add_identity(e);
    e->about.kind = vector ? OM_ARCHIVE_MVT : OM_ARCHIVE_PNG;
    e->about.zoom_min = e->zoom_min;
    e->about.zoom_max = e->zoom_max;
    if (vector) om_buf_add_text(&e->metadata, ",\"vector_layers\":[");
    for (size_t i = 0; i < e->maps; i++) {
        struct om__tile_about about = {.zoom_max = e->zoom_max};
        double *b = e->about.bounds;
        e->map[i].kind->about(e->map[i].self, &about);
        for (int k = 0; k < 4; k++)
            if (!i || (k < 2 ? about.bounds[k] < b[k] : about.bounds[k] > b[k]))
                b[k] = about.bounds[k];
        if (vector) om_buf_addf(&e->metadata, i ? ",%s" : "%s", about.layers);
        om_buf_addf(&e->title, "%s%s", i ? ", " : "", about.title);
    }
    if (vector) om_buf_add_text(&e->metadata, "]");
    om_buf_add_byte(&e->metadata, 0);
    om_buf_add_byte(&e->title, 0);
    if (e->err.code) return e->err.code;
    if (e->metadata.status) return e->metadata.status;
    if (e->title.status) return e->title.status;
    e->about.name = e->about.description = (const char *)e->title.bytes;
    e->about.metadata = (const char *)e->metadata.bytes;
    e->about.identity = (const char *)e->identity.bytes;
    return e->identity.status;
}

/* ---- which tiles --------------------------------------------------------- */

static bool may_hold(struct export *e, uint64_t id)
{
    unsigned z;
    uint32_t x, y;
    om_tile_of_id(id, &z, &x, &y);
    for (size_t i = 0; i < e->maps; i++)
        if (e->map[i].kind->may_hold(e->map[i].self, z, x, y)) return true;
    return false;
}

/* From the tiles of one zoom to those of the next. */
static om_status descend(struct export *e, unsigned z)
{
    uint64_t *below = NULL;
    size_t n = 0, room = 0;
    for (size_t i = 0; i < e->tiles; i++) {
        if (n + 4 > room) {
            room = room ? 2 * room : 4096;
            uint64_t *more = om_realloc(below, room * sizeof *below);
            if (!more) {
                om_free(below);
                return OM_E_MEMORY;
            }
            below = more;
        }
        const uint64_t first =
            om_tile_id_first(z + 1) + 4 * (e->tile[i] - om_tile_id_first(z));
        for (uint64_t k = 0; k < 4; k++)
            if (may_hold(e, first + k)) below[n++] = first + k;
        if (n > TILES_MOST) {
            om_free(below);
            return om_fail(&e->err, OM_E_COST, 0,
                           "zoom %u has more than %d tiles (--zoom to fewer)",
                           z + 1, TILES_MOST);
        }
    }
    om_free(e->tile);
    e->tile = below;
    e->tiles = n;
    return OM_OK;
}

/* ---- drawing --------------------------------------------------------------
 */

static om_status draw_one(struct export *e, uint64_t id, struct om_arena *arena,
                          struct om_buf *out)
{
    unsigned z;
    uint32_t x, y;
    om_tile_of_id(id, &z, &x, &y);
    om_buf_clear(out);
    for (size_t i = 0; i < e->maps; i++) {
        const om_status st =
            e->map[i].kind->draw(e->map[i].self, z, x, y, arena, out);
        om_arena_reset(arena);
        if (st) return st;
    }
    if (!out->len || e->about.kind != OM_ARCHIVE_MVT) return OM_OK;
    struct om_buf packed = {0};
    const om_status st = om_archive_gzip(out->bytes, out->len, &packed);
    om_buf_deinit(out);
    *out = packed;
    return st;
}

static om_status draw_some(void *ctx, size_t first, size_t end, size_t lane)
{
    struct export *e = ctx;
    for (size_t i = first; i < end; i++)
        OM_TRY(draw_one(e, e->drawing[i], &e->arena[lane], &e->drawn[i]));
    return OM_OK;
}

/* The tiles of a zoom from `resume` on. `done` counts over all zooms. */
static om_status draw_zoom(struct export *e, uint64_t resume, uint64_t *done)
{
    size_t at = 0;
    while (at < e->tiles && e->tile[at] < resume) at++;
    *done += at;
    while (at < e->tiles) {
        const size_t n = e->tiles - at < CHUNK ? e->tiles - at : CHUNK;
        e->drawing = e->tile + at;
        OM_TRY(om_parallel(n, GRAIN, draw_some, e));
        for (size_t i = 0; i < n; i++)
            OM_TRY(om_archive_add(e->archive, e->drawing[i], e->drawn[i].bytes,
                                  e->drawn[i].len, &e->err));
        at += n;
        *done += n;
        om_progress(e->zoom, at, e->tiles);
        if (om_seconds() - e->kept_s < KEEP_S) continue;
        OM_TRY(om_archive_keep(e->archive, e->tile[at - 1], &e->err));
        e->kept_s = om_seconds();
    }
    return OM_OK;
}

static om_status draw_all(struct export *e, uint64_t resume, uint64_t *done)
{
    e->tile = om_alloc_array(1, sizeof *e->tile);
    if (!e->tile) return OM_E_MEMORY;
    e->tile[0] = 0;
    e->tiles = 1;
    for (unsigned z = 0;; z++) {
        snprintf(e->zoom, sizeof e->zoom, "zoom %u", z);
        if (z >= e->zoom_min) OM_TRY(draw_zoom(e, resume, done));
        if (z == e->zoom_max) return OM_OK;
        OM_TRY(descend(e, z));
    }
}

static int run(struct export *e, const char *const *name)
{
    const double begun_s = om_seconds();
    uint64_t resume, done = 0;
    int status = read_zooms(e);
    if (!status) status = open_maps(e, name);
    if (status) return status;
    om_status st = describe(e);
    if (!st)
        st = om_archive_open(e->words->out, e->format, &e->about, &e->archive,
                             &resume, &e->err);
    if (!st && resume)
        fprintf(stderr, "export: going on where an earlier run broke off\n");
    e->kept_s = begun_s;
    if (!st) st = draw_all(e, resume, &done);
    struct om_archive_stats stats = {0};
    if (e->archive) stats = om_archive_stats(e->archive);
    if (!st) st = om_archive_finish(e->archive, &e->err);
    if (st)
        return e->err.text[0] ? om__verb_fail("export", &e->err)
                              : e->map[0].kind->fail(e->map[0].self, st);
    om_progress_done("export", done, om_seconds() - begun_s);
    printf("%llu tiles, %llu of them different, %.1f MB: %s\n",
           (unsigned long long)stats.tiles, (unsigned long long)stats.contents,
           (double)stats.bytes / 1e6, e->words->out);
    return OM_EXIT_DONE;
}

static void clear(struct export *e)
{
    om_archive_free(e->archive);
    for (size_t i = 0; i < e->maps; i++)
        if (e->map[i].kind && e->map[i].self)
            e->map[i].kind->close(e->map[i].self);
    for (size_t i = 0; i < CHUNK; i++) om_buf_deinit(&e->drawn[i]);
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) om_arena_deinit(&e->arena[i]);
    om_buf_deinit(&e->metadata);
    om_buf_deinit(&e->identity);
    om_buf_deinit(&e->title);
    om_free(e->tile);
}

int om__verb_export(int argc, char **argv)
{
    struct words w = {.tile = {.verb = "export"}};
    const struct om_option option[] = {
        OM__TILE_OPTIONS(w.tile),
        {"--zoom", &w.zoom, NULL},
        {"--format", &w.format, NULL},
        {"--out", &w.out, NULL},
    };
    const char *operand[NAMES_MOST + 1];
    size_t operands;
    bool help;
    const int bad = om__options_read("export", argc, argv, option,
                                     sizeof option / sizeof *option, operand,
                                     NAMES_MOST + 1, &operands, &help);
    if (bad || help) return bad;
    if (operands < 2 || !w.out)
        return om__verb_usage("export", "needs CITY, a NAME and --out FILE");
    struct export e = {.words = &w, .city = operand[0], .maps = operands - 1};
    if (!om_archive_format_of(w.out, &e.format))
        return om__verb_usage("export",
                              "--out: '%s' ends in neither .pmtiles nor "
                              ".mbtiles",
                              w.out);
    const int status = run(&e, operand + 1);
    clear(&e);
    return status;
}
