// verb_backup.c - onemap backup and onemap restore: a city as one file.
#include <stdio.h>

#include "data/city/backup.h"
#include "web/cli/verb.h"

static void say(const char *what, const struct om_backup_report *r)
{
    printf("%s: %llu files, %.1f MB (%.1f MB packed), commit %llu", what,
           (unsigned long long)r->files, (double)r->bytes / 1e6,
           (double)r->packed_bytes / 1e6, (unsigned long long)r->sequence);
    if (r->journal_last)
        printf(", journal up to %llu", (unsigned long long)r->journal_last);
    printf("\n");
}

typedef om_status move_fn(const char *from, const char *to,
                          struct om_backup_report *out, struct om_err *err);

static int run(const char *verb, const char *needs, move_fn *move, int argc,
               char **argv)
{
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read(verb, argc, argv, NULL, 0, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage(verb, "needs %s", needs);
    struct om_err err = {0};
    struct om_backup_report report;
    const om_status st = move(operand[0], operand[1], &report, &err);
    if (st) {
        if (!err.text[0]) om_fail(&err, st, 0, "%s", om_status_text(st));
        return om__verb_fail(verb, &err);
    }
    say(operand[1], &report);
    return OM_EXIT_DONE;
}

int om__verb_backup(int argc, char **argv)
{
    return run("backup", "CITY and FILE", om_backup_write, argc, argv);
}

int om__verb_restore(int argc, char **argv)
{
    return run("restore", "FILE and CITY", om_backup_restore, argc, argv);
}
