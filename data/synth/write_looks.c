// write_looks.c - how the synthetic city's layers look on pictures: members of
// a layer in city.json that tiles/picture/ reads.
#include <string.h>

#include "data/base/buf.h"
#include "data/synth/write_internal.h"

/* Members as they stand in the file, by layer. */
static const struct look {
    const char *layer, *members;
} LOOK[] = {
    {"road",
     "\"base\": \"road\", \"base_by\": \"kind\", \"base_classes\": "
     "[\"highway\", \"trunk\", \"primary\", \"secondary\", \"residential\"], "
     "\"base_label\": \"name\", \"picture_by\": \"kind\""},
    {"water",
     "\"base\": \"water\", \"base_label\": \"name\", \"picture_by\": "
     "\"kind\""},
    {"building",
     "\"base\": \"building\", \"picture_by\": \"use\", \"picture_titles\": "
     "{\"residential\": \"住宅\", \"mixed\": \"商住混合\", \"commercial\": "
     "\"商业\", \"industrial\": \"工业\", \"public\": \"公共\", \"farm\": "
     "\"农用\"}"},
    // Grades of risk have their colours, and nothing else has them.
    {"hazard",
     "\"picture_by\": \"severity\", \"picture_titles_en\": {\"1\": "
     "\"low\", \"2\": \"moderate\", \"3\": \"serious\", \"4\": \"high\"}, "
     "\"picture_titles\": {\"1\": \"低\", "
     "\"2\": \"一般\", \"3\": \"较高\", \"4\": \"高\"}, "
     "\"picture_colours\": {\"1\": \"#4B8FE8\", "
     "\"2\": \"#F0C24B\", \"3\": \"#F2842B\", \"4\": \"#E5484D\"}"},
    {"premises",
     "\"picture_by\": \"fire_grade\", \"picture_colours\": {\"A\": "
     "\"#4B8FE8\", \"B\": \"#F0C24B\", \"C\": \"#F2842B\", \"D\": "
     "\"#E5484D\"}"},
    {"rental",
     "\"picture_by\": \"level\", \"picture_titles\": {\"lenient\": \"宽管型\", "
     "\"warning\": \"警示型\", \"strict\": \"严管型\", \"prohibited\": "
     "\"禁租型\"}, \"picture_colours\": {\"lenient\": "
     "\"#7FB7A6\", \"warning\": \"#A08BD6\", \"strict\": \"#C65BA8\", "
     "\"prohibited\": \"#F4F4F4\"}"},
    {"facility", "\"picture_by\": \"kind\""},
    {"business", "\"picture_by\": \"kind\""},
    {"appeal", "\"picture_by\": \"kind\""},
    {"tip", "\"picture_by\": \"kind\""},
};

void om__add_looks(struct om_buf *out, const char *layer)
{
    for (size_t i = 0; i < sizeof LOOK / sizeof *LOOK; i++)
        if (!strcmp(LOOK[i].layer, layer))
            om_buf_addf(out, ", %s", LOOK[i].members);
}
