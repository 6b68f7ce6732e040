// read_internal.h - strict reading of JSON objects: every member known, every
// fault with the path of its member.
#ifndef OM_ENGINE_RISK_READ_INTERNAL_H
#define OM_ENGINE_RISK_READ_INTERNAL_H

#include "data/base/arena.h"
#include "data/base/limits.h"
#include "data/json.h"

/* An object being read. `path` is what its members' names follow in messages:
 * "" or "terms[1].". The first failure sticks and makes the rest do nothing. */
struct om__reader {
    const struct om_json *object;
    char path[96];
    struct om_arena *arena;
    struct om_err *err;
    om_status *status;  // shared by all readers of a document
};

/** A failure of a member; sticks. */
void om__read_fail(struct om__reader *r, const char *key, om_status status,
                   const char *format, ...) OM_PRINTF(4, 5);
/** A reader of a value that must be an object, `key` its name below r. */
struct om__reader om__read_object(struct om__reader *r,
                                  const struct om_json *value, const char *key);
/** Fail if there is a member that is none of the blank-separated words. */
void om__read_known(struct om__reader *r, const char *words);
/** Copy of a text of at most `most` bytes; NULL if it is not there. */
const char *om__read_text(struct om__reader *r, const char *key, size_t most);
/** The same; not there or empty is a failure. */
const char *om__read_needed(struct om__reader *r, const char *key, size_t most);
/** A number in [min, max]; `otherwise` if it is not there. */
double om__read_real(struct om__reader *r, const char *key, double min,
                     double max, const char *unit, double otherwise);
bool om__read_truth(struct om__reader *r, const char *key, bool otherwise);
/** Zeroed memory of the arena; NULL makes the reading fail. */
void *om__read_room(struct om__reader *r, size_t count, size_t bytes);

#endif
