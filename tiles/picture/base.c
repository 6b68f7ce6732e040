/* base.c - what a base map is drawn from: found by city.json, made ready.
 *
 * DESIGN
 * Roads are sorted into their classes once, each class with a tree of its own:
 * a picture of the whole city shows some highways among tens of thousands of
 * roads and must not look at the others. Labels are placed by squares of the
 * world (label.h), which are kept while they are used.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/picture/base_internal.h"

static const char *const KIND[] = {"water", "road", "building"};

static om_status bad_member(struct om_err *err, om_status st,
                            const struct om_layer *layer, const char *member,
                            const char *column)
{
    return om_fail(err, st, 0, "city.json: layer %s: %s: %s '%.60s'%s",
                   layer->name, member,
                   st == OM_E_NOTFOUND ? "there is no column" : "column",
                   column, st == OM_E_NOTFOUND ? "" : " is not a category");
}

/* The layer's own object in city.json, or NULL. */
static const struct om_json *object_of(const struct om_manifest *city,
                                       const char *name)
{
    const struct om_json *layers = om_json_get(city->document, "layers");
    for (size_t i = 0; i < om_json_count(layers); i++) {
        const struct om_json *layer = om_json_at(layers, i);
        if (!strcmp(om_json_text(om_json_get(layer, "name"), ""), name))
            return layer;
    }
    return NULL;
}

static bool is_text(const struct om_schema *schema, size_t column)
{
    const enum om_type type = schema->field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static om_status read_column(const struct om_layer *layer,
                             const struct om_json *object, const char *member,
                             size_t *out, struct om_err *err)
{
    const char *name = om_json_text(om_json_get(object, member), "");
    *out = OM_NO_FIELD;
    if (!*name) return OM_OK;
    *out = om_schema_find(&layer->schema, name);
    if (*out == OM_NO_FIELD)
        return bad_member(err, OM_E_NOTFOUND, layer, member, name);
    if (is_text(&layer->schema, *out)) return OM_OK;
    return bad_member(err, OM_E_TYPE, layer, member, name);
}

size_t om__base_english(const struct om_base *base,
                        const struct om_schema *schema, size_t column)
{
    char name[OM_LIMIT_NAME_BYTES];
    if (base->language != OM_LANGUAGE_EN || column == OM_NO_FIELD)
        return OM_NO_FIELD;
    const int len =
        snprintf(name, sizeof name, "%s_en", schema->field[column].name);
    if (len >= (int)sizeof name) return OM_NO_FIELD;
    const size_t found = om_schema_find(schema, name);
    return found != OM_NO_FIELD && is_text(schema, found) ? found : OM_NO_FIELD;
}

/* ---- classes of roads ---- */

/* Class of a code of the dictionary: its place in city.json's list. */
static size_t class_of(const struct om_column *column, size_t code,
                       const struct om_json *classes, size_t n)
{
    const char *word = column->word_bytes + column->word_offset[code];
    const size_t len =
        column->word_offset[code + 1] - column->word_offset[code];
    for (size_t i = 0; i < n; i++) {
        const char *name = om_json_text(om_json_at(classes, i), "");
        if (strlen(name) == len && !memcmp(name, word, len)) return i;
    }
    return n - 1;
}

/* The class of every row of a part. */
static om_status classes_of(const struct om__base_source *s, size_t part,
                            const struct om_json *classes, uint8_t *out)
{
    const struct om_segment *segment = s->layer->part[part].segment;
    const size_t rows = om_segment_rows(segment);
    const struct om_column *column;
    uint8_t of[256];
    if (s->by == OM_NO_FIELD || s->classes == 1) return OM_OK;
    OM_TRY(om_segment_column(segment, s->by, 0, rows, &column));
    if (column->coding != OM_CODING_DICTIONARY) return OM_E_TYPE;
    for (size_t i = 0; i < column->words && i < 256; i++)
        of[i] = (uint8_t)class_of(column, i, classes, s->classes);
    for (size_t row = 0; row < rows; row++) {
        const uint64_t code = om_column_stored(column, row);
        out[row] = (uint8_t)(om_column_valid(column, row) && code < 256
                                 ? of[code]
                                 : s->classes - 1);
    }
    return OM_OK;
}

static om_status add_class(const struct om_rings *rings, const uint8_t *class,
                           uint8_t wanted, const struct om_part *part,
                           struct om__base_rows *out)
{
    size_t count = 0, dead = 0;
    for (size_t i = 0; i < rings->count; i++) count += class[i] == wanted;
    struct om_box *box = om_alloc_array(count + 1, sizeof *box);
    out->row = om_alloc_array(count + 1, sizeof *out->row);
    om_status st = box && out->row ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < rings->count && !st; i++) {
        while (dead < part->dead_count && part->dead[dead] < i) dead++;
        if (class[i] != wanted ||
            (dead < part->dead_count && part->dead[dead] == i))
            continue;
        box[out->count] = rings->box[i];
        out->row[out->count++] = (uint32_t)i;
    }
    if (!st) st = om_tree_new(box, out->count, &out->tree);
    om_free(box);
    return st;
}

static om_status sort_roads(struct om__base_source *s,
                            const struct om_json *object)
{
    const struct om_json *classes = om_json_get(object, "base_classes");
    const size_t named = om_json_count(classes);
    s->classes = s->by == OM_NO_FIELD || !named ? 1
                 : named > OM_BASE_CLASSES      ? OM_BASE_CLASSES
                                                : named;
    s->rows = om_calloc(s->layer->parts * s->classes + 1, sizeof *s->rows);
    if (!s->rows) return OM_E_MEMORY;
    for (size_t p = 0; p < s->layer->parts; p++) {
        const struct om_part *part = &s->layer->part[p];
        const size_t rows = om_segment_rows(part->segment);
        struct om_rings rings;
        OM_TRY(om_segment_rings(part->segment, 0, rows, &rings));
        rings.count = rows;
        uint8_t *class = om_calloc(rows + 1, 1);
        om_status st = class ? classes_of(s, p, classes, class) : OM_E_MEMORY;
        for (size_t c = 0; c < s->classes && !st; c++)
            st = add_class(&rings, class, (uint8_t)c, part,
                           &s->rows[p * s->classes + c]);
        om_free(class);
        if (st) return st;
    }
    return OM_OK;
}

/* Hands on the rows of a class that a search finds. */
struct roads {
    const struct om_segment *segment;
    const uint32_t *row;
    struct om_shape_hit hit;
    om_status (*each)(void *ctx, const struct om_shape_hit *hit);
    void *ctx;
    om_status status;
};

static bool take_road(void *ctx, uint32_t i)
{
    struct roads *r = ctx;
    struct om_rings rings;
    r->hit.row = r->row[i];
    r->hit.rings = &rings;
    r->status =
        om_segment_rings(r->segment, r->hit.row, r->hit.row + 1, &rings);
    if (!r->status) r->status = r->each(r->ctx, &r->hit);
    return !r->status;
}

om_status om__base_roads_each(
    const struct om__base_source *source, size_t class, struct om_box box,
    om_status (*each)(void *ctx, const struct om_shape_hit *hit), void *ctx)
{
    if (box.x0 > box.x1) return OM_OK;
    for (size_t p = 0; p < source->layer->parts; p++) {
        const struct om__base_rows *rows =
            &source->rows[p * source->classes + class];
        struct roads r = {.segment = source->layer->part[p].segment,
                          .row = rows->row,
                          .hit = {.part = p},
                          .each = each,
                          .ctx = ctx};
        om_tree_search(rows->tree, box, take_road, &r);
        if (r.status) return r.status;
    }
    return OM_OK;
}

/* ---- making and giving back ---- */

static om_status add_source(struct om_base *base, const struct om_layer *layer,
                            enum om__base_kind kind, struct om_err *err)
{
    const struct om_json *object =
        object_of(base->snapshot->manifest, layer->name);
    struct om__base_source *s = &base->source[base->sources];
    *s = (struct om__base_source){
        .kind = kind, .layer = layer, .by = OM_NO_FIELD, .classes = 1};
    OM_TRY(read_column(layer, object, "base_label", &s->label, err));
    OM_TRY(read_column(layer, object, "base_by", &s->by, err));
    s->english = om__base_english(base, &layer->schema, s->label);
    base->sources++;
    return kind == OM__BASE_ROAD ? sort_roads(s, object) : OM_OK;
}

static om_status add_sources(struct om_base *base, struct om_err *err)
{
    for (size_t i = 0; i < base->snapshot->layers; i++) {
        const struct om_layer *layer = &base->snapshot->layer[i];
        const char *kind = layer->meta ? layer->meta->base : "";
        for (int k = 0; k < 3; k++) {
            const enum om_geometry g = layer->schema.geometry;
            const bool fits = k == OM__BASE_ROAD ? g == OM_GEOMETRY_LINE
                                                 : g == OM_GEOMETRY_POLYGON;
            if (fits && !strcmp(kind, KIND[k]) &&
                base->sources < OM__BASE_SOURCES)
                OM_TRY(add_source(base, layer, (enum om__base_kind)k, err));
        }
    }
    return OM_OK;
}

om_status om_base_level(struct om_base *base, const char *name,
                        struct om_level **out, struct om_err *err)
{
    om_status st = OM_OK;
    *out = NULL;
    // Held while a level is read: others want the same one.
    pthread_mutex_lock(&base->lock);
    for (size_t i = 0; i < base->known && !*out; i++)
        if (!strcmp(base->known_level[i]->units.level, name))
            *out = om_level_ref(base->known_level[i]);
    if (!*out && base->known == OM__BASE_KNOWN_LEVELS) {
        st = OM_E_LIMIT;
    } else if (!*out) {
        struct om_level **fresh = &base->known_level[base->known];
        st = om_level_new(base->snapshot, name, fresh, err);
        if (!st) {
            base->known++;
            *out = om_level_ref(*fresh);
        }
    }
    pthread_mutex_unlock(&base->lock);
    return st;
}

static om_status add_levels(struct om_base *base, struct om_err *err)
{
    const struct om_manifest *city = base->snapshot->manifest;
    for (size_t i = city->levels; i-- > 0 && base->levels < OM__BASE_LEVELS;) {
        const struct om_layer *layer =
            om_snapshot_units(base->snapshot, city->level[i]);
        if (!layer || !layer->rows) continue;
        if (layer->meta && !strcmp(layer->meta->base, "none")) continue;
        struct om_level *level;
        OM_TRY(om_base_level(base, city->level[i], &level, err));
        base->level[base->levels++] = level;
        om_level_unref(level);  // known, and so kept
    }
    return OM_OK;
}

/* Those whose units are the same in both. */
static void take_levels(struct om_base *base, struct om_base *older)
{
    pthread_mutex_lock(&older->lock);
    for (size_t i = 0; i < older->known; i++) {
        struct om_level *level = older->known_level[i];
        const struct om_layer *layer =
            om_snapshot_units(base->snapshot, level->units.level);
        if (layer && layer->serial == level->serial)
            base->known_level[base->known++] = om_level_ref(level);
    }
    pthread_mutex_unlock(&older->lock);
}

om_status om_base_new(struct om_snapshot *snapshot, struct om_font *font,
                      enum om_language language, struct om_base **out,
                      struct om_err *err)
{
    return om_base_renew(NULL, snapshot, font, language, out, err);
}

om_status om_base_renew(struct om_base *older, struct om_snapshot *snapshot,
                        struct om_font *font, enum om_language language,
                        struct om_base **out, struct om_err *err)
{
    *out = NULL;
    struct om_base *base = om_calloc(1, sizeof *base);
    if (!base) return OM_E_MEMORY;
    atomic_init(&base->refs, 1);
    pthread_mutex_init(&base->lock, NULL);
    base->snapshot = om_snapshot_ref(snapshot);
    base->font = font;
    base->language = language;
    if (older) take_levels(base, older);
    om_status st = om__base_terms(base, err);
    if (!st) st = add_sources(base, err);
    if (!st) st = add_levels(base, err);
    if (st) {
        om_base_unref(base);
        return st;
    }
    *out = base;
    return OM_OK;
}

struct om_base *om_base_ref(struct om_base *base)
{
    atomic_fetch_add(&base->refs, 1);
    return base;
}

static void source_deinit(struct om__base_source *s)
{
    for (size_t i = 0; s->rows && i < s->layer->parts * s->classes; i++) {
        om_free(s->rows[i].row);
        om_tree_free(s->rows[i].tree);
    }
    om_free(s->rows);
}

void om_base_unref(struct om_base *base)
{
    if (!base || atomic_fetch_sub(&base->refs, 1) > 1) return;
    for (size_t i = 0; i < base->sources; i++) source_deinit(&base->source[i]);
    for (size_t i = 0; i < base->known; i++)
        om_level_unref(base->known_level[i]);
    for (size_t i = 0; i < base->squares; i++)
        om_base_square_unref(base->square[i]);
    om_snapshot_unref(base->snapshot);
    om_free(base->term);
    pthread_mutex_destroy(&base->lock);
    om_free(base);
}

bool om_base_empty(const struct om_base *base)
{
    return !base->sources && !base->levels;
}

/* ---- squares of labels ---- */

void om_base_square_unref(struct om_base_square *square)
{
    if (!square || atomic_fetch_sub(&square->refs, 1) > 1) return;
    om_arena_deinit(&square->arena);
    om_free(square);
}

const struct om_labels *om_base_square_labels(
    const struct om_base_square *square)
{
    return &square->labels;
}

/* Copy placed labels, out of the memory that placing them took. */
static om_status keep_labels(const struct om_labels *from,
                             struct om_base_square *s)
{
    size_t glyphs = 0, boxes = 0, bytes = 0;
    for (size_t i = 0; i < from->count; i++) {
        glyphs += from->label[i].glyphs;
        boxes += from->label[i].boxes;
        bytes += from->label[i].len + 1;
    }
    struct om_label *label =
        om_arena_calloc(&s->arena, from->count + 1, sizeof *label);
    struct om_label_glyph *glyph =
        om_arena_calloc(&s->arena, glyphs + 1, sizeof *glyph);
    struct om_label_box *box =
        om_arena_calloc(&s->arena, boxes + 1, sizeof *box);
    char *text = om_arena_calloc(&s->arena, bytes + 1, 1);
    if (!label || !glyph || !box || !text) return OM_E_MEMORY;
    for (size_t i = 0; i < from->count; i++) {
        const struct om_label *l = &from->label[i];
        label[i] = *l;
        label[i].glyph = memcpy(glyph, l->glyph, l->glyphs * sizeof *glyph);
        label[i].box = memcpy(box, l->box, l->boxes * sizeof *box);
        label[i].text = memcpy(text, l->text, l->len);
        glyph += l->glyphs;
        box += l->boxes;
        text += l->len + 1;
    }
    s->labels = (struct om_labels){from->count, label};
    return OM_OK;
}

static om_status place_labels(struct om_base *base, struct om_label_plan *plan,
                              struct om_arena *arena, struct om_base_square *s)
{
    struct om_labels placed;
    OM_TRY(om__base_plan(base, plan, arena));
    OM_TRY(om_label_plan_place(plan, &placed));
    return keep_labels(&placed, s);
}

static om_status make_square(struct om_base *base, struct om_base_square *s)
{
    struct om_label_plan *plan;
    struct om_arena arena = {0};
    om_status st = om_label_plan_new(base->font, s->world, s->ratio, s->column,
                                     s->row, &arena, &plan);
    if (!st) st = place_labels(base, plan, &arena, s);
    om_arena_deinit(&arena);
    return st;
}

om_status om_base_window(struct om_base *base, const struct om_view *view,
                         const struct om_view *home,
                         const struct om_label_box *taken, size_t count,
                         struct om_base_square **out)
{
    struct om_label_plan *plan;
    struct om_arena arena = {0};
    *out = NULL;
    struct om_base_square *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    atomic_init(&s->refs, 1);
    if (!base->font) {
        *out = s;
        return OM_OK;
    }
    om_status st = om_label_plan_window(base->font, view, home, &arena, &plan);
    for (size_t i = 0; i < count && !st; i++)
        st = om_label_plan_block(plan, &taken[i]);
    if (!st) st = place_labels(base, plan, &arena, s);
    om_arena_deinit(&arena);
    if (st)
        om_base_square_unref(s);
    else
        *out = s;
    return st;
}

/* Under the lock. */
static struct om_base_square *known(struct om_base *base,
                                    const struct om_base_square *like)
{
    for (size_t i = 0; i < base->squares; i++) {
        struct om_base_square *s = base->square[i];
        if (s->world != like->world || s->ratio != like->ratio ||
            s->column != like->column || s->row != like->row)
            continue;
        s->used = ++base->uses;
        atomic_fetch_add(&s->refs, 1);
        return s;
    }
    return NULL;
}

/* Under the lock: keep a square, in the place of the one used longest ago. */
static void keep(struct om_base *base, struct om_base_square *s)
{
    size_t at = base->squares;
    if (at == OM__BASE_SQUARES) {
        at = 0;
        for (size_t i = 1; i < base->squares; i++)
            if (base->square[i]->used < base->square[at]->used) at = i;
        om_base_square_unref(base->square[at]);
    } else {
        base->squares++;
    }
    s->used = ++base->uses;
    atomic_fetch_add(&s->refs, 1);
    base->square[at] = s;
}

om_status om_base_square(struct om_base *base, uint64_t world, unsigned ratio,
                         int64_t column, int64_t row,
                         struct om_base_square **out)
{
    const struct om_base_square like = {
        .world = world, .ratio = ratio, .column = column, .row = row};
    pthread_mutex_lock(&base->lock);
    *out = known(base, &like);
    pthread_mutex_unlock(&base->lock);
    if (*out) return OM_OK;

    struct om_base_square *mine = om_calloc(1, sizeof *mine);
    if (!mine) return OM_E_MEMORY;
    mine->world = world;
    mine->ratio = ratio;
    mine->column = column;
    mine->row = row;
    atomic_init(&mine->refs, 1);
    const om_status st = make_square(base, mine);
    if (st) {
        om_base_square_unref(mine);
        return st;
    }
    pthread_mutex_lock(&base->lock);
    *out = known(base, &like);  // somebody else was faster
    if (!*out) keep(base, mine);
    pthread_mutex_unlock(&base->lock);
    if (*out)
        om_base_square_unref(mine);
    else
        *out = mine;
    return OM_OK;
}
