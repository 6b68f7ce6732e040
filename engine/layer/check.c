// check.c - every checksum of a layer's file, and nothing else.
#include "engine/layer/check.h"

#include "engine/layer/file_internal.h"

om_status om_layer_file_check(const char *name, const uint8_t *bytes,
                              size_t len, struct om_err *err)
{
    struct om__file file = {.map = {.bytes = bytes, .len = len}};
    const struct om__file_header *h = (const void *)bytes;
    const enum om__file_kind kind = len >= sizeof *h &&
                                            h->kind >= OM__FILE_SEGMENT &&
                                            h->kind <= OM__FILE_DEAD
                                        ? (enum om__file_kind)h->kind
                                        : OM__FILE_SEGMENT;
    OM_TRY(om__file_check_header(&file, name, kind, err));
    size_t bad = 0, first = 0;
    for (size_t b = file.blocks; b-- > 0;) {
        if (om__file_block_is_intact(&file, b)) continue;
        bad++;
        first = b;
    }
    return bad ? om__file_wrong_block(&file, name, first, bad, err) : OM_OK;
}
