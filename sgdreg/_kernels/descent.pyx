# cython: wraparound=False, cdivision=True
# cython: freethreading_compatible=True
"""One pass of gradient steps over a list of mini-batches, in place, without the GIL.

For every batch B, with the rows' weights s (mean one) and the loss's derivatives
L'_i = dL/dp at p = x_i·w + b:

    g = 1/|B| · Σ_{i in B} s_i L'_i x_i + l2·w,      w <- prox(w - eta·rule(metric·g))

There are three ways to apply the same step: *dense* (dense.pxi), and for sparse rows, at the
cost of the batch's non-zeros, *linear* (lazy.pxi) and *visited* (visited.pxi).
"""

from libc.float cimport DBL_MAX as LARGEST
from libc.math cimport fabs, sqrt, NAN as NOT_A_NUMBER
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

import numpy as np

from sgdreg._answers import returned
from sgdreg.losses import ask as ask_loss, compiled, is_squared

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
    void prefetch_span(const void *first, const void *end)

cdef extern from "narrow.h" nogil:
    enum: NARROW, SUMMED
    void narrow_pass_f32(
        const float *x, const double *y, const double *s, Py_ssize_t rows, Py_ssize_t d,
        Py_ssize_t k, const double *w, const double *centre, double offset,
        double *sums)
    void narrow_pass_f64(
        const double *x, const double *y, const double *s, Py_ssize_t rows, Py_ssize_t d,
        Py_ssize_t k, const double *w, const double *centre, double offset,
        double *sums)
    void shifted_sums(
        const double *y, const double *s, Py_ssize_t n, Py_ssize_t k, double shift,
        double *sums)

cdef extern from "products.h" nogil:
    enum: BLOCK, TILE
    double *line_of(double *numbers)
    void centred_f32(
        const float *x, const double *y, const double *centre, Py_ssize_t rows,
        Py_ssize_t d, Py_ssize_t k, Py_ssize_t stride, double *block)
    void centred_f64(
        const double *x, const double *y, const double *centre, Py_ssize_t rows,
        Py_ssize_t d, Py_ssize_t k, Py_ssize_t stride, double *block)
    void line_products_f32(const float *x, const double *y, const double *centre,
                           Py_ssize_t rows, double *sums)
    void line_products_f64(const double *x, const double *y, const double *centre,
                           Py_ssize_t rows, double *sums)
    void times_rows(const double *factor, Py_ssize_t rows, Py_ssize_t width,
                    Py_ssize_t stride, double *block)
    void add_products(const double *block, Py_ssize_t rows, Py_ssize_t width,
                      Py_ssize_t stride, double *out)

cdef extern from "moments.h" nogil:
    enum: STRIP
    void add_moments_f32(const float *x, double s, const double *centre, Py_ssize_t d,
                         double *sums, double *squares)
    void add_moments_f64(const double *x, double s, const double *centre, Py_ssize_t d,
                         double *sums, double *squares)
    void add_four_moments_f32(const float *x, Py_ssize_t apart, const double *centre,
                              Py_ssize_t d, double *sums, double *squares)
    void add_four_moments_f64(const double *x, Py_ssize_t apart, const double *centre,
                              Py_ssize_t d, double *sums, double *squares)
    void scale_f32_f32(const float *x, double s, const double *centre,
                       const double *factor, const Py_ssize_t *at, Py_ssize_t k, float *out)
    void scale_f32_f64(const float *x, double s, const double *centre,
                       const double *factor, const Py_ssize_t *at, Py_ssize_t k, double *out)
    void scale_f64_f32(const double *x, double s, const double *centre,
                       const double *factor, const Py_ssize_t *at, Py_ssize_t k, float *out)
    void scale_f64_f64(const double *x, double s, const double *centre,
                       const double *factor, const Py_ssize_t *at, Py_ssize_t k, double *out)

cdef extern from "rules.h" nogil:
    void momentum_direction(double momentum, bint nesterov, double *g, double *v,
                            Py_ssize_t d)
    void adagrad_direction(double epsilon, double *g, double *s, double *scale,
                           Py_ssize_t d)
    void rmsprop_direction(double rho, double epsilon, double *g, double *s,
                           double *scale, Py_ssize_t d)
    void adam_direction(double beta_1, double beta_2, double t, double epsilon, double *g,
                        double *m, double *v, double *scale, Py_ssize_t d)
    void step_along(double keep, double step, const double *g, const double *inverse,
                    double *w, Py_ssize_t d)
    double soft_threshold(double w, double threshold, bint positive)
    void soft_threshold_all(double threshold, bint positive, const double *scale,
                            const double *inverse, double *w, Py_ssize_t d)
    void proximal_momentum(double step, double momentum, bint nesterov, double threshold,
                           bint positive, const double *g, const double *scale,
                           const double *inverse, double *v, double *w, Py_ssize_t d)
    void average_into(double keep, const double *w, double *total, Py_ssize_t d)

ctypedef fused real:
    float
    double

ctypedef fused index:
    int32_t
    int64_t

include "problem.pxi"
include "rule.pxi"
include "rows.pxi"
include "loss.pxi"
include "dense.pxi"
include "lazy.pxi"
include "visited.pxi"
include "products.pxi"
include "moments.pxi"
include "narrow.pxi"


def descend(
    Problem problem not None,          # IN  the data and the loss
    Rule rule not None,                # IN  the update rule and the penalty
    const Py_ssize_t[::1] rows,        # IN  rows in the order of use; empty: as stored
    const Py_ssize_t[:, ::1] batches,  # IN  (start, stop) of each batch in that order
    const double[::1] steps,           # IN  the step size of each batch
    tuple state,                       # IN/OUT weights, rule's memory, sum of weights (or None)
    double[:, ::1] log,                # OUT (losses' sum, penalty at the start) of each epoch
    Py_ssize_t average_from,           # IN  number of the first batch that is averaged
    Py_ssize_t age,                    # IN  number of steps since the rule's memory began
    double limit,                      # IN  a larger mean loss of a batch means divergence
):
    """Take the steps; return how many were taken (fewer than asked: diverged).

    The batches are split evenly into ``len(log)`` epochs. A batch whose mean loss is
    above `limit` or not a number ends the pass; the state is then invalid.
    """
    cdef Moving m
    cdef double[:, ::1] weights, total, gradient
    cdef double[:, :, ::1] memory
    cdef double[::1] scratch
    cdef Py_ssize_t[:, ::1] visits
    cdef double[:, ::1] path
    cdef Py_ssize_t done, i, longest = 0
    weights = state[0]
    m.d, m.k, m.t = problem.n_features, problem.n_outputs, age
    fit_problem(problem, weights)
    m.weights = &weights[0, 0]
    m.memory = m.total = NULL
    if rule.optimizer.slots:
        memory = state[1]
        if memory.shape[0] != rule.optimizer.slots:
            raise ValueError("the memory does not fit the rule")
        m.memory = &memory[0, 0, 0]
    if average_from < batches.shape[0]:
        total = state[2]
        m.total = &total[0, 0]
    gradient = np.zeros((m.k, m.d + 1))
    m.gradient = &gradient[0, 0]
    m.span = span_of(problem)
    if rule.lazy != DENSE:
        for i in range(batches.shape[0]):
            longest = max(longest, batches[i, 1] - batches[i, 0])
    # One array for five: offset, losses, anchor_offset (k each), scale, residuals.
    scratch = np.zeros(3 * m.k + m.d + 1 + max(2 * m.span, longest * m.k))
    m.offset, m.losses, m.anchor_offset = &scratch[0], &scratch[m.k], &scratch[2 * m.k]
    m.scale, m.residuals = &scratch[3 * m.k], &scratch[3 * m.k + m.d + 1]
    m.anchor = NULL
    m.predictions = NULL
    if rule.anchor is not None:
        fit_problem(problem, rule.anchor)
        m.anchor = &rule.anchor[0, 0]
    if rule.lazy == VISITED:
        visits = np.zeros((3, m.d + 1), dtype=np.intp)
        m.stamps, m.marks, m.touched = &visits[0, 0], &visits[1, 0], &visits[2, 0]
        m.capacity = batches.shape[0] + 1
        path = np.empty((m.capacity, COLUMNS))
        m.path = &path[0, 0]
        visits[1, :] = -1
    # The two NULL only choose the types of X's numbers and indices.
    with nogil:
        if problem.single:
            done = run_by_index[float](
                NULL, problem, rule, &m, rows, batches, steps, log, average_from, limit)
        else:
            done = run_by_index[double](
                NULL, problem, rule, &m, rows, batches, steps, log, average_from, limit)
    problem.raise_error()
    rule.raise_error()
    return done


def evaluate(
    Problem problem not None,      # IN  the data and the loss
    const double[:, ::1] weights,  # IN  (k, d + 1), the last column is the intercept
    centre,                        # IN  the centre (d,) that this intercept is about, or None
    const Py_ssize_t[::1] rows,    # IN  rows in the order of use; empty: as stored
    Py_ssize_t start,              # IN  position of the first row in that order
    Py_ssize_t stop,               # IN  position after the last row
    predictions=None,              # OUT (k, rows), x·w + b in the order of use, or None
):
    """Losses and gradient at given weights, in one pass over some rows, without a step.

    Returns
    -------
    losses : ndarray of shape (k,)
        Σ s_i L(y_i, p_i) of each output.
    gradient : ndarray of shape (k, d + 1)
        Σ s_i L'(y_i, p_i) [x_i, 1].
    """
    cdef Moving m
    gradients = np.zeros((problem.n_outputs, problem.n_features + 1))
    sums = np.zeros(problem.n_outputs)
    cdef double[:, ::1] gradient = gradients
    cdef double[::1] losses = sums
    cdef double[::1] scratch, copied
    cdef double *block = NULL
    cdef bint narrow
    cdef const double[::1] middle = None
    cdef const double *about = NULL
    cdef double[:, ::1] kept
    cdef Py_ssize_t o
    m.positions = rows.shape[0] if rows.shape[0] else problem.n_rows
    if not 0 <= start <= stop <= m.positions:
        raise ValueError("start and stop are not within the rows")
    m.d, m.k, m.span = problem.n_features, problem.n_outputs, span_of(problem)
    fit_problem(problem, weights)
    m.weights = <double *> &weights[0, 0]
    m.memory = m.total = m.predictions = NULL
    m.anchor = NULL
    if predictions is not None:
        kept = predictions
        if kept.shape[0] != m.k or kept.shape[1] != m.positions:
            raise ValueError("predictions must be of shape (k, rows)")
        if m.positions:
            m.predictions = &kept[0, 0]
    scratch = np.zeros(m.k + m.span)
    m.gradient, m.losses = &gradient[0, 0], &losses[0]
    m.offset, m.residuals = &scratch[0], &scratch[m.k]
    if centre is not None:
        middle = centre
        about = &middle[0]
    narrow = is_narrow(problem, &m)
    if narrow and rows.shape[0]:
        copied = np.empty(SUMMED * (m.d + m.k + 1))
        block = &copied[0]
    with nogil:
        for o in range(m.k):
            m.offset[o] = weights[o, m.d]
            if centre is not None:
                m.offset[o] -= dot_f64(&middle[0], &weights[o, 0], m.d)
        if narrow:
            narrow_gradient(problem, &m, about, rows, start, stop, block)
        elif problem.single and problem.narrow:
            gradient_of[float, int32_t](NULL, NULL, problem, &m, rows, start, stop, stop)
        elif problem.single:
            gradient_of[float, int64_t](NULL, NULL, problem, &m, rows, start, stop, stop)
        elif problem.narrow:
            gradient_of[double, int32_t](NULL, NULL, problem, &m, rows, start, stop, stop)
        else:
            gradient_of[double, int64_t](NULL, NULL, problem, &m, rows, start, stop, stop)
    problem.raise_error()
    return sums, gradients


cdef object fit_problem(Problem problem, const double[:, ::1] weights):
    """Raise if weights have not the problem's shape, which the kernels do not check."""
    if (weights.shape[0] != problem.n_outputs
            or weights.shape[1] != problem.n_features + 1):
        raise ValueError("the weights do not fit the problem")


cdef Py_ssize_t span_of(Problem problem):
    """The number of rows that are worked on together."""
    cdef Py_ssize_t row_bytes
    if problem.custom:
        return CUSTOM_SPAN
    if problem.sparse:
        return SPAN
    row_bytes = <Py_ssize_t> sizeof(double) * max(1, problem.n_features)
    return max(1, min(<Py_ssize_t> SPAN, SPAN_BYTES // row_bytes))


cdef Py_ssize_t run_by_index(
    const real *_value, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, const Py_ssize_t[:, ::1] batches,
    const double[::1] steps, double[:, ::1] log, Py_ssize_t average_from, double limit,
) noexcept nogil:
    """`run`, for the type of the indices."""
    if problem.narrow:
        return run[real, int32_t](
            NULL, NULL, problem, rule, m, rows, batches, steps, log, average_from, limit)
    return run[real, int64_t](
        NULL, NULL, problem, rule, m, rows, batches, steps, log, average_from, limit)


cdef Py_ssize_t run(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, const Py_ssize_t[:, ::1] batches,
    const double[::1] steps, double[:, ::1] log, Py_ssize_t average_from, double limit,
) noexcept nogil:
    """`descend` for one type of numbers and one of indices."""
    cdef Py_ssize_t n_epochs = log.shape[0]
    cdef Py_ssize_t per_epoch = batches.shape[0] // n_epochs
    cdef Py_ssize_t e, i, start, stop, next_start, taken = 0
    cdef double loss
    cdef bint by_rows = (  # plain steps of dense rows, which need no buffer
        rule.simple and not problem.sparse and not problem.custom)
    begin(rule, m)
    for e in range(n_epochs):
        bring_up_to_date(rule, m)
        if rule.penalty is None:
            log[e, 1] = penalty(rule, m)
        else:
            with gil:
                log[e, 1] = custom_penalty(rule, m)
            if log[e, 1] != log[e, 1]:
                return taken
        for i in range(e * per_epoch, (e + 1) * per_epoch):
            start, stop = batches[i, 0], batches[i, 1]
            next_start = batches[i + 1, 0] if i + 1 < batches.shape[0] else stop
            m.t += 1
            if by_rows and stop - start == 1:
                loss = single_row_step[real](
                    _value, problem, rule, m, rows, start, next_start, steps[i],
                    i >= average_from)
            elif rule.lazy == LINEAR:
                loss = lazy_step(
                    _value, _index, problem, rule, m, rows, start, stop, next_start,
                    steps[i], i >= average_from, limit)
            elif rule.lazy == VISITED:
                loss = visited_step(
                    _value, _index, problem, rule, m, rows, start, stop, next_start,
                    steps[i], i >= average_from, limit)
            else:
                loss = dense_step(
                    _value, _index, problem, rule, m, rows, start, stop, next_start,
                    steps[i], i >= average_from, limit)
            log[e, 0] += loss
            if not loss <= limit * (stop - start):
                bring_up_to_date(rule, m)
                return taken
            taken += 1
    bring_up_to_date(rule, m)
    return taken


cdef void begin(Rule rule, Moving *m) noexcept nogil:
    reset(m)
    if m.anchor is not NULL:
        offsets_of(rule, m, m.anchor, m.anchor_offset)
    if rule.lazy == VISITED:
        m.now = 0
        settle(rule, m)


cdef void bring_up_to_date(Rule rule, Moving *m) noexcept nogil:
    """Apply the part of the steps that the lazy ways have postponed."""
    if rule.lazy == LINEAR:
        fold(m)
    elif rule.lazy == VISITED:
        settle(rule, m)


cdef double custom_penalty(Rule rule, const Moving *m):
    """The value of a custom penalty; NaN if its method raised."""
    try:
        weights = np.asarray(<double[:m.k, :m.d + 1]> m.weights)
        return rule.penalty.values(weights[:, :-1]).sum()
    except BaseException as error:
        rule.error = error
        return NOT_A_NUMBER


cdef double penalty(Rule rule, const Moving *m) noexcept nogil:
    """l2 ½‖w‖² + l1 ‖w‖₁, summed over the outputs."""
    cdef double squares = 0.0, sizes = 0.0
    cdef Py_ssize_t o, j
    cdef const double *w
    for o in range(m.k):
        w = m.weights + o * (m.d + 1)
        if rule.l2 > 0.0:  # not always: the squares of large weights overflow
            squares += dot_f64(w, w, m.d)
        if rule.l1 > 0.0:
            for j in range(m.d):
                sizes += fabs(w[j])
    return 0.5 * rule.l2 * squares + rule.l1 * sizes
