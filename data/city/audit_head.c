/* audit_head.c - lines of one length that are written over in place.
 *
 * DESIGN
 * Lines that hold each other say nothing of what was cut off behind the last
 * one, nor of a file that is gone. So the head has a slot for each file: how
 * many lines it has and the chain of the last, sealed by a hash under the
 * audit's key; the first slot says how many slots there are. A process writes
 * over its own slot with each line, one small write; slots are only added,
 * under a lock, when a file begins. A file that expires leaves its slot, which
 * says so.
 *
 * A log is written before its slot: after a crash it may be a line longer.
 * Whoever may write the folder and read the key can forge all of this, and who
 * has kept an older copy of the whole folder can put that back.
 */
#include "data/city/audit_head.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"

#define PATH_BYTES 4096
#define SEAL_BYTES 16
#define SEAL_HEX (2 * SEAL_BYTES)
/* name, lines, chain, state, and blanks behind each */
#define PLAIN_LEN (32 + 1 + 12 + 1 + 32 + 1 + 1 + 1)
#define SLOT_LEN (PLAIN_LEN + SEAL_HEX + 1)
#define FIRST "slots"
#define NO_CHAIN "00000000000000000000000000000000"
#define SLOTS_MOST 1000000
/* A slot that is being written over may be read half. */
#define READS 20

long om__audit_day(const char *name)
{
    const size_t len = strlen(name);
    if (len < 13 || len >= OM__AUDIT_NAME_BYTES || name[8] != '-' ||
        strcmp(name + len - 4, ".log") != 0)
        return 0;
    return strtol(name, NULL, 10);
}

static void write_seal(const unsigned char *key, size_t index,
                       const char *plain, char out[SEAL_HEX + 1])
{
    unsigned char hash[SEAL_BYTES];
    const uint64_t number = index;
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, OM__AUDIT_KEY_BYTES, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)&number,
                              sizeof number);
    crypto_generichash_update(&state, (const unsigned char *)plain, PLAIN_LEN);
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(out, SEAL_HEX + 1, hash, sizeof hash);
}

static om_status write_slot(int fd, const unsigned char *key, size_t index,
                            const struct om__audit_slot *slot)
{
    char line[SLOT_LEN + 1];
    const int n = snprintf(line, sizeof line, "%-32.32s %012llu %.32s %c ",
                           slot->name, (unsigned long long)slot->lines,
                           slot->chain, slot->state);
    if (n != PLAIN_LEN) return OM_E_INTERNAL;
    write_seal(key, index, line, line + PLAIN_LEN);
    line[SLOT_LEN - 1] = '\n';
    return pwrite(fd, line, SLOT_LEN, (off_t)(index * SLOT_LEN)) == SLOT_LEN
               ? OM_OK
               : OM_E_IO;
}

static bool parse_slot(const unsigned char *key, size_t index,
                       const char *line, struct om__audit_slot *out)
{
    char seal[SEAL_HEX + 1];
    write_seal(key, index, line, seal);
    if (line[SLOT_LEN - 1] != '\n' ||
        sodium_memcmp(seal, line + PLAIN_LEN, SEAL_HEX) != 0)
        return false;
    memcpy(out->name, line, 32);
    out->name[32] = '\0';
    out->name[strcspn(out->name, " ")] = '\0';
    out->lines = strtoull(line + 33, NULL, 10);
    memcpy(out->chain, line + 46, 32);
    out->chain[32] = '\0';
    out->state = line[79];
    return true;
}

static om_status read_slot(int fd, const unsigned char *key, size_t index,
                           struct om__audit_slot *out)
{
    char line[SLOT_LEN];
    for (int i = 0; i < READS; i++) {
        const ssize_t n =
            pread(fd, line, SLOT_LEN, (off_t)(index * SLOT_LEN));
        if (n < 0) return OM_E_IO;
        if (!index && !n) return OM_E_NOTFOUND;
        if (n == SLOT_LEN && parse_slot(key, index, line, out)) return OM_OK;
        const struct timespec moment = {0, 2000000};
        nanosleep(&moment, NULL);
    }
    return OM_E_DAMAGED;
}

static om_status open_head(const char *folder, int flags, int *fd)
{
    char path[PATH_BYTES];
    OM_TRY(om_path_join(path, sizeof path, folder, OM__AUDIT_HEAD));
    *fd = open(path, flags | O_CLOEXEC, 0600);
    if (*fd >= 0) return OM_OK;
    return errno == ENOENT ? OM_E_NOTFOUND : OM_E_IO;
}

static om_status write_count(int fd, const unsigned char *key, uint64_t count)
{
    const struct om__audit_slot first = {
        .name = FIRST, .lines = count, .chain = NO_CHAIN, .state = 'h'};
    return write_slot(fd, key, 0, &first);
}

/* Slots for the files that are there already. */
static om_status adopt(const char *folder, int fd, const unsigned char *key,
                       const char *but, uint64_t *count)
{
    om_status st = OM_OK;
    DIR *dir = opendir(folder);
    if (!dir) return OM_E_IO;
    *count = 0;
    for (const struct dirent *e; !st && (e = readdir(dir));) {
        struct om__audit_slot slot = {.chain = NO_CHAIN, .state = 'a'};
        if (!om__audit_day(e->d_name) || !strcmp(e->d_name, but)) continue;
        snprintf(slot.name, sizeof slot.name, "%.32s", e->d_name);
        st = write_slot(fd, key, ++*count, &slot);
    }
    closedir(dir);
    return st;
}

om_status om__audit_head_begin(const char *folder,
                               const unsigned char key[OM__AUDIT_KEY_BYTES],
                               const char *name, struct om__audit_head *out)
{
    struct om__audit_head head = {.slot = {.chain = NO_CHAIN, .state = 'k'}};
    struct om__audit_slot first;
    *out = (struct om__audit_head){0};
    OM_TRY(open_head(folder, O_RDWR | O_CREAT, &head.fd));
    om_status st = flock(head.fd, LOCK_EX) ? OM_E_IO : OM_OK;
    if (!st) st = read_slot(head.fd, key, 0, &first);
    if (st == OM_E_NOTFOUND)
        st = adopt(folder, head.fd, key, name, &first.lines);
    if (!st && first.lines >= SLOTS_MOST) st = OM_E_LIMIT;
    if (!st) {
        head.index = (size_t)first.lines + 1;
        snprintf(head.slot.name, sizeof head.slot.name, "%.32s", name);
        st = write_slot(head.fd, key, head.index, &head.slot);
    }
    if (!st) st = write_count(head.fd, key, head.index);
    flock(head.fd, LOCK_UN);
    if (st)
        close(head.fd);
    else
        *out = head;
    return st;
}

om_status om__audit_head_add(struct om__audit_head *head,
                             const unsigned char key[OM__AUDIT_KEY_BYTES],
                             const char *chain)
{
    if (!head->fd) return OM_OK;
    head->slot.lines++;
    snprintf(head->slot.chain, sizeof head->slot.chain, "%s", chain);
    return write_slot(head->fd, key, head->index, &head->slot);
}

om_status om__audit_head_expire(struct om__audit_head *head,
                                const unsigned char key[OM__AUDIT_KEY_BYTES],
                                const char *folder, long least)
{
    struct om__audit_slot slot;
    char path[PATH_BYTES];
    om_status st = OM_OK;
    for (size_t i = 1; head->fd && !st && i < head->index; i++) {
        st = read_slot(head->fd, key, i, &slot);
        if (st || slot.state == 'x' || om__audit_day(slot.name) >= least)
            continue;
        slot.state = 'x';
        st = write_slot(head->fd, key, i, &slot);
        if (!st) st = om_path_join(path, sizeof path, folder, slot.name);
        if (!st) unlink(path);
    }
    return st;
}

void om__audit_head_end(struct om__audit_head *head)
{
    if (head->fd) close(head->fd);
    *head = (struct om__audit_head){0};
}

om_status om__audit_head_read(const char *folder,
                              const unsigned char key[OM__AUDIT_KEY_BYTES],
                              struct om__audit_slot **out, size_t *count)
{
    struct om__audit_slot first;
    int fd;
    *out = NULL;
    *count = 0;
    OM_TRY(open_head(folder, O_RDONLY, &fd));
    om_status st = read_slot(fd, key, 0, &first);
    if (!st && first.lines > SLOTS_MOST) st = OM_E_DAMAGED;
    if (!st) {
        *out = om_calloc((size_t)first.lines + 1, sizeof **out);
        if (!*out) st = OM_E_MEMORY;
    }
    for (size_t i = 0; !st && i < first.lines; i++)
        st = read_slot(fd, key, i + 1, &(*out)[i]);
    close(fd);
    if (!st) *count = (size_t)first.lines;
    return st;
}
