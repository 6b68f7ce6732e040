// log.h - one line a message on stderr, with level and area; progress too.
#ifndef OM_DATA_BASE_LOG_H
#define OM_DATA_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "data/base/status.h"

enum om_log_level { OM_LOG_ERROR, OM_LOG_WARN, OM_LOG_INFO, OM_LOG_DEBUG };

/** Messages above `level` are dropped. Default OM_LOG_INFO. */
void om_log_set_level(enum om_log_level level);
/** Print one message; control characters in it are escaped. threads: any. */
void om_log(enum om_log_level level, const char *area, const char *format, ...)
    OM_PRINTF(3, 4);

/** No progress from now on (--quiet). */
void om_progress_quiet(bool quiet);
/**
 * Say how far a long piece of work is: a bar on a terminal, a line every few
 * seconds else, nothing with --quiet. total 0: unknown, only `done` is shown.
 * Cheap enough to call per batch. threads: any.
 */
void om_progress(const char *what, uint64_t done, uint64_t total);
/** The work named `what` is done: one line with its time. */
void om_progress_done(const char *what, uint64_t done, double seconds);
/** Monotonic seconds. */
double om_seconds(void);
/** Milliseconds since 1970, UTC, as this machine's clock has it: it may jump. */
int64_t om_now_ms(void);

#endif
