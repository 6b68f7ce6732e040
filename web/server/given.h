// given.h - which rows a request was given or has written, for the audit.
#ifndef OM_WEB_SERVER_GIVEN_H
#define OM_WEB_SERVER_GIVEN_H

#include "data/base/buf.h"
#include "data/model/pos.h"

/** Bytes of ids that are kept; of more none is. */
#define OM__GIVEN_BYTES 1000
/** Boxes that are kept of places that lie apart. */
#define OM__GIVEN_BOXES 8

/* Rows by their number, by boxes around them, which do not span what lies
 * between, and, where they are few, by their ids. Zero is none. threads: one */
struct om__given {
    uint64_t rows;
    size_t boxes;
    struct om_box box[OM__GIVEN_BOXES];
    bool many;          // more ids than are kept
    struct om_buf ids;  // ",ID,ID", as in an address
};

void om__given_deinit(struct om__given *given);
/** A row more; id NULL: unknown; pos NULL: nowhere. */
void om__given_row(struct om__given *given, const char *id, size_t len,
                   const struct om_pos *pos);
/** A place that rows were in. It goes into a box that it hardly makes larger
 *  than both are, else it is one more, and of too many the two that are least
 *  apart become one. */
void om__given_box(struct om__given *given, struct om_box box);
/** All of another one, too. */
void om__given_merge(struct om__given *given, const struct om__given *with);
/** "&rows=N&bbox=W,S,E,N&bbox=...&ids=A,B", as far as there is any of it. */
void om__given_write(const struct om__given *given, struct om_buf *out);
/** Text as it may stand in a query. */
void om__query_text(const char *text, size_t len, struct om_buf *out);

#endif
