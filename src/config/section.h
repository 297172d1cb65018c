/* section.h -- one [section] of the INI file, and the one way to read it: against a table of keys.
 *
 * The table is the grammar: it checks, converts, documents and fills in defaults, so a key that is
 * accepted always has an effect and everything else is a problem with its line.
 * Layers, losses and optimizers declare their own tables; nobody parses a number by hand.
 */
#ifndef TR_SECTION_H
#define TR_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problems.h"

/* A number written as a fraction, kept as two parts so that x * num / den rounds once, as NumPy's
 * x / 255 does. "0.5" is {0.5, 1}. */
typedef struct tr_ratio {
    double num, den;
} tr_ratio;

enum { TR_REALS_MAX = 1000 };
typedef struct tr_reals {
    int n;
    double values[TR_REALS_MAX];
} tr_reals;

typedef enum tr_key_kind {
    TR_KEY_INT,     /* int64_t; decimal only */
    TR_KEY_REAL,    /* double; no nan, inf, hex */
    TR_KEY_RATIO,   /* tr_ratio; "a" or "a/b", b != 0 */
    TR_KEY_BOOL,    /* bool; true|false|yes|no|on|off|1|0, as Python's configparser reads it */
    TR_KEY_CHOICE,  /* int: index into `choices` */
    TR_KEY_CHOICES, /* unsigned: bit i set for choices[i]; comma-separated, no repeats, "" = none */
    TR_KEY_TEXT,    /* const char *, owned by the section; not empty unless fallback is "" */
    TR_KEY_WORDS,   /* const char *, like TEXT: comma-separated words of letters, digits, _ and /;
                     * "" = none */
    TR_KEY_INTS,    /* int64_t[count]; comma-separated; for count 2 a single value means both,
                     * as in Keras's kernel_size=3; for count 4, two sides of each of two, one
                     * value means all and two mean both sides of the first and of the second; with
                     * `vector_max` a single value is the last of them, behind zeros */
    TR_KEY_REALS,   /* tr_reals; comma-separated, at least one; the range is that of each */
    TR_KEY_CALL     /* tr_call: a row of `functions` with arguments, as Python writes it: "l2",
                     * "l2(0.01)", "max_norm(max_value=3, axis=[0, 1, 2])" */
} tr_key_kind;

/* What a CALL was read as. */
enum { TR_MAX_ARGUMENTS = 4 };
typedef struct tr_call {
    int function;                       /* row of the key's table */
    double arguments[TR_MAX_ARGUMENTS]; /* in the order of its row; CHOICE: index, CHOICES: bits */
} tr_call;

typedef struct tr_key {
    const char *name;
    tr_key_kind kind;
    size_t offset;              /* of the value in the struct that tr_section_read fills */
    const char *fallback;       /* the default, as text; NULL: the key is required */
    double min, max;            /* numbers: inclusive range; both 0: any */
    bool above_min, below_max;  /* the range excludes that end: (min, or max) */
    const char *const *choices; /* CHOICE, CHOICES: NULL-terminated */
    int count;                  /* INTS */
    double vector_max;          /* INTS: a single integer, of at most that, is allowed; or 0 */
    bool constants;             /* REALS: each may be a fraction; one alone is no list in Keras */
    bool whole;                 /* REALS: integers in Keras's files */
    bool twice;                 /* REALS: one alone is two in Keras's files */
    /* CALL: ends in a row without a name */
    const struct tr_callable *functions;
    const char *zero_word; /* INT, REAL, CHOICES: a word that means 0, as "auto", "none"; or NULL */
    bool ours;             /* Keras does not have it, and is not told */
    bool young;            /* older Kerases do not have it, and are not told of its default */
    bool optional;         /* may be absent without a default: the field stays as it was */
    const char *doc;       /* one line for `trainer help` */
} tr_key;

/* A function that a CALL may name. Its arguments have rows like keys, of kind INT, REAL, CHOICE or
 * CHOICES (a list in brackets), whose offset says nothing; each has a fallback. */
typedef struct tr_callable {
    const char *name;
    const char *instead; /* what Keras, which does not have it, is told; NULL: Keras has it */
    const tr_key *arguments;
    size_t n_arguments;
    const char *doc; /* one line for `trainer help` */
} tr_callable;

typedef struct tr_entry {
    char *key, *value;
    char *canonical; /* what it was read as, the same for all ways to write it; NULL: not read */
    int line;        /* 0: from --set, or a default */
    bool is_default; /* filled in by tr_section_read */
    bool is_implied; /* a default that the effective configuration does not spell out */
} tr_entry;

typedef struct tr_section {
    char *name; /* without the brackets, e.g. "layer.conv1" */
    int line;   /* of its header; 0: only --set named it */
    tr_entry *entries;
    size_t n_entries;
} tr_section;

/* The row of a table of keys, or NULL. */
const tr_key *tr_key_find(const tr_key *keys, size_t n_keys, const char *name);

/* The entry of that key, or NULL; borrowed from the section. */
const tr_entry *tr_section_find(const tr_section *section, const char *key);

/* The line of a key, or of the section when the key is absent: where to report a problem. */
int tr_section_line(const tr_section *section, const char *key);

/* Reads the whole section against `keys` into `fields`. Every unknown key, missing required key,
 * bad or out-of-range value becomes a problem (with allowed values and the nearest known name);
 * absent keys take their fallback, which is also added to the section as an entry with is_default,
 * so that the effective configuration can be written out. True when the section had no problem. */
bool tr_section_read(tr_section *section, const tr_key *keys, size_t n_keys, void *fields,
                     tr_problems *problems);

/* Reports that the value of `key` names no row of a table: "unknown <kind>", the nearest of `names`
 * (NULL-terminated), all of them. For tables that live above this folder: layers, losses, ... */
void tr_section_unknown(const tr_section *section, const char *key, const char *kind,
                        const char *const *names, tr_problems *problems);

/* Before tr_section_read(): reports the key, where it stands, for a reason that says more than
 * "unknown key", and takes it out of the section. */
void tr_section_refuse(tr_section *section, const char *key, const char *why,
                       tr_problems *problems);

/* Says what a TEXT that names a row of such a table was read as: the row's own name, for an alias,
 * too. False: out of memory. */
bool tr_section_set_canonical(tr_section *section, const char *key, const char *canonical);

/* Adds `key = value` as a default when the key is absent (for defaults that depend on other keys,
 * e.g. strides = pool_size). False: out of memory. */
bool tr_section_default(tr_section *section, const char *key, const char *value);

/* The same for what a reader takes for granted, and whoever compares configurations must know. */
bool tr_section_imply(tr_section *section, const char *key, const char *value);

#endif
