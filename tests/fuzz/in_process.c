/* in_process.c -- the fuzz targets' child process: none.
 *
 * Linked with --wrap for both functions of base/child.h that start one, so that what reads a file
 * is called here, under the eyes of the sanitizers, and costs no fork.
 */
#include "child.h"

#define SAME_TYPE(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

tr_status __wrap_tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job,
                             const char *path, tr_error *err);
tr_status __wrap_tr_in_child_reaching(const char *only_file,
                                      tr_status (*work)(void *job, tr_error *err), void *job,
                                      const char *path, tr_error *err);

_Static_assert(SAME_TYPE(__wrap_tr_in_child, tr_in_child) &&
                   SAME_TYPE(__wrap_tr_in_child_reaching, tr_in_child_reaching),
               "they are called in the place of child.h's");

tr_status __wrap_tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job,
                             const char *path, tr_error *err)
{
    (void)path;
    return work(job, err);
}

tr_status __wrap_tr_in_child_reaching(const char *only_file,
                                      tr_status (*work)(void *job, tr_error *err), void *job,
                                      const char *path, tr_error *err)
{
    (void)only_file;
    (void)path;
    return work(job, err);
}
