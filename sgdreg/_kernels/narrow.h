/* One pass of least squares over rows of a few numbers, and sums of targets.
 *
 * Loops over one row cost more than its numbers there: here their length is known when
 * they are compiled, and a row is read once for its prediction and its gradient.
 */
#ifndef SGDREG_NARROW_H
#define SGDREG_NARROW_H

#include <math.h>

#include "vector.h"

/* Numbers of a row, at most. */
enum { NARROW = 8 };
/* Rows whose sums are added by themselves, so that rounding errors stay few. */
enum { SUMMED = 4096 };

/* sums <- sums + [e x, e, e e] over `rows` rows, with e = x w + offset - y times the weight.
 *
 * x is taken about a centre: where that is far from zero, products lose no digits. */
#define SGDREG_DEFINE_NARROW(REAL, SUFFIX)                                                 \
    static inline void narrow_rows_##SUFFIX(                                               \
        const REAL *restrict x, const double *restrict y, const double *restrict s,        \
        ptrdiff_t rows, ptrdiff_t d, ptrdiff_t k, const double *restrict w,                \
        const double *restrict centre, double offset, double *restrict sums)               \
    {                                                                                      \
        double g[NARROW] = {0}, all = 0, squares = 0;                                      \
        for (ptrdiff_t i = 0; i < rows; i++, x += d) {                                     \
            double z[NARROW], e = offset - y[i * k];                                       \
            for (ptrdiff_t j = 0; j < d; j++) {                                            \
                z[j] = (double)x[j] - centre[j];                                           \
                e += z[j] * w[j];                                                          \
            }                                                                              \
            const double slope = s ? s[i] * e : e;                                         \
            for (ptrdiff_t j = 0; j < d; j++) g[j] += slope * z[j];                        \
            all += slope;                                                                  \
            squares += slope * e;                                                          \
        }                                                                                  \
        for (ptrdiff_t j = 0; j < d; j++) sums[j] += g[j];                                 \
        sums[d] += all;                                                                    \
        sums[d + 1] += squares;                                                            \
    }                                                                                      \
    static inline void single_##SUFFIX(                                                    \
        const REAL *restrict x, const double *restrict y, ptrdiff_t rows, double w,        \
        double centre, double offset, double *restrict sums)                               \
    {                                                                                      \
        double g = 0, all = 0, squares = 0;                                                \
        SGDREG_SIMD("omp simd reduction(+:g,all,squares)")                                 \
        for (ptrdiff_t i = 0; i < rows; i++) {                                             \
            const double z = (double)x[i] - centre, e = z * w + (offset - y[i]);           \
            g += e * z;                                                                    \
            all += e;                                                                      \
            squares += e * e;                                                              \
        }                                                                                  \
        sums[0] += g;                                                                      \
        sums[1] += all;                                                                    \
        sums[2] += squares;                                                                \
    }                                                                                      \
    SGDREG_CLONES static void narrow_pass_##SUFFIX(                                        \
        const REAL *restrict x, const double *restrict y, const double *restrict s,        \
        ptrdiff_t rows, ptrdiff_t d, ptrdiff_t k, const double *restrict w,                \
        const double *restrict centre, double offset, double *restrict sums)               \
    {                                                                                      \
        for (ptrdiff_t first = 0; first < rows; first += SUMMED) {                         \
            const ptrdiff_t n = rows - first < SUMMED ? rows - first : SUMMED;             \
            const REAL *xs = x + first * d;                                                \
            const double *ys = y + first * k, *ss = s ? s + first : s;                     \
            switch (d) {                                                                   \
            case 1:                                                                        \
                if (k == 1 && !s) single_##SUFFIX(xs, ys, n, w[0], centre[0], offset, sums);\
                else narrow_rows_##SUFFIX(xs, ys, ss, n, 1, k, w, centre, offset, sums);   \
                break;                                                                     \
            case 2:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 2, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 3:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 3, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 4:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 4, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 5:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 5, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 6:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 6, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 7:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 7, k, w, centre, offset, sums);        \
                break;                                                                     \
            case 8:                                                                        \
                narrow_rows_##SUFFIX(xs, ys, ss, n, 8, k, w, centre, offset, sums);        \
                break;                                                                     \
            }                                                                              \
        }                                                                                  \
    }

SGDREG_DEFINE_NARROW(float, f32)
SGDREG_DEFINE_NARROW(double, f64)

/* sums <- sums + [sum s, sum s (y - shift), sum s (y - shift)^2, sum |y - shift|]. */
static inline void sums_of_few(
    const double *restrict y, ptrdiff_t rows, double shift, double *restrict sums)
{
    double sum = 0, squares = 0, sizes = 0;
    SGDREG_SIMD("omp simd reduction(+:sum,squares,sizes)")
    for (ptrdiff_t i = 0; i < rows; i++) {
        const double e = y[i] - shift;
        sum += e;
        squares += e * e;
        sizes += fabs(e);
    }
    sums[0] += (double)rows;
    sums[1] += sum;
    sums[2] += squares;
    sums[3] += sizes;
}

static inline void sums_of_column(
    const double *restrict y, const double *restrict s, ptrdiff_t rows, ptrdiff_t k,
    double shift, double *restrict sums)
{
    double weight = 0, sum = 0, squares = 0, sizes = 0;
    for (ptrdiff_t i = 0; i < rows; i++) {
        const double e = y[i * k] - shift, si = s ? s[i] : 1.0;
        weight += si;
        sum += si * e;
        squares += si * e * e;
        sizes += fabs(e);
    }
    sums[0] += weight;
    sums[1] += sum;
    sums[2] += squares;
    sums[3] += sizes;
}

/* The same of one of k columns, of any length. */
SGDREG_CLONES static void shifted_sums(
    const double *restrict y, const double *restrict s, ptrdiff_t n, ptrdiff_t k,
    double shift, double *restrict sums)
{
    for (ptrdiff_t first = 0; first < n; first += SUMMED) {
        const ptrdiff_t rows = n - first < SUMMED ? n - first : SUMMED;
        if (k == 1 && !s) sums_of_few(y + first, rows, shift, sums);
        else sums_of_column(y + first * k, s ? s + first : s, rows, k, shift, sums);
    }
}

#endif
