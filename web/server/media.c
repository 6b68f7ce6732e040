/* media.c - which form of an answer is wanted: f=, else the Accept header.
 *
 * A route lists the forms it has, the first being what a client gets that does
 * not care. Accept is read by RFC 9110 section 12.5.1: the most specific range
 * decides how much a form is wanted; of forms wanted alike the one that the
 * client names first is taken, then the one that the route names first.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/server/media.h"
#include "web/server/params.h"
#include "web/server/server_internal.h"

static const struct {
    const char *name, *type;
} FORM[] = {
    {"json", "application/json"},
    {"geojson", "application/geo+json"},
    {"html", "text/html; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8; header=present"},
    {"fgb", "application/flatgeobuf"},
    {"gpkg", "application/geopackage+sqlite3"},
    {"mvt", "application/vnd.mapbox-vector-tile"},
    {"png", "image/png"},
    {"tif", "image/tiff; application=geotiff; profile=cloud-optimized"},
    {"xml", "application/xml"},
    {"openapi", "application/vnd.oai.openapi+json;version=3.0"},
    {"schema", "application/schema+json"},
};

const char *om__media_type(const char *form, size_t len)
{
    for (size_t i = 0; i < sizeof FORM / sizeof *FORM; i++)
        if (strlen(FORM[i].name) == len && !memcmp(FORM[i].name, form, len))
            return FORM[i].type;
    return "application/octet-stream";
}

/* One range of an Accept header. */
struct range {
    const char *text;  // "type/subtype", without parameters
    size_t len;
    unsigned permille;  // of its q
};

/* The next range; false at the end. */
static bool next_range(const char **at, struct range *out)
{
    *at += strspn(*at, " \t,");
    if (!**at) return false;
    const size_t whole = strcspn(*at, ",");
    *out = (struct range){*at, strcspn(*at, ",; \t"), 1000};
    for (const char *p = *at + strcspn(*at, ",;"); p < *at + whole;
         p += strcspn(p, ",;")) {
        p++;
        p += strspn(p, " \t");
        if (!strncasecmp(p, "q=", 2)) {
            const double q = strtod(p + 2, NULL);
            out->permille = q >= 1 ? 1000 : q > 0 ? (unsigned)(q * 1000) : 0;
        }
    }
    *at += whole;
    return true;
}

/* How well a range fits a type: 3 exactly, 2 type slash star, 1 any. */
static int fit_of(const struct range *range, const char *type)
{
    const size_t len = strcspn(type, ";");
    if (range->len == 3 && !memcmp(range->text, "*/*", 3)) return 1;
    if (range->len == len && !strncasecmp(range->text, type, len)) return 3;
    const size_t main = strcspn(type, "/") + 1;
    return range->len == main + 1 && range->text[main] == '*' &&
                   !strncasecmp(range->text, type, main)
               ? 2
               : 0;
}

/* How much a type is wanted, and at which place of the list that is said. */
static unsigned wish(const char *accept, const char *type, size_t *place)
{
    struct range range;
    int best = 0;
    unsigned permille = 0;
    for (size_t i = 0; next_range(&accept, &range); i++) {
        const int fit = fit_of(&range, type);
        if (fit <= best) continue;
        best = fit;
        permille = range.permille;
        *place = i;
    }
    return permille;
}

bool om__coding_wanted(const char *accept, const char *coding)
{
    struct range range;
    while (next_range(&accept, &range))
        if (range.len == strlen(coding) &&
            !strncasecmp(range.text, coding, range.len))
            return range.permille > 0;
    return false;
}

static om_status by_accept(struct om__request *r, const char *forms)
{
    unsigned most = 0;
    size_t first = 0;
    for (const char *at = forms; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        size_t place = 0;
        const unsigned wanted =
            wish(r->accept, om__media_type(at, len), &place);
        if (wanted > most || (wanted == most && wanted && place < first)) {
            most = wanted;
            first = place;
            r->form = at;
            r->form_len = len;
        }
        at += len;
    }
    if (most) return OM_OK;
    r->error_status = MHD_HTTP_NOT_ACCEPTABLE;
    return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                   "nothing here fits the Accept header; f can be: %s", forms);
}

om_status om__form_choose(struct om__request *r)
{
    const char *forms = r->route->forms;
    const char *f = NULL;
    r->form = forms;
    r->form_len = strcspn(forms, " ");
    if (om__param_text(r, "f")) {
        OM_TRY(om__param_word(r, "f", forms, forms, &f));
        r->form = f;
        r->form_len = strlen(f);
        return OM_OK;
    }
    return r->accept ? by_accept(r, forms) : OM_OK;
}

bool om__form_is(const struct om__request *r, const char *form)
{
    return r->form && strlen(form) == r->form_len &&
           !memcmp(r->form, form, r->form_len);
}

bool om__form_is_first(const struct om__request *r)
{
    return !r->form || r->form == r->route->forms || om__param_text(r, "f");
}
