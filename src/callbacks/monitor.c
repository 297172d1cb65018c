/* monitor.c -- see monitor.h. */
#include "monitor.h"

#include <stdio.h>
#include <string.h>

#include "ini_file.h"

static bool has_validation(const tr_config *config)
{
    const tr_data_config *data = &config->data;
    return data->validation_split > 0.0 || data->folds > 0 || data->validation_file[0] != '\0';
}

/* "loss, accuracy, val_loss, val_accuracy" */
static void list_names(char *text, size_t n, const tr_metric_list *metrics, bool validation)
{
    size_t used = 0;
    text[0] = '\0';
    for (int part = 0; part <= (validation ? 1 : 0); part++)
        for (int i = -1; i < metrics->n && used < n; i++)
            used +=
                (size_t)snprintf(text + used, n - used, "%s%s%s", used == 0 ? "" : ", ",
                                 part == 1 ? "val_" : "", i < 0 ? "loss" : metrics->items[i].name);
}

static void report_unknown(const tr_config *config, const char *section, const char *name,
                           const tr_metric_list *metrics)
{
    char names[1024];
    const bool validation = has_validation(config);
    list_names(names, sizeof names, metrics, validation);
    tr_problems_add(
        config->problems, tr_section_line(tr_ini_find(config->ini, section), "monitor"),
        "[%s] monitor = %s: this run has no such value; allowed: auto, none, %s%s", section, name,
        names, validation ? "" : " (val_ values need [data] validation_split, folds or a file)");
}

/* False: there is no such value. */
static bool find(tr_monitor *out, const char *name, const tr_metric_list *metrics, bool validation)
{
    out->validation = strncmp(name, "val_", 4) == 0;
    const char *rest = out->validation ? name + 4 : name;
    if (out->validation && !validation)
        return false;
    if (strcmp(rest, "loss") == 0)
        return true;
    for (int i = 0; i < metrics->n; i++)
        if (strcmp(rest, metrics->items[i].name) == 0) {
            out->metric = i;
            out->larger_is_better = metrics->items[i].ops.larger_is_better;
            return true;
        }
    return false;
}

void tr_monitor_parse(tr_monitor *out, const tr_config *config, const char *section,
                      const char *name, tr_mode mode, const tr_metric_list *metrics)
{
    const bool validation = has_validation(config);
    *out = (tr_monitor){.on = strcmp(name, "none") != 0, .metric = TR_LOSS};
    if (strcmp(name, "auto") == 0)
        out->validation = validation;
    else if (out->on && !find(out, name, metrics, validation))
        report_unknown(config, section, name, metrics);
    if (mode != TR_MODE_AUTO)
        out->larger_is_better = mode == TR_MODE_MAX;
}

static tr_series series_of(const tr_monitor *monitor, const tr_history *history)
{
    return (tr_series){history, monitor->metric, monitor->validation};
}

void tr_monitor_name(const tr_monitor *monitor, const tr_history *history, char *text, size_t n)
{
    const tr_series series = series_of(monitor, history);
    snprintf(text, n, "%s%s", monitor->validation ? "val_" : "", tr_series_name(&series));
}

double tr_monitor_value(const tr_monitor *monitor, const tr_history *history, int64_t epoch_idx)
{
    const tr_series series = series_of(monitor, history);
    return tr_series_value(&series, epoch_idx);
}

int64_t tr_monitor_best(const tr_monitor *monitor, const tr_history *history, double *value)
{
    const tr_series series = series_of(monitor, history);
    const int64_t best = monitor->on ? tr_series_best(&series) : -1;
    *value = best < 0 ? 0.0 : tr_series_value(&series, best);
    return best + 1;
}

bool tr_monitor_improves(const tr_monitor *monitor, double value, double reference,
                         double min_delta)
{
    return monitor->larger_is_better ? (float)(value - min_delta) > (float)reference
                                     : (float)(value + min_delta) < (float)reference;
}
