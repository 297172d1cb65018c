/* same_job.c -- may a run go on from a checkpoint of another configuration?
 *
 * Everything that the configuration says is part of the numbers, except what stands in `free_keys`.
 * So a key that is new to this file is compared, and never forgotten. Values are compared, not
 * texts: both configurations are read by the same tables, which know what is the same, and what the
 * older one did not say is what it is by default.
 */
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "run_internal.h"

typedef struct free_key {
    const char *section, *key; /* key NULL: all of them */
} free_key;

static const free_key free_keys[] = {
    {"fit", "epochs"},
    {"fit", "max_seconds"},
    {"early_stopping", NULL}, /* only when it ends; save.c looks after restore_best_weights */
    {"engine", "threads"},
    {"engine", "gradient_slots"},
    {"output", NULL},
    {"checkpoint", NULL},
    /* Which samples they give is compared by digest. */
    {"data", "file"},
    {"data", "x_train"},
    {"data", "y_train"},
    {"data", "x_test"},
    {"data", "y_test"},
    {"data", "test_file"},
    {"data", "validation_file"},
    {"data", "x_validation"},
    {"data", "y_validation"},
    {"data", "sample_weight_train"},
    {"data", "sample_weight_validation"},
    {"data", "sample_weight_test"},
    {"data", "external_files"},
    {"data", "memory"},
};

/* Portable kernels give the same bits with every instruction set. That the kernels are the same is
 * compared by itself. */
static bool is_free_with(const tr_section *now, const char *key)
{
    const tr_entry *kernels = tr_section_find(now, "kernels");
    return strcmp(now->name, "engine") == 0 && strcmp(key, "isa") == 0 && kernels != NULL &&
           strcmp(kernels->value, "portable") == 0;
}

static bool is_free(const tr_section *now, const char *key)
{
    const char *section = now->name;
    if (is_free_with(now, key))
        return true;
    for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++)
        if (strcmp(free_keys[i].section, section) == 0 &&
            (free_keys[i].key == NULL || strcmp(free_keys[i].key, key) == 0))
            return true;
    return false;
}

/* For oneDNN's kernels auto means direct, which is the default that older programs wrote. */
static bool same_algorithm(const tr_section *now, const tr_entry *a, const tr_entry *b)
{
    const tr_entry *kernels = tr_section_find(now, "kernels");
    return strcmp(a->key, "convolution") == 0 && kernels != NULL &&
           strcmp(kernels->value, "onednn") == 0 && strcmp(a->value, "winograd") != 0 &&
           strcmp(b->value, "winograd") != 0;
}

/* "yes" is true, and mse is mean_squared_error. What was not read, of a configuration with
 * mistakes, is compared as it is written. */
static bool same_value(const tr_entry *a, const tr_entry *b)
{
    return a->canonical != NULL && b->canonical != NULL ? strcmp(a->canonical, b->canonical) == 0
                                                        : strcmp(a->value, b->value) == 0;
}

static tr_status differs(const char *path, const char *section, const char *key, const char *then,
                         const char *now, tr_error *err)
{
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s: cannot be resumed with another [%s] %s: it was written with %s, now it is "
                   "%s; change it back, or train anew",
                   path, section, key, then, now);
}

/* What stands in `now` and is other, or absent, in `then`. */
static tr_status compare_section(const tr_section *now, const tr_section *then, const char *path,
                                 tr_error *err)
{
    for (size_t i = 0; i < now->n_entries; i++) {
        const tr_entry *entry = &now->entries[i], *old = tr_section_find(then, entry->key);
        if (is_free(now, entry->key) ||
            (old != NULL && (same_value(entry, old) || same_algorithm(now, entry, old))))
            continue;
        if (old != NULL || !entry->is_default) /* else the key is younger than the checkpoint */
            return differs(path, now->name, entry->key, old == NULL ? "none" : old->value,
                           entry->value, err);
    }
    for (size_t i = 0; i < then->n_entries; i++) {
        const tr_entry *old = &then->entries[i];
        if (!is_free(now, old->key) && tr_section_find(now, old->key) == NULL)
            return differs(path, now->name, old->key, old->value, "none", err);
    }
    return TR_OK;
}

/* The first layer from section *i on, *i behind it; NULL: none. */
static const tr_section *next_layer(const tr_ini *ini, size_t *i)
{
    while (*i < ini->n_sections) {
        const tr_section *section = &ini->sections[(*i)++];
        if (strncmp(section->name, "layer.", 6) == 0)
            return section;
    }
    return NULL;
}

static tr_status compare_layers(const tr_ini *now, const tr_ini *then, const char *path,
                                tr_error *err)
{
    size_t i = 0, k = 0;
    for (;;) {
        const tr_section *a = next_layer(now, &i), *b = next_layer(then, &k);
        if (a == NULL && b == NULL)
            return TR_OK;
        if (a == NULL || b == NULL || strcmp(a->name, b->name) != 0)
            return tr_fail(err, TR_ERR_CONFIG,
                           "%s: cannot be resumed with another model: where it has %s%s%s, this "
                           "configuration has %s%s%s; change it back, or train anew",
                           path, b == NULL ? "no further layer" : "[", b == NULL ? "" : b->name,
                           b == NULL ? "" : "]", a == NULL ? "no further layer" : "[",
                           a == NULL ? "" : a->name, a == NULL ? "" : "]");
    }
}

static tr_status compare(const tr_ini *now, const tr_ini *then, const char *path, tr_error *err)
{
    static const tr_section empty = {0};
    TR_TRY(compare_layers(now, then, path, err));
    for (size_t i = 0; i < now->n_sections; i++) {
        const tr_section *old = tr_ini_find(then, now->sections[i].name);
        if (old == NULL && strcmp(now->sections[i].name, "reduce_lr_on_plateau") == 0)
            return differs(path, now->sections[i].name, "monitor", "none", "all of it", err);
        TR_TRY(compare_section(&now->sections[i], old == NULL ? &empty : old, path, err));
    }
    for (size_t i = 0; i < then->n_sections; i++) {
        const tr_section *old = &then->sections[i];
        const tr_section none = {.name = old->name};
        if (tr_ini_find(now, old->name) == NULL)
            TR_TRY(compare_section(&none, old, path, err));
    }
    return TR_OK;
}

tr_status tr_check_same_job(const tr_config *now, const char *then, const char *path, tr_error *err)
{
    tr_config *old = NULL;
    tr_model *model = NULL;
    TR_TRY(tr_config_parse(&old, path, then, NULL, 0, err));
    tr_status status =
        tr_model_parse(&model, old, err); /* reads the sections of layers and others */
    if (status == TR_OK)
        status = compare(now->ini, old->ini, path, err);
    tr_model_free(model);
    tr_config_free(old);
    return status;
}
