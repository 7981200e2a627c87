/* Update rules: from the gradient g to a direction, in place, and from that to a step. See
 * sgdreg/optimizers.
 *
 * s, m and v are the rule's memory of each coordinate. `scale` receives the factors by which
 * an adaptive rule multiplies the gradient: they are the metric of its proximal step.
 */
#ifndef SGDREG_RULES_H
#define SGDREG_RULES_H

#include <math.h>
#include "vector.h"

/* v <- momentum v + g;  g <- v (Nesterov: g + momentum v). */
SGDREG_CLONES static void momentum_direction(
    double momentum, int nesterov, double *restrict g, double *restrict v, ptrdiff_t d)
{
    const double of_g = nesterov ? 1.0 : 0.0, of_v = nesterov ? momentum : 1.0;
    SGDREG_SIMD("omp simd")
    for (ptrdiff_t j = 0; j < d; j++) {
        v[j] = momentum * v[j] + g[j];
        g[j] = of_g * g[j] + of_v * v[j];
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

/* w <- keep w - step g inverse, where inverse is 1 / scale of the metric, or NULL. */
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

/* The proximal step of threshold·|w| (and of w >= 0): soft thresholding. */
static inline double soft_threshold(double w, double threshold, int positive)
{
    if (w > threshold) return w - threshold;
    if (w < -threshold) return positive ? 0.0 : w + threshold;
    return w == w ? 0.0 : w; /* NaN stays */
}

/* The same for a vector, in the metric of the step: scale and inverse, or NULL. */
SGDREG_CLONES static void soft_threshold_all(
    double threshold, int positive, const double *scale, const double *inverse, double *w,
    ptrdiff_t d)
{
    for (ptrdiff_t j = 0; j < d; j++) {
        double scaled = threshold;
        if (scale) scaled *= scale[j];
        if (inverse) scaled *= inverse[j] * inverse[j];
        w[j] = soft_threshold(w[j], scaled, positive);
    }
}

/* Momentum with a proximal step: the velocity is the change of w, proximal step included
 * (Ochs, Chen, Brox, Pock, iPiano, SIAM Journal on Imaging Sciences 7, 2014), so that the
 * steps converge to the optimum of the objective. With Nesterov's momentum w is the point
 * ahead, and x the point that the step has reached. */
SGDREG_CLONES static void proximal_momentum(
    double step, double momentum, int nesterov, double threshold, int positive,
    const double *g, const double *scale, const double *inverse, double *v, double *w,
    ptrdiff_t d)
{
    for (ptrdiff_t j = 0; j < d; j++) {
        const double length = inverse ? step * inverse[j] : step;
        double scaled = threshold, to;
        if (scale) scaled *= scale[j];
        if (inverse) scaled *= inverse[j] * inverse[j];
        if (nesterov) {
            const double x = w[j] + length * momentum * v[j];
            to = soft_threshold(w[j] - length * g[j], scaled, positive);
            v[j] = (x - to) / length;
            w[j] = to - length * momentum * v[j];
        } else {
            const double ahead = w[j] - length * (momentum * v[j] + g[j]);
            to = soft_threshold(ahead, scaled, positive);
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
