/* legend.c -- see trainer/legend.h. */
#include "trainer/legend.h"

#include <string.h>

#include "mem.h"

void tr_legend_release(tr_legend *legend)
{
    for (int64_t i = 0; legend->class_names != NULL && i < legend->n_classes; i++)
        tr_free(legend->class_names[i]);
    tr_free(legend->class_names);
    *legend = (tr_legend){0};
}

tr_status tr_legend_copy(tr_legend *out, const tr_legend *legend, tr_error *err)
{
    tr_legend copy = {.n_classes = legend->n_classes, .pictures = legend->pictures};
    copy.class_names = tr_alloc((size_t)copy.n_classes, sizeof *copy.class_names);
    bool complete = copy.class_names != NULL;
    for (int64_t i = 0; complete && i < copy.n_classes; i++) {
        copy.class_names[i] = tr_strdup(legend->class_names[i]);
        complete = copy.class_names[i] != NULL;
    }
    if (!complete) {
        tr_legend_release(&copy);
        return tr_out_of_memory(err, NULL);
    }
    *out = copy;
    return TR_OK;
}

const char *tr_legend_class(const tr_legend *legend, int64_t class)
{
    if (class < 0 || class >= legend->n_classes || legend->class_names[class][0] == '\0')
        return NULL;
    return legend->class_names[class];
}

int64_t tr_legend_find(const tr_legend *legend, const char *name)
{
    for (int64_t i = 0; i < legend->n_classes; i++)
        if (strcmp(legend->class_names[i], name) == 0)
            return i;
    return -1;
}
