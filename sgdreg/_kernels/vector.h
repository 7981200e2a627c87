/* The innermost loops over one row or one vector of features.
 *
 * Sums are in double for float rows, too. Each function is compiled once for each
 * instruction set if the tool chain can choose at load time (GCC on x86-64 with glibc);
 * elsewhere once, for the target of the build. No -ffast-math: `omp simd` permits the
 * reordering of these sums and nothing else, so NaN stays NaN.
 */
#ifndef SGDREG_VECTOR_H
#define SGDREG_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) \
    && defined(__gnu_linux__) && defined(__GLIBC__)
#define SGDREG_X86_CLONES
#define SGDREG_CLONES \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SGDREG_CLONES
#endif

#if defined(__GNUC__) || defined(__clang__)
/* Without the empty asm, GCC takes a function that only prefetches for one without effect
 * and drops its calls: an epoch in random order then took 2.1 times as long. */
#define SGDREG_PREFETCH(address) do { __builtin_prefetch(address); __asm__ volatile(""); } while (0)
#define SGDREG_SIMD(clause) _Pragma(clause)
#else
#define SGDREG_PREFETCH(address) ((void)(address))
#define SGDREG_SIMD(clause)
#endif

/* The bytes of a cache line on x86-64 and most ARM cores; where lines are longer, some are
 * prefetched twice, which is harmless. */
#define SGDREG_LINE 64

/* Prefetch every cache line from first to end - 1. */
static inline void prefetch_span(const void *first, const void *end)
{
    const char *line = (const char *)((uintptr_t)first & ~(uintptr_t)(SGDREG_LINE - 1));
    for (; line < (const char *)end; line += SGDREG_LINE) SGDREG_PREFETCH(line);
}

#if defined(_MSC_VER)
#define restrict __restrict
#endif

/* One row a call: four rows a call, which read w once, were 2.2 times slower on rows that
 * come from memory, because four streams defeat the hardware's prefetcher. */
#define SGDREG_DEFINE(REAL, SUFFIX)                                                      \
    SGDREG_CLONES static double dot_##SUFFIX(                                            \
        const REAL *restrict x, const double *restrict w, ptrdiff_t d)                   \
    {                                                                                    \
        double sum = 0;                                                                  \
        SGDREG_SIMD("omp simd reduction(+:sum)")                                         \
        for (ptrdiff_t j = 0; j < d; j++) sum += (double)x[j] * w[j];                    \
        return sum;                                                                      \
    }                                                                                    \
    SGDREG_CLONES static void add_##SUFFIX(                                              \
        const REAL *restrict x, double c, double *restrict out, ptrdiff_t d)             \
    {                                                                                    \
        SGDREG_SIMD("omp simd")                                                          \
        for (ptrdiff_t j = 0; j < d; j++) out[j] += c * (double)x[j];                    \
    }                                                                                    \
    /* The same for consecutive rows: out_i <- x_i·w, and out <- out + Σ c_i x_i. */      \
    SGDREG_CLONES static void dots_##SUFFIX(                                             \
        const REAL *restrict x, const double *restrict w, ptrdiff_t rows, ptrdiff_t d,   \
        double *restrict out)                                                            \
    {                                                                                    \
        for (ptrdiff_t i = 0; i < rows; i++, x += d) {                                   \
            double sum = 0;                                                              \
            SGDREG_SIMD("omp simd reduction(+:sum)")                                     \
            for (ptrdiff_t j = 0; j < d; j++) sum += (double)x[j] * w[j];                \
            out[i] = sum;                                                                \
        }                                                                                \
    }                                                                                    \
    SGDREG_CLONES static void adds_##SUFFIX(                                             \
        const REAL *restrict x, const double *restrict c, ptrdiff_t rows, ptrdiff_t d,   \
        double *restrict out)                                                            \
    {                                                                                    \
        for (ptrdiff_t i = 0; i < rows; i++, x += d) {                                   \
            const double ci = c[i];                                                      \
            SGDREG_SIMD("omp simd")                                                      \
            for (ptrdiff_t j = 0; j < d; j++) out[j] += ci * (double)x[j];               \
        }                                                                                \
    }                                                                                    \
    /* w <- keep w - step x, in one loop: the plain step with weight decay. */           \
    SGDREG_CLONES static void plain_step_##SUFFIX(                                       \
        double keep, double step, const REAL *restrict x, double *restrict w,            \
        ptrdiff_t d)                                                                     \
    {                                                                                    \
        SGDREG_SIMD("omp simd")                                                          \
        for (ptrdiff_t j = 0; j < d; j++) w[j] = keep * w[j] - step * (double)x[j];      \
    }

SGDREG_DEFINE(float, f32)
SGDREG_DEFINE(double, f64)

#endif
