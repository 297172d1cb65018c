/* machine.h -- the name of the machine that was measured. */
#ifndef TR_MACHINE_H
#define TR_MACHINE_H

#include <stddef.h>

/* The processor's own name, e.g. "AMD EPYC (family 26, model 2)"; "unknown" where the system does
 * not say. */
void tr_machine_cpu(char *text, size_t n);

#endif
