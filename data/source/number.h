// number.h - numbers and truths as text files write them.
#ifndef OM_DATA_SOURCE_NUMBER_H
#define OM_DATA_SOURCE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Blanks around them are fine. The first takes 17.0 too; the last true,
 *  false, yes, no, 1, 0, 是, 否 and their first letters, and gives 1 or 0.
 *  returns  OM_E_FORMAT, OM_E_RANGE (no such 64-bit number, or not finite) */
om_status om_number_integer(const char *text, size_t len, int64_t *out);
om_status om_number_real(const char *text, size_t len, double *out);
om_status om_number_boolean(const char *text, size_t len, int64_t *out);

#endif
