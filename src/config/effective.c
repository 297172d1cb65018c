/* effective.c -- the sections as INI text, every default spelled out.
 *
 * The text reads back to the same values.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "mem.h"

struct text {
    char *bytes;
    size_t n, capacity;
    bool no_memory;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
    if (text->no_memory)
        return;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    const size_t needed = text->n + (length < 0 ? 0 : (size_t)length) + 1;
    if (needed > text->capacity) {
        const size_t capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
        char *grown = tr_realloc(text->bytes, text->capacity, capacity, 1);
        text->no_memory = grown == NULL;
        if (grown != NULL) {
            text->bytes = grown;
            text->capacity = capacity;
        }
    }
    if (!text->no_memory && length > 0)
        text->n +=
            (size_t)vsnprintf(text->bytes + text->n, text->capacity - text->n, format, again);
    va_end(again);
    va_end(args);
}

static void append_comment(struct text *text, const char *comment)
{
    while (*comment != '\0') {
        const size_t n = strcspn(comment, "\n");
        append(text, ";%s%.*s\n", n == 0 ? "" : " ", (int)n, comment);
        comment += n + (comment[n] == '\n');
    }
}

enum { ALIGNED_MAX = 40 }; /* a longer key stands out instead of moving all others */

static void append_section(struct text *text, const tr_section *section)
{
    size_t width = 0;
    for (size_t i = 0; i < section->n_entries; i++) {
        const size_t n = strlen(section->entries[i].key);
        width = n > width && n <= ALIGNED_MAX && !section->entries[i].is_implied ? n : width;
    }
    append(text, "%s[%s]\n", text->n == 0 ? "" : "\n", section->name);
    for (size_t i = 0; i < section->n_entries; i++) {
        const tr_entry *entry = &section->entries[i];
        if (entry->is_implied)
            continue;
        append(text, "%-*s =%s%s\n", (int)width, entry->key, *entry->value == '\0' ? "" : " ",
               entry->value);
    }
}

char *tr_ini_text(const tr_ini *ini, const char *head_comment)
{
    struct text text = {0};
    append(&text, "%s", ""); /* a configuration of no sections is an empty text, not NULL */
    if (head_comment != NULL)
        append_comment(&text, head_comment);
    for (size_t i = 0; i < ini->n_sections; i++)
        append_section(&text, &ini->sections[i]);
    if (text.no_memory) {
        tr_free(text.bytes);
        return NULL;
    }
    return text.bytes;
}
