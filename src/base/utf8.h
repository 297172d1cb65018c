/* utf8.h -- names out of somebody's file as text that a terminal, a table or a JSON file can show.
 */
#ifndef TR_UTF8_H
#define TR_UTF8_H

#include <stddef.h>

/* Copies a text to dst[n], cut at a character's end. What is no UTF-8, moves the cursor, changes
 * the terminal or turns the direction of what follows (control characters, U+202A to U+202E, U+2066
 * to U+2069, line and paragraph separators) becomes one '?' each. */
void tr_utf8_clean(char *dst, size_t n, const char *text);

/* Columns that a clean text takes on a terminal: of an East Asian character two, of one that is
 * drawn over the one before none. Other bytes count one each. */
size_t tr_utf8_columns(const char *text);

/* Bytes of the longest beginning of a clean text that takes at most so many columns. */
size_t tr_utf8_fitting(const char *text, size_t columns);

#endif
