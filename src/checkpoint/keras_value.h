/* keras_value.h -- single names and values of Keras's JSON in the spelling of an INI file.
 *
 * The inverse of what keras_json.c writes: a key's table says how its value is written.
 */
#ifndef TR_KERAS_VALUE_H
#define TR_KERAS_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "section.h"

enum { TR_KERAS_TEXT = 256 }; /* more than a line of an INI file */

/* The value as the text that `key` takes, checked against it. False: it is not what the key allows;
 * `text` then says in JSON what it was. */
bool tr_keras_value(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT]);

/* The value as JSON, for messages; cut where it is long. Returns `text`. */
const char *tr_keras_shown(const json_t *value, char text[TR_KERAS_TEXT]);

/* Equal in meaning: 1 and 1.0, 3 and [3], numbers up to float32's rounding. */
bool tr_keras_same(const json_t *a, const json_t *b);

/* Keras's to_snake_case(): Conv2D -> conv2d, MaxPooling2D -> max_pooling2d, ReLU -> re_lu. */
void tr_keras_snake_case(const char *class_name, char *text, size_t n);

/* The name of a class without what registering puts before it: "Custom>Adam" -> Adam. */
const char *tr_keras_bare_name(const char *class_name);

/* A name of letters, digits and _ of at most `most` characters, the first a letter. */
void tr_keras_clean_name(const char *name, size_t most, char *text);

#endif
