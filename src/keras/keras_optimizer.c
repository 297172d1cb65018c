/* keras_optimizer.c -- [optimizer] and [learning_rate] from Keras's JSON; see keras_config.h.
 *
 * A setting of the file's is written, says nothing, or gets a note: a training that goes on from
 * such a file must not differ from Keras's without a word. The decay of Keras 2's optimizers, a
 * rate of lr / (1 + decay * steps), is the schedule inverse_time_decay. The optimizers of a
 * MultiOptimizer are groups of layers (keras_groups.c).
 */
#include <string.h>
#include <strings.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "value.h"

/* ---- which ---- */

static const tr_optimizer_ops *find(const char *name)
{
    name = tr_keras_bare_name(name);
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        if (strcasecmp(tr_optimizer_table[i]->keras_class, name) == 0 ||
            strcasecmp(tr_optimizer_table[i]->name, name) == 0)
            return tr_optimizer_table[i];
    return NULL;
}

static const json_t *object_of(const tr_keras_reading *reading)
{
    const json_t *object = json_object_get(reading->file->training, "optimizer_config"); /* .h5 */
    return object != NULL ? object
                          : json_object_get(reading->file->training, "optimizer"); /* .keras */
}

const tr_optimizer_ops *tr_keras_optimizer_of(const json_t *object)
{
    const char *name = json_is_string(object)
                           ? json_string_value(object)
                           : json_string_value(json_object_get(object, "class_name"));
    return name == NULL ? NULL : find(name);
}

const tr_optimizer_ops *tr_keras_find_optimizer(const tr_keras_reading *reading)
{
    const json_t *object = object_of(reading);
    const char *name = json_is_string(object)
                           ? json_string_value(object)
                           : json_string_value(json_object_get(object, "class_name"));
    const json_t *common = tr_keras_common_optimizer(object); /* of several */
    const tr_optimizer_ops *ops = tr_keras_optimizer_of(common == NULL ? object : common);
    const bool without = (reading->without & TR_WITHOUT_OPTIMIZER) != 0;
    char shown[TR_KERAS_TEXT];
    const bool compiled = json_object_size(reading->file->training) > 0;
    if (compiled && (object == NULL || json_is_null(object)))
        fprintf(reading->notes, "the model was saved without its optimizer; sgd stands for it\n");
    else if (compiled && (ops == NULL || without))
        fprintf(reading->notes, "its optimizer %.60s is left out: %s\n",
                name == NULL ? tr_keras_shown(object, shown) : name,
                ops == NULL ? "trainer does not have it" : reading->no_optimizer);
    return without ? NULL : ops;
}

/* ---- what is not written ---- */

/* A table, as its keys are needed to say what a value must be. */
typedef struct key_table {
    const tr_key *keys;
    size_t n_keys;
} key_table;

/* Names, how Keras computes, and what does nothing with such a value. */
static bool says_nothing(const char *key, const json_t *value)
{
    static const char *const names[] = {"name", "jit_compile", "is_legacy_optimizer",
                                        "relative_step"};
    static const char defaults[] =
        "{\"decay\":0,\"weight_decay\":false,\"loss_scale_factor\":1,\"schedule_decay\":0.004,"
        "\"gradient_accumulation_steps\":1,\"warmup_steps\":0}";
    if (json_is_null(value))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    json_t *all = json_loads(defaults, 0, NULL);
    const json_t *nothing = json_object_get(all, key);
    const bool same = nothing != NULL && tr_keras_same(value, nothing);
    json_decref(all);
    return same;
}

static const tr_key *find_key(const key_table *tables, size_t n, const char *name)
{
    const tr_key *found = NULL;
    for (size_t t = 0; t < n && found == NULL; t++)
        found = tr_key_find(tables[t].keys, tables[t].n_keys, name);
    return found;
}

/* A note for each setting that is still in `config`. */
static void note_rest(const tr_keras_reading *reading, const char *whose, const json_t *config,
                      const key_table *tables, size_t n_tables)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name, value)
    {
        char shown[TR_KERAS_TEXT], expected[TR_KERAS_TEXT];
        const tr_key *key = find_key(tables, n_tables, name);
        if (says_nothing(name, value))
            continue;
        fprintf(reading->notes, "its %s: %.60s = %s is left out: ", whose, name,
                tr_keras_shown(value, shown));
        if (key == NULL)
            fprintf(reading->notes, "trainer does not have it\n");
        else
            fprintf(reading->notes, "must be %s here\n",
                    tr_value_expected(key, expected, sizeof expected));
    }
}

/* ---- sections ---- */

static void note_schedule(const tr_keras_reading *reading, const json_t *object, const char *name)
{
    const char *names[TR_MAX_OPTIMIZERS] = {NULL};
    char list[TR_NAMES_MAX], shown[TR_KERAS_TEXT];
    for (size_t i = 0; tr_schedule_table[i] != NULL && i + 1 < TR_MAX_OPTIMIZERS; i++)
        names[i] = tr_schedule_table[i]->name;
    fprintf(reading->notes,
            "its schedule of the learning rate, %s, is left out: trainer does not have it (it has "
            "%s); the optimizer's default is taken\n",
            name[0] == '\0' ? tr_keras_shown(object, shown) : name,
            tr_join_names(names, list, sizeof list));
}

/* `group`: of [learning_rate.NAME], or NULL. */
static void read_schedule(const tr_keras_reading *reading, const json_t *object, const char *group)
{
    char name[TR_KERAS_TEXT];
    tr_keras_function_name(object, name);
    const tr_schedule_ops *ops = tr_schedule_find(name);
    if (ops == NULL) {
        note_schedule(reading, object, name);
        return;
    }
    const key_table table = {ops->keys, ops->n_keys};
    const char *section = NULL;
    json_t *config = json_copy(json_object_get(object, "config"));
    fprintf(reading->ini, "\n[learning_rate%s%s]\nschedule = %s\n", group == NULL ? "" : ".",
            group == NULL ? "" : group, ops->name);
    tr_keras_take_keys(reading->ini, &section, config, ops->keys, ops->n_keys);
    note_rest(reading, ops->name, config, &table, 1);
    json_decref(config);
}

/* Settings under their names of today; those of an average that is not kept say nothing. */
static json_t *settings_of(const json_t *object)
{
    json_t *config = json_copy(json_object_get(object, "config"));
    json_t *rate = json_object_get(config, "lr"); /* until 2.2 */
    if (rate != NULL && json_object_get(config, "learning_rate") == NULL) {
        json_object_set(config, "learning_rate", rate);
        json_object_del(config, "lr");
    }
    if (!json_is_true(json_object_get(config, "use_ema"))) {
        json_object_del(config, "ema_momentum");
        json_object_del(config, "ema_overwrite_frequency");
    }
    return config;
}

/* The schedule that Keras 2's decay of a number is; that of Nadam is of its momentum. */
static void take_decay(json_t *config, const tr_optimizer_ops *ops)
{
    json_t *rate = json_object_get(config, "learning_rate"),
           *decay = json_object_get(config, "decay");
    if (!json_is_number(rate) || !json_is_number(decay) || !(json_number_value(decay) > 0.0) ||
        strcmp(ops->name, "nadam") == 0)
        return;
    json_t *settings = json_object(), *schedule = json_object();
    json_object_set(settings, "initial_learning_rate", rate);
    json_object_set_new(settings, "decay_steps", json_integer(1));
    json_object_set(settings, "decay_rate", decay);
    json_object_set_new(schedule, "class_name", json_string("InverseTimeDecay"));
    json_object_set_new(schedule, "config", settings);
    json_object_set_new(config, "learning_rate", schedule);
    json_object_del(config, "decay");
}

void tr_keras_read_one_optimizer(const tr_keras_reading *reading, const tr_optimizer_ops *ops,
                                 const json_t *object, const char *group)
{
    const key_table tables[] = {{ops->keys, ops->n_keys},
                                {tr_optimizer_common_keys, tr_optimizer_n_common_keys}};
    const char *section = group == NULL ? "optimizer" : NULL; /* a group's has begun */
    json_t *config = settings_of(object);
    take_decay(config, ops);
    json_t *rate = json_incref(json_object_get(config, "learning_rate"));
    if (json_is_object(rate))
        json_object_del(config, "learning_rate");
    for (int i = 0; i < 2; i++) /* a key of both is the optimizer's own */
        tr_keras_take_keys(reading->ini, &section, config, tables[i].keys, tables[i].n_keys);
    note_rest(reading, ops->keras_class, config, tables, 2);
    if (json_is_object(rate))
        read_schedule(reading, rate, group);
    json_decref(rate);
    json_decref(config);
}

void tr_keras_read_optimizer(const tr_keras_reading *reading, const tr_optimizer_ops *ops)
{
    const json_t *object = object_of(reading), *common = tr_keras_common_optimizer(object);
    tr_keras_read_one_optimizer(reading, ops, common == NULL ? object : common, NULL);
    if (common != NULL)
        tr_keras_read_groups(reading, object);
}
