/* cgroup.c -- see cgroup.h. */
#include "cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CGROUPS_MAX_BYTES = 16384 }; /* /proc/self/cgroup: a dozen lines, each with a path */

/* ---- texts ---- */

bool tr_small_file_read(char *text, size_t n, const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t filled = 0;
    ssize_t got = 0;
    while (filled < n && (got = read(fd, text + filled, n - filled)) > 0)
        filled += (size_t)got;
    close(fd);
    if (filled == n || got < 0)
        return false;
    text[filled] = '\0';
    return true;
}

bool tr_digits_take(const char **at, int64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *value = strtoll(*at, &end, 10);
    *at = end;
    return errno == 0;
}

bool tr_text_ends(const char *at)
{
    return at[strspn(at, " \t\n")] == '\0';
}

/* ---- groups ---- */

/* In a container the path may be the host's: what is missing does not count, and the way up ends at
 * the mount's root, which is the container's own group there. */
static void go_upward(const char *root, const char *mount, const char *path, int version,
                      tr_cgroup_visitor *visit, void *user)
{
    char folder[PATH_MAX];
    const int base = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, mount);
    if (base < 0 || (size_t)base >= sizeof folder)
        return;
    /* "/../x" is a group outside of what this process may see. */
    if (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
        path = "";
    const size_t length = strlen(path);
    if (length < sizeof folder - (size_t)base)
        memcpy(folder + base, path, length + 1);
    for (;;) {
        visit(user, folder, version);
        char *slash = strrchr(folder + base, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool is_among(char *controllers, const char *controller)
{
    char *rest;
    for (char *name = strtok_r(controllers, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        if (strcmp(name, controller) == 0)
            return true;
    return false;
}

/* A controller may be mounted together with others. */
static void visit_v1(const char *root, const char *controller, const char *path,
                     tr_cgroup_visitor *visit, void *user)
{
    static const char *const mounts[][2] = {{"/", ""}, {"/", ",cpuacct"}, {"/cpuacct,", ""}};
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        char mount[64];
        snprintf(mount, sizeof mount, "%s%s%s", mounts[i][0], controller, mounts[i][1]);
        go_upward(root, mount, path, 1, visit, user);
    }
}

/* Lines are "id:controllers:/path", and v2's "0::/path". Both can be there at once. */
void tr_cgroup_visit(const char *root, const char *controller, tr_cgroup_visitor *visit, void *user)
{
    char text[CGROUPS_MAX_BYTES], *rest;
    if (!tr_small_file_read(text, sizeof text, "%s/proc/self/cgroup", root))
        return;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(++controllers, ':');
        if (path == NULL || path[1] != '/')
            continue;
        *path++ = '\0';
        if (*controllers == '\0') {
            go_upward(root, "", path, 2, visit, user);
            go_upward(root, "/unified", path, 2, visit, user);
        } else if (is_among(controllers, controller)) {
            visit_v1(root, controller, path, visit, user);
        }
    }
}
