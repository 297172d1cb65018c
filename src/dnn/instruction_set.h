/* instruction_set.h -- [engine] isa, precision and kernels against what this CPU has; for dnn.c. */
#ifndef TR_INSTRUCTION_SET_H
#define TR_INSTRUCTION_SET_H

#include "dnn.h"

/* Limits oneDNN to config->isa, for the whole process. TR_ERR_CONFIG: the CPU does not have it, or
 * another limit was set before. */
tr_status tr_isa_limit(const tr_engine_config *config, tr_error *err);

/* TR_ERR_CONFIG: bfloat16 where oneDNN could only imitate it. */
tr_status tr_isa_check_precision(const tr_engine_config *config, tr_error *err);

/* Our own kernels that config->kernels and config->isa ask for; NULL: none. TR_ERR_CONFIG: they are
 * not there, or do not go together with the rest. */
tr_status tr_isa_own_kernels(const tr_kernels **own, const tr_engine_config *config, tr_error *err);

/* The best up to config->isa, whatever kernels are asked for; NULL: none. */
const tr_kernels *tr_isa_best_kernels(const tr_engine_config *config);

#endif
