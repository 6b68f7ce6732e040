// compact.c - runs become files, files become one.
#include "engine/live/live_internal.h"

void *om__live_keep_thread(void *arg)
{
    (void)arg;
    return NULL;
}

om_status om_live_compact(struct om_live *live, struct om_err *err)
{
    (void)live;
    return om_fail(err, OM_E_UNSUPPORTED, 0, "not yet");
}

om_status om_live_copy(struct om_live *live, const char *folder,
                       struct om_err *err)
{
    (void)live;
    (void)folder;
    return om_fail(err, OM_E_UNSUPPORTED, 0, "not yet");
}
