/* ini_file.c -- reading an INI file with inih, and seeing what inih does not say; see ini_file.h.
 *
 * inih asks a reader for each line. Ours counts the lines and judges each before inih sees it: what
 * inih would join or skip without a word becomes a problem, and inih gets an empty line in its
 * place. Sections are noted here, since inih has no event for an empty one; keys and values are
 * what inih makes of the remaining lines. Of a line longer than its buffer (200 bytes in Debian's)
 * it gets the key alone, and the value is taken here. The file is read whole before parsing, and
 * never written.
 */
#include "ini_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_internal.h"
#include "mem.h"

struct loader {
    tr_ini *ini;
    tr_problems *problems;
    const char *next, *end; /* what is left of the file */
    int line;               /* of the line that inih works on */
    const char
        *long_value; /* of that line, [n_long_value], where inih gets its key alone; or NULL */
    size_t n_long_value;
    bool has_section; /* whether any header came yet, also a wrong one */
    bool skips_keys;  /* the header above was wrong: its keys belong nowhere */
    bool awaits_key;  /* inih got a line that must give a key */
    bool no_memory;
};

/* ---- lines ---- */

static char first_mark(const char *text, size_t n)
{
    while (n > 0 && isspace((unsigned char)*text))
        text++, n--;
    return n == 0 ? '\0' : *text;
}

static void add_section(struct loader *loader, const char *name)
{
    if (loader->ini->n_sections == TR_INI_SECTIONS_MAX) {
        tr_problems_add(loader->problems, loader->line, "[%s]: more than %d sections", name,
                        TR_INI_SECTIONS_MAX);
        return;
    }
    const tr_section *first = tr_ini_find(loader->ini, name);
    if (first != NULL)
        tr_problems_add(loader->problems, loader->line,
                        "[%s]: a section of this name is already at line %d; join or rename them",
                        name, first->line);
    if (tr_ini_add(loader->ini, name, loader->line) == NULL)
        loader->no_memory = true;
    else
        loader->skips_keys = false;
}

/* A line that starts with '['. The name ends at the first ']', as in inih. */
static void take_header(struct loader *loader, const char *text, size_t n)
{
    char name[TR_INI_NAME_MAX + 1];
    const char *close = memchr(text, ']', n);
    for (const char *c = text + 1; close != NULL && c < close; c++)
        if (*c == ';' && isspace((unsigned char)c[-1]))
            close = NULL; /* what follows is a comment */
    if (close == NULL) {
        tr_problems_add(loader->problems, loader->line, "%.*s: the section's name has no ']'",
                        (int)n, text);
        return;
    }
    const size_t n_name = (size_t)(close - text) - 1;
    if (n_name == 0 || n_name > TR_INI_NAME_MAX) {
        tr_problems_add(loader->problems, loader->line,
                        "%.*s: a section's name must have 1 to %d characters, not %zu",
                        (int)n_name + 2, text, TR_INI_NAME_MAX, n_name);
        return;
    }
    memcpy(name, text + 1, n_name);
    name[n_name] = '\0';
    const char after = first_mark(close + 1, n - n_name - 2);
    if (after != '\0' && after != ';')
        tr_problems_add(loader->problems, loader->line,
                        "[%s]: text after the ']'; only a comment (;) may follow", name);
    add_section(loader, name);
}

/* Notes what is wrong with a line whatever it says; true when there is something. */
static bool is_flawed(struct loader *loader, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)text[i]) && text[i] != '\t') {
            tr_problems_add(loader->problems, loader->line,
                            "the line has a control character (0x%02x)", (unsigned char)text[i]);
            return true;
        }
    if (isblank((unsigned char)*text)) {
        tr_problems_add(loader->problems, loader->line,
                        "an indented line would continue the value above; start it at the margin");
        return true;
    }
    return false;
}

/* Whether the line is for inih: a key. A header is noted, and what is wrong with either. */
static bool accept_line(struct loader *loader, const char *text, size_t n)
{
    const char mark = first_mark(text, n);
    if (mark == '\0' || mark == ';' || mark == '#')
        return false;
    const bool flawed = is_flawed(loader, text, n);
    if (mark == '[') {
        loader->has_section = true;
        loader->skips_keys = true; /* until the header proves right */
        if (!flawed)
            take_header(loader, text, n);
        return false;
    }
    loader->awaits_key = !flawed;
    return !flawed;
}

/* A line longer than inih's buffer: how much of it inih gets, its key and the separator; 0 where no
 * key is to be seen within n_max characters. */
static size_t split_long_line(struct loader *loader, const char *text, size_t n, size_t n_max)
{
    size_t key = 0;
    while (key < n_max && text[key] != '=' && text[key] != ':')
        key++;
    if (key == n_max)
        return 0;
    loader->long_value = text + key + 1;
    loader->n_long_value = n - key - 1;
    return key + 1;
}

/* What inih makes of a value: without the comment behind it and the blanks around it. NULL: out of
 * memory. */
static char *copy_long_value(const char *text, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (text[i] == ';' && isspace((unsigned char)text[i - 1]))
            n = i;
    while (n > 0 && isspace((unsigned char)*text))
        text++, n--;
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    char *copy = tr_alloc(n + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

/* inih drops a line that is no pair and says so only for the first: its key never came. */
static void miss_key(struct loader *loader)
{
    if (loader->awaits_key)
        tr_problems_add(loader->problems, loader->line,
                        "the line is neither a comment nor [section] nor key = value");
    loader->awaits_key = false;
}

/* The reader that inih calls, with the contract of fgets. */
static char *read_line(char *buffer, int buffer_bytes, void *user)
{
    struct loader *loader = user;
    miss_key(loader);
    if (loader->next == loader->end || loader->no_memory || buffer_bytes < 2)
        return NULL;

    const char *text = loader->next;
    const char *newline = memchr(text, '\n', (size_t)(loader->end - text));
    size_t n = (size_t)((newline == NULL ? loader->end : newline) - text);
    loader->next = newline == NULL ? loader->end : newline + 1;
    loader->line++;
    if (n > 0 && text[n - 1] == '\r')
        n--;
    if (loader->line == 1 && n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3, n -= 3; /* the mark that some editors put before UTF-8 */

    /* A line that fills its buffer is for inih the beginning of a longer one, and since release 58
     * it reads on and drops what comes: one character stays free. */
    const size_t n_max = (size_t)buffer_bytes - 2;
    loader->long_value = NULL;
    if (!accept_line(loader, text, n))
        n = 0;
    else if (n > n_max)
        n = split_long_line(loader, text, n, n_max);
    memcpy(buffer, text, n);
    buffer[n] = '\0';
    return buffer;
}

/* ---- keys ---- */

static void add_key(struct loader *loader, const char *key, const char *value)
{
    tr_ini *ini = loader->ini;
    if (!loader->has_section) {
        tr_problems_add(loader->problems, loader->line, "%s = %s: stands before any [section]", key,
                        value);
        return;
    }
    if (loader->skips_keys)
        return;

    tr_section *section = &ini->sections[ini->n_sections - 1];
    const char *flaw = tr_ini_value_flaw(value);
    const tr_entry *first = tr_section_find(section, key);
    if (*key == '\0')
        tr_problems_add(loader->problems, loader->line, "[%s] = %s: the key has no name",
                        section->name, value);
    else if (first != NULL)
        tr_problems_add(loader->problems, loader->line,
                        "[%s] %s: given twice, first at line %d; remove one", section->name, key,
                        first->line);
    else if (flaw != NULL)
        tr_problems_add(loader->problems, loader->line, "[%s] %s = %s: the value %s", section->name,
                        key, value, flaw);
    else if (section->n_entries == TR_INI_KEYS_MAX)
        tr_problems_add(loader->problems, loader->line, "[%s] %s: more than %d keys in a section",
                        section->name, key, TR_INI_KEYS_MAX);
    if (*key == '\0' || first != NULL || section->n_entries == TR_INI_KEYS_MAX)
        return;
    /* A flawed value is kept, so that its key does not count as missing as well. */
    loader->no_memory |= !tr_section_add(section, key, value, loader->line, false);
}

static int take_key(void *user, const char *section_name, const char *key, const char *value)
{
    struct loader *loader = user;
    (void)section_name; /* inih never sees a header */
    loader->awaits_key = false;
    if (loader->long_value == NULL) {
        add_key(loader, key, value);
        return 1;
    }
    char *whole = copy_long_value(loader->long_value, loader->n_long_value);
    if (whole == NULL)
        loader->no_memory = true;
    else
        add_key(loader, key, whole);
    tr_free(whole);
    return 1;
}

/* ---- the file ---- */

/* Reads up to one byte more than is allowed. False: out of memory. */
static bool read_stream(FILE *file, char **bytes, size_t *n)
{
    size_t capacity = 0;
    do {
        const size_t larger = capacity == 0 ? 8192 : 2 * capacity;
        char *grown = tr_realloc(*bytes, capacity, larger, 1);
        if (grown == NULL)
            return false;
        *bytes = grown;
        capacity = larger;
        *n += fread(*bytes + *n, 1, capacity - *n, file);
    } while (*n == capacity && *n <= TR_INI_BYTES_MAX);
    return true;
}

/* A pipe may be a configuration (a shell's <(...)), but one that nobody writes to would be waited
 * for without end. NULL: errno. */
static FILE *open_stream(const char *path)
{
    enum { PATIENCE_MS = 3000 };
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    struct pollfd first = {.fd = fd, .events = POLLIN};
    FILE *file = NULL;
    if (fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode) && poll(&first, 1, PATIENCE_MS) == 0)
        errno = ETIMEDOUT;
    else if (fcntl(fd, F_SETFL, 0) == 0)
        file = fdopen(fd, "rb");
    if (file == NULL) {
        const int cause = errno;
        close(fd);
        errno = cause;
    }
    return file;
}

static tr_status read_whole(const char *path, char **out, size_t *out_n, tr_error *err)
{
    tr_status status = TR_OK;
    char *bytes = NULL;
    size_t n = 0;
    FILE *file = open_stream(path);
    const bool has_room = file == NULL || read_stream(file, &bytes, &n);
    if (!has_room)
        status = tr_out_of_memory(err, path);
    else if (file == NULL || ferror(file))
        status = tr_fail(err, TR_ERR_CONFIG,
                         "%s: cannot read the configuration: %s; give an INI file with -c FILE "
                         "(an example is configs/mnist.ini)",
                         path, strerror(errno));
    else if (n > TR_INI_BYTES_MAX)
        status = tr_fail(err, TR_ERR_CONFIG,
                         "%s: larger than %d bytes: this is not a configuration; give the INI file "
                         "with -c FILE (the dataset is named in it: [data] file)",
                         path, TR_INI_BYTES_MAX);
    if (file != NULL)
        fclose(file);
    if (status != TR_OK) {
        tr_free(bytes);
        return status;
    }
    *out = bytes;
    *out_n = n;
    return TR_OK;
}

static bool parse(struct loader *loader)
{
    const int failed_line = ini_parse_stream(read_line, loader, take_key, loader);
    miss_key(loader);
    if (failed_line > 0 && tr_problems_count(loader->problems) == 0)
        tr_problems_add(loader->problems, failed_line, "the line is not understood");
    return failed_line != -2 && !loader->no_memory;
}

tr_status tr_ini_parse(tr_ini **out, const char *name, const char *text, size_t n,
                       const char *const *overrides, size_t n_overrides, tr_problems *problems,
                       tr_error *err)
{
    if (memchr(text, '\0', n) != NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: has a NUL byte: this is not a text file (or one in UTF-16: save it as "
                       "UTF-8)",
                       name);
    tr_ini *ini = tr_alloc(1, sizeof *ini);
    if (ini == NULL)
        goto no_memory;
    ini->path = tr_strdup(name);
    if (ini->path == NULL)
        goto no_memory;
    struct loader loader = {.ini = ini, .problems = problems, .next = text, .end = text + n};
    if (!parse(&loader))
        goto no_memory;
    for (size_t i = 0; i < n_overrides; i++)
        if (!tr_ini_override(ini, overrides[i], problems))
            goto no_memory;
    tr_problems_end_syntax(problems);
    *out = ini;
    return TR_OK;

no_memory:
    tr_ini_free(ini);
    return tr_out_of_memory(err, name);
}

tr_status tr_ini_load(tr_ini **out, const char *path, const char *const *overrides,
                      size_t n_overrides, tr_problems *problems, tr_error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    tr_status status = read_whole(path, &bytes, &n, err);
    if (status == TR_OK)
        status = tr_ini_parse(out, path, bytes, n, overrides, n_overrides, problems, err);
    tr_free(bytes);
    return status;
}
