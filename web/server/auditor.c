/* auditor.c - which answers are noted, and for whom.
 *
 * DESIGN
 * Noted is who has shown a token and asked for rows, or, if the role sees rows
 * about single persons, for anything of the city. The target is kept as it came
 * (a link's token is never in one that is answered): it says which rows. The
 * files are the city's own and for their owner only; nothing of this is in the
 * log or in metrics.
 */
#include <stdio.h>
#include <time.h>

#include "data/base/log.h"
#include "data/city/audit.h"
#include "web/server/server_internal.h"

static bool is_noted(const struct om__request *r)
{
    if (!r->who || !r->who->asked || !r->route) return false;
    // Who wrote what is in the journal.
    if (r->route->method) return false;
    if (r->route->rows) return true;
    return r->who->role->personal == OM_PERSONAL_ROWS && r->route->data;
}

void om__audit_note(struct om__request *r)
{
    char area[2 * OM_LIMIT_NAME_BYTES + 2] = "";
    struct om_err err = {0};
    if (!is_noted(r)) return;
    const struct om_token *token = &r->who->token;
    if (token->level[0])
        snprintf(area, sizeof area, "%s:%s", token->level, token->unit);
    const struct om_audit_entry entry = {
        .at_s = (int64_t)time(NULL),
        .token = token->id,
        .role = r->who->role->name,
        .area = area,
        .method = r->head ? "HEAD" : "GET",
        .route = r->route->name,
        .target = r->target,
        .status = r->status};
    if (om_audit_add(r->server->audit, &entry, &err))
        om_log(OM_LOG_ERROR, "audit", "nothing is noted: %s", err.text);
}
