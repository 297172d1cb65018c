/* utf8.c -- see utf8.h. Widths are the C library's (wcwidth() in the locale C.UTF-8, whatever that
 * of the user is); where it has no such locale a character counts one column. */
#include "utf8.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* The bytes of the character that `text` begins with and its number; 0: it is no UTF-8 (too long a
 * form, a surrogate and what is beyond U+10FFFF are none either). */
static size_t decode(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    const size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n == 0 || s[0] > 0xf4)
        return 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) /* the text's end, too */
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        return 0;
    *character = c;
    return n;
}

static bool is_harmless(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x2028 && c != 0x2029 &&
           !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

void tr_utf8_clean(char *dst, size_t n, const char *text)
{
    size_t used = 0;
    while (*text != '\0') {
        uint32_t c = 0;
        const size_t bytes = decode(text, &c);
        const bool keep = bytes > 0 && is_harmless(c);
        const size_t wanted = keep ? bytes : 1;
        if (used + wanted >= n)
            break;
        memcpy(dst + used, keep ? text : "?", wanted);
        used += wanted;
        text += bytes == 0 ? 1 : bytes;
    }
    dst[used] = '\0';
}

static size_t width_of(uint32_t c)
{
    const int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

/* Walks over the text until it ends or takes more than `most` columns. */
static size_t walk(const char *text, size_t most, size_t *bytes)
{
    size_t plain = 0;
    while (plain < most && (unsigned char)text[plain] >= ' ' && (unsigned char)text[plain] < 0x7f)
        plain++;
    *bytes = plain;
    if (plain == most || text[plain] == '\0')
        return plain; /* nothing but ASCII: most texts */
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    const locale_t before = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
    size_t columns = 0;
    *bytes = 0;
    while (text[*bytes] != '\0') {
        uint32_t c = 0;
        const size_t n = decode(text + *bytes, &c);
        const size_t width = n == 0 ? 1 : width_of(c);
        if (columns + width > most)
            break;
        columns += width;
        *bytes += n == 0 ? 1 : n;
    }
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    return columns;
}

size_t tr_utf8_columns(const char *text)
{
    size_t bytes;
    return walk(text, SIZE_MAX, &bytes);
}

size_t tr_utf8_fitting(const char *text, size_t columns)
{
    size_t bytes;
    walk(text, columns, &bytes);
    return bytes;
}
