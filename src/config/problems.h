/* problems.h -- every mistake of a configuration, collected, so that one run reports them all. */
#ifndef TR_PROBLEMS_H
#define TR_PROBLEMS_H

#include <stddef.h>

#include "trainer/status.h"

typedef struct tr_problems tr_problems;

/* `path` names the file in the messages; it is copied. NULL: no memory. */
tr_problems *tr_problems_new(const char *path);
void tr_problems_free(tr_problems *problems);
const char *tr_problems_path(const tr_problems *problems);

/* Records one mistake at `line` of the file. Line 0: not tied to a line of the file (a --set
 * override or a missing section); the text is then reported without "path:line: " before it and
 * says itself what it is about. Control characters are shown as '?': a problem is one line. */
void tr_problems_add(tr_problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records that memory ran out while checking: the list is then not complete, it counts as not empty
 * and tr_problems_check() returns TR_ERR_INTERNAL. tr_problems_add() does this by itself. */
void tr_problems_no_memory(tr_problems *problems);

/* What is wrong with the form of the file is recorded, and what follows comes behind it in the
 * list: a key that is missing because its line is damaged must not stand before the damaged line.
 */
void tr_problems_end_syntax(tr_problems *problems);

size_t tr_problems_count(const tr_problems *problems);

/* TR_OK when there are none; else TR_ERR_CONFIG and all of them, in line order but for those of the
 * form, which come first, one a line, as
 * "path:line: text", and a last line with their number when there is more than one (which also
 * says so when *err has no room for all). TR_ERR_INTERNAL after tr_problems_no_memory(). */
tr_status tr_problems_check(const tr_problems *problems, tr_error *err);

/* The entry of `names` (NULL-terminated) nearest to `word` by edit distance (case-insensitive,
 * '-' equals '_', two swapped neighbours are one edit), or NULL when none is near: more edits than
 * a third of the longer word (but 2 are always fine), or nothing in common. The first wins a tie.
 * For "did you mean". */
const char *tr_nearest_name(const char *word, const char *const *names);

/* "a, b, c" from a NULL-terminated list, cut with "..." when it does not fit n bytes.
 * TR_NAMES_MAX has room for those of any table (tests/cli/test_cli.c looks). */
enum { TR_NAMES_MAX = 1024 };
const char *tr_join_names(const char *const *names, char *text, size_t n);

#endif
