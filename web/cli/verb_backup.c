// verb_backup.c - onemap backup and onemap restore: a city as one file.
#include <stdio.h>
#include <string.h>

#include "data/base/log.h"
#include "data/city/backup.h"
#include "engine/layer/check.h"
#include "web/cli/verb.h"

static void say(const char *what, const struct om_backup_report *r)
{
    printf("%s: %llu files, %.1f MB (%.1f MB packed), commit %llu", what,
           (unsigned long long)r->files, (double)r->bytes / 1e6,
           (double)r->packed_bytes / 1e6, (unsigned long long)r->sequence);
    if (r->journal_last)
        printf(", journal up to %llu", (unsigned long long)r->journal_last);
    if (r->damaged)
        printf(", %llu of them damaged or missing",
               (unsigned long long)r->damaged);
    printf("\n");
}

/* Words for the end of what is wrong, and what to do then. */
static void add_way_out(om_status st, const char *way_out, struct om_err *err)
{
    const size_t len = strlen(err->text);
    if (st == OM_E_DAMAGED && len + strlen(way_out) < sizeof err->text)
        memcpy(err->text + len, way_out, strlen(way_out) + 1);
}

static int fail(const char *verb, om_status st, struct om_err *err)
{
    if (!err->text[0]) om_fail(err, st, 0, "%s", om_status_text(st));
    return om__verb_fail(verb, err);
}

int om__verb_backup(int argc, char **argv)
{
    const char *operand[2];
    size_t operands;
    bool help;
    struct om_backup_care care = {.check = om_layer_file_check};
    const struct om_option option[] = {{"--damaged", NULL, &care.damaged}};
    const int bad = om__options_read("backup", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("backup", "needs CITY and FILE");
    struct om_err err = {0};
    struct om_backup_report report;
    const om_status st =
        om_backup_write(operand[0], operand[1], &care, &report, &err);
    if (st) {
        add_way_out(st, "; no backup was written (--damaged saves the rest)",
                    &err);
        return fail("backup", st, &err);
    }
    say(operand[1], &report);
    return OM_EXIT_DONE;
}

int om__verb_restore(int argc, char **argv)
{
    bool none = false, help;
    struct om_backup_care care = {.check = om_layer_file_check};
    const struct om_option option[] = {{"--no-tokens", NULL, &none},
                                       {"--damaged", NULL, &care.damaged}};
    const char *operand[2];
    size_t operands;
    const int bad = om__options_read("restore", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("restore", "needs FILE and CITY");
    struct om_err err = {0};
    struct om_backup_report report;
    const om_status st =
        om_backup_restore(operand[0], operand[1], !none, &care, &report, &err);
    if (st) {
        add_way_out(st, "; no city was made (--damaged restores the rest)",
                    &err);
        return fail("restore", st, &err);
    }
    say(operand[1], &report);
    if (report.tokens && none)
        om_log(OM_LOG_WARN, "restore",
               "no tokens: nobody is let in until there are "
               "new ones (onemap token add)");
    else if (report.tokens)
        om_log(OM_LOG_WARN, "restore",
               "tokens are as they were: those that were "
               "revoked since let in again (onemap token list; "
               "--no-tokens leaves all out)");
    return OM_EXIT_DONE;
}
