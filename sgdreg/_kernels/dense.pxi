# Rows of one call to the inner loops, where they lie next to each other: the second loop
# finds them in the nearest cache (16 rows of 100 doubles are 12 KiB).
cdef enum:
    SPAN = 16

# The dense way: the batch's gradient in a buffer of d numbers, then one step of them all.

cdef double dense_step(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start, double step, bint averaged, double limit,
) noexcept nogil:
    """One step with the gradient in a buffer; returns the batch's sum of losses."""
    cdef double loss
    cdef Py_ssize_t o
    if (stop - start == 1 and not problem.sparse and rule.momentum == 0.0
            and rule.inverse_scale is None and m.anchor is NULL):
        return single_row_step(
            _value, problem, rule, m, rows, start, next_start, step, averaged)
    offsets_of(rule, m, m.weights, m.offset)
    loss = gradient_of(_value, _index, problem, m, rows, start, stop, next_start)
    if loss <= limit * (stop - start):
        for o in range(m.k):
            apply_step(rule, m, o, step, 1.0 / (stop - start), averaged)
    return loss


cdef void offsets_of(
    Rule rule, const Moving *m, const double *weights, double *offset,
) noexcept nogil:
    """What x·w lacks of each output's prediction: intercept - centre·w."""
    cdef Py_ssize_t o, width = m.d + 1
    for o in range(m.k):
        offset[o] = weights[o * width + m.d]
        if rule.centre is not None:
            offset[o] -= dot_f64(&rule.centre[0], &weights[o * width], m.d)


cdef double single_row_step(
    const real *_value, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t next_start,
    double step, bint averaged,
) noexcept nogil:
    """The plain step of one dense row, whose gradient needs no buffer."""
    cdef const real *values = <const real *> problem.values
    cdef Py_ssize_t d = m.d, k = m.k, o, r = row_at(rows, start)
    cdef double loss = 0.0, c
    cdef double *w
    fetch_ahead[real, int32_t](values, NULL, NULL, d, problem.y, k, problem.n_rows,
                               rows, start, start + 1, next_start)
    for o in range(k):
        w = m.weights + o * (d + 1)
        if real is float:
            c = step * residual(
                problem, r, o, dot_f32(values + r * d, w, d) + w[d], &loss)
            plain_step_f32(1.0 - step * rule.alpha, c, values + r * d, w, d)
        else:
            c = step * residual(
                problem, r, o, dot_f64(values + r * d, w, d) + w[d], &loss)
            plain_step_f64(1.0 - step * rule.alpha, c, values + r * d, w, d)
        if rule.fit_intercept:
            w[d] -= c
        if averaged:
            add_f64(w, 1.0, m.total + o * (d + 1), d + 1)
    return loss


cdef double gradient_of(
    const real *_value, const index *_index, Problem problem, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start,
) noexcept nogil:
    """Σ s_i r_i [x_i, 1] of the batch into m.gradient, Σ s_i L_i into m.losses.

    With an anchor, r_i is less the residual there. Returns the sum of m.losses.
    """
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = m.d, k = m.k, width = d + 1
    cdef Py_ssize_t i, o, r
    cdef double total = 0.0, c, at_anchor, ignored = 0.0
    for i in range(k * width):
        m.gradient[i] = 0.0
    for o in range(k):
        m.losses[o] = 0.0
    if indptr is NULL and not rows.shape[0] and m.anchor is NULL:
        return gradient_of_span(values, problem, m, rows, start, stop, next_start)
    for i in range(start, stop):
        r = row_at(rows, i)
        fetch_ahead(values, indices, indptr, d, problem.y, k, problem.n_rows,
                    rows, i, stop, next_start)
        for o in range(k):
            c = row_dot(values, indices, indptr, d, r, m.weights + o * width)
            c = residual(problem, r, o, c + m.offset[o], &m.losses[o])
            if m.anchor is not NULL:
                at_anchor = row_dot(values, indices, indptr, d, r, m.anchor + o * width)
                at_anchor += m.anchor_offset[o]
                c -= residual(problem, r, o, at_anchor, &ignored)
            m.gradient[o * width + d] += c
            row_add(values, indices, indptr, d, r, c, m.gradient + o * width)
    for o in range(k):
        total += m.losses[o]
    return total


cdef double gradient_of_span(
    const real *values, Problem problem, Moving *m, const Py_ssize_t[::1] rows,
    Py_ssize_t start, Py_ssize_t stop, Py_ssize_t next_start,
) noexcept nogil:
    """`gradient_of` for dense rows as stored: SPAN of them a call to the inner loops."""
    cdef Py_ssize_t d = m.d, k = m.k, width = d + 1, first = start, size, i, o
    cdef double residuals[SPAN]
    cdef double total = 0.0
    cdef const real *x
    if next_start != stop:  # the next batch lies elsewhere: ask for its first rows
        for i in range(stop - AHEAD, stop):
            fetch_ahead[real, int32_t](values, NULL, NULL, d, problem.y, k, problem.n_rows,
                                       rows, i, stop, next_start)
    while first < stop:
        size = min(SPAN, stop - first)
        x = values + first * d
        for o in range(k):
            if real is float:
                dots_f32(x, m.weights + o * width, size, d, residuals)
            else:
                dots_f64(x, m.weights + o * width, size, d, residuals)
            for i in range(size):
                residuals[i] = residual(
                    problem, first + i, o, residuals[i] + m.offset[o], &m.losses[o])
                m.gradient[o * width + d] += residuals[i]
            if real is float:
                adds_f32(x, residuals, size, d, m.gradient + o * width)
            else:
                adds_f64(x, residuals, size, d, m.gradient + o * width)
        first += size
    for o in range(k):
        total += m.losses[o]
    return total


cdef void apply_step(
    Rule rule, Moving *m, Py_ssize_t o, double step, double share, bint averaged,
) noexcept nogil:
    """Move the weights of output o along m.gradient (`share` = 1/|B| of a sum)."""
    cdef Py_ssize_t d = m.d, width = d + 1, j
    cdef double *w = m.weights + o * width
    cdef double *g = m.gradient + o * width
    cdef double decay = rule.alpha
    cdef double mean, sign
    if rule.drift is not None:
        add_f64(&rule.drift[o, 0], 1.0 / share, g, width)
    if rule.inverse_scale is not None:
        mean = g[d]
        for j in range(d):
            if rule.centre is not None:
                g[j] -= rule.centre[j] * mean
            g[j] = (share * g[j] + decay * w[j]) * rule.inverse_scale[j]
        if rule.root is not None:
            for j in range(rule.root.shape[0]):
                rule.product[j] = dot_f64(&rule.root[j, 0], g, d)
            sign = -1.0 if rule.low_rank else 1.0
            if not rule.low_rank:
                for j in range(d):
                    g[j] = 0.0
            for j in range(rule.root.shape[0]):
                add_f64(&rule.root[j, 0], sign * rule.product[j], g, d)
        for j in range(d):
            g[j] *= rule.inverse_scale[j]
        g[d] *= share
        share, decay = 1.0, 0.0
    if rule.momentum != 0.0:
        for j in range(d):
            g[j] = share * g[j] + decay * w[j]
        g[d] *= share
        if rule.fit_intercept:
            d += 1
        momentum_step(
            step, rule.momentum, rule.nesterov, g, m.velocity + o * width, w, d)
    else:
        plain_step_f64(1.0 - step * decay, step * share, g, w, d)
        if rule.fit_intercept:
            w[d] -= step * share * g[d]
    if averaged:
        add_f64(w, 1.0, m.total + o * width, width)
