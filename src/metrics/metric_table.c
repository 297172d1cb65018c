/* metric_table.c -- the list of metrics, and which of them a run has.
 *
 * "accuracy" and "top_k" stand for others; as in Keras, loss and outputs decide: one output is a
 * yes-or-no question, class numbers want the sparse form, distributions the other one.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "metric.h"

enum { ALL = TR_TARGET_CLASSES | TR_TARGET_VALUES };

static const tr_metric_ops accuracy = {.name = "accuracy",
                                       .alias = "acc",
                                       .doc = "one of the three below, by loss and outputs",
                                       .targets = ALL};
static const tr_metric_ops binary_accuracy = {.name = "binary_accuracy",
                                              .doc = "share of outputs on the right side of 0.5",
                                              .targets = TR_TARGET_VALUES,
                                              .counts = true,
                                              .larger_is_better = true,
                                              .wants_values = true,
                                              .sum = tr_binary_accuracy};
static const tr_metric_ops categorical_accuracy = {
    .name = "categorical_accuracy",
    .doc = "share of samples whose largest output is that of the largest target",
    .targets = TR_TARGET_VALUES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .sum = tr_categorical_accuracy};
static const tr_metric_ops sparse_categorical_accuracy = {
    .name = "sparse_categorical_accuracy",
    .doc = "share of samples whose largest output is that of their class",
    .targets = TR_TARGET_CLASSES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .sum = tr_categorical_accuracy};
static const tr_metric_ops top_k = {
    .name = "top_k", .doc = "one of the two below, by loss", .targets = ALL, .takes_k = true};
static const tr_metric_ops top_k_categorical_accuracy = {
    .name = "top_k_categorical_accuracy",
    .doc = "share of samples whose largest target is among the k largest outputs",
    .targets = TR_TARGET_VALUES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .takes_k = true,
    .sum = tr_top_k_accuracy};
static const tr_metric_ops sparse_top_k_categorical_accuracy = {
    .name = "sparse_top_k_categorical_accuracy",
    .doc = "share of samples whose class is among the k largest outputs",
    .targets = TR_TARGET_CLASSES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .takes_k = true,
    .sum = tr_top_k_accuracy};
static const tr_metric_ops mean_squared_error = {.name = "mean_squared_error",
                                                 .alias = "mse",
                                                 .doc = "mean squared distance",
                                                 .targets = TR_TARGET_VALUES,
                                                 .wants_values = true,
                                                 .sum = tr_squared_error};
static const tr_metric_ops mean_absolute_error = {.name = "mean_absolute_error",
                                                  .alias = "mae",
                                                  .doc = "mean distance",
                                                  .targets = TR_TARGET_VALUES,
                                                  .wants_values = true,
                                                  .sum = tr_absolute_error};

const tr_metric_ops *const tr_metric_table[] = {
    &accuracy,
    &binary_accuracy,
    &categorical_accuracy,
    &sparse_categorical_accuracy,
    &top_k,
    &top_k_categorical_accuracy,
    &sparse_top_k_categorical_accuracy,
    &mean_squared_error,
    &mean_absolute_error,
    NULL,
};

enum { N_METRICS = sizeof tr_metric_table / sizeof *tr_metric_table - 1 };

const tr_metric_ops *tr_metric_find(const char *name)
{
    for (size_t i = 0; i < N_METRICS; i++) {
        const tr_metric_ops *ops = tr_metric_table[i];
        if (strcmp(ops->name, name) == 0 || (ops->alias != NULL && strcmp(ops->alias, name) == 0))
            return ops;
    }
    return NULL;
}

/* ---- the metrics of a run ---- */

typedef struct request {
    tr_metric_list *list;
    const tr_config *config;
    const tr_loss *loss;
    int64_t width;
    int line;     /* of [compile] metrics */
    bool refused; /* one of them */
} request;

static const tr_metric_ops *resolve(const request *at, const tr_metric_ops *ops)
{
    const bool sparse = at->loss->ops->targets == TR_TARGET_CLASSES;
    if (ops == &top_k)
        return sparse ? &sparse_top_k_categorical_accuracy : &top_k_categorical_accuracy;
    if (ops != &accuracy)
        return ops;
    return at->width == 1 ? &binary_accuracy
           : sparse       ? &sparse_categorical_accuracy
                          : &categorical_accuracy;
}

static void refuse_unknown(request *at, const char *name)
{
    at->refused = true;
    const char *names[N_METRICS + 1] = {NULL};
    char allowed[512];
    for (size_t i = 0; i < N_METRICS; i++)
        names[i] = tr_metric_table[i]->name;
    if (name[0] == '\0') {
        tr_problems_add(at->config->problems, at->line,
                        "[compile] metrics: a name is missing beside a comma");
        return;
    }
    const char *nearest = tr_nearest_name(name, names);
    tr_problems_add(at->config->problems, at->line,
                    "[compile] metrics: unknown metric %s; %s%s%sallowed: %s", name,
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

static void add_metric(request *at, const char *name)
{
    tr_metric_list *list = at->list;
    const tr_metric_ops *named = tr_metric_find(name);
    if (named == NULL) {
        refuse_unknown(at, name);
        return;
    }
    const tr_metric_ops *ops = resolve(at, named);
    const char *reason = misfit(at, ops);
    for (int i = 0; i < list->n && reason == NULL; i++)
        if (list->items[i].ops == ops)
            reason = "it is in the list twice";
    if (list->n == TR_MAX_METRICS && reason == NULL)
        reason = "there are too many metrics; at most 8";
    if (reason != NULL) {
        at->refused = true;
        tr_problems_add(at->config->problems, at->line, "[compile] metrics: %s with loss = %s: %s",
                        name, at->loss->ops->name, reason);
        return;
    }
    /* As written, like Keras: "acc" stays acc, also in history.csv. top_k is our own word. */
    const char *reported = named == &top_k                  ? ops->name
                           : strcmp(named->name, name) == 0 ? named->name
                                                            : named->alias;
    list->items[list->n++] =
        (tr_metric){.name = reported,
                    .ops = ops,
                    .counts = ops->counts && (ops->wants_several || at->width == 1)};
    list->wants_values = list->wants_values || ops->wants_values;
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

/* top_k must change something; what a refused metric would take is not said. Its default is spelled
 * out in every effective configuration. */
static void check_top_k(const request *at)
{
    bool used = false;
    for (int i = 0; i < at->list->n; i++)
        used = used || at->list->items[i].ops->takes_k;
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

/* What a run reports, however that was asked for. */
static void note_canonical(const tr_metric_list *list, const tr_config *config)
{
    char text[TR_MAX_METRICS * 48] = "";
    size_t used = 0;
    for (int i = 0; i < list->n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s,", list->items[i].name);
    if (!tr_section_set_canonical(tr_ini_find(config->ini, "compile"), "metrics", text))
        tr_problems_no_memory(config->problems);
}

void tr_metrics_parse(tr_metric_list *list, const tr_config *config, const tr_loss *loss,
                      int64_t width)
{
    char name[64];
    *list = (tr_metric_list){.k = config->compile.top_k};
    request at = {
        list, config, loss, width, tr_section_line(tr_ini_find(config->ini, "compile"), "metrics"),
        false};
    const char *text = config->compile.metrics[0] == '\0' ? NULL : config->compile.metrics;
    while (next_name(&text, name, sizeof name))
        add_metric(&at, name);
    check_top_k(&at);
    note_canonical(list, config);
}

bool tr_metrics_have_binary_accuracy(const tr_metric_list *list)
{
    for (int i = 0; i < list->n; i++)
        if (list->items[i].ops == &binary_accuracy)
            return true;
    return false;
}
