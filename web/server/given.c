// given.c - rows of one request, or of many, as the audit keeps them.
#include "web/server/given.h"

#include <string.h>

void om__given_deinit(struct om__given *given)
{
    om_buf_deinit(&given->ids);
    *given = (struct om__given){0};
}

void om__query_text(const char *text, size_t len, struct om_buf *out)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           (c && strchr("-._~,:;/@!*'()", c));
        if (plain)
            om_buf_add_byte(out, c);
        else
            om_buf_addf(out, "%%%02X", c);
    }
}

static void too_many(struct om__given *given)
{
    om_buf_deinit(&given->ids);
    given->many = true;
}

static void add_ids(struct om__given *given, const char *text, size_t len)
{
    if (given->many) return;
    om_buf_add(&given->ids, text, len);
    if (given->ids.status || given->ids.len > OM__GIVEN_BYTES) too_many(given);
}

void om__given_row(struct om__given *given, const char *id, size_t len,
                   const struct om_pos *pos)
{
    given->rows++;
    if (pos)
        om__given_box(given, (struct om_box){pos->x, pos->y, pos->x, pos->y});
    if (!id) too_many(given);
    if (given->many) return;
    om_buf_add_byte(&given->ids, ',');
    om__query_text(id, len, &given->ids);
    add_ids(given, "", 0);
}

/* ---- boxes ---- */

/* A point has an area, too. */
static double area_of(struct om_box b)
{
    return ((double)b.x1 - b.x0 + 1) * ((double)b.y1 - b.y0 + 1);
}

static struct om_box both(struct om_box a, struct om_box b)
{
    om_box_widen(&a, b);
    return a;
}

/* Boxes of this side, some 150 m, are not told apart. */
#define NEAR ((uint32_t)1 << 14)

static bool hardly_larger(struct om_box a, struct om_box b)
{
    const struct om_box all = both(a, b);
    if (all.x1 - all.x0 <= NEAR && all.y1 - all.y0 <= NEAR) return true;
    return area_of(all) <= 2 * (area_of(a) + area_of(b));
}

/* What a box of both would span that neither does. */
static double between(struct om_box a, struct om_box b)
{
    return area_of(both(a, b)) - area_of(a) - area_of(b);
}

/* Make one of the two that are least apart, and put `box` where room was. */
static void squeeze(struct om__given *given, struct om_box box)
{
    struct om_box all[OM__GIVEN_BOXES + 1];
    size_t one = 0, other = 1;
    memcpy(all, given->box, sizeof given->box);
    all[OM__GIVEN_BOXES] = box;
    for (size_t i = 0; i <= OM__GIVEN_BOXES; i++)
        for (size_t k = i + 1; k <= OM__GIVEN_BOXES; k++)
            if (between(all[i], all[k]) < between(all[one], all[other])) {
                one = i;
                other = k;
            }
    om_box_widen(&all[one], all[other]);
    all[other] = all[OM__GIVEN_BOXES];
    memcpy(given->box, all, sizeof given->box);
}

void om__given_box(struct om__given *given, struct om_box box)
{
    for (size_t i = 0; i < given->boxes; i++)
        if (hardly_larger(given->box[i], box)) {
            om_box_widen(&given->box[i], box);
            return;
        }
    if (given->boxes < OM__GIVEN_BOXES)
        given->box[given->boxes++] = box;
    else
        squeeze(given, box);
}

void om__given_merge(struct om__given *given, const struct om__given *with)
{
    given->rows += with->rows;
    for (size_t i = 0; i < with->boxes; i++) om__given_box(given, with->box[i]);
    if (with->many)
        too_many(given);
    else
        add_ids(given, (const char *)with->ids.bytes, with->ids.len);
}

void om__given_write(const struct om__given *given, struct om_buf *out)
{
    om_buf_addf(out, "&rows=%llu", (unsigned long long)given->rows);
    for (size_t i = 0; i < given->boxes; i++) {
        double west, south, east, north;
        const struct om_box *b = &given->box[i];
        om_pos_to_lonlat((struct om_pos){b->x0, b->y0}, &west, &north);
        om_pos_to_lonlat((struct om_pos){b->x1, b->y1}, &east, &south);
        om_buf_addf(out, "&bbox=%.5f,%.5f,%.5f,%.5f", west, south, east, north);
    }
    if (!given->many && given->ids.len) {
        om_buf_add_text(out, "&ids=");
        om_buf_add(out, given->ids.bytes + 1, given->ids.len - 1);
    }
}
