// told.h - what has changed, gathered until it is told: a few cells a layer.
#ifndef OM_WEB_SERVER_TOLD_H
#define OM_WEB_SERVER_TOLD_H

#include "data/base/buf.h"
#include "engine/live/live.h"

/** Cells of one layer in one telling; where more changed they are told at a
 *  coarser level, of which no more are needed. */
#define OM__TOLD_CELLS 500
/** Layers of one telling; a city with more is told as "everything". */
#define OM__TOLD_LAYERS 64

/* A set of Morton codes of one level. Level 0 has one cell: the world. Which
 * level it comes to depends on what was added, not on the order. */
struct om__told_layer {
    char name[OM_LIMIT_NAME_BYTES];
    // Unsure: what changed nobody knows any more, and who does not see all is
    // not told where. Of layers about persons: nobody is told where.
    enum om__told_kind {
        OM__TOLD_OPEN,
        OM__TOLD_UNSURE,
        OM__TOLD_PERSON,
        // They walked, for who sees them; another number of them is told.
        OM__TOLD_MOVED,
        OM__TOLD_STEPS
    } kind;
    uint64_t quiet;  // veils that hide all of it (engine/live/audience.h)
    uint64_t rows;   // entries: a row changed twice counts twice
    unsigned level;
    size_t count;
    uint64_t slot[2 * OM__TOLD_CELLS + 24];  // hashed, code + 1; 0: free
};

/* Zeroed it is empty. */
struct om__told {
    uint64_t first, last;  // sequences; 0: nothing happened
    uint64_t after;        // behind which it is told
    bool everything;       // more layers than there is room for
    size_t layers, room;
    struct om__told_layer *layer;
};
void om__told_deinit(struct om__told *told);
/** Forget what was gathered, keep the memory. */
void om__told_clear(struct om__told *told);
/** Add a change. Never fails: without memory it becomes "everything". */
void om__told_add(struct om__told *told, const struct om_live_change *change);

/** Tell of a box of positions, too, or of all of the layer. */
void om__told_add_box(struct om__told_layer *layer, struct om_box box);
void om__told_add_world(struct om__told_layer *layer);
/** Its cells as Morton codes of `level` or, where they are coarser, of their
 *  own, rising, each once. Returns how many. */
size_t om__told_cells(const struct om__told_layer *layer, unsigned level,
                      uint64_t code[OM__TOLD_CELLS]);
/** What is told of those who are followed is another (engine/policy/steps.h):
 *  for who does not see them. */
void om__told_add_steps(struct om__told *told, const char *layer,
                        uint64_t sequence);
/** Let a change say that its layer, which is about persons, changed: where is
 *  only looked at for who has an area. */
void om__told_hide(struct om_live_change *change);

/** Before all that follows: whoever asks does not see columns about persons. */
#define OM__TOLD_VEILED '~'
/** Before the names of layers: only that something changed is told, not where.
 */
#define OM__TOLD_COARSE '!'
/** Behind a name, with 16 digits: as which audience whoever asks is told of the
 *  layer (engine/live/audience.h). */
#define OM__TOLD_AS '='
struct om_heard;
/** What an audience is told of a layer, wherever. */
typedef void (*om__told_heard)(void *ctx, const char *layer, uint64_t audience,
                               struct om_heard *out);
/** A name among comma-separated ones; NULL or empty: all names are. */
bool om__told_wanted(const char *layers, const char *name);
/** Append "NAME":{"rows":3,"level":18,"cells":[[x,y],...]},... of the layers
 *  that are among `layers`. Cells by their Morton codes, so that equal sets are
 *  equal bytes. heard: NULL where there are no audiences. False: none is. */
bool om__told_write(const struct om__told *told, const char *layers,
                    om__told_heard heard, void *ctx, struct om_buf *out);

/* ---- touched.c */

struct om_server;
/** Before it is told: add where shapes that nobody wrote are drawn otherwise in
 *  vector tiles, because of those beside them that were. threads: any */
void om__told_touch(struct om_server *server, struct om__told *told);

#endif
