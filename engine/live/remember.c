// remember.c - city.json is told which journal the city has, and how far it is.
#include <string.h>
#include <unistd.h>

#include "data/city/committed.h"
#include "engine/live/live_internal.h"

/* What city.json says of the files stays as it is, so nothing is published and
 * whoever looks finds nothing new; only our own stamp moves on. Another
 * process' commit that has not been taken in yet must not pass for seen. */
static om_status write_manifest(struct om_live *live, uint64_t identity,
                                uint64_t last, struct om_err *err)
{
    struct om_city *city = live->city;
    struct om__stamp stamp;
    struct om_manifest m = {0};
    OM_TRY(om__stamp_read(city->path, &stamp, err));
    pthread_mutex_lock(&city->lock);
    const bool ours = om__stamp_same(&stamp, &city->stamp);
    pthread_mutex_unlock(&city->lock);
    if (!ours) return om_fail(err, OM_E_BUSY, 0, "another commit comes first");
    om_status st = om_manifest_read(city->path, &m, err);
    m.journal = identity;
    m.journal_last = last;
    if (!st) st = om_manifest_write(city->path, &m, err);
    if (!st) st = om__stamp_written(city->path, m.sequence, &stamp, err);
    if (!st) om_committed_keep(city->path, &m);
    om_manifest_deinit(&m);
    if (st) return st;
    pthread_mutex_lock(&city->lock);
    city->stamp = stamp;
    pthread_mutex_unlock(&city->lock);
    atomic_store(&live->remembered, identity);
    return OM_OK;
}

bool om__live_remembered(struct om_live *live)
{
    pthread_mutex_lock(&live->journal_lock);
    const bool known = !live->journal || om_journal_identity(live->journal) ==
                                             atomic_load(&live->remembered);
    pthread_mutex_unlock(&live->journal_lock);
    return known;
}

/* Whoever has one of the locks writes city.json himself, or is gone soon. */
om_status om__live_remember(struct om_live *live, struct om_err *err)
{
    int lock = -1;
    pthread_mutex_lock(&live->journal_lock);
    struct om_journal *j = live->journal;
    const uint64_t identity = j ? om_journal_identity(j) : 0;
    const uint64_t last = j ? om_journal_last(j) : 0;
    pthread_mutex_unlock(&live->journal_lock);
    if (!identity) return OM_OK;
    if (pthread_mutex_trylock(&live->files_lock))
        return om_fail(err, OM_E_BUSY, 0, "files are being written");
    om_status st = om_city_lock(live->city->path, &lock, err);
    if (!st) st = write_manifest(live, identity, last, err);
    if (lock >= 0) close(lock);
    pthread_mutex_unlock(&live->files_lock);
    return st;
}
