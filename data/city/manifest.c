// manifest.c - city.json, read into plain structs and written back whole.
#include "data/city/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/model/time.h"

/* DESIGN
 * The document as read stays beside the structs. Writing updates the members
 * this version knows inside that document, so that what a newer version or a
 * person added (duties, wishes, roles ...) survives. The structs are the
 * truth for everything else in the program. */

/* Version 2 has what a program of version 1 would pass over and be wrong: dead
 * rows, and what a journal is ahead of. It is written only where that is so. */
#define MANIFEST_VERSION 2
#define MANIFEST_VERSION_PLAIN 1
#define FILE_NAME "city.json"
#define PATH_BYTES 4096
#define LEVELS_MAX 16

const struct om_json *om_manifest_about(const struct om_manifest *m,
                                        const char *layer)
{
    const struct om_json *layers = om_json_get(m->document, "layers");
    for (size_t i = 0; i < om_json_count(layers); i++) {
        const struct om_json *one = om_json_at(layers, i);
        if (!strcmp(om_json_text(om_json_get(one, "name"), ""), layer))
            return one;
    }
    return NULL;
}

bool om_manifest_name_ok(const char *name)
{
    const size_t len = strlen(name);
    if (len == 0 || len >= OM_LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < len; i++) {
        const char c = name[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* A path inside the city's folder that cannot lead out of it. */
static bool file_ok(const char *file)
{
    return file[0] != '\0' && file[0] != '/' && !strstr(file, "..");
}

static om_status copy_text(char *out, size_t room, const struct om_json *value,
                           const char *what, struct om_err *err)
{
    const char *text = om_json_text(value, "");
    if (strlen(text) >= room)
        return om_fail(err, OM_E_LIMIT, 0,
                       "city.json: %s is longer than %zu bytes", what,
                       room - 1);
    snprintf(out, room, "%s", text);
    return OM_OK;
}

static om_status read_columns(const struct om_json *list,
                              struct om_manifest_layer *layer,
                              struct om_err *err)
{
    struct om_schema *schema = &layer->schema;
    const size_t count = om_json_count(list);
    if (count > OM_LIMIT_COLUMNS)
        return om_fail(err, OM_E_LIMIT, 0,
                       "city.json: layer %s has %zu columns", layer->name,
                       count);
    for (size_t i = 0; i < count; i++) {
        const struct om_json *column = om_json_at(list, i);
        struct om_field *field = &schema->field[i];
        OM_TRY(copy_text(field->name, sizeof field->name,
                         om_json_get(column, "name"), "a column's name", err));
        const char *type = om_json_text(om_json_get(column, "type"), "");
        if (field->name[0] == '\0' || !om_type_from_name(type, &field->type))
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: layer %s, column %zu (%s): no type '%s'",
                           layer->name, i + 1, field->name, type);
    }
    schema->count = count;
    schema->id_field = om_schema_find(schema, layer->id);
    schema->time_field =
        layer->time[0] ? om_schema_find(schema, layer->time) : OM_NO_FIELD;
    if (count > 0 && schema->id_field == OM_NO_FIELD)
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: layer %s has no column '%s' for its id",
                       layer->name, layer->id);
    return OM_OK;
}

static om_status read_parts(const struct om_json *list,
                            struct om_manifest_layer *layer,
                            struct om_arena *arena, struct om_err *err)
{
    layer->parts = om_json_count(list);
    layer->part = om_arena_calloc(arena, layer->parts, sizeof *layer->part);
    if (!layer->part) return OM_E_MEMORY;
    for (size_t i = 0; i < layer->parts; i++) {
        struct om_manifest_part *part = &layer->part[i];
        const struct om_json *value = om_json_at(list, i);
        OM_TRY(copy_text(part->file, sizeof part->file,
                         om_json_get(value, "file"), "a file", err));
        OM_TRY(copy_text(part->units_file, sizeof part->units_file,
                         om_json_get(value, "units"), "a file", err));
        OM_TRY(copy_text(part->dead_file, sizeof part->dead_file,
                         om_json_get(value, "dead"), "a file", err));
        const bool has_dead = part->dead_file[0] != '\0';
        const int64_t rows = om_json_integer(om_json_get(value, "rows"), -1);
        const int64_t dead =
            has_dead ? om_json_integer(om_json_get(value, "dead_rows"), -1) : 0;
        if (!file_ok(part->file) || rows < 0 || dead < 0 || dead > rows ||
            (part->units_file[0] && !file_ok(part->units_file)) ||
            (has_dead && !file_ok(part->dead_file)))
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: layer %s, part %zu: bad file or rows",
                           layer->name, i + 1);
        part->rows = (uint64_t)rows;
        part->dead = (uint64_t)dead;
    }
    return OM_OK;
}

static om_status read_moment(const struct om_json *value, int32_t zone_s,
                             const char *what, int64_t *out, struct om_err *err)
{
    const char *text = om_json_text(value, "");
    *out = 0;
    if (text[0] == '\0') return OM_OK;
    if (om_time_parse(text, strlen(text), zone_s, out))
        return om_fail(err, OM_E_FORMAT, 0, "city.json: %s '%s' is no time",
                       what, text);
    return OM_OK;
}

/* A sequence: 0 and above, `otherwise` where there is none. */
static om_status read_sequence(const struct om_json *value, const char *what,
                               uint64_t otherwise, uint64_t *out,
                               struct om_err *err)
{
    *out = otherwise;
    if (!value) return OM_OK;
    const int64_t sequence = om_json_integer(value, -1);
    if (sequence < 0)
        return om_fail(err, OM_E_FORMAT, 0, "city.json: %s is no sequence",
                       what);
    *out = (uint64_t)sequence;
    return OM_OK;
}

static om_status read_layer(const struct om_json *value,
                            const struct om_manifest *m,
                            struct om_manifest_layer *layer,
                            struct om_arena *arena, struct om_err *err)
{
#define TEXT(member)                                      \
    OM_TRY(copy_text(layer->member, sizeof layer->member, \
                     om_json_get(value, #member), #member, err))
    TEXT(name);
    TEXT(title);
    TEXT(title_en);
    TEXT(department);
    TEXT(rhythm);
    TEXT(base);
    TEXT(unit_level);
    TEXT(id);
    TEXT(time);
#undef TEXT
    if (!om_manifest_name_ok(layer->name))
        return om_fail(err, OM_E_FORMAT, 0, "city.json: bad layer name '%s'",
                       layer->name);
    if (layer->id[0] == '\0') snprintf(layer->id, sizeof layer->id, "id");
    layer->planned = om_json_true(om_json_get(value, "planned"), false);
    const char *geometry =
        om_json_text(om_json_get(value, "geometry"), "point");
    if (!om_geometry_from_name(geometry, &layer->schema.geometry))
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: layer %s: no geometry '%s'", layer->name,
                       geometry);
    OM_TRY(read_moment(om_json_get(value, "as_of"), m->zone_s, "as_of",
                       &layer->as_of_s, err));
    OM_TRY(read_sequence(om_json_get(value, "applied"), "applied", 0,
                         &layer->applied, err));
    OM_TRY(read_sequence(om_json_get(value, "base_commit"), "base_commit",
                         m->sequence, &layer->base_commit, err));
    OM_TRY(read_columns(om_json_get(value, "columns"), layer, err));
    return read_parts(om_json_get(value, "parts"), layer, arena, err);
}

/* "+08:00" or "Z" as seconds east of UTC. */
static om_status read_zone(const char *text, int32_t *out, struct om_err *err)
{
    // A zone is what is left of a moment when its date and clock are known.
    char moment[64];
    int64_t utc_s;
    snprintf(moment, sizeof moment, "2000-01-01T00:00:00%.20s", text);
    if (om_time_parse(moment, strlen(moment), 0, &utc_s))
        return om_fail(err, OM_E_FORMAT, 0, "city.json: no zone '%s'", text);
    *out = (int32_t)(om_time_days(2000, 1, 1) * 86400 - utc_s);
    return OM_OK;
}

/* The id is a text: programs that read numbers as reals would change it. */
static om_status read_journal(const struct om_json *value,
                              struct om_manifest *m, struct om_err *err)
{
    if (!value) return OM_OK;
    const char *id = om_json_text(om_json_get(value, "id"), "");
    if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: journal.id is not 16 hexadecimal digits");
    m->journal = strtoull(id, NULL, 16);
    return read_sequence(om_json_get(value, "last"), "journal.last", 0,
                         &m->journal_last, err);
}

static om_status read_document(struct om_manifest *m, struct om_err *err)
{
    const struct om_json *top = m->document;
    if (om_json_kind(top) != OM_JSON_OBJECT)
        return om_fail(err, OM_E_FORMAT, 0, "city.json is not an object");
    const int64_t version = om_json_integer(om_json_get(top, "onemap"), 0);
    if (version < MANIFEST_VERSION_PLAIN || version > MANIFEST_VERSION)
        return om_fail(err, OM_E_VERSION, 0,
                       "city.json is of version %lld, this program reads %d "
                       "to %d",
                       (long long)version, MANIFEST_VERSION_PLAIN,
                       MANIFEST_VERSION);
    OM_TRY(copy_text(m->name, sizeof m->name, om_json_get(top, "name"), "name",
                     err));
    m->synthetic = om_json_true(om_json_get(top, "synthetic"), false);
    m->release = om_json_kind(om_json_get(top, "release")) != OM_JSON_NONE;
    OM_TRY(read_zone(om_json_text(om_json_get(top, "zone"), "+08:00"),
                     &m->zone_s, err));
    OM_TRY(read_moment(om_json_get(top, "clock"), m->zone_s, "clock",
                       &m->clock_s, err));
    m->id = (uint64_t)om_json_integer(om_json_get(top, "id"), 0);
    m->sequence = (uint64_t)om_json_integer(om_json_get(top, "sequence"), 0);
    OM_TRY(read_journal(om_json_get(top, "journal"), m, err));
    const struct om_json *levels = om_json_get(top, "levels");
    for (size_t i = 0; i < om_json_count(levels); i++)
        OM_TRY(
            om_manifest_add_level(m, om_json_text(om_json_at(levels, i), "")));
    const struct om_json *layers = om_json_get(top, "layers");
    const size_t count = om_json_count(layers);
    m->layer = om_arena_calloc(&m->arena, count, sizeof *m->layer);
    if (!m->layer) return OM_E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        OM_TRY(
            read_layer(om_json_at(layers, i), m, &m->layer[i], &m->arena, err));
        if (om_manifest_find(m, m->layer[i].name))
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: two layers called %s", m->layer[i].name);
        m->layers = i + 1;
    }
    return OM_OK;
}

om_status om_manifest_read_as(const char *city, const char *file,
                              struct om_manifest *out, struct om_err *err)
{
    *out = (struct om_manifest){.zone_s = OM_TIME_ZONE_S};
    char path[PATH_BYTES];
    if (om_path_join(path, sizeof path, city, file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    struct om_buf text = {0};
    om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, &text, err);
    if (st == OM_E_NOTFOUND)
        om_fail(
            err, st, 0,
            "%s is not a city: it has no city.json (onemap import makes one)",
            city);
    struct om_err why = {0};
    if (!st)
        st = om_json_parse((const char *)text.bytes, text.len, &out->document,
                           &why);
    if (why.code) om_fail(err, st, why.at, "%s: %s", path, why.text);
    if (!st) st = read_document(out, err);
    if (st == OM_E_MEMORY)
        om_fail(err, st, 0, "reading %s: out of memory", path);
    om_buf_deinit(&text);
    if (st) om_manifest_deinit(out);
    return st;
}

om_status om_manifest_read(const char *city, struct om_manifest *out,
                           struct om_err *err)
{
    return om_manifest_read_as(city, FILE_NAME, out, err);
}

/* Set a text member, or leave it away when it is empty. */
static om_status set_text(struct om_json *object, const char *key,
                          const char *text)
{
    if (text[0] == '\0' && !om_json_get(object, key)) return OM_OK;
    return om_json_set_take(object, key, om_json_of_text(text));
}

static om_status set_moment(struct om_json *object, const char *key,
                            int64_t utc_s, int32_t zone_s)
{
    char text[OM_TIME_TEXT_BYTES] = "";
    if (utc_s) om_time_format(utc_s, zone_s, text);
    return set_text(object, key, text);
}

static om_status write_columns(const struct om_schema *schema,
                               struct om_json *list)
{
    for (size_t i = 0; i < schema->count; i++) {
        struct om_json *column = om_json_object();
        OM_TRY(om_json_add_take(list, column));
        OM_TRY(om_json_set_take(column, "name",
                                om_json_of_text(schema->field[i].name)));
        OM_TRY(om_json_set_take(
            column, "type",
            om_json_of_text(om_type_name(schema->field[i].type))));
    }
    return OM_OK;
}

static om_status write_parts(const struct om_manifest_layer *layer,
                             struct om_json *list)
{
    for (size_t i = 0; i < layer->parts; i++) {
        const struct om_manifest_part *part = &layer->part[i];
        struct om_json *value = om_json_object();
        OM_TRY(om_json_add_take(list, value));
        OM_TRY(om_json_set_take(value, "file", om_json_of_text(part->file)));
        OM_TRY(set_text(value, "units", part->units_file));
        OM_TRY(om_json_set_take(value, "rows",
                                om_json_of_integer((int64_t)part->rows)));
        if (!part->dead_file[0]) continue;
        OM_TRY(set_text(value, "dead", part->dead_file));
        OM_TRY(om_json_set_take(value, "dead_rows",
                                om_json_of_integer((int64_t)part->dead)));
    }
    return OM_OK;
}

/* Set a sequence, or leave it away while it is 0. */
static om_status set_sequence(struct om_json *object, const char *key,
                              uint64_t sequence)
{
    if (sequence == 0 && !om_json_get(object, key)) return OM_OK;
    return om_json_set_take(object, key, om_json_of_integer((int64_t)sequence));
}

static om_status write_layer(const struct om_manifest *m,
                             const struct om_manifest_layer *layer,
                             struct om_json *value)
{
    OM_TRY(set_text(value, "name", layer->name));
    OM_TRY(set_text(value, "title", layer->title));
    OM_TRY(set_text(value, "title_en", layer->title_en));
    OM_TRY(set_text(value, "department", layer->department));
    OM_TRY(set_text(value, "rhythm", layer->rhythm));
    OM_TRY(set_text(value, "base", layer->base));
    OM_TRY(set_text(value, "unit_level", layer->unit_level));
    OM_TRY(
        set_text(value, "geometry", om_geometry_name(layer->schema.geometry)));
    OM_TRY(set_text(value, "id", layer->id));
    OM_TRY(set_text(value, "time", layer->time));
    OM_TRY(set_moment(value, "as_of", layer->as_of_s, m->zone_s));
    OM_TRY(set_sequence(value, "applied", layer->applied));
    OM_TRY(set_sequence(value, "base_commit", layer->base_commit));
    struct om_json *columns = om_json_list(), *parts = om_json_list();
    const om_status st = om_json_set_take(value, "columns", columns);
    const om_status also = om_json_set_take(value, "parts", parts);
    if (st || also) return OM_E_MEMORY;
    OM_TRY(write_columns(&layer->schema, columns));
    return write_parts(layer, parts);
}

/* The member of the old list of layers that has this name, or a new one. */
static struct om_json *layer_object(struct om_json *old, struct om_json *fresh,
                                    const char *name)
{
    for (size_t i = 0; i < om_json_count(old); i++) {
        struct om_json *value = om_json_at(old, i);
        if (strcmp(om_json_text(om_json_get(value, "name"), ""), name))
            continue;
        return om_json_add(fresh, value) ? NULL : value;
    }
    struct om_json *value = om_json_object();
    return om_json_add_take(fresh, value) ? NULL : value;
}

static int version_of(const struct om_manifest *m)
{
    for (size_t i = 0; i < m->layers; i++) {
        if (m->layer[i].applied) return MANIFEST_VERSION;
        for (size_t p = 0; p < m->layer[i].parts; p++)
            if (m->layer[i].part[p].dead_file[0]) return MANIFEST_VERSION;
    }
    return MANIFEST_VERSION_PLAIN;
}

static om_status write_journal(const struct om_manifest *m, struct om_json *top)
{
    if (!m->journal) return OM_OK;
    struct om_json *journal = om_json_object();
    OM_TRY(om_json_set_take(top, "journal", journal));
    char id[17];
    snprintf(id, sizeof id, "%016" PRIx64, m->journal);
    OM_TRY(om_json_set_take(journal, "id", om_json_of_text(id)));
    return om_json_set_take(journal, "last",
                            om_json_of_integer((int64_t)m->journal_last));
}

static om_status write_document(const struct om_manifest *m,
                                struct om_json *top)
{
    char zone[OM_TIME_TEXT_BYTES];
    om_time_format(0, m->zone_s, zone);
    OM_TRY(om_json_set_take(top, "onemap", om_json_of_integer(version_of(m))));
    OM_TRY(set_text(top, "name", m->name));
    OM_TRY(om_json_set_take(top, "synthetic", om_json_of_truth(m->synthetic)));
    OM_TRY(set_text(top, "zone", zone + strlen("1970-01-01T00:00:00")));
    OM_TRY(set_moment(top, "clock", m->clock_s, m->zone_s));
    if (m->id)
        OM_TRY(om_json_set_take(top, "id", om_json_of_integer((int64_t)m->id)));
    OM_TRY(om_json_set_take(top, "sequence",
                            om_json_of_integer((int64_t)m->sequence)));
    OM_TRY(write_journal(m, top));
    struct om_json *levels = om_json_list();
    OM_TRY(om_json_set_take(top, "levels", levels));
    for (size_t i = 0; i < m->levels; i++)
        OM_TRY(om_json_add_take(levels, om_json_of_text(m->level[i])));
    struct om_json *fresh = om_json_list(), *old = om_json_get(top, "layers");
    om_status st = fresh ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < m->layers && !st; i++) {
        struct om_json *value = layer_object(old, fresh, m->layer[i].name);
        st = value ? write_layer(m, &m->layer[i], value) : OM_E_MEMORY;
    }
    const om_status set = om_json_set_take(top, "layers", fresh);
    return st ? st : set;
}

om_status om_manifest_write_as(const char *city, const char *file,
                               const struct om_manifest *m, struct om_err *err)
{
    char path[PATH_BYTES];
    if (om_path_join(path, sizeof path, city, file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    struct om_json *fresh = m->document ? NULL : om_json_object();
    struct om_json *top = m->document ? m->document : fresh;
    struct om_buf text = {0};
    om_status st = top ? write_document(m, top) : OM_E_MEMORY;
    if (!st) st = om_json_write(top, true, &text);
    if (!st) st = om_buf_add_byte(&text, '\n');
    if (st)
        om_fail(err, st, 0, "writing %s: %s", path, om_status_text(st));
    else
        st = om_file_write_whole(path, text.bytes, text.len, err);
    om_buf_deinit(&text);
    om_json_free(fresh);
    return st;
}

om_status om_manifest_write(const char *city, const struct om_manifest *m,
                            struct om_err *err)
{
    return om_manifest_write_as(city, FILE_NAME, m, err);
}

void om_manifest_deinit(struct om_manifest *m)
{
    om_json_free(m->document);
    om_arena_deinit(&m->arena);
    *m = (struct om_manifest){0};
}

struct om_manifest_layer *om_manifest_find(const struct om_manifest *m,
                                           const char *name)
{
    for (size_t i = 0; i < m->layers; i++)
        if (!strcmp(m->layer[i].name, name)) return &m->layer[i];
    return NULL;
}

struct om_manifest_layer *om_manifest_add(struct om_manifest *m,
                                          const char *name)
{
    struct om_manifest_layer *grown =
        om_arena_calloc(&m->arena, m->layers + 1, sizeof *grown);
    if (!grown) return NULL;
    if (m->layers) memcpy(grown, m->layer, m->layers * sizeof *grown);
    m->layer = grown;
    struct om_manifest_layer *layer = &grown[m->layers++];
    snprintf(layer->name, sizeof layer->name, "%s", name);
    snprintf(layer->id, sizeof layer->id, "id");
    return layer;
}

om_status om_manifest_add_level(struct om_manifest *m, const char *name)
{
    if (!om_manifest_name_ok(name)) return OM_E_FORMAT;
    for (size_t i = 0; i < m->levels; i++)
        if (!strcmp(m->level[i], name)) return OM_OK;
    if (m->levels == LEVELS_MAX) return OM_E_LIMIT;
    if (!m->level)
        m->level = om_arena_calloc(&m->arena, LEVELS_MAX, sizeof *m->level);
    if (!m->level) return OM_E_MEMORY;
    snprintf(m->level[m->levels++], sizeof *m->level, "%s", name);
    return OM_OK;
}

static void mark_happened(const struct om_schema *schema, const char *name,
                          bool *out)
{
    const size_t field = name ? om_schema_find(schema, name) : OM_NO_FIELD;
    if (field != OM_NO_FIELD && schema->field[field].type == OM_TYPE_TIME)
        out[field] = true;
}

void om_manifest_happened(const struct om_manifest *m,
                          const struct om_manifest_layer *layer, bool *out)
{
    const struct om_schema *schema = &layer->schema;
    const struct om_json *loop =
        om_json_get(om_json_get(m->document, "wall"), "loop");
    const char *of = om_json_text(om_json_get(loop, "layer"), NULL);
    const struct om_json *steps = om_json_get(loop, "steps");
    memset(out, 0, schema->count * sizeof *out);
    for (size_t i = 0;
         of && !strcmp(of, layer->name) && i < om_json_count(steps); i++) {
        const struct om_json *time = om_json_get(om_json_at(steps, i), "time");
        mark_happened(schema, om_json_text(time, NULL), out);
    }
    // What is planned is so also where it begins a loop.
    if (schema->time_field != OM_NO_FIELD && schema->count)
        out[schema->time_field] = !layer->planned;
}

int64_t om_manifest_as_of(const struct om_manifest *m,
                          const struct om_manifest_layer *layer)
{
    if (layer && layer->as_of_s) return layer->as_of_s;
    int64_t newest = m->clock_s;
    for (size_t i = 0; i < m->layers && !m->clock_s && !layer; i++)
        if (m->layer[i].as_of_s > newest) newest = m->layer[i].as_of_s;
    return newest;
}

om_status om_city_lock(const char *city, int *fd, struct om_err *err)
{
    char path[PATH_BYTES];
    if (om_path_join(path, sizeof path, city, ".lock"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    const int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0)
        return om_fail(err, OM_E_IO, 0, "cannot open %s: %s", path,
                       strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB)) {
        const bool busy = errno == EWOULDBLOCK;
        const om_status st =
            busy ? om_fail(
                       err, OM_E_BUSY, 0,
                       "%s is being written by another process (wait for it)",
                       city)
                 : om_fail(err, OM_E_IO, 0, "cannot lock %s: %s", path,
                           strerror(errno));
        close(lock);
        return st;
    }
    *fd = lock;
    return OM_OK;
}
