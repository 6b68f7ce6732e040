// address.h - the address of a request, read strictly and read once.
#ifndef OM_WEB_SERVER_ADDRESS_H
#define OM_WEB_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Bytes of a request target (path and query); longer ones are 414. Fits a
 *  filter of some length, percent-encoded, and the 32 KiB a connection has. */
#define OM_ADDRESS_BYTES 8190
/** Segments of a path; no route has as many. */
#define OM_ADDRESS_SEGMENTS 12
/** Parameters of a query; far above what any route knows. */
#define OM_ADDRESS_PARAMS 32

/* One parameter, decoded; both texts are NUL-terminated and hold no other
 * NUL, no control character, and only well-formed UTF-8. */
struct om_param {
    const char *name;
    const char *value;
    size_t len;  // of the value
};

/* A request target, taken apart. Segments are decoded, never empty, never
 * "." or "..", and contain no slash of either kind. "/" has none. */
struct om_address {
    size_t segments;
    const char *segment[OM_ADDRESS_SEGMENTS];
    bool slash;  // the path ends in a slash (and is not just one)
    om_status query;  // OM_OK, or why it cannot be read; then there are no
                      // params, and all else is as it should be
    size_t params;
    struct om_param param[OM_ADDRESS_PARAMS];
};

/**
 * Take a raw request target (origin form, "/path?query") apart.
 *
 * Percent signs are decoded once. What could mean one thing to a proxy and
 * another to us is refused instead of repaired: %00, %2F, %5C, control
 * characters, empty and dot segments, a fragment, malformed escapes, bytes
 * that are not UTF-8. In the query '+' is a blank, a parameter may occur once.
 *
 * shapes   scratch [len + 1]: holds the decoded texts
 * returns  OM_E_LIMIT   longer than OM_ADDRESS_BYTES, too many parts
 *          OM_E_FORMAT  everything else; err says what, never echoing more
 *          than a parameter's name
 * owns     out points into scratch
 * threads  any
 * test     tests/web/test_address.c, tests/fuzz/fuzz_target.c
 */
om_status om_address_parse(const char *target, size_t len, char *scratch,
                           struct om_address *out,
                           struct om_err *err) OM_MUST_USE;
/** Parameter by name, or NULL. */
const struct om_param *om_address_param(const struct om_address *address,
                                        const char *name);

/** Decimal digits only: no sign, blank or leading zero, at most `max`.
 *  `len` bytes of text must be all of it. */
bool om_digits_read(const char *text, size_t len, uint64_t max, uint64_t *out);

/** What follows the two numbers of a tile: Y.png, Y@2x.png, Y.mvt, ... */
struct om_tile_address {
    unsigned z;
    uint32_t x, y;
    unsigned scale;         // 1 or 2
    const char *extension;  // behind the last dot
};
/** Deepest zoom that has tiles. */
#define OM_TILE_ZOOM_MAX 22
/**
 * Read z, x and "y[@2x].ext".
 * returns  OM_E_FORMAT (not numbers, no extension),
 *          OM_E_RANGE (z > OM_TILE_ZOOM_MAX, x or y not below 2^z, another
 *          scale): a tile that is not there
 */
om_status om_tile_address_parse(const char *z, const char *x, const char *y,
                                struct om_tile_address *out) OM_MUST_USE;

/** Is it the value of a Host header: a name or address, and perhaps a port?
 *  Absolute links are built from nothing else. */
bool om_host_valid(const char *host);

#endif
