/* evaluation.c -- what an evaluation notes besides loss and metrics: which class was taken for
 * which, which answers were right, which mistakes were made with the most confidence; see
 * trainer/fit.h. Samples count alike here, whatever their weights.
 */
#include <assert.h>
#include <string.h>

#include "evaluation.h"
#include "mem.h"
#include "target.h"

enum { MAX_CLASSES = 1000 }; /* beyond, nobody reads the matrix */

tr_status tr_evaluation_begin(tr_evaluation *out, const tr_model *model, tr_error *err)
{
    const int64_t width = tr_model_n_classes(model), n = width == 1 ? 2 : width;
    *out = (tr_evaluation){0};
    if (tr_model_predicts_classes(model) && n <= MAX_CLASSES) {
        out->confusion.counts = tr_alloc((size_t)(n * n), sizeof *out->confusion.counts);
        if (out->confusion.counts == NULL)
            return tr_out_of_memory(err, NULL);
        out->confusion.n_classes = n;
    }
    if (tr_model_answers_several(model)) {
        out->answers = tr_alloc((size_t)width, sizeof *out->answers);
        if (out->answers == NULL)
            return tr_out_of_memory(err, NULL);
        out->n_answers = width;
    }
    return TR_OK;
}

void tr_evaluation_release(tr_evaluation *evaluation)
{
    tr_free(evaluation->confusion.counts);
    tr_free(evaluation->answers);
    *evaluation = (tr_evaluation){0};
}

/* Into its place among the most confident ones; samples come in their order. */
static void note_mistake(tr_evaluation *evaluation, const tr_mistake *mistake)
{
    const int64_t n = evaluation->n_wrong++;
    int at = n < TR_MISTAKES ? (int)n : TR_MISTAKES;
    while (at > 0 && evaluation->mistakes[at - 1].confidence < mistake->confidence)
        at--;
    if (at == TR_MISTAKES)
        return;
    const int behind = (n < TR_MISTAKES ? (int)n : TR_MISTAKES - 1) - at;
    memmove(&evaluation->mistakes[at + 1], &evaluation->mistakes[at],
            (size_t)behind * sizeof *mistake);
    evaluation->mistakes[at] = *mistake;
}

void tr_evaluation_note_class(tr_evaluation *evaluation, const tr_model *model, int64_t sample,
                              int64_t class, const float *predictions)
{
    const int64_t width = tr_model_n_classes(model);
    const int64_t said = tr_model_class_of(model, predictions);
    assert(class >= 0 && class < (width > 1 ? width : 2));
    if (evaluation->confusion.n_classes > 0)
        evaluation->confusion.counts[class * evaluation->confusion.n_classes + said]++;
    if (class == said)
        return;
    double confidence = (double)predictions[width > 1 ? said : 0];
    if (width == 1 && said == 0) /* one output is for class 1 */
        confidence = tr_model_gives_probabilities(model) ? 1.0 - confidence : -confidence;
    note_mistake(evaluation, &(tr_mistake){sample, class, said, confidence});
}

static void note_class(tr_evaluation *evaluation, const tr_model *model, const tr_targets *targets,
                       int64_t sample, const float *predictions)
{
    const int64_t width = tr_model_n_classes(model);
    const int64_t class = width > 1 ? tr_target_class(targets, sample, width)
                                    : tr_target_at(targets, sample, 0, 1) > 0.5;
    tr_evaluation_note_class(evaluation, model, sample, class, predictions);
}

static void note_answers(tr_evaluation *evaluation, const tr_model *model,
                         const tr_targets *targets, int64_t sample, const float *predictions)
{
    for (int64_t j = 0; j < evaluation->n_answers; j++) {
        tr_answer_counts *counts = &evaluation->answers[j];
        const bool said = tr_model_says_yes(model, predictions[j]);
        const bool is = tr_target_at(targets, sample, j, evaluation->n_answers) > 0.5;
        counts->right += said && is;
        counts->wrong += said && !is;
        counts->missed += !said && is;
    }
}

void tr_evaluation_note(tr_evaluation *evaluation, const tr_model *model, const tr_samples *samples,
                        int64_t first, int64_t count, const float *predictions)
{
    const tr_targets targets = {.classes = samples->y, .values = samples->values};
    const int64_t width = tr_model_n_classes(model);
    for (int64_t i = 0; i < count; i++) {
        const float *row = predictions + i * width;
        if (tr_model_predicts_classes(model))
            note_class(evaluation, model, &targets, first + i, row);
        else
            note_answers(evaluation, model, &targets, first + i, row);
    }
}
