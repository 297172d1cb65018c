/* override.c -- one "section.key=value" of the command line, put over the file.
 *
 * It accepts only what could as well stand in a file, because the effective configuration is
 * written to one and must be read back the same. Whether section and key exist is not its business:
 * the tables judge them as they judge the file's.
 */
#include <string.h>

#include "config_internal.h"
#include "mem.h"

static const char word_characters[] = "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-";

/* Splits "a.b.key=value" into its parts; false when it has not this form. */
static bool split(char *text, char **section, char **key, char **value)
{
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    *equals = '\0';
    *value = equals + 1;
    char *dot = strrchr(text, '.');
    if (dot == NULL || dot == text)
        return false;
    *dot = '\0';
    *key = dot + 1;
    *section = text;
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '.' && strchr(word_characters, *c) == NULL)
            return false;
    return **key != '\0' && (*key)[strspn(*key, word_characters)] == '\0';
}

/* The last of several overrides of a key counts, and counts as if the file had it. */
static bool put(tr_ini *ini, const char *section_name, const char *key, const char *value)
{
    tr_section *section = tr_ini_demand(ini, section_name);
    if (section == NULL)
        return false;
    for (size_t i = 0; i < section->n_entries; i++) {
        tr_entry *entry = &section->entries[i];
        if (strcmp(entry->key, key) != 0)
            continue;
        char *copy = tr_strdup(value);
        if (copy == NULL)
            return false;
        tr_free(entry->value);
        entry->value = copy;
        entry->line = 0;
        return true;
    }
    return tr_section_add(section, key, value, 0, false);
}

bool tr_ini_override(tr_ini *ini, const char *text, tr_problems *problems)
{
    char *section, *key, *value;
    bool ok = true;
    char *parts = tr_strdup(text);
    if (parts == NULL)
        return false;
    if (!split(parts, &section, &key, &value)) {
        tr_problems_add(problems, 0,
                        "--set %s: must be SECTION.KEY=VALUE, for example --set fit.epochs=3",
                        text);
    } else {
        const char *flaw = tr_ini_value_flaw(value);
        if (strlen(section) > TR_INI_NAME_MAX)
            tr_problems_add(problems, 0,
                            "--set %s: a section's name has at most %d characters, not %zu", text,
                            TR_INI_NAME_MAX, strlen(section));
        else if (flaw != NULL)
            tr_problems_add(problems, 0, "--set %s: the value %s", text, flaw);
        else
            ok = put(ini, section, key, value);
    }
    tr_free(parts);
    return ok;
}
