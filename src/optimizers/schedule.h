/* schedule.h -- learning rates that depend on the step: Keras's LearningRateSchedule.
 *
 * One schedule = one function of the step, one table of keys with Keras's argument names, and one
 * row in schedule_table.c. The section [learning_rate] names it and holds its arguments.
 */
#ifndef TR_SCHEDULE_H
#define TR_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "section.h"

typedef struct tr_schedule tr_schedule;

typedef struct tr_schedule_ops {
    const char *name;
    const char *doc;
    const tr_key *keys; /* besides `schedule` itself */
    size_t n_keys;
    /* Optional: arguments that do not go together become problems. */
    void (*check)(const tr_schedule *schedule, const tr_section *section, tr_problems *problems);
    /* The rate at `step`: Keras's optimizer.iterations before it is counted up, so 0 at first. */
    double (*rate)(const tr_schedule *schedule, double step);
} tr_schedule_ops;

/* A value: each schedule uses the arguments that its keys name. */
struct tr_schedule {
    const tr_schedule_ops *ops; /* NULL: none */
    const char *name;
    double initial_learning_rate, decay_rate, end_learning_rate, power, alpha, t_mul, m_mul;
    double warmup_target;
    int64_t decay_steps, first_decay_steps;
    int64_t warmup_steps; /* 0: no warm-up */
    bool staircase, cycle;
    tr_reals boundaries, values;
};

extern const tr_schedule_ops *const tr_schedule_table[];   /* ends in NULL */
const tr_schedule_ops *tr_schedule_find(const char *name); /* NULL: unknown */

/* Reads [learning_rate]; mistakes go to `problems`. out->ops is NULL when the schedule's name is
 * missing or unknown. */
void tr_schedule_read(tr_schedule *out, tr_section *section, tr_problems *problems);

/* Rows that several schedules have. */
#define TR_ROW_INITIAL_RATE                                                                        \
    {                                                                                              \
        .name = "initial_learning_rate", .kind = TR_KEY_REAL,                                      \
        .offset = offsetof(tr_schedule, initial_learning_rate), .max = 1e6,                        \
        .doc = "learning rate of the first step"                                                   \
    }
#define TR_ROW_STEPS(field, text)                                                                  \
    {                                                                                              \
        .name = #field, .kind = TR_KEY_INT, .offset = offsetof(tr_schedule, field), .min = 1,      \
        .max = 1e12, .doc = text                                                                   \
    }
#define TR_ROW_ALPHA                                                                               \
    {                                                                                              \
        .name = "alpha", .kind = TR_KEY_REAL, .offset = offsetof(tr_schedule, alpha),              \
        .fallback = "0", .max = 1, .doc = "lowest rate, as a share of the initial one"             \
    }

#endif
