/* keras_layer.c -- a layer's section from Keras's JSON; see keras_config.h.
 *
 * Each key of a layer's configuration is one of these: a key of our layer, whose value is written
 * by its table; something that our layer has fixed (keras_rest), and must be that; something that
 * no prediction depends on; or an error that names it.
 */
#include <stdlib.h>
#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "layer.h"
#include "mem.h"
#include "value.h"

/* The layer being written. */
typedef struct layer_reading {
    tr_keras_reading *reading;
    const tr_keras_entry *entry;
    const tr_layer_ops *ops;
    bool stands_behind;       /* for the activation of another */
    const json_t *activation; /* that becomes layers behind this one; NULL: none */
    json_t *rest;             /* what our layer has fixed */
} layer_reading;

static const char *path_of(const layer_reading *at)
{
    return at->reading->file->path;
}

static const char THRESHOLDED[] = "ThresholdedReLU"; /* Keras 2's; a ReLU with a threshold */

/* "BatchNormalizationV1" is how early versions of TensorFlow write it. */
static const tr_layer_ops *find_ops(const char *class_name)
{
    if (strcmp(class_name, THRESHOLDED) == 0)
        return tr_layer_find("re_lu");
    size_t n = strlen(class_name);
    if (n > 2 && (tr_ends_in(class_name, "V1") || tr_ends_in(class_name, "V2")))
        n -= 2;
    for (size_t i = 0; tr_layer_table[i] != NULL; i++)
        if (strlen(tr_layer_table[i]->keras_class) == n &&
            strncmp(tr_layer_table[i]->keras_class, class_name, n) == 0)
            return tr_layer_table[i];
    return NULL;
}

bool tr_keras_keeps_number(const char *class_name)
{
    const tr_layer_ops *ops = find_ops(class_name);
    return ops != NULL && (ops->only_activates || strcmp(class_name, "Dropout") == 0);
}

static void note_activation(tr_keras_reading *reading, const char *activation)
{
    snprintf(reading->last_activation, sizeof reading->last_activation, "%s", activation);
}

/* ---- keys that say nothing, or one thing only ---- */

/* What a prediction never depends on. */
static bool is_irrelevant(const char *key)
{
    static const char *const irrelevant[] = {
        "name",        "trainable",  "batch_input_shape", "batch_shape",     "seed",
        "noise_shape", "fused",      "momentum",          "renorm_momentum", "build_input_shape",
        "rng_type",    "value_range"}; /* that of layers that have none here: Keras 3.3's
                                          RandomRotation */
    for (size_t i = 0; i < sizeof irrelevant / sizeof *irrelevant; i++)
        if (strcmp(key, irrelevant[i]) == 0)
            return true;
    return tr_ends_in(key, "_initializer") || tr_ends_in(key, "_constraint");
}

/* Keys of some versions that have to be as they are when nobody asks for them. */
static bool is_default(const char *key, const json_t *value)
{
    static const char defaults[] =
        "{\"data_format\":\"channels_last\",\"dilation_rate\":1,\"groups\":1,"
        "\"synchronized\":false,\"renorm\":false,\"rms_scaling\":false,\"sparse\":false,"
        "\"pad_to_aspect_ratio\":false,\"antialias\":false,\"fill_mode\":\"constant\","
        "\"fill_value\":0.0,\"ragged\":false,\"optional\":false,\"dynamic\":false,\"input_dtype\":"
        "\"float32\"}";
    json_t *all = json_loads(defaults, 0, NULL);
    const json_t *ours = json_object_get(all, key);
    const bool same = ours != NULL && tr_keras_same(value, ours);
    json_decref(all);
    return same;
}

/* The last axis counts -1, or as many as there are dimensions before it. */
static bool is_last_axis(const layer_reading *at, const json_t *value)
{
    const json_t *axis =
        json_is_array(value) && json_array_size(value) == 1 ? json_array_get(value, 0) : value;
    return json_is_integer(axis) && (json_integer_value(axis) == -1 ||
                                     json_integer_value(axis) == (at->entry->flat ? 1 : 3));
}

/* ---- one key ---- */

static tr_status refuse(const layer_reading *at, const char *key, const json_t *value,
                        const char *supported, tr_error *err)
{
    char shown[TR_KERAS_TEXT];
    return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s): %s = %s; %s", path_of(at),
                   at->entry->keras_name, at->entry->class_name, key, tr_keras_shown(value, shown),
                   supported);
}

/* A function that is not ours: no prediction depends on it, and an export has it again. */
static void leave_out(const layer_reading *at, const char *key, const json_t *value)
{
    char shown[TR_KERAS_TEXT];
    fprintf(at->reading->notes,
            "layer %s (%s): %s = %s is not known here: predictions do not depend on it, but a "
            "training, and the loss that Keras reports, may\n",
            at->entry->keras_name, at->entry->class_name, key, tr_keras_shown(value, shown));
}

static const char TRAINABLE[] = "trainable", ACTIVITY[] = "activity_regularizer";

/* By itself, or with the whole model. */
static bool is_frozen(const layer_reading *at)
{
    return at->reading->frozen || json_is_false(json_object_get(at->entry->config, TRAINABLE));
}

/* An activation that is no name of ours becomes layers behind: a layer in its place, as Keras
 * allows, or Keras 2's hard_sigmoid. */
static bool comes_behind(const layer_reading *at, const json_t *value)
{
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    const tr_layer_ops *ops = class_name == NULL ? NULL : find_ops(class_name);
    return tr_keras_is_old_sigmoid(at->reading->file, value) ||
           (ops != NULL && ops->only_activates && json_is_object(json_object_get(value, "config")));
}

static tr_status write_activation(layer_reading *at, const tr_key *key, const json_t *value,
                                  tr_error *err)
{
    char why[512];
    const bool behind = comes_behind(at, value);
    const char *activation = behind ? "linear" : tr_keras_activation(value, why);
    if (activation == NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s): %s = %s", path_of(at),
                       at->entry->keras_name, at->entry->class_name, key->name, why);
    at->activation = behind ? value : NULL;
    note_activation(at->reading, activation);
    fprintf(at->reading->ini, "%s = %s\n", key->name, activation);
    return TR_OK;
}

static tr_status write_key(layer_reading *at, const tr_key *key, const json_t *value, tr_error *err)
{
    char text[TR_KERAS_TEXT];
    if (key->offset == offsetof(tr_layer, activation))
        return write_activation(at, key, value, err);
    if (json_is_null(value))
        return TR_OK; /* not given: the default, Keras's and ours */
    if (!tr_keras_value(key, value, text)) {
        if (key->kind == TR_KEY_CALL) {
            leave_out(at, key->name, value);
            return TR_OK;
        }
        char expected[TR_KERAS_TEXT], supported[TR_KERAS_TEXT + 32];
        snprintf(supported, sizeof supported, "must be %s",
                 tr_value_expected(key, expected, sizeof expected));
        return refuse(at, key->name, value, supported, err);
    }
    fprintf(at->reading->ini, "%s = %s\n", key->name, text);
    return TR_OK;
}

/* The layer's own, or one of all layers that Keras has as well. */
static const tr_key *find_key(const tr_layer_ops *ops, const char *name)
{
    const tr_key *own = tr_key_find(ops->keys, ops->n_keys, name);
    return own != NULL || strcmp(name, ACTIVITY) != 0
               ? own
               : tr_key_find(tr_layer_common_keys, tr_layer_n_common_keys, name);
}

/* The key as it is called here. */
static const char *our_key(const layer_reading *at, const char *name)
{
    const char *const *pairs = at->ops->keras2_keys;
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2)
        if (strcmp(pairs[1], name) == 0)
            return pairs[0];
    return strcmp(at->entry->class_name, THRESHOLDED) == 0 && strcmp(name, "theta") == 0
               ? "threshold"
               : name;
}

static tr_status read_key(layer_reading *at, const char *keras_name, const json_t *value,
                          tr_error *err)
{
    const char *name = our_key(at, keras_name);
    const tr_key *key = strcmp(name, TRAINABLE) == 0 ? NULL : find_key(at->ops, name);
    const json_t *fixed = json_object_get(at->rest, name);
    char whose[256];
    if (key != NULL)
        return write_key(at, key, value, err);
    if (strcmp(name, "dtype") == 0) {
        snprintf(whose, sizeof whose, "layer %.100s (%.60s)", at->entry->keras_name,
                 at->entry->class_name);
        return tr_keras_check_dtype(at->reading->file, whose, value, err);
    }
    if (json_is_null(value) || is_irrelevant(name))
        return TR_OK;
    if (tr_ends_in(name, "_regularizer")) {
        leave_out(at, name, value);
        return TR_OK;
    }
    if (strcmp(name, "axis") == 0 && fixed != NULL)
        return is_last_axis(at, value)
                   ? TR_OK
                   : refuse(at, name, value, "only the last axis is supported", err);
    if (fixed == NULL)
        return is_default(name, value)
                   ? TR_OK
                   : refuse(at, name, value, "that is not supported by this layer here", err);
    if (tr_keras_same(value, fixed))
        return TR_OK;
    char shown[TR_KERAS_TEXT], supported[TR_KERAS_TEXT + 32];
    snprintf(supported, sizeof supported, "only %s is supported", tr_keras_shown(fixed, shown));
    return refuse(at, name, value, supported, err);
}

/* ---- one layer ---- */

static tr_status refuse_class(const layer_reading *at, tr_error *err)
{
    char *list = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&list, &n);
    for (size_t i = 0; out != NULL && tr_layer_table[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", ", tr_layer_table[i]->keras_class);
    if (out != NULL)
        fclose(out);
    const tr_status status = tr_fail(
        err, TR_ERR_DATA, "%s: layer %s is a %s, which trainer does not have; supported: %s",
        path_of(at), at->entry->keras_name, at->entry->class_name, list == NULL ? "" : list);
    free(list); /* the stream's own */
    return status;
}

/* What a key of ours says. */
static bool has_key(const tr_layer_ops *ops, const char *name, const json_t *value)
{
    char text[TR_KERAS_TEXT];
    const tr_key *key = find_key(ops, name);
    return key != NULL && (key->kind != TR_KEY_CALL || tr_keras_value(key, value, text));
}

/* Under its own name, unless Keras 3 does not allow it. */
static void carry_rest(const layer_reading *at)
{
    const tr_keras_entry *entry = at->entry;
    const char *key;
    json_t *value;
    if (!entry->inner && strcmp(entry->keras_name, entry->our_name) != 0 &&
        strchr(entry->keras_name, '/') == NULL)
        tr_keras_carry(at->reading->carried, "layers", entry->our_name, "name",
                       json_object_get(entry->config, "name"));
    json_object_foreach(entry->config, key, value)
    {
        if (tr_keras_is_carried(key, value) && !has_key(at->ops, key, value))
            tr_keras_carry(at->reading->carried, "layers", entry->our_name, key, value);
    }
}

static void write_head(const layer_reading *at)
{
    FILE *ini = at->reading->ini;
    fprintf(ini, "\n[layer.%s]\ntype = %s\n", at->entry->our_name, at->ops->type);
    if (at->entry->inputs != NULL)
        fprintf(ini, "inputs = %s\n", at->entry->inputs);
}

static tr_status check_n_sources(const layer_reading *at, tr_error *err)
{
    if (at->ops->merges == (at->entry->n_sources > 1))
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s) takes %zu tensors; it must be %s",
                   path_of(at), at->entry->keras_name, at->entry->class_name, at->entry->n_sources,
                   at->ops->merges ? "two or more" : "one");
}

static tr_status write_layer(layer_reading *at, tr_error *err)
{
    const char *key;
    json_t *value;
    TR_TRY(check_n_sources(at, err));
    if (!at->stands_behind)
        carry_rest(at);
    write_head(at);
    note_activation(at->reading, tr_activation_names[at->ops->activates]);
    at->rest = at->ops->keras_rest == NULL ? NULL : json_loads(at->ops->keras_rest, 0, NULL);
    tr_status status = TR_OK;
    json_object_foreach(at->entry->config, key, value)
    {
        if (status == TR_OK)
            status = read_key(at, key, value, err);
    }
    if (tr_key_find(at->ops->keys, at->ops->n_keys, TRAINABLE) != NULL && is_frozen(at))
        fprintf(at->reading->ini, "%s = false\n", TRAINABLE);
    json_decref(at->rest);
    return status;
}

/* The layers that stand for the activation of the one that was written. */
static tr_status write_behind(const layer_reading *at, tr_error *err)
{
    const tr_keras_entry *entry = at->entry;
    tr_keras_entry own = {.config = json_object_get(at->activation, "config"),
                          .class_name =
                              json_string_value(json_object_get(at->activation, "class_name")),
                          .keras_name = entry->keras_name,
                          .our_name = entry->behind[1],
                          .n_sources = 1,
                          .flat = entry->flat};
    layer_reading behind = {.reading = at->reading, .entry = &own, .stands_behind = true};
    if (!tr_keras_is_old_sigmoid(at->reading->file, at->activation)) {
        *entry->n_behind = 1;
        behind.ops = find_ops(own.class_name);
        TR_TRY(write_layer(&behind, err));
        return behind.activation == NULL ? TR_OK
                                         : refuse(at, "activation", at->activation,
                                                  "an activation in another is not supported", err);
    }
    *entry->n_behind = 2;
    fprintf(at->reading->ini,
            "\n[layer.%s]\ntype = rescaling\nscale = 0.2\noffset = 0.5\n"
            "\n[layer.%s]\ntype = re_lu\nmax_value = 1\n",
            entry->behind[0], entry->behind[1]);
    note_activation(at->reading, "relu");
    return TR_OK;
}

tr_status tr_keras_read_layer(tr_keras_reading *reading, const tr_keras_entry *entry, tr_error *err)
{
    layer_reading at = {.reading = reading, .entry = entry};
    at.ops = find_ops(entry->class_name);
    if (at.ops == NULL)
        return refuse_class(&at, err);
    TR_TRY(write_layer(&at, err));
    return at.activation == NULL ? TR_OK : write_behind(&at, err);
}
