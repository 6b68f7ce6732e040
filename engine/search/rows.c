// rows.c - rows that are found: what their units add, whether they count.
#include <math.h>
#include <string.h>

#include "engine/live/stack_internal.h"
#include "engine/policy/policy.h"
#include "engine/search/run_internal.h"

struct om_text_reader *om__run_reader(struct om__running *r, size_t column)
{
    return &r->reader[column % (sizeof r->reader / sizeof *r->reader)];
}

size_t om__unit_column(const struct om_layer *layer, const char *level)
{
    if (layer->meta && !strcmp(layer->meta->unit_level, level))
        return layer->schema.id_field;
    const size_t column = om_schema_find(&layer->schema, level);
    if (column == OM_NO_FIELD) return OM_NO_FIELD;
    const enum om_type type = layer->schema.field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY ? column
                                                            : OM_NO_FIELD;
}

/* The unit of a level that a row lies in, as it was read last. */
struct lying {
    size_t level;
    const char *text;  // NULL: in none
    size_t len;
};

static om_status read_unit(struct om__running *r, uint32_t row, size_t level,
                           struct lying *out)
{
    if (level == out->level) return OM_OK;
    const size_t column =
        om__unit_column(r->layer, r->snapshot->manifest->level[level]);
    *out = (struct lying){.level = level};
    return column == OM_NO_FIELD
               ? OM_OK
               : om_segment_text(r->layer->part[r->part].segment, column, row,
                                 om__run_reader(r, column), &out->text,
                                 &out->len);
}

/* A name is said as a whole by the row's own text or by its unit: 东 of 东城 is
 * not half of 东莞. */
static bool is_whole(const struct om__mention *mention, const uint8_t *seen)
{
    for (size_t i = mention->from; i < mention->stem; i++)
        if (seen[i] != seen[mention->from]) return false;
    return true;
}

bool om__row_is_creditable(const struct om__question *q,
                           enum om__reading reading,
                           const struct om__mention *mention,
                           const uint8_t *seen)
{
    if (!is_whole(mention, seen)) return false;
    for (size_t i = mention->from; i < mention->to; i++)
        if (!seen[i] && om__atom_optional(&q->atom[i], reading)) return true;
    return false;
}

om_status om__row_credit(struct om__running *r, enum om__reading reading,
                         uint32_t row, const struct om__alignment *alignment,
                         float *out, float *amiss)
{
    const struct om__question *q = &r->question;
    struct lying in = {.level = OM__LEVEL_ABOVE};
    uint8_t seen[OM_SEARCH_TOKENS];
    memcpy(seen, alignment->seen, sizeof seen);
    *out = *amiss = 0;
    for (size_t m = 0; m < q->mentions; m++) {
        const struct om__mention *mention = &q->mention[m];
        if (!om__row_is_creditable(q, reading, mention, alignment->seen))
            continue;
        if (mention->level != OM__LEVEL_ABOVE) {
            OM_TRY(read_unit(r, row, mention->level, &in));
            if (!in.text || in.len != mention->unit_len ||
                memcmp(in.text, mention->unit, in.len) != 0)
                continue;
        }
        float add = 0;
        for (size_t i = mention->from; i < mention->to; i++) {
            if (seen[i] || !om__atom_optional(&q->atom[i], reading)) continue;
            seen[i] = 1;
            add += om__atom_weight(&q->atom[i], reading);
        }
        if (add > mention->loss) *out += add - mention->loss;
    }
    for (size_t i = 0; i < q->atoms; i++)
        if (!seen[i] && om__atom_optional(&q->atom[i], reading))
            *amiss += om__atom_weight(&q->atom[i], reading) * OM__WRONG;
    return OM_OK;
}

static double away_from(const struct om_search_ask *ask, struct om_pos pos)
{
    if (!ask->near) return 0;
    const double dx = (double)pos.x - ask->at.x, dy = (double)pos.y - ask->at.y;
    return sqrt(dx * dx + dy * dy);
}

static bool lies_in(struct om_box box, struct om_pos pos)
{
    return pos.x >= box.x0 && pos.x <= box.x1 && pos.y >= box.y0 &&
           pos.y <= box.y1;
}

om_status om__row_counts(struct om__running *r, uint32_t row, uint64_t *key,
                         bool *out)
{
    const struct om_part *part = &r->layer->part[r->part];
    const uint64_t *keys;
    *out = false;
    if (om__part_is_dead(part, row)) return OM_OK;
    OM_TRY(om_row_seen(r->layer, r->part, row, out));
    if (!*out) return OM_OK;
    OM_TRY(om_segment_keys(part->segment, row, row + 1, &keys));
    if (r->ask->boxed) *out = lies_in(r->ask->box, om_morton_pos(keys[row]));
    if (key) *key = keys[row];
    return OM_OK;
}

om_status om__row_add(struct om__running *r, uint32_t row, float score,
                      enum om_search_match match)
{
    uint64_t key = 0;
    bool counts;
    OM_TRY(om__row_counts(r, row, &key, &counts));
    if (!counts) return OM_OK;
    score = OM__SCORE_MIN + (score - OM__SCORE_MIN) * r->share;
    struct om__found *last = r->count ? &r->found[r->count - 1] : NULL;
    // Rooms of one house follow each other.
    if (r->source->group[0] && last && last->layer == r->layer &&
        last->part == r->part && last->key == key && last->score == score) {
        last->last_row = row;
        last->rows++;
        return OM_OK;
    }
    if (r->count == r->room) return OM_OK;
    r->found[r->count++] =
        (struct om__found){.source = r->source,
                           .layer = r->layer,
                           .part = r->part,
                           .row = row,
                           .last_row = row,
                           .rows = 1,
                           .key = key,
                           .score = score,
                           .away = away_from(r->ask, om_morton_pos(key)),
                           .match = match};
    return OM_OK;
}
