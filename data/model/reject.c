// reject.c - rejected rows to a CSV file, counted per reason.
#include "data/model/reject.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"

/* Reasons are constants of the program, so there are few; one more than this
 * would be counted under the last. */
#define REASONS_MAX 64
#define REASON_BYTES 96
/* Buffered rows before they go to the file. */
#define FLUSH_BYTES ((size_t)64 * 1024)
/* A value is there to be recognised, not to be kept. */
#define VALUE_MAX 200

struct reason {
    char text[REASON_BYTES];
    uint64_t count, first_row;
};

struct om_rejects {
    pthread_mutex_t lock;  // guards all below
    FILE *file;            // NULL: no file wanted
    char *path;
    struct om_buf line;
    struct reason reason[REASONS_MAX];
    size_t reasons;
    uint64_t count;
    om_status status;  // the first failure of writing
};

static om_status flush(struct om_rejects *r)
{
    if (!r->file || r->line.len == 0) return r->status;
    if (fwrite(r->line.bytes, 1, r->line.len, r->file) != r->line.len)
        if (!r->status) r->status = OM_E_IO;
    om_buf_clear(&r->line);
    return r->status;
}

static void discard(struct om_rejects *r)
{
    if (r->file) (void)fclose(r->file);
    om_buf_deinit(&r->line);
    pthread_mutex_destroy(&r->lock);
    om_free(r->path);
    om_free(r);
}

om_status om_rejects_new(const char *path, struct om_rejects **out,
                         struct om_err *err)
{
    om_status st = OM_OK;
    struct om_rejects *r = om_calloc(1, sizeof *r);
    if (!r) return om_fail(err, OM_E_MEMORY, 0, "rejects: out of memory");
    pthread_mutex_init(&r->lock, NULL);
    om_buf_init(&r->line, 0);
    if (path) {
        static const char HEADER[] = "row,id,column,reason,value\n";
        r->path = om_strdup(path);
        r->file = r->path ? fopen(path, "wb") : NULL;
        if (!r->path)
            st = om_fail(err, OM_E_MEMORY, 0, "rejects: out of memory");
        else if (!r->file)
            st = om_fail(err, OM_E_IO, 0, "%s: cannot be written", path);
        else
            st = om_buf_add(&r->line, HEADER, sizeof HEADER - 1);
    }
    if (st) {
        discard(r);
        return st;
    }
    *out = r;
    return OM_OK;
}

/* A CSV field, always in quotes: values are what could not be read. A byte
 * that is not UTF-8 is written as it is; the file shows what was there. */
static void add_field(struct om_buf *buf, const char *text, size_t len)
{
    om_buf_add_byte(buf, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') om_buf_add_byte(buf, '"');
        om_buf_add_byte(buf, text[i] ? (uint8_t)text[i] : (uint8_t)' ');
    }
    om_buf_add_byte(buf, '"');
}

static void count_reason(struct om_rejects *r, const char *reason, uint64_t row)
{
    size_t i = 0;
    while (i < r->reasons &&
           strncmp(r->reason[i].text, reason, REASON_BYTES - 1) != 0)
        i++;
    if (i == REASONS_MAX) i--;
    struct reason *entry = &r->reason[i];
    if (i == r->reasons) {
        r->reasons++;
        strncpy(entry->text, reason, REASON_BYTES - 1);
        entry->first_row = row;
    }
    entry->count++;
    if (row < entry->first_row) entry->first_row = row;
    r->count++;
}

om_status om_rejects_add(struct om_rejects *rejects, uint64_t source_row,
                         const char *id, const char *column, const char *reason,
                         const char *value, size_t len)
{
    pthread_mutex_lock(&rejects->lock);
    count_reason(rejects, reason, source_row);
    if (rejects->file) {
        struct om_buf *buf = &rejects->line;
        om_buf_add_i64(buf, (int64_t)source_row);
        om_buf_add_byte(buf, ',');
        if (id) add_field(buf, id, strlen(id));
        om_buf_add_byte(buf, ',');
        if (column) add_field(buf, column, strlen(column));
        om_buf_add_byte(buf, ',');
        add_field(buf, reason, strlen(reason));
        om_buf_add_byte(buf, ',');
        if (value) add_field(buf, value, len > VALUE_MAX ? VALUE_MAX : len);
        om_buf_add_byte(buf, '\n');
        if (buf->status && !rejects->status) rejects->status = buf->status;
        if (buf->status) om_buf_clear(buf);
        if (buf->len >= FLUSH_BYTES) (void)flush(rejects);
    }
    const om_status st = rejects->status;
    pthread_mutex_unlock(&rejects->lock);
    return st;
}

uint64_t om_rejects_count(const struct om_rejects *rejects)
{
    struct om_rejects *r = (struct om_rejects *)rejects;  // for its lock only
    pthread_mutex_lock(&r->lock);
    const uint64_t count = r->count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

void om_rejects_each(const struct om_rejects *rejects,
                     void (*each)(void *ctx, const char *reason, uint64_t count,
                                  uint64_t first_row),
                     void *ctx)
{
    for (size_t i = 0; i < rejects->reasons; i++)
        each(ctx, rejects->reason[i].text, rejects->reason[i].count,
             rejects->reason[i].first_row);
}

om_status om_rejects_flush(struct om_rejects *rejects, struct om_err *err)
{
    pthread_mutex_lock(&rejects->lock);
    om_status st = flush(rejects);
    if (!st && rejects->file && fflush(rejects->file)) st = OM_E_IO;
    pthread_mutex_unlock(&rejects->lock);
    if (!st) return OM_OK;
    return om_fail(err, st, 0, "%s: %s",
                   rejects->path ? rejects->path : "rejects",
                   om_status_text(st));
}

om_status om_rejects_close(struct om_rejects *rejects, struct om_err *err)
{
    if (!rejects) return OM_OK;
    om_status st = flush(rejects);
    if (rejects->file && fclose(rejects->file) != 0 && !st) st = OM_E_IO;
    rejects->file = NULL;
    if (st)
        om_fail(err, st, 0, "%s: rejected rows could not be written",
                rejects->path ? rejects->path : "rejects");
    discard(rejects);
    return st;
}
