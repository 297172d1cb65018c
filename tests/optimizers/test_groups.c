/* test_groups.c -- [optimizer.NAME]: Keras's MultiOptimizer step by step; what a group inherits;
 * what is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "groups.h"
#include "ini_file.h"
#include "net.h"
#include "tensor_trace.h"

static const char layers[] = "[model]\ninput_shape = 1, 1, 1\n[layer.a]\ntype = flatten\n"
                             "[layer.b]\ntype = dense\nunits = 3\n[layer.c]\ntype = dense\n"
                             "units = 2\n";

static tr_optimizers make(const char *optimizer, const char *sections, tr_config **config)
{
    tr_optimizers made;
    tr_error err = {0};
    char body[2048] = "";
    strcat(strcat(body, layers), sections);
    *config = test_config(body, NULL, 0);
    (*config)->compile.optimizer = optimizer;
    cr_assert_eq(tr_optimizers_make(&made, *config, &err), TR_OK);
    return made;
}

static void release(tr_optimizers *made, tr_config *config)
{
    tr_optimizers_release(made);
    tr_config_free(config);
}

Test(groups, follow_keras)
{
    test_tensor_traces("groups_", 3);
}

Test(groups, layers_find_their_optimizer)
{
    tr_config *config;
    char name[TR_LAYER_NAME_MAX];
    tr_optimizers made =
        make("sgd", "[optimizer.x]\nlayers = c , a\nlearning_rate = 0.5\n", &config);
    cr_assert_eq(made.n, 2);
    cr_expect_eq(tr_optimizers_of(&made, "a"), 1);
    cr_expect_eq(tr_optimizers_of(&made, "b"), 0);
    cr_expect_eq(tr_optimizers_of(&made, "c"), 1);
    cr_expect(tr_optimizer_layer(made.items[1], 1, name) && strcmp(name, "a") == 0);
    cr_expect_not(tr_optimizer_layer(made.items[1], 2, name));
    cr_expect_eq(made.items[0]->learning_rate, 0.01);
    cr_expect_eq(made.items[1]->learning_rate, 0.5);
    release(&made, config);
}

Test(groups, inherit_what_they_do_not_say)
{
    tr_config *config;
    tr_optimizers made = make("sgd",
                              "[optimizer]\nmomentum = 0.5\nclipnorm = 1\nuse_ema = true\n"
                              "ema_momentum = 0.8\n[learning_rate]\nschedule = "
                              "inverse_time_decay\ninitial_learning_rate = 0.5\ndecay_steps = 1\n"
                              "decay_rate = 1\n[optimizer.same]\nlayers = b\nclipvalue = 2\n"
                              "use_ema = false\n[optimizer.other]\nlayers = c\noptimizer = adam\n",
                              &config);
    tr_error err = {0};
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    const tr_optimizer *same = made.items[1], *other = made.items[2];
    cr_expect_eq(tr_optimizer_learning_rate(same, 3), 0.125);
    cr_expect_eq(same->clipnorm, 0.0);
    cr_expect_eq(same->clipvalue, 2.0);
    cr_expect_not(same->use_ema);
    const tr_entry *momentum =
        tr_section_find(tr_ini_find(config->ini, "optimizer.same"), "momentum");
    cr_assert(momentum != NULL && momentum->is_default);
    cr_expect_str_eq(momentum->value, "0.5");
    cr_expect_str_eq(other->ops->name, "adam");
    cr_expect_eq(tr_optimizer_learning_rate(other, 3), 0.001);
    cr_expect_eq(other->clipnorm, 0.0);
    cr_expect(tr_optimizers_average(&made));
    release(&made, config);
}

/* The effective configuration, which spells all of it out, is read to the same. */
Test(groups, effective_configuration_reads_back)
{
    tr_config *config, *again = NULL;
    tr_error err = {0};
    tr_optimizers made = make("adam",
                              "[compile]\nloss = mean_squared_error\noptimizer = "
                              "adam\n[optimizer]\nclipnorm = 1\n[learning_rate]\n"
                              "schedule = exponential_decay\ninitial_learning_rate = 1\n"
                              "decay_steps = 2\ndecay_rate = 0.5\n[optimizer.x]\nlayers = b\n"
                              "beta_1 = 0.5\n",
                              &config);
    char *text = tr_config_text(config);
    cr_assert_eq(tr_config_parse(&again, "again", text, NULL, 0, &err), TR_OK);
    tr_optimizers read;
    cr_assert_eq(tr_optimizers_make(&read, again, &err), TR_OK);
    cr_assert_eq(tr_config_check(again, &err), TR_OK, "%s\n%s", err.text, text);
    cr_expect_eq(read.items[1]->clipnorm, 1.0);
    cr_expect_eq(tr_optimizer_learning_rate(read.items[1], 2), 0.5);
    tr_free(text);
    release(&read, again);
    release(&made, config);
}

static void refuses(const char *sections, const char *expected)
{
    tr_config *config;
    tr_error err = {0};
    tr_optimizers made = make("sgd", sections, &config);
    cr_expect_eq(tr_config_check(config, &err), TR_ERR_CONFIG, "accepted: %s", sections);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    release(&made, config);
}

Test(groups, mistakes_are_named)
{
    refuses("[optimizer.x]\nlearning_rate = 1\n", "layers");
    refuses("[optimizer.x]\nlayers = d\n", "there is no [layer.d]");
    refuses("[optimizer.x]\nlayers =\n", "layers");
    refuses("[optimizer.x]\nlayers = a\n[optimizer.y]\nlayers = b, a\n", "a stands in another");
    refuses("[optimizer.x]\nlayers = a\noptimizer = adamm\n", "did you mean adam?");
    refuses("[optimizer.x]\nlayers = a\nbeta_1 = 0.5\n", "beta_1");
    refuses("[learning_rate.x]\nschedule = cosine_decay\n", "[optimizer.x]");
    refuses("[optimizer.1]\nlayers = a\n", "the name of a group");
    refuses("[optimizer.x]\nlayers = a\nlearning_rate = 1\n[learning_rate.x]\nschedule = "
            "exponential_decay\ninitial_learning_rate = 1\ndecay_steps = 2\ndecay_rate = 0.5\n",
            "remove one of them");
}
