/* keras_layers.c -- the layers' sections, in the order of the data; see keras_config.h.
 *
 * What a layer takes is told where it is not simply the layer before it: `inputs`.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keras_config.h"
#include "keras_names.h"
#include "mem.h"

enum { NAME_MAX_OURS = 42, NAME_SPACE = 64 };
static const char INPUT_NAME[] = "input"; /* of the images, as value of `inputs` */

/* What later layers ask of one: its name, and whether its result is a vector, and surely of one. */
typedef struct written {
    char name[NAME_SPACE];
    char behind[2][NAME_SPACE]; /* of layers that stand for its activation */
    int n_behind;
    bool flat, one_output;
} written;

/* ---- names ---- */

static bool is_taken(const written *of, const char *name)
{
    return strcasecmp(of->name, name) == 0 || strcasecmp(of->behind[0], name) == 0 ||
           strcasecmp(of->behind[1], name) == 0;
}

/* Unique among those of all[0] to all[n], without regard to case. */
static void choose_name(const written *all, size_t n, const char *keras_name, char *to)
{
    char name[NAME_SPACE], base[NAME_MAX_OURS - 4]; /* with "_4096" it is not too long */
    tr_keras_clean_name(keras_name, NAME_MAX_OURS, name);
    snprintf(base, sizeof base, "%.*s", NAME_MAX_OURS - 5, name);
    unsigned turn = 2;
    for (size_t i = 0; i <= n; i++)
        if (is_taken(&all[i], name)) {
            snprintf(name, NAME_SPACE, "%s_%u", base, turn++);
            i = (size_t)-1; /* look again from the first */
        }
    memcpy(to, name, NAME_SPACE);
}

static void choose_names_behind(written *all, size_t n)
{
    static const char *const parts[] = {"scaled", "activation"};
    for (int k = 0; k < 2; k++) {
        char name[NAME_SPACE];
        snprintf(name, sizeof name, "%.30s_%s", all[n].name, parts[k]);
        choose_name(all, n, name, all[n].behind[k]);
    }
}

/* Whose result is what others take. */
static const char *result_of(const written *layer)
{
    return layer->n_behind == 0 ? layer->name : layer->behind[1];
}

/* ---- what it takes ---- */

/* The names of its sources: fresh text of the stream's own. NULL: out of memory. */
static char *list_sources(const tr_keras_graph *graph, const tr_keras_node *node,
                          const written *all)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    for (size_t k = 0; out != NULL && k < node->n_sources; k++)
        fprintf(out, "%s%s", k == 0 ? "" : ", ", result_of(&all[graph->sources[node->first + k]]));
    if (out != NULL)
        fclose(out);
    return text;
}

static bool takes_the_one_before(const tr_keras_graph *graph, size_t i)
{
    const tr_keras_node *node = &graph->nodes[i];
    return node->n_sources == 0 || (node->n_sources == 1 && graph->sources[node->first] + 1 == i);
}

/* ---- what it gives ---- */

/* Whether that is a vector. */
static bool is_flat(const char *class_name, const json_t *config, bool source_is)
{
    if (strcmp(class_name, "Reshape") == 0)
        return json_array_size(json_object_get(config, "target_shape")) == 1;
    return source_is || strcmp(class_name, "Flatten") == 0 ||
           (strncmp(class_name, "Global", strlen("Global")) == 0 &&
            !json_is_true(json_object_get(config, "keepdims")));
}

/* As many outputs as units, of the layers that keep their number. */
static bool gives_one(const char *class_name, const json_t *config, bool source_does)
{
    const json_t *units = json_object_get(config, "units");
    if (units != NULL)
        return json_integer_value(units) == 1;
    return source_does && tr_keras_keeps_number(class_name);
}

/* ---- all ---- */

static tr_status write_node(tr_keras_reading *reading, const tr_keras_graph *graph, size_t i,
                            written *all, tr_error *err)
{
    const tr_keras_node *node = &graph->nodes[i];
    json_t *config = json_object_get(node->layer, "config");
    const char *class_name = tr_keras_class_name(node->layer);
    const char *name = json_string_value(json_object_get(config, "name"));
    const written *source = node->n_sources == 0 ? NULL : &all[graph->sources[node->first]];
    tr_keras_entry entry = {.config = config,
                            .class_name = class_name,
                            .keras_name = name == NULL ? class_name : name,
                            .our_name = all[i].name,
                            .n_sources = node->n_sources,
                            .flat = source == NULL ? reading->flat_input : source->flat,
                            .inner = node->part > 0};
    choose_name(all, i, entry.keras_name, all[i].name);
    choose_names_behind(all, i);
    entry.behind[0] = all[i].behind[0];
    entry.behind[1] = all[i].behind[1];
    entry.n_behind = &all[i].n_behind;
    char *inputs = takes_the_one_before(graph, i) ? NULL : list_sources(graph, node, all);
    if (inputs == NULL && !takes_the_one_before(graph, i))
        return tr_out_of_memory(err, NULL);
    entry.inputs = inputs;
    const tr_status status = tr_keras_read_layer(reading, &entry, err);
    free(inputs); /* the stream's own */
    for (int k = 0; k < 2 - all[i].n_behind; k++)
        all[i].behind[k][0] = '\0'; /* free for others */
    all[i].flat = is_flat(class_name, config, entry.flat);
    all[i].one_output = gives_one(class_name, config, source != NULL && source->one_output);
    reading->one_output = all[i].one_output; /* the last one's, in the end */
    return status;
}

static tr_status write_nodes(tr_keras_reading *reading, const tr_keras_graph *graph, written *all,
                             tr_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n; i++) {
        const bool input = strcmp(tr_keras_class_name(graph->nodes[i].layer), "InputLayer") == 0;
        if (input && i > 0)
            return tr_fail(err, TR_ERR_DATA, "%s: layer %s is an input amid the layers",
                           reading->file->path,
                           json_string_value(json_object_get(
                               json_object_get(graph->nodes[i].layer, "config"), "name")));
        if (input) {
            snprintf(all[i].name, NAME_SPACE, "%s", INPUT_NAME);
            all[i].flat = reading->flat_input;
        } else {
            TR_TRY(write_node(reading, graph, i, all, err));
        }
        n += !input;
    }
    return n > 0 ? TR_OK
                 : tr_fail(err, TR_ERR_DATA, "%s: its model has no layers but the input",
                           reading->file->path);
}

tr_status tr_keras_read_layers(tr_keras_reading *reading, tr_error *err)
{
    tr_keras_graph graph;
    TR_TRY(tr_keras_read_graph(&graph, reading, err));
    written *all = tr_alloc(graph.n, sizeof *all);
    tr_status status =
        all == NULL ? tr_out_of_memory(err, NULL) : tr_keras_read_input(reading, &graph, err);
    if (status == TR_OK)
        status = write_nodes(reading, &graph, all, err);
    tr_free(all);
    tr_keras_graph_release(&graph);
    return status;
}
