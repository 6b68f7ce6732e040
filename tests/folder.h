// folder.h - folders for tests, where whoever runs the tests takes them away.
#ifndef OM_TESTS_FOLDER_H
#define OM_TESTS_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* tests/run.sh names both places, and removes them with all that tests which
 * died have left. A path that is longer than there is room for begins in /tmp. */
static inline bool test_folder_in(const char *base, const char *name, char *out,
                                  size_t room)
{
    if (!base || !*base || strlen(base) + strlen(name) + 9 > room)
        base = "/tmp";
    snprintf(out, room, "%s/%s-XXXXXX", base, name);
    return mkdtemp(out) != NULL;
}

/** A new folder. False: it cannot be made. */
static inline bool test_folder(const char *name, char *out, size_t room)
{
    return test_folder_in(getenv("TMPDIR"), name, out, room);
}

/** The same in memory where there is some: for thousands of syncs. */
static inline bool test_memory_folder(const char *name, char *out, size_t room)
{
    const char *base = getenv("ONEMAP_TEST_MEMORY");
    if (!base && access("/dev/shm", W_OK) == 0) base = "/dev/shm";
    return test_folder_in(base ? base : getenv("TMPDIR"), name, out, room);
}

#endif
