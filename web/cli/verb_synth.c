// verb_synth.c - onemap synth: a made-up city as open files.
#include <errno.h>
#include <stdlib.h>

#include "data/synth/synth.h"
#include "web/cli/verb.h"

#define VERB "synth"
#define SEED_DEFAULT 7

/* The whole text must be the number. */
static bool read_scale(const char *text, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

int om__verb_synth(int argc, char **argv)
{
    const char *scale = NULL, *seed = NULL, *out = NULL;
    struct om_synth_options options = {.scale = 1, .seed = SEED_DEFAULT};
    const struct om_option option[] = {{"--scale", &scale, NULL},
                                       {"--seed", &seed, NULL},
                                       {"--only", &options.only, NULL},
                                       {"--towns", &options.towns, NULL},
                                       {"--plain", NULL, &options.plain}};
    size_t operands = 0;
    bool help = false;
    const int usage = om__options_read(VERB, argc, argv, option,
                                       sizeof option / sizeof *option, &out, 1,
                                       &operands, &help);
    if (usage != OM_EXIT_DONE || help) return usage;
    if (operands != 1)
        return om__verb_usage(VERB, "no folder given (onemap synth OUT)");
    if (scale && !read_scale(scale, &options.scale))
        return om__verb_usage(VERB, "--scale: '%s' is no number", scale);
    if (seed && !read_seed(seed, &options.seed))
        return om__verb_usage(VERB, "--seed: '%s' is no whole number", seed);
    options.out = out;
    struct om_err err = {0};
    const om_status st = om_synth_write(&options, &err);
    // A scale or layer that cannot be is a wrong command line.
    if (st == OM_E_RANGE) return om__verb_usage(VERB, "%s", err.text);
    return st ? om__verb_fail(VERB, &err) : OM_EXIT_DONE;
}
