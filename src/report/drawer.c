/* drawer.c -- see drawer.h. */
#include "drawer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "file.h"
#include "history_picture.h"
#include "mem.h"

enum { MOST_BYTES = 64 << 20, MOST_NAME = 128, WALL_FACTOR = 6, WAIT_FACTOR = 9 };

struct tr_drawer {
    int socket; /* -1: nobody draws any more */
    pid_t server;
    unsigned seconds;
};

/* The epochs follow. */
typedef struct request {
    tr_history history; /* without its pointers */
    char names[TR_MAX_METRICS][MOST_NAME];
} request;

/* The pictures follow. */
typedef struct answer {
    char undrawn[TR_UNDRAWN_MAX];
    size_t n[2];
} answer;

/* What the process that draws leaves for the one that waits for it. */
typedef struct easel {
    answer answer;
    unsigned char pictures[2][MOST_BYTES];
} easel;

static tr_status draw_both(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    TR_TRY(tr_history_draw_svg(history, &pictures[0], err));
    return tr_history_draw_png(history, &pictures[1], err);
}

const tr_drawing tr_history_drawing = {draw_both, 10};

/* ---- the socket ---- */

static bool send_all(int fd, const void *bytes, size_t n)
{
    const char *next = bytes;
    while (n > 0) {
        const ssize_t sent = send(fd, next, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        next += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* deadline: on tr_clock_s(); negative: none. */
static bool receive_all(int fd, void *bytes, size_t n, double deadline)
{
    char *next = bytes;
    while (n > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        const double left = deadline - tr_clock_s();
        if (deadline >= 0.0 && (left <= 0.0 || poll(&wait, 1, (int)(1e3 * left) + 1) == 0))
            return false;
        const ssize_t got = recv(fd, next, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got;
        n -= (size_t)got;
    }
    return true;
}

/* ---- the process that draws ---- */

static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_cur > most) {
        now.rlim_cur = most;
        setrlimit(resource, &now);
    }
}

/* On top of what the program has already mapped. A sanitizer maps terabytes. */
static void limit_memory(void)
{
#ifndef TR_SANITIZED
    enum { MORE = 512 << 20 };
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%ld", &pages) == 1)
        limit(RLIMIT_AS, (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MORE);
    if (file != NULL)
        fclose(file);
#endif
}

_Noreturn static void paint(const tr_drawing *drawing, const tr_history *history, easel *out)
{
    tr_cairo_bytes pictures[2] = {0};
    tr_error err = {0};
    tr_default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, drawing->seconds);
    limit_memory();
    alarm(WALL_FACTOR * drawing->seconds);
    tr_status status = drawing->draw(history, pictures, &err);
    for (int i = 0; i < 2 && status == TR_OK; i++) {
        if (pictures[i].n > MOST_BYTES) {
            status = tr_fail(&err, TR_ERR_INTERNAL, "the picture is larger than %d MB",
                             MOST_BYTES >> 20);
            break;
        }
        out->answer.n[i] = pictures[i].n;
        memcpy(out->pictures[i], pictures[i].bytes, pictures[i].n);
    }
    snprintf(out->answer.undrawn, sizeof out->answer.undrawn, "%.200s",
             status == TR_OK ? "" : err.text);
    _exit(0);
}

/* ---- the process that waits for histories ---- */

static void say_how_it_died(answer *out, int status)
{
    *out = (answer){0};
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM))
        snprintf(out->undrawn, sizeof out->undrawn, "the library that draws came to no end");
    else if (WIFSIGNALED(status))
        snprintf(out->undrawn, sizeof out->undrawn, "the library that draws crashed (signal %d)",
                 WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(out->undrawn, sizeof out->undrawn, "the library that draws ended the process (%d)",
                 WEXITSTATUS(status));
}

/* False: the run has ended, or nothing more can be drawn. */
static bool serve_one(int socket, const tr_drawing *drawing)
{
    request asked;
    if (!receive_all(socket, &asked, sizeof asked, -1.0))
        return false;
    tr_history *history = &asked.history;
    easel *out = tr_shared_alloc(1, sizeof *out);
    history->epochs = tr_alloc((size_t)history->n, sizeof *history->epochs);
    if (out == NULL || history->epochs == NULL ||
        !receive_all(socket, history->epochs, (size_t)history->n * sizeof *history->epochs, -1.0))
        return false;
    for (int i = 0; i < TR_MAX_METRICS; i++)
        history->names[i] = asked.names[i];
    const pid_t child = fork();
    int status = 0;
    if (child == 0)
        paint(drawing, history, out);
    if (child < 0)
        snprintf(out->answer.undrawn, TR_UNDRAWN_MAX, "a process that draws cannot be started");
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0)
        say_how_it_died(&out->answer, status);
    bool ok = send_all(socket, &out->answer, sizeof out->answer);
    for (int i = 0; i < 2 && out->answer.undrawn[0] == '\0'; i++)
        ok = ok && send_all(socket, out->pictures[i], out->answer.n[i]);
    tr_shared_free(out);
    tr_free(history->epochs);
    return ok;
}

/* It keeps nothing of the run's open: whoever reads our output waits for its end. */
_Noreturn static void serve(int socket, const tr_drawing *drawing, pid_t parent)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
        dup2(null, fd);
    while (serve_one(socket, drawing))
        continue;
    _exit(0);
}

/* ---- the run's side ---- */

tr_status tr_drawer_new(tr_drawer **out, const tr_drawing *drawing, tr_error *err)
{
    int ends[2];
    tr_drawer *drawer = tr_alloc(1, sizeof *drawer);
    if (drawer == NULL)
        return tr_out_of_memory(err, NULL);
    const pid_t parent = getpid();
    drawer->server = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        drawer->server = fork();
        if (drawer->server == 0) {
            close(ends[0]);
            serve(ends[1], drawing, parent);
        }
        close(ends[1]);
        if (drawer->server < 0)
            close(ends[0]);
    }
    drawer->socket = drawer->server < 0 ? -1 : ends[0];
    drawer->seconds = drawing->seconds;
    *out = drawer;
    return TR_OK;
}

static void give_up(tr_drawer *drawer)
{
    if (drawer->socket < 0)
        return;
    close(drawer->socket);
    drawer->socket = -1;
    kill(drawer->server, SIGKILL);
    while (waitpid(drawer->server, NULL, 0) < 0 && errno == EINTR)
        continue;
}

void tr_drawer_free(tr_drawer *drawer)
{
    if (drawer == NULL)
        return;
    give_up(drawer);
    tr_free(drawer);
}

static bool ask(const tr_drawer *drawer, const tr_history *history)
{
    request asked;
    memset(&asked, 0, sizeof asked);
    asked.history = *history;
    for (int i = 0; i < history->n_metrics; i++)
        snprintf(asked.names[i], MOST_NAME, "%s", history->names[i]);
    return send_all(drawer->socket, &asked, sizeof asked) &&
           send_all(drawer->socket, history->epochs, (size_t)history->n * sizeof *history->epochs);
}

static tr_status put(tr_drawer *drawer, const char *folder, const char *name, size_t n,
                     double deadline, char *undrawn, tr_error *err)
{
    void *bytes = tr_alloc(n, 1);
    char *path = tr_path_join(folder, name);
    tr_status status = TR_OK;
    if (bytes == NULL || path == NULL || !receive_all(drawer->socket, bytes, n, deadline)) {
        snprintf(undrawn, TR_UNDRAWN_MAX, "there is no memory for it");
        give_up(drawer); /* what it says from here on would be misunderstood */
    } else {
        status = tr_file_write(path, bytes, n, err);
    }
    tr_free(bytes);
    tr_free(path);
    return status;
}

tr_status tr_drawer_write(tr_drawer *drawer, const tr_history *history, const char *folder,
                          char undrawn[TR_UNDRAWN_MAX], tr_error *err)
{
    static const char *const names[2] = {"history.svg", "history.png"};
    const double deadline = tr_clock_s() + WAIT_FACTOR * (double)drawer->seconds;
    answer answered = {0};
    tr_status status = TR_OK;
    undrawn[0] = '\0';
    if (drawer->socket < 0 || !ask(drawer, history) ||
        !receive_all(drawer->socket, &answered, sizeof answered, deadline)) {
        snprintf(undrawn, TR_UNDRAWN_MAX, "the process that draws is gone");
        give_up(drawer);
        return TR_OK;
    }
    snprintf(undrawn, TR_UNDRAWN_MAX, "%.200s", answered.undrawn);
    for (int i = 0; i < 2 && status == TR_OK && undrawn[0] == '\0'; i++)
        status = put(drawer, folder, names[i], answered.n[i], deadline, undrawn, err);
    if (status != TR_OK)
        give_up(drawer); /* the second picture is still on its way */
    return status;
}
