// json.h - JSON documents behind a door; strict UTF-8, no duplicate keys.
#ifndef OM_DATA_JSON_H
#define OM_DATA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/buf.h"
#include "data/base/status.h"

/* A value of a document. What the getters give is borrowed from its document;
 * NULL stands for "not there" and every getter takes it. */
struct om_json;

enum om_json_kind {
    OM_JSON_NONE,  // not there
    OM_JSON_NULL,
    OM_JSON_BOOLEAN,
    OM_JSON_NUMBER,
    OM_JSON_TEXT,
    OM_JSON_LIST,
    OM_JSON_OBJECT,
};

/** Parse a document; any kind of value at its top. returns OM_E_FORMAT with
 *  line and byte in err, or that there is nothing; whoever knows which file it
 *  is puts its name before that. owns: *out with om_json_free. */
om_status om_json_parse(const char *text, size_t len, struct om_json **out,
                        struct om_err *err) OM_MUST_USE;
/** Free a document; NULL is fine. */
void om_json_free(struct om_json *document);

/** What a value is. */
enum om_json_kind om_json_kind(const struct om_json *value);
/** Member of an object, element of a list; NULL if there is none. */
struct om_json *om_json_get(const struct om_json *object, const char *key);
struct om_json *om_json_at(const struct om_json *list, size_t i);
/** Elements of a list, members of an object; 0 else. */
size_t om_json_count(const struct om_json *value);
/** Member number i of an object in document order, and its key. cost: O(i) */
struct om_json *om_json_member(const struct om_json *object, size_t i,
                               const char **key);

/** Text, number, truth of a value, or `otherwise` if it is of another kind. */
const char *om_json_text(const struct om_json *value, const char *otherwise);
/** Any number. */
double om_json_real(const struct om_json *value, double otherwise);
/** A whole number, also one written as 4.0. */
int64_t om_json_integer(const struct om_json *value, int64_t otherwise);
/** true or false. */
bool om_json_true(const struct om_json *value, bool otherwise);

/** An empty object or list; a text, number or truth. NULL: no memory. */
struct om_json *om_json_object(void);
struct om_json *om_json_list(void);
struct om_json *om_json_of_text(const char *text);
struct om_json *om_json_of_integer(int64_t number);
struct om_json *om_json_of_real(double number);
struct om_json *om_json_of_truth(bool truth);
/** A value of its own with all that is in it. NULL: no memory, or nothing to
 *  copy. */
struct om_json *om_json_copy(const struct om_json *value);
/** Put `value` into an object (replacing) or at the end of a list. Takes
 *  value over, also on failure; a NULL value or target is OM_E_MEMORY, so that
 *  calls can be nested and checked once. */
om_status om_json_set_take(struct om_json *object, const char *key,
                           struct om_json *value) OM_MUST_USE;
om_status om_json_add_take(struct om_json *list,
                           struct om_json *value) OM_MUST_USE;
/** The same, but `value` stays where it is too: shared, not copied. */
om_status om_json_add(struct om_json *list, struct om_json *value) OM_MUST_USE;
/** Write the document, members in their order; pretty: indented by two. */
om_status om_json_write(const struct om_json *document, bool pretty,
                        struct om_buf *out) OM_MUST_USE;

#endif
