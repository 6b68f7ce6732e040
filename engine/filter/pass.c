/* pass.c - comparisons of stored values, 64 rows to a word.
 *
 * DESIGN
 * The comparison leaves one byte a row, which every compiler turns into vector
 * instructions whatever the width of the value; eight such bytes become eight
 * bits by one multiplication. Asking for the bits directly is shorter and not
 * vectorised. Values are compared as `v - lo <= width` in unsigned numbers of
 * their own width: one subtraction and one comparison for both ends. */
#include <string.h>

#include "data/base/clones.h"
#include "engine/filter/eval_internal.h"

/* Bytes of 0 or 1, eight of them in a little-endian word, to bits 0 to 7. */
#define GATHER UINT64_C(0x0102040810204080)

static inline uint64_t pack(const uint8_t hit[64])
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, hit + 8 * i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        word |= (eight * GATHER >> 56) << (8 * i);
    }
    return word;
}

/* One kernel for each width: C has no generic functions, and the loops must
 * know the type for the compiler to vectorise them. */
#define SPAN_KERNEL(bits)                                                     \
    OM_CLONES static void spans_##bits(                                       \
        const uint##bits##_t *restrict v, size_t words,                       \
        const struct om__span *span, size_t spans, uint64_t *restrict out)    \
    {                                                                         \
        for (size_t w = 0; w < words; w++, v += 64) {                         \
            uint8_t hit[64];                                                  \
            const uint##bits##_t lo = (uint##bits##_t)span[0].lo;             \
            const uint##bits##_t width = (uint##bits##_t)span[0].width;       \
            for (int i = 0; i < 64; i++)                                      \
                hit[i] = (uint##bits##_t)(v[i] - lo) <= width;                \
            for (size_t s = 1; s < spans; s++) {                              \
                const uint##bits##_t lo_s = (uint##bits##_t)span[s].lo;       \
                const uint##bits##_t width_s = (uint##bits##_t)span[s].width; \
                for (int i = 0; i < 64; i++)                                  \
                    hit[i] |= (uint##bits##_t)(v[i] - lo_s) <= width_s;       \
            }                                                                 \
            out[w] = pack(hit);                                               \
        }                                                                     \
    }

#define TABLE_KERNEL(bits)                                                   \
    static void table_##bits(const uint##bits##_t *restrict v, size_t words, \
                             uint64_t lo, uint64_t entries,                  \
                             const uint8_t *restrict table,                  \
                             uint64_t *restrict out)                         \
    {                                                                        \
        for (size_t w = 0; w < words; w++, v += 64) {                        \
            uint8_t hit[64];                                                 \
            for (int i = 0; i < 64; i++) {                                   \
                const uint64_t at = v[i] - lo;                               \
                hit[i] = at < entries ? table[at] : 0;                       \
            }                                                                \
            out[w] = pack(hit);                                              \
        }                                                                    \
    }

SPAN_KERNEL(8)
SPAN_KERNEL(16)
SPAN_KERNEL(32)
SPAN_KERNEL(64)
TABLE_KERNEL(8)
TABLE_KERNEL(16)
TABLE_KERNEL(32)
TABLE_KERNEL(64)

static void spans_any(const void *data, unsigned width, size_t words,
                      const struct om__span *span, size_t spans, uint64_t *out)
{
    if (width == 1)
        spans_8(data, words, span, spans, out);
    else if (width == 2)
        spans_16(data, words, span, spans, out);
    else if (width == 4)
        spans_32(data, words, span, spans, out);
    else
        spans_64(data, words, span, spans, out);
}

static void table_any(const void *data, unsigned width, size_t words,
                      uint64_t lo, uint64_t entries, const uint8_t *table,
                      uint64_t *out)
{
    if (width == 1)
        table_8(data, words, lo, entries, table, out);
    else if (width == 2)
        table_16(data, words, lo, entries, table, out);
    else if (width == 4)
        table_32(data, words, lo, entries, table, out);
    else
        table_64(data, words, lo, entries, table, out);
}

OM_CLONES static void reals_any(const double *restrict v, size_t words,
                                double lo, double hi, uint64_t *restrict out)
{
    for (size_t w = 0; w < words; w++, v += 64) {
        uint8_t hit[64];
        for (int i = 0; i < 64; i++) hit[i] = (v[i] >= lo) & (v[i] <= hi);
        out[w] = pack(hit);
    }
}

/* Kernels read whole words of 64 values. The last, incomplete one is copied
 * first: what lies behind the column is not ours. */
union tail {
    uint64_t align;
    double real[64];
    uint8_t bytes[64 * 8];
};

static uint64_t tail_mask(size_t n)
{
    return (UINT64_C(1) << n % 64) - 1;
}

static const void *copy_tail(union tail *tail, const void *data, size_t width,
                             size_t n)
{
    memset(tail, 0, sizeof *tail);
    memcpy(tail->bytes, (const uint8_t *)data + n / 64 * 64 * width,
           n % 64 * width);
    return tail->bytes;
}

void om__pass_spans(const void *data, unsigned width, size_t n,
                    const struct om__span *span, size_t spans, uint64_t *out)
{
    const size_t words = n / 64;
    spans_any(data, width, words, span, spans, out);
    if (n % 64 == 0) return;
    union tail tail;
    spans_any(copy_tail(&tail, data, width, n), width, 1, span, spans,
              out + words);
    out[words] &= tail_mask(n);
}

void om__pass_table(const void *data, unsigned width, size_t n, uint64_t lo,
                    uint64_t entries, const uint8_t *table, uint64_t *out)
{
    const size_t words = n / 64;
    table_any(data, width, words, lo, entries, table, out);
    if (n % 64 == 0) return;
    union tail tail;
    table_any(copy_tail(&tail, data, width, n), width, 1, lo, entries, table,
              out + words);
    out[words] &= tail_mask(n);
}

void om__pass_reals(const double *data, size_t n, double lo, double hi,
                    uint64_t *out)
{
    const size_t words = n / 64;
    reals_any(data, words, lo, hi, out);
    if (n % 64 == 0) return;
    union tail tail;
    copy_tail(&tail, data, sizeof *data, n);
    reals_any(tail.real, 1, lo, hi, out + words);
    out[words] &= tail_mask(n);
}
