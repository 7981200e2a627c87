# SPAN rows are worked on together: first their products with w, then the sum of their
# gradients, which finds the rows in a near cache (16 rows of 100 doubles are 12 KiB). They
# take SPAN_BYTES at most. The methods of a custom loss are called for CUSTOM_SPAN rows, so
# that a call costs little for each row.
cdef enum:
    SPAN = 16
    SPAN_BYTES = 262144
    CUSTOM_SPAN = 4096

# The dense way: the batch's gradient in a buffer of d numbers, then a step of all weights.

cdef double dense_step(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start, double step, bint averaged, double limit,
) noexcept nogil:
    """One step with the gradient in a buffer; returns the batch's sum of losses."""
    cdef double loss
    cdef Py_ssize_t o
    offsets_of(rule, m, m.weights, m.offset)
    loss = gradient_of(_value, _index, problem, m, rows, start, stop, next_start)
    if loss <= limit * (stop - start):
        for o in range(m.k):
            if not apply_step(rule, m, o, step, 1.0 / (stop - start), averaged):
                return NOT_A_NUMBER
    return loss


cdef void offsets_of(
    Rule rule, const Moving *m, const double *weights, double *offset,
) noexcept nogil:
    """The number to add to x·w for each output's prediction: intercept - centre·w."""
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
            c = step * derivative(
                problem, r, o, dot_f32(values + r * d, w, d) + w[d], &loss)
            plain_step_f32(1.0 - step * rule.l2, c, values + r * d, w, d)
        else:
            c = step * derivative(
                problem, r, o, dot_f64(values + r * d, w, d) + w[d], &loss)
            plain_step_f64(1.0 - step * rule.l2, c, values + r * d, w, d)
        if rule.fit_intercept:
            w[d] -= c
        if averaged:
            average_into(rule.keep, w, m.total + o * (d + 1), d + 1)
    return loss


cdef double gradient_of(
    const real *_value, const index *_index, Problem problem, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start,
) noexcept nogil:
    """Σ s_i L'_i [x_i, 1] of the batch into m.gradient, Σ s_i L_i into m.losses.

    With an anchor, the derivative there is subtracted from L'_i. Returns the sum of
    m.losses.
    """
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = m.d, k = m.k, width = d + 1, first = start, size, i, o
    cdef double total = 0.0, ignored = 0.0
    cdef double *c = m.residuals
    cdef double *at_anchor = m.residuals + m.span
    cdef bint scattered = rows.shape[0] != 0 or indptr is not NULL
    for i in range(k * width):
        m.gradient[i] = 0.0
    for o in range(k):
        m.losses[o] = 0.0
    if not scattered and next_start != stop:  # the next batch is not the next in memory
        for i in range(stop - AHEAD, stop):
            fetch_ahead(values, indices, indptr, d, problem.y, k, problem.n_rows,
                        rows, i, stop, next_start)
    while first < stop:
        size = min(m.span, stop - first)
        for o in range(k):
            if scattered and o == 0:
                for i in range(size):
                    fetch_ahead(values, indices, indptr, d, problem.y, k, problem.n_rows,
                                rows, first + i, stop, next_start)
                    c[i] = row_dot(values, indices, indptr, d, row_at(rows, first + i),
                                   m.weights)
            else:
                products(values, indices, indptr, d, rows, first, size,
                         m.weights + o * width, c)
            if m.predictions is not NULL:
                for i in range(size):
                    m.predictions[o * m.positions + first + i] = c[i] + m.offset[o]
            derivatives(problem, rows, first, size, o, m.offset[o], c, &m.losses[o])
            if m.anchor is not NULL:
                products(values, indices, indptr, d, rows, first, size,
                         m.anchor + o * width, at_anchor)
                derivatives(problem, rows, first, size, o, m.anchor_offset[o], at_anchor,
                            &ignored)
                for i in range(size):
                    c[i] -= at_anchor[i]
            for i in range(size):
                m.gradient[o * width + d] += c[i]
            add_rows(values, indices, indptr, d, rows, first, size, c,
                     m.gradient + o * width)
        first += size
    for o in range(k):
        total += m.losses[o]
    return total


cdef bint apply_step(
    Rule rule, Moving *m, Py_ssize_t o, double step, double share, bint averaged,
) noexcept nogil:
    """Move the weights of output o along m.gradient, a sum; `share` is 1/|B|.

    Returns False if a method of a custom rule or penalty raised.
    """
    cdef Py_ssize_t d = m.d, width = d + 1
    cdef double *w = m.weights + o * width
    cdef double *g = m.gradient + o * width
    if rule.drift is not None:
        add_f64(&rule.drift[o, 0], 1.0 / share, g, width)
    if rule.simple:
        plain_step_f64(1.0 - step * rule.l2, step * share, g, w, d)
        if rule.fit_intercept:
            w[d] -= step * share * g[d]
    else:
        to_coordinates(rule, m, g, w, share)
        if not take_step(rule, m, o, step, g, w):
            return False
    if averaged:
        average_into(rule.keep, w, m.total + o * width, width)
    return True


cdef void to_coordinates(
    Rule rule, const Moving *m, double *g, const double *w, double share,
) noexcept nogil:
    """Turn the batch's sum of gradients into their mean, in the metric's coordinates."""
    cdef Py_ssize_t d = m.d, j
    cdef double sign
    if rule.centre is not None:
        for j in range(d):
            g[j] -= rule.centre[j] * g[d]
    for j in range(d):
        g[j] = share * g[j] + rule.l2 * w[j]
    g[d] *= share
    if rule.inverse_scale is not None:
        for j in range(d):
            g[j] *= rule.inverse_scale[j]
    if rule.root is not None:
        for j in range(rule.root.shape[0]):
            rule.product[j] = dot_f64(&rule.root[j, 0], g, d)
        sign = -1.0 if rule.low_rank else 1.0
        if not rule.low_rank:
            for j in range(d):
                g[j] = 0.0
        for j in range(rule.root.shape[0]):
            add_f64(&rule.root[j, 0], sign * rule.product[j], g, d)


cdef bint take_step(
    Rule rule, Moving *m, Py_ssize_t o, double step, double *g, double *w,
) noexcept nogil:
    """The update rule: a direction from the gradient, a step along it, a proximal step.

    Returns False if a method of a custom rule or penalty raised.
    """
    cdef Py_ssize_t d = m.d, width = d + 1, size = d + rule.fit_intercept
    cdef double *first = NULL
    cdef double *second = NULL
    cdef double *velocity = NULL
    cdef double *scale = m.scale
    cdef const double *inverse = NULL
    cdef double intercept = w[d]
    if m.memory is not NULL:
        first = m.memory + o * width
        second = m.memory + (m.k + o) * width
    if rule.inverse_scale is not None:
        inverse = &rule.inverse_scale[0]
    if rule.kind == ADAM:
        adam_direction(rule.beta_1, rule.beta_2, m.t, rule.epsilon, g, first, second,
                       scale, size)
    elif rule.kind == ADAGRAD:
        adagrad_direction(rule.epsilon, g, first, scale, size)
    elif rule.kind == RMSPROP:
        rmsprop_direction(rule.beta_2, rule.epsilon, g, first, scale, size)
        velocity = second
    else:
        scale, velocity = NULL, first
        if rule.kind == CUSTOM:
            with gil:
                if not custom_direction(rule, m, o, g, size):
                    return False
    if rule.penalty is not None and step > 0.0:
        with gil:
            if not custom_proximal(rule, step, g, scale, inverse, velocity, w, d):
                return False
        if rule.fit_intercept:
            if rule.momentum != 0.0:
                momentum_direction(rule.momentum, False, g + d, velocity + d, 1)
            w[d] -= step * g[d]
        return True
    if rule.proximal and rule.momentum != 0.0 and step > 0.0:
        proximal_momentum(step, rule.momentum, rule.nesterov, step * rule.l1,
                          rule.positive, g, scale, inverse, velocity, w, d)
        velocity, g, w = velocity + d, g + d, w + d
        if rule.fit_intercept:
            momentum_direction(rule.momentum, rule.nesterov, g, velocity, 1)
            w[0] -= step * g[0]
        return True
    if rule.momentum != 0.0:
        momentum_direction(rule.momentum, rule.nesterov, g, velocity, size)
    step_along(1.0 - step * rule.decoupled, step, g, inverse, w, d)
    if rule.proximal:
        soft_threshold_all(step * rule.l1, rule.positive, scale, inverse, w, d)
    if rule.fit_intercept:
        w[d] = intercept - step * g[d]
    return True


cdef bint custom_direction(
    Rule rule, const Moving *m, Py_ssize_t o, double *g, Py_ssize_t size,
):
    """Write the direction of a custom rule into g; False if its method raised."""
    cdef Py_ssize_t width = m.d + 1, slots = rule.optimizer.slots, i
    cdef double[::1] answer
    try:
        gradient = np.array(<double[:size]> g)
        memory = None
        if m.memory is not NULL:
            memory = np.asarray(<double[:slots, :m.k, :width]> m.memory)[:, o, :size]
        direction = rule.optimizer.direction(gradient, memory, m.t)
        answer = returned(
            direction, (size,), "direction(gradient, memory, t) of the optimizer",
            rule.optimizer, "an array of the gradient's shape")
        for i in range(size):
            g[i] = answer[i]
        return True
    except BaseException as error:
        rule.error = error
        return False


cdef bint custom_proximal(
    Rule rule, double step, double *g, const double *scale, const double *inverse,
    double *velocity, double *w, Py_ssize_t d,
):
    """A step along g and a custom penalty's proximal step; False if its method raised.

    In the metric of the step each coefficient has a different proximal step, as in
    `soft_threshold_all`. With momentum the velocity is the change of w, as in
    `proximal_momentum`.
    """
    cdef double[::1] answer
    cdef Py_ssize_t j
    try:
        coef, direction = np.asarray(<double[:d]> w), np.asarray(<double[:d]> g)
        lengths = amount = step
        if inverse is not NULL:
            metric = np.asarray(rule.inverse_scale)[:d]
            lengths, amount = step * metric, step * metric**2
        if scale is not NULL:
            amount = amount * np.asarray(<double[:d]> <double *> scale)
        if rule.momentum != 0.0:
            moved = np.asarray(<double[:d]> velocity)
            to = coef - lengths * (rule.momentum * moved + direction)
        else:
            to = (1.0 - step * rule.decoupled) * coef - lengths * direction
        answer = rule.penalty.stepped(to, amount)
        if rule.momentum != 0.0:
            moved[:] = (coef - np.asarray(answer)) / lengths
        for j in range(d):
            w[j] = answer[j]
        return True
    except BaseException as error:
        rule.error = error
        return False
