// members.c - one counting sort.
#include "data/synth/members.h"

#include "data/base/alloc.h"

om_status om__members_make(struct om__members *members, const uint32_t *label,
                           uint32_t cells, uint32_t labels)
{
    *members = (struct om__members){0};
    members->first = om_calloc((size_t)labels + 2, sizeof *members->first);
    members->cell = om_alloc_array(cells, sizeof *members->cell);
    if (!members->first || !members->cell) {
        om__members_deinit(members);
        return OM_E_MEMORY;
    }
    // Counted two places up, so that the fill below leaves `first` in place.
    uint32_t *place = members->first + 1;
    for (uint32_t c = 0; c < cells; c++)
        if (label[c] < labels) place[label[c] + 1]++;
    for (uint32_t i = 0; i < labels; i++) place[i + 1] += place[i];
    for (uint32_t c = 0; c < cells; c++)
        if (label[c] < labels) members->cell[place[label[c]]++] = c;
    return OM_OK;
}

void om__members_deinit(struct om__members *members)
{
    om_free(members->first);
    om_free(members->cell);
    *members = (struct om__members){0};
}
