// frames.c - whatever zstd frames lie anywhere in files, unpacked to stdout:
// what a search for texts in the files' own bytes would not see.
// frames FILE...
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static void unpack(const unsigned char *bytes, size_t len)
{
    for (size_t at = 0; at + 4 <= len; at++) {
        if (memcmp(bytes + at, "\x28\xb5\x2f\xfd", 4) != 0) continue;
        const size_t frame = ZSTD_findFrameCompressedSize(bytes + at, len - at);
        if (ZSTD_isError(frame)) continue;
        const unsigned long long size = ZSTD_getFrameContentSize(bytes + at, frame);
        if (size > 1ull << 30) continue;
        char *out = malloc(size + 1);
        const size_t got = ZSTD_decompress(out, size, bytes + at, frame);
        if (!ZSTD_isError(got)) fwrite(out, 1, got, stdout);
        free(out);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 1;
        fseek(file, 0, SEEK_END);
        const long len = ftell(file);
        rewind(file);
        unsigned char *bytes = malloc((size_t)len + 1);
        if (fread(bytes, 1, (size_t)len, file) != (size_t)len) return 1;
        unpack(bytes, (size_t)len);
        free(bytes);
        fclose(file);
    }
    return 0;
}
