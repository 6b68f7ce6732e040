// status.h - the one error type: what a function that can fail returns.
#ifndef OM_DATA_BASE_STATUS_H
#define OM_DATA_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* Every code once: name, fixed number, text. Append, never renumber. The
 * texts speak of the domain; web/ maps codes to HTTP by a table of its own. */
#define OM_STATUS_MAP(X)                                              \
    X(OK, 0, "done")                                                  \
    X(E_MEMORY, 1, "out of memory")                                   \
    X(E_RANGE, 2, "a number is outside its range")                    \
    X(E_COORD, 3, "a coordinate is not finite or not on the map")     \
    X(E_FORMAT, 4, "not in the expected format")                      \
    X(E_NOTFOUND, 5, "does not exist")                                \
    X(E_LIMIT, 6, "larger than the limit")                            \
    X(E_COST, 7, "would cost too much")                               \
    X(E_RATE, 8, "too many requests")                                 \
    X(E_BUSY, 9, "busy, try again")                                   \
    X(E_IO, 10, "reading or writing failed")                          \
    X(E_DAMAGED, 11, "damaged: checksum or structure does not agree") \
    X(E_VERSION, 12, "written by an incompatible version")            \
    X(E_EXISTS, 13, "exists already")                                 \
    X(E_TYPE, 14, "has another type")                                 \
    X(E_CRS, 15, "coordinate system unknown or not usable")           \
    X(E_GEOMETRY, 16, "geometry cannot be used")                      \
    X(E_STOPPED, 17, "stopped")                                       \
    X(E_UNSUPPORTED, 18, "not supported")                             \
    X(E_INTERNAL, 19, "internal error")                               \
    X(E_WITHHELD, 20, "not served: its files cannot be read")

typedef enum om_status {
#define X(name, number, text) OM_##name = number,
    OM_STATUS_MAP(X)
#undef X
} om_status;

/** Longest message of an error, with its final NUL, in bytes. */
#define OM_ERR_TEXT_BYTES 320

/* An error where a human will read it: the code, what and where. */
struct om_err {
    om_status code;
    size_t at;                     // byte or row, where that means something
    char text[OM_ERR_TEXT_BYTES];  // one sentence, UTF-8, no line end
};

#define OM_MUST_USE __attribute__((warn_unused_result))
#define OM_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/** Return from the calling function if `call` fails; nothing is acquired. */
#define OM_TRY(call)                             \
    do {                                         \
        const om_status om_try_status = call;    \
        if (om_try_status) return om_try_status; \
    } while (0)

/** The text of a code, never NULL. threads: any. */
const char *om_status_text(om_status status);

/**
 * Fill `err` (may be NULL) and return `code`, so that a failing function can
 * end with `return om_fail(err, OM_E_FORMAT, at, "...")`. Text that does not
 * fit is cut at a UTF-8 boundary.
 */
om_status om_fail(struct om_err *err, om_status code, size_t at,
                  const char *format, ...) OM_PRINTF(4, 5);

#endif
