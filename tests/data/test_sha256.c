// Plan
//   known_*   digests of FIPS 180-4 and of other implementations
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka wants the headers above first
#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/sha256.h"

static void known_digests_come_out(void **state)
{
    (void)state;
    // The examples of NIST for one block, for two, and for a million letters.
    static const struct {
        const char *text, *hex;
    } KNOWN[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
         "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char hex[OM_SHA256_HEX_BYTES];
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        om_sha256_hex(KNOWN[i].text, strlen(KNOWN[i].text), hex);
        assert_string_equal(hex, KNOWN[i].hex);
    }
    char *million = om_alloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    om_sha256_hex(million, 1000000, hex);
    assert_string_equal(
        hex,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    om_free(million);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
