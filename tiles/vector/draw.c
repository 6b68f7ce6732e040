/* draw.c - which lines and polygons a zoom draws.
 *
 * DESIGN
 * A shape must be drawn in all tiles of a zoom that it touches or in none, so
 * what is drawn is decided for the zoom and not for the tile: all shapes of at
 * least one size. The size follows from the fullest tile: rows are read in
 * Morton order, in which a tile is a run, and runs of a zoom add up to those
 * of the zoom above; when a tile's run ends, the sizes that it has room for
 * are known. What is not drawn is counted in cells.
 *
 * It is settled for the lasting parts (keep.c), the dead among them: one row
 * that is written does not make the city be read again. Rows in memory are
 * drawn by the same sizes.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/vector/vector_internal.h"

/* Deeper zooms are not budgeted: their tiles hold few shapes, and a tile that
 * is too large all the same counts its smallest (shapes.c). */
#define DEEPEST 16
/* Bytes of shapes that a tile has room for; the rest is for cells. Zooms that
 * show a town or more at once have less: most of their shapes are specks. */
#define BUDGET 340000
#define BUDGET_FAR 105000
#define FAR 13
/* Units are drawn together or not at all: with some of them missing they say
 * something that is not so. */
#define BUDGET_UNITS 440000
/* Shapes below this are not drawn: a pixel of a tile drawn at 512. */
#define UNITS_LEAST 8
/* Where at most one in so many is drawn, the few are listed. */
#define FEW 6
/* Bytes of a text that is not looked at, and how many rows are where it
 * matters. */
#define TEXT_BYTES 50
#define SAMPLES 24
/* Seconds a row takes, roughly. */
#define ROW_S 1.5e-8

size_t om__row_bytes(const struct om_vector_spec *spec, bool lean)
{
    const struct om_schema *schema = &spec->layer->schema;
    const struct om_segment *largest = om__largest(spec->layer);
    size_t bytes = 22;  // head, id, text of the id
    for (size_t f = 0; f < schema->count; f++) {
        const struct om_column *column = NULL;
        if (f == schema->id_field || !om__rows_want(spec, f, lean)) continue;
        if (largest && om_segment_column(largest, f, 0, 0, &column))
            column = NULL;
        const bool shared = column && column->coding == OM_CODING_DICTIONARY;
        switch (schema->field[f].type) {
            case OM_TYPE_TEXT:
                bytes += shared ? 4
                         : column && column->coding == OM_CODING_NUMBERED
                             ? 10 + column->digits
                             : TEXT_BYTES;
                break;
            case OM_TYPE_TIME:
                bytes += 31;
                break;
            case OM_TYPE_REAL:
                bytes += 13;
                break;
            case OM_TYPE_CATEGORY:
            case OM_TYPE_INTEGER:
            case OM_TYPE_BOOLEAN:
                bytes += 3;
                break;
        }
    }
    return bytes;
}

/* Texts of a column, on average of a few rows. */
static double mean_text(const struct om_segment *s, size_t field)
{
    const size_t rows = om_segment_rows(s);
    struct om_text_reader reader = {0};
    double bytes = 0.0;
    for (size_t i = 0; i < SAMPLES && rows; i++) {
        const char *text;
        size_t len;
        if (om_segment_text(s, field, i * rows / SAMPLES, &reader, &text, &len))
            break;
        bytes += text ? (double)len + 4.0 : 0.0;
    }
    om_text_reader_deinit(&reader);
    return bytes / SAMPLES;
}

/* om__row_bytes with texts as long as they are. */
static double row_bytes(const struct om_vector_spec *spec, bool lean)
{
    const struct om_schema *schema = &spec->layer->schema;
    double bytes = (double)om__row_bytes(spec, lean);
    const struct om_segment *s = om__largest(spec->layer);
    if (!s) return bytes;
    for (size_t f = 0; f < schema->count; f++) {
        const struct om_column *c;
        if (schema->field[f].type != OM_TYPE_TEXT || f == schema->id_field ||
            !om__rows_want(spec, f, lean) ||
            om_segment_column(s, f, 0, 0, &c) ||
            c->coding == OM_CODING_DICTIONARY ||
            c->coding == OM_CODING_NUMBERED)
            continue;
        bytes += mean_text(s, f) - TEXT_BYTES;
    }
    return bytes;
}

/* What of one size there is in a run of rows. */
struct bin {
    uint32_t rows, vertices;
};

struct work {
    const struct om_vector_spec *spec;
    struct om__drawing *drawing;
    bool units;
    double row_bytes, lean_bytes;
    double budget[DEEPEST + 1];
    double fullest[DEEPEST + 1];  // bytes of all columns of all shapes
    // Of the tile of each zoom that is being read.
    struct bin bin[DEEPEST + 1][OM__SIZE_CLASSES];
    struct bin all[OM__SIZE_CLASSES];
};

/* Bytes of what is in a bin: a shape of few units has few vertices left. */
static double bytes_of(double row_bytes, unsigned z, unsigned class,
                       struct bin bin)
{
    const unsigned octave = class / 4;
    const unsigned shift = OM__ZOOM_EXACT - z;
    const double units =
        octave > shift ? (double)(UINT64_C(2) << (octave - shift)) : 2.0;
    const double most = (4.0 + units / 8.0) * bin.rows;
    const double vertices = bin.vertices < most ? bin.vertices : most;
    return row_bytes * bin.rows + 2.5 * vertices;
}

/* A tile has been read: find what it has room for, and hand it up. */
static void end_tile(struct work *w, unsigned z)
{
    double bytes = 0.0;
    unsigned least = OM__SIZE_CLASSES;
    while (least > 0) {
        // What units may leave out they leave out before they are not drawn.
        bytes += bytes_of(w->units ? w->lean_bytes : w->row_bytes, z, least - 1,
                          w->bin[z][least - 1]);
        if (bytes > w->budget[z]) break;
        least--;
    }
    double full = 0.0;
    for (unsigned i = 0; i < OM__SIZE_CLASSES && w->units; i++)
        full += bytes_of(w->row_bytes, z, i, w->bin[z][i]);
    w->fullest[z] = full > w->fullest[z] ? full : w->fullest[z];
    // All units or none.
    if (w->units && least > 0) least = OM__SIZE_CLASSES;
    if (least > w->drawing->least[z]) w->drawing->least[z] = least;
    struct bin *up = z ? w->bin[z - 1] : w->all;
    for (unsigned i = 0; i < OM__SIZE_CLASSES; i++) {
        up[i].rows += w->bin[z][i].rows;
        up[i].vertices += w->bin[z][i].vertices;
    }
    memset(w->bin[z], 0, sizeof w->bin[z]);
}

/* A part being read. */
struct head {
    size_t part;
    const uint64_t *key;
    struct om_rings rings;
    size_t rows, row;
};

/* On to the next selected row. */
static void advance(const struct work *w, struct head *h)
{
    const struct om_selection *s = w->spec->selection;
    while (h->row < h->rows && !om_selection_base_has(s, h->part, h->row))
        h->row++;
}

static size_t vertices_of(const struct om_rings *r, size_t row)
{
    return r->ring_vertex[r->part_ring[r->shape_part[row + 1]]] -
           r->ring_vertex[r->part_ring[r->shape_part[row]]];
}

static void count_rows(struct work *w, struct head *head, size_t parts)
{
    uint64_t last = 0;
    bool any = false;
    for (size_t p = 0; p < parts; p++) advance(w, &head[p]);
    for (;;) {
        size_t best = parts;
        for (size_t p = 0; p < parts; p++)
            if (head[p].row < head[p].rows &&
                (best == parts ||
                 head[p].key[head[p].row] < head[best].key[head[best].row]))
                best = p;
        if (best == parts) break;
        struct head *h = &head[best];
        const uint64_t key = h->key[h->row];
        if (any && (key ^ last) >> (64 - 2 * DEEPEST)) {
            // Zooms at which the tile is another one than the last row's.
            const unsigned same = (unsigned)__builtin_clzll(key ^ last) / 2;
            for (unsigned z = DEEPEST; z > same; z--) end_tile(w, z);
        }
        struct bin *bin =
            &w->bin[DEEPEST][om__size_class(h->rings.box[h->row])];
        bin->rows++;
        bin->vertices += (uint32_t)vertices_of(&h->rings, h->row);
        last = key;
        any = true;
        h->row++;
        advance(w, h);
    }
    for (unsigned z = DEEPEST + 1; any && z-- > 0;) end_tile(w, z);
}

/* Sizes by zoom: what is shown stays shown as one comes closer. */
static void settle(struct work *w)
{
    struct om__drawing *d = w->drawing;
    unsigned smallest = 0;
    while (smallest < OM__SIZE_CLASSES && !w->all[smallest].rows) smallest++;
    for (unsigned z = 0; z < OM__ZOOM_EXACT; z++) {
        const uint32_t side =
            (uint32_t)((uint64_t)UNITS_LEAST << (OM__ZOOM_EXACT - z)) - 1;
        const unsigned floor = om__size_class((struct om_box){0, 0, side, 0});
        if (d->least[z] < floor) d->least[z] = floor;
    }
    for (unsigned z = OM__ZOOM_MAX; z-- > 0;)
        if (d->least[z] < d->least[z + 1]) d->least[z] = d->least[z + 1];
    for (unsigned z = 0; z <= DEEPEST; z++)
        d->lean[z] = w->units && w->fullest[z] > OM_VECTOR_LEAN;
    d->smallest = smallest;
}

om_status om__all_zoom(const struct om_layer *layer,
                       const struct om__drawing *drawing, unsigned *out)
{
    unsigned smallest = drawing->smallest;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        struct om_rings rings;
        if (om__lasting(layer, p) != OM__PASSING) continue;
        OM_TRY(om_segment_rings(s, 0, om_segment_rows(s), &rings));
        for (size_t row = 0; row < rings.count; row++) {
            const unsigned class = om__size_class(rings.box[row]);
            if (class < smallest) smallest = class;
        }
    }
    *out = OM__ZOOM_MAX + 1;
    while (*out > 0 && drawing->least[*out - 1] <= smallest) --*out;
    return OM_OK;
}

static size_t drawn_at(const struct work *w, unsigned z)
{
    size_t n = 0;
    for (unsigned i = w->drawing->least[z]; i < OM__SIZE_CLASSES; i++)
        n += w->all[i].rows;
    return n;
}

static om_status list_few(struct work *w, const struct head *h)
{
    struct om__drawing *d = w->drawing;
    struct om_box *box[OM__ZOOM_MAX + 1] = {0};
    unsigned zooms = 0;
    om_status st = OM_OK;
    for (unsigned z = 0; z < OM__ZOOM_EXACT; z++) {
        const size_t n = drawn_at(w, z);
        if (n * FEW > h->rows) break;
        zooms = z + 1;
        d->few[z].row = om_alloc_array(n + 1, sizeof *d->few[z].row);
        box[z] = om_alloc_array(n + 1, sizeof *box[z]);
        if (!d->few[z].row || !box[z]) st = OM_E_MEMORY;
    }
    for (size_t row = 0; row < h->rows && zooms && !st; row++) {
        const unsigned class = om__size_class(h->rings.box[row]);
        if (class < d->least[zooms - 1] ||
            !om_selection_base_has(w->spec->selection, h->part, row))
            continue;
        for (unsigned z = zooms; z-- > 0 && class >= d->least[z];) {
            box[z][d->few[z].count] = h->rings.box[row];
            d->few[z].row[d->few[z].count++] = (uint32_t)row;
        }
    }
    for (unsigned z = 0; z < zooms && !st; z++)
        st = om_tree_new(box[z], d->few[z].count, &d->few[z].tree);
    for (unsigned z = 0; z < zooms; z++) om_free(box[z]);
    return st;
}

static void free_drawing(void *value)
{
    struct om__drawing *d = value;
    for (unsigned z = 0; z <= OM__ZOOM_MAX; z++) {
        om_free(d->few[z].row);
        om_tree_free(d->few[z].tree);
    }
    om_free(d);
}

static om_status build(struct work *w, struct head *head)
{
    const struct om_layer *layer = w->spec->layer;
    size_t parts = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        if (om__lasting(layer, p) == OM__PASSING) continue;
        struct head *h = &head[parts++];
        h->part = p;
        h->rows = om_segment_rows(s);
        OM_TRY(om_segment_keys(s, 0, h->rows, &h->key));
        OM_TRY(om_segment_rings(s, 0, h->rows, &h->rings));
    }
    count_rows(w, head, parts);
    settle(w);
    return parts == 1 ? list_few(w, head) : OM_OK;
}

static void set_budgets(struct work *w)
{
    const struct om_manifest_layer *meta = w->spec->layer->meta;
    w->units = meta && meta->unit_level[0];
    for (unsigned z = 0; z <= DEEPEST; z++)
        w->budget[z] = w->units ? BUDGET_UNITS : z <= FAR ? BUDGET_FAR : BUDGET;
}

static om_status make_drawing(void *ctx, void **value, size_t *bytes)
{
    const struct om_vector_spec *spec = ctx;
    struct work *w = om_calloc(1, sizeof *w);
    struct head *head = om_calloc(spec->layer->parts + 1, sizeof *head);
    struct om__drawing *d = om_calloc(1, sizeof *d);
    om_status st = w && head && d ? OM_OK : OM_E_MEMORY;
    if (!st) {
        *w = (struct work){.spec = spec,
                           .drawing = d,
                           .row_bytes = row_bytes(spec, false),
                           .lean_bytes = row_bytes(spec, true)};
        set_budgets(w);
        st = build(w, head);
    }
    om_free(w);
    om_free(head);
    if (st) {
        if (d) free_drawing(d);
        return st;
    }
    *bytes = sizeof *d;
    for (unsigned z = 0; z <= OM__ZOOM_MAX; z++)
        *bytes += d->few[z].count * (sizeof(uint32_t) + sizeof(struct om_box));
    *value = d;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"drawing", make_drawing,
                                          free_drawing};

static void make_key(struct om__layer_key *key,
                     const struct om_vector_spec *spec)
{
    om__layer_key(key, spec->layer, spec->selection);
    key->number = om__row_bytes(spec, false);
}

double om__drawing_cost_s(struct om_vectors *vectors,
                          const struct om_vector_spec *spec)
{
    struct om__layer_key key;
    make_key(&key, spec);
    if (om__keep_has(vectors, &KIND, &key, sizeof key)) return 0.0;
    return ROW_S * (double)spec->layer->rows;
}

om_status om__drawing_get(struct om_vectors *vectors,
                          const struct om_vector_spec *spec,
                          struct om__kept *out)
{
    struct om__layer_key key;
    make_key(&key, spec);
    return om__keep_get(vectors, &KIND, &key, sizeof key,
                        (void *)(uintptr_t)spec, out);
}
