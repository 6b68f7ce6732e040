// still_import.c - rows that come into files of a city that nobody serves.
#include "engine/policy/still_import.h"

#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/city/journal.h"
#include "engine/policy/role.h"
#include "engine/policy/still_file.h"
#include "engine/policy/still_internal.h"

struct om_still_hold {
    int lock;
    struct om_still_file *file;
    struct om_city *city;
    struct om_snapshot *still;
};

static om_status let_go(struct om_still_hold *hold, om_status st)
{
    om_snapshot_unref(hold->still);
    om_still_file_free(hold->file);
    om_city_close(hold->city);
    if (hold->lock >= 0) close(hold->lock);
    om_free(hold);
    return st;
}

static bool any_watched(struct om_city *city, const char *const *layer,
                        size_t layers)
{
    struct om_snapshot *now = om_city_snapshot(city);
    bool any = false;
    for (size_t i = 0; i < layers && !any; i++) {
        const struct om_layer *l = om_snapshot_layer(now, layer[i]);
        any = l && om__still_watches(now->manifest, l);
    }
    om_snapshot_unref(now);
    return any;
}

om_status om_still_hold(const char *path, const char *const *layer,
                        size_t layers, struct om_still_hold **out,
                        struct om_err *err)
{
    char file[OM_STILL_PATH_BYTES];
    *out = NULL;
    if (om_path_join(file, sizeof file, path, OM_STILL_FILE) ||
        !om_file_exists(file))
        return OM_OK;
    struct om_still_hold *hold = om_calloc(1, sizeof *hold);
    if (!hold) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    om_status st = om_journal_lock(path, &hold->lock, err);
    if (st) hold->lock = -1;
    if (st) return let_go(hold, st == OM_E_BUSY ? OM_OK : st);
    st = om_still_open(path, &hold->file, &hold->city, &hold->still, err);
    if (st || !hold->still || !any_watched(hold->city, layer, layers))
        return let_go(hold, st);
    *out = hold;
    return OM_OK;
}

static om_status hold_rows(struct om_still_hold *hold, uint64_t least,
                           struct om_err *err)
{
    struct om_snapshot *still = NULL;
    struct om_still_figures figures;
    // Files that stay are the same ones in both, and not compared.
    OM_TRY(om_city_refresh(hold->city, NULL, err));
    struct om_snapshot *newest = om_city_snapshot(hold->city);
    om_status st = om_still_next(hold->still, hold->city, newest, least, NULL,
                                 &still, &figures);
    if (st)
        om_fail(err, st, 0, "what is told of persons: %s", om_status_text(st));
    else
        st = om_still_file_write(hold->file, still, newest, err);
    om_snapshot_unref(still);
    om_snapshot_unref(newest);
    return st;
}

om_status om_still_hold_end(struct om_still_hold *hold, bool done,
                            struct om_err *err)
{
    struct om_roles *roles = NULL;
    if (!hold) return OM_OK;
    if (!done) return let_go(hold, OM_OK);
    om_status st = om_roles_read(om_still_file_city(hold->file), &roles, err);
    if (!st) st = hold_rows(hold, om_roles_least(roles), err);
    om_roles_unref(roles);
    return let_go(hold, st);
}
