/* Update rules: a gradient becomes a direction, a direction a step. See optimizers.py.
 *
 * `memory` is what a rule keeps of each coordinate; `scale` receives what an adaptive rule
 * has multiplied the gradient by, which is the metric of its proximal step.
 */
#ifndef SGDREG_RULES_H
#define SGDREG_RULES_H

#include <math.h>
#include "vector.h"

/* v <- momentum v + g;  g <- v (Nesterov: g + momentum v). */
SGDREG_CLONES static void momentum_direction(
    double momentum, int nesterov, double *restrict g, double *restrict v, ptrdiff_t d)
{
    const double own = nesterov ? 1.0 : 0.0, carried = nesterov ? momentum : 1.0;
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) {
        v[j] = momentum * v[j] + g[j];
        g[j] = own * g[j] + carried * v[j];
    }
}

/* s <- s + g²;  g <- g / (√s + epsilon). */
SGDREG_CLONES static void adagrad_direction(
    double epsilon, double *restrict g, double *restrict s, double *restrict scale,
    ptrdiff_t d)
{
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) {
        s[j] += g[j] * g[j];
        scale[j] = 1.0 / (sqrt(s[j]) + epsilon);
        g[j] *= scale[j];
    }
}

/* s <- rho s + (1 - rho) g²;  g <- g / (√s + epsilon). */
SGDREG_CLONES static void rmsprop_direction(
    double rho, double epsilon, double *restrict g, double *restrict s,
    double *restrict scale, ptrdiff_t d)
{
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) {
        s[j] = rho * s[j] + (1.0 - rho) * g[j] * g[j];
        scale[j] = 1.0 / (sqrt(s[j]) + epsilon);
        g[j] *= scale[j];
    }
}

/* m <- beta_1 m + (1 - beta_1) g;  v <- beta_2 v + (1 - beta_2) g²;
 * g <- (m / (1 - beta_1^t)) / (√(v / (1 - beta_2^t)) + epsilon). */
SGDREG_CLONES static void adam_direction(
    double beta_1, double beta_2, double t, double epsilon, double *restrict g,
    double *restrict m, double *restrict v, double *restrict scale, ptrdiff_t d)
{
    const double unbias_1 = 1.0 / (1.0 - pow(beta_1, t));
    const double unbias_2 = 1.0 / (1.0 - pow(beta_2, t));
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) {
        m[j] = beta_1 * m[j] + (1.0 - beta_1) * g[j];
        v[j] = beta_2 * v[j] + (1.0 - beta_2) * g[j] * g[j];
        scale[j] = 1.0 / (sqrt(v[j] * unbias_2) + epsilon);
        g[j] = m[j] * unbias_1 * scale[j];
    }
}

/* w <- keep w - step g inverse: inverse is 1 / scale of the metric, or NULL. */
SGDREG_CLONES static void step_along(
    double keep, double step, const double *restrict g, const double *restrict inverse,
    double *restrict w, ptrdiff_t d)
{
    if (inverse) {
        SGDREG_SIMD("omp simd")
        for (ptrdiff_t j = 0; j < d; j++) w[j] = keep * w[j] - step * g[j] * inverse[j];
    } else {
        SGDREG_SIMD("omp simd")
        for (ptrdiff_t j = 0; j < d; j++) w[j] = keep * w[j] - step * g[j];
    }
}

/* The proximal step of amount |w| (and w >= 0): the nearest zero, or `amount` closer. */
static inline double shrunk(double w, double amount, int positive)
{
    if (w > amount) return w - amount;
    if (w < -amount) return positive ? 0.0 : w + amount;
    return w == w ? 0.0 : w; /* NaN stays */
}

/* The same for a vector; amounts in the metric of the step: scale and inverse, or NULL. */
SGDREG_CLONES static void shrink(
    double amount, int positive, const double *scale, const double *inverse, double *w,
    ptrdiff_t d)
{
    for (ptrdiff_t j = 0; j < d; j++) {
        double own = amount;
        if (scale) own *= scale[j];
        if (inverse) own *= inverse[j] * inverse[j];
        w[j] = shrunk(w[j], own, positive);
    }
}

/* Momentum with a proximal step: the velocity is what w has moved by (Ochs, Chen, Brox,
 * Pock, iPiano, SIAM Journal on Imaging Sciences 7, 2014), so that the optimum is the
 * objective's own. With Nesterov's, w is the point ahead, x the one stepped to. */
SGDREG_CLONES static void proximal_momentum(
    double step, double momentum, int nesterov, double amount, int positive,
    const double *g, const double *scale, const double *inverse, double *v, double *w,
    ptrdiff_t d)
{
    for (ptrdiff_t j = 0; j < d; j++) {
        const double length = inverse ? step * inverse[j] : step;
        double own = amount, to;
        if (scale) own *= scale[j];
        if (inverse) own *= inverse[j] * inverse[j];
        if (nesterov) {
            const double x = w[j] + length * momentum * v[j];
            to = shrunk(w[j] - length * g[j], own, positive);
            v[j] = (x - to) / length;
            w[j] = to - length * momentum * v[j];
        } else {
            to = shrunk(w[j] - length * (momentum * v[j] + g[j]), own, positive);
            v[j] = (w[j] - to) / length;
            w[j] = to;
        }
    }
}

/* total <- keep total + w. */
SGDREG_CLONES static void average_into(
    double keep, const double *restrict w, double *restrict total, ptrdiff_t d)
{
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) total[j] = keep * total[j] + w[j];
}

#endif
