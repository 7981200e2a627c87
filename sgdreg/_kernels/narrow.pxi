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


cdef bint narrow_gradient(
    Problem problem, Moving *m, const double *centre, const Py_ssize_t[::1] rows,
    Py_ssize_t start, Py_ssize_t stop,
) noexcept nogil:
    """What `gradient_of` does, if it is least squares of narrow rows; whether it is.

    The weights are those about the centre (NULL: zero).
    """
    cdef Py_ssize_t d = m.d, k = m.k, o, j
    cdef const double *s = NULL
    cdef const double *w
    cdef double sums[NARROW + 2]
    cdef double middle[NARROW]
    if not (problem.squared and not problem.sparse and 0 < d <= NARROW):
        return False
    if rows.shape[0] or m.predictions is not NULL:
        return False
    if problem.weights is not NULL:
        s = problem.weights + start
    for j in range(d):
        middle[j] = centre[j] if centre is not NULL else 0.0
    for o in range(k):
        w = m.weights + o * (d + 1)
        for j in range(d + 2):
            sums[j] = 0.0
        if problem.single:
            narrow_pass_f32(
                <const float *> problem.values + start * d, problem.y + start * k + o, s,
                stop - start, d, k, w, middle, w[d], sums)
        else:
            narrow_pass_f64(
                <const double *> problem.values + start * d, problem.y + start * k + o, s,
                stop - start, d, k, w, middle, w[d], sums)
        for j in range(d):
            m.gradient[o * (d + 1) + j] = sums[j] + middle[j] * sums[d]
        m.gradient[o * (d + 1) + d] = sums[d]
        m.losses[o] = 0.5 * sums[d + 1]
    return True
