// provinces_internal.h - what the first two digits of a unit's code say.
#ifndef OM_ENGINE_SEARCH_PROVINCES_INTERNAL_H
#define OM_ENGINE_SEARCH_PROVINCES_INTERNAL_H

/* A province and what its name may end in: 广东, 省. source: GB/T 2260 */
struct om__province {
    char code[4];
    const char *name, *ending;
};
/** All of them, then one without a code. */
extern const struct om__province om__provinces[];

#endif
