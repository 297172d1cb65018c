/* schedule_table.c -- the list of schedules, and the section that chooses one. */
#include "schedule.h"

#include <string.h>

extern const tr_schedule_ops tr_cosine_decay_ops, tr_cosine_decay_restarts_ops,
    tr_exponential_decay_ops, tr_inverse_time_decay_ops, tr_piecewise_constant_decay_ops,
    tr_polynomial_decay_ops;

const tr_schedule_ops *const tr_schedule_table[] = {&tr_exponential_decay_ops,
                                                    &tr_inverse_time_decay_ops,
                                                    &tr_polynomial_decay_ops,
                                                    &tr_piecewise_constant_decay_ops,
                                                    &tr_cosine_decay_ops,
                                                    &tr_cosine_decay_restarts_ops,
                                                    NULL};

enum {
    N_SCHEDULES = sizeof tr_schedule_table / sizeof *tr_schedule_table,
    MAX_KEYS = 16 /* more than any schedule has */
};

static const tr_key name_row = {.name = "schedule",
                                .kind = TR_KEY_TEXT,
                                .offset = offsetof(tr_schedule, name),
                                .doc = "the function of the step"};

const tr_schedule_ops *tr_schedule_find(const char *name)
{
    for (size_t i = 0; tr_schedule_table[i] != NULL; i++)
        if (strcmp(tr_schedule_table[i]->name, name) == 0)
            return tr_schedule_table[i];
    return NULL;
}

static void report_name(const tr_section *section, tr_problems *problems)
{
    const char *names[N_SCHEDULES];
    char allowed[TR_NAMES_MAX];
    for (size_t i = 0; i < N_SCHEDULES; i++)
        names[i] = tr_schedule_table[i] == NULL ? NULL : tr_schedule_table[i]->name;
    if (tr_section_find(section, "schedule") != NULL)
        tr_section_unknown(section, "schedule", "schedule", names, problems);
    else
        tr_problems_add(problems, section->line, "[%s] schedule is missing; allowed: %s",
                        section->name, tr_join_names(names, allowed, sizeof allowed));
}

void tr_schedule_read(tr_schedule *out, tr_section *section, tr_problems *problems)
{
    tr_key keys[MAX_KEYS];
    *out = (tr_schedule){0};
    const tr_entry *entry = tr_section_find(section, "schedule");
    const tr_schedule_ops *ops = entry == NULL ? NULL : tr_schedule_find(entry->value);
    if (ops == NULL) {
        report_name(section, problems);
        return;
    }
    keys[0] = name_row;
    memcpy(keys + 1, ops->keys, ops->n_keys * sizeof *keys);
    out->ops = ops;
    if (tr_section_read(section, keys, ops->n_keys + 1, out, problems) && ops->check != NULL)
        ops->check(out, section, problems);
}
