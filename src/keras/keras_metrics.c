/* keras_metrics.c -- [compile] metrics and weighted_metrics, and [metric.NAME], from Keras's JSON;
 * see keras_config.h.
 *
 * A name of its own that a metric has in Keras stays its name: [metric.NAME] says what it is.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "keras_config.h"
#include "keras_value.h"
#include "metric.h"

typedef struct metric_list {
    char names[2 * TR_KERAS_TEXT]; /* room for one more than a line takes */
} metric_list;

/* The metrics of a file. */
typedef struct metrics_reading {
    tr_keras_reading *reading;
    const char *loss;
    metric_list plain, weighted;
    FILE *sections; /* [metric.NAME] */
    int64_t k;
    bool takes_k;
} metrics_reading;

static void leave_out(const tr_keras_reading *reading, const json_t *metric, const char *why)
{
    char name[TR_KERAS_TEXT], shown[TR_KERAS_TEXT];
    tr_keras_function_name(metric, name);
    fprintf(reading->notes, "its metric %s is left out: %s\n",
            name[0] == '\0' ? tr_keras_shown(metric, shown) : name, why);
}

/* ---- settings ---- */

/* A copy of the config: thresholds = [0.7] is 0.7; what an average is of one class does not matter.
 */
static json_t *settings_of(const tr_keras_reading *reading, const json_t *metric)
{
    json_t *config = json_copy(json_object_get(metric, "config"));
    json_t *thresholds = json_object_get(config, "thresholds");
    if (json_array_size(thresholds) == 1)
        json_object_set(config, "thresholds", json_array_get(thresholds, 0));
    if (reading->one_output)
        json_object_del(config, "average");
    return config;
}

/* Why we have none like it, or NULL; its name without its settings. */
static const char *strange_metric(const tr_keras_reading *reading, const json_t *metric,
                                  char name[TR_KERAS_TEXT], char why[TR_REFUSAL_MAX])
{
    tr_metric_ops ops;
    char shown[TR_KERAS_TEXT];
    tr_keras_function_name(metric, name);
    if (!tr_metric_find(&ops, name))
        return "trainer does not have it";
    if (json_is_object(metric) && strcmp(name, "accuracy") == 0 &&
        json_object_get(json_object_get(metric, "config"), "fn") == NULL)
        return "Keras's class Accuracy counts equal numbers, which trainer does not";
    json_t *config = settings_of(reading, metric);
    const json_t *average = json_object_get(config, "average");
    const char *strange = tr_keras_strange_setting(ops.keys, ops.n_keys, config);
    why[0] = '\0';
    if (tr_key_find(ops.keys, ops.n_keys, "average") != NULL && json_is_null(average))
        snprintf(why, TR_REFUSAL_MAX, "its average = null gives a number per class, not one");
    else if (strange != NULL)
        snprintf(why, TR_REFUSAL_MAX, "its %s = %.100s is nothing that trainer has", strange,
                 tr_keras_shown(json_object_get(config, strange), shown));
    json_decref(config);
    return why[0] == '\0' ? NULL : why;
}

/* All metrics that have a k have the same here: the first one's. */
static bool takes_k(metrics_reading *self, const json_t *metric)
{
    char why[128];
    const json_t *given = json_object_get(json_object_get(metric, "config"), "k");
    const int64_t k =
        json_is_integer(given) ? (int64_t)json_integer_value(given) : TR_DEFAULT_TOP_K;
    if (self->takes_k && self->k != k) {
        snprintf(why, sizeof why, "its k is %lld, that of another is %lld; trainer has one for all",
                 (long long)k, (long long)self->k);
        leave_out(self->reading, metric, why);
        return false;
    }
    self->takes_k = true;
    self->k = k;
    return true;
}

/* ---- names ---- */

/* That a section can have, and no metric has. */
static bool is_own_name(const char *name)
{
    tr_metric_ops unused;
    size_t n = 0;
    for (; name[n] != '\0'; n++)
        if (!isalnum((unsigned char)name[n]) && name[n] != '_')
            return false;
    return n > 0 && n <= 32 && isalpha((unsigned char)name[0]) && strncmp(name, "val_", 4) != 0 &&
           strcmp(name, "loss") != 0 && !tr_metric_find(&unused, name);
}

static bool is_same_metric(const char *a, const char *b)
{
    tr_metric_ops one, other;
    return tr_metric_find(&one, a) && tr_metric_find(&other, b) &&
           strcmp(one.name, other.name) == 0;
}

/* The name that a metric gets here. Keras 2 spells out what "accuracy" stood for, and keeps the
 * word as its name. */
static const char *metric_name(const metrics_reading *self, const json_t *metric,
                               char name[TR_KERAS_TEXT])
{
    const json_t *config = json_object_get(metric, "config");
    const char *shown = json_string_value(json_object_get(config, "name"));
    tr_keras_function_name(metric, name);
    if (shown != NULL && is_same_metric(shown, name)) /* "mse" */
        snprintf(name, TR_KERAS_TEXT, "%s", shown);
    const tr_loss_ops *loss = tr_loss_find(self->loss);
    const bool sparse = loss != NULL && loss->targets == TR_TARGET_CLASSES;
    const bool of_loss = strcmp(name, self->reading->one_output ? "binary_accuracy"
                                      : sparse                  ? "sparse_categorical_accuracy"
                                                                : "categorical_accuracy") == 0;
    if (of_loss && shown != NULL && (strcmp(shown, "accuracy") == 0 || strcmp(shown, "acc") == 0))
        snprintf(name, TR_KERAS_TEXT, "%s", shown);
    if (shown != NULL && is_own_name(shown))
        snprintf(name, TR_KERAS_TEXT, "%s", shown);
    return name;
}

/* ---- the list ---- */

/* What does not follow from the name: what it is, and its settings. */
static void write_section(const metrics_reading *self, const json_t *metric, const char *name)
{
    char type[TR_KERAS_TEXT], head[TR_KERAS_TEXT + 16];
    tr_metric_ops ops;
    const char *section = head;
    json_t *config = settings_of(self->reading, metric);
    tr_keras_function_name(metric, type);
    snprintf(head, sizeof head, "metric.%s", name);
    if (is_own_name(name)) {
        fprintf(self->sections, "\n[%s]\ntype = %s\n", head, type);
        section = NULL;
    }
    if (json_is_object(config) && tr_metric_find(&ops, type))
        tr_keras_take_keys(self->sections, &section, config, ops.keys, ops.n_keys);
    json_decref(config);
}

static void add_metric(metrics_reading *self, const json_t *item, metric_list *list)
{
    tr_keras_reading *reading = self->reading;
    char name[TR_KERAS_TEXT], why[TR_REFUSAL_MAX];
    tr_metric_ops ops;
    const size_t used = strlen(list->names);
    const int number = reading->n_metrics++;
    const char *strange = strange_metric(reading, item, name, why);
    const bool known = tr_metric_find(&ops, name);
    if (strange == NULL && reading->refused != NULL &&
        (number >= TR_METRICS_TOLD || reading->refused->refused[number]))
        strange = number >= TR_METRICS_TOLD ? "there are too many" : reading->refused->why[number];
    if (strange == NULL && used + strlen(metric_name(self, item, name)) + 3 > 160)
        strange = "there are too many for one line";
    if (strange != NULL) {
        leave_out(reading, item, strange);
    } else if (!known || !ops.takes_k || takes_k(self, item)) {
        snprintf(list->names + used, sizeof list->names - used, "%s%s", used == 0 ? "" : ", ",
                 name);
        write_section(self, item, name);
    }
}

static void add_metrics(metrics_reading *self, const json_t *value, metric_list *list)
{
    const json_t *item = tr_keras_unwrapped(value);
    if (tr_keras_is_empty(item))
        return;
    if (json_is_array(item)) {
        for (size_t i = 0; i < json_array_size(item); i++)
            add_metrics(self, json_array_get(item, i), list);
        return;
    }
    add_metric(self, item, list);
}

void tr_keras_read_metrics(tr_keras_reading *reading, const char *loss)
{
    char *sections = NULL;
    size_t n;
    metrics_reading self = {
        .reading = reading, .loss = loss, .sections = open_memstream(&sections, &n)};
    if (self.sections == NULL)
        return;
    if (!(reading->without & TR_WITHOUT_METRICS)) {
        const json_t *training = reading->file->training;
        add_metrics(&self, json_object_get(training, "metrics"), &self.plain);
        add_metrics(&self, json_object_get(training, "weighted_metrics"), &self.weighted);
    } else {
        fprintf(reading->notes, "its metrics are left out: %s\n", reading->no_metrics);
    }
    fclose(self.sections);
    fprintf(reading->ini, "metrics = %s\n", self.plain.names);
    if (self.weighted.names[0] != '\0')
        fprintf(reading->ini, "weighted_metrics = %s\n", self.weighted.names);
    if (self.takes_k)
        fprintf(reading->ini, "top_k = %lld\n", (long long)self.k);
    fputs(sections, reading->ini);
    free(sections); /* open_memstream()'s own */
}
