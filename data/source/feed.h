// feed.h - stretches of a source become batches on several threads, in order.
// Inside data/source only.
#ifndef OM_DATA_SOURCE_FEED_H
#define OM_DATA_SOURCE_FEED_H

#include "data/model/batch.h"
#include "data/model/reject.h"

/* A rejected row that waits until the number of its stretch's first row is
 * known. Texts live in the job's arena or are constants. */
struct om__note {
    struct om__note *next;
    uint64_t row;  // within the stretch, from 0
    const char *id, *column, *reason, *value;
    size_t len;
};

/* One stretch on its way to a batch. */
struct om__job {
    void *stretch;          // the reader's own, kept from job to job
    struct om_batch batch;  // source_row counts from 0 within the stretch
    uint64_t rows;          // rows of the stretch, rejected ones included
    struct om__note *first_note, *last_note;
    bool end;          // there was no stretch any more
    bool id_from_row;  // fill this column with row numbers
    size_t id_field;
    om_status status;
    struct om_err err;
};

struct om__reader {
    void *self;
    /* The next stretch, or job->end. Called in order, never twice at a time. */
    om_status (*take)(void *self, struct om__job *job);
    /* Its rows into job->batch. Called on several threads, `lane` apart. */
    om_status (*make)(void *self, struct om__job *job, size_t lane);
    /* Free job->stretch. */
    void (*drop)(void *self, struct om__job *job);
};

struct om__feed;

/** Start the threads. `reader` is copied; its self must outlive the feed. */
om_status om__feed_open(const struct om__reader *reader,
                        struct om_rejects *rejects,
                        struct om__feed **out) OM_MUST_USE;
/**
 * The next batch that has rows, swapped into `batch` (whose memory is used for
 * a later one); rows 0 at the end. Errors come in order and stay.
 */
om_status om__feed_next(struct om__feed *feed, struct om_batch *batch,
                        struct om_err *err) OM_MUST_USE;
/** Rows read so far. threads: any. */
uint64_t om__feed_read(const struct om__feed *feed);
void om__feed_close(struct om__feed *feed);

#endif
