/* test_muon.c -- Keras's own steps, and kernels of convolutions as matrices. */
#include <criterion/criterion.h>

#include "mem.h"
#include "tensor_trace.h"
#include "trace.h"

Test(muon, follows_keras)
{
    test_tensor_traces("muon_", 6);
}

static bool is_matrix(const char *keys, const tr_weight_tensor *tensor)
{
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("muon", keys, &config);
    const bool is = tr_optimizer_whole(optimizer, tensor) != NULL;
    tr_free(optimizer);
    tr_config_free(config);
    return is;
}

Test(muon, some_layers_are_adams)
{
    const tr_weight_tensor dense = {"Word_Embeddings", "kernel", 2, {3, 4}, 12};
    const tr_weight_tensor conv = {"conv", "kernel", 4, {1, 1, 3, 4}, 12};
    const tr_weight_tensor bias = {"conv", "bias", 1, {4}, 4};
    cr_expect_not(is_matrix("", &dense));
    cr_expect(is_matrix("exclude_embeddings = false\n", &dense));
    cr_expect_not(is_matrix("exclude_embeddings = false\nexclude_layers = no, d_E\n", &dense));
    cr_expect_not(is_matrix("", &conv));
    cr_expect(is_matrix("convolutions = matrices\n", &conv));
    cr_expect_not(is_matrix("convolutions = matrices\nexclude_layers = v/ker\n", &conv));
    cr_expect_not(is_matrix("convolutions = matrices\n", &bias));
}

Test(muon, refuses_what_is_no_word)
{
    test_optimizer_refuses("muon", "exclude_layers = a.b\n", 1, "words");
    test_optimizer_refuses("muon", "rms_rate = off\n", 1, "none or a number");
}
