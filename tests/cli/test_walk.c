/* test_walk.c -- every command of configs/README.md, in its order, as a reader would type them.
 *
 * In a folder of its own with the shipped configurations and small datasets of MNIST's and of
 * CIFAR-10's shape.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "run.h"
#include "small_run.h"

static void make_place(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/data", test_folder());
    cr_assert_eq(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/data/mnist.h5", test_folder());
    test_write_small_data(path);
    snprintf(path, sizeof path, "%s/data/fashion_mnist.h5", test_folder());
    test_write_small_data(path);
    snprintf(path, sizeof path, "%s/data/cifar10.h5", test_folder());
    test_write_small_images(path, (const int64_t[3]){32, 32, 3});
    snprintf(path, sizeof path, "%s/configs", test_folder());
    cr_assert_eq(symlink(TR_SOURCE "/configs", path), 0);
    cr_assert_eq(chdir(test_folder()), 0);
}

static void expect_file(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s is missing", path);
    cr_assert_gt(info.st_size, 0, "%s is empty", path);
}

Test(walk, every_command_of_the_page_works, .timeout = 240)
{
    char line[1024];
    int n = 0;
    FILE *page = fopen(TR_SOURCE "/configs/README.md", "r");
    cr_assert_not_null(page);
    make_place();
    while (fgets(line, sizeof line, page) != NULL) {
        static const char mark[] = "    trainer ";
        if (strncmp(line, mark, strlen(mark)) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        const test_outcome *result = test_run("", line + strlen(mark));
        cr_assert_eq(result->code, 0, "%s\n%s", line, result->text);
        n++;
    }
    fclose(page);
    cr_assert_gt(n, 12, "the page has only %d commands", n);
    static const char *const files[] = {
        "sample.png",
        "runs/mnist/last.h5",
        "runs/mnist/history.csv",
        "runs/mnist/history.jsonl",
        "runs/mnist/history.svg",
        "runs/mnist/history.png",
        "runs/mnist/evaluation.json",
        "runs/mnist/confusion.csv",
        "runs/mnist/config.ini",
        "runs/mnist/predictions.csv",
        "runs/mnist/predictions.h5",
        "runs/rmsprop/last.h5",
        "runs/mnist_convnet/last.h5",
        "runs/resnet20_first/last.h5",
        "runs/finetune/last.h5",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_file(files[i]);
}
