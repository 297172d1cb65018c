/* file_units.c -- see file_units.h. */
#include "file_units.h"

#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "mem.h"

/* "conv1" of "resnet/conv1/kernel:0"; "" of "kernel:0". */
static char *inner_name(const char *array)
{
    const char *end = strrchr(array, '/'), *begin = end;
    while (begin != NULL && begin > array && begin[-1] != '/')
        begin--;
    return begin == NULL ? tr_strdup("") : tr_format("%.*s", (int)(end - begin), begin);
}

/* A new unit; takes the texts over. */
static tr_file_unit *add_unit(tr_file_units *units, char *name, char *inner, const char *key)
{
    tr_file_unit *grown = tr_grown(units->items, units->n, sizeof *grown);
    if (grown == NULL || name == NULL || inner == NULL) {
        tr_free(name);
        tr_free(inner);
        units->items = grown == NULL ? units->items : grown;
        return NULL;
    }
    units->items = grown;
    grown[units->n] = (tr_file_unit){.name = name, .inner_name = inner, .key = key};
    return &grown[units->n++];
}

static bool add_array(tr_file_unit *unit, size_t array)
{
    size_t *grown = tr_grown(unit->arrays, unit->n, sizeof *grown);
    if (grown == NULL)
        return false;
    unit->arrays = grown;
    unit->arrays[unit->n++] = array;
    return true;
}

/* ---- listed ---- */

/* The arrays of one listed layer, in units by their inner names. */
static bool add_listed(tr_file_units *units, const tr_checkpoint_file *file,
                       const tr_file_layer *layer)
{
    const size_t first_unit = units->n;
    for (size_t i = layer->first; i < layer->first + layer->n; i++) {
        char *inner = inner_name(file->weights.items[i].name);
        tr_file_unit *unit = NULL;
        for (size_t k = first_unit; inner != NULL && unit == NULL && k < units->n; k++)
            if (strcmp(units->items[k].inner_name, inner) == 0)
                unit = &units->items[k];
        if (unit != NULL)
            tr_free(inner);
        else
            unit = add_unit(units, tr_strdup(layer->name), inner, NULL);
        if (unit == NULL || !add_array(unit, i))
            return false;
    }
    /* A model: the layer's name is that of none of its parts. */
    for (size_t k = first_unit; units->n - first_unit > 1 && k < units->n; k++)
        snprintf(units->items[k].name, strlen(units->items[k].name) + 1, "%s", "");
    return true;
}

/* ---- keyed ---- */

/* Newer Kerases write the layer's name beside its arrays. */
static char *name_of_key(const tr_checkpoint_file *file, const tr_file_layer *layer)
{
    char name[128] = "", group[TR_H5_PATH];
    const char *array = file->weights.items[layer->first].path; /* ".../vars/0" */
    const char *end = strrchr(array, '/');
    hid_t vars;
    snprintf(group, sizeof group, "%.*s", (int)(end == NULL ? 0 : end - array), array);
    if (tr_h5_group_open(&vars, &file->keras.file, group, NULL) == TR_OK) {
        if (H5Aexists(vars, "name") > 0 && !tr_h5_read_text(vars, "name", name, sizeof name))
            name[0] = '\0';
        tr_h5_close(vars);
    }
    return tr_strdup(name);
}

static bool add_keyed(tr_file_units *units, const tr_checkpoint_file *file,
                      const tr_file_layer *layer)
{
    tr_file_unit *unit = add_unit(units, name_of_key(file, layer), tr_strdup(""), layer->name);
    for (size_t i = layer->first; unit != NULL && i < layer->first + layer->n; i++)
        if (!add_array(unit, i))
            return false;
    return unit != NULL;
}

/* ---- both ---- */

tr_status tr_file_units_list(tr_file_units *units, const tr_checkpoint_file *file, tr_error *err)
{
    for (size_t i = 0; i < file->n_layers; i++) {
        const tr_file_layer *layer = &file->layers[i];
        if (layer->n > 0 && !(file->layout == TR_WEIGHTS_KEYED ? add_keyed(units, file, layer)
                                                               : add_listed(units, file, layer)))
            return tr_out_of_memory(err, file->keras.path);
    }
    return TR_OK;
}

void tr_file_units_release(tr_file_units *units)
{
    for (size_t i = 0; i < units->n; i++) {
        tr_free(units->items[i].name);
        tr_free(units->items[i].inner_name);
        tr_free(units->items[i].arrays);
    }
    tr_free(units->items);
    *units = (tr_file_units){0};
}
