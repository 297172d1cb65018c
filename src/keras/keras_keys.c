/* keras_keys.c -- see keras_keys.h. */
#include "keras_keys.h"

#include <stdio.h>
#include <string.h>

#include "keras_names.h"
#include "keras_order.h"
#include "mem.h"

/* Of the layer order[i], by those before it. */
static void make_key(tr_layer_key *keys, int *numbers, const tr_model *model, const int *order,
                     int i)
{
    const char *class_name = tr_model_layer(model, order[i]).keras_class;
    char name[64];
    int last = i - 1;
    while (last >= 0 && strcmp(tr_model_layer(model, order[last]).keras_class, class_name) != 0)
        last--;
    numbers[i] = last < 0 ? 0 : numbers[last] + 1;
    tr_keras_snake_case(name, sizeof name, class_name);
    if (numbers[i] == 0)
        snprintf(keys[order[i]], TR_KEY_MAX, "%s", name);
    else
        snprintf(keys[order[i]], TR_KEY_MAX, "%s_%d", name, numbers[i]);
}

tr_layer_key *tr_keras_layer_keys(const tr_model *model)
{
    const int n = tr_model_n_layers(model);
    tr_layer_key *keys = tr_alloc((size_t)n, sizeof *keys);
    int *numbers = tr_alloc((size_t)n, sizeof *numbers), *order = tr_keras_order(model);
    if (keys != NULL && (numbers == NULL || order == NULL)) {
        tr_free(keys);
        keys = NULL;
    }
    for (int i = 0; keys != NULL && i < n; i++)
        make_key(keys, numbers, model, order, i);
    tr_free(numbers);
    tr_free(order);
    return keys;
}
