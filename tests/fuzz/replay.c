/* replay.c - the main of a fuzz target where no fuzzer drives it: every file of
 * its corpus once, so that every crash of the past stays a test. Files or
 * folders may be named; else it is tests/fuzz/corpus/NAME of fuzz_NAME, from
 * the root of the project or up from where the program lies. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned tested, failed;

static void tell(int good, const char *what)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++tested, what);
    fflush(stdout);  // before the next input may crash
    failed += !good;
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    // Of its own size exactly, so that a sanitizer sees one byte too many.
    uint8_t *bytes = size >= 0 ? malloc(size ? (size_t)size : 1) : NULL;
    if (bytes) {
        rewind(file);
        if (fread(bytes, 1, (size_t)size, file) == (size_t)size) {
            LLVMFuzzerTestOneInput(bytes, (size_t)size);
            tell(1, path);
        } else {
            tell(0, path);
        }
    } else {
        tell(0, path);
    }
    free(bytes);
    if (file) fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static void replay(const char *path)
{
    if (!is_folder(path)) {
        replay_file(path);
        return;
    }
    struct dirent **entry;
    const int n = scandir(path, &entry, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char inner[PATH_BYTES];
        const int len =
            snprintf(inner, sizeof inner, "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.' && len < (int)sizeof inner)
            replay_file(inner);
        free(entry[i]);
    }
    if (n >= 0) free(entry);
}

/* The corpus of this program: from here, or from a folder above it. */
static int find_corpus(const char *program, char out[PATH_BYTES])
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    if (strncmp(name, "fuzz_", 5) == 0) name += 5;
    snprintf(out, PATH_BYTES, "tests/fuzz/corpus/%s", name);
    if (is_folder(out)) return 1;
    char up[PATH_BYTES / 2];
    if ((size_t)snprintf(up, sizeof up, "%s", program) >= sizeof up) return 0;
    for (char *cut = strrchr(up, '/'); cut; cut = strrchr(up, '/')) {
        *cut = '\0';
        if ((size_t)snprintf(out, PATH_BYTES, "%s/tests/fuzz/corpus/%s", up,
                             name) < PATH_BYTES &&
            is_folder(out))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char corpus[PATH_BYTES];
    for (int i = 1; i < argc; i++) replay(argv[i]);
    if (argc < 2) {
        if (find_corpus(argv[0], corpus))
            replay(corpus);
        else
            tell(0, "no corpus");
    }
    if (tested == 0) tell(0, "corpus is empty");
    printf("1..%u\n", tested);
    return failed ? 1 : 0;
}
