/* test_machine.c -- the processor's name, whole or cut, never outside of its text. */
#include "machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(machine, names_the_processor)
{
    char text[128], line[1024], name[128] = "";
    tr_machine_cpu(text, sizeof text);
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && name[0] == '\0' && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "model name", strlen("model name")) == 0)
            snprintf(name, sizeof name, "%.100s", strchr(line, ':') + 2);
    if (file != NULL)
        fclose(file);
    name[strcspn(name, "\n")] = '\0';
    if (name[0] == '\0')
        cr_assert(strcmp(text, "unknown") == 0 || strncmp(text, "ARM (", 5) == 0, "%s", text);
    else
        cr_assert_eq(strncmp(text, name, strlen(name)), 0, "%s, not %s", text, name);
    cr_assert_null(strchr(text, '\n'));
    if (strstr(text, "(family") != NULL)
        cr_assert_not_null(strstr(text, ", model "), "%s", text);
}

Test(machine, a_short_text_holds_what_fits)
{
    char whole[128], cut[9] = "########";
    tr_machine_cpu(whole, sizeof whole);
    tr_machine_cpu(cut, 5);
    cr_assert_eq(cut[4], '\0');
    cr_assert_eq(strncmp(whole, cut, 4), 0);
    cr_assert_str_eq(cut + 5, "###");
}
