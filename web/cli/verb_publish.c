// verb_publish.c - onemap publish: what may be public, as a city of its own.
#include <stdio.h>

#include "web/cli/verb.h"
#include "web/publish.h"

int om__verb_publish(int argc, char **argv)
{
    const char *operand[2];
    struct om_publish_options o = {0};
    size_t operands;
    bool help;
    const struct om_option option[] = {
        {"--plan", &o.plan, NULL},
        {"--replace", NULL, &o.replace},
        {"--withdraw", NULL, &o.withdraw},
    };
    const int bad = om__options_read("publish", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2) return om__verb_usage("publish", "needs CITY and OUT");
    o.city = operand[0];
    o.out = operand[1];
    struct om_err err = {0};
    struct om_buf words = {0};
    const om_status st = om_publish_run(&o, &words, &err);
    if (!st) fwrite(words.bytes, 1, words.len, stdout);
    om_buf_deinit(&words);
    if (st && !err.text[0]) om_fail(&err, st, 0, "%s", om_status_text(st));
    return st ? om__verb_fail("publish", &err) : OM_EXIT_DONE;
}
