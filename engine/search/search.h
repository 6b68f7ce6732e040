// search.h - names and addresses of a city by what somebody types.
#ifndef OM_ENGINE_SEARCH_SEARCH_H
#define OM_ENGINE_SEARCH_SEARCH_H

#include "data/base/arena.h"
#include "engine/filter/filter.h"

/** Bytes of a question; longer ones are OM_E_LIMIT. */
#define OM_SEARCH_BYTES 512
/** Answers to one question. */
#define OM_SEARCH_LIMIT 100
/** Layers that can be searched at most. */
#define OM_SEARCH_LAYERS 64

/* Which texts of a city are searched, in the order in which equals are
 * answered: "search" of city.json, a list of
 *
 *     {"layer": "address", "column": "text", "kind": "address",
 *      "group": "building", "group_layer": "building"}
 *
 * Without it: every layer that has a column name, title or text; of a text the
 * group is the column that is called like a layer of polygons. `group` is a
 * column that many rows share, and where nothing tells the rows apart the group
 * is the answer: a building, not its hundred rooms. */
struct om_search_source {
    char layer[OM_LIMIT_NAME_BYTES];
    char column[OM_LIMIT_NAME_BYTES];
    char kind[OM_LIMIT_NAME_BYTES];   // what an answer is called
    char group[OM_LIMIT_NAME_BYTES];  // empty: none
    char group_layer[OM_LIMIT_NAME_BYTES];
};
/** shapes: out [OM_SEARCH_LAYERS]. Sources whose layer or column is not there
 *  are left out. returns OM_E_FORMAT: "search" is not such a list */
om_status om_search_sources(const struct om_snapshot *snapshot,
                            struct om_search_source *out, size_t *count,
                            struct om_err *err) OM_MUST_USE;

/* The indexes of a city, as files in its folder search/ and in memory. */
struct om_search;
/** path: the city's folder; copied. writable: files may be made there, else
 *  what is missing is kept in memory. owns: *out with om_search_free */
om_status om_search_new(const char *path, bool writable,
                        struct om_search **out) OM_MUST_USE;
void om_search_free(struct om_search *search);
/** Rows of a file whose index is made by the first question that needs it;
 *  those of larger ones are left out of answers until somebody calls
 *  om_search_prepare. */
#define OM_SEARCH_SMALL_ROWS 300000
/**
 * Make the indexes that are missing or do not fit, one for each segment's file,
 * and remove those of files that are gone. Where the folder cannot be written
 * to they are made in memory. *made (may be NULL): how many had to be.
 *
 * returns  the first error; what could be made was
 * cost     some 10 s for 12 M addresses, else a look at the folder
 * threads  any; questions are answered meanwhile
 */
om_status om_search_prepare(struct om_search *search,
                            const struct om_snapshot *snapshot, size_t *made,
                            struct om_err *err) OM_MUST_USE;

/** Bytes of the indexes that are open. */
size_t om_search_bytes(struct om_search *search);

/* A question. */
struct om_search_ask {
    const char *text;  // UTF-8
    size_t len;
    size_t limit;              // 1 to OM_SEARCH_LIMIT
    const char *const *layer;  // only these; NULL: all
    size_t layers;
    bool boxed;  // only what lies in box
    struct om_box box;
    bool near;  // of equals the nearest first
    struct om_pos at;
    struct om_selections *cache;  // of filters; may be NULL
    // What the asker may see; NULL: all.
    bool (*may)(void *ctx, const struct om_layer *layer);
    void *ctx;
};

enum om_search_match {
    OM_MATCH_ID,
    OM_MATCH_EXACT,     // the whole text
    OM_MATCH_PART,      // a part of it, or parts
    OM_MATCH_TYPO,      // but for wrong, missing or swapped characters
    OM_MATCH_PINYIN,    // by how it sounds
    OM_MATCH_INITIALS,  // by the first letters of how it sounds
};
/** "id", "exact", "part", "typo", "pinyin", "initials" */
const char *om_search_match_name(enum om_search_match match);

/* The unit of a level that something lies in; id NULL: in none. */
struct om_search_unit {
    const char *id, *name;
};

/* A kind that was typed: the rows of a layer with a value in a column, or (both
 * empty) all of them. */
struct om_search_term {
    const char *column, *value;
    const char *title, *title_en;  // NULL: none
    const char *filter;            // CQL2 text that takes its rows; "": all
    uint64_t count;                // of them, as the asker sees them
    bool within;                   // only those in a unit that was typed
};

/* An answer. Strings lie in the arena. */
struct om_search_hit {
    const struct om_search_source *source;
    const struct om_layer *layer;  // that part and row are of
    size_t part, row;              // one of its rows
    const char *kind;              // what it is called; borrowed
    bool group;                    // the answer is the group that the row is of
    const char *id;                // of the row, or of the group
    const char *group_id;          // NULL: none
    const char *text;
    struct om_pos pos;
    struct om_search_unit *unit;  // [levels of the manifest]
    double score;                 // 0 to 1
    enum om_search_match match;
    // Found as one of a kind; NULL: by name. With id NULL it is the kind
    // itself, and lies where the nearest row of it does.
    const struct om_search_term *term;
    double distance_m;  // of such rows from the place of the ask; < 0: none is
};
struct om_search_answer {
    struct om_search_source *source;  // [sources], in the arena
    size_t sources, count;
    struct om_search_hit *hit;
    bool complete;  // false: an index is still being made
    bool sure;      // the first is what was meant, as far as can be told
};

/**
 * Answer a question, best first.
 *
 * returns  OM_E_FORMAT (not UTF-8), OM_E_LIMIT (too long), OM_E_RANGE (limit),
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     out lies in `arena`
 * threads  any
 * cost     bounded whatever is asked; benchmarks/web/search.sh
 * test     tests/engine/test_search.c
 */
om_status om_search_run(struct om_search *search,
                        const struct om_snapshot *snapshot,
                        const struct om_search_ask *ask, struct om_arena *arena,
                        struct om_search_answer *out,
                        struct om_err *err) OM_MUST_USE;

/** The units of a row, as struct om_search_hit has them.
 *  shapes   out [levels of the manifest], strings in the arena */
om_status om_search_units(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          const struct om_layer *layer, size_t part, size_t row,
                          struct om_arena *arena,
                          struct om_search_unit *out) OM_MUST_USE;

#endif
