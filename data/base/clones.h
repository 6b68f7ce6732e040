// clones.h - hot loops in plain C, compiled once more for wider machines.
#ifndef OM_DATA_BASE_CLONES_H
#define OM_DATA_BASE_CLONES_H

/* A function marked OM_CLONES is compiled for the base instruction set and
 * again for AVX2 and AVX-512; the loader picks. Elsewhere (arm64, other
 * compilers, sanitizers, -DOM_PORTABLE) it is compiled once. All versions give
 * the same bits: C17 mode contracts no multiply-adds. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(OM_PORTABLE)
#define OM_CLONES   \
    __attribute__(( \
        target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OM_CLONES
#endif

#endif
