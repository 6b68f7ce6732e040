// publish_said.h - texts that go into a release as somebody wrote them, each
// against what it may be.
#ifndef OM_WEB_PUBLISH_SAID_H
#define OM_WEB_PUBLISH_SAID_H

#include "data/base/buf.h"
#include "data/json.h"

enum om__said {
    OM__SAID_TEXT,    // a line: no controls, nothing that nobody sees
    OM__SAID_WORDS,   // a line of six digits at most, in whatever writing, and
                      // none beside a street: no telephone, no identity, no
                      // address
    OM__SAID_TITLE,   // words without any number of a house (14号, No. 14,
                      // 14-2); Han digits count, too
    OM__SAID_ASCII,   // words in printable ASCII
    OM__SAID_NAME,    // of a layer, column, level: letters, digits, _ and -
    OM__SAID_PHONE,   // digits, + - and spaces, 3 of them at least
    OM__SAID_DATE,    // 2023-06-26, a day that there is
    OM__SAID_COLOUR,  // #RRGGBB
};

/** Why a text is none of that kind; NULL: it is. most: bytes */
const char *om__said_fault(enum om__said kind, const char *text, size_t most);
/** A text of publish.json at `path`; one that is not there is right.
 *  returns  OM_E_FORMAT naming it */
om_status om__said_check(const struct om_json *value, const char *path,
                         enum om__said kind, size_t most,
                         struct om_err *err) OM_MUST_USE;

/* What lists and objects may hold. */
struct om__said_shape;
struct om__said_member {
    const char *key;
    const struct om__said_shape *shape;
    bool needed;
};
struct om__said_shape {
    enum {
        OM__SAID_IS_TEXT,
        OM__SAID_IS_NUMBER,
        OM__SAID_IS_LIST,
        OM__SAID_IS_OBJECT,
        OM__SAID_IS_MAP
    } is;
    enum om__said kind;                    // of a text, and of a map's keys
    size_t most;                           // bytes, items, members of a map
    const struct om__said_shape *item;     // of a list or map
    const struct om__said_member *member;  // of an object; ends in no key
};

/* Who wrote it, and what comes of what is refused. */
struct om__said_from {
    const char *file;  // "publish.json", "city.json"
    // NULL: the first that is refused fails. Else it is left out and noted as
    // {"member", "why"}, which tell nothing of what it held.
    struct om_json *refused;
    struct om_buf *words;  // the same for whoever publishes; with `refused`
};

/**
 * Copy what of a value has a shape.
 *
 * returns  OM_E_FORMAT  the first that has not, with `refused` NULL
 *          *out is NULL where nothing is left
 * owns     *out with om_json_free
 */
om_status om__said_take(const struct om__said_from *from, const char *path,
                        const struct om_json *value,
                        const struct om__said_shape *shape,
                        struct om_json **out, struct om_err *err) OM_MUST_USE;

/* ---- shapes (publish_shapes.c) ---- */

/** The plan's "city": what pages for residents read. */
extern const struct om__said_shape om__said_city;
/** Of city.json: how a layer is called and drawn, how one gets to a centre, an
 *  entry of what is searched, a short text (license, crs). */
extern const struct om__said_shape om__said_layer, om__said_service,
    om__said_search, om__said_short;

#endif
