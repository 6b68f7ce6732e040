// spans.c - runs of rows, and which of them count.
#include "engine/query/spans.h"

#include "data/base/alloc.h"

void om__spans_deinit(struct om__spans *spans)
{
    om_free(spans->span);
    *spans = (struct om__spans){0};
}

om_status om__spans_add(struct om__spans *spans, size_t from, size_t to)
{
    if (from >= to) return OM_OK;
    if (spans->count && spans->span[spans->count - 1].to == from) {
        spans->span[spans->count - 1].to = (uint32_t)to;
        return OM_OK;
    }
    if (spans->count == spans->room) {
        const size_t room = spans->room ? spans->room * 2 : 64;
        size_t bytes;
        if (!om_mul_size(room, sizeof *spans->span, &bytes)) return OM_E_MEMORY;
        struct om__span *span = om_realloc(spans->span, bytes);
        if (!span) return OM_E_MEMORY;
        spans->span = span;
        spans->room = room;
    }
    spans->span[spans->count++] =
        (struct om__span){(uint32_t)from, (uint32_t)to};
    return OM_OK;
}

size_t om__spans_rows(const struct om__spans *spans)
{
    size_t rows = 0;
    for (size_t i = 0; i < spans->count; i++)
        rows += spans->span[i].to - spans->span[i].from;
    return rows;
}

void om__chosen_init(struct om__chosen *chosen,
                     const struct om_selection *selection,
                     const struct om_layer *layer, size_t part)
{
    *chosen = (struct om__chosen){
        .part = part,
        .rows = om_segment_rows(layer->part[part].segment),
    };
    if (selection && !selection->all) {
        // A selection has taken the dead away already.
        chosen->selection = selection;
        chosen->word = selection->part[part].word;
    } else {
        chosen->dead = layer->part[part].dead;
        chosen->dead_count = layer->part[part].dead_count;
    }
}

/* Dead rows before `row`. */
static size_t dead_before(const struct om__chosen *c, size_t row)
{
    size_t low = 0, high = c->dead_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (c->dead[mid] < row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t om__chosen_count(const struct om__chosen *chosen, size_t from, size_t to)
{
    if (from >= to) return 0;
    if (chosen->word)
        return om_selection_count(chosen->selection, chosen->part, from, to);
    if (!chosen->dead_count) return to - from;
    return to - from - (dead_before(chosen, to) - dead_before(chosen, from));
}

uint64_t om__chosen_word(const struct om__chosen *chosen, size_t w)
{
    if (chosen->word) return chosen->word[w];
    const size_t first = w * 64;
    uint64_t bits = ~UINT64_C(0);
    if (first >= chosen->rows) return 0;
    if (chosen->rows - first < 64)
        bits = (UINT64_C(1) << (chosen->rows - first)) - 1;
    if (!chosen->dead_count) return bits;
    for (size_t i = dead_before(chosen, first);
         i < chosen->dead_count && chosen->dead[i] < first + 64; i++)
        bits &= ~(UINT64_C(1) << (chosen->dead[i] - first));
    return bits;
}

om_status om__take_run(struct om__take *take, size_t from, size_t to)
{
    if (take->list) return om__spans_add(take->list, from, to);
    take->count += om__chosen_count(take->chosen, from, to);
    return OM_OK;
}

om_status om__take_bits(struct om__take *take, size_t w, uint64_t bits)
{
    if (!take->list) {
        if (bits) bits &= om__chosen_word(take->chosen, w);
        take->count += (uint64_t)__builtin_popcountll(bits);
        return OM_OK;
    }
    while (bits) {
        const unsigned from = (unsigned)__builtin_ctzll(bits);
        const uint64_t rest = ~(bits >> from);  // never 0 after a shift, or
        const unsigned run =                    // all 64 bits are set
            rest ? (unsigned)__builtin_ctzll(rest) : 64;
        OM_TRY(om__spans_add(take->list, w * 64 + from, w * 64 + from + run));
        if (from + run >= 64) break;
        bits &= ~UINT64_C(0) << (from + run);
    }
    return OM_OK;
}
