/* label.c - labels of one square: wishes, collisions, places.
 *
 * DESIGN
 * Wishes are sorted and placed one after the other, each where it meets no
 * box that stands already. That depends on everything placed before, and so
 * on everything in reach of it, and so on: whoever places labels a tile at a
 * time gets tiles that disagree. Here squares of the world are placed as a
 * whole, and no label may leave its square; tiles only copy from them.
 * Boxes are kept in buckets, so that a collision is looked for nearby.
 */
#include "tiles/picture/label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/utf8.h"
#include "data/model/earth.h"

/* Room around every label, pixels of design. */
#define ROOM_PX 3
/* Side of a bucket, pixels of design: about a label. */
#define BUCKET_PX 64
#define BUCKETS (OM_LABEL_SQUARE_PX / BUCKET_PX)
/* Boxes and glyphs of one label. */
#define GLYPHS_MOST 96
/* A line may turn so much from letter to letter. */
#define BEND_RAD 0.55
/* Lines steeper than this carry upright Chinese from top to bottom. */
#define STEEP_RAD (0.30 * OM_PI)

struct wish {
    struct om_label_wish ask;
    size_t order;
    // At a place
    struct om_spot at;
    int slack;
    size_t most;
    // Along a line: [count] places of the view
    struct om_spot *spot;
    size_t count;
    int every;
    struct wish *next;
};

struct bucket_entry {
    struct om_label_box box;
    struct bucket_entry *next;
};

struct om_label_plan {
    struct om_font *font;
    struct om_view view;
    struct om_view home;  // holds the view
    int reach;            // the farthest from an edge of home to the view's
    struct om_arena *arena;
    struct wish *wishes;  // newest first
    size_t count;
    struct bucket_entry *bucket[BUCKETS][BUCKETS];
    struct om_labels placed;
    size_t room;  // labels that `placed` has room for
};

/* A label being tried. */
struct trial {
    struct om_label_glyph glyph[GLYPHS_MOST];
    struct om_label_box box[GLYPHS_MOST];
    size_t glyphs, boxes;
};

om_status om_label_plan_new(struct om_font *font, uint64_t world,
                            unsigned ratio, int64_t column, int64_t row,
                            struct om_arena *arena, struct om_label_plan **out)
{
    const unsigned side = OM_LABEL_SQUARE_PX * ratio;
    const struct om_view view = {.world = world,
                                 .x = column * side,
                                 .y = row * side,
                                 .width = side,
                                 .height = side,
                                 .ratio = ratio};
    return om_label_plan_window(font, &view, &view, arena, out);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

om_status om_label_plan_window(struct om_font *font, const struct om_view *view,
                               const struct om_view *home,
                               struct om_arena *arena,
                               struct om_label_plan **out)
{
    const int64_t most = OM_LABEL_SQUARE_PX * (int64_t)view->ratio;
    if (view->width > most || view->height > most) return OM_E_RANGE;
    struct om_label_plan *plan = om_arena_calloc(arena, 1, sizeof *plan);
    if (!plan) return OM_E_MEMORY;
    plan->font = font;
    plan->arena = arena;
    plan->view = *view;
    plan->home = *home;
    const int64_t before = larger(view->x - home->x, view->y - home->y);
    const int64_t right = home->x + home->width - view->x - view->width;
    const int64_t below = home->y + home->height - view->y - view->height;
    plan->reach = (int)larger(before, larger(right, below));
    *out = plan;
    return OM_OK;
}

const struct om_view *om_label_plan_view(const struct om_label_plan *plan)
{
    return &plan->view;
}

const struct om_view *om_label_plan_home(const struct om_label_plan *plan)
{
    return &plan->home;
}

static struct wish *new_wish(struct om_label_plan *plan,
                             const struct om_label_wish *ask)
{
    struct wish *w = om_arena_calloc(plan->arena, 1, sizeof *w);
    if (!w) return NULL;
    w->ask = *ask;
    w->ask.text = om_arena_text(plan->arena, ask->text, ask->len);
    if (!w->ask.text) return NULL;
    w->order = plan->count++;
    w->next = plan->wishes;
    plan->wishes = w;
    return w;
}

om_status om_label_plan_point(struct om_label_plan *plan,
                              const struct om_label_wish *wish,
                              struct om_spot at, int slack_px, size_t most)
{
    struct wish *w = new_wish(plan, wish);
    if (!w) return OM_E_MEMORY;
    w->at = at;
    w->slack = slack_px + plan->reach;
    w->most = most;
    return OM_OK;
}

om_status om_label_plan_line(struct om_label_plan *plan,
                             const struct om_label_wish *wish,
                             const struct om_pos *vertex, size_t count,
                             int every_px)
{
    struct wish *w = new_wish(plan, wish);
    if (!w) return OM_E_MEMORY;
    w->spot = om_arena_calloc(plan->arena, count, sizeof *w->spot);
    if (!w->spot) return OM_E_MEMORY;
    for (size_t i = 0; i < count; i++)
        w->spot[i] = om_view_spot(&plan->view, vertex[i]);
    w->count = count;
    w->every = every_px;
    return OM_OK;
}

/* ---- collisions ---- */

static bool meets(const struct om_label_box *a, const struct om_label_box *b,
                  int64_t room)
{
    return a->x0 < b->x1 + room && b->x0 < a->x1 + room &&
           a->y0 < b->y1 + room && b->y0 < a->y1 + room;
}

/* Buckets that a box and its room reach, clipped to the square. */
static void buckets_of(const struct om_label_plan *plan,
                       const struct om_label_box *box, unsigned out[4])
{
    const int64_t side = BUCKET_PX * (int64_t)plan->view.ratio;
    const int64_t room = ROOM_PX * (int64_t)plan->view.ratio;
    const int64_t at[4] = {(box->x0 - room - plan->view.x) / side,
                           (box->y0 - room - plan->view.y) / side,
                           (box->x1 + room - plan->view.x) / side,
                           (box->y1 + room - plan->view.y) / side};
    for (int k = 0; k < 4; k++)
        out[k] = (unsigned)(at[k] < 0          ? 0
                            : at[k] >= BUCKETS ? BUCKETS - 1
                                               : at[k]);
}

static bool is_free(const struct om_label_plan *plan,
                    const struct om_label_box *box)
{
    unsigned b[4];
    const struct om_view *v = &plan->view;
    if (box->x0 < v->x || box->y0 < v->y || box->x1 > v->x + v->width ||
        box->y1 > v->y + v->height)
        return false;
    buckets_of(plan, box, b);
    for (unsigned y = b[1]; y <= b[3]; y++)
        for (unsigned x = b[0]; x <= b[2]; x++)
            for (const struct bucket_entry *e = plan->bucket[y][x]; e;
                 e = e->next)
                if (meets(box, &e->box, ROOM_PX * (int64_t)v->ratio))
                    return false;
    return true;
}

static om_status occupy(struct om_label_plan *plan,
                        const struct om_label_box *box)
{
    unsigned b[4];
    buckets_of(plan, box, b);
    for (unsigned y = b[1]; y <= b[3]; y++)
        for (unsigned x = b[0]; x <= b[2]; x++) {
            struct bucket_entry *e = om_arena_alloc(plan->arena, sizeof *e);
            if (!e) return OM_E_MEMORY;
            *e = (struct bucket_entry){*box, plan->bucket[y][x]};
            plan->bucket[y][x] = e;
        }
    return OM_OK;
}

om_status om_label_plan_block(struct om_label_plan *plan,
                              const struct om_label_box *box)
{
    return meets(box,
                 &(struct om_label_box){plan->view.x, plan->view.y,
                                        plan->view.x + plan->view.width,
                                        plan->view.y + plan->view.height},
                 ROOM_PX * (int64_t)plan->view.ratio)
               ? occupy(plan, box)
               : OM_OK;
}

/* Is there a label of the same text too near? */
static bool repeats(const struct om_label_plan *plan, const struct wish *w,
                    const struct om_label_box *box)
{
    const int64_t near = w->ask.near_px;
    if (near <= 0) return false;
    for (size_t i = 0; i < plan->placed.count; i++) {
        const struct om_label *l = &plan->placed.label[i];
        if (l->len == w->ask.len && !memcmp(l->text, w->ask.text, l->len) &&
            meets(box, &l->bounds, near))
            return true;
    }
    return false;
}

static struct om_label_box bounds_of(const struct trial *t)
{
    struct om_label_box all = t->box[0];
    for (size_t i = 1; i < t->boxes; i++) {
        if (t->box[i].x0 < all.x0) all.x0 = t->box[i].x0;
        if (t->box[i].y0 < all.y0) all.y0 = t->box[i].y0;
        if (t->box[i].x1 > all.x1) all.x1 = t->box[i].x1;
        if (t->box[i].y1 > all.y1) all.y1 = t->box[i].y1;
    }
    return all;
}

/* Keep a trial if nothing is in its way. */
static om_status settle(struct om_label_plan *plan, const struct wish *w,
                        const struct trial *t, bool *done)
{
    *done = false;
    if (!t->glyphs || !t->boxes || plan->placed.count == plan->room)
        return OM_OK;
    for (size_t i = 0; i < t->boxes; i++)
        if (!is_free(plan, &t->box[i])) return OM_OK;
    const struct om_label_box bounds = bounds_of(t);
    if (repeats(plan, w, &bounds)) return OM_OK;
    struct om_label_glyph *glyph =
        om_arena_calloc(plan->arena, t->glyphs, sizeof *glyph);
    struct om_label_box *box =
        om_arena_calloc(plan->arena, t->boxes, sizeof *box);
    if (!glyph || !box) return OM_E_MEMORY;
    memcpy(glyph, t->glyph, t->glyphs * sizeof *glyph);
    memcpy(box, t->box, t->boxes * sizeof *box);
    for (size_t i = 0; i < t->boxes; i++) OM_TRY(occupy(plan, &t->box[i]));
    plan->placed.label[plan->placed.count++] =
        (struct om_label){.text = w->ask.text,
                          .len = w->ask.len,
                          .face = w->ask.face,
                          .ink = w->ask.ink,
                          .glyphs = t->glyphs,
                          .glyph = glyph,
                          .boxes = t->boxes,
                          .box = box,
                          .bounds = bounds};
    *done = true;
    return OM_OK;
}

/* ---- at a place ---- */

/* Bytes of the first `letters` letters. */
static size_t bytes_of(const char *text, size_t len, size_t letters)
{
    size_t at = 0;
    while (at < len && letters--) {
        const size_t n = om_utf8_next(text + at, len - at);
        at += n ? n : 1;
    }
    return at;
}

static size_t letters_of(const char *text, size_t len)
{
    size_t letters = 0;
    for (size_t at = 0; at < len; letters++) {
        const size_t n = om_utf8_next(text + at, len - at);
        at += n ? n : 1;
    }
    return letters;
}

/* Add a line of text with its middle at x, its base line at y. */
static void add_line(struct trial *t, const struct om_text *text, int64_t x,
                     int64_t y)
{
    const int64_t left = x - text->width / 2;
    for (size_t i = 0; i < text->glyphs && t->glyphs < GLYPHS_MOST; i++)
        t->glyph[t->glyphs++] =
            (struct om_label_glyph){.glyph = text->glyph[i].glyph,
                                    .x = left + text->glyph[i].x,
                                    .y = y};
    t->box[t->boxes++] = (struct om_label_box){.x0 = left,
                                               .y0 = y - text->ascent,
                                               .x1 = left + text->width,
                                               .y1 = y + text->descent};
}

/* How far [low, high) must move to lie in [first, end). */
static int64_t into(int64_t low, int64_t high, int64_t first, int64_t end)
{
    if (low < first) return first - low;
    if (high > end) return end - high;
    return 0;
}

/* Move a trial into the square. False if that is farther than it may. */
static bool pull_in(const struct om_label_plan *plan, struct trial *t,
                    int slack)
{
    const struct om_view *v = &plan->view;
    const struct om_label_box b = bounds_of(t);
    const int64_t dx = into(b.x0, b.x1, v->x, v->x + v->width);
    const int64_t dy = into(b.y0, b.y1, v->y, v->y + v->height);
    if (llabs(dx) > slack || llabs(dy) > slack) return false;
    for (size_t i = 0; i < t->glyphs; i++) {
        t->glyph[i].x += dx;
        t->glyph[i].y += dy;
    }
    for (size_t i = 0; i < t->boxes; i++) {
        t->box[i].x0 += dx;
        t->box[i].x1 += dx;
        t->box[i].y0 += dy;
        t->box[i].y1 += dy;
    }
    return true;
}

static om_status place_point(struct om_label_plan *plan, const struct wish *w)
{
    struct om_text text;
    struct trial t = {.glyphs = 0};
    const char *parted = memchr(w->ask.text, '\n', w->ask.len);
    const size_t letters = letters_of(w->ask.text, w->ask.len);
    const size_t lines = parted || letters > w->most ? 2 : 1;
    const int height = (int)w->ask.face.size_px + (int)plan->view.ratio * 2;
    const int64_t x = plan->view.x + (w->at.x >> 8);
    int64_t y =
        plan->view.y + (w->at.y >> 8) - (int64_t)(lines - 1) * height / 2;
    size_t from = 0;
    for (size_t i = 0; i < lines; i++) {
        size_t upto = w->ask.len;
        if (i + 1 < lines)
            upto = parted ? (size_t)(parted - w->ask.text)
                          : bytes_of(w->ask.text, w->ask.len,
                                     (letters + lines - 1) / lines);
        OM_TRY(om_text_shape(plan->font, w->ask.face, w->ask.text + from,
                             upto - from, plan->arena, &text));
        add_line(&t, &text, x, y + (text.ascent - text.descent) / 2);
        from = upto + (parted != NULL);
        y += height;
    }
    bool done;
    if (!pull_in(plan, &t, w->slack)) return OM_OK;
    return settle(plan, w, &t, &done);
}

/* ---- along a line ---- */

/* A line with the length up to each vertex, in pixels. */
struct track {
    const struct om_spot *spot;
    const double *upto;
    size_t count;
    double length;
};

static om_status track_of(const struct wish *w, struct om_arena *arena,
                          struct track *out)
{
    double *upto = om_arena_calloc(arena, w->count, sizeof *upto);
    if (!upto) return OM_E_MEMORY;
    for (size_t i = 1; i < w->count; i++)
        upto[i] =
            upto[i - 1] + hypot((double)(w->spot[i].x - w->spot[i - 1].x),
                                (double)(w->spot[i].y - w->spot[i - 1].y)) /
                              256.0;
    *out = (struct track){w->spot, upto, w->count,
                          w->count ? upto[w->count - 1] : 0.0};
    return OM_OK;
}

/* The place `along` pixels from the beginning, in pixels of the view. */
static void track_at(const struct track *t, double along, double *x, double *y)
{
    size_t low = 0, high = t->count - 1;
    while (high - low > 1) {
        const size_t mid = (low + high) / 2;
        if (t->upto[mid] <= along)
            low = mid;
        else
            high = mid;
    }
    const double span = t->upto[high] - t->upto[low];
    double f = span > 0.0 ? (along - t->upto[low]) / span : 0.0;
    f = fmin(fmax(f, 0.0), 1.0);
    *x = ((double)t->spot[low].x +
          (double)(t->spot[high].x - t->spot[low].x) * f) /
         256.0;
    *y = ((double)t->spot[low].y +
          (double)(t->spot[high].y - t->spot[low].y) * f) /
         256.0;
}

/* Chinese, Japanese, Korean: stands upright on steep lines. */
static bool is_upright(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0xE2) {
            if (((unsigned char)text[i] & 0xC0) != 0x80) return false;
        }
    return true;
}

static double angle_between(double a, double b)
{
    double d = fabs(a - b);
    if (d > OM_PI) d = 2.0 * OM_PI - d;
    return d;
}

/* One letter centred at x, y (pixels of the view), turned by `angle`. */
static void add_letter(const struct om_label_plan *plan, struct trial *t,
                       const struct om_text *text, size_t i, double x, double y,
                       double angle)
{
    const double c = cos(angle), s = sin(angle);
    const double right = text->glyph[i].advance / 2.0;
    const double down = -(text->ascent - text->descent) / 2.0;
    t->glyph[t->glyphs++] = (struct om_label_glyph){
        .glyph = text->glyph[i].glyph,
        .turn = (unsigned)llround(angle * (256.0 / (2.0 * OM_PI))) & 255,
        .x = plan->view.x + llround(x - (right * c - down * s)),
        .y = plan->view.y + llround(y - (right * s + down * c))};
    const double half = (text->ascent + text->descent) / 2.0;
    const double w = fabs(right * c) + fabs(half * s);
    const double h = fabs(right * s) + fabs(half * c);
    t->box[t->boxes++] =
        (struct om_label_box){.x0 = plan->view.x + (int64_t)floor(x - w),
                              .y0 = plan->view.y + (int64_t)floor(y - h),
                              .x1 = plan->view.x + (int64_t)ceil(x + w),
                              .y1 = plan->view.y + (int64_t)ceil(y + h)};
}

/* Letters along the track around `middle`. False where it bends too much. */
static bool lay_along(const struct om_label_plan *plan, const struct wish *w,
                      const struct om_text *text, const struct track *track,
                      double middle, struct trial *t)
{
    const double half = text->width / 2.0, start = middle - half;
    double x0, y0, x1, y1;
    if (text->glyphs > GLYPHS_MOST) return false;
    *t = (struct trial){.glyphs = 0};
    track_at(track, start, &x0, &y0);
    track_at(track, middle + half, &x1, &y1);
    const double whole = atan2(y1 - y0, x1 - x0);
    const double lean =
        fabs(whole) > OM_PI / 2 ? OM_PI - fabs(whole) : fabs(whole);
    const bool steep = lean > STEEP_RAD && is_upright(w->ask.text, w->ask.len);
    // Read from left to right, or down where that is steeper.
    const bool backward = steep ? y1 < y0 : x1 < x0;
    double last = 0.0;
    for (size_t i = 0; i < text->glyphs; i++) {
        const double reach = text->glyph[i].advance / 2.0;
        const double in = text->glyph[i].x + reach;
        const double at = backward ? middle + half - in : start + in;
        const double ahead = backward ? at - reach : at + reach;
        double x, y, ax, ay, bx, by;
        track_at(track, at, &x, &y);
        track_at(track, 2 * at - ahead, &ax, &ay);
        track_at(track, ahead, &bx, &by);
        const double angle = atan2(by - ay, bx - ax);
        if (i && angle_between(angle, last) > BEND_RAD) return false;
        if (angle_between(angle, backward ? whole + OM_PI : whole) >
            2.0 * BEND_RAD)
            return false;
        last = angle;
        add_letter(plan, t, text, i, x, y, steep ? angle - OM_PI / 2 : angle);
    }
    return true;
}

static bool in_view(const struct om_view *view, double x, double y)
{
    return x >= 0 && y >= 0 && x < view->width && y < view->height;
}

/* No text is shorter: Chinese letters are squares, others are wider than a
 * fifth of their height. Shaping costs more than most lines that are too short
 * for their name. */
static double least_width(const struct wish *w)
{
    size_t tenths = 0;
    for (size_t i = 0; i < w->ask.len; i++) {
        const unsigned char byte = (unsigned char)w->ask.text[i];
        if ((byte & 0xC0) != 0x80) tenths += byte >= 0xE3 ? 8 : 2;
    }
    return (double)tenths * w->ask.face.size_px / 10.0;
}

static om_status place_line(struct om_label_plan *plan, const struct wish *w)
{
    static const double shift[] = {0.0, -0.5, 0.5, -1.0, 1.0};
    struct om_text text;
    struct track track;
    OM_TRY(track_of(w, plan->arena, &track));
    if (track.length < least_width(w) + 2.0 * w->ask.face.size_px) return OM_OK;
    OM_TRY(om_text_shape(plan->font, w->ask.face, w->ask.text, w->ask.len,
                         plan->arena, &text));
    const double need = text.width + 2.0 * w->ask.face.size_px;
    if (track.length < need || !text.glyphs) return OM_OK;
    const double every = fmax(need, w->every);
    const size_t stations = (size_t)fmax(1.0, floor(track.length / every));
    for (size_t i = 0; i < stations; i++) {
        const double middle =
            track.length * ((double)i + 0.5) / (double)stations;
        for (size_t k = 0; k < sizeof shift / sizeof *shift; k++) {
            struct trial t;
            double x, y;
            const double at = middle + shift[k] * text.width;
            if (at - need / 2 < 0 || at + need / 2 > track.length) continue;
            track_at(&track, at, &x, &y);
            if (!in_view(&plan->view, x, y)) continue;
            bool done = false;
            if (lay_along(plan, w, &text, &track, at, &t))
                OM_TRY(settle(plan, w, &t, &done));
            if (done) break;
        }
    }
    return OM_OK;
}

/* ---- all of them ---- */

static int by_importance(const void *va, const void *vb)
{
    const struct wish *a = *(struct wish *const *)va;
    const struct wish *b = *(struct wish *const *)vb;
    if (a->ask.rank != b->ask.rank) return a->ask.rank < b->ask.rank ? -1 : 1;
    if (a->ask.weight != b->ask.weight)
        return a->ask.weight > b->ask.weight ? -1 : 1;
    const size_t len = a->ask.len < b->ask.len ? a->ask.len : b->ask.len;
    const int text = memcmp(a->ask.text, b->ask.text, len);
    if (text) return text;
    if (a->ask.len != b->ask.len) return a->ask.len < b->ask.len ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* How many labels a wish may become. */
static size_t most_of(const struct wish *w)
{
    if (!w->spot) return 1;
    double length = 0.0;
    for (size_t i = 1; i < w->count; i++)
        length += hypot((double)(w->spot[i].x - w->spot[i - 1].x),
                        (double)(w->spot[i].y - w->spot[i - 1].y)) /
                  256.0;
    // No more fit into the square than it has buckets.
    const double many = length / (w->every > 0 ? w->every : 1);
    return many > BUCKETS * BUCKETS ? BUCKETS * BUCKETS : (size_t)many + 1;
}

om_status om_label_plan_place(struct om_label_plan *plan, struct om_labels *out)
{
    struct wish **sorted =
        om_arena_calloc(plan->arena, plan->count + 1, sizeof *sorted);
    if (!sorted) return OM_E_MEMORY;
    size_t n = 0, most = 0;
    for (struct wish *w = plan->wishes; w; w = w->next) {
        sorted[n++] = w;
        most += most_of(w);
    }
    if (n) qsort(sorted, n, sizeof *sorted, by_importance);
    plan->placed.label =
        om_arena_calloc(plan->arena, most + 1, sizeof *plan->placed.label);
    if (!plan->placed.label) return OM_E_MEMORY;
    plan->room = most;
    for (size_t i = 0; i < n; i++)
        OM_TRY(sorted[i]->spot ? place_line(plan, sorted[i])
                               : place_point(plan, sorted[i]));
    *out = plan->placed;
    return OM_OK;
}

/* ---- drawing ---- */

static om_status draw_glyphs(struct om_font *font, const struct om_label *l,
                             struct om_colour colour, unsigned halo,
                             struct om_canvas *canvas, struct om_arena *arena)
{
    for (size_t i = 0; i < l->glyphs; i++) {
        const struct om_label_glyph *g = &l->glyph[i];
        struct om_mask mask;
        OM_TRY(om_font_glyph(font, l->face, g->glyph, g->turn, halo, arena,
                             &mask));
        om_canvas_mask(canvas, g->x + mask.left, g->y + mask.top, mask.width,
                       mask.height, mask.cover, colour);
    }
    return OM_OK;
}

om_status om_labels_draw(struct om_font *font, const struct om_labels *labels,
                         const struct om_label_ink *ink,
                         struct om_canvas *canvas, struct om_arena *arena)
{
    const struct om_view *v = &canvas->view;
    // A glyph may reach out of its box by its halo and a little more.
    const int64_t room = 8 * (int64_t)v->ratio;
    const struct om_label_box window = {v->x, v->y, v->x + v->width,
                                        v->y + v->height};
    for (size_t i = labels->count; i-- > 0;) {
        const struct om_label *l = &labels->label[i];
        if (!meets(&l->bounds, &window, room)) continue;
        const struct om_label_ink *with = &ink[l->ink];
        if (!with->text.a) continue;
        if (with->halo_width && with->halo.a)
            OM_TRY(draw_glyphs(font, l, with->halo, with->halo_width * v->ratio,
                               canvas, arena));
        OM_TRY(draw_glyphs(font, l, with->text, 0, canvas, arena));
    }
    return OM_OK;
}
