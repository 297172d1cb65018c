/* confine.c -- see confine.h. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files: Landlock, of Linux 5.13 ---- */

/* Where the kernel has none, the filter still keeps files from being written. */
static void allow_one(const char *path)
{
    const struct landlock_ruleset_attr rules = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                             LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE};
    const int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    const int file = open(path, O_PATH | O_CLOEXEC);
    struct stat info;
    if (set >= 0 && file >= 0 && fstat(file, &info) == 0) {
        const struct landlock_path_beneath_attr one = {
            .allowed_access = S_ISDIR(info.st_mode)
                                  ? LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_READ_FILE
                                  : LANDLOCK_ACCESS_FS_READ_FILE,
            .parent_fd = file};
        if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &one, 0) == 0 &&
            syscall(SYS_landlock_restrict_self, set, 0) != 0)
            errno = 0;
    }
    if (file >= 0)
        close(file);
    if (set >= 0)
        close(set);
}

/* ---- system calls: seccomp ---- */

/* All that memory, files that are only read, and the end of a process need. On ARM some of them do
 * not exist (open, stat): libseccomp allows numbers that no call has. */
static const int harmless[] = {SCMP_SYS(read),         SCMP_SYS(pread64),
                               SCMP_SYS(readv),        SCMP_SYS(preadv),
                               SCMP_SYS(lseek),        SCMP_SYS(close),
                               SCMP_SYS(fstat),        SCMP_SYS(stat),
                               SCMP_SYS(lstat),        SCMP_SYS(newfstatat),
                               SCMP_SYS(statx),        SCMP_SYS(access),
                               SCMP_SYS(faccessat),    SCMP_SYS(faccessat2),
                               SCMP_SYS(readlink),     SCMP_SYS(readlinkat),
                               SCMP_SYS(getcwd),       SCMP_SYS(fadvise64),
                               SCMP_SYS(fcntl),        SCMP_SYS(dup),
                               SCMP_SYS(munmap),       SCMP_SYS(mremap),
                               SCMP_SYS(mprotect),     SCMP_SYS(madvise),
                               SCMP_SYS(brk),          SCMP_SYS(futex),
                               SCMP_SYS(getrandom),    SCMP_SYS(sysinfo),
                               SCMP_SYS(uname),        SCMP_SYS(clock_gettime),
                               SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep),
                               SCMP_SYS(nanosleep),    SCMP_SYS(restart_syscall),
                               SCMP_SYS(time),         SCMP_SYS(sched_yield),
                               SCMP_SYS(getpid),       SCMP_SYS(gettid),
                               SCMP_SYS(getuid),       SCMP_SYS(geteuid),
                               SCMP_SYS(getgid),       SCMP_SYS(getegid),
                               SCMP_SYS(getrlimit),    SCMP_SYS(setrlimit),
                               SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
                               SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
                               SCMP_SYS(exit),         SCMP_SYS(exit_group)};

/* What is allowed only in a harmless form: opening to read, memory of its own (a shared mapping of
 * a file that it inherited open would write that file), writing to stderr (which is nowhere),
 * ending itself with a signal, limits of itself. */
static bool allow_forms(scmp_filter_ctx filter)
{
    const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_TYPE, MAP_PRIVATE)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                            SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                            SCMP_A0(SCMP_CMP_EQ, 0, 0)) == 0;
}

/* A refused call fails with EPERM, which libraries take for an error like others. */
static bool filter_calls(void)
{
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool fine = filter != NULL && allow_forms(filter);
    for (size_t i = 0; fine && i < sizeof harmless / sizeof harmless[0]; i++)
        fine = seccomp_rule_add(filter, SCMP_ACT_ALLOW, harmless[i], 0) == 0;
    fine = fine && seccomp_load(filter) == 0;
    if (filter != NULL)
        seccomp_release(filter);
    return fine;
}

bool tr_confine(const char *path)
{
#ifdef TR_SANITIZED /* their reports start programs and read /proc */
    (void)path, (void)allow_one, (void)filter_calls;
    return true;
#else
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    if (path != NULL)
        allow_one(path);
    return filter_calls();
#endif
}
