/* kept.c - the town that was typed is kept.
 *
 * DESIGN
 * Who types a town wants what lies in it: 长安镇振安路12号 is not a 振安路 of
 * another town. So rows that lie elsewhere and do not say the name themselves
 * are worth less than any that does not (their scores are halved: below
 * OM__SCORE_MIN), and the town itself is an answer where nothing fits. Only the
 * largest units count, and only as they are called: what is typed otherwise may
 * be another name.
 */
#include <string.h>

#include "engine/search/run_internal.h"

#define ELSEWHERE 0.5F

/* Is a mention a name of its own? Letters run into each other. */
static bool stands_alone(const struct om__question *q,
                         const struct om__mention *m)
{
    if (q->atom[m->from].kind != OM__ATOM_LETTER) return true;
    return (!m->from || q->atom[m->from - 1].kind != OM__ATOM_LETTER) &&
           (m->to == q->atoms || q->atom[m->to].kind != OM__ATOM_LETTER);
}

/* The first of the largest units that is typed; NULL: none is. Behind
 * characters that are no unit's it is part of a name. */
static const struct om__mention *typed_town(const struct om__running *r)
{
    const struct om__question *q = &r->question;
    const struct om__mention *best = NULL;
    for (size_t m = 0; m < q->mentions; m++) {
        const struct om__mention *mention = &q->mention[m];
        if (mention->level + 1 != r->snapshot->manifest->levels ||
            mention->loss > 0 || !stands_alone(q, mention))
            continue;
        if (mention->from && !q->translated &&
            !q->atom[mention->from - 1].optional)
            continue;
        if (!best || mention->from < best->from) best = mention;
    }
    return best;
}

static om_status lies_in(struct om__running *r, const struct om__found *f,
                         const struct om__mention *mention, bool *out)
{
    const char *text;
    size_t len;
    const size_t column =
        om__unit_column(f->layer, r->snapshot->manifest->level[mention->level]);
    *out = false;
    if (column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(f->layer->part[f->part].segment, column, f->row,
                           om__run_reader(r, column), &text, &len));
    *out = text && len == mention->unit_len &&
           !memcmp(text, mention->unit, mention->unit_len);
    return OM_OK;
}

/* A row's own text has what was typed of the town's name. */
static om_status says_it(struct om__running *r, const struct om__found *f,
                         const struct om__mention *mention, bool *out)
{
    const struct om__question *q = &r->question;
    const struct om__unit *unit = om__unit_names_find(
        r->names, mention->level, mention->unit, mention->unit_len);
    const size_t column = om_schema_find(&f->layer->schema, f->source->column);
    struct om_search_text text;
    const char *own;
    size_t len;
    *out = false;
    if (!unit || column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(f->layer->part[f->part].segment, column, f->row,
                           om__run_reader(r, column), &own, &len));
    if (!own) return OM_OK;
    om_search_fold(q->fold, own, len, &text);
    // 长安 may be that of 长安街, 长安镇 is the town.
    const bool whole =
        mention->to - mention->stem >= unit->tokens - unit->stem &&
        unit->tokens > unit->stem &&
        q->atom[mention->stem].token == unit->token[unit->stem];
    const size_t n = whole ? unit->tokens : unit->stem;
    for (size_t at = 0; at + n <= text.tokens && !*out; at++)
        *out = !memcmp(text.token + at, unit->token, n * sizeof *unit->token);
    return OM_OK;
}

/* In the town, in another unit of that name, or called so. */
static om_status is_kept(struct om__running *r, const struct om__found *f,
                         const struct om__mention *town, bool *out)
{
    const struct om__question *q = &r->question;
    for (size_t m = 0; m < q->mentions; m++) {
        if (q->mention[m].from != town->from ||
            q->mention[m].level == OM__LEVEL_ABOVE)
            continue;
        OM_TRY(lies_in(r, f, &q->mention[m], out));
        if (*out) return OM_OK;
    }
    return says_it(r, f, town, out);
}

om_status om__run_kept(struct om__running *r)
{
    const struct om__mention *town = typed_town(r);
    const size_t found = r->count;
    r->bare = false;
    if (!town || om__run_fits(r)) return OM_OK;
    r->bare = true;
    for (size_t i = 0; i < found; i++) {
        struct om__found *f = &r->found[i];
        bool kept;
        if (f->match == OM_MATCH_ID || f->score < OM__SCORE_MIN) continue;
        OM_TRY(is_kept(r, f, town, &kept));
        r->bare = r->bare && !kept;
        if (!kept) f->score *= ELSEWHERE;
    }
    return om__run_unit(r, town->level, town->unit, town->unit_len,
                        OM__SCORE_MIN, OM_MATCH_PART);
}
