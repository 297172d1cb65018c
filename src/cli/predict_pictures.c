/* predict_pictures.c -- see predict_pictures.h.
 *
 * Child processes read and resize (base/children.h); what they made is predicted a portion at a
 * time, so that memory does not depend on the number of pictures.
 */
#include "predict_pictures.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "children.h"
#include "evaluation.h"
#include "evaluation_table.h"
#include "mem.h"
#include "picture_input.h"
#include "picture_names.h"
#include "picture_read.h"
#include "utf8.h"

enum {
    PORTION = 512,            /* pictures, */
    PORTION_BYTES = 64 << 20, /* and no more than that of pixels */
    MOST_CHILDREN = 16,
    SECONDS = 60, /* of computing, for a picture */
    MOST_NAMED = 20
};

typedef struct picture_run {
    const tr_session *session;
    const tr_picture_request *request;
    tr_prediction_file *file;
    tr_picture_names names;
    tr_picture_input input;
    tr_predictor *predictor;

    int64_t n_classes; /* that the network can say: labels beyond are none */

    /* The portion at hand. */
    int64_t room, count;
    uint8_t *pixels; /* [room, picture_bytes] */
    const char **files;
    int32_t *labels;
    float *values;

    int64_t group_first; /* the picture that the group at hand begins with */
    int64_t n_done, n_broken, n_transparent;
    tr_evaluation evaluation; /* of those with a label */
    int64_t n_right, n_labelled;
} picture_run;

/* ---- in the children ---- */

typedef struct decoded {
    int64_t h, w;
    bool transparent;
    uint8_t pixels[];
} decoded;

static const char *path_of(const picture_run *self, int64_t item)
{
    return self->names.pictures[self->group_first + item].path;
}

static char *name_of(void *user, int64_t item)
{
    return tr_strdup(path_of(user, item));
}

static tr_status decode(void *user, int64_t item, void *result, tr_error *err)
{
    const picture_run *self = user;
    decoded *to = result;
    tr_picture_visit visit = {
        .path = path_of(self, item), .rules = self->input.rules, .pixels = to->pixels};
    TR_TRY(tr_picture_visit_file(&visit, err));
    to->h = visit.h;
    to->w = visit.w;
    to->transparent = visit.transparent;
    return TR_OK;
}

static int count_children(void)
{
    cpu_set_t cpus;
    const int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return n < MOST_CHILDREN ? n : MOST_CHILDREN;
}

/* ---- predictions of a portion ---- */

static void note_labels(picture_run *self)
{
    const tr_model *model = self->session->model;
    const int64_t width = tr_model_n_classes(model);
    for (int64_t i = 0; i < self->count; i++) {
        if (self->labels[i] < 0)
            continue;
        const float *row = self->values + i * width;
        tr_evaluation_note_class(&self->evaluation, model, self->n_done + i, self->labels[i], row);
        self->n_right += tr_model_class_of(model, row) == self->labels[i];
        self->n_labelled++;
    }
}

static tr_status predict_portion(picture_run *self, tr_error *err)
{
    const tr_session *session = self->session;
    const int64_t *hwc = session->config->input_shape;
    if (self->count == 0)
        return TR_OK;
    const tr_samples samples = {.n = self->count,
                                .h = hwc[0],
                                .w = hwc[1],
                                .c = hwc[2],
                                .pixel = TR_PIXEL_U8,
                                .x = self->pixels};
    TR_TRY(tr_predictor_run(self->predictor, &samples, self->values, err));
    const tr_predictions predictions = {.model = session->model,
                                        .values = self->values,
                                        .n = self->count,
                                        .files = self->files,
                                        .first = self->n_done,
                                        .labels = self->names.n_labels > 0 ? self->labels : NULL,
                                        .top = self->request->top};
    if (self->file == NULL)
        tr_predictions_print_lines(stdout, &predictions);
    else
        TR_TRY(tr_prediction_file_add(self->file, &predictions, err));
    note_labels(self);
    self->n_done += self->count;
    self->count = 0;
    return TR_OK;
}

/* ---- one picture after the other ---- */

static void take_fault(picture_run *self, const tr_error *fault)
{
    if (self->n_broken++ < MOST_NAMED)
        fprintf(stderr, "trainer: passed over: %s\n", fault->text);
}

static void note_transparent(picture_run *self, const char *path)
{
    char name[4096];
    tr_utf8_clean(name, sizeof name, path);
    if (self->n_transparent++ < MOST_NAMED)
        fprintf(stderr, "trainer: note: %s: its transparent parts are taken as white\n", name);
}

static void note_fit(picture_run *self, int64_t h, int64_t w)
{
    const tr_picture_rules *rules = &self->input.rules;
    if (!self->input.fit_assumed || (h == rules->h && w == rules->w))
        return;
    fprintf(stderr,
            "trainer: note: pictures are scaled to %lld x %lld pixels, and cropped where their "
            "shape is another one, as the checkpoint does not say how those of the training were "
            "made; --fit pad and --fit stretch are other ways\n",
            (long long)rules->h, (long long)rules->w);
    self->input.fit_assumed = false; /* said once */
}

/* The pixels lie in the portion; it is that picture's. */
static tr_status take_picture(picture_run *self, int64_t item, bool transparent, tr_error *err)
{
    const tr_named_picture *picture = &self->names.pictures[self->group_first + item];
    self->files[self->count] = picture->path;
    self->labels[self->count] = picture->label < self->n_classes ? picture->label : -1;
    self->count++;
    if (transparent)
        note_transparent(self, picture->path);
    return self->count == self->room ? predict_portion(self, err) : TR_OK;
}

static uint8_t *next_place(const picture_run *self)
{
    return self->pixels + (size_t)self->count * self->input.bytes;
}

static tr_status take_next(picture_run *self, tr_children *children, int64_t item, tr_error *err)
{
    tr_error fault = {0};
    bool transparent = false;
    tr_status status;
    if (children == NULL) {
        status = tr_picture_input_read_vector(next_place(self), &self->input, path_of(self, item),
                                              &transparent, &fault);
    } else {
        const void *result = NULL;
        status = tr_children_next(children, &result, &fault);
        if (status == TR_OK) {
            const decoded *picture = result;
            transparent = picture->transparent;
            memcpy(next_place(self), picture->pixels, self->input.bytes);
            note_fit(self, picture->h, picture->w);
        }
    }
    if (status == TR_ERR_DATA) {
        take_fault(self, &fault);
        return TR_OK;
    }
    return status == TR_OK ? take_picture(self, item, transparent, err)
                           : tr_fail(err, status, "%s", fault.text);
}

static tr_status take_group(picture_run *self, const tr_picture_group *group, tr_error *err)
{
    const tr_children_work work = {.work = decode,
                                   .name = name_of,
                                   .user = self,
                                   .n = group->n,
                                   .result_bytes = sizeof(decoded) + self->input.bytes,
                                   .n_children = count_children(),
                                   .seconds = SECONDS,
                                   .reach = group->reach};
    tr_children *children = NULL;
    if (self->input.rules.h > 0)
        TR_TRY(tr_children_start(&children, &work, err));
    tr_status status = TR_OK;
    for (int64_t i = 0; i < group->n && status == TR_OK; i++)
        status = take_next(self, children, i, err);
    tr_children_end(children);
    return status;
}

/* ---- the whole ---- */

static tr_status prepare(picture_run *self, tr_error *err)
{
    const tr_model *model = self->session->model;
    TR_TRY(tr_picture_input_choose(&self->input, model, self->request->fit, err));
    for (size_t i = 0; i < self->request->n; i++)
        TR_TRY(tr_picture_names_add(&self->names, self->request->paths[i], tr_model_legend(model),
                                    err));
    if (!tr_model_predicts_classes(model)) {
        self->names.n_labels = 0;
        for (int64_t i = 0; i < self->names.n; i++)
            self->names.pictures[i].label = -1;
    }
    const int64_t width = tr_model_n_classes(model);
    self->n_classes = width > 1 ? width : 2; /* more than that can have names */
    const int64_t fit = PORTION_BYTES / (int64_t)self->input.bytes;
    self->room = fit < 1 ? 1 : fit < PORTION ? fit : PORTION;
    if (self->room > self->names.n)
        self->room = self->names.n;
    const size_t room = (size_t)self->room;
    self->pixels = tr_alloc(room, self->input.bytes);
    self->files = tr_alloc(room, sizeof *self->files);
    self->labels = tr_alloc(room, sizeof *self->labels);
    self->values = tr_alloc(room, (size_t)tr_model_n_classes(model) * sizeof *self->values);
    if (self->pixels == NULL || self->files == NULL || self->labels == NULL || self->values == NULL)
        return tr_out_of_memory(err, NULL);
    TR_TRY(tr_evaluation_begin(&self->evaluation, model, err));
    return tr_predictor_new(&self->predictor, self->session->config, self->session->model, err);
}

static void print_labelled(const picture_run *self)
{
    if (self->n_labelled == 0)
        return;
    const double share = (double)self->n_right / (double)self->n_labelled;
    tr_print_classes(stdout, &self->evaluation, tr_model_legend(self->session->model));
    printf("accuracy %.4f +- %.4f: %lld of %lld pictures in folders with the name of a class\n",
           share, tr_standard_error(share, self->n_labelled), (long long)self->n_right,
           (long long)self->n_labelled);
}

static void release(picture_run *self)
{
    tr_predictor_free(self->predictor);
    tr_evaluation_release(&self->evaluation);
    tr_picture_names_release(&self->names);
    tr_free(self->pixels);
    tr_free(self->files);
    tr_free(self->labels);
    tr_free(self->values);
}

tr_status tr_predict_pictures(const tr_session *session, const tr_picture_request *request,
                              tr_prediction_file *file, int64_t *n, tr_error *err)
{
    picture_run self = {.session = session, .request = request, .file = file};
    tr_status status = prepare(&self, err);
    for (int64_t i = 0; i < self.names.n_groups && status == TR_OK; i++) {
        status = take_group(&self, &self.names.groups[i], err);
        self.group_first += self.names.groups[i].n;
    }
    if (status == TR_OK)
        status = predict_portion(&self, err);
    if (status == TR_OK)
        print_labelled(&self);
    if (self.n_broken > MOST_NAMED)
        fprintf(stderr, "trainer: and %lld more\n", (long long)(self.n_broken - MOST_NAMED));
    *n = self.n_done;
    if (status == TR_OK && self.n_broken > 0)
        status = tr_fail(err, TR_ERR_DATA, "%lld of %lld pictures cannot be read",
                         (long long)self.n_broken, (long long)self.names.n);
    release(&self);
    return status;
}
