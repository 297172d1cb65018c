/* program_internal.h -- inside of a program; for src/dnn only. */
#ifndef TR_PROGRAM_INTERNAL_H
#define TR_PROGRAM_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>

#include "descriptors.h"
#include "eltwise.h"
#include "primitives.h"
#include "program.h"
#include "replica.h"
#include "wrong_kernels.h"

typedef enum tr_space {
    TR_SPACE_ARENA,     /* replica's memory, shared by lifetimes */
    TR_SPACE_PREPARED,  /* replica's memory; written in PREPARE, read by every micro-batch */
    TR_SPACE_KEPT,      /* the micro-batch's memory, shared by lifetimes: needed beyond a cut */
    TR_SPACE_SUMS,      /* the micro-batch's memory; doubles */
    TR_SPACE_SHARED,    /* memory of a group of micro-batches */
    TR_SPACE_PARAMS,    /* view of the flat parameter vector */
    TR_SPACE_GRADIENTS, /* view of the gradient slot at work */
    TR_SPACE_NONE,      /* no memory, and no operation has it: for its layout */
    TR_N_SPACES
} tr_space;

typedef struct tr_value_box {
    tr_layout layout;
    tr_space space;
    const tr_param *param; /* of PARAMS and GRADIENTS */
    size_t offset;         /* bytes in its space; of the others */
    tr_value root;         /* whose memory it is: itself, or the value it is a view of */
    int first, last;       /* operations between which it is alive */
    int stage, last_stage; /* likewise */
    int64_t group;         /* of SUMS and SHARED: micro-batches; TR_WHOLE_BATCH */
    int64_t n_doubles;     /* of SUMS and their totals; they hold no floats */
    tr_value sums;         /* of a total: what it is the total of; else TR_NO_VALUE */
    int maker;             /* the operation that has it as its dst; -1: none */
    tr_value repeated;     /* by the last operation that repeated a cheap one; or TR_NO_VALUE */
} tr_value_box;

enum { TR_MAX_ARGS = TR_MAX_SOURCES + 2 };

/* Beside DNNL_ARG_...: the weights in a kernel's own order, made in PREPARE of those that the same
 * operation has as DNNL_ARG_WEIGHTS. It reads these; checks and definitions look at those. */
enum { TR_ARG_PACKED = 1 << 24 };

typedef struct tr_arg {
    int role; /* DNNL_ARG_..., TR_ARG_PACKED */
    tr_value value;
} tr_arg;

/* What an operation computes, in terms that a plain reference can follow (verify.c). */
typedef enum tr_kind {
    TR_KIND_REORDER,
    TR_KIND_CONVOLUTION,
    TR_KIND_INNER_PRODUCT,
    TR_KIND_MAX_POOLING,
    TR_KIND_AVERAGE_POOLING,
    TR_KIND_ZERO_PADDING,
    TR_KIND_DROPOUT,
    TR_KIND_NORMALIZATION,
    TR_KIND_ELTWISE,
    TR_KIND_SOFTMAX,
    TR_KIND_CHANNEL_SUMS, /* the gradient of a bias */
    TR_KIND_GLOBAL_MAX,
    TR_KIND_SUMS, /* these five: normalization.h */
    TR_KIND_FACTORS,
    TR_KIND_APPLICATION,
    TR_KIND_GROUP_AVERAGES,
    TR_KIND_MOVING_STATISTICS,
    TR_KIND_PIXEL_NORMALIZATION,
    TR_KIND_MERGE,
    TR_KIND_CONCATENATION,
    TR_KIND_CROPPING,
    TR_KIND_PERMUTATION,
    TR_KIND_RESAMPLING,
    TR_KIND_REPEATED_SUMS, /* of the gradient of what a merge repeats */
    TR_KIND_ACTIVITY,
    TR_KIND_PRELU,
    TR_KIND_SAMPLING,
    TR_KIND_TINTING,
    TR_KIND_ERASING,
    TR_KIND_PACKING /* weights in a kernel's own order; TR_ARG_PACKED */
} tr_kind;
enum { TR_N_KINDS = TR_KIND_PACKING + 1 };

typedef struct tr_merging {
    tr_merge merge;
    int divisor;  /* of the sum */
    int64_t part; /* of a gradient: which source; of a concatenation: its first channel */
} tr_merging;

/* So many samples of a micro-batch, a group, and neighbouring channels have their statistics
 * together. */
typedef struct tr_sharing {
    int64_t samples, channels;
    int64_t n_groups, n_pixels; /* of the micro-batch; of a sample */
} tr_sharing;

typedef struct tr_meaning {
    tr_kind kind;
    tr_direction direction;
    tr_activation activation; /* fused into a forward operation, or that it is a step of */
    tr_function function;     /* the step */
    tr_geometry geometry;     /* of convolution, pooling, zero padding and cropping */
    tr_dropping dropping;     /* of dropout */
    tr_merging merging;       /* of merges and concatenations */
    tr_axes axes;             /* of permutation */
    tr_resampling resampling;
    tr_sampling sampling;
    tr_tinting tinting;
    tr_erasing erasing;
    double epsilon, least;     /* of normalization */
    const tr_scaling *scaling; /* likewise */
    tr_sharing sharing;        /* likewise */
    tr_penalty penalty;        /* of activity */
    tr_slopes slopes;          /* of prelu */
    double momentum;           /* of moving statistics */
    bool averaged;             /* these follow averages over groups */
} tr_meaning;

/* An operation in plain C, for what oneDNN does not have. */
typedef struct tr_native {
    /* data[i]: the memory of argument i; scratch: scratch_bytes that nobody else uses meanwhile. */
    void (*run)(const void *plan, const tr_draw *draw, void *const *data, void *scratch);
    void *plan;    /* everything `run` has to know; released with tr_free() by the program ... */
    bool borrowed; /* ... unless it is that of an earlier operation, which is repeated */
    size_t scratch_bytes;
    /* Its result (the argument DNNL_ARG_DST) is not kept for later stages: they repeat it from its
     * sources, which are. */
    bool cheap;
    /* For reports, as of tr_op_info; an empty name: "native". */
    char impl[32];
    bool is_winograd;
    double flops;
} tr_native;

typedef struct tr_op {
    dnnl_primitive_t primitive; /* NULL: native */
    tr_native native;
    tr_meaning meaning;
    tr_arg args[TR_MAX_ARGS];
    int n_args;
    int cleared; /* the argument, a result, that is set to 0 before it runs; -1: none */
    int stage;
    bool joins; /* runs once, when its stage has ended */
    tr_op_info info;
    char impl[64];
} tr_op;

struct tr_program {
    tr_dnn *dnn;
    int64_t n;
    bool training;
    bool backward_follows;
    tr_extents *extents;
    tr_precision result_type;

    tr_value_box *values;
    size_t n_values;
    tr_op *ops;
    size_t n_ops;

    /* Primitive descriptors, kept because backward ones take their forward's as a hint. */
    dnnl_primitive_desc_t *hints;
    size_t n_hints;

    const char *layer;
    tr_phase phase;
    int now; /* position in the sequence FORWARD, BACKWARD */
    int stage, loss_stage;
    bool joining;
    tr_phase interrupted; /* by conclude */

    tr_stage_sum *sums;
    size_t n_sums;
    tr_stage_gradient *gradients;
    size_t n_gradients;

    size_t bytes[TR_N_SPACES]; /* of ARENA, PREPARED, KEPT; SUMS: with KEPT before them */
    size_t scratchpad_bytes;
};

/* Value for a parameter (its first use in any program fixes the packed layout as `wanted`), and
 * for its gradient. */
tr_value tr_program_param(tr_program *program, tr_param *param, tr_layout plain, tr_layout wanted);
tr_value tr_program_gradient(tr_program *program, const tr_param *param);

/* Value for a parameter of one dimension, packed as it is. */
tr_value tr_program_vector_param(tr_program *program, tr_param *param);

/* What a tensor would be like; without memory. */
tr_value tr_program_like(tr_program *program, tr_layout layout);

/* Doubles in the arena, for native operations alone. */
tr_value tr_program_doubles(tr_program *program, int64_t count);

/* A parameter's value in `layout`, reordered in PREPARE where it differs from the packed one. */
tr_status tr_program_weights(tr_program *program, tr_value param, tr_layout layout, tr_value *out,
                             tr_error *err);

/* Appends the copy of args[0] into args[1] as a native operation; copy.c. */
tr_status tr_program_add_copy(tr_program *program, const tr_meaning *meaning, const tr_arg *args,
                              tr_error *err);

/* wrong_kernels.c: whether a reorder was found wrong; tr_kernel_is_wrong() is the same for the
 * others. */
bool tr_copy_is_wrong(const tr_program *program, tr_layout from, tr_layout to);

/* Copies a value into an existing one of the same dimensions. */
tr_status tr_program_reorder_into(tr_program *program, tr_value from, tr_value to, tr_error *err);

/* Appends the primitive that `desc` describes. Takes `desc` over: it is destroyed, or kept as a
 * hint when `keep_hint` (*keep_hint then stays valid as long as the program). */
tr_status tr_program_add(tr_program *program, dnnl_primitive_desc_t desc, const tr_meaning *meaning,
                         const tr_arg *args, int n_args, dnnl_primitive_desc_t *keep_hint,
                         tr_error *err);

/* convolution.c: where the first use of a kernel is not its convolution's forward: its place in the
 * flat vectors, and the hint for the backward directions. */
tr_status tr_conv_place_kernel(tr_program *program, const tr_geometry *geometry, tr_param *kernel,
                               tr_value src, tr_hint *hint, tr_error *err);

/* Takes a descriptor over, for as long as the program lives; on failure it is destroyed. */
tr_status tr_program_keep(tr_program *program, dnnl_primitive_desc_t desc, tr_error *err);

/* Appends an operation in plain C. Takes native->plan over, also when it fails; NULL: out of
 * memory.
 */
tr_status tr_program_add_native(tr_program *program, const tr_native *native,
                                const tr_meaning *meaning, const tr_arg *args, int n_args,
                                tr_error *err);

/* The layout that a primitive descriptor chose for an argument (interned); NULL: none or no
 * memory. */
tr_layout tr_chosen_layout(tr_program *program, const_dnnl_primitive_desc_t desc,
                           dnnl_query_t what);

/* TR_ERR_CONFIG where oneDNN has no implementation, else TR_ERR_INTERNAL. */
tr_status tr_dnn_fail(tr_error *err, dnnl_status_t status, const char *layer, const char *what);

/* stages.c: the stage at hand writes the gradient of this parameter. */
tr_status tr_program_note_gradient(tr_program *program, const tr_param *param, tr_error *err);

/* stages.c: the value as the stage at hand may read it: itself, or where a cheap operation of an
 * earlier stage made it, what repeating that here gives. */
tr_status tr_program_recall(tr_program *program, tr_value *value, tr_error *err);

/* Sets space and offset of every value that has memory of a replica or a micro-batch, and their
 * sizes; arena.c. */
tr_status tr_arena_place(tr_program *program, tr_error *err);

/* Bytes of a value in memory where others follow. */
size_t tr_value_bytes(const tr_value_box *value);

/* Attributes of every primitive: our scratchpad, and deterministic. The caller destroys *attr. */
dnnl_status_t tr_attr_new(dnnl_primitive_attr_t *attr);

/* Attributes of a primitive that applies `fused` to its result; the caller destroys *attr. */
dnnl_status_t tr_attr_fused(dnnl_primitive_attr_t *attr, tr_activation fused);

/* elu.c: over memory of that layout; the arguments are dst, diff_dst, diff_src. */
tr_native tr_elu_gradient(const tr_function *function, tr_layout layout);

/* merging.c: what the sources of a merge are brought into: the layout of the first, or of the first
 * in float32 where types differ. */
tr_layout tr_merged_layout(const tr_program *program, const tr_value *srcs, int n);

/* softmax.c: over the channels, in Keras's order; `dst` is what forward gave. */
tr_status tr_softmax_forward(tr_program *program, tr_activation activation, tr_value src,
                             tr_value *dst, tr_error *err);
tr_status tr_softmax_backward(tr_program *program, tr_activation activation, tr_value dst,
                              tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* geometry.c: a window for oneDNN, all sizes of a convolution, and Keras's order of its kernel. */
tr_window tr_window_of(const tr_geometry *geometry);
int64_t tr_groups_of(const tr_geometry *geometry); /* at least 1 */
tr_window_sizes tr_conv_sizes(const tr_program *program, const tr_geometry *geometry,
                              const tr_param *kernel, tr_value src);
tr_layout tr_kernel_layout(tr_dnn *dnn, const tr_window_sizes *sizes);

/* Engine, attributes and propagation kind of the program at hand. */
tr_desc_context tr_program_context(const tr_program *program);

dnnl_engine_t tr_dnn_engine(const tr_dnn *dnn);
const_dnnl_primitive_attr_t tr_dnn_attr(const tr_dnn *dnn); /* tr_attr_new()'s */
tr_precision tr_dnn_precision(const tr_dnn *dnn);
tr_convolution tr_dnn_convolution(const tr_dnn *dnn);
const tr_kernels *tr_dnn_beside(const tr_dnn *dnn); /* own.h */
bool tr_dnn_is_portable(const tr_dnn *dnn);         /* no operation may be oneDNN's */
typedef struct tr_wrong_list {
    tr_wrong_kernel *items;
    size_t n, passed_over; /* the last of them that planning met */
} tr_wrong_list;
tr_wrong_list *tr_dnn_wrong(const tr_dnn *dnn);
tr_md tr_layout_md(tr_layout layout);
/* Like `layout`, an image's, with the channels next to each other in memory. */
tr_layout tr_layout_channels_last(tr_dnn *dnn, tr_layout layout);
/* Like `layout`, in the order that Keras sees: channels last, or n c. */
tr_layout tr_layout_plain(tr_dnn *dnn, tr_layout layout);
/* Like `layout`, an image's or a vector's, with these dimensions: in blocks of 8 or 16 channels,
 * else plain. */
tr_layout tr_layout_resized(tr_dnn *dnn, tr_layout layout, const int64_t dims[4]);
/* Like `layout`, an image's or a vector's, with so many channels: in blocks of 8 or 16 of them,
 * else plain. */
tr_layout tr_layout_with_channels(tr_dnn *dnn, tr_layout layout, int64_t c);
/* Whether it has blocks that are not full, with elements that must stay 0. */
bool tr_layout_is_padded(tr_layout layout);
tr_layout tr_layout_intern(tr_dnn *dnn, tr_md md);

#endif
