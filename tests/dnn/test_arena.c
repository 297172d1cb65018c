/* test_arena.c -- values that are alive together never share a byte; those that are not, do. */
#include <criterion/criterion.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"

static const char deep[] =
    "[layer.a]\ntype = conv2d\nfilters = 24\nkernel_size = 3\npadding = same\nactivation = relu\n"
    "[layer.b]\ntype = max_pooling2d\n[layer.c]\ntype = conv2d\nfilters = 20\nkernel_size = 3\n"
    "activation = sigmoid\n[layer.s]\ntype = activation\nactivation = softmax\n"
    "[layer.d]\ntype = conv2d\nfilters = 8\nkernel_size = 1\n"
    "[layer.f]\ntype = flatten\n[layer.g]\ntype = dense\nunits = 30\nactivation = tanh\n"
    "[layer.h]\ntype = dense\nunits = 5\nactivation = softmax\n";
static const int64_t shape[3] = {14, 14, 3};

static bool may_share(const tr_value_box *a, const tr_value_box *b)
{
    return a->space != TR_SPACE_PREPARED && (a->last < b->first || b->last < a->first);
}

static size_t check_space(const tr_program *program, tr_space space)
{
    size_t sum = 0;
    for (size_t i = 0; i < program->n_values; i++) {
        const tr_value_box *a = &program->values[i];
        if (a->space != space || a->root != (tr_value)i)
            continue;
        const size_t a_bytes = tr_layout_bytes(a->layout);
        sum += tr_value_bytes(a);
        cr_assert_eq(a->offset % TR_ALIGN, 0);
        cr_assert_leq(a->offset + a_bytes, program->bytes[space]);
        for (size_t k = 0; k < i; k++) {
            const tr_value_box *b = &program->values[k];
            if (b->space != space || b->root != (tr_value)k)
                continue;
            const bool overlap = a->offset < b->offset + tr_layout_bytes(b->layout) &&
                                 b->offset < a->offset + a_bytes;
            cr_assert(may_share(a, b) || !overlap, "values %zu and %zu", i, k);
        }
    }
    return sum;
}

static void check(const tr_program *program)
{
    const size_t sum = check_space(program, TR_SPACE_ARENA);
    cr_assert_lt(program->bytes[TR_SPACE_ARENA], sum, "nothing is shared");
    cr_assert_eq(program->bytes[TR_SPACE_PREPARED], check_space(program, TR_SPACE_PREPARED));
}

/* Every argument of every operation lies between its value's first and last use. */
static void check_lifetimes(const tr_program *program)
{
    int now = 0;
    for (size_t i = 0; i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        if (op->info.phase == TR_PREPARE)
            continue;
        for (int k = 0; k < op->n_args; k++) {
            const tr_value_box *value = &program->values[op->args[k].value];
            const tr_value_box *root = &program->values[value->root];
            cr_assert(root->space == TR_SPACE_PREPARED ||
                      (root->first <= now && now <= root->last));
            cr_assert_eq(value->offset, root->offset);
        }
        now++;
    }
}

Test(arena, living_values_do_not_overlap)
{
    test_net *net = test_net_new(deep, shape, 4);
    check(net->model->training.program);
    check(net->model->inference.program);
    check_lifetimes(net->model->training.program);
    check_lifetimes(net->model->inference.program);
    test_net_free(net);
}
