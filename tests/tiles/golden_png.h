// golden_png.h - a picture compared with one that somebody has looked at.
#ifndef OM_TESTS_TILES_GOLDEN_PNG_H
#define OM_TESTS_TILES_GOLDEN_PNG_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "data/base/file.h"
#include "tests/tiles/read_png.h"
#include "tiles/png.h"

/* Where failures are left, a folder for each picture. */
#define GOLDEN_FAILED "build/golden"

static inline void golden_write(const char *path, const uint8_t *rgba,
                                unsigned width, unsigned height)
{
    struct om_buf png = {0};
    assert_int_equal(om_png_rgba(rgba, width, height, &png), OM_OK);
    assert_int_equal(om_file_write_whole(path, png.bytes, png.len, NULL),
                     OM_OK);
    om_buf_deinit(&png);
}

/* The largest difference of a channel. */
static inline int golden_far(const uint8_t *a, const uint8_t *b)
{
    int most = 0;
    for (int k = 0; k < 4; k++) {
        const int d = abs(a[k] - b[k]);
        if (d > most) most = d;
    }
    return most;
}

/* Leave expected.png, actual.png and diff.png: what is the same is pale, what
 * differs is red. */
static inline void golden_leave(const char *name, const uint8_t *expected,
                                const uint8_t *actual, unsigned width,
                                unsigned height)
{
    char path[256];
    uint8_t *diff = malloc((size_t)width * height * 4);
    for (size_t i = 0; i < (size_t)width * height; i++) {
        const uint8_t *e = expected + 4 * i;
        const int far = golden_far(e, actual + 4 * i);
        const int pale = 200 + (e[0] + e[1] + e[2]) / 15;
        diff[4 * i] = (uint8_t)(far ? 255 : pale);
        diff[4 * i + 1] = (uint8_t)(far ? 160 - far * 160 / 255 : pale);
        diff[4 * i + 2] = diff[4 * i + 1];
        diff[4 * i + 3] = 255;
    }
    mkdir("build", 0777);
    mkdir(GOLDEN_FAILED, 0777);
    snprintf(path, sizeof path, GOLDEN_FAILED "/%s", name);
    mkdir(path, 0777);
    snprintf(path, sizeof path, GOLDEN_FAILED "/%s/expected.png", name);
    golden_write(path, expected, width, height);
    snprintf(path, sizeof path, GOLDEN_FAILED "/%s/actual.png", name);
    golden_write(path, actual, width, height);
    snprintf(path, sizeof path, GOLDEN_FAILED "/%s/diff.png", name);
    golden_write(path, diff, width, height);
    free(diff);
}

/* Compare rgba [height x width x 4] with tests/golden/NAME.png: at most `most`
 * pixels may be off by more than `step` in some channel. `make golden` sets
 * ONEMAP_GOLDEN, and the file is written instead. */
static inline void golden_check(const char *name, const uint8_t *rgba,
                                unsigned width, unsigned height, int step,
                                size_t most)
{
    struct om_buf file = {0};
    unsigned w = 0, h = 0;
    char path[256];
    snprintf(path, sizeof path, "tests/golden/%s.png", name);
    if (getenv("ONEMAP_GOLDEN")) {
        golden_write(path, rgba, width, height);
        return;
    }
    if (om_file_read(path, 1 << 24, &file, NULL))
        fail_msg("there is no %s: make golden", path);
    uint8_t *golden = read_png(&file, &w, &h);
    om_buf_deinit(&file);
    assert_non_null(golden);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
    size_t off = 0;
    for (size_t i = 0; i < (size_t)width * height; i++)
        off += golden_far(rgba + 4 * i, golden + 4 * i) > step;
    if (off > most) golden_leave(name, golden, rgba, width, height);
    free(golden);
    if (off > most)
        fail_msg(
            "%zu pixels differ from %s: see expected.png, actual.png and "
            "diff.png in " GOLDEN_FAILED "/%s",
            off, path, name);
}

#endif
