/* test_drawer.c -- pictures are drawn elsewhere: the same bytes, and whatever happens there is a
 * reason, not an end.
 */
#include "drawer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "made_history.h"
#include "mem.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

static bool same_file(const char *a, const char *b)
{
    char command[1200];
    snprintf(command, sizeof command, "cmp %s/%s %s/%s", test_folder(), a, test_folder(), b);
    return system(command) == 0;
}

Test(drawer, draws_what_is_drawn_here)
{
    tr_error err = {0};
    tr_drawer *drawer;
    char undrawn[TR_UNDRAWN_MAX], path[600];
    tr_history history = made_history(20, 2, true);
    cr_assert_eq(tr_drawer_new(&drawer, &tr_history_drawing, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tr_drawer_write(drawer, &history, test_folder(), undrawn, &err), TR_OK, "%s",
                     err.text);
        cr_assert_str_eq(undrawn, "");
        history.n -= 5;
    }
    history.n += 5;
    tr_drawer_free(drawer);
    snprintf(path, sizeof path, "%s/here.svg", test_folder());
    cr_assert_eq(tr_history_write_svg(&history, path, &err), TR_OK, "%s", err.text);
    snprintf(path, sizeof path, "%s/here.png", test_folder());
    cr_assert_eq(tr_history_write_png(&history, path, &err), TR_OK, "%s", err.text);
    cr_expect(same_file("here.svg", "history.svg") && same_file("here.png", "history.png"));
    tr_history_release(&history);
}

Test(drawer, a_place_that_cannot_be_written_is_an_error)
{
    tr_error err = {0};
    tr_drawer *drawer;
    char undrawn[TR_UNDRAWN_MAX];
    tr_history history = made_history(3, 1, true);
    cr_assert_eq(tr_drawer_new(&drawer, &tr_history_drawing, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_drawer_write(drawer, &history, "/nowhere/at/all", undrawn, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "/nowhere/at/all/history.svg"), "%s", err.text);
    tr_drawer_free(drawer);
    tr_history_release(&history);
}

/* ---- what may happen there ---- */

static tr_status crash(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    (void)history, (void)pictures, (void)err;
    abort();
}

static tr_status spin(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    (void)pictures, (void)err;
    for (volatile int64_t n = history->n; n != 0;)
        n = history->n;
    return TR_OK;
}

static tr_status leave(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    (void)history, (void)pictures, (void)err;
    _exit(3);
}

static tr_status fail(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    (void)history, (void)pictures;
    return tr_fail(err, TR_ERR_INTERNAL, "no ink");
}

#ifndef TR_SANITIZED /* which has no limit on memory */
/* What a machine without memory looks like from inside. */
static tr_status devour(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err)
{
    enum { BLOCK = 1 << 24, MOST = 1 << 12 };
    (void)history, (void)pictures;
    for (int i = 0; i < MOST; i++) {
        char *block = malloc(BLOCK);
        if (block == NULL)
            return tr_fail(err, TR_ERR_INTERNAL, "no memory after %d blocks", i);
        for (size_t k = 0; k < BLOCK; k += 4096)
            ((volatile char *)block)[k] = 1;
    }
    return TR_OK;
}
#endif

/* And the next request is answered as well. */
static void expect_undrawn(tr_status (*draw)(const tr_history *, tr_cairo_bytes *, tr_error *),
                           const char *reason)
{
    tr_error err = {0};
    tr_drawer *drawer;
    char undrawn[TR_UNDRAWN_MAX];
    const tr_drawing drawing = {draw, 1};
    tr_history history = made_history(3, 1, true);
    cr_assert_eq(tr_drawer_new(&drawer, &drawing, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(tr_drawer_write(drawer, &history, test_folder(), undrawn, &err), TR_OK);
        cr_expect_not_null(strstr(undrawn, reason), "%s", undrawn);
    }
    tr_drawer_free(drawer);
    tr_history_release(&history);
}

Test(drawer, says_why_nothing_was_drawn, .timeout = 120)
{
    expect_undrawn(crash, "crashed (signal 6)");
    expect_undrawn(spin, "came to no end");
    expect_undrawn(leave, "ended the process (3)");
    expect_undrawn(fail, "no ink");
}

#ifndef TR_SANITIZED
Test(drawer, has_a_limit_on_memory, .timeout = 120)
{
    expect_undrawn(devour, "no memory after ");
}
#endif

/* ---- in a run ---- */

Test(drawer, a_run_goes_on_without_pictures, .timeout = 120)
{
    char prefix[600], path[600];
    snprintf(prefix, sizeof prefix,
             "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_DRAWING=crash", TR_FAULT);
    const test_outcome *outcome = test_run(prefix, test_short_run("mnist.ini", ""));
    test_expect(outcome, 0,
                "trainer: note: no pictures of the history: the library that draws "
                "crashed (signal 6); the training goes on\n");
    cr_expect_not_null(strstr(outcome->text, "test loss "));
    cr_expect_null(strstr(strstr(outcome->text, "no pictures") + 1, "no pictures"), "said twice");
    snprintf(path, sizeof path, "%s/run/history.csv", test_folder());
    cr_expect_eq(access(path, F_OK), 0);
}
