/* keras_json.c -- see keras_json.h. Every json_object_set_new() below takes its value over, also a
 * NULL one, and then fails; so lack of memory shows in the end as a missing object.
 */
#include "keras_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ini_file.h"
#include "keras_call.h"
#include "keras_carried.h"
#include "keras_order.h"
#include "keras_parts.h"
#include "layer.h"
#include "mem.h"
#include "metric.h"
#include "optimizer.h"
#include "schedule.h"
#include "value.h"

/* ---- one value ---- */

/* As large as the largest value of a key. */
typedef union any_value {
    int64_t integers[4];
    double real;
    bool truth;
    int choice;
    tr_reals reals;
    tr_call call;
} any_value;

/* Keras's tuples are lists; two pairs, as of ZeroPadding2D, are a list of lists. */
static json_t *list_of(const int64_t *integers, int count)
{
    json_t *list = json_array();
    if (count == 4) {
        json_array_append_new(list, list_of(integers, 2));
        json_array_append_new(list, list_of(integers + 2, 2));
        return list;
    }
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(integers[i]));
    return list;
}

static json_t *words_of(const char *text)
{
    static const char between[] = ", \t";
    json_t *list = json_array();
    for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
        const size_t n = strcspn(text, between);
        json_array_append_new(list, json_stringn(text, n));
        text += n;
    }
    return list;
}

static json_t *value_of(const tr_key *key, const char *text)
{
    any_value value = {0};
    tr_key at_start = *key;
    at_start.offset = 0;
    if (key->kind == TR_KEY_TEXT)
        return json_string(text);
    if (key->kind == TR_KEY_WORDS)
        return words_of(text);
    if (!tr_value_parse(&at_start, text, &value))
        return NULL;
    json_t *list;
    switch (key->kind) {
    case TR_KEY_INT:
        return json_integer(value.integers[0]);
    case TR_KEY_INTS:
        if (key->vector_max > 0 && value.integers[0] == 0) /* one alone */
            return list_of(value.integers + key->count - 1, 1);
        return list_of(value.integers, key->count);
    case TR_KEY_REAL:
        if (key->zero_word != NULL && value.real == 0.0)
            return json_null();
        return json_real(value.real); /* 1 becomes 1.0: Keras 3 wants no integer */
    case TR_KEY_BOOL:
        return json_boolean(value.truth);
    case TR_KEY_CHOICE:
        return json_string(key->choices[value.choice]);
    case TR_KEY_REALS:
        if (key->constants && value.reals.n == 1)
            return json_real(value.reals.values[0]);
        list = json_array();
        if (key->twice && value.reals.n == 1)
            value.reals.values[value.reals.n++] = value.reals.values[0];
        for (int i = 0; i < value.reals.n; i++)
            json_array_append_new(list, key->whole ? json_integer((json_int_t)value.reals.values[i])
                                                   : json_real(value.reals.values[i]));
        return list;
    case TR_KEY_CALL:
        return tr_keras_call_object(key, &value.call);
    default:
        return NULL;
    }
}

/* Spelling a default out, as effective configurations do, says nothing. */
static bool says_default(const tr_entry *entry, const tr_key *key, tr_keras_tell tell)
{
    if (entry == NULL || (entry->is_default && tell != TR_TELL_INHERITED))
        return true;
    if (key->fallback == NULL)
        return false;
    json_t *value = value_of(key, entry->value), *fallback = value_of(key, key->fallback);
    const bool same = json_equal(value, fallback);
    json_decref(value);
    json_decref(fallback);
    return same;
}

bool tr_keras_says_default(const tr_section *section, const tr_key *key)
{
    return says_default(tr_section_find(section, key->name), key, TR_TELL_ALL);
}

void tr_keras_add_keys(json_t *config, const tr_section *section, const tr_key *keys, size_t n_keys,
                       tr_keras_tell tell)
{
    for (size_t k = 0; k < n_keys; k++) {
        const tr_entry *entry = section == NULL ? NULL : tr_section_find(section, keys[k].name);
        const char *text = entry == NULL ? keys[k].fallback : entry->value;
        if (keys[k].ours || (keys[k].young && says_default(entry, &keys[k], tell)) ||
            (tell != TR_TELL_ALL && says_default(entry, &keys[k], tell)) ||
            json_object_get(config, keys[k].name) != NULL)
            continue;
        if (text != NULL)
            json_object_set_new(config, keys[k].name, value_of(&keys[k], text));
        else if (keys[k].kind == TR_KEY_CALL) /* Keras's None */
            json_object_set_new(config, keys[k].name, json_null());
    }
}

json_t *tr_keras_object(const char *class_name, json_t *config)
{
    json_t *object = json_object();
    json_object_set_new(object, "class_name", json_string(class_name));
    json_object_set_new(object, "config", config);
    return object;
}

json_t *tr_keras_object_named(const char *function, json_t *config)
{
    char class_name[64];
    size_t n = 0;
    bool capital = true;
    for (const char *c = function; *c != '\0' && n + 1 < sizeof class_name; c++) {
        if (*c != '_')
            class_name[n++] = (char)(capital ? toupper((unsigned char)*c) : *c);
        capital = *c == '_';
    }
    class_name[n] = '\0';
    return tr_keras_object(class_name, config);
}

char *tr_keras_text(json_t *json)
{
    char *text = json_dumps(json, JSON_ENSURE_ASCII | JSON_COMPACT | JSON_REAL_PRECISION(15));
    char *copy = text == NULL ? NULL : tr_strdup(text);
    free(text); /* jansson's own */
    json_decref(json);
    return copy;
}

/* ---- the model ---- */

/* An object that was carried from a file of Keras 3 says its module, which Keras 2 may not know. */
static void forget_modules(json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        const char *module = json_string_value(json_object_get(value, "module"));
        if (module != NULL && strncmp(module, "keras.", strlen("keras.")) == 0) {
            json_object_del(value, "module");
            json_object_del(value, "registered_name");
        }
    }
}

json_t *tr_keras_input_shape(const tr_config *config)
{
    json_t *shape = json_array();
    json_array_append_new(shape, json_null());
    for (int i = config->input_flat ? 2 : 0; i < 3; i++)
        json_array_append_new(shape, json_integer(config->input_shape[i]));
    return shape;
}

static json_t *input_layer(const tr_config *config, const json_t *carried)
{
    json_t *layer = json_object();
    json_object_set_new(layer, "batch_input_shape", tr_keras_input_shape(config));
    json_object_set_new(layer, "dtype", json_string("float32"));
    json_object_set_new(layer, "sparse", json_false());
    json_object_set_new(layer, "ragged", json_false());
    json_object_set_new(layer, "name", json_string("input_1"));
    tr_keras_add_carried(layer, carried, "input", NULL);
    return tr_keras_object("InputLayer", layer);
}

/* As the key of its section says; layers without weights have none. */
static json_t *trainable(const tr_section *section)
{
    const tr_entry *entry = tr_section_find(section, "trainable");
    static const tr_key key = {.name = "trainable", .kind = TR_KEY_BOOL};
    return entry == NULL ? json_true() : value_of(&key, entry->value);
}

/* Every layer of Keras may have one; most say so only then. */
static void add_activity(json_t *config, const tr_section *section)
{
    static const char name[] = "activity_regularizer";
    const tr_entry *entry = tr_section_find(section, name);
    if (entry != NULL)
        json_object_set_new(
            config, name,
            value_of(tr_key_find(tr_layer_common_keys, tr_layer_n_common_keys, name),
                     entry->value));
}

/* Under the names that Keras 2 has for keys and activations; Keras 3 takes them, too. */
static void use_old_names(json_t *config, const tr_layer_ops *ops)
{
    const char *const *pairs = ops->keras2_keys;
    const char *activation = json_string_value(json_object_get(config, "activation"));
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2) {
        json_object_set(config, pairs[1], json_object_get(config, pairs[0]));
        json_object_del(config, pairs[0]);
    }
    if (activation != NULL && strcmp(activation, "silu") == 0)
        json_object_set_new(config, "activation", json_string("swish"));
}

static json_t *layer_object(const tr_section *section, const json_t *carried, bool old_names)
{
    const tr_entry *type = tr_section_find(section, "type");
    const tr_layer_ops *ops = type == NULL ? NULL : tr_layer_find(type->value);
    if (ops == NULL)
        return NULL;
    json_t *config = json_object();
    json_object_set_new(config, "name", json_string(section->name + strlen("layer.")));
    if (!ops->keras_untrained)
        json_object_set_new(config, "trainable", trainable(section));
    json_object_set_new(config, "dtype", json_string("float32"));
    tr_keras_add_keys(config, section, ops->keys, ops->n_keys, TR_TELL_ALL);
    if (ops->keras_rest != NULL) {
        json_t *rest = json_loads(ops->keras_rest, 0, NULL);
        json_object_update_missing(config, rest);
        json_decref(rest);
    }
    add_activity(config, section);
    tr_keras_add_carried(config, carried, "layers", section->name + strlen("layer."));
    if (old_names)
        use_old_names(config, ops);
    json_t *object = tr_keras_object(ops->keras_class, config);
    if (ops->keras_module != NULL) { /* no Keras finds it by its class alone */
        json_object_set_new(object, "module", json_string(ops->keras_module));
        json_object_set_new(object, "registered_name", json_string(ops->keras_class));
    }
    return object;
}

json_t *tr_keras_layers(const tr_model *model, const json_t *carried, bool old_names)
{
    const tr_ini *ini = tr_model_config(model)->ini;
    const int n = tr_model_n_layers(model);
    int *order = tr_keras_order(model);
    json_t *layers = json_array();
    for (int i = 0; order != NULL && i < n; i++) {
        char *name = tr_format("layer.%s", tr_model_layer(model, order[i]).name);
        if (name != NULL)
            json_array_append_new(layers, layer_object(tr_ini_find(ini, name), carried, old_names));
        tr_free(name);
    }
    tr_free(order);
    if (json_array_size(layers) == (size_t)n)
        return layers;
    json_decref(layers);
    return NULL;
}

char *tr_keras_model_config(const tr_model *model, const tr_keras_source *source)
{
    json_t *carried = source == NULL ? NULL : json_loads(source->carried, 0, NULL), *layer;
    json_t *config = json_object(), *layers = tr_keras_layers(model, carried, true);
    const bool chain = tr_model_is_chain(model);
    size_t i;
    json_array_foreach(layers, i, layer)
    {
        forget_modules(json_object_get(layer, "config"));
    }
    json_array_insert_new(layers, 0, input_layer(tr_model_config(model), carried));
    json_object_set_new(config, "name", json_string(tr_model_name(model)));
    tr_keras_add_carried(config, carried, "model", NULL);
    json_object_set_new(config, "layers", layers);
    json_decref(carried);
    const bool made = layers != NULL && (chain || tr_keras_connect(config, model, TR_CALLS_KERAS2));
    json_t *object = tr_keras_object(chain ? "Sequential" : "Functional", config);
    if (made)
        return tr_keras_text(object);
    json_decref(object);
    return NULL;
}

/* ---- the training ---- */

json_t *tr_keras_loss(const tr_config *config)
{
    const tr_loss_ops *ops = tr_loss_find(config->compile.loss);
    const tr_section *section = tr_ini_find(config->ini, "loss");
    json_t *settings = json_object();
    tr_keras_add_keys(settings, section, ops->keys, ops->n_keys, TR_TELL_SPOKEN);
    if (json_object_size(settings) == 0) {
        json_decref(settings);
        return json_string(ops->name);
    }
    json_object_set_new(settings, "reduction", json_string("sum_over_batch_size"));
    json_object_set_new(settings, "name", json_string(ops->name));
    return tr_keras_object_named(ops->name, settings);
}

/* A metric that is a function of Keras, and no class of its metrics. */
static json_t *wrapped_function(const char *name, json_t *settings)
{
    json_t *function = tr_keras_object("function", json_string(name));
    json_object_set_new(function, "module", json_string("builtins"));
    json_object_set_new(function, "registered_name", json_string("function"));
    json_object_set_new(settings, "fn", function);
    return tr_keras_object("MeanMetricWrapper", settings);
}

static json_t *metric_object(const tr_model *model, const tr_metric_info *info)
{
    tr_metric_ops ops;
    const tr_config *config = tr_model_config(model);
    json_t *settings = json_object();
    char *section = tr_format("metric.%s", info->written);
    json_object_set_new(settings, "name", json_string(info->weighted ? info->written : info->name));
    json_object_set_new(settings, "dtype", json_string("float32"));
    if (strstr(info->resolved, "top_k") != NULL)
        json_object_set_new(settings, "k", json_integer(config->compile.top_k));
    if (section == NULL || !tr_metric_find(&ops, info->resolved)) {
        json_decref(settings);
        settings = NULL;
    } else {
        tr_keras_add_keys(settings, tr_ini_find(config->ini, section), ops.keys, ops.n_keys,
                          TR_TELL_ALL);
    }
    tr_free(section);
    if (settings == NULL)
        return NULL;
    return ops.keras_class == NULL      ? tr_keras_object_named(ops.name, settings)
           : ops.keras_class[0] == '\0' ? wrapped_function(ops.name, settings)
                                        : tr_keras_object(ops.keras_class, settings);
}

/* Objects of the class that each metric resolved to, under its own name: by the word "accuracy"
 * Keras 2, which resolves it when it compiles and not when it loads, means that numbers are equal.
 */
json_t *tr_keras_metrics(const tr_model *model, bool weighted)
{
    json_t *list = json_array();
    for (int i = 0; i < tr_model_n_metrics(model); i++) {
        const tr_metric_info info = tr_model_metric(model, i);
        if (info.weighted == weighted)
            json_array_append_new(list, metric_object(model, &info));
    }
    if (!weighted || json_array_size(list) > 0)
        return list;
    json_decref(list);
    return json_null();
}

json_t *tr_keras_training(const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    json_t *training = json_object();
    json_object_set_new(training, "loss", tr_keras_loss(config));
    json_object_set_new(training, "metrics", tr_keras_metrics(model, false));
    json_object_set_new(training, "weighted_metrics", tr_keras_metrics(model, true));
    json_object_set_new(training, "loss_weights", json_null()); /* Keras 3 asks for it */
    return training;
}

char *tr_keras_training_config(const tr_model *model)
{
    json_t *training = tr_keras_training(model);
    json_object_set_new(training, "optimizer_config", tr_keras_optimizer_now(model));
    return tr_keras_text(training);
}
