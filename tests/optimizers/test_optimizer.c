/* test_optimizer.c -- the keys of all optimizers: defaults, refusals with their lines. */
#include "optimizer.h"

#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "trace.h"

Test(optimizer, decay_of_keras_2_is_a_schedule_here)
{
    test_optimizer_refuses("adam", "decay = 0.1\n", 1, "schedule = inverse_time_decay");
}

Test(optimizer, everything_is_off_by_default)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        tr_config *config;
        const char *name = tr_optimizer_table[i]->name;
        tr_optimizer *made = test_optimizer(name, "", &config);
        cr_assert_eq(made->clipnorm, 0.0);
        cr_assert_eq(made->global_clipnorm, 0.0);
        cr_assert_eq(made->clipvalue, 0.0);
        cr_assert_not(made->use_ema);
        cr_assert_eq(made->ema_overwrite_frequency, 0);
        cr_assert_eq(made->gradient_accumulation_steps, 1);
        cr_assert_null(made->schedule.ops);
        cr_assert_eq(made->learning_rate,
                     strcmp(name, "sgd") == 0                   ? 0.01
                     : strcmp(name, "schedule_free_adamw") == 0 ? 0.0025
                                                                : 0.001,
                     "%s", name);
        const bool decays = strcmp(name, "adamw") == 0 || strcmp(name, "muon") == 0;
        cr_assert_eq(made->weight_decay, decays ? 0.004 : 0.0, "%s", name);
        tr_free(made);
        tr_config_free(config);
    }
}

Test(optimizer, reads_the_keys_of_all)
{
    tr_config *config;
    tr_optimizer *made =
        test_optimizer("adamw",
                       "weight_decay = 0\nclipvalue = 2\nuse_ema = true\nema_momentum = 0.5\n"
                       "ema_overwrite_frequency = 7\ngradient_accumulation_steps = 4\n",
                       &config);
    cr_assert_eq(made->weight_decay, 0.0);
    cr_assert_eq(made->clipvalue, 2.0);
    cr_assert_eq(made->ema_momentum, 0.5);
    cr_assert_eq(made->ema_overwrite_frequency, 7);
    cr_assert_eq(made->gradient_accumulation_steps, 4);
    tr_free(made);
    tr_config_free(config);
}

Test(optimizer, refuses_what_would_have_no_effect)
{
    test_optimizer_refuses("sgd", "clipnorm = 1\nclipvalue = 1\n", 2,
                           "clipvalue beside clipnorm (line");
    test_optimizer_refuses("sgd", "clipnorm = 1\nglobal_clipnorm = 1\n", 2,
                           "global_clipnorm beside clipnorm");
    test_optimizer_refuses("sgd", "momentum = 0.9\nema_momentum = 0.9\n", 2,
                           "ema_momentum has no effect without use_ema");
    test_optimizer_refuses("adam", "use_ema = no\nema_overwrite_frequency = 5\n", 2,
                           "ema_overwrite_frequency has no effect without use_ema");
}

Test(optimizer, refuses_values_out_of_range)
{
    test_optimizer_refuses("lamb", "gradient_accumulation_steps = 1\n", 1, "from 2 to 1000000");
    test_optimizer_refuses("lamb", "clipnorm = 0\n", 1, "clipnorm = 0: must be");
    test_optimizer_refuses("nadam", "weight_decay = -1\n", 1, "weight_decay = -1: must be");
    test_optimizer_refuses("adamw", "weight_decay = none\n", 1, "weight_decay = none: must be");
    test_optimizer_refuses("adam", "\nclip_norm = 1\n", 2, "unknown key; did you mean clipnorm?");
}

Test(optimizer, own_rows_stand_in_place_of_common_ones)
{
    test_optimizer_refuses("adamw", "no_such_key_at_all = 1\n", 1,
                           "epsilon, amsgrad, weight_decay, clipnorm, global_clipnorm, clipvalue");
}

/* Keras: the schedule counts batches, the optimizer's own t counts updates. */
Test(optimizer, schedule_counts_batches)
{
    tr_config *config;
    tr_optimizer *made = test_optimizer("sgd",
                                        "gradient_accumulation_steps = 4\n[learning_rate]\n"
                                        "schedule = inverse_time_decay\ndecay_steps = 1\n"
                                        "initial_learning_rate = 1\ndecay_rate = 1\n",
                                        &config);
    tr_optimizer_begin(made, 7);
    cr_assert_eq(made->rate, 1.0 / 8.0);
    tr_free(made);
    tr_config_free(config);
}
