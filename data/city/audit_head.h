// audit_head.h - which files the audit has and how long they are, sealed.
#ifndef OM_DATA_CITY_AUDIT_HEAD_H
#define OM_DATA_CITY_AUDIT_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

#define OM__AUDIT_HEAD "head"
#define OM__AUDIT_KEY_BYTES 32
#define OM__AUDIT_NAME_BYTES 33
/** Hexadecimal digits of a chain, and a NUL. */
#define OM__AUDIT_CHAIN_BYTES 33

/* DESIGN in audit_head.c. A file as the head knows it. */
struct om__audit_slot {
    char name[OM__AUDIT_NAME_BYTES];
    uint64_t lines;
    char chain[OM__AUDIT_CHAIN_BYTES];  // of its last line
    char state;  // 'k': kept, 'x': expired, 'a': older than the head, which
                 // knows neither lines nor chain
};

/* One process's hold on its own slot. Zero: none. */
struct om__audit_head {
    int fd;  // 0: none
    size_t index;
    struct om__audit_slot slot;
};

/** Take a slot for a file that has no lines yet. The first of all makes the
 *  head, and takes the files that are there already.
 *  returns  OM_E_IO, OM_E_DAMAGED: the head is not of this key; it stays
 *  owns     om__audit_head_end     threads: processes wait for each other */
om_status om__audit_head_begin(const char *folder,
                               const unsigned char key[OM__AUDIT_KEY_BYTES],
                               const char *name,
                               struct om__audit_head *out) OM_MUST_USE;
/** Write down that the slot's file has a line more. */
om_status om__audit_head_add(struct om__audit_head *head,
                             const unsigned char key[OM__AUDIT_KEY_BYTES],
                             const char *chain) OM_MUST_USE;
/** Remove files of days before `least` (YYYYMMDD), and write that down. */
om_status om__audit_head_expire(struct om__audit_head *head,
                                const unsigned char key[OM__AUDIT_KEY_BYTES],
                                const char *folder, long least) OM_MUST_USE;
void om__audit_head_end(struct om__audit_head *head);
/** All slots. returns OM_E_NOTFOUND: there is no head; OM_E_DAMAGED: it was
 *  changed, or is of another key. owns: *out, om_free */
om_status om__audit_head_read(const char *folder,
                              const unsigned char key[OM__AUDIT_KEY_BYTES],
                              struct om__audit_slot **out,
                              size_t *count) OM_MUST_USE;
/** "20261129-..." is a day, as a number that rises with it; 0: no log's name. */
long om__audit_day(const char *name);

#endif
