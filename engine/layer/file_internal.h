// file_internal.h - the container of a layer file: sections and checksums.
#ifndef OM_ENGINE_LAYER_FILE_INTERNAL_H
#define OM_ENGINE_LAYER_FILE_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "data/base/file.h"
#include "data/base/status.h"

/* A file is
 *
 *   header, table of sections      [header_blocks] blocks
 *   section, padding of zeros      each begins at a block
 *   ...
 *   a checksum of every block between header and here
 *
 * in numbers of the machine's own byte order, which the header names. A block
 * is 64 KiB, the largest page of the machines it is mapped on. Every byte is
 * covered: header and table of checksums are checked when the file is opened,
 * a block when something in it is first touched. A checksum protects against
 * rot and not against malice, so numbers that are used as indices are checked
 * against a rule at the same moment. */

/** Version of everything in these files; anything else is refused. */
#define OM__FILE_VERSION 1
#define OM__FILE_BLOCK_BYTES 65536
/** What a file in memory is called in messages. */
#define OM__IN_MEMORY "(rows in memory)"
/** Sections of one file: far above what the most columns need. */
#define OM__FILE_SECTIONS 4096

enum om__file_kind {
    OM__FILE_SEGMENT = 1,
    OM__FILE_UNITS = 2,
    OM__FILE_DEAD = 3,
    OM__FILE_SEARCH = 4
};

enum om__section_kind {
    OM__SECTION_META = 1,
    OM__SECTION_KEYS,
    OM__SECTION_DIRECTORY,
    OM__SECTION_DATA,  // of the column `number`, as all down to TEXT_BYTES
    OM__SECTION_VALID,
    OM__SECTION_BLOCK_MIN,
    OM__SECTION_BLOCK_MAX,
    OM__SECTION_SUM,
    OM__SECTION_WORD_OFFSET,
    OM__SECTION_WORD_BYTES,
    OM__SECTION_TEXT_OFFSET,
    OM__SECTION_TEXT_BYTES,
    OM__SECTION_ID_BUCKET,
    OM__SECTION_ID_MARK,
    OM__SECTION_ID_ROW,
    OM__SECTION_CELL_CODE,  // of the stored level `number`
    OM__SECTION_CELL_START,
    OM__SECTION_CELL_X,
    OM__SECTION_CELL_Y,
    OM__SECTION_SHAPE_PART,
    OM__SECTION_PART_RING,
    OM__SECTION_RING_VERTEX,
    OM__SECTION_VERTEX,
    OM__SECTION_BOX,
    OM__SECTION_DEAD,           // of a dead file
    OM__SECTION_FORM_TOKEN_AT,  // of a search file, as all down to POSTS
    OM__SECTION_FORM_TOKEN,
    OM__SECTION_FORM_ENTRY_AT,
    OM__SECTION_FORM_NUMBER_AT,
    OM__SECTION_ENTRY_ROW,
    OM__SECTION_ENTRY_NUMBER,
    OM__SECTION_GRAM,  // of the kind `number`, as the next two
    OM__SECTION_POSTS_AT,
    OM__SECTION_POSTS,
    OM__SECTION_KINDS
};

struct om__section {
    uint32_t kind, number;
    uint64_t offset, bytes;
};

struct om__file_header {
    char magic[8];
    uint32_t version;
    uint32_t order;  // OM__FILE_ORDER as the writer's machine stores it
    uint32_t kind;
    uint32_t sections;
    uint32_t block_bytes;
    uint32_t header_blocks;
    uint64_t blocks;        // between header and table of checksums
    uint64_t table_check;   // of the table of checksums
    uint64_t header_check;  // of the header's blocks without this field
};
#define OM__FILE_MAGIC "onemap\r\n"
#define OM__FILE_ORDER 0x01020304u

/* What numbers must satisfy to be used as indices. */
enum om__rule {
    OM__RULE_ANY,
    OM__RULE_BELOW,   // each < limit, or 0
    OM__RULE_RISING,  // none less than the one before, each <= limit
    OM__RULE_OFFSET,  // rising, the first is 0, the last is limit
    OM__RULE_BIT,     // a bitmap of `limit` bits, those beyond are clear
};

/* One section as an array in the mapped file. */
struct om__view {
    const uint8_t *bytes;
    size_t len;
    size_t first_block;  // counted from the end of the header
    enum om__rule rule;
    unsigned width;  // bytes of a number that the rule is about
    bool strict;     // rising: no two are equal
    uint64_t limit;
};

/* An open file. Zero is a valid closed one. One that was made in memory has no
 * checksums: nobody else can have touched it, and all of it counts as one block
 * that was seen. */
struct om__file {
    struct om_map map;
    uint8_t *memory;  // owned; the map's bytes, where there is no file
    const struct om__file_header *header;
    const struct om__section *section;
    const uint64_t *check;   // [blocks]
    _Atomic uint64_t *seen;  // a bit a block: checked and found right; after
                             // them, not in memory: blocks found wrong
    size_t blocks;
    unsigned block_shift;
};

/** Map `path` and check header and tables. */
om_status om__file_open(struct om__file *file, const char *path,
                        enum om__file_kind kind,
                        struct om_err *err) OM_MUST_USE;
void om__file_close(struct om__file *file);
/** Check header and tables of file->map, and note where they are. */
om_status om__file_check_header(struct om__file *file, const char *path,
                                enum om__file_kind kind,
                                struct om_err *err) OM_MUST_USE;
/** Say that of a file `bad` blocks are wrong, `block` the first. returns
 *  OM_E_DAMAGED */
om_status om__file_wrong_block(const struct om__file *file, const char *path,
                               size_t block, uint64_t bad,
                               struct om_err *err) OM_MUST_USE;
/** Find a section; false (and an empty view) if the file has none. */
bool om__file_view(const struct om__file *file, enum om__section_kind kind,
                   uint32_t number, struct om__view *out);
const char *om__section_name(enum om__section_kind kind);
/** Is this block what its checksum says? */
bool om__file_block_is_intact(const struct om__file *file, size_t block);

/** Was any block found wrong so far? */
bool om__file_is_damaged(const struct om__file *file);
/** From now on it is. returns OM_E_DAMAGED */
om_status om__file_found_wrong(const struct om__file *file) OM_MUST_USE;

/** Check the blocks of view bytes [from, to) that were not checked yet. */
om_status om__view_check(const struct om__file *file,
                         const struct om__view *view, size_t from,
                         size_t to) OM_MUST_USE;

/** The same, quick when all of them were. */
static inline om_status om__view_touch(const struct om__file *file,
                                       const struct om__view *view, size_t from,
                                       size_t to)
{
    if (from >= to) return OM_OK;
    const size_t first = view->first_block + (from >> file->block_shift);
    const size_t last = view->first_block + ((to - 1) >> file->block_shift);
    if (first / 64 == last / 64) {
        const uint64_t mask =
            (~UINT64_C(0) << first % 64) & (~UINT64_C(0) >> (63 - last % 64));
        const uint64_t seen =
            atomic_load_explicit(&file->seen[first / 64], memory_order_relaxed);
        if ((seen & mask) == mask) return OM_OK;
    }
    return om__view_check(file, view, from, to);
}

/** Checksum of the header's blocks, the field that holds it left out. */
uint64_t om__file_header_check(const uint8_t *bytes, size_t header_bytes);
/** Compute all checksums of a file in memory anew, as if its content had been
 *  meant: for tests that look behind them. False if it is no such file. */
bool om__file_reseal(uint8_t *bytes, size_t len);

/* A file being written, section after section; in memory if path is NULL. */
struct om__writer {
    int fd;
    uint8_t *memory;  // what is there so far
    size_t memory_room;
    char *path;
    enum om__file_kind kind;
    size_t block_bytes, header_blocks;
    size_t sections, max_sections;
    struct om__section *section;
    uint64_t offset;  // where the next section begins
    uint64_t *check;  // [blocks so far]
    size_t check_room;
    uint8_t *stretch[64];  // one for each thread
    uint64_t identity;     // after finish: header_check
};

/** Make bytes [from, to) of a section; called for stretches in any order and
 *  from several threads. from is a multiple of 64. */
typedef om_status om__fill_fn(void *ctx, size_t from, size_t to, void *out);

/** Begin a new file; what was at `path` is gone. path NULL: in memory.
 *  block_bytes 0: as usual. */
om_status om__writer_open(struct om__writer *writer, const char *path,
                          enum om__file_kind kind, size_t block_bytes,
                          size_t max_sections, struct om_err *err) OM_MUST_USE;
/** Write a section of `bytes` bytes that `fill` makes, on all cores. */
om_status om__writer_section(struct om__writer *writer,
                             enum om__section_kind kind, size_t number,
                             size_t bytes, om__fill_fn *fill, void *ctx,
                             struct om_err *err) OM_MUST_USE;
/** Write a section from memory. */
om_status om__writer_bytes(struct om__writer *writer,
                           enum om__section_kind kind, size_t number,
                           const void *bytes, size_t len,
                           struct om_err *err) OM_MUST_USE;
/** Write tables and header, sync file and folder. */
om_status om__writer_finish(struct om__writer *writer,
                            struct om_err *err) OM_MUST_USE;
/** After finish, of a writer in memory: what it wrote, as an open file. */
om_status om__writer_take(struct om__writer *writer,
                          struct om__file *out) OM_MUST_USE;
/** Free; a file that was not finished is removed. Zero is fine. */
void om__writer_deinit(struct om__writer *writer);

#endif
