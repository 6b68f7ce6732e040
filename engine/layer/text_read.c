// text_read.c - texts of all codings, and rows by id.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/compress.h"
#include "data/base/hash.h"
#include "engine/layer/segment_internal.h"

/* A length takes at most this many bytes in a block. */
#define LENGTH_BYTES 5

void om_text_reader_deinit(struct om_text_reader *reader)
{
    om_free(reader->bytes);
    om_free(reader->offset);
    *reader = (struct om_text_reader){0};
}

static om_status reserve(struct om_text_reader *reader, size_t bytes)
{
    if (!reader->offset) {
        reader->offset =
            om_alloc_array(OM__TEXT_ROWS + 1, sizeof *reader->offset);
        if (!reader->offset) return OM_E_MEMORY;
    }
    if (bytes <= reader->room) return OM_OK;
    char *grown = om_realloc(reader->bytes, bytes);
    if (!grown) return OM_E_MEMORY;
    reader->bytes = grown;
    reader->room = bytes;
    return OM_OK;
}

/* The lengths at the head of a block become offsets into it. */
static om_status read_lengths(struct om_text_reader *reader, size_t rows,
                              size_t len)
{
    const uint8_t *bytes = (const void *)reader->bytes;
    uint64_t sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < rows; i++) {
        uint32_t length = 0;
        unsigned shift = 0;
        do {
            if (at == len || shift > 28) return OM_E_DAMAGED;
            length |= (uint32_t)(bytes[at] & 0x7F) << shift;
            shift += 7;
        } while (bytes[at++] & 0x80);
        reader->offset[i] = (uint32_t)sum;
        sum += length;
        if (sum > len) return OM_E_DAMAGED;
    }
    if (sum + at != len) return OM_E_DAMAGED;
    reader->offset[rows] = (uint32_t)sum;
    for (size_t i = 0; i <= rows; i++) reader->offset[i] += (uint32_t)at;
    return OM_OK;
}

static om_status read_block(const struct om_segment *s, size_t column,
                            size_t block, struct om_text_reader *reader)
{
    const struct om__part *p = &s->part[column];
    reader->serial = 0;
    OM_TRY(om__view_touch(p->file, &p->text_offset, block * 8, block * 8 + 16));
    const uint64_t *offset = (const void *)p->text_offset.bytes;
    const size_t from = (size_t)offset[block], to = (size_t)offset[block + 1];
    OM_TRY(om__view_touch(p->file, &p->text_bytes, from, to));
    uint32_t len;
    if (to - from < sizeof len) return OM_E_DAMAGED;
    memcpy(&len, p->text_bytes.bytes + from, sizeof len);
    const size_t first = block * OM__TEXT_ROWS;
    const size_t left = s->rows - first;
    const size_t rows = left < OM__TEXT_ROWS ? left : OM__TEXT_ROWS;
    if (len > rows * (size_t)(OM_LIMIT_TEXT_BYTES + LENGTH_BYTES))
        return OM_E_DAMAGED;
    OM_TRY(reserve(reader, len));
    OM_TRY(om_decompress(p->text_bytes.bytes + from + sizeof len,
                         to - from - sizeof len, reader->bytes, len));
    OM_TRY(read_lengths(reader, rows, len));
    reader->serial = s->serial;
    reader->column = column;
    reader->block = block;
    return OM_OK;
}

static om_status text_in_block(const struct om_segment *s, size_t column,
                               size_t row, struct om_text_reader *reader,
                               const char **text, size_t *len)
{
    const size_t block = row / OM__TEXT_ROWS, i = row % OM__TEXT_ROWS;
    if (reader->serial != s->serial || reader->column != column ||
        reader->block != block)
        OM_TRY(read_block(s, column, block, reader));
    *text = reader->bytes + reader->offset[i];
    *len = reader->offset[i + 1] - reader->offset[i];
    return OM_OK;
}

static om_status text_of_word(const struct om__part *p, uint64_t code,
                              const char **text, size_t *len)
{
    const struct om_column *c = &p->column;
    if (code >= c->words) return OM_E_DAMAGED;
    const size_t at = (size_t)code * 4;
    OM_TRY(om__view_touch(p->file, &p->word_offset, at, at + 8));
    const uint32_t from = c->word_offset[code], to = c->word_offset[code + 1];
    OM_TRY(om__view_touch(p->file, &p->word_bytes, from, to));
    *text = c->word_bytes + from;
    *len = to - from;
    return OM_OK;
}

static om_status text_of_number(const struct om_column *c, uint64_t stored,
                                struct om_text_reader *reader,
                                const char **text, size_t *len)
{
    uint64_t number = (uint64_t)c->base + stored;
    const size_t prefix = strlen(c->prefix);
    memcpy(reader->number, c->prefix, prefix);
    for (size_t i = prefix + c->digits; i-- > prefix; number /= 10)
        reader->number[i] = (char)('0' + number % 10);
    if (number != 0) return OM_E_DAMAGED;  // more digits than the column has
    *text = reader->number;
    *len = prefix + c->digits;
    return OM_OK;
}

om_status om_segment_text(const struct om_segment *segment, size_t column,
                          size_t row, struct om_text_reader *reader,
                          const char **text, size_t *len)
{
    *text = NULL;
    *len = 0;
    if (column >= segment->schema.count || row >= segment->rows)
        return OM_E_RANGE;
    const struct om__part *p = &segment->part[column];
    const struct om_column *c = &p->column;
    if (c->coding == OM_CODING_INTEGER || c->coding == OM_CODING_REAL)
        return OM_E_TYPE;
    if (c->valid) {
        const size_t at = row / 64 * 8;
        OM_TRY(om__view_touch(p->file, &p->valid, at, at + 8));
        if (!om_column_valid(c, row)) return OM_OK;
    }
    if (c->coding == OM_CODING_BLOCKS)
        return text_in_block(segment, column, row, reader, text, len);
    OM_TRY(om__view_touch(p->file, &p->data, row * c->width,
                          (row + 1) * c->width));
    const uint64_t stored = om_column_stored(c, row);
    if (c->coding == OM_CODING_DICTIONARY)
        return text_of_word(p, stored, text, len);
    return text_of_number(c, stored, reader, text, len);
}

uint64_t om__id_hash(const char *id, size_t len)
{
    return om_hash64(id, len, 0);
}

unsigned om__id_bits(size_t rows)
{
    // Eight rows a bucket: half a byte of directory a row. Beyond 24 bits the
    // hash, of which 40 bits are sorted by, would not leave 16 for the mark.
    unsigned bits = 0;
    while (bits < 24 && ((size_t)8 << bits) < rows) bits++;
    return bits;
}

om_status om_segment_find(const struct om_segment *segment, const char *id,
                          size_t len, struct om_text_reader *reader,
                          size_t *row)
{
    const struct om_segment *s = segment;
    const uint64_t hash = om__id_hash(id, len);
    const size_t bucket = om__id_bucket(hash, s->id_bits);
    OM_TRY(om__view_touch(&s->file, &s->id_bucket, bucket * 4, bucket * 4 + 8));
    const uint32_t *start = (const void *)s->id_bucket.bytes;
    const size_t from = start[bucket], to = start[bucket + 1];
    // What was good when it was looked at may have been read anew since.
    if (from > to || to > s->rows) return om__file_found_wrong(&s->file);
    OM_TRY(om__view_touch(&s->file, &s->id_mark, from * 2, to * 2));
    OM_TRY(om__view_touch(&s->file, &s->id_row, from * 4, to * 4));
    const uint16_t *mark = (const void *)s->id_mark.bytes;
    const uint32_t *id_row = (const void *)s->id_row.bytes;
    const uint16_t wanted = om__id_mark(hash, s->id_bits);
    for (size_t i = from; i < to; i++) {
        if (mark[i] != wanted) continue;
        if (id_row[i] >= s->rows) return om__file_found_wrong(&s->file);
        const char *text;
        size_t text_len;
        OM_TRY(om_segment_text(s, s->schema.id_field, id_row[i], reader, &text,
                               &text_len));
        if (!text || text_len != len || memcmp(text, id, len) != 0) continue;
        *row = id_row[i];
        return OM_OK;
    }
    return OM_E_NOTFOUND;
}
