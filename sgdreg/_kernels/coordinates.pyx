# cython: wraparound=False, cdivision=True
# cython: freethreading_compatible=True
"""Sweeps of coordinate descent over a quadratic with l1, l2 and bounds, without the GIL.

    q·(v - u) + ½ (v - u)ᵀ H (v - u) + Σ l1_j |v_j| + ½ Σ l2_j v_j²,   v_j >= 0 if bounded

Each coordinate goes to the least of this along it. The gradient q follows at the cost of
one row of H (covariance updates: J. Friedman, T. Hastie, R. Tibshirani, Journal of
Statistical Software 33, 2010).
"""

from libc.math cimport fabs

cdef extern from "vector.h" nogil:
    void add_f32(const float *x, double c, double *out, Py_ssize_t d)
    void add_f64(const double *x, double c, double *out, Py_ssize_t d)


def sweep(
    const double[:, ::1] H,            # IN  (d, d), symmetric
    double[::1] q,                     # IN/OUT (d,) gradient at u, without l1 and l2
    double[::1] u,                     # IN/OUT (d,)
    const double[::1] l1,              # IN  (d,)
    const double[::1] l2,              # IN  (d,)
    const unsigned char[::1] bounded,  # IN  (d,) whether u_j >= 0
    double slack,                      # IN  a zero stays one if |q_j| <= l1_j + slack
    double enough,                     # IN  ended: a sweep falls by this share of all
    Py_ssize_t calm,                   # IN  ... or so many have changed no sign
    Py_ssize_t most,                   # IN  sweeps, at most
    Py_ssize_t[::1] active,            # OUT (d,) scratch
    double[::1] space,                 # OUT (d (d + 5) / 2,) scratch
):
    """Sweep over all coordinates, then over those that are not zero, in turn.

    Returns
    -------
    int
        How many sweeps were made; `most`: it may not have ended.
    """
    cdef Py_ssize_t d = u.shape[0], done = 0
    if (H.shape[0] != d or H.shape[1] != d or q.shape[0] != d or l1.shape[0] != d
            or l2.shape[0] != d or bounded.shape[0] != d or active.shape[0] != d
            or space.shape[0] != d * (d + 5) // 2):
        raise ValueError("the arrays are not of one size")
    if d:
        with nogil:
            done = sweeps(&H[0, 0], &q[0], &u[0], &l1[0], &l2[0], &bounded[0], d, slack,
                          enough, calm, most, &active[0], &space[0])
    return done


cdef Py_ssize_t sweeps(
    const double *H, double *q, double *u, const double *l1, const double *l2,
    const unsigned char *bounded, Py_ssize_t d, double slack, double enough,
    Py_ssize_t calm, Py_ssize_t most, Py_ssize_t *active, double *space,
) noexcept nogil:
    cdef Py_ssize_t done = 0, quiet = 0, k, i, j, count
    cdef bint changed
    cdef double fall, fallen = 0.0, before, now, bend
    cdef double *part_q = space
    cdef double *start = space + d
    cdef float *part = <float *> (space + 2 * d)
    while done < most:
        done += 1
        fall = 0.0
        changed = False
        for j in range(d):
            before, bend = u[j], H[j * d + j]
            now = least(q[j], bend, before, l1[j], l2[j], bounded[j], slack)
            if now != before:
                changed = changed or now * before <= 0.0
                u[j] = now
                add_f64(H + j * d, now - before, q, d)
                # The fall is half of this at least.
                fall += (now - before) * (now - before) * (bend + l2[j])
        fallen += fall
        quiet = 0 if changed else quiet + 1
        if not fall > enough * fallen or quiet >= calm:
            return done
        count = 0
        for j in range(d):
            if u[j] != 0.0:
                active[count] = j
                count += 1
        # Their part of H, side by side in single precision: it may fit a cache that H does
        # not. The rounding errors of q end with these sweeps.
        for k in range(count):
            j = active[k]
            part_q[k], start[k] = q[j], u[j]
            for i in range(count):
                part[k * count + i] = <float> H[j * d + active[i]]
        while done < most:
            done += 1
            fall = 0.0
            changed = False
            for k in range(count):
                j = active[k]
                before, bend = u[j], part[k * count + k]
                now = least(part_q[k], bend, before, l1[j], l2[j], bounded[j], slack)
                if now != before:
                    changed = changed or now * before <= 0.0
                    u[j] = now
                    add_f32(part + k * count, now - before, part_q, count)
                    fall += (now - before) * (now - before) * (bend + l2[j])
            fallen += fall
            quiet = 0 if changed else quiet + 1
            if not fall > enough * fallen or quiet >= calm:
                break
        for k in range(count):
            j = active[k]
            if u[j] != start[k]:
                add_f64(H + j * d, u[j] - start[k], q, d)
    return most


cdef inline double least(
    double q, double bend, double before, double l1, double l2, bint bounded,
    double slack,
) noexcept nogil:
    """Where the objective is least along a coordinate with this gradient and curvature."""
    cdef double z = bend * before - q
    if before == 0.0 and (fabs(q) <= l1 + slack or (bounded and q >= 0.0)):
        return 0.0
    if not bend + l2 > 0.0:  # no row knows it
        return 0.0 if l1 > 0.0 and fabs(q) <= l1 else before
    if z > l1:
        return (z - l1) / (bend + l2)
    if z < -l1 and not bounded:
        return (z + l1) / (bend + l2)
    return 0.0
