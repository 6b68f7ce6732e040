// links.c - links of documents, absolute as clients of OGC APIs want them.
#include <stdio.h>
#include <string.h>

#include "web/server/documents.h"
#include "web/server/server_internal.h"

#define PATH_BYTES (OM_LIMIT_NAME_BYTES + 96)

om_status om__add_base_url(const struct om__request *r, struct om_buf *out)
{
    if (r->server->url) return om_buf_add_text(out, r->server->url);
    if (!r->host)
        return om_buf_add(out, r->server->address,
                          strlen(r->server->address) - 1);
    om_buf_add_text(out, "http://");
    return om_buf_add_text(out, r->host);
}

void om__link_add(const struct om__request *r, const struct om__link *link,
                  struct om_buf *out)
{
    struct om_buf url = {0};
    om__add_base_url(r, &url);
    om_buf_add_text(&url, link->path);
    om_buf_addf(out, "{\"rel\":\"%s\",\"type\":\"%s\"", link->rel, link->type);
    if (link->title) {
        om_buf_add_text(out, ",\"title\":");
        om_buf_add_json_text(out, link->title, strlen(link->title));
    }
    if (link->templated) om_buf_add_text(out, ",\"templated\":true");
    om_buf_add_text(out, ",\"href\":");
    om_buf_add_json_text(out, (const char *)url.bytes, url.len);
    om_buf_add_text(out, "}");
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
}

void om__links_add(const struct om__request *r, const struct om__link *link,
                   size_t count, struct om_buf *out)
{
    om_buf_add_text(out, ",\"links\":[");
    for (size_t i = 0; i < count; i++) {
        if (i) om_buf_add_byte(out, ',');
        om__link_add(r, &link[i], out);
    }
    om_buf_add_byte(out, ']');
}

void om__links_of(const struct om__request *r, const struct om__link *form,
                  size_t count, const char *name, bool *first,
                  struct om_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char path[PATH_BYTES];
        const char *hole = strstr(form[i].path, "%s");
        snprintf(path, sizeof path, "%.*s%s%s", (int)(hole - form[i].path),
                 form[i].path, name, hole + 2);
        struct om__link link = form[i];
        link.path = path;
        if (!*first) om_buf_add_byte(out, ',');
        *first = false;
        om__link_add(r, &link, out);
    }
}
