// verb_verify.c - onemap verify: is the city sound?
#include <stdio.h>

#include "data/city/committed.h"
#include "data/city/journal.h"
#include "data/city/sums.h"
#include "data/city/tokens.h"
#include "engine/policy/role.h"
#include "engine/risk/model.h"
#include "engine/verify.h"
#include "web/cli/verb.h"

/* Lost writes that are listed one by one. */
#define LOST_LINES 1000

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

/* Models are files that people write: say of each whether it can be used.
 * Returns how many cannot. */
static size_t check_models(const char *city, const struct om_snapshot *s)
{
    struct om_models *models = NULL;
    struct om_err err = {0};
    if (om_models_read(city, s, &models, &err)) {
        printf("models           BAD: %s\n", err.text);
        return 1;
    }
    size_t bad = models->exposures_status != OM_OK;
    if (bad) printf("city.json        BAD: %s\n", models->exposures_err.text);
    for (size_t i = 0; i < models->count; i++) {
        const struct om_model_entry *entry = &models->entry[i];
        if (entry->model) {
            printf("%-16s model of %zu terms: sound\n", entry->name,
                   entry->model->terms);
            continue;
        }
        printf("%-16s model: BAD: %s\n", entry->name, entry->err.text);
        bad++;
    }
    om_models_unref(models);
    return bad;
}

/* The journal says itself whether it is what was written, and city.json whether
 * it is the right one. */
static om_status check_journal(const char *city, struct om_err *err)
{
    struct om_journal *journal = NULL;
    struct om_manifest m = {0};
    OM_TRY(om_manifest_read(city, &m, err));
    om_status st = OM_OK;
    if (om_journal_exists(city))
        st = om_journal_open(city, OM_JOURNAL_READ, 0, &journal, err);
    if (st == OM_E_NOTFOUND) st = OM_OK;  // it begins
    if (!st && journal) st = om_journal_verify(journal, err);
    if (!st) st = om_journal_check(city, &m, journal, err);
    if (!st) st = om_journal_mark_check(city, err);
    if (st)
        printf("journal          BAD: %s\n", err->text);
    else if (journal)
        printf("journal          %12llu entries: sound\n",
               (unsigned long long)(om_journal_last(journal) -
                                    om_journal_floor(journal)));
    om_journal_close(journal);
    om_manifest_deinit(&m);
    return st;
}

/* Nobody is let in without the list: said, also where that was wanted (a
 * restore --no-tokens). A file that is no list is a fault. */
static om_status check_tokens(const char *city, struct om_err *err)
{
    struct om_tokens tokens;
    const om_status st = om_tokens_read(city, &tokens, err);
    if (st)
        printf("tokens           BAD: %s\n", err->text);
    else if (tokens.lost)
        printf(
            "tokens           %s/tokens.lock says that the city has had "
            "tokens, and there is no tokens.json: nobody is let in until "
            "there are new ones (onemap help token)\n",
            city);
    else if (tokens.there)
        printf("tokens           %12zu in the list: sound\n", tokens.count);
    om_tokens_deinit(&tokens);
    return st;
}

/* Without roles that can be read no server starts. */
static om_status check_roles(const char *city, struct om_err *err)
{
    struct om_roles *roles = NULL;
    const om_status st = om_roles_read(city, &roles, err);
    if (st) printf("roles.json       BAD: %s\n", err->text);
    om_roles_unref(roles);
    return st;
}

/* An older copy of city.json names files that are gone, and not those that have
 * what was written since. */
static om_status check_committed(const char *city, struct om_err *err)
{
    struct om_manifest m = {0};
    om_status st = om_manifest_read(city, &m, err);
    if (!st) st = om_committed_check(city, &m, err);
    if (st) printf("city.json        BAD: %s\n", err->text);
    om_manifest_deinit(&m);
    return st;
}

/* A release says of every file what it was when it was published. */
static om_status check_sums(const char *city, struct om_err *err)
{
    bool there = false;
    const om_status st = om_sums_check(city, &there, err);
    if (st)
        printf("%-16s BAD: %s\n", OM_SUMS_FILE, err->text);
    else if (there)
        printf("%-16s sound\n", OM_SUMS_FILE);
    return st;
}

static void print_lost(void *ctx, uint64_t sequence, const char *layer,
                       const char *id, size_t id_len)
{
    size_t *said = ctx;
    if (++*said > LOST_LINES) return;
    printf("lost: write %llu", (unsigned long long)sequence);
    if (layer) printf(" of %s %.*s", layer, (int)id_len, id);
    printf("\n");
}

/* Go on without what the journal has lost. */
static om_status accept_loss(const char *city, struct om_err *err)
{
    struct om_journal_mended mended;
    size_t said = 0;
    OM_TRY(om_journal_mend(city, print_lost, &said, &mended, err));
    if (said > LOST_LINES) printf("lost: ... %zu writes in all\n", said);
    if (!mended.aside[0]) {
        puts("the journal is sound: nothing was changed");
        return OM_OK;
    }
    if (mended.gone) puts("no journal could be read: what only it had is lost");
    printf(
        "a new journal: %llu entries kept, %llu lost, it goes on after "
        "number %llu; what was there is in %s/%s\n",
        (unsigned long long)mended.kept, (unsigned long long)mended.lost,
        (unsigned long long)mended.last, city, mended.aside);
    return OM_OK;
}

/* Bring the newest commit back. */
static om_status take_newest(const char *city, struct om_err *err)
{
    struct om_committed_taken taken;
    OM_TRY(om_committed_take(city, &taken, err));
    if (taken.older == taken.newest) {
        puts("city.json is the newest: nothing was changed");
        return OM_OK;
    }
    if (taken.older)
        printf("city.json was of commit %llu, and is of commit %llu again",
               (unsigned long long)taken.older,
               (unsigned long long)taken.newest);
    else
        printf("city.json is of commit %llu again",
               (unsigned long long)taken.newest);
    if (taken.aside[0]) printf("; what was there is in %s", taken.aside);
    printf("%s\n", taken.merged ? ", and all but its files is as it said"
                                : ": edit city.json again where it was edited");
    return OM_OK;
}

int om__verb_verify(int argc, char **argv)
{
    const char *operand[1];
    size_t operands, bad_layers = 0;
    bool help, accept = false, newest = false;
    const struct om_option option[] = {{"--accept-loss", NULL, &accept},
                                       {"--newest", NULL, &newest}};
    const int bad = om__options_read("verify", argc, argv, option, 2, operand,
                                     1, &operands, &help);
    if (bad || help) return bad;
    if (operands < 1) return om__verb_usage("verify", "needs CITY");
    struct om_err err = {0}, journal_err = {0}, sums_err = {0},
                  tokens_err = {0}, roles_err = {0}, older_err = {0};
    if (newest && take_newest(operand[0], &err))
        return om__verb_fail("verify", &err);
    if (accept && accept_loss(operand[0], &err))
        return om__verb_fail("verify", &err);
    struct om_city *city = NULL;
    const om_status older = check_committed(operand[0], &older_err);
    const om_status journal = check_journal(operand[0], &journal_err);
    const om_status sums = check_sums(operand[0], &sums_err);
    const om_status tokens = check_tokens(operand[0], &tokens_err);
    const om_status roles = check_roles(operand[0], &roles_err);
    if (om_city_open(operand[0], &city, &err))
        return om__verb_fail("verify", &err);
    struct om_snapshot *s = om_city_snapshot(city);
    const om_status st = om_snapshot_verify(s, print_found, &bad_layers);
    const size_t bad_models = check_models(operand[0], s);
    om_snapshot_unref(s);
    om_city_close(city);
    // What is wrong with layers and journal comes of it.
    if (older) return om__verb_fail("verify", &older_err);
    if (!st && journal) return om__verb_fail("verify", &journal_err);
    if (!st && sums) return om__verb_fail("verify", &sums_err);
    if (!st && tokens) return om__verb_fail("verify", &tokens_err);
    if (!st && roles) return om__verb_fail("verify", &roles_err);
    if (!st && !bad_models) {
        puts("all sound");
        return OM_EXIT_DONE;
    }
    if (!st) {
        om_fail(&err, OM_E_FORMAT, 0,
                "the layers are sound, but %zu models or members cannot be "
                "used (mend the file that is named)",
                bad_models);
        return om__verb_fail("verify", &err);
    }
    om_fail(&err, st, 0,
            "%zu layers are not sound: %s (restore them, or import them again "
            "with --replace)",
            bad_layers, om_status_text(st));
    return om__verb_fail("verify", &err);
}
