/* checkpoint_config.c -- the configuration that a checkpoint carries; see trainer/checkpoint.h.
 *
 * A file of ours has it as INI text, one of Keras as JSON. Read, translated and tried in a child
 * process (base/child.h), so that what comes out is a configuration that loads, or an error of the
 * file.
 */
#include <ctype.h>
#include <string.h>

#include "child.h"
#include "digest.h"
#include "file.h"
#include "h5_attributes.h"
#include "keras_config.h"
#include "mem.h"
#include "optimizer.h"
#include "trainer/checkpoint.h"

enum {
    TEXT_MAX = 1 << 20, /* as much as an INI file may have */
    NOTES_MAX = 1 << 16,
    CARRIED_MAX = 1 << 20,
    REASON_MAX = 2048
};

typedef struct config_reader {
    const char *path;
    /* Shared: [TEXT_MAX], [NOTES_MAX], [REASON_MAX], [CARRIED_MAX] */
    char *text, *notes, *no_measure, *carried;
    bool *own, *own_loss, *own_optimizer; /* shared, too */
} config_reader;

/* ---- trying ---- */

/* TR_ERR_CONFIG: the text is no configuration of a model. */
static tr_status try_text(const char *path, const char *text, tr_error *err)
{
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_status status = tr_config_parse(&config, path, text, NULL, 0, err);
    if (status == TR_OK)
        status = tr_model_parse(&model, config, err);
    if (status == TR_OK)
        status = tr_config_check(config, err);
    tr_model_free(model);
    tr_config_free(config);
    return status;
}

/* A mistake inside a checkpoint is one of the file, not of the user's configuration. */
static tr_status fail_damaged(const char *path, const tr_error *reason, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: its configuration is damaged, or of a model that trainer cannot run; give "
                   "an INI file with -c FILE:\n%.6000s",
                   path, reason->text);
}

/* ---- ours ---- */

/* HDF5 keeps no sums of what it stores; files of older versions of ours have no digest. */
static bool digest_fits(hid_t group, const char *text)
{
    char written[33], found[33];
    return !tr_h5_read_text(group, "config_digest", written, sizeof written) ||
           (tr_text_digest(text, found) && strcmp(written, found) == 0);
}

static tr_status read_own(const config_reader *reader, const tr_keras_file *file, tr_error *err)
{
    char **found = NULL;
    size_t n = 0;
    tr_error reason = {0};
    hid_t group;
    TR_TRY(tr_h5_group_open(&group, &file->file, "trainer", err));
    const bool ok = tr_h5_read_names(group, "config", &found, &n) && n == 1 &&
                    strlen(found[0]) < TEXT_MAX && digest_fits(group, found[0]);
    if (ok)
        strcpy(reader->text, found[0]);
    tr_h5_free_names(found, n);
    tr_h5_close(group);
    if (!ok)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: its configuration (/trainer, config) is damaged; give the INI file with "
            "-c FILE",
            reader->path);
    const tr_status status = try_text(reader->path, reader->text, &reason);
    return status == TR_ERR_CONFIG ? fail_damaged(reader->path, &reason, err)
           : status != TR_OK       ? tr_fail(err, status, "%s", reason.text)
                                   : TR_OK;
}

/* False also where it cannot be told: reading what is there instead says why. */
static bool has_own(const tr_keras_file *file)
{
    hid_t group;
    if (file->h5 < 0 || tr_h5_group_open(&group, &file->file, "trainer", NULL) != TR_OK)
        return false;
    const bool has = H5Aexists(group, "config") > 0;
    tr_h5_close(group);
    return has;
}

/* ---- Keras's ---- */

/* What was wrong with the text of each choice of things to leave out. */
typedef char refusals[TR_WITHOUT_ALL + 1][TR_REFUSAL_MAX];

/* The first problem, without its line in a text that nobody sees. */
static void keep_refusal(char kept[TR_REFUSAL_MAX], const char *path, const char *text)
{
    const size_t n = strlen(path);
    if (strncmp(text, path, n) == 0 && text[n] == ':') {
        text += n + 1;
        text += strspn(text, "0123456789: ");
    }
    snprintf(kept, TR_REFUSAL_MAX, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Cut where it is full, it ends in a whole line. */
static void end_notes(char *notes)
{
    notes[NOTES_MAX - 1] = '\0';
    char *end = strrchr(notes, '\n');
    *(end == NULL ? notes : end + 1) = '\0';
}

/* One way of leaving things out. */
typedef struct attempt {
    const config_reader *reader;
    const tr_keras_file *file;
    unsigned without;
    refusals refused;
    tr_refused_metrics metrics;
    int n_metrics; /* of the file */
} attempt;

/* False: there is more than is read. */
static bool write_carried(const config_reader *reader, const json_t *carried)
{
    const size_t n =
        json_dumpb(carried, reader->carried, CARRIED_MAX - 1, JSON_COMPACT | JSON_ENSURE_ASCII);
    reader->carried[n < CARRIED_MAX ? n : 0] = '\0';
    return n < CARRIED_MAX;
}

static tr_status translate(attempt *self, tr_error *err)
{
    const config_reader *reader = self->reader;
    const unsigned without = self->without;
    char(*refused)[TR_REFUSAL_MAX] = self->refused;
    tr_keras_reading reading = {.file = self->file,
                                .carried = json_object(),
                                .refused = &self->metrics,
                                .without = without,
                                .no_metrics = refused[without & ~(unsigned)TR_WITHOUT_METRICS],
                                .no_optimizer = refused[without & ~(unsigned)TR_WITHOUT_OPTIMIZER],
                                .ini = fmemopen(reader->text, TEXT_MAX, "w"),
                                .notes = fmemopen(reader->notes, NOTES_MAX, "w"),
                                .no_measure = fmemopen(reader->no_measure, REASON_MAX, "w")};
    FILE *const streams[] = {reading.ini, reading.notes, reading.no_measure};
    tr_status status = TR_OK;
    for (int i = 0; i < 3; i++)
        if (streams[i] == NULL)
            status = tr_out_of_memory(err, NULL);
    if (status == TR_OK)
        status = tr_keras_read_config(&reading, err);
    /* fmemopen() ends what fits with a '\0' as it is flushed. */
    const bool full = (reading.ini != NULL && (fflush(reading.ini) != 0 || ferror(reading.ini))) ||
                      !write_carried(reader, reading.carried);
    json_decref(reading.carried);
    *reader->own_loss = reading.own_loss;
    *reader->own_optimizer = reading.own_optimizer;
    self->n_metrics = reading.n_metrics;
    for (int i = 0; i < 3; i++)
        if (streams[i] != NULL)
            fclose(streams[i]);
    reader->text[TEXT_MAX - 1] = reader->no_measure[REASON_MAX - 1] = '\0';
    end_notes(reader->notes);
    if (status == TR_OK && full)
        status = tr_fail(err, TR_ERR_DATA, "%s: its model has too many layers", reader->path);
    return status;
}

static tr_status try_attempt(attempt *self, tr_error *reason, tr_error *err)
{
    TR_TRY(translate(self, err));
    return try_text(self->reader->path, self->reader->text, reason);
}

/* The model goes without metrics: with each that goes beside those before it. */
static tr_status add_metrics(attempt *self, tr_error *err)
{
    tr_error reason = {0};
    const int n = self->n_metrics < TR_METRICS_TOLD ? self->n_metrics : TR_METRICS_TOLD;
    self->without &= ~(unsigned)TR_WITHOUT_METRICS;
    for (int i = 0; i < TR_METRICS_TOLD; i++)
        self->metrics.refused[i] = true;
    for (int i = 0; i < n; i++) {
        self->metrics.refused[i] = false;
        if (try_attempt(self, &reason, err) == TR_OK)
            continue;
        self->metrics.refused[i] = true;
        keep_refusal(self->metrics.why[i], self->reader->path, reason.text);
    }
    return try_attempt(self, err, err);
}

/* With as much of [compile] as goes with the model. */
static tr_status read_keras(const config_reader *reader, const tr_keras_file *file, tr_error *err)
{
    tr_error reason = {0};
    attempt self = {.reader = reader, .file = file};
    int n_metrics = 0;
    for (unsigned without = 0; without <= TR_WITHOUT_ALL; without++) {
        self.without = without;
        TR_TRY(translate(&self, err));
        n_metrics = self.n_metrics > n_metrics ? self.n_metrics : n_metrics;
        const tr_status status = try_text(reader->path, reader->text, &reason);
        self.n_metrics = n_metrics;
        if (status == TR_OK)
            return without & TR_WITHOUT_METRICS ? add_metrics(&self, err) : TR_OK;
        if (status != TR_ERR_CONFIG)
            return tr_fail(err, status, "%s", reason.text);
        keep_refusal(self.refused[without], reader->path, reason.text);
    }
    return fail_damaged(reader->path, &reason, err);
}

/* ---- both ---- */

/* In the child. */
static tr_status read_file(void *job, tr_error *err)
{
    const config_reader *reader = job;
    tr_keras_file file;
    tr_status status = tr_keras_file_open_config(&file, reader->path, err);
    /* Ours is read even where Keras's beside it is damaged. */
    *reader->own = has_own(&file);
    if (*reader->own)
        status = read_own(reader, &file, err);
    else if (status == TR_OK)
        status = read_keras(reader, &file, err);
    tr_keras_file_close(&file);
    return status;
}

/* Names out of a file may hold anything; a terminal must not obey it. */
static void show_controls(char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text) && *text != '\n')
            *text = '?';
}

static tr_status keep(tr_checkpoint_info *out, const config_reader *reader, tr_error *err)
{
    reader->text[TEXT_MAX - 1] = reader->notes[NOTES_MAX - 1] = '\0'; /* whatever the child left */
    reader->no_measure[REASON_MAX - 1] = reader->carried[CARRIED_MAX - 1] = '\0';
    show_controls(reader->notes);
    show_controls(reader->no_measure);
    *out = (tr_checkpoint_info){.config = tr_strdup(reader->text),
                                .notes = tr_strdup(reader->notes),
                                .no_measure = tr_strdup(reader->no_measure),
                                .carried = tr_strdup(reader->carried),
                                .own_loss = *reader->own || *reader->own_loss,
                                .own_optimizer = *reader->own || *reader->own_optimizer,
                                .of_trainer = *reader->own};
    if (out->config != NULL && out->notes != NULL && out->no_measure != NULL &&
        out->carried != NULL)
        return TR_OK;
    tr_checkpoint_info_release(out);
    return tr_out_of_memory(err, NULL);
}

tr_status tr_checkpoint_describe(tr_checkpoint_info *out, const char *path, tr_error *err)
{
    config_reader reader = {.path = path};
    TR_TRY(tr_file_check_input(path, err));
    reader.text = tr_shared_alloc(
        TEXT_MAX + NOTES_MAX + REASON_MAX + CARRIED_MAX + 3 * sizeof *reader.own, 1);
    if (reader.text == NULL)
        return tr_out_of_memory(err, NULL);
    reader.notes = reader.text + TEXT_MAX;
    reader.no_measure = reader.notes + NOTES_MAX;
    reader.carried = reader.no_measure + REASON_MAX;
    reader.own = (bool *)(reader.carried + CARRIED_MAX);
    reader.own_loss = reader.own + 1;
    reader.own_optimizer = reader.own + 2;
    tr_status status = tr_in_child(read_file, &reader, path, err);
    if (status == TR_OK)
        status = keep(out, &reader, err);
    else if (err != NULL)
        show_controls(err->text);
    tr_shared_free(reader.text);
    return status;
}

void tr_checkpoint_info_release(tr_checkpoint_info *info)
{
    tr_free(info->config);
    tr_free(info->notes);
    tr_free(info->no_measure);
    tr_free(info->carried);
    *info = (tr_checkpoint_info){0};
}

tr_status tr_checkpoint_read_config(char **text, const char *path, tr_error *err)
{
    tr_checkpoint_info info;
    TR_TRY(tr_checkpoint_describe(&info, path, err));
    *text = info.config;
    info.config = NULL;
    tr_checkpoint_info_release(&info);
    return TR_OK;
}
