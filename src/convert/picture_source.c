/* picture_source.c -- see picture_source.h. */
#include "picture_source.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "file.h"
#include "mem.h"

/* Each child goes through the whole of an archive, and unpacking may take 64 MB. */
enum {
    SECONDS = 60,
    ARCHIVE_SECONDS = 600,
    MOST_CHILDREN = 256,
    OF_ARCHIVE = 3,
    RESULTS_BYTES = 1 << 26 /* of one result for each child */
};

/* ---- in the children ---- */

int64_t tr_picture_source_at(const tr_picture_source *self, int64_t item)
{
    return self->order == NULL ? item : self->order[item];
}

static char *name_of(void *user, int64_t item)
{
    const tr_picture_source *self = user;
    const int64_t i = tr_picture_source_at(self, item);
    return tr_path_join(self->path, self->list.text + self->list.pictures[i].path);
}

static tr_status visit_archived(tr_picture_source *self, int64_t item, tr_picture_visit *visit,
                                tr_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    const int64_t ordinal = self->list.pictures[tr_picture_source_at(self, item)].ordinal;
    tr_status status =
        tr_archive_read_entry(&self->walk, self->path, visit->path, ordinal, &bytes, &n, err);
    if (status == TR_OK)
        status = tr_picture_visit_bytes(visit, bytes, n, err);
    tr_free(bytes);
    return status;
}

static tr_status check_exact(const tr_picture_source *self, const tr_picture_visit *visit,
                             tr_error *err)
{
    const tr_picture_rules *rules = &self->rules;
    if (!self->exact || (visit->h == rules->h && visit->w == rules->w))
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s: is %lld x %lld pixels (height x width), the first picture is %lld x %lld; "
                   "give the size that all shall have (--size)",
                   visit->path, (long long)visit->h, (long long)visit->w, (long long)rules->h,
                   (long long)rules->w);
}

/* With rules without a size: only its size is told. */
static tr_status decode(void *user, int64_t item, void *result, tr_error *err)
{
    tr_picture_source *self = user;
    tr_decoded_picture *to = result;
    char *path = name_of(user, item);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    tr_picture_visit visit = {
        .path = path, .rules = self->rules, .pixels = self->rules.h == 0 ? NULL : to->pixels};
    tr_status status = self->order == NULL ? tr_picture_visit_file(&visit, err)
                                           : visit_archived(self, item, &visit, err);
    if (status == TR_OK)
        status = check_exact(self, &visit, err);
    to->h = visit.h;
    to->w = visit.w;
    to->transparent = visit.transparent;
    tr_free(path);
    return status;
}

static int count_children(const tr_picture_source *self, int asked, size_t result_bytes)
{
    const size_t fit = RESULTS_BYTES / result_bytes;
    int most = self->order == NULL ? MOST_CHILDREN : OF_ARCHIVE, n = asked;
    cpu_set_t cpus;
    if (fit < (size_t)most)
        most = fit < 1 ? 1 : (int)fit;
    if (n < 1)
        n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return n < most ? n : most;
}

tr_status tr_picture_source_start(tr_children **out, tr_picture_source *self, int n_children,
                                  tr_error *err)
{
    const tr_picture_rules *rules = &self->rules;
    const size_t bytes =
        sizeof(tr_decoded_picture) + (size_t)(rules->h * rules->w * rules->channels);
    const tr_children_work work = {.work = decode,
                                   .name = name_of,
                                   .user = self,
                                   .n = self->list.n,
                                   .result_bytes = bytes,
                                   .n_children = count_children(self, n_children, bytes),
                                   .seconds = self->order == NULL ? SECONDS : ARCHIVE_SECONDS,
                                   .reach = self->path};
    return tr_children_start(out, &work, err);
}

/* The size of the first picture that can be read. */
static tr_status look_for_size(tr_picture_source *self, tr_error *err)
{
    tr_children *children = NULL;
    const void *result = NULL;
    TR_TRY(tr_picture_source_start(&children, self, 1, err));
    tr_status status = TR_ERR_DATA;
    for (int64_t i = 0; i < self->list.n && status == TR_ERR_DATA; i++)
        status = tr_children_next(children, &result, err);
    if (status == TR_OK) {
        const tr_decoded_picture found = *(const tr_decoded_picture *)result;
        self->rules.h = found.h;
        self->rules.w = found.w;
        self->exact = true;
    }
    tr_children_end(children);
    return status;
}

static tr_status check_size(const tr_picture_source *self, tr_error *err)
{
    const int64_t h = self->rules.h, w = self->rules.w;
    if (h >= 1 && w >= 1 && h <= 4096 && w <= 4096)
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s: pictures of %lld x %lld pixels (height x width) are no size for a "
                   "dataset; each side may be 1 to 4096",
                   self->path, (long long)h, (long long)w);
}

tr_status tr_picture_source_find_size(tr_picture_source *self, tr_error *err)
{
    if (self->rules.h == 0)
        TR_TRY(look_for_size(self, err));
    return check_size(self, err);
}

/* ---- the list ---- */

static int by_ordinal(const void *a, const void *b, void *user)
{
    const tr_listed_picture *pictures = user;
    const int64_t x = pictures[*(const int64_t *)a].ordinal;
    const int64_t y = pictures[*(const int64_t *)b].ordinal;
    return (x > y) - (x < y);
}

/* A folder, or what is taken for an archive, which is read from its beginning to its end. */
tr_status tr_picture_source_open(tr_picture_source *self, const char *path,
                                 const tr_picture_rules *rules, tr_error *err)
{
    *self = (tr_picture_source){.path = path, .rules = *rules};
    struct stat info;
    tr_picture_list *list = &self->list;
    if (stat(self->path, &info) != 0 || S_ISDIR(info.st_mode))
        return tr_picture_list_folder(list, self->path, err);
    TR_TRY(tr_file_check_input(self->path, err));
    TR_TRY(tr_picture_list_archive(list, self->path, err));
    self->order = tr_alloc((size_t)list->n, sizeof *self->order);
    if (self->order == NULL)
        return tr_out_of_memory(err, self->path);
    for (int64_t i = 0; i < list->n; i++)
        self->order[i] = i;
    qsort_r(self->order, (size_t)list->n, sizeof *self->order, by_ordinal, list->pictures);
    return TR_OK;
}

void tr_picture_source_release(tr_picture_source *self)
{
    tr_free(self->order);
    tr_picture_list_release(&self->list);
}
