/* test_inspect_table.c -- tables of what a file holds, from made-up findings. */
#include "inspect_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static char *printed(const tr_inspection *found, const tr_checkpoint_outline *outline)
{
    char *text = NULL;
    size_t n;
    FILE *stream = open_memstream(&text, &n);
    tr_inspect_print(stream, "a.h5", found, outline);
    fclose(stream);
    return text;
}

static void expect_lines(const tr_inspection *found, const tr_checkpoint_outline *outline,
                         const char *expected)
{
    char *text = printed(found, outline);
    cr_expect_str_eq(text, expected, "got:\n%s", text);
    free(text);
}

Test(inspect_table, datasets_and_classes)
{
    tr_inspection *found = tr_alloc(1, sizeof *found);
    found->n_items = 4;
    found->items[0] = (tr_inspect_item){.path = "x",
                                        .type = "float32",
                                        .packing = "gzip 6",
                                        .rank = 2,
                                        .dims = {3, 4},
                                        .n = 12,
                                        .is_float = true,
                                        .has_range = true,
                                        .low = -1,
                                        .high = 0.5,
                                        .mean = 0.25,
                                        .n_nan = 2,
                                        .n_infinite = 1};
    found->items[1] = (tr_inspect_item){.path = "y\033[2J",
                                        .type = "uint8",
                                        .rank = 1,
                                        .dims = {12},
                                        .n = 12,
                                        .has_range = true,
                                        .max = 1,
                                        .n_classes = 2};
    found->items[2] = (tr_inspect_item){.path = "names", .type = "string", .rank = 1};
    found->items[3] = (tr_inspect_item){.path = "bad", .type = "int8", .n = 3, .fault = "gone"};
    found->classes[0] = (tr_inspect_class){0, 11};
    found->classes[1] = (tr_inspect_class){1, 1};
    found->n_attributes = 2;
    found->attributes[0] = (tr_inspect_attribute){"", "source", "made\nup"};
    found->attributes[1] = (tr_inspect_attribute){"trainer", "epoch", "3"};
    expect_lines(found, NULL,
                 "a.h5: 4 datasets\n"
                 "  source = made?up\n"
                 "  trainer/epoch = 3\n"
                 "____________________________________________________________________________\n"
                 " Dataset  Type     Shape   Values                                   Storage\n"
                 "============================================================================\n"
                 " x        float32  [3, 4]  -1 .. 0.5, mean 0.25, 2 NaN, 1 infinite  gzip 6\n"
                 " y?[2J    uint8    [12]    0 .. 1, 2 classes\n"
                 " names    string   [0]     empty\n"
                 " bad      int8             UNREADABLE: gone\n"
                 "============================================================================\n"
                 "\n"
                 "y?[2J, class: samples\n"
                 "   0: 11   1:  1\n");
    tr_free(found);
}

Test(inspect_table, a_checkpoint_by_layers)
{
    tr_inspection *found = tr_alloc(1, sizeof *found);
    tr_checkpoint_outline *outline = tr_alloc(1, sizeof *outline);
    found->n_items = 2;
    found->items[0] = (tr_inspect_item){.path = "model_weights/d/d/kernel:0",
                                        .type = "float32",
                                        .rank = 2,
                                        .dims = {2, 3},
                                        .n = 6,
                                        .is_float = true,
                                        .has_range = true,
                                        .high = 2,
                                        .mean = 1};
    found->items[1] = (tr_inspect_item){
        .path = "step", .type = "int64", .n = 1, .has_range = true, .min = 5, .max = 5};
    outline->n_layers = 2;
    outline->weights.n = 3;
    outline->weights.entries[0] = (tr_outline_entry){"f", "", "model_weights/f/"};
    outline->weights.entries[1] =
        (tr_outline_entry){"d", "d/kernel:0", "model_weights/d/d/kernel:0"};
    outline->weights.entries[2] = (tr_outline_entry){"d", "d/bias:0", "model_weights/d/d/bias:0"};
    expect_lines(found, outline,
                 "a.h5: a checkpoint, 2 layers, 6 parameters\n"
                 "____________________________________________________\n"
                 " Layer  Weight      Type     Shape   Values\n"
                 "====================================================\n"
                 " f\n"
                 " d      d/kernel:0  float32  [2, 3]  0 .. 2, mean 1\n"
                 "        d/bias:0                     MISSING\n"
                 "====================================================\n"
                 "________________________________________\n"
                 " Dataset  Type   Shape  Values  Storage\n"
                 "========================================\n"
                 " step     int64         5\n"
                 "========================================\n");
    tr_free(outline);
    tr_free(found);
}

/* The history and the optimizer's variables have tables of their own. */
Test(inspect_table, a_checkpoint_s_story)
{
    tr_inspection *found = tr_alloc(1, sizeof *found);
    tr_checkpoint_outline *outline = tr_alloc(1, sizeof *outline);
    found->n_items = 2;
    found->items[0] = (tr_inspect_item){
        .path = "trainer/history", .type = "float64", .rank = 2, .dims = {2, 2}, .n = 4};
    found->items[1] = (tr_inspect_item){.path = "trainer/optimizer_weights/adam/iteration",
                                        .type = "int64",
                                        .n = 1,
                                        .has_range = true,
                                        .min = 5,
                                        .max = 5};
    outline->n_layers = outline->weights.n = 1;
    outline->weights.entries[0] = (tr_outline_entry){"f", "", "model_weights/f/"};
    outline->variables.n = 2;
    outline->variables.entries[0] =
        (tr_outline_entry){"", "adam/iteration", "trainer/optimizer_weights/adam/iteration"};
    outline->variables.entries[1] =
        (tr_outline_entry){"", "adam/x", "trainer/optimizer_weights/adam/x"};
    outline->history = (tr_outline_history){.n_epochs = 2,
                                            .n_columns = 2,
                                            .columns = {"epoch", "lo\033ss"},
                                            .values = {1, 0.5, 2, 0.123456789}};
    strcpy(outline->model_class, "Sequential");
    strcpy(outline->model_name, "mi\nne");
    strcpy(outline->digest_stored, "0123");
    strcpy(outline->digest, "4567");
    expect_lines(found, outline,
                 "a.h5: a checkpoint, 1 layers, 0 parameters\n"
                 "  model \"mi?ne\" (Sequential)\n"
                 "  weights have the digest 4567, NOT THE STORED ONE\n"
                 "____________________________________\n"
                 " Layer  Weight  Type  Shape  Values\n"
                 "====================================\n"
                 " f\n"
                 "====================================\n"
                 "_________________________________________________________________\n"
                 " Optimizer's variable                      Type   Shape  Values\n"
                 "=================================================================\n"
                 " trainer/optimizer_weights/adam/iteration  int64         5\n"
                 " trainer/optimizer_weights/adam/x                        MISSING\n"
                 "=================================================================\n"
                 "_________________\n"
                 " epoch  lo?ss\n"
                 "=================\n"
                 " 1      0.5\n"
                 " 2      0.123457\n"
                 "=================\n");
    outline->weights.n_unlisted = 7;
    outline->variables.n_unlisted = 8;
    found->n_unlisted = 15;
    char *text = printed(found, outline);
    cr_expect_not_null(strstr(text, "1 layers, at least 0 parameters\n"), "%s", text);
    cr_expect_not_null(strstr(text, "=\nand 7 weights more\n"), "%s", text);
    cr_expect_not_null(strstr(text, "=\nand 8 variables more\n"), "%s", text);
    cr_expect_not_null(strstr(text, "adam/x                        not looked at\n"), "%s", text);
    free(text); /* the stream's own */
    tr_free(outline);
    tr_free(found);
}
