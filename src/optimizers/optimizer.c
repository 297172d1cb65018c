/* optimizer.c -- an optimizer from its sections: its own keys and those of all.
 *
 * Every key is off when absent and has an effect when present; what would have none is a problem.
 */
#include "optimizer.h"

#include <string.h>

#include "mem.h"

enum { MAX_KEYS = 40 }; /* more than any optimizer has */

/* ---- keys of all optimizers ---- */

#define AT(field) offsetof(tr_optimizer, field)

const tr_key tr_optimizer_common_keys[] = {
    TR_ROW_WEIGHT_DECAY(NULL),
    {.name = "clipnorm",
     .kind = TR_KEY_REAL,
     .offset = AT(clipnorm),
     .min = 1e-30,
     .max = 1e30,
     .optional = true,
     .doc = "each weight's gradient is shortened to this norm"},
    {.name = "global_clipnorm",
     .kind = TR_KEY_REAL,
     .offset = AT(global_clipnorm),
     .min = 1e-30,
     .max = 1e30,
     .optional = true,
     .doc = "the gradient of all weights together is shortened to this norm"},
    {.name = "clipvalue",
     .kind = TR_KEY_REAL,
     .offset = AT(clipvalue),
     .min = 1e-30,
     .max = 1e30,
     .optional = true,
     .doc = "each element of the gradient is cut to this size"},
    {.name = "use_ema",
     .kind = TR_KEY_BOOL,
     .offset = AT(use_ema),
     .fallback = "false",
     .doc = "keep a moving average of the weights; they become it when the training ends"},
    {.name = "ema_momentum",
     .kind = TR_KEY_REAL,
     .offset = AT(ema_momentum),
     .max = 1,
     .optional = true,
     .doc = "with use_ema: share of the average that a step keeps (0.99)"},
    {.name = "ema_overwrite_frequency",
     .kind = TR_KEY_INT,
     .offset = AT(ema_overwrite_frequency),
     .min = 1,
     .max = 1e12,
     .optional = true,
     .doc = "with use_ema: the weights become the average every so many updates, too"},
    {.name = "gradient_accumulation_steps",
     .kind = TR_KEY_INT,
     .offset = AT(gradient_accumulation_steps),
     .min = 2,
     .max = 1e6,
     .optional = true,
     .doc = "update only every so many batches, with their mean gradient"},
};

const size_t tr_optimizer_n_common_keys =
    sizeof tr_optimizer_common_keys / sizeof *tr_optimizer_common_keys;

/* Of [optimizer.NAME] alone. */
static const tr_key group_keys[] = {
    {.name = "layers",
     .kind = TR_KEY_WORDS,
     .offset = AT(layers),
     .doc = "names of the layers that it trains, in place of [optimizer]"},
    {.name = "optimizer",
     .kind = TR_KEY_TEXT,
     .offset = AT(name),
     .optional = true,
     .doc = "the optimizer (that of [compile], with the keys of [optimizer])"},
};
const tr_key *const tr_optimizer_group_keys = group_keys;
const size_t tr_optimizer_n_group_keys = sizeof group_keys / sizeof *group_keys;

/* One table of both. A schedule leaves learning_rate without a default: an effective configuration
 * must not say what would then be refused. */
static size_t merge_keys(const tr_optimizer_ops *ops, bool is_group, bool scheduled,
                         tr_key keys[MAX_KEYS])
{
    size_t n = ops->n_keys;
    memcpy(keys, ops->keys, n * sizeof *keys);
    for (size_t i = 0; i < tr_optimizer_n_common_keys; i++)
        if (tr_key_find(ops->keys, ops->n_keys, tr_optimizer_common_keys[i].name) == NULL)
            keys[n++] = tr_optimizer_common_keys[i];
    for (size_t i = 0; is_group && i < tr_optimizer_n_group_keys; i++)
        keys[n++] = group_keys[i];
    for (size_t k = 0; scheduled && k < n; k++)
        if (strcmp(keys[k].name, "learning_rate") == 0) {
            keys[k].fallback = NULL;
            keys[k].optional = true;
        }
    return n;
}

/* ---- settings that do not go together ---- */

static void check_clipping(const tr_section *section, tr_problems *problems)
{
    static const char *const names[] = {"clipnorm", "global_clipnorm", "clipvalue"};
    const char *first = NULL;
    for (int i = 0; i < 3; i++) {
        if (tr_section_find(section, names[i]) == NULL)
            continue;
        if (first != NULL)
            tr_problems_add(problems, tr_section_line(section, names[i]),
                            "[%s] %s beside %s (line %d): only one way of clipping is allowed",
                            section->name, names[i], first, tr_section_line(section, first));
        first = names[i];
    }
}

static void check_average(const tr_optimizer *optimizer, const tr_section *section,
                          tr_problems *problems)
{
    static const char *const names[] = {"ema_momentum", "ema_overwrite_frequency"};
    for (int i = 0; i < 2 && !optimizer->use_ema; i++)
        if (tr_section_find(section, names[i]) != NULL)
            tr_problems_add(problems, tr_section_line(section, names[i]),
                            "[%s] %s has no effect without use_ema = true", section->name,
                            names[i]);
}

static void check_rate(const tr_section *section, const tr_section *rates, tr_problems *problems)
{
    const tr_entry *entry = tr_section_find(section, "learning_rate");
    if (rates != NULL && entry != NULL && !entry->is_default)
        tr_problems_add(problems, entry->line,
                        "[%s] learning_rate = %s has no effect beside the schedule of [%s] (line "
                        "%d); remove one of them",
                        section->name, entry->value, rates->name, rates->line);
}

/* ---- making ---- */

tr_optimizer *tr_optimizer_new(const tr_optimizer_ops *ops, tr_section *section, tr_section *rates,
                               tr_problems *problems)
{
    tr_key keys[MAX_KEYS];
    const size_t n_keys =
        merge_keys(ops, strcmp(section->name, "optimizer") != 0, rates != NULL, keys);
    tr_optimizer *optimizer = tr_alloc(1, ops->bytes);
    if (optimizer == NULL)
        return NULL;
    optimizer->ops = ops;
    optimizer->gradient_accumulation_steps = 1;
    optimizer->ema_momentum = 0.99;
    if (rates != NULL)
        tr_schedule_read(&optimizer->schedule, rates, problems);
    tr_section_refuse(section, "decay",
                      "Keras 2's decay of the learning rate is a schedule here: [learning_rate] "
                      "schedule = inverse_time_decay, with the rate as initial_learning_rate, "
                      "decay_steps = 1, and this as decay_rate",
                      problems);
    const bool readable = tr_section_read(section, keys, n_keys, optimizer, problems);
    check_rate(section, rates, problems);
    if (!readable)
        return optimizer;
    check_clipping(section, problems);
    check_average(optimizer, section, problems);
    if (optimizer->use_ema && !tr_section_default(section, "ema_momentum", "0.99"))
        tr_problems_no_memory(problems);
    if (ops->check != NULL)
        ops->check(optimizer, section, problems);
    return optimizer;
}

tr_optimizer *tr_optimizer_copy(const tr_optimizer *optimizer)
{
    tr_optimizer *copy = tr_alloc(1, optimizer->ops->bytes);
    if (copy != NULL)
        memcpy(copy, optimizer, optimizer->ops->bytes);
    return copy;
}

/* ---- state ---- */

int tr_optimizer_first_own(const tr_optimizer *optimizer)
{
    return optimizer->use_ema + (optimizer->gradient_accumulation_steps > 1);
}

int tr_optimizer_slots(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                       tr_slot slots[TR_MAX_ALL_SLOTS])
{
    tr_slot own[TR_MAX_SLOTS] = {{0}};
    const tr_tensor_ops *whole = tr_optimizer_whole(optimizer, tensor);
    int n = 0;
    if (optimizer->use_ema)
        slots[n++] = (tr_slot){.name = "average"};
    if (optimizer->gradient_accumulation_steps > 1)
        slots[n++] = (tr_slot){.name = "gradient_accumulator"};
    const int n_own = optimizer->ops->slots(optimizer, tensor, own);
    for (int i = 0; i < n_own; i++) {
        own[i].plain = whole != NULL && !whole->any_layout;
        slots[n++] = own[i];
    }
    for (int i = 0; i < n; i++) {
        slots[i].n_dims = slots[i].own_shape ? slots[i].n_dims : tensor->n_dims;
        for (int d = 0; d < tensor->n_dims && !slots[i].own_shape; d++)
            slots[i].dims[d] = tensor->dims[d];
    }
    return n;
}

const tr_tensor_ops *tr_optimizer_whole(const tr_optimizer *optimizer,
                                        const tr_weight_tensor *tensor)
{
    return optimizer->ops->whole == NULL ? NULL : optimizer->ops->whole(optimizer, tensor);
}

double tr_optimizer_weight_decay(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    return optimizer->ops->weight_decay == NULL ? optimizer->weight_decay
                                                : optimizer->ops->weight_decay(optimizer, tensor);
}

/* ---- a step ---- */

double tr_optimizer_learning_rate(const tr_optimizer *optimizer, int64_t iterations)
{
    const tr_schedule *schedule = &optimizer->schedule;
    return schedule->ops == NULL ? optimizer->learning_rate
                                 : schedule->ops->rate(schedule, (double)iterations);
}

void tr_optimizer_begin(tr_optimizer *optimizer, int64_t iterations)
{
    optimizer->rate = tr_optimizer_learning_rate(optimizer, iterations);
    optimizer->ops->begin(optimizer, iterations / optimizer->gradient_accumulation_steps + 1);
}
