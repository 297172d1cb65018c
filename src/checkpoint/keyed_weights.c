/* keyed_weights.c -- see keyed_weights.h. */
#include "keyed_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keras_names.h"
#include "mem.h"

const char *tr_keyed_root(hid_t file)
{
    static const char *const roots[] = {"layers", "_layer_checkpoint_dependencies"};
    /* With a list of layers, "layers" is the name of one of them. */
    if (H5Aexists(file, "layer_names") > 0 || H5Aexists(file, "layer_names0") > 0 ||
        H5Lexists(file, "model_weights", H5P_DEFAULT) > 0)
        return NULL;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (H5Lexists(file, roots[i], H5P_DEFAULT) > 0)
            return roots[i];
    return NULL;
}

tr_layer_key *tr_keyed_layers(const tr_model *model)
{
    const int n = tr_model_n_layers(model);
    tr_layer_key *keys = tr_alloc((size_t)n, sizeof *keys);
    int *numbers = tr_alloc((size_t)n, sizeof *numbers);
    for (int i = 0; keys != NULL && numbers != NULL && i < n; i++) {
        const char *class_name = tr_model_layer(model, i).keras_class;
        char name[64];
        int last = i - 1;
        while (last >= 0 && strcmp(tr_model_layer(model, last).keras_class, class_name) != 0)
            last--;
        numbers[i] = last < 0 ? 0 : numbers[last] + 1;
        tr_keras_snake_case(name, sizeof name, class_name);
        if (numbers[i] == 0)
            snprintf(keys[i], TR_KEY_MAX, "%s", name);
        else
            snprintf(keys[i], TR_KEY_MAX, "%s_%d", name, numbers[i]);
    }
    if (numbers == NULL) {
        tr_free(keys);
        keys = NULL;
    }
    tr_free(numbers);
    return keys;
}

/* ---- what no layer has ---- */

typedef struct search {
    tr_layer_key *known; /* sorted */
    size_t n_known;
    char *stranger;
} search;

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* <key>/vars/0, and that it is an array. */
static bool has_arrays(hid_t root, const char *key)
{
    char path[TR_KEY_MAX + 16];
    snprintf(path, sizeof path, "%s/vars", key);
    if (H5Lexists(root, key, H5P_DEFAULT) <= 0 || H5Lexists(root, path, H5P_DEFAULT) <= 0)
        return false;
    snprintf(path, sizeof path, "%s/vars/0", key);
    return H5Lexists(root, path, H5P_DEFAULT) > 0;
}

/* H5Literate visitor: stops at a stranger. */
static herr_t visit_key(hid_t root, const char *name, const H5L_info_t *info, void *user)
{
    const search *self = user;
    tr_layer_key key;
    (void)info;
    snprintf(key, sizeof key, "%s", name);
    if (bsearch(key, self->known, self->n_known, sizeof key, compare) != NULL ||
        !has_arrays(root, key))
        return 0;
    snprintf(self->stranger, TR_KEY_MAX, "%s", key);
    return 1;
}

bool tr_keyed_stranger(tr_layer_key stranger, hid_t root, const tr_model *model,
                       const tr_layer_key *keys)
{
    const int n = tr_model_n_layers(model);
    search self = {.known = tr_alloc((size_t)n, sizeof *self.known), .stranger = stranger};
    hsize_t at = 0;
    stranger[0] = '\0';
    if (self.known == NULL)
        return false;
    for (int i = 0; i < n; i++)
        if (tr_model_layer(model, i).n_weights > 0)
            memcpy(self.known[self.n_known++], keys[i], sizeof *keys);
    qsort(self.known, self.n_known, sizeof *self.known, compare);
    H5Literate(root, H5_INDEX_NAME, H5_ITER_INC, &at, visit_key, &self);
    tr_free(self.known);
    return true;
}
