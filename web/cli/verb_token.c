// verb_token.c - onemap token: who may ask a city, and as what.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/city/tokens.h"
#include "data/model/time.h"
#include "engine/policy/role.h"
#include "engine/query/query.h"
#include "web/cli/verb.h"

static void say_time(int64_t moment_s, char out[OM_TIME_TEXT_BYTES])
{
    om_time_format(moment_s, 0, out);
}

static om_status check_unit(const char *city, const struct om_token *token,
                            struct om_err *err)
{
    struct om_city *opened;
    uint64_t count = 0;
    OM_TRY(om_city_open(city, &opened, err));
    struct om_snapshot *s = om_city_snapshot(opened);
    const struct om_layer *units = om_snapshot_units(s, token->level);
    om_status st =
        units ? OM_OK
              : om_fail(err, OM_E_NOTFOUND, 0,
                        "--area: the city has no units '%s'", token->level);
    if (!st) {
        const struct om_query query = {
            .snapshot = s,
            .layer = units,
            .place = {.kind = OM_PLACE_ID,
                      .id = token->unit,
                      .id_len = strlen(token->unit)}};
        st = om_query_count(&query, &count);
        if (st == OM_E_NOTFOUND) st = OM_OK;
        if (!st && !count)
            st = om_fail(err, OM_E_NOTFOUND, 0, "--area: there is no %s '%s'",
                         token->level, token->unit);
    }
    om_snapshot_unref(s);
    om_city_close(opened);
    return st;
}

/* "town:T05" */
static om_status read_area(const char *area, struct om_token *token,
                           struct om_err *err)
{
    const char *colon = strchr(area, ':');
    const size_t level = colon ? (size_t)(colon - area) : 0;
    if (!level || level >= sizeof token->level || !colon[1] ||
        strlen(colon + 1) >= sizeof token->unit)
        return om_fail(err, OM_E_FORMAT, 0,
                       "--area %.40s: a level and a unit, as in town:T05",
                       area);
    memcpy(token->level, area, level);
    strcpy(token->unit, colon + 1);
    return OM_OK;
}

static om_status check_role(const char *city, const char *role,
                            const struct om_token *token, struct om_err *err)
{
    struct om_roles *roles;
    char known[OM_ERR_TEXT_BYTES / 2] = "";
    OM_TRY(om_roles_read(city, &roles, err));
    const struct om_role *found = om_roles_find(roles, role);
    om_status st = OM_OK;
    for (size_t i = 0; i < roles->count && !found; i++) {
        const size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "",
                 roles->role[i].name);
    }
    if (!found)
        st = om_fail(err, OM_E_NOTFOUND, 0,
                     "there is no role '%.40s'; there is %s", role, known);
    else if (found->area.count && !token->level[0])
        st = om_fail(err, OM_E_FORMAT, 0, "%s is of a unit: give --area %s:ID",
                     role, found->area.name[0]);
    else if (found->area.count && !om_names_have(&found->area, token->level))
        st = om_fail(err, OM_E_FORMAT, 0, "%s is not of a %s", role,
                     token->level);
    else if (!found->area.count && token->level[0])
        st = om_fail(err, OM_E_FORMAT, 0,
                     "%s has no area: it is of the whole city", role);
    om_roles_unref(roles);
    return st;
}

static om_status add(const char *city, const char *role, const char *area,
                     unsigned days, struct om_err *err)
{
    struct om_token token = {0};
    char text[OM_TOKEN_TEXT_BYTES], until[OM_TIME_TEXT_BYTES];
    if (area) OM_TRY(read_area(area, &token, err));
    OM_TRY(check_role(city, role, &token, err));
    if (area) OM_TRY(check_unit(city, &token, err));
    snprintf(token.role, sizeof token.role, "%s", role);
    OM_TRY(om_tokens_add(city, &token, (int64_t)time(NULL), days, text, err));
    say_time(token.expires_s, until);
    printf("%s\n", text);
    fprintf(stderr,
            "token %s of role %s%s%s, until %s. It is not shown again; send it "
            "as\n  Authorization: Bearer TOKEN\nor open /wall?token=TOKEN, "
            "/analyst?token=TOKEN ...\n",
            token.id, role, area ? ", " : "", area ? area : "", until);
    return OM_OK;
}

static om_status list(const char *city, struct om_err *err)
{
    struct om_tokens tokens;
    const int64_t now_s = (int64_t)time(NULL);
    OM_TRY(om_tokens_read(city, &tokens, err));
    if (tokens.lost)
        fprintf(stderr,
                "onemap token: %s/tokens.json: the city has had tokens, and "
                "their list is gone (make new ones; help token)\n",
                city);
    if (tokens.count)
        printf("%-8s  %-10s  %-16s  %-20s  %-20s  %s\n", "id", "role", "area",
               "made", "expires", "state");
    for (size_t i = 0; i < tokens.count; i++) {
        const struct om_token *t = &tokens.token[i];
        char made[OM_TIME_TEXT_BYTES], until[OM_TIME_TEXT_BYTES];
        char area[2 * OM_LIMIT_NAME_BYTES + 2] = "-";
        if (t->level[0])
            snprintf(area, sizeof area, "%s:%s", t->level, t->unit);
        say_time(t->made_s, made);
        say_time(t->expires_s, until);
        printf("%-8s  %-10s  %-16s  %-20s  %-20s  %s\n", t->id, t->role, area,
               made, until,
               t->revoked_s               ? "revoked"
               : om_token_alive(t, now_s) ? "valid"
                                          : "expired");
    }
    om_tokens_deinit(&tokens);
    return OM_OK;
}

int om__verb_token(int argc, char **argv)
{
    const char *operand[3] = {0}, *area = NULL, *days = NULL;
    size_t operands;
    bool help;
    const struct om_option option[] = {{"--area", &area, NULL},
                                       {"--days", &days, NULL}};
    const int usage = om__options_read("token", argc, argv, option,
                                       sizeof option / sizeof *option, operand,
                                       3, &operands, &help);
    if (usage || help) return usage;
    unsigned long n = OM_TOKEN_DAYS;
    if (days) {
        char *end;
        n = strtoul(days, &end, 10);
        if (*end || days[0] == '-' || n < 1 || n > OM_TOKEN_DAYS_MAX)
            return om__verb_usage("token", "--days is from 1 to %d",
                                  OM_TOKEN_DAYS_MAX);
    }
    if (operands < 2)
        return om__verb_usage("token", "needs CITY and add, list or revoke");
    const char *city = operand[0], *what = operand[1];
    const bool adds = !strcmp(what, "add"), lists = !strcmp(what, "list");
    if (!adds && !lists && strcmp(what, "revoke") != 0)
        return om__verb_usage("token", "'%s' is none of add, list and revoke",
                              what);
    if ((operands == 3) == lists)
        return om__verb_usage("token", lists  ? "list takes no more"
                                       : adds ? "add which role?"
                                              : "revoke which token?");
    if (!adds && (area || days))
        return om__verb_usage("token", "--area and --days are of add");
    struct om_err err = {0};
    struct om_manifest manifest = {0};
    om_status st = om_manifest_read(city, &manifest, &err);
    om_manifest_deinit(&manifest);
    if (!st)
        st = lists  ? list(city, &err)
             : adds ? add(city, operand[2], area, (unsigned)n, &err)
                    : om_tokens_revoke(city, operand[2], (int64_t)time(NULL),
                                       &err);
    return st ? om__verb_fail("token", &err) : OM_EXIT_DONE;
}
