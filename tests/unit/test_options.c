// sources: kernel/options.c lib/format.c lib/string.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/options.h"

static const char *parse(const char *line)
{
    struct boot_info boot = {0};
    memset(&options, 0, sizeof options);
    snprintf(boot.command, sizeof boot.command, "%s", line);
    return options_parse(&boot);
}

static void what_is_known_is_taken(void **state)
{
    assert_null(parse(""));
    assert_null(parse("  kernel.elf\t--exit-port  0xf4 --cores-up all "));
    assert_int_equal(options.exit_port, 0xf4);
    assert_null(parse("--exit-port 501 --probe kmsg"));
    assert_int_equal(options.exit_port, 501);
    assert_string_equal(options.probe, "kmsg");
    assert_int_equal(options.management, 1);
    assert_int_equal(options.slice_us, 2000);
    assert_null(parse("--management 4 --slice-us 50 --granted-slice-us 1000000 --trace states"));
    assert_int_equal(options.management, 4);
    assert_int_equal(options.slice_us, 50);
    assert_int_equal(options.granted_slice_us, 1000000);
    assert_true(options.trace_states);
}

static void what_is_wrong_is_said(void **state)
{
    assert_string_equal(parse("--wrong x"),
                        "the kernel's command line: there is no option --wrong");
    assert_non_null(strstr(parse("--exit-port"), "a value is missing behind --exit-port"));
    assert_non_null(strstr(parse("--exit-port 65536"), "not 65536"));
    assert_non_null(strstr(parse("--exit-port 0x"), "not 0x"));
    assert_non_null(strstr(parse("--exit-port 99999999999999999999"), "not 999"));
    assert_non_null(strstr(parse("--cores-up 3"), "not 3"));
    assert_non_null(strstr(parse("--management 0"), "not 0"));
    assert_non_null(strstr(parse("--management 5"), "not 5"));
    assert_non_null(strstr(parse("--slice-us 49"), "not 49"));
    assert_non_null(strstr(parse("--granted-slice-us 1000001"), "not 1000001"));
    assert_non_null(strstr(parse("--trace all"), "not all"));
    struct boot_info cut = {.command_cut = 1};
    assert_non_null(strstr(options_parse(&cut), "too long"));
}

static void long_words_do_no_harm(void **state)
{
    char line[1500];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    memcpy(line, "--", 2);
    line[700] = ' ';
    assert_non_null(parse(line));
    memcpy(line, "--probe ", 8);
    line[700] = 'x';
    assert_null(parse(line));
    assert_true(strlen(options.probe) < sizeof options.probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_taken),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(long_words_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
