/* keras_limits.c -- see keras_limits.h. Found by loading such files in Keras 2.15, tf_keras 2.21,
 * Keras 3.3 and 3.15 (tests/keras/run.sh).
 */
#include "keras_limits.h"

#include <string.h>

#include "ini_file.h"
#include "keras_parts.h"
#include "mem.h"
#include "optimizer.h"
#include "trainer/config.h"

/* ---- the optimizer ---- */

static bool is(const tr_config *config, const char *optimizer)
{
    return config->compile.optimizer != NULL && strcmp(config->compile.optimizer, optimizer) == 0;
}

bool tr_keras_h5_lacks_optimizer(const tr_config *config)
{
    return is(config, "lamb");
}

/* Keras is told of it. */
static bool has_setting(const tr_config *config, const char *key)
{
    json_t *object = tr_keras_optimizer(config);
    const bool has = json_object_get(json_object_get(object, "config"), key) != NULL;
    json_decref(object);
    return has;
}

const char *tr_keras2_lacks(const tr_config *config, bool old)
{
    static const char *const settings[] = {"weight_decay", "use_ema"};
    if (is(config, "lamb"))
        return "Lamb";
    if (has_setting(config, "gradient_accumulation_steps"))
        return "gradient_accumulation_steps";
    if (old && is(config, "adamw"))
        return "AdamW";
    if (old && is(config, "lion"))
        return "Lion";
    for (size_t i = 0; old && i < sizeof settings / sizeof *settings; i++)
        if (has_setting(config, settings[i]))
            return settings[i];
    return NULL;
}

/* ---- layers ---- */

/* The name of the first layer with Keras 3's hard_sigmoid, or NULL. */
static const char *hard_sigmoid(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_entry *entry = tr_section_find(section, "activation");
        if (strncmp(section->name, "layer.", strlen("layer.")) == 0 && entry != NULL &&
            strcmp(entry->value, "hard_sigmoid") == 0)
            return section->name + strlen("layer.");
    }
    return NULL;
}

tr_status tr_keras2_check(const tr_model *model, tr_error *err)
{
    const char *layer = hard_sigmoid(tr_model_config(model));
    return layer == NULL
               ? TR_OK
               : tr_fail(err, TR_ERR_CONFIG,
                         "layer %s: activation = hard_sigmoid: Keras 2's is clip(0.2 x + 0.5, 0, "
                         "1), this one, of Keras 3, clip(x / 6 + 0.5, 0, 1): no file makes Keras 2 "
                         "compute this model",
                         layer);
}

/* ---- notes ---- */

char *tr_keras_h5_limits(const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    const char *layer = hard_sigmoid(config), *lacks = tr_keras2_lacks(config, true);
    char *first = layer == NULL
                      ? tr_strdup("")
                      : tr_format("Keras 2 computes the hard_sigmoid of layer %s otherwise and "
                                  "predicts something else from these files; Keras 3 does not\n",
                                  layer);
    char *all = NULL;
    if (first == NULL)
        return NULL;
    if (tr_keras_h5_lacks_optimizer(config))
        all = tr_format("%sKeras finds no Lamb in HDF5 files: these have no loss, optimizer and "
                        "metrics for it and load uncompiled; an exported .keras file has them\n",
                        first);
    else if (lacks != NULL)
        all = tr_format("%sKeras 2 has no %s where these files would need it and loads them with "
                        "compile=False only; Keras 3 loads them as they are\n",
                        first, lacks);
    else
        all = tr_strdup(first);
    tr_free(first);
    return all;
}

char *tr_keras3_limits(const tr_model *model, bool state)
{
    const tr_config *config = tr_model_config(model);
    if (is(config, "lamb"))
        return tr_strdup("the first versions of Keras 3, 3.3 among them, have no Lamb and do not "
                         "load this file\n");
    if (is(config, "nadam") && state)
        return tr_strdup("Nadam's state is in the order of Keras 3.10 and newer: older ones do not "
                         "load this file\n");
    return tr_strdup("");
}

char *tr_keras2_limits(const tr_model *model, bool state)
{
    const tr_config *config = tr_model_config(model);
    const char *lacks = tr_keras2_lacks(config, false);
    if (lacks != NULL)
        return tr_format("Keras 2 has no %s: the file is written without loss, optimizer and "
                         "metrics: call compile() before evaluate() and fit()\n",
                         lacks);
    if (is(config, "nadam") && state)
        return tr_strdup("Keras 2 keeps no product of Nadam's momenta in its files, its own "
                         "included: fit() goes on from the moments, but with larger steps\n");
    return tr_strdup("");
}
