// base_style.c - how the base map looks: colours, widths, sizes of letters.
#include <math.h>

#include "tiles/picture/base_internal.h"

/* Quiet on purpose: the map under an answer. Three greys of one family for
 * land, water and roads; buildings a shade off the land. */
const struct om__base_style
    om__base_styles[2] =
        {
            [OM_PALETTE_DARK] =
                {
                    .ground = OM_COLOUR(0x0B111B),
                    .land = OM_COLOUR(0x141E2C),
                    .water = OM_COLOUR(0x0C1826),
                    .shore = OM_COLOUR(0x1B2B3F),
                    .building = OM_COLOUR(0x1A2636),
                    .building_edge = OM_COLOUR(0x243349),
                    .road = {OM_COLOUR(0x3A4C68), OM_COLOUR(0x33445D),
                             OM_COLOUR(0x2B3A52), OM_COLOUR(0x25334A),
                             OM_COLOUR(0x212E42)},
                    .casing = {OM_COLOUR(0x0E1622), OM_COLOUR(0x0E1622),
                               OM_COLOUR(0x101926), OM_COLOUR(0x101926),
                               OM_COLOUR(0x101926)},
                    .border = {OM_COLOUR(0x4C5F7A), OM_COLOUR(0x2B3A50)},
                    .ink =
                        {
                            [OM__INK_TOWN] = {OM_COLOUR(0xC9D4E2),
                                              OM_COLOUR(0x141E2C), 24},
                            [OM__INK_PLACE] = {OM_COLOUR(0x93A4BA),
                                               OM_COLOUR(0x141E2C), 22},
                            [OM__INK_WATER] = {OM_COLOUR(0x5A82A6),
                                               OM_COLOUR(0x0C1826), 18},
                            [OM__INK_ROAD] = {OM_COLOUR(0x8496AE),
                                              OM_COLOUR(0x141E2C), 22},
                            [OM__INK_LANE] = {OM_COLOUR(0x8496AE),
                                              OM_COLOUR(0x141E2C), 22},
                        },
                },
            [OM_PALETTE_LIGHT] =
                {
                    .ground = OM_COLOUR(0xF6F7F9),
                    .land = OM_COLOUR(0xEFEDE7),
                    .water = OM_COLOUR(0xCFE0EA),
                    .shore = OM_COLOUR(0xB9CFDC),
                    .building = OM_COLOUR(0xE3E0D7),
                    .building_edge = OM_COLOUR(0xD3CFC3),
                    .road = {OM_COLOUR(0xFFFFFF), OM_COLOUR(0xFFFFFF),
                             OM_COLOUR(0xFFFFFF), OM_COLOUR(0xFFFFFF),
                             OM_COLOUR(0xFBFAF7)},
                    .casing = {OM_COLOUR(0xBFB9AC), OM_COLOUR(0xC7C1B4),
                               OM_COLOUR(0xCFCABE), OM_COLOUR(0xD6D1C6),
                               OM_COLOUR(0xDDD9CF)},
                    .border = {OM_COLOUR(0x9A958B), OM_COLOUR(0xC2BDB1)},
                    .ink =
                        {
                            [OM__INK_TOWN] = {OM_COLOUR(0x27323F),
                                              OM_COLOUR(0xF6F5F1), 26},
                            [OM__INK_PLACE] = {OM_COLOUR(0x5A6878),
                                               OM_COLOUR(0xF6F5F1), 24},
                            [OM__INK_WATER] = {OM_COLOUR(0x5E89A6),
                                               OM_COLOUR(0xD8E6EE), 18},
                            [OM__INK_ROAD] = {OM_COLOUR(0x6C6F75),
                                              OM_COLOUR(0xFFFFFF), 24},
                            [OM__INK_LANE] = {OM_COLOUR(0x6C6F75),
                                              OM_COLOUR(0xFFFFFF), 24},
                        },
                },
};

double om__stops_at(const struct om__stop *stop, size_t n, double zoom)
{
    if (zoom < stop[0].zoom) return 0.0;
    for (size_t i = 1; i < n; i++)
        if (zoom < stop[i].zoom)
            return stop[i - 1].value + (stop[i].value - stop[i - 1].value) *
                                           (zoom - stop[i - 1].zoom) /
                                           (stop[i].zoom - stop[i - 1].zoom);
    return stop[n - 1].value;
}

#define STOPS 6

/* Pixels of design by zoom; the first stop is where a class begins to show. */
static const struct om__stop ROAD[OM_BASE_CLASSES][STOPS] = {
    {{7, 0.9}, {10, 1.5}, {12, 2.6}, {14, 5}, {16, 11}, {19, 30}},
    {{8.5, 0.7}, {10, 1.1}, {12, 2.0}, {14, 4}, {16, 9}, {19, 26}},
    {{10, 0.5}, {11, 0.8}, {12, 1.3}, {14, 3.2}, {16, 7.5}, {19, 22}},
    {{11.5, 0.4}, {12, 0.6}, {13, 1.1}, {14, 2}, {16, 6}, {19, 19}},
    {{13.3, 0.4}, {14, 0.7}, {15, 1.4}, {16, 3.2}, {17, 6}, {19, 15}},
};

int om__base_road_width(size_t rank, double zoom)
{
    if (rank >= OM_BASE_CLASSES) rank = OM_BASE_CLASSES - 1;
    return (int)lround(om__stops_at(ROAD[rank], STOPS, zoom) * 256.0);
}

/* Where letters of a kind begin and end to show, and their size between. */
struct range {
    double from, upto;
    struct om__stop stop[3];
};
static const struct range TOWN = {8.5, 14.9, {{8, 12}, {11, 14}, {14, 19}}};
static const struct range PLACE = {12.5, 18.5, {{12, 11}, {14, 13}, {17, 16}}};
static const struct range WATER = {9.5, 23, {{9, 11}, {12, 12}, {16, 15}}};
static const struct range ROAD_NAME[OM_BASE_CLASSES] = {
    {11.5, 23, {{11, 11}, {14, 12}, {17, 14}}},
    {12.5, 23, {{12, 11}, {15, 12}, {17, 14}}},
    {13.5, 23, {{13, 11}, {16, 12}, {18, 14}}},
    {14.5, 23, {{14, 11}, {16, 12}, {18, 13}}},
    {15.5, 23, {{15, 11}, {17, 12}, {19, 13}}},
};

unsigned om__base_text_px(enum om__base_ink ink, size_t rank, double zoom)
{
    if (rank >= OM_BASE_CLASSES) rank = OM_BASE_CLASSES - 1;
    const struct range *r = ink == OM__INK_TOWN    ? &TOWN
                            : ink == OM__INK_PLACE ? &PLACE
                            : ink == OM__INK_WATER ? &WATER
                                                   : &ROAD_NAME[rank];
    if (zoom < r->from || zoom >= r->upto) return 0;
    return (unsigned)lround(om__stops_at(r->stop, 3, zoom));
}
