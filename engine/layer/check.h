// check.h - are the bytes of a layer's file what was written?
#ifndef OM_ENGINE_LAYER_CHECK_H
#define OM_ENGINE_LAYER_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/**
 * Check header, tables and the checksum of every block of a file of a layer
 * (rows, units or dead rows) that is in memory or mapped. Figures are not
 * computed again: that is what om_segment_verify is for.
 *
 * units    name: what the file is called in err
 * returns  OM_E_DAMAGED, err naming section and byte; OM_E_VERSION
 * threads  any
 * cost     one pass over the bytes, some GB a second
 */
om_status om_layer_file_check(const char *name, const uint8_t *bytes,
                              size_t len, struct om_err *err) OM_MUST_USE;

#endif
