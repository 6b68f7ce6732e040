/* rows.c - dots, and pixels that stand for many.
 *
 * DESIGN
 * A window's rows are a few ranges of Morton codes: quarters of the world that
 * lie in it whole, and along its rim quarters of a few pixels whose rows are
 * tested. Dots of one class that fall on the same pixel are one dot. Dots are
 * painted class by class, and in the order of pixels within a class, so that
 * what lies on top is the same in every window and however rows are stored.
 * Where dots would be smaller than a pixel, rows are counted instead: a pixel
 * gets the colour of the class that most of its rows have, and its opacity
 * rises with the logarithm of how many they are.
 */
#include "tiles/picture/rows.h"

#include <math.h>
#include <string.h>

#include "data/base/hash.h"
#include "engine/query/shapes.h"

/* Dots may cover so much of the box of all rows. */
#define COVER_MOST 0.10
/* Largest dots by zoom: diameters in half pixels. */
#define DOT_MOST 13
/* Shapes smaller than this are drawn as points, pixels. */
#define SHAPE_LEAST_PX 1.4
/* Polygons smaller than this have no outline. */
#define EDGE_LEAST_PX 6.0

struct om_colour om_rows_edge(enum om_palette palette)
{
    return om_colour_fade(palette == OM_PALETTE_DARK ? om_colour_of(0x0B111B)
                                                     : om_colour_of(0xFFFFFF),
                          210);
}

/* ---- which rows lie in a window ---- */

struct gather {
    const struct om_rows_spec *spec;
    struct om_view view;
    struct om_box box;
    unsigned rim_level;  // quarters of this level are tested row by row
    size_t part;
    const struct om_segment *segment;
    struct om_class_rows classes;
    // [from, to) of the part; test: only those in the box
    om_status (*take)(struct gather *g, size_t from, size_t to, bool test);
    struct paper *paper;
    // Positions are pixels after a shift by this, at scales of tiles; else 0
    unsigned shift;
    uint64_t rows;  // when counting
};

static om_status descend(struct gather *g, uint64_t code, unsigned level)
{
    const unsigned shift = 32 - level;
    const uint32_t x = om_morton_squeeze(code),
                   y = om_morton_squeeze(code >> 1);
    const uint32_t side = shift == 32 ? UINT32_MAX : (UINT32_C(1) << shift) - 1;
    const uint32_t x0 = shift == 32 ? 0 : x << shift;
    const uint32_t y0 = shift == 32 ? 0 : y << shift;
    const struct om_box b = g->box;
    if (x0 > b.x1 || x0 + side < b.x0 || y0 > b.y1 || y0 + side < b.y0)
        return OM_OK;
    const bool inside =
        x0 >= b.x0 && x0 + side <= b.x1 && y0 >= b.y0 && y0 + side <= b.y1;
    if (inside || level >= g->rim_level) {
        size_t from, to;
        const uint64_t first = level ? code << (64 - 2 * level) : 0;
        const uint64_t end = level ? (code + 1) << (64 - 2 * level) : 0;
        OM_TRY(om_segment_range(g->segment, first, end, &from, &to));
        return from < to ? g->take(g, from, to, !inside) : OM_OK;
    }
    for (uint64_t i = 0; i < 4; i++)
        OM_TRY(descend(g, code << 2 | i, level + 1));
    return OM_OK;
}

/* Level of quarters of some 8 pixels. */
static unsigned rim_level(const struct om_view *view)
{
    const double level = log2((double)view->world / (256.0 * 8.0));
    return level < 1.0 ? 1 : level > 32.0 ? 32 : (unsigned)level;
}

static om_status gather_all(struct gather *g, unsigned margin_px)
{
    g->box = om_view_box(&g->view, margin_px);
    g->rim_level = rim_level(&g->view);
    if (g->box.x0 > g->box.x1) return OM_OK;
    for (g->part = 0; g->part < g->spec->layer->parts; g->part++) {
        g->segment = g->spec->layer->part[g->part].segment;
        if (om_segment_rows(g->segment)) OM_TRY(descend(g, 0, 0));
    }
    return OM_OK;
}

static om_status count_rows(struct gather *g, size_t from, size_t to, bool test)
{
    (void)test;
    g->rows += to - from;
    return OM_OK;
}

uint64_t om_rows_cost(const struct om_rows_spec *spec,
                      const struct om_view *view)
{
    struct gather g = {.spec = spec, .view = *view, .take = count_rows};
    return gather_all(&g, om_rows_reach_px(spec, view)) ? spec->layer->rows
                                                        : g.rows;
}

/* ---- sizes ---- */

/* Pixels in the box of all of a layer's rows; at least 1. */
static double box_area_px(const struct om_rows_spec *spec,
                          const struct om_view *view)
{
    const struct om_box all = spec->classes->box;
    if (all.x0 > all.x1) return 1.0;
    const double px = (double)view->world / (OM_POS_SIDE * 256.0);
    return ((double)(all.x1 - all.x0) * px + 1.0) *
           ((double)(all.y1 - all.y0) * px + 1.0);
}

struct om_rows_room om_rows_room(const struct om_rows_spec *spec,
                                 const struct om_view *view)
{
    const double zoom = om_view_zoom(view);
    return (struct om_rows_room){
        .area_px = box_area_px(spec, view),
        .dot_most = (unsigned)fmin(DOT_MOST, fmax(5.0, 2.0 * (zoom - 9.0)))};
}

unsigned om_rows_dot(const struct om_rows_spec *spec,
                     const struct om_view *view)
{
    if (!spec->selection->count) return DOT_MOST;
    const struct om_rows_room room = om_rows_room(spec, view);
    const double each =
        room.area_px * COVER_MOST /
        ((double)view->ratio * view->ratio * (double)spec->selection->count);
    // A disc of that area; in half pixels.
    const double d = floor(4.0 * sqrt(each / OM_PI));
    return d < 3.0 ? 0 : (unsigned)fmin(d, room.dot_most);
}

/* What a dot is drawn with: diameters in 1/256 pixel. */
struct dot_size {
    unsigned inner, rim;  // rim 0: none
};

static struct dot_size dot_size(unsigned dot, unsigned ratio)
{
    const unsigned inner = dot * 128 * ratio;
    return (struct dot_size){inner, dot >= 6 ? inner + 512 * ratio : 0};
}

/* Pixels beyond the one in whose middle a disc is drawn that it reaches. */
static unsigned disc_reach_px(unsigned diameter)
{
    return (diameter / 2 + 127) / 256;
}

static unsigned dot_reach_px(struct dot_size size)
{
    return disc_reach_px(size.rim ? size.rim : size.inner);
}

unsigned om_rows_dot_reach_px(unsigned dot, unsigned ratio)
{
    return dot_reach_px(dot_size(dot, ratio));
}

/* Width of a layer's shapes in pixels of design, as is usual for it. */
static double shape_px(const struct om_rows_spec *spec,
                       const struct om_view *view)
{
    return spec->classes->shape_cells * (double)view->world /
           (OM_POS_SIDE * 256.0 * view->ratio);
}

/* The outline of a shape; width 0: it has none. */
static struct om_stroke shape_stroke(const struct om_rows_spec *spec,
                                     const struct om_view *view)
{
    const int ratio = (int)view->ratio;
    if (spec->layer->schema.geometry == OM_GEOMETRY_LINE)
        return (struct om_stroke){
            .width = (om_view_zoom(view) < 13 ? 256 : 512) * ratio,
            .cap = OM_CAP_ROUND};
    return (struct om_stroke){
        .width = shape_px(spec, view) < EDGE_LEAST_PX ? 0 : 200 * ratio};
}

unsigned om_rows_reach_px(const struct om_rows_spec *spec,
                          const struct om_view *view)
{
    if (spec->layer->schema.geometry == OM_GEOMETRY_POINT) {
        const unsigned dot = om_rows_dot(spec, view);
        return dot ? dot_reach_px(dot_size(dot, view->ratio)) : 0;
    }
    if (shape_px(spec, view) < SHAPE_LEAST_PX) return 0;
    const int width = shape_stroke(spec, view).width;
    return width ? om_stroke_reach_px(width) : 0;
}

/* ---- dots ---- */

/* A dot: where its middle is, in pixels of the window and its margin. */
struct dot {
    uint16_t x, y;
};

/* What is gathered before it is painted. */
struct paper {
    struct om_arena *arena;
    unsigned width, height, margin;  // of the window with its margin
    size_t classes;
    uint16_t *seen;    // [height * width] classes that have a dot there
    uint32_t *counts;  // [height * width * classes]
    struct dot *dot[OM_CLASSES_MOST];
    size_t dots[OM_CLASSES_MOST];
};

/* Where dots are, as lists: by class, in the order of pixels. */
static om_status list_dots(struct paper *p)
{
    const size_t pixels = (size_t)p->width * p->height;
    for (size_t i = 0; i < pixels; i++)
        for (unsigned left = p->seen[i]; left; left &= left - 1)
            p->dots[__builtin_ctz(left)]++;
    for (size_t c = 0; c < p->classes; c++) {
        p->dot[c] =
            om_arena_alloc(p->arena, (p->dots[c] + 1) * sizeof **p->dot);
        if (!p->dot[c]) return OM_E_MEMORY;
        p->dots[c] = 0;
    }
    for (size_t i = 0; i < pixels; i++)
        for (unsigned left = p->seen[i]; left; left &= left - 1) {
            const int c = __builtin_ctz(left);
            p->dot[c][p->dots[c]++] = (struct dot){(uint16_t)(i % p->width),
                                                   (uint16_t)(i / p->width)};
        }
    return OM_OK;
}

/* The shift that makes pixels of positions; 0 where it is no whole one. */
static unsigned pixel_shift(const struct om_view *view)
{
    const unsigned log = (unsigned)__builtin_ctzll(view->world);
    return view->world >> log == 1 && log > 8 && log < 40 ? 40 - log : 0;
}

static inline int64_t pixel_at(const struct gather *g, uint32_t cell)
{
    return g->shift ? (int64_t)(cell >> g->shift)
                    : om_view_scale(g->view.world, cell) >> 8;
}

/* The pixel of a position in the window with its margin; false outside. */
static inline bool pixel_of(const struct gather *g, uint64_t key, unsigned *x,
                            unsigned *y)
{
    const struct om_pos pos = om_morton_pos(key);
    const int64_t px = pixel_at(g, pos.x) - g->view.x + g->paper->margin;
    const int64_t py = pixel_at(g, pos.y) - g->view.y + g->paper->margin;
    if (px < 0 || py < 0 || px >= g->paper->width || py >= g->paper->height)
        return false;
    *x = (unsigned)px;
    *y = (unsigned)py;
    return true;
}

static om_status take_dots(struct gather *g, size_t from, size_t to, bool test)
{
    const uint64_t *key;
    (void)test;  // pixel_of does
    OM_TRY(om_segment_keys(g->segment, from, to, &key));
    for (size_t row = from; row < to; row++) {
        unsigned x, y;
        if (!om_selection_has(g->spec->selection, g->part, row) ||
            !pixel_of(g, key[row], &x, &y))
            continue;
        const uint8_t class = om_class_of_row(&g->classes, row);
        uint16_t *seen = &g->paper->seen[(size_t)y * g->paper->width + x];
        if (class != OM_NO_CLASS) *seen = (uint16_t)(*seen | 1u << class);
    }
    return OM_OK;
}

static om_status take_counts(struct gather *g, size_t from, size_t to,
                             bool test)
{
    const uint64_t *key;
    (void)test;
    OM_TRY(om_segment_keys(g->segment, from, to, &key));
    uint32_t *counts = g->paper->counts;
    for (size_t row = from; row < to; row++) {
        unsigned x, y;
        if (!om_selection_has(g->spec->selection, g->part, row) ||
            !pixel_of(g, key[row], &x, &y))
            continue;
        const uint8_t class = om_class_of_row(&g->classes, row);
        if (class != OM_NO_CLASS)
            counts[((size_t)y * g->paper->width + x) * g->paper->classes +
                   class]++;
    }
    return OM_OK;
}

/* Parts one after the other, each with its own codes of classes. */
static om_status gather_rows(struct gather *g, struct om_arena *arena)
{
    const struct om_layer *layer = g->spec->layer;
    g->box = om_view_box(&g->view, g->paper->margin);
    g->shift = pixel_shift(&g->view);
    g->rim_level = rim_level(&g->view);
    if (g->box.x0 > g->box.x1) return OM_OK;
    for (g->part = 0; g->part < layer->parts; g->part++) {
        g->segment = layer->part[g->part].segment;
        if (!om_segment_rows(g->segment)) continue;
        OM_TRY(om_class_rows_init(g->spec->classes, &layer->part[g->part],
                                  arena, &g->classes));
        OM_TRY(descend(g, 0, 0));
    }
    return OM_OK;
}

static om_status paper_init(struct paper *p, const struct om_rows_spec *spec,
                            const struct om_view *view, unsigned margin,
                            struct om_arena *arena)
{
    *p = (struct paper){.arena = arena,
                        .width = view->width + 2 * margin,
                        .height = view->height + 2 * margin,
                        .margin = margin,
                        .classes = spec->classes->count};
    const size_t pixels = (size_t)p->width * p->height;
    if (margin) {
        p->seen = om_arena_calloc(arena, pixels, sizeof *p->seen);
        return p->seen ? OM_OK : OM_E_MEMORY;
    }
    p->counts =
        om_arena_calloc(arena, pixels * p->classes + 1, sizeof *p->counts);
    return p->counts ? OM_OK : OM_E_MEMORY;
}

/* A mark in the middle of an odd square, as covers. */
static om_status mask_of(enum om_mark mark, unsigned diameter,
                         struct om_arena *arena, struct om_canvas *out)
{
    const unsigned side = 2 * disc_reach_px(diameter) + 1;
    const struct om_view view = {
        .world = 1 << 20, .width = side, .height = side, .ratio = 1};
    OM_TRY(om_canvas_init(out, &view, arena));
    const struct om_spot middle = {(int64_t)side * 128, (int64_t)side * 128};
    om_canvas_mark(out, mark, middle, (int)diameter / 2);
    om_canvas_fill(out, om_colour_of(0xFFFFFF));
    uint8_t *cover = out->pixel[0];
    for (size_t i = 0; i < (size_t)side * side; i++)
        cover[i] = out->pixel[i][3];
    return OM_OK;
}

static void paint_class(const struct paper *p, size_t class,
                        const struct om_canvas *mask, struct om_colour colour,
                        struct om_canvas *canvas)
{
    const unsigned side = mask->view.width;
    const int64_t x0 = canvas->view.x - (int64_t)p->margin - side / 2;
    const int64_t y0 = canvas->view.y - (int64_t)p->margin - side / 2;
    for (size_t i = 0; i < p->dots[class]; i++)
        om_canvas_mask(canvas, x0 + p->dot[class][i].x, y0 + p->dot[class][i].y,
                       side, side, mask->pixel[0], colour);
}

static om_status draw_dots(const struct om_rows_spec *spec, unsigned dot,
                           struct om_canvas *canvas, struct om_arena *arena)
{
    struct paper paper;
    struct gather g = {
        .spec = spec, .view = canvas->view, .take = take_dots, .paper = &paper};
    const struct dot_size size = dot_size(dot, canvas->view.ratio);
    OM_TRY(paper_init(&paper, spec, &canvas->view, dot_reach_px(size), arena));
    OM_TRY(gather_rows(&g, arena));
    OM_TRY(list_dots(&paper));
    const struct om_colour edge = om_rows_edge(spec->palette);
    for (size_t c = 0; c < spec->classes->count; c++) {
        const struct om_class *class = &spec->classes->class[c];
        struct om_canvas mask, ring;
        if (!paper.dots[c]) continue;
        // What is a few pixels wide has no shape to be read.
        const enum om_mark mark = size.rim ? class->mark : OM_MARK_DISC;
        OM_TRY(mask_of(mark, size.inner, arena, &mask));
        if (size.rim) {
            OM_TRY(mask_of(mark, size.rim, arena, &ring));
            paint_class(&paper, c, &ring, edge, canvas);
        }
        paint_class(&paper, c, &mask, class->colour[spec->palette], canvas);
    }
    return OM_OK;
}

/* ---- pixels that stand for many ---- */

uint8_t om_rows_weight(unsigned step)
{
    return (uint8_t)(60 + 195 * step / (OM_ROWS_WEIGHTS - 1));
}

/* Rows in a pixel that are drawn solid: four times what a pixel of the box of
 * all rows has on average, 32 at least. In steps of an eighth of a doubling,
 * so that a single row more does not change pixels far from it. */
#define SOLID_STEPS 8.0
static double solid_rows(const struct om_rows_spec *spec,
                         const struct om_view *view)
{
    const double rows = fmax(
        32.0, 4.0 * (double)spec->selection->count / box_area_px(spec, view));
    return exp2(round(log2(rows) * SOLID_STEPS) / SOLID_STEPS);
}

uint64_t om_rows_look(const struct om_rows_spec *spec,
                      const struct om_view *view)
{
    const bool points = spec->layer->schema.geometry == OM_GEOMETRY_POINT;
    const unsigned dot = points ? om_rows_dot(spec, view) : 0;
    const double solid = dot ? 0.0 : solid_rows(spec, view);
    const double look[] = {dot, solid};
    return om_hash64(look, sizeof look, 0);
}

/* Step of opacity by the logarithm of a count. */
static unsigned weight_step(uint32_t count, double per_step)
{
    const double step = log((double)count) * per_step;
    return step >= OM_ROWS_WEIGHTS - 1 ? OM_ROWS_WEIGHTS - 1
                                       : (unsigned)(step + 0.5);
}

static void paint_counts(const struct om_rows_spec *spec, const struct paper *p,
                         struct om_canvas *canvas)
{
    const size_t classes = p->classes;
    const double per_step =
        (OM_ROWS_WEIGHTS - 1) / log(solid_rows(spec, &canvas->view));
    for (unsigned y = 0; y < canvas->view.height; y++)
        for (unsigned x = 0; x < canvas->view.width; x++) {
            const uint32_t *count =
                p->counts + ((size_t)y * p->width + x) * classes;
            uint32_t sum = 0, most = 0;
            size_t best = 0;
            for (size_t c = 0; c < classes; c++) {
                sum += count[c];
                if (count[c] && count[c] >= most) {
                    most = count[c];
                    best = c;
                }
            }
            if (sum)
                om_canvas_dot(
                    canvas, x, y,
                    om_colour_fade(
                        spec->classes->class[best].colour[spec->palette],
                        om_rows_weight(weight_step(sum, per_step))));
        }
}

/* Number of a stored level of cells that pixels of the window are made of,
 * or SIZE_MAX. */
static size_t cells_level(const struct gather *g, unsigned *level)
{
    const unsigned pixel = (unsigned)__builtin_ctzll(g->view.world) - 8;
    if (g->view.world & (g->view.world - 1)) return SIZE_MAX;
    for (size_t i = 0; i < om_segment_cell_levels(g->segment); i++) {
        struct om_cells cells;
        if (om_segment_cells(g->segment, i, &cells)) return SIZE_MAX;
        if (!cells.count || cells.level < pixel) continue;
        *level = cells.level;
        return i;
    }
    return SIZE_MAX;
}

static size_t first_cell(const struct om_cells *cells, uint64_t code)
{
    size_t low = 0, high = cells->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (cells->code[mid] < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static om_status take_cells(struct gather *g, size_t from, size_t to, bool test)
{
    unsigned level;
    const size_t i =
        test || to - from < 4096 ? SIZE_MAX : cells_level(g, &level);
    if (i == SIZE_MAX) return take_counts(g, from, to, test);
    struct om_cells cells;
    OM_TRY(om_segment_cells(g->segment, i, &cells));
    // The range is whole quarters, each larger than a cell.
    const uint64_t *key;
    OM_TRY(om_segment_keys(g->segment, from, from + 1, &key));
    const unsigned shift = 64 - 2 * level;
    for (size_t c = first_cell(&cells, key[from] >> shift);
         c < cells.count && cells.start[c] < to; c++) {
        unsigned x, y;
        if (pixel_of(g, cells.code[c] << shift, &x, &y))
            g->paper->counts[(size_t)y * g->paper->width + x] +=
                (uint32_t)om_selection_count(g->spec->selection, g->part,
                                             cells.start[c],
                                             cells.start[c + 1]);
    }
    return OM_OK;
}

static om_status draw_counts(const struct om_rows_spec *spec,
                             struct om_canvas *canvas, struct om_arena *arena)
{
    struct paper paper;
    const bool whole = spec->selection->all || spec->selection->living;
    const bool plain = whole && spec->classes->count == 1 &&
                       spec->classes->column == OM_NO_FIELD;
    struct gather g = {.spec = spec,
                       .view = canvas->view,
                       .take = plain ? take_cells : take_counts,
                       .paper = &paper};
    OM_TRY(paper_init(&paper, spec, &canvas->view, 0, arena));
    OM_TRY(gather_rows(&g, arena));
    paint_counts(spec, &paper, canvas);
    return OM_OK;
}

/* ---- shapes ---- */

struct shape_ref {
    size_t part, row;
    struct shape_ref *next;
};

struct shapes {
    const struct om_rows_spec *spec;
    struct om_class_rows *rows;  // [parts]
    struct shape_ref *of[OM_CLASSES_MOST];
    struct om_arena *arena;
};

static om_status note_shape(void *ctx, const struct om_shape_hit *hit)
{
    struct shapes *s = ctx;
    const uint8_t class = om_class_of_row(&s->rows[hit->part], hit->row);
    if (class == OM_NO_CLASS) return OM_OK;
    struct shape_ref *ref = om_arena_alloc(s->arena, sizeof *ref);
    if (!ref) return OM_E_MEMORY;
    *ref = (struct shape_ref){hit->part, hit->row, s->of[class]};
    s->of[class] = ref;
    return OM_OK;
}

static om_status add_shapes(const struct shapes *s, size_t class, bool outline,
                            const struct om_stroke *stroke,
                            struct om_canvas *canvas)
{
    const bool line = s->spec->layer->schema.geometry == OM_GEOMETRY_LINE;
    for (const struct shape_ref *ref = s->of[class]; ref; ref = ref->next) {
        struct om_rings rings;
        OM_TRY(om_segment_rings(s->spec->layer->part[ref->part].segment,
                                ref->row, ref->row + 1, &rings));
        if (outline)
            om_canvas_outline(canvas, &rings, ref->row, !line, stroke);
        else
            om_canvas_polygon(canvas, &rings, ref->row);
    }
    return OM_OK;
}

static om_status draw_class(const struct shapes *s, size_t class,
                            struct om_canvas *canvas)
{
    const struct om_colour colour =
        s->spec->classes->class[class].colour[s->spec->palette];
    const struct om_stroke stroke = shape_stroke(s->spec, &canvas->view);
    if (s->spec->layer->schema.geometry == OM_GEOMETRY_LINE) {
        OM_TRY(add_shapes(s, class, true, &stroke, canvas));
        om_canvas_fill(canvas, om_colour_fade(colour, 230));
        return OM_OK;
    }
    OM_TRY(add_shapes(s, class, false, NULL, canvas));
    om_canvas_fill(canvas, om_colour_fade(colour, OM_ROWS_FILL));
    if (!stroke.width) return OM_OK;
    OM_TRY(add_shapes(s, class, true, &stroke, canvas));
    om_canvas_fill(canvas, colour);
    return OM_OK;
}

static om_status draw_shapes(const struct om_rows_spec *spec,
                             struct om_canvas *canvas, struct om_arena *arena)
{
    struct shapes s = {.spec = spec, .arena = arena};
    const struct om_layer *layer = spec->layer;
    s.rows = om_arena_calloc(arena, layer->parts + 1, sizeof *s.rows);
    if (!s.rows) return OM_E_MEMORY;
    for (size_t i = 0; i < layer->parts; i++)
        OM_TRY(om_class_rows_init(spec->classes, &layer->part[i], arena,
                                  &s.rows[i]));
    const struct om_box box =
        om_view_box(&canvas->view, om_rows_reach_px(spec, &canvas->view));
    OM_TRY(om_shapes_each(layer, spec->selection, box, note_shape, &s));
    for (size_t c = 0; c < spec->classes->count; c++)
        OM_TRY(draw_class(&s, c, canvas));
    return OM_OK;
}

om_status om_rows_draw(const struct om_rows_spec *spec,
                       struct om_canvas *canvas, struct om_arena *arena)
{
    if (spec->layer->schema.geometry == OM_GEOMETRY_POINT) {
        const unsigned dot = om_rows_dot(spec, &canvas->view);
        return dot ? draw_dots(spec, dot, canvas, arena)
                   : draw_counts(spec, canvas, arena);
    }
    return shape_px(spec, &canvas->view) < SHAPE_LEAST_PX
               ? draw_counts(spec, canvas, arena)
               : draw_shapes(spec, canvas, arena);
}
