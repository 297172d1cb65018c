/* memory.h -- giving back what the library gave: texts and arrays of trainer/ headers that say so. */
#ifndef TRAINER_MEMORY_H
#define TRAINER_MEMORY_H

void tr_free(void *block); /* NULL is fine */

#endif
