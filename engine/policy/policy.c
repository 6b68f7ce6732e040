/* policy.c - what a role leaves of a snapshot.
 *
 * DESIGN
 * The rule is applied where rows come from and not where they go to: whoever
 * makes an answer gets a snapshot that has nothing else in it, and forgetting
 * to ask is no leak. Rows of other units are not copied out or marked dead
 * (that would be a list of millions a unit): the layer carries a filter that
 * om_select puts before every other, a bitmap that all questions share.
 *
 * What the city itself asks for (models, duties) may weigh columns that nobody
 * sees: the layer as it is with all its columns is rights.open, and only code
 * that reads city.json and models takes it.
 */
#include "engine/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/filter/filter.h"
#include "engine/live/audience.h"
#include "engine/policy/doers.h"
#include "engine/policy/steps.h"
#include "engine/policy/unsaid.h"
#include "engine/snapshot_internal.h"

bool om_layer_personal(const struct om_manifest *city, const char *layer)
{
    return om_json_true(om_json_get(om_manifest_about(city, layer), "personal"),
                        false);
}

static bool listed(const struct om_json *list, const char *name)
{
    for (size_t i = 0; i < om_json_count(list); i++)
        if (!strcmp(om_json_text(om_json_at(list, i), ""), name)) return true;
    return false;
}

const char *om_layer_person(const struct om_manifest *city, const char *layer)
{
    return om_json_text(om_json_get(om_manifest_about(city, layer), "person"),
                        NULL);
}

bool om_column_personal(const struct om_manifest *city, const char *layer,
                        const char *column)
{
    return listed(
        om_json_get(om_manifest_about(city, layer), "personal_columns"),
        column);
}

bool om_column_kinds(const struct om_manifest *city, const char *layer,
                     const char *column)
{
    const struct om_json *about = om_manifest_about(city, layer);
    return listed(om_json_get(about, "kinds"), column) ||
           !strcmp(om_json_text(om_json_get(about, "picture_by"), ""), column);
}

/* ---- columns ---- */

/* The layer that an exposure of city.json adds the column up of; NULL: none. */
static const struct om_json *exposed_by(const struct om_manifest *city,
                                        const char *column)
{
    const struct om_json *all = om_json_get(city->document, "exposures");
    for (size_t i = 0; i < om_json_count(all); i++) {
        const char *key = "";
        const struct om_json *one = om_json_member(all, i, &key);
        const struct om_json *layer = om_manifest_about(
            city, om_json_text(om_json_get(one, "layer"), ""));
        if (!strcmp(om_json_text(om_json_get(one, "weight"), ""), column) &&
            listed(om_json_get(layer, "personal_columns"), column))
            return layer;
    }
    return NULL;
}

/* Persons who are in several layers are added up of one only: what it hides
 * the others' sums would tell. A layer about persons says itself what it tells.
 */
static bool tells_sums(const struct om_manifest *city,
                       const struct om_json *about, const char *column)
{
    const struct om_json *layers = om_json_get(city->document, "layers");
    const struct om_json *teller = exposed_by(city, column);
    if (om_json_true(om_json_get(about, "personal"), false)) return true;
    for (size_t i = 0; i < om_json_count(layers) && !teller; i++) {
        const struct om_json *one = om_json_at(layers, i);
        if (!om_json_true(om_json_get(one, "personal"), false) &&
            listed(om_json_get(one, "personal_columns"), column))
            teller = one;
    }
    return teller == about;
}

/* Hide columns; returns a hash of which and how far, 0: none. `open` is the
 * layer with them, if there are any, as it was told last. */
static uint64_t hide_columns(const struct om_role *role,
                             const struct om_manifest *city,
                             const struct om_json *about,
                             const struct om_layer *told,
                             struct om_layer *layer, struct om_layer *open)
{
    struct om_schema *s = &layer->schema;
    const struct om_names *shown = om_role_columns(role, layer->name);
    const struct om_json *personal = om_json_get(about, "personal_columns");
    const bool hides = role->personal != OM_PERSONAL_ROWS;
    const bool counts = hides && role->personal == OM_PERSONAL_COUNTS;
    uint64_t hash = 0;
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->field[i].name;
        if (i == s->id_field || i + layer->unit_columns >= s->count) continue;
        const bool named = !shown || om_names_have(shown, name);
        if (named && !(hides && listed(personal, name))) continue;
        if (!hash) *open = *told;
        s->hidden[i] = layer->rights.veiled[i] = layer->rights.veils = true;
        // Who is told nothing of persons has no such columns.
        const bool unlisted = !named || !counts;
        layer->rights.unlisted[i] = unlisted;
        layer->rights.unlists = layer->rights.unlists || unlisted;
        layer->rights.counted_column[i] = named && counts;
        layer->rights.summed_column[i] =
            named && counts && tells_sums(city, about, name);
        // Whether it is told otherwise is part of what is not seen.
        const uint64_t kind = (uint64_t)i << 3 | (uint64_t)named << 2 |
                              (uint64_t)layer->rights.counted_column[i] << 1 |
                              (uint64_t)layer->rights.summed_column[i];
        hash = om_hash64(&kind, sizeof kind, hash + 1);
        if (s->time_field == i) s->time_field = OM_NO_FIELD;
    }
    if (hash) open->rights = layer->rights;
    // What the role's own list leaves out is not added up either.
    for (size_t i = 0; hash && shown && i < s->count; i++)
        if (s->hidden[i] && !om_names_have(shown, s->field[i].name))
            open->schema.hidden[i] = true;
    return hash;
}

/* ---- the area ---- */

/* By which column rows are of a unit: the layer's unit column, that of units
 * below it, or its id if it is the level itself. OM_NO_FIELD: it is of no
 * unit, and the same for all. */
static size_t area_column(const struct om_layer *layer, const char *level)
{
    const size_t joined = om_layer_unit_field(layer, level);
    if (joined != OM_NO_FIELD) return joined;
    const char *own = layer->meta ? layer->meta->unit_level : "";
    if (!own[0]) return OM_NO_FIELD;
    return !strcmp(own, level) ? layer->schema.id_field
                               : om_schema_find(&layer->schema, level);
}

/* The unit of a level above in which the area lies, as the area's own row says;
 * "": it does not. */
static om_status unit_above(const struct om_snapshot *whole, const char *level,
                            const char *unit, const char *above,
                            char out[OM_LIMIT_NAME_BYTES])
{
    const struct om_layer *units = om_snapshot_units(whole, level);
    struct om_text_reader reader = {0};
    size_t column = OM_NO_FIELD;
    om_status st = OM_OK;
    out[0] = '\0';
    if (units) column = om_layer_unit_field(units, above);
    if (units && column == OM_NO_FIELD)
        column = om_schema_find(&units->schema, above);
    for (size_t p = 0; column != OM_NO_FIELD && p < units->parts && !st; p++) {
        const struct om_segment *segment = units->part[p].segment;
        const char *text = NULL;
        size_t row, len = 0;
        st = om_segment_find(segment, unit, strlen(unit), &reader, &row);
        if (!st)
            st = om_segment_text(segment, column, row, &reader, &text, &len);
        if (!st && text && len < OM_LIMIT_NAME_BYTES)
            snprintf(out, OM_LIMIT_NAME_BYTES, "%.*s", (int)len, text);
        if (st == OM_E_NOTFOUND) st = OM_OK;
    }
    om_text_reader_deinit(&reader);
    return st;
}

static om_status make_area(const struct om_layer *layer, size_t column,
                           const char *unit, struct om_filter **out,
                           struct om_err *err)
{
    struct om_buf text = {0};
    om_buf_addf(&text, "\"%s\" = '", layer->schema.field[column].name);
    for (const char *c = unit; *c; c++) {
        if (*c == '\'') om_buf_add_byte(&text, '\'');
        om_buf_add_byte(&text, (uint8_t)*c);
    }
    om_status st = om_buf_add_text(&text, "'");
    if (!st)
        st = om_filter_parse((const char *)text.bytes, text.len, layer, 0, out,
                             err);
    om_buf_deinit(&text);
    return st;
}

om_status om_row_seen(const struct om_layer *layer, size_t part, size_t row,
                      bool *seen)
{
    const struct om_layer_rights *rights = &layer->rights;
    struct om_text_reader reader = {0};
    const char *text = NULL;
    size_t len = 0;
    *seen = true;
    if (!rights->area) return OM_OK;
    const om_status st =
        om_segment_text(layer->part[part].segment, rights->area_column, row,
                        &reader, &text, &len);
    *seen = !st && text && len == strlen(rights->area_unit) &&
            !memcmp(text, rights->area_unit, len);
    om_text_reader_deinit(&reader);
    return st;
}

static bool is_dead(const struct om_part *part, size_t row)
{
    const size_t at = om_part_dead_from(part, row);
    return at < part->dead_count && part->dead[at] == row;
}

/* Of one part. Where the id is not in it, some other row is read and thrown
 * away. */
static om_status id_in_part(const struct om_layer *layer, size_t part,
                            const char *id, size_t len, bool *seen,
                            size_t *reads)
{
    const struct om_segment *segment = layer->part[part].segment;
    const size_t rows = om_segment_rows(segment);
    struct om_text_reader reader = {0};
    const char *text;
    size_t row, text_len;
    bool here = false;
    if (!rows) return OM_OK;
    om_status st = om_segment_find(segment, id, len, &reader, &row);
    const bool found = !st;
    if (st == OM_E_NOTFOUND) {
        row = (size_t)(om_hash64(id, len, part) % rows);
        st = om_segment_text(segment, layer->schema.id_field, row, &reader,
                             &text, &text_len);
    }
    om_text_reader_deinit(&reader);
    if (!st) st = om_row_seen(layer, part, row, &here);
    *reads += 2;
    if (!st && found && here && !is_dead(&layer->part[part], row)) *seen = true;
    return st;
}

om_status om_id_seen(const struct om_layer *layer, const char *id, size_t len,
                     bool *seen, size_t *reads)
{
    size_t count = 0;
    om_status st = OM_OK;
    *seen = false;
    for (size_t i = 0; i < layer->parts && !st; i++)
        st = id_in_part(layer, i, id, len, seen, &count);
    if (reads) *reads = count;
    return st;
}

/* ---- layers ---- */

static bool same_columns(const struct om_schema *a, const struct om_schema *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = !strcmp(a->field[i].name, b->field[i].name) &&
               a->field[i].type == b->field[i].type;
    return same;
}

/* The layer as it was told last; the newest where there is no such, or where it
 * has other columns since. */
static const struct om_layer *find_told(const struct om_snapshot *still,
                                        const struct om_layer *layer)
{
    const struct om_layer *told =
        still ? om_snapshot_layer(still, layer->name) : NULL;
    return told && same_columns(&told->schema, &layer->schema) ? told : layer;
}

/* Rows of `told`, under the newest words about the layer. */
static void take_told(const struct om_layer *told, struct om_layer *layer)
{
    layer->parts = told->parts;
    layer->part = told->part;
    layer->rows = told->rows;
    layer->serial = told->serial;
}

/* Which level of an area's rows a level is told of: none that is larger. */
static size_t level_within(const struct om_manifest *city, size_t at,
                           const char *area)
{
    for (size_t l = 0; area[0] && l < at; l++)
        if (!strcmp(city->level[l], area)) return l;
    return at;
}

static const struct om_layer *told_at(const struct om__rights *told,
                                      const struct om_layer *layer, size_t at)
{
    const struct om_layer *one =
        om_snapshot_layer(told->level[at], layer->name);
    return one && same_columns(&one->schema, &layer->schema) ? one : NULL;
}

/* Those who are followed are told of in steps: rows of other levels, and what
 * the register says of them beside (engine/policy/steps.h). */
static om_status take_steps(const struct om_manifest *city,
                            const struct om_layer *listed, const char *area,
                            struct om_snapshot *still, struct om_layer *layer,
                            struct om__rights *own)
{
    const struct om__rights *told = om__snapshot_of(still)->rights;
    const struct om_layer *one = NULL;
    uint64_t serial = told->all[0];
    own->by_level = om_alloc_array(told->levels + 1, sizeof *own->by_level);
    own->listed = om_alloc_array(1, sizeof *own->listed);
    if (!own->by_level || !own->listed) return OM_E_MEMORY;
    for (size_t l = 0; l < told->levels; l++) {
        one = told_at(told, layer, l);
        if (!one) return OM_OK;  // of other columns: the next still has them
        serial = om_hash64(&one->serial, sizeof one->serial, serial);
    }
    take_told(told_at(told, layer, level_within(city, told->middle, area)),
              layer);
    layer->serial = om_hash64(&layer->rights.area_column,
                              layer->rights.area ? sizeof(size_t) : 0, serial);
    if (layer->rights.area)
        layer->serial =
            om_hash64(layer->rights.area_unit, strlen(layer->rights.area_unit),
                      layer->serial);
    memcpy(layer->rights.told, told->all, sizeof layer->rights.told);
    layer->rights.doers = false;
    layer->rights.doer_column = OM_NO_FIELD;
    layer->rights.tells = NULL;
    layer->rights.open = NULL;
    layer->rights.hash =
        om_hash64(&serial, sizeof serial, layer->rights.hash) | 1;
    layer->rights.by_level = own->by_level;
    layer->rights.listed = own->listed;
    for (size_t l = 0; l < told->levels; l++) {
        struct om_layer *of = &own->by_level[l];
        const size_t at = level_within(city, l, area);
        *of = *layer;
        take_told(told_at(told, layer, at), of);
        of->serial = om_hash64(&at, sizeof at, layer->serial);
    }
    *own->listed = *layer;
    memset(own->listed->schema.hidden, 0, sizeof layer->schema.hidden);
    take_told(listed, own->listed);
    own->listed->rights.by_level = NULL;
    own->listed->rights.listed = NULL;
    return OM_OK;
}

static bool is_followed(const struct om_snapshot *whole,
                        const struct om_layer *layer,
                        const struct om_snapshot *still)
{
    const struct om_layer *followed = om_steps_layer(whole);
    const struct om__rights *told = om__snapshot_of(still)->rights;
    return layer->rights.crowds && followed && told && told->levels &&
           told->levels == whole->manifest->levels &&
           !strcmp(followed->name, layer->name);
}

/* One layer as the role sees it. */
static om_status restrict_layer(const struct om_role *role,
                                const struct om_snapshot *whole,
                                const char *level, const char *unit,
                                const struct om_layer *told, bool held,
                                struct om_layer *layer, struct om_layer *open,
                                struct om_filter **area, struct om_err *err)
{
    const struct om_manifest *city = whole->manifest;
    const struct om_json *about = om_manifest_about(city, layer->name);
    struct om_layer_rights *rights = &layer->rights;
    const bool personal = om_json_true(om_json_get(about, "personal"), false);
    *rights = (struct om_layer_rights){.smallest_count = role->smallest_count,
                                       .smallest_cell = role->smallest_cell};
    rights->crowds = personal && role->personal != OM_PERSONAL_ROWS;
    rights->doer_column = OM_NO_FIELD;
    if (rights->crowds) take_told(told, layer);
    if (rights->crowds)
        OM_TRY(om_doers_column(whole, layer, &rights->doer_column));
    rights->doers = rights->doer_column != OM_NO_FIELD;
    rights->tells = om_json_get(about, "tells");
    uint64_t area_hash = 0;
    if (level[0]) {
        const char *own = layer->meta ? layer->meta->unit_level : "";
        char above[OM_LIMIT_NAME_BYTES] = "";
        size_t column = area_column(layer, level);
        // Of the levels above it is the one unit that it lies in.
        if (column == OM_NO_FIELD && own[0])
            OM_TRY(unit_above(whole, level, unit, own, above));
        if (above[0]) {
            column = layer->schema.id_field;
            unit = above;
        }
        if (column != OM_NO_FIELD) {
            OM_TRY(make_area(layer, column, unit, area, err));
            rights->area = *area;
            rights->area_column = column;
            snprintf(rights->area_unit, sizeof rights->area_unit, "%s", unit);
            const char *text = om_filter_canonical(*area);
            area_hash = om_hash64(text, strlen(text), 0) | 1;
            layer->serial =
                om_hash64(&area_hash, sizeof area_hash, layer->serial);
        }
    }
    // Of persons everything is as it was told last; that is its name, too.
    const uint64_t still = held ? told->serial : 0;
    const uint64_t hidden = hide_columns(role, city, about, told, layer, open);
    if (hidden && area_hash)
        open->serial = om_hash64(&area_hash, sizeof area_hash, open->serial);
    rights->open = hidden ? open : NULL;
    const uint64_t all[] = {
        area_hash,
        hidden,
        rights->crowds,
        still,
        rights->crowds || hidden ? rights->smallest_count : 0,
        rights->smallest_cell
            ? om_hash64(rights->smallest_cell, strlen(rights->smallest_cell), 0)
            : 0};
    const bool open_all = !area_hash && !hidden && !rights->crowds;
    rights->hash = open_all ? 0 : om_hash64(all, sizeof all, 0) | 1;
    rights->audience = om_audience_of(layer);
    return OM_OK;
}

static bool sees_layer(const struct om_role *role,
                       const struct om_manifest *city, const char *layer)
{
    return om_role_sees(role, layer) && (role->personal != OM_PERSONAL_NONE ||
                                         !om_layer_personal(city, layer));
}

/* How much is told where something is hidden. */
static uint64_t told_hash(const struct om_role *role)
{
    const char *cell = role->smallest_cell ? role->smallest_cell : "";
    const uint64_t all[] = {role->personal, role->smallest_count};
    return om_hash64(cell, strlen(cell), om_hash64(all, sizeof all, 0));
}

om_status om_snapshot_restrict(struct om_snapshot *snapshot,
                               const struct om_role *role, const char *level,
                               const char *unit, struct om_snapshot *still,
                               struct om_snapshot **out, struct om_err *err)
{
    struct om__snapshot *s = om__snapshot_of(snapshot);
    const struct om_manifest *city = snapshot->manifest;
    *out = NULL;
    if (level[0] && !om_snapshot_units(snapshot, level))
        return om_fail(err, OM_E_NOTFOUND, 0, "there is no level '%s' of units",
                       level);
    struct om_snapshot *fresh;
    OM_TRY(om__snapshot_new(s->base, s->state, snapshot->sequence,
                            snapshot->clock_s, &fresh, err));
    struct om__rights *own = om_calloc(1, sizeof *own);
    om__snapshot_of(fresh)->rights = own;
    om_status st = own ? om__unsaid_manifest(s->base, role, &fresh->manifest)
                       : OM_E_MEMORY;
    if (own) {
        atomic_init(&own->refs, 1);
        own->layers = city->layers;
        // Not zeroed: most of it is room for columns that are not there.
        own->open = om_alloc_array(city->layers + 1, sizeof *own->open);
        own->area = om_calloc(city->layers + 1, sizeof(struct om_filter *));
        if (!own->open || !own->area) st = OM_E_MEMORY;
    }
    if (role->personal == OM_PERSONAL_ROWS) still = NULL;
    if (own && still) own->still = om_snapshot_ref(still);
    size_t kept = 0;
    uint64_t rights = told_hash(role);
    bool whole = true;
    const size_t served = fresh->layers;
    for (size_t i = 0; i < served && !st; i++) {
        struct om_layer *layer = &fresh->layer[i];
        if (!sees_layer(role, city, layer->name)) continue;
        if (kept != i) fresh->layer[kept] = *layer;
        const struct om_layer told = *find_told(still, &fresh->layer[kept]);
        st = restrict_layer(role, snapshot, level, unit, &told, still != NULL,
                            &fresh->layer[kept], &own->open[kept],
                            &own->area[kept], err);
        if (!st && still && is_followed(snapshot, &fresh->layer[kept], still))
            st =
                take_steps(city, &told, level, still, &fresh->layer[kept], own);
        const uint64_t both[] = {i, fresh->layer[kept].rights.hash};
        rights = om_hash64(both, sizeof both, rights);
        whole = whole && !both[1];
        kept++;
    }
    fresh->layers = kept;
    size_t held = 0;
    for (size_t i = 0; i < fresh->withheld; i++) {
        const bool seen =
            sees_layer(role, city, fresh->held_back[i].meta->name);
        if (seen) fresh->held_back[held++] = fresh->held_back[i];
        rights = om_hash64(&seen, sizeof seen, rights);
        whole = whole && seen;
    }
    fresh->rights = whole && kept == served ? 0 : rights | 1;
    // Who reads another city.json is told otherwise by the same rows.
    if (fresh->manifest != city)
        fresh->rights =
            om_hash64(&role->hash, sizeof role->hash, fresh->rights) | 1;
    fresh->withheld = held;
    if (st)
        om_snapshot_unref(fresh);
    else
        *out = fresh;
    return st;
}

/* ---- narrow ---- */

/* Rows of a part that the selection has not, dead ones with them. */
static om_status find_outside(const struct om_selection *selection, size_t part,
                              size_t rows, struct om_part *out, uint32_t **own)
{
    const size_t taken = om_selection_count(selection, part, 0, rows);
    uint32_t *dead = om_alloc_array(rows - taken + 1, sizeof *dead);
    size_t n = 0;
    *own = dead;
    if (!dead) return OM_E_MEMORY;
    for (size_t row = 0; row < rows; row++)
        if (!om_selection_has(selection, part, row) && n < rows - taken)
            dead[n++] = (uint32_t)row;
    out->dead = dead;
    out->dead_count = n;
    return OM_OK;
}

static om_status narrow_layer(struct om_layer *layer, struct om__rights *own)
{
    struct om_selection *selection = NULL;
    if (!layer->rights.area) return OM_OK;
    layer->rights.open = layer->rights.listed = NULL;  // rows outside live
    struct om_part *part = om_alloc_array(layer->parts + 1, sizeof *part);
    uint32_t **dead = om_calloc(layer->parts + 1, sizeof(uint32_t *));
    struct om__narrow *kept = om_calloc(1, sizeof *kept);
    om_status st = part && dead && kept ? OM_OK : OM_E_MEMORY;
    if (st) {
        om_free(part);
        om_free(dead);
        om_free(kept);
        return st;
    }
    *kept = (struct om__narrow){own->narrow, layer->parts, part, dead};
    own->narrow = kept;
    memcpy(part, layer->part, layer->parts * sizeof *part);
    st = om_select(NULL, layer, NULL, (struct om_window){0}, &selection);
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = find_outside(selection, p, om_segment_rows(part[p].segment),
                          &part[p], &dead[p]);
    if (!st) {
        layer->rows = selection->count;
        layer->part = part;
    }
    om_selection_unref(selection);
    return st;
}

om_status om_snapshot_narrow(struct om_snapshot *snapshot,
                             struct om_snapshot **out)
{
    const char *name[OM__LAYERS_MOST];
    bool any = false;
    *out = NULL;
    if (snapshot->layers > OM__LAYERS_MOST) return OM_E_LIMIT;
    for (size_t i = 0; i < snapshot->layers; i++) {
        name[i] = snapshot->layer[i].name;
        any = any || snapshot->layer[i].rights.area;
    }
    if (!any) {
        *out = om_snapshot_ref(snapshot);
        return OM_OK;
    }
    OM_TRY(om_snapshot_some(snapshot, name, snapshot->layers, out));
    struct om__snapshot *fresh = om__snapshot_of(*out);
    struct om__rights *own = om_calloc(1, sizeof *own);
    om_status st = own ? OM_OK : OM_E_MEMORY;
    if (own) {
        atomic_init(&own->refs, 1);
        own->below = fresh->rights;  // which the layers point to still
        fresh->rights = own;
    }
    for (size_t i = 0; i < (*out)->layers && !st; i++)
        st = narrow_layer(&(*out)->layer[i], own);
    if (st) {
        om_snapshot_unref(*out);
        *out = NULL;
    }
    return st;
}
