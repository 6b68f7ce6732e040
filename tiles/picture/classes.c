// classes.c - categories and steps, and their colours.
#include "tiles/picture/classes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/sample.h"

/* Categories that get a colour of their own; the rest are one class. */
#define CATEGORIES 8
/* Rows looked at for the breaks of a column of numbers. */
#define SAMPLE 65536
/* Shapes measured for their mean size. */
#define SHAPES 512

/* After Okabe and Ito (2008), who chose eight that differ for the common
 * deficiencies of colour vision; lightened for dark ground, darkened where
 * they are pale on light ground. */
static const struct om_colour CATEGORY[2][CATEGORIES + 1] = {
    [OM_PALETTE_DARK] = {OM_COLOUR(0x56B4E9), OM_COLOUR(0xE69F00),
                         OM_COLOUR(0x2DBE94), OM_COLOUR(0xE0719A),
                         OM_COLOUR(0xF0E442), OM_COLOUR(0x4C8BF0),
                         OM_COLOUR(0xF0703C), OM_COLOUR(0xC9A0E8),
                         OM_COLOUR(0x8793A3)},
    [OM_PALETTE_LIGHT] = {OM_COLOUR(0x2E8FCB), OM_COLOUR(0xD58A00),
                          OM_COLOUR(0x009E73), OM_COLOUR(0xC2568A),
                          OM_COLOUR(0xB5A600), OM_COLOUR(0x0060A8),
                          OM_COLOUR(0xCC4F00), OM_COLOUR(0x8A5CC2),
                          OM_COLOUR(0x7C8794)},
};

/* Quantities, even in lightness: the ramp of fields, and one that is told from
 * it by hue for every kind of eye. */
static const struct om_colour RAMP[2][2][OM_CLASSES_STEPS] = {
    [OM_RAMP_WARM] =
        {[OM_PALETTE_DARK] = {OM_COLOUR(0x2F2A6B), OM_COLOUR(0x582C85),
                              OM_COLOUR(0x8A2F88), OM_COLOUR(0xB83A7C),
                              OM_COLOUR(0xDB5659), OM_COLOUR(0xF0803C),
                              OM_COLOUR(0xFBD56B)},
         [OM_PALETTE_LIGHT] = {OM_COLOUR(0xFCE9C6), OM_COLOUR(0xFAD097),
                               OM_COLOUR(0xF7B267), OM_COLOUR(0xEF8A4B),
                               OM_COLOUR(0xDC6138), OM_COLOUR(0xB23F2B),
                               OM_COLOUR(0x6E1E23)}},
    [OM_RAMP_COOL] =
        {[OM_PALETTE_DARK] = {OM_COLOUR(0x1B3B4B), OM_COLOUR(0x1F5363),
                              OM_COLOUR(0x236E7A), OM_COLOUR(0x2F8A8C),
                              OM_COLOUR(0x55A59A), OM_COLOUR(0x8DC0A6),
                              OM_COLOUR(0xC9DDBB)},
         [OM_PALETTE_LIGHT] = {OM_COLOUR(0xDCEFE6), OM_COLOUR(0xBFE0D5),
                               OM_COLOUR(0x97CDC3), OM_COLOUR(0x68B3AE),
                               OM_COLOUR(0x3F9496), OM_COLOUR(0x26727A),
                               OM_COLOUR(0x17505C)}},
};

struct om_colour om_class_colour(size_t i, enum om_palette palette)
{
    return CATEGORY[palette][i < CATEGORIES ? i : CATEGORIES];
}

struct om_colour om_class_step(size_t i, size_t n, enum om_ramp ramp,
                               enum om_palette palette)
{
    const size_t last = OM_CLASSES_STEPS - 1;
    if (n < 2) return RAMP[ramp][palette][last / 2];
    return RAMP[ramp][palette][(i * last + (n - 1) / 2) / (n - 1)];
}

bool om_colour_parse(const char *text, struct om_colour *out)
{
    uint32_t value = 0;
    if (text[0] != '#' || strlen(text) != 7) return false;
    for (int i = 1; i < 7; i++) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = om_colour_of(value);
    return true;
}

/* A tenth darker: what is meant for dark ground, on light. */
static struct om_colour darker(struct om_colour c)
{
    return (struct om_colour){(uint8_t)(c.r * 9 / 10), (uint8_t)(c.g * 9 / 10),
                              (uint8_t)(c.b * 9 / 10), c.a};
}

/* The colours of classified risk and their shapes, as everywhere. */
static enum om_mark mark_of(struct om_colour c)
{
    static const struct {
        struct om_colour colour;
        enum om_mark mark;
    } RISK[] = {{OM_COLOUR(0xE5484D), OM_MARK_TRIANGLE},
                {OM_COLOUR(0xF2842B), OM_MARK_DIAMOND},
                {OM_COLOUR(0xF0C24B), OM_MARK_DISC},
                {OM_COLOUR(0x4B8FE8), OM_MARK_SQUARE}};
    for (size_t i = 0; i < sizeof RISK / sizeof *RISK; i++)
        if (c.r == RISK[i].colour.r && c.g == RISK[i].colour.g &&
            c.b == RISK[i].colour.b)
            return RISK[i].mark;
    return OM_MARK_DISC;
}

/* ---- breaks ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Breaks have as few digits as tell the classes apart, two at least; a double
 * has no more than seventeen. */
#define DIGITS_LEAST 2
#define DIGITS_MOST 17

static double rounded(double value, int digits, bool whole)
{
    if (value == 0.0) return 0.0;
    char text[40];
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    const double r = strtod(text, NULL);
    return whole ? round(r) : r;
}

/* The first of `value` that is not below `at`. */
static size_t first_from(const double *value, size_t count, double at)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (value[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The values that classes begin with. What is the same is in one class, and the
 * rest is parted anew: many that are alike leave the others their classes. */
static size_t exact_breaks(const double *value, size_t count, size_t n,
                           double *from)
{
    size_t breaks = 1;
    double at = 0.0;
    from[0] = value[0];
    for (size_t i = 1; i < n; i++) {
        at += ((double)count - at) / (double)(n - i + 1);
        size_t k = (size_t)(at + 1e-9);
        if (k < count && value[k] <= from[breaks - 1]) {
            k = first_from(value, count, nextafter(from[breaks - 1], INFINITY));
            at = (double)k;
        }
        if (k >= count) break;
        from[breaks++] = value[k];
    }
    return breaks;
}

/* Do rounded breaks still rise, with a value in every class? */
static bool are_apart(const double *value, size_t count, const double *from,
                      size_t breaks)
{
    size_t before = 0;
    for (size_t i = 1; i < breaks; i++) {
        const size_t k = first_from(value, count, from[i]);
        if (from[i] <= from[i - 1] || k <= before || k == count) return false;
        before = k;
    }
    return true;
}

size_t om_class_breaks(double *value, size_t count, size_t n, bool whole,
                       double *from)
{
    double exact[OM_CLASSES_STEPS];
    if (!count) return 0;
    qsort(value, count, sizeof *value, by_value);
    const size_t breaks = exact_breaks(value, count, n, exact);
    from[0] = exact[0];
    for (int digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
        for (size_t i = 1; i < breaks; i++)
            from[i] = rounded(exact[i], digits, whole);
        if (are_apart(value, count, from, breaks)) return breaks;
    }
    memcpy(from, exact, breaks * sizeof *from);
    return breaks;
}

static void number_text(double value, int digits, char *out, size_t room)
{
    if (fabs(value) >= pow(10.0, digits))
        snprintf(out, room, "%.0f", value);
    else
        snprintf(out, room, "%.*g", digits, value);
}

/* Digits with which every break reads as the number that it is; of the lowest,
 * which is a value of some unit, as many as tell it from the next. */
static int digits_of(const double *from, size_t n)
{
    int digits = 3;
    for (size_t i = 1; i < n; i++) {
        char text[40];
        number_text(from[i], digits, text, sizeof text);
        if (strtod(text, NULL) == from[i] || digits == DIGITS_MOST) continue;
        digits++;
        i--;
    }
    return digits;
}

/* The lowest: not above what it holds. */
static void least_text(double value, int digits, char *out, size_t room)
{
    number_text(value, digits, out, room);
    if (strtod(out, NULL) <= value) return;
    const double unit = pow(10.0, floor(log10(fabs(value))) + 1.0 - digits);
    number_text(value - unit, digits, out, room);
}

void om_class_range(const double *from, size_t i, size_t n, bool whole,
                    char *out, size_t room)
{
    const int digits = whole ? 1 : digits_of(from, n);
    char low[40], high[40];
    if (i)
        number_text(from[i], digits, low, sizeof low);
    else
        least_text(from[i], digits, low, sizeof low);
    if (i + 1 == n) {
        snprintf(out, room, "\u2265%s", low);
        return;
    }
    number_text(whole ? from[i + 1] - 1.0 : from[i + 1], digits, high,
                sizeof high);
    if (!strcmp(low, high))
        snprintf(out, room, "%s", low);
    else
        snprintf(out, room, "%s\u2013%s", low, high);
}

/* ---- classes of a column ---- */

static struct om_class *add_class(struct om_classes *c, const char *text,
                                  size_t len)
{
    struct om_class *class = &c->class[c->count++];
    const int most = (int)sizeof class->text - 1;
    *class = (struct om_class){.other = false};
    snprintf(class->text, sizeof class->text, "%.*s",
             len < (size_t)most ? (int)len : most, text);
    return class;
}

static void colour_by_number(struct om_class *class, size_t i)
{
    for (int p = 0; p < 2; p++)
        class->colour[p] = om_class_colour(i, (enum om_palette)p);
}

static void add_other(struct om_classes *c)
{
    struct om_class *class = add_class(c, "", 0);
    class->other = true;
    colour_by_number(class, CATEGORIES);
}

/* Are there values that the city names no colour for? */
static om_status has_others(const struct om_snapshot *snapshot,
                            const struct om_layer *layer, size_t column,
                            const struct om_json *colours, bool *out)
{
    const struct om_query query = {.snapshot = snapshot, .layer = layer};
    struct om_groups groups;
    *out = true;
    if (layer->schema.field[column].type == OM_TYPE_REAL) return OM_OK;
    const om_status st =
        om_query_group(&query, column, OM_STEP_NONE, 0, OM_NO_FIELD, &groups);
    if (st == OM_E_COST) return OM_OK;
    if (st) return st;
    *out = false;
    for (size_t i = 0; i < groups.count && !*out; i++) {
        char word[OM_LIMIT_NAME_BYTES * 2];
        const struct om_group *g = &groups.group[i];
        snprintf(word, sizeof word, "%.*s", (int)g->len, g->id);
        *out = !g->null && g->count && !om_json_get(colours, word);
    }
    om_groups_deinit(&groups);
    return OM_OK;
}

/* The colours that the city names for a column. */
static om_status named_classes(const struct om_snapshot *snapshot,
                               const struct om_layer *layer,
                               const struct om_json *colours,
                               struct om_classes *out, struct om_err *err)
{
    const size_t n = om_json_count(colours);
    // What is not named lies below.
    bool others;
    OM_TRY(has_others(snapshot, layer, out->column, colours, &others));
    if (others) add_other(out);
    for (size_t i = 0; i < n; i++) {
        const char *value;
        const char *text = om_json_text(om_json_member(colours, i, &value), "");
        struct om_colour colour;
        if (out->count == OM_CLASSES_MOST)
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: layer %s: picture_colours: more than "
                           "%d values",
                           layer->name, OM_CLASSES_MOST - 1);
        if (!om_colour_parse(text, &colour))
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: layer %s: picture_colours: '%.40s' is "
                           "not a colour such as #4B8FE8",
                           layer->name, text);
        struct om_class *class = add_class(out, value, strlen(value));
        class->colour[OM_PALETTE_DARK] = colour;
        class->colour[OM_PALETTE_LIGHT] = darker(colour);
        class->mark = mark_of(colour);
    }
    return OM_OK;
}

/* In doublings: a row more or less seldom changes which are the largest. */
static int by_count(const void *va, const void *vb)
{
    const struct om_group *a = *(const struct om_group *const *)va;
    const struct om_group *b = *(const struct om_group *const *)vb;
    const int rank_a = __builtin_clzll(a->count);
    const int rank_b = __builtin_clzll(b->count);
    if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
    return a < b ? -1 : 1;  // groups are by name
}

static int by_name(const void *va, const void *vb)
{
    const struct om_group *a = *(const struct om_group *const *)va;
    const struct om_group *b = *(const struct om_group *const *)vb;
    return a < b ? -1 : 1;
}

/* The largest categories, in the order of their names. */
static om_status category_classes(const struct om_groups *groups,
                                  struct om_classes *out)
{
    const struct om_group **sorted =
        om_arena_calloc(&out->arena, groups->count + 1, sizeof *sorted);
    if (!sorted) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < groups->count; i++)
        if (!groups->group[i].null && groups->group[i].count)
            sorted[n++] = &groups->group[i];
    if (n > CATEGORIES) {
        qsort(sorted, n, sizeof *sorted, by_count);
        n = CATEGORIES;
        add_other(out);
    }
    if (n) qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++)
        colour_by_number(add_class(out, sorted[i]->id, sorted[i]->len), i);
    return OM_OK;
}

/* Values of a number column, of some rows. */
struct sampling {
    const struct om_layer *layer;
    size_t column;
    double *value;
    size_t count;
};

static om_status take_value(void *ctx, size_t part, size_t row)
{
    struct sampling *s = ctx;
    const struct om_column *c;
    OM_TRY(om_segment_column(s->layer->part[part].segment, s->column, row,
                             row + 1, &c));
    if (om_column_valid(c, row))
        s->value[s->count++] = c->coding == OM_CODING_REAL
                                   ? ((const double *)c->data)[row]
                                   : (double)om_column_integer(c, row);
    return OM_OK;
}

static om_status step_classes(const struct om_layer *layer,
                              struct om_classes *out)
{
    const bool whole = layer->schema.field[out->column].type == OM_TYPE_INTEGER;
    struct sampling s = {.layer = layer, .column = out->column};
    struct om_sample sample;
    OM_TRY(om_sample_init(layer, SAMPLE, &sample));
    s.value = om_arena_calloc(&out->arena, sample.rows + 1, sizeof *s.value);
    if (!s.value) return OM_E_MEMORY;
    OM_TRY(om_sample_each(layer, &sample, take_value, &s));
    out->steps =
        om_class_breaks(s.value, s.count, OM_CLASSES_STEPS, whole, out->from);
    for (size_t i = 0; i < out->steps; i++) {
        struct om_class *class = add_class(out, "", 0);
        om_class_range(out->from, i, out->steps, whole, class->text,
                       sizeof class->text);
        for (int p = 0; p < 2; p++)
            class->colour[p] =
                om_class_step(i, out->steps, OM_RAMP_WARM, (enum om_palette)p);
    }
    return OM_OK;
}

static om_status counted_classes(const struct om_snapshot *snapshot,
                                 const struct om_layer *layer,
                                 struct om_classes *out)
{
    const struct om_query query = {.snapshot = snapshot, .layer = layer};
    const enum om_type type = layer->schema.field[out->column].type;
    struct om_groups groups = {0};
    om_status st = OM_OK;
    if (type == OM_TYPE_REAL) return step_classes(layer, out);
    if (type == OM_TYPE_TIME) return OM_E_TYPE;
    st = om_query_group(&query, out->column, OM_STEP_NONE, 0, OM_NO_FIELD,
                        &groups);
    const bool many = st == OM_E_COST || groups.count > CATEGORIES + 1;
    if (type == OM_TYPE_INTEGER && many)
        st = step_classes(layer, out);
    else if (st == OM_E_COST)
        st = OM_E_TYPE;
    else if (!st)
        st = category_classes(&groups, out);
    om_groups_deinit(&groups);
    return st;
}

/* ---- what values are called ---- */

/* Parts of a value that is put together. */
#define PARTS_MOST 4

/* Titles of values, and what stands between those of parts. */
struct titles {
    const struct om_json *of;
    const char *between;
};

/* A value that is listed, or all of it parts that are, the longest first:
 * 虎门镇消防救援. Appends its title; false: it has none. */
static bool put_title(const struct titles *titles, const char *value, int left,
                      struct om_buf *out)
{
    char part[OM_LIMIT_NAME_BYTES * 2];
    const char *whole = om_json_text(om_json_get(titles->of, value), NULL);
    if (whole) return !om_buf_add_text(out, whole);
    for (size_t n = left > 1 ? strlen(value) : 0; n-- > 1;) {
        const size_t before = out->len;
        snprintf(part, sizeof part, "%.*s", (int)n, value);
        const char *first = om_json_text(om_json_get(titles->of, part), NULL);
        if (!first) continue;
        om_buf_add_text(out, first);
        om_buf_add_text(out, titles->between);
        if (put_title(titles, value + n, left - 1, out)) return true;
        out->len = before;
    }
    return false;
}

static bool find_title(const struct titles *titles, const char *value,
                       char *out, size_t room)
{
    struct om_buf text = {0};
    bool found = put_title(titles, value, PARTS_MOST, &text) &&
                 text.len < room && !text.status;
    if (found) snprintf(out, room, "%.*s", (int)text.len, text.bytes);
    om_buf_deinit(&text);
    return found;
}

/* Where city.json says what values of the column are called: first as lists
 * have it, then of pictures alone. */
static void add_title(const struct om_json *object, const char *column,
                      bool pictured, bool english, const char *value, char *out,
                      size_t room)
{
    const char *all = english ? "value_titles_en" : "value_titles";
    const char *own = english ? "picture_titles_en" : "picture_titles";
    struct titles titles = {om_json_get(om_json_get(object, all), column),
                            english ? " " : ""};
    if (find_title(&titles, value, out, room) || !pictured) return;
    titles.of = om_json_get(object, own);
    find_title(&titles, value, out, room);
}

static void name_boolean(struct om_class *class)
{
    const bool yes = !strcmp(class->text, "true");
    snprintf(class->title, sizeof class->title, yes ? "是" : "否");
    snprintf(class->text_en, sizeof class->text_en, yes ? "yes" : "no");
}

static void add_titles(const struct om_layer *layer,
                       const struct om_json *object, bool pictured,
                       struct om_classes *out)
{
    const struct om_field *field = &layer->schema.field[out->column];
    const char *column = field->name;
    for (size_t i = 0; i < out->count; i++) {
        struct om_class *class = &out->class[i];
        if (class->other) continue;
        if (field->type == OM_TYPE_BOOLEAN) name_boolean(class);
        add_title(object, column, pictured, false, class->text, class->title,
                  sizeof class->title);
        add_title(object, column, pictured, true, class->text, class->text_en,
                  sizeof class->text_en);
    }
}

/* Cells along shapes, from some hundreds of them. */
struct measuring {
    const struct om_layer *layer;
    uint64_t sum, count;  // whole: in any order the same
};

static om_status measure(void *ctx, size_t part, size_t row)
{
    struct measuring *m = ctx;
    struct om_rings r;
    OM_TRY(om_segment_rings(m->layer->part[part].segment, row, row + 1, &r));
    const struct om_box b = r.box[row];
    m->sum += (uint64_t)sqrt(((double)(b.x1 - b.x0) + 1.0) *
                             ((double)(b.y1 - b.y0) + 1.0));
    m->count++;
    return OM_OK;
}

/* In steps of an eighth of a doubling: one shape more changes no tile but its
 * own. */
#define SHAPE_STEPS 8.0

static om_status mean_shape(const struct om_layer *layer, double *out)
{
    struct measuring m = {.layer = layer};
    struct om_sample sample;
    *out = 0.0;
    OM_TRY(om_sample_init(layer, SHAPES, &sample));
    OM_TRY(om_sample_each(layer, &sample, measure, &m));
    if (m.count == 0) return OM_OK;
    const double mean = fmax((double)m.sum / (double)m.count, 1.0);
    *out = exp2(round(log2(mean) * SHAPE_STEPS) / SHAPE_STEPS);
    return OM_OK;
}

/* Is there such a column, though not for who asks? */
static bool is_hidden(const struct om_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (schema->hidden[i] && !strcmp(schema->field[i].name, name))
            return true;
    return false;
}

om_status om_classes_of(const struct om_snapshot *snapshot,
                        const struct om_layer *layer, size_t column,
                        struct om_classes *out, struct om_err *err)
{
    const struct om_json *object =
        om_manifest_about(snapshot->manifest, layer->name);
    const char *by = om_json_text(om_json_get(object, "picture_by"), "");
    // To who does not see the column the rows are all alike.
    if (is_hidden(&layer->schema, by)) {
        object = NULL;
        by = "";
    }
    const size_t own = *by ? om_schema_find(&layer->schema, by) : OM_NO_FIELD;
    *out = (struct om_classes){.column = column, .box = om_layer_box(layer)};
    if (*by && own == OM_NO_FIELD)
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: layer %s: picture_by: there is no column "
                       "'%.60s'",
                       layer->name, by);
    if (column == OM_NO_FIELD) out->column = own;
    om_status st = layer->schema.geometry == OM_GEOMETRY_POINT
                       ? OM_OK
                       : mean_shape(layer, &out->shape_cells);
    if (st) return st;
    if (out->column == OM_NO_FIELD) {
        colour_by_number(add_class(out, "", 0), 0);
    } else {
        const struct om_json *colours =
            out->column == own ? om_json_get(object, "picture_colours") : NULL;
        st = colours ? named_classes(snapshot, layer, colours, out, err)
                     : counted_classes(snapshot, layer, out);
    }
    if (!st && !out->steps && out->column != OM_NO_FIELD)
        add_titles(layer, object, out->column == own, out);
    if (st) om_classes_deinit(out);
    return st;
}

void om_classes_deinit(struct om_classes *classes)
{
    om_arena_deinit(&classes->arena);
    *classes = (struct om_classes){.column = OM_NO_FIELD};
}

/* ---- classes of rows ---- */

/* The class that names a value; else the one of all others. */
static uint8_t class_of_text(const struct om_classes *c, const char *text,
                             size_t len)
{
    uint8_t other = OM_NO_CLASS;
    for (size_t i = 0; i < c->count; i++) {
        if (c->class[i].other)
            other = (uint8_t)i;
        else if (strlen(c->class[i].text) == len &&
                 !memcmp(c->class[i].text, text, len))
            return (uint8_t)i;
    }
    return other;
}

static uint8_t class_of_number(const struct om_classes *c, double value)
{
    uint8_t i = 0;
    while (i + 1u < c->steps && value >= c->from[i + 1]) i++;
    return i;
}

static uint8_t class_of_integer(const struct om_classes *c, enum om_type type,
                                int64_t value)
{
    char text[24];
    if (c->steps) return class_of_number(c, (double)value);
    const int len =
        type == OM_TYPE_BOOLEAN
            ? snprintf(text, sizeof text, "%s", value ? "true" : "false")
            : snprintf(text, sizeof text, "%lld", (long long)value);
    return class_of_text(c, text, (size_t)len);
}

om_status om_class_rows_init(const struct om_classes *classes,
                             const struct om_part *part, struct om_arena *arena,
                             struct om_class_rows *out)
{
    *out = (struct om_class_rows){.classes = classes};
    if (classes->column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_column(part->segment, classes->column, 0,
                             om_segment_rows(part->segment), &out->column));
    const struct om_column *c = out->column;
    const bool words = c->coding == OM_CODING_DICTIONARY;
    if (c->coding == OM_CODING_REAL) return OM_OK;
    if (!words && c->coding != OM_CODING_INTEGER) return OM_E_TYPE;
    // Integers of one or two bytes are as few as words are.
    if (!words && c->width > 2) return OM_OK;
    const size_t codes = words ? c->words : (size_t)1 << (8 * c->width);
    uint8_t *of = om_arena_alloc(arena, codes + 1);
    if (!of) return OM_E_MEMORY;
    for (size_t i = 0; i < codes; i++)
        of[i] = words
                    ? class_of_text(classes, c->word_bytes + c->word_offset[i],
                                    c->word_offset[i + 1] - c->word_offset[i])
                    : class_of_integer(classes, c->field.type,
                                       c->base + (int64_t)i);
    out->of_code = of;
    return OM_OK;
}

uint8_t om_class_of_row(const struct om_class_rows *rows, size_t row)
{
    const struct om_column *c = rows->column;
    if (!c) return 0;
    if (!om_column_valid(c, row)) return OM_NO_CLASS;
    if (rows->of_code) return rows->of_code[om_column_stored(c, row)];
    if (c->coding == OM_CODING_REAL)
        return class_of_number(rows->classes, ((const double *)c->data)[row]);
    return class_of_integer(rows->classes, c->field.type,
                            om_column_integer(c, row));
}
