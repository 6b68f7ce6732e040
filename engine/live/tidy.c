// tidy.c - the journal is kept small, a little at a time.
#include <fcntl.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * The log is written back when nobody waits, or when it has grown to
 * LOG_BYTES, which takes some 20 ms (16 MB took 100); entries that all files
 * hold and that are older than what is kept go a bounded number at a time.
 *
 * After a group that the disk did not take (it was full) writers are turned
 * away at the door, so none of them would find out that there is room again: a
 * file of ROOM_BYTES is tried for here, every PERIOD_S. */

#define LOG_BYTES ((uint64_t)4 << 20)
#define PERIOD_S 1.0
/* Bytes that a disk must have to be tried again. */
#define ROOM_BYTES ((size_t)1 << 20)
/* Answers under idempotency keys: a client that has not asked again after a
 * day has given up. */
#define KEYS_MS (INT64_C(86400) * 1000)

/* Entries up to here are in files, of all layers. */
static uint64_t in_files(const struct om_live *live)
{
    const struct om_manifest *m = &live->base->manifest;
    uint64_t least = live->sequence;
    for (size_t i = 0; i < m->layers; i++)
        if (m->layer[i].applied < least && !om__live_is_clean(live, i))
            least = m->layer[i].applied;
    return least;
}

static void trim(struct om_live *live)
{
    const uint64_t last = live->sequence, keep = live->options.keep_entries;
    if (last <= keep) return;
    uint64_t upto = in_files(live);
    if (upto > last - keep) upto = last - keep;
    if (upto <= om_journal_floor(live->journal)) return;
    bool more = false;
    struct om_err err = {0};
    if (om_journal_trim(live->journal, upto, om__now_ms() - KEYS_MS, &more,
                        &err))
        om_log(OM_LOG_WARN, "live", "trimming the journal: %s", err.text);
    om__newest_forget(&live->newest, om_journal_floor(live->journal));
    live->kept_s = more ? 0 : om_seconds();
    live->unsettled_bytes++;
}

static bool is_room(const struct om_live *live)
{
    char path[OM__PATH_BYTES];
    if (om_path_join(path, sizeof path, live->city->path, ".room"))
        return false;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    void *zeros = om_calloc(1, ROOM_BYTES);
    bool room = zeros && !om_fd_write(fd, zeros, ROOM_BYTES, path, NULL) &&
                !om_file_sync(fd, path, NULL);
    if (close(fd)) room = false;
    unlink(path);
    om_free(zeros);
    return room;
}

static void look_for_room(struct om_live *live)
{
    if (om_seconds() - live->kept_s < PERIOD_S) return;
    live->kept_s = om_seconds();
    if (!is_room(live)) return;
    atomic_store(&live->figures.failing, false);
    om_log(OM_LOG_INFO, "live", "the disk has room again");
}

/* Whoever asks whether writes are taken is told no while the disk is full, so
 * perhaps nobody writes: see whether an entry about nobody is taken. */
static void probe(struct om_live *live)
{
    if (!om__live_note(live, live->base, NULL, NULL))
        (void)!om__live_publish(live, NULL, NULL, NULL);
}

void om__live_tidy(struct om_live *live)
{
    if (atomic_load(&live->lost) || atomic_load(&live->figures.failing)) {
        if (om_seconds() - live->kept_s < PERIOD_S) return;
        live->kept_s = om_seconds();
        if (atomic_load(&live->lost))
            om__live_recover(live);
        else
            probe(live);
        return;
    }
    if (atomic_load(&live->figures.failing)) look_for_room(live);
    if (!live->journal) return;
    pthread_mutex_lock(&live->lock);
    const bool idle = !live->first && !live->job;
    pthread_mutex_unlock(&live->lock);
    const bool due = om_seconds() - live->kept_s >= PERIOD_S;
    if (!(due && idle) && live->unsettled_bytes < LOG_BYTES) return;
    pthread_mutex_lock(&live->journal_lock);
    if (due) {
        live->kept_s = om_seconds();
        trim(live);
    }
    if (live->unsettled_bytes) {
        struct om_err err = {0};
        if (om_journal_checkpoint(live->journal, &err))
            om_log(OM_LOG_WARN, "live", "writing back the journal: %s",
                   err.text);
        live->unsettled_bytes = 0;
    }
    pthread_mutex_unlock(&live->journal_lock);
}
