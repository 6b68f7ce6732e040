// small.h - counts that are too small to be told, and what would tell them.
#ifndef OM_ENGINE_POLICY_SMALL_H
#define OM_ENGINE_POLICY_SMALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Which counts of a family must be hidden: cells of one larger cell, villages
 * of a town, towns of the city, whose sum is told.
 *
 * A count from 1 to least - 1 is. Where the hidden ones then add up to less
 * than `least`, or where there is only one of them, the sum less what is told
 * would tell: the smallest others are hidden, too, until it does not, or all
 * are. What is 0 is nobody's and is told.
 *
 * shapes   count, hidden [n]; what `hidden` has already stays hidden
 * source   complementary suppression: Hundepool et al. (2012), Statistical
 *          Disclosure Control, section 4.3
 * test     tests/engine/test_small.c
 */
void om_small_hide(const uint64_t *count, size_t n, uint64_t least,
                   bool *hidden);
/**
 * The same where the members have values that everybody knows (a number of
 * residents, a month's checks) and the sum of value x count is told, too: two
 * hidden counts would be solved from the two sums. Others are hidden until each
 * hidden count could be another one, all hidden ones staying what they are:
 * few, or not.
 *
 * shapes   count, value, hidden [n]
 * returns  false: they are all hidden, and the sums tell of them still
 * cost     O(hidden^2) for each that is hidden on top
 */
bool om_small_hide_valued(const uint64_t *count, const double *value, size_t n,
                          uint64_t least, bool *hidden);
/**
 * The same of all families of a level: member i is of family `of[i]`, one of
 * `families` (larger numbers: of none, a family of their own). Members of a
 * family that is hidden itself are hidden.
 * Where `rows` is given, `count` is how many of them make a sum: where there
 * are rows, a sum that none of them makes tells of each, as one of few does.
 * What is 0 is nobody's only where there are no rows.
 *
 * shapes   upper [families] or NULL: none is hidden; rows [n] or NULL: as many
 *          as are counted; of NULL: one family
 * cost     O(n * families)
 */
void om_small_hide_level(const uint64_t *count, const uint64_t *rows,
                         const uint32_t *of, size_t n, const bool *upper,
                         size_t families, uint64_t least, bool *hidden);

#endif
