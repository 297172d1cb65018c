/* status.c -- filling a tr_error; see trainer/status.h for the contract. */
#include "trainer/status.h"

#include <stdarg.h>
#include <stdio.h>

tr_status tr_fail(tr_error *err, tr_status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

tr_status tr_out_of_memory(tr_error *err, const char *whose)
{
    return tr_fail(err, TR_ERR_INTERNAL, "%s%sout of memory", whose == NULL ? "" : whose,
                   whose == NULL ? "" : ": ");
}
