// columns.c - the meta section and the columns that it describes.
#include <string.h>

#include "engine/layer/segment_internal.h"

om_status om__meta_get(const struct om__file *file,
                       const struct om__meta **meta,
                       const struct om__meta_column **column,
                       const struct om__run **run)
{
    struct om__view view;
    if (!om__file_view(file, OM__SECTION_META, 0, &view) ||
        view.len < sizeof **meta)
        return OM_E_DAMAGED;
    OM_TRY(om__view_touch(file, &view, 0, view.len));
    const struct om__meta *m = (const void *)view.bytes;
    if (m->columns > OM_LIMIT_COLUMNS || m->runs > OM__RUNS ||
        m->levels > OM__LEVELS || m->rows > OM_LIMIT_SEGMENT_ROWS)
        return OM_E_DAMAGED;
    const size_t column_bytes = m->columns * sizeof **column;
    if (view.len != sizeof *m + column_bytes + m->runs * sizeof **run)
        return OM_E_DAMAGED;
    *meta = m;
    *column = (const void *)(m + 1);
    *run = (const void *)(view.bytes + sizeof *m + column_bytes);
    return OM_OK;
}

static bool is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

/* A name of the file: with its NUL, in place. */
static bool name_is_sound(const char name[OM_LIMIT_NAME_BYTES])
{
    return memchr(name, '\0', OM_LIMIT_NAME_BYTES) != NULL;
}

static bool coding_fits(const struct om__meta_column *m)
{
    if (m->type > OM_TYPE_BOOLEAN || m->coding > OM_CODING_BLOCKS) return false;
    const bool numeric_width =
        m->width == 1 || m->width == 2 || m->width == 4 || m->width == 8;
    switch ((enum om_coding)m->coding) {
        case OM_CODING_INTEGER:
            return !is_text((enum om_type)m->type) && m->type != OM_TYPE_REAL &&
                   numeric_width && (m->width != 8 || m->base == 0);
        case OM_CODING_REAL:
            return m->type == OM_TYPE_REAL && m->width == 8;
        case OM_CODING_DICTIONARY:
            return is_text((enum om_type)m->type) && numeric_width &&
                   m->width <= 4 && m->base == 0;
        case OM_CODING_NUMBERED:
            return m->type == OM_TYPE_TEXT && numeric_width && m->digits > 0 &&
                   m->digits <= OM__NUMBER_DIGITS && name_is_sound(m->prefix);
        case OM_CODING_BLOCKS:
            return m->type == OM_TYPE_TEXT && m->width == 0;
    }
    return false;
}

/* What one section must be. */
struct want {
    const struct om__file *file;
    size_t number;
    bool failed;
};

static void want_view(struct want *want, enum om__section_kind kind,
                      size_t count, unsigned width, struct om__view *out)
{
    if (!om__file_view(want->file, kind, (uint32_t)want->number, out) ||
        out->len != count * width)
        want->failed = true;
    out->width = width;
}

static void open_numbers(struct want *want, struct om__part *part, size_t rows)
{
    struct om_column *c = &part->column;
    const size_t blocks = (rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
    want_view(want, OM__SECTION_DATA, rows, c->width, &part->data);
    want_view(want, OM__SECTION_BLOCK_MIN, blocks, 8, &part->block_min);
    want_view(want, OM__SECTION_BLOCK_MAX, blocks, 8, &part->block_max);
    c->data = part->data.bytes;
    if (c->coding == OM_CODING_REAL) {
        c->real_min = (const void *)part->block_min.bytes;
        c->real_max = (const void *)part->block_max.bytes;
    } else {
        c->block_min = (const void *)part->block_min.bytes;
        c->block_max = (const void *)part->block_max.bytes;
    }
    if (c->coding == OM_CODING_INTEGER && c->field.type != OM_TYPE_TIME) {
        want_view(want, OM__SECTION_SUM, rows / OM_SUM_ROWS + 2, 8, &part->sum);
        c->sum = (const void *)part->sum.bytes;
    }
    if (c->field.type == OM_TYPE_BOOLEAN) {
        part->data.rule = OM__RULE_BELOW;
        part->data.limit = 2;
    }
}

static void open_words(struct want *want, struct om__part *part, uint64_t words)
{
    struct om_column *c = &part->column;
    if (words >= UINT32_MAX) {
        want->failed = true;
        return;
    }
    want_view(want, OM__SECTION_WORD_OFFSET, (size_t)words + 1, 4,
              &part->word_offset);
    if (!om__file_view(want->file, OM__SECTION_WORD_BYTES,
                       (uint32_t)want->number, &part->word_bytes))
        want->failed = true;
    if (words == 0 && part->column.nulls != part->data.len / c->width)
        want->failed = true;
    part->word_offset.rule = OM__RULE_OFFSET;
    part->word_offset.limit = part->word_bytes.len;
    part->data.rule = OM__RULE_BELOW;
    part->data.limit = words;
    c->words = (size_t)words;
    c->word_offset = (const void *)part->word_offset.bytes;
    c->word_bytes = (const void *)part->word_bytes.bytes;
}

static void open_texts(struct want *want, struct om__part *part, size_t rows)
{
    const size_t blocks = (rows + OM__TEXT_ROWS - 1) / OM__TEXT_ROWS;
    want_view(want, OM__SECTION_TEXT_OFFSET, blocks + 1, 8, &part->text_offset);
    if (!om__file_view(want->file, OM__SECTION_TEXT_BYTES,
                       (uint32_t)want->number, &part->text_bytes))
        want->failed = true;
    part->text_offset.rule = OM__RULE_OFFSET;
    part->text_offset.limit = part->text_bytes.len;
}

static om_status open_column(const struct om__file *file, size_t number,
                             size_t rows, const struct om__meta_column *meta,
                             struct om__part *part)
{
    if (!name_is_sound(meta->name) || !coding_fits(meta) || meta->nulls > rows)
        return OM_E_DAMAGED;
    struct om_column *c = &part->column;
    memcpy(c->field.name, meta->name, sizeof c->field.name);
    c->field.type = (enum om_type)meta->type;
    c->coding = (enum om_coding)meta->coding;
    c->width = meta->width;
    c->base = meta->base;
    c->nulls = meta->nulls;
    part->file = file;
    struct want want = {.file = file, .number = number};
    if (c->nulls > 0) {
        want_view(&want, OM__SECTION_VALID, (rows + 63) / 64, 8, &part->valid);
        part->valid.rule = OM__RULE_BIT;
        // Without words no row can have one.
        const bool wordless = c->coding == OM_CODING_DICTIONARY && !meta->words;
        part->valid.limit = wordless ? 0 : rows;
        c->valid = (const void *)part->valid.bytes;
    }
    if (c->coding == OM_CODING_BLOCKS)
        open_texts(&want, part, rows);
    else
        open_numbers(&want, part, rows);
    if (c->coding == OM_CODING_DICTIONARY) open_words(&want, part, meta->words);
    if (c->coding == OM_CODING_NUMBERED) {
        memcpy(c->prefix, meta->prefix, sizeof c->prefix);
        c->digits = meta->digits;
    }
    return want.failed ? OM_E_DAMAGED : OM_OK;
}

om_status om__columns_open(const struct om__file *file, size_t rows,
                           const struct om__meta_column *meta, size_t count,
                           struct om__part *part, struct om_field *field)
{
    for (size_t i = 0; i < count; i++) {
        OM_TRY(open_column(file, i, rows, &meta[i], &part[i]));
        field[i] = part[i].column.field;
    }
    return OM_OK;
}
