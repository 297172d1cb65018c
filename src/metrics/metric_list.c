/* metric_list.c -- which metrics a run has: [compile] metrics and weighted_metrics, [metric.NAME].
 *
 * "accuracy" and "top_k" stand for others; as in Keras, loss and outputs decide: one output is a
 * yes-or-no question, class numbers want the sparse form, distributions the other one. A name that
 * a section gives to a metric (type = auc) is reported as it is, so that a run can have two of a
 * kind.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "metric.h"
#include "value.h"

extern const tr_metric_ops tr_accuracy_ops, tr_binary_accuracy_ops, tr_categorical_accuracy_ops,
    tr_sparse_categorical_accuracy_ops, tr_top_k_ops, tr_top_k_categorical_accuracy_ops,
    tr_sparse_top_k_categorical_accuracy_ops;

typedef struct request {
    tr_metric_list *list;
    const tr_config *config;
    const tr_loss *loss;
    int64_t width;
    const char *key; /* of [compile]: metrics or weighted_metrics */
    int line;        /* of that key */
    bool refused;    /* one of them */
} request;

static tr_metric_ops resolve(const request *at, tr_metric_ops named)
{
    const bool sparse = at->loss->ops->targets == TR_TARGET_CLASSES;
    if (strcmp(named.name, tr_top_k_ops.name) == 0)
        return sparse ? tr_sparse_top_k_categorical_accuracy_ops
                      : tr_top_k_categorical_accuracy_ops;
    if (strcmp(named.name, tr_accuracy_ops.name) != 0)
        return named;
    return at->width == 1 ? tr_binary_accuracy_ops
           : sparse       ? tr_sparse_categorical_accuracy_ops
                          : tr_categorical_accuracy_ops;
}

/* ---- refusals ---- */

static void refuse_unknown(request *at, const char *name)
{
    at->refused = true;
    const char *names[TR_MAX_METRIC_NAMES];
    char allowed[TR_NAMES_MAX];
    tr_metric_names(names);
    if (name[0] == '\0') {
        tr_problems_add(at->config->problems, at->line,
                        "[compile] %s: a name is missing beside a comma", at->key);
        return;
    }
    const char *nearest = tr_nearest_name(name, names);
    tr_problems_add(at->config->problems, at->line,
                    "[compile] %s: unknown metric %s; %s%s%sallowed: %s", at->key, name,
                    nearest == NULL ? "" : "did you mean ", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "? ", tr_join_names(names, allowed, sizeof allowed));
}

/* Why the metric does not go with loss and network, or NULL. */
static const char *misfit(const request *at, const tr_metric_ops *ops)
{
    if ((ops->targets & at->loss->ops->targets) == 0)
        return ops->targets == TR_TARGET_CLASSES
                   ? "it wants class numbers, this loss other targets"
                   : "it wants targets of the outputs' size, this loss class numbers";
    if (ops->wants_several && at->width == 1)
        return "it wants several outputs, the last layer has one";
    return NULL;
}

/* Why a name of the user's own cannot be reported, or NULL. */
static const char *misnomer(const char *name)
{
    static const char *const taken[] = {"loss",    "epoch", "learning_rate", "seconds",
                                        "samples", "val_",  "images_per_s"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0 || strncmp(name, "val_", 4) == 0)
            return "the history has a column of that name already";
    return NULL;
}

static const char *duplicate(const request *at, const tr_metric *metric)
{
    for (int i = 0; i < at->list->n; i++) {
        const tr_metric *other = &at->list->items[i];
        if (strcmp(other->name, metric->name) == 0 ||
            (other->settings.type == NULL && metric->settings.type == NULL &&
             other->weighted == metric->weighted && strcmp(other->ops.name, metric->ops.name) == 0))
            return "it is in the list twice";
    }
    return at->list->n == TR_MAX_METRICS ? "there are too many metrics; at most 16" : NULL;
}

/* ---- [metric.NAME] ---- */

enum { MOST_KEYS = 16 };
static const tr_key type_key = {.name = "type",
                                .kind = TR_KEY_TEXT,
                                .offset = offsetof(tr_metric_settings, type),
                                .optional = true,
                                .doc = "the metric that goes by this name; the name itself is one"};

static tr_section *section_of(const request *at, const char *name)
{
    char full[TR_METRIC_NAME_MAX + 16];
    snprintf(full, sizeof full, "metric.%s", name);
    return tr_ini_find(at->config->ini, full);
}

/* Only where a default is to be spelled out is there a section without one in the file. */
static tr_section *demanded_section(const request *at, const char *name, const tr_metric_ops *ops)
{
    char full[TR_METRIC_NAME_MAX + 16];
    snprintf(full, sizeof full, "metric.%s", name);
    for (size_t k = 0; k < ops->n_keys; k++)
        if (ops->keys[k].fallback != NULL)
            return tr_ini_demand(at->config->ini, full);
    return tr_ini_find(at->config->ini, full);
}

/* Settings of the metric from its section, if it has one. */
static void read_settings(const request *at, tr_metric *metric, const char *name)
{
    tr_metric_settings *settings = &metric->settings;
    const tr_loss_ops *loss = tr_loss_find(metric->ops.name);
    tr_key keys[MOST_KEYS] = {type_key};
    *settings =
        (tr_metric_settings){.threshold = NAN, .class_id = -1, .beta = 1.0, .loss = {.ops = loss}};
    tr_section *section = demanded_section(at, name, &metric->ops);
    for (size_t k = 0; k < metric->ops.n_keys; k++)
        keys[k + 1] = metric->ops.keys[k];
    if (section == NULL)
        return;
    if (metric->ops.n_keys == 0 && tr_section_find(section, "type") == NULL)
        tr_problems_add(at->config->problems, section->line,
                        "[%s]: %s has no settings; remove the section", section->name,
                        metric->ops.name);
    else
        tr_section_read(section, keys, metric->ops.n_keys + 1, settings, at->config->problems);
    settings->loss.logits = settings->loss.from_logits;
    const tr_entry *type = tr_section_find(section, "type");
    tr_metric_ops named;
    if (type != NULL && tr_metric_find(&named, type->value) &&
        !tr_section_set_canonical(section, "type", named.name))
        tr_problems_no_memory(at->config->problems);
}

/* An output that is not there. */
static void check_outputs(const request *at, const tr_metric *metric, const char *name)
{
    const tr_section *section = section_of(at, name);
    const struct {
        const char *key;
        int64_t value, most;
    } checks[] = {{"class_id", metric->settings.class_id, at->width - 1},
                  {"top_k", metric->settings.top_k, at->width}};
    for (size_t i = 0; section != NULL && i < sizeof checks / sizeof *checks; i++)
        if (checks[i].value > checks[i].most)
            tr_problems_add(at->config->problems, tr_section_line(section, checks[i].key),
                            "[%s] %s = %lld: the last layer has %lld outputs", section->name,
                            checks[i].key, (long long)checks[i].value, (long long)at->width);
}

/* ---- the list ---- */

static void place(request *at, tr_metric *metric)
{
    tr_metric_list *list = at->list;
    metric->first = list->n_sums;
    metric->n_sums = metric->ops.add != NULL ? metric->ops.n_sums(&metric->settings, at->width)
                                             : 1 + metric->weighted;
    if (metric->n_sums > TR_MAX_SUMS - list->n_sums) {
        at->refused = true;
        tr_problems_add(at->config->problems, at->line,
                        "[compile] %s: %s keeps %lld numbers, with which the metrics have more "
                        "than %d together; give it fewer thresholds, or another average",
                        at->key, metric->name, (long long)metric->n_sums, TR_MAX_SUMS);
        return;
    }
    list->n_sums += metric->n_sums;
    list->wants_values = list->wants_values || metric->ops.wants_values;
    list->items[list->n++] = *metric;
}

/* As written, like Keras: "acc" stays acc, also in history.csv. top_k is our own word; a weighted
 * metric that stands among the others, too, is told from it as Keras does. */
static void name_metric(const request *at, tr_metric *metric, const char *written,
                        const tr_metric_ops *named)
{
    snprintf(metric->written, sizeof metric->written, "%s", written);
    const bool is_top_k = strcmp(named->name, tr_top_k_ops.name) == 0;
    snprintf(metric->name, sizeof metric->name, "%s", is_top_k ? metric->ops.name : written);
    for (int i = 0; metric->weighted && i < at->list->n; i++)
        if (!at->list->items[i].weighted && strcmp(at->list->items[i].name, metric->name) == 0)
            snprintf(metric->name, sizeof metric->name, "weighted_%.40s", written);
}

static void add_metric(request *at, const char *name, bool weighted)
{
    const tr_section *section = section_of(at, name);
    const tr_entry *type = section == NULL ? NULL : tr_section_find(section, "type");
    tr_metric_ops named;
    if (!tr_metric_find(&named, type == NULL ? name : type->value)) {
        refuse_unknown(at, type == NULL ? name : type->value);
        return;
    }
    tr_metric metric = {.ops = resolve(at, named), .weighted = weighted};
    const char *reason = type != NULL ? misnomer(name) : NULL;
    reason = reason != NULL ? reason : misfit(at, &metric.ops);
    name_metric(at, &metric, name, &named);
    if (reason == NULL) {
        read_settings(at, &metric, name);
        reason = duplicate(at, &metric);
    }
    if (reason != NULL) {
        at->refused = true;
        tr_problems_add(at->config->problems, at->line, "[compile] %s: %s with loss = %s: %s",
                        at->key, name, at->loss->ops->name, reason);
        return;
    }
    check_outputs(at, &metric, name);
    metric.counts = metric.ops.counts && !weighted && (metric.ops.wants_several || at->width == 1);
    place(at, &metric);
}

/* The next word of a comma-separated list, "" where one is missing beside a comma; *text moves
 * behind it, to NULL behind the last. False: no more. */
static bool next_name(const char **text, char *name, size_t n)
{
    const char *begin = *text;
    if (begin == NULL)
        return false;
    while (isspace((unsigned char)*begin))
        begin++;
    const size_t length = strcspn(begin, ",");
    size_t used = length;
    while (used > 0 && isspace((unsigned char)begin[used - 1]))
        used--;
    snprintf(name, n, "%.*s", (int)used, begin);
    *text = begin[length] == ',' ? begin + length + 1 : NULL;
    return true;
}

static void add_metrics(request *at, const char *key, const char *text, bool weighted)
{
    char name[TR_METRIC_NAME_MAX + 1];
    at->key = key;
    at->line = tr_section_line(tr_ini_find(at->config->ini, "compile"), key);
    text = text[0] == '\0' ? NULL : text;
    while (next_name(&text, name, sizeof name))
        add_metric(at, name, weighted);
}

/* ---- what has no effect ---- */

/* top_k must change something; what a refused metric would take is not said. Its default is spelled
 * out in every effective configuration. */
static void check_top_k(const request *at)
{
    bool used = false;
    for (int i = 0; i < at->list->n; i++)
        used = used || at->list->items[i].ops.takes_k;
    const tr_compile_config *compile = &at->config->compile;
    const int line = tr_section_line(tr_ini_find(at->config->ini, "compile"), "top_k");
    if (!used && !at->refused && compile->top_k != TR_DEFAULT_TOP_K)
        tr_problems_add(at->config->problems, line,
                        "[compile] top_k = %lld has no effect without a top_k metric",
                        (long long)compile->top_k);
    if (used && compile->top_k >= at->width)
        tr_problems_add(at->config->problems, line,
                        "[compile] top_k = %lld: with %lld outputs every sample is right; make it "
                        "smaller",
                        (long long)compile->top_k, (long long)at->width);
}

static bool is_listed(const char *list, const char *wanted)
{
    char name[TR_METRIC_NAME_MAX + 1];
    const char *text = list[0] == '\0' ? NULL : list;
    while (next_name(&text, name, sizeof name))
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

static void check_sections(const request *at)
{
    const tr_ini *ini = at->config->ini;
    const tr_compile_config *compile = &at->config->compile;
    for (size_t i = 0; i < ini->n_sections; i++) {
        const tr_section *section = &ini->sections[i];
        if (strncmp(section->name, "metric.", 7) == 0 &&
            !is_listed(compile->metrics, section->name + 7) &&
            !is_listed(compile->weighted_metrics, section->name + 7))
            tr_problems_add(at->config->problems, section->line,
                            "[%s]: %s is not among [compile] metrics; add it there, or remove the "
                            "section",
                            section->name, section->name + 7);
    }
}

/* What a run reports, however that was asked for. */
static void note_canonical(const tr_metric_list *list, const tr_config *config, bool weighted)
{
    char text[TR_MAX_METRICS * (TR_METRIC_NAME_MAX + 2)] = "";
    size_t used = 0;
    for (int i = 0; i < list->n; i++)
        if (list->items[i].weighted == weighted)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,", list->items[i].name);
    if (!tr_section_set_canonical(tr_ini_find(config->ini, "compile"),
                                  weighted ? "weighted_metrics" : "metrics", text))
        tr_problems_no_memory(config->problems);
}

void tr_metrics_parse(tr_metric_list *list, const tr_config *config, const tr_loss *loss,
                      int64_t width)
{
    *list = (tr_metric_list){.k = config->compile.top_k, .outputs = width};
    request at = {.list = list, .config = config, .loss = loss, .width = width};
    add_metrics(&at, "metrics", config->compile.metrics, false);
    add_metrics(&at, "weighted_metrics", config->compile.weighted_metrics, true);
    check_top_k(&at);
    check_sections(&at);
    note_canonical(list, config, false);
    note_canonical(list, config, true);
}

bool tr_metrics_have_binary_accuracy(const tr_metric_list *list)
{
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->items[i].ops.name, tr_binary_accuracy_ops.name) == 0 &&
            isnan(list->items[i].settings.threshold))
            return true;
    return false;
}
