/* waves.c -- see waves.h. */
#include "waves.h"

#include <string.h>

#include "mem.h"
#include "reduce.h"

enum { FLOATS_PER_LINE = TR_ALIGN / sizeof(float) };

/* Neighbouring gradients of a stage, at most TR_REDUCE_CHUNK of them. */
typedef struct piece {
    size_t offset, n;
} piece;

typedef struct stage_pieces {
    piece *pieces;
    size_t n;
} stage_pieces;

struct tr_waves {
    int64_t k;         /* slots */
    int64_t n_vectors; /* slots and partial sums */
    int levels;        /* of the counter: partial sums behind the slots */
    size_t stride;     /* distance of two slots, in floats */
    float *slots;      /* [k + levels, stride] */
    int n_stages;
    stage_pieces *stages; /* NULL: never more than one wave */
};

/* ---- life ---- */

/* Of a counter up to n waves: floor(log2(n)) + 1; the sum of all is in the highest. */
static int levels_of(int64_t n_waves)
{
    int levels = 1;
    while (n_waves >> levels > 0)
        levels++;
    return levels;
}

static int64_t waves_of(int64_t n, int64_t k)
{
    return (n + k - 1) / k;
}

static int64_t vectors_of(int64_t n, int64_t k)
{
    return n <= k ? n : k + levels_of(waves_of(n, k));
}

/* The largest k whose memory is within the limit; each thread can be at work on one. */
static int64_t choose(int64_t n, size_t stride, int threads)
{
    const double limit = (double)TR_GRADIENT_BYTES / (double)(stride * sizeof(float));
    int64_t k = 1;
    while (k < n)
        k *= 2;
    while (k / 2 >= threads && (double)vectors_of(n, k) > limit)
        k /= 2;
    return k;
}

static bool add_pieces(stage_pieces *stage, const tr_param *param)
{
    for (size_t begin = 0; begin < param->n_packed; begin += TR_REDUCE_CHUNK) {
        const size_t left = param->n_packed - begin;
        piece *grown = tr_grown(stage->pieces, stage->n, sizeof *grown);
        if (grown == NULL)
            return false;
        stage->pieces = grown;
        grown[stage->n++] = (piece){.offset = param->offset + begin,
                                    .n = left < TR_REDUCE_CHUNK ? left : TR_REDUCE_CHUNK};
    }
    return true;
}

static bool make_pieces(tr_waves *waves, const tr_program *program)
{
    waves->stages = tr_alloc((size_t)waves->n_stages, sizeof *waves->stages);
    if (waves->stages == NULL)
        return false;
    for (size_t i = 0; i < tr_program_n_gradients(program); i++) {
        const tr_stage_gradient gradient = tr_program_gradient_at(program, i);
        if (!add_pieces(&waves->stages[gradient.stage], gradient.param))
            return false;
    }
    return true;
}

tr_status tr_waves_new(tr_waves **out, const tr_program *program, size_t n_trained, int64_t n,
                       int64_t slots, int threads, tr_error *err)
{
    tr_waves *waves = tr_alloc(1, sizeof *waves);
    if (waves == NULL)
        return tr_out_of_memory(err, NULL);
    /* One line more than needed: slots a multiple of 4096 bytes apart would compete for the same
     * cache sets when they are summed. */
    waves->stride = n_trained + FLOATS_PER_LINE;
    waves->k = slots > 0 ? slots : choose(n, waves->stride, threads);
    waves->levels = waves->k < n ? levels_of(waves_of(n, waves->k)) : 0;
    waves->n_stages = tr_program_n_stages(program);
    waves->n_vectors = vectors_of(n, waves->k);
    waves->slots = tr_alloc((size_t)waves->n_vectors, waves->stride * sizeof(float));
    const bool ok = waves->slots != NULL && (waves->levels == 0 || make_pieces(waves, program));
    if (!ok) {
        const int64_t n_vectors = waves->n_vectors;
        tr_waves_free(waves);
        return tr_fail(
            err, TR_ERR_INTERNAL,
            "out of memory: %lld gradients of %zu parameters; use fewer [engine] "
            "gradient_slots, a smaller [fit] batch_size or a larger [engine] micro_batch",
            (long long)n_vectors, n_trained);
    }
    *out = waves;
    return TR_OK;
}

void tr_waves_free(tr_waves *waves)
{
    if (waves == NULL)
        return;
    for (int s = 0; waves->stages != NULL && s < waves->n_stages; s++)
        tr_free(waves->stages[s].pieces);
    tr_free(waves->stages);
    tr_free(waves->slots);
    tr_free(waves);
}

/* ---- questions ---- */

size_t tr_waves_bytes(const tr_waves *waves)
{
    return (size_t)waves->n_vectors * waves->stride * sizeof *waves->slots;
}

int64_t tr_waves_size(const tr_waves *waves, int64_t n, int stage)
{
    return n > waves->k && waves->stages[stage].n > 0 ? waves->k : n;
}

float *tr_waves_slot(const tr_waves *waves, int64_t n, int64_t m)
{
    return waves->slots + (size_t)(n > waves->k ? m % waves->k : m) * waves->stride;
}

static float *partial(const tr_waves *waves, int level)
{
    return waves->slots + (size_t)(waves->k + level) * waves->stride;
}

tr_leaves tr_waves_leaves(const tr_waves *waves, int64_t n)
{
    if (n <= waves->k)
        return (tr_leaves){.first = waves->slots, .stride = waves->stride, .n = n};
    const int top = levels_of(waves_of(n, waves->k)) - 1;
    return (tr_leaves){.first = partial(waves, top), .stride = waves->stride, .n = 1};
}

/* ---- folding ---- */

/* sum = partial[level] + sum, for the piece. */
static void carry(const tr_waves *waves, const piece *at, int level, float *sum)
{
    tr_reduce_add(sum, partial(waves, level) + at->offset, at->n);
}

static void fold(const tr_waves *waves, int64_t n_waves, int64_t wave, int64_t count,
                 const piece *at)
{
    _Alignas(64) float sum[TR_REDUCE_CHUNK];
    tr_reduce_leaves(sum, waves->slots + at->offset, waves->stride, count, at->n);
    int level = 0;
    for (; (wave >> level & 1) != 0; level++)
        carry(waves, at, level, sum);
    if (wave + 1 == n_waves) /* nothing follows: what is left is carried, too */
        for (; n_waves >> (level + 1) > 0; level++)
            if ((n_waves >> (level + 1) & 1) != 0)
                carry(waves, at, level + 1, sum);
    memcpy(partial(waves, level) + at->offset, sum, at->n * sizeof *sum);
}

void tr_waves_fold(const tr_waves *waves, int64_t n, int64_t begin, int64_t count, int stage,
                   int part, int parts)
{
    const stage_pieces *pieces = &waves->stages[stage];
    const size_t first = pieces->n * (size_t)part / (size_t)parts;
    const size_t end = pieces->n * (size_t)(part + 1) / (size_t)parts;
    for (size_t p = first; p < end; p++)
        fold(waves, waves_of(n, waves->k), begin / waves->k, count, &pieces->pieces[p]);
}
