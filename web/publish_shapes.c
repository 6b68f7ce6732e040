// publish_shapes.c - the members of plans and manifests that go into a release.
#include "web/publish_said.h"

#define COLUMN_BYTES 63
#define TITLE_BYTES 120
#define FILTER_BYTES 400
#define ID_BYTES 40
#define LAYERS_MOST 64
#define DAYS_MOST 400
#define GROUPS_MOST 60
#define MATTERS_MOST 1000
#define ALIASES_MOST 24
#define CLASSES_MOST 64
#define MODES_MOST 8

#define SHAPE static const struct om__said_shape
#define MEMBERS static const struct om__said_member
#define LAST \
    {        \
        0    \
    }

#define TEXT_OF(said, bytes)                                    \
    {                                                           \
        .is = OM__SAID_IS_TEXT, .kind = (said), .most = (bytes) \
    }
#define LIST_OF(of, count)                                     \
    {                                                          \
        .is = OM__SAID_IS_LIST, .item = &(of), .most = (count) \
    }
#define MAP_OF(key, of, count)                                               \
    {                                                                        \
        .is = OM__SAID_IS_MAP, .kind = (key), .item = &(of), .most = (count) \
    }
#define OBJECT_OF(members)                            \
    {                                                 \
        .is = OM__SAID_IS_OBJECT, .member = (members) \
    }

SHAPE WORDS = TEXT_OF(OM__SAID_WORDS, TITLE_BYTES);
SHAPE ENGLISH = TEXT_OF(OM__SAID_WORDS, TITLE_BYTES);
SHAPE TITLE = TEXT_OF(OM__SAID_WORDS, TITLE_BYTES);
SHAPE COLUMN = TEXT_OF(OM__SAID_TEXT, COLUMN_BYTES);
SHAPE NAME = TEXT_OF(OM__SAID_NAME, COLUMN_BYTES);
SHAPE ID = TEXT_OF(OM__SAID_NAME, ID_BYTES);
SHAPE FILTER = TEXT_OF(OM__SAID_TEXT, FILTER_BYTES);
SHAPE PHONE = TEXT_OF(OM__SAID_PHONE, ID_BYTES);
SHAPE DATE = TEXT_OF(OM__SAID_DATE, ID_BYTES);
SHAPE COLOUR = TEXT_OF(OM__SAID_COLOUR, ID_BYTES);
SHAPE NUMBER = {.is = OM__SAID_IS_NUMBER};

/* ---- the plan's "city" ---- */

SHAPE SPAN = LIST_OF(DATE, 2);
SHAPE SPANS = LIST_OF(SPAN, DAYS_MOST);
SHAPE DATES = LIST_OF(DATE, DAYS_MOST);
SHAPE LEVELS = LIST_OF(NAME, LAYERS_MOST);
SHAPE ALIASES = LIST_OF(WORDS, ALIASES_MOST);

MEMBERS GROUP_MEMBER[] = {{"id", &ID, true},
                          {"title", &WORDS, true},
                          {"title_en", &ENGLISH, false},
                          {"aliases", &ALIASES, false},
                          LAST};
SHAPE GROUP = OBJECT_OF(GROUP_MEMBER);
SHAPE GROUPS = LIST_OF(GROUP, GROUPS_MOST);

MEMBERS MATTER_MEMBER[] = {{"group", &ID, true},
                           {"name", &WORDS, true},
                           {"name_en", &ENGLISH, false},
                           {"aliases", &ALIASES, false},
                           LAST};
SHAPE MATTER = OBJECT_OF(MATTER_MEMBER);
SHAPE MATTERS = LIST_OF(MATTER, MATTERS_MOST);

MEMBERS ALL_MATTERS_MEMBER[] = {{"column", &COLUMN, true},
                                {"groups", &GROUPS, true},
                                {"list", &MATTERS, true},
                                LAST};
SHAPE ALL_MATTERS = OBJECT_OF(ALL_MATTERS_MEMBER);

MEMBERS COMMUNITY_MEMBER[] = {{"centres", &NAME, false},
                              {"organisations", &NAME, false},
                              {"activities", &NAME, false},
                              {"hotline", &PHONE, false},
                              {"levels", &LEVELS, false},
                              {"holidays", &SPANS, false},
                              {"workdays", &DATES, false},
                              {"matters", &ALL_MATTERS, false},
                              LAST};
SHAPE COMMUNITY = OBJECT_OF(COMMUNITY_MEMBER);

MEMBERS CITY_MEMBER[] = {{"community", &COMMUNITY, false}, LAST};
const struct om__said_shape om__said_city = OBJECT_OF(CITY_MEMBER);

/* ---- city.json ---- */

SHAPE CLASSES = LIST_OF(TITLE, CLASSES_MOST);
SHAPE TITLES = MAP_OF(OM__SAID_TEXT, TITLE, CLASSES_MOST);
SHAPE COLOURS = MAP_OF(OM__SAID_TEXT, COLOUR, CLASSES_MOST);

MEMBERS LAYER_MEMBER[] = {{"license", &TITLE, false},
                          {"counted", &TITLE, false},
                          {"counted_en", &TITLE, false},
                          {"base_by", &COLUMN, false},
                          {"base_classes", &CLASSES, false},
                          {"base_label", &COLUMN, false},
                          {"picture_by", &COLUMN, false},
                          {"picture_titles", &TITLES, false},
                          {"picture_titles_en", &TITLES, false},
                          {"picture_colours", &COLOURS, false},
                          LAST};
const struct om__said_shape om__said_layer = OBJECT_OF(LAYER_MEMBER);

MEMBERS MODE_MEMBER[] = {{"m_per_min", &NUMBER, false},
                         {"roads", &FILTER, false},
                         {"name", &TITLE, false},
                         {"name_zh", &TITLE, false},
                         LAST};
SHAPE MODE = OBJECT_OF(MODE_MEMBER);
SHAPE MODES = MAP_OF(OM__SAID_NAME, MODE, MODES_MOST);
SHAPE LIMITS = LIST_OF(NUMBER, CLASSES_MOST);
MEMBERS ROADS_MEMBER[] = {{"layer", &NAME, false},
                          {"crossings", &ID, false},
                          {"apart", &COLUMN, false},
                          {"join_m", &NUMBER, false},
                          {"least_m", &NUMBER, false},
                          {"reach_m", &NUMBER, false},
                          LAST};
SHAPE ROADS = OBJECT_OF(ROADS_MEMBER);
MEMBERS SERVICE_MEMBER[] = {{"layer", &NAME, false},
                            {"capacity", &COLUMN, false},
                            {"roads", &ROADS, false},
                            {"water", &NAME, false},
                            {"modes", &MODES, false},
                            {"straight_factor", &NUMBER, false},
                            {"limits_m", &LIMITS, false},
                            {"minutes", &NUMBER, false},
                            LAST};
const struct om__said_shape om__said_service = OBJECT_OF(SERVICE_MEMBER);

MEMBERS SEARCH_MEMBER[] = {
    {"layer", &NAME, false},       {"column", &COLUMN, false},
    {"kind", &TITLE, false},       {"group", &COLUMN, false},
    {"group_layer", &NAME, false}, LAST};
const struct om__said_shape om__said_search = OBJECT_OF(SEARCH_MEMBER);
const struct om__said_shape om__said_short =
    TEXT_OF(OM__SAID_WORDS, COLUMN_BYTES);
