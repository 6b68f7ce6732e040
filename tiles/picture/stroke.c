/* stroke.c - polygons, and lines with a width, as outlines in the raster.
 *
 * DESIGN
 * A line of some width is one outline: along its left side, around the end,
 * and back along the right, with round joins on the outer side of every turn.
 * One piece a segment, each closed in itself, would cover the pixels at every
 * vertex twice where they are covered in part, and lines of many vertices
 * would grow fat. Offsets are rounded once, from differences of places, so
 * that they do not depend on the view.
 */
#include <math.h>
#include <string.h>

#include "data/model/earth.h"
#include "tiles/picture/canvas.h"

/* Lines may be off by this where vertices are passed over, 1/256 pixel. */
#define OFF 40.0
/* Steps of a round join or cap: one for each of these angles. Of lines below a
 * pixel (half of it is at most FINE, 1/256 pixel) they are larger: what they
 * cut off is an eighth of a pixel. */
#define STEP_RAD (OM_PI / 6.0)
#define STEP_FINE_RAD (OM_PI / 2.0)
#define FINE 128

static void line(struct om_canvas *canvas, struct om_spot from,
                 struct om_spot to)
{
    om_raster_line(&canvas->raster, from, to);
}

static struct om_spot plus(struct om_spot at, struct om_spot by)
{
    return (struct om_spot){at.x + by.x, at.y + by.y};
}

static struct om_spot minus(struct om_spot at, struct om_spot by)
{
    return (struct om_spot){at.x - by.x, at.y - by.y};
}

void om_canvas_polygon(struct om_canvas *canvas, const struct om_rings *rings,
                       size_t shape)
{
    const size_t end = rings->part_ring[rings->shape_part[shape + 1]];
    for (size_t ring = rings->part_ring[rings->shape_part[shape]]; ring < end;
         ring++) {
        const size_t first = rings->ring_vertex[ring];
        const size_t stop = rings->ring_vertex[ring + 1];
        if (stop - first < 3) continue;
        struct om_spot from =
            om_view_spot(&canvas->view, rings->vertex[stop - 1]);
        for (size_t v = first; v < stop; v++) {
            const struct om_spot to =
                om_view_spot(&canvas->view, rings->vertex[v]);
            line(canvas, from, to);
            from = to;
        }
    }
}

/* A line being drawn, segment by segment. */
struct pen {
    struct om_canvas *canvas;
    int half;           // of the width
    bool round;         // caps
    bool begun;         // there is a segment
    struct om_spot at;  // its end
    struct om_spot by;  // its offset to the left
    struct om_spot first, first_by;
    int64_t low_x, low_y, high_x, high_y;  // where anything can be seen
};

static struct om_spot offset_of(struct om_spot from, struct om_spot to,
                                int half)
{
    const double dx = (double)(to.x - from.x), dy = (double)(to.y - from.y);
    const double scale = half / sqrt(dx * dx + dy * dy);
    return (struct om_spot){llround(dy * scale), llround(-dx * scale)};
}

/* Along the arc around `at` from at + a to at + b, turning clockwise as seen
 * on the map (angle above 0) or the other way; ends are exact. */
static void arc(struct om_canvas *canvas, struct om_spot at, struct om_spot a,
                struct om_spot b, double angle, double step)
{
    const int steps = (int)ceil(fabs(angle) / step);
    struct om_spot from = plus(at, a);
    for (int i = 1; i < steps; i++) {
        const double t = angle * i / steps, c = cos(t), s = sin(t);
        const struct om_spot to = {
            at.x + llround((double)a.x * c - (double)a.y * s),
            at.y + llround((double)a.x * s + (double)a.y * c)};
        line(canvas, from, to);
        from = to;
    }
    line(canvas, from, plus(at, b));
}

/* Half a turn around an end, from at + by to at - by. */
static void cap(const struct pen *pen, struct om_spot at, struct om_spot by)
{
    const struct om_spot back = {-by.x, -by.y};
    if (pen->round && pen->half > FINE)
        arc(pen->canvas, at, by, back, OM_PI, STEP_RAD);
    else
        line(pen->canvas, plus(at, by), minus(at, by));
}

/* Turns below this (as sine over cosine) need no rounding: the corner stands
 * out by less than a hundredth of the width. */
#define SLIGHT 0.3

/* Go around a vertex between two offsets: rounded outside, straight inside. */
static void join(const struct pen *pen, struct om_spot at, struct om_spot a,
                 struct om_spot b)
{
    const struct om_spot na = {-a.x, -a.y}, nb = {-b.x, -b.y};
    const double cross = (double)a.x * (double)b.y - (double)a.y * (double)b.x;
    const double dot = (double)a.x * (double)b.x + (double)a.y * (double)b.y;
    const bool slight = fabs(cross) < SLIGHT * dot;
    const double step = pen->half > FINE ? STEP_RAD : STEP_FINE_RAD;
    // Clockwise turns have their outer side on the left.
    if (cross > 0.0 && !slight)
        arc(pen->canvas, at, a, b, atan2(cross, dot), step);
    else
        line(pen->canvas, plus(at, a), plus(at, b));
    if (cross <= 0.0 && !slight)
        arc(pen->canvas, at, nb, na, -atan2(cross, dot), step);
    else
        line(pen->canvas, plus(at, nb), plus(at, na));
}

static void pen_to(struct pen *pen, struct om_spot to)
{
    const struct om_spot by = offset_of(pen->at, to, pen->half);
    if (pen->begun) {
        join(pen, pen->at, pen->by, by);
    } else {
        pen->first = pen->at;
        pen->first_by = by;
        pen->begun = true;
    }
    line(pen->canvas, plus(pen->at, by), plus(to, by));
    line(pen->canvas, minus(to, by), minus(pen->at, by));
    pen->at = to;
    pen->by = by;
}

static void pen_end(struct pen *pen, bool closed)
{
    if (!pen->begun) return;
    if (closed) {
        join(pen, pen->at, pen->by, pen->first_by);
    } else {
        cap(pen, pen->at, pen->by);
        cap(pen, pen->first,
            (struct om_spot){-pen->first_by.x, -pen->first_by.y});
    }
    pen->begun = false;
}

/* The vertices of a line that are needed: others lie within OFF of the straight
 * way from one needed vertex to the next. Each vertex leaves a wedge of
 * directions in which the way may go on, seen from the last needed one; when a
 * vertex lies outside of it the one before was needed. After Sklansky and
 * Gonzalez (1980), Pattern Recognition 12, 327-331. */
struct thin {
    struct om_spot from, last;  // needed; looked at last
    bool open;                  // no wedge yet
    double far2;                // square of the distance between the two
    double left_x, left_y, right_x, right_y;
};

static void thin_begin(struct thin *t, struct om_spot from)
{
    *t = (struct thin){.from = from, .last = from, .open = true};
}

/* Look at the next vertex. True: the one before, *needed, must be kept. */
static bool thin_next(struct thin *t, struct om_spot to, struct om_spot *needed)
{
    double dx = (double)(to.x - t->from.x), dy = (double)(to.y - t->from.y);
    double length2 = dx * dx + dy * dy;
    bool kept = false;
    // What turns back leaves a tip that is needed.
    if (!t->open &&
        (length2 < t->far2 || t->left_x * dy - t->left_y * dx < 0.0 ||
         t->right_x * dy - t->right_y * dx > 0.0)) {
        *needed = t->from = t->last;
        t->open = kept = true;
        dx = (double)(to.x - t->from.x);
        dy = (double)(to.y - t->from.y);
        length2 = dx * dx + dy * dy;
    }
    t->last = to;
    t->far2 = length2;
    if (length2 <= OFF * OFF) return kept;  // any way goes on from here
    // Directions that pass within OFF of the vertex.
    const double along = sqrt(length2 - OFF * OFF);
    const double lx = dx * along + dy * OFF, ly = dy * along - dx * OFF;
    const double rx = dx * along - dy * OFF, ry = dy * along + dx * OFF;
    if (t->open || t->left_x * ly - t->left_y * lx > 0.0) {
        t->left_x = lx;
        t->left_y = ly;
    }
    if (t->open || t->right_x * ry - t->right_y * rx < 0.0) {
        t->right_x = rx;
        t->right_y = ry;
    }
    t->open = false;
    return kept;
}

/* A walk along a line that gives it to the pen dash by dash. Where dashes
 * begin and end follows from the length walked, which is summed over every
 * segment, so that leaving out those that are not seen changes nothing. */
struct dashes {
    struct pen pen;
    double dash, period;
    double walked;
};

/* May a segment between two places be seen? */
static bool seen(const struct pen *p, struct om_spot a, struct om_spot b)
{
    return !((a.x < p->low_x && b.x < p->low_x) ||
             (a.y < p->low_y && b.y < p->low_y) ||
             (a.x > p->high_x && b.x > p->high_x) ||
             (a.y > p->high_y && b.y > p->high_y));
}

/* The place `along` of `length` behind `from`. */
static struct om_spot between(struct om_spot from, struct om_spot to,
                              double along, double length)
{
    if (along >= length) return to;
    const double t = along <= 0.0 ? 0.0 : along / length;
    return (struct om_spot){from.x + llround((double)(to.x - from.x) * t),
                            from.y + llround((double)(to.y - from.y) * t)};
}

static void dashes_to(struct dashes *d, struct om_spot from, struct om_spot to)
{
    const double dx = (double)(to.x - from.x), dy = (double)(to.y - from.y);
    const double length = sqrt(dx * dx + dy * dy), start = d->walked;
    d->walked += length;
    if (!seen(&d->pen, from, to)) {
        pen_end(&d->pen, false);
        return;
    }
    for (double k = floor(start / d->period); k * d->period < start + length;
         k += 1.0) {
        const double first = k * d->period - start, end = first + d->dash;
        if (end <= 0.0) continue;
        const struct om_spot a = between(from, to, first, length);
        const struct om_spot b = between(from, to, end, length);
        if (first >= 0.0) pen_end(&d->pen, false);
        d->pen.at = a;
        if (a.x != b.x || a.y != b.y) pen_to(&d->pen, b);
        if (end < length) pen_end(&d->pen, false);
    }
}

/* Where a line's needed vertices go: to dashes, or (NULL) to the pen. What
 * cannot be seen is left out: both ends of it lie beyond the window, and so do
 * the caps that are left there. */
static void go_to(struct dashes *d, struct pen *pen, struct om_spot from,
                  struct om_spot to, bool closed)
{
    if (from.x == to.x && from.y == to.y) return;
    if (d) {
        dashes_to(d, from, to);
    } else if (closed || seen(pen, from, to)) {
        pen->at = from;
        pen_to(pen, to);
    } else {
        pen_end(pen, false);
    }
}

static void stroke_line(struct dashes *d, struct pen *pen,
                        const struct om_pos *vertex, size_t count, bool closed)
{
    const struct om_view *view = &pen->canvas->view;
    const struct om_spot first = om_view_spot(view, vertex[0]);
    struct om_spot at = first, needed;
    struct thin thin;
    thin_begin(&thin, first);
    pen->at = first;
    for (size_t i = 1; i <= count; i++) {
        if (i == count && !closed) break;
        const struct om_spot to =
            i < count ? om_view_spot(view, vertex[i]) : first;
        if (!thin_next(&thin, to, &needed)) continue;
        go_to(d, pen, at, needed, closed);
        at = needed;
    }
    go_to(d, pen, at, thin.last, closed);
    pen_end(pen, closed && !d);
}

void om_canvas_stroke(struct om_canvas *canvas, const struct om_pos *vertex,
                      size_t count, bool closed, const struct om_stroke *stroke)
{
    if (count < 2 || stroke->width < 2) return;
    const int64_t margin = stroke->width + 256;
    struct dashes d = {
        .pen = {.canvas = canvas,
                .half = stroke->width / 2,
                .round = stroke->cap == OM_CAP_ROUND,
                .low_x = -margin,
                .low_y = -margin,
                .high_x = (int64_t)canvas->view.width * 256 + margin,
                .high_y = (int64_t)canvas->view.height * 256 + margin},
        .dash = stroke->dash,
        .period = stroke->dash + stroke->gap};
    stroke_line(stroke->dash ? &d : NULL, &d.pen, vertex, count, closed);
}

void om_canvas_outline(struct om_canvas *canvas, const struct om_rings *rings,
                       size_t shape, bool closed,
                       const struct om_stroke *stroke)
{
    const size_t end = rings->part_ring[rings->shape_part[shape + 1]];
    for (size_t ring = rings->part_ring[rings->shape_part[shape]]; ring < end;
         ring++)
        om_canvas_stroke(
            canvas, rings->vertex + rings->ring_vertex[ring],
            rings->ring_vertex[ring + 1] - rings->ring_vertex[ring], closed,
            stroke);
}

void om_canvas_disc(struct om_canvas *canvas, struct om_spot at, int radius)
{
    const struct om_spot left = {-radius, 0}, right = {radius, 0};
    arc(canvas, at, left, right, OM_PI, STEP_RAD);
    arc(canvas, at, right, left, OM_PI, STEP_RAD);
}

/* Corners in 1/256 of the radius, clockwise. */
static const struct {
    int corners, x[4], y[4];
} CORNER[] = {
    [OM_MARK_SQUARE] = {4, {-216, 216, 216, -216}, {-216, -216, 216, 216}},
    [OM_MARK_DIAMOND] = {4, {0, 256, 0, -256}, {-256, 0, 256, 0}},
    [OM_MARK_TRIANGLE] = {3, {0, 256, -256}, {-256, 216, 216}},
};

void om_canvas_mark(struct om_canvas *canvas, enum om_mark mark,
                    struct om_spot at, int radius)
{
    if (mark == OM_MARK_DISC) {
        om_canvas_disc(canvas, at, radius);
        return;
    }
    struct om_spot spot[4];
    const int n = CORNER[mark].corners;
    for (int i = 0; i < n; i++)
        spot[i] = (struct om_spot){at.x + CORNER[mark].x[i] * radius / 256,
                                   at.y + CORNER[mark].y[i] * radius / 256};
    for (int i = 0; i < n; i++)
        om_raster_line(&canvas->raster, spot[i], spot[(i + 1) % n]);
}
