/* keras_compile.c -- [compile] and [loss] from Keras's JSON; see keras_config.h. Metrics are
 * keras_metrics.c's.
 *
 * Nothing here stops a prediction: what we do not have gets a note, and where it is the loss, the
 * reason why there is nothing to measure. Spellings of all versions are read: a name, an object of
 * a class or of a function, lists and dictionaries of one output.
 */
#include <string.h>

#include "keras_config.h"
#include "keras_value.h"
#include "loss.h"
#include "optimizer.h"

/* ---- what stands for nothing ---- */

const json_t *tr_keras_unwrapped(const json_t *value)
{
    for (;;) {
        if (json_is_array(value) && json_array_size(value) == 1)
            value = json_array_get(value, 0);
        else if (json_is_object(value) && json_object_get(value, "class_name") == NULL &&
                 json_object_size(value) == 1)
            value = json_object_iter_value(json_object_iter((json_t *)value));
        else
            return value;
    }
}

bool tr_keras_is_empty(const json_t *value)
{
    const char *key;
    json_t *item;
    if (value == NULL || json_is_null(value))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!tr_keras_is_empty(json_array_get(value, i)))
            return false;
    json_object_foreach((json_t *)value, key, item)
    {
        if (!tr_keras_is_empty(item))
            return false;
    }
    return json_is_array(value) || json_is_object(value);
}

/* ---- the loss ---- */

/* One that always goes with the last activation. */
static const char *fitting_loss(const tr_keras_reading *reading)
{
    return strcmp(reading->last_activation, "softmax") == 0   ? "sparse_categorical_crossentropy"
           : strcmp(reading->last_activation, "sigmoid") == 0 ? "binary_crossentropy"
                                                              : "mean_squared_error";
}

/* Says nothing about a value here. */
static bool says_nothing(const char *key, const json_t *value)
{
    static const char *const silent[] = {"name", "fn", "dtype", "k", "num_labels"};
    const char *word = json_string_value(value);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (strcmp(key, silent[i]) == 0)
            return true;
    if (strcmp(key, "reduction") == 0)
        return word != NULL && (strcmp(word, "sum_over_batch_size") == 0 ||
                                strcmp(word, "auto") == 0 || strcmp(word, "mean") == 0);
    if (strcmp(key, "axis") == 0)
        return json_is_integer(value) && json_integer_value(value) == -1;
    return json_is_null(value);
}

const char *tr_keras_strange_setting(const tr_key *keys, size_t n_keys, const json_t *config)
{
    const char *key;
    json_t *value;
    char text[TR_KERAS_TEXT];
    json_object_foreach((json_t *)config, key, value)
    {
        const tr_key *own = tr_key_find(keys, n_keys, key);
        if (says_nothing(key, value) || (own != NULL && tr_keras_value(own, value, text)))
            continue;
        /* A default of 0 of what we have none of: label_smoothing, class balancing. */
        if (own == NULL &&
            (json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0.0 &&
                                      strcmp(key, "label_smoothing") == 0)))
            continue;
        return key;
    }
    return NULL;
}

static const char *left_out(const json_t *weights)
{
    const json_t *one = tr_keras_unwrapped(weights);
    return tr_keras_is_empty(one) || (json_is_number(one) && json_number_value(one) == 1.0)
               ? NULL
               : "loss_weights";
}

/* The loss of the file, or NULL with the reason in reading->no_measure. */
static const tr_loss_ops *find_loss(const tr_keras_reading *reading, const json_t *loss)
{
    char name[TR_KERAS_TEXT], list[TR_NAMES_MAX], shown[TR_KERAS_TEXT];
    const char *names[TR_MAX_LOSSES];
    tr_keras_function_name(loss, name);
    const tr_loss_ops *ops = tr_loss_find(name);
    tr_loss_names(names);
    if (ops == NULL) {
        fprintf(reading->no_measure, "its loss is %s, which trainer does not have (it has %s)",
                name[0] == '\0' ? tr_keras_shown(loss, shown) : name,
                tr_join_names(names, list, sizeof list));
        return NULL;
    }
    const json_t *config = json_object_get(loss, "config");
    const char *strange =
        json_is_object(config) ? tr_keras_strange_setting(ops->keys, ops->n_keys, config) : NULL;
    if (strange == NULL)
        strange = left_out(json_object_get(reading->file->training, "loss_weights"));
    if (strange == NULL)
        return ops;
    const json_t *value = json_object_get(config, strange);
    if (value == NULL)
        value = json_object_get(reading->file->training, strange);
    fprintf(reading->no_measure, "its loss %s has %s = %s, which trainer does not have", ops->name,
            strange, tr_keras_shown(value, shown));
    return NULL;
}

/* NULL: the file has none that we can measure; `name` is then what stands for it. */
static const tr_loss_ops *choose_loss(const tr_keras_reading *reading, const json_t *loss,
                                      const char **name)
{
    const tr_loss_ops *ops = NULL;
    *name = fitting_loss(reading);
    if (loss == NULL) {
        fprintf(reading->notes,
                "the model was saved without its loss; to measure, %s is taken, which goes with a "
                "last activation of %s (another: [compile] loss)\n",
                *name, reading->last_activation);
    } else if (reading->without & TR_WITHOUT_LOSS) {
        char own[TR_KERAS_TEXT];
        tr_keras_function_name(loss, own);
        fprintf(reading->no_measure, "its loss %s does not go with a last activation of %s here",
                own, reading->last_activation);
    } else {
        ops = find_loss(reading, loss);
    }
    if (ops != NULL)
        *name = ops->name;
    return ops;
}

/* ---- all ---- */

void tr_keras_read_compile(tr_keras_reading *reading)
{
    const json_t *training = reading->file->training;
    const json_t *loss = tr_keras_unwrapped(json_object_get(training, "loss"));
    const char *loss_name;
    const tr_optimizer_ops *optimizer = tr_keras_find_optimizer(reading);
    const tr_loss_ops *own = choose_loss(reading, json_is_null(loss) ? NULL : loss, &loss_name);
    fprintf(reading->ini, "\n[compile]\nloss = %s\noptimizer = %s\n", loss_name,
            optimizer == NULL ? "sgd" : optimizer->name);
    tr_keras_read_metrics(reading, loss_name);
    const char *section = "loss";
    if (own != NULL) {
        json_t *config = json_copy(json_object_get(loss, "config"));
        tr_keras_take_keys(reading->ini, &section, config, own->keys, own->n_keys);
        json_decref(config); /* find_loss() has accepted the rest */
    }
    if (optimizer != NULL)
        tr_keras_read_optimizer(reading, optimizer);
    reading->own_loss = own != NULL;
    reading->own_optimizer = optimizer != NULL;
}
