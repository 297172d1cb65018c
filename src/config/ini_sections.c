/* ini_sections.c -- the sections of an INI file as a list, and what a value of it cannot be; see
 * ini_file.h.
 */
#include <ctype.h>
#include <string.h>

#include "config_internal.h"
#include "mem.h"

/* ---- the list of sections ---- */

tr_section *tr_ini_find(const tr_ini *ini, const char *name)
{
    for (size_t i = 0; i < ini->n_sections; i++)
        if (strcmp(ini->sections[i].name, name) == 0)
            return &ini->sections[i];
    return NULL;
}

tr_section *tr_ini_add(tr_ini *ini, const char *name, int line)
{
    tr_section *grown = tr_grown(ini->sections, ini->n_sections, sizeof *grown);
    if (grown == NULL)
        return NULL;
    ini->sections = grown;
    char *copy = tr_strdup(name);
    if (copy == NULL)
        return NULL;
    tr_section *section = &ini->sections[ini->n_sections++];
    *section = (tr_section){.name = copy, .line = line};
    return section;
}

tr_section *tr_ini_demand(tr_ini *ini, const char *name)
{
    tr_section *section = tr_ini_find(ini, name);
    return section != NULL ? section : tr_ini_add(ini, name, 0);
}

void tr_ini_free(tr_ini *ini)
{
    if (ini == NULL)
        return;
    for (size_t i = 0; i < ini->n_sections; i++)
        tr_section_release(&ini->sections[i]);
    tr_free(ini->sections);
    tr_free(ini->path);
    tr_free(ini);
}

/* ---- one value ---- */

const char *tr_ini_value_flaw(const char *value)
{
    const size_t n = strlen(value);
    if (n == 0)
        return NULL;
    if (isspace((unsigned char)value[0]) || isspace((unsigned char)value[n - 1]))
        return "starts or ends with a blank";
    for (size_t i = 0; i < n; i++) {
        const bool after_blank = i == 0 || isspace((unsigned char)value[i - 1]);
        if (iscntrl((unsigned char)value[i]) && value[i] != '\t')
            return "has a line break or another control character";
        if (after_blank && value[i] == ';')
            return "has a ';' where a comment would start: at its beginning or after a blank";
        if (after_blank && value[i] == '#')
            return "has a '#' at its beginning or after a blank; comments after a value start with "
                   "';'";
    }
    return NULL;
}
