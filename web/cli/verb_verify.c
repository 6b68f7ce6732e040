// verb_verify.c - onemap verify: is the city sound?
#include <stdio.h>

#include "engine/verify.h"
#include "web/cli/verb.h"

static void print_found(void *ctx, const struct om_layer_verify *f)
{
    size_t *bad = ctx;
    const struct om_verify *v = &f->files;
    printf("%-16s %12llu rows, %llu blocks: ", f->layer,
           (unsigned long long)f->rows, (unsigned long long)v->blocks);
    if (f->first_fault[0]) {
        ++*bad;
        printf(
            "BAD: %s (blocks %llu, order %llu, sums %llu, cells %llu, ids "
            "%llu, units %llu)\n",
            f->first_fault, (unsigned long long)v->bad_blocks,
            (unsigned long long)v->bad_order, (unsigned long long)v->bad_sums,
            (unsigned long long)v->bad_cells, (unsigned long long)v->bad_ids,
            (unsigned long long)f->bad_units);
        return;
    }
    printf("sound");
    if (f->outside) printf(", %llu in no unit", (unsigned long long)f->outside);
    if (f->straddling)
        printf(", %llu units with rows in two larger ones",
               (unsigned long long)f->straddling);
    printf("\n");
}

int om__verb_verify(int argc, char **argv)
{
    const char *operand[1];
    size_t operands, bad_layers = 0;
    bool help;
    const int bad = om__options_read("verify", argc, argv, NULL, 0, operand, 1,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 1) return om__verb_usage("verify", "needs CITY");
    struct om_err err = {0};
    struct om_city *city = NULL;
    if (om_city_open(operand[0], &city, &err))
        return om__verb_fail("verify", &err);
    struct om_snapshot *s = om_city_snapshot(city);
    const om_status st = om_snapshot_verify(s, print_found, &bad_layers);
    om_snapshot_unref(s);
    om_city_close(city);
    if (!st) {
        puts("all sound");
        return OM_EXIT_DONE;
    }
    om_fail(&err, st, 0,
            "%zu layers are not sound: %s (restore them, or import them again "
            "with --replace)",
            bad_layers, om_status_text(st));
    return om__verb_fail("verify", &err);
}
