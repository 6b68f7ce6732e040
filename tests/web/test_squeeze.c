/* Scripts as they are served.
 *
 * Plan
 *   blanks_*  go where they part nothing, and stay where they do
 *   texts_*   of all kinds stay as they are, what looks like remarks too
 *   any_*     whatever comes, it ends, and no more comes out than went in
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "web/server/squeeze.h"

static void gives(const char *script, const char *want)
{
    struct om_buf out = {0};
    assert_int_equal(om__script_squeeze(script, strlen(script), &out), OM_OK);
    om_buf_add_byte(&out, 0);
    assert_string_equal(out.bytes, want);
    om_buf_deinit(&out);
}

static void blanks_go_where_they_part_nothing(void **state)
{
    (void)state;
    gives("const a = b + 1;\n", "const a=b+1;\n");
    gives("  return x;  \n\n\n  y()\n", "return x;y()\n");
    gives("a + +b - -c", "a+ +b- -c\n");
    gives("/* one\n two */\nf( 1 ); // last", "f(1);\n");
    gives("a /* in */ b", "a b\n");
    gives("x = a / b / c;", "x=a / b / c;\n");
    gives("for (const é of è) ;", "for(const é of è);\n");
    gives("f(a,\n  b)\ng();\nx = [\n  1\n];\nif (a) {\n  b\n}\nc",
          "f(a,b)\ng();x=[1\n];if(a){b}\nc\n");
    gives("", "");
}

static void texts_stay_as_they_are(void **state)
{
    (void)state;
    gives("s = 'a  // b' + \"c /* d\" ;", "s='a  // b'+\"c /* d\";\n");
    gives("s = 'it\\'s  1' ;", "s='it\\'s  1';\n");
    gives("r = / +[/'] \\/ /.test( s ) ;", "r= / +[/'] \\/ /.test(s);\n");
    gives("return /  a/g;", "return /  a/g;\n");
    gives("f( `a  ${ b + `c  ${ {d : 1} }  e` }  f` )",
          "f(`a  ${b+`c  ${{d:1}}  e`}  f`)\n");
    gives("s = `\\`  ${ x }  \\${ y }` ;", "s=`\\`  ${x}  \\${ y }`;\n");
}

static void any_bytes_are_fine(void **state)
{
    static const char some[] = "a`${}'\"/\\ \n*[]=(b";
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 50000; round++) {
        char script[40];
        struct om_buf out = {0};
        const size_t len = (size_t)round % sizeof script;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            script[i] = some[(seed >> 40) % (sizeof some - 1)];
        }
        assert_int_equal(om__script_squeeze(script, len, &out), OM_OK);
        assert_true(out.len <= len + 1);
        om_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_go_where_they_part_nothing),
        cmocka_unit_test(texts_stay_as_they_are),
        cmocka_unit_test(any_bytes_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
