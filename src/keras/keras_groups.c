/* keras_groups.c -- [optimizer.NAME]s from a MultiOptimizer of Keras's; see keras_config.h.
 *
 * Its map has patterns of paths of variables. Those that name layers are read: "conv1/.*",
 * "(a|b)/.*", with "^", "(.*\/)?" or ".*\/" before the names and "[^/]*" behind them, "$" last.
 * Others, for which a machine of regular expressions would be needed, and maps to optimizers that
 * we do not have, get a note: then none of it is read.
 */
#include <ctype.h>
#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"

static const json_t *map_of(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "class_name"));
    if (name == NULL || strcmp(tr_keras_bare_name(name), "MultiOptimizer") != 0)
        return NULL;
    const json_t *map = json_object_get(json_object_get(object, "config"), "optimizer_map");
    return json_object_get(map, "config");
}

static void skip(const char **at, const char *word)
{
    if (strncmp(*at, word, strlen(word)) == 0)
        *at += strlen(word);
}

/* The names, "a|b", and their length; NULL: it is another pattern. */
static const char *names_of(const char *pattern, size_t *n)
{
    const char *at = pattern;
    skip(&at, "^");
    skip(&at, "(.*/)?");
    skip(&at, ".*/");
    const bool brackets = *at == '(';
    const char *names = at += brackets;
    while (isalnum((unsigned char)*at) || *at == '_' || (brackets && *at == '|'))
        at++;
    *n = (size_t)(at - names);
    if (*n == 0 || (brackets && *at++ != ')') || *at++ != '/')
        return NULL;
    if (strncmp(at, ".*", 2) != 0 && strncmp(at, "[^/]*", 5) != 0)
        return NULL;
    at += *at == '.' ? 2 : 5;
    skip(&at, "$");
    return *at == '\0' ? names : NULL;
}

const json_t *tr_keras_common_optimizer(const json_t *object)
{
    const char *pattern;
    json_t *one;
    size_t n;
    const json_t *map = map_of(object), *common = json_object_get(map, "default_optimizer");
    if (tr_keras_optimizer_of(common) == NULL)
        return NULL;
    json_object_foreach(json_object_get(map, "optimizer_map"), pattern, one)
    {
        if (names_of(pattern, &n) == NULL || tr_keras_optimizer_of(one) == NULL)
            return NULL;
    }
    return common;
}

/* Layers under the names that they have here. */
static void write_layers(const tr_keras_reading *reading, const char *names, size_t n)
{
    fprintf(reading->ini, "layers =");
    for (size_t used = 0; used < n;) {
        char name[TR_KERAS_TEXT], ours[TR_KERAS_TEXT];
        const size_t length = strcspn(names + used, "|)/");
        snprintf(name, sizeof name, "%.*s", (int)length, names + used);
        tr_keras_clean_name(name, 42, ours);
        fprintf(reading->ini, "%s %s", used == 0 ? "" : ",", ours);
        used += length + 1;
    }
    fprintf(reading->ini, "\n");
}

void tr_keras_read_groups(const tr_keras_reading *reading, const json_t *object)
{
    const char *pattern;
    json_t *one;
    int number = 0;
    json_object_foreach(json_object_get(map_of(object), "optimizer_map"), pattern, one)
    {
        size_t n;
        char group[32];
        const char *names = names_of(pattern, &n);
        const tr_optimizer_ops *ops = tr_keras_optimizer_of(one);
        snprintf(group, sizeof group, "group%d", ++number);
        fprintf(reading->ini, "\n[optimizer.%s]\noptimizer = %s\n", group, ops->name);
        write_layers(reading, names, n);
        tr_keras_read_one_optimizer(reading, ops, one, group);
    }
}
