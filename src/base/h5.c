/* h5.c -- handles and error texts of HDF5; see h5.h. */
#include "h5.h"

#include <stdio.h>

const char tr_h5_no_memory[] = "out of memory";

void tr_h5_quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* Each successful call clears HDF5's errors; what is closed after a failure must not. */
void tr_h5_close(hid_t id)
{
    const hid_t errors = H5Eget_current_stack();
    if (id >= 0 && H5Iis_valid(id) > 0)
        H5Idec_ref(id);
    if (errors >= 0)
        H5Eset_current_stack(errors);
}

struct cause {
    char *text;
    size_t n;
};

/* H5Ewalk visitor; upward, so the first message seen is the innermost and most telling one. */
static herr_t keep_first(unsigned position, const H5E_error2_t *entry, void *user)
{
    struct cause *cause = user;
    if (position == 0 && entry->desc != NULL)
        snprintf(cause->text, cause->n, "%s", entry->desc);
    return 0;
}

void tr_h5_cause(char *text, size_t n)
{
    snprintf(text, n, "unknown HDF5 error");
    struct cause cause = {text, n};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &cause);
}
