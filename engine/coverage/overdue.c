/* overdue.c - a layer that lives as long as a question.
 *
 * DESIGN
 * Fields read segments: sorted, with cells, weighed by a column. What is
 * overdue is known only once it has been judged, so it becomes a segment too,
 * by the builder that imports use, rather than a second kind of point set that
 * every kernel would have to know.
 */
#include "engine/coverage/overdue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"

#define DAY_S 86400.0
#define PATH_BYTES 4096
#define NAME "overdue"
enum { ID, RISK, COLUMNS };
/* An id is the number of a row in eight digits. */
#define ID_BYTES 8

/* Rows on their way into the builder. */
struct gathering {
    const struct om_patrol_spec *spec;
    struct om_builder *builder;
    struct om_pos *pos;  // [OM_LIMIT_BATCH_ROWS] each
    double *risk;
    uint64_t *source;
    uint32_t *offset;
    char *bytes;
    size_t rows;
    uint64_t total;
    double sum;
};

static om_status flush(struct gathering *g)
{
    const struct om_batch_column column[COLUMNS] = {
        [ID] = {.offset = g->offset, .bytes = g->bytes},
        [RISK] = {.real = g->risk}};
    const struct om_batch batch = {.rows = g->rows,
                                   .source_row = g->source,
                                   .pos = g->pos,
                                   .column = column};
    const om_status st = g->rows ? om_builder_add(g->builder, &batch) : OM_OK;
    g->rows = 0;
    return st;
}

static om_status add_row(struct gathering *g, const struct om_patrol_row *row)
{
    const struct om_duty_target *target = &g->spec->duty->target[row->target];
    const uint64_t *key;
    if (g->rows == OM_LIMIT_BATCH_ROWS) OM_TRY(flush(g));
    OM_TRY(om_segment_keys(target->layer->part[row->part].segment, row->row,
                           row->row + 1, &key));
    const size_t i = g->rows++;
    uint64_t number = g->total++;
    g->pos[i] = om_morton_pos(key[row->row]);
    g->source[i] = number + 1;
    g->offset[i + 1] = (uint32_t)((i + 1) * ID_BYTES);
    for (size_t k = ID_BYTES; k-- > 0; number /= 10)
        g->bytes[i * ID_BYTES + k] = (char)('0' + number % 10);
    const double days = (double)(g->spec->at_s - row->overdue_s) / DAY_S;
    g->risk[i] =
        row->level < target->levels ? target->risk[row->level] * days : 0;
    g->sum += g->risk[i];
    return OM_OK;
}

static om_status gather(struct gathering *g, const struct om_patrol *patrol,
                        struct om_arena *arena)
{
    const size_t n = OM_LIMIT_BATCH_ROWS;
    g->pos = om_arena_calloc(arena, n, sizeof *g->pos);
    g->risk = om_arena_calloc(arena, n, sizeof *g->risk);
    g->source = om_arena_calloc(arena, n, sizeof *g->source);
    g->offset = om_arena_calloc(arena, n + 1, sizeof *g->offset);
    g->bytes = om_arena_calloc(arena, n, ID_BYTES);
    if (!g->pos || !g->risk || !g->source || !g->offset || !g->bytes)
        return OM_E_MEMORY;
    for (size_t i = 0; i < patrol->count; i++)
        if (patrol->row[i].overdue_s != OM_NEVER)
            OM_TRY(add_row(g, &patrol->row[i]));
    return flush(g);
}

/* Write, map, and let go of the name. */
static om_status write_segment(struct om_builder *builder, const char *folder,
                               struct om_segment **out, struct om_err *err)
{
    char path[PATH_BYTES];
    const int n = snprintf(path, sizeof path, "%s/.overdue-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return om_fail(err, OM_E_LIMIT, 0, "%.200s: path too long", folder);
    const int fd = mkstemp(path);
    if (fd < 0)
        return om_fail(err, OM_E_IO, 0, "%.200s: %s", folder, strerror(errno));
    close(fd);
    om_status st = om_builder_write(builder, path, NULL, err);
    if (!st) st = om_segment_open(path, NULL, out, err);
    unlink(path);
    return st;
}

om_status om_overdue_make(const struct om_patrol_spec *spec,
                          const struct om_patrol *patrol, const char *folder,
                          struct om_overdue *out, struct om_err *err)
{
    const struct om_schema schema = {
        .geometry = OM_GEOMETRY_POINT,
        .count = COLUMNS,
        .field = {[ID] = {"id", OM_TYPE_TEXT}, [RISK] = {"risk", OM_TYPE_REAL}},
        .id_field = ID,
        .time_field = OM_NO_FIELD};
    *out = (struct om_overdue){.weight = RISK};
    struct om_arena arena = {0};
    struct gathering g = {.spec = spec};
    om_status st = om_builder_new(&schema, &g.builder);
    if (!st) st = gather(&g, patrol, &arena);
    if (!st) st = write_segment(g.builder, folder, &out->part.segment, err);
    om_builder_free(g.builder);
    om_arena_deinit(&arena);
    if (st) return st;
    out->sum = g.sum;
    snprintf(out->meta.name, sizeof out->meta.name, NAME);
    snprintf(out->meta.title, sizeof out->meta.title, "逾期风险");
    snprintf(out->meta.title_en, sizeof out->meta.title_en, "Overdue risk");
    out->layer =
        (struct om_layer){.schema = schema,
                          .parts = 1,
                          .part = &out->part,
                          .rows = om_segment_rows(out->part.segment),
                          .serial = om_segment_serial(out->part.segment),
                          .meta = &out->meta};
    snprintf(out->layer.name, sizeof out->layer.name, NAME);
    return om_select(NULL, &out->layer, NULL, (struct om_window){0}, &out->all);
}

void om_overdue_free(struct om_overdue *overdue)
{
    om_selection_unref(overdue->all);
    om_segment_unref(overdue->part.segment);
    *overdue = (struct om_overdue){0};
}
