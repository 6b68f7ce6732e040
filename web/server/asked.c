// asked.c - questions whose parameters come as a form in the body.
#include "web/server/asked.h"

#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "web/server/params.h"
#include "web/server/route.h"

/* The form as the query of a target, "/?" before it, and room to decode it. */
struct asked {
    bool read;
    size_t len;
    char target[OM__ASKED_BYTES + 2], scratch[OM__ASKED_BYTES + 3];
};

static bool is_form(const char *type)
{
    const size_t len = sizeof OM__ASKED_TYPE - 1;
    return type && !strncasecmp(type, OM__ASKED_TYPE, len) &&
           strchr("; \t", type[len]) != NULL;
}

om_status om__begin_asked(struct om__request *r)
{
    if (!is_form(r->content_type) ||
        (r->content_encoding && strcasecmp(r->content_encoding, "identity"))) {
        r->error_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
        return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                       "Content-Type is " OM__ASKED_TYPE
                       ", its parameters those that GET has");
    }
    if (r->address.params)
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "parameters are in the body, none in the address");
    struct asked *a = om_calloc(1, sizeof *a);
    if (!a) return OM_E_MEMORY;
    memcpy(a->target, "/?", 2);
    a->len = 2;
    r->upload = a;
    // The address does not say what was asked: nothing is kept under it.
    r->part = true;
    r->if_none_match = NULL;
    return OM_OK;
}

om_status om__take_asked(struct om__request *r, const void *bytes, size_t len)
{
    struct asked *a = r->upload;
    if (len > sizeof a->target - a->len) return OM_E_LIMIT;
    memcpy(a->target + a->len, bytes, len);
    a->len += len;
    return OM_OK;
}

void om__drop_asked(struct om__request *r)
{
    om_free(r->upload);
    r->upload = NULL;
}

om_status om__asked_read(struct om__request *r)
{
    struct asked *a = r->upload;
    struct om_address form;
    if (a->read) return OM_OK;
    a->read = true;
    // A form has no fragment, and "?" is no separator behind the first.
    OM_TRY(om_address_parse(a->target, a->len, a->scratch, &form, &r->err));
    r->address.params = form.params;
    memcpy(r->address.param, form.param, sizeof form.param);
    return om__params_check(r, r->route->params);
}
