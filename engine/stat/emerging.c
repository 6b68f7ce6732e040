// emerging.c - Esri's classes of space-time hotspots.
#include "engine/stat/emerging.h"

#include <stdbool.h>

/* A hotspot "most of the time": Esri's 90 percent of the slices. */
#define MOST_OF 10
#define MOST 9

struct history {
    size_t hot, cold;
    size_t run;  // hot slices in a row up to the last
    bool now;
};

/* The slices seen as hot ones; sign -1 looks at cold ones. */
static struct history look(const int8_t *bin, size_t slices, size_t stride,
                           int least, int sign)
{
    struct history h = {0};
    for (size_t t = 0; t < slices; t++) {
        const int b = sign * bin[t * stride];
        h.hot += b >= least;
        h.cold += b <= -least;
        h.run = b >= least ? h.run + 1 : 0;
    }
    h.now = h.run > 0;
    return h;
}

static enum om_emerging judge(const struct history *h, size_t slices, int trend)
{
    const bool most = h->hot * MOST_OF >= slices * MOST;
    if (!h->now)
        return most && slices ? OM_EMERGING_HISTORICAL : OM_EMERGING_NONE;
    if (most)
        return trend > 0   ? OM_EMERGING_INTENSIFYING
               : trend < 0 ? OM_EMERGING_DIMINISHING
                           : OM_EMERGING_PERSISTENT;
    if (h->hot == 1) return OM_EMERGING_NEW;
    if (h->hot == h->run) return OM_EMERGING_CONSECUTIVE;
    return h->cold ? OM_EMERGING_OSCILLATING : OM_EMERGING_SPORADIC;
}

int om_emerging_class(const int8_t *bin, size_t slices, size_t stride,
                      int least, int trend)
{
    const struct history hot = look(bin, slices, stride, least, 1);
    const struct history cold = look(bin, slices, stride, least, -1);
    // Who is something now is not what he was.
    if (hot.now) return (int)judge(&hot, slices, trend);
    if (cold.now) return -(int)judge(&cold, slices, -trend);
    const int as_hot = (int)judge(&hot, slices, trend);
    return as_hot ? as_hot : -(int)judge(&cold, slices, -trend);
}

const char *om_emerging_name(int emerging)
{
    static const char *const NAME[OM_EMERGING_CLASSES] = {
        "none",        "new",      "consecutive", "intensifying", "persistent",
        "diminishing", "sporadic", "oscillating", "historical"};
    return NAME[emerging < 0 ? -emerging : emerging];
}

size_t om_emerging_since(const int8_t *bin, size_t slices, size_t stride,
                         int least)
{
    if (!slices) return 0;
    const int last = bin[(slices - 1) * stride];
    const int sign = last >= least ? 1 : last <= -least ? -1 : 0;
    size_t first = slices;
    while (sign && first > 0 && sign * bin[(first - 1) * stride] >= least)
        first--;
    return first;
}
