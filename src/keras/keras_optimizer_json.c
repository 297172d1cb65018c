/* keras_optimizer_json.c -- [optimizer], its groups and their schedules as Keras's JSON.
 *
 * Groups are the map of a MultiOptimizer, from patterns of the paths of variables, which are
 * "layer/weight" or, below a model, "model/layer/weight", to optimizers; [optimizer] is its
 * default.
 */
#include <string.h>

#include "ini_file.h"
#include "keras_names.h"
#include "keras_parts.h"
#include "mem.h"
#include "optimizer.h"
#include "trained.h"

static const char group_prefix[] = "optimizer.";

static bool is_group(const tr_section *section)
{
    return strncmp(section->name, group_prefix, strlen(group_prefix)) == 0;
}

bool tr_keras_several_optimizers(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++)
        if (is_group(&config->ini->sections[i]))
            return true;
    return false;
}

/* The schedule, which Keras 3 finds by its module. */
static json_t *schedule_object(const tr_section *section)
{
    const tr_entry *entry = tr_section_find(section, "schedule");
    for (size_t i = 0; entry != NULL && tr_schedule_table[i] != NULL; i++) {
        const tr_schedule_ops *ops = tr_schedule_table[i];
        if (strcmp(ops->name, entry->value) != 0)
            continue;
        json_t *settings = json_object();
        tr_keras_add_keys(settings, section, ops->keys, ops->n_keys, TR_TELL_ALL);
        json_t *object = tr_keras_object_named(ops->name, settings);
        json_object_set_new(object, "module", json_string("keras.optimizers.schedules"));
        json_object_set_new(object, "registered_name", json_null());
        return object;
    }
    return NULL;
}

static json_t *one(const tr_optimizer_ops *ops, const tr_section *section,
                   const tr_section *schedule, tr_keras_tell tell)
{
    json_t *settings = json_object();
    json_object_set_new(settings, "name", json_string(ops->keras_class));
    if (schedule != NULL)
        json_object_set_new(settings, "learning_rate", schedule_object(schedule));
    tr_keras_add_keys(settings, section, ops->keys, ops->n_keys, TR_TELL_ALL);
    tr_keras_add_keys(settings, section, tr_optimizer_common_keys, tr_optimizer_n_common_keys,
                      tell);
    return tr_keras_object(ops->keras_class, settings);
}

/* ---- groups ---- */

/* Keras 3 finds what is inside an object by its module. */
static json_t *inside(json_t *object)
{
    char name[64];
    json_object_set_new(object, "module", json_string("keras.optimizers"));
    json_object_set_new(object, "registered_name", json_null());
    tr_keras_snake_case(name, sizeof name,
                        json_string_value(json_object_get(object, "class_name")));
    json_object_set_new(json_object_get(object, "config"), "name", json_string(name));
    return object;
}

static json_t *group(const tr_config *config, const tr_section *section)
{
    const tr_entry *own = tr_section_find(section, "optimizer");
    const tr_optimizer_ops *ops =
        tr_optimizer_find(own == NULL ? config->compile.optimizer : own->value);
    char *name = tr_format("learning_rate.%s", section->name + strlen(group_prefix));
    const tr_section *schedule = name == NULL ? NULL : tr_ini_find(config->ini, name);
    tr_free(name);
    if (schedule == NULL && tr_section_find(section, "learning_rate") == NULL)
        schedule = tr_ini_find(config->ini, "learning_rate");
    return ops == NULL ? NULL : inside(one(ops, section, schedule, TR_TELL_INHERITED));
}

/* "a, b" -> "(.*\/)?(a|b)/[^/]*" */
static char *pattern_of(const tr_section *section)
{
    const tr_entry *layers = tr_section_find(section, "layers");
    char *names = tr_strdup(layers == NULL ? "" : layers->value), *to = names;
    for (const char *c = names; c != NULL && *c != '\0'; c++)
        if (*c != ' ' && *c != '\t')
            *to++ = (char)(*c == ',' ? '|' : *c);
    if (names == NULL)
        return NULL;
    *to = '\0';
    char *pattern = tr_format("(.*/)?(%s)/[^/]*", names);
    tr_free(names);
    return pattern;
}

static json_t *multi(json_t *common, const tr_config *config)
{
    json_t *map = json_object(), *both = json_object(), *settings = json_object();
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        char *pattern = is_group(section) ? pattern_of(section) : NULL;
        if (pattern != NULL)
            json_object_set_new(map, pattern, group(config, section));
        tr_free(pattern);
    }
    json_object_set_new(both, "default_optimizer", inside(common));
    json_object_set_new(both, "optimizer_map", map);
    json_t *of_layers = tr_keras_object("OptimizerMap", both);
    json_object_set_new(of_layers, "module", json_string("keras.optimizers"));
    json_object_set_new(of_layers, "registered_name", json_null());
    json_object_set_new(settings, "optimizer_map", of_layers);
    json_object_set_new(settings, "name", json_string("multi_optimizer"));
    return tr_keras_object("MultiOptimizer", settings);
}

json_t *tr_keras_optimizer(const tr_config *config)
{
    const tr_optimizer_ops *ops = tr_optimizer_find(config->compile.optimizer);
    if (ops == NULL)
        return NULL;
    json_t *common = one(ops, tr_ini_find(config->ini, "optimizer"),
                         tr_ini_find(config->ini, "learning_rate"), TR_TELL_SPOKEN);
    return tr_keras_several_optimizers(config) ? multi(common, config) : common;
}

static void put_rate(json_t *object, const tr_optimizer *from)
{
    json_t *settings = json_object_get(object, "config");
    if (json_object_get(settings, "learning_rate") != NULL)
        json_object_set_new(settings, "learning_rate", json_real(from->learning_rate));
}

/* Of each in a MultiOptimizer. */
static void put_rates(json_t *object, const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    const tr_optimizers *optimizers = tr_model_optimizers(model);
    json_t *both = json_object_get(
        json_object_get(json_object_get(object, "config"), "optimizer_map"), "config");
    json_t *map = json_object_get(both, "optimizer_map");
    int number = 0;
    put_rate(json_object_get(both, "default_optimizer"), optimizers->items[0]);
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        if (!is_group(section))
            continue;
        char *pattern = pattern_of(section);
        number++;
        if (pattern != NULL && number < optimizers->n)
            put_rate(json_object_get(map, pattern), optimizers->items[number]);
        tr_free(pattern);
    }
}

json_t *tr_keras_optimizer_now(const tr_model *model)
{
    const tr_config *config = tr_model_config(model);
    json_t *object = tr_keras_optimizer(config);
    if (object != NULL && config->plateau.on && tr_keras_several_optimizers(config))
        put_rates(object, model);
    else if (object != NULL && config->plateau.on)
        put_rate(object, tr_model_optimizer(model));
    return object;
}
