/* Products of the columns of a block of rows, in registers.
 *
 * A block holds rows about a centre, one after the other, which the nearest cache keeps.
 * A tile of the products stays in registers while the rows of a block go by, and each row
 * adds the products of a few of its numbers and a vector of them.
 */
#ifndef SGDREG_PRODUCTS_H
#define SGDREG_PRODUCTS_H

#include "vector.h"

/* Rows of a block (100 columns of doubles are 50 KiB), and columns of a tile. */
enum { BLOCK = 64, TILE = 8 };

/* A vector of numbers next to each other. A compiler that does not know vectors gets one
 * number at a time, by the same code. */
#if defined(__GNUC__) || defined(__clang__)
typedef double sgdreg_lanes __attribute__((vector_size(8 * TILE), aligned(8)));
enum { LANES = TILE };
#else
typedef double sgdreg_lanes;
enum { LANES = 1 };
#endif

/* Where a block begins in an array of TILE numbers more: at the begin of a cache line. */
static inline double *line_of(double *numbers)
{
    const uintptr_t line = SGDREG_LINE;
    return (double *)(((uintptr_t)numbers + line - 1) & ~(line - 1));
}

/* [x - centre, y - centre, 1] of consecutive rows, in rows that lie `stride` apart; and
 * sums <- sums + [z z, z e, z, e e, e] of rows of one number, z and e about the centre. */
#define SGDREG_DEFINE_BLOCK(REAL, SUFFIX)                                                 \
    static inline void rows_##SUFFIX(                                                     \
        const REAL *restrict x, const double *restrict y, const double *restrict centre,  \
        ptrdiff_t rows, ptrdiff_t d, ptrdiff_t k, ptrdiff_t stride,                       \
        double *restrict block)                                                           \
    {                                                                                     \
        for (ptrdiff_t i = 0; i < rows; i++, x += d, y += k, block += stride) {           \
            SGDREG_SIMD("omp simd")                                                       \
            for (ptrdiff_t j = 0; j < d; j++) block[j] = (double)x[j] - centre[j];        \
            for (ptrdiff_t j = 0; j < k; j++) block[d + j] = y[j] - centre[d + j];        \
            block[d + k] = 1.0;                                                           \
        }                                                                                 \
    }                                                                                     \
    SGDREG_CLONES static void centred_##SUFFIX(                                           \
        const REAL *restrict x, const double *restrict y, const double *restrict centre,  \
        ptrdiff_t rows, ptrdiff_t d, ptrdiff_t k, ptrdiff_t stride,                       \
        double *restrict block)                                                           \
    {                                                                                     \
        switch (k == 1 ? d : 0) { /* lengths that are known when this is compiled */      \
        case 1: rows_##SUFFIX(x, y, centre, rows, 1, 1, stride, block); break;            \
        case 2: rows_##SUFFIX(x, y, centre, rows, 2, 1, stride, block); break;            \
        case 3: rows_##SUFFIX(x, y, centre, rows, 3, 1, stride, block); break;            \
        case 4: rows_##SUFFIX(x, y, centre, rows, 4, 1, stride, block); break;            \
        case 5: rows_##SUFFIX(x, y, centre, rows, 5, 1, stride, block); break;            \
        case 6: rows_##SUFFIX(x, y, centre, rows, 6, 1, stride, block); break;            \
        default: rows_##SUFFIX(x, y, centre, rows, d, k, stride, block);                  \
        }                                                                                 \
    }                                                                                     \
    SGDREG_CLONES static void line_products_##SUFFIX(                                     \
        const REAL *restrict x, const double *restrict y, const double *restrict centre,  \
        ptrdiff_t rows, double *restrict sums)                                            \
    {                                                                                     \
        const double middle = centre[0], level = centre[1];                               \
        double zz = 0, ze = 0, z = 0, ee = 0, e = 0;                                      \
        SGDREG_SIMD("omp simd reduction(+:zz,ze,z,ee,e)")                                 \
        for (ptrdiff_t i = 0; i < rows; i++) {                                            \
            const double zi = (double)x[i] - middle, ei = y[i] - level;                   \
            zz += zi * zi;                                                                \
            ze += zi * ei;                                                                \
            z += zi;                                                                      \
            ee += ei * ei;                                                                \
            e += ei;                                                                      \
        }                                                                                 \
        sums[0] += zz;                                                                    \
        sums[1] += ze;                                                                    \
        sums[2] += z;                                                                     \
        sums[3] += ee;                                                                    \
        sums[4] += e;                                                                     \
    }

SGDREG_DEFINE_BLOCK(float, f32)
SGDREG_DEFINE_BLOCK(double, f64)

/* Each row of a block times its factor. */
SGDREG_CLONES static void times_rows(
    const double *restrict factor, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride,
    double *restrict block)
{
    for (ptrdiff_t i = 0; i < rows; i++, block += stride)
        SGDREG_SIMD("omp simd")
        for (ptrdiff_t j = 0; j < width; j++) block[j] *= factor[i];
}

/* out <- out + block^T block, on and above the diagonal in tiles; `width` columns, a
 * multiple of TILE. The sums of HEIGHT × TILE products must fit into the registers. */
#define SGDREG_DEFINE_TILES(NAME, HEIGHT, TARGET)                                         \
    TARGET static void NAME(                                                              \
        const double *restrict block, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride,  \
        double *restrict out)                                                             \
    {                                                                                     \
        for (ptrdiff_t a = 0; a < width; a += HEIGHT)                                     \
            for (ptrdiff_t b = a / TILE * TILE; b < width; b += LANES) {                  \
                sgdreg_lanes sums[HEIGHT] = {0};                                          \
                const double *p = block + a, *q = block + b;                              \
                for (ptrdiff_t r = 0; r < rows; r++, p += stride, q += stride) {          \
                    const sgdreg_lanes row = *(const sgdreg_lanes *)q;                    \
                    for (ptrdiff_t i = 0; i < HEIGHT; i++) sums[i] += p[i] * row;         \
                }                                                                         \
                for (ptrdiff_t i = 0; i < HEIGHT; i++)                                    \
                    *(sgdreg_lanes *)(out + (a + i) * width + b) += sums[i];              \
            }                                                                             \
    }

/* 32 registers of 8 numbers hold tiles of 8 × 8: 50 billion multiplications and additions
 * a second where 73 are possible, 36 by tiles of 4 × 8. 16 registers of 4 numbers: 4 × 8. */
SGDREG_DEFINE_TILES(flat_tiles, 4, SGDREG_CLONES)
#if defined(SGDREG_X86_CLONES)
SGDREG_DEFINE_TILES(square_tiles, 8, __attribute__((target("arch=x86-64-v4"))))
#endif

static inline void add_products(
    const double *block, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, double *out)
{
#if defined(SGDREG_X86_CLONES)
    if (__builtin_cpu_supports("x86-64-v4")) {
        square_tiles(block, rows, width, stride, out);
        return;
    }
#endif
    flat_tiles(block, rows, width, stride, out);
}

#endif
