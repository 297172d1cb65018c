/* test_kernel_check.c -- whatever is wrong in a result, of whichever operation, is found; and
 * kernels that are right are found right.
 *
 * Every operation of programs that have all kinds of them is made wrong in turn, in each of its
 * results, in every way of the list below.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "kernel_check.h"
#include "mem.h"
#include "net.h"
#include "places.h"
#include "program_internal.h"
#include "rig.h"
#include "unpack.h"
#include "verify_internal.h"
#include "wrong_kernel.h"

/* ---- making an operation wrong ---- */

typedef enum fault {
    LARGEST_IS_ZERO,
    LARGEST_IS_UNWRITTEN,
    EXTREMES_ARE_SWAPPED,
    LARGEST_IS_OFF, /* by the last bit where sums are exact, else by a hundredth */
    LAST_IS_GARBAGE,
    LEAST_IS_OFF, /* where it is not above 0: what functions leave alone is right */
    PADDING_IS_DIRTY,
    N_FAULTS
} fault;

static struct target {
    tr_op *op;
    int arg; /* of its results */
    tr_layout layout;
    int64_t n_doubles; /* instead of what the layout says; 0: none */
    fault fault;
    bool exact;
    bool changed; /* there was something to be made wrong */
    void (*run)(const void *plan, const tr_draw *draw, void *const *data, void *scratch);
} target;

static int64_t extreme(const tr_places *p, const void *data, bool largest, bool of_sizes)
{
    int64_t at = -1;
    float best = 0.0f;
    for (int64_t i = 0; i < p->dims[0] * p->dims[1] * p->dims[2] * p->dims[3]; i++) {
        int64_t rest = i, place = 0;
        for (int d = 3; d >= 0; d--) {
            place += p->of[d][rest % p->dims[d]];
            rest /= p->dims[d];
        }
        float value = tr_place_read(p->type, data, place);
        value = of_sizes ? fabsf(value) : value;
        if (at < 0 || (largest ? value > best : value < best)) {
            best = value;
            at = place;
        }
    }
    return at;
}

static int64_t first_padding(const tr_places *p)
{
    for (int d = 0; d < 4; d++)
        if (p->padded[d] != p->dims[d]) {
            int64_t at = 0;
            for (int k = 0; k < 4; k++)
                at += p->of[k][k == d ? p->dims[d] : 0];
            return at;
        }
    return -1;
}

static void change(const tr_places *p, void *data, int64_t at, float value)
{
    const float before = tr_place_read(p->type, data, at);
    tr_place_write(p->type, data, at, value);
    target.changed = target.changed || tr_place_read(p->type, data, at) != before;
}

/* The same to a value of doubles, which has no padding. */
static void change_double(double *data, int64_t at, double value)
{
    target.changed = target.changed || data[at] != value;
    data[at] = value;
}

static void spoil_doubles(double *data, int64_t n)
{
    int64_t largest = 0, high = 0, low = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fabs(data[i]) > fabs(data[largest]) ? i : largest;
        high = data[i] > data[high] ? i : high;
        low = data[i] < data[low] ? i : low;
    }
    const double value = data[largest], first = data[high];
    switch (target.fault) {
    case LARGEST_IS_ZERO:
        change_double(data, largest, 0.0);
        break;
    case LARGEST_IS_UNWRITTEN:
        change_double(data, largest, NAN);
        break;
    case LARGEST_IS_OFF:
        change_double(data, largest, value * 1.01);
        break;
    case EXTREMES_ARE_SWAPPED:
        change_double(data, high, data[low]);
        change_double(data, low, first);
        break;
    case LAST_IS_GARBAGE:
        change_double(data, n - 1, 1e30);
        break;
    case LEAST_IS_OFF:
        if (data[low] <= 0.0)
            change_double(data, low, data[low] - 0.5);
        break;
    default:
        break;
    }
}

static void spoil(void *data)
{
    if (target.n_doubles > 0) {
        spoil_doubles(data, target.n_doubles);
        return;
    }
    int64_t *room = tr_alloc(tr_places_room(target.layout), sizeof *room);
    const tr_places p = tr_places_find(target.layout, room);
    const int64_t largest = extreme(&p, data, true, true);
    const float value = tr_place_read(p.type, data, largest);
    if (target.fault == LARGEST_IS_ZERO)
        change(&p, data, largest, 0.0f);
    if (target.fault == LARGEST_IS_UNWRITTEN)
        change(&p, data, largest, NAN);
    if (target.fault == LARGEST_IS_OFF)
        change(&p, data, largest,
               !target.exact   ? value * 1.01f
               : value == 0.0f ? 1.0f
                               : nextafterf(value, INFINITY));
    if (target.fault == EXTREMES_ARE_SWAPPED) {
        const int64_t a = extreme(&p, data, true, false), b = extreme(&p, data, false, false);
        const float first = tr_place_read(p.type, data, a);
        change(&p, data, a, tr_place_read(p.type, data, b));
        change(&p, data, b, first);
    }
    if (target.fault == LAST_IS_GARBAGE) {
        int64_t last = 0;
        for (int d = 0; d < 4; d++)
            last += p.of[d][p.dims[d] - 1];
        change(&p, data, last, 1e30f);
    }
    const int64_t least = extreme(&p, data, false, false);
    if (target.fault == LEAST_IS_OFF && tr_place_read(p.type, data, least) <= 0.0f)
        change(&p, data, least, tr_place_read(p.type, data, least) - 0.5f);
    if (target.fault == PADDING_IS_DIRTY && first_padding(&p) >= 0)
        change(&p, data, first_padding(&p), 1e-20f);
    tr_free(room);
}

static void after_primitive(void *context, dnnl_primitive_t primitive, int n_args,
                            const dnnl_exec_arg_t *args)
{
    void *data;
    (void)context;
    for (int i = 0; primitive == target.op->primitive && i < n_args; i++)
        if (args[i].arg == target.op->args[target.arg].role &&
            dnnl_memory_get_data_handle(args[i].memory, &data) == dnnl_success)
            spoil(data);
}

static void run_wrong_native(const void *plan, const tr_draw *draw, void *const *data,
                             void *scratch)
{
    target.run(plan, draw, data, scratch);
    spoil(data[target.arg]);
}

/* ---- checking ---- */

typedef struct tally {
    int n, n_wrong;
    tr_op_check wrong; /* the last */
} tally;

static tr_status count(void *context, size_t i, const tr_op_check *check, tr_error *err)
{
    tally *all = context;
    (void)i, (void)err;
    all->n++;
    if (!check->ok) {
        all->n_wrong++;
        all->wrong = *check;
    }
    return TR_OK;
}

static tally check_program(const tr_program *program)
{
    tally all = {0};
    tr_error err = {0};
    cr_assert_eq(tr_kernels_check(program, count, &all, &err), TR_OK, "%s", err.text);
    size_t n_packings = 0; /* checked with what reads them */
    for (size_t i = 0; i < program->n_ops; i++)
        n_packings += program->ops[i].meaning.kind == TR_KIND_PACKING;
    cr_assert_eq((size_t)all.n + n_packings, tr_program_n_ops(program));
    return all;
}

/* The last bit shows where whole numbers are summed. */
static bool is_exact(const tr_op *op)
{
    const tr_activation fused = op->meaning.activation;
    return (op->meaning.kind == TR_KIND_CONVOLUTION || op->meaning.kind == TR_KIND_INNER_PRODUCT) &&
           (fused.name == TR_LINEAR || fused.name == TR_RELU || fused.name == TR_ELU ||
            fused.name == TR_LEAKY_RELU);
}

static int break_result(tr_program *program, tr_op *op, int arg, fault how)
{
    target = (struct target){.op = op,
                             .arg = arg,
                             .layout = program->values[op->args[arg].value].layout,
                             .n_doubles = program->values[op->args[arg].value].n_doubles,
                             .fault = how,
                             .exact = is_exact(op),
                             .run = op->native.run};
    if (op->primitive == NULL)
        op->native.run = run_wrong_native;
    else
        test_around_each_primitive(NULL, after_primitive, NULL);
    const tally all = check_program(program);
    test_around_each_primitive(NULL, NULL, NULL);
    op->native.run = target.run;
    if (!target.changed) { /* but every fused function is looked at below 0 as well */
        cr_assert(how != LEAST_IS_OFF || !is_exact(op) || op->meaning.activation.name == TR_LINEAR);
        return 0;
    }
    cr_assert_eq(all.n_wrong, 1, "%d wrong: %s, %s, %s, %s, argument %d, fault %d", all.n_wrong,
                 op->info.layer, op->info.what, tr_direction_name(op->info.direction), op->impl,
                 arg, (int)how);
    cr_assert_str_eq(all.wrong.op.layer, op->info.layer);
    cr_assert_str_eq(all.wrong.op.what, op->info.what);
    cr_assert_eq(all.wrong.op.direction, op->info.direction);
    return 1;
}

static int break_all(tr_program *program, bool seen[TR_N_KINDS][TR_DIR_REORDER + 1])
{
    int n = 0;
    for (size_t i = 0; i < program->n_ops; i++) {
        tr_op *op = &program->ops[i];
        for (int arg = 0; arg < op->n_args && op->meaning.kind != TR_KIND_PACKING; arg++)
            for (int how = 0; how < N_FAULTS; how++)
                if (tr_result_name(op->info.direction, op->args[arg].role) != NULL)
                    n += break_result(program, op, arg, (fault)how);
        seen[op->meaning.kind][op->info.direction] = true;
    }
    return n;
}

typedef struct subject {
    const char *layers;
    int64_t shape[3], n;
} subject;

static const subject all_kinds[] = {
    {"[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\nactivation = relu\n"
     "[layer.p]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"
     "[layer.b]\ntype = conv2d\nfilters = 17\nkernel_size = 2\npadding = same\n"
     "activation = sigmoid\n[layer.z]\ntype = zero_padding2d\n[layer.c]\ntype = conv2d\n"
     "filters = 8\nkernel_size = 1\nactivation = elu\n[layer.s]\ntype = activation\n"
     "activation = softmax\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\n"
     "activation = leaky_relu\n[layer.e]\ntype = dense\nunits = 1\n",
     {8, 9, 3},
     2},
    {"[layer.a]\ntype = conv2d\nfilters = 9\nkernel_size = 2\nstrides = 3\nuse_bias = false\n"
     "activation = relu\n[layer.q]\ntype = average_pooling2d\npool_size = 2\npadding = same\n"
     "[layer.n]\ntype = batch_normalization\ntrainable = false\n[layer.x]\ntype = dropout\n"
     "rate = 0.3\n"
     "[layer.t]\ntype = activation\nactivation = selu\n[layer.g]\ntype = activation\n"
     "activation = gelu\n[layer.h]\ntype = activation\nactivation = hard_sigmoid\n"
     "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 17\nuse_bias = false\n"
     "activation = tanh\n",
     {13, 11, 4},
     3},
    {"[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\n[layer.g]\n"
     "type = global_max_pooling2d\n[layer.d]\ntype = dense\nunits = 3\n",
     {40, 40, 3},
     2},
    {"[layer.a]\ntype = conv2d\nfilters = 16\nkernel_size = 2\n[layer.b]\ntype = conv2d\n"
     "filters = 16\nkernel_size = 1\nuse_bias = false\n[layer.s]\n"
     "type = add\ninputs = a, b, a\n[layer.r]\ntype = activation\nactivation = "
     "relu\n[layer.c]\ntype = concatenate\n"
     "inputs = r, b\n[layer.p]\ntype = conv2d\nfilters = 16\nkernel_size = 1\n[layer.m]\n"
     "type = multiply\ninputs = p, b, s\n[layer.v]\ntype = average\ninputs = m, b\n[layer.x]\n"
     "type = maximum\ninputs = v, m, a\n",
     {5, 4, 3},
     2},
    {"[layer.c]\ntype = conv2d\nfilters = 10\nkernel_size = 2\n[layer.n]\n"
     "type = group_normalization\ngroups = 5\n[layer.m]\ntype = layer_normalization\n"
     "[layer.f]\ntype = flatten\n[layer.l]\ntype = layer_normalization\nscale = false\n"
     "[layer.d]\ntype = dense\nunits = 3\n",
     {4, 3, 2},
     3},
    {"[layer.n]\ntype = batch_normalization\nvirtual_batch_size = 2\n[layer.m]\n"
     "type = batch_normalization\nvirtual_batch_size = 12\nscale = false\n[layer.f]\n"
     "type = flatten\n[layer.d]\ntype = dense\nunits = 7\n[layer.o]\n"
     "type = batch_normalization\ncenter = false\n",
     {5, 4, 3},
     4},
    {"[layer.s]\ntype = rescaling\nscale = 2, 1/3, 0.7\noffset = -1\n[layer.c]\n"
     "type = cropping2d\ncropping = 1, 0, 2, 1\n[layer.u]\ntype = up_sampling2d\nsize = 2, 3\n"
     "interpolation = bilinear\n[layer.a]\ntype = conv2d_transpose\nfilters = 10\n"
     "kernel_size = 2\nstrides = 2\nactivation = relu\n[layer.p]\ntype = permute\n"
     "dims = 3, 1, 2\n[layer.n]\ntype = up_sampling2d\n[layer.g]\n"
     "type = global_average_pooling2d\n[layer.m]\ntype = multiply\ninputs = n, g\n",
     {6, 5, 3},
     2},
    {"[layer.a]\ntype = conv2d\nfilters = 16\nkernel_size = 3\ndilation_rate = 2, 1\n"
     "padding = same\nactivation = relu\n[layer.b]\ntype = conv2d\nfilters = 16\n"
     "kernel_size = 2\ngroups = 2\n",
     {8, 7, 3},
     2},
    {"[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\nactivation = tanh\n"
     "activity_regularizer = l1_l2(0.5, 0.25)\n",
     {5, 6, 3},
     3},
    {"[layer.c]\ntype = depthwise_conv2d\nkernel_size = 3\nactivation = relu\n"
     "[layer.d]\ntype = separable_conv2d\nfilters = 3\nkernel_size = 2\n"
     "depth_multiplier = 2\nstrides = 2\nactivation = sigmoid\n",
     {8, 7, 9},
     2},
    {"[layer.a]\ntype = prelu\nalpha_initializer = constant(0.25)\n[layer.b]\ntype = prelu\n"
     "shared_axes = 1, 2\nalpha_initializer = constant(0.5)\n[layer.f]\ntype = flatten\n",
     {5, 4, 7},
     2},
    {"[layer.a]\ntype = random_rotation\nfactor = 0.2\n[layer.b]\ntype = random_crop\nheight = 3\n"
     "width = 4\n",
     {5, 4, 2},
     2},
    {"[layer.a]\ntype = random_contrast\nfactor = 0.5\n[layer.b]\ntype = random_sharpness\n"
     "factor = 1\nvalue_range = -1, 1\n[layer.c]\ntype = random_grayscale\nfactor = 0.9\n"
     "[layer.d]\ntype = random_erasing\nfactor = 1, 1\nscale = 0.3, 0.6\nvalue_range = -1, 1\n",
     {4, 5, 3},
     2},
};

static const bool expected_kinds[TR_N_KINDS][TR_DIR_REORDER + 1] = {
    [TR_KIND_REORDER] = {[TR_DIR_REORDER] = true},
    [TR_KIND_CONVOLUTION] = {true, true, true},
    [TR_KIND_INNER_PRODUCT] = {true, true, true},
    [TR_KIND_MAX_POOLING] = {true, true},
    [TR_KIND_AVERAGE_POOLING] = {true, true},
    [TR_KIND_ZERO_PADDING] = {true, true},
    [TR_KIND_DROPOUT] = {true, true},
    [TR_KIND_NORMALIZATION] = {true, true},
    [TR_KIND_ELTWISE] = {true, true},
    [TR_KIND_SOFTMAX] = {true, true},
    [TR_KIND_GLOBAL_MAX] = {true, true},
    [TR_KIND_MERGE] = {true, true},
    [TR_KIND_CONCATENATION] = {true, true},
    [TR_KIND_SUMS] = {[TR_DIR_FORWARD] = true, [TR_DIR_BACKWARD_WEIGHTS] = true},
    [TR_KIND_FACTORS] = {true, true},
    [TR_KIND_APPLICATION] = {true, true},
    [TR_KIND_GROUP_AVERAGES] = {true},
    [TR_KIND_MOVING_STATISTICS] = {true},
    [TR_KIND_PIXEL_NORMALIZATION] = {true, true},
    [TR_KIND_CROPPING] = {true, true},
    [TR_KIND_PERMUTATION] = {true, true},
    [TR_KIND_RESAMPLING] = {true, true},
    [TR_KIND_REPEATED_SUMS] = {[TR_DIR_BACKWARD_DATA] = true},
    [TR_KIND_ACTIVITY] = {true, true},
    [TR_KIND_PRELU] = {true, true, true},
    [TR_KIND_SAMPLING] = {true, true},
    [TR_KIND_TINTING] = {true, true},
    [TR_KIND_ERASING] = {true, true},
};

Test(kernel_check, finds_every_fault_of_every_operation)
{
    bool seen[TR_N_KINDS][TR_DIR_REORDER + 1] = {{false}};
    int n = 0;
    for (size_t i = 0; i < sizeof all_kinds / sizeof *all_kinds; i++) {
        const subject *at = &all_kinds[i];
        test_net *net = test_net_new(at->layers, at->shape, at->n);
        n += break_all(net->model->training.program, seen);
        n += break_all(net->model->inference.program, seen);
        test_net_free(net);
    }
    cr_assert_gt(n, 400, "%d faults", n);
    for (int kind = 0; kind < TR_N_KINDS; kind++)
        for (int direction = 0; direction <= TR_DIR_REORDER; direction++)
            cr_assert(seen[kind][direction] || !expected_kinds[kind][direction],
                      "no operation of kind %d, direction %d", kind, direction);
}

/* ---- kernels that are right ---- */

static const subject odd[] = {
    {"[layer.a]\ntype = conv2d\nfilters = 1\nkernel_size = 3\nstrides = 2\npadding = same\n"
     "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 1\nactivation = sigmoid\n",
     {1, 1, 16},
     1},
    {"[layer.a]\ntype = conv2d\nfilters = 33\nkernel_size = 4, 2\npadding = same\n"
     "activation = elu\n[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 2\nstrides = 3\n"
     "activation = tanh\n[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 1\nstrides = 2\n"
     "activation = hard_sigmoid\n",
     {17, 14, 1},
     5},
    {"[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
     "activation = relu\n[layer.b]\ntype = conv2d\nfilters = 48\nkernel_size = 3\n"
     "use_bias = false\nactivation = relu\n[layer.p]\ntype = max_pooling2d\n[layer.f]\n"
     "type = flatten\n[layer.d]\ntype = dense\nunits = 100\nactivation = relu\n[layer.e]\n"
     "type = dense\nunits = 10\n",
     {13, 11, 16},
     8},
};

static void expect_right(const char *const *overrides, size_t n_overrides)
{
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        test_net *net =
            test_net_new_with(odd[i].layers, odd[i].shape, odd[i].n, overrides, n_overrides);
        const tr_plan *plans[] = {&net->model->training, &net->model->inference};
        for (int k = 0; k < 2; k++) {
            const tally all = check_program(plans[k]->program);
            cr_assert_eq(all.n_wrong, 0, "%d: %s, %s, %s: error %g, %g for %g", (int)i,
                         all.wrong.op.layer, all.wrong.op.what, all.wrong.op.impl, all.wrong.error,
                         all.wrong.got, all.wrong.expected);
        }
        cr_assert_eq(tr_wrong_kernels(net->model->dnn), 0); /* nor was one passed over before */
        test_net_free(net);
    }
}

Test(kernel_check, finds_nothing_in_float32)
{
    expect_right(NULL, 0);
}

Test(kernel_check, finds_nothing_with_avx2)
{
    if (test_has_avx2())
        expect_right((const char *const[]){"engine.isa=avx2"}, 1);
}

Test(kernel_check, finds_nothing_in_bfloat16)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    expect_right((const char *const[]){"engine.precision=bfloat16"}, 1);
}

Test(kernel_check, finds_nothing_in_winograd)
{
    test_skip_without_winograd();
    test_net *net = test_net_new_with(odd[2].layers, odd[2].shape, odd[2].n,
                                      (const char *const[]){"engine.convolution=winograd"}, 1);
    cr_assert_eq(check_program(net->model->training.program).n_wrong, 0);
    cr_assert_eq(tr_wrong_kernels(net->model->dnn), 0);
    test_net_free(net);
}

Test(kernel_check, survives_lack_of_memory)
{
    test_net *net = test_net_new(all_kinds[0].layers, all_kinds[0].shape, 1);
    tr_error err = {0};
    tr_status status = TR_ERR_INTERNAL;
    for (int k = 0; status != TR_OK; k += k < 100 ? 1 : 7) {
        tally all = {0};
        cr_assert_lt(k, 100000);
        tr_alloc_fail_after(k);
        status = tr_kernels_check(net->model->training.program, count, &all, &err);
        tr_alloc_fail_after(-1);
        cr_assert(status == TR_OK || strstr(err.text, "out of memory") != NULL, "%s", err.text);
        cr_assert_eq(all.n_wrong, 0);
    }
    test_net_free(net);
}

/* ---- taps that see only padding ---- */

/* What oneDNN's bfloat16 kernels do: the gradient of such taps, here all but the middle one, is
 * left as it was. */
typedef struct untouched {
    float before[16 * 16 * 3 * 3];
    int n;
} untouched;

static bool is_weights_gradient(dnnl_primitive_t primitive)
{
    const_dnnl_primitive_desc_t desc;
    dnnl_primitive_kind_t kind = dnnl_undefined_primitive;
    dnnl_prop_kind_t prop = dnnl_prop_kind_undef;
    cr_assert_eq(dnnl_primitive_get_primitive_desc(primitive, &desc), dnnl_success);
    dnnl_primitive_desc_query(desc, dnnl_query_primitive_kind, 0, &kind);
    dnnl_primitive_desc_query(desc, dnnl_query_prop_kind, 0, &prop);
    return kind == dnnl_convolution && prop == dnnl_backward_weights;
}

static float *gradient_of(int n_args, const dnnl_exec_arg_t *args)
{
    void *data = NULL;
    for (int i = 0; i < n_args; i++)
        if (args[i].arg == DNNL_ARG_DIFF_WEIGHTS)
            cr_assert_eq(dnnl_memory_get_data_handle(args[i].memory, &data), dnnl_success);
    return data;
}

static void keep_before(void *context, dnnl_primitive_t primitive, int n_args,
                        const dnnl_exec_arg_t *args)
{
    if (is_weights_gradient(primitive))
        memcpy(((untouched *)context)->before, gradient_of(n_args, args),
               sizeof(float) * 16 * 16 * 9);
}

static void put_back(void *context, dnnl_primitive_t primitive, int n_args,
                     const dnnl_exec_arg_t *args)
{
    untouched *self = context;
    if (!is_weights_gradient(primitive))
        return;
    float *gradient = gradient_of(n_args, args);
    for (int i = 0; i < 16 * 16 * 9; i++)
        if (gradient[i] == 0.0f) { /* of whole numbers, or of noise: hardly by chance */
            gradient[i] = self->before[i];
            self->n++;
        }
}

Test(kernel_check, taps_that_see_only_padding_are_no_matter_of_luck)
{
    static const char layers[] = "[layer.a]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n"
                                 "strides = 2\npadding = same\n";
    static untouched state;
    test_around_each_primitive(keep_before, put_back, &state);
    test_net *net = test_net_new(layers, (int64_t[]){1, 1, 16}, 4);
    cr_assert_gt(state.n, 16 * 16 * 7);
    cr_assert_eq(tr_wrong_kernels(net->model->dnn), 0); /* the preferred kernel it still is */
    float src[4 * 16], diff_src[4 * 16], diff_dst[4 * 16], dst[4 * 16], gradient[9 * 16 * 16];
    test_fill(src, 4 * 16, 1);
    test_fill(diff_dst, 4 * 16, 2);
    memset(net->gradients, 0xff, net->model->n_floats * sizeof(float));
    test_net_forward(net, src, dst);
    test_net_backward(net, diff_dst, diff_src);
    test_around_each_primitive(NULL, NULL, NULL);
    test_net_gradient(net, 0, gradient); /* (kh, kw, in, out) */
    for (int tap = 0; tap < 9; tap++)
        for (int i = 0; i < 16 * 16; i++)
            cr_assert_eq(gradient[tap * 16 * 16 + i] == 0.0f, tap != 4, "tap %d: %g", tap,
                         (double)gradient[tap * 16 * 16 + i]);
    test_net_free(net);
}
