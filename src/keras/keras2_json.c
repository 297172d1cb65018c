/* keras2_json.c -- training_config as Keras 2.11 to 2.15 and tf_keras write it; see keras_json.h.
 *
 * Without is_legacy_optimizer = false these take the optimizers of Keras 2.10, which know neither
 * AdamW nor weight_decay nor use_ema; with it, and "Custom>" before the class, their own ones.
 * Keras 3 reads such a file with default values and says nothing, so that only an export has it.
 */
#include "keras_json.h"
#include "keras_limits.h"
#include "keras_parts.h"
#include "mem.h"

static json_t *optimizer(const tr_model *model)
{
    json_t *object = tr_keras_optimizer_now(model), *settings = json_object_get(object, "config");
    char *name = tr_format("Custom>%s", json_string_value(json_object_get(object, "class_name")));
    json_object_set_new(object, "class_name", name == NULL ? NULL : json_string(name));
    json_object_set_new(settings, "jit_compile", json_false());
    json_object_set_new(settings, "is_legacy_optimizer", json_false());
    /* RMSprop's default is 100 there, every other one's none. */
    if (json_object_get(settings, "ema_overwrite_frequency") == NULL)
        json_object_set_new(settings, "ema_overwrite_frequency", json_null());
    tr_free(name);
    return object;
}

char *tr_keras2_training_config(const tr_model *model)
{
    json_t *training = tr_keras_training(model);
    json_object_set_new(training, "optimizer_config", optimizer(model));
    return tr_keras_text(training);
}
