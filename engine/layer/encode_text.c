// encode_text.c - texts as numbers, as words of a dictionary, as blocks.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/compress.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"

/* Rows that one thread looks at at a time. */
#define STRETCH_ROWS 65536u
/* Blocks that one thread compresses at a time. */
#define STRETCH_BLOCKS 64u
/* zstd's fastest regular level: 1.3 of the size of level 9 at a tenth of its
 * time. */
#define TEXT_LEVEL 1

struct number_job {
    const struct om__gather *g;
    const struct om__order *order;
    int64_t *value;
    const char *prefix;
    size_t prefix_len, len;
};

/* OM_E_FORMAT: one is not of the form. */
static om_status number_stretch(void *ctx, size_t first, size_t end,
                                size_t lane)
{
    (void)lane;
    const struct number_job *job = ctx;
    for (size_t i = first; i < end; i++) {
        job->value[i] = 0;
        if (job->order->gone[i] || !om__gather_valid(job->g, i)) continue;
        size_t len;
        const char *text = om__gather_text(job->g, i, &len);
        if (len != job->len || memcmp(text, job->prefix, job->prefix_len) != 0)
            return OM_E_FORMAT;
        int64_t number = 0;
        for (size_t k = job->prefix_len; k < len; k++) {
            const unsigned digit = (unsigned)(text[k] - '0');
            if (digit > 9) return OM_E_FORMAT;
            number = number * 10 + (int64_t)digit;
        }
        job->value[i] = number;
    }
    return OM_OK;
}

om_status om__texts_number(const struct om__gather *g,
                           const struct om__order *order, int64_t *value,
                           struct om__meta_column *meta, bool *done)
{
    *done = false;
    size_t row = 0;
    while (row < order->gathered &&
           (order->gone[row] || !om__gather_valid(g, row)))
        row++;
    if (row == order->gathered) return OM_OK;
    struct number_job job = {.g = g, .order = order, .value = value};
    job.prefix = om__gather_text(g, row, &job.len);
    size_t digits = 0;
    while (digits < job.len && digits < OM__NUMBER_DIGITS) {
        const char c = job.prefix[job.len - digits - 1];
        if (c < '0' || c > '9') break;
        digits++;
    }
    job.prefix_len = job.len - digits;
    if (digits == 0 || job.prefix_len >= sizeof meta->prefix) return OM_OK;
    if (memchr(job.prefix, '\0', job.prefix_len)) return OM_OK;
    const om_status st =
        om_parallel(order->gathered, STRETCH_ROWS, number_stretch, &job);
    if (st) return st == OM_E_FORMAT ? OM_OK : st;
    meta->coding = OM_CODING_NUMBERED;
    meta->digits = (uint32_t)digits;
    memcpy(meta->prefix, job.prefix, job.prefix_len);
    *done = true;
    return OM_OK;
}

/* A block while it is compressed: lengths, then texts. */
struct scratch {
    uint8_t *raw;
    size_t raw_room;
    uint8_t *packed;
    size_t packed_room;
};

struct blocks_job {
    const struct om__gather *g;
    const struct om__order *order;
    struct scratch scratch[OM_LIMIT_THREADS];
    struct om_buf *stretch;  // compressed blocks, end to end
    uint64_t *offset;        // [blocks + 1]
    uint64_t *stretch_at;    // [stretches + 1] where each begins in the section
    size_t stretches;
};

static om_status need(uint8_t **bytes, size_t *room, size_t wanted)
{
    if (wanted <= *room) return OM_OK;
    om_free(*bytes);
    *bytes = om_alloc(wanted + wanted / 4);
    *room = *bytes ? wanted + wanted / 4 : 0;
    return *bytes ? OM_OK : OM_E_MEMORY;
}

static size_t put_length(uint8_t *out, size_t len)
{
    size_t n = 0;
    for (; len >= 0x80; len >>= 7) out[n++] = (uint8_t)(len | 0x80);
    out[n++] = (uint8_t)len;
    return n;
}

/* Texts of `rows` rows from `first` into scratch->raw; *len bytes. */
static om_status lay_out(const struct blocks_job *job, size_t first,
                         size_t rows, struct scratch *scratch, size_t *len)
{
    const uint32_t *row = job->order->row + first;
    size_t lengths[OM__TEXT_ROWS], bytes = 0;
    const char *text[OM__TEXT_ROWS];
    for (size_t i = 0; i < rows; i++) {
        text[i] = om__gather_text(job->g, row[i], &lengths[i]);
        __builtin_prefetch(text[i]);
        bytes += lengths[i];
    }
    OM_TRY(need(&scratch->raw, &scratch->raw_room, bytes + 5 * rows));
    size_t at = 0;
    for (size_t i = 0; i < rows; i++)
        at += put_length(scratch->raw + at, lengths[i]);
    for (size_t i = 0; i < rows; i++) {
        memcpy(scratch->raw + at, text[i], lengths[i]);
        at += lengths[i];
    }
    *len = at;
    return OM_OK;
}

static om_status pack_block(struct blocks_job *job, size_t block, size_t lane,
                            struct om_buf *out)
{
    struct scratch *scratch = &job->scratch[lane];
    const size_t first = block * OM__TEXT_ROWS;
    const size_t left = job->order->rows - first;
    size_t len, packed;
    OM_TRY(lay_out(job, first, left < OM__TEXT_ROWS ? left : OM__TEXT_ROWS,
                   scratch, &len));
    OM_TRY(need(&scratch->packed, &scratch->packed_room, om_compress_max(len)));
    OM_TRY(om_compress(scratch->raw, len, TEXT_LEVEL, scratch->packed,
                       scratch->packed_room, &packed));
    const uint32_t raw_len = (uint32_t)len;
    om_buf_add(out, &raw_len, sizeof raw_len);
    job->offset[block + 1] = packed + sizeof raw_len;
    return om_buf_add(out, scratch->packed, packed);
}

static om_status pack_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    struct blocks_job *job = ctx;
    struct om_buf *out = &job->stretch[first / STRETCH_BLOCKS];
    for (size_t b = first; b < end; b++) OM_TRY(pack_block(job, b, lane, out));
    return OM_OK;
}

static om_status fill_texts(void *ctx, size_t from, size_t to, void *out)
{
    const struct blocks_job *job = ctx;
    size_t low = 0, high = job->stretches;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (job->stretch_at[middle] <= from)
            low = middle;
        else
            high = middle;
    }
    uint8_t *at = out;
    for (size_t s = low; from < to; s++) {
        const size_t skip = from - (size_t)job->stretch_at[s];
        size_t len = job->stretch[s].len - skip;
        if (len > to - from) len = to - from;
        memcpy(at, job->stretch[s].bytes + skip, len);
        at += len;
        from += len;
    }
    return OM_OK;
}

static om_status write_packed(struct blocks_job *job, size_t blocks,
                              size_t number, struct om__writer *writer,
                              struct om_err *err)
{
    job->offset[0] = 0;
    for (size_t b = 0; b < blocks; b++) job->offset[b + 1] += job->offset[b];
    job->stretch_at[0] = 0;
    for (size_t s = 0; s < job->stretches; s++)
        job->stretch_at[s + 1] = job->stretch_at[s] + job->stretch[s].len;
    OM_TRY(om__writer_bytes(writer, OM__SECTION_TEXT_OFFSET, number,
                            job->offset, (blocks + 1) * sizeof *job->offset,
                            err));
    return om__writer_section(writer, OM__SECTION_TEXT_BYTES, number,
                              (size_t)job->offset[blocks], fill_texts, job,
                              err);
}

om_status om__blocks_write(struct om__gather *g, size_t number,
                           const struct om__order *order,
                           struct om__writer *writer, struct om_err *err)
{
    const size_t blocks = (order->rows + OM__TEXT_ROWS - 1) / OM__TEXT_ROWS;
    om_status st = OM_E_MEMORY;
    struct blocks_job *job = om_calloc(1, sizeof *job);
    if (!job) return st;
    job->g = g;
    job->order = order;
    job->stretches = (blocks + STRETCH_BLOCKS - 1) / STRETCH_BLOCKS;
    job->stretch = om_calloc(job->stretches, sizeof *job->stretch);
    job->offset = om_calloc(blocks + 1, sizeof *job->offset);
    job->stretch_at = om_calloc(job->stretches + 1, sizeof *job->stretch_at);
    if (!job->stretch || !job->offset || !job->stretch_at) goto done;
    st = om_parallel(blocks, STRETCH_BLOCKS, pack_stretch, job);
    if (st) goto done;
    om__gather_free(g);
    st = write_packed(job, blocks, number, writer, err);
done:
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) {
        om_free(job->scratch[i].raw);
        om_free(job->scratch[i].packed);
    }
    for (size_t i = 0; job->stretch && i < job->stretches; i++)
        om_buf_deinit(&job->stretch[i]);
    om_free(job->stretch);
    om_free(job->offset);
    om_free(job->stretch_at);
    om_free(job);
    return st;
}
