/* test_keras_value.c -- Keras's values in our spelling. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras_value.h"

static void value(const tr_key *key, const char *json, const char *expected)
{
    char text[TR_KERAS_TEXT];
    json_t *parsed = json_loads(json, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(parsed, "%s", json);
    const bool fine = tr_keras_value(key, parsed, text);
    cr_expect_eq(fine, expected != NULL, "%s: %s", json, text);
    cr_expect_str_eq(text, expected == NULL ? json : expected);
    json_decref(parsed);
}

Test(keras_value, values_are_written_as_their_key_reads_them)
{
    static const char *const words[] = {"valid", "same", NULL};
    const tr_key number = {.name = "n", .kind = TR_KEY_INT, .min = 1, .max = 9};
    const tr_key real = {.name = "r", .kind = TR_KEY_REAL, .max = 1};
    const tr_key flag = {.name = "f", .kind = TR_KEY_BOOL};
    const tr_key word = {.name = "w", .kind = TR_KEY_CHOICE, .choices = words};
    const tr_key pair = {.name = "p", .kind = TR_KEY_INTS, .count = 2, .min = 1, .max = 9};
    const tr_key sides = {.name = "s", .kind = TR_KEY_INTS, .count = 4, .min = 0, .max = 9};
    const tr_key list = {.name = "l", .kind = TR_KEY_REALS};
    const tr_key text = {.name = "t", .kind = TR_KEY_TEXT};
    value(&number, "3", "3");
    value(&number, "3.0", "3");
    value(&number, "10", NULL);
    value(&number, "3.5", NULL);
    value(&number, "true", NULL);
    value(&real, "0.25", "0.25");
    value(&real, "0.001", "0.001");
    value(&real, "0.0010000000474974513", "0.0010000000474974513");
    value(&real, "1", "1");
    value(&real, "\"0.5\"", NULL);
    value(&flag, "false", "false");
    value(&flag, "0", NULL);
    value(&word, "\"same\"", "same");
    value(&word, "\"causal\"", NULL);
    value(&pair, "[2,3]", "2, 3");
    value(&pair, "2", "2");
    value(&pair, "[2,3,4]", NULL);
    value(&pair, "[]", NULL);
    value(&sides, "[[1,2],[3,4]]", "1, 2, 3, 4");
    value(&sides, "[1,2]", "1, 2");
    value(&list, "[1,0.5]", "1, 0.5");
    value(&text, "\"free\\n[data]\"", NULL);
}

Test(keras_value, equal_in_meaning)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {{"1", "1.0", true},          {"[1,1]", "1", true},
                 {"[1,2]", "1", false},       {"0.20000000298023224", "0.2", true},
                 {"0.3", "0.2", false},       {"null", "0", false},
                 {"\"a\"", "\"a\"", true},    {"[1,1]", "[1.0,1.0]", true},
                 {"[1,1]", "[1,1,1]", false}, {"[]", "1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *a = json_loads(cases[i].a, JSON_DECODE_ANY, NULL);
        json_t *b = json_loads(cases[i].b, JSON_DECODE_ANY, NULL);
        cr_expect_eq(tr_keras_same(a, b), cases[i].same, "%s %s", cases[i].a, cases[i].b);
        cr_expect_eq(tr_keras_same(b, a), cases[i].same, "%s %s", cases[i].b, cases[i].a);
        json_decref(a);
        json_decref(b);
    }
}
