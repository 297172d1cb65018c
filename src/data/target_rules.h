/* target_rules.h -- whether targets fit what the network was made for. */
#ifndef TR_TARGET_RULES_H
#define TR_TARGET_RULES_H

#include "trainer/dataset.h"

/* `text`: path and name of their array, for messages. TR_ERR_DATA: the first that does not fit. */
tr_status tr_targets_check_rules(const char *const text[2], const tr_samples *samples,
                                 const tr_target_rules *rules, tr_error *err);

#endif
