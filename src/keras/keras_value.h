/* keras_value.h -- single names and values of Keras's JSON in the spelling of an INI file.
 *
 * The inverse of what keras_json.c writes: a key's table says how its value is written.
 */
#ifndef TR_KERAS_VALUE_H
#define TR_KERAS_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "section.h"

enum { TR_KERAS_TEXT = 256 }; /* more than a line of an INI file */

/* The value as the text that `key` takes, checked against it. False: it is not what the key allows;
 * `text` then says in JSON what it was. */
bool tr_keras_value(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT]);

/* The value as JSON, for messages; cut where it is long. Returns `text`. */
const char *tr_keras_shown(const json_t *value, char text[TR_KERAS_TEXT]);

/* Writes the keys of a table that the object has and takes them out of it; what stays has a value
 * that does not go, or no key. The head of *section comes with its first key, and *section is then
 * NULL. */
void tr_keras_take_keys(FILE *ini, const char **section, json_t *config, const tr_key *keys,
                        size_t n_keys);

/* The function that it is, in snake case: "mse", {"class_name": "MeanSquaredError"}, and wrappers
 * of a function "fn". "": not told. */
void tr_keras_function_name(const json_t *value, char name[TR_KERAS_TEXT]);

/* Equal in meaning: 1 and 1.0, 3 and [3], numbers up to float32's rounding. */
bool tr_keras_same(const json_t *a, const json_t *b);

#endif
