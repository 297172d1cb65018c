/* section.c -- the entries of a section, and reading them against a table; see section.h.
 *
 * Every finding is a problem with a line, never a failure: reading goes on to the last key, so that
 * one run reports all. Conversion of a single value is value.c's.
 */
#include "section.h"

#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "mem.h"
#include "value.h"

enum { NAMES_MAX = 64 }; /* more keys than any table of ours has */

/* ---- entries ---- */

static tr_entry *find_entry(const tr_section *section, const char *key)
{
    for (size_t i = 0; i < section->n_entries; i++)
        if (strcmp(section->entries[i].key, key) == 0)
            return &section->entries[i];
    return NULL;
}

const tr_key *tr_key_find(const tr_key *keys, size_t n_keys, const char *name)
{
    for (size_t i = 0; i < n_keys; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

const tr_entry *tr_section_find(const tr_section *section, const char *key)
{
    return find_entry(section, key);
}

int tr_section_line(const tr_section *section, const char *key)
{
    const tr_entry *entry = find_entry(section, key);
    return entry == NULL || entry->is_default ? section->line : entry->line;
}

bool tr_section_add(tr_section *section, const char *key, const char *value, int line,
                    bool is_default)
{
    tr_entry *grown = tr_grown(section->entries, section->n_entries, sizeof *grown);
    if (grown == NULL)
        return false;
    section->entries = grown;
    tr_entry entry = {.key = tr_strdup(key), .line = line, .is_default = is_default};
    entry.value = tr_strdup(value);
    if (entry.key == NULL || entry.value == NULL) {
        tr_free(entry.key);
        tr_free(entry.value);
        return false;
    }
    section->entries[section->n_entries++] = entry;
    return true;
}

bool tr_section_default(tr_section *section, const char *key, const char *value)
{
    return find_entry(section, key) != NULL || tr_section_add(section, key, value, 0, true);
}

bool tr_section_imply(tr_section *section, const char *key, const char *value)
{
    if (!tr_section_default(section, key, value))
        return false;
    tr_entry *entry = find_entry(section, key);
    entry->is_implied = entry->is_default;
    return true;
}

bool tr_section_set_canonical(tr_section *section, const char *key, const char *canonical)
{
    tr_entry *entry = find_entry(section, key);
    char *copy = entry == NULL ? NULL : tr_strdup(canonical);
    if (copy == NULL)
        return entry == NULL;
    tr_free(entry->canonical);
    entry->canonical = copy;
    return true;
}

static void release_entry(tr_entry *entry)
{
    tr_free(entry->key);
    tr_free(entry->value);
    tr_free(entry->canonical);
}

void tr_section_release(tr_section *section)
{
    for (size_t i = 0; i < section->n_entries; i++)
        release_entry(&section->entries[i]);
    tr_free(section->entries);
    tr_free(section->name);
    *section = (tr_section){0};
}

/* ---- reading ---- */

/* The offending text as its author wrote it: "[fit] epochs = x" or "--set fit.epochs=x"; of a long
 * one the beginning. */
static const char *subject(const tr_section *section, const tr_entry *entry, char *text, size_t n)
{
    const int length =
        entry->line == 0 && !entry->is_default
            ? snprintf(text, n, "--set %s.%s=%s", section->name, entry->key, entry->value)
            : snprintf(text, n, "[%s] %s = %s", section->name, entry->key, entry->value);
    if (length >= (int)n)
        snprintf(text + n - sizeof "...", sizeof "...", "...");
    return text;
}

void tr_section_unknown(const tr_section *section, const char *key, const char *kind,
                        const char *const *names, tr_problems *problems)
{
    const tr_entry *entry = tr_section_find(section, key);
    char about[512], allowed[TR_NAMES_MAX];
    if (entry == NULL) /* it stands in a second section of that name, which is reported */
        return;
    const char *nearest = tr_nearest_name(entry->value, names);
    tr_problems_add(problems, entry->line, "%s: unknown %s; %s%s%sallowed: %s",
                    subject(section, entry, about, sizeof about), kind,
                    nearest == NULL ? "" : "did you mean ", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "? ", tr_join_names(names, allowed, sizeof allowed));
}

void tr_section_refuse(tr_section *section, const char *key, const char *why, tr_problems *problems)
{
    char about[512];
    tr_entry *entry = find_entry(section, key);
    if (entry == NULL)
        return;
    tr_problems_add(problems, entry->line, "%s: %s", subject(section, entry, about, sizeof about),
                    why);
    release_entry(entry);
    section->n_entries--;
    memmove(entry, entry + 1,
            (size_t)(section->entries + section->n_entries - entry) * sizeof *entry);
}

static void report_unknown(const tr_section *section, const tr_entry *entry,
                           const char *const *names, tr_problems *problems)
{
    char about[512], allowed[TR_NAMES_MAX];
    const char *nearest = tr_nearest_name(entry->key, names);
    if (entry->line == 0)
        subject(section, entry, about, sizeof about);
    else
        snprintf(about, sizeof about, "[%s] %s", section->name, entry->key);
    tr_problems_add(problems, entry->line, "%s: unknown key; %s%s%sallowed: %s", about,
                    nearest == NULL ? "" : "did you mean ", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "? ", tr_join_names(names, allowed, sizeof allowed));
}

static void report_value(const tr_section *section, const tr_entry *entry, const tr_key *key,
                         tr_problems *problems)
{
    char about[512], expected[TR_NAMES_MAX + 64];
    const char *meant = tr_value_meant(key, entry->value);
    tr_problems_add(problems, entry->is_default ? section->line : entry->line,
                    "%s: must be %s%s%s%s", subject(section, entry, about, sizeof about),
                    key->kind == TR_KEY_CALL
                        ? tr_call_expected(key, entry->value, expected, sizeof expected)
                        : tr_value_expected(key, expected, sizeof expected),
                    meant == NULL ? "" : "; did you mean ", meant == NULL ? "" : meant,
                    meant == NULL ? "" : "?");
}

/* A section that is not in the file is one mistake, however many keys it needs. */
static void report_missing(const tr_section *section, const char *const *names,
                           const char *const *docs, tr_problems *problems)
{
    char needs[512];
    if (names[0] == NULL)
        return;
    if (section->line == 0) {
        size_t used = 0;
        for (size_t i = 0; names[i] != NULL && used < sizeof needs; i++)
            used += (size_t)snprintf(needs + used, sizeof needs - used, "%s%s = ...",
                                     i == 0 ? "" : ", ", names[i]);
        tr_problems_add(problems, 0, "%s: [%s] is missing: it needs %s", tr_problems_path(problems),
                        section->name, needs);
        return;
    }
    for (size_t i = 0; names[i] != NULL; i++)
        tr_problems_add(problems, section->line, "[%s] %s is missing%s%s%s", section->name,
                        names[i], docs[i] == NULL ? "" : " (", docs[i] == NULL ? "" : docs[i],
                        docs[i] == NULL ? "" : ")");
}

static void check_unknown(const tr_section *section, const tr_key *keys, size_t n_keys,
                          tr_problems *problems)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    for (size_t i = 0; i < n_keys && i < NAMES_MAX; i++)
        names[i] = keys[i].name;
    for (size_t i = 0; i < section->n_entries; i++)
        if (tr_key_find(keys, n_keys, section->entries[i].key) == NULL)
            report_unknown(section, &section->entries[i], names, problems);
}

bool tr_section_read(tr_section *section, const tr_key *keys, size_t n_keys, void *fields,
                     tr_problems *problems)
{
    const size_t n_before = tr_problems_count(problems);
    const char *missing[NAMES_MAX + 1] = {NULL}, *docs[NAMES_MAX + 1] = {NULL};
    size_t n_missing = 0;

    check_unknown(section, keys, n_keys, problems);
    for (size_t k = 0; k < n_keys; k++) {
        const tr_key *key = &keys[k];
        if (key->fallback != NULL && !tr_section_default(section, key->name, key->fallback)) {
            tr_problems_no_memory(problems);
            return false;
        }
        tr_entry *entry = find_entry(section, key->name);
        if (entry == NULL) {
            if (!key->optional && n_missing < NAMES_MAX) {
                docs[n_missing] = key->doc;
                missing[n_missing++] = key->name;
            }
            continue;
        }
        if (!tr_value_parse(key, entry->value, fields)) {
            report_value(section, entry, key, problems);
            continue;
        }
        char *canonical = tr_value_canonical(key, fields);
        if (canonical == NULL)
            tr_problems_no_memory(problems);
        tr_free(entry->canonical);
        entry->canonical = canonical;
    }
    report_missing(section, missing, docs, problems);
    return tr_problems_count(problems) == n_before;
}
