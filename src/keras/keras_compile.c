/* keras_compile.c -- [compile] and what belongs to it from Keras's JSON; see keras_config.h.
 *
 * Nothing here stops a prediction: what we do not have gets a note, and where it is the loss, the
 * reason why there is nothing to measure. Spellings of all versions are read: a name, an object of
 * a class or of a function, lists and dictionaries of one output.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "loss.h"
#include "metric.h"
#include "optimizer.h"

/* ---- names ---- */

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

/* The function that it is, in snake case: "mse", {"class_name": "MeanSquaredError"}, and wrappers
 * of a function "fn". "": not told. */
static void function_name(const json_t *value, char name[TR_KERAS_TEXT])
{
    const json_t *config = json_object_get(value, "config");
    const json_t *fn = json_object_get(config, "fn");
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    name[0] = '\0';
    if (json_is_object(fn)) /* {"class_name": "function", "config": "..."} */
        fn = json_object_get(fn, "config");
    const char *text = json_is_string(value)    ? json_string_value(value)
                       : json_is_string(fn)     ? json_string_value(fn)
                       : json_is_string(config) ? json_string_value(config)
                                                : class_name;
    if (text == NULL)
        return;
    text = tr_keras_bare_name(text);
    size_t n = 0, n_capitals = 0;
    for (; text[n] != '\0'; n++)
        n_capitals += isupper((unsigned char)text[n]) != 0;
    if (n_capitals < n) { /* else "MSE" */
        tr_keras_snake_case(name, TR_KERAS_TEXT, text);
        return;
    }
    for (size_t i = 0; i < n && i + 1 < TR_KERAS_TEXT; i++) {
        name[i] = (char)tolower((unsigned char)text[i]);
        name[i + 1] = '\0';
    }
}

/* Writes the keys of a table that the object has; a value that does not go is left at its default.
 * The section's head comes with its first key. */
static void write_keys(FILE *ini, const char **section, const json_t *config, const tr_key *keys,
                       size_t n_keys)
{
    char text[TR_KERAS_TEXT];
    for (size_t i = 0; i < n_keys; i++) {
        const json_t *value = json_object_get(config, keys[i].name);
        if (value == NULL || json_is_null(value) || !tr_keras_value(&keys[i], value, text))
            continue;
        if (*section != NULL)
            fprintf(ini, "\n[%s]\n", *section);
        *section = NULL;
        fprintf(ini, "%s = %s\n", keys[i].name, text);
    }
}

/* ---- the loss ---- */

/* One that always goes with the last activation. */
static const char *fitting_loss(const tr_keras_reading *reading)
{
    return strcmp(reading->last_activation, "softmax") == 0   ? "sparse_categorical_crossentropy"
           : strcmp(reading->last_activation, "sigmoid") == 0 ? "binary_crossentropy"
                                                              : "mean_squared_error";
}

static bool has_key(const tr_loss_ops *ops, const char *name)
{
    for (size_t i = 0; i < ops->n_keys; i++)
        if (strcmp(ops->keys[i].name, name) == 0)
            return true;
    return false;
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
        for (size_t i = 0; i < ops->n_keys; i++)
            if (strcmp(ops->keys[i].name, key) == 0)
                fine = tr_keras_value(&ops->keys[i], value, text);
        /* label_smoothing = 0 of a loss that has none here. */
        fine = fine ||
               (!has_key(ops, key) && json_is_number(value) && json_number_value(value) == 0.0 &&
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
    const bool none = one == NULL || json_is_null(one) ||
                      (json_is_number(one) && json_number_value(one) == 1.0) ||
                      ((json_is_array(one) || json_is_object(one)) && json_array_size(one) == 0 &&
                       json_object_size(one) == 0);
    return none ? NULL : "loss_weights";
}

/* The loss of the file, or NULL with the reason in reading->no_measure. */
static const tr_loss_ops *find_loss(const tr_keras_reading *reading, const json_t *loss)
{
    char name[TR_KERAS_TEXT], list[400], shown[TR_KERAS_TEXT];
    const char *names[TR_MAX_LOSSES];
    function_name(loss, name);
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
                "the model was saved without its loss; %s is taken, which goes with a last "
                "activation of %s (another: --set compile.loss=NAME)\n",
                *name, reading->last_activation);
    } else if (reading->without & TR_WITHOUT_LOSS) {
        char own[TR_KERAS_TEXT];
        function_name(loss, own);
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

static const tr_metric_ops *find_metric(const char *name)
{
    for (size_t i = 0; tr_metric_table[i] != NULL; i++) {
        const tr_metric_ops *ops = tr_metric_table[i];
        if (strcmp(ops->name, name) == 0 || (ops->alias != NULL && strcmp(ops->alias, name) == 0))
            return ops;
    }
    return NULL;
}

/* The name that a metric gets here; NULL: we have none like it. Keras 2 spells out what "accuracy"
 * stood for, and keeps the word as its name. */
static const char *metric_name(const json_t *metric, const char *loss, char name[TR_KERAS_TEXT])
{
    const json_t *config = json_object_get(metric, "config");
    const char *shown = json_string_value(json_object_get(config, "name"));
    const json_t *threshold = json_object_get(config, "threshold");
    function_name(metric, name);
    if (find_metric(name) == NULL ||
        (json_is_number(threshold) && json_number_value(threshold) != 0.5))
        return NULL;
    if (json_is_object(metric) && strcmp(name, "accuracy") == 0 &&
        json_object_get(config, "fn") == NULL)
        return NULL; /* the class Accuracy counts equal numbers */
    const bool of_loss = (strcmp(loss, "sparse_categorical_crossentropy") == 0 &&
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

static void add_metrics(const tr_keras_reading *reading, const json_t *value, const char *loss,
                        metric_list *list)
{
    char name[TR_KERAS_TEXT], shown[TR_KERAS_TEXT];
    const json_t *item = unwrapped(value);
    if (item == NULL || json_is_null(item))
        return;
    if (json_is_array(item)) {
        for (size_t i = 0; i < json_array_size(item); i++)
            add_metrics(reading, json_array_get(item, i), loss, list);
        return;
    }
    const size_t used = strlen(list->names);
    const json_t *k = json_object_get(json_object_get(item, "config"), "k");
    if (metric_name(item, loss, name) == NULL || used + strlen(name) + 3 > 180) {
        function_name(item, name);
        fprintf(reading->notes, "its metric %s is left out: trainer does not have it\n",
                name[0] == '\0' ? tr_keras_shown(item, shown) : name);
        return;
    }
    snprintf(list->names + used, sizeof list->names - used, "%s%s", used == 0 ? "" : ", ", name);
    if (find_metric(name)->takes_k) {
        list->takes_k = true;
        list->k = json_is_integer(k) ? (int64_t)json_integer_value(k) : TR_DEFAULT_TOP_K;
    }
}

/* ---- the optimizer ---- */

static const tr_optimizer_ops *find_optimizer(const char *name)
{
    name = tr_keras_bare_name(name);
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        if (strcasecmp(tr_optimizer_table[i]->keras_class, name) == 0 ||
            strcasecmp(tr_optimizer_table[i]->name, name) == 0)
            return tr_optimizer_table[i];
    return NULL;
}

static void write_schedule(FILE *ini, const json_t *object)
{
    char name[TR_KERAS_TEXT];
    function_name(object, name);
    for (size_t i = 0; tr_schedule_table[i] != NULL; i++) {
        const tr_schedule_ops *ops = tr_schedule_table[i];
        const char *section = NULL;
        if (strcmp(ops->name, name) != 0)
            continue;
        fprintf(ini, "\n[learning_rate]\nschedule = %s\n", ops->name);
        write_keys(ini, &section, json_object_get(object, "config"), ops->keys, ops->n_keys);
    }
}

static void write_optimizer(FILE *ini, const tr_optimizer_ops *ops, const json_t *object)
{
    json_t *config = json_copy(json_object_get(object, "config"));
    const char *section = "optimizer";
    json_t *rate = json_object_get(config, "learning_rate");
    if (rate == NULL && json_object_get(config, "lr") != NULL) /* its name until 2.2 */
        json_object_set(config, "learning_rate", json_object_get(config, "lr"));
    write_keys(ini, &section, config, ops->keys, ops->n_keys);
    for (size_t i = 0; i < ops->n_keys; i++)
        json_object_del(config, ops->keys[i].name);        /* written; the rest are those of all */
    if (!json_is_true(json_object_get(config, "use_ema"))) /* Keras 3 tells its settings anyway */
        json_object_del(config, "ema_momentum");
    write_keys(ini, &section, config, tr_optimizer_common_keys, tr_optimizer_n_common_keys);
    if (json_is_object(rate))
        write_schedule(ini, rate);
    json_decref(config);
}

/* ---- all ---- */

void tr_keras_read_compile(tr_keras_reading *reading)
{
    const json_t *training = reading->file->training;
    const json_t *loss = unwrapped(json_object_get(training, "loss"));
    const json_t *optimizer = json_object_get(training, "optimizer_config"); /* .h5 */
    const char *loss_name, *optimizer_name;
    metric_list metrics = {.names = ""};
    if (optimizer == NULL)
        optimizer = json_object_get(training, "optimizer"); /* .keras */
    optimizer_name = json_is_string(optimizer)
                         ? json_string_value(optimizer)
                         : json_string_value(json_object_get(optimizer, "class_name"));
    const tr_optimizer_ops *ops =
        optimizer_name == NULL || (reading->without & TR_WITHOUT_OPTIMIZER)
            ? NULL
            : find_optimizer(optimizer_name);
    const tr_loss_ops *own = choose_loss(reading, json_is_null(loss) ? NULL : loss, &loss_name);
    if (!(reading->without & TR_WITHOUT_METRICS))
        add_metrics(reading, json_object_get(training, "metrics"), loss_name, &metrics);
    else
        fprintf(reading->notes, "its metrics are left out: they do not go with the loss\n");
    if (ops == NULL && optimizer_name != NULL)
        fprintf(reading->notes,
                "its optimizer %.60s is left out: trainer does not have it, or not with its "
                "settings\n",
                optimizer_name);
    fprintf(reading->ini, "\n[compile]\nloss = %s\noptimizer = %s\nmetrics = %s\n", loss_name,
            ops == NULL ? "sgd" : ops->name, metrics.names);
    if (metrics.takes_k)
        fprintf(reading->ini, "top_k = %lld\n", (long long)metrics.k);
    const char *section = "loss";
    if (own != NULL)
        write_keys(reading->ini, &section, json_object_get(loss, "config"), own->keys, own->n_keys);
    if (ops != NULL)
        write_optimizer(reading->ini, ops, optimizer);
}
