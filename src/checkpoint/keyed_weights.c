/* keyed_weights.c -- see keyed_weights.h. */
#include "keyed_weights.h"

#include <stdio.h>
#include <string.h>

#include "keras_names.h"

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

void tr_keyed_layer(char key[TR_KEY_MAX], const tr_model *model, int i)
{
    const char *class_name = tr_model_layer(model, i).keras_class;
    char name[64];
    int number = 0;
    for (int k = 0; k < i; k++)
        number += strcmp(tr_model_layer(model, k).keras_class, class_name) == 0;
    tr_keras_snake_case(name, sizeof name, class_name);
    if (number == 0)
        snprintf(key, TR_KEY_MAX, "%s", name);
    else
        snprintf(key, TR_KEY_MAX, "%s_%d", name, number);
}

static bool is_known(const char *key, const tr_model *model)
{
    char known[TR_KEY_MAX];
    for (int i = 0; i < tr_model_n_layers(model); i++) {
        tr_keyed_layer(known, model, i);
        if (tr_model_layer(model, i).n_weights > 0 && strcmp(known, key) == 0)
            return true;
    }
    return false;
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

bool tr_keyed_stranger(char key[TR_KEY_MAX], hid_t root, const tr_model *model)
{
    H5G_info_t info;
    if (H5Gget_info(root, &info) < 0)
        return false;
    for (hsize_t i = 0; i < info.nlinks; i++)
        if (H5Lget_name_by_idx(root, ".", H5_INDEX_NAME, H5_ITER_INC, i, key, TR_KEY_MAX,
                               H5P_DEFAULT) > 0 &&
            !is_known(key, model) && has_arrays(root, key))
            return true;
    return false;
}
