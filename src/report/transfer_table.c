/* transfer_table.c -- see transfer_table.h. */
#include "transfer_table.h"

#include <string.h>

#include "utf8.h"

static void print_layer(FILE *out, const tr_model *model, const tr_transferred_layer *layer)
{
    const char *name = tr_model_layer(model, layer->layer).name;
    char from[sizeof layer->from], why[sizeof layer->why];
    tr_utf8_clean(from, sizeof from, layer->from);
    tr_utf8_clean(why, sizeof why, layer->why);
    fprintf(out, "  %-20s ", name);
    if (layer->kind == TR_TRANSFER_LOADED && strcmp(from, name) == 0)
        fputs("loaded\n", out);
    else if (layer->kind == TR_TRANSFER_LOADED)
        fprintf(out, "loaded, from %s\n", from);
    else if (layer->kind == TR_TRANSFER_MISFIT)
        fprintf(out, "begins anew: %s\n", why);
    else
        fputs("begins anew: not in the file\n", out);
}

void tr_print_transfer(FILE *out, const tr_model *model, const char *path,
                       const tr_transfer *transfer)
{
    int n_loaded = 0;
    for (int i = 0; i < transfer->n; i++)
        n_loaded += transfer->layers[i].kind == TR_TRANSFER_LOADED;
    fprintf(out, "initial weights: %d of %d layers from %s\n", n_loaded, transfer->n, path);
    for (int i = 0; i < transfer->n; i++)
        print_layer(out, model, &transfer->layers[i]);
    if (transfer->n_unused > 0) {
        char unused[sizeof transfer->unused];
        tr_utf8_clean(unused, sizeof unused, transfer->unused);
        fprintf(out, "  not used of the file: %lld layers: %s\n", (long long)transfer->n_unused,
                unused);
    }
    fputc('\n', out);
}
