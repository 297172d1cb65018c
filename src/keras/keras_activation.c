/* keras_activation.c -- Keras's activations, as strings, objects and layers; see keras_config.h. */
#include <stdio.h>
#include <string.h>

#include "keras_config.h"
#include "keras_value.h"
#include "primitives.h"
#include "problems.h"

/* Layers that are activations with parameters, and the parameters that ours have. */
typedef struct stand_in {
    const char *class_name, *activation;
    const char *parameters; /* JSON */
    bool must_say;          /* Keras's default is another: one of them must be there */
} stand_in;

static const stand_in stand_ins[] = {
    {"ReLU", "relu", "{\"max_value\":null,\"negative_slope\":0,\"threshold\":0}", false},
    {"LeakyReLU", "leaky_relu", "{\"alpha\":0.2,\"negative_slope\":0.2}", true},
    {"ELU", "elu", "{\"alpha\":1}", false},
    {"Softmax", "softmax", "{\"axis\":-1}", false},
};

/* Keys that no activation depends on. */
static bool is_common(const char *key)
{
    static const char *const common[] = {"name", "trainable", "dtype", "batch_input_shape",
                                         "batch_shape"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strcmp(key, common[i]) == 0)
            return true;
    return false;
}

static bool check_parameters(const stand_in *row, const json_t *config, char why[512])
{
    json_t *ours = json_loads(row->parameters, 0, NULL), *value;
    const char *key;
    char is[TR_KERAS_TEXT], want[TR_KERAS_TEXT];
    bool ok = true, said = false;
    json_object_foreach((json_t *)config, key, value)
    {
        const json_t *wanted = json_object_get(ours, key);
        said = said || wanted != NULL;
        if (!ok || is_common(key) || (wanted == NULL && json_is_null(value)) ||
            (wanted != NULL && tr_keras_same(value, wanted)))
            continue;
        ok = false;
        if (wanted == NULL)
            snprintf(why, 512, "%s = %s is not known here", key, tr_keras_shown(value, is));
        else
            snprintf(why, 512, "%s = %s; only %s is supported", key, tr_keras_shown(value, is),
                     tr_keras_shown(wanted, want));
    }
    if (ok && row->must_say && !said) {
        ok = false;
        snprintf(why, 512, "without a slope it is Keras's default of 0.3; only 0.2 is supported");
    }
    json_decref(ours);
    return ok;
}

const char *tr_keras_activation_layer(const char *class_name, const json_t *config, char why[512])
{
    why[0] = '\0';
    for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
        if (strcmp(stand_ins[i].class_name, class_name) == 0)
            return check_parameters(&stand_ins[i], config, why) ? stand_ins[i].activation : NULL;
    return NULL;
}

/* Keras 2's hard_sigmoid has another slope than Keras 3's, which is ours. */
static const char *named(const tr_keras_file *file, const char *name, char why[512])
{
    char list[300];
    if (strcmp(name, "silu") == 0)
        name = "swish";
    if (strcmp(name, "hard_sigmoid") == 0 && file->version[0] < '3') {
        snprintf(
            why, 512,
            "\"hard_sigmoid\" of Keras %s is clip(0.2 x + 0.5, 0, 1); only Keras 3's, clip(x / "
            "6 + 0.5, 0, 1), is supported",
            file->version[0] == '\0' ? "2 (the file does not say which)" : file->version);
        return NULL;
    }
    for (int i = 0; i < TR_N_ACTIVATIONS; i++)
        if (strcmp(tr_activation_names[i], name) == 0)
            return tr_activation_names[i];
    snprintf(why, 512, "\"%.60s\"; supported: %s", name,
             tr_join_names(tr_activation_names, list, sizeof list));
    return NULL;
}

const char *tr_keras_activation(const tr_keras_file *file, const json_t *value, char why[512])
{
    char shown[TR_KERAS_TEXT];
    why[0] = '\0';
    if (value == NULL || json_is_null(value))
        return "linear";
    if (json_is_string(value))
        return named(file, json_string_value(value), why);
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    const json_t *config = json_object_get(value, "config");
    if (json_is_string(config)) /* {"class_name": "function", "config": "relu"} */
        return named(file, json_string_value(config), why);
    const char *found =
        class_name == NULL ? NULL : tr_keras_activation_layer(class_name, config, why);
    if (found == NULL && why[0] == '\0')
        snprintf(why, 512, "%s is not known here", tr_keras_shown(value, shown));
    return found;
}
