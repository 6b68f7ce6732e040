/* om_tar_head_read: heads of a backup. What is read, written again and read
 * again, says the same. */
#include <stdlib.h>
#include <string.h>

#include "data/city/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct om_tar_file file, again;
    struct om_buf head = {0};
    size_t used;
    if (om_tar_head_read(data, size, &file, &used)) return 0;
    if (used > size || used > OM_TAR_HEAD_BYTES) abort();
    if (om_tar_head_add(&file, &head)) abort();
    if (om_tar_head_read(head.bytes, head.len, &again, &used)) abort();
    if (used != head.len || strcmp(again.name, file.name) != 0 ||
        again.bytes != file.bytes || again.modified_s != file.modified_s ||
        again.mode != file.mode)
        abort();
    om_buf_deinit(&head);
    return 0;
}
