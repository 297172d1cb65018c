/* in_process.c -- the fuzz targets' child process: none.
 *
 * Linked with --wrap=tr_in_child, so that what reads a file is called here, under the eyes of the
 * sanitizers, and costs no fork.
 */
#include "child.h"

tr_status __wrap_tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job,
                             const char *path, tr_error *err);

tr_status __wrap_tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job,
                             const char *path, tr_error *err)
{
    (void)path;
    return work(job, err);
}
