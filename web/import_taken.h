// import_taken.h - which ids a layer has already, in files and in the journal.
#ifndef OM_WEB_IMPORT_TAKEN_H
#define OM_WEB_IMPORT_TAKEN_H

#include "data/city/manifest.h"

struct om_taken;

/**
 * The ids of a layer that rows to be appended must not have: those of the
 * living rows of its files, and those that the journal speaks of and the files
 * do not hold yet. The latter also where the row was deleted: when the journal
 * is replayed on top of the new files, it would delete the appended row.
 *
 * owns     *out: om_taken_free
 * cost     mapping the files; an entry of the journal a microsecond
 */
om_status om_taken_new(const char *city, const struct om_manifest_layer *layer,
                       struct om_taken **out, struct om_err *err) OM_MUST_USE;
void om_taken_free(struct om_taken *taken);
/** Is the id taken? An om_taken_fn of engine/layer/build.h. */
om_status om_taken_has(void *taken, const char *id, size_t len, bool *out);
/** Does the journal have rows of the layer that its files do not hold? */
bool om_taken_written(const struct om_taken *taken);

/** Newest sequence of the city's journal, 0: it has none, and the city's clock
 *  there (may be NULL), 0: none; the manifest is to know of it. returns
 * OM_E_DAMAGED (it is not the one that the manifest knows), OM_E_IO, ... */
om_status om_import_journal_last(const char *city, struct om_manifest *m,
                                 uint64_t *out, int64_t *clock_s,
                                 struct om_err *err) OM_MUST_USE;

/** How many writes the journal has of the layer after `from`, up to `to`. */
om_status om_import_journal_writes(const char *city, const char *layer,
                                   uint64_t from, uint64_t to, uint64_t *out,
                                   struct om_err *err) OM_MUST_USE;

#endif
