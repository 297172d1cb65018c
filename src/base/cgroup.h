/* cgroup.h -- the control groups that this process is in, of either version, from files that may be
 * missing, or in a container may be anything: what is absent or does not say what it should does
 * not count, and nothing here fails or allocates.
 */
#ifndef TR_CGROUP_H
#define TR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls visit(user, folder, version) for the groups of `controller` ("cpu", "memory") and all above
 * them, each of which limits what is below it; version 1 or 2. `root` is "" but in tests. */
typedef void tr_cgroup_visitor(void *user, const char *folder, int version);
void tr_cgroup_visit(const char *root, const char *controller, tr_cgroup_visitor *visit,
                     void *user);

/* The whole file whose path `format` makes, as a string; false when it cannot be read or is longer
 * than the n - 1 bytes there is room for. */
bool tr_small_file_read(char *text, size_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A number of digits alone at *at, which then points behind it. No sign: what is negative in these
 * files means "none". */
bool tr_digits_take(const char **at, int64_t *value);

/* Nothing but white space is left. */
bool tr_text_ends(const char *at);

#endif
