// serve_config.c - each setting once: its name, what it is, from where to
// where.
#include "web/cli/serve_config.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "data/base/file.h"

#define CONFIG_BYTES ((size_t)1 << 20)
#define CACHE_MIB_MAX 1048576
#define PERSONS_S_MAX (7 * 86400)
#define COMPACT_ROWS_MAX 10000000
#define JOURNAL_ROWS_MAX 1000000000
#define RATE_MAX 1000000000

enum kind { TEXT, TRUTH, REAL, WHOLE };

/* A number is above 0 and at most `max`, a whole one from 1 on. */
static const struct setting {
    const char *key;
    enum kind kind;
    int64_t max;
} SETTING[] = {
    {"listen", TEXT, 0},
    {"pages", TEXT, 0},
    {"url", TEXT, 0},
    {"fonts", TEXT, 0},
    {"in_charge_token_file", TEXT, 0},
    {"read_only", TRUTH, 0},
    {"writes_per_s", REAL, RATE_MAX},
    {"client_writes_per_s", REAL, RATE_MAX},
    {"compact_rows", WHOLE, COMPACT_ROWS_MAX},
    {"journal_rows", WHOLE, JOURNAL_ROWS_MAX},
    {"threads", WHOLE, 64},
    {"workers", WHOLE, 64},
    {"persons_s", WHOLE, PERSONS_S_MAX},
    {"cache_mib", WHOLE, CACHE_MIB_MAX},
};

static bool is_good(const struct setting *s, const struct om_json *value)
{
    const double real = om_json_real(value, NAN);
    switch (s->kind) {
        case TEXT:
            return om_json_kind(value) == OM_JSON_TEXT;
        case TRUTH:
            return om_json_kind(value) == OM_JSON_BOOLEAN;
        case REAL:
            return real > 0 && real <= (double)s->max;
        case WHOLE:
            return om_json_integer(value, 0) >= 1 &&
                   om_json_integer(value, 0) <= s->max;
    }
    return false;
}

static om_status refuse(const struct setting *s, const char *path,
                        struct om_err *err)
{
    if (s->kind == TEXT || s->kind == TRUTH)
        return om_fail(err, OM_E_FORMAT, 0, "%s: %s is not %s", path, s->key,
                       s->kind == TEXT ? "a text" : "true or false");
    return om_fail(err, OM_E_FORMAT, 0, "%s: %s is not a %s %lld", path, s->key,
                   s->kind == REAL ? "number above 0 and at most"
                                   : "whole number from 1 to",
                   (long long)s->max);
}

static om_status check(const struct om_json *config, const char *path,
                       struct om_err *err)
{
    const size_t settings = sizeof SETTING / sizeof *SETTING;
    if (om_json_kind(config) != OM_JSON_OBJECT)
        return om_fail(err, OM_E_FORMAT, 0, "%s: not a JSON object", path);
    for (size_t i = 0; i < om_json_count(config); i++) {
        const char *key = "";
        size_t k = 0;
        const struct om_json *value = om_json_member(config, i, &key);
        while (k < settings && strcmp(SETTING[k].key, key) != 0) k++;
        if (k == settings)
            return om_fail(err, OM_E_FORMAT, 0, "%s: no setting '%.64s'", path,
                           key);
        if (!is_good(&SETTING[k], value)) return refuse(&SETTING[k], path, err);
    }
    return OM_OK;
}

static const char *text(const struct om_json *config, const char *key,
                        const char *given)
{
    return given ? given : om_json_text(om_json_get(config, key), NULL);
}

static unsigned whole(const struct om_json *config, const char *key,
                      unsigned given)
{
    return given ? given
                 : (unsigned)om_json_integer(om_json_get(config, key), 0);
}

om_status om__serve_config_read(const char *path, struct om_json **document,
                                struct om_server_options *o, struct om_err *err)
{
    struct om_buf bytes = {0};
    struct om_err why = {0};
    om_status st = om_file_read(path, CONFIG_BYTES, &bytes, err);
    if (!st &&
        om_json_parse((const char *)bytes.bytes, bytes.len, document, &why))
        st = om_fail(err, OM_E_FORMAT, why.at, "%s: %s", path, why.text);
    om_buf_deinit(&bytes);
    if (!st) st = check(*document, path, err);
    if (st) return st;
    const struct om_json *c = *document;
    o->listen = text(c, "listen", o->listen);
    o->pages = text(c, "pages", o->pages);
    o->url = text(c, "url", o->url);
    o->fonts = text(c, "fonts", o->fonts);
    o->charge_file = text(c, "in_charge_token_file", o->charge_file);
    if (om_json_true(om_json_get(c, "read_only"), false)) o->read_only = true;
    o->writes_per_s = om_json_real(om_json_get(c, "writes_per_s"), 0);
    o->client_writes_per_s =
        om_json_real(om_json_get(c, "client_writes_per_s"), 0);
    o->compact_rows = whole(c, "compact_rows", 0);
    o->journal_rows = whole(c, "journal_rows", 0);
    o->threads = whole(c, "threads", o->threads);
    o->workers = whole(c, "workers", o->workers);
    o->persons_s = whole(c, "persons_s", 0);
    if (!o->cache_bytes)
        o->cache_bytes = (size_t)whole(c, "cache_mib", 0) << 20;
    return OM_OK;
}
