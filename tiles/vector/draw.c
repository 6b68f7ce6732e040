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
 * It is settled for what lives, and what a row takes by the types of its
 * columns alone: a layer that was written to is drawn like one that was built
 * anew.
 */
#include <stdlib.h>
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
/* Bytes of a text of shapes: names that several have are in a tile once. */
#define NAME_BYTES 10
/* Head, id and text of the id. */
#define ROW_BYTES 22
/* Seconds a row takes, roughly. */
#define ROW_S 1.5e-8
/* And one that was written, and adding up what there is. */
#define CHANGE_S 1e-7
#define LIVING_S 1e-3

size_t om__row_bytes(const struct om_vector_spec *spec, bool lean)
{
    const struct om_schema *schema = &spec->layer->schema;
    const struct om_segment *largest = om__largest(spec->layer);
    size_t bytes = ROW_BYTES;
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

static bool is_units(const struct om_vector_spec *spec)
{
    const struct om_manifest_layer *meta = spec->layer->meta;
    return meta && meta->unit_level[0];
}

/* Of rows that come and go: however files code their texts. */
static double row_bytes_of_types(const struct om_vector_spec *spec)
{
    static const double OF_TYPE[] = {
        [OM_TYPE_TEXT] = NAME_BYTES, [OM_TYPE_CATEGORY] = 4,
        [OM_TYPE_INTEGER] = 3,       [OM_TYPE_REAL] = 13,
        [OM_TYPE_BOOLEAN] = 3,       [OM_TYPE_TIME] = 31};
    const struct om_schema *schema = &spec->layer->schema;
    double bytes = ROW_BYTES;
    for (size_t f = 0; f < schema->count; f++)
        if (f != schema->id_field && om__rows_want(spec, f, false))
            bytes += OF_TYPE[schema->field[f].type];
    return bytes;
}

/* om__row_bytes with texts as long as they are. */
static double row_bytes(const struct om_vector_spec *spec, bool lean)
{
    const struct om_schema *schema = &spec->layer->schema;
    if (!is_units(spec)) return row_bytes_of_types(spec);
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

/* A tile of the deepest zoom, along the curve; its sizes are those from `first`
 * to the next one's. */
struct leaf {
    uint64_t tile;
    size_t first;
};
struct sized {
    unsigned class;
    struct bin bin;
};
struct om__leaves {
    struct om_buf leaf, sized;
};

/* A tile being read. */
struct tile {
    unsigned low, high;  // classes [low, high) that it may have
    struct bin bin[OM__SIZE_CLASSES];
};

struct work {
    const struct om_vector_spec *spec;
    struct om__drawing *drawing;
    bool units;
    double row_bytes, lean_bytes;
    double budget[DEEPEST + 1];
    double fullest[DEEPEST + 1];    // bytes of all columns of all shapes
    struct tile tile[DEEPEST + 1];  // of each zoom
    struct tile all;
    bool any;       // there was a leaf
    uint64_t last;  // its tile
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

/* Numbers may fall below zero on their way, modulo 2^32. */
static void add_bin(struct tile *t, unsigned class, struct bin bin)
{
    if (t->low == t->high) t->low = t->high = class;
    if (class < t->low) t->low = class;
    if (class >= t->high) t->high = class + 1;
    t->bin[class].rows += bin.rows;
    t->bin[class].vertices += bin.vertices;
}

/* The least class from which on a tile has room for all. */
static unsigned least_of(const struct work *w, unsigned z)
{
    const struct tile *t = &w->tile[z];
    double bytes = 0.0;
    for (unsigned class = t->high; class -- > t->low;) {
        // What units may leave out they leave out before they are not drawn.
        bytes += bytes_of(w->units ? w->lean_bytes : w->row_bytes, z, class,
                          t->bin[class]);
        // All units or none.
        if (bytes > w->budget[z])
            return w->units ? OM__SIZE_CLASSES : class + 1;
    }
    return 0;
}

/* A tile has been read: find what it has room for, and hand it up. */
static void end_tile(struct work *w, unsigned z)
{
    struct tile *t = &w->tile[z], *up = z ? &w->tile[z - 1] : &w->all;
    const unsigned least = least_of(w, z);
    double full = 0.0;
    for (unsigned i = t->low; i < t->high && w->units; i++)
        full += bytes_of(w->row_bytes, z, i, t->bin[i]);
    w->fullest[z] = full > w->fullest[z] ? full : w->fullest[z];
    if (least > w->drawing->least[z]) w->drawing->least[z] = least;
    for (unsigned i = t->low; i < t->high; i++) {
        if (t->bin[i].rows) add_bin(up, i, t->bin[i]);
        t->bin[i] = (struct bin){0};
    }
    t->low = t->high = 0;
}

/* A leaf begins; those before it end, and the tiles above that do not hold it.
 */
static void begin_leaf(struct work *w, uint64_t tile)
{
    if (w->any && tile == w->last) return;
    if (w->any) {
        const unsigned bits = 64 - (unsigned)__builtin_clzll(tile ^ w->last);
        const unsigned same = DEEPEST - (bits + 1) / 2;
        for (unsigned z = DEEPEST; z > same; z--) end_tile(w, z);
    }
    w->any = true;
    w->last = tile;
}

static void end_leaves(struct work *w)
{
    for (unsigned z = DEEPEST + 1; w->any && z-- > 0;) end_tile(w, z);
}

/* ---- of lasting parts, the dead among them ---- */

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

static struct bin bin_of(const struct om_rings *r, size_t row)
{
    return (struct bin){1,
                        r->ring_vertex[r->part_ring[r->shape_part[row + 1]]] -
                            r->ring_vertex[r->part_ring[r->shape_part[row]]]};
}

static uint64_t leaf_of(uint64_t key)
{
    return key >> (64 - 2 * DEEPEST);
}

static om_status keep_leaf(struct work *w)
{
    struct om__leaves *l = w->drawing->leaves;
    const struct tile *t = &w->tile[DEEPEST];
    const struct leaf leaf = {w->last, l->sized.len / sizeof(struct sized)};
    om_buf_add(&l->leaf, &leaf, sizeof leaf);
    for (unsigned i = t->low; i < t->high; i++) {
        const struct sized sized = {i, t->bin[i]};
        if (t->bin[i].rows) om_buf_add(&l->sized, &sized, sizeof sized);
    }
    return l->leaf.status ? l->leaf.status : l->sized.status;
}

static om_status count_rows(struct work *w, struct head *head, size_t parts)
{
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
        const uint64_t tile = leaf_of(h->key[h->row]);
        if (w->any && tile != w->last) OM_TRY(keep_leaf(w));
        begin_leaf(w, tile);
        add_bin(&w->tile[DEEPEST], om__size_class(h->rings.box[h->row]),
                bin_of(&h->rings, h->row));
        h->row++;
        advance(w, h);
    }
    if (w->any) OM_TRY(keep_leaf(w));
    end_leaves(w);
    return OM_OK;
}

/* ---- of what lives: those, and what was written since ---- */

/* What a row adds to a leaf, or takes from it. */
struct change {
    uint64_t tile;
    struct sized sized;
};

static int by_tile(const void *a, const void *b)
{
    const struct change *p = a, *q = b;
    return (p->tile > q->tile) - (p->tile < q->tile);
}

static om_status note_part(const struct om_vector_spec *spec, size_t p,
                           struct om_buf *out)
{
    const struct om_part *part = &spec->layer->part[p];
    const struct om_selection *s = spec->selection;
    const size_t rows = om_segment_rows(part->segment);
    const bool passing = om__lasting(spec->layer, p) == OM__PASSING;
    const uint64_t *key;
    struct om_rings r;
    if (!passing && !part->dead_count) return OM_OK;
    OM_TRY(om_segment_keys(part->segment, 0, rows, &key));
    OM_TRY(om_segment_rings(part->segment, 0, rows, &r));
    const size_t n = passing ? rows : part->dead_count;
    for (size_t i = 0; i < n; i++) {
        const size_t row = passing ? i : part->dead[i];
        if (passing ? !om_selection_has(s, p, row)
                    : !om_selection_base_has(s, p, row))
            continue;
        struct bin bin = bin_of(&r, row);
        if (!passing) bin = (struct bin){0 - bin.rows, 0 - bin.vertices};
        const struct change change = {leaf_of(key[row]),
                                      {om__size_class(r.box[row]), bin}};
        OM_TRY(om_buf_add(out, &change, sizeof change));
    }
    return OM_OK;
}

static void merge_leaves(struct work *w, const struct om__leaves *from,
                         const struct change *change, size_t changes)
{
    const struct leaf *leaf = (const void *)from->leaf.bytes;
    const struct sized *sized = (const void *)from->sized.bytes;
    const size_t leaves = from->leaf.len / sizeof *leaf;
    for (size_t i = 0, c = 0; i < leaves || c < changes;) {
        const uint64_t tile =
            c == changes || (i < leaves && leaf[i].tile < change[c].tile)
                ? leaf[i].tile
                : change[c].tile;
        begin_leaf(w, tile);
        for (; i < leaves && leaf[i].tile == tile; i++) {
            const size_t end = i + 1 < leaves ? leaf[i + 1].first
                                              : from->sized.len / sizeof *sized;
            for (size_t k = leaf[i].first; k < end; k++)
                add_bin(&w->tile[DEEPEST], sized[k].class, sized[k].bin);
        }
        for (; c < changes && change[c].tile == tile; c++)
            add_bin(&w->tile[DEEPEST], change[c].sized.class,
                    change[c].sized.bin);
    }
    end_leaves(w);
}

static om_status count_living(struct work *w, const struct om__drawing *lasting)
{
    struct om_buf change = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < w->spec->layer->parts && !st; p++)
        st = note_part(w->spec, p, &change);
    const size_t n = change.len / sizeof(struct change);
    if (!st && n) qsort(change.bytes, n, sizeof(struct change), by_tile);
    if (!st) merge_leaves(w, lasting->leaves, (const void *)change.bytes, n);
    om_buf_deinit(&change);
    return st;
}

/* ---- what follows for the zooms ---- */

/* Sizes by zoom: what is shown stays shown as one comes closer. */
static void settle(struct work *w)
{
    struct om__drawing *d = w->drawing;
    unsigned smallest = 0;
    while (smallest < OM__SIZE_CLASSES && !w->all.bin[smallest].rows)
        smallest++;
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

unsigned om__all_zoom(const struct om__drawing *drawing)
{
    unsigned zoom = OM__ZOOM_MAX + 1;
    while (zoom > 0 && drawing->least[zoom - 1] <= drawing->smallest) zoom--;
    return zoom;
}

static size_t drawn_at(const struct work *w, unsigned z)
{
    size_t n = 0;
    for (unsigned i = w->drawing->least[z]; i < OM__SIZE_CLASSES; i++)
        n += w->all.bin[i].rows;
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
    if (d->leaves) {
        om_buf_deinit(&d->leaves->leaf);
        om_buf_deinit(&d->leaves->sized);
    }
    om_free(d->leaves);
    om_free(d);
}

static om_status build_lasting(struct work *w, struct head *head)
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
    w->drawing->leaves = om_calloc(1, sizeof *w->drawing->leaves);
    if (!w->drawing->leaves) return OM_E_MEMORY;
    OM_TRY(count_rows(w, head, parts));
    settle(w);
    return parts == 1 ? list_few(w, head) : OM_OK;
}

static om_status build_living(struct work *w, struct om_vectors *vectors)
{
    struct om__kept lasting;
    OM_TRY(om__drawing_get(vectors, w->spec, false, &lasting));
    const om_status st = count_living(w, lasting.value);
    om__keep_release(vectors, &lasting);
    if (!st) settle(w);
    return st;
}

static void set_budgets(struct work *w)
{
    w->units = is_units(w->spec);
    for (unsigned z = 0; z <= DEEPEST; z++)
        w->budget[z] = w->units ? BUDGET_UNITS : z <= FAR ? BUDGET_FAR : BUDGET;
}

struct ask {
    struct om_vectors *vectors;
    const struct om_vector_spec *spec;
};

static om_status make(const struct ask *ask, bool living, void **value,
                      size_t *bytes)
{
    const struct om_vector_spec *spec = ask->spec;
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
        st = living ? build_living(w, ask->vectors) : build_lasting(w, head);
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
    if (d->leaves) *bytes += d->leaves->leaf.len + d->leaves->sized.len;
    *value = d;
    return OM_OK;
}

static om_status make_lasting(void *ask, void **value, size_t *bytes)
{
    return make(ask, false, value, bytes);
}

static om_status make_living(void *ask, void **value, size_t *bytes)
{
    return make(ask, true, value, bytes);
}

static const struct om__keep_kind LASTING = {"drawing", make_lasting,
                                             free_drawing};
static const struct om__keep_kind LIVING = {"living", make_living,
                                            free_drawing};

static void make_key(struct om__layer_key *key,
                     const struct om_vector_spec *spec, bool living)
{
    (living ? om__layer_key_now : om__layer_key)(key, spec->layer,
                                                 spec->selection);
    key->number = is_units(spec) ? om__row_bytes(spec, false)
                                 : (uint64_t)row_bytes_of_types(spec);
}

double om__drawing_cost_s(struct om_vectors *vectors,
                          const struct om_vector_spec *spec)
{
    struct om__layer_key key;
    double cost_s = 0.0;
    make_key(&key, spec, false);
    if (!om__keep_has(vectors, &LASTING, &key, sizeof key))
        cost_s += ROW_S * (double)spec->layer->rows;
    if (!om__written(spec->layer)) return cost_s;
    make_key(&key, spec, true);
    if (om__keep_has(vectors, &LIVING, &key, sizeof key)) return cost_s;
    return cost_s + LIVING_S + CHANGE_S * (double)om__written_rows(spec->layer);
}

om_status om__drawing_get(struct om_vectors *vectors,
                          const struct om_vector_spec *spec, bool living,
                          struct om__kept *out)
{
    struct om__layer_key key;
    struct ask ask = {vectors, spec};
    living = living && om__written(spec->layer);
    make_key(&key, spec, living);
    return om__keep_get(vectors, living ? &LIVING : &LASTING, &key, sizeof key,
                        &ask, out);
}
