/* config_internal.h -- what the files of src/config share; no other folder includes it. */
#ifndef TR_CONFIG_INTERNAL_H
#define TR_CONFIG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "ini_file.h"
#include "section.h"

struct tr_config;

enum {
    /* They bound the work that a file of a hostile author can ask for. */
    TR_INI_NAME_MAX = 49, /* characters of a section's name */
    TR_INI_BYTES_MAX = 1 << 20,
    TR_INI_KEYS_MAX = 1000,
    TR_INI_SECTIONS_MAX = 10000
};

/* section.c: appends an entry; the key must be absent. False: out of memory. */
bool tr_section_add(tr_section *section, const char *key, const char *value, int line,
                    bool is_default);
void tr_section_release(tr_section *section);

/* ini_sections.c: appends a section. NULL: out of memory. */
tr_section *tr_ini_add(tr_ini *ini, const char *name, int line);

/* ini_sections.c: why `value` would not be read back from a file as it is ("has a ..."), or NULL
 * when it would. */
const char *tr_ini_value_flaw(const char *value);

/* override.c: applies one "section.key=value"; mistakes go to `problems`. False: out of memory. */
bool tr_ini_override(tr_ini *ini, const char *text, tr_problems *problems);

/* config_checks.c: values that must fit each other; for sections without mistakes. */
void tr_config_check_values(const struct tr_config *config);

#endif
