/* shelf.c - indexes beside the segments that they are of.
 *
 * DESIGN
 * A segment's file never changes and its name is never given to another, so an
 * index is kept under that name (search/NAME-S.COLUMN.find) and says itself
 * which segment, column and table of characters it is of: what does not fit is
 * made again. city.json does not know of it, because it can be made from what
 * city.json names at any time; a city without the folder is whole. Rows in
 * memory are small segments, and get an index in memory when first asked for.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/layer/segment_internal.h"
#include "engine/search/shelf_internal.h"

#define PATH_BYTES 4096
#define FOLDER "search"
#define ENDING ".find"
/* Beyond so many indexes those of rows in memory that nobody has asked for for
 * so long are let go of: most of their segments are gone. */
#define CROWDED 64
#define IDLE_S 60.0

om_status om_search_new(const char *path, bool writable, struct om_search **out)
{
    struct om_search *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->writable = writable;
    s->path = om_strdup(path);
    pthread_mutex_init(&s->making, NULL);
    pthread_mutex_init(&s->lock, NULL);
    if (!s->path) {
        om_search_free(s);
        return OM_E_MEMORY;
    }
    *out = s;
    return OM_OK;
}

void om_search_free(struct om_search *search)
{
    if (!search) return;
    for (size_t i = 0; i < search->count; i++)
        om_search_index_unref(search->shelved[i].index);
    om_free(search->shelved);
    om__unit_names_unref(search->names);
    for (size_t i = 0; i < OM__KEPT_TERMS; i++)
        om__terms_unref(search->kept[i].terms);
    pthread_mutex_destroy(&search->making);
    pthread_mutex_destroy(&search->lock);
    om_free(search->path);
    om_free(search);
}

size_t om_search_bytes(struct om_search *search)
{
    size_t bytes = 0;
    pthread_mutex_lock(&search->lock);
    for (size_t i = 0; i < search->count; i++)
        if (search->shelved[i].index)
            bytes += om_search_index_bytes(search->shelved[i].index);
    pthread_mutex_unlock(&search->lock);
    return bytes;
}

/* ---- names of files ---- */

static om_status name_of(const struct om_segment *segment, size_t column,
                         char *out, size_t room)
{
    const char *slash = strrchr(segment->path, '/');
    const char *base = slash ? slash + 1 : segment->path;
    const char *dot = strrchr(base, '.');
    const int len = dot ? (int)(dot - base) : (int)strlen(base);
    return (size_t)snprintf(out, room, "%.*s.%zu" ENDING, len, base, column) <
                   room
               ? OM_OK
               : OM_E_LIMIT;
}

static om_status path_of(const struct om_search *search,
                         const struct om_segment *segment, size_t column,
                         char *out, size_t room)
{
    char folder[PATH_BYTES], name[PATH_BYTES];
    OM_TRY(om_path_join(folder, sizeof folder, search->path, FOLDER));
    OM_TRY(name_of(segment, column, name, sizeof name));
    return om_path_join(out, room, folder, name);
}

/* ---- the shelf ---- */

static struct om__shelved *find(struct om_search *search, uint64_t segment,
                                size_t column)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->shelved[i].segment == segment &&
            search->shelved[i].column == column)
            return &search->shelved[i];
    return NULL;
}

static struct om_search_index *take(struct om_search *search, uint64_t segment,
                                    size_t column)
{
    pthread_mutex_lock(&search->lock);
    struct om__shelved *s = find(search, segment, column);
    struct om_search_index *index =
        s && s->index ? om_search_index_ref(s->index) : NULL;
    if (s) s->asked_s = om_seconds();
    pthread_mutex_unlock(&search->lock);
    return index;
}

/* Is the file of an index known to be damaged, and could not be removed? */
static bool is_distrusted(struct om_search *search, uint64_t segment,
                          size_t column)
{
    pthread_mutex_lock(&search->lock);
    struct om__shelved *s = find(search, segment, column);
    const bool distrusted = s && !s->index;
    pthread_mutex_unlock(&search->lock);
    return distrusted;
}

/* Put an index there, or find that another thread has; a reference of it. */
static om_status put(struct om_search *search, const struct om_segment *of,
                     size_t column, struct om_search_index **index)
{
    const uint64_t segment = om_segment_serial(of);
    om_status st = OM_OK;
    pthread_mutex_lock(&search->lock);
    struct om__shelved *s = find(search, segment, column);
    if (s && s->index) {
        om_search_index_unref(*index);
        *index = om_search_index_ref(s->index);
    } else if (s) {
        s->index = om_search_index_ref(*index);
    } else {
        if (search->count == search->room) {
            const size_t room = search->room * 2 + 16;
            struct om__shelved *grown =
                om_realloc(search->shelved, room * sizeof *grown);
            if (grown) {
                search->shelved = grown;
                search->room = room;
            } else {
                st = OM_E_MEMORY;
            }
        }
        if (!st)
            search->shelved[search->count++] =
                (struct om__shelved){.segment = segment,
                                     .column = column,
                                     .index = om_search_index_ref(*index),
                                     .in_memory = om_segment_in_memory(of),
                                     .asked_s = om_seconds()};
    }
    pthread_mutex_unlock(&search->lock);
    if (st) {
        om_search_index_unref(*index);
        *index = NULL;
    }
    return st;
}

/* An index that is missing, as a file where that can be. owns: *out */
static om_status make_one(struct om_search *search,
                          const struct om_segment *segment, size_t column,
                          struct om_search_index **out, struct om_err *err)
{
    char path[PATH_BYTES], folder[PATH_BYTES];
    struct om_err why = {0};
    om_status st = OM_E_IO;
    OM_TRY(om_path_join(folder, sizeof folder, search->path, FOLDER));
    OM_TRY(path_of(search, segment, column, path, sizeof path));
    if (search->writable) {
        st = om_folder_make_private(folder, &why);
        if (!st) st = om_search_index_build(segment, column, path, out, &why);
        if (st == OM_E_IO || st == OM_E_NOTFOUND)
            om_log(OM_LOG_INFO, "search",
                   "%s: kept in memory, since it cannot be written (%.160s)",
                   path, why.text);
    }
    if (st == OM_E_IO || st == OM_E_NOTFOUND)
        st = om_search_index_build(segment, column, NULL, out, &why);
    return st ? om_fail(err, st, 0, "%s", why.text) : OM_OK;
}

/* As om__shelf_get; rows of files beyond `most` are not made. */
static om_status get_or_make(struct om_search *search,
                             const struct om_segment *segment, size_t column,
                             size_t most, size_t *made,
                             struct om_search_index **out, struct om_err *err)
{
    const uint64_t serial = om_segment_serial(segment);
    *out = take(search, serial, column);
    if (*out) return OM_OK;
    if (om_segment_in_memory(segment)) {
        OM_TRY(om_search_index_build(segment, column, NULL, out, err));
        return put(search, segment, column, out);
    }
    char path[PATH_BYTES];
    OM_TRY(path_of(search, segment, column, path, sizeof path));
    om_status st = is_distrusted(search, serial, column)
                       ? OM_E_DAMAGED
                       : om_search_index_open(path, segment, column, out, NULL);
    if (st == OM_E_MEMORY) return st;
    if (st) {
        *out = NULL;
        if (om_segment_rows(segment) > most) return OM_OK;
        OM_TRY(make_one(search, segment, column, out, err));
        ++*made;
    }
    return put(search, segment, column, out);
}

om_status om__shelf_get(struct om_search *search,
                        const struct om_segment *segment, size_t column,
                        struct om_search_index **out)
{
    size_t made = 0;
    return get_or_make(search, segment, column, OM_SEARCH_SMALL_ROWS, &made,
                       out, NULL);
}

void om__shelf_drop(struct om_search *search, const struct om_segment *segment,
                    size_t column)
{
    char path[PATH_BYTES];
    if (path_of(search, segment, column, path, sizeof path)) return;
    om_log(OM_LOG_WARN, "search", "%s is damaged: it is made again", path);
    const bool gone = search->writable && !unlink(path);
    pthread_mutex_lock(&search->lock);
    struct om__shelved *s = find(search, om_segment_serial(segment), column);
    struct om_search_index *index = s ? s->index : NULL;
    if (s) s->index = NULL;  // what stays in the folder is not opened again
    if (s && gone) *s = search->shelved[--search->count];
    pthread_mutex_unlock(&search->lock);
    om_search_index_unref(index);
}

om_status om__shelf_names(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          struct om__unit_names **out)
{
    const uint64_t of = om__unit_names_of(snapshot);
    *out = NULL;
    pthread_mutex_lock(&search->lock);
    if (search->names && search->names_of == of)
        *out = om__unit_names_ref(search->names);
    pthread_mutex_unlock(&search->lock);
    if (*out) return OM_OK;
    OM_TRY(om__unit_names_new(snapshot, out));
    pthread_mutex_lock(&search->lock);
    om__unit_names_unref(search->names);
    search->names = om__unit_names_ref(*out);
    search->names_of = of;
    pthread_mutex_unlock(&search->lock);
    return OM_OK;
}

om_status om__shelf_terms(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          struct om__terms **out)
{
    const uint64_t of = om__terms_of(snapshot);
    *out = NULL;
    pthread_mutex_lock(&search->lock);
    for (size_t i = 0; i < OM__KEPT_TERMS && !*out; i++)
        if (search->kept[i].terms && search->kept[i].of == of)
            *out = om__terms_ref(search->kept[i].terms);
    pthread_mutex_unlock(&search->lock);
    if (*out) return OM_OK;
    OM_TRY(om__terms_new(snapshot, out));
    pthread_mutex_lock(&search->lock);
    struct om__kept_terms *to =
        &search->kept[search->kept_next++ % OM__KEPT_TERMS];
    om__terms_unref(to->terms);
    *to = (struct om__kept_terms){om__terms_ref(*out), of};
    pthread_mutex_unlock(&search->lock);
    return OM_OK;
}

/* Let go of indexes of segments that the snapshot has not. */
static void sweep_shelf(struct om_search *search,
                        const struct om_snapshot *snapshot)
{
    pthread_mutex_lock(&search->lock);
    for (size_t i = 0; i < search->count; i++) search->shelved[i].used = false;
    for (size_t l = 0; l < snapshot->layers; l++)
        for (size_t p = 0; p < snapshot->layer[l].parts; p++) {
            const uint64_t serial =
                om_segment_serial(snapshot->layer[l].part[p].segment);
            for (size_t i = 0; i < search->count; i++)
                if (search->shelved[i].segment == serial)
                    search->shelved[i].used = true;
        }
    size_t kept = 0;
    for (size_t i = 0; i < search->count; i++) {
        if (search->shelved[i].used)
            search->shelved[kept++] = search->shelved[i];
        else
            om_search_index_unref(search->shelved[i].index);
    }
    search->count = kept;
    pthread_mutex_unlock(&search->lock);
}

void om__shelf_tidy(struct om_search *search)
{
    pthread_mutex_lock(&search->lock);
    const double since_s = om_seconds() - IDLE_S;
    size_t kept = 0;
    for (size_t i = 0; i < search->count; i++) {
        struct om__shelved *s = &search->shelved[i];
        if (search->count <= CROWDED || !s->in_memory || s->asked_s >= since_s)
            search->shelved[kept++] = *s;
        else
            om_search_index_unref(s->index);
    }
    search->count = kept;
    pthread_mutex_unlock(&search->lock);
}

/* ---- files ---- */

/* Is the file called `name` the index of a segment of this snapshot? */
static bool is_of(const struct om_snapshot *snapshot,
                  const struct om_search_source *source, size_t sources,
                  const char *name)
{
    char want[PATH_BYTES];
    for (size_t s = 0; s < sources; s++) {
        const struct om_layer *layer =
            om_snapshot_layer(snapshot, source[s].layer);
        const size_t column = om_schema_find(&layer->schema, source[s].column);
        for (size_t p = 0; p < layer->parts; p++)
            if (!om_segment_in_memory(layer->part[p].segment) &&
                !name_of(layer->part[p].segment, column, want, sizeof want) &&
                !strcmp(want, name))
                return true;
    }
    return false;
}

static void sweep_folder(const struct om_search *search,
                         const struct om_snapshot *snapshot,
                         const struct om_search_source *source, size_t sources)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    if (om_path_join(folder, sizeof folder, search->path, FOLDER)) return;
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        const char *end = strrchr(entry->d_name, '.');
        // Files that are being written are another's.
        if (!end || strcmp(end, ENDING) != 0) continue;
        if (is_of(snapshot, source, sources, entry->d_name)) continue;
        if (!om_path_join(path, sizeof path, folder, entry->d_name))
            unlink(path);
    }
    closedir(dir);
}

static om_status prepare_layer(struct om_search *search,
                               const struct om_layer *layer, size_t column,
                               size_t *made, struct om_err *err)
{
    om_status first = OM_OK;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        struct om_search_index *index = NULL;
        if (om_segment_in_memory(segment)) continue;
        const om_status st = get_or_make(search, segment, column, SIZE_MAX,
                                         made, &index, first ? NULL : err);
        om_search_index_unref(index);
        if (st && !first) first = st;
    }
    return first;
}

om_status om_search_prepare(struct om_search *search,
                            const struct om_snapshot *snapshot, size_t *made,
                            struct om_err *err)
{
    size_t sources, count = 0;
    struct om_search_source *source =
        om_calloc(OM_SEARCH_LAYERS, sizeof *source);
    if (!source) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    om_status st = om_search_sources(snapshot, source, &sources, err);
    if (st) {
        om_free(source);
        return st;
    }
    pthread_mutex_lock(&search->making);
    const double start = om_seconds();
    // Small layers first: most of what is asked for is then found at once.
    for (int large = 0; large < 2; large++)
        for (size_t s = 0; s < sources; s++) {
            const struct om_layer *layer =
                om_snapshot_layer(snapshot, source[s].layer);
            if ((layer->rows > 1000000) != large) continue;
            const om_status one = prepare_layer(
                search, layer, om_schema_find(&layer->schema, source[s].column),
                &count, st ? NULL : err);
            if (one && !st) st = one;
        }
    if (count > 0) {
        if (search->writable) sweep_folder(search, snapshot, source, sources);
        om_progress_done("index for search", count, om_seconds() - start);
    }
    sweep_shelf(search, snapshot);
    pthread_mutex_unlock(&search->making);
    if (made) *made = count;
    om_free(source);
    return st;
}
