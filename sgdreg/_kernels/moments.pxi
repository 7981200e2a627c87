# Features of dense rows about a centre, their sums and squares: see moments.h.

def moments_about(
    Problem problem not None,
    const double[::1] centre not None,  # IN  of the features (d,)
    const Py_ssize_t[::1] rows,         # IN  rows in the order of use; empty: as stored
    Py_ssize_t start,                   # IN  the first one in that order
    Py_ssize_t stop,                    # IN  and the end
):
    """Σ s (x - centre) and Σ s (x - centre)², (2, d), of some dense rows."""
    cdef Py_ssize_t d = problem.n_features
    cdef double[:, ::1] sums = np.zeros((2, d))
    if not 0 <= start <= stop <= (rows.shape[0] if rows.shape[0] else problem.n_rows):
        raise ValueError("start and stop are not within the rows")
    if centre.shape[0] != d or problem.sparse:
        raise ValueError("the centre does not fit the problem")
    if d:
        with nogil:
            if problem.single:
                add_columns[float](NULL, problem, &centre[0], rows, start, stop, &sums[0, 0])
            else:
                add_columns[double](NULL, problem, &centre[0], rows, start, stop, &sums[0, 0])
    return np.asarray(sums)


cdef void add_columns(
    const real *_value, Problem problem, const double *centre, const Py_ssize_t[::1] rows,
    Py_ssize_t start, Py_ssize_t stop, double *sums,
) noexcept nogil:
    cdef const real *values = <const real *> problem.values
    cdef Py_ssize_t d = problem.n_features, first = 0, width, i
    cdef bint plain = problem.weights is NULL and not rows.shape[0]
    while first < d:
        width, i = min(<Py_ssize_t> STRIP, d - first), start
        while plain and i + 4 <= stop:
            if real is float:
                add_four_moments_f32(values + i * d + first, d, centre + first, width,
                                     sums + first, sums + d + first)
            else:
                add_four_moments_f64(values + i * d + first, d, centre + first, width,
                                     sums + first, sums + d + first)
            i += 4
        while i < stop:
            add_moments(values, problem, row_at(rows, i), first, width, centre, sums)
            i += 1
        first += width


cdef inline void add_moments(
    const real *values, Problem problem, Py_ssize_t r, Py_ssize_t first, Py_ssize_t width,
    const double *centre, double *sums,
) noexcept nogil:
    cdef Py_ssize_t d = problem.n_features
    cdef double s = 1.0 if problem.weights is NULL else problem.weights[r]
    if real is float:
        add_moments_f32(values + r * d + first, s, centre + first, width, sums + first,
                        sums + d + first)
    else:
        add_moments_f64(values + r * d + first, s, centre + first, width, sums + first,
                        sums + d + first)


ctypedef fused scaled:
    float
    double


def scaled_columns(
    Problem problem not None,
    const double[::1] centre not None,    # IN   of the columns (k,)
    const double[::1] factors not None,   # IN   of the columns (k,)
    const Py_ssize_t[::1] columns,        # IN   (k,); empty: all of them
    const Py_ssize_t[::1] rows,           # IN   rows in the order of use; empty: as stored
    Py_ssize_t start,                     # IN   the first one in that order
    scaled[:, ::1] out not None,          # OUT  (m, k)
):
    """√s (x - centre) factor of some columns of m dense rows."""
    cdef Py_ssize_t k = out.shape[1], n = rows.shape[0] if rows.shape[0] else problem.n_rows
    cdef Py_ssize_t i, d = problem.n_features
    if not 0 <= start <= start + out.shape[0] <= n:
        raise ValueError("the rows are not within the data")
    if (centre.shape[0] != k or factors.shape[0] != k or problem.sparse
            or k != (columns.shape[0] if columns.shape[0] else d)):
        raise ValueError("the columns do not fit the problem")
    for i in range(columns.shape[0]):
        if not 0 <= columns[i] < d:
            raise ValueError("a column is not among the features")
    if k and out.shape[0]:
        with nogil:
            if problem.single:
                scale_rows[float, scaled](NULL, problem, &centre[0], &factors[0], columns,
                                          rows, start, out.shape[0], k, &out[0, 0])
            else:
                scale_rows[double, scaled](NULL, problem, &centre[0], &factors[0], columns,
                                           rows, start, out.shape[0], k, &out[0, 0])


cdef void scale_rows(
    const real *_value, Problem problem, const double *centre, const double *factors,
    const Py_ssize_t[::1] columns, const Py_ssize_t[::1] rows, Py_ssize_t start,
    Py_ssize_t count, Py_ssize_t k, scaled *out,
) noexcept nogil:
    cdef const real *values = <const real *> problem.values
    cdef const Py_ssize_t *at = NULL
    cdef Py_ssize_t i, r
    cdef double s
    if columns.shape[0]:
        at = &columns[0]
    for i in range(count):
        r = row_at(rows, start + i)
        s = 1.0 if problem.weights is NULL else sqrt(problem.weights[r])
        if real is float:
            if scaled is float:
                scale_f32_f32(values + r * problem.n_features, s, centre, factors, at, k,
                              out + i * k)
            else:
                scale_f32_f64(values + r * problem.n_features, s, centre, factors, at, k,
                              out + i * k)
        else:
            if scaled is float:
                scale_f64_f32(values + r * problem.n_features, s, centre, factors, at, k,
                              out + i * k)
            else:
                scale_f64_f64(values + r * problem.n_features, s, centre, factors, at, k,
                              out + i * k)
