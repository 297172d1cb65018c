/* groups.c -- [optimizer] and the [optimizer.NAME]s; see groups.h.
 *
 * A group that names no optimizer is as [optimizer] but for its own keys: what stands there and not
 * here is taken from there, the schedule too where the group has no rate of its own. One that names
 * an optimizer has that one's defaults. [learning_rate.NAME] is the schedule of the group NAME.
 */
#include "groups.h"

#include <math.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"

static const char prefix[] = "optimizer.", rates_prefix[] = "learning_rate.";

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- layers ---- */

bool tr_optimizer_layer(const tr_optimizer *optimizer, int k, char name[TR_LAYER_NAME_MAX])
{
    const char *at = optimizer->layers;
    for (; at != NULL && *at != '\0'; k--) {
        at += strspn(at, " \t");
        size_t n = strcspn(at, ",");
        const char *next = at + n + (at[n] == ',');
        while (n > 0 && strchr(" \t", at[n - 1]) != NULL)
            n--;
        if (k == 0) {
            n = n < TR_LAYER_NAME_MAX ? n : TR_LAYER_NAME_MAX - 1;
            memcpy(name, at, n);
            name[n] = '\0';
            return true;
        }
        at = next;
    }
    return false;
}

static bool names(const tr_optimizer *optimizer, const char *layer)
{
    char name[TR_LAYER_NAME_MAX];
    for (int k = 0; tr_optimizer_layer(optimizer, k, name); k++)
        if (strcmp(name, layer) == 0)
            return true;
    return false;
}

int tr_optimizers_of(const tr_optimizers *optimizers, const char *layer)
{
    for (int i = 1; i < optimizers->n; i++)
        if (names(optimizers->items[i], layer))
            return i;
    return 0;
}

/* ---- making ---- */

static const tr_optimizer_ops *find(const tr_section *section, const char *name,
                                    tr_problems *problems)
{
    const tr_optimizer_ops *ops = tr_optimizer_find(name);
    const char *known[TR_MAX_OPTIMIZERS];
    tr_optimizer_names(known);
    if (ops == NULL)
        tr_section_unknown(section, "optimizer", "optimizer", known, problems);
    return ops;
}

tr_status tr_optimizer_make(tr_optimizer **out, tr_config *config, tr_error *err)
{
    *out = NULL;
    tr_section *section = tr_ini_demand(config->ini, "optimizer");
    tr_section *rates = tr_ini_find(config->ini, "learning_rate");
    if (section == NULL)
        return tr_out_of_memory(err, NULL);
    const char *name = config->compile.optimizer; /* NULL: reported already */
    const tr_optimizer_ops *ops =
        name == NULL ? NULL : find(tr_ini_find(config->ini, "compile"), name, config->problems);
    if (ops == NULL) {
        tr_schedule schedule;
        if (rates != NULL)
            tr_schedule_read(&schedule, rates, config->problems);
        return TR_OK;
    }
    *out = tr_optimizer_new(ops, section, rates, config->problems);
    return *out == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

/* A way of clipping, a rate or an average of the group's own takes the place of another. */
static bool is_replaced(const tr_section *section, const tr_section *rates, const char *key)
{
    static const char *const clipping[] = {"clipnorm", "global_clipnorm", "clipvalue"};
    bool is_clipping = false, clips = false;
    for (int i = 0; i < 3; i++) {
        is_clipping = is_clipping || strcmp(key, clipping[i]) == 0;
        clips = clips || tr_section_find(section, clipping[i]) != NULL;
    }
    return (is_clipping && clips) || (strcmp(key, "learning_rate") == 0 && rates != NULL) ||
           (starts(key, "ema_") && tr_section_find(section, "use_ema") != NULL);
}

static bool inherit(tr_section *section, const tr_section *from, const tr_section *rates)
{
    bool ok = true;
    for (size_t i = 0; i < from->n_entries; i++)
        if (!is_replaced(section, rates, from->entries[i].key))
            ok = tr_section_default(section, from->entries[i].key, from->entries[i].value) && ok;
    return ok;
}

/* `common`: that of [optimizer]. */
static tr_status make_group(tr_optimizer **out, const tr_optimizer *common, tr_config *config,
                            tr_section *section, tr_error *err)
{
    char name[128] = "learning_rate.";
    const size_t n = strlen(section->name) - strlen(prefix);
    if (n < sizeof name - sizeof rates_prefix)
        memcpy(name + strlen(rates_prefix), section->name + strlen(prefix), n);
    tr_section *rates = tr_ini_find(config->ini, name);
    const tr_entry *own = tr_section_find(section, "optimizer");
    const tr_optimizer_ops *ops =
        own == NULL ? common->ops : find(section, own->value, config->problems);
    if (ops == NULL)
        return TR_OK;
    if (own == NULL) {
        if (rates == NULL && tr_section_find(section, "learning_rate") == NULL)
            rates = tr_ini_find(config->ini, "learning_rate");
        if (!inherit(section, tr_ini_find(config->ini, "optimizer"), rates))
            return tr_out_of_memory(err, NULL);
    }
    *out = tr_optimizer_new(ops, section, rates, config->problems);
    if (*out == NULL)
        return tr_out_of_memory(err, NULL);
    (*out)->group = section->name + strlen(prefix);
    return TR_OK;
}

static void check_layers(const tr_optimizers *made, const tr_optimizer *group,
                         const tr_config *config, const tr_section *section)
{
    char name[TR_LAYER_NAME_MAX], full[TR_LAYER_NAME_MAX + 8] = "layer.";
    const int line = tr_section_line(section, "layers");
    for (int k = 0; tr_optimizer_layer(group, k, name); k++) {
        memcpy(full + 6, name, sizeof name);
        if (tr_ini_find(config->ini, full) == NULL)
            tr_problems_add(config->problems, line,
                            "[%s] layers: there is no [layer.%s]; a list of names is expected, as "
                            "in layers = conv1, dense2",
                            section->name, name);
        else if (tr_optimizers_of(made, name) != 0)
            tr_problems_add(config->problems, line,
                            "[%s] layers: %s stands in another [optimizer.NAME], too; each layer "
                            "has one optimizer",
                            section->name, name);
    }
}

/* A schedule of a group that is not there. */
static void check_rates(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        char name[128] = "optimizer.";
        if (!starts(section->name, rates_prefix))
            continue;
        strncat(name, section->name + strlen(rates_prefix), sizeof name - sizeof prefix);
        if (tr_ini_find(config->ini, name) == NULL)
            tr_problems_add(config->problems, section->line,
                            "[%s] is the schedule of a group of layers that is not there: [%s] "
                            "with layers = ... is missing",
                            section->name, name);
    }
}

static tr_status make_groups(tr_optimizers *out, tr_config *config, tr_error *err)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        tr_section *section = &config->ini->sections[i];
        tr_optimizer *made = NULL;
        if (!starts(section->name, prefix))
            continue;
        if (out->n > TR_MAX_GROUPS) {
            tr_problems_add(config->problems, section->line,
                            "[%s]: there are at most %d such sections", section->name,
                            TR_MAX_GROUPS);
            return TR_OK;
        }
        TR_TRY(make_group(&made, out->items[0], config, section, err));
        if (made == NULL)
            continue;
        check_layers(out, made, config, section);
        out->items[out->n++] = made;
    }
    return TR_OK;
}

tr_status tr_optimizers_make(tr_optimizers *out, tr_config *config, tr_error *err)
{
    *out = (tr_optimizers){0};
    const size_t problems = tr_problems_count(config->problems);
    TR_TRY(tr_optimizer_make(&out->items[0], config, err));
    check_rates(config);
    if (out->items[0] == NULL)
        return TR_OK;
    out->n = 1;
    /* What groups would inherit was reported. */
    return tr_problems_count(config->problems) > problems ? TR_OK : make_groups(out, config, err);
}

tr_status tr_optimizers_copy(tr_optimizers *out, const tr_optimizers *optimizers, tr_error *err)
{
    *out = (tr_optimizers){0};
    for (; out->n < optimizers->n; out->n++) {
        out->items[out->n] = tr_optimizer_copy(optimizers->items[out->n]);
        if (out->items[out->n] == NULL) {
            tr_optimizers_release(out);
            return tr_out_of_memory(err, NULL);
        }
    }
    return TR_OK;
}

void tr_optimizers_release(tr_optimizers *optimizers)
{
    for (int i = 0; i < optimizers->n; i++)
        tr_free(optimizers->items[i]);
    *optimizers = (tr_optimizers){0};
}

bool tr_optimizers_average(const tr_optimizers *optimizers)
{
    for (int i = 0; i < optimizers->n; i++)
        if (optimizers->items[i]->use_ema)
            return true;
    return false;
}

bool tr_optimizers_reduce(tr_optimizers *optimizers, double factor, double min_lr)
{
    bool any = false;
    for (int i = 0; i < optimizers->n; i++) {
        double *rate = &optimizers->items[i]->learning_rate;
        if ((float)*rate <= (float)min_lr)
            continue;
        *rate = (float)fmax((double)(float)*rate * factor, min_lr);
        any = true;
    }
    return any;
}
