/* test_thread_count.c -- how many threads, and the words for it. */
#include "thread_count.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(tr_thread_wishes wishes, tr_cores cores, int threads, const char *why)
{
    char text[TR_WHY_MAX] = "untouched";
    cr_expect_eq(tr_threads_decide(&wishes, &cores, text), threads, "not %d (%s)", threads, why);
    cr_expect_str_eq(text, why);
}

static tr_thread_wishes configured(int64_t n)
{
    return (tr_thread_wishes){.openmp = true, .configured = n, .offered = 7};
}

static tr_thread_wishes variable(int n)
{
    return (tr_thread_wishes){.openmp = true, .offered = n, .offered_by_variable = true};
}

static const tr_thread_wishes automatic = {.openmp = true, .offered = 7};

Test(thread_count, automatic_takes_the_physical_cores)
{
    expect(automatic, (tr_cores){8, 4, 0}, 4, "4 physical cores of 8 usable CPUs");
    expect(automatic, (tr_cores){2, 1, 0}, 1, "1 physical core of 2 usable CPUs");
    expect(automatic, (tr_cores){8, 8, 0}, 8, "8 usable CPUs");
    expect(automatic, (tr_cores){1, 1, 0}, 1, "1 usable CPU");
    expect(automatic, (tr_cores){4096, 2048, 0}, 2048, "2048 physical cores of 4096 usable CPUs");
}

Test(thread_count, a_smaller_quota_counts_rounded_up)
{
    expect(automatic, (tr_cores){16, 8, 1.5}, 2, "cgroup quota of 1.5 CPUs; 8 physical cores");
    expect(automatic, (tr_cores){16, 8, 3}, 3, "cgroup quota of 3 CPUs; 8 physical cores");
    expect(automatic, (tr_cores){4, 4, 1}, 1, "cgroup quota of 1 CPU; 4 usable CPUs");
    expect(automatic, (tr_cores){4, 4, 0.01}, 1, "cgroup quota of 0.01 CPUs; 4 usable CPUs");
    expect(automatic, (tr_cores){16, 8, 7.2}, 8, "8 physical cores of 16 usable CPUs");
    expect(automatic, (tr_cores){16, 8, 8}, 8, "8 physical cores of 16 usable CPUs");
    expect(automatic, (tr_cores){2, 2, 1e18}, 2, "2 usable CPUs");
}

Test(thread_count, wishes_are_granted)
{
    expect(configured(3), (tr_cores){8, 4, 0}, 3, "engine.threads");
    expect(configured(8), (tr_cores){8, 4, 0}, 8, "engine.threads");
    expect(variable(2), (tr_cores){8, 4, 0}, 2, "OMP_NUM_THREADS");
    expect((tr_thread_wishes){true, 3, 2, true}, (tr_cores){8, 4, 0}, 3, "engine.threads");
}

Test(thread_count, wishes_beyond_the_machine_are_cut_and_told)
{
    expect(configured(16), (tr_cores){2, 2, 0}, 2, "engine.threads asks for 16; 2 usable CPUs");
    expect(variable(9), (tr_cores){8, 4, 0}, 8, "OMP_NUM_THREADS asks for 9; 8 usable CPUs");
    expect(variable(2), (tr_cores){1, 1, 0}, 1, "OMP_NUM_THREADS asks for 2; 1 usable CPU");
    expect(configured(3), (tr_cores){8, 8, 1.5}, 2,
           "engine.threads asks for 3; cgroup quota of 1.5 CPUs");
    expect(configured(2), (tr_cores){8, 8, 1.5}, 2, "engine.threads");
    expect(configured(16), (tr_cores){8, 8, 4}, 4,
           "engine.threads asks for 16; cgroup quota of 4 CPUs");
    expect(configured(16), (tr_cores){8, 8, 12}, 8, "engine.threads asks for 16; 8 usable CPUs");
    expect(variable(1024), (tr_cores){1000000, 1000000, 123.456789}, 124,
           "OMP_NUM_THREADS asks for 1024; cgroup quota of 123.5 CPUs");
}

Test(thread_count, without_openmp_or_without_a_mask)
{
    expect((tr_thread_wishes){false, 5, 4, true}, (tr_cores){8, 4, 0}, 1, "built without OpenMP");
    expect(automatic, (tr_cores){0, 0, 1}, 7, "as many as OpenMP offers");
    expect((tr_thread_wishes){.openmp = true}, (tr_cores){0}, 1, "as many as OpenMP offers");
    expect(configured(5), (tr_cores){0}, 5, "engine.threads");
}

static bool takes_variable(const char *value, int offered)
{
    char why[TR_WHY_MAX];
    setenv("OMP_NUM_THREADS", value, 1);
    const int threads = tr_threads_choose(0, offered, why);
    const bool said = strncmp(why, "OMP_NUM_THREADS", 15) == 0;
    cr_expect_geq(threads, 1);
    cr_expect(!said || threads <= offered); /* cut to what can run at once */
    return said;
}

Test(thread_count, the_variable_counts_where_openmp_took_it)
{
    static const char *const refused[] = {
        "", "none", "0", "-6", "6x", "6.5", "99999999999999999999", "5"};
    cr_expect(takes_variable("6", 6));
    cr_expect(takes_variable(" 6 ", 6));
    cr_expect(takes_variable("6,2,1", 6));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        cr_expect(!takes_variable(refused[i], 6), "\"%s\"", refused[i]);
    char why[TR_WHY_MAX];
    unsetenv("OMP_NUM_THREADS");
    tr_threads_choose(0, 6, why);
    cr_expect_null(strstr(why, "OMP_NUM_THREADS"));
}
