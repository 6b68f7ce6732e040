// options.c - reading a verb's command line, and its two ways to fail.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/base/log.h"
#include "web/cli/verb.h"

int om__verb_usage(const char *verb, const char *format, ...)
{
    fprintf(stderr, "onemap %s: ", verb);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (onemap help %s)\n", verb);
    return OM_EXIT_USAGE;
}

int om__verb_fail(const char *verb, const struct om_err *err)
{
    fprintf(stderr, "onemap %s: %s\n", verb,
            err->text[0] ? err->text : om_status_text(err->code));
    return OM_EXIT_FAILED;
}

/* The option that `arg` names; *value points behind its '=' or is NULL. */
static const struct om_option *find(const struct om_option *option,
                                    size_t options, const char *arg,
                                    const char **value)
{
    const char *equals = strchr(arg, '=');
    const size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < options; i++)
        if (strlen(option[i].name) == len && !strncmp(option[i].name, arg, len))
            return &option[i];
    return NULL;
}

/* "-1.5,2" and "-" are operands, not options. */
static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] == '-';
}

int om__options_read(const char *verb, int argc, char **argv,
                     const struct om_option *option, size_t options,
                     const char **operand, size_t max_operands,
                     size_t *operands, bool *help)
{
    bool only_operands = false;
    *operands = 0;
    *help = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *value;
        if (only_operands || !is_option(arg)) {
            if (*operands == max_operands)
                return om__verb_usage(verb, "'%s' is one argument too many",
                                      arg);
            operand[(*operands)++] = arg;
            continue;
        }
        if (!strcmp(arg, "--")) {
            only_operands = true;
        } else if (!strcmp(arg, "--help")) {
            om__help_print(verb, stdout);
            *help = true;
            return OM_EXIT_DONE;
        } else if (!strcmp(arg, "--quiet")) {
            om_progress_quiet(true);
        } else {
            const struct om_option *found = find(option, options, arg, &value);
            if (!found) return om__verb_usage(verb, "no option '%s'", arg);
            if (found->flag) {
                if (value)
                    return om__verb_usage(verb, "%s takes no value",
                                          found->name);
                *found->flag = true;
            } else {
                if (!value && i + 1 < argc) value = argv[++i];
                if (!value)
                    return om__verb_usage(verb, "%s needs a value",
                                          found->name);
                *found->value = value;
            }
        }
    }
    return OM_EXIT_DONE;
}
