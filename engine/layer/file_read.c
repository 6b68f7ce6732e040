/* file_read.c - open a layer file and check what is touched.
 *
 * DESIGN
 * The map is never trusted. At opening the header and both tables are checked
 * and sections must follow each other without a gap, so that every block
 * belongs to one section and has one rule. A block is checked once: checksum,
 * then its rule, then its bit in `seen`. Two threads may do the same block at
 * the same time; both come to the same answer. A rule that orders numbers
 * also compares with the neighbours across the block's edges, so that any
 * range of touched numbers is in order as a whole.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/layer/file_internal.h"

#define BLOCK_BYTES_MIN 64
#define BLOCK_BYTES_MAX (1u << 20)

static const char *const section_names[OM__SECTION_KINDS] = {
    [OM__SECTION_META] = "meta",
    [OM__SECTION_KEYS] = "keys",
    [OM__SECTION_DIRECTORY] = "directory",
    [OM__SECTION_DATA] = "data",
    [OM__SECTION_VALID] = "valid",
    [OM__SECTION_BLOCK_MIN] = "block minima",
    [OM__SECTION_BLOCK_MAX] = "block maxima",
    [OM__SECTION_SUM] = "sums",
    [OM__SECTION_WORD_OFFSET] = "word offsets",
    [OM__SECTION_WORD_BYTES] = "words",
    [OM__SECTION_TEXT_OFFSET] = "text offsets",
    [OM__SECTION_TEXT_BYTES] = "texts",
    [OM__SECTION_ID_BUCKET] = "id buckets",
    [OM__SECTION_ID_MARK] = "id marks",
    [OM__SECTION_ID_ROW] = "id rows",
    [OM__SECTION_CELL_CODE] = "cell codes",
    [OM__SECTION_CELL_START] = "cell starts",
    [OM__SECTION_CELL_X] = "cell means x",
    [OM__SECTION_CELL_Y] = "cell means y",
    [OM__SECTION_SHAPE_PART] = "shape parts",
    [OM__SECTION_PART_RING] = "part rings",
    [OM__SECTION_RING_VERTEX] = "ring vertices",
    [OM__SECTION_VERTEX] = "vertices",
    [OM__SECTION_BOX] = "boxes",
    [OM__SECTION_DEAD] = "dead rows",
    [OM__SECTION_FORM_TOKEN_AT] = "form offsets",
    [OM__SECTION_FORM_TOKEN] = "forms",
    [OM__SECTION_FORM_ENTRY_AT] = "entry offsets",
    [OM__SECTION_FORM_NUMBER_AT] = "number offsets",
    [OM__SECTION_ENTRY_ROW] = "entries",
    [OM__SECTION_ENTRY_NUMBER] = "numbers",
    [OM__SECTION_GRAM] = "grams",
    [OM__SECTION_POSTS_AT] = "post offsets",
    [OM__SECTION_POSTS] = "posts",
};

const char *om__section_name(enum om__section_kind kind)
{
    const char *name = kind < OM__SECTION_KINDS ? section_names[kind] : NULL;
    return name ? name : "unknown";
}

uint64_t om__file_header_check(const uint8_t *bytes, size_t header_bytes)
{
    const size_t field = offsetof(struct om__file_header, header_check);
    const size_t after = field + sizeof(uint64_t);
    return om_hash64(bytes + after, header_bytes - after,
                     om_hash64(bytes, field, 0));
}

static uint64_t block_check(const uint8_t *bytes, size_t len, size_t block)
{
    return om_hash64(bytes, len, block);  // a block at another's place is wrong
}

/* The sizes in the header against the length of the file. */
static bool sizes_agree(const struct om__file_header *h, size_t len)
{
    const uint64_t block = h->block_bytes;
    if (block < BLOCK_BYTES_MIN || block > BLOCK_BYTES_MAX ||
        (block & (block - 1)) != 0)
        return false;
    if (h->sections > OM__FILE_SECTIONS || h->header_blocks > len / block)
        return false;
    const uint64_t header_bytes = h->header_blocks * block;
    if (header_bytes < sizeof *h + h->sections * sizeof(struct om__section))
        return false;
    if (h->blocks > (len - header_bytes) / (block + sizeof(uint64_t)))
        return false;
    return len == header_bytes + h->blocks * (block + sizeof(uint64_t));
}

/* Sections follow each other without gaps, from the header to the end. */
static bool sections_tile(const struct om__file_header *h,
                          const struct om__section *section)
{
    const uint64_t block = h->block_bytes;
    const uint64_t end = (h->header_blocks + h->blocks) * block;
    uint64_t at = h->header_blocks * block;
    for (size_t i = 0; i < h->sections; i++) {
        if (section[i].offset != at || section[i].bytes > end - at)
            return false;
        at += (section[i].bytes + block - 1) / block * block;
    }
    return at == end;
}

om_status om__file_check_header(struct om__file *file, const char *path,
                                enum om__file_kind kind, struct om_err *err)
{
    const struct om__file_header *h = (const void *)file->map.bytes;
    if (file->map.len < sizeof *h)
        return om_fail(err, OM_E_DAMAGED, 0, "%s: header: cut off", path);
    if (memcmp(h->magic, OM__FILE_MAGIC, sizeof h->magic) != 0)
        return om_fail(err, OM_E_DAMAGED, 0, "%s: not a layer file", path);
    if (h->version != OM__FILE_VERSION || h->order != OM__FILE_ORDER)
        return om_fail(err, OM_E_VERSION, 0,
                       "%s: written by another version or kind of machine",
                       path);
    if (!sizes_agree(h, file->map.len))
        return om_fail(err, OM_E_DAMAGED, 0, "%s: header: sizes do not agree",
                       path);
    const size_t header_bytes = (size_t)h->header_blocks * h->block_bytes;
    if (om__file_header_check(file->map.bytes, header_bytes) != h->header_check)
        return om_fail(err, OM_E_DAMAGED, 0, "%s: header: wrong checksum",
                       path);
    if (h->kind != (uint32_t)kind)
        return om_fail(err, OM_E_DAMAGED, 0, "%s: another kind of file", path);
    file->header = h;
    file->section = (const void *)(file->map.bytes + sizeof *h);
    file->blocks = (size_t)h->blocks;
    while ((UINT32_C(1) << file->block_shift) < h->block_bytes)
        file->block_shift++;
    file->check = (const void *)(file->map.bytes + header_bytes +
                                 file->blocks * h->block_bytes);
    if (!sections_tile(h, file->section))
        return om_fail(err, OM_E_DAMAGED, 0, "%s: sections do not agree", path);
    if (om_hash64(file->check, file->blocks * sizeof(uint64_t), 0) !=
        h->table_check)
        return om_fail(err, OM_E_DAMAGED, 0, "%s: checksums: wrong checksum",
                       path);
    return OM_OK;
}

om_status om__file_open(struct om__file *file, const char *path,
                        enum om__file_kind kind, struct om_err *err)
{
    *file = (struct om__file){0};
    om_status st = om_map_open(&file->map, path, err);
    if (st) goto done;
    st = om__file_check_header(file, path, kind, err);
    if (st) goto done;
    file->seen = om_calloc(file->blocks / 64 + 2, sizeof *file->seen);
    if (!file->seen) st = om_fail(err, OM_E_MEMORY, 0, "%s: no memory", path);
done:
    if (st) om__file_close(file);
    return st;
}

void om__file_close(struct om__file *file)
{
    om_free(file->seen);
    if (file->memory)
        om_free(file->memory);
    else
        om_map_close(&file->map);
    *file = (struct om__file){0};
}

bool om__file_view(const struct om__file *file, enum om__section_kind kind,
                   uint32_t number, struct om__view *out)
{
    *out = (struct om__view){0};
    const size_t header_bytes =
        (size_t)file->header->header_blocks * file->header->block_bytes;
    for (size_t i = 0; i < file->header->sections; i++) {
        const struct om__section *s = &file->section[i];
        if (s->kind != (uint32_t)kind || s->number != number) continue;
        out->bytes = file->map.bytes + s->offset;
        out->len = (size_t)s->bytes;
        // Of a file in memory that is 0: the shift takes all away.
        out->first_block =
            ((size_t)s->offset - header_bytes) >> file->block_shift;
        return true;
    }
    return false;
}

om_status om__file_wrong_block(const struct om__file *file, const char *path,
                               size_t block, uint64_t bad, struct om_err *err)
{
    const struct om__section *in = NULL;
    const uint64_t at = (file->header->header_blocks + (uint64_t)block)
                        << file->block_shift;
    for (size_t i = 0; i < file->header->sections; i++)
        if (file->section[i].offset <= at) in = &file->section[i];
    return om_fail(
        err, OM_E_DAMAGED, (size_t)at,
        "%s: %s %u: wrong checksum at byte %llu; %llu blocks in all", path,
        in ? om__section_name((enum om__section_kind)in->kind) : "?",
        in ? in->number : 0, (unsigned long long)at, (unsigned long long)bad);
}

bool om__file_block_is_intact(const struct om__file *file, size_t block)
{
    const size_t bytes = file->header->block_bytes;
    const uint8_t *at =
        file->map.bytes + (file->header->header_blocks + block) * bytes;
    return block_check(at, bytes, block) == file->check[block];
}

static uint64_t number_at(const struct om__view *view, size_t i)
{
    switch (view->width) {
        case 1:
            return view->bytes[i];
        case 2:
            return ((const uint16_t *)(const void *)view->bytes)[i];
        case 4:
            return ((const uint32_t *)(const void *)view->bytes)[i];
        default:
            return ((const uint64_t *)(const void *)view->bytes)[i];
    }
}

static bool all_below(const struct om__view *view, size_t from, size_t to)
{
    uint64_t largest = 0;
    for (size_t i = from; i < to; i++) {
        const uint64_t v = number_at(view, i);
        if (v > largest) largest = v;
    }
    return largest == 0 || largest < view->limit;
}

/* Numbers [from, to) and the steps to their neighbours on both sides. */
static bool all_rising(const struct om__view *view, size_t from, size_t to)
{
    const size_t count = view->len / view->width;
    const size_t end = to < count ? to + 1 : to;
    bool good = number_at(view, end - 1) <= view->limit;
    for (size_t i = from ? from : 1; i < end; i++) {
        const uint64_t before = number_at(view, i - 1);
        const uint64_t v = number_at(view, i);
        good &= view->strict ? before < v : before <= v;
    }
    if (view->rule == OM__RULE_OFFSET) {
        if (from == 0) good &= number_at(view, 0) == 0;
        if (to == count) good &= number_at(view, count - 1) == view->limit;
    }
    return good;
}

static bool tail_is_clear(const struct om__view *view, size_t from, size_t to)
{
    const uint64_t *word = (const void *)view->bytes;
    const size_t edge = (size_t)(view->limit / 64);
    bool good = true;
    if (edge >= from && edge < to) good = word[edge] >> view->limit % 64 == 0;
    for (size_t i = from > edge ? from : edge + 1; i < to; i++)
        good &= word[i] == 0;
    return good;
}

static bool rule_holds(const struct om__view *view, size_t from, size_t to)
{
    switch (view->rule) {
        case OM__RULE_BELOW:
            return all_below(view, from, to);
        case OM__RULE_RISING:
        case OM__RULE_OFFSET:
            return all_rising(view, from, to);
        case OM__RULE_BIT:
            return tail_is_clear(view, from, to);
        case OM__RULE_ANY:
            break;
    }
    return true;
}

/* One word more than bits need. */
static _Atomic uint64_t *wrong_blocks(const struct om__file *file)
{
    return file->memory || !file->seen ? NULL
                                       : &file->seen[file->blocks / 64 + 1];
}

bool om__file_is_damaged(const struct om__file *file)
{
    const _Atomic uint64_t *wrong = wrong_blocks(file);
    return wrong && atomic_load_explicit(wrong, memory_order_relaxed) > 0;
}

om_status om__file_found_wrong(const struct om__file *file)
{
    _Atomic uint64_t *wrong = wrong_blocks(file);
    if (wrong) atomic_fetch_add_explicit(wrong, 1, memory_order_relaxed);
    return OM_E_DAMAGED;
}

om_status om__view_check(const struct om__file *file,
                         const struct om__view *view, size_t from, size_t to)
{
    if (to > view->len) return OM_E_RANGE;
    for (size_t b = from >> file->block_shift;
         b <= (to - 1) >> file->block_shift; b++) {
        const size_t block = view->first_block + b;
        const uint64_t bit = UINT64_C(1) << block % 64;
        _Atomic uint64_t *word = &file->seen[block / 64];
        if (atomic_load_explicit(word, memory_order_relaxed) & bit) continue;
        if (!om__file_block_is_intact(file, block))
            return om__file_found_wrong(file);
        const size_t start = b << file->block_shift;
        const size_t next = (b + 1) << file->block_shift;
        const size_t end = next < view->len ? next : view->len;
        const size_t width = view->width ? view->width : 1;
        if (!rule_holds(view, start / width, end / width))
            return om__file_found_wrong(file);
        atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    }
    return OM_OK;
}

bool om__file_reseal(uint8_t *bytes, size_t len)
{
    struct om__file_header h;
    if (len < sizeof h) return false;
    memcpy(&h, bytes, sizeof h);
    if (!sizes_agree(&h, len)) return false;
    const size_t header_bytes = (size_t)h.header_blocks * h.block_bytes;
    uint8_t *table = bytes + header_bytes + h.blocks * h.block_bytes;
    for (size_t i = 0; i < h.blocks; i++) {
        const uint64_t check = block_check(
            bytes + header_bytes + i * h.block_bytes, h.block_bytes, i);
        memcpy(table + i * sizeof check, &check, sizeof check);
    }
    h.table_check = om_hash64(table, h.blocks * sizeof(uint64_t), 0);
    memcpy(bytes, &h, sizeof h);
    h.header_check = om__file_header_check(bytes, header_bytes);
    memcpy(bytes, &h, sizeof h);
    return true;
}
