/* site.c - pages of other sites, and names that are not ours.
 *
 * DESIGN
 * A browser lets any page send requests to this machine, and hides the answer
 * from it unless we say otherwise (CORS). Two things are therefore looked at.
 * Where a request comes from: browsers say so in Origin and Sec-Fetch-Site,
 * other programs say nothing. And by which name it comes: a page whose name is
 * made to mean this machine (DNS rebinding) is of our origin to its browser,
 * but cannot hide that name in Host. Whoever shows a token has what no such
 * page has; whoever shows none is let in for being on this machine, and so is
 * each of its browsers' pages: those are kept out here.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "web/server/server_internal.h"

static om_status refuse(struct om__request *r, const char *text)
{
    r->error_status = MHD_HTTP_FORBIDDEN;
    return om_fail(&r->err, OM_E_UNSUPPORTED, 0, "%s", text);
}

/* Is an Origin where our own pages come from? */
static bool own_origin(const struct om__request *r)
{
    const char *origin = r->origin;
    if (r->server->url) return !strcasecmp(origin, r->server->url);
    const char *host = strstr(origin, "://");
    return host && r->host && !strcasecmp(host + 3, r->host);
}

static bool other_site(const struct om__request *r)
{
    const char *site = r->fetch_site;
    return site && strcmp(site, "same-origin") != 0 &&
           strcmp(site, "none") != 0;
}

om_status om__site_may_write(struct om__request *r)
{
    const bool strange = (r->origin && !own_origin(r)) || other_site(r);
    return strange ? refuse(r, "pages of other sites cannot write here")
                   : OM_OK;
}

/* How long the host of HOST[:PORT][/...] is, the brackets with it. */
static size_t host_len(const char *at)
{
    return *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/");
}

static bool host_of_url(const char *host, const char *url)
{
    const char *at = url ? strstr(url, "://") : NULL;
    const size_t len = host_len(host);
    return at && host_len(at + 3) == len && !strncasecmp(at + 3, host, len);
}

/* An address of this machine that no name server can give away, or
 * localhost. */
static bool local_host(const char *host)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in_addr four;
    struct in6_addr six;
    size_t len = host_len(host);
    const bool bracket = *host == '[';
    if (bracket) {
        host++;
        len -= 2;
    }
    if (len >= sizeof text) return false;
    memcpy(text, host, len);
    if (bracket)
        return inet_pton(AF_INET6, text, &six) == 1 &&
               IN6_IS_ADDR_LOOPBACK(&six);
    return !strcasecmp(text, "localhost") ||
           (inet_pton(AF_INET, text, &four) == 1 &&
            ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET);
}

static bool names_us(const struct om__request *r)
{
    const struct om_server *server = r->server;
    return r->host &&
           (local_host(r->host) || host_of_url(r->host, server->address) ||
            host_of_url(r->host, server->url));
}

bool om__site_named(const struct om__request *r)
{
    return r->server->url || !r->host || names_us(r);
}

om_status om__site_names_us(struct om__request *r)
{
    if (r->who->asked || names_us(r)) return OM_OK;
    return refuse(r,
                  "Host: without a token, what is written here is sent to "
                  "localhost, the address listened on or the server's url");
}

/* A reader who follows a link from elsewhere is let in: what the browser then
 * shows the page of the other site cannot see. */
static bool follows_link(const struct om__request *r)
{
    return !r->origin && r->fetch_mode && !strcmp(r->fetch_mode, "navigate");
}

bool om__site_strange(const struct om__request *r)
{
    return (r->host && !names_us(r)) || (r->origin && !own_origin(r)) ||
           (other_site(r) && !follows_link(r));
}

om_status om__site_refuse(struct om__request *r)
{
    return refuse(r, r->host && !names_us(r)
                         ? "Host: a city without tokens is asked by the name "
                           "localhost, or the address listened on"
                         : "pages of other sites see nothing here: this city "
                           "has no tokens, and is for programs and pages of "
                           "this machine");
}

bool om__site_closed(const struct om__request *r)
{
    return r->stranger || (r->who && r->who->role == &OM_ROLE_LOCAL);
}
