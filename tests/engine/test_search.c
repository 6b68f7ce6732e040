/* Search: characters, forms, candidates, alignments, indexes.
 *
 * Plan
 *   fold_*     one spelling of numbers, widths, scripts; what is left out
 *   index_*    forms, entries and lists are what going through all texts says
 *   align_*    the best alignment is that of a plain recursion, and within what
 *              the sounds of both have in common
 *   recall_*   addresses typed in sixteen ways, the right building first;
 *              other readings, what is not typed to its end, 6-101
 *   damage_*   a byte that is other than what was written is never an answer,
 *              also under checksums that are right
 *   error_*    columns, lengths, encodings, limits
 *   fault_*    every allocation fails once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/layer/file_internal.h"
#include "engine/live/run.h"
#include "engine/search/bag_internal.h"
#include "tests/engine/perturb.h"
#include "tests/folder.h"
#include "tests/rounds.h"

#define VILLAGES 6
#define LANES 12
#define HOUSES 8
#define ROOMS 3
#define ROWS (VILLAGES * LANES * HOUSES * ROOMS)
#define TEXT 160

static const struct om_fold *fold;
static char address[ROWS][TEXT];
static struct om_segment *segment;
static const char *const VILLAGE[VILLAGES] = {
    "白边村", "文乐社区", "龙塘村", "水口社区", "金岭村", "石井社区"};
static const char *const TOWN[VILLAGES] = {"麻涌镇",   "麻涌镇", "东城街道",
                                           "东城街道", "虎门镇", "虎门镇"};

/* Row i: room of a house of a lane of a village. */
static void make_address(size_t i, char *out)
{
    static const char *const LANE[LANES] = {
        "新兴一巷", "新兴二巷",   "新兴三巷", "康华路",
        "长安街",   "人河十二巷", "富民路",   "建设二路",
        "福安巷",   "永丰围路",   "锦绣大街", "环城路"};
    const size_t room = i % ROOMS, house = i / ROOMS % HOUSES;
    const size_t lane = i / ROOMS / HOUSES % LANES;
    const size_t village = i / ROOMS / HOUSES / LANES;
    snprintf(out, TEXT, "东莞市%s%s%s%zu号%zu0%zu房", TOWN[village],
             VILLAGE[village], LANE[lane], 10 + house * 7, room + 1,
             room % 2 + 1);
}

/* A segment in memory of rows with an id and a text. */
static struct om_segment *segment_of(const char *const *text, size_t rows)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = 3,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"text", OM_TYPE_TEXT},
                                               {"n", OM_TYPE_INTEGER}},
                                     .time_field = OM_NO_FIELD};
    struct om_buf ids = {0}, texts = {0};
    uint32_t *id_at = calloc(rows + 1, 4), *text_at = calloc(rows + 1, 4);
    uint64_t *number = calloc(rows + 1, 8);
    int64_t *n = calloc(rows + 1, 8);
    struct om_pos *pos = calloc(rows + 1, sizeof *pos);
    for (size_t i = 0; i < rows; i++) {
        om_buf_addf(&ids, "A%06zu", i);
        om_buf_add_text(&texts, text[i]);
        id_at[i + 1] = (uint32_t)ids.len;
        text_at[i + 1] = (uint32_t)texts.len;
        number[i] = i + 1;
        n[i] = (int64_t)i;
        pos[i] = (struct om_pos){3503000000u + (uint32_t)i, 1861000000u};
    }
    const struct om_batch_column column[] = {
        {.offset = id_at, .bytes = (const char *)ids.bytes},
        {.offset = text_at, .bytes = (const char *)texts.bytes},
        {.integer = n}};
    const struct om_batch batch = {
        .rows = rows, .source_row = number, .pos = pos, .column = column};
    const struct om_batch *list = &batch;
    struct om_segment *out = NULL;
    assert_int_equal(om_run_new(&schema, &list, 1, NULL, &out, NULL), OM_OK);
    om_buf_deinit(&ids);
    om_buf_deinit(&texts);
    free(id_at);
    free(text_at);
    free(number);
    free(n);
    free(pos);
    return out;
}

static int begin(void **state)
{
    (void)state;
    const char *text[ROWS];
    if (om_fold_get(&fold, NULL)) return -1;
    for (size_t i = 0; i < ROWS; i++) {
        make_address(i, address[i]);
        text[i] = address[i];
    }
    segment = segment_of(text, ROWS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    om_segment_unref(segment);
    return 0;
}

/* A row's own text: rows are sorted by place, which is by number here. */
static const char *text_of(uint32_t row)
{
    static struct om_text_reader reader;
    static char out[TEXT];
    const char *id = NULL;
    size_t len;
    assert_int_equal(om_segment_text(segment, 0, row, &reader, &id, &len),
                     OM_OK);
    const size_t i = strtoul(id + 1, NULL, 10);
    om_text_reader_deinit(&reader);
    snprintf(out, sizeof out, "%s", address[i]);
    return out;
}

// ---- fold ----

static void check_same(const char *a, const char *b)
{
    struct om_search_text x, y;
    om_search_fold(fold, a, strlen(a), &x);
    om_search_fold(fold, b, strlen(b), &y);
    if (x.tokens != y.tokens || x.numbers != y.numbers ||
        memcmp(x.token, y.token, x.tokens * sizeof *x.token) != 0 ||
        memcmp(x.number, y.number, x.numbers * sizeof *x.number) != 0)
        fail_msg("%s is not %s", a, b);
}

static void fold_gives_one_spelling(void **state)
{
    (void)state;
    static const char *const SAME[][2] = {
        {"新兴3巷12号302房", "新兴三巷十二号三百零二房"},
        {"新兴３巷１２号", "新兴三巷12号"},
        {"12号", "十二号"},
        {"20号", "二十号"},
        {"110号", "一百一十号"},
        {"105号", "一百零五号"},
        {"1203房", "一二〇三房"},
        {"1020室", "一千零二十室"},
        {"3号路", "三号路"},
        {"21巷", "二十一巷"},
        {"100巷", "一百巷"},
        {"東莞市鎮", "东莞市镇"},
        {"ＡＢＣ店", "abc店"},
        {"东 莞,市—（新）", "东莞市新"},
        {"两栋", "2栋"},
        {"第三网格", "第3网格"},
        {"第十二网格", "第12网格"},
        {"第三路", "第3路"},
        {"5lu6号", "五lu6号"},
        {"12 xiang 3 hao", "十二xiang3hao"},
        {"5luo", "5 luo"},
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        check_same(SAME[i][0], SAME[i][1]);
    struct om_search_text t;
    om_search_fold(fold, "三元里12号", strlen("三元里12号"), &t);
    assert_int_equal(t.numbers, 1);
    assert_int_equal(t.number[0], 12);
    assert_int_equal(t.tokens, 5);
    om_search_fold(fold, "\xff\xe4\xb8东\xc0", 8, &t);
    assert_int_equal(t.tokens, 1);
    om_search_fold(fold, "6 - 101,2", 9, &t);
    assert_int_equal(t.numbers, 3);
    assert_int_equal(t.number[0] * 10000 + t.number[1] * 10 + t.number[2],
                     61012);
    // A telephone is no number of a door, and not cut off.
    om_search_fold(fold, "076922222222", 12, &t);
    assert_int_equal(t.numbers, 0);
    assert_int_equal(t.tokens, 12);
}

static void fold_is_bounded(void **state)
{
    (void)state;
    struct om_search_text t;
    char text[4096];
    for (unsigned seed = 1; seed < 400; seed++) {
        uint64_t random = seed;
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = seed % 2 ? (char)perturb_random(&random, 256)
                               : "1一号\xe4"[perturb_random(&random, 8)];
        om_search_fold(fold, text, sizeof text, &t);
        assert_true(t.tokens <= OM_SEARCH_TOKENS);
        assert_true(t.numbers <= OM_SEARCH_NUMBERS);
        size_t numbers = 0;
        for (size_t i = 0; i < t.tokens; i++)
            numbers += t.token[i] == OM_TOKEN_NUMBER;
        assert_int_equal(numbers, t.numbers);
    }
}

static void fold_knows_how_characters_sound(void **state)
{
    (void)state;
    static const struct {
        uint16_t token;
        const char *sound;
    } KNOWN[] = {{u'东', "dong"},   {u'莞', "guan"}, {u'镇', "zhen"},
                 {u'霜', "shuang"}, {u'绿', "lu"},   {u'二', "er"}};
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        assert_string_equal(om_fold_spelled(fold, fold->sound[KNOWN[i].token]),
                            KNOWN[i].sound);
    assert_string_equal(om_fold_spelled(fold, fold->sound['a']), "");
    for (size_t i = 0; i < fold->syllables; i++)
        assert_int_equal(om_fold_syllable(fold, fold->syllable[i],
                                          strlen(fold->syllable[i])),
                         i);
    static const struct {
        uint16_t token;
        const char *sound[2];
    } TWICE[] = {{u'长', {"chang", "zhang"}}, {u'涌', {"chong", "yong"}}};
    for (size_t i = 0; i < sizeof TWICE / sizeof *TWICE; i++) {
        uint16_t main[OM_FOLD_OTHERS];
        const uint16_t token = TWICE[i].token, other = fold->other[token];
        const char *a = om_fold_spelled(fold, fold->sound[token]);
        const char *b = om_fold_spelled(fold, other);
        const bool swapped = !strcmp(a, TWICE[i].sound[1]);
        assert_string_equal(a, TWICE[i].sound[swapped]);
        assert_string_equal(b, TWICE[i].sound[!swapped]);
        const size_t n = om_fold_others(fold, other, main);
        bool has = false;
        for (size_t k = 0; k < n; k++)
            has = has || main[k] == fold->sound[token];
        assert_true(has);
    }
    uint16_t none[OM_FOLD_OTHERS];
    assert_int_equal(om_fold_others(fold, fold->sound[u'镇'], none), 0);
    assert_int_equal(om_fold_others(fold, 'a', none), 0);
    assert_int_equal(om_fold_syllable(fold, "xyz", 3), -1);
    assert_int_equal(om_fold_syllable(fold, "", 0), -1);
}

// ---- index ----

static void index_has_every_text_once(void **state)
{
    (void)state;
    struct om_search_index *index;
    static bool seen[ROWS];
    size_t rows = 0;
    assert_int_equal(om_search_index_build(segment, 1, NULL, &index, NULL),
                     OM_OK);
    for (size_t f = 0; f < om_search_index_forms(index); f++) {
        struct om_form form;
        assert_int_equal(om_search_index_form(index, f, &form), OM_OK);
        for (size_t e = 0; e < form.entries; e++) {
            struct om_search_text t;
            const char *text = text_of(form.row[e]);
            om_search_fold(fold, text, strlen(text), &t);
            assert_int_equal(t.tokens, form.tokens);
            assert_memory_equal(t.token, form.token, t.tokens * 2);
            assert_int_equal(t.numbers, form.numbers);
            assert_memory_equal(t.number, form.number + e * form.numbers,
                                t.numbers * 4);
            assert_false(seen[form.row[e]]);
            seen[form.row[e]] = true;
            rows++;
            if (e && form.numbers)
                assert_true(form.number[(e - 1) * form.numbers] <=
                            form.number[e * form.numbers]);
        }
    }
    assert_int_equal(rows, ROWS);
    om_search_index_unref(index);
}

static bool form_has(const struct om_form *form, enum om_gram_kind kind,
                     uint32_t gram)
{
    int letter[OM_SEARCH_TOKENS];
    size_t letters = 0;
    for (size_t i = 0; i < form->tokens; i++) {
        const uint16_t a = i ? form->token[i - 1] : 0, b = form->token[i];
        const uint16_t first = i ? fold->sound[a] : OM_SOUND_BEGIN;
        if (kind == OM_GRAM_SOUNDS && a != OM_TOKEN_NUMBER &&
            b != OM_TOKEN_NUMBER &&
            gram == om_gram_sounds(first, fold->sound[b]))
            return true;
        if (b != OM_TOKEN_NUMBER) letter[letters++] = om_token_initial(fold, b);
    }
    for (size_t i = 2; kind == OM_GRAM_INITIALS && i < letters; i++)
        if (letter[i] >= 0 && letter[i - 1] >= 0 && letter[i - 2] >= 0 &&
            gram == om_gram_initials(letter[i - 2], letter[i - 1], letter[i]))
            return true;
    return false;
}

static void check_lists(const struct om_search_index *index,
                        const struct om__question *q, enum om__reading reading)
{
    for (size_t g = 0; g < q->grams[reading]; g++) {
        struct om_posts posts;
        const struct om__gram gram = q->gram[reading][g];
        assert_int_equal(
            om_search_index_posts(index, gram.kind, gram.gram, &posts), OM_OK);
        bool more = om_posts_next(&posts);
        for (size_t f = 0; f < om_search_index_forms(index); f++) {
            struct om_form form;
            assert_int_equal(om_search_index_form(index, f, &form), OM_OK);
            const bool listed = more && posts.form == f;
            assert_int_equal(listed, form_has(&form, gram.kind, gram.gram));
            if (listed) more = om_posts_next(&posts);
        }
        assert_false(more);
    }
}

static void index_lists_are_those_of_all_forms(void **state)
{
    (void)state;
    struct om_search_index *index;
    assert_int_equal(om_search_index_build(segment, 1, NULL, &index, NULL),
                     OM_OK);
    for (size_t i = 0; i < ROWS; i += ROWS / 9) {
        static struct om__question q;
        om__question_read(fold, address[i], strlen(address[i]), &q);
        check_lists(index, &q, OM__READ_SOUNDS);
        om__question_read(fold, "dgsmyzbbcxxsx12h", 16, &q);
        check_lists(index, &q, OM__READ_INITIALS);
        om__question_read(fold, "baibiancunxinxingsanxiang", 25, &q);
        check_lists(index, &q, OM__READ_SOUNDS);
    }
    om_search_index_unref(index);
}

static void index_does_not_depend_on_threads(void **state)
{
    (void)state;
    char folder[64], path[2][80];
    assert_true(test_folder("onemap-search", folder, sizeof folder));
    struct om_buf file[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct om_search_index *index;
        snprintf(path[i], sizeof path[i], "%s/%c", folder, 'a' + i);
        assert_int_equal(
            om_search_index_build(segment, 1, path[i], &index, NULL), OM_OK);
        om_search_index_unref(index);
        assert_int_equal(
            om_search_index_open(path[i], segment, 1, &index, NULL), OM_OK);
        om_search_index_unref(index);
        // Another column's is not this one's.
        assert_int_equal(
            om_search_index_open(path[i], segment, 0, &index, NULL),
            OM_E_VERSION);
        assert_int_equal(om_file_read(path[i], SIZE_MAX, &file[i], NULL),
                         OM_OK);
        unlink(path[i]);
    }
    rmdir(folder);
    assert_int_equal(file[0].len, file[1].len);
    assert_memory_equal(file[0].bytes, file[1].bytes, file[0].len);
    om_buf_deinit(&file[0]);
    om_buf_deinit(&file[1]);
}

// ---- a small city of one layer, without files ----

/* What om_search_run does with one index: the best row, by the same steps. */
static const char *best_of(const struct om_search_index *index,
                           const char *typed, struct om_arena *arena)
{
    static struct om__question q;
    static struct om__candidate candidate[OM__CANDIDATES];
    static char out[TEXT];
    struct om__aligner *aligner;
    size_t count;
    float best = -1e9F;
    out[0] = '\0';
    assert_int_equal(om__aligner_new(arena, &aligner), OM_OK);
    om__question_read(fold, typed, strlen(typed), &q);
    for (int r = 0; r < OM__READINGS; r++) {
        if (!q.reads[r]) continue;
        assert_int_equal(om__candidates_find(index, &q, (enum om__reading)r,
                                             candidate, &count),
                         OM_OK);
        for (size_t i = 0; i < count; i++) {
            struct om_form form;
            struct om__alignment a;
            assert_int_equal(
                om_search_index_form(index, candidate[i].form, &form), OM_OK);
            om__align(aligner, &q, (enum om__reading)r, form.token, form.tokens,
                      0, &a);
            assert_true(a.score <=
                        om__align_most(&q, (enum om__reading)r, form.tokens) +
                            1e-3F);
            const struct om__range range = om__entries_fit(&q, &a, &form);
            assert_true(range.from < range.to && range.to <= form.entries);
            const float score =
                (a.score - 2 * (float)range.missing) / q.total[r];
            if (score <= best) continue;
            best = score;
            snprintf(out, sizeof out, "%s", text_of(form.row[range.from]));
        }
    }
    om_arena_reset(arena);
    return out;
}

/* Do two addresses name the same house? */
static bool same_house(const char *a, const char *b)
{
    const char *end = strstr(a, "号");
    return end && !strncmp(a, b, (size_t)(end - a) + strlen("号"));
}

static void recall_of_each_class(void **state)
{
    (void)state;
    struct om_search_index *index;
    struct om_arena arena = {0};
    uint64_t random = PERTURB_SEED;
    const size_t rounds = test_rounds(60);
    size_t all = 0;
    assert_int_equal(om_search_index_build(segment, 1, NULL, &index, NULL),
                     OM_OK);
    for (int k = 0; k < PERTURBATIONS; k++) {
        size_t right = 0;
        for (size_t i = 0; i < rounds; i++) {
            char typed[PERTURB_MOST * 8];
            const size_t row = perturb_random(&random, ROWS);
            const size_t village = row / ROOMS / HOUSES / LANES;
            const struct perturbed p = {fold, address[row], VILLAGE[village],
                                        TOWN[village], &random};
            perturb(&p, (enum perturbation)k, typed);
            right += same_house(address[row], best_of(index, typed, &arena));
        }
        // Lanes without their village are in all of a town's.
        const double least = k == LEVELS_DROPPED ? 0.6 : 0.85;
        if ((double)right < least * (double)rounds)
            fail_msg("%s: %zu of %zu", PERTURBATION[k], right, rounds);
        all += right;
    }
    assert_true((double)all >= 0.95 * (double)(rounds * PERTURBATIONS));
    om_arena_deinit(&arena);
    om_search_index_unref(index);
}

/* The first text that is found for what is typed. */
static void check_found(const char *const *text, size_t rows,
                        const char *const (*typed)[2], size_t count)
{
    struct om_search_index *index;
    struct om_arena arena = {0};
    struct om__aligner *aligner;
    struct om_segment *names = segment_of(text, rows);
    assert_int_equal(om_search_index_build(names, 1, NULL, &index, NULL),
                     OM_OK);
    assert_int_equal(om__aligner_new(&arena, &aligner), OM_OK);
    for (size_t t = 0; t < count; t++) {
        static struct om__question q;
        static struct om__candidate candidate[OM__CANDIDATES];
        float best = 0.5F;
        size_t found = SIZE_MAX, n;
        om__question_read(fold, typed[t][0], strlen(typed[t][0]), &q);
        for (int r = 0; r < OM__READINGS; r++) {
            if (!q.reads[r]) continue;
            assert_int_equal(om__candidates_find(index, &q, (enum om__reading)r,
                                                 candidate, &n),
                             OM_OK);
            for (size_t i = 0; i < n; i++) {
                struct om_form form;
                struct om__alignment a;
                assert_int_equal(
                    om_search_index_form(index, candidate[i].form, &form),
                    OM_OK);
                om__align(aligner, &q, (enum om__reading)r, form.token,
                          form.tokens, 0, &a);
                const struct om__range range = om__entries_fit(&q, &a, &form);
                const float score =
                    (a.score - 2 * (float)range.missing) / q.total[r] +
                    a.coverage / 100;
                if (score <= best) continue;
                best = score;
                const char *id = NULL;
                size_t len;
                struct om_text_reader reader = {0};
                assert_int_equal(om_segment_text(names, 0, form.row[range.from],
                                                 &reader, &id, &len),
                                 OM_OK);
                found = strtoul(id + 1, NULL, 10);
                om_text_reader_deinit(&reader);
            }
        }
        if (found == SIZE_MAX || strcmp(text[found], typed[t][1]) != 0)
            fail_msg("%s: %s, not %s", typed[t][0],
                     found == SIZE_MAX ? "nothing" : text[found], typed[t][1]);
    }
    om_arena_deinit(&arena);
    om_search_index_unref(index);
    om_segment_unref(names);
}

static void recall_of_other_readings_and_while_typing(void **state)
{
    (void)state;
    static const char *const NAME[] = {"长安镇", "麻涌镇",  "虎门镇",
                                       "塘厦镇", "常平镇",  "东城路",
                                       "新岗村", "东城街道"};
    static const char *const TYPED[][2] = {
        {"changan", "长安镇"},
        {"chang'an", "长安镇"},
        {"changanzhen", "长安镇"},
        {"zhangan", "长安镇"},
        {"machong", "麻涌镇"},
        {"mayong", "麻涌镇"},
        {"tangxia", "塘厦镇"},
        {"tangsha", "塘厦镇"},
        {"hum", "虎门镇"},
        {"hume", "虎门镇"},
        {"humenz", "虎门镇"},
        {"humenzhe", "虎门镇"},
        {"changp", "常平镇"},
        {"changping", "常平镇"},
        {"machon", "麻涌镇"},
        {"东城jied", "东城街道"},
        {"Chang'an Town", "长安镇"},
        {"MACHONG TOWN", "麻涌镇"},
        {"Dongcheng Road", "东城路"},
        {"the Dongcheng Subdistrict", "东城街道"},
        {"麻涌镇对面", "麻涌镇"},
        {"東城路旁", "东城路"},
        {"虎门镇斜对面附近", "虎门镇"},
        {"humen zhen旁边", "虎门镇"},
        {"xingangcun", "新岗村"},
        {"xin'gang", "新岗村"},
    };
    check_found(NAME, sizeof NAME / sizeof *NAME, TYPED,
                sizeof TYPED / sizeof *TYPED);
}

static void recall_of_numbers_without_their_words(void **state)
{
    (void)state;
    static const char *const NAME[] = {
        "银富工业五路6号1栋101铺", "银富工业五路6号2栋201房",
        "银富工业五路14号4栋101铺", "银富工业五路14号6栋302房"};
    static const char *const TYPED[][2] = {
        {"银富工业五路6-101", "银富工业五路6号1栋101铺"},
        {"银富工业五路6-201", "银富工业五路6号2栋201房"},
        {"银富工业五路14-302", "银富工业五路14号6栋302房"},
        {"银富工业5路6-1-101", "银富工业五路6号1栋101铺"},
        {"yinfugongye5lu14-302", "银富工业五路14号6栋302房"},
    };
    check_found(NAME, sizeof NAME / sizeof *NAME, TYPED,
                sizeof TYPED / sizeof *TYPED);
}

// ---- alignment ----

/* The worth of a question of Han characters on a form, by trying all ways: what
 * align.c says in a table. `open`: in the middle of a stretch left out. */
static float try_all(const struct om__question *q, const uint16_t *token,
                     size_t tokens, size_t i, size_t j, bool open)
{
    if (i == q->atoms) return 0;
    const float w = q->atom[i].weight;
    float best = try_all(q, token, tokens, i + 1, j, false) - 0.6F * w;
    if (j == tokens) return best;
    const bool fits = q->atom[i].token == token[j];
    const bool sounds = q->atom[i].sound == fold->sound[token[j]];
    float other =
        try_all(q, token, tokens, i + 1, j + 1, false) + (fits     ? w
                                                          : sounds ? 0.8F * w
                                                                   : -0.5F * w);
    if (other > best) best = other;
    other = try_all(q, token, tokens, i, j + 1, i > 0);
    if (i > 0)
        other -=
            (open ? 0 : 0.25F) + (om_token_is_suffix(token[j]) ? 0.01F : 0.03F);
    if (other > best) best = other;
    if (!fits && i + 1 < q->atoms && j + 1 < tokens &&
        q->atom[i].token == token[j + 1] && q->atom[i + 1].token == token[j]) {
        other = try_all(q, token, tokens, i + 2, j + 2, false) +
                0.85F * (w + q->atom[i + 1].weight);
        if (other > best) best = other;
    }
    return best;
}

static void align_as_trying_all_ways(void **state)
{
    (void)state;
    static const uint32_t CHARACTER[] = {u'东', u'冬', u'镇', u'路', u'华'};
    struct om_arena arena = {0};
    struct om__aligner *aligner;
    uint64_t random = 3;
    assert_int_equal(om__aligner_new(&arena, &aligner), OM_OK);
    for (size_t round = 0; round < test_rounds(400); round++) {
        static struct om__question q;
        char typed[64], text[64], *at = typed;
        struct om_search_text form;
        struct om__alignment a;
        for (size_t n = 1 + perturb_random(&random, 5); n > 0; n--)
            at = perturb_put(at, CHARACTER[perturb_random(&random, 5)]);
        at = text;
        for (size_t n = 1 + perturb_random(&random, 5); n > 0; n--)
            at = perturb_put(at, CHARACTER[perturb_random(&random, 5)]);
        om__question_read(fold, typed, strlen(typed), &q);
        om_search_fold(fold, text, strlen(text), &form);
        om__align(aligner, &q, OM__READ_SOUNDS, form.token, form.tokens, 0, &a);
        const float want = try_all(&q, form.token, form.tokens, 0, 0, false);
        if (a.score < want - 1e-4F || a.score > want + 1e-4F)
            fail_msg("%s on %s: %f is not %f", typed, text, (double)a.score,
                     (double)want);
    }
    om_arena_deinit(&arena);
}

/* What an alignment finds is in the bag of the form, however it is typed. */
static void align_finds_nothing_beyond_the_bag(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om__aligner *aligner;
    uint64_t random = 5;
    size_t found = 0;
    assert_int_equal(om__aligner_new(&arena, &aligner), OM_OK);
    for (size_t round = 0; round < test_rounds(400); round++) {
        static struct om__question q;
        static struct om__bag bag;
        char typed[PERTURB_MOST * 8];
        struct om__mask sure = {0};
        struct om_search_text form;
        struct om__alignment a;
        const char *text = address[perturb_random(&random, ROWS)];
        const char *other = address[perturb_random(&random, ROWS)];
        const struct perturbed p = {fold, text, "", "", &random};
        perturb(&p, (enum perturbation)(round % PERTURBATIONS), typed);
        // Not to its end: somebody is typing.
        size_t cut = 6 + perturb_random(&random, 60);
        while (cut < strlen(typed) &&
               ((unsigned char)typed[cut] & 0xC0) == 0x80)
            cut++;
        if (cut < strlen(typed)) typed[cut] = '\0';
        memset(&bag, 0, sizeof bag);
        om__question_read(fold, typed, strlen(typed), &q);
        assert_true(om__bag_all(&bag, &q, &sure));
        om_search_fold(fold, round % 2 ? text : other,
                       strlen(round % 2 ? text : other), &form);
        om__bag_text(&bag, fold, form.token, form.tokens, &sure);
        om__align(aligner, &q, OM__READ_SOUNDS, form.token, form.tokens, 0, &a);
        for (size_t i = 0; i < q.atoms; i++) {
            if (a.seen[i] && !om__mask_has(&sure, i))
                fail_msg("%s on %s: atom %zu", typed, text, i);
            found += a.seen[i];
        }
        assert_true(a.score <=
                    om__mask_weight(&sure, &q, OM__READ_SOUNDS) + 1e-3F);
    }
    assert_true(found > 400);
    om_arena_deinit(&arena);
}

// ---- damage, errors, faults ----

/* Ask an index of any bytes; what comes back is an error or lies within. */
static void read_all(const struct om_search_index *index)
{
    static struct om__question q;
    static struct om__candidate candidate[OM__CANDIDATES];
    size_t count;
    om__question_read(fold, address[0], strlen(address[0]), &q);
    if (om__candidates_find(index, &q, OM__READ_SOUNDS, candidate, &count))
        count = 0;
    for (size_t i = 0; i < count; i++) {
        struct om_form form;
        if (om_search_index_form(index, candidate[i].form, &form)) continue;
        uint64_t sum = 0;
        for (size_t e = 0; e < form.entries; e++) {
            assert_true(form.row[e] < ROWS);
            for (size_t k = 0; k < form.numbers; k++)
                sum += form.number[e * form.numbers + k];
        }
        for (size_t k = 0; k < form.tokens; k++) sum += form.token[k];
        assert_true(sum > 0 || form.tokens == 0);
    }
}

static void damage_is_an_error_or_harmless(void **state)
{
    (void)state;
    char folder[64], path[80];
    struct om_search_index *index;
    struct om_buf file = {0};
    assert_true(test_folder("onemap-search", folder, sizeof folder));
    snprintf(path, sizeof path, "%s/c", folder);
    assert_int_equal(om_search_index_build(segment, 1, path, &index, NULL),
                     OM_OK);
    om_search_index_unref(index);
    assert_int_equal(om_file_read(path, SIZE_MAX, &file, NULL), OM_OK);
    const size_t step = file.len / test_rounds(700) + 1;
    for (int sealed = 0; sealed < 2; sealed++)
        for (size_t at = (size_t)sealed; at < file.len; at += step) {
            uint8_t *spoilt = malloc(file.len);
            assert_non_null(spoilt);
            memcpy(spoilt, file.bytes, file.len);
            spoilt[at] ^= (uint8_t)(1 + at % 255);
            if (sealed) om__file_reseal(spoilt, file.len);
            assert_int_equal(om_file_write_whole(path, spoilt, file.len, NULL),
                             OM_OK);
            free(spoilt);
            if (om_search_index_open(path, segment, 1, &index, NULL)) continue;
            read_all(index);
            om_search_index_unref(index);
        }
    om_buf_deinit(&file);
    unlink(path);
    rmdir(folder);
}

static void error_what_cannot_be_searched(void **state)
{
    (void)state;
    struct om_search_index *index;
    struct om_err err = {0};
    assert_int_equal(om_search_index_build(segment, 2, NULL, &index, &err),
                     OM_E_TYPE);
    assert_int_equal(om_search_index_build(segment, 99, NULL, &index, &err),
                     OM_E_TYPE);
    assert_int_equal(
        om_search_index_build(segment, 1, "/nowhere/at/all", &index, &err),
        OM_E_IO);
    assert_int_equal(
        om_search_index_open("/nowhere/at/all", segment, 1, &index, &err),
        OM_E_NOTFOUND);
}

static void error_texts_without_anything_to_find(void **state)
{
    (void)state;
    static const char *const TEXT_OF[] = {"", "12", "，。", "12 34", "店"};
    struct om_search_index *index;
    struct om_segment *s = segment_of(TEXT_OF, 5);
    assert_int_equal(om_search_index_build(s, 1, NULL, &index, NULL), OM_OK);
    assert_int_equal(om_search_index_forms(index), 1);
    om_search_index_unref(index);
    om_segment_unref(s);
    s = segment_of(TEXT_OF, 0);
    assert_int_equal(om_search_index_build(s, 1, NULL, &index, NULL), OM_OK);
    assert_int_equal(om_search_index_forms(index), 0);
    om_search_index_unref(index);
    om_segment_unref(s);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const FEW[] = {"东城路12号", "东城路13号", "莞城街"};
    struct om_segment *s = segment_of(FEW, 3);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t k = 1; st; k++) {
        static struct om__question q;
        static struct om__candidate candidate[OM__CANDIDATES];
        struct om_search_index *index = NULL;
        size_t count;
        om_alloc_fail_after(k, false);
        st = om_search_index_build(s, 1, NULL, &index, NULL);
        if (!st) {
            om__question_read(fold, FEW[0], strlen(FEW[0]), &q);
            st = om__candidates_find(index, &q, OM__READ_SOUNDS, candidate,
                                     &count);
        }
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_search_index_unref(index);
        assert_int_equal(om_alloc_live(), live);
    }
    om_segment_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_gives_one_spelling),
        cmocka_unit_test(fold_is_bounded),
        cmocka_unit_test(fold_knows_how_characters_sound),
        cmocka_unit_test(index_has_every_text_once),
        cmocka_unit_test(index_lists_are_those_of_all_forms),
        cmocka_unit_test(index_does_not_depend_on_threads),
        cmocka_unit_test(recall_of_each_class),
        cmocka_unit_test(recall_of_other_readings_and_while_typing),
        cmocka_unit_test(recall_of_numbers_without_their_words),
        cmocka_unit_test(align_as_trying_all_ways),
        cmocka_unit_test(align_finds_nothing_beyond_the_bag),
        cmocka_unit_test(damage_is_an_error_or_harmless),
        cmocka_unit_test(error_what_cannot_be_searched),
        cmocka_unit_test(error_texts_without_anything_to_find),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
