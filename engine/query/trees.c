/* trees.c - packed trees over shapes, kept for the segments last used.
 *
 * DESIGN
 * A tree belongs to a segment, not to a query, and segments never change, so
 * the cache is the process's: a short list under a lock, oldest use out first,
 * those of few shapes before all others.
 * A tree that is in use when it is thrown out lives until its last user.
 */
#include "engine/query/trees.h"

#include <pthread.h>
#include <stdatomic.h>

#include "data/base/alloc.h"

/* Trees kept, and their bytes all together: far above one city's layers of
 * shapes; the least recently used go. */
#define KEPT_TREES 64
#define KEPT_BYTES (UINT64_C(512) << 20)
/* Rough bytes a shape takes in a packed tree: a box and its number. */
#define SHAPE_BYTES 24
/* Trees of rows that were just written: they are made within a millisecond or
 * two, and with every write there is another. */
#define SMALL_BYTES (65536 * SHAPE_BYTES)

struct om__kept_tree {
    uint64_t serial;  // of the segment
    uint64_t bytes, used;
    struct om_tree *tree;
    atomic_size_t refs;  // users, and one while it is in the list
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct om__kept_tree *kept[KEPT_TREES];  // guarded by lock
static size_t kept_count;
static uint64_t kept_bytes, uses;

void om__tree_release(struct om__kept_tree *tree)
{
    if (!tree || atomic_fetch_sub(&tree->refs, 1) > 1) return;
    om_tree_free(tree->tree);
    om_free(tree);
}

const struct om_tree *om__tree_of(const struct om__kept_tree *tree)
{
    return tree->tree;
}

/* Under the lock. */
static struct om__kept_tree *known(uint64_t serial)
{
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i]->serial == serial) {
            kept[i]->used = ++uses;
            atomic_fetch_add(&kept[i]->refs, 1);
            return kept[i];
        }
    return NULL;
}

/* Is `a` rather to go than `b`? */
static bool is_less_wanted(const struct om__kept_tree *a,
                           const struct om__kept_tree *b)
{
    const bool small = a->bytes <= SMALL_BYTES;
    if (small != (b->bytes <= SMALL_BYTES)) return small;
    return a->used < b->used;
}

/* Under the lock: drop the tree used longest ago, small ones first. */
static void drop_oldest(void)
{
    size_t oldest = 0;
    for (size_t i = 1; i < kept_count; i++)
        if (is_less_wanted(kept[i], kept[oldest])) oldest = i;
    kept_bytes -= kept[oldest]->bytes;
    om__tree_release(kept[oldest]);
    kept[oldest] = kept[--kept_count];
}

static om_status build(const struct om_segment *segment,
                       struct om__kept_tree **out)
{
    const size_t rows = om_segment_rows(segment);
    struct om_rings rings;
    OM_TRY(om_segment_rings(segment, 0, rows, &rings));
    struct om__kept_tree *tree = om_calloc(1, sizeof *tree);
    if (!tree) return OM_E_MEMORY;
    const om_status st = om_tree_new(rings.box, rows, &tree->tree);
    if (st) {
        om_free(tree);
        return st;
    }
    tree->serial = om_segment_serial(segment);
    tree->bytes = (uint64_t)rows * SHAPE_BYTES;
    atomic_init(&tree->refs, 1);
    *out = tree;
    return OM_OK;
}

om_status om__tree_get(const struct om_segment *segment,
                       struct om__kept_tree **out)
{
    const uint64_t serial = om_segment_serial(segment);
    pthread_mutex_lock(&lock);
    *out = known(serial);
    pthread_mutex_unlock(&lock);
    if (*out) return OM_OK;

    struct om__kept_tree *mine = NULL;
    OM_TRY(build(segment, &mine));
    pthread_mutex_lock(&lock);
    *out = known(serial);  // somebody else was faster
    if (!*out && mine->bytes <= KEPT_BYTES) {
        while (kept_count == KEPT_TREES ||
               kept_bytes + mine->bytes > KEPT_BYTES)
            drop_oldest();
        mine->used = ++uses;
        atomic_fetch_add(&mine->refs, 1);
        kept[kept_count++] = mine;
        kept_bytes += mine->bytes;
    }
    pthread_mutex_unlock(&lock);
    if (*out)
        om__tree_release(mine);
    else
        *out = mine;
    return OM_OK;
}

void om_query_forget(void)
{
    pthread_mutex_lock(&lock);
    while (kept_count) drop_oldest();
    pthread_mutex_unlock(&lock);
}
