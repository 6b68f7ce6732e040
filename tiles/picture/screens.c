/* screens.c - panels and labels of a wall of several screens.
 *
 * DESIGN
 * What is read must not lie behind a bezel or on both sides of one. The map
 * goes on behind bezels, words do not: labels are placed screen by screen and
 * not in the squares of the world (label.h), with a little room to the edges,
 * so that no halo is cut. What belongs to a place behind a bezel stands on the
 * nearer screen. A screen larger than a square of labels is cut into equal
 * windows. They are made a row of screens at a time: as much memory as the
 * strips that need them.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "tiles/picture/wall_internal.h"

/* Between a panel and the edge of its screen, between two panels; pixels of
 * design. */
#define MARGIN 16
/* Between a label's box and the edge of its screen: as far as a halo reaches
 * (om_labels_draw). */
#define EDGE 8

static unsigned screen_w(const struct om_wall *w)
{
    return w->width / w->columns;
}
static unsigned screen_h(const struct om_wall *w)
{
    return w->height / w->rows;
}

struct om_label_box om__wall_screen(const struct om_wall *wall, unsigned column,
                                    unsigned row)
{
    const unsigned width = screen_w(wall), height = screen_h(wall);
    const int64_t x = wall->view.x + (int64_t)column * (width + wall->gap_x);
    const int64_t y = wall->view.y + (int64_t)row * (height + wall->gap_y);
    return (struct om_label_box){x, y, x + width, y + height};
}

/* ---- panels ---- */

/* Panels being placed. */
struct placing {
    const struct om_wall *wall;
    struct om__panel *panel;
    size_t panels;
    unsigned width, height;  // of the one that wants a place
};

static bool is_taken(const struct placing *p, const struct om_label_box *box)
{
    const int64_t room = MARGIN * (int64_t)p->wall->style.ratio;
    for (size_t i = 0; i < p->panels; i++) {
        const struct om_label_box *b = &p->panel[i].box;
        if (box->x0 < b->x1 + room && b->x0 < box->x1 + room &&
            box->y0 < b->y1 + room && b->y0 < box->y1 + room)
            return true;
    }
    return false;
}

/* A panel in a corner of a screen. False if it is too large for it. */
static bool in_corner(const struct placing *p, unsigned column, unsigned row,
                      bool right, bool top, struct om_label_box *out)
{
    const struct om_label_box s = om__wall_screen(p->wall, column, row);
    const int64_t margin = MARGIN * (int64_t)p->wall->style.ratio;
    const int64_t x = right ? s.x1 - margin - p->width : s.x0 + margin;
    const int64_t y = top ? s.y0 + margin : s.y1 - margin - p->height;
    *out = (struct om_label_box){x, y, x + p->width, y + p->height};
    return out->x0 >= s.x0 + margin && out->x1 <= s.x1 - margin &&
           out->y0 >= s.y0 + margin && out->y1 <= s.y1 - margin;
}

/* The first corner that is free, from the wall's lower left (right) on. */
static bool find_corner(const struct placing *p, bool right,
                        struct om_label_box *out)
{
    const struct om_wall *w = p->wall;
    for (unsigned r = w->rows; r-- > 0;)
        for (unsigned c = 0; c < w->columns; c++)
            for (unsigned corner = 0; corner < 4; corner++) {
                const unsigned column = right ? w->columns - 1 - c : c;
                // Down before up, the own side before the other.
                if (in_corner(p, column, r, right != (corner > 1), corner & 1,
                              out) &&
                    !is_taken(p, out))
                    return true;
            }
    return false;
}

static om_status measure(struct placing *p, size_t first, size_t keys,
                         struct om_arena *arena)
{
    const struct om_wall *w = p->wall;
    return keys ? om_keys_size(&w->style, &w->key[first], keys, arena,
                               &p->width, &p->height)
                : om_key_note_size(&w->style, w->note, arena, &p->width,
                                   &p->height);
}

/* Place keys, or the note. `force`: in its corner, whatever is there. */
static om_status place_panel(struct placing *p, size_t first, size_t keys,
                             bool force, struct om_arena *arena)
{
    struct om__panel panel = {.first = first, .keys = keys};
    OM_TRY(measure(p, first, keys, arena));
    if (!p->width || !p->height) return OM_OK;
    if (!find_corner(p, !keys, &panel.box)) {
        if (!force) return OM_E_LIMIT;
        (void)in_corner(p, keys ? 0 : p->wall->columns - 1, p->wall->rows - 1,
                        !keys, false, &panel.box);
    }
    p->panel[p->panels++] = panel;
    return OM_OK;
}

om_status om__wall_panels(const struct om_wall *wall, struct om_arena *arena,
                          struct om__panel panel[OM__PANELS], size_t *panels)
{
    struct placing p = {.wall = wall, .panel = panel};
    const bool one = wall->columns * wall->rows == 1;
    om_status st = OM_OK;
    if (wall->keys) st = place_panel(&p, 0, wall->keys, one, arena);
    // Too large together: each on its own.
    for (size_t i = 0; st == OM_E_LIMIT && i < wall->keys; i++) {
        const om_status own = place_panel(&p, i, 1, false, arena);
        if (own) return own;
        if (i + 1 == wall->keys) st = OM_OK;
    }
    if (!st && wall->note) st = place_panel(&p, 0, 0, one, arena);
    *panels = p.panels;
    return st;
}

/* ---- labels ---- */

/* The highest base map that has labels: all have the same. */
static const struct om_picture *labels_of(const struct om_wall *wall)
{
    for (size_t i = wall->pictures; i-- > 0;) {
        const struct om_picture *p = wall->picture[i];
        if (p->kind == OM_PICTURE_BASE && p->labels && p->base) return p;
    }
    return NULL;
}

/* The part `i` of `n` of a side of a screen, and the places it names. */
struct span {
    int64_t from, upto, home_from, home_upto;
};
static struct span span_of(int64_t low, int64_t high, unsigned i, unsigned n,
                           int64_t edge, unsigned before, unsigned behind)
{
    const int64_t side = high - low;
    struct span s = {.from = low + side * i / n,
                     .upto = low + side * (i + 1) / n};
    s.home_from = s.from - (i ? 0 : before);
    s.home_upto = s.upto + (i + 1 < n ? 0 : behind);
    if (!i) s.from += edge;
    if (i + 1 == n) s.upto -= edge;
    return s;
}

static struct om_view view_of(const struct om_wall *wall, int64_t x0,
                              int64_t x1, int64_t y0, int64_t y1)
{
    struct om_view v = wall->view;
    v.x = x0;
    v.y = y0;
    v.width = x1 > x0 ? (unsigned)(x1 - x0) : 0;
    v.height = y1 > y0 ? (unsigned)(y1 - y0) : 0;
    return v;
}

/* Parts of a side that are no larger than squares of labels. */
static unsigned parts_of(const struct om_wall *wall, unsigned side)
{
    const unsigned most = OM_LABEL_SQUARE_PX * wall->view.ratio;
    return (side + most - 1) / most;
}

static void cut_screen(const struct om_wall *wall, unsigned column,
                       unsigned row, struct om__screen_labels *out)
{
    const struct om_label_box s = om__wall_screen(wall, column, row);
    const int64_t edge = EDGE * (int64_t)wall->view.ratio;
    const unsigned across = parts_of(wall, screen_w(wall));
    const unsigned down = parts_of(wall, screen_h(wall));
    // Half of what lies behind a bezel belongs to either side.
    const unsigned left = column ? wall->gap_x - wall->gap_x / 2 : 0;
    const unsigned right = column + 1 < wall->columns ? wall->gap_x / 2 : 0;
    const unsigned above = row ? wall->gap_y - wall->gap_y / 2 : 0;
    const unsigned below = row + 1 < wall->rows ? wall->gap_y / 2 : 0;
    for (unsigned i = 0; i < across * down; i++) {
        const struct span x =
            span_of(s.x0, s.x1, i % across, across, edge, left, right);
        const struct span y =
            span_of(s.y0, s.y1, i / across, down, edge, above, below);
        struct om__screen_window *w = &out->window[out->count];
        w->view = view_of(wall, x.from, x.upto, y.from, y.upto);
        w->home =
            view_of(wall, x.home_from, x.home_upto, y.home_from, y.home_upto);
        if (w->view.width && w->view.height) out->count++;
    }
}

struct planning {
    const struct om_picture *picture;
    struct om__screen_labels *labels;
    struct om_label_box taken[OM__PANELS];
    size_t panels;
};

static om_status plan_windows(void *ctx, size_t first, size_t end, size_t lane)
{
    const struct planning *p = ctx;
    (void)lane;
    for (size_t i = first; i < end; i++) {
        struct om__screen_window *w = &p->labels->window[i];
        OM_TRY(om_base_window(p->picture->base, &w->view, &w->home, p->taken,
                              p->panels, &w->labels));
    }
    return OM_OK;
}

om_status om__screen_labels_make(const struct om_wall *wall, unsigned row,
                                 const struct om__panel *panel, size_t panels,
                                 struct om__screen_labels *out)
{
    om__screen_labels_deinit(out);
    struct planning p = {
        .picture = labels_of(wall), .labels = out, .panels = panels};
    if (!p.picture) return OM_OK;
    for (size_t i = 0; i < panels; i++) p.taken[i] = panel[i].box;
    const size_t most = (size_t)wall->columns * parts_of(wall, screen_w(wall)) *
                        parts_of(wall, screen_h(wall));
    out->picture = p.picture;
    out->window = om_calloc(most, sizeof *out->window);
    if (!out->window) return OM_E_MEMORY;
    for (unsigned c = 0; c < wall->columns; c++) cut_screen(wall, c, row, out);
    return om_parallel(out->count, 1, plan_windows, &p);
}

void om__screen_labels_deinit(struct om__screen_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        om_base_square_unref(labels->window[i].labels);
    om_free(labels->window);
    *labels = (struct om__screen_labels){0};
}

om_status om__screen_labels_draw(const struct om__screen_labels *labels,
                                 struct om_canvas *canvas,
                                 struct om_arena *arena)
{
    for (size_t i = 0; i < labels->count; i++)
        OM_TRY(om_base_square_draw(labels->picture->base,
                                   labels->picture->palette,
                                   labels->window[i].labels, canvas, arena));
    return OM_OK;
}
