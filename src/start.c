/* start.c -- the program's first instructions: signals wait from here on.
 *
 * The loader needs 3 to 7 ms for oneDNN, HDF5 and cairo, and a signal in that time would end a run
 * that is just starting: SIGUSR1, which only asks it to save, too. No code of ours could run
 * earlier in the same program, since libraries come first. So this one, which needs none, blocks
 * the signals and becomes the program proper (libexec/trainer beside it; main.c); what is blocked
 * stays so through exec, and what came waits. cli/signals.c answers.
 *
 * Even a static C library takes 0.3 ms until it calls main(). So where we know how, execution
 * begins with tr_start below (CMake names it to the linker): the one system call, and then the C
 * library's own beginning, which finds stack and registers as the kernel left them.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "held_signals.h"

/* rt_sigprocmask(SIG_BLOCK, the held signals, NULL, 8 bytes of them) */
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define NUMBER(name, value) ".equ " #name ", " TEXT(value) "\n"
#define BIT(signal) " | 1 << (" TEXT(signal) " - 1)"
#define HELD ".balign 8\nheld: .quad 0" TR_HELD_SIGNALS(BIT) "\n"
#define ENTRY ".globl tr_start\n.type tr_start, %function\ntr_start:\n"
#define BEGIN ".text\n" NUMBER(how, SIG_BLOCK) NUMBER(call, __NR_rt_sigprocmask) HELD ENTRY

#if defined(__x86_64__)
__asm__(BEGIN "mov %rdx, %r8\n" /* the one register that the C library reads */
              "mov $call, %eax\n"
              "mov $how, %edi\n"
              "lea held(%rip), %rsi\n"
              "xor %edx, %edx\n"
              "mov $8, %r10d\n"
              "syscall\n"
              "mov %r8, %rdx\n"
              "jmp _start\n");
#elif defined(__aarch64__)
__asm__(BEGIN "mov x9, x0\n" /* the one register that the C library reads */
              "mov x8, #call\n"
              "mov x0, #how\n"
              "adr x1, held\n"
              "mov x2, #0\n"
              "mov x3, #8\n"
              "svc #0\n"
              "mov x0, x9\n"
              "b _start\n");
#endif

int main(int argc, char **argv)
{
    static const char program[] = "libexec/trainer";
    char path[PATH_MAX + sizeof program];
    sigset_t held;
    tr_fill_held_signals(&held);
    sigprocmask(SIG_BLOCK, &held, NULL);
    const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    path[n > 0 ? n : 0] = '\0';
    char *name = strrchr(path, '/');
    memcpy(name == NULL ? path : name + 1, program, sizeof program);
    if (argc > 0)
        execv(path, argv);
    fprintf(stderr,
            "trainer: error: %s, which does the work, cannot be started: %s; it belongs "
            "beside this program\n",
            path, strerror(errno));
    return 1;
}
