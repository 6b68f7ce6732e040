// read.c - strict reading of JSON objects.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/risk/read_internal.h"

/* Members of an object: more is not read (finding one is linear in them). */
#define MEMBERS_MOST 128

void om__read_fail(struct om__reader *r, const char *key, om_status status,
                   const char *format, ...)
{
    if (*r->status) return;
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    // The document itself has no name.
    *r->status = om_fail(r->err, status, 0, "%s%s%s%s", r->path, key,
                         *r->path || *key ? ": " : "", text);
}

struct om__reader om__read_object(struct om__reader *r,
                                  const struct om_json *value, const char *key)
{
    struct om__reader inner = {
        .object = value, .arena = r->arena, .err = r->err, .status = r->status};
    const enum om_json_kind kind = om_json_kind(value);
    if (kind == OM_JSON_NONE)
        om__read_fail(r, key, OM_E_FORMAT, "is missing");
    else if (kind != OM_JSON_OBJECT)
        om__read_fail(r, key, OM_E_FORMAT, "is not an object");
    else if (om_json_count(value) > MEMBERS_MOST)
        om__read_fail(r, key, OM_E_LIMIT, "has more than %d members",
                      MEMBERS_MOST);
    if (*r->status) inner.object = NULL;
    snprintf(inner.path, sizeof inner.path, "%.60s%.30s%s", r->path, key,
             *key ? "." : "");
    return inner;
}

static bool listed(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

void om__read_known(struct om__reader *r, const char *words)
{
    const size_t n = om_json_count(r->object);
    for (size_t i = 0; i < n && !*r->status; i++) {
        const char *key = "";
        om_json_member(r->object, i, &key);
        if (!listed(words, key)) {
            char name[OM_LIMIT_NAME_BYTES];
            snprintf(name, sizeof name, "%s", key);
            om__read_fail(r, name, OM_E_FORMAT,
                          "there is no such member; known are %s", words);
        }
    }
}

void *om__read_room(struct om__reader *r, size_t count, size_t bytes)
{
    if (*r->status) return NULL;
    void *room = om_arena_calloc(r->arena, count ? count : 1, bytes);
    if (!room) *r->status = om_fail(r->err, OM_E_MEMORY, 0, "out of memory");
    return room;
}

const char *om__read_text(struct om__reader *r, const char *key, size_t most)
{
    if (*r->status) return NULL;
    const struct om_json *value = om_json_get(r->object, key);
    if (!value) return NULL;
    const char *text = om_json_text(value, NULL);
    if (!text) {
        om__read_fail(r, key, OM_E_FORMAT, "is not a text");
        return NULL;
    }
    const size_t len = strlen(text);
    if (len > most) {
        om__read_fail(r, key, OM_E_LIMIT, "is longer than %zu bytes", most);
        return NULL;
    }
    char *copy = om_arena_text(r->arena, text, len);
    if (!copy) *r->status = om_fail(r->err, OM_E_MEMORY, 0, "out of memory");
    return copy;
}

const char *om__read_needed(struct om__reader *r, const char *key, size_t most)
{
    const char *text = om__read_text(r, key, most);
    if (!*r->status && !(text && *text))
        om__read_fail(r, key, OM_E_FORMAT, text ? "is empty" : "is missing");
    return text;
}

double om__read_real(struct om__reader *r, const char *key, double min,
                     double max, const char *unit, double otherwise)
{
    if (*r->status) return otherwise;
    const struct om_json *value = om_json_get(r->object, key);
    if (!value) return otherwise;
    const double number = om_json_real(value, NAN);
    if (isnan(number))
        om__read_fail(r, key, OM_E_FORMAT, "is not a number");
    else if (!(number >= min && number <= max))
        om__read_fail(r, key, OM_E_RANGE, "%g is not between %g and %g%s%s",
                      number, min, max, *unit ? " " : "", unit);
    return number;
}

bool om__read_truth(struct om__reader *r, const char *key, bool otherwise)
{
    if (*r->status) return otherwise;
    const struct om_json *value = om_json_get(r->object, key);
    if (value && om_json_kind(value) != OM_JSON_BOOLEAN)
        om__read_fail(r, key, OM_E_FORMAT, "is neither true nor false");
    return om_json_true(value, otherwise);
}
