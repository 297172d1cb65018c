/* cmd_help.c -- trainer help SUBJECT: the tables that the parser checks against. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config_keys.h"
#include "layer.h"
#include "loss.h"
#include "metric.h"
#include "optimizer.h"
#include "value.h"
#include "weight_keys.h"

static void print_key(const tr_key *key)
{
    char choices[TR_NAMES_MAX] = "";
    if (key->choices != NULL)
        tr_join_names(key->choices, choices, sizeof choices);
    printf("    %-20s %s", key->name, key->doc);
    if (key->choices != NULL)
        printf("; one of %s", choices);
    if (key->functions != NULL)
        printf("; a function: help weights");
    if (key->fallback != NULL)
        printf(" (%s)", key->fallback);
    else if (!key->optional)
        printf(" (required)");
    putchar('\n');
}

static void print_layers(void)
{
    for (size_t i = 0; tr_layer_table[i] != NULL; i++) {
        const tr_layer_ops *ops = tr_layer_table[i];
        printf("type = %s -- %s; Keras's %s\n", ops->type, ops->doc, ops->keras_class);
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
    printf("every layer:\n");
    for (size_t k = 0; k < tr_layer_n_common_keys; k++)
        print_key(&tr_layer_common_keys[k]);
}

static void print_losses(void)
{
    for (size_t i = 0; tr_loss_table[i] != NULL; i++) {
        const tr_loss_ops *ops = tr_loss_table[i];
        printf("loss = %s", ops->name);
        if (ops->aliases[0] != NULL)
            printf(" (or %s)", ops->aliases[0]);
        printf(" -- %s%s\n", ops->doc, ops->n_keys > 0 ? "; in [loss]:" : "");
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
}

static void print_metrics(void)
{
    printf("[compile] metrics = NAME, NAME, ...; weighted_metrics: of samples by their weights\n");
    for (size_t i = 0; tr_metric_table[i] != NULL; i++) {
        const tr_metric_ops *ops = tr_metric_table[i];
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", ops->name, ops->alias == NULL ? "" : ", ",
                 ops->alias == NULL ? "" : ops->alias);
        printf("    %-34s %s%s\n", name, ops->doc, ops->n_keys > 0 ? "; in [metric.NAME]:" : "");
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
    printf("    every loss, whose settings stand in [metric.NAME]: trainer help losses\n"
           "[metric.NAME] type = METRIC: a metric reported as NAME, e.g. a second auc\n");
}

static void print_config(void)
{
    for (const tr_config_section *section = tr_config_sections; section->name != NULL; section++) {
        printf("[%s] -- %s\n", section->name, section->doc);
        for (size_t k = 0; k < section->n_keys; k++)
            print_key(&section->keys[k]);
        if (strcmp(section->name, "model") == 0)
            printf("[layer.NAME] -- a layer; they run in file order: trainer help layers\n");
        if (strcmp(section->name, "learning_rate") == 0)
            printf("[optimizer.NAME] -- other settings for some layers: trainer help optimizers\n");
    }
}

static void print_optimizers(void)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        const tr_optimizer_ops *ops = tr_optimizer_table[i];
        printf("optimizer = %s -- %s; in [optimizer]:\n", ops->name, ops->doc);
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
    printf("every optimizer; in [optimizer]:\n");
    for (size_t k = 0; k < tr_optimizer_n_common_keys; k++)
        print_key(&tr_optimizer_common_keys[k]);
    printf("some layers' own; in [optimizer.NAME], whose schedule is [learning_rate.NAME]:\n");
    for (size_t k = 0; k < tr_optimizer_n_group_keys; k++)
        print_key(&tr_optimizer_group_keys[k]);
    for (size_t i = 0; tr_schedule_table[i] != NULL; i++) {
        const tr_schedule_ops *ops = tr_schedule_table[i];
        printf("schedule = %s -- %s; in [learning_rate]:\n", ops->name, ops->doc);
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
}

static void print_functions(const char *what, const tr_callable *functions)
{
    char signature[128];
    printf("%s = NAME or NAME(VALUE, ...) or NAME(ARGUMENT=VALUE, ...)\n", what);
    for (; functions->name != NULL; functions++) {
        printf("%s -- %s\n", tr_call_signature(functions, signature, sizeof signature),
               functions->doc);
        for (size_t k = 0; k < functions->n_arguments; k++)
            print_key(&functions->arguments[k]);
    }
}

static void print_weights(void)
{
    print_functions("..._initializer", tr_initializers);
    print_functions("..._regularizer", tr_regularizers);
    print_functions("..._constraint", tr_constraint_functions);
}

static const struct subject {
    const char *name;
    void (*print)(void);
} subjects[] = {{"config", print_config},         {"layers", print_layers},
                {"losses", print_losses},         {"metrics", print_metrics},
                {"optimizers", print_optimizers}, {"weights", print_weights}};

tr_status tr_command_help(int argc, char **argv)
{
    tr_error err = {0};
    if (argc < 2)
        return tr_print_overview(stdout);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (strcmp(argv[1], subjects[i].name) == 0) {
            subjects[i].print();
            return TR_OK;
        }
    }
    return tr_complain(tr_fail(&err, TR_ERR_CONFIG,
                               "help %s: unknown subject; allowed: config, layers, losses, "
                               "metrics, optimizers, weights",
                               argv[1]),
                       &err);
}
