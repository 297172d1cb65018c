/* memory.h -- giving back the texts and arrays that a function of these headers hands over. */
#ifndef TRAINER_MEMORY_H
#define TRAINER_MEMORY_H

void tr_free(void *block); /* NULL is fine */

#endif
