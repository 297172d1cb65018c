/* graph.c -- which layer takes whose results: the names in `inputs` made numbers.
 *
 * A layer reads what stands above it in the file, the layer before unless `inputs` says otherwise;
 * so the file's order is one in which all can be computed, and the last layer is the output.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "model_internal.h"

/* ---- names ---- */

static const char images_name[] = "input";
enum { NAME_MAX = 64, MANY_PROBLEMS = 20 };

/* A layer's section, or what stands in its place. */
typedef struct known {
    const char *name;
    tr_section *section;
    int place;  /* among the layers' sections */
    int number; /* of the layer; NO_LAYER: its section has none, which is a problem already */
} known;
enum { NO_LAYER = -2 };

typedef struct connecting {
    tr_model *model;
    tr_problems *problems;
    known *layers; /* [n], by name */
    size_t n;
    bool
        doubtful; /* a name or a section said nothing: whose result is read is not known for sure */
} connecting;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const known *)a)->name, ((const known *)b)->name);
}

static tr_status list_layers(connecting *self, tr_error *err)
{
    const tr_ini *ini = self->model->config->ini;
    int number = 0;
    self->layers = tr_alloc(ini->n_sections, sizeof *self->layers);
    if (self->layers == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < ini->n_sections; i++) {
        tr_section *section = &ini->sections[i];
        if (strncmp(section->name, "layer.", 6) != 0)
            continue;
        known *layer = &self->layers[self->n];
        *layer = (known){section->name + 6, section, (int)self->n++, NO_LAYER};
        if (number < self->model->n_layers && self->model->layers[number]->name == layer->name)
            layer->number = number++;
        self->doubtful = self->doubtful || layer->number == NO_LAYER;
    }
    qsort(self->layers, self->n, sizeof *self->layers, by_name);
    return TR_OK;
}

static const known *find_layer(const connecting *self, const char *name)
{
    const known key = {.name = name};
    return self->n == 0 ? NULL
                        : bsearch(&key, self->layers, self->n, sizeof *self->layers, by_name);
}

static int line_of(const connecting *self, const tr_layer *layer)
{
    return tr_section_line(find_layer(self, layer->name)->section, "inputs");
}

/* "unknown", with the nearest of the names that would do. */
static void report_unknown(connecting *self, const tr_layer *layer, const char *name)
{
    const char *near = NULL, **names = NULL;
    if (tr_problems_count(self->problems) < MANY_PROBLEMS)
        names = tr_alloc((size_t)layer->number + 2, sizeof *names);
    if (names != NULL) {
        for (int i = 0; i < layer->number; i++)
            names[i] = self->model->layers[i]->name;
        names[layer->number] = images_name;
        near = tr_nearest_name(name, names);
    }
    tr_problems_add(
        self->problems, line_of(self, layer),
        "[layer.%s] inputs: there is no layer %s; %s%s%sallowed: names of layers above, "
        "and %s for the images",
        layer->name, name, near == NULL ? "" : "did you mean ", near == NULL ? "" : near,
        near == NULL ? "" : "? ", images_name);
    tr_free(names);
}

/* The number of the layer of that name, TR_IMAGES, or NO_LAYER with a problem recorded. */
static int resolve(connecting *self, const tr_layer *layer, const char *name)
{
    const known *source = find_layer(self, name), *own = find_layer(self, layer->name);
    const int line = line_of(self, layer);
    if (source == NULL && strcmp(name, images_name) == 0)
        return TR_IMAGES;
    if (source == NULL)
        report_unknown(self, layer, name);
    else if (strcmp(name, images_name) == 0)
        tr_problems_add(self->problems, line,
                        "[layer.%s] inputs: %s stands for the images, and [layer.%s] has that name "
                        "too; give that layer another",
                        layer->name, name, name);
    else if (source == own)
        tr_problems_add(self->problems, line,
                        "[layer.%s] inputs: %s is this layer itself; a layer takes the results of "
                        "layers above it",
                        layer->name, name);
    else if (source->place > own->place)
        tr_problems_add(self->problems, line,
                        "[layer.%s] inputs: %s (line %d) stands below; a layer takes the results "
                        "of layers above it",
                        layer->name, name, source->section->line);
    else if (source->number != NO_LAYER)
        return source->number;
    self->doubtful = true;
    return NO_LAYER;
}

/* ---- sources ---- */

/* The next of a list of names, without the blanks around it; *list: what follows, NULL: nothing. */
static void take_name(const char **list, char name[NAME_MAX])
{
    const char *begin = *list, *end = begin + strcspn(begin, ",");
    *list = *end == ',' ? end + 1 : NULL;
    while (begin < end && isblank((unsigned char)*begin))
        begin++;
    while (end > begin && isblank((unsigned char)end[-1]))
        end--;
    snprintf(name, NAME_MAX, "%.*s", (int)(end - begin), begin);
}

/* As many as the layer takes? */
static void check_count(connecting *self, const tr_layer *layer)
{
    char list[256] = "";
    size_t used = 0;
    if (layer->ops->merges == (layer->n_srcs > 1))
        return;
    if (layer->ops->merges) {
        tr_problems_add(self->problems, line_of(self, layer),
                        "[layer.%s] type = %s takes two inputs or more: inputs = a, b", layer->name,
                        layer->ops->type);
        return;
    }
    for (size_t i = 0; tr_layer_table[i] != NULL && used < sizeof list; i++)
        if (tr_layer_table[i]->merges)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                                     tr_layer_table[i]->type);
    tr_problems_add(self->problems, line_of(self, layer),
                    "[layer.%s] type = %s takes one input, these are %d; several are taken by: %s",
                    layer->name, layer->ops->type, layer->n_srcs, list);
}

/* Its sources by number, from the names in layer->inputs; the names in one form for all ways to
 * write them. */
static tr_status read_inputs(connecting *self, tr_layer *layer, tr_error *err)
{
    char name[NAME_MAX], canonical[TR_MAX_SOURCES * NAME_MAX];
    size_t used = 0;
    layer->n_srcs = 0;
    for (const char *rest = layer->inputs; rest != NULL;) {
        take_name(&rest, name);
        if (layer->n_srcs == TR_MAX_SOURCES) {
            tr_problems_add(self->problems, line_of(self, layer), "[layer.%s] inputs: more than %d",
                            layer->name, TR_MAX_SOURCES);
            self->doubtful = true;
            break;
        }
        if (*name == '\0')
            tr_problems_add(self->problems, line_of(self, layer),
                            "[layer.%s] inputs = %.100s: a name is missing beside a comma",
                            layer->name, layer->inputs);
        const int source = *name == '\0' ? NO_LAYER : resolve(self, layer, name);
        layer->sources[layer->n_srcs++] = source == NO_LAYER ? TR_IMAGES : source;
        used += (size_t)snprintf(canonical + used, sizeof canonical - used, "%s%s",
                                 layer->n_srcs == 1 ? "" : ",", name);
    }
    check_count(self, layer);
    return tr_section_set_canonical(find_layer(self, layer->name)->section, "inputs", canonical)
               ? TR_OK
               : tr_out_of_memory(err, NULL);
}

/* Without `inputs` as if they named the layer before. */
static tr_status take_the_one_before(connecting *self, tr_layer *layer, tr_error *err)
{
    tr_section *section = find_layer(self, layer->name)->section;
    const char *name =
        layer->number == 0 ? images_name : self->model->layers[layer->number - 1]->name;
    layer->n_srcs = 1;
    layer->sources[0] = layer->number - 1; /* TR_IMAGES for the first */
    check_count(self, layer);
    if (layer->ops->merges)
        return TR_OK;
    return tr_section_imply(section, "inputs", name) &&
                   tr_section_set_canonical(section, "inputs", name)
               ? TR_OK
               : tr_out_of_memory(err, NULL);
}

static tr_status connect_layer(connecting *self, tr_layer *layer, tr_error *err)
{
    size_t room = 1;
    for (const char *c = layer->inputs; c != NULL && *c != '\0' && room < TR_MAX_SOURCES; c++)
        room += *c == ',';
    layer->sources = tr_alloc(room, sizeof *layer->sources);
    layer->srcs = tr_alloc(room, sizeof *layer->srcs);
    if (layer->sources == NULL || layer->srcs == NULL)
        return tr_out_of_memory(err, NULL);
    return layer->inputs == NULL ? take_the_one_before(self, layer, err)
                                 : read_inputs(self, layer, err);
}

static tr_status check_used(const connecting *self, tr_error *err)
{
    const tr_model *model = self->model;
    bool *used = tr_alloc((size_t)model->n_layers + 1, sizeof *used);
    if (used == NULL)
        return tr_out_of_memory(err, NULL);
    for (int i = 0; i < model->n_layers; i++)
        for (int k = 0; k < model->layers[i]->n_srcs; k++)
            used[model->layers[i]->sources[k] + 1] = true;
    for (int i = 0; i + 1 < model->n_layers; i++)
        if (!used[i + 1])
            tr_problems_add(self->problems, model->layers[i]->line,
                            "[layer.%s] its result is not used; name it in the inputs of a layer "
                            "below, or remove it (the last layer is the output)",
                            model->layers[i]->name);
    tr_free(used);
    return TR_OK;
}

tr_status tr_graph_connect(tr_model *model, tr_error *err)
{
    connecting self = {.model = model, .problems = model->config->problems};
    tr_status status = list_layers(&self, err);
    for (int i = 0; i < model->n_layers && status == TR_OK; i++)
        status = connect_layer(&self, model->layers[i], err);
    if (status == TR_OK && !self.doubtful)
        status = check_used(&self, err);
    tr_free(self.layers);
    return status;
}
