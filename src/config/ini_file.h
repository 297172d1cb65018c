/* ini_file.h -- an INI file as an ordered list of sections, nothing lost, nothing silently
 * accepted.
 *
 * inih does the parsing. Around it, a reader that counts lines refuses what inih would take
 * silently: section names it truncates, indented continuation lines, duplicate keys and sections,
 * lines that are neither comment, section nor "key = value", NUL bytes. A line may be of any
 * length, a path or a list of boundaries, though inih's own buffer ends at 199 characters.
 *
 * A duplicate section stays in the list as a section of its own, so that its keys get checked too;
 * tr_ini_find() and overrides see the first one.
 */
#ifndef TR_INI_FILE_H
#define TR_INI_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "section.h"

typedef struct tr_ini {
    char *path;
    tr_section *sections; /* in file order, then those that only overrides name */
    size_t n_sections;
} tr_ini;

/* Reads the file and applies the overrides ("section.key=value"; the section is all before the
 * last '.' left of '='). Mistakes go to `problems`; only an unreadable file, one that is no text,
 * or lack of memory fails. The result is released with tr_ini_free(). */
tr_status tr_ini_load(tr_ini **out, const char *path, const char *const *overrides,
                      size_t n_overrides, tr_problems *problems, tr_error *err);
/* The same from n bytes of text; `name` stands for the file in messages. */
tr_status tr_ini_parse(tr_ini **out, const char *name, const char *text, size_t n,
                       const char *const *overrides, size_t n_overrides, tr_problems *problems,
                       tr_error *err);
void tr_ini_free(tr_ini *ini);

/* The section of that name, or NULL. The pointer holds until a section is added (tr_ini_demand). */
tr_section *tr_ini_find(const tr_ini *ini, const char *name);

/* As tr_ini_find, but adds an empty section (line 0) when it is absent. NULL: out of memory. */
tr_section *tr_ini_demand(tr_ini *ini, const char *name);

/* The sections as INI text with every default spelled out (each on its own line, values aligned),
 * re-readable by tr_ini_load to the same values. NULL: out of memory; free with tr_free(). */
char *tr_ini_text(const tr_ini *ini, const char *head_comment);

#endif
