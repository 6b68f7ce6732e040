// verb_tile.c - onemap tile: one tile to a file; which kind, and where.
#include <string.h>

#include "data/base/file.h"
#include "web/cli/tile.h"

/* The command line as it was typed, and the place as it was read. */
struct task {
    struct om__tile_words words;
    const char *tile, *format, *out;
    unsigned z;
    uint32_t x, y;
};

/* Decimal digits and nothing else, up to `most`. */
static bool read_digits(const char **text, char end, uint32_t most,
                        uint32_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == *text || *at != end || value > most) return false;
    *text = end ? at + 1 : at;
    *out = (uint32_t)value;
    return true;
}

static int read_place(struct task *t)
{
    const char *at = t->tile;
    uint32_t z;
    const bool good = read_digits(&at, '/', 22, &z) &&
                      read_digits(&at, '/', (UINT32_C(1) << z) - 1, &t->x) &&
                      read_digits(&at, '\0', (UINT32_C(1) << z) - 1, &t->y);
    if (!good)
        return om__verb_usage(
            "tile", "'%s' is not Z/X/Y of a tile, zoom 0 to 22", t->tile);
    t->z = z;
    return OM_EXIT_DONE;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t len = strlen(text), tail = strlen(end);
    return len > tail && !strcmp(text + len - tail, end);
}

/* --format, or what the file is called; a picture where neither says. */
static const char *format_of(const struct task *t)
{
    if (t->format) return t->format;
    return ends_in(t->out, ".mvt") || ends_in(t->out, ".pbf") ? "mvt" : "png";
}

static om_status draw(const struct task *t, const struct om__tile_kind *kind,
                      void *map, struct om_err *err)
{
    struct om_arena arena = {0};
    struct om_buf tile = {0};
    om_status st = kind->draw(map, t->z, t->x, t->y, &arena, &tile);
    // An empty picture is a picture.
    if (!st && !tile.len && kind->nothing) st = kind->nothing(map, &tile);
    if (!st) st = om_file_write_whole(t->out, tile.bytes, tile.len, err);
    om_buf_deinit(&tile);
    om_arena_deinit(&arena);
    return st;
}

static int run(const struct task *t)
{
    struct om_err err = {0};
    void *map = NULL;
    const struct om__tile_kind *kind =
        om__tile_kind_of("tile", t->words.name, format_of(t));
    if (!kind) return OM_EXIT_USAGE;
    int status = kind->open(&t->words, &map);
    if (!status) {
        const om_status st = draw(t, kind, map, &err);
        if (st)
            status =
                err.code ? om__verb_fail("tile", &err) : kind->fail(map, st);
    }
    kind->close(map);
    return status;
}

int om__verb_tile(int argc, char **argv)
{
    struct task t = {.words = {.verb = "tile"}};
    const struct om_option option[] = {
        OM__TILE_OPTIONS(t.words),
        {"--format", &t.format, NULL},
        {"--out", &t.out, NULL},
    };
    const char *operand[3];
    size_t operands;
    bool help;
    const int bad = om__options_read("tile", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 3,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 3 || !t.out)
        return om__verb_usage("tile", "needs CITY, NAME, Z/X/Y and --out FILE");
    t.words.city = operand[0];
    t.words.name = operand[1];
    t.tile = operand[2];
    const int status = read_place(&t);
    return status ? status : run(&t);
}
