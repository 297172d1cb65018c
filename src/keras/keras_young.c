/* keras_young.c -- see keras_young.h. */
#include "keras_young.h"

#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "keras_parts.h"
#include "layer.h"

static const char layer_prefix[] = "layer.";

/* Of a section: its layer's kind, or NULL. */
static const tr_layer_ops *kind_of(const tr_section *section)
{
    const tr_entry *type = tr_section_find(section, "type");
    return strncmp(section->name, layer_prefix, strlen(layer_prefix)) == 0 && type != NULL
               ? tr_layer_find(type->value)
               : NULL;
}

static bool is_young(const tr_section *section, const tr_layer_ops *ops, char what[TR_YOUNG_TEXT])
{
    snprintf(what, TR_YOUNG_TEXT, "%s", ops->keras_class);
    if (ops->keras_since != NULL)
        return true;
    for (size_t k = 0; k < ops->n_keys; k++)
        if (ops->keys[k].young && !tr_keras_says_default(section, &ops->keys[k])) {
            snprintf(what, TR_YOUNG_TEXT, "%s of %s", ops->keys[k].name, ops->keras_class);
            return true;
        }
    return false;
}

const char *tr_keras_young_layer(const tr_config *config, char what[TR_YOUNG_TEXT])
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_layer_ops *ops = kind_of(section);
        if (ops != NULL && is_young(section, ops, what))
            return section->name + strlen(layer_prefix);
    }
    return NULL;
}
