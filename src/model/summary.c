/* summary.c -- the model as a table: what Keras's summary() shows, the work, the kernels in use. */
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "model_internal.h"

enum { WIDTH = 94 }; /* with a first column of the least width */

static void rule(FILE *out, char c, int wider)
{
    for (int i = 0; i < WIDTH + wider; i++)
        fputc(c, out);
    fputc('\n', out);
}

/* The longest name, with its class or without, or `least`. */
static int name_width(const tr_model *model, bool with_class, int least)
{
    for (int i = 0; i < tr_model_n_layers(model); i++) {
        const tr_layer_info info = tr_model_layer(model, i);
        const size_t n =
            strlen(info.name) + (with_class ? strlen(info.keras_class) + strlen(" ()") : 0);
        least = (int)n > least ? (int)n : least;
    }
    return least;
}

/* 1234567 as "1,234,567", the way Keras writes counts. */
static const char *grouped(int64_t n, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    int k = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[k++] = ',';
        text[k++] = digits[i];
    }
    text[k] = '\0';
    return text;
}

static const char *shape_text(const tr_layer_info *info, char text[64])
{
    if (info->flat)
        snprintf(text, 64, "(None, %lld)", (long long)info->dst[2]);
    else
        snprintf(text, 64, "(None, %lld, %lld, %lld)", (long long)info->dst[0],
                 (long long)info->dst[1], (long long)info->dst[2]);
    return text;
}

/* Keras's column of show_trainable = True; here where a layer is frozen. */
static bool has_frozen(const tr_model *model)
{
    for (int i = 0; i < tr_model_n_layers(model); i++)
        if (!tr_model_layer(model, i).trainable)
            return true;
    return false;
}

static const char *trainable_text(const tr_layer_info *info)
{
    return info->n_weights == 0 ? "-" : info->trainable ? "Y" : "N";
}

enum { SOURCES_WIDTH = 30 };

/* As many names to a line as fit; the lines that follow begin under the first. */
static void print_sources(FILE *out, const tr_model *model, const tr_layer_info *info, int indent)
{
    int used = fprintf(out, " ");
    for (int k = 0; k < info->n_sources; k++) {
        const int source = info->sources[k];
        const char *name = source < 0 ? "input" : model->layers[source]->name;
        if (used + (int)strlen(name) > SOURCES_WIDTH && k > 0) {
            fprintf(out, "\n%*s", indent, "");
            used = fprintf(out, " ");
        }
        used += fprintf(out, " %s%s", name, k + 1 < info->n_sources ? "," : "");
    }
}

static void print_counts(FILE *out, int64_t total, int64_t not_trained, double flops)
{
    char count[32];
    fprintf(out, "Total params: %s (%.2f KB)\n", grouped(total, count), (double)total / 256.0);
    fprintf(out, "Trainable params: %s\n", grouped(total - not_trained, count));
    fprintf(out, "Non-trainable params: %s\n", grouped(not_trained, count));
    fprintf(out, "Forward work: %.3f MFLOP per image\n", flops * 1e-6);
}

static void print_layers(FILE *out, const tr_model *model)
{
    enum { LEAST = 36, TRAINABLE = 12 };
    char shape[64], count[32], name[96];
    int64_t total = 0, not_trained = 0;
    double flops = 0.0;
    const int width = name_width(model, true, LEAST), more = has_frozen(model) ? TRAINABLE : 0;
    const bool chain = tr_model_is_chain(model);
    const int wider = width - LEAST + more + (chain ? 0 : SOURCES_WIDTH);
    fprintf(out, "Model: \"%s\"\n", tr_model_name(model));
    rule(out, '_', wider);
    fprintf(out, " %-*s %-26s %12s %14s%*s%s\n", width, "Layer (type)", "Output Shape", "Param #",
            "MFLOP/image", more, more > 0 ? "Trainable" : "", chain ? "" : "  Connected to");
    rule(out, '=', wider);
    for (int i = 0; i < tr_model_n_layers(model); i++) {
        const tr_layer_info info = tr_model_layer(model, i);
        snprintf(name, sizeof name, "%s (%s)", info.name, info.keras_class);
        const int indent = fprintf(out, " %-*s %-26s %12s %14.3f%*s", width, name,
                                   shape_text(&info, shape), grouped(info.n_params, count),
                                   info.flops * 1e-6, more, more > 0 ? trainable_text(&info) : "");
        if (!chain)
            print_sources(out, model, &info, indent);
        fputc('\n', out);
        total += info.n_params;
        not_trained += info.n_not_trained;
        flops += info.flops;
    }
    rule(out, '=', wider);
    print_counts(out, total, not_trained, flops);
}

/* The implementations of one layer and direction, each once, reorders left out; "-": none. */
static const char *kernels(const tr_program *program, const char *layer, tr_direction direction,
                           char text[160])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (op.direction != direction || strcmp(op.layer, layer) != 0 || used >= 160 ||
            strstr(text, op.impl) != NULL)
            continue;
        used += (size_t)snprintf(text + used, 160 - used, "%s%s", used ? " + " : "", op.impl);
    }
    return used == 0 ? "-" : text;
}

static void print_kernels(FILE *out, const tr_model *model)
{
    enum { LEAST = 16 };
    char a[160], b[160], c[160];
    const tr_program *program = model->training.program;
    const int width = name_width(model, false, LEAST);
    fprintf(out, "\nKernels, micro-batch %lld, %s:\n", (long long)model->config->engine.micro_batch,
            tr_dnn_isa_name());
    rule(out, '_', width - LEAST);
    fprintf(out, " %-*s %-24s %-26s %s\n", width, "Layer", "forward", "backward data",
            "backward weights");
    rule(out, '=', width - LEAST);
    for (int i = 0; i < model->n_layers; i++) {
        const char *name = model->layers[i]->name;
        fprintf(out, " %-*s %-24s %-26s %s\n", width, name,
                kernels(program, name, TR_DIR_FORWARD, a),
                kernels(program, name, TR_DIR_BACKWARD_DATA, b),
                kernels(program, name, TR_DIR_BACKWARD_WEIGHTS, c));
    }
    rule(out, '=', width - LEAST);
    fprintf(out, "Memory per thread: %.2f MB (shared by lifetimes)\n",
            (double)tr_program_arena_bytes(program) / 1e6);
}

char *tr_model_summary(const tr_model *model)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return NULL;
    print_layers(out, model);
    if (model->training.program != NULL)
        print_kernels(out, model);
    fclose(out);
    return text;
}

static void list_slow(FILE *out, const tr_program *program, const char *mode)
{
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (op.is_ref)
            fprintf(out, "layer %s, %s, %s (%s): oneDNN has only the reference kernel %s\n",
                    op.layer, op.what, tr_direction_name(op.direction), mode, op.impl);
    }
}

char *tr_model_slow_paths(const tr_model *model)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return NULL;
    if (model->for_training)
        list_slow(out, model->training.program, "training");
    list_slow(out, model->inference.program, "inference");
    fclose(out);
    return text;
}

char *tr_model_warnings(const tr_model *model)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return NULL;
    const long long width = (long long)tr_model_n_classes(model);
    const bool binary = tr_metrics_have_binary_accuracy(&model->metrics);
    if (binary && model->loss.from_logits)
        fprintf(out, "binary_accuracy compares outputs with 0.5, as in Keras, but with [loss] "
                     "from_logits = true they are logits, which say yes above 0; for the usual "
                     "accuracy use activation = sigmoid without from_logits (as exact here)\n");
    if (binary && width > 2)
        fprintf(out,
                "binary_accuracy judges each of the %lld outputs by itself: a network that always "
                "says no is right on %lld of %lld of a one-hot target; metrics = accuracy counts "
                "the samples whose class is right\n",
                width, width - 1, width);
    fclose(out);
    return text;
}
