/* keras_carried.c -- see keras_carried.h. */
#include "keras_carried.h"

#include <string.h>

#include "mem.h"

bool tr_keras_is_carried(const char *key, const json_t *value)
{
    static const char *const endings[] = {"_initializer", "_regularizer", "_constraint"};
    if (value == NULL || json_is_null(value))
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (tr_ends_in(key, endings[i]))
            return true;
    if (strcmp(key, "trainable") == 0)
        return json_is_false(value);
    return strcmp(key, "seed") == 0 || strcmp(key, "noise_shape") == 0;
}

/* Settings of an initializer that say nothing and that only some versions of Keras know: null, and
 * the dtype of Keras 2.2. */
static json_t *without_nothing(const json_t *value)
{
    json_t *copy = json_deep_copy(value), *config = json_object_get(copy, "config"), *item;
    const char *key;
    void *next;
    json_object_del(config, "dtype");
    json_object_foreach_safe(config, next, key, item)
    {
        if (json_is_null(item))
            json_object_del(config, key);
    }
    return copy;
}

/* The object at `key`, made where there is none. */
static json_t *within(json_t *object, const char *key)
{
    if (json_object_get(object, key) == NULL)
        json_object_set_new(object, key, json_object());
    return json_object_get(object, key);
}

void tr_keras_carry(json_t *carried, const char *part, const char *layer, const char *key,
                    const json_t *value)
{
    json_t *place = within(carried, part);
    if (layer != NULL)
        place = within(place, layer);
    json_object_set_new(place, key, without_nothing(value));
}

void tr_keras_add_carried(json_t *config, const json_t *carried, const char *part,
                          const char *layer)
{
    const json_t *place = json_object_get(carried, part);
    if (layer != NULL)
        place = json_object_get(place, layer);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)place, key, value)
        json_object_set_new(config, key, json_deep_copy(value));
}
