/* keras_limited.c -- see keras_limited.h. */
#include "keras_limited.h"

#include <assert.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "section.h"

const char *tr_keras_layer_with(const tr_config *config, const char *key, const char *value,
                                bool has)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_entry *entry = tr_section_find(section, key);
        if (strncmp(section->name, "layer.", strlen("layer.")) == 0 && entry != NULL &&
            (strcmp(entry->value, value) == 0) == has)
            return section->name + strlen("layer.");
    }
    return NULL;
}

const char *tr_keras_pads_by_0(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_entry *entry = tr_section_find(section, "output_padding");
        if (entry != NULL && (entry->value[0] == '0' || strstr(entry->value, ",0") != NULL ||
                              strstr(entry->value, ", 0") != NULL))
            return section->name + strlen("layer.");
    }
    return NULL;
}

const char *tr_keras_hard_sigmoid(const tr_config *config)
{
    return tr_keras_layer_with(config, "activation", "hard_sigmoid", true);
}

const char *tr_keras_measured_normalization(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_entry *type = tr_section_find(section, "type");
        if (type != NULL && strcmp(type->value, "normalization") == 0 &&
            tr_section_find(section, "mean") == NULL)
            return section->name + strlen("layer.");
    }
    return NULL;
}

static const char *const young[] = {"hard_tanh",   "sparse_sigmoid", "celu",        "log_sigmoid",
                                    "squareplus",  "sparse_plus",    "soft_shrink", "hard_shrink",
                                    "tanh_shrink", "hard_swish",     "hard_silu"};
static_assert(sizeof young / sizeof *young == TR_KERAS_YOUNG, "as many as the header says");

const char *tr_keras_young_activation(const tr_config *config, size_t n, const char **layer)
{
    for (size_t i = 0; i < n; i++) {
        *layer = tr_keras_layer_with(config, "activation", young[i], true);
        if (*layer != NULL)
            return young[i];
    }
    return NULL;
}

const char *tr_keras_own_initializer(const tr_config *config)
{
    static const char *const own[] = {"dirac", "whitening"};
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        for (size_t k = 0; k < section->n_entries; k++)
            for (size_t o = 0; o < sizeof own / sizeof *own; o++)
                if (tr_ends_in(section->entries[k].key, "_initializer") &&
                    strncmp(section->entries[k].value, own[o], strlen(own[o])) == 0)
                    return section->name + strlen("layer.");
    }
    return NULL;
}
