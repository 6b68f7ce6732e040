// verb_tile.c - onemap tile: one tile to a file; which kind, and where.
#include <string.h>

#include "web/cli/tile.h"
#include "web/cli/verb.h"

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

static int read_place(struct om__tile_words *w)
{
    const char *at = w->tile;
    uint32_t z;
    const bool good = read_digits(&at, '/', 22, &z) &&
                      read_digits(&at, '/', (UINT32_C(1) << z) - 1, &w->x) &&
                      read_digits(&at, '\0', (UINT32_C(1) << z) - 1, &w->y);
    if (!good)
        return om__verb_usage(
            "tile", "'%s' is not Z/X/Y of a tile, zoom 0 to 22", w->tile);
    w->z = z;
    return OM_EXIT_DONE;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t len = strlen(text), tail = strlen(end);
    return len > tail && !strcmp(text + len - tail, end);
}

/* --format, or what the file is called; a picture where neither says. */
static const char *format_of(const struct om__tile_words *w)
{
    if (w->format) return w->format;
    return ends_in(w->out, ".mvt") || ends_in(w->out, ".pbf") ? "mvt" : "png";
}

static int run(const struct om__tile_words *w)
{
    const bool heat = !strncmp(w->name, OM__TILE_HEAT, strlen(OM__TILE_HEAT));
    const bool vector = !strcmp(format_of(w), "mvt");
    if (!vector && strcmp(format_of(w), "png") != 0)
        return om__verb_usage("tile", "--format: '%s' is not png or mvt",
                              w->format);
    if (heat && vector)
        return om__verb_usage("tile", "a heat map is a picture: --format png");
    if (heat) return om__tile_heat(w);
    if (vector) return om__tile_vector(w);
    return om__verb_usage(
        "tile", "NAME: '%s' is not heat:MODEL or heat:LAYER (or --format mvt)",
        w->name);
}

int om__verb_tile(int argc, char **argv)
{
    struct om__tile_words w = {0};
    const struct om_option option[] = {
        OM__HEAT_OPTIONS(w.ask),
        {"--format", &w.format, NULL},
        {"--scale", &w.scale, NULL},
        {"--palette", &w.palette, NULL},
        {"--properties", &w.properties, NULL},
        {"--by", &w.by, NULL},
        {"--out", &w.out, NULL},
    };
    const char *operand[3];
    size_t operands;
    bool help;
    const int bad = om__options_read("tile", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 3,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 3 || !w.out)
        return om__verb_usage("tile", "needs CITY, NAME, Z/X/Y and --out FILE");
    w.city = operand[0];
    w.name = operand[1];
    w.tile = operand[2];
    const int status = read_place(&w);
    return status ? status : run(&w);
}
