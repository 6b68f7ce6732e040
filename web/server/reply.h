// reply.h - answers: heads, ETags, problem documents.
#ifndef OM_WEB_SERVER_REPLY_H
#define OM_WEB_SERVER_REPLY_H

#include "web/server/server_internal.h"

/* What an answer's head says beside what all of them say. */
struct om__head {
    const char *type;      // Content-Type
    const char *cache;     // Cache-Control
    const char *policy;    // Content-Security-Policy of a page, or NULL
    const char *more[16];  // further lines, name and value by turns, then NULL
    unsigned status;       // 0: 200
    const char *etag;      // strong, with its quotes; "": none; NULL: a hash
    bool weak;             // ETag of `hash`, not of the bytes: they say when
    uint64_t hash;         // they were written
    bool vary_accept;
    bool compress;  // may be sent gzipped
    bool none_204;  // no bytes are 204, no content
};
/* Data that may change at any moment: it is kept, and the ETag says before each
 * use whether it has. A row that was written is in the next answer, whoever
 * asks through whatever cache. A release's may be older: reply.c. */
#define OM__CACHE_DATA "public, no-cache"

extern const struct om__head om__head_json, om__head_geojson, om__head_png,
    om__head_mvt;
/**
 * Answer 200 with the bytes, or 304 where the client has them. Takes the
 * buffer's memory. ETag is a hash of the bytes: what is equal is never sent
 * twice, whatever else in the city has changed.
 */
om_status om__reply(struct om__request *request, struct om_buf *take,
                    const struct om__head *head) OM_MUST_USE;
/** The same, kept in the cache under the request's key and (if not NULL)
 *  another. */
om_status om__reply_kept(struct om__request *request, struct om_buf *take,
                         const struct om__head *head, const void *key,
                         size_t key_len) OM_MUST_USE;
/** Answer 304 if the client names the (weak) ETag of the head; *done: so it
 *  was. */
om_status om__reply_if_unchanged(struct om__request *request,
                                 const struct om__head *head,
                                 bool *done) OM_MUST_USE;
/** Answer with something shared. Gives the count back. */
void om__reply_answer_take(struct om__request *request,
                           struct om__answer *answer);
/** A finished answer of bytes that are copied. */
om_status om__answer_new(struct om__request *request, struct om_buf *take,
                         const struct om__head *head, bool gzipped,
                         struct om__answer **out) OM_MUST_USE;
/** What HTTP says of a status; its class decides who is to blame. */
unsigned om__http_of(om_status status);
/** Append what every answer has to a response of one's own. */
bool om__reply_lines(const struct om__request *request,
                     struct MHD_Response *response, const struct om__head *head,
                     const char *etag);
/** Is the ETag in the list of an If-None-Match header? Weak comparison. */
bool om__etag_listed(const char *list, const char *etag);
/** Is an answer of that status to be a page for people? 401 and 404, where the
 *  client takes text/html and did not name a form. */
bool om__problem_page_wanted(const struct om__request *request,
                             unsigned status);
/** Append that page; returns its Content-Security-Policy. */
const char *om__problem_page(const struct om__request *request, unsigned status,
                             const char *detail, struct om_buf *out);
/** Turn the request's error into a problem document (RFC 9457). */
void om__reply_problem(struct om__request *request, om_status status);
/** Say in the answer that its connection ends: the server is stopping. */
void om__reply_closing(struct om__request *request);
/** Answer without a body: 204, with Allow and the CORS preflight headers. */
void om__reply_options(struct om__request *request);
/** gzip `from` into `out`. OM_E_LIMIT: it would not get smaller. */
om_status om__gzip(struct om__lane *lane, const struct om_buf *from,
                   struct om_buf *out) OM_MUST_USE;
/** The same, smaller and several times slower. */
om_status om__gzip_once(const struct om_buf *from,
                        struct om_buf *out) OM_MUST_USE;

#endif
