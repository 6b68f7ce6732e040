// crowds.c - whole months, rounded.
#include "web/crowds.h"

#include <math.h>

#include "engine/coverage/months.h"

/* Before and after it nothing has happened in any city. */
#define FIRST_S INT64_C(-2208988800)

void om_crowd_cover(const struct om_window *asked, int64_t now_s,
                    int32_t zone_s, struct om_window *cover, double *part)
{
    *cover = (struct om_window){0};
    *part = 1;
    if (!asked->set) return;
    int64_t from = asked->from_s < FIRST_S ? FIRST_S : asked->from_s;
    int64_t to = asked->to_s > now_s ? now_s : asked->to_s;
    cover->set = true;
    *part = 0;
    if (from >= to) return;
    cover->from_s = om_month_of(from, zone_s).start_s;
    cover->to_s = om_month_of(to - 1, zone_s).end_s;
    if (cover->to_s > now_s) cover->to_s = now_s;
    *part = (double)(to - from) / (double)(cover->to_s - cover->from_s);
}

double om_crowd_round(double count, uint64_t least)
{
    const double step = (double)least;
    return count < step ? 0 : round(count / step) * step;
}
