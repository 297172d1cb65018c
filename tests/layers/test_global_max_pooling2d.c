/* test_global_max_pooling2d.c -- the largest value of a channel: vector, image, negative, tied. */
#include <criterion/criterion.h>

#include "net.h"

Test(global_max_pooling2d, golden_forward_and_gradients)
{
    test_golden_layer("global_max_pooling2d");
}

Test(global_max_pooling2d, keepdims_decides_whether_it_is_an_image)
{
    const int64_t shape[3] = {4, 3, 5};
    test_net *flat = test_net_new("[layer.a]\ntype = global_max_pooling2d\n", shape, 2);
    test_net *image =
        test_net_new("[layer.a]\ntype = global_max_pooling2d\nkeepdims = true\n", shape, 2);
    cr_assert(tr_model_layer(flat->model, 0).flat);
    cr_assert_not(tr_model_layer(image->model, 0).flat);
    cr_assert_eq(tr_model_layer(image->model, 0).dst[2], 5);
    test_net_free(flat);
    test_net_free(image);
}
