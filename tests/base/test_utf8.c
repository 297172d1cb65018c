/* test_utf8.c -- names out of somebody's file: what is left of hostile ones, how wide they are. */
#include <criterion/criterion.h>
#include <string.h>

#include "utf8.h"

static void cleans(const char *from, const char *to)
{
    char clean[64];
    tr_utf8_clean(clean, sizeof clean, from);
    cr_expect_str_eq(clean, to, "%s", from);
}

Test(utf8, what_is_text_stays)
{
    cleans("cat", "cat");
    cleans("Stra\xc3\x9f"
           "e, \"caf\xc3\xa9\"",
           "Stra\xc3\x9f"
           "e, \"caf\xc3\xa9\"");
    cleans("\xe7\x8c\xab \xf0\x9f\x90\x88", "\xe7\x8c\xab \xf0\x9f\x90\x88"); /* a cat, twice */
    cleans("\xd7\x97\xd7\xaa\xd7\x95\xd7\x9c", "\xd7\x97\xd7\xaa\xd7\x95\xd7\x9c");
}

Test(utf8, what_does_something_to_a_terminal_goes)
{
    cleans("a\033[31mb\r\n\tc\x7f", "a?[31mb???c?");
    cleans("\xc2\x9b"
           "31m",
           "?31m"); /* CSI in one character */
    cleans("a\xe2\x80\xae"
           "b\xe2\x80\xa8",
           "a?b?");
    cleans("\xe2\x81\xa6x\xef\xbb\xbf", "?x?");
}

Test(utf8, what_is_none_is_shown_as_such)
{
    cleans("caf\xe9", "caf?");          /* Latin-1 */
    cleans("\xc0\xaf", "??");           /* a slash in too long a form */
    cleans("\xed\xa0\x80", "???");      /* a surrogate */
    cleans("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
    cleans("\xf8\x88\x80\x80\x80", "?????");
    cleans("\xe7\x8c", "??"); /* ends too early */
    cleans("\x80\xbf", "??");
}

Test(utf8, is_cut_between_characters)
{
    char clean[6];
    tr_utf8_clean(clean, sizeof clean, "abc\xe7\x8c\xab");
    cr_assert_str_eq(clean, "abc");
    tr_utf8_clean(clean, sizeof clean, "ab\xe7\x8c\xab");
    cr_assert_str_eq(clean, "ab\xe7\x8c\xab");
    tr_utf8_clean(clean, 1, "ab");
    cr_assert_str_eq(clean, "");
}

Test(utf8, columns)
{
    cr_assert_eq(tr_utf8_columns(""), 0);
    cr_assert_eq(tr_utf8_columns("cat"), 3);
    cr_assert_eq(tr_utf8_columns("caf\xc3\xa9"), 4);
    cr_assert_eq(tr_utf8_columns("cafe\xcc\x81"), 4); /* the accent is a character of its own */
    cr_assert_eq(tr_utf8_columns("\xe7\x8c\xab"), 2);
    cr_assert_eq(tr_utf8_fitting("cat", 2), 2);
    cr_assert_eq(tr_utf8_fitting("a\xe7\x8c\xab", 2), 1); /* not half of one */
    cr_assert_eq(tr_utf8_fitting("a\xe7\x8c\xab", 3), 4);
}
