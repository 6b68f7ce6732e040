// verb.h - the subcommands: one file each, one table in main.c.
#ifndef OM_WEB_CLI_VERB_H
#define OM_WEB_CLI_VERB_H

#include <stdbool.h>
#include <stdio.h>

#include "data/base/status.h"

/* Exit statuses of CONTRACT: done, failed or found faults, wrong usage. */
enum { OM_EXIT_DONE = 0, OM_EXIT_FAILED = 1, OM_EXIT_USAGE = 2 };

/* argv[0] is the verb's name; returns an exit status. */
typedef int om_verb_fn(int argc, char **argv);

om_verb_fn om__verb_density, om__verb_synth, om__verb_import, om__verb_info,
    om__verb_verify, om__verb_query, om__verb_coverage, om__verb_tile, om__verb_export,
    om__verb_serve, om__verb_hotspots, om__verb_explain, om__verb_backtest,
    om__verb_backup, om__verb_restore, om__verb_simulate, om__verb_publish,
    om__verb_search, om__verb_token, om__verb_audit;

/* An option of a verb: "--scale" with a value, or a flag. */
struct om_option {
    const char *name;    // with its dashes
    const char **value;  // set to the argument; NULL for a flag
    bool *flag;
};
/**
 * Read options and operands. Options may stand anywhere, as --name VALUE or
 * --name=VALUE; "--" ends them; --quiet and --help are known to all verbs.
 * Prints one line on stderr and returns OM_EXIT_USAGE on what it does not
 * know; OM_EXIT_DONE with *help set when help was asked for and printed.
 * shapes   operand [max_operands], *operands of them were given
 */
int om__options_read(const char *verb, int argc, char **argv,
                     const struct om_option *option, size_t options,
                     const char **operand, size_t max_operands,
                     size_t *operands, bool *help);
/** Print "onemap VERB: text" and return the exit status for the code. */
int om__verb_fail(const char *verb, const struct om_err *err);
int om__verb_usage(const char *verb, const char *format, ...) OM_PRINTF(2, 3);
/** Print the help of a verb (help.c); false: there is no such verb. */
bool om__help_print(const char *verb, FILE *out);

#endif
