/* monitor.c -- see monitor.h. */
#include "monitor.h"

#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "trainer/fit.h"

/* "loss, accuracy, val_loss, val_accuracy" */
static void list_names(char *text, size_t n, const tr_model *model, bool has_validation)
{
    size_t used = 0;
    text[0] = '\0';
    for (int part = 0; part <= (has_validation ? 1 : 0); part++)
        for (int i = -1; i < tr_model_n_metrics(model) && used < n; i++)
            used += (size_t)snprintf(text + used, n - used, "%s%s%s", used == 0 ? "" : ", ",
                                     part == 1 ? "val_" : "",
                                     i < 0 ? "loss" : tr_model_metric(model, i).name);
}

static tr_status unknown(const char *name, const tr_model *model, bool has_validation,
                         tr_error *err)
{
    char names[1024];
    list_names(names, sizeof names, model, has_validation);
    return tr_fail(
        err, TR_ERR_CONFIG,
        "[checkpoint] monitor = %s: this run has no such value; allowed: auto, none, %s%s", name,
        names, has_validation ? "" : " (val_ values need [data] validation_split or a file)");
}

tr_status tr_monitor_parse(tr_monitor *out, const char *name, const tr_model *model,
                           bool has_validation, tr_error *err)
{
    *out = (tr_monitor){.on = strcmp(name, "none") != 0, .metric = TR_LOSS};
    if (!out->on)
        return TR_OK;
    if (strcmp(name, "auto") == 0) {
        out->validation = has_validation;
        return TR_OK;
    }
    out->validation = strncmp(name, "val_", 4) == 0;
    const char *rest = out->validation ? name + 4 : name;
    if (out->validation && !has_validation)
        return unknown(name, model, has_validation, err);
    if (strcmp(rest, "loss") == 0)
        return TR_OK;
    for (int i = 0; i < tr_model_n_metrics(model); i++)
        if (strcmp(rest, tr_model_metric(model, i).name) == 0) {
            out->metric = i;
            return TR_OK;
        }
    return unknown(name, model, has_validation, err);
}

tr_status tr_monitor_check(const tr_config *config, const tr_model *model, tr_error *err)
{
    tr_monitor unused;
    tr_error reason = {0};
    const tr_data_config *data = &config->data;
    const bool validation = data->validation_split > 0.0 || data->validation_file[0] != '\0';
    TR_TRY(tr_config_check(config, err)); /* with other problems there may be no metrics */
    if (tr_monitor_parse(&unused, config->checkpoint.monitor, model, validation, &reason) != TR_OK)
        tr_problems_add(config->problems,
                        tr_section_line(tr_ini_find(config->ini, "checkpoint"), "monitor"), "%s",
                        reason.text);
    return tr_config_check(config, err);
}

int64_t tr_monitor_best(const tr_monitor *monitor, const tr_history *history, double *value)
{
    const tr_series series = {history, monitor->metric, monitor->validation};
    const int64_t best = monitor->on ? tr_series_best(&series) : -1;
    *value = best < 0 ? 0.0 : tr_series_value(&series, best);
    return best + 1;
}
