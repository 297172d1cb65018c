/* evaluation_files.c -- evaluation.json and confusion.csv in a folder; see evaluation_files.h. */
#include "evaluation_files.h"

#include <stdlib.h>

#include "csv_cell.h"
#include "file.h"
#include "mem.h"

static void print_class(FILE *out, const tr_legend *legend, int64_t class)
{
    const char *name = tr_legend_class(legend, class);
    if (name == NULL)
        fprintf(out, "%lld", (long long)class);
    else
        tr_print_csv_cell(out, name);
}

void tr_confusion_print_csv(FILE *out, const tr_confusion *confusion, const tr_legend *legend)
{
    fputs("true class \\ predicted", out);
    for (int64_t j = 0; j < confusion->n_classes; j++) {
        fputc(',', out);
        print_class(out, legend, j);
    }
    fputc('\n', out);
    for (int64_t i = 0; i < confusion->n_classes; i++) {
        print_class(out, legend, i);
        for (int64_t j = 0; j < confusion->n_classes; j++)
            fprintf(out, ",%lld", (long long)confusion->counts[i * confusion->n_classes + j]);
        fputc('\n', out);
    }
}

/* ---- files ---- */

typedef struct evaluated {
    const tr_model *model;
    const tr_evaluation *evaluation;
} evaluated;

static tr_status json(FILE *out, const evaluated *what, tr_error *err)
{
    return tr_evaluation_print_json(out, what->model, what->evaluation, err);
}

static tr_status csv(FILE *out, const evaluated *what, tr_error *err)
{
    (void)err;
    tr_confusion_print_csv(out, &what->evaluation->confusion, tr_model_legend(what->model));
    return TR_OK;
}

static tr_status write_file(const char *folder, const char *name,
                            tr_status (*print)(FILE *, const evaluated *, tr_error *),
                            const evaluated *what, tr_error *err)
{
    char *text = NULL, *path = tr_path_join(folder, name);
    size_t n = 0;
    FILE *out = path == NULL ? NULL : open_memstream(&text, &n);
    tr_status status = out == NULL ? tr_out_of_memory(err, NULL) : print(out, what, err);
    if (out != NULL && fclose(out) != 0 && status == TR_OK)
        status = tr_out_of_memory(err, NULL);
    if (status == TR_OK)
        status = tr_file_write(path, text, n, err);
    free(text); /* open_memstream's own */
    tr_free(path);
    return status;
}

tr_status tr_evaluation_write_files(const char *folder, const tr_model *model,
                                    const tr_evaluation *evaluation, tr_error *err)
{
    const evaluated what = {model, evaluation};
    TR_TRY(write_file(folder, "evaluation.json", json, &what, err));
    return evaluation->confusion.n_classes == 0
               ? TR_OK
               : write_file(folder, "confusion.csv", csv, &what, err);
}
