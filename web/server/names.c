// names.c - what the units of a level are called, read once as long as they
// stay.
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/server/made.h"
#include "web/server/names.h"
#include "web/server/server_internal.h"

#define LEVELS_MAX 16

struct om__level_names {
    atomic_size_t refs;
    size_t count;
    struct om__unit_name *unit;  // by id, bytewise
    struct om_arena arena;
};

void om__level_names_unref(struct om__level_names *names)
{
    if (!names || atomic_fetch_sub(&names->refs, 1) > 1) return;
    om_arena_deinit(&names->arena);
    om_free(names->unit);
    om_free(names);
}

static void *names_ref(void *thing)
{
    atomic_fetch_add(&((struct om__level_names *)thing)->refs, 1);
    return thing;
}

static void names_unref(void *thing)
{
    om__level_names_unref(thing);
}

static const struct om__made_kind NAMES = {"names", LEVELS_MAX, names_ref,
                                           names_unref};

om_status om__names_new(struct om__made **out)
{
    return om__made_new(&NAMES, out);
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const size_t len = a_len < b_len ? a_len : b_len;
    const int order = memcmp(a, b, len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_id(const void *a, const void *b)
{
    const struct om__unit_name *x = a, *y = b;
    return compare(x->id, x->id_len, y->id, y->id_len);
}

struct reading {
    const struct om_layer *layer;
    struct om__level_names *names;
    size_t room, id, name, english;
    struct om_text_reader id_reader, name_reader, english_reader;
    om_status status;
};

static om_status read_text(struct reading *g, const struct om_hit *hit,
                           size_t column, struct om_text_reader *reader,
                           const char **out, size_t *len)
{
    const char *text;
    OM_TRY(om_segment_text(g->layer->part[hit->part].segment, column, hit->row,
                           reader, &text, len));
    if (!text) text = "", *len = 0;
    *out = om_arena_text(&g->names->arena, text, *len);
    return *out ? OM_OK : OM_E_MEMORY;
}

static bool read_unit(void *ctx, const struct om_hit *hit)
{
    struct reading *g = ctx;
    if (g->names->count == g->room) return false;  // never: rows were counted
    struct om__unit_name *unit = &g->names->unit[g->names->count++];
    g->status =
        read_text(g, hit, g->id, &g->id_reader, &unit->id, &unit->id_len);
    if (!g->status && g->name != OM_NO_FIELD)
        g->status = read_text(g, hit, g->name, &g->name_reader, &unit->name,
                              &unit->name_len);
    if (!g->status && g->english != OM_NO_FIELD)
        g->status = read_text(g, hit, g->english, &g->english_reader,
                              &unit->english, &unit->english_len);
    return !g->status;
}

struct asking {
    const struct om__request *request;
    const struct om_layer *layer;
};

static om_status read_level(void *ctx, void **out)
{
    const struct om__request *r = ((const struct asking *)ctx)->request;
    const struct om_layer *layer = ((const struct asking *)ctx)->layer;
    struct om__level_names *names = om_calloc(1, sizeof *names);
    if (!names) return OM_E_MEMORY;
    names->refs = 1;
    struct reading g = {.layer = layer,
                        .names = names,
                        .room = (size_t)layer->rows,
                        .id = layer->schema.id_field,
                        .name = om_schema_find(&layer->schema, "name"),
                        .english = om_schema_find(&layer->schema, "name_en")};
    om_status st = OM_E_MEMORY;
    names->unit = om_calloc(g.room ? g.room : 1, sizeof *names->unit);
    if (!names->unit) goto done;
    const struct om_query all = {.snapshot = r->snapshot,
                                 .layer = layer,
                                 .cache = r->server->selections};
    st = om_query_each(&all, read_unit, &g);
    if (!st) st = g.status;
    if (st) goto done;
    qsort(names->unit, names->count, sizeof *names->unit, by_id);
done:
    om_text_reader_deinit(&g.id_reader);
    om_text_reader_deinit(&g.name_reader);
    om_text_reader_deinit(&g.english_reader);
    if (st)
        om__level_names_unref(names);
    else
        *out = names;
    return st;
}

om_status om__names_get(struct om__request *r, const char *level,
                        struct om__level_names **out)
{
    *out = NULL;
    const struct om_layer *layer = om_snapshot_units(r->snapshot, level);
    if (!layer) return OM_OK;
    struct asking ask = {r, layer};
    struct om__made_key key = {.newness = r->snapshot->sequence};
    void *thing = NULL;
    om_buf_add(&key.text, level, strlen(level) + 1);
    key.family = key.text.len;
    om_buf_add(&key.text, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_add(&key.text, &layer->serial, sizeof layer->serial);
    const om_status st = om__made_get(r->server->names, &key, NULL, false,
                                      read_level, &ask, &thing);
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

size_t om__level_names_count(const struct om__level_names *names)
{
    return names ? names->count : 0;
}

const struct om__unit_name *om__level_names_at(
    const struct om__level_names *names, size_t i)
{
    return &names->unit[i];
}

const struct om__unit_name *om__level_names_find(
    const struct om__level_names *names, const char *id, size_t len)
{
    const struct om__unit_name key = {.id = id, .id_len = len};
    if (!names || !names->count) return NULL;
    return bsearch(&key, names->unit, names->count, sizeof key, by_id);
}
