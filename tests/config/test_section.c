/* test_section.c -- reading a section against a table: every kind of value, every refusal. */
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ini_file.h"
#include "ini_fixture.h"
#include "mem.h"
#include "section.h"

typedef struct fields {
    int64_t units, threads, big;
    double rate, half_open, low_only, high_only;
    tr_ratio scale;
    bool flag;
    int choice;
    unsigned set;
    const char *text, *note;
    int64_t pair[2], triple[3];
    tr_reals reals;
    tr_call call;
} fields;

static const char *const colours[] = {"red", "green", "blue", NULL};

static const char *const axes[] = {"0", "1", "2", NULL};
static const tr_key norm[] = {
    {.name = "most", .kind = TR_KEY_REAL, .fallback = "2", .max = 9},
    {.name = "axis", .kind = TR_KEY_CHOICES, .fallback = "0", .choices = axes},
    {.name = "colour", .kind = TR_KEY_CHOICE, .fallback = "blue", .choices = colours},
    {.name = "seed", .kind = TR_KEY_INT, .fallback = "-1", .min = -1, .max = 9},
};
static const tr_callable functions[] = {
    {.name = "none"}, {"norm", NULL, norm, 4, "doc"}, {.name = NULL}};

static const tr_key keys[] = {
    {"units", TR_KEY_INT, offsetof(fields, units), "7", .min = 1, .max = 4096},
    {"threads", TR_KEY_INT, offsetof(fields, threads), "auto", .max = 1024, .zero_word = "auto"},
    {"big", TR_KEY_INT, offsetof(fields, big), "0", .doc = NULL},
    {"rate", TR_KEY_REAL, offsetof(fields, rate), "0.5", .doc = NULL},
    {"half_open", TR_KEY_REAL, offsetof(fields, half_open), "0", .max = 1, .below_max = true},
    {"low_only", TR_KEY_REAL, offsetof(fields, low_only), "1", .max = INFINITY},
    {"high_only", TR_KEY_REAL, offsetof(fields, high_only), "1", .min = -INFINITY, .max = 2},
    {"scale", TR_KEY_RATIO, offsetof(fields, scale), "1", .max = INFINITY, .above_min = true},
    {"flag", TR_KEY_BOOL, offsetof(fields, flag), "false", .doc = NULL},
    {"choice", TR_KEY_CHOICE, offsetof(fields, choice), "green", .choices = colours},
    {"set", TR_KEY_CHOICES, offsetof(fields, set), "", .choices = colours},
    {"text", TR_KEY_TEXT, offsetof(fields, text), "hello", .doc = NULL},
    {"note", TR_KEY_TEXT, offsetof(fields, note), "", .doc = NULL},
    {"pair", TR_KEY_INTS, offsetof(fields, pair), "2", .min = 1, .max = 9, .count = 2},
    {"triple", TR_KEY_INTS, offsetof(fields, triple), "1, 2, 3", .min = 0, .max = 9, .count = 3},
    {"reals", TR_KEY_REALS, offsetof(fields, reals), "0.5", .max = 1e6, .above_min = true},
    {"call", TR_KEY_CALL, offsetof(fields, call), "none", .functions = functions},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

static tr_problems *problems;
static tr_ini *ini;
static fields values;
static tr_error err;

static void teardown(void)
{
    tr_ini_free(ini);
    tr_problems_free(problems);
    fixture_close();
}

TestSuite(section, .init = fixture_open, .fini = teardown);

/* Reads "[s]\n" + text; the first line of `text` is line 2. */
static bool read_with(const tr_key *table, size_t n, const char *text, const char *override)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "[s]\n%s", text);
    tr_ini_free(ini);
    tr_problems_free(problems);
    ini = NULL;
    problems = tr_problems_new(fixture_text(whole));
    memset(&values, 0, sizeof values);
    err.text[0] = '\0';
    cr_assert_eq(
        tr_ini_load(&ini, fixture_path, &override, override == NULL ? 0 : 1, problems, &err),
        TR_OK);
    const bool ok = tr_section_read(tr_ini_find(ini, "s"), table, n, &values, problems);
    cr_assert_eq(tr_problems_check(problems, &err) == TR_OK, ok, "%s", err.text);
    return ok;
}

static bool read_text(const char *text)
{
    return read_with(keys, N_KEYS, text, NULL);
}

static void assert_refused(const char *line, const char *expected)
{
    cr_assert_not(read_text(line), "accepted: %s", line);
    assert_problem(&err, 2, "[s] ", line, ": must be ", expected, NULL);
    cr_assert_eq(tr_problems_count(problems), 1);
}

Test(section, defaults)
{
    cr_assert(read_text(""), "%s", err.text);
    cr_assert_eq(values.units, 7);
    cr_assert_eq(values.threads, 0);
    cr_assert_eq(values.rate, 0.5);
    cr_assert(values.scale.num == 1 && values.scale.den == 1);
    cr_assert_not(values.flag);
    cr_assert_eq(values.choice, 1);
    cr_assert_eq(values.set, 0);
    cr_assert_str_eq(values.text, "hello");
    cr_assert_str_eq(values.note, "");
    cr_assert(values.pair[0] == 2 && values.pair[1] == 2);
    cr_assert(values.triple[0] == 1 && values.triple[1] == 2 && values.triple[2] == 3);
    const tr_section *section = tr_ini_find(ini, "s");
    cr_assert_eq(section->n_entries, N_KEYS, "each default becomes an entry");
    cr_assert(tr_section_find(section, "units")->is_default);
    cr_assert_eq(tr_section_line(section, "units"), 1, "a default is reported at the header");
}

Test(section, values)
{
    cr_assert(read_text("units = 4096\nthreads=12\nbig: -9223372036854775808\nrate = -1.5e-3\n"
                        "half_open = 0.999\nlow_only = 1e30\nhigh_only = -1e30\nscale = 1 / 255\n"
                        "flag = Yes\nchoice = blue\nset = red , blue\ntext = a b=c:d\n"
                        "pair = 3, 4\ntriple = 0,5,9\n"),
              "%s", err.text);
    cr_assert_eq(values.units, 4096);
    cr_assert_eq(values.threads, 12);
    cr_assert_eq(values.big, INT64_MIN);
    cr_assert_eq(values.rate, -1.5e-3);
    cr_assert_eq(values.half_open, 0.999);
    cr_assert_eq(values.low_only, 1e30);
    cr_assert_eq(values.high_only, -1e30);
    cr_assert(values.scale.num == 1 && values.scale.den == 255);
    cr_assert(values.flag);
    cr_assert_eq(values.choice, 2);
    cr_assert_eq(values.set, 1u << 0 | 1u << 2);
    cr_assert_str_eq(values.text, "a b=c:d");
    cr_assert(values.pair[0] == 3 && values.pair[1] == 4);
    cr_assert(values.triple[0] == 0 && values.triple[1] == 5 && values.triple[2] == 9);
    cr_assert_eq(tr_section_line(tr_ini_find(ini, "s"), "threads"), 3);
}

Test(section, spellings_of_bool)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "True", "ON"};
    static const char *const no[] = {"false", "no", "off", "0", "FALSE", "Off"};
    char line[64];
    for (size_t i = 0; i < 6; i++) {
        snprintf(line, sizeof line, "flag = %s\n", yes[i]);
        cr_assert(read_text(line) && values.flag, "%s", line);
        snprintf(line, sizeof line, "flag = %s\n", no[i]);
        cr_assert(read_text(line) && !values.flag, "%s", line);
    }
    assert_refused("flag = maybe", "true or false");
    assert_refused("flag = 2", "true or false");
    assert_refused("flag =", "true or false");
}

Test(section, integers_are_whole_decimal_numbers_in_range)
{
    static const char *const bad[] = {"12x",
                                      "1e3",
                                      "0x10",
                                      "nan",
                                      "inf",
                                      "",
                                      "1.0",
                                      "1 2",
                                      "--1",
                                      "+",
                                      "-",
                                      "0",
                                      "-1",
                                      "4097",
                                      "1,2",
                                      "auto",
                                      "99999999999999999999",
                                      "-99999999999999999999",
                                      "\xd9\xa3"};
    char line[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "units =%s%s", *bad[i] == '\0' ? "" : " ", bad[i]);
        assert_refused(line, "an integer from 1 to 4096");
        cr_assert_eq(values.units, 0, "a refused value is not stored");
    }
    assert_refused("big = 9223372036854775808", "an integer");
    assert_refused("big = -9223372036854775809", "an integer");
    cr_assert(read_text("big = 9223372036854775807"));
    cr_assert_eq(values.big, INT64_MAX);
    cr_assert(read_text("units = +5") && values.units == 5);
    cr_assert(read_text("units = 010") && values.units == 10, "no octal");
}

Test(section, zero_word)
{
    cr_assert(read_text("threads = auto") && values.threads == 0);
    cr_assert(read_text("threads = 0") && values.threads == 0);
    assert_refused("threads = Auto", "auto or an integer from 0 to 1024");
    assert_refused("threads = 1025", "auto or an integer from 0 to 1024");
}

Test(section, reals)
{
    static const char *const bad[] = {"nan", "inf",  "-inf", "0x1p3", "1e400", "1e-400",
                                      "1,5", "1..2", "e",    "",      "1d3",   "infinity"};
    char line[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "rate =%s%s", *bad[i] == '\0' ? "" : " ", bad[i]);
        assert_refused(line, "a number");
    }
    assert_refused("half_open = 1", "a number of at least 0 and below 1");
    assert_refused("half_open = -0.1", "a number of at least 0 and below 1");
    assert_refused("low_only = -1", "a number of at least 0");
    assert_refused("high_only = 2.5", "a number of at most 2");
}

Test(section, ratios)
{
    static const char *const bad[] = {"0",  "-1",    "1/0", "1/-2",         "0/5",          "1/",
                                      "/2", "1/2/3", "a/b", "1e300/1e-300", "1e-300/1e300", "nan/1",
                                      ""};
    char line[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "scale =%s%s", *bad[i] == '\0' ? "" : " ", bad[i]);
        assert_refused(line, "a number above 0, or a fraction");
    }
    cr_assert(read_text("scale = 0.5/2e2") && values.scale.num == 0.5 && values.scale.den == 200);
}

Test(section, choices_offer_the_nearest)
{
    assert_refused("choice = gren", "one of: red, green, blue; did you mean green?");
    assert_refused("choice = Red", "did you mean red?");
    assert_refused("choice = violet", "one of: red, green, blue");
    assert_refused("set = red, bleu", "each name once, of: red, green, blue; did you mean blue?");
    assert_refused("set = red, red", "each name once");
    assert_refused("set = red,", "each name once");
    assert_refused("set = ,", "each name once");
    cr_assert(read_text("set =") && values.set == 0);
}

Test(section, texts)
{
    assert_refused("text =", "not empty");
    cr_assert(read_text("note =") && *values.note == '\0');
}

Test(section, lists_of_integers)
{
    static const char *const bad[] = {"1, 2, 3", "", "1,", ",1", "1 2", "0", "1, 10", "x"};
    char line[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "pair =%s%s", *bad[i] == '\0' ? "" : " ", bad[i]);
        assert_refused(line, "1 or 2 integers from 1 to 9, separated by commas");
    }
    assert_refused("triple = 1", "3 integers from 0 to 9");
    assert_refused("triple = 1, 2", "3 integers from 0 to 9");
    assert_refused("triple = 1, 2, 3, 4", "3 integers from 0 to 9");
    cr_assert(read_text("pair = 5") && values.pair[0] == 5 && values.pair[1] == 5);
}

Test(section, lists_of_numbers)
{
    static const char *const bad[] = {"", "1,", ",1", "1 2", "0", "1, 2e6", "1, x", "nan"};
    char line[TR_REALS_MAX * 2 + 32] = "reals = 1";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "reals =%s%s", *bad[i] == '\0' ? "" : " ", bad[i]);
        assert_refused(line, "numbers above 0 and at most 1000000, separated by commas");
        cr_assert_eq(values.reals.n, 0, "a refused list is not stored");
    }
    cr_assert(read_text("") && values.reals.n == 1 && values.reals.values[0] == 0.5);
    cr_assert(read_text("reals = 1, 2.5e-3 ,3"));
    cr_assert_eq(values.reals.n, 3);
    cr_assert(values.reals.values[0] == 1 && values.reals.values[1] == 2.5e-3);
    cr_assert_eq(values.reals.values[2], 3);
}

Test(section, lists_of_many_numbers)
{
    char line[2 * TR_REALS_MAX + 32] = "reals=1";
    for (size_t i = 1; i < TR_REALS_MAX; i++)
        strcat(line, ",1");
    cr_assert(read_text(line), "%s", err.text);
    cr_assert_eq(values.reals.n, TR_REALS_MAX);
    char override[sizeof line + 8];
    snprintf(override, sizeof override, "s.%s,1", line);
    cr_assert_not(read_with(keys, N_KEYS, "", override));
    cr_assert_not_null(strstr(err.text, "must be up to 1000 numbers"), "%s", err.text);
}

/* As Python writes them, and every value the same for all ways to write it. */
Test(section, calls)
{
    static const struct {
        const char *text, *canonical;
    } good[] = {
        {"call = none", "none"},
        {"call = none()", "none"},
        {"call = norm", "norm(2,1,2,-1)"},
        {"call = norm ( )", "norm(2,1,2,-1)"},
        {"call = norm(3)", "norm(3,1,2,-1)"},
        {"call = norm(most=3)", "norm(3,1,2,-1)"},
        {"call = norm( 0.5 , axis = [0, 2], seed=7 )", "norm(0.5,5,2,7)"},
        {"call = norm(3, 1, red, 0)", "norm(3,2,0,0)"},
        {"call = norm(colour=green, axis=[1])", "norm(2,2,1,-1)"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(read_text(good[i].text), "%s: %s", good[i].text, err.text);
        cr_expect_str_eq(tr_section_find(tr_ini_find(ini, "s"), "call")->canonical,
                         good[i].canonical, "%s", good[i].text);
    }
    cr_expect(values.call.function == 1 && values.call.arguments[1] == 2.0);
    static const char *const bad[] = {"norm(",
                                      "norm)",
                                      "norm(3",
                                      "norm(3))",
                                      "norm 3",
                                      "norm(3,)",
                                      "norm(,3)",
                                      "norm(10)",
                                      "norm(x)",
                                      "norm(most=)",
                                      "norm(=3)",
                                      "norm(3, most=3)",
                                      "none(1)",
                                      "norm(1, 1, red, 1, 1)",
                                      "norm(least=1)",
                                      "norm(axis=[3])",
                                      "norm(axis=[0, 1)",
                                      "norm(axis=0])",
                                      "norm(axis=0, 1)",
                                      "norm(seed=1.5)",
                                      "norm(colour=rod)",
                                      "norm(3)(3)",
                                      "(3)",
                                      "norm(axis=[0, 0])",
                                      "norm(axis=[])",
                                      "norm(nan)"};
    char text[96];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "call = %s", bad[i]);
        assert_refused(text, "");
    }
}

Test(section, calls_say_what_they_take)
{
    assert_refused("call = nurm(3)",
                   "one of: none, norm(most, axis, colour, seed); did you mean norm?");
    assert_refused(
        "call = norm(10)",
        "norm(most, axis, colour, seed), with most a number from 0 to 9; axis empty or a "
        "list, each name once, of: 0, 1, 2; colour one of: red, green, blue; seed an "
        "integer from -1 to 9");
}

Test(section, unknown_keys)
{
    cr_assert_not(read_text("\nunitz = 3\nzzzzzzz = 1\n"));
    assert_problem(&err, 3, "[s] unitz: unknown key; did you mean units? allowed: units, threads",
                   NULL);
    assert_problem(&err, 4, "[s] zzzzzzz: unknown key; allowed: units, threads", NULL);
    cr_assert_eq(tr_problems_count(problems), 2);
}

Test(section, required_and_optional)
{
    static const tr_key table[] = {
        {"units", TR_KEY_INT, offsetof(fields, units), NULL, .doc = "width of the output"},
        {"text", TR_KEY_TEXT, offsetof(fields, text), NULL, .doc = NULL},
        {"rate", TR_KEY_REAL, offsetof(fields, rate), NULL, .max = 1, .optional = true},
    };
    cr_assert_not(read_with(table, 3, "", NULL));
    assert_problem(&err, 1, "[s] units is missing (width of the output)", NULL);
    assert_problem(&err, 1, "[s] text is missing", NULL);
    cr_assert_eq(tr_problems_count(problems), 2);
    cr_assert_null(tr_section_find(tr_ini_find(ini, "s"), "rate"), "no default, no entry");

    cr_assert(read_with(table, 3, "units = 1\ntext = a\nrate = 0.25\n", NULL));
    cr_assert_eq(values.rate, 0.25);
    cr_assert_not(read_with(table, 3, "units = 1\ntext = a\nrate = 2\n", NULL));
    assert_problem(&err, 4, "rate = 2: must be a number from 0 to 1", NULL);
}

Test(section, overrides_are_named_as_such)
{
    cr_assert_not(read_with(keys, N_KEYS, "units = 5\n", "s.units=0"));
    assert_problem(&err, 0, "--set s.units=0: must be an integer from 1 to 4096", NULL);
    cr_assert_eq(strncmp(err.text, "--set", 5), 0);
    cr_assert_not(read_with(keys, N_KEYS, "", "s.unit=1"));
    assert_problem(&err, 0, "--set s.unit=1: unknown key; did you mean units?", NULL);
    cr_assert(read_with(keys, N_KEYS, "units = 0\n", "s.units=6"));
    cr_assert_eq(values.units, 6);
}

Test(section, dependent_default)
{
    cr_assert(read_text("units = 3\n"));
    tr_section *section = tr_ini_find(ini, "s");
    cr_assert(tr_section_default(section, "units", "9"));
    cr_assert_str_eq(tr_section_find(section, "units")->value, "3");
    cr_assert(tr_section_default(section, "strides", "2, 2"));
    const tr_entry *entry = tr_section_find(section, "strides");
    cr_assert(entry->is_default && entry->line == 0);
    cr_assert_str_eq(entry->value, "2, 2");
    cr_assert_null(tr_section_find(section, "no_such_key"));
    cr_assert_eq(tr_section_line(section, "no_such_key"), 1);
}

Test(section, out_of_memory_is_a_problem)
{
    int64_t k = 0;
    for (bool ok = false; !ok; k++) {
        cr_assert(read_text(""));
        tr_section *section = tr_ini_demand(ini, "empty");
        tr_alloc_fail_after(k);
        ok = tr_section_read(section, keys, N_KEYS, &values, problems);
        tr_alloc_fail_after(-1);
        cr_assert_eq(tr_problems_check(problems, &err), ok ? TR_OK : TR_ERR_INTERNAL);
    }
    cr_assert_gt(k, 2 * N_KEYS, "each key and each value of a default is an allocation");
}
