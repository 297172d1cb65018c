/* instruction_set.c -- which instructions oneDNN and our own kernels may use; see dnn.h and
 * instruction_set.h.
 */
#include "instruction_set.h"

#include <oneapi/dnnl/dnnl.h>
#include <sys/prctl.h>

/* ---- what the CPU has ---- */

#if defined(__x86_64__)
enum { BASIC_ISA = TR_ISA_AUTO };

static bool cpu_has(tr_isa isa)
{
    if (isa == TR_ISA_AVX2)
        return __builtin_cpu_supports("avx2");
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

static bool isa_includes(dnnl_cpu_isa_t wanted)
{
    /* The values are bit sets in which a newer instruction set includes the older ones. */
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)wanted) == (unsigned)wanted;
}

static const char *basic_isa(void)
{
    return isa_includes(dnnl_cpu_isa_sse41) ? "SSE4.1" : "plain x86-64";
}

#else /* oneDNN has names for those of x86 only, and answers "all of them" elsewhere */
#if defined(__aarch64__)
enum { BASIC_ISA = TR_ISA_NEON };
#else
enum { BASIC_ISA = TR_ISA_AUTO };
#endif

static bool cpu_has(tr_isa isa)
{
    (void)isa;
    return false;
}

static bool isa_includes(dnnl_cpu_isa_t wanted)
{
    (void)wanted;
    return false;
}

static const char *basic_isa(void)
{
#if defined(__aarch64__)
    /* oneDNN uses SVE only where its vectors have this length. */
    const int sve = prctl(PR_SVE_GET_VL);
    return sve >= 0 && (sve & PR_SVE_VL_LEN_MASK) == 64 ? "SVE-512" : "NEON";
#else
    return "plain C";
#endif
}
#endif

tr_isa tr_dnn_isa(void)
{
    if (isa_includes(dnnl_cpu_isa_avx512_core))
        return TR_ISA_AVX512;
    return isa_includes(dnnl_cpu_isa_avx2) ? TR_ISA_AVX2 : BASIC_ISA;
}

bool tr_dnn_tiles(void)
{
    return isa_includes(dnnl_cpu_isa_avx512_core_amx);
}

const char *tr_dnn_isa_name(void)
{
    if (tr_dnn_isa() == TR_ISA_AVX512)
        return "AVX-512";
    if (tr_dnn_isa() == TR_ISA_AVX2)
        return "AVX2";
    return basic_isa();
}

/* ---- what the configuration asks for ---- */

tr_status tr_isa_limit(const tr_engine_config *config, tr_error *err)
{
    if (config->isa == TR_ISA_AUTO || config->isa == TR_ISA_SCALAR || config->isa == TR_ISA_NEON)
        return TR_OK; /* nothing that oneDNN knows */
    const bool wide = config->isa == TR_ISA_AVX512;
    const char *name = wide ? "avx512" : "avx2";
    if (!cpu_has((tr_isa)config->isa))
        return tr_fail(err, TR_ERR_CONFIG,
                       "[engine] isa = %s: this CPU does not have it, in use is %s; use isa = auto",
                       name, tr_dnn_isa_name());
    /* Not the newest kind: `avx512` means the same kernels on every such CPU. */
    const dnnl_cpu_isa_t limit = !wide                              ? dnnl_cpu_isa_avx2
                                 : config->precision == TR_BFLOAT16 ? dnnl_cpu_isa_avx512_core_bf16
                                                                    : dnnl_cpu_isa_avx512_core;
    if (dnnl_set_max_cpu_isa(limit) != dnnl_success && dnnl_get_effective_cpu_isa() != limit)
        return tr_fail(err, TR_ERR_CONFIG,
                       "[engine] isa = %s: oneDNN is already fixed to %s in this process", name,
                       tr_dnn_isa_name());
    return TR_OK;
}

/* Without the instructions oneDNN computes bfloat16 with float32's, slower than float32 itself. */
tr_status tr_isa_check_precision(const tr_engine_config *config, tr_error *err)
{
    if (config->precision != TR_BFLOAT16 || isa_includes(dnnl_cpu_isa_avx512_core_bf16))
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "[engine] precision = bfloat16: needs a CPU with AVX512_BF16 or AMX, in use is "
                   "%s; use precision = float32",
                   tr_dnn_isa_name());
}

/* ---- kernels of our own ---- */

static tr_instruction_set set_of(tr_isa isa)
{
    switch (isa) {
    case TR_ISA_SCALAR:
        return TR_SET_SCALAR;
    case TR_ISA_NEON:
        return TR_SET_NEON;
    case TR_ISA_AVX2:
        return TR_SET_AVX2;
    case TR_ISA_AVX512:
        return TR_SET_AVX512;
    default: /* what oneDNN may use, and DNNL_MAX_CPU_ISA limits */
        return tr_dnn_isa() == TR_ISA_AUTO ? TR_SET_SCALAR : set_of(tr_dnn_isa());
    }
}

const tr_kernels *tr_isa_best_kernels(const tr_engine_config *config)
{
    return tr_kernels_best(set_of((tr_isa)config->isa));
}

tr_status tr_isa_own_kernels(const tr_kernels **own, const tr_engine_config *config, tr_error *err)
{
    static const char *const names[] = {"auto", "scalar", "avx2", "avx512", "neon"};
    const tr_isa isa = (tr_isa)config->isa;
    const tr_kernels_choice choice = (tr_kernels_choice)config->kernels;
    *own = NULL;
    if (choice == TR_KERNELS_ONEDNN && (isa == TR_ISA_SCALAR || isa == TR_ISA_NEON))
        return tr_fail(err, TR_ERR_CONFIG,
                       "[engine] isa = %s: oneDNN has no such limit; it is there for kernels = "
                       "fast or portable",
                       names[isa]);
    if (choice == TR_KERNELS_ONEDNN)
        return TR_OK;
    if (config->precision == TR_BFLOAT16)
        return tr_fail(err, TR_ERR_CONFIG,
                       "[engine] kernels = %s: computes in float32 alone; use precision = float32, "
                       "or kernels = onednn",
                       tr_kernels_names[choice]);
    *own = isa == TR_ISA_AUTO ? tr_kernels_best(set_of(isa)) : tr_kernels_of(set_of(isa));
    if (*own == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       isa == TR_ISA_AUTO
                           ? "[engine] kernels: our own want a CPU with a fused multiply-add "
                             "(AVX2 and FMA, or any of 64-bit Arm's); use kernels = onednn%s"
                           : "[engine] isa = %s: this CPU does not have it; use isa = auto",
                       isa == TR_ISA_AUTO ? "" : names[isa]);
    return TR_OK;
}
