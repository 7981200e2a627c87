# The loss and its derivatives at predictions, by the formula of sgdreg/losses.py.

cdef inline double derivative(
    Problem problem, Py_ssize_t r, Py_ssize_t o, double p, double *loss,
) noexcept nogil:
    """s_r L'(y, p) of row r, output o; adds s_r L(y, p) to `loss`."""
    cdef double e = p - problem.y[r * problem.n_outputs + o], g
    cdef double s = 1.0 if problem.weights is NULL else problem.weights[r]
    if problem.squared:  # the same as the formula, 4 ns a row faster
        loss[0] += 0.5 * s * e * e
        return s * e
    if problem.dead > 0.0:
        if e > problem.dead:
            e -= problem.dead
        elif e < -problem.dead:
            e += problem.dead
        elif e == e:  # NaN stays
            e = 0.0
    g = e * problem.inverse_width
    if g > problem.above:
        g = problem.above
    elif g < -problem.below:
        g = -problem.below
    loss[0] += s * (g * e - 0.5 * problem.width * g * g)
    return s * g


cdef void derivatives(
    Problem problem, const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size,
    Py_ssize_t o, double offset, double *p, double *loss,
) noexcept nogil:
    """Products x·w of `size` rows become s L'(y, x·w + offset), in place."""
    cdef Py_ssize_t i, k = problem.n_outputs
    cdef const double *y = problem.y + o
    cdef double e, sum = 0.0
    if problem.squared and problem.weights is NULL:  # a loop without branches
        if rows.shape[0]:
            for i in range(size):
                e = p[i] + offset - y[rows[first + i] * k]
                p[i] = e
                sum += e * e
        else:
            y += first * k
            for i in range(size):
                e = p[i] + offset - y[i * k]
                p[i] = e
                sum += e * e
        loss[0] += 0.5 * sum
        return
    if problem.custom:
        for i in range(size):
            p[i] += offset
        with gil:
            ask(problem, rows, first, size, o, p, loss)
        return
    for i in range(size):
        p[i] = derivative(problem, row_at(rows, first + i), o, p[i] + offset, loss)


cdef object ask(
    Problem problem, const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size,
    Py_ssize_t o, double *p, double *loss,
):
    """`derivatives` by the methods of a custom loss.

    An exception is stored, to be raised after the pass; the loss is then NaN, which ends
    the pass.
    """
    cdef double[::1] answer, costs
    cdef Py_ssize_t i, r
    if problem.error is not None:  # it has raised before, in this pass
        return
    try:
        at = np.asarray(rows)[first:first + size] if rows.shape[0] else slice(
            first, first + size)
        predictions = np.empty(size)
        answer = predictions
        for i in range(size):
            answer[i] = p[i]
        y = problem.targets[at, o]
        costs = ask_loss(problem.loss, y, predictions, "value")
        answer = ask_loss(problem.loss, y, predictions, "gradient")
        for i in range(size):
            r = row_at(rows, first + i)
            p[i] = answer[i] * (1.0 if problem.weights is NULL else problem.weights[r])
            loss[0] += costs[i] * (1.0 if problem.weights is NULL else problem.weights[r])
    except BaseException as error:
        if problem.error is None:
            problem.error = error
        loss[0] = NOT_A_NUMBER
        for i in range(size):
            p[i] = 0.0
