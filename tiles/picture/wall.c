/* wall.c - large pictures: painted in pieces, put together in strips.
 *
 * DESIGN
 * Nothing that is painted depends on the window (view.h), so a large picture
 * is cut into pieces which threads paint on their own. Pieces never cross a
 * bezel. Legends and notes stand on one screen each (screens.c) and are drawn
 * like everything else, by every piece that they meet.
 */
#include "tiles/picture/wall_internal.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "tiles/picture/heatmap.h"
#include "tiles/png.h"

/* Largest pieces, pixels. They end where windows of heat maps end. */
#define PIECE_W 1024
#define PIECE_H 512

om_status om_wall_fit(struct om_wall *wall, struct om_box box, unsigned ratio)
{
    const double width =
        om_wall_behind(wall->width, wall->columns, wall->gap_x);
    const double height = om_wall_behind(wall->height, wall->rows, wall->gap_y);
    if (box.x0 > box.x1 || box.y0 > box.y1) return OM_E_RANGE;
    const double dx = (double)box.x1 - box.x0 + 1.0;
    const double dy = (double)box.y1 - box.y0 + 1.0;
    double world = fmin(width / dx, height / dy) * OM_POS_SIDE * 256.0;
    const double tile = exp2(round(log2(world)));
    if (fabs(world / tile - 1.0) < 1e-6) world = tile;
    if (!(world <= (double)OM_VIEW_WORLD_MAX) || world < 65536.0)
        return OM_E_RANGE;
    wall->view = (struct om_view){
        .world = (uint64_t)llround(world),
        .width = (unsigned)width,
        .height = (unsigned)height,
        .ratio = ratio,
    };
    const double per = world / (256.0 * OM_POS_SIDE);
    wall->view.x = llround((box.x0 + dx / 2) * per - width / 2);
    wall->view.y = llround((box.y0 + dy / 2) * per - height / 2);
    return OM_OK;
}

om_status om_wall_centre(struct om_wall *wall, double x, double y, double zoom,
                         unsigned ratio)
{
    const double world = exp2(zoom) * 65536.0 * ratio;
    const unsigned width =
        om_wall_behind(wall->width, wall->columns, wall->gap_x);
    const unsigned height =
        om_wall_behind(wall->height, wall->rows, wall->gap_y);
    if (!(world <= (double)OM_VIEW_WORLD_MAX) || world < 65536.0)
        return OM_E_RANGE;
    const double per = world / (256.0 * OM_POS_SIDE);
    wall->view = (struct om_view){.world = (uint64_t)llround(world),
                                  .x = llround(x * per - width / 2.0),
                                  .y = llround(y * per - height / 2.0),
                                  .width = width,
                                  .height = height,
                                  .ratio = ratio};
    return OM_OK;
}

/* A picture being made. */
struct making {
    const struct om_wall *wall;
    unsigned screen_w, screen_h;
    unsigned pieces;           // in a strip
    unsigned *piece_x;         // [pieces + 1] where they begin
    unsigned first_row, rows;  // of the strip
    uint8_t (*strip)[4];       // [rows * width]
    struct om_arena *arena;    // [threads]
    size_t panels;
    struct om__panel panel[OM__PANELS];
    struct om__screen_labels labels;  // of the row of screens; with bezels
};

/* Where a pixel of the picture lies among those of the map. */
static int64_t behind_x(const struct making *m, unsigned x)
{
    return m->wall->view.x + x + (int64_t)(x / m->screen_w) * m->wall->gap_x;
}
static int64_t behind_y(const struct making *m, unsigned y)
{
    return m->wall->view.y + y + (int64_t)(y / m->screen_h) * m->wall->gap_y;
}

static bool has_bezels(const struct om_wall *w)
{
    return w->columns > 1 || w->rows > 1;
}

static om_status paint_panel(const struct om_wall *w,
                             const struct om__panel *panel,
                             struct om_canvas *canvas, struct om_arena *arena)
{
    const struct om_label_box *b = &panel->box;
    const struct om_view *v = &canvas->view;
    if (b->x0 >= v->x + v->width || b->x1 <= v->x ||
        b->y0 >= v->y + v->height || b->y1 <= v->y)
        return OM_OK;
    return panel->keys ? om_keys_draw(&w->style, &w->key[panel->first],
                                      panel->keys, canvas, b->x0, b->y0, arena)
                       : om_key_note_draw(&w->style, w->note, canvas, b->x0,
                                          b->y0, arena);
}

/* A picture that what lies below is seen through. */
static om_status paint_clear(const struct om_picture *picture, unsigned clear,
                             struct om_canvas *canvas, struct om_arena *arena)
{
    const size_t pixels = (size_t)canvas->view.width * canvas->view.height;
    struct om_canvas sheet = *canvas;
    sheet.pixel = om_arena_calloc(arena, pixels, 4);
    if (!sheet.pixel) return OM_E_MEMORY;
    OM_TRY(om_picture_draw(picture, true, false, &sheet, arena));
    canvas->raster = sheet.raster;
    for (size_t i = 0; i < pixels; i++)
        for (unsigned k = 0; k < 4; k++)
            sheet.pixel[i][k] =
                (uint8_t)((sheet.pixel[i][k] * (100u - clear) + 50u) / 100u);
    om_canvas_over(canvas, (const uint8_t(*)[4])sheet.pixel);
    return OM_OK;
}

static om_status paint(const struct making *m, struct om_canvas *canvas,
                       struct om_arena *arena)
{
    const struct om_wall *w = m->wall;
    if (w->ground.a) om_canvas_flood(canvas, w->ground);
    for (size_t i = 0; i < w->pictures; i++)
        OM_TRY(
            w->clear[i]
                ? paint_clear(w->picture[i], w->clear[i], canvas, arena)
                : om_picture_draw(w->picture[i], true, false, canvas, arena));
    if (has_bezels(w)) {
        OM_TRY(om__screen_labels_draw(&m->labels, canvas, arena));
    } else {
        for (size_t i = 0; i < w->pictures; i++)
            OM_TRY(om_picture_draw(w->picture[i], false, true, canvas, arena));
    }
    for (size_t i = 0; i < m->panels; i++)
        OM_TRY(paint_panel(w, &m->panel[i], canvas, arena));
    return OM_OK;
}

/* Where a piece from `x` on ends: at a window's end, within its screen. */
static unsigned piece_end(const struct making *m, unsigned x)
{
    const unsigned screen = (x / m->screen_w + 1) * m->screen_w;
    const int64_t shift = behind_x(m, x) - x;
    unsigned end = x;
    while (end < screen) {
        const int64_t next =
            om_heatmap_next(&m->wall->view, end + shift) - shift;
        if (next > x + PIECE_W && end > x) break;
        end = next < screen ? (unsigned)next : screen;
    }
    return end;
}

static om_status cut_pieces(struct making *m)
{
    m->piece_x = om_alloc_array((size_t)m->wall->width + 1, sizeof(unsigned));
    if (!m->piece_x) return OM_E_MEMORY;
    m->piece_x[0] = 0;
    while (m->piece_x[m->pieces] < m->wall->width) {
        const unsigned end = piece_end(m, m->piece_x[m->pieces]);
        m->piece_x[++m->pieces] = end;
    }
    return OM_OK;
}

/* Rows of the strip that begins at `y`. */
static unsigned strip_rows(const struct making *m, unsigned y)
{
    const unsigned screen = m->screen_h - y % m->screen_h;
    const int64_t at = behind_y(m, y);
    const int64_t rows = om_heatmap_next(&m->wall->view, at) - at;
    return rows < screen ? (unsigned)rows : screen;
}

static om_status paint_piece(void *ctx, size_t first, size_t end, size_t lane)
{
    const struct making *m = ctx;
    struct om_arena *arena = &m->arena[lane];
    om_status st = OM_OK;
    for (size_t i = first; i < end && !st; i++) {
        const unsigned x = m->piece_x[i];
        struct om_view view = m->wall->view;
        view.x = behind_x(m, x);
        view.y = behind_y(m, m->first_row);
        view.width = m->piece_x[i + 1] - x;
        view.height = m->rows;
        struct om_canvas canvas;
        st = om_canvas_init(&canvas, &view, arena);
        if (!st) st = paint(m, &canvas, arena);
        for (unsigned y = 0; y < m->rows && !st; y++)
            memcpy(m->strip[(size_t)y * m->wall->width + x],
                   canvas.pixel[(size_t)y * view.width], view.width * 4);
        om_arena_reset(arena);
    }
    return st;
}

static om_status write_strips(struct making *m, bool (*cancelled)(void *ctx),
                              void *ctx, struct om_png_rows *rows)
{
    const struct om_wall *w = m->wall;
    for (unsigned y = 0; y < w->height; y += m->rows) {
        if (cancelled && cancelled(ctx)) return OM_E_STOPPED;
        if (has_bezels(w) && y % m->screen_h == 0)
            OM_TRY(om__screen_labels_make(w, y / m->screen_h, m->panel,
                                          m->panels, &m->labels));
        m->first_row = y;
        m->rows = strip_rows(m, y);
        OM_TRY(om_parallel(m->pieces, 1, paint_piece, m));
        OM_TRY(om_png_rows_add(rows, m->strip, m->rows));
    }
    return om_png_rows_end(rows);
}

static bool is_whole(const struct om_wall *w)
{
    return w->width && w->height && w->columns && w->rows &&
           w->width <= OM_WALL_SIDE_MAX && w->height <= OM_WALL_SIDE_MAX &&
           w->columns <= OM_WALL_SCREENS && w->rows <= OM_WALL_SCREENS &&
           w->width % w->columns == 0 && w->height % w->rows == 0;
}

om_status om_wall_png(const struct om_wall *wall, bool (*cancelled)(void *ctx),
                      void *ctx, struct om_buf *png)
{
    if (!is_whole(wall)) return OM_E_RANGE;
    struct making m = {.wall = wall,
                       .screen_w = wall->width / wall->columns,
                       .screen_h = wall->height / wall->rows};
    struct om_png_rows *rows = NULL;
    const size_t before = png->len, threads = om_threads();
    m.strip = om_alloc_array((size_t)wall->width * PIECE_H, 4);
    m.arena = om_calloc(threads, sizeof *m.arena);
    om_status st = m.strip && m.arena
                       ? om__wall_panels(wall, &m.arena[0], m.panel, &m.panels)
                       : OM_E_MEMORY;
    if (!st) st = cut_pieces(&m);
    if (!st)
        st = om_png_rows_begin(wall->width, wall->height, wall->ground.a == 255,
                               png, &rows);
    if (!st) st = write_strips(&m, cancelled, ctx, rows);
    if (st) png->len = before;
    om_png_rows_free(rows);
    om__screen_labels_deinit(&m.labels);
    for (size_t i = 0; m.arena && i < threads; i++)
        om_arena_deinit(&m.arena[i]);
    om_free(m.arena);
    om_free(m.piece_x);
    om_free(m.strip);
    return st;
}
