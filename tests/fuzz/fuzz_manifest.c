// fuzz_manifest.c - any bytes as city.json: what is read can be written, and
// reads as the same again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/city/manifest.h"
#include "tests/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], path[96];

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!path[0]) {
        if (!test_folder("onemap-fuzz", folder, sizeof folder) ||
            atexit(remove_folder))
            abort();
        snprintf(path, sizeof path, "%s/city.json", folder);
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) abort();
    struct om_manifest once = {0}, twice = {0};
    if (!om_manifest_read(folder, &once, NULL)) {
        if (om_manifest_write(folder, &once, NULL) ||
            om_manifest_read(folder, &twice, NULL) ||
            strcmp(once.name, twice.name) != 0 ||
            once.sequence != twice.sequence || once.zone_s != twice.zone_s ||
            once.layers != twice.layers || once.levels != twice.levels)
            abort();
        om_manifest_deinit(&twice);
    }
    om_manifest_deinit(&once);
    return 0;
}
