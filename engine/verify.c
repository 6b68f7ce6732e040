// verify.c - segments check themselves; units are joined once more here.
#include "engine/verify.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"

#define LEVELS_MAX 16

struct level {
    const struct om_layer *units;
    struct om_partition *partition;
};

static void add_files(struct om_verify *sum, const struct om_verify *one)
{
    sum->blocks += one->blocks;
    sum->bad_blocks += one->bad_blocks;
    sum->rows += one->rows;
    sum->bad_order += one->bad_order;
    sum->bad_sums += one->bad_sums;
    sum->bad_cells += one->bad_cells;
    sum->bad_ids += one->bad_ids;
}

/* Code of an id in a unit column's dictionary, OM_NO_UNIT if it is not there.
 * Words are sorted bytewise. */
static uint32_t code_of(const struct om_column *c, const char *id, size_t len)
{
    size_t low = 0, high = c->words;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *word = c->word_bytes + c->word_offset[middle];
        const size_t word_len =
            c->word_offset[middle + 1] - c->word_offset[middle];
        const int order = memcmp(word, id, word_len < len ? word_len : len);
        if (order == 0 && word_len == len) return (uint32_t)middle;
        if (order < 0 || (order == 0 && word_len < len))
            low = middle + 1;
        else
            high = middle;
    }
    return OM_NO_UNIT;
}

/* For each unit its code in the column: what the column should hold. */
static om_status expected_codes(const struct om_layer *units,
                                const struct om_column *c, uint32_t *code)
{
    const struct om_segment *segment = units->part[0].segment;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < om_segment_rows(segment) && !st; i++) {
        const char *text;
        size_t len;
        st = om_segment_text(segment, units->schema.id_field, i, &reader, &text,
                             &len);
        if (!st) code[i] = code_of(c, text, len);
    }
    om_text_reader_deinit(&reader);
    return st;
}

/* Join one part with one level and count the rows that disagree. unit [rows]
 * is left with the unit's row of each row. */
static om_status compare_level(const struct om_part *part, size_t field,
                               const struct level *level, uint32_t *unit,
                               uint64_t *bad)
{
    const size_t rows = om_segment_rows(part->segment);
    const size_t units = om_segment_rows(level->units->part[0].segment);
    const struct om_column *c;
    const uint64_t *key;
    OM_TRY(om_segment_column(part->segment, field, 0, rows, &c));
    OM_TRY(om_segment_keys(part->segment, 0, rows, &key));
    OM_TRY(om_partition_join(level->partition, key, rows, unit));
    uint32_t *code = om_alloc_array(units, sizeof *code);
    if (!code) return OM_E_MEMORY;
    const om_status st = expected_codes(level->units, c, code);
    for (size_t i = 0; i < rows && !st; i++) {
        const bool has = om_column_valid(c, i);
        if (unit[i] == OM_NO_UNIT)
            *bad += has;
        else
            *bad += !has || om_column_stored(c, i) != code[unit[i]];
    }
    om_free(code);
    return st;
}

/* For each level the coarse unit that the rows of each unit of the level below
 * lie in, while a layer's parts are read: UNSEEN, or TORN if there are more. */
#define UNSEEN (OM_NO_UNIT - 1)
#define TORN (OM_NO_UNIT - 2)
struct lies_in {
    uint32_t *unit[LEVELS_MAX];  // owned
};

static void lies_in_deinit(struct lies_in *in)
{
    for (size_t l = 0; l < LEVELS_MAX; l++) om_free(in->unit[l]);
}

/* Fine units whose living rows lie in more than one coarse unit. */
static om_status count_straddling(const struct om_part *part,
                                  const uint32_t *fine, const uint32_t *coarse,
                                  size_t fine_units, uint32_t **lies_in,
                                  uint64_t *out)
{
    if (!*lies_in) {
        *lies_in = om_alloc_array(fine_units, sizeof **lies_in);
        if (!*lies_in) return OM_E_MEMORY;
        for (size_t i = 0; i < fine_units; i++) (*lies_in)[i] = UNSEEN;
    }
    const size_t rows = om_segment_rows(part->segment);
    for (size_t i = 0, dead = 0; i < rows; i++) {
        if (dead < part->dead_count && part->dead[dead] == i) {
            dead++;
            continue;
        }
        if (fine[i] == OM_NO_UNIT) continue;
        uint32_t *at = &(*lies_in)[fine[i]];
        if (*at == UNSEEN)
            *at = coarse[i];
        else if (*at != TORN && *at != coarse[i]) {
            *at = TORN;
            ++*out;
        }
    }
    return OM_OK;
}

static uint64_t count_outside(const struct om_part *part, const uint32_t *unit)
{
    const size_t rows = om_segment_rows(part->segment);
    uint64_t outside = 0;
    for (size_t i = 0; i < rows; i++) outside += unit[i] == OM_NO_UNIT;
    for (size_t i = 0; i < part->dead_count; i++)
        outside -= unit[part->dead[i]] == OM_NO_UNIT;
    return outside;
}

static om_status verify_units(const struct om_snapshot *s,
                              const struct om_layer *layer,
                              const struct om_part *part,
                              const struct level *level, struct lies_in *in,
                              struct om_layer_verify *found)
{
    const size_t rows = om_segment_rows(part->segment);
    uint32_t *unit = om_alloc_array(rows, sizeof *unit);
    uint32_t *finer = om_alloc_array(rows, sizeof *finer);
    om_status st = unit && finer ? OM_OK : OM_E_MEMORY;
    size_t finer_units = 0;
    for (size_t l = 0; l < s->manifest->levels && !st; l++) {
        const size_t field = om_layer_unit_field(layer, s->manifest->level[l]);
        if (!level[l].partition || field == OM_NO_FIELD) continue;
        st = compare_level(part, field, &level[l], unit, &found->bad_units);
        if (st) break;
        if (finer_units == 0)
            found->outside += count_outside(part, unit);
        else
            st = count_straddling(part, finer, unit, finer_units, &in->unit[l],
                                  &found->straddling);
        finer_units = om_segment_rows(level[l].units->part[0].segment);
        memcpy(finer, unit, rows * sizeof *unit);
    }
    om_free(unit);
    om_free(finer);
    return st;
}

/* Living rows of a part whose id lives in a part before it, too. */
static om_status count_twins(const struct om_layer *layer, size_t part,
                             uint64_t *out)
{
    const struct om_part *own = &layer->part[part];
    const size_t rows = om_segment_rows(own->segment);
    struct om_text_reader reader = {0}, other = {0};
    om_status st = OM_OK;
    for (size_t i = 0, dead = 0; i < rows && !st; i++) {
        if (dead < own->dead_count && own->dead[dead] == i) {
            dead++;
            continue;
        }
        const char *id;
        size_t len, row;
        st = om_segment_text(own->segment, layer->schema.id_field, i, &reader,
                             &id, &len);
        for (size_t p = 0; p < part && !st; p++) {
            const struct om_part *before = &layer->part[p];
            st = om_segment_find(before->segment, id, len, &other, &row);
            if (st == OM_E_NOTFOUND) {
                st = OM_OK;
                continue;
            }
            const size_t at = st ? 0 : om_part_dead_from(before, row);
            if (!st && !(at < before->dead_count && before->dead[at] == row))
                ++*out;
        }
    }
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&other);
    return st;
}

static om_status verify_layer(const struct om_snapshot *s,
                              const struct om_layer *layer,
                              const struct level *level,
                              struct om_layer_verify *found)
{
    *found =
        (struct om_layer_verify){.layer = layer->name, .rows = layer->rows};
    om_status worst = OM_OK;
    struct lies_in in = {0};
    uint64_t twins = 0;
    for (size_t i = 0; i < layer->parts; i++) {
        struct om_verify one = {0};
        struct om_err err = {0};
        om_status st = om_segment_verify(layer->part[i].segment, &one, &err);
        add_files(&found->files, &one);
        if (!st && layer->unit_columns > 0)
            st = verify_units(s, layer, &layer->part[i], level, &in, found);
        if (!st) st = count_twins(layer, i, &twins);
        if (st == OM_E_MEMORY) {
            lies_in_deinit(&in);
            return st;
        }
        if (st && found->first_fault[0] == '\0')
            snprintf(found->first_fault, sizeof found->first_fault, "%s",
                     err.text[0] ? err.text : om_status_text(st));
        if (st) worst = OM_E_DAMAGED;
    }
    lies_in_deinit(&in);
    found->files.bad_ids += twins;
    if (twins > 0 && !worst) {
        snprintf(found->first_fault, sizeof found->first_fault,
                 "%llu ids live in more than one part",
                 (unsigned long long)twins);
        worst = OM_E_DAMAGED;
    }
    if (found->bad_units > 0 && !worst) {
        snprintf(found->first_fault, sizeof found->first_fault,
                 "%llu unit columns differ from the units' polygons",
                 (unsigned long long)found->bad_units);
        worst = OM_E_DAMAGED;
    }
    return worst;
}

static om_status open_levels(const struct om_snapshot *s, struct level *level)
{
    for (size_t i = 0; i < s->layers; i++) {
        const struct om_layer *layer = &s->layer[i];
        if (layer->meta->unit_level[0] == '\0' || layer->parts == 0) continue;
        for (size_t l = 0; l < s->manifest->levels; l++) {
            if (strcmp(layer->meta->unit_level, s->manifest->level[l]))
                continue;
            const struct om_segment *segment = layer->part[0].segment;
            struct om_rings rings;
            level[l].units = layer;
            OM_TRY(
                om_segment_rings(segment, 0, om_segment_rows(segment), &rings));
            OM_TRY(om_partition_new(&rings, &level[l].partition));
        }
    }
    return OM_OK;
}

om_status om_snapshot_verify(const struct om_snapshot *snapshot,
                             void (*each)(void *ctx,
                                          const struct om_layer_verify *found),
                             void *ctx)
{
    struct level level[LEVELS_MAX] = {0};
    // Units that cannot be read leave their columns uncompared; the segment's
    // own check names the fault.
    om_status worst = open_levels(snapshot, level);
    for (size_t i = 0; i < snapshot->layers && worst != OM_E_MEMORY; i++) {
        struct om_layer_verify found;
        const om_status st =
            verify_layer(snapshot, &snapshot->layer[i], level, &found);
        if (st) worst = st;
        if (st != OM_E_MEMORY) each(ctx, &found);
    }
    for (size_t i = 0; i < snapshot->withheld && worst != OM_E_MEMORY; i++) {
        const struct om_withheld *w = &snapshot->held_back[i];
        struct om_layer_verify found = {.layer = w->meta->name};
        snprintf(found.first_fault, sizeof found.first_fault, "%s", w->why);
        each(ctx, &found);
        worst = OM_E_DAMAGED;
    }
    for (size_t l = 0; l < LEVELS_MAX; l++)
        om_partition_free(level[l].partition);
    return worst;
}
