/* cmd_help.c -- trainer help layers|losses|optimizers: the tables that the parser checks against.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "layer.h"
#include "loss.h"
#include "optimizer.h"

static void print_key(const tr_key *key)
{
    char choices[256] = "";
    if (key->choices != NULL)
        tr_join_names(key->choices, choices, sizeof choices);
    printf("    %-14s %s", key->name, key->doc);
    if (key->choices != NULL)
        printf("; one of %s", choices);
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
            if (strcmp(ops->keys[k].name, "type") != 0)
                print_key(&ops->keys[k]);
    }
}

static void print_losses(void)
{
    for (size_t i = 0; tr_loss_table[i] != NULL; i++)
        printf("loss = %s -- %s\n", tr_loss_table[i]->name, tr_loss_table[i]->doc);
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
    for (size_t i = 0; tr_schedule_table[i] != NULL; i++) {
        const tr_schedule_ops *ops = tr_schedule_table[i];
        printf("schedule = %s -- %s; in [learning_rate]:\n", ops->name, ops->doc);
        for (size_t k = 0; k < ops->n_keys; k++)
            print_key(&ops->keys[k]);
    }
}

static const struct subject {
    const char *name;
    void (*print)(void);
} subjects[] = {
    {"layers", print_layers}, {"losses", print_losses}, {"optimizers", print_optimizers}};

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
                               "help %s: unknown subject; allowed: layers, losses, optimizers",
                               argv[1]),
                       &err);
}
