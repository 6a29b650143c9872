// sources: lib/format.c lib/string.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/format.h"

#define CHECK(expected, ...)                                                           \
    do {                                                                               \
        char text[64];                                                                 \
        assert_int_equal(format(text, sizeof text, __VA_ARGS__), sizeof expected - 1); \
        assert_string_equal(text, expected);                                           \
    } while (0)

static void conversions(void **state)
{
    CHECK("plain", "plain");
    CHECK("a-7z", "a%dz", -7);
    CHECK("-2147483648", "%d", INT32_MIN);
    CHECK("-9223372036854775808", "%ld", INT64_MIN);
    CHECK("18446744073709551615", "%lu", UINT64_MAX);
    CHECK("ffff800000000000", "%lx", 0xffff800000000000ul);
    CHECK("4294967295", "%u", UINT32_MAX);
    CHECK("  7|007|-07| -7", "%3d|%03d|%03d|%3d", 7, 7, -7, -7);
    CHECK("x%y", "%c%%%c", 'x', 'y');
    CHECK("  ab", "%4s", "ab");
}

static void it_is_cut_where_the_buffer_ends(void **state)
{
    char text[8] = "#######";
    assert_int_equal(format(text, 5, "%s%lu", "abc", 123456789ul), 4);
    assert_string_equal(text, "abc1");
    assert_int_equal(text[5], '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions),
        cmocka_unit_test(it_is_cut_where_the_buffer_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
