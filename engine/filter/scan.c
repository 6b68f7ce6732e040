/* scan.c - what reading texts row by row will cost, before it is begun.
 *
 * DESIGN
 * Conditions on numbers, codes and words of a dictionary take nanoseconds for a
 * thousand rows; a text that is read and matched takes some hundred a row, and
 * an expression may ask for it as often as it likes. So these readings are
 * added up. Where something beside them has to be equal to words of a
 * dictionary, only those rows are read; how many that are is taken to be their
 * share of the words. The factors are measured (bench_filter), and rough.
 */
#include <math.h>
#include <string.h>

#include "engine/filter/filter_internal.h"

#define READ_NS 100.0
#define FOLD_NS 200.0
/* A text may be tried again behind each wildcard. */
#define WILDCARD_NS 20.0
#define NUMBERED_NS 40.0

static size_t wildcards(const struct om__text *pattern)
{
    size_t n = 0;
    for (size_t i = 0; i < pattern->len; i++) n += pattern->bytes[i] == '%';
    return n;
}

/* Letters and then nothing, or one % : a range of codes. */
static bool is_range(const struct om__node *node)
{
    const struct om__text *p = &node->text[0];
    const size_t n = wildcards(p);
    return node->kind != OM__LIKE ||
           (!memchr(p->bytes, '_', p->len) &&
            (n == 0 || (n == 1 && p->bytes[p->len - 1] == '%')));
}

static double row_ns(const struct om__node *node,
                     const struct om_column *column)
{
    const double more = (node->kind == OM__LIKE
                             ? WILDCARD_NS * (double)wildcards(&node->text[0])
                             : 0) +
                        (node->fold ? FOLD_NS : 0);
    if (column->coding == OM_CODING_BLOCKS) return READ_NS + more;
    if (column->coding != OM_CODING_NUMBERED || (!node->fold && is_range(node)))
        return 0;
    return NUMBERED_NS + more;
}

static bool is_text(const struct om__node *node)
{
    return node->kind == OM__LIKE || node->kind == OM__TEXTS ||
           node->kind == OM__ORDER;
}

/* NULL: not there, or not to be read. */
static const struct om_column *column_of(const struct om_filter *f,
                                         const struct om__node *node,
                                         const struct om_segment *segment)
{
    const struct om_column *column = NULL;
    const size_t at = om_schema_find(om_segment_schema(segment),
                                     f->column[node->column].name);
    if (at == OM_NO_FIELD || om_segment_column(segment, at, 0, 0, &column))
        return NULL;
    return column;
}

/* Of the rows, those that a condition leaves for the dearer ones beside it. */
static double share_of(const struct om_filter *f, const struct om__node *node,
                       const struct om_segment *segment)
{
    if (node->kind != OM__TEXTS || node->negated || node->fold) return 1;
    const struct om_column *column = column_of(f, node, segment);
    if (!column || column->coding == OM_CODING_BLOCKS) return 1;
    if (column->coding == OM_CODING_NUMBERED) return 0;
    return column->words ? fmin(1, (double)node->texts / (double)column->words)
                         : 1;
}

static double seconds_of(const struct om_filter *f, const struct om__node *node,
                         const struct om_segment *segment)
{
    if (is_text(node)) {
        const struct om_column *column = column_of(f, node, segment);
        return column ? (double)om_segment_rows(segment) *
                            row_ns(node, column) * 1e-9
                      : 0;
    }
    if (node->kind != OM__AND && node->kind != OM__OR && node->kind != OM__NOT)
        return 0;
    double sum = 0, share = 1;
    for (const struct om__node *child = node->child; child;
         child = child->next) {
        sum += seconds_of(f, child, segment);
        if (node->kind == OM__AND)
            share = fmin(share, share_of(f, child, segment));
    }
    return sum * share;
}

double om__filter_scan_s(const struct om_filter *filter,
                         const struct om_layer *layer)
{
    double s = 0;
    for (size_t i = 0; i < layer->parts; i++)
        if (layer->part[i].segment)
            s += seconds_of(filter, filter->root, layer->part[i].segment);
    return s;
}
