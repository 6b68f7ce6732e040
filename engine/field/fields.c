/* fields.c - what is kept between windows: kernels, prepared masses, scales.
 *
 * DESIGN
 * Cells are kept a part at a time, under what they are of: the segment, what
 * filter and window take of it, and how it weighs. A row that is written makes
 * a new layer of the old parts, one small one more, and some rows that are
 * dead: what is held for a question is then put together again from parts that
 * are there, and only what is new is added up.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/field/field_internal.h"

/* Scales are small; the oldest of this many makes room. */
#define SCALES 64
/* Questions held: each layer that was written to since makes another one. */
#define HELD_MOST 256

/* What a prepared mass belongs to: a layer and a selection, or a segment and a
 * base. A selection of everything has no serial of its own: all of them are
 * alike. */
struct key {
    uint64_t layer, selection, table[2];
    size_t column;
    double half_life_s, unit;
    int64_t reference_s, until_s;
};

/* The cells of a part. */
struct kept {
    struct key key;
    struct om__prepared_part *part;
    size_t refs;  // of who holds it; the list itself counts as none
    bool listed;
    uint64_t used;  // clock of the last use
    struct kept *next;
};

struct om__held {
    struct key key;
    struct om__prepared prepared;
    struct kept **kept;  // [parts]; NULL entries: read row by row
    size_t refs;
    bool listed;
    uint64_t used;
    struct om__held *next;
};

struct scale {
    struct key key;
    enum om_kernel kernel;
    double bandwidth_m, max_value, weight_sum;  // as of the key's reference
};

struct om_fields {
    pthread_mutex_t lock;  // guards all below but the kernels
    size_t max_bytes;
    struct om__kernel *kernel[OM_KERNELS];
    struct om__held *list;
    size_t held;  // entries of it
    struct kept *parts;
    uint64_t clock;
    struct om_cache_stats stats;
    struct scale scale[SCALES];
    uint64_t scales;  // ever written
};

om_status om_fields_new(size_t max_bytes, struct om_fields **out)
{
    struct om_fields *f = om_calloc(1, sizeof *f);
    if (!f) return OM_E_MEMORY;
    f->max_bytes = max_bytes;
    pthread_mutex_init(&f->lock, NULL);
    om_status st = OM_OK;
    for (int i = 0; !st && i < OM_KERNELS; i++) {
        f->kernel[i] = om_alloc(sizeof **f->kernel);
        st = f->kernel[i] ? om__kernel_init(f->kernel[i], (enum om_kernel)i)
                          : OM_E_MEMORY;
    }
    if (st) {
        om_fields_free(f);
        return st;
    }
    *out = f;
    return OM_OK;
}

static void kept_free(struct kept *kept)
{
    om__prepared_part_free(kept->part);
    om_free(kept);
}

/* Under the lock. */
static void kept_release(struct kept *kept)
{
    if (--kept->refs == 0 && !kept->listed) kept_free(kept);
}

/* Under the lock, since it lets go of parts. */
static void held_free(struct om__held *held)
{
    for (size_t i = 0; held->kept && i < held->prepared.parts; i++)
        if (held->kept[i]) kept_release(held->kept[i]);
    om_free(held->kept);
    om_free(held->prepared.part);
    om_free(held);
}

void om_fields_free(struct om_fields *fields)
{
    if (!fields) return;
    om_fields_clear(fields);
    pthread_mutex_destroy(&fields->lock);
    for (int i = 0; i < OM_KERNELS; i++) om_free(fields->kernel[i]);
    om_free(fields);
}

/* Under the lock, as what follows. */
static void unlist(struct om_fields *f, struct om__held *held)
{
    struct om__held **at = &f->list;
    while (*at != held) at = &(*at)->next;
    *at = held->next;
    held->listed = false;
    f->held--;
    if (!held->refs) held_free(held);
}

static void unlist_part(struct om_fields *f, struct kept *kept)
{
    struct kept **at = &f->parts;
    while (*at != kept) at = &(*at)->next;
    *at = kept->next;
    kept->listed = false;
    f->stats.entries--;
    f->stats.bytes -= kept->part->bytes;
    if (!kept->refs) kept_free(kept);
}

void om_fields_clear(struct om_fields *fields)
{
    pthread_mutex_lock(&fields->lock);
    while (fields->list) unlist(fields, fields->list);
    while (fields->parts) unlist_part(fields, fields->parts);
    fields->scales = 0;
    pthread_mutex_unlock(&fields->lock);
}

struct om_cache_stats om_fields_stats(const struct om_fields *fields)
{
    struct om_fields *f = (struct om_fields *)(uintptr_t)fields;  // its lock
    pthread_mutex_lock(&f->lock);
    const struct om_cache_stats stats = f->stats;
    pthread_mutex_unlock(&f->lock);
    return stats;
}

static bool same_key(const struct key *a, const struct key *b)
{
    return a->layer == b->layer && a->selection == b->selection &&
           a->table[0] == b->table[0] && a->table[1] == b->table[1] &&
           a->column == b->column && a->half_life_s == b->half_life_s &&
           a->unit == b->unit && a->reference_s == b->reference_s &&
           a->until_s == b->until_s;
}

/* Forget questions that nobody asks any more, and then the parts used longest
 * ago until the rest fits. What was used last stays. */
static void make_room(struct om_fields *f)
{
    while (f->held > HELD_MOST) {
        struct om__held *oldest = f->list;
        for (struct om__held *h = f->list; h; h = h->next)
            if (h->used < oldest->used) oldest = h;
        unlist(f, oldest);
    }
    while (f->stats.bytes > f->max_bytes && f->parts && f->parts->next) {
        struct kept *oldest = f->parts;
        for (struct kept *k = f->parts; k; k = k->next)
            if (k->used < oldest->used) oldest = k;
        for (struct om__held *h = f->list, *next; h; h = next) {
            bool has = false;
            next = h->next;
            for (size_t i = 0; i < h->prepared.parts; i++)
                has |= h->kept[i] == oldest;
            if (has) unlist(f, h);
        }
        unlist_part(f, oldest);
    }
}

/* Under the lock: the entry of a key, counted as used, or NULL. */
static struct om__held *take_listed(struct om_fields *f, const struct key *key)
{
    for (struct om__held *h = f->list; h; h = h->next)
        if (same_key(&h->key, key)) {
            h->refs++;
            h->used = ++f->clock;
            for (size_t i = 0; i < h->prepared.parts; i++)
                if (h->kept[i]) h->kept[i]->used = f->clock;
            return h;
        }
    return NULL;
}

static struct kept *take_part(struct om_fields *f, const struct key *key)
{
    for (struct kept *k = f->parts; k; k = k->next)
        if (same_key(&k->key, key)) {
            k->refs++;
            k->used = ++f->clock;
            return k;
        }
    return NULL;
}

/* The cells of a part, prepared outside the lock if they are not there;
 * whoever comes second takes the first's. */
static om_status hold_part(struct om_fields *f, const struct om_field_spec *s,
                           const struct key *of_all, size_t part,
                           struct kept **out)
{
    struct key key = *of_all;
    OM_TRY(om__weight_until(s->layer, part, &s->weight, &key.until_s));
    key.layer = om_segment_serial(s->layer->part[part].segment);
    key.selection = om_selection_base_serial(s->selection, part);
    pthread_mutex_lock(&f->lock);
    *out = take_part(f, &key);
    pthread_mutex_unlock(&f->lock);
    if (*out) return OM_OK;

    struct kept *fresh = om_calloc(1, sizeof *fresh);
    if (!fresh) return OM_E_MEMORY;
    const om_status st =
        om__prepared_part_new(s, key.reference_s, part, &fresh->part);
    if (st) {
        om_free(fresh);
        return st;
    }
    pthread_mutex_lock(&f->lock);
    *out = take_part(f, &key);
    if (*out) {
        kept_free(fresh);
    } else {
        fresh->key = key;
        fresh->refs = 1;
        fresh->listed = true;
        fresh->used = ++f->clock;
        fresh->next = f->parts;
        f->parts = fresh;
        f->stats.entries++;
        f->stats.bytes += fresh->part->bytes;
        *out = fresh;
    }
    pthread_mutex_unlock(&f->lock);
    return OM_OK;
}

/* Add what a part's living rows weigh. */
static om_status add_part(const struct om_field_spec *s, const struct key *key,
                          size_t part, const struct om__prepared_part *cells,
                          struct om__sum *sum)
{
    const struct om_part *p = &s->layer->part[part];
    const size_t rows = om_segment_rows(p->segment);
    struct om__adder adder = {0};
    om_status st = OM_OK;
    if (cells)
        om__sum_merge(sum, &cells->ledger.mark[cells->ledger.count - 1].before);
    if (cells && p->dead_count == 0) return OM_OK;
    st = om__adder_init(s, key->reference_s, part, &adder);
    if (!st && cells) {
        st = om__adder_dead(&adder, p, 0, rows, sum);
    } else if (!st) {
        st = om__adder_rows(&adder, 0, rows, false, sum);
    }
    om__adder_deinit(&adder);
    return st;
}

/* Put a question together: parts that are kept or made, the rows of those too
 * small for that, less what is dead. */
static om_status fill_held(struct om_fields *f, const struct om_field_spec *s,
                           const struct key *key, struct om__held *held)
{
    struct om__prepared *p = &held->prepared;
    const struct om_layer *layer = s->layer;
    const double unit = om__weight_unit(&s->weight);
    struct om__sum sum = {0};
    p->part = om_calloc(layer->parts, sizeof *p->part);
    held->kept = om_calloc(layer->parts, sizeof *held->kept);
    if (!p->part || !held->kept) return OM_E_MEMORY;
    p->parts = layer->parts;
    for (size_t i = 0; i < p->parts; i++) {
        const size_t rows = om_segment_rows(layer->part[i].segment);
        if (rows >= OM_FIELD_PART_ROWS) {
            OM_TRY(hold_part(f, s, key, i, &held->kept[i]));
            p->part[i] = held->kept[i]->part;
        }
        OM_TRY(add_part(s, key, i, p->part[i], &sum));
    }
    p->weight_sum = om__sum_weight(&sum, unit);
    p->weight_abs = om__sum_size(&sum, unit);
    return OM_OK;
}

static om_status make_held(struct om_fields *f, const struct om_field_spec *s,
                           const struct key *key, struct om__held **out)
{
    struct om__held *fresh = om_calloc(1, sizeof *fresh);
    if (!fresh) return OM_E_MEMORY;
    const om_status st = fill_held(f, s, key, fresh);
    pthread_mutex_lock(&f->lock);
    struct om__held *other = st ? NULL : take_listed(f, key);
    if (st || other) {
        held_free(fresh);
        *out = other;
    } else {
        fresh->key = *key;
        fresh->refs = 1;
        fresh->listed = true;
        fresh->used = ++f->clock;
        fresh->next = f->list;
        f->list = fresh;
        f->held++;
        *out = fresh;
    }
    make_room(f);
    pthread_mutex_unlock(&f->lock);
    return st;
}

static om_status check_spec(const struct om_field_spec *spec)
{
    const double h = spec->bandwidth_m;
    if (!(h >= OM_BANDWIDTH_MIN_M && h <= OM_BANDWIDTH_MAX_M))
        return OM_E_RANGE;
    if ((unsigned)spec->kernel >= OM_KERNELS) return OM_E_RANGE;
    if (spec->layer->schema.geometry != OM_GEOMETRY_POINT) return OM_E_TYPE;
    return om_weighting_check(spec->layer, &spec->weight);
}

/* The key of what has to be prepared, and what its weights are multiplied
 * with. */
static om_status key_of(const struct om_field_spec *spec, struct key *key,
                        double *factor)
{
    *key = (struct key){
        .layer = spec->layer->serial,
        .selection = spec->selection->all || spec->selection->living
                         ? 0
                         : spec->selection->serial,
        .column = spec->weight.column,
        .half_life_s = spec->weight.half_life_s,
        .unit = om__weight_unit(&spec->weight),
    };
    OM_TRY(om__weight_hash(spec->layer, spec->weight.table, key->table));
    return om__weight_reference(spec->layer, &spec->weight, &key->reference_s,
                                &key->until_s, factor);
}

om_status om__fields_hold(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          struct om__field *field, struct om__held **held)
{
    *held = NULL;
    OM_TRY(check_spec(spec));
    struct key key;
    double factor;
    OM_TRY(key_of(spec, &key, &factor));
    *field = (struct om__field){
        .spec = spec,
        .kernel = fields->kernel[spec->kernel],
        .rows = spec->selection->count,
        .weight_sum = (double)spec->selection->count,
        .reference_s = key.reference_s,
        .factor = factor,
    };
    const bool clean =
        spec->layer->parts == 1 && spec->layer->part[0].dead_count == 0;
    // Files have the cells of plain counts.
    if ((clean && om__field_is_plain(spec)) || field->rows == 0) return OM_OK;
    pthread_mutex_lock(&fields->lock);
    *held = take_listed(fields, &key);
    if (*held)
        fields->stats.hits++;
    else
        fields->stats.misses++;
    pthread_mutex_unlock(&fields->lock);
    if (!*held) OM_TRY(make_held(fields, spec, &key, held));
    field->prepared = &(*held)->prepared;
    field->weight_sum = field->prepared->weight_sum;
    field->signed_field =
        field->prepared->weight_abs > fabs(field->prepared->weight_sum);
    return OM_OK;
}

void om__fields_release(struct om_fields *fields, struct om__held *held)
{
    if (!held) return;
    pthread_mutex_lock(&fields->lock);
    if (--held->refs == 0 && !held->listed) held_free(held);
    pthread_mutex_unlock(&fields->lock);
}

om_status om_field_weight(struct om_fields *fields,
                          const struct om_field_spec *spec, double *weight_sum)
{
    struct om__field field;
    struct om__held *held;
    OM_TRY(om__fields_hold(fields, spec, &field, &held));
    *weight_sum = field.weight_sum * field.factor;
    om__fields_release(fields, held);
    return OM_OK;
}

static bool find_scale(struct om_fields *f, const struct om_field_spec *spec,
                       const struct key *key, double *max_value,
                       double *weight_sum)
{
    const size_t n = f->scales < SCALES ? (size_t)f->scales : SCALES;
    for (size_t i = 0; i < n; i++) {
        const struct scale *s = &f->scale[i];
        if (!same_key(&s->key, key) || s->kernel != spec->kernel ||
            s->bandwidth_m != spec->bandwidth_m)
            continue;
        *max_value = s->max_value;
        *weight_sum = s->weight_sum;
        return true;
    }
    return false;
}

/* The scale as of the key's reference. */
static om_status make_scale(struct om_fields *fields,
                            const struct om_field_spec *spec,
                            const struct key *key, double *max_value,
                            double *weight_sum)
{
    struct om__field field;
    struct om__held *held;
    OM_TRY(om__fields_hold(fields, spec, &field, &held));
    const om_status st = om__scale_max(&field, max_value);
    *weight_sum = field.weight_sum;
    om__fields_release(fields, held);
    if (st) return st;
    pthread_mutex_lock(&fields->lock);
    fields->scale[fields->scales++ % SCALES] = (struct scale){
        .key = *key,
        .kernel = spec->kernel,
        .bandwidth_m = spec->bandwidth_m,
        .max_value = *max_value,
        .weight_sum = *weight_sum,
    };
    pthread_mutex_unlock(&fields->lock);
    return OM_OK;
}

om_status om_field_scale(struct om_fields *fields,
                         const struct om_field_spec *spec, double *max_value,
                         double *weight_sum)
{
    OM_TRY(check_spec(spec));
    struct key key;
    double factor;
    OM_TRY(key_of(spec, &key, &factor));
    pthread_mutex_lock(&fields->lock);
    const bool known = find_scale(fields, spec, &key, max_value, weight_sum);
    pthread_mutex_unlock(&fields->lock);
    if (!known) OM_TRY(make_scale(fields, spec, &key, max_value, weight_sum));
    *max_value *= factor;
    *weight_sum *= factor;
    return OM_OK;
}

/* ---- the exact sum ----------------------------------------------------- */

struct exact {
    enum om_kernel kind;
    double bandwidth_m, dx0, dy0;  // of the gather's origin from the place
    int64_t row0;
    double sum;
};

static void add_exact(void *ctx, const struct om__batch *b)
{
    struct exact *e = ctx;
    for (size_t i = 0; i < b->count; i++) {
        const double dx = e->dx0 + b->column[i] + (double)b->tx[i];
        const double dy = e->dy0 + b->row[i] + (double)b->ty[i];
        const double y = (double)e->row0 + b->row[i] + (double)b->ty[i];
        const struct om__ground g = om__ground(y);
        const double u = dx * g.x_m / e->bandwidth_m;
        const double v = dy * g.y_m / e->bandwidth_m;
        e->sum +=
            (double)b->weight[i] * om__kernel_shape(e->kind, u * u + v * v);
    }
}

om_status om_field_exact(const struct om_field_spec *spec, double x, double y,
                         double *value)
{
    OM_TRY(check_spec(spec));
    if (!(x >= 0.0 && x <= OM_POS_SIDE && y >= 0.0 && y <= OM_POS_SIDE))
        return OM_E_COORD;
    const double h = spec->bandwidth_m;
    const struct om__ground here = om__ground(y);
    const double reach = OM_FIELD_REACH * h / fmin(here.x_m, here.y_m) + 2.0;
    const double last = OM_POS_SIDE - 1.0;
    struct exact e = {
        .kind = spec->kernel,
        .bandwidth_m = h,
        .row0 = (int64_t)y,
        .dx0 = (double)(int64_t)x - x,
        .dy0 = (double)(int64_t)y - y,
    };
    int64_t reference_s, until_s;
    double factor;
    OM_TRY(om__weight_reference(spec->layer, &spec->weight, &reference_s,
                                &until_s, &factor));
    const om_status st = om__gather_run(&(struct om__gather){
        .spec = spec,
        .reference_s = reference_s,
        .box = {(uint32_t)fmax(x - reach, 0.0), (uint32_t)fmax(y - reach, 0.0),
                (uint32_t)fmin(x + reach, last),
                (uint32_t)fmin(y + reach, last)},
        .level = 32,
        .column0 = (int64_t)x,
        .row0 = (int64_t)y,
        .take = add_exact,
        .ctx = &e,
    });
    const double radius_km = h / 1000.0;
    *value = st ? 0.0
                : factor * e.sum * om__kernel_peak(spec->kernel) /
                      (radius_km * radius_km);
    return st;
}
