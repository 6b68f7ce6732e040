/* fuzz_segment.c - a layer file made by somebody else, its checksums right:
 * everything it says is read and verified, and nothing may crash. */
#include <sys/mman.h>

#include "data/base/thread.h"
#include "engine/layer/file_internal.h"
#include "tests/engine/layer_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1);
    const int fd = memfd_create("segment", MFD_CLOEXEC);
    if (!bytes || fd < 0) abort();
    om_threads_set(1);
    if (size) memcpy(bytes, data, size);
    om__file_reseal(bytes, size);
    char path[64];
    uint64_t answer;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (om_fd_write(fd, bytes, size, path, NULL)) abort();
    if (layer_read_files(path, NULL, &answer) == OM_E_INTERNAL) abort();
    close(fd);
    free(bytes);
    return 0;
}
