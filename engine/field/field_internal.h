// field_internal.h - the parts of the field: kernels, masses, lattices.
#ifndef OM_ENGINE_FIELD_FIELD_INTERNAL_H
#define OM_ENGINE_FIELD_FIELD_INTERNAL_H

#include <math.h>

#include "engine/field/field.h"

__extension__ typedef __int128 om__wide;
__extension__ typedef unsigned __int128 om__uwide;

/* ---- kernel.c ---------------------------------------------------------- */

/* Terms of the separable sum that stands for a kernel: 4 leave 0.28 % of the
 * peak for the quartic. */
#define OM_FIELD_RANK 4
/* Steps of the factors' tables over [0, reach]. */
#define OM_FIELD_STEPS 256
/* Steps of the quadrant table over [-1, 1]. */
#define OM_FIELD_QUADRANT 128

/* A radial kernel of radius 1: K(u, v) = peak * shape(u^2 + v^2), integral 1,
 * shape(0) = 1, 0 from 1 on. */
struct om__kernel {
    enum om_kernel kind;
    double peak;
    double variance;  // along an axis
    double reach;     // of the factors, in radii
    // shape(u^2 + v^2) ~ sum of weight[r] * factor[r](u) * factor[r](v)
    double weight[OM_FIELD_RANK];
    float factor[OM_FIELD_RANK][OM_FIELD_STEPS + 2];
    // share of the mass with u < a, v < b; a, b from -1 to 1
    float quadrant[OM_FIELD_QUADRANT + 2][OM_FIELD_QUADRANT + 2];
};

om_status om__kernel_init(struct om__kernel *kernel,
                          enum om_kernel kind) OM_MUST_USE;
/** shape at the squared distance q (in radii squared). */
double om__kernel_shape(enum om_kernel kind, double q);
/** Half the Laplacian of the shape inside: what a variance of 1 adds. */
double om__kernel_bend(enum om_kernel kind, double q);
/** Value at the centre of a kernel of radius 1 and integral 1. */
double om__kernel_peak(enum om_kernel kind);
/** factor r at |u|, 0 from the kernel's reach on. */
double om__kernel_factor(const struct om__kernel *kernel, unsigned r, double u);

/* ---- weight.c ---------------------------------------------------------- */

/* A table's value as a part stores it; rank: its place in the table. */
struct om__weight_entry {
    int64_t value;
    size_t rank;
    double weight;
};

/* What weighs the rows of one part. One thread at a time; others take a share
 * of it, which must not outlive it. Zero is valid to deinit. */
struct om__weigher {
    const struct om_segment *segment;
    const struct om_weight_table *table;
    size_t number_field, time_field;
    const struct om_column *number, *looked_up, *time;  // NULL: not needed
    int64_t reference_s, until_s;
    double rate;  // 1 / half-life; 0: none
    bool plain;   // the table's column is kept as text
    bool shared;
    struct om__weight_entry *entry;  // owned unless shared
    size_t entries;
    struct om_text_reader reader;
    om_status status;  // of texts that could not be read: look when done
};
om_status om__weigher_init(const struct om_field_spec *spec,
                           int64_t reference_s, size_t part,
                           struct om__weigher *out) OM_MUST_USE;
/** Have rows [from, to) checked before they are weighed. */
om_status om__weigher_touch(struct om__weigher *w, size_t from,
                            size_t to) OM_MUST_USE;
struct om__weigher om__weigher_share(const struct om__weigher *w);
void om__weigher_deinit(struct om__weigher *w);
/** Weight of a row as of reference_s, at most OM_FIELD_ROW_MOST from 0. */
double om__weigh(struct om__weigher *w, size_t row);

bool om__weight_is_one(const struct om_weighting *weight);
/** The moment that weights are prepared for, from when on rows do not count,
 * and what weights are to be multiplied with to be those of at_s. Of the
 * question and of the layer's living rows; *until_s INT64_MAX: rows without a
 * time count too, INT64_MAX - 1: there are none later than at_s. */
om_status om__weight_reference(const struct om_layer *layer,
                               const struct om_weighting *weight,
                               int64_t *reference_s, int64_t *until_s,
                               double *factor) OM_MUST_USE;
/** *until_s of the rows of one part, the dead too. */
om_status om__weight_until(const struct om_layer *layer, size_t part,
                           const struct om_weighting *weight,
                           int64_t *out) OM_MUST_USE;
/** What stands for a table in a key; zeros for none. */
om_status om__weight_hash(const struct om_layer *layer,
                          const struct om_weight_table *table,
                          uint64_t out[2]) OM_MUST_USE;

/* ---- sums.c ------------------------------------------------------------ */

/* Quanta of weights that are not 1. No row weighs more than
 * OM_FIELD_ROW_MOST: what many of them come to, times places in a
 * cell, has to fit into 128 bits. */
#define OM_FIELD_QUANTUM 0x1p-40

/* Weights in quanta, their sizes, and coordinates times sizes, modulo
 * 2^128. */
struct om__sum {
    om__uwide weight, size, x, y;
};
void om__sum_merge(struct om__sum *to, const struct om__sum *from);
void om__sum_take(struct om__sum *to, const struct om__sum *from);
/** In weights; unit: of a quantum. */
double om__sum_weight(const struct om__sum *sum, double unit);
double om__sum_size(const struct om__sum *sum, double unit);
/** The mean of one coordinate in a cell whose corner is there, in 1/65536 of
 *  its side; size is not 0. */
uint16_t om__sum_mean(om__uwide at, om__uwide size, uint32_t corner,
                      unsigned level);
static inline double om__weight_unit(const struct om_weighting *weight)
{
    return om__weight_is_one(weight) ? 1.0 : OM_FIELD_QUANTUM;
}
static inline om__wide om__quanta(double weight)
{
    const double q = weight * (1.0 / OM_FIELD_QUANTUM);
    return q < 0x1p62 && q > -0x1p62 ? (om__wide)llrint(q) : (om__wide)q;
}

/* What adds up rows of one part. Zero is valid to deinit. */
struct om__adder {
    const struct om_segment *segment;
    const struct om_selection *selection;
    size_t part;
    const uint64_t *key;
    bool weighted;
    struct om__weigher weigher;
};
om_status om__adder_init(const struct om_field_spec *spec, int64_t reference_s,
                         size_t part, struct om__adder *out) OM_MUST_USE;
void om__adder_deinit(struct om__adder *adder);
/** Have rows [from, to) checked before they are added one by one. */
om_status om__adder_touch(struct om__adder *adder, size_t from,
                          size_t to) OM_MUST_USE;
/** What a row weighs, in quanta. */
static inline om__wide om__adder_quanta(struct om__adder *a, size_t row)
{
    if (!a->weighted) return 1;
    return om__quanta(om__weigh(&a->weigher, row));
}
static inline void om__adder_row(struct om__adder *a, size_t row,
                                 struct om__sum *sum)
{
    const struct om_pos pos = om_morton_pos(a->key[row]);
    const om__wide q = om__adder_quanta(a, row);
    const om__uwide size = (om__uwide)(q < 0 ? -q : q);
    sum->weight += (om__uwide)q;
    sum->size += size;
    sum->x += size * pos.x;
    sum->y += size * pos.y;
}
/** Add rows [from, to) that are selected; dead: of the base (filter.h), the
 *  dead too. */
om_status om__adder_rows(struct om__adder *adder, size_t from, size_t to,
                         bool dead, struct om__sum *sum) OM_MUST_USE;
/** Take the dead of [from, to) that the base has. */
om_status om__adder_dead(struct om__adder *adder, const struct om_part *part,
                         size_t from, size_t to,
                         struct om__sum *sum) OM_MUST_USE;

/* What the base's rows before some rows add up to, each the first of a cell of
 * the finest prepared level; the last mark is behind all. */
struct om__ledger {
    size_t count;
    struct om__mark {
        size_t row;
        struct om__sum before;
    } * mark;
};
/** Rows between two marks, about. */
#define OM_FIELD_MARK_ROWS 1024
/** The selected rows of [from, to); ledger may be NULL. */
om_status om__adder_range(struct om__adder *adder, const struct om_part *part,
                          const struct om__ledger *ledger, size_t from,
                          size_t to, struct om__sum *sum) OM_MUST_USE;

/* ---- gather.c ---------------------------------------------------------- */

/* Cells with their weights, in Morton order: where the mass is. Either start
 * (weight = rows of the cell) or weight is set. Level 0: there are none. */
struct om__masses {
    unsigned level;
    size_t count;
    const uint64_t *code;
    const uint32_t *start;
    const float *weight;
    const uint16_t *mean_x, *mean_y;
};

#define OM_FIELD_BATCH 512

/* A cell's rows are anything from one stack to evenly spread. They count as
 * spread by this part of an even spread's variance: what is left of the error
 * is then at most this part of it for a stack, the rest for an even spread. A
 * mass of 1 mostly is one row, which is a point. */
#define OM_FIELD_SPREAD 0.5

/* Masses on a lattice of 2^exponent grid cells: node (column, row) relative to
 * the lattice's origin, whose middle is nearest, and the place within its
 * square, in [0, 1). variance: of each mass along an axis, in squared sides of
 * the lattice. */
struct om__batch {
    size_t count;
    float variance;
    int32_t column[OM_FIELD_BATCH], row[OM_FIELD_BATCH];
    float tx[OM_FIELD_BATCH], ty[OM_FIELD_BATCH], weight[OM_FIELD_BATCH];
};

/* Which masses: those in `box` (more may come), at `level` or finer; rows weigh
 * what they do at reference_s. prepared NULL: of a question that needs none, or
 * rows. */
struct om__gather {
    const struct om_field_spec *spec;
    int64_t reference_s;
    const struct om__prepared *prepared;
    struct om_box box;
    unsigned level;
    unsigned exponent;
    int64_t column0, row0;  // the lattice's origin
    void (*take)(void *ctx, const struct om__batch *batch);
    void *ctx;
};

/** Hand out the masses in Morton order, one for a cell and, of rows, one for a
 *  place: the same ones whatever parts the rows lie in. */
om_status om__gather_run(const struct om__gather *gather) OM_MUST_USE;

/* ---- prepare.c --------------------------------------------------------- */

/* Levels that are prepared for a selection or a weight; finer ones are read
 * row by row. */
#define OM_FIELD_LEVELS 4
extern const unsigned om__field_level[OM_FIELD_LEVELS];

/* The weight of one part's base (filter.h) in cells, the dead included: it
 * stays as it is while rows die and other parts come and go. Of plain counts,
 * which files have in cells, only the ledger. */
struct om__prepared_part {
    struct om__masses level[OM_FIELD_LEVELS];
    void *block[OM_FIELD_LEVELS];  // owned
    struct om__ledger ledger;      // owned
    size_t bytes;
};
/* A selection's masses: those of its parts. */
struct om__prepared {
    size_t parts;
    const struct om__prepared_part **part;  // NULL: read row by row
    double weight_sum, weight_abs;          // of the living
};
/** Parts of fewer rows are read row by row. */
#define OM_FIELD_PART_ROWS 8192
/** Weights as of reference_s. owns: om__prepared_part_free */
om_status om__prepared_part_new(const struct om_field_spec *spec,
                                int64_t reference_s, size_t part,
                                struct om__prepared_part **out) OM_MUST_USE;
void om__prepared_part_free(struct om__prepared_part *part);
/** Is it of all rows, each of which counts 1? */
bool om__field_is_plain(const struct om_field_spec *spec);

/* ---- lattice.c --------------------------------------------------------- */

/* A square of the lattice of nodes: 2^exponent grid cells from node to node,
 * node 0 in the middle of the first. */
struct om__nodes {
    int64_t column0, row0;
    size_t columns, rows;
};

/* What evaluation needs to know. */
struct om__field {
    const struct om_field_spec *spec;
    const struct om__kernel *kernel;
    const struct om__prepared *prepared;
    struct om_arena *arena;
    uint64_t rows;  // selected
    double weight_sum;
    // Weights are those of reference_s; values are to be multiplied to be
    // those of at_s.
    int64_t reference_s;
    double factor;
    bool signed_field;  // some weight is negative
};

/**
 * The field at every 2^step_log-th place of the lattice, `out` [rows *
 * columns] (stride columns): places are in the middle of 2^step_log nodes.
 * smooth: the values are coefficients of a quadratic spline through the field
 * instead. level: cells to read.
 */
om_status om__lattice_values(const struct om__field *field, unsigned exponent,
                             unsigned step_log, bool smooth, unsigned level,
                             const struct om__nodes *nodes,
                             float *out) OM_MUST_USE;

/* ---- block.c ----------------------------------------------------------- */

/* Cells whose corners are given, in grid cells; see struct om_places. */
struct om__mesh {
    size_t columns, rows;  // of cells, at least 1
    const double *x, *y;   // [(rows + 1) * (columns + 1)]
};
/** All on the grid, no cell turned over. */
bool om__mesh_is_sound(const struct om__mesh *mesh);

/* columns x rows cells: squares of 2^exponent grid cells from (column0, row0),
 * or, if mesh is set, those of it from (u0, v0). */
struct om__block {
    size_t columns, rows;
    unsigned exponent;
    int64_t column0, row0;
    const struct om__mesh *mesh;
    double u0, v0;
};
/** Ground width and height of the cells of a row (from -margin to beyond the
 *  last). */
struct om__ground om__block_cell_m(const struct om__block *block, double row);
/** Hand out the masses within `margin` cells of the block (more may come): the
 *  batch's column, row, tx, ty and variance are in cells of the block. */
om_status om__block_gather(
    const struct om__field *field, const struct om__block *block, double margin,
    unsigned level, void (*take)(void *ctx, const struct om__batch *batch),
    void *ctx) OM_MUST_USE;

/* ---- splat.c ----------------------------------------------------------- */

/** Each mass spread on its own over the cells of a block. mean: over the cell,
 *  else at its centre. shapes: out [rows * columns] */
om_status om__splat_values(const struct om__field *field,
                           const struct om__block *block, bool mean,
                           unsigned level, float *out) OM_MUST_USE;

/* ---- scan.c ------------------------------------------------------------ */

/** Epanechnikov's kernel at the centres of a block's cells. shapes: out [rows *
 *  columns] */
om_status om__scan_values(const struct om__field *field,
                          const struct om__block *block, unsigned level,
                          float *out) OM_MUST_USE;

/* ---- fields.c ---------------------------------------------------------- */

/* A field ready for evaluation: kernel and prepared masses, held. */
struct om__held;
om_status om__fields_hold(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          struct om__field *field,
                          struct om__held **held) OM_MUST_USE;
void om__fields_release(struct om_fields *fields, struct om__held *held);

/* ---- window.c ---------------------------------------------------------- */

/** The exponent of the lattice that values are interpolated from: 7 to 14
 *  nodes a bandwidth at the equator. */
unsigned om__lattice_exponent(double bandwidth_m);
/** The coarsest level with at least `parts` cells a bandwidth. */
unsigned om__level_for(double bandwidth_m, double parts);
/** The level of cells to read for means over cells of this many grid cells'
 *  side, for values at places `cell_m` apart, and for om__scan_values. */
unsigned om__mean_level(const struct om__field *field, double side,
                        double cell_m);
unsigned om__place_level(const struct om__field *field, double cell_m);
unsigned om__scan_level(const struct om__field *field);
/* Ground metres per grid cell, eastward and southward, on WGS 84's ellipsoid:
 * a circle on the ground is no circle on the grid, by 0.7 % at the equator. */
struct om__ground {
    double x_m, y_m;
};
/** At grid row y, clamped to the world. source: the radii of curvature of the
 *  ellipsoid, Snyder (1987), Map Projections, eq. 4-18 to 4-20. */
struct om__ground om__ground(double y);
/** Side of a square of the same area. */
double om__ground_m(double y);

/**
 * What is left to do to computed values. The factors leave up to 0.3 % of the
 * peak beside a kernel, of either sign; a field of weights that are not
 * negative is not negative. Then from reference_s to at_s.
 */
void om__values_finish(const struct om__field *field, float *value, size_t n);

/* Selections of at most this many rows are read row by row: exact, cheap. */
#define OM_FIELD_ROWS_FEW 50000
/* Bandwidths, measured at a place, within which all is that reaches it: a mass
 * nearer to the pole reaches further than one here, at the world's edge by 4 %
 * within the largest bandwidth. */
#define OM_FIELD_REACH 1.1
/* Cells a bandwidth where nodes and cells are alike. */
#define OM_FIELD_CELLS_ALIKE 5.0

/* ---- scale.c ----------------------------------------------------------- */

/** Largest value at the lattice's nodes, anywhere. field->arena is not used. */
om_status om__scale_max(const struct om__field *field, double *out) OM_MUST_USE;

#endif
