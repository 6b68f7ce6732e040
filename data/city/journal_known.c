// journal_known.c - what city.json knows of the journal beside it.
#include <stdio.h>
#include <string.h>

#include "data/base/file.h"
#include "data/city/journal_internal.h"

/* DESIGN
 * Journal and city.json are two files, and whoever copies, removes or puts back
 * one may forget the other. So city.json remembers which journal it has and at
 * least up to which number it went: noted when the journal is made, with each
 * commit of a writer or an import, and when a writer ends. `applied` of a layer
 * says the same of older cities. A journal that is not there, is another, or
 * ends earlier has lost rows, and numbers must not be given a second time: rows
 * under them would be taken for what files hold already. */

uint64_t om_journal_identity(struct om_journal *j)
{
    return j->now.identity;
}

uint64_t om_journal_known_last(const struct om_manifest *m)
{
    uint64_t last = m->journal ? m->journal_last : 0;
    for (size_t i = 0; i < m->layers; i++)
        if (m->layer[i].applied > last) last = m->layer[i].applied;
    return last;
}

om_status om_journal_check(const char *city, const struct om_manifest *m,
                           struct om_journal *j, struct om_err *err)
{
    const unsigned long long known = om_journal_known_last(m);
    if (!j)
        return known == 0 ? OM_OK
                          : om_fail(err, OM_E_DAMAGED, 0,
                                    "%s/journal.db is not there, though "
                                    "city.json knows of one with writes up to "
                                    "number %llu " OM__JOURNAL_WAY_OUT,
                                    city, known);
    if (m->journal && j->now.identity != m->journal)
        return om_fail(
            err, OM_E_DAMAGED, 0,
            "%s/journal.db is another one than city.json knows, "
            "which had writes up to number %llu " OM__JOURNAL_WAY_OUT,
            city, known);
    const unsigned long long last = om_journal_last(j);
    if (last < known)
        return om_fail(
            err, OM_E_DAMAGED, 0,
            "%s/journal.db ends at number %llu, and city.json knows "
            "of writes up to %llu: it is an older one " OM__JOURNAL_WAY_OUT,
            city, last, known);
    return OM_OK;
}

void om_journal_remember(struct om_journal *j, struct om_manifest *m)
{
    const uint64_t last = om_journal_last(j);
    if (m->journal == j->now.identity && m->journal_last >= last) return;
    m->journal = j->now.identity;
    m->journal_last = last;
}
