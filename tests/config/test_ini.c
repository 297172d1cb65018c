/* test_ini.c -- the file itself: what inih would take silently, overrides, and the text written. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "config_internal.h"
#include "ini_file.h"
#include "ini_fixture.h"
#include "mem.h"

static tr_problems *problems;
static tr_ini *ini;
static tr_error err;

static void teardown(void)
{
    tr_ini_free(ini);
    tr_problems_free(problems);
    fixture_close();
}

TestSuite(ini, .init = fixture_open, .fini = teardown);

static void load_with(const void *bytes, size_t n, const char *const *overrides, size_t n_overrides)
{
    tr_ini_free(ini);
    tr_problems_free(problems);
    ini = NULL;
    problems = tr_problems_new(fixture_bytes(bytes, n));
    err.text[0] = '\0';
    cr_assert_eq(tr_ini_load(&ini, fixture_path, overrides, n_overrides, problems, &err), TR_OK);
    (void)tr_problems_check(problems, &err);
}

static void load(const char *text)
{
    load_with(text, strlen(text), NULL, 0);
}

static void load_set(const char *text, const char *override)
{
    load_with(text, strlen(text), &override, 1);
}

static void assert_count(size_t n)
{
    cr_assert_eq(tr_problems_count(problems), n, "%zu, not %zu:\n%s", tr_problems_count(problems),
                 n, err.text);
}

static void assert_value(const char *section_name, const char *key, const char *value, int line)
{
    const tr_section *section = tr_ini_find(ini, section_name);
    cr_assert_not_null(section, "no [%s]", section_name);
    const tr_entry *entry = tr_section_find(section, key);
    cr_assert_not_null(entry, "no %s", key);
    cr_assert_str_eq(entry->value, value);
    cr_assert_eq(entry->line, line, "line %d, not %d", entry->line, line);
}

/* ---- what is fine ---- */

Test(ini, sections_and_keys_in_file_order_with_lines)
{
    load("; comment\n# another\n\n[b]\nx = 1\n\ty_not_key ; \n");
    assert_count(1);
    load(
        "; comment\n# another\n\n[b] ; note # 1\nx = 1 ; one\ny: a;b\r\n   \n  ; indented comment\n"
        "[empty]\n[a.c]\nz==\n[last];x");
    assert_count(0);
    cr_assert_eq(ini->n_sections, 4);
    cr_assert_str_eq(ini->sections[0].name, "b");
    cr_assert_str_eq(ini->sections[1].name, "empty");
    cr_assert_str_eq(ini->sections[3].name, "last");
    cr_assert_eq(ini->sections[0].line, 4);
    cr_assert_eq(ini->sections[1].line, 9);
    cr_assert_eq(ini->sections[3].line, 12);
    cr_assert_eq(ini->sections[1].n_entries, 0);
    assert_value("b", "x", "1", 5);
    assert_value("b", "y", "a;b", 6);
    assert_value("a.c", "z", "=", 11);
    cr_assert_str_eq(ini->path, fixture_path);
    cr_assert_null(tr_ini_find(ini, "B"), "names are case-sensitive");
}

Test(ini, nothing_and_byte_order_mark)
{
    load("");
    assert_count(0);
    cr_assert_eq(ini->n_sections, 0);
    load("\xEF\xBB\xBF[a]\nx = 1");
    assert_count(0);
    assert_value("a", "x", "1", 2);
    load("\xEF\xBB\xBF");
    assert_count(0);
}

/* ---- what is refused ---- */

/* inih's buffer ends at 199 characters: at every length around it, and far beyond, a value is what
 * it is in a short line. */
Test(ini, lines_of_any_length)
{
    static const size_t lengths[] = {1, 150, 193, 194, 195, 196, 197, 198, 199, 200, 201, 5000};
    static const char *const shapes[] = {
        "x = %s", "x=%s", "x : %s", "x = %s  ; a comment", "x =   %s\t", "x = %s;no comment=1:2"};
    static char text[6000], path[5001];
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            memset(path, 'p', lengths[i]);
            path[lengths[i]] = '\0';
            size_t n = (size_t)snprintf(text, sizeof text, "[a]\n");
            n += (size_t)snprintf(text + n, sizeof text - n, shapes[k], path);
            snprintf(text + n, sizeof text - n, "\ny = 2\n");
            load(text);
            cr_assert_str_eq(err.text, "", "%s", err.text);
            const char *value = tr_ini_find(ini, "a")->entries[0].value;
            cr_assert_eq(strncmp(value, path, lengths[i]), 0);
            cr_assert_str_eq(value + lengths[i], k == 5 ? ";no comment=1:2" : "");
            assert_value("a", "y", "2", 3);
        }
}

Test(ini, long_lines_that_are_no_pair)
{
    char text[900];
    snprintf(text, sizeof text, "[a]\n%0400d\ny = 2\n", 7);
    load(text);
    assert_problem(&err, 2, "neither a comment nor [section] nor key = value", NULL);
    assert_count(1);
    snprintf(text, sizeof text, "[a]\nx ; %0300d = %0300d\n", 7, 7);
    load(text);
    assert_problem(&err, 2, "neither a comment nor [section] nor key = value", NULL);
    snprintf(text, sizeof text, "[a]\n= %0300d\n", 7);
    load(text);
    assert_problem(&err, 2, "the key has no name", NULL);
    snprintf(text, sizeof text, "[a]\nx = 1 %0300d #\n", 7);
    load(text);
    assert_problem(&err, 2, "has a '#'", NULL);
    snprintf(text, sizeof text, "[a]   ; %0400d\n; %0400d\nx = 1\n", 7, 7);
    load(text);
    assert_count(0);
    assert_value("a", "x", "1", 3);
}

/* What a damaged line takes along is said after it. */
Test(ini, syntax_comes_first)
{
    load("[a]\nx 1\n");
    tr_problems_add(problems, 1, "[a] x is missing");
    tr_problems_add(problems, 0, "[b] is missing");
    (void)tr_problems_check(problems, &err);
    const char *line = strstr(err.text, ":2: ");
    const char *missing = strstr(err.text, "x is missing"), *none = strstr(err.text, "[b] is");
    cr_assert(line != NULL && line < none && none < missing, "%s", err.text);
}

Test(ini, names_of_sections)
{
    char text[400];
    snprintf(text, sizeof text, "[a%048d]\nx = 1\n", 0);
    load(text);
    assert_count(0);
    snprintf(text, sizeof text, "[b]\nx = 1\n[a%049d]\nx = 1\n[]\nx = 1\n[c\nx = 1\n", 0);
    load(text);
    assert_problem(&err, 3, "1 to 49 characters, not 50", NULL);
    assert_problem(&err, 5, "[]", "1 to 49 characters, not 0", NULL);
    assert_problem(&err, 7, "[c", "no ']'", NULL);
    assert_count(3); /* and x below them is no duplicate of [b]'s */
    load("[a ;]\n[b] junk\nx = 1\n[c] # no comment\n[d]]\n[e]x = 1\n");
    assert_problem(&err, 1, "no ']'", NULL);
    assert_problem(&err, 2, "[b]", "text after the ']'", NULL);
    assert_problem(&err, 4, "[c]", "text after the ']'", NULL);
    assert_problem(&err, 5, "[d]", "text after the ']'", NULL);
    assert_problem(&err, 6, "[e]", "text after the ']'", NULL);
    assert_count(5);
}

Test(ini, indented_lines)
{
    load("[a]\nx = 1\n  continued\n\ty = 2\n  [b]\nx = 2\n");
    assert_problem(&err, 3, "indented", NULL);
    assert_problem(&err, 4, "indented", NULL);
    assert_problem(&err, 5, "indented", NULL);
    assert_count(3);
    assert_value("a", "x", "1", 2);
}

Test(ini, duplicates_name_both_lines)
{
    load("[a]\nx = 1\nx = 2\nx: 3\n[b]\nx = 1\n\n[a]\ny = 1\n");
    assert_problem(&err, 3, "[a] x", "twice", "line 2", NULL);
    assert_problem(&err, 4, "[a] x", "twice", "line 2", NULL);
    assert_problem(&err, 8, "[a]", "already", "line 1", NULL);
    assert_count(3);
    assert_value("a", "x", "1", 2);
    cr_assert_eq(ini->n_sections, 3);
}

Test(ini, lines_that_are_no_pair)
{
    load("[a]\nx\nfoo bar\nx ; = 1\n= 4\n:\ny = 1\nlast");
    assert_problem(&err, 2, "neither", "key = value", NULL);
    assert_problem(&err, 3, "neither", NULL);
    assert_problem(&err, 4, "neither", NULL);
    assert_problem(&err, 5, "[a]", "no name", NULL);
    assert_problem(&err, 6, "[a]", "no name", NULL);
    assert_problem(&err, 8, "neither", NULL);
    assert_count(6);
}

Test(ini, keys_before_any_section)
{
    load("x = 1\ny = 2\n[a]\nx = 1\n");
    assert_problem(&err, 1, "x = 1", "before any [section]", NULL);
    assert_problem(&err, 2, "y = 2", "before any [section]", NULL);
    assert_count(2);
}

Test(ini, nul_and_control_characters)
{
    load("[a]\ny = 1\rz = 2\n[b\033]\nx = 3\nk = a\tb\n");
    assert_problem(&err, 2, "control character", "0x0d", NULL);
    assert_problem(&err, 3, "control character", "0x1b", NULL);
    assert_count(2);
    /* Whatever else such a file says, it is not what it should be: one sentence. */
    static const char zeros[100000] = {0}, text[] = "[a]\nx = 1\0 2\n",
                      wide[] = "\xFF\xFE[\0a\0]\0";
    const char *const bytes[] = {zeros, text, wide};
    const size_t sizes[] = {sizeof zeros, sizeof text - 1, sizeof wide - 1};
    for (int i = 0; i < 3; i++) {
        tr_ini *none = NULL;
        cr_assert_eq(tr_ini_parse(&none, "x.ini", bytes[i], sizes[i], NULL, 0, problems, &err),
                     TR_ERR_CONFIG);
        cr_assert_not_null(strstr(err.text, "x.ini: has a NUL byte: this is not a text file"));
        cr_assert_null(none);
    }
}

Test(ini, values_that_look_like_comments)
{
    load("[a]\nx = 3 # three\ny =;5\nz = # six\nok = a#b\n");
    assert_problem(&err, 2, "[a] x = 3 # three", "comments after a value start with ';'", NULL);
    assert_problem(&err, 3, "[a] y = ;5", "where a comment would start", NULL);
    assert_problem(&err, 4, "[a] z = # six", NULL);
    assert_count(3);
}

Test(ini, all_problems_of_a_file_in_line_order)
{
    load("x = 1\n[]\n[a]\n  y\ny\ny = 1\ny = 2\n[a]\n");
    const int lines[] = {1, 2, 4, 5, 7, 8};
    assert_count(6);
    const char *text = err.text;
    for (size_t i = 0; i < 6; i++)
        cr_assert_not_null(problem_at(&text, lines[i]), "problem %zu in:\n%s", i, err.text);
    cr_assert_str_eq(text, "6 problems");
}

Test(ini, too_many_keys_or_sections)
{
    static char text[200000];
    size_t n = (size_t)snprintf(text, sizeof text, "[a]\n");
    for (int i = 0; i < 1001; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "k%d=1\n", i);
    load(text);
    assert_problem(&err, 1002, "more than 1000 keys", NULL);
    assert_count(1);
    n = 0;
    for (int i = 0; i < 10001; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "[s%d]\n", i);
    load(text);
    assert_problem(&err, 10001, "more than 10000 sections", NULL);
    assert_count(1);
}

/* ---- the file system ---- */

static void assert_unreadable(const char *path, const char *cause)
{
    tr_problems *own = tr_problems_new(path);
    tr_ini *none = NULL;
    cr_assert_eq(tr_ini_load(&none, path, NULL, 0, own, &err), TR_ERR_CONFIG);
    cr_assert_null(none);
    cr_assert_eq(err.status, TR_ERR_CONFIG);
    cr_assert_eq(strncmp(err.text, path, strlen(path)), 0);
    cr_assert_not_null(strstr(err.text, cause), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "-c FILE"), "no hint: %s", err.text);
    tr_problems_free(own);
}

Test(ini, unreadable_files)
{
    assert_unreadable(fixture_path, "No such file or directory");
    assert_unreadable(fixture_folder, "Is a directory");
    fixture_text("[a]\n");
    if (geteuid() != 0) {
        cr_assert_eq(chmod(fixture_path, 0), 0);
        assert_unreadable(fixture_path, "Permission denied");
    }
}

Test(ini, larger_than_a_mebibyte)
{
    const size_t limit = 1 << 20;
    char *bytes = tr_alloc(limit + 1, 1);
    memset(bytes, '\n', limit + 1);
    load_with(bytes, limit, NULL, 0);
    assert_count(0);
    fixture_bytes(bytes, limit + 1);
    assert_unreadable(fixture_path, "1048576");
    tr_free(bytes);
}

/* ---- overrides ---- */

Test(ini, overrides)
{
    static const char text[] = "[fit]\nepochs = 20\n[layer.a.b]\nx = 1\n";
    const char *const set[] = {"fit.epochs=3", "layer.a.b.x=a=b.c", "new.key=", "fit.epochs=4",
                               "fit.seed=9"};
    load_with(text, strlen(text), set, 5);
    assert_count(0);
    assert_value("fit", "epochs", "4", 0); /* the last one */
    assert_value("fit", "seed", "9", 0);
    assert_value("layer.a.b", "x", "a=b.c", 0);
    assert_value("new", "key", "", 0);
    cr_assert_str_eq(ini->sections[2].name, "new");
    cr_assert_eq(ini->sections[2].line, 0);
}

Test(ini, malformed_overrides)
{
    static const char *const bad[] = {
        "",          "=",      "fit",           "fit=3",          "fit.epochs", "=fit.epochs",
        ".x=1",      "fit.=1", "fit.epochs =1", "[fit].epochs=1", "fit.a:b=1",  "fit.a b=1",
        "fi\nt.a=1", ".="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        load_set("[fit]\nepochs = 20\n", bad[i]);
        assert_problem(&err, 0, "--set ", "SECTION.KEY=VALUE", NULL);
        assert_count(1);
        assert_value("fit", "epochs", "20", 2);
    }
    load_set("[fit]\n", "a12345678901234567890123456789012345678901234567890.x=1");
    assert_problem(&err, 0, "--set a123", "a section's name has at most 49 characters", NULL);
    assert_count(1);
}

Test(ini, overrides_that_a_file_could_not_hold)
{
    static const char *const bad[] = {"fit.x=a\nb", "fit.x=a ;b", "fit.x=;b",
                                      "fit.x= a",   "fit.x=a ",   "fit.x=\ta",
                                      "fit.x=a\rb", "fit.x=a #b", "fit.x=\033[2J"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        load_set("[fit]\n", bad[i]);
        assert_problem(&err, 0, "--set fit.x=", "the value ", NULL);
        assert_count(1);
        cr_assert_eq(tr_ini_find(ini, "fit")->n_entries, 0);
    }
    char text[5000];
    snprintf(text, sizeof text, "fit.x=%04900d", 1);
    load_set("[fit]\n", text);
    assert_count(0);
    assert_value("fit", "x", text + strlen("fit.x="), 0);
}

/* ---- the text ---- */

static void assert_same_sections(const tr_ini *a, const tr_ini *b)
{
    cr_assert_eq(a->n_sections, b->n_sections);
    for (size_t i = 0; i < a->n_sections; i++) {
        cr_assert_str_eq(a->sections[i].name, b->sections[i].name);
        cr_assert_eq(a->sections[i].n_entries, b->sections[i].n_entries);
        for (size_t k = 0; k < a->sections[i].n_entries; k++) {
            cr_assert_str_eq(a->sections[i].entries[k].key, b->sections[i].entries[k].key);
            cr_assert_str_eq(a->sections[i].entries[k].value, b->sections[i].entries[k].value);
        }
    }
}

Test(ini, text_form)
{
    load_set("[b]\nlong_key=1\nx=a  b ; c\n[empty]\n", "new.key=");
    char *text = tr_ini_text(ini, "head\n\nline");
    cr_assert_str_eq(text, "; head\n;\n; line\n\n[b]\nlong_key = 1\nx        = a  b\n\n[empty]\n\n"
                           "[new]\nkey =\n");
    tr_free(text);
    load("");
    text = tr_ini_text(ini, NULL);
    cr_assert_str_eq(text, "");
    tr_free(text);
}

Test(ini, text_reads_back_however_long_it_is)
{
    char text[2000];
    snprintf(text, sizeof text,
             "[%049d]\nx=%0197d\nquite_a_long_key = %0100d\ny = %0195d\n%0190d=\ne ==;#\n[c]\n", 1,
             2, 3, 4, 5);
    load_set(text, "c.path=a;b#c:d=e [f]");
    assert_count(0);
    tr_ini *first = ini;
    ini = NULL;
    char *written = tr_ini_text(first, "comment");
    load(written);
    assert_count(0);
    assert_same_sections(first, ini);
    char *again = tr_ini_text(ini, "comment");
    cr_assert_str_eq(again, written);
    tr_free(again);
    tr_free(written);
    tr_ini_free(first);
}

Test(ini, text_out_of_memory)
{
    load("[a]\nx = 1\ny = 2\n[b]\nz = 3\n");
    char *text = NULL;
    int k = 0;
    for (; text == NULL; k++) {
        tr_alloc_fail_after(k);
        text = tr_ini_text(ini, "c");
        tr_alloc_fail_after(-1);
    }
    cr_assert_gt(k, 3);
    cr_assert_str_eq(text, "; c\n\n[a]\nx = 1\ny = 2\n\n[b]\nz = 3\n");
    tr_free(text);
}
