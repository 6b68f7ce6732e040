/* committed.c - an older city.json in the place of the newest is found out.
 *
 * DESIGN
 * city.json is edited by people and put back by what keeps their settings, and
 * written by every commit. One that was read before a commit and saved after it
 * names files that are not there any more, and looks like a city that has lost
 * layers. So whoever commits writes city.json a second time, after the first:
 * of the two the copy is never the newer, but where somebody has put an older
 * city.json in place. Where files that the copy names are gone as well, all of
 * the folder was taken back, which cannot be told from a city of that time; the
 * copy says nothing then. We rejected notes in the journal: they say that there
 * was a commit, and not what it was.
 *
 * Between two compactions only files, `applied` and the like differ, so that
 * the older one is mended by giving it those of the newer one, with what people
 * have written into it; after an import (base_commit) it is not, since the two
 * may contradict each other.
 */
#include "data/city/committed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/base/log.h"
#include "data/city/journal.h"

#define PATH_BYTES 4096
#define ASIDE "city.older-%llu.json"

void om_committed_keep(const char *city, const struct om_manifest *m)
{
    struct om_err why = {0};
    if (om_manifest_write_as(city, OM_COMMITTED_FILE, m, &why))
        om_log(OM_LOG_WARN, "city",
               "the copy of city.json by which an older one is known was not "
               "written: %s",
               why.text);
}

/* Programs that edit city.json may read numbers as reals: of an id the first 53
 * bits are left then. */
bool om_committed_is_older(const struct om_manifest *m,
                           const struct om_manifest *newest)
{
    return m->id && (double)m->id == (double)newest->id &&
           m->sequence < newest->sequence;
}

static bool is_there(const char *city, const char *file)
{
    char path[PATH_BYTES];
    return !file[0] || (!om_path_join(path, sizeof path, city, file) &&
                        om_file_exists(path));
}

bool om_committed_exists(const char *city)
{
    return is_there(city, OM_COMMITTED_FILE);
}

static bool has_its_files(const char *city, const struct om_manifest *m)
{
    for (size_t i = 0; i < m->layers; i++)
        for (size_t p = 0; p < m->layer[i].parts; p++) {
            const struct om_manifest_part *part = &m->layer[i].part[p];
            if (!is_there(city, part->file) ||
                !is_there(city, part->units_file) ||
                !is_there(city, part->dead_file))
                return false;
        }
    return true;
}

/* The commit that was kept, if city.json is older; *older false: it is not. */
static om_status read_newer(const char *city, const struct om_manifest *m,
                            struct om_manifest *out, bool *older,
                            struct om_err *err)
{
    *older = false;
    const om_status st = om_manifest_read_as(city, OM_COMMITTED_FILE, out, err);
    if (st == OM_E_MEMORY || st == OM_E_IO) return st;
    if (st) return OM_OK;  // nothing that proves anything
    *older = om_committed_is_older(m, out) && has_its_files(city, out);
    if (!*older) om_manifest_deinit(out);
    return OM_OK;
}

/* Whoever commits has written both meanwhile? */
static bool is_still(const char *city, const struct om_manifest *m)
{
    struct om_manifest now = {0};
    const om_status st = om_manifest_read(city, &now, NULL);
    const bool same = st ? st != OM_E_NOTFOUND : now.sequence == m->sequence;
    om_manifest_deinit(&now);
    return same;
}

om_status om_committed_check(const char *city, const struct om_manifest *m,
                             struct om_err *err)
{
    struct om_manifest newest = {0};
    bool older;
    OM_TRY(read_newer(city, m, &newest, &older, err));
    if (!older) return OM_OK;
    const bool still = is_still(city, m);
    om_fail(
        still ? err : NULL, OM_E_DAMAGED, 0,
        OM_COMMITTED_OLDER
        ", of commit %llu; the newest is %llu, "
        "and its files are there (bring it back without loss: onemap verify "
        "CITY --newest)",
        (unsigned long long)m->sequence, (unsigned long long)newest.sequence);
    om_manifest_deinit(&newest);
    return still ? OM_E_DAMAGED : OM_OK;
}

static bool same_schema(const struct om_schema *a, const struct om_schema *b)
{
    bool same = a->count == b->count && a->geometry == b->geometry &&
                a->id_field == b->id_field && a->time_field == b->time_field;
    for (size_t i = 0; i < a->count && same; i++)
        same = a->field[i].type == b->field[i].type &&
               !strcmp(a->field[i].name, b->field[i].name);
    return same;
}

static bool same_city(const struct om_manifest *a, const struct om_manifest *b)
{
    bool same = a->layers == b->layers && a->levels == b->levels &&
                a->release == b->release && a->zone_s == b->zone_s;
    for (size_t i = 0; i < a->levels && same; i++)
        same = !strcmp(a->level[i], b->level[i]);
    return same;
}

om_status om_committed_merge(struct om_manifest *older,
                             const struct om_manifest *newest,
                             struct om_err *err)
{
    if (!same_city(older, newest))
        return om_fail(err, OM_E_FORMAT, 0, "it has other layers or levels");
    for (size_t i = 0; i < older->layers; i++) {
        const struct om_manifest_layer *layer = &older->layer[i];
        const struct om_manifest_layer *now =
            om_manifest_find(newest, layer->name);
        if (!now || strcmp(layer->unit_level, now->unit_level) ||
            !same_schema(&layer->schema, &now->schema))
            return om_fail(err, OM_E_FORMAT, 0,
                           "it describes layer %s otherwise", layer->name);
        if (layer->base_commit != now->base_commit)
            return om_fail(err, OM_E_FORMAT, 0,
                           "layer %s has been imported since", layer->name);
    }
    older->id = newest->id;
    older->sequence = newest->sequence;
    older->journal = newest->journal;
    older->journal_last = newest->journal_last;
    for (size_t i = 0; i < older->layers; i++) {
        struct om_manifest_layer *layer = &older->layer[i];
        const struct om_manifest_layer *now =
            om_manifest_find(newest, layer->name);
        layer->as_of_s = now->as_of_s;
        layer->applied = now->applied;
        layer->parts = now->parts;
        layer->part = now->part;
    }
    return OM_OK;
}

/* What is in place stays beside, under a name that says what it is. */
static om_status set_aside(const char *city, struct om_committed_taken *out,
                           struct om_err *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    struct om_buf bytes = {0};
    snprintf(out->aside, sizeof out->aside, ASIDE,
             (unsigned long long)out->older);
    if (om_path_join(from, sizeof from, city, "city.json") ||
        om_path_join(to, sizeof to, city, out->aside))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (!om_file_exists(from)) {
        out->aside[0] = '\0';
        return OM_OK;
    }
    om_status st = om_file_read(from, OM_LIMIT_JSON_BYTES, &bytes, err);
    if (!st) st = om_file_write_whole(to, bytes.bytes, bytes.len, err);
    om_buf_deinit(&bytes);
    return st;
}

static om_status take(const char *city, struct om_committed_taken *out,
                      struct om_err *err)
{
    struct om_manifest older = {0}, newest = {0};
    bool is_older = false;
    om_status st = om_manifest_read(city, &older, err);
    if (st == OM_E_FORMAT || st == OM_E_NOTFOUND) {
        // What nobody can read is older than anything.
        if (!om_manifest_read_as(city, OM_COMMITTED_FILE, &newest, NULL))
            st = OM_OK;
        is_older = !st;
    } else if (!st) {
        st = read_newer(city, &older, &newest, &is_older, err);
    }
    out->older = out->newest = older.sequence;
    if (!st && is_older) {
        out->newest = newest.sequence;
        st = set_aside(city, out, err);
        out->merged = older.id && !om_committed_merge(&older, &newest, NULL);
        if (!st)
            st = om_manifest_write(city, out->merged ? &older : &newest, err);
    }
    om_manifest_deinit(&older);
    om_manifest_deinit(&newest);
    return st;
}

om_status om_committed_take(const char *city, struct om_committed_taken *out,
                            struct om_err *err)
{
    int writer = -1, files = -1;
    *out = (struct om_committed_taken){0};
    om_status st = om_journal_lock(city, &writer, err);
    if (!st) st = om_city_lock(city, &files, err);
    if (!st) st = take(city, out, err);
    if (files >= 0) close(files);
    if (writer >= 0) close(writer);
    return st;
}
