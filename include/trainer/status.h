/* status.h -- the one error type of libtrainer.
 *
 * A fallible function returns `tr_status`; where a human will read the cause it also takes a
 * caller-owned `tr_error *` and fills it through tr_fail(). The library never prints and never
 * exits: only src/cli does. The values of tr_status are the exit codes of the program, so the
 * kind of a failure travels unchanged from the place where it happened to the shell.
 */
#ifndef TRAINER_STATUS_H
#define TRAINER_STATUS_H

/* On the type, so that it holds for every function that returns it; (void) says that the cause does
 * not matter here. */
#if defined(__clang__)
#define TR_NOT_TO_BE_IGNORED __attribute__((warn_unused_result))
#elif defined(__GNUC__) && __GNUC__ >= 10
#define TR_NOT_TO_BE_IGNORED [[nodiscard]]
#else
#define TR_NOT_TO_BE_IGNORED
#endif

/* __extension__: C17 and C++ before 11 do not know [[...]], the compiler does. */
__extension__ typedef enum TR_NOT_TO_BE_IGNORED tr_status {
    TR_OK = 0,
    TR_ERR_INTERNAL = 1,  /* out of memory, or oneDNN refused what we asked of it */
    TR_ERR_CONFIG = 2,    /* command line or configuration file */
    TR_ERR_DATA = 3,      /* dataset missing, corrupt, or not what the configuration says */
    TR_ERR_NUMERIC = 4,   /* NaN or infinity during training */
    TR_ERR_IO = 5,        /* an output could not be written */
    TR_HUNG_UP = 129,     /* SIGHUP, after the checkpoint was saved */
    TR_INTERRUPTED = 130, /* SIGINT, likewise */
    TR_TERMINATED = 143   /* SIGTERM, likewise */
} tr_status;

/* What went wrong, for a human: what, where, the value, what was expected, what to do. */
typedef struct tr_error {
    tr_status status;
    char text[8192];
} tr_error;

/* Fills *err (may be NULL) and returns `status`, so that a failing function ends in one line. */
tr_status tr_fail(tr_error *err, tr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* TR_ERR_INTERNAL: no memory for the work on `whose`, a file or a layer; NULL: on nothing that has
 * a name. */
tr_status tr_out_of_memory(tr_error *err, const char *whose);

/* Leaves the current function with the status of `call` unless it is TR_OK. */
#define TR_TRY(call)                                                                               \
    do {                                                                                           \
        const tr_status tr_try_status_ = (call);                                                   \
        if (tr_try_status_ != TR_OK)                                                               \
            return tr_try_status_;                                                                 \
    } while (0)

#endif
