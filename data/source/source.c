// source.c - which kind of source is it? And the doors of source.h.
#include "data/source/source.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/source/kind.h"

static bool ends_with(const char *text, size_t len, const char *tail)
{
    const size_t n = strlen(tail);
    return len >= n && strncasecmp(text + len - n, tail, n) == 0;
}

/* Text with delimiters by its name, also when compressed. */
static bool looks_like_table(const char *path)
{
    size_t len = strlen(path);
    if (ends_with(path, len, ".gz")) len -= 3;
    return ends_with(path, len, ".csv") || ends_with(path, len, ".tsv") ||
           ends_with(path, len, ".txt");
}

om_status om_source_open(const struct om_source_options *options,
                         struct om_source **out, struct om_err *err)
{
    struct om_source *s = om_calloc(1, sizeof *s);
    if (!s) return om_fail(err, OM_E_MEMORY, 0, "source: out of memory");
    om_status st = OM_OK;
    bool mine = false;
    if (looks_like_table(options->path))
        st = om__table_open(options, s, &mine, err);
    if (!st && !mine) st = om__ogr_open(options, s, err);
    if (st) goto done;
    if (options->happened && options->schema)
        memcpy(s->happened, options->happened,
               options->schema->count * sizeof *s->happened);
    s->latest_s = options->latest_s;
    s->zone_s = options->zone_s;
    st = om__feed_open(&s->reader, options->rejects, &s->feed);
    if (st) om_fail(err, st, 0, "source: out of memory");
done:
    if (st) {
        om_source_close(s);
        return st;
    }
    *out = s;
    return OM_OK;
}

const struct om_schema *om_source_schema(const struct om_source *source)
{
    return &source->plan.schema;
}

uint64_t om_source_rows(const struct om_source *source)
{
    return source->rows;
}

om_status om_source_next(struct om_source *source, struct om_batch *batch,
                         struct om_err *err)
{
    OM_TRY(om__feed_next(source->feed, batch, err));
    const uint64_t read = om_source_read(source);
    if (batch->rows == 0 && source->rows_exact && !source->rows_told &&
        read != source->rows) {
        source->rows_told = true;
        om_log(OM_LOG_WARN, "source",
               "%s: says it has %" PRIu64 " rows, %" PRIu64 " can be read",
               source->path, source->rows, read);
    }
    return OM_OK;
}

uint64_t om_source_read(const struct om_source *source)
{
    return om__feed_read(source->feed);
}

void om_source_close(struct om_source *source)
{
    if (!source) return;
    om__feed_close(source->feed);
    if (source->free_self) source->free_self(source->reader.self);
    om__crs_close(source->crs);
    om__encoding_close(source->encoding);
    om_free(source);
}
