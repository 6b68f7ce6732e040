// main.c - the program: finds the verb and hands over.
#include <stdio.h>
#include <string.h>

#include "web/cli/verb.h"

static const struct {
    const char *name;
    om_verb_fn *run;
} VERB[] = {
    {"synth", om__verb_synth},       {"import", om__verb_import},
    {"info", om__verb_info},         {"verify", om__verb_verify},
    {"search", om__verb_search},
    {"query", om__verb_query},       {"coverage", om__verb_coverage},
    {"hotspots", om__verb_hotspots}, {"density", om__verb_density},
    {"explain", om__verb_explain},   {"backtest", om__verb_backtest},
    {"tile", om__verb_tile},         {"export", om__verb_export},
    {"publish", om__verb_publish},
    {"serve", om__verb_serve},       {"backup", om__verb_backup},
    {"restore", om__verb_restore},
    {"simulate", om__verb_simulate}, {"token", om__verb_token},
    {"audit", om__verb_audit},
};
#define VERBS (sizeof VERB / sizeof *VERB)

static int help(const char *about)
{
    if (om__help_print(about ? about : "", stdout)) return OM_EXIT_DONE;
    fprintf(stderr, "onemap help: no verb '%s' (onemap help lists them)\n",
            about);
    return OM_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        om__help_print("", stderr);
        return OM_EXIT_USAGE;
    }
    const char *verb = argv[1];
    if (!strcmp(verb, "help") || !strcmp(verb, "--help") || !strcmp(verb, "-h"))
        return help(argc > 2 ? argv[2] : NULL);
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(verb, VERB[i].name)) return VERB[i].run(argc - 1, argv + 1);
    fprintf(stderr, "onemap: no verb '%s' (onemap help lists them)\n", verb);
    return OM_EXIT_USAGE;
}
