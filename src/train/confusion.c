/* confusion.c -- which class was taken for which; see trainer/fit.h. */
#include "mem.h"
#include "run_internal.h"
#include "target.h"

enum { MAX_CLASSES = 1000 }; /* beyond, nobody reads the matrix */

tr_status tr_confusion_new(tr_confusion *out, const tr_model *model, tr_error *err)
{
    const int64_t width = tr_model_n_classes(model);
    *out = (tr_confusion){0};
    if (!tr_model_predicts_classes(model) || width > MAX_CLASSES)
        return TR_OK;
    const int64_t n = width == 1 ? 2 : width;
    out->counts = tr_alloc((size_t)(n * n), sizeof *out->counts);
    if (out->counts == NULL)
        return tr_out_of_memory(err, NULL);
    out->n_classes = n;
    return TR_OK;
}

void tr_confusion_add(tr_confusion *confusion, const tr_model *model, const tr_samples *samples,
                      int64_t first, int64_t count, const float *predictions)
{
    const tr_targets targets = {.classes = samples->y, .values = samples->values};
    const int64_t width = tr_model_n_classes(model);
    for (int64_t i = 0; i < count; i++) {
        const int64_t said = tr_model_class_of(model, predictions + i * width);
        const int64_t is = width > 1 ? tr_target_class(&targets, first + i, width)
                                     : tr_target_at(&targets, first + i, 0, 1) > 0.5;
        confusion->counts[is * confusion->n_classes + said]++;
    }
}

void tr_confusion_release(tr_confusion *confusion)
{
    tr_free(confusion->counts);
    *confusion = (tr_confusion){0};
}
