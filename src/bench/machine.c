/* machine.c -- from /proc/cpuinfo; see machine.h. */
#include "machine.h"

#include <stdio.h>
#include <string.h>

/* The value of "key : value" lines, up to the first processor's end. */
static void read_value(const char *line, const char *key, char *value, size_t n)
{
    const char *colon = strchr(line, ':');
    const size_t length = strlen(key);
    if (value[0] != '\0' || colon == NULL || strncmp(line, key, length) != 0 ||
        strspn(line + length, " \t") != (size_t)(colon - line) - length)
        return;
    colon += 1 + strspn(colon + 1, " \t");
    snprintf(value, n, "%.*s", (int)strcspn(colon, "\n"), colon);
}

void tr_machine_cpu(char *text, size_t n)
{
    char line[1024], name[128] = "", family[16] = "", model[16] = "";
    char maker[16] = "", part[16] = ""; /* of ARM, which has no names */
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
        read_value(line, "model name", name, sizeof name);
        read_value(line, "cpu family", family, sizeof family);
        read_value(line, "model", model, sizeof model);
        read_value(line, "CPU implementer", maker, sizeof maker);
        read_value(line, "CPU part", part, sizeof part);
    }
    if (file != NULL)
        fclose(file);
    if (name[0] == '\0' && part[0] != '\0')
        snprintf(text, n, "ARM (implementer %s, part %s)", maker, part);
    else if (name[0] == '\0')
        snprintf(text, n, "unknown");
    else if (family[0] == '\0')
        snprintf(text, n, "%s", name);
    else
        snprintf(text, n, "%s (family %s, model %s)", name, family, model);
}
