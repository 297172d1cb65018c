/* test_pictures.c -- README's way from a folder of pictures to a classifier, command by command, as
 * a reader would type them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "rng.h"
#include "run.h"

enum { PICTURES = 20, MOST_COMMANDS = 16 };

/* Noise around a colour of the class, of a size of its own; the name does not say what it is. */
static void write_picture(const char *path, int class, int number)
{
    const int h = 30 + 7 * (number % 5), w = 90 - 4 * number;
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "P6 %d %d 255\n", w, h);
    for (int i = 0; i < 3 * h * w; i++) {
        const uint64_t noise =
            tr_random_below(100, 1, TR_PURPOSE_INIT, (uint32_t)number, (uint64_t)i);
        fputc((int)noise + (i % 3 == class ? 150 : 20), file);
    }
    cr_assert_eq(fclose(file), 0);
}

static void make_place(void)
{
    static const char *const classes[] = {"cat", "dog", "horse"};
    char path[64];
    cr_assert_eq(chdir(test_folder()), 0);
    cr_assert_eq(symlink(TR_SOURCE "/configs", "configs"), 0);
    cr_assert(mkdir("data", 0777) == 0 && mkdir("photos", 0777) == 0);
    for (int class = 0; class < 3; class ++) {
        snprintf(path, sizeof path, "photos/%s", classes[class]);
        cr_assert_eq(mkdir(path, 0777), 0);
        for (int i = 0; i < PICTURES; i++) {
            snprintf(path, sizeof path, "photos/%s/%d.jpg", classes[class], i);
            write_picture(path, class, i);
        }
    }
    write_picture("new.jpg", 2, PICTURES);
}

/* The commands of the chapter; how many. */
static int read_chapter(char commands[MOST_COMMANDS][256])
{
    static const char chapter[] = "## From a folder of pictures", mark[] = "    trainer ";
    char line[256];
    int n = 0;
    bool inside = false;
    FILE *page = fopen(TR_SOURCE "/README.md", "r");
    cr_assert_not_null(page);
    while (n < MOST_COMMANDS && fgets(line, sizeof line, page) != NULL) {
        if (strncmp(line, "## ", 3) == 0)
            inside = strncmp(line, chapter, strlen(chapter)) == 0;
        line[strcspn(line, "\n")] = '\0';
        if (inside && strncmp(line, mark, strlen(mark)) == 0)
            strcpy(commands[n++], line + strlen(mark));
    }
    fclose(page);
    return n;
}

static void expect_file(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s is missing", path);
    cr_assert_gt(info.st_size, 0, "%s is empty", path);
}

/* Twelve epochs are enough to tell red from blue. */
Test(pictures, the_readme_leads_from_a_folder_to_an_answer, .timeout = 280)
{
    char commands[MOST_COMMANDS][256], line[5000];
    const test_outcome *result = NULL;
    make_place();
    const int n = read_chapter(commands);
    cr_assert_eq(n, 4, "the chapter has %d commands", n);
    for (int i = 0; i < n; i++) {
        const bool trains = strncmp(commands[i], "-c ", 3) == 0;
        snprintf(line, sizeof line, "%s%s", commands[i], trains ? " --set fit.epochs=12" : "");
        result = test_run("", line);
        cr_assert_eq(result->code, 0, "%s\n%s", line, result->text);
        if (trains)
            cr_expect(strstr(result->text, "horse") != NULL, "%s", result->text);
    }
    cr_expect(strstr(result->text, "new.jpg: horse (") != NULL, "%s", result->text);
    expect_file("sheet.png");
    expect_file("runs/pictures/best.h5");
    expect_file("runs/pictures/evaluation.json");
    test_expect(test_run("", "evaluate --checkpoint runs/pictures/best.h5"), 0, "dog");
    test_expect(test_run("", "predict --checkpoint runs/pictures/best.h5 photos"), 0, "60");
}
