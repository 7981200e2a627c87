/* Products of the columns of a block of rows, in registers.
 *
 * A block holds its columns one after the other, BLOCK numbers each: sums over rows are
 * then sums over neighbours. Four columns by four take sixteen sums for eight reads.
 */
#ifndef SGDREG_PRODUCTS_H
#define SGDREG_PRODUCTS_H

#include "vector.h"

/* Rows of a block: 100 columns of doubles are 200 KiB, which a core's cache holds. */
enum { BLOCK = 256, TILE = 4 };

/* The first columns of a block: x - centre of `rows` rows that lie `d` numbers apart. */
#define SGDREG_DEFINE_BLOCK(REAL, SUFFIX)                                                 \
    SGDREG_CLONES static void centred_##SUFFIX(                                           \
        const REAL *restrict x, const double *restrict centre, ptrdiff_t rows,            \
        ptrdiff_t d, double *restrict block)                                              \
    {                                                                                     \
        if (d == 1) {                                                                     \
            for (ptrdiff_t i = 0; i < rows; i++) block[i] = (double)x[i] - centre[0];     \
            return;                                                                       \
        }                                                                                 \
        ptrdiff_t j = 0;                                                                  \
        for (; j + TILE <= d; j += TILE) {                                                \
            double *restrict out = block + j * BLOCK;                                     \
            const double c0 = centre[j], c1 = centre[j + 1];                              \
            const double c2 = centre[j + 2], c3 = centre[j + 3];                          \
            const REAL *row = x + j;                                                      \
            for (ptrdiff_t i = 0; i < rows; i++, row += d) {                              \
                out[i] = (double)row[0] - c0;                                             \
                out[BLOCK + i] = (double)row[1] - c1;                                     \
                out[2 * BLOCK + i] = (double)row[2] - c2;                                 \
                out[3 * BLOCK + i] = (double)row[3] - c3;                                 \
            }                                                                             \
        }                                                                                 \
        for (; j < d; j++) {                                                              \
            const REAL *row = x + j;                                                      \
            for (ptrdiff_t i = 0; i < rows; i++, row += d)                                \
                block[j * BLOCK + i] = (double)row[0] - centre[j];                        \
        }                                                                                 \
    }

SGDREG_DEFINE_BLOCK(float, f32)
SGDREG_DEFINE_BLOCK(double, f64)

/* Each of `columns` columns of a block times `factor`, row by row. */
SGDREG_CLONES static void times_block(
    const double *restrict factor, ptrdiff_t columns, double *restrict block)
{
    for (ptrdiff_t j = 0; j < columns; j++)
        SGDREG_SIMD("omp simd")
        for (ptrdiff_t i = 0; i < BLOCK; i++) block[j * BLOCK + i] *= factor[i];
}

/* out <- out + block^T block, on and above the diagonal in tiles; `width` columns, a
 * multiple of TILE. */
SGDREG_CLONES static void add_products(
    const double *restrict block, ptrdiff_t width, double *restrict out)
{
    for (ptrdiff_t a = 0; a < width; a += TILE) {
        const double *p = block + a * BLOCK;
        for (ptrdiff_t b = a; b < width; b += TILE) {
            const double *q = block + b * BLOCK;
            double s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
            double s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
            SGDREG_SIMD("omp simd reduction(+:s00,s01,s02,s03,s10,s11,s12,s13,s20,s21,s22,s23,s30,s31,s32,s33)")
            for (ptrdiff_t i = 0; i < BLOCK; i++) {
                const double p0 = p[i], p1 = p[BLOCK + i];
                const double p2 = p[2 * BLOCK + i], p3 = p[3 * BLOCK + i];
                const double q0 = q[i], q1 = q[BLOCK + i];
                const double q2 = q[2 * BLOCK + i], q3 = q[3 * BLOCK + i];
                s00 += p0 * q0; s01 += p0 * q1; s02 += p0 * q2; s03 += p0 * q3;
                s10 += p1 * q0; s11 += p1 * q1; s12 += p1 * q2; s13 += p1 * q3;
                s20 += p2 * q0; s21 += p2 * q1; s22 += p2 * q2; s23 += p2 * q3;
                s30 += p3 * q0; s31 += p3 * q1; s32 += p3 * q2; s33 += p3 * q3;
            }
            double *row = out + a * width + b;
            row[0] += s00; row[1] += s01; row[2] += s02; row[3] += s03;
            row += width;
            row[0] += s10; row[1] += s11; row[2] += s12; row[3] += s13;
            row += width;
            row[0] += s20; row[1] += s21; row[2] += s22; row[3] += s23;
            row += width;
            row[0] += s30; row[1] += s31; row[2] += s32; row[3] += s33;
        }
    }
}

#endif
