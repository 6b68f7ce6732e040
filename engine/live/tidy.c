// tidy.c - the journal is kept small, a little at a time.
#include <fcntl.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * The log is written back when nobody waits (and it has SOME_BYTES or is older
 * than SETTLE_S), or when it has grown to LOG_BYTES, which takes some 20 ms (16
 * MB took 100), though not between a group of many rows and those who have
 * waited for its end, unless it is LATE_BYTES. A little of it stays while a
 * layer is being written to a file: to write it back the file system notes how
 * the journal grows, and before that all that has come to other files. Entries
 * that all files hold and that are older than what is kept go a bounded number
 * at a time, and a tenth of the time is for that, unless there are as many
 * again as are to be kept.
 *
 * After a group that the disk did not take (it was full) writers are turned
 * away at the door, so none of them would find out that there is room again:
 * every PERIOD_S a file of ROOM_BYTES and then an entry about nobody is tried
 * here. */

#define LOG_BYTES ((uint64_t)4 << 20)
#define LATE_BYTES ((uint64_t)16 << 20)
#define SOME_BYTES ((uint64_t)1 << 20)
#define SETTLE_S 10.0
#define PERIOD_S 1.0
/* After letting entries go it is not done for so many times as long. */
#define TRIM_SHARE 9
/* Bytes that a disk must have to be tried again. */
#define ROOM_BYTES ((size_t)1 << 20)
/* Answers under idempotency keys: a client that has not asked again after a
 * day has given up. */
#define KEYS_MS (INT64_C(86400) * 1000)
#define KEYS_PERIOD_S 1.0

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
    const uint64_t floor = om_journal_floor(live->journal);
    uint64_t upto = last > keep ? in_files(live) : floor;
    if (last > keep && upto > last - keep) upto = last - keep;
    // Keys go by their age, whether or not there are entries to let go.
    const bool keys = om_seconds() >= live->keys_due_s;
    if (upto <= floor && !keys) return;
    if (upto < floor) upto = floor;
    bool more = false;
    struct om_err err = {0};
    const double begun_s = om_seconds();
    if (om_journal_trim(live->journal, upto, om_now_ms() - KEYS_MS, &more,
                        &err))
        om_log(OM_LOG_WARN, "live", "trimming the journal: %s", err.text);
    om__newest_forget(&live->newest, om_journal_floor(live->journal));
    const double now_s = om_seconds();
    const bool much = last - om_journal_floor(live->journal) > 2 * keep;
    live->kept_s = !more  ? now_s
                   : much ? 0
                          : now_s - PERIOD_S + TRIM_SHARE * (now_s - begun_s);
    live->keys_due_s = om_seconds() + KEYS_PERIOD_S;
    if (upto > floor) live->unsettled_bytes++;
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

/* Some room, and the journal takes an entry (about nobody) again. */
static void look_for_room(struct om_live *live)
{
    if (!is_room(live) || om__live_note(live, live->base, NULL, "", NULL))
        return;
    (void)!om__live_publish(live, NULL, NULL, NULL, NULL);
    om_log(OM_LOG_INFO, "live", "the disk has room again");
}

void om__live_tidy(struct om_live *live)
{
    const bool due = om_seconds() - live->kept_s >= PERIOD_S;
    const bool lost = atomic_load(&live->lost);
    if (lost || atomic_load(&live->figures.failing)) {
        if (!due) return;
        live->kept_s = om_seconds();
        if (lost)
            om__live_recover(live);
        else
            look_for_room(live);
        return;
    }
    if (!live->journal) return;
    pthread_mutex_lock(&live->lock);
    const bool idle = !om__queue_writes(&live->queue) && !live->job;
    const bool pressing = om__queue_is_pressing(&live->queue);
    const bool writing = live->busy_layer != OM_NO_FIELD;
    pthread_mutex_unlock(&live->lock);
    const uint64_t much_bytes = pressing ? LATE_BYTES : LOG_BYTES;
    const bool much = live->unsettled_bytes >= much_bytes;
    if (!(due && idle && !writing) && !much) return;
    pthread_mutex_lock(&live->journal_lock);
    if (due) {
        live->kept_s = om_seconds();
        trim(live);
    }
    // It costs two syncs, so a little that is in the log may stay a while.
    const double waited_s = om_seconds() - live->settled_s;
    if (much || live->unsettled_bytes >= SOME_BYTES ||
        (live->unsettled_bytes && waited_s >= SETTLE_S)) {
        live->settled_s = om_seconds();
        struct om_err err = {0};
        if (om_journal_checkpoint(live->journal, &err))
            om_log(OM_LOG_WARN, "live", "writing back the journal: %s",
                   err.text);
        live->unsettled_bytes = 0;
    }
    pthread_mutex_unlock(&live->journal_lock);
}
