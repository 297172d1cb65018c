/* value.h -- the text of one value, checked against its key and converted. Shared inside
 * src/config; checkpoint/ turns values into JSON with it.
 */
#ifndef TR_VALUE_H
#define TR_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "section.h"

/* Converts the whole of `text` and stores it at key->offset of `fields`; false when it is not what
 * the key allows (`fields` is then unchanged). A TEXT stores `text` itself. */
bool tr_value_parse(const tr_key *key, const char *text, void *fields);

/* The value that was stored there, as a text that is the same for all ways to write it. NULL: out
 * of memory; tr_free(). */
char *tr_value_canonical(const tr_key *key, const void *fields);

/* What the key allows, to follow "must be": "an integer from 1 to 4096". Returns `text`. */
const char *tr_value_expected(const tr_key *key, char *text, size_t n);

/* CHOICE and CHOICES: the name that the first wrong word of `text` was perhaps meant to be. */
const char *tr_value_meant(const tr_key *key, const char *text);

/* ---- calls (call.c) ---- */

bool tr_call_parse(const tr_key *key, const char *text, tr_call *call);

/* The call, with all arguments in their order. NULL: out of memory; tr_free(). */
char *tr_call_canonical(const tr_key *key, const tr_call *call);

/* What the key allows: of the function that `text` names its arguments, else all functions. */
const char *tr_call_expected(const tr_key *key, const char *text, char *expected, size_t n);

/* The name that the one in `text` was perhaps meant to be. */
const char *tr_call_meant(const tr_key *key, const char *text);

/* "max_norm(max_value, axis)" */
const char *tr_call_signature(const tr_callable *function, char *text, size_t n);

/* The default of an argument, as tr_call has it. */
double tr_argument_default(const tr_key *argument);

#endif
