/* keras_names.c -- see keras_names.h.
 *
 * Keras puts "_" before a capital that begins a word ((.)([A-Z][a-z]+)) and before one that follows
 * a small letter (([a-z])([A-Z])). Where the first pattern has eaten a word, the second finds the
 * next one, so both are one look to the left and one to the right.
 */
#include "keras_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void tr_keras_snake_case(char *name, size_t n, const char *class_name)
{
    size_t used = 0;
    for (const char *c = class_name; *c != '\0' && used + 2 < n; c++) {
        const bool begins = c > class_name && isupper((unsigned char)*c) &&
                            (islower((unsigned char)c[1]) || islower((unsigned char)c[-1]));
        if (begins)
            name[used++] = '_';
        name[used++] = (char)tolower((unsigned char)*c);
    }
    name[used] = '\0';
}

const char *tr_keras_bare_name(const char *class_name)
{
    const char *end = strrchr(class_name, '>');
    return end == NULL ? class_name : end + 1;
}

const char *tr_keras_class_name(const json_t *object)
{
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    const char *registered = json_string_value(json_object_get(object, "registered_name"));
    if (registered != NULL && strchr(registered, '>') != NULL)
        return registered;
    return class_name == NULL ? "" : class_name;
}

void tr_keras_clean_name(const char *name, size_t most, char *text)
{
    size_t used = 0;
    static const char prefix[] = "layer_";
    if (!isalpha((unsigned char)name[0])) {
        memcpy(text, prefix, sizeof prefix);
        used = strlen(prefix);
    }
    for (; *name != '\0' && used < most; name++)
        text[used++] = isalnum((unsigned char)*name) ? *name : '_';
    text[used] = '\0';
}
