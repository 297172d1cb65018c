/* keras3_json.c -- config.json of a .keras file; see keras_json.h.
 *
 * The objects are those of a whole-model HDF5 file, but here every one of them says which module
 * its class is in: without it Keras 3 takes an object for a custom one and refuses the file. The
 * InputLayer says batch_shape, which Keras 2 does not know.
 */
#include <string.h>

#include "ini_file.h"
#include "keras_carried.h"
#include "keras_json.h"
#include "keras_limits.h"
#include "keras_names.h"
#include "keras_order.h"
#include "keras_parts.h"
#include "mem.h"

/* ---- modules ---- */

/* Of the object that is the value of that key in a layer's config. */
static const char *module_of_key(const char *key)
{
    static const char *const modules[][2] = {
        {"_initializer", "keras.initializers"},
        {"_regularizer", "keras.regularizers"},
        {"_constraint", "keras.constraints"},
    };
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (tr_ends_in(key, modules[i][0]))
            return modules[i][1];
    return NULL;
}

/* Says where the class of the object is, and those of the objects inside; a name stays one. Takes
 * the object over and gives it back. */
static json_t *in_module(json_t *object, const char *module)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return object;
    if (json_object_get(object, "module") == NULL) { /* else carried, from a file of Keras 3 */
        json_object_set_new(object, "module", json_string(module));
        json_object_set_new(object, "registered_name", json_null());
    }
    json_object_foreach(json_object_get(object, "config"), key, value)
    {
        if (json_object_get(value, "class_name") != NULL && module_of_key(key) != NULL)
            in_module(value, module_of_key(key));
    }
    return object;
}

/* ---- the model ---- */

static json_t *input_layer(const tr_config *config, const json_t *carried)
{
    json_t *layer = json_object();
    json_object_set_new(layer, "batch_shape", tr_keras_input_shape(config));
    json_object_set_new(layer, "dtype", json_string("float32"));
    json_object_set_new(layer, "sparse", json_false());
    json_object_set_new(layer, "name", json_string("input_layer"));
    tr_keras_add_carried(layer, carried, "input", NULL);
    return in_module(tr_keras_object("InputLayer", layer), "keras.layers");
}

/* Keras 3 has no public module for Functional. */
static json_t *model_object(const tr_model *model, const json_t *carried)
{
    const tr_config *config = tr_model_config(model);
    json_t *layers = tr_keras_layers(model, carried, false), *settings = json_object(), *layer;
    const bool chain = tr_model_is_chain(model);
    size_t i;
    json_array_foreach(layers, i, layer)
    {
        in_module(layer, "keras.layers");
    }
    json_array_insert_new(layers, 0, input_layer(config, carried));
    json_object_set_new(settings, "name", json_string(config->model_name));
    json_object_set_new(settings, "trainable", json_true());
    if (chain)
        json_object_set_new(settings, "dtype", json_string("float32"));
    tr_keras_add_carried(settings, carried, "model", NULL);
    json_object_set_new(settings, "layers", layers);
    if (chain)
        json_object_set_new(settings, "build_input_shape", tr_keras_input_shape(config));
    const bool made =
        layers != NULL && (chain || tr_keras_connect(settings, model, TR_CALLS_KERAS3));
    json_t *object = tr_keras_object(chain ? "Sequential" : "Functional", settings);
    if (made)
        return in_module(object, chain ? "keras" : "keras.src.models.functional");
    json_decref(object);
    return NULL;
}

/* ---- the training ---- */

/* Keras 3 calls an optimizer by its class in small letters. */
static json_t *optimizer(const tr_config *config)
{
    json_t *object = in_module(tr_keras_optimizer(config), "keras.optimizers");
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    char name[64];
    if (class_name == NULL)
        return object;
    tr_keras_snake_case(name, sizeof name, class_name);
    json_object_set_new(json_object_get(object, "config"), "name", json_string(name));
    return object;
}

static json_t *metrics(const tr_model *model, bool weighted)
{
    json_t *list = tr_keras_metrics(model, weighted);
    for (size_t i = 0; i < json_array_size(list); i++)
        in_module(json_array_get(list, i), "keras.metrics");
    return list;
}

static json_t *compile_config(const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    json_t *compile = json_object();
    json_object_set_new(compile, "optimizer", optimizer(config));
    json_object_set_new(compile, "loss", in_module(tr_keras_loss(config), "keras.losses"));
    json_object_set_new(compile, "loss_weights", json_null());
    json_object_set_new(compile, "metrics", metrics(model, false));
    json_object_set_new(compile, "weighted_metrics", metrics(model, true));
    json_object_set_new(compile, "run_eagerly", json_false());
    json_object_set_new(compile, "steps_per_execution", json_integer(1));
    json_object_set_new(compile, "jit_compile", json_false());
    return compile;
}

char *tr_keras3_config(const tr_model *model, const tr_keras_source *source)
{
    const tr_config *config = tr_model_config(model);
    json_t *carried = source == NULL ? NULL : json_loads(source->carried, 0, NULL);
    json_t *object = model_object(model, carried), *build = json_object();
    json_decref(carried);
    if (object == NULL) {
        json_decref(build);
        return NULL;
    }
    json_object_set_new(build, "input_shape", tr_keras_input_shape(config));
    json_object_set_new(object, "build_config", build);
    json_object_set_new(object, "compile_config",
                        (source == NULL || source->compiled) && tr_keras_tells_optimizer(config)
                            ? compile_config(model)
                            : json_null());
    return tr_keras_text(object);
}
