/* test_monitor.c -- which value compares epochs, and which of them is the best. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "monitor.h"
#include "net.h"

static const int64_t shape[3] = {2, 2, 1};

static test_net *net_with_metrics(void)
{
    static const char *const overrides[] = {"compile.metrics=accuracy, mse"};
    return test_net_new_with("[layer.d]\ntype = flatten\n[layer.o]\ntype = dense\nunits = 3\n"
                             "activation = softmax\n",
                             shape, 1, overrides, 1);
}

static const tr_epoch epochs[] = {
    {.train = {.loss = 3, .values = {0.2, 9}}, .validation = {.loss = 5, .values = {0.1, 1}}},
    {.train = {.loss = 1, .values = {0.9, 7}}, .validation = {.loss = 4, .values = {0.5, 2}}},
    {.train = {.loss = 2, .values = {0.9, 8}}, .validation = {.loss = 6, .values = {0.4, 3}}},
};

static void expect_best(const char *name, bool has_validation, int64_t best, double value)
{
    tr_error err = {0};
    tr_monitor monitor;
    test_net *net = net_with_metrics();
    cr_assert_eq(tr_monitor_parse(&monitor, name, net->model, has_validation, &err), TR_OK, "%s",
                 err.text);
    double found = -1.0;
    cr_expect_eq(tr_monitor_best(&monitor, epochs, 3, &found), best, "%s", name);
    cr_expect_eq(found, value, "%s: %g", name, found);
    test_net_free(net);
}

Test(monitor, finds_the_best_epoch)
{
    expect_best("auto", true, 2, 4);
    expect_best("auto", false, 2, 1);
    expect_best("loss", true, 2, 1);
    expect_best("val_loss", true, 2, 4);
    expect_best("accuracy", true, 2, 0.9); /* the first of equals */
    expect_best("val_accuracy", true, 2, 0.5);
    expect_best("mse", true, 2, 7); /* an error: smaller is better */
    expect_best("val_mse", true, 1, 1);
    expect_best("none", true, 0, 0);
}

/* A value that is no number is worse than any. */
Test(monitor, not_a_number_is_never_the_best)
{
    tr_error err = {0};
    tr_monitor monitor;
    double value;
    test_net *net = net_with_metrics();
    const tr_epoch some[] = {
        {.train = {.loss = NAN}}, {.train = {.loss = 3}}, {.train = {.loss = NAN}}};
    cr_assert_eq(tr_monitor_parse(&monitor, "loss", net->model, false, &err), TR_OK);
    cr_expect_eq(tr_monitor_best(&monitor, some, 3, &value), 2);
    test_net_free(net);
}

static void refused(const char *name, bool has_validation, const char *expected)
{
    tr_error err = {0};
    tr_monitor monitor;
    test_net *net = net_with_metrics();
    cr_expect_eq(tr_monitor_parse(&monitor, name, net->model, has_validation, &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    test_net_free(net);
}

Test(monitor, refuses_what_the_run_does_not_have)
{
    refused("val_acc", true,
            "allowed: auto, none, loss, accuracy, mse, val_loss, val_accuracy, val_mse");
    refused("val_loss", false, "val_ values need [data] validation_split");
}
