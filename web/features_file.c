// features_file.c - rows into a file that is there whole or not at all.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "web/features_internal.h"

#define PATH_BYTES 4096

/* Where text goes. */
struct target {
    int fd;
    const char *path;
    uint64_t bytes, max_bytes;
    struct om_err *err;
};

static om_status take(void *ctx, const void *bytes, size_t len)
{
    struct target *t = ctx;
    t->bytes += len;
    if (t->max_bytes && t->bytes > t->max_bytes)
        return om_fail(t->err, OM_E_LIMIT, 0,
                       "the file would have more than %llu bytes",
                       (unsigned long long)t->max_bytes);
    return om_fd_write(t->fd, bytes, len, t->path, t->err);
}

/* The folder of a path, for syncing. */
static void folder_of(const char *path, char folder[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, PATH_BYTES, ".");
    else if (slash == path)
        snprintf(folder, PATH_BYTES, "/");
    else
        snprintf(folder, PATH_BYTES, "%.*s", (int)(slash - path), path);
}

static om_status save_text(const struct om_query *query,
                           const struct om_features_options *options,
                           const char *path, uint64_t *written,
                           struct om_err *err)
{
    char part[PATH_BYTES], folder[PATH_BYTES];
    const int len =
        snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof part)
        return om_fail(err, OM_E_LIMIT, 0, "%.200s: path too long", path);
    folder_of(path, folder);
    struct target t = {
        .path = part, .max_bytes = options->max_bytes, .err = err};
    t.fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (t.fd < 0)
        return om_fail(err, OM_E_IO, 0, "%.200s: %s", part, strerror(errno));
    om_status st = om_features_write(query, options, take, &t, written, NULL);
    if (!st) st = om_file_sync(t.fd, part, err);
    if (close(t.fd) && !st)
        st = om_fail(err, OM_E_IO, 0, "%.200s: %s", part, strerror(errno));
    if (!st && rename(part, path))
        st = om_fail(err, OM_E_IO, 0, "%.200s: %s", path, strerror(errno));
    if (st) {
        unlink(part);
        return st;
    }
    return om_folder_sync(folder, err);
}

/* Rows on their way into a sink. */
struct drain {
    const struct om_features_options *options;
    struct om_sink *sink;
    struct om__rows rows;
    struct om_value *value;  // [columns + 1]; owned
    bool distance;
    struct om_arena arena;  // of one row's geometry
    uint64_t count;
    om_status status;
    struct om_err *err;
};

static om_status drain_row(struct drain *d, const struct om_hit *hit)
{
    struct om_sink_geometry geometry;
    om_arena_reset(&d->arena);
    for (size_t i = 0; i < d->rows.columns; i++)
        OM_TRY(om__rows_value(&d->rows, hit, d->rows.column[i], &d->value[i]));
    if (d->distance)
        d->value[d->rows.columns] = (struct om_value){.real = hit->distance_m};
    OM_TRY(om__geometry_sink(&d->rows, hit, &d->arena, &geometry));
    OM_TRY(om_sink_add(d->sink, d->value, &geometry, d->err));
    d->count++;
    return OM_OK;
}

static bool drain_hit(void *ctx, const struct om_hit *hit)
{
    struct drain *d = ctx;
    d->status = om__rows_go_on(d->options, d->count);
    if (!d->status) d->status = drain_row(d, hit);
    return d->status == OM_OK;
}

/* The columns that are written, as a schema of their own. */
static struct om_schema *written_schema(const struct om__rows *rows,
                                        bool distance)
{
    const struct om_schema *from = &rows->layer->schema;
    struct om_schema *to = om_calloc(1, sizeof *to);
    if (!to) return NULL;
    to->geometry = from->geometry;
    to->id_field = to->time_field = OM_NO_FIELD;
    for (size_t i = 0; i < rows->columns; i++) {
        const size_t column = rows->column[i];
        to->field[i] = from->field[column];
        if (column == from->id_field) to->id_field = i;
        if (column == from->time_field) to->time_field = i;
    }
    to->count = rows->columns;
    if (distance && to->count < OM_LIMIT_COLUMNS)
        to->field[to->count++] = (struct om_field){"distance_m", OM_TYPE_REAL};
    return to;
}

static om_status save_sink(const struct om_query *query,
                           const struct om_features_options *options,
                           const char *path, uint64_t *written,
                           struct om_err *err)
{
    const char *format = options->format == OM_FEATURES_FGB ? "fgb" : "gpkg";
    struct drain d = {
        .options = options, .distance = options->distance, .err = err};
    OM_TRY(om__rows_init(&d.rows, query->layer, options));
    struct om_schema *schema = NULL;
    om_status st = OM_OK;
    if (d.rows.columns + d.distance > OM_LIMIT_COLUMNS) st = OM_E_LIMIT;
    if (!st) {
        schema = written_schema(&d.rows, d.distance);
        d.value = om_calloc(d.rows.columns + 1, sizeof *d.value);
        if (!schema || !d.value) st = OM_E_MEMORY;
    }
    if (st) goto done;
    st = om_sink_open(
        path, format, query->layer->name, schema, options->zone_s,
        options->project ? om_project_system(options->project)->code : NULL,
        &d.sink, err);
    if (st) goto done;
    st = om__rows_each(query, options, drain_hit, &d);
    if (!st) st = d.status;
    const om_status closed = om_sink_close(d.sink, st == OM_OK, err);
    if (!st) st = closed;
    if (written) *written = d.count;
done:
    om__rows_deinit(&d.rows);
    om_arena_deinit(&d.arena);
    om_free(d.value);
    om_free(schema);
    return st;
}

om_status om_features_save(const struct om_query *query,
                           const struct om_features_options *options,
                           const char *path, uint64_t *written,
                           struct om_err *err)
{
    if (err) *err = (struct om_err){0};
    const bool text = options->format == OM_FEATURES_GEOJSON ||
                      options->format == OM_FEATURES_CSV;
    const om_status st = text ? save_text(query, options, path, written, err)
                              : save_sink(query, options, path, written, err);
    if (st && err && !err->text[0])
        om_fail(err, st, 0, "layer %s into %.200s: %s", query->layer->name,
                path, om_status_text(st));
    return st;
}
