/* keras_activation.c -- Keras's activations, as strings and objects; see keras_config.h. */
#include <stdio.h>
#include <string.h>

#include "keras_config.h"
#include "keras_value.h"
#include "primitives.h"
#include "problems.h"

bool tr_keras_is_old_sigmoid(const tr_keras_file *file, const json_t *value)
{
    const json_t *config = json_object_get(value, "config");
    const char *name = json_string_value(json_is_string(config) ? config : value);
    return name != NULL && strcmp(name, "hard_sigmoid") == 0 && file->version[0] < '3';
}

static const char *named(const char *name, char why[512])
{
    char list[400];
    for (int i = 0; i < TR_N_ACTIVATIONS; i++)
        if (strcmp(tr_activation_names[i], name) == 0)
            return tr_activation_names[i];
    snprintf(why, 512, "\"%.60s\"; supported: %s", name,
             tr_join_names(tr_activation_names, list, sizeof list));
    return NULL;
}

const char *tr_keras_activation(const json_t *value, char why[512])
{
    char shown[TR_KERAS_TEXT];
    why[0] = '\0';
    if (value == NULL || json_is_null(value))
        return "linear";
    if (json_is_string(value))
        return named(json_string_value(value), why);
    const json_t *config = json_object_get(value, "config");
    if (json_is_string(config)) /* {"class_name": "function", "config": "relu"} */
        return named(json_string_value(config), why);
    snprintf(why, 512, "%s is not known here", tr_keras_shown(value, shown));
    return NULL;
}
