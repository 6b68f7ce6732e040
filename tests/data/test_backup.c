/* Backups: a city as one file, and back.
 *
 * Plan
 *   head_*     heads of the archive are read as written; any tar reads them
 *   round_*    what is restored is what was there
 *   while_*    the city changes all the time: every backup is of one moment
 *   error_*    cut anywhere, bits flipped, foreign names: refused, and nothing
 *              is there
 *   fault_*    full and failing disks; no memory
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/compress.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/city/backup.h"
#include "data/city/manifest.h"
#include "data/city/tar.h"
#include "data/city/tokens.h"
#include "tests/data/journal_sample.h"
#include "tests/rounds.h"

#define IDS 40

/* A folder of one test: city, backup and restored city in it. */
struct place {
    char *folder, city[128], file[128], other[128], working[160];
};

static struct place place_make(void)
{
    struct place p = {.folder = folder_make()};
    snprintf(p.city, sizeof p.city, "%s/city", p.folder);
    snprintf(p.file, sizeof p.file, "%s/backup", p.folder);
    snprintf(p.other, sizeof p.other, "%s/other", p.folder);
    snprintf(p.working, sizeof p.working, "%s.restoring", p.other);
    return p;
}

static int run(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

static void place_remove(struct place *p)
{
    assert_int_equal(run("rm -rf '%s'", p->folder), 0);
    free(p->folder);
}

static void put(const char *city, const char *name, size_t len, unsigned seed,
                mode_t mode)
{
    char path[512];
    uint8_t *bytes = malloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (uint8_t)(seed >> 28);
    }
    snprintf(path, sizeof path, "%s/%s", city, name);
    assert_int_equal(om_file_write_whole(path, bytes, len, NULL), OM_OK);
    assert_int_equal(chmod(path, mode), 0);
    free(bytes);
}

/* city.json with one layer of the given part. */
static void commit(const char *city, uint64_t sequence, const char *file,
                   uint64_t applied)
{
    struct om_manifest m = {.sequence = sequence};
    snprintf(m.name, sizeof m.name, "sample");
    struct om_manifest_layer *layer = om_manifest_add(&m, "hazard");
    layer->schema.count = 1;
    layer->schema.field[0] = (struct om_field){"id", OM_TYPE_TEXT};
    layer->schema.time_field = OM_NO_FIELD;
    snprintf(layer->id, sizeof layer->id, "id");
    layer->applied = applied;
    layer->parts = 1;
    layer->part = om_arena_calloc(&m.arena, 1, sizeof *layer->part);
    snprintf(layer->part->file, sizeof layer->part->file, "%s", file);
    assert_int_equal(om_manifest_write(city, &m, NULL), OM_OK);
    om_manifest_deinit(&m);
}

static void make_city(const char *city, size_t layer_bytes)
{
    char path[256];
    assert_int_equal(run("mkdir -p '%s/layers' '%s/models/deep' '%s/tracks' "
                         "'%s/search'",
                         city, city, city, city),
                     0);
    put(city, "tracks/466000", 300, 8, 0600);
    put(city, "search/hazard-1.3.find", 300, 9, 0644);
    put(city, "layers/hazard-1.seg", layer_bytes, 1, 0644);
    put(city, "layers/left-by-a-dead-import.seg", 100, 2, 0644);
    put(city, "models/overall.json", 700, 3, 0644);
    put(city, "models/deep/empty", 0, 4, 0644);
    put(city, "tokens.json", 513, 5, 0600);
    put(city, "city.json.tmp", 10, 6, 0644);
    put(city, ".lock", 0, 7, 0644);
    commit(city, 5, "layers/hazard-1.seg", 0);
    struct om_journal *j = NULL;
    assert_int_equal(om_journal_open(city, OM_JOURNAL_WRITE, 6, &j, NULL),
                     OM_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(sample_group(j, 10, IDS, NULL), OM_OK);
    om_journal_close(j);
    snprintf(path, sizeof path, "%s/.writer", city);
}

static void check_restored(const struct place *p)
{
    assert_int_equal(
        run("cd '%s' && diff -r -x '.*' -x '*.tmp' -x left-by-a-dead-import.seg"
            " -x 'journal.*' -x tracks -x search -x tokens.lock . '%s' >&2",
            p->city, p->other),
        0);
    // Ways of people, files of nobody, what is passing and what can be made
    // again stay where they are.
    assert_int_equal(run("cd '%s' && test ! -e tracks -a ! -e search -a"
                         " ! -e .lock -a ! -e"
                         " city.json.tmp -a ! -e"
                         " layers/left-by-a-dead-import.seg",
                         p->other),
                     0);
    struct om_journal *j = NULL;
    struct sample_count c = {.ids = IDS, .rows = true};
    assert_int_equal(om_journal_open(p->other, OM_JOURNAL_WRITE, 1, &j, NULL),
                     OM_OK);
    assert_int_equal(om_journal_each(j, 0, 0, true, sample_check, &c, NULL),
                     OM_OK);
    assert_int_equal(c.seen, 100);
    assert_int_equal(c.wrong, 0);
    om_journal_close(j);
}

static bool nothing_there(const struct place *p)
{
    return !om_file_exists(p->other) && !om_file_exists(p->working);
}

static const struct om_backup_care CARE;

/* A file of a layer is what was written if it has no byte of this value. */
#define WRONG 0xEE
static om_status no_wrong_byte(const char *name, const uint8_t *bytes,
                               size_t len, struct om_err *err)
{
    return len && memchr(bytes, WRONG, len)
               ? om_fail(err, OM_E_DAMAGED, 0, "%s: a wrong byte", name)
               : OM_OK;
}

static om_status backup(const struct place *p, struct om_err *err)
{
    struct om_backup_report r;
    return om_backup_write(p->city, p->file, &CARE, &r, err);
}

static om_status restore(const struct place *p, struct om_err *err)
{
    struct om_backup_report r;
    return om_backup_restore(p->file, p->other, true, &CARE, &r, err);
}

static void head_is_read_as_written(void **state)
{
    (void)state;
    static const uint64_t SIZE[] = {0,
                                    1,
                                    511,
                                    (UINT64_C(1) << 33) - 1,
                                    UINT64_C(1) << 33,
                                    UINT64_C(1) << 50};
    for (size_t len = 1; len < OM_TAR_NAME_BYTES; len += len < 110 ? 1 : 45) {
        for (size_t s = 0; s < sizeof SIZE / sizeof *SIZE; s++) {
            struct om_tar_file file = {
                .bytes = SIZE[s], .modified_s = 1700000000, .mode = 0640};
            struct om_tar_file got;
            struct om_buf head = {0};
            size_t used;
            memset(file.name, 'n', len);
            assert_int_equal(om_tar_head_add(&file, &head), OM_OK);
            assert_true(head.len <= OM_TAR_HEAD_BYTES);
            for (size_t n = 0; n < head.len; n += OM_TAR_BLOCK)
                assert_int_equal(om_tar_head_read(head.bytes, n, &got, &used),
                                 OM_E_LIMIT);
            assert_int_equal(
                om_tar_head_read(head.bytes, head.len, &got, &used), OM_OK);
            assert_int_equal(used, head.len);
            assert_string_equal(got.name, file.name);
            assert_true(got.bytes == file.bytes);
            assert_int_equal(got.modified_s, file.modified_s);
            assert_int_equal(got.mode, file.mode);
            om_buf_deinit(&head);
        }
    }
}

static void round_trip_of_a_city(void **state)
{
    (void)state;
    static const size_t BYTES[] = {0, 5000, 4 << 20, (9 << 20) + 77};
    for (size_t i = 0; i < sizeof BYTES / sizeof *BYTES; i++) {
        struct place p = place_make();
        struct om_err err = {0};
        struct om_backup_report wrote, read;
        struct stat about;
        char path[256];
        make_city(p.city, BYTES[i]);
        if (om_backup_write(p.city, p.file, &CARE, &wrote, &err))
            fail_msg("%s", err.text);
        if (om_backup_restore(p.file, p.other, true, &CARE, &read, &err))
            fail_msg("%s", err.text);
        check_restored(&p);
        snprintf(path, sizeof path, "%s/tokens.json", p.other);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        // A city that has tokens is marked, though this one was not.
        assert_true(read.tokens);
        snprintf(path, sizeof path, "%s/tokens.lock", p.other);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        assert_int_equal(stat(p.file, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        assert_int_equal(about.st_size, wrote.packed_bytes);
        assert_int_equal(wrote.files, 6);
        assert_int_equal(read.files, 6);
        assert_int_equal(wrote.sequence, 5);
        assert_int_equal(read.sequence, 5);
        assert_int_equal(wrote.journal_last, 105);
        assert_int_equal(read.journal_last, 105);
        assert_true(wrote.bytes == read.bytes);
        assert_false(om_file_exists(p.working));
        place_remove(&p);
    }
}

/* What om_compress wrote, unpacked by hand, is what tar knows. */
static void head_is_read_by_tar(void **state)
{
    (void)state;
    struct place p = place_make();
    struct om_buf in = {0}, out = {0};
    char path[160];
    make_city(p.city, 9 << 20);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(om_file_read(p.file, 1 << 26, &in, NULL), OM_OK);
    for (size_t at = 0; at < in.len;) {
        size_t packed, raw;
        assert_int_equal(
            om_compress_frame(in.bytes + at, in.len - at, &packed, &raw),
            OM_OK);
        assert_int_equal(om_buf_reserve(&out, raw), OM_OK);
        assert_int_equal(
            om_decompress(in.bytes + at, packed, out.bytes + out.len, raw),
            OM_OK);
        out.len += raw;
        at += packed;
    }
    snprintf(path, sizeof path, "%s/plain.tar", p.folder);
    assert_int_equal(om_file_write_whole(path, out.bytes, out.len, NULL),
                     OM_OK);
    assert_int_equal(run("mkdir '%s' && tar -C '%s' -xf '%s' && test -f "
                         "'%s/onemap-backup-sums'",
                         p.other, p.other, path, p.other),
                     0);
    assert_int_equal(
        run("cd '%s' && rm onemap-backup onemap-backup-sums", p.other), 0);
    check_restored(&p);
    om_buf_deinit(&in);
    om_buf_deinit(&out);
    place_remove(&p);
}

/* Without its tokens it is closed: the mark that it had some is there. */
static void round_trip_without_tokens(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct place p = place_make();
        struct om_err err = {0};
        struct om_backup_report read;
        struct om_tokens tokens;
        struct om_token token = {.role = "officer"};
        char text[OM_TOKEN_TEXT_BYTES];
        make_city(p.city, 100);
        assert_int_equal(run("rm '%s/tokens.json'", p.city), 0);
        if (om_tokens_add(p.city, &token, 1700000000, 90, text, &err))
            fail_msg("%s", err.text);
        // Of a city whose list is gone the mark alone goes and comes.
        if (lost) assert_int_equal(run("rm '%s/tokens.json'", p.city), 0);
        assert_int_equal(backup(&p, &err), OM_OK);
        if (om_backup_restore(p.file, p.other, false, &CARE, &read, &err))
            fail_msg("%s", err.text);
        assert_int_equal(read.tokens, !lost);
        assert_int_equal(om_tokens_read(p.other, &tokens, NULL), OM_OK);
        assert_true(tokens.there && tokens.lost);
        assert_int_equal(tokens.count, 0);
        om_tokens_deinit(&tokens);
        assert_int_equal(run("rm -rf '%s'", p.other), 0);
        assert_int_equal(
            om_backup_restore(p.file, p.other, true, &CARE, &read, NULL),
            OM_OK);
        assert_int_equal(om_tokens_read(p.other, &tokens, NULL), OM_OK);
        assert_true(tokens.there);
        assert_int_equal(tokens.count, !lost);
        assert_true(lost || om_tokens_find(&tokens, text, strlen(text)));
        om_tokens_deinit(&tokens);
        place_remove(&p);
    }
}

/* What is damaged is no backup, unless one is better than none. */
static void damage_of_a_layer_is_not_backed_up(void **state)
{
    (void)state;
    static const uint8_t BAD[] = {1, 2, WRONG, 4};
    for (int missing = 0; missing < 2; missing++) {
        struct place p = place_make();
        struct om_backup_care care = {.check = no_wrong_byte};
        struct om_backup_report r;
        struct om_err err = {0};
        struct om_buf older = {0}, now = {0};
        char path[256];
        make_city(p.city, 0);
        assert_int_equal(om_backup_write(p.city, p.file, &care, &r, NULL),
                         OM_OK);
        assert_int_equal(r.damaged, 0);
        assert_int_equal(om_file_read(p.file, 1 << 26, &older, NULL), OM_OK);
        snprintf(path, sizeof path, "%s/layers/hazard-1.seg", p.city);
        if (missing)
            assert_int_equal(unlink(path), 0);
        else
            assert_int_equal(om_file_write_whole(path, BAD, sizeof BAD, NULL),
                             OM_OK);
        const om_status st = om_backup_write(p.city, p.file, &care, &r, &err);
        assert_int_equal(st, missing ? OM_E_NOTFOUND : OM_E_DAMAGED);
        assert_non_null(strstr(err.text, "layers/hazard-1.seg"));
        assert_int_equal(om_file_read(p.file, 1 << 26, &now, NULL), OM_OK);
        assert_int_equal(now.len, older.len);
        assert_memory_equal(now.bytes, older.bytes, now.len);
        assert_int_equal(run("test ! -e '%s.part'", p.file), 0);

        care.damaged = true;
        assert_int_equal(om_backup_write(p.city, p.file, &care, &r, NULL),
                         OM_OK);
        assert_int_equal(r.damaged, 1);
        care.damaged = false;
        assert_int_equal(
            om_backup_restore(p.file, p.other, true, &care, &r, &err),
            OM_E_DAMAGED);
        assert_non_null(strstr(err.text, "layers/hazard-1.seg"));
        assert_true(nothing_there(&p));
        care.damaged = true;
        assert_int_equal(
            om_backup_restore(p.file, p.other, true, &care, &r, NULL), OM_OK);
        assert_int_equal(r.damaged, 1);
        if (!missing) check_restored(&p);
        om_buf_deinit(&older);
        om_buf_deinit(&now);
        place_remove(&p);
    }
}

static void round_trip_without_a_journal(void **state)
{
    (void)state;
    struct place p = place_make();
    make_city(p.city, 1000);
    assert_int_equal(run("rm '%s'/journal.*", p.city), 0);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(restore(&p, NULL), OM_OK);
    assert_false(om_journal_exists(p.other));
    place_remove(&p);
}

/* A writer as a server is one: groups all the time, and again and again a
 * compaction: what the entries said goes into a new file, whose number is in
 * it; the manifest names it; the old one and the entries go. */
static void live_on(const char *city)
{
    struct om_journal *j = NULL;
    char name[64], path[256], old[256] = "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (om_journal_open(city, OM_JOURNAL_WRITE, 6, &j, NULL)) _exit(1);
    for (uint64_t k = 6;; k++) {
        bool more;
        for (int i = 0; i < 3; i++)
            if (sample_group(j, 10, IDS, NULL)) _exit(2);
        const uint64_t applied = om_journal_last(j) - 10;
        snprintf(name, sizeof name, "layers/hazard-%llu.seg",
                 (unsigned long long)k);
        snprintf(path, sizeof path, "%s/%s", city, name);
        if (om_file_write_whole(path, &applied, sizeof applied, NULL)) _exit(3);
        commit(city, k, name, applied);
        if (old[0]) unlink(old);
        snprintf(old, sizeof old, "%s", path);
        if (om_journal_trim(j, applied, 0, &more, NULL)) _exit(4);
        if (k % 4 == 0 && om_journal_checkpoint(j, NULL)) _exit(5);
        usleep((useconds_t)(k % 5 *
                            2000));  // now and then there is time for a backup
        if (k % 8 == 0) usleep(60000);
    }
}

static void while_it_is_written_to(void **state)
{
    (void)state;
    struct place p = place_make();
    make_city(p.city, 100000);
    const pid_t child = fork();
    if (child == 0) live_on(p.city);
    uint64_t newest = 0;
    for (size_t i = 0; i < test_rounds(25); i++) {
        struct om_err err = {0};
        struct om_backup_report r;
        struct om_manifest m = {0};
        struct om_journal *j = NULL;
        struct om_buf buf = {0};
        struct sample_count c = {.ids = IDS, .rows = true};
        char path[512];
        uint64_t in_file;
        if (om_backup_write(p.city, p.file, &CARE, &r, &err))
            fail_msg("%s", err.text);
        if (om_backup_restore(p.file, p.other, true, &CARE, &r, &err))
            fail_msg("%s", err.text);
        assert_int_equal(om_manifest_read(p.other, &m, NULL), OM_OK);
        const uint64_t applied = m.layer[0].applied;
        snprintf(path, sizeof path, "%s/%s", p.other, m.layer[0].part[0].file);
        assert_int_equal(om_file_read(path, 1 << 20, &buf, NULL), OM_OK);
        if (m.sequence > 5) {
            assert_int_equal(buf.len, sizeof in_file);
            memcpy(&in_file, buf.bytes, sizeof in_file);
            assert_int_equal(in_file, applied);
        }
        if (om_journal_open(p.other, OM_JOURNAL_WRITE, 1, &j, &err))
            fail_msg("%s", err.text);
        // Nothing between what the files hold and what the journal has.
        assert_true(m.sequence <= 5 || om_journal_floor(j) <= applied);
        assert_true(om_journal_last(j) >= applied);
        assert_true(om_journal_last(j) >= newest);
        newest = om_journal_last(j);
        assert_int_equal(om_journal_each(j, 0, 0, true, sample_check, &c, &err),
                         OM_OK);
        assert_int_equal(c.wrong, 0);
        om_journal_close(j);
        om_buf_deinit(&buf);
        om_manifest_deinit(&m);
        assert_int_equal(run("rm -r '%s'", p.other), 0);
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    }
    assert_true(newest > 200);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    place_remove(&p);
}

static void error_nothing_is_overwritten(void **state)
{
    (void)state;
    struct place p = place_make();
    struct om_err err = {0};
    make_city(p.city, 1000);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(run("mkdir '%s'", p.other), 0);
    assert_int_equal(restore(&p, &err), OM_E_EXISTS);
    assert_non_null(strstr(err.text, "exists already"));
    assert_int_equal(rmdir(p.other), 0);
    // Twice at once: the second is told.
    assert_int_equal(run("mkdir '%s'", p.working), 0);
    assert_int_equal(run("touch '%s'/of-one-that-was-killed", p.working), 0);
    assert_int_equal(run("flock '%s' true", p.working), 0);
    assert_int_equal(restore(&p, &err), OM_OK);
    check_restored(&p);
    assert_int_equal(restore(&p, &err), OM_E_EXISTS);
    // Backups of what is none.
    struct om_backup_report r;
    assert_int_equal(om_backup_write("/nowhere", p.file, &CARE, &r, &err),
                     OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere"));
    assert_int_equal(
        om_backup_restore("/nowhere", p.working, true, &CARE, &r, &err),
        OM_E_NOTFOUND);
    place_remove(&p);
}

static void error_lost_writes_are_no_backup(void **state)
{
    (void)state;
    struct place p = place_make();
    struct om_err err = {0};
    make_city(p.city, 1000);
    assert_int_equal(run("truncate -s 0 '%s/journal.db'", p.city), 0);
    assert_int_equal(backup(&p, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "journal.db"));
    assert_false(om_file_exists(p.file));
    place_remove(&p);
}

static void error_cut_anywhere(void **state)
{
    (void)state;
    struct place p = place_make();
    struct om_buf whole = {0};
    make_city(p.city, 30000);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(om_file_read(p.file, 1 << 26, &whole, NULL), OM_OK);
    const size_t stride = test_long() ? 1 : whole.len / test_rounds(60);
    for (size_t len = 0; len < whole.len; len += stride) {
        struct om_err err = {0};
        assert_int_equal(om_file_write_whole(p.file, whole.bytes, len, NULL),
                         OM_OK);
        const om_status st = restore(&p, &err);
        assert_true(st == OM_E_DAMAGED || st == OM_E_FORMAT);
        assert_non_null(strstr(err.text, p.file));
        assert_true(nothing_there(&p));
    }
    om_buf_deinit(&whole);
    place_remove(&p);
}

static void error_a_bit_is_another(void **state)
{
    (void)state;
    struct place p = place_make();
    struct om_buf whole = {0};
    size_t refused = 0;
    uint64_t dice = 88172645463325252u;
    make_city(p.city, 30000);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(om_file_read(p.file, 1 << 26, &whole, NULL), OM_OK);
    const size_t rounds = test_long() ? whole.len * 8 : test_rounds(200);
    for (size_t i = 0; i < rounds; i++) {
        struct om_err err = {0};
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        const size_t bit = test_long() ? i : dice % (whole.len * 8);
        whole.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(
            om_file_write_whole(p.file, whole.bytes, whole.len, NULL), OM_OK);
        const om_status st = restore(&p, &err);
        if (st) {
            refused++;
            assert_true(st == OM_E_DAMAGED || st == OM_E_FORMAT ||
                        st == OM_E_VERSION);
            assert_true(nothing_there(&p));
        } else {
            check_restored(&p);  // of no meaning
            assert_int_equal(run("rm -r '%s'", p.other), 0);
        }
        whole.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > rounds * 9 / 10);
    om_buf_deinit(&whole);
    place_remove(&p);
}

static void add_file(struct om_buf *tar, const char *name, const char *text)
{
    static const uint8_t ZEROS[OM_TAR_BLOCK];
    struct om_tar_file file = {.bytes = strlen(text), .mode = 0644};
    snprintf(file.name, sizeof file.name, "%s", name);
    assert_int_equal(om_tar_head_add(&file, tar), OM_OK);
    om_buf_add(tar, text, strlen(text));
    assert_int_equal(om_buf_add(tar, ZEROS, om_tar_padding(strlen(text))),
                     OM_OK);
}

static om_status restore_tar(const struct place *p, const struct om_buf *tar,
                             struct om_err *err)
{
    uint8_t packed[65536];
    size_t len;
    assert_int_equal(
        om_compress(tar->bytes, tar->len, 1, packed, sizeof packed, &len),
        OM_OK);
    assert_int_equal(om_file_write_whole(p->file, packed, len, NULL), OM_OK);
    return restore(p, err);
}

static void error_names_that_lead_elsewhere(void **state)
{
    (void)state;
    static const char *const NAME[] = {"../x", "/tmp/x",     "a/../../x",
                                       "a//x", ".",          "a/.hidden",
                                       "a/",   "layers/\nx", "./x"};
    struct place p = place_make();
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++) {
        struct om_buf tar = {0};
        struct om_err err = {0};
        add_file(&tar, "onemap-backup", "{\"onemap_backup\":1}");
        add_file(&tar, NAME[i], "text");
        assert_int_equal(restore_tar(&p, &tar, &err), OM_E_FORMAT);
        assert_non_null(strstr(err.text, "no name in a city"));
        assert_true(nothing_there(&p));
        om_buf_deinit(&tar);
    }
    place_remove(&p);
}

static void error_other_things_say_what_they_are(void **state)
{
    (void)state;
    struct place p = place_make();
    static const struct {
        const char *first, *text;
        om_status st;
        const char *word;
    } CASE[] = {
        {"readme", "any tar", OM_E_FORMAT, "not a backup"},
        {"onemap-backup", "{\"onemap_backup\":3}", OM_E_VERSION, "version"},
        {"onemap-backup", "{", OM_E_FORMAT, ""},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_buf tar = {0};
        struct om_err err = {0};
        add_file(&tar, CASE[i].first, CASE[i].text);
        assert_int_equal(restore_tar(&p, &tar, &err), CASE[i].st);
        assert_non_null(strstr(err.text, CASE[i].word));
        assert_true(nothing_there(&p));
        om_buf_deinit(&tar);
    }
    struct om_err err = {0};
    assert_int_equal(om_file_write_whole(p.file, "plain text", 10, NULL),
                     OM_OK);
    assert_int_equal(restore(&p, &err), OM_E_FORMAT);
    assert_non_null(strstr(err.text, "not a backup"));
    // A file twice: the second must not be written into the first.
    struct om_buf tar = {0};
    add_file(&tar, "onemap-backup", "{\"onemap_backup\":1}");
    add_file(&tar, "city.json", "{}");
    add_file(&tar, "city.json", "{}");
    assert_int_equal(restore_tar(&p, &tar, &err), OM_E_IO);
    assert_true(nothing_there(&p));
    om_buf_deinit(&tar);
    place_remove(&p);
}

static void fault_at_every_call(void **state)
{
    (void)state;
    static const struct {
        enum om_file_call call;
        int error;
    } FAULT[] = {
        {OM_FILE_WRITE, ENOSPC}, {OM_FILE_SYNC, EIO}, {OM_FILE_RENAME, EROFS}};
    struct place p = place_make();
    make_city(p.city, 100000);
    for (size_t f = 0; f < sizeof FAULT / sizeof *FAULT; f++) {
        for (int restoring = 0; restoring < 2; restoring++) {
            om_status st = OM_E_IO;
            for (size_t n = 1; st; n++) {
                struct om_err err = {0};
                char part[160];
                snprintf(part, sizeof part, "%s.part", p.file);
                if (!restoring)
                    assert_int_equal(
                        om_file_write_whole(p.file, "old", 3, NULL), OM_OK);
                om_file_fail_after(FAULT[f].call, n, FAULT[f].error, false);
                st = restoring ? restore(&p, &err) : backup(&p, &err);
                om_file_fail_after(FAULT[f].call, 0, 0, false);
                if (!st) break;
                assert_int_equal(st, OM_E_IO);
                assert_non_null(strstr(err.text, p.folder));
                assert_false(om_file_exists(part));
                // The last sync, of the folder, is after the name was taken.
                if (FAULT[f].call != OM_FILE_SYNC)
                    assert_true(!restoring || nothing_there(&p));
                if (om_file_exists(p.other))
                    assert_int_equal(run("rm -r '%s'", p.other), 0);
            }
            if (restoring) {
                check_restored(&p);
                assert_int_equal(run("rm -r '%s'", p.other), 0);
            }
        }
    }
    // Half of every write, and it goes on.
    om_file_fail_after(OM_FILE_WRITE, 1, 0, true);
    assert_int_equal(backup(&p, NULL), OM_OK);
    assert_int_equal(restore(&p, NULL), OM_OK);
    om_file_fail_after(OM_FILE_WRITE, 0, 0, false);
    check_restored(&p);
    place_remove(&p);
}

static void fault_no_memory_anywhere(void **state)
{
    (void)state;
    struct place p = place_make();
    make_city(p.city, 1000);
    const size_t live = om_alloc_live();
    for (int restoring = 0; restoring < 2; restoring++) {
        om_status st = OM_E_MEMORY;
        for (size_t n = 1; st; n++) {
            om_alloc_fail_after(n, false);
            st = restoring ? restore(&p, NULL) : backup(&p, NULL);
            om_alloc_fail_after(0, false);
            assert_int_equal(om_alloc_live(), live);
            if (st) assert_int_equal(st, OM_E_MEMORY);
            if (st && restoring) assert_true(nothing_there(&p));
        }
    }
    check_restored(&p);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_read_as_written),
        cmocka_unit_test(head_is_read_by_tar),
        cmocka_unit_test(round_trip_of_a_city),
        cmocka_unit_test(round_trip_without_tokens),
        cmocka_unit_test(round_trip_without_a_journal),
        cmocka_unit_test(damage_of_a_layer_is_not_backed_up),
        cmocka_unit_test(while_it_is_written_to),
        cmocka_unit_test(error_nothing_is_overwritten),
        cmocka_unit_test(error_lost_writes_are_no_backup),
        cmocka_unit_test(error_cut_anywhere),
        cmocka_unit_test(error_a_bit_is_another),
        cmocka_unit_test(error_names_that_lead_elsewhere),
        cmocka_unit_test(error_other_things_say_what_they_are),
        cmocka_unit_test(fault_at_every_call),
        cmocka_unit_test(fault_no_memory_anywhere),
    };
    om_progress_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
