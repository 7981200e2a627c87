# Passes over targets, and of least squares over narrow rows: see narrow.h.

def sums_about(
    const double[:, ::1] y not None,   # IN  targets (n, k)
    weights,                           # IN  of the rows (n,), or None
    const double[::1] shift not None,  # IN  (k,)
):
    """Σ s, Σ s (y - shift), Σ s (y - shift)² and Σ |y - shift|, (k, 4)."""
    cdef Py_ssize_t n = y.shape[0], k = y.shape[1], o
    cdef double[:, ::1] sums = np.zeros((k, 4))
    cdef const double[::1] given
    cdef const double *s = NULL
    if shift.shape[0] != k:
        raise ValueError("the shift does not fit the targets")
    if weights is not None:
        given = weights
        if given.shape[0] != n:
            raise ValueError("weights and y differ in length")
        if n:
            s = &given[0]
    if n:
        with nogil:
            for o in range(k):
                shifted_sums(&y[0, o], s, n, k, shift[o], &sums[o, 0])
    return np.asarray(sums)


cdef bint is_narrow(Problem problem, const Moving *m) noexcept nogil:
    """Whether a pass is one of least squares over narrow rows."""
    if m.predictions is not NULL or problem.sparse:
        return False
    return problem.squared and 0 < m.d <= NARROW


cdef void narrow_gradient(
    Problem problem, Moving *m, const double *centre, const Py_ssize_t[::1] rows,
    Py_ssize_t start, Py_ssize_t stop, double *block,
) noexcept nogil:
    """What `gradient_of` does, of narrow rows.

    The weights are those about the centre (NULL: zero). Rows that do not lie one after
    another are copied into a block first: their sums have the same bits then.
    """
    cdef Py_ssize_t d = m.d, k = m.k, first, size, o, j
    cdef double middle[NARROW]
    cdef const void *values
    cdef const double *y
    cdef const double *s
    for j in range(d):
        middle[j] = centre[j] if centre is not NULL else 0.0
    for o in range(k):
        m.losses[o] = 0.0
        for j in range(d + 1):
            m.gradient[o * (d + 1) + j] = 0.0
    first = start
    while first < stop:
        size = min(<Py_ssize_t> SUMMED, stop - first)
        if rows.shape[0]:
            values, y = block, block + SUMMED * d
            s = NULL if problem.weights is NULL else y + SUMMED * k
            gather(problem, m, rows, first, size, block)
        else:
            y = problem.y + first * k
            s = NULL if problem.weights is NULL else problem.weights + first
            if problem.single:
                values = <const float *> problem.values + first * d
            else:
                values = <const double *> problem.values + first * d
        add_narrow(problem, m, values, y, s, size, middle)
        first += size
    for o in range(k):
        m.losses[o] *= 0.5
        for j in range(d):
            m.gradient[o * (d + 1) + j] += middle[j] * m.gradient[o * (d + 1) + d]


cdef void add_narrow(
    Problem problem, Moving *m, const void *values, const double *y, const double *s,
    Py_ssize_t size, const double *middle,
) noexcept nogil:
    """Add the sums of some rows about the centre to m.gradient and m.losses."""
    cdef Py_ssize_t d = m.d, k = m.k, o, j
    cdef double sums[NARROW + 2]
    cdef const double *w
    for o in range(k):
        w = m.weights + o * (d + 1)
        for j in range(d + 2):
            sums[j] = 0.0
        if problem.single:
            narrow_pass_f32(<const float *> values, y + o, s, size, d, k, w, middle, w[d],
                            sums)
        else:
            narrow_pass_f64(<const double *> values, y + o, s, size, d, k, w, middle, w[d],
                            sums)
        for j in range(d + 1):
            m.gradient[o * (d + 1) + j] += sums[j]
        m.losses[o] += sums[d + 1]


cdef void gather(
    Problem problem, const Moving *m, const Py_ssize_t[::1] rows, Py_ssize_t first,
    Py_ssize_t size, double *block,
) noexcept nogil:
    """Copy rows, targets and weights, each beginning at its place in the block."""
    cdef Py_ssize_t d = m.d, k = m.k, i, r
    cdef Py_ssize_t width = d * (sizeof(float) if problem.single else sizeof(double))
    cdef char *values = <char *> block
    cdef double *y = block + SUMMED * d
    cdef double *s = y + SUMMED * k
    for i in range(size):
        r = rows[first + i]
        memcpy(values + i * width, <const char *> problem.values + r * width, width)
        memcpy(y + i * k, problem.y + r * k, k * sizeof(double))
        if problem.weights is not NULL:
            s[i] = problem.weights[r]
