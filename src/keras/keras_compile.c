/* keras_compile.c -- [compile] and [loss] from Keras's JSON; see keras_config.h.
 *
 * Nothing here stops a prediction: what we do not have gets a note, and where it is the loss, the
 * reason why there is nothing to measure. Spellings of all versions are read: a name, an object of
 * a class or of a function, lists and dictionaries of one output.
 */
#include <string.h>

#include "keras_config.h"
#include "keras_value.h"
#include "loss.h"
#include "metric.h"
#include "optimizer.h"

/* ---- what stands for nothing ---- */

/* What is inside lists and dictionaries of one output. */
static const json_t *unwrapped(const json_t *value)
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

/* null, [], {}, and lists and dictionaries of these. */
static bool is_empty(const json_t *value)
{
    const char *key;
    json_t *item;
    if (value == NULL || json_is_null(value))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!is_empty(json_array_get(value, i)))
            return false;
    json_object_foreach((json_t *)value, key, item)
    {
        if (!is_empty(item))
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

/* The first setting of the loss that changes its value and is not ours; NULL: none. */
static const char *strange_setting(const tr_loss_ops *ops, const json_t *config)
{
    const char *key;
    json_t *value;
    char text[TR_KERAS_TEXT];
    json_object_foreach((json_t *)config, key, value)
    {
        const char *word = json_string_value(value);
        bool fine = json_is_null(value) || strcmp(key, "name") == 0 || strcmp(key, "fn") == 0 ||
                    strcmp(key, "dtype") == 0;
        if (strcmp(key, "reduction") == 0)
            fine = word != NULL && (strcmp(word, "sum_over_batch_size") == 0 ||
                                    strcmp(word, "auto") == 0 || strcmp(word, "mean") == 0);
        if (strcmp(key, "axis") == 0)
            fine = json_is_integer(value) && json_integer_value(value) == -1;
        const tr_key *own = tr_key_find(ops->keys, ops->n_keys, key);
        if (own != NULL)
            fine = tr_keras_value(own, value, text);
        /* label_smoothing = 0 of a loss that has none here. */
        fine = fine ||
               (own == NULL && json_is_number(value) && json_number_value(value) == 0.0 &&
                strcmp(key, "label_smoothing") == 0) ||
               json_is_false(value);
        if (!fine)
            return key;
    }
    return NULL;
}

static const char *left_out(const json_t *weights)
{
    const json_t *one = unwrapped(weights);
    return is_empty(one) || (json_is_number(one) && json_number_value(one) == 1.0) ? NULL
                                                                                   : "loss_weights";
}

/* The loss of the file, or NULL with the reason in reading->no_measure. */
static const tr_loss_ops *find_loss(const tr_keras_reading *reading, const json_t *loss)
{
    char name[TR_KERAS_TEXT], list[400], shown[TR_KERAS_TEXT];
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
    const char *strange = json_is_object(config) ? strange_setting(ops, config) : NULL;
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

/* ---- metrics ---- */

/* Why we have none like it, or NULL; its name without its settings. */
static const char *strange_metric(const json_t *metric, char name[TR_KERAS_TEXT],
                                  char why[TR_REFUSAL_MAX])
{
    const json_t *config = json_object_get(metric, "config");
    const json_t *threshold = json_object_get(config, "threshold");
    tr_keras_function_name(metric, name);
    if (tr_metric_find(name) == NULL)
        return "trainer does not have it";
    if (json_is_object(metric) && strcmp(name, "accuracy") == 0 &&
        json_object_get(config, "fn") == NULL)
        return "Keras's class Accuracy counts equal numbers, which trainer does not";
    if (!json_is_number(threshold) || json_number_value(threshold) == 0.5)
        return NULL;
    snprintf(why, TR_REFUSAL_MAX, "its threshold is %g, and trainer's always 0.5",
             json_number_value(threshold));
    return why;
}

/* The name that a metric gets here. Keras 2 spells out what "accuracy" stood for, and keeps the
 * word as its name. */
static const char *metric_name(const tr_keras_reading *reading, const json_t *metric,
                               const char *loss, char name[TR_KERAS_TEXT])
{
    const json_t *config = json_object_get(metric, "config");
    const char *shown = json_string_value(json_object_get(config, "name"));
    tr_keras_function_name(metric, name);
    if (shown != NULL && tr_metric_find(shown) == tr_metric_find(name)) /* "mse" */
        snprintf(name, TR_KERAS_TEXT, "%s", shown);
    const bool of_loss = (reading->one_output && strcmp(name, "binary_accuracy") == 0) ||
                         (strcmp(loss, "sparse_categorical_crossentropy") == 0 &&
                          strcmp(name, "sparse_categorical_accuracy") == 0) ||
                         (strcmp(loss, "categorical_crossentropy") == 0 &&
                          strcmp(name, "categorical_accuracy") == 0);
    if (of_loss && shown != NULL && (strcmp(shown, "accuracy") == 0 || strcmp(shown, "acc") == 0))
        snprintf(name, TR_KERAS_TEXT, "%s", shown);
    return name;
}

typedef struct metric_list {
    char names[2 * TR_KERAS_TEXT]; /* room for one more than a line takes */
    int64_t k;
    bool takes_k;
} metric_list;

static void leave_metric_out(const tr_keras_reading *reading, const json_t *metric, const char *why)
{
    char name[TR_KERAS_TEXT], shown[TR_KERAS_TEXT];
    tr_keras_function_name(metric, name);
    fprintf(reading->notes, "its metric %s is left out: %s\n",
            name[0] == '\0' ? tr_keras_shown(metric, shown) : name, why);
}

/* All metrics that have a k have the same here: the first one's. */
static bool takes_k(const tr_keras_reading *reading, const json_t *metric, metric_list *list)
{
    char why[128];
    const json_t *given = json_object_get(json_object_get(metric, "config"), "k");
    const int64_t k =
        json_is_integer(given) ? (int64_t)json_integer_value(given) : TR_DEFAULT_TOP_K;
    if (list->takes_k && list->k != k) {
        snprintf(why, sizeof why, "its k is %lld, that of another is %lld; trainer has one for all",
                 (long long)k, (long long)list->k);
        leave_metric_out(reading, metric, why);
        return false;
    }
    list->takes_k = true;
    list->k = k;
    return true;
}

static void add_metric(tr_keras_reading *reading, const json_t *item, const char *loss,
                       metric_list *list)
{
    char name[TR_KERAS_TEXT], why[TR_REFUSAL_MAX];
    const size_t used = strlen(list->names);
    const int number = reading->n_metrics++;
    const char *strange = strange_metric(item, name, why);
    if (strange == NULL && reading->refused != NULL &&
        (number >= TR_METRICS_TOLD || reading->refused->refused[number]))
        strange = number >= TR_METRICS_TOLD ? "there are too many" : reading->refused->why[number];
    if (strange == NULL && used + strlen(metric_name(reading, item, loss, name)) + 3 > 180)
        strange = "there are too many for one line";
    if (strange != NULL)
        leave_metric_out(reading, item, strange);
    else if (!tr_metric_find(name)->takes_k || takes_k(reading, item, list))
        snprintf(list->names + used, sizeof list->names - used, "%s%s", used == 0 ? "" : ", ",
                 name);
}

static void add_metrics(tr_keras_reading *reading, const json_t *value, const char *loss,
                        metric_list *list)
{
    const json_t *item = unwrapped(value);
    if (item == NULL || json_is_null(item))
        return;
    if (json_is_array(item)) {
        for (size_t i = 0; i < json_array_size(item); i++)
            add_metrics(reading, json_array_get(item, i), loss, list);
        return;
    }
    add_metric(reading, item, loss, list);
}

static void read_metrics(tr_keras_reading *reading, const char *loss, metric_list *list)
{
    char shown[TR_KERAS_TEXT];
    const json_t *weighted = json_object_get(reading->file->training, "weighted_metrics");
    if (!(reading->without & TR_WITHOUT_METRICS))
        add_metrics(reading, json_object_get(reading->file->training, "metrics"), loss, list);
    else
        fprintf(reading->notes, "its metrics are left out: %s\n", reading->no_metrics);
    if (!is_empty(weighted))
        fprintf(reading->notes, "its weighted_metrics = %s are left out: trainer has none\n",
                tr_keras_shown(weighted, shown));
}

/* ---- all ---- */

void tr_keras_read_compile(tr_keras_reading *reading)
{
    const json_t *training = reading->file->training;
    const json_t *loss = unwrapped(json_object_get(training, "loss"));
    const char *loss_name;
    metric_list metrics = {.names = ""};
    const tr_optimizer_ops *optimizer = tr_keras_find_optimizer(reading);
    const tr_loss_ops *own = choose_loss(reading, json_is_null(loss) ? NULL : loss, &loss_name);
    read_metrics(reading, loss_name, &metrics);
    fprintf(reading->ini, "\n[compile]\nloss = %s\noptimizer = %s\nmetrics = %s\n", loss_name,
            optimizer == NULL ? "sgd" : optimizer->name, metrics.names);
    if (metrics.takes_k)
        fprintf(reading->ini, "top_k = %lld\n", (long long)metrics.k);
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
