/* test_problems.c -- the list of mistakes: order, form, limits; and "did you mean". */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "problems.h"

static tr_problems *problems;
static tr_error err;

static void setup(void)
{
    problems = tr_problems_new("x.ini");
    cr_assert_not_null(problems);
}

static void teardown(void)
{
    tr_problems_free(problems);
}

TestSuite(problems, .init = setup, .fini = teardown);

Test(problems, none_is_ok)
{
    cr_assert_eq(tr_problems_count(problems), 0);
    (void)tr_problems_check(problems, &err);
    cr_assert_eq(tr_problems_check(problems, NULL), TR_OK);
    cr_assert_str_eq(tr_problems_path(problems), "x.ini");
}

Test(problems, one_is_a_single_line)
{
    tr_problems_add(problems, 17, "filters = %d", 0);
    cr_assert_eq(tr_problems_check(problems, &err), TR_ERR_CONFIG);
    cr_assert_eq(err.status, TR_ERR_CONFIG);
    cr_assert_str_eq(err.text, "x.ini:17: filters = 0");
    cr_assert_eq(tr_problems_check(problems, NULL), TR_ERR_CONFIG);
}

Test(problems, come_in_line_order_and_line_0_without_path)
{
    tr_problems_add(problems, 9, "c");
    tr_problems_add(problems, 2, "a");
    tr_problems_add(problems, 9, "d");
    tr_problems_add(problems, 0, "--set a.b=c: no");
    tr_problems_add(problems, 5, "b");
    cr_assert_eq(tr_problems_count(problems), 5);
    (void)tr_problems_check(problems, &err);
    cr_assert_str_eq(err.text, "--set a.b=c: no\nx.ini:2: a\nx.ini:5: b\nx.ini:9: c\nx.ini:9: d\n"
                               "5 problems");
}

Test(problems, path_is_copied)
{
    char path[] = "y.ini";
    tr_problems *own = tr_problems_new(path);
    path[0] = 'z';
    tr_problems_add(own, 1, "a");
    (void)tr_problems_check(own, &err);
    cr_assert_str_eq(err.text, "y.ini:1: a");
    tr_problems_free(own);
}

Test(problems, control_characters_do_not_reach_the_terminal)
{
    tr_problems_add(problems, 1, "a\nb\033[2Jc\x7f");
    (void)tr_problems_check(problems, &err);
    cr_assert_str_eq(err.text, "x.ini:1: a?b?[2Jc?");
}

Test(problems, more_than_fit_are_counted)
{
    for (int i = 3000; i > 0; i--)
        tr_problems_add(problems, i, "mistake number %d", i);
    cr_assert_eq(tr_problems_count(problems), 3000);
    cr_assert_eq(tr_problems_check(problems, &err), TR_ERR_CONFIG);
    cr_assert_lt(strlen(err.text), sizeof err.text);
    const char *last = strrchr(err.text, '\n') + 1;
    unsigned n = 0, shown = 0;
    cr_assert_eq(sscanf(last, "%u problems, the first %u shown", &n, &shown), 2, "%s", last);
    cr_assert_eq(n, 3000);
    unsigned lines = 0;
    for (const char *c = err.text; *c != '\0'; c++)
        lines += *c == '\n';
    cr_assert_eq(lines, shown);
    cr_assert_gt(shown, 100);
}

Test(problems, one_longer_than_the_error_is_cut)
{
    char text[20000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tr_problems_add(problems, 1, "%s", text);
    cr_assert_eq(tr_problems_check(problems, &err), TR_ERR_CONFIG);
    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
    tr_problems_add(problems, 2, "b");
    cr_assert_eq(tr_problems_check(problems, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "2 problems, the first 0 shown"));
}

Test(problems, lost_memory_is_never_ok)
{
    for (int k = 0; k < 2; k++) { /* the text, the list */
        tr_problems *own = tr_problems_new("x.ini");
        tr_alloc_fail_after(k);
        tr_problems_add(own, 1, "a");
        tr_alloc_fail_after(-1);
        cr_assert_gt(tr_problems_count(own), 0);
        cr_assert_eq(tr_problems_check(own, &err), TR_ERR_INTERNAL);
        tr_problems_free(own);
    }
    for (int k = 0; k < 2; k++) {
        tr_alloc_fail_after(k);
        cr_assert_null(tr_problems_new("x.ini"));
        tr_alloc_fail_after(-1);
    }
    tr_problems_no_memory(problems);
    cr_assert_eq(tr_problems_count(problems), 1);
    cr_assert_eq(tr_problems_check(problems, &err), TR_ERR_INTERNAL);
    tr_problems_free(NULL);
}

/* ---- names ---- */

static const char *const names[] = {"batch_size", "epochs",        "seed",
                                    "shuffle",    "max_pooling2d", NULL};

static void assert_nearest(const char *word, const char *expected)
{
    const char *nearest = tr_nearest_name(word, names);
    if (expected == NULL)
        cr_assert_null(nearest, "%s -> %s", word, nearest);
    else
        cr_assert(nearest != NULL && strcmp(nearest, expected) == 0, "%s -> %s", word,
                  nearest == NULL ? "nothing" : nearest);
}

Test(names, nearest)
{
    assert_nearest("batchsize", "batch_size");
    assert_nearest("BATCH-SIZE", "batch_size");
    assert_nearest("epoch", "epochs");
    assert_nearest("sede", "seed");
    assert_nearest("shufle", "shuffle");
    assert_nearest("maxpooling2d", "max_pooling2d");
    assert_nearest("max_pool2d", "max_pooling2d");
    assert_nearest("seed", "seed");
}

Test(names, nothing_is_near)
{
    assert_nearest("learning_rate", NULL);
    assert_nearest("", NULL);
    assert_nearest("x", NULL);
    assert_nearest("xyzw", NULL);
    static const char *const two[] = {"ab", NULL};
    cr_assert_null(tr_nearest_name("xy", two), "nothing in common");
    static const char *const none[] = {NULL};
    cr_assert_null(tr_nearest_name("seed", none));
}

Test(names, limit_is_a_third_of_the_longer_word)
{
    static const char *const twelve[] = {"abcdefghijkl", NULL};
    cr_assert_not_null(tr_nearest_name("abcdefgh", twelve), "4 of 12");
    cr_assert_null(tr_nearest_name("abcdefg", twelve), "5 of 12");
    static const char *const four[] = {"abcd", NULL};
    cr_assert_not_null(tr_nearest_name("abxy", four), "2 are always fine");
    cr_assert_null(tr_nearest_name("axyz", four));
}

Test(names, swapped_neighbours_are_one_edit)
{
    static const char *const pair[] = {"moles", "model", NULL};
    cr_assert_str_eq(tr_nearest_name("modle", pair), "model");
}

Test(names, first_wins_a_tie)
{
    static const char *const pair[] = {"avx2", "avx5", NULL};
    cr_assert_str_eq(tr_nearest_name("avx", pair), "avx2");
}

Test(names, very_long_words_are_no_names)
{
    char word[5000];
    memset(word, 's', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    cr_assert_null(tr_nearest_name(word, names));
}

Test(names, join)
{
    static const char *const abc[] = {"one", "two", "three", NULL};
    static const char *const none[] = {NULL};
    char text[64];
    cr_assert_str_eq(tr_join_names(abc, text, sizeof text), "one, two, three");
    cr_assert_str_eq(tr_join_names(abc, text, 16), "one, two, three"); /* just fits */
    cr_assert_str_eq(tr_join_names(abc, text, 15), "one, two, ...");
    cr_assert_str_eq(tr_join_names(none, text, sizeof text), "");
    for (size_t n = 1; n < 20; n++) {
        memset(text, '#', sizeof text);
        tr_join_names(abc, text, n);
        cr_assert_lt(strlen(text), n);
        cr_assert_eq(text[n], '#', "writes beyond %zu", n);
    }
}
