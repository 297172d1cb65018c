/* bandwidth.h -- the most that a core moves between its registers and memory or caches, measured.
 */
#ifndef TR_BANDWIDTH_H
#define TR_BANDWIDTH_H

#include <stddef.h>

/* GB/s of one thread. 0: not measured. */
typedef struct tr_bandwidth {
    double read, fill;
    double copy; /* what is read and what is written, together */
} tr_bandwidth;

/* Goes over `memory`, a multiple of 256 bytes, again and again, about `ms` milliseconds for each of
 * the three: so few bytes stay in the cache that holds them. What is there is overwritten. */
tr_bandwidth tr_bandwidth_of(void *memory, size_t bytes, double ms);

/* Microseconds that so many bytes take at least: as much as possible of them is copied, the rest
 * read or filled. 0: not measured. */
double tr_bandwidth_us(const tr_bandwidth *of, double read_bytes, double written_bytes);

#endif
