// audit.h - who asked for which rows, and when: files that are only added to.
#ifndef OM_DATA_CITY_AUDIT_H
#define OM_DATA_CITY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Days that files are kept: more than half a year and a summer. */
#define OM_AUDIT_DAYS 400
/** Bytes of a target that are kept of it. */
#define OM_AUDIT_TARGET_BYTES 2048

/** Bytes of a mark: hexadecimal digits, and a NUL. */
#define OM_AUDIT_MARK_BYTES 21

/* One question. Texts are borrowed; the target has no token in it, and marks
 * where somebody typed a text. */
struct om_audit_entry {
    int64_t at_ms;  // when it was asked, UTC
    const char *token, *role, *area;  // area: "town:T05" or ""
    const char *method, *route, *target;
    unsigned status;
};

/* DESIGN in audit.c. Files are CITY/audit/YYYYMMDD-PID-N.log, one a process and
 * day, 0600, a line of JSON each; CITY/audit/head knows them (audit_head.h). */
struct om_audit;
/** Nothing is written yet. owns: *out, om_audit_close */
om_status om_audit_open(const char *city, struct om_audit **out) OM_MUST_USE;
void om_audit_close(struct om_audit *audit);
/** Add an entry; files that are too old go with the first of a day. OM_E_IO.
 *  threads: any */
om_status om_audit_add(struct om_audit *audit,
                       const struct om_audit_entry *entry,
                       struct om_err *err) OM_MUST_USE;
/**
 * What is kept of a text that may be about somebody: a hash under the key of
 * the city (CITY/audit/key, made when it is needed first, for its owner only).
 * Equal texts have equal marks; without the key a mark says nothing.
 * returns  OM_E_IO     threads: any
 */
om_status om_audit_mark(struct om_audit *audit, const char *text, size_t len,
                        char out[OM_AUDIT_MARK_BYTES]) OM_MUST_USE;
/** The mark of a text in what a city has noted. OM_E_NOTFOUND: it has noted no
 *  texts. */
om_status om_audit_find_mark(const char *city, const char *text, size_t len,
                             char out[OM_AUDIT_MARK_BYTES],
                             struct om_err *err) OM_MUST_USE;

/**
 * Read all that a city has, oldest file first; `each` gets a line (NUL at its
 * end) and may stop by returning false. *broken: how often a line was changed,
 * put in, taken out or cut off, or a file; `bad` is told each of them, and what
 * cannot be told.
 * returns  OM_E_IO, OM_E_MEMORY
 */
om_status om_audit_read(const char *city,
                        bool (*each)(void *ctx, const char *line, size_t len),
                        void (*bad)(void *ctx, const char *file,
                                    const char *what),
                        void *ctx, size_t *broken,
                        struct om_err *err) OM_MUST_USE;

#endif
