/* Columns of rows about a centre: their sums and squares in one pass, and scaled. */
#ifndef SGDREG_MOMENTS_H
#define SGDREG_MOMENTS_H

#include "vector.h"

/* Columns that a pass takes at a time: the sums and the centre stay in the first cache. */
enum { STRIP = 1024 };

/* sums <- sums + s (x - centre), squares <- squares + s (x - centre)^2 of one row, or of
 * four rows of weight one, which read the sums once. */
#define SGDREG_DEFINE_MOMENTS(REAL, SUFFIX)                                               \
    SGDREG_CLONES static void add_moments_##SUFFIX(                                       \
        const REAL *restrict x, double s, const double *restrict centre, ptrdiff_t d,     \
        double *restrict sums, double *restrict squares)                                  \
    {                                                                                     \
        SGDREG_SIMD("omp simd")                                                           \
        for (ptrdiff_t j = 0; j < d; j++) {                                               \
            const double z = (double)x[j] - centre[j];                                    \
            sums[j] += s * z;                                                             \
            squares[j] += s * z * z;                                                      \
        }                                                                                 \
    }                                                                                     \
    SGDREG_CLONES static void add_four_moments_##SUFFIX(                                  \
        const REAL *restrict x, ptrdiff_t apart, const double *restrict centre,           \
        ptrdiff_t d, double *restrict sums, double *restrict squares)                     \
    {                                                                                     \
        SGDREG_SIMD("omp simd")                                                           \
        for (ptrdiff_t j = 0; j < d; j++) {                                               \
            const double a = (double)x[j] - centre[j];                                    \
            const double b = (double)x[j + apart] - centre[j];                            \
            const double c = (double)x[j + 2 * apart] - centre[j];                        \
            const double e = (double)x[j + 3 * apart] - centre[j];                        \
            sums[j] += (a + b) + (c + e);                                                 \
            squares[j] += (a * a + b * b) + (c * c + e * e);                              \
        }                                                                                 \
    }

SGDREG_DEFINE_MOMENTS(float, f32)
SGDREG_DEFINE_MOMENTS(double, f64)

/* out <- s (x - centre) factor of k columns of a row (`at`: which; NULL: the first k). */
#define SGDREG_DEFINE_SCALE(REAL, SUFFIX, OUT, OUT_SUFFIX)                                \
    SGDREG_CLONES static void scale_##SUFFIX##_##OUT_SUFFIX(                              \
        const REAL *restrict x, double s, const double *restrict centre,                  \
        const double *restrict factor, const ptrdiff_t *restrict at, ptrdiff_t k,         \
        OUT *restrict out)                                                                \
    {                                                                                     \
        if (at == NULL) {                                                                 \
            SGDREG_SIMD("omp simd")                                                       \
            for (ptrdiff_t j = 0; j < k; j++)                                             \
                out[j] = (OUT)(s * ((double)x[j] - centre[j]) * factor[j]);               \
            return;                                                                       \
        }                                                                                 \
        for (ptrdiff_t j = 0; j < k; j++)                                                 \
            out[j] = (OUT)(s * ((double)x[at[j]] - centre[j]) * factor[j]);               \
    }

SGDREG_DEFINE_SCALE(float, f32, float, f32)
SGDREG_DEFINE_SCALE(float, f32, double, f64)
SGDREG_DEFINE_SCALE(double, f64, float, f32)
SGDREG_DEFINE_SCALE(double, f64, double, f64)

#endif
