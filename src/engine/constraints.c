/* constraints.c -- see constraints.h. */
#include "constraints.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "update_internal.h"

/* keras.config.epsilon() */
static const float epsilon = 1e-7f;

/* A weight. Its elements lie in groups that have a norm together. */
typedef struct constrained {
    tr_constraint kind;
    float low, high, rate; /* of the norms */
    size_t offset, n;      /* in the flat vector */
    size_t n_groups, length;
    uint32_t *places; /* [n_groups, length] from `offset`; NULL: no norms */
} constrained;

struct tr_constraints {
    constrained *items;
    int n;
};

/* ---- where the elements of a norm are ---- */

/* places[element in Keras's layout]: where it lies in the packed one. */
static tr_status find_elements(const tr_param *param, uint32_t *places, tr_error *err)
{
    uint32_t *numbers = tr_alloc(param->n_packed, sizeof *numbers);
    tr_status status = numbers == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_find_places(param->plain, (size_t)tr_param_elements(param),
                                            param->packed, param->n_packed, numbers, err);
    for (size_t i = 0; status == TR_OK && i < param->n_packed; i++)
        if (numbers[i] > 0) /* else padding */
            places[numbers[i] - 1] = (uint32_t)i;
    tr_free(numbers);
    return status;
}

/* The number of an element's group, and its place among the elements of that. */
static void locate(const tr_param *param, unsigned axes, size_t element, size_t *group,
                   size_t *place)
{
    size_t group_step = 1, place_step = 1;
    *group = *place = 0;
    for (int d = param->n_dims - 1; d >= 0; d--) {
        const size_t dim = (size_t)param->dims[d], index = element % dim;
        element /= dim;
        if ((axes & 1u << d) != 0) {
            *place += index * place_step;
            place_step *= dim;
        } else {
            *group += index * group_step;
            group_step *= dim;
        }
    }
}

static tr_status find_groups(constrained *item, const tr_param *param, unsigned axes, tr_error *err)
{
    const size_t n = (size_t)tr_param_elements(param);
    uint32_t *elements = tr_alloc(n, sizeof *elements);
    item->places = tr_alloc(n, sizeof *item->places);
    tr_status status = elements == NULL || item->places == NULL
                           ? tr_out_of_memory(err, NULL)
                           : find_elements(param, elements, err);
    item->length = 1;
    for (int d = 0; d < param->n_dims; d++)
        item->length *= (axes & 1u << d) != 0 ? (size_t)param->dims[d] : 1;
    item->n_groups = n / item->length;
    for (size_t i = 0; status == TR_OK && i < n; i++) {
        size_t group, place;
        locate(param, axes, i, &group, &place);
        item->places[group * item->length + place] = elements[i];
    }
    tr_free(elements);
    return status;
}

/* ---- life ---- */

static bool is_constrained(const tr_param *param)
{
    return param->range == TR_TRAINED && param->rules.constraint.function != TR_CONSTRAINT_NONE;
}

static tr_status add(constrained *item, const tr_param *param, tr_error *err)
{
    const tr_call *call = &param->rules.constraint;
    const double *a = call->arguments;
    *item = (constrained){.kind = (tr_constraint)call->function,
                          .rate = 1.0f,
                          .offset = param->offset,
                          .n = param->n_packed};
    switch (item->kind) {
    case TR_CONSTRAINT_MAX_NORM:
        item->high = (float)a[0];
        break;
    case TR_CONSTRAINT_UNIT_NORM:
        item->low = item->high = 1.0f;
        break;
    case TR_CONSTRAINT_MIN_MAX_NORM:
        item->low = (float)a[0];
        item->high = (float)a[1];
        item->rate = (float)a[2];
        break;
    default:
        return TR_OK;
    }
    return find_groups(item, param, tr_constraint_axes(param), err);
}

static tr_status add_all(tr_constraints *constraints, const tr_model *model, tr_error *err)
{
    for (int i = 0; i < tr_model_n_weights(model); i++) {
        const tr_param *param = tr_model_param(model, i);
        if (is_constrained(param))
            TR_TRY(add(&constraints->items[constraints->n++], param, err));
    }
    return TR_OK;
}

tr_status tr_constraints_new(tr_constraints **out, const tr_model *model, tr_error *err)
{
    size_t n = 0;
    *out = NULL;
    for (int i = 0; i < tr_model_n_weights(model); i++)
        n += is_constrained(tr_model_param(model, i));
    if (n == 0)
        return TR_OK;
    tr_constraints *constraints = tr_alloc(1, sizeof *constraints);
    if (constraints == NULL)
        return tr_out_of_memory(err, NULL);
    constraints->items = tr_alloc(n, sizeof *constraints->items);
    const tr_status status =
        constraints->items == NULL ? tr_out_of_memory(err, NULL) : add_all(constraints, model, err);
    if (status == TR_OK)
        *out = constraints;
    else
        tr_constraints_free(constraints);
    return status;
}

void tr_constraints_free(tr_constraints *constraints)
{
    if (constraints == NULL)
        return;
    for (int i = 0; i < constraints->n; i++)
        tr_free(constraints->items[i].places);
    tr_free(constraints->items);
    tr_free(constraints);
}

/* ---- a step ---- */

/* Keras: w (desired / (epsilon + norm)), desired = rate clip(norm) + (1 - rate) norm; unit_norm
 * divides by epsilon + norm. What is not a number stays so. */
static float factor_of(const constrained *item, float norm)
{
    if (item->kind == TR_CONSTRAINT_UNIT_NORM)
        return 1.0f / (epsilon + norm);
    float clipped = norm < item->low ? item->low : norm;
    clipped = clipped > item->high ? item->high : clipped;
    return (item->rate * clipped + (1.0f - item->rate) * norm) / (epsilon + norm);
}

static void scale_group(const constrained *item, float *weights, size_t group)
{
    const uint32_t *places = item->places + group * item->length;
    double sum = 0.0;
    for (size_t i = 0; i < item->length; i++)
        sum += (double)weights[places[i]] * (double)weights[places[i]];
    const float factor = factor_of(item, (float)sqrt(sum));
    for (size_t i = 0; i < item->length; i++)
        weights[places[i]] *= factor;
}

static void hold(const constrained *item, float *weights, size_t part, size_t parts)
{
    const size_t n = item->places == NULL ? item->n : item->n_groups;
    const size_t begin = n * part / parts, end = n * (part + 1) / parts;
    for (size_t i = begin; i < end; i++) {
        if (item->places != NULL)
            scale_group(item, weights, i);
        else if (weights[i] < 0.0f)
            weights[i] = 0.0f;
    }
}

void tr_constraints_apply(const tr_constraints *constraints, float *params, int part, int parts)
{
    for (int i = 0; i < constraints->n; i++)
        hold(&constraints->items[i], params + constraints->items[i].offset, (size_t)part,
             (size_t)parts);
}
