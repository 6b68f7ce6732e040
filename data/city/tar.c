// tar.c - ustar heads and the two pax records that backups need.
#include "data/city/tar.h"

#include <stdio.h>
#include <string.h>

/* Where the fields of a ustar head are. */
#define NAME_AT 0
#define NAME_BYTES 100
#define MODE_AT 100
#define OWNER_AT 108
#define GROUP_AT 116
#define SIZE_AT 124
#define TIME_AT 136
#define SUM_AT 148
#define KIND_AT 156
#define MAGIC_AT 257
#define PREFIX_AT 345
#define NUMBER_BYTES 8
#define LONG_BYTES 12
/* 11 octal digits. */
#define SIZE_MAX_OCTAL ((UINT64_C(1) << 33) - 1)
#define KIND_FILE '0'
#define KIND_PAX 'x'
#define PAX_BYTES (3 * OM_TAR_BLOCK)

static unsigned sum_of(const uint8_t block[OM_TAR_BLOCK])
{
    unsigned sum = 0;
    // The sum itself counts as spaces.
    for (size_t i = 0; i < OM_TAR_BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + NUMBER_BYTES ? ' ' : block[i];
    return sum;
}

static void put_octal(uint8_t *at, size_t room, uint64_t value)
{
    at[room - 1] = '\0';
    for (size_t i = room - 1; i-- > 0; value >>= 3)
        at[i] = (uint8_t)('0' + (value & 7));
}

static bool get_octal(const uint8_t *at, size_t room, uint64_t *out)
{
    size_t i = 0;
    uint64_t value = 0;
    for (; i < room && at[i] >= '0' && at[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(at[i] - '0');
    *out = value;
    return i > 0 && i < room && (at[i] == '\0' || at[i] == ' ');
}

static void block_of(uint8_t block[OM_TAR_BLOCK], const char *name,
                     uint64_t bytes, const struct om_tar_file *file, char kind)
{
    memset(block, 0, OM_TAR_BLOCK);
    const size_t len = strlen(name);
    memcpy(block + NAME_AT, name, len < NAME_BYTES ? len : NAME_BYTES);
    put_octal(block + MODE_AT, NUMBER_BYTES, file->mode & 0777);
    put_octal(block + OWNER_AT, NUMBER_BYTES, 0);
    put_octal(block + GROUP_AT, NUMBER_BYTES, 0);
    put_octal(block + SIZE_AT, LONG_BYTES, bytes <= SIZE_MAX_OCTAL ? bytes : 0);
    put_octal(
        block + TIME_AT, LONG_BYTES,
        file->modified_s < 0 ? 0 : (uint64_t)file->modified_s & SIZE_MAX_OCTAL);
    block[KIND_AT] = (uint8_t)kind;
    memcpy(block + MAGIC_AT,
           "ustar\0"
           "00",
           NUMBER_BYTES);
    put_octal(block + SUM_AT, NUMBER_BYTES - 1, sum_of(block));
    block[SUM_AT + NUMBER_BYTES - 1] = ' ';
}

/* "LENGTH key=value\n", where LENGTH counts itself. */
static void put_record(struct om_buf *out, const char *key, const char *value)
{
    const size_t rest = strlen(key) + strlen(value) + 3;
    size_t digits = 1;
    for (size_t ten = 10; rest + digits >= ten; ten *= 10) digits++;
    om_buf_addf(out, "%zu %s=%s\n", rest + digits, key, value);
}

om_status om_tar_head_add(const struct om_tar_file *file, struct om_buf *out)
{
    uint8_t block[OM_TAR_BLOCK];
    struct om_buf records;
    om_buf_init(&records, PAX_BYTES);
    if (strlen(file->name) > NAME_BYTES)
        put_record(&records, "path", file->name);
    if (file->bytes > SIZE_MAX_OCTAL) {
        char number[32];
        snprintf(number, sizeof number, "%llu",
                 (unsigned long long)file->bytes);
        put_record(&records, "size", number);
    }
    if (records.len) {
        static const uint8_t ZEROS[OM_TAR_BLOCK];
        block_of(block, "pax", records.len, file, KIND_PAX);
        om_buf_add(out, block, sizeof block);
        om_buf_add(out, records.bytes, records.len);
        om_buf_add(out, ZEROS, om_tar_padding(records.len));
    }
    const om_status st = records.status;
    om_buf_deinit(&records);
    if (st) return st;
    block_of(block, file->name, file->bytes, file, KIND_FILE);
    return om_buf_add(out, block, sizeof block);
}

static bool read_value(const char *key, size_t key_len, const char *value,
                       size_t len, struct om_tar_file *out, bool *sized)
{
    if (key_len == 4 && memcmp(key, "path", 4) == 0) {
        if (len == 0 || len >= sizeof out->name || memchr(value, 0, len))
            return false;
        memcpy(out->name, value, len);
        out->name[len] = '\0';
        return true;
    }
    if (key_len != 4 || memcmp(key, "size", 4) != 0 || len == 0 || len > 18)
        return false;
    out->bytes = 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') return false;
        out->bytes = out->bytes * 10 + (uint64_t)(value[i] - '0');
    }
    return *sized = true;
}

static bool read_records(const char *at, size_t len, struct om_tar_file *out,
                         bool *sized)
{
    while (len > 0) {
        size_t count = 0, digits = 0;
        while (digits < len && digits < 5 && at[digits] >= '0' &&
               at[digits] <= '9')
            count = count * 10 + (size_t)(at[digits++] - '0');
        // "N k=v\n" at least
        if (digits == 0 || count > len || count < digits + 4 ||
            at[digits] != ' ' || at[count - 1] != '\n')
            return false;
        const char *key = at + digits + 1;
        const char *equals = memchr(key, '=', (size_t)(at + count - key));
        if (!equals) return false;
        if (!read_value(key, (size_t)(equals - key), equals + 1,
                        (size_t)(at + count - 1 - (equals + 1)), out, sized))
            return false;
        at += count;
        len -= count;
    }
    return true;
}

/* One block: its kind and what it says. */
static om_status read_block(const uint8_t *b, struct om_tar_file *out,
                            char *kind)
{
    uint64_t sum, modified, mode;
    static const uint8_t ZEROS[OM_TAR_BLOCK];
    if (memcmp(b, ZEROS, OM_TAR_BLOCK) == 0) return OM_E_NOTFOUND;
    if (memcmp(b + MAGIC_AT,
               "ustar\0"
               "00",
               NUMBER_BYTES) != 0 ||
        !get_octal(b + SUM_AT, NUMBER_BYTES, &sum) || sum != sum_of(b) ||
        !get_octal(b + SIZE_AT, LONG_BYTES, &out->bytes) ||
        !get_octal(b + TIME_AT, LONG_BYTES, &modified) ||
        !get_octal(b + MODE_AT, NUMBER_BYTES, &mode) || b[PREFIX_AT])
        return OM_E_FORMAT;
    *kind = (char)b[KIND_AT];
    out->modified_s = (int64_t)modified;
    out->mode = (unsigned)mode & 0777;
    memcpy(out->name, b + NAME_AT, NAME_BYTES);
    out->name[NAME_BYTES] = '\0';
    return out->name[0] ? OM_OK : OM_E_FORMAT;
}

om_status om_tar_head_read(const uint8_t *bytes, size_t len,
                           struct om_tar_file *out, size_t *used)
{
    struct om_tar_file said = {0}, file = {0};
    bool sized = false;
    char kind;
    *used = 0;
    if (len < OM_TAR_BLOCK) return OM_E_LIMIT;
    OM_TRY(read_block(bytes, &file, &kind));
    *used = OM_TAR_BLOCK;
    if (kind == KIND_PAX) {
        if (file.bytes > PAX_BYTES) return OM_E_FORMAT;
        const size_t records = (size_t)file.bytes;
        *used += records + om_tar_padding(records);
        if (len < *used + OM_TAR_BLOCK) return OM_E_LIMIT;
        if (!read_records((const char *)bytes + OM_TAR_BLOCK, records, &said,
                          &sized))
            return OM_E_FORMAT;
        if (read_block(bytes + *used, &file, &kind)) return OM_E_FORMAT;
        *used += OM_TAR_BLOCK;
        if (said.name[0]) memcpy(file.name, said.name, sizeof file.name);
        if (sized) file.bytes = said.bytes;
    }
    if (kind != KIND_FILE) return OM_E_FORMAT;
    *out = file;
    return OM_OK;
}
