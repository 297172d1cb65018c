/* keras_layers.c -- the layers' sections from Keras's JSON; see keras_config.h.
 *
 * Each key of a layer's configuration is one of these: a key of our layer, whose value is written
 * by its table; something that our layer has fixed (keras_rest), and must be that; something that
 * no prediction depends on; or an error that names it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "layer.h"
#include "mem.h"
#include "value.h"

enum { NAME_MAX_OURS = 42, NAME_SPACE = 64 };

/* The layer being written. */
typedef struct layer_reading {
    tr_keras_reading *all;
    const json_t *layer; /* its entry in the list */
    const char *keras_name, *class_name, *our_name;
    const tr_layer_ops *ops;
    json_t *rest; /* what our layer has fixed */
    bool flat;    /* its input is a vector */
} layer_reading;

static const char *path_of(const layer_reading *at)
{
    return at->all->file->path;
}

/* ---- keys that say nothing, or one thing only ---- */

/* What a prediction never depends on. */
static bool is_irrelevant(const char *key)
{
    static const char *const irrelevant[] = {
        "name",        "trainable", "batch_input_shape", "batch_shape",     "seed",
        "noise_shape", "fused",     "momentum",          "renorm_momentum", "build_input_shape"};
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
        "\"synchronized\":false,\"renorm\":false,\"sparse\":false,\"ragged\":false,"
        "\"optional\":false,\"dynamic\":false,\"input_dtype\":\"float32\"}";
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
    return json_is_integer(axis) &&
           (json_integer_value(axis) == -1 || json_integer_value(axis) == (at->flat ? 1 : 3));
}

/* ---- one key ---- */

static tr_status refuse(const layer_reading *at, const char *key, const json_t *value,
                        const char *supported, tr_error *err)
{
    char shown[TR_KERAS_TEXT];
    return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s): %s = %s; %s", path_of(at), at->keras_name,
                   at->class_name, key, tr_keras_shown(value, shown), supported);
}

static void note_regularizer(const layer_reading *at, const char *key)
{
    fprintf(at->all->notes,
            "layer %s (%s): %s: predictions do not depend on it, but the loss that Keras reports "
            "includes its penalty, that of trainer not\n",
            at->keras_name, at->class_name, key);
}

static const tr_key *find_key(const tr_layer_ops *ops, const char *name)
{
    return strcmp(name, "type") == 0 ? NULL : tr_key_find(ops->keys, ops->n_keys, name);
}

static tr_status write_key(const layer_reading *at, const tr_key *key, const json_t *value,
                           tr_error *err)
{
    char text[TR_KERAS_TEXT], why[512];
    if (key->offset == offsetof(tr_layer, activation)) {
        const char *activation = tr_keras_activation(at->all->file, value, why);
        if (activation == NULL)
            return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s): %s = %s", path_of(at),
                           at->keras_name, at->class_name, key->name, why);
        snprintf(at->all->last_activation, sizeof at->all->last_activation, "%s", activation);
        fprintf(at->all->ini, "%s = %s\n", key->name, activation);
        return TR_OK;
    }
    if (json_is_null(value))
        return TR_OK; /* not given: the default, Keras's and ours */
    if (!tr_keras_value(key, value, text)) {
        char expected[TR_KERAS_TEXT], supported[TR_KERAS_TEXT + 32];
        snprintf(supported, sizeof supported, "must be %s",
                 tr_value_expected(key, expected, sizeof expected));
        return refuse(at, key->name, value, supported, err);
    }
    fprintf(at->all->ini, "%s = %s\n", key->name, text);
    return TR_OK;
}

static tr_status read_key(const layer_reading *at, const char *name, const json_t *value,
                          tr_error *err)
{
    const tr_key *key = find_key(at->ops, name);
    const json_t *fixed = json_object_get(at->rest, name);
    char whose[256];
    if (key != NULL)
        return write_key(at, key, value, err);
    if (strcmp(name, "dtype") == 0) {
        snprintf(whose, sizeof whose, "layer %.100s (%.60s)", at->keras_name, at->class_name);
        return tr_keras_check_dtype(at->all->file, whose, value, err);
    }
    if (json_is_null(value) || is_irrelevant(name))
        return TR_OK;
    if (tr_ends_in(name, "_regularizer")) {
        note_regularizer(at, name);
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

/* ---- names ---- */

/* Unique among the `n` names before it, without regard to case. */
static void choose_name(char (*names)[NAME_SPACE], size_t n, const char *keras_name)
{
    tr_keras_clean_name(keras_name, NAME_MAX_OURS, names[n]);
    char base[NAME_MAX_OURS - 4]; /* with "_4096" it is not too long */
    snprintf(base, sizeof base, "%.*s", NAME_MAX_OURS - 5, names[n]);
    unsigned turn = 2;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(names[i], names[n]) == 0) {
            snprintf(names[n], NAME_SPACE, "%s_%u", base, turn++);
            i = (size_t)-1; /* look again from the first */
        }
}

/* ---- one layer ---- */

static tr_status refuse_class(const layer_reading *at, tr_error *err)
{
    char *list = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&list, &n);
    for (size_t i = 0; out != NULL && tr_layer_table[i] != NULL; i++)
        fprintf(out, "%s, ", tr_layer_table[i]->keras_class);
    if (out != NULL)
        fclose(out);
    const tr_status status =
        tr_fail(err, TR_ERR_DATA,
                "%s: layer %s is a %s, which trainer does not have; supported: %sReLU, LeakyReLU, "
                "ELU, Softmax",
                path_of(at), at->keras_name, at->class_name, list == NULL ? "" : list);
    free(list); /* the stream's own */
    return status;
}

/* "BatchNormalizationV1" is how early versions of TensorFlow write it. */
static const tr_layer_ops *find_ops(const char *class_name)
{
    size_t n = strlen(class_name);
    if (n > 2 && (tr_ends_in(class_name, "V1") || tr_ends_in(class_name, "V2")))
        n -= 2;
    for (size_t i = 0; tr_layer_table[i] != NULL; i++)
        if (strlen(tr_layer_table[i]->keras_class) == n &&
            strncmp(tr_layer_table[i]->keras_class, class_name, n) == 0)
            return tr_layer_table[i];
    return NULL;
}

/* As many outputs as units, of the layers that keep their number. */
static void count_outputs(const layer_reading *at, const json_t *config)
{
    const json_t *units = json_object_get(config, "units");
    if (units != NULL)
        at->all->one_output = json_integer_value(units) == 1;
    else if (strcmp(at->class_name, "Activation") != 0 && strcmp(at->class_name, "Dropout") != 0)
        at->all->one_output = false;
}

/* Under its own name, unless Keras 3 does not allow it. */
static void carry_rest(const layer_reading *at, const json_t *config)
{
    const char *key;
    json_t *value;
    if (strcmp(at->keras_name, at->our_name) != 0 && strchr(at->keras_name, '/') == NULL)
        tr_keras_carry(at->all->carried, "layers", at->our_name, "name",
                       json_object_get(config, "name"));
    json_object_foreach((json_t *)config, key, value)
    {
        if (tr_keras_is_carried(key, value))
            tr_keras_carry(at->all->carried, "layers", at->our_name, key, value);
    }
}

static tr_status write_layer(layer_reading *at, tr_error *err)
{
    FILE *ini = at->all->ini;
    json_t *config = json_object_get(at->layer, "config"), *value;
    const char *key;
    char why[512];
    carry_rest(at, config);
    count_outputs(at, config);
    snprintf(at->all->last_activation, sizeof at->all->last_activation, "linear");
    const char *activation = tr_keras_activation_layer(at->class_name, config, why);
    if (activation != NULL) {
        snprintf(at->all->last_activation, sizeof at->all->last_activation, "%s", activation);
        fprintf(ini, "\n[layer.%s]\ntype = activation\nactivation = %s\n", at->our_name,
                activation);
        char whose[256];
        snprintf(whose, sizeof whose, "layer %.100s (%.60s)", at->keras_name, at->class_name);
        return tr_keras_check_dtype(at->all->file, whose, json_object_get(config, "dtype"), err);
    }
    if (why[0] != '\0')
        return tr_fail(err, TR_ERR_DATA, "%s: layer %s (%s): %s", path_of(at), at->keras_name,
                       at->class_name, why);
    at->ops = find_ops(at->class_name);
    if (at->ops == NULL)
        return refuse_class(at, err);
    at->rest = at->ops->keras_rest == NULL ? NULL : json_loads(at->ops->keras_rest, 0, NULL);
    fprintf(ini, "\n[layer.%s]\ntype = %s\n", at->our_name, at->ops->type);
    tr_status status = TR_OK;
    json_object_foreach(config, key, value)
    {
        if (status == TR_OK)
            status = read_key(at, key, value, err);
    }
    json_decref(at->rest);
    return status;
}

/* ---- all ---- */

/* What comes behind such a layer is a vector. */
static bool makes_flat(const json_t *layer)
{
    const char *class_name = json_string_value(json_object_get(layer, "class_name"));
    const json_t *config = json_object_get(layer, "config");
    return strcmp(class_name, "Flatten") == 0 ||
           (strncmp(class_name, "Global", strlen("Global")) == 0 &&
            !json_is_true(json_object_get(config, "keepdims")));
}

static tr_status write_layers(tr_keras_reading *reading, const json_t **chain, size_t n,
                              char (*names)[NAME_SPACE], tr_error *err)
{
    size_t n_names = 0;
    bool flat = false;
    for (size_t i = 0; i < n; i++) {
        const json_t *config = json_object_get(chain[i], "config");
        const char *name = json_string_value(json_object_get(config, "name"));
        layer_reading at = {.all = reading,
                            .layer = chain[i],
                            .class_name = tr_keras_class_name(chain[i]),
                            .flat = flat};
        at.keras_name = name == NULL ? at.class_name : name;
        if (strcmp(at.class_name, "InputLayer") == 0) {
            if (i > 0)
                return tr_fail(err, TR_ERR_DATA, "%s: layer %s is an input amid the layers",
                               path_of(&at), at.keras_name);
            continue;
        }
        choose_name(names, n_names, at.keras_name);
        at.our_name = names[n_names++];
        TR_TRY(write_layer(&at, err));
        flat = flat || makes_flat(chain[i]);
    }
    return n_names > 0 ? TR_OK
                       : tr_fail(err, TR_ERR_DATA, "%s: its model has no layers but the input",
                                 reading->file->path);
}

tr_status tr_keras_read_layers(tr_keras_reading *reading, tr_error *err)
{
    const json_t **chain = NULL;
    size_t n = 0;
    TR_TRY(tr_keras_read_chain(reading->file, &chain, &n, err));
    const char *class_name = json_string_value(json_object_get(chain[0], "class_name"));
    const bool input = strcmp(class_name, "InputLayer") == 0;
    char(*names)[NAME_SPACE] = tr_alloc(n, sizeof *names);
    tr_status status =
        names == NULL
            ? tr_out_of_memory(err, NULL)
            : tr_keras_read_input(reading, chain[0], input && n > 1 ? chain[1] : chain[0], err);
    if (status == TR_OK)
        status = write_layers(reading, chain, n, names, err);
    tr_free(names);
    tr_free(chain);
    return status;
}
