// changes.c - where each layer of a city last changed.
#include "engine/live/changes.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/changes_internal.h"

/* Layers are never removed, so that they are found without a lock. */
struct om__changes_layer *om__changes_layer(const struct om_changes *changes,
                                            const char *name)
{
    struct om__changes_layer *layer =
        atomic_load_explicit(&changes->first, memory_order_acquire);
    while (layer && strcmp(layer->name, name)) layer = layer->next;
    return layer;
}

om_status om_changes_new(struct om_changes **out)
{
    *out = om_calloc(1, sizeof **out);
    if (!*out) return OM_E_MEMORY;
    pthread_rwlock_init(&(*out)->lock, NULL);
    return OM_OK;
}

void om_changes_free(struct om_changes *changes)
{
    if (!changes) return;
    struct om__changes_layer *layer = changes->first, *next;
    for (; layer; layer = next) {
        next = layer->next;
        om__audiences_free(layer);
        om__change_tree_deinit(&layer->tree);
        om_free(layer);
    }
    pthread_rwlock_destroy(&changes->lock);
    om_free(changes);
}

om_status om_changes_reset(struct om_changes *changes, const char *name,
                           uint64_t sequence, int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer) {
        om__change_tree_renew(&layer->tree, sequence, at_s);
        om__audiences_renew(changes, layer, true, sequence, at_s);
        return OM_OK;
    }
    layer = om_calloc(1, sizeof *layer);
    if (!layer) return OM_E_MEMORY;
    snprintf(layer->name, sizeof layer->name, "%s", name);
    layer->tree.most = OM__CHANGE_BLOCKS;
    om__change_tree_renew(&layer->tree, sequence, at_s);
    layer->next = atomic_load_explicit(&changes->first, memory_order_relaxed);
    atomic_store_explicit(&changes->first, layer, memory_order_release);
    return OM_OK;
}

void om_changes_moved(struct om_changes *changes, const char *name,
                      uint64_t sequence, int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (!layer) return;
    om__change_tree_renew(&layer->tree, sequence, at_s);
    om__audiences_renew(changes, layer, false, sequence, at_s);
}

void om_changes_looks(struct om_changes *changes, const char *name,
                      uint64_t sequence, int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer) om__change_tree_renew(&layer->tree, sequence, at_s);
}

void om_changes_add(struct om_changes *changes, const char *name, uint64_t cell,
                    uint64_t sequence, int64_t at_s)
{
    om_changes_add_coarse(changes, name, OM_CHANGE_LEVEL, cell, sequence, at_s);
}

void om_changes_add_all(struct om_changes *changes, const char *name,
                        const struct om_change *change, size_t count,
                        int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer) om__change_tree_add_all(&layer->tree, change, count, at_s);
}

void om_changes_add_coarse(struct om_changes *changes, const char *name,
                           unsigned level, uint64_t cell, uint64_t sequence,
                           int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer && level <= OM_CHANGE_LEVEL)
        om__change_tree_add(&layer->tree, level, cell, sequence, at_s);
}

void om_changes_add_box(struct om_changes *changes, const char *name,
                        struct om_box box, uint64_t sequence, int64_t at_s)
{
    struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer) om__change_tree_add_box(&layer->tree, box, sequence, at_s);
}

uint64_t om_changes_whole(const struct om_changes *changes, const char *name)
{
    const struct om__changes_layer *layer = om__changes_layer(changes, name);
    return layer ? om__change_tree_base(&layer->tree) : 0;
}

uint64_t om_changes_in(const struct om_changes *changes, const char *name,
                       struct om_box box, int64_t *at_s)
{
    const struct om__changes_layer *layer = om__changes_layer(changes, name);
    if (layer) return om__change_tree_in(&layer->tree, box, at_s);
    if (at_s) *at_s = 0;
    return 0;
}
