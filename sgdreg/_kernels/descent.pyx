# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""One pass of gradient steps over a list of mini-batches, in place, without the GIL.

For every batch B, with residuals r = x·w + b - y and the rows' weights s (mean one):

    g = 1/|B| · Σ_{i in B} s_i r_i x_i + alpha·w,      w <- w - eta·(update rule)(metric·g)

Two ways to apply the same step: *dense* (dense.pxi), and *lazy* (lazy.pxi) for sparse
rows, at the cost of the batch's non-zeros.
"""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

import numpy as np

cdef extern from "vector.h" nogil:
    double dot_f32(const float *x, const double *w, Py_ssize_t d)
    double dot_f64(const double *x, const double *w, Py_ssize_t d)
    void add_f32(const float *x, double c, double *out, Py_ssize_t d)
    void add_f64(const double *x, double c, double *out, Py_ssize_t d)
    void dots_f32(const float *x, const double *w, Py_ssize_t rows, Py_ssize_t d,
                  double *out)
    void dots_f64(const double *x, const double *w, Py_ssize_t rows, Py_ssize_t d,
                  double *out)
    void adds_f32(const float *x, const double *c, Py_ssize_t rows, Py_ssize_t d,
                  double *out)
    void adds_f64(const double *x, const double *c, Py_ssize_t rows, Py_ssize_t d,
                  double *out)
    void plain_step_f32(double keep, double step, const float *x, double *w, Py_ssize_t d)
    void plain_step_f64(double keep, double step, const double *x, double *w, Py_ssize_t d)
    void momentum_step(double step, double momentum, bint nesterov, const double *g,
                       double *v, double *w, Py_ssize_t d)
    void prefetch_span(const void *first, const void *end)

ctypedef fused real:
    float
    double

ctypedef fused index:
    int32_t
    int64_t

include "problem.pxi"
include "rows.pxi"
include "dense.pxi"
include "lazy.pxi"


def descend(
    Problem problem not None,
    Rule rule not None,
    const Py_ssize_t[::1] rows,        # IN  rows in the order of use; empty: as stored
    const Py_ssize_t[:, ::1] batches,  # IN  (start, stop) of each batch in that order
    const double[::1] steps,           # IN  the step size of each batch
    tuple state,                       # IN/OUT weights, the rule's memory, total (or None)
    double[:, ::1] log,                # OUT one row an epoch: sum of losses, ½‖w‖² at start
    Py_ssize_t average_from,           # IN  number of the first batch that is averaged
    double limit,                      # IN  a batch's mean loss beyond this: diverged
):
    """Take the steps; return how many were taken (fewer than asked: diverged).

    The batches are split evenly into ``len(log)`` epochs. A batch whose mean loss is
    above `limit` or not a number ends the pass; the state is then of no use any more.
    """
    cdef Moving m
    cdef double[:, ::1] weights, total, gradient
    cdef double[:, :, ::1] memory
    cdef double[::1] offset, anchor_offset, losses, residuals
    cdef Py_ssize_t done, i, longest = 0
    weights = state[0]
    m.d, m.k = problem.n_features, problem.n_outputs
    if weights.shape[0] != m.k or weights.shape[1] != m.d + 1:
        raise ValueError("the state does not fit the problem")
    m.weights = &weights[0, 0]
    m.velocity = m.total = NULL
    if rule.momentum != 0.0:
        memory = state[1]
        m.velocity = &memory[0, 0, 0]
    if average_from < batches.shape[0]:
        total = state[2]
        m.total = &total[0, 0]
    gradient = np.zeros((m.k, m.d + 1))
    offset = np.zeros(m.k)
    losses = np.zeros(m.k)
    m.gradient, m.offset, m.losses = &gradient[0, 0], &offset[0], &losses[0]
    m.residuals = m.anchor = m.anchor_offset = NULL
    if rule.anchor is not None:
        if rule.anchor.shape[0] != m.k or rule.anchor.shape[1] != m.d + 1:
            raise ValueError("the anchor does not fit the problem")
        anchor_offset = np.zeros(m.k)
        m.anchor, m.anchor_offset = &rule.anchor[0, 0], &anchor_offset[0]
    if rule.lazy:
        for i in range(batches.shape[0]):
            longest = max(longest, batches[i, 1] - batches[i, 0])
        residuals = np.empty(longest * m.k)
        m.residuals = &residuals[0]
    with nogil:
        if problem.single:
            if problem.narrow:
                done = run[float, int32_t](
                    NULL, NULL, problem, rule, &m, rows,
                    batches, steps, log, average_from, limit)
            else:
                done = run[float, int64_t](
                    NULL, NULL, problem, rule, &m, rows,
                    batches, steps, log, average_from, limit)
        elif problem.narrow:
            done = run[double, int32_t](
                NULL, NULL, problem, rule, &m, rows,
                batches, steps, log, average_from, limit)
        else:
            done = run[double, int64_t](
                NULL, NULL, problem, rule, &m, rows,
                batches, steps, log, average_from, limit)
    return done


def evaluate(
    Problem problem not None,
    const double[:, ::1] weights,  # IN  (k, d + 1), the last column is the intercept
    centre,                        # IN  the features' centre (d,) of that intercept, or None
    const Py_ssize_t[::1] rows,    # IN  rows in the order of use; empty: as stored
    Py_ssize_t start,              # IN  the first one in that order
    Py_ssize_t stop,               # IN  and the end
):
    """Losses and gradient at a point, in one pass over some rows and without a step.

    Returns
    -------
    losses : ndarray of shape (k,)
        Σ s_i L(y_i, p_i) of each output.
    gradient : ndarray of shape (k, d + 1)
        Σ s_i L'(y_i, p_i) [x_i, 1].
    """
    cdef Moving m
    cdef double[:, ::1] gradient = np.zeros((problem.n_outputs, problem.n_features + 1))
    cdef double[::1] offset = np.zeros(problem.n_outputs)
    cdef double[::1] losses = np.zeros(problem.n_outputs)
    cdef const double[::1] middle = None
    cdef Py_ssize_t o
    if not 0 <= start <= stop <= (rows.shape[0] if rows.shape[0] else problem.n_rows):
        raise ValueError("start and stop are not within the rows")
    m.d, m.k = problem.n_features, problem.n_outputs
    if weights.shape[0] != m.k or weights.shape[1] != m.d + 1:
        raise ValueError("the weights do not fit the problem")
    m.weights = <double *> &weights[0, 0]
    m.velocity = m.total = m.residuals = NULL
    m.anchor = m.anchor_offset = NULL
    m.gradient, m.offset, m.losses = &gradient[0, 0], &offset[0], &losses[0]
    if centre is not None:
        middle = centre
    with nogil:
        for o in range(m.k):
            m.offset[o] = weights[o, m.d]
            if centre is not None:
                m.offset[o] -= dot_f64(&middle[0], &weights[o, 0], m.d)
        if problem.single:
            if problem.narrow:
                gradient_of[float, int32_t](
                    NULL, NULL, problem, &m, rows, start, stop, stop)
            else:
                gradient_of[float, int64_t](
                    NULL, NULL, problem, &m, rows, start, stop, stop)
        elif problem.narrow:
            gradient_of[double, int32_t](NULL, NULL, problem, &m, rows, start, stop, stop)
        else:
            gradient_of[double, int64_t](NULL, NULL, problem, &m, rows, start, stop, stop)
    return np.asarray(losses), np.asarray(gradient)


cdef Py_ssize_t run(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, const Py_ssize_t[:, ::1] batches,
    const double[::1] steps, double[:, ::1] log, Py_ssize_t average_from, double limit,
) noexcept nogil:
    cdef Py_ssize_t n_epochs = log.shape[0]
    cdef Py_ssize_t per_epoch = batches.shape[0] // n_epochs
    cdef Py_ssize_t e, i, o, start, stop, next_start, taken = 0
    cdef double loss, mean
    reset(m)
    if m.anchor is not NULL:
        offsets_of(rule, m, m.anchor, m.anchor_offset)
    for e in range(n_epochs):
        if rule.lazy:
            fold(m)
        mean = 0.0
        for o in range(m.k):
            mean += dot_f64(&m.weights[o * (m.d + 1)], &m.weights[o * (m.d + 1)], m.d)
        log[e, 1] = 0.5 * mean
        for i in range(e * per_epoch, (e + 1) * per_epoch):
            start, stop = batches[i, 0], batches[i, 1]
            next_start = batches[i + 1, 0] if i + 1 < batches.shape[0] else stop
            if rule.lazy:
                loss = lazy_step(
                    _value, _index, problem, rule, m, rows, start, stop, next_start,
                    steps[i], i >= average_from, limit)
            else:
                loss = dense_step(
                    _value, _index, problem, rule, m, rows, start, stop, next_start,
                    steps[i], i >= average_from, limit)
            log[e, 0] += loss
            if not loss <= limit * (stop - start):
                if rule.lazy:
                    fold(m)
                return taken
            taken += 1
    if rule.lazy:
        fold(m)
    return taken
