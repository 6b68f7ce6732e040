// golden_png.h - a picture compared with one that somebody has looked at.
#ifndef OM_TESTS_TILES_GOLDEN_PNG_H
#define OM_TESTS_TILES_GOLDEN_PNG_H

#include <stdio.h>
#include <stdlib.h>

#include "data/base/file.h"
#include "tests/tiles/read_png.h"
#include "tiles/png.h"

static inline void golden_write(const char *path, const uint8_t *rgba,
                                unsigned width, unsigned height)
{
    struct om_buf png = {0};
    assert_int_equal(om_png_rgba(rgba, width, height, &png), OM_OK);
    assert_int_equal(om_file_write_whole(path, png.bytes, png.len, NULL),
                     OM_OK);
    om_buf_deinit(&png);
}

/* Compare rgba [height x width x 4] with a file: at most `most` pixels may be
 * off by more than `step` in some channel. With ONEMAP_GOLDEN set the file is
 * written instead. A failure leaves what was got beside the program's output:
 * build/golden-actual.png. */
static inline void golden_check(const char *path, const uint8_t *rgba,
                                unsigned width, unsigned height, int step,
                                size_t most)
{
    struct om_buf file = {0};
    unsigned w = 0, h = 0;
    if (getenv("ONEMAP_GOLDEN")) {
        golden_write(path, rgba, width, height);
        return;
    }
    assert_int_equal(om_file_read(path, 1 << 24, &file, NULL), OM_OK);
    uint8_t *golden = read_png(&file, &w, &h);
    om_buf_deinit(&file);
    assert_non_null(golden);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
    size_t off = 0;
    for (size_t i = 0; i < (size_t)width * height; i++) {
        bool far = false;
        for (int k = 0; k < 4; k++)
            far |=
                abs(rgba[4 * i + (size_t)k] - golden[4 * i + (size_t)k]) > step;
        off += far;
    }
    free(golden);
    if (off <= most) return;
    golden_write("build/golden-actual.png", rgba, width, height);
    fail_msg("%zu pixels differ from %s: see build/golden-actual.png", off,
             path);
}

#endif
