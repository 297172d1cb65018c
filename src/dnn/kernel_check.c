/* kernel_check.c -- numbers for each operation, and sums over its channels; see kernel_check.h. */
#include "kernel_check.h"

#include <math.h>
#include <string.h>

#include "kernel_numbers.h"
#include "mem.h"
#include "unpack.h"
#include "verify_internal.h"

typedef struct checker {
    tr_verifier *verifier;
    tr_replica *replica;
    const tr_program *program;
    uint64_t noise;
} checker;

/* ---- memory and numbers ---- */

/* Memory of its own for a parameter or a gradient, as long as the operation is looked at: a flat
 * vector of them all would be as large as the model. */
static tr_status borrow(const checker *self, const tr_job *at, void *memory[TR_MAX_ARGS],
                        tr_error *err)
{
    for (int i = 0; i < at->op->n_args; i++) {
        const tr_value value = at->op->args[i].value;
        const tr_value_box *box = &self->program->values[value];
        if (box->space != TR_SPACE_PARAMS && box->space != TR_SPACE_GRADIENTS)
            continue;
        memory[i] = tr_alloc(tr_layout_bytes(box->layout), 1);
        if (memory[i] == NULL)
            return tr_out_of_memory(err, at->op->info.layer);
        TR_TRY(tr_replica_place(self->replica, value, memory[i]));
    }
    return TR_OK;
}

/* Every source of the operation gets numbers by the recipe. */
static tr_status fill(checker *self, const tr_job *at, const tr_recipe *by, tr_error *err)
{
    for (int i = 0; i < at->op->n_args; i++) {
        const tr_arg *arg = &at->op->args[i];
        const bool result = tr_result_name(at->op->info.direction, arg->role) != NULL;
        tr_recipe own = *by;
        if ((result && !tr_op_updates(at->op)) || tr_is_opaque(arg->role))
            continue;
        own.state = self->noise += 0x9e3779b9u;
        TR_TRY(tr_recipe_fill(&own, self->program, at->op, arg,
                              tr_replica_memory(self->replica, arg->value), err));
    }
    return TR_OK;
}

/* ---- one by one ---- */

static tr_precision type_of(const checker *self, const tr_arg *arg)
{
    return tr_layout_type(self->program->values[arg->value].layout);
}

static bool is_result(const tr_job *at, int arg)
{
    return tr_result_name(at->op->info.direction, at->op->args[arg].role) != NULL;
}

static int find_arg(const tr_op *op, int role)
{
    int i = op->n_args - 1;
    while (i >= 0 && op->args[i].role != role)
        i--;
    return i;
}

static float next_value(void *values)
{
    return (float)*(*(double **)values)++;
}

/* The gradient of a global maximum asks which numbers are the maximum: dst must be that of src. */
static tr_status make_maxima(const checker *self, const tr_job *at, tr_error *err)
{
    const tr_value value = at->op->args[find_arg(at->op, DNNL_ARG_DST)].value;
    const int src = find_arg(at->op, DNNL_ARG_SRC);
    const tr_layout layout = self->program->values[value].layout;
    const size_t n = (size_t)tr_layout_elements(layout);
    tr_job forward = {.op = at->op};
    tr_tensor *image = &forward.args[src];
    image->n_dims =
        tr_layout_dims(self->program->values[at->op->args[src].value].layout, image->dims);
    tr_tensor maxima = {.dims = {image->dims[0], image->dims[1], 1, 1}};
    int64_t n_dirty;
    maxima.values = tr_alloc(n, sizeof(double));
    maxima.scale = tr_alloc(n, sizeof(double));
    tr_status status = maxima.values == NULL || maxima.scale == NULL
                           ? tr_out_of_memory(err, at->op->info.layer)
                           : tr_job_read(self->verifier, &forward, src, NULL, &n_dirty, err);
    if (status == TR_OK) {
        image->values = forward.got;
        tr_reference_global_max_forward(image, &maxima);
        image->values = NULL;
        double *next = maxima.values;
        status =
            tr_layout_fill(layout, tr_replica_memory(self->replica, value), next_value, &next, err);
    }
    tr_job_release(&forward);
    tr_free(maxima.values);
    tr_free(maxima.scale);
    return status;
}

/* As verify.c does it, but on noise of its own. */
static tr_status check_each(checker *self, tr_job *at, tr_op_check *check, tr_error *err)
{
    const tr_recipe noise = tr_noise(self->program, at->op);
    TR_TRY(fill(self, at, &noise, err));
    if (at->op->meaning.kind == TR_KIND_GLOBAL_MAX &&
        at->op->info.direction == TR_DIR_BACKWARD_DATA)
        TR_TRY(make_maxima(self, at, err));
    return tr_job_check(self->verifier, at, check, err);
}

/* ---- by sums over the channels ---- */

/* The dimension that an argument shares with the result's channels, or -1. */
static int contracted_dim(tr_direction direction, int role)
{
    const bool over_inputs = direction == TR_DIR_BACKWARD_DATA;
    if (direction == TR_DIR_REORDER)
        return 0;
    switch (role) {
    case DNNL_ARG_WEIGHTS:
        return over_inputs ? 1 : 0;
    case DNNL_ARG_DIFF_WEIGHTS:
    case DNNL_ARG_DIFF_BIAS:
    case DNNL_ARG_BIAS:
        return 0;
    case DNNL_ARG_DST:
    case DNNL_ARG_DIFF_SRC:
        return 1;
    case DNNL_ARG_DIFF_DST:
        return over_inputs ? -1 : 1;
    default:
        return -1;
    }
}

/* How many neighbours an argument has in the dimension that is contracted: those of a group. Within
 * a group, channels of the source are what a kernel counts anyway. */
static int64_t count_together(const checker *self, const tr_op *op, int arg, int dim)
{
    int64_t dims[4] = {1, 1, 1, 1};
    tr_layout_dims(self->program->values[op->args[arg].value].layout, dims);
    return op->args[arg].role == DNNL_ARG_WEIGHTS && dim == 1
               ? dims[dim]
               : dims[dim] / tr_groups_of(&op->meaning.geometry);
}

/* Channels of the result. */
static int64_t count_channels(const checker *self, const tr_op *op)
{
    for (int i = 0; i < op->n_args; i++) {
        const int dim = contracted_dim(op->info.direction, op->args[i].role);
        if (dim >= 0 && tr_result_name(op->info.direction, op->args[i].role) != NULL)
            return count_together(self, op, i, dim) * tr_groups_of(&op->meaning.geometry);
    }
    return 1;
}

/* Nothing may differ but what sums beyond 2^53 lose, and what Winograd's transforms do: 3e-6 of the
 * largest value of a tensor, where an element that is wrong is one of some hundred channels and
 * thousand terms. */
static tr_status compare_sums(checker *self, tr_job *at, tr_op_check *check, tr_error *err)
{
    const tr_allowance allowed = {.of_scale = at->op->info.is_winograd ? 0x1p-17 : 0x1p-50};
    for (int arg = 0; arg < at->op->n_args; arg++) {
        int64_t n_dirty;
        if (!is_result(at, arg))
            continue;
        TR_TRY(tr_job_read(self->verifier, at, arg, at->args[arg].scale, &n_dirty, err));
        tr_job_compare(at, arg, &allowed, TR_FLOAT32, check);
        check->n_dirty += n_dirty;
    }
    return TR_OK;
}

static tr_status check_sums(checker *self, tr_job *at, tr_op_check *check, tr_error *err)
{
    at->fused = TR_NOTHING_FUSED;
    for (int i = 0; i < at->op->n_args; i++) {
        at->contracted[i] = contracted_dim(at->op->info.direction, at->op->args[i].role);
        if (at->contracted[i] >= 0)
            at->together[i] = count_together(self, at->op, i, at->contracted[i]);
    }
    TR_TRY(tr_job_prepare(self->verifier, at, err));
    TR_TRY(tr_job_run(self->verifier, at, err));
    TR_TRY(tr_job_expect(self->verifier, at, err));
    return compare_sums(self, at, check, err);
}

/* ---- fused functions that leave positive numbers as they are ---- */

static bool is_identity_above_0(tr_activation fused)
{
    const tr_function_kind kind = fused.steps[0].kind;
    return tr_activation_is_linear(fused) ||
           (fused.n_steps == 1 && (kind == TR_FN_RELU || kind == TR_FN_ELU));
}

/* Multiplies the weights and the bias of each output channel by its factor. */
static tr_status scale_weights(const checker *self, const tr_job *at, const double *factors,
                               tr_error *err)
{
    static const int roles[] = {DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS};
    for (int k = 0; k < 2; k++) {
        const int arg = find_arg(at->op, roles[k]);
        if (arg < 0)
            continue;
        const tr_value value = at->op->args[arg].value;
        TR_TRY(tr_layout_scale(self->program->values[value].layout,
                               tr_replica_memory(self->replica, value), 0, factors, err));
    }
    return TR_OK;
}

/* `at` was found right on positive numbers: what lies in dst are the sums themselves. */
static tr_status check_function(checker *self, const tr_job *at, double *factors,
                                int64_t n_channels, tr_op_check *check, tr_error *err)
{
    const int dst = find_arg(at->op, DNNL_ARG_DST);
    const tr_value value = at->op->args[dst].value;
    const tr_layout layout = self->program->values[value].layout;
    tr_job second = {.op = at->op, .i = at->i, .terms = 1};
    tr_tensor *expected = &second.args[dst];
    const int exponent = (int)ceil(log2(tr_count_terms(self->program, at->op)));
    int64_t n_dirty;
    *expected = (tr_tensor){.dims = {1, 1, 1, 1}};
    expected->n_dims = tr_layout_dims(layout, expected->dims);
    const int64_t n = tr_tensor_elements(expected), image = expected->dims[2] * expected->dims[3];
    expected->scale = tr_alloc((size_t)n, sizeof(double));
    tr_status status = expected->scale == NULL
                           ? tr_out_of_memory(err, at->op->info.layer)
                           : tr_job_read(self->verifier, &second, dst, NULL, &n_dirty, err);
    expected->values = second.got; /* the sums, to be made what is expected of them */
    second.got = NULL;
    for (int64_t o = 0; o < n_channels; o++)
        factors[o] = ldexp(factors[o] < 0.0 ? -1.0 : 1.0, -exponent);
    for (int64_t i = 0; status == TR_OK && i < n; i++)
        expected->values[i] *= factors[i / image % n_channels];
    if (status == TR_OK) {
        tr_reference_fuse(at->op->meaning.activation, expected);
        memset(tr_replica_memory(self->replica, value), 0xff, tr_layout_bytes(layout));
        status = scale_weights(self, at, factors, err);
    }
    if (status == TR_OK)
        status = tr_job_run(self->verifier, &second, err);
    if (status == TR_OK)
        status = tr_job_read(self->verifier, &second, dst, NULL, &n_dirty, err);
    if (status == TR_OK) {
        const tr_precision type = type_of(self, &at->op->args[dst]);
        const tr_allowance allowed = tr_job_allow(&second, expected, type);
        tr_job_compare(&second, dst, &allowed, type, check);
        check->n_dirty += n_dirty;
    }
    tr_job_release(&second);
    return status;
}

static tr_status check_channels(checker *self, tr_job *at, tr_op_check *check, tr_error *err)
{
    const int64_t n_channels = count_channels(self, at->op);
    double *factors = tr_alloc((size_t)n_channels, sizeof *factors);
    if (factors == NULL)
        return tr_out_of_memory(err, at->op->info.layer);
    const bool rounds = at->op->info.is_winograd, fused = !tr_activation_is_linear(at->fused);
    for (int64_t o = 0; o < n_channels; o++) { /* sums of a group use the first of them */
        const uint64_t bits = tr_noise_bits(&self->noise);
        const double size = (double)(1 + (bits >> 44)); /* to 2^20, or all of a like weight */
        factors[o] = (rounds ? 1.0 + size * 0x1p-20 : size) * ((bits & 1) != 0 ? -1.0 : 1.0);
    }
    tr_recipe numbers =
        rounds ? tr_noise(self->program, at->op) : tr_whole_numbers(self->program, at->op, !fused);
    if (rounds && fused)
        numbers.low = 0.0f;
    at->factors = factors;
    tr_status status = fill(self, at, &numbers, err);
    if (status == TR_OK)
        status = check_sums(self, at, check, err);
    if (status == TR_OK && fused && check->error <= 1.0)
        status = check_function(self, at, factors, n_channels, check, err);
    at->factors = NULL;
    tr_free(factors);
    return status;
}

/* ---- the whole ---- */

static tr_status check_op(checker *self, tr_job *at, tr_op_check *check, tr_error *err)
{
    void *memory[TR_MAX_ARGS] = {NULL};
    const bool product = tr_is_weighted(at->op) && is_identity_above_0(at->fused);
    const bool exact = product || at->op->meaning.kind == TR_KIND_REORDER;
    tr_status status = borrow(self, at, memory, err);
    if (status == TR_OK)
        status = exact ? check_channels(self, at, check, err) : check_each(self, at, check, err);
    check->ok = check->error <= 1.0 && check->n_dirty == 0;
    for (int i = 0; i < TR_MAX_ARGS; i++)
        tr_free(memory[i]);
    return status;
}

/* The same kernel on the same layouts: for equal layers oneDNN makes one, and ours do what their
 * meaning, arguments and layouts say. One that leaves something
 * to its backward in a workspace must run all the same. */
static bool is_same(const checker *self, const tr_op *a, const tr_op *b)
{
    const tr_value_box *values = self->program->values;
    if ((a->primitive == NULL) != (b->primitive == NULL) || a->native.run != b->native.run ||
        a->n_args != b->n_args || a->cleared != b->cleared || strcmp(a->impl, b->impl) != 0 ||
        memcmp(&a->meaning, &b->meaning, sizeof a->meaning) != 0)
        return false;
    for (int i = 0; i < a->n_args; i++)
        if (a->args[i].role != b->args[i].role || a->args[i].role == DNNL_ARG_WORKSPACE ||
            values[a->args[i].value].layout != values[b->args[i].value].layout)
            return false;
    return true;
}

/* The first operation that is the same: `i` itself, or one before it. */
static size_t find_same(const checker *self, size_t i)
{
    size_t k = 0;
    while (k < i && !is_same(self, &self->program->ops[k], &self->program->ops[i]))
        k++;
    return k;
}

static tr_status check_all(checker *self, tr_op_check *checks, tr_kernel_check_fn *report,
                           void *context, tr_error *err)
{
    size_t i_of_phase[TR_N_PHASES] = {0};
    for (size_t i = 0; i < self->program->n_ops; i++) {
        const tr_op *op = &self->program->ops[i];
        const size_t same = find_same(self, i);
        tr_job at = {.op = op, .i = i_of_phase[op->info.phase]++, .fused = op->meaning.activation};
        if (op->meaning.kind == TR_KIND_PACKING)
            continue; /* checked with the operation that reads what it packs */
        checks[i] = same < i ? checks[same] : (tr_op_check){0};
        checks[i].op = tr_program_op(self->program, i);
        const tr_status status = same < i ? TR_OK : check_op(self, &at, &checks[i], err);
        tr_job_release(&at);
        if (status != TR_OK)
            return status;
        TR_TRY(report(context, i, &checks[i], err));
    }
    return TR_OK;
}

tr_status tr_kernels_check(const tr_program *program, tr_kernel_check_fn *report, void *context,
                           tr_error *err)
{
    checker self = {.program = program};
    tr_op_check *checks = tr_alloc(program->n_ops, sizeof *checks);
    if (checks == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = tr_replica_new(&self.replica, program, NULL, err);
    if (status == TR_OK)
        status = tr_verifier_new(&self.verifier, self.replica, err);
    if (status == TR_OK)
        status = check_all(&self, checks, report, context, err);
    tr_verifier_free(self.verifier);
    tr_replica_free(self.replica);
    tr_free(checks);
    return status;
}
