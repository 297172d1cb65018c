/* config_keys.h -- the key table of each section, for `trainer help config`. */
#ifndef TR_CONFIG_KEYS_H
#define TR_CONFIG_KEYS_H

#include "section.h"

/* Sections without keys are read elsewhere: by layers, losses, optimizers. */
typedef struct tr_config_section {
    const char *name, *doc;
    const tr_key *keys;
    size_t n_keys;
    size_t on; /* 0: it is always read, if need be all defaults; else it may be absent, and here is
                * the offset in a tr_config of the bool that says that it is there */
} tr_config_section;

enum { TR_CONFIG_SECTIONS = 32 }; /* at most */

/* In the order in which absent ones are appended to the effective configuration. Ends in a row
 * without a name. */
extern const tr_config_section tr_config_sections[];

#endif
