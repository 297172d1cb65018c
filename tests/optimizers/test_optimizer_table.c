/* test_optimizer_table.c -- rows, and how an optimizer reads and refuses its keys. */
#include <criterion/criterion.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "net.h"
#include "trainer/fit.h"

Test(optimizer_table, finds_each_row_and_only_those)
{
    const char *names[TR_MAX_OPTIMIZERS];
    tr_optimizer_names(names);
    size_t n = 0;
    for (; names[n] != NULL; n++)
        cr_assert_eq(tr_optimizer_find(names[n]), tr_optimizer_table[n]);
    cr_assert_gt(n, 0);
    cr_assert_null(tr_optimizer_find("adamm"));
}

static void refused(const char *section, const char *const *overrides, size_t n,
                    const char *expected)
{
    tr_error err = {0};
    char *body =
        tr_format("[model]\ninput_shape = 1, 1, 1\n[layer.a]\ntype = flatten\n%s", section);
    tr_config *config = test_config(body, overrides, n);
    tr_optimizer *made = NULL;
    cr_assert_eq(tr_optimizer_make(&made, config, &err), TR_OK);
    tr_free(made);
    cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
    tr_config_free(config);
    tr_free(body);
}

Test(optimizer_table, refuses_what_it_does_not_know)
{
    const char *const unknown[] = {"compile.optimizer=adm"};
    const char *const sgd[] = {"compile.optimizer=sgd"};
    refused("", unknown, 1, "did you mean adam");
    refused("[optimizer]\nmomentum = 0.9\n", NULL, 0, "momentum: unknown key");
    refused("[optimizer]\nlearning_rate = -1\n", NULL, 0, "learning_rate = -1");
    refused("[optimizer]\nbeta_1 = 1\n", NULL, 0, "beta_1 = 1");
    refused("[optimizer]\nnesterov = true\n", sgd, 1, "no effect without momentum");
}
