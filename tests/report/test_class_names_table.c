/* test_class_names_table.c -- columns of names, wide ones among them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "class_names_table.h"
#include "mem.h"

static char *text_of(const tr_legend *legend)
{
    static char *text; /* GCC 12 takes what open_memstream() makes for the pointer's own address */
    static size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    tr_print_class_names(out, legend);
    fclose(out);
    return text;
}

Test(class_names_table, in_columns)
{
    char *names[3] = {"cat", "\xe7\x8c\xab", "a name of thirty-five characters, so"};
    char *text = text_of(&(tr_legend){.n_classes = 3, .class_names = names});
    cr_assert_str_eq(text, "\nClasses\n"
                           "   0 cat                                    1 \xe7\x8c\xab\n"
                           "   2 a name of thirty-five characters, so\n");
    free(text);
}

Test(class_names_table, of_none_and_of_very_many)
{
    enum { N = 1200 };
    char *text = text_of(&(tr_legend){0}), *names[N], name[16];
    cr_assert_str_eq(text, "");
    free(text);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "n%d", i);
        names[i] = tr_strdup(name);
    }
    text = text_of(&(tr_legend){.n_classes = N, .class_names = names});
    cr_expect_not_null(strstr(text, " 999 n999\nand 200 more\n"));
    cr_expect_null(strstr(text, "n1000"));
    free(text);
    for (int i = 0; i < N; i++)
        tr_free(names[i]);
}
