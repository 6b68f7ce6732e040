// json.c - the only file that knows jansson.
#include "data/json.h"

#include <jansson.h>
#include <math.h>

static json_t *in(const struct om_json *value)
{
    return (json_t *)(uintptr_t)value;
}

static struct om_json *out_of(json_t *value)
{
    return (struct om_json *)value;
}

om_status om_json_parse(const char *text, size_t len, struct om_json **out,
                        struct om_err *err)
{
    json_error_t where;
    if (!len) return om_fail(err, OM_E_FORMAT, 0, "not JSON: empty");
    json_t *document =
        json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!document && json_error_code(&where) == json_error_out_of_memory)
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (!document) {
        const size_t at = where.position > 0 ? (size_t)where.position : 0;
        return om_fail(err, OM_E_FORMAT, at, "not JSON: line %d, column %d: %s",
                       where.line, where.column, where.text);
    }
    *out = out_of(document);
    return OM_OK;
}

void om_json_free(struct om_json *document)
{
    json_decref(in(document));
}

enum om_json_kind om_json_kind(const struct om_json *value)
{
    if (!value) return OM_JSON_NONE;
    switch (json_typeof(in(value))) {
        case JSON_OBJECT:
            return OM_JSON_OBJECT;
        case JSON_ARRAY:
            return OM_JSON_LIST;
        case JSON_STRING:
            return OM_JSON_TEXT;
        case JSON_INTEGER:
        case JSON_REAL:
            return OM_JSON_NUMBER;
        case JSON_TRUE:
        case JSON_FALSE:
            return OM_JSON_BOOLEAN;
        default:
            return OM_JSON_NULL;
    }
}

struct om_json *om_json_get(const struct om_json *object, const char *key)
{
    return out_of(json_object_get(in(object), key));
}

struct om_json *om_json_at(const struct om_json *list, size_t i)
{
    return out_of(json_array_get(in(list), i));
}

size_t om_json_count(const struct om_json *value)
{
    switch (om_json_kind(value)) {
        case OM_JSON_LIST:
            return json_array_size(in(value));
        case OM_JSON_OBJECT:
            return json_object_size(in(value));
        default:
            return 0;
    }
}

struct om_json *om_json_member(const struct om_json *object, size_t i,
                               const char **key)
{
    void *at = json_object_iter(in(object));
    while (at && i-- > 0) at = json_object_iter_next(in(object), at);
    if (!at) return NULL;
    *key = json_object_iter_key(at);
    return out_of(json_object_iter_value(at));
}

const char *om_json_text(const struct om_json *value, const char *otherwise)
{
    const char *text = json_string_value(in(value));
    return text ? text : otherwise;
}

double om_json_real(const struct om_json *value, double otherwise)
{
    return json_is_number(in(value)) ? json_number_value(in(value)) : otherwise;
}

int64_t om_json_integer(const struct om_json *value, int64_t otherwise)
{
    if (json_is_integer(in(value))) return json_integer_value(in(value));
    if (!json_is_real(in(value))) return otherwise;
    const double real = json_real_value(in(value));
    const bool whole = fabs(real) < 9007199254740992.0 && real == floor(real);
    return whole ? (int64_t)real : otherwise;
}

bool om_json_true(const struct om_json *value, bool otherwise)
{
    return json_is_boolean(in(value)) ? json_is_true(in(value)) : otherwise;
}

struct om_json *om_json_object(void)
{
    return out_of(json_object());
}

struct om_json *om_json_list(void)
{
    return out_of(json_array());
}

struct om_json *om_json_of_text(const char *text)
{
    return out_of(json_string(text));
}

struct om_json *om_json_of_integer(int64_t number)
{
    return out_of(json_integer(number));
}

struct om_json *om_json_of_real(double number)
{
    return out_of(json_real(number));
}

struct om_json *om_json_of_truth(bool truth)
{
    return out_of(json_boolean(truth));
}

om_status om_json_set_take(struct om_json *object, const char *key,
                           struct om_json *value)
{
    // jansson checks both and drops the value itself when it cannot keep it.
    return json_object_set_new(in(object), key, in(value)) ? OM_E_MEMORY
                                                           : OM_OK;
}

om_status om_json_add_take(struct om_json *list, struct om_json *value)
{
    return json_array_append_new(in(list), in(value)) ? OM_E_MEMORY : OM_OK;
}

om_status om_json_add(struct om_json *list, struct om_json *value)
{
    return json_array_append(in(list), in(value)) ? OM_E_MEMORY : OM_OK;
}

struct om_json *om_json_copy(const struct om_json *value)
{
    return out_of(json_deep_copy(in(value)));
}

static int append(const char *bytes, size_t len, void *out)
{
    return om_buf_add(out, bytes, len) ? -1 : 0;
}

om_status om_json_write(const struct om_json *document, bool pretty,
                        struct om_buf *out)
{
    const size_t flags =
        JSON_ENCODE_ANY | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
    if (json_dump_callback(in(document), append, out, flags))
        return out->status ? out->status : OM_E_FORMAT;
    return OM_OK;
}
