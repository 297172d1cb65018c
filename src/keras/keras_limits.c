/* keras_limits.c -- see keras_limits.h. Found by loading such files in Keras 2.15, tf_keras 2.21,
 * Keras 3.3 and 3.15 (tests/keras/run.sh).
 */
#include "keras_limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "keras_limited.h"
#include "keras_parts.h"
#include "keras_young.h"
#include "mem.h"
#include "metric.h"
#include "optimizer.h"
#include "trainer/config.h"

/* ---- the optimizer ---- */

static bool is(const tr_config *config, const char *optimizer)
{
    return config->compile.optimizer != NULL && strcmp(config->compile.optimizer, optimizer) == 0;
}

static const char group_prefix[] = "optimizer.";

/* The k-th of the sections of optimizers, with the name of its own; NULL: there are fewer. */
static const tr_section *optimizer_section(const tr_config *config, int k, const char **name)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const bool common = strcmp(section->name, "optimizer") == 0;
        const tr_entry *own = common ? NULL : tr_section_find(section, "optimizer");
        if (!common && strncmp(section->name, group_prefix, strlen(group_prefix)) != 0)
            continue;
        if (k-- > 0)
            continue;
        *name = own == NULL ? config->compile.optimizer : own->value;
        return section;
    }
    return NULL;
}

static bool uses(const tr_config *config, const char *optimizer)
{
    const char *name;
    for (int k = 0; optimizer_section(config, k, &name) != NULL; k++)
        if (name != NULL && strcmp(name, optimizer) == 0)
            return true;
    return false;
}

bool tr_keras_tells_optimizer(const tr_config *config)
{
    const char *name;
    const tr_section *section;
    for (int k = 0; (section = optimizer_section(config, k, &name)) != NULL; k++) {
        const tr_entry *entry = tr_section_find(section, "convolutions");
        if (entry != NULL && strcmp(entry->value, "matrices") == 0)
            return false;
    }
    return true;
}

/* The class of an optimizer that only newer Kerases have, and a version that has it; or NULL. */
static const char *newer(const tr_config *config, const char **since)
{
    const char *name;
    if (tr_keras_several_optimizers(config)) {
        *since = "3.15";
        return "MultiOptimizer";
    }
    for (int k = 0; optimizer_section(config, k, &name) != NULL; k++) {
        const tr_optimizer_ops *ops = name == NULL ? NULL : tr_optimizer_find(name);
        if (ops != NULL && ops->keras_since != NULL) {
            *since = ops->keras_since;
            return ops->keras_class;
        }
    }
    return NULL;
}

bool tr_keras_h5_lacks_optimizer(const tr_config *config)
{
    return !tr_keras_tells_optimizer(config) ||
           (is(config, "lamb") && !tr_keras_several_optimizers(config));
}

/* Keras is told of it. */
static bool has_setting(const tr_config *config, const char *key)
{
    json_t *object = tr_keras_optimizer(config);
    const bool has = json_object_get(json_object_get(object, "config"), key) != NULL;
    json_decref(object);
    return has;
}

/* Of a metric that is a function alone; NULL: none. */
static const char *metric_without_class(const tr_model *model)
{
    tr_metric_ops ops;
    for (int i = 0; i < tr_model_n_metrics(model); i++) {
        const char *name = tr_model_metric(model, i).resolved;
        if (tr_metric_find(&ops, name) && ops.keras_class != NULL && ops.keras_class[0] == '\0')
            return tr_model_metric(model, i).resolved;
    }
    return NULL;
}

const char *tr_keras2_lacks(const tr_model *model, bool old)
{
    const tr_config *config = tr_model_config(model);
    static const char *const settings[] = {"weight_decay", "use_ema"};
    const char *since, *class_name = newer(config, &since);
    if (class_name != NULL)
        return class_name;
    if (has_setting(config, "gradient_accumulation_steps"))
        return "gradient_accumulation_steps";
    if (old && is(config, "adamw"))
        return "AdamW";
    if (old && is(config, "lion"))
        return "Lion";
    if (old && is(config, "adafactor"))
        return "Adafactor";
    for (size_t i = 0; old && i < sizeof settings / sizeof *settings; i++)
        if (has_setting(config, settings[i]))
            return settings[i];
    return metric_without_class(model);
}

/* ---- layers ---- */

tr_status tr_keras2_check(const tr_model *model, tr_error *err)
{
    const char *whose;
    const char *activation =
        tr_keras_young_activation(tr_model_config(model), TR_KERAS_YOUNG, &whose);
    if (activation != NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "layer %s: activation = %s: Keras 2 has no such activation; export it for "
                       "Keras 3, or use another",
                       whose, activation);
    char what[TR_YOUNG_TEXT];
    whose = tr_keras_young_layer(tr_model_config(model), what);
    if (whose != NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "layer %s: Keras 2 has no %s; export it for Keras 3, or train without",
                       whose, what);
    const char *layer = tr_keras_hard_sigmoid(tr_model_config(model));
    return layer == NULL
               ? TR_OK
               : tr_fail(err, TR_ERR_CONFIG,
                         "layer %s: activation = hard_sigmoid: Keras 2's is clip(0.2 x + 0.5, 0, "
                         "1), this one, of Keras 3, clip(x / 6 + 0.5, 0, 1): no file makes Keras 2 "
                         "compute this model",
                         layer);
}

/* ---- notes ---- */

typedef struct note_list {
    char *text;
    size_t n;
    FILE *out;
} note_list;

static void begin(note_list *notes)
{
    notes->text = NULL;
    notes->out = open_memstream(&notes->text, &notes->n);
}

static char *end(note_list *notes)
{
    if (notes->out != NULL)
        fclose(notes->out);
    return notes->text;
}

__attribute__((format(printf, 2, 3))) static void note(const note_list *notes, const char *format,
                                                       ...)
{
    va_list args;
    va_start(args, format);
    if (notes->out != NULL)
        vfprintf(notes->out, format, args);
    va_end(args);
}

/* Of the files for any Keras 3; `loads`: how an older one takes them. */
static void note_optimizers(const note_list *notes, const tr_config *config, const char *loads)
{
    const char *since, *class_name = newer(config, &since);
    if (!tr_keras_tells_optimizer(config))
        note(notes,
             "Keras's Muon has no convolutions = matrices: the file is written without loss, "
             "optimizer and metrics: call compile() before evaluate() and fit()\n");
    else if (class_name != NULL)
        note(notes, "Keras %s has %s; older ones may not, and then %s\n", since, class_name, loads);
    if (uses(config, "schedule_free_adamw"))
        note(notes, "Keras on TensorFlow makes the steps of ScheduleFreeAdamW from a momentum that "
                    "has moved already: fit() there goes on otherwise than here\n");
}

/* Of the files for all of them. */
static void note_layers(const note_list *notes, const tr_config *config, bool keras2)
{
    const char *scale = tr_keras_layer_with(config, "type", "layer_scale", true);
    if (scale != NULL && keras2)
        note(notes,
             "layer %s: Keras 2 finds no LayerScale by itself: load_model(..., custom_objects="
             "{\"LayerScale\": keras.src.applications.convnext.LayerScale})\n",
             scale);
    const char *own = tr_keras_own_initializer(config);
    const char *active = tr_keras_layer_with(config, "activity_regularizer", "none", false);
    const char *crop = tr_keras_layer_with(config, "type", "random_crop", true);
    if (crop != NULL)
        note(notes,
             "layer %s: Keras 3.15 leaves images as they are outside of training, where Keras 2, "
             "3.3 and this program scale the middle down: its predictions are others there\n",
             crop);
    if (own != NULL)
        note(notes,
             "layer %s: Keras does not have its initializer and is told glorot_uniform: what is "
             "trained is in the file, but a model that is built anew begins otherwise\n",
             own);
    if (active != NULL)
        note(notes,
             "layer %s: the first versions of Keras 3, 3.3 among them, add activity_regularizer up "
             "over the samples of a batch, where this is the mean\n",
             active);
    const char *layer = tr_keras_layer_with(config, "virtual_batch_size", "0", false);
    if (layer != NULL)
        note(notes,
             "layer %s: virtual_batch_size is not in the model that Keras reads: predictions are "
             "the same, but fit() there measures whole batches\n",
             layer);
}

/* A layer that `who` do not know. */
static void note_young(const note_list *notes, const tr_config *config, const char *who,
                       const char *so)
{
    char what[TR_YOUNG_TEXT];
    const char *layer = tr_keras_young_layer(config, what);
    if (layer != NULL)
        note(notes, "%s no %s (layer %s) and %s\n", who, what, layer, so);
}

char *tr_keras_h5_limits(const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    const char *layer = tr_keras_hard_sigmoid(config), *lacks = tr_keras2_lacks(model, true),
               *since, *whose;
    const char *activation = tr_keras_young_activation(config, TR_KERAS_YOUNG, &whose);
    note_list notes;
    begin(&notes);
    if (layer != NULL)
        note(&notes,
             "Keras 2 computes the hard_sigmoid of layer %s otherwise and predicts something else "
             "from these files; Keras 3 does not\n",
             layer);
    if (activation != NULL)
        note(&notes, "Keras 2 has no activation %s (layer %s) and does not load these files\n",
             activation, whose);
    note_young(&notes, config, "Keras 2 and the first versions of Keras 3, 3.3 among them, have",
               "do not load these files");
    if (tr_keras_tells_optimizer(config) && tr_keras_h5_lacks_optimizer(config))
        note(&notes, "Keras finds no Lamb in HDF5 files: these have no loss, optimizer and metrics "
                     "for it and load uncompiled; an exported .keras file has them\n");
    else if (lacks != NULL && newer(config, &since) == NULL)
        note(&notes,
             "Keras 2 has no %s where these files would need it and loads them with compile=False "
             "only; Keras 3 loads them as they are\n",
             lacks);
    else
        note_optimizers(&notes, config, "load these files with compile=False only");
    const char *adapted = tr_keras_measured_normalization(config);
    if (adapted != NULL)
        note(
            &notes,
            "layer %s: the first versions of Keras 3, 3.3 among them, do not use what was measured "
            "when they load it from HDF5, until its finalize_state() is called; an exported .keras "
            "file needs nothing\n",
            adapted);
    note_layers(&notes, config, true);
    return end(&notes);
}

char *tr_keras3_limits(const tr_model *model, bool state)
{
    const tr_config *config = tr_model_config(model);
    const char *whose, *activation = tr_keras_young_activation(config, TR_KERAS_YOUNGEST, &whose);
    note_list notes;
    begin(&notes);
    if (activation != NULL)
        note(&notes,
             "the first versions of Keras 3, 3.3 among them, have no activation %s (layer %s) and "
             "do not load this file\n",
             activation, whose);
    note_young(&notes, config, "the first versions of Keras 3, 3.3 among them, have",
               "do not load this file");
    const char *transposed = tr_keras_pads_by_0(config);
    if (transposed != NULL)
        note(&notes,
             "layer %s: the first versions of Keras 3, 3.3 among them, refuse output_padding = 0 "
             "and do not load this file\n",
             transposed);
    note_optimizers(&notes, config, "do not load this file");
    if (state && has_setting(config, "use_ema") &&
        has_setting(config, "gradient_accumulation_steps"))
        note(&notes, "with use_ema and gradient_accumulation_steps the state is in the order of "
                     "Keras 3.15: older ones may take one for the other\n");
    if (is(config, "nadam") && state)
        note(&notes, "Nadam's state is in the order of Keras 3.10 and newer: older ones do not "
                     "load this file\n");
    note_layers(&notes, config, false);
    return end(&notes);
}

char *tr_keras2_limits(const tr_model *model, bool state)
{
    const tr_config *config = tr_model_config(model);
    const char *lacks = tr_keras2_lacks(model, false);
    note_list notes;
    begin(&notes);
    if (lacks == NULL && !tr_keras_tells_optimizer(config))
        lacks = "Muon with convolutions = matrices";
    if (lacks != NULL)
        note(&notes,
             "Keras 2 has no %s: the file is written without loss, optimizer and metrics: call "
             "compile() before evaluate() and fit()\n",
             lacks);
    else if (is(config, "nadam") && state)
        note(&notes, "Keras 2 keeps no product of Nadam's momenta in its files, its own included: "
                     "fit() goes on from the moments, but with larger steps\n");
    note_layers(&notes, config, true);
    return end(&notes);
}
