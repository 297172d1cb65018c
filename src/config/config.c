/* config.c -- a configuration read: sections by the tables of config_keys.c; see trainer/config.h.
 *
 * [layer.*], [loss], [optimizer], [learning_rate] and [optimizer.*], [learning_rate.*] are let
 * through unread: their keys are known to layers/, losses/ and optimizers/, which read the same
 * sections with tables of their own.
 * Values are only checked one by one here; whether the dataset fits the model is decided where both
 * are known.
 */
#include "trainer/config.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "config_keys.h"
#include "file.h"
#include "mem.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { LAYER_NAME_MAX = 42 }; /* with "layer." it must fit what inih keeps of a section's name */

static const char layer_prefix[] = "layer.";

static const tr_config_section *find_spec(const char *name)
{
    for (const tr_config_section *spec = tr_config_sections; spec->name != NULL; spec++)
        if (strcmp(spec->name, name) == 0)
            return spec;
    return NULL;
}

/* ---- names of sections ---- */

static bool is_layer(const char *name)
{
    return strncmp(name, layer_prefix, strlen(layer_prefix)) == 0;
}

/* What an [optimizer.NAME], [learning_rate.NAME] or [metric.NAME] names; NULL: another section. */
static const char *what_is_named(const char *name)
{
    static const char *const heads[][2] = {{"optimizer.", "a group of layers"},
                                           {"learning_rate.", "a group of layers"},
                                           {"metric.", "a metric"}};
    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i][0], strlen(heads[i][0])) == 0)
            return heads[i][1];
    return NULL;
}

static bool is_layer_name(const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return n <= LAYER_NAME_MAX && isalpha((unsigned char)name[0]);
}

/* What the author of an unknown section perhaps meant; "" when there is no guess. */
static const char *guess(const char *name, char *text, size_t n)
{
    static const char *const layer_words[] = {"layer", NULL};
    const char *names[TR_CONFIG_SECTIONS + 1] = {NULL};
    char head[TR_INI_NAME_MAX + 1];
    for (size_t i = 0; i < TR_CONFIG_SECTIONS && tr_config_sections[i].name != NULL; i++)
        names[i] = tr_config_sections[i].name;
    const char *nearest = tr_nearest_name(name, names);
    const char *dot = strchr(name, '.');
    snprintf(head, sizeof head, "%.*s", (int)(dot == NULL ? 0 : dot - name), name);

    if (nearest != NULL)
        snprintf(text, n, "did you mean [%s]? ", nearest);
    else if (dot != NULL && is_layer_name(dot + 1) && tr_nearest_name(head, layer_words) != NULL)
        snprintf(text, n, "did you mean [layer.%s]? ", dot + 1);
    else if (is_layer_name(name) && tr_nearest_name(name, layer_words) == NULL)
        snprintf(text, n, "layers are written [layer.%s]; ", name);
    else
        snprintf(text, n, "layers are written [layer.NAME]; ");
    return text;
}

/* The table's, and those that take a name, "data, model, ..., layer.NAME, ...". */
static const char *list_sections(char *text, size_t n)
{
    size_t used = 0;
    for (const tr_config_section *spec = tr_config_sections; spec->name != NULL; spec++)
        used += (size_t)snprintf(text + used, n - used, "%s, ", spec->name);
    assert(used + 80 < n);
    snprintf(text + used, n - used, "layer.NAME, optimizer.NAME, learning_rate.NAME, metric.NAME");
    return text;
}

static void check_name(const tr_section *section, tr_problems *problems)
{
    char about[512], meant[128];
    if (section->line == 0 && section->n_entries > 0)
        snprintf(about, sizeof about, "--set %s.%s=%s", section->name, section->entries[0].key,
                 section->entries[0].value);
    else
        snprintf(about, sizeof about, "[%s]", section->name);

    if (is_layer(section->name)) {
        if (!is_layer_name(section->name + strlen(layer_prefix)))
            tr_problems_add(problems, section->line,
                            "%s: a layer's name must be 1 to %d letters, digits or _, the first a "
                            "letter: [layer.NAME]",
                            about, LAYER_NAME_MAX);
    } else if (what_is_named(section->name) != NULL) {
        if (!is_layer_name(strchr(section->name, '.') + 1))
            tr_problems_add(problems, section->line,
                            "%s: the name of %s must be 1 to %d letters, digits or _, the first a "
                            "letter",
                            about, what_is_named(section->name), LAYER_NAME_MAX);
    } else if (find_spec(section->name) == NULL) {
        char allowed[512];
        tr_problems_add(problems, section->line, "%s: unknown section; %sallowed: %s", about,
                        guess(section->name, meant, sizeof meant),
                        list_sections(allowed, sizeof allowed));
    }
}

/* ---- the whole ---- */

/* Sections that stand twice are a problem already; reading both finds the mistakes inside, too. */
static void read_sections(tr_config *config)
{
    tr_ini *ini = config->ini;
    bool has_layer = false;
    config->early_stopping.baseline = NAN;
    for (const tr_config_section *spec = tr_config_sections; spec->name != NULL; spec++)
        if (spec->keys != NULL && spec->on == 0 && tr_ini_demand(ini, spec->name) == NULL)
            tr_problems_no_memory(config->problems);
    for (size_t i = 0; i < ini->n_sections; i++) {
        tr_section *section = &ini->sections[i];
        const tr_config_section *spec = find_spec(section->name);
        check_name(section, config->problems);
        has_layer = has_layer || is_layer(section->name);
        if (spec != NULL && spec->on != 0)
            *(bool *)((char *)config + spec->on) = true;
        if (spec != NULL && spec->keys != NULL)
            tr_section_read(section, spec->keys, spec->n_keys, config, config->problems);
    }
    if (config->input_shape[2] > 0 && config->input_shape[0] == 0) {
        config->input_flat = true;
        config->input_shape[0] = config->input_shape[1] = 1;
    }
    if (tr_problems_count(config->problems) == 0)
        tr_config_check_values(config);
    if (!has_layer)
        tr_problems_add(config->problems, 0,
                        "%s: the model has no layers: add sections [layer.NAME] with type = ...",
                        ini->path);
}

/* `text` NULL: the file at `path`. */
static tr_status load(tr_config **out, const char *path, const char *text,
                      const char *const *overrides, size_t n_overrides, tr_error *err)
{
    tr_status status = TR_ERR_INTERNAL;
    tr_config *config = tr_alloc(1, sizeof *config);
    if (config == NULL)
        goto no_memory;
    config->problems = tr_problems_new(path);
    if (config->problems == NULL)
        goto no_memory;
    status = text == NULL
                 ? tr_ini_load(&config->ini, path, overrides, n_overrides, config->problems, err)
                 : tr_ini_parse(&config->ini, path, text, strlen(text), overrides, n_overrides,
                                config->problems, err);
    if (status != TR_OK)
        goto fail;
    read_sections(config);
    if (tr_problems_check(config->problems, NULL) == TR_ERR_INTERNAL)
        goto no_memory;
    *out = config;
    return TR_OK;

no_memory:
    status = tr_out_of_memory(err, path);
fail:
    tr_config_free(config);
    return status;
}

tr_status tr_config_load(tr_config **out, const char *path, const char *const *overrides,
                         size_t n_overrides, tr_error *err)
{
    return load(out, path, NULL, overrides, n_overrides, err);
}

tr_status tr_config_parse(tr_config **out, const char *name, const char *text,
                          const char *const *overrides, size_t n_overrides, tr_error *err)
{
    return load(out, name, text, overrides, n_overrides, err);
}

void tr_config_free(tr_config *config)
{
    if (config == NULL)
        return;
    tr_ini_free(config->ini);
    tr_problems_free(config->problems);
    tr_free(config);
}

tr_status tr_config_check(const tr_config *config, tr_error *err)
{
    return tr_problems_check(config->problems, err);
}

char *tr_config_text(const tr_config *config)
{
    return tr_ini_text(config->ini, "The effective configuration, every default spelled out."
                                    "\nTraining from this file repeats the run.");
}

tr_status tr_config_write(const tr_config *config, const char *path, tr_error *err)
{
    TR_TRY(tr_config_check(config, err));
    char *text = tr_config_text(config);
    if (text == NULL)
        return tr_out_of_memory(err, path);
    const tr_status status = tr_file_write(path, text, strlen(text), err);
    tr_free(text);
    return status;
}
