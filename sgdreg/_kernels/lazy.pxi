# The lazy way: a step costs the batch's non-zeros, never d.
#
# A step changes the coordinates without a gradient (weight decay, momentum, the running sum
# for the average) by a linear recurrence with the same matrix M for all of them:
#
#     (w_j, v_j) <- M (w_j, v_j),     a_j <- a_j + w_j
#
# So the true state is written as (w, v) = P·(p, q) and a = a' + c·(p, q). The stored vectors
# p, q, a' change only where the batch is non-zero; the 2×2 matrix P and the row c change
# once a step.

# (p, q) are multiplied by P, and P is reset, before its determinant (relative to its
# squared size) falls below this: solving with P then loses three digits of 16. At momentum
# 0.9 that is once in 65 steps.
cdef double WORST_DETERMINANT = 1e-3
# Without momentum P is a number, which loses no digits by being small: it must only not
# underflow.
cdef double SMALLEST_SCALE = 1e-100


cdef double lazy_step(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start, double step, bint averaged, double limit,
) noexcept nogil:
    """One step at the cost of the batch's non-zeros; returns its sum of losses."""
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = m.d, k = m.k, width = d + 1, size = stop - start
    cdef Py_ssize_t i, o, r
    cdef double loss
    cdef double direct[2]
    cdef double p, into_w, into_v, into_total, share = 1.0 / size
    cdef double *residuals = m.residuals
    loss = predictions_of(_value, _index, problem, m, rows, start, stop, next_start)
    if loss <= limit * size:
        recur(rule, m, step, averaged)
        intercept_steps(rule, m, step, averaged, residuals, size)
        direct[0] = -step * (1.0 + rule.momentum) if rule.nesterov else -step
        direct[1] = 1.0 if rule.momentum != 0.0 else 0.0
        p = determinant(m)
        into_w = (m.P[1][1] * direct[0] - m.P[0][1] * direct[1]) / p
        into_v = (m.P[0][0] * direct[1] - m.P[1][0] * direct[0]) / p
        into_total = (direct[0] if averaged else 0.0) - m.c[0] * into_w - m.c[1] * into_v
        for i in range(start, stop):
            r = row_at(rows, i)
            for o in range(k):
                p = share * residuals[o * size + i - start]
                row_add(values, indices, indptr, d, r, p * into_w,
                        m.weights + o * width)
                if m.memory is not NULL:
                    row_add(values, indices, indptr, d, r, p * into_v,
                            m.memory + o * width)
                if m.total is not NULL and into_total != 0.0:
                    row_add(values, indices, indptr, d, r, p * into_total,
                            m.total + o * width)
    return loss


cdef double predictions_of(
    const real *_value, const index *_index, Problem problem, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start,
) noexcept nogil:
    """s_i L'_i of the batch into m.residuals, output by output; returns Σ s_i L_i."""
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = m.d, width = d + 1, size = stop - start, i, o, r
    cdef double loss = 0.0, p
    cdef double *out = m.residuals
    for i in range(size):
        r = row_at(rows, start + i)
        fetch_ahead(values, indices, indptr, d, problem.y, m.k, problem.n_rows,
                    rows, start + i, stop, next_start)
        for o in range(m.k):
            p = m.P[0][0] * row_dot(values, indices, indptr, d, r, m.weights + o * width)
            if m.P[0][1] != 0.0:
                p += m.P[0][1] * row_dot(
                    values, indices, indptr, d, r, m.memory + o * width)
            out[o * size + i] = p
    for o in range(m.k):
        derivatives(problem, rows, start, size, o, m.weights[o * width + d],
                    out + o * size, &loss)
    return loss


cdef void recur(Rule rule, Moving *m, double step, bint averaged) noexcept nogil:
    """The part of the step that is the same for all coordinates: P <- M P, c <- c + (1, 0) P."""
    cdef double a = step * rule.l2, mu = rule.momentum
    cdef double w0 = m.P[0][0], w1 = m.P[0][1], v0 = m.P[1][0], v1 = m.P[1][1]
    cdef double keep = 1.0 - a, drag = 0.0, size
    if mu != 0.0:
        if rule.nesterov:
            keep -= a * mu
        drag = step * mu * (mu if rule.nesterov else 1.0)
        m.P[1][0] = rule.l2 * w0 + mu * v0
        m.P[1][1] = rule.l2 * w1 + mu * v1
    m.P[0][0] = keep * w0 - drag * v0
    m.P[0][1] = keep * w1 - drag * v1
    if averaged:
        m.c[0] += m.P[0][0]
        m.c[1] += m.P[0][1]
    if mu == 0.0:
        if fabs(m.P[0][0]) < SMALLEST_SCALE:
            fold(m)
    else:
        size = max(max(fabs(m.P[0][0]), fabs(m.P[0][1])),
                   max(fabs(m.P[1][0]), fabs(m.P[1][1])))
        if fabs(determinant(m)) < WORST_DETERMINANT * size * size:
            fold(m)


cdef inline double determinant(const Moving *m) noexcept nogil:
    return m.P[0][0] * m.P[1][1] - m.P[0][1] * m.P[1][0]


cdef void reset(Moving *m) noexcept nogil:
    m.P[0][0] = m.P[1][1] = 1.0
    m.P[0][1] = m.P[1][0] = m.c[0] = m.c[1] = 0.0


cdef void fold(Moving *m) noexcept nogil:
    """Bring the stored vectors up to date; P becomes the identity and c zero."""
    cdef Py_ssize_t i, o, width = m.d + 1
    cdef double w, v
    if m.total is not NULL and (m.c[0] != 0.0 or m.c[1] != 0.0):
        for o in range(m.k):
            add_f64(m.weights + o * width, m.c[0], m.total + o * width, m.d)
            if m.memory is not NULL:
                add_f64(m.memory + o * width, m.c[1], m.total + o * width, m.d)
    if m.memory is NULL:
        if m.P[0][0] != 1.0:
            for o in range(m.k):
                for i in range(o * width, o * width + m.d):
                    m.weights[i] *= m.P[0][0]
    else:
        for o in range(m.k):
            for i in range(o * width, o * width + m.d):
                w, v = m.weights[i], m.memory[i]
                m.weights[i] = m.P[0][0] * w + m.P[0][1] * v
                m.memory[i] = m.P[1][0] * w + m.P[1][1] * v
    reset(m)


cdef void intercept_steps(
    Rule rule, Moving *m, double step, bint averaged, const double *residuals,
    Py_ssize_t size,
) noexcept nogil:
    """The step of the intercepts: without decay, and applied at once."""
    cdef Py_ssize_t i, o, at
    cdef double g
    for o in range(m.k):
        at = o * (m.d + 1) + m.d
        if rule.fit_intercept:
            g = 0.0
            for i in range(size):
                g += residuals[o * size + i] / size
            if rule.momentum != 0.0:
                momentum_direction(rule.momentum, rule.nesterov, &g, m.memory + at, 1)
            m.weights[at] -= step * g
        if averaged:
            m.total[at] += m.weights[at]
