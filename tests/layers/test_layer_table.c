/* test_layer_table.c -- every row is complete and can be found by its name. */
#include <criterion/criterion.h>
#include <string.h>

#include "layer.h"

Test(layer_table, rows_are_complete)
{
    const char *types[TR_MAX_LAYER_TYPES];
    tr_layer_types(types);
    size_t n = 0;
    for (; tr_layer_table[n] != NULL; n++) {
        const tr_layer_ops *ops = tr_layer_table[n];
        cr_assert_str_eq(types[n], ops->type);
        cr_assert_eq(tr_layer_find(ops->type), ops);
        cr_assert(ops->bytes >= sizeof(tr_layer) && ops->shape && ops->forward && ops->backward);
        cr_assert(ops->keras_class && ops->doc);
        for (size_t k = 0; k < tr_layer_n_common_keys; k++) /* of all, and so of no one */
            cr_assert_null(tr_key_find(ops->keys, ops->n_keys, tr_layer_common_keys[k].name));
    }
    cr_assert_null(types[n]);
    cr_assert_null(tr_layer_find("conv3d"));
}
