# One row of X, dense or sparse: product, addition, prefetch.

# A row of a random order is prefetched this many rows before its use (measured, see "Asking
# for rows ahead of time" in docs/design-notes.md).
cdef enum:
    AHEAD = 8

cdef inline Py_ssize_t row_at(const Py_ssize_t[::1] rows, Py_ssize_t i) noexcept nogil:
    return rows[i] if rows.shape[0] else i


cdef inline double sparse_dot(
    const real *values, const index *indices, Py_ssize_t size, const double *w,
) noexcept nogil:
    cdef double even = 0.0, odd = 0.0
    cdef Py_ssize_t j
    for j in range(0, size - 1, 2):
        even += values[j] * w[indices[j]]
        odd += values[j + 1] * w[indices[j + 1]]
    if size % 2:
        even += values[size - 1] * w[indices[size - 1]]
    return even + odd


cdef inline void sparse_add(
    const real *values, const index *indices, Py_ssize_t size, double c, double *out,
) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(size):
        out[indices[j]] += c * values[j]


cdef inline void fetch_ahead(
    const real *values, const index *indices, const index *indptr, Py_ssize_t d,
    const double *y, Py_ssize_t k, Py_ssize_t n, const Py_ssize_t[::1] rows,
    Py_ssize_t i, Py_ssize_t stop, Py_ssize_t next_start,
) noexcept nogil:
    """Prefetch the row AHEAD of the i-th, unless the hardware's prefetcher reads it."""
    cdef Py_ssize_t r, first, last
    i += AHEAD
    if i >= stop:  # the row is in the next batch
        i += next_start - stop
    elif not rows.shape[0]:
        return
    if i >= (rows.shape[0] if rows.shape[0] else n):
        return
    r = row_at(rows, i)
    prefetch_span(&y[r * k], &y[r * k + k])
    if indptr is NULL:
        first, last = r * d, (r + 1) * d
    else:
        first, last = indptr[r], indptr[r + 1]
        prefetch_span(&indices[first], &indices[last])
    prefetch_span(&values[first], &values[last])


cdef inline double row_dot(
    const real *values, const index *indices, const index *indptr, Py_ssize_t d,
    Py_ssize_t r, const double *w,
) noexcept nogil:
    """x_r · w"""
    if indptr is not NULL:
        return sparse_dot(
            values + indptr[r], indices + indptr[r], indptr[r + 1] - indptr[r], w)
    if real is float:
        return dot_f32(values + r * d, w, d)
    else:
        return dot_f64(values + r * d, w, d)


cdef inline void row_add(
    const real *values, const index *indices, const index *indptr, Py_ssize_t d,
    Py_ssize_t r, double c, double *out,
) noexcept nogil:
    """out <- out + c x_r"""
    if indptr is not NULL:
        sparse_add(
            values + indptr[r], indices + indptr[r], indptr[r + 1] - indptr[r], c, out)
    elif real is float:
        add_f32(values + r * d, c, out, d)
    else:
        add_f64(values + r * d, c, out, d)


cdef void products(
    const real *values, const index *indices, const index *indptr, Py_ssize_t d,
    const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size, const double *w,
    double *out,
) noexcept nogil:
    """out_i <- x_i · w for `size` rows from the `first` on, in the order of use."""
    cdef Py_ssize_t i
    if indptr is NULL and not rows.shape[0]:
        if real is float:
            dots_f32(values + first * d, w, size, d, out)
        else:
            dots_f64(values + first * d, w, size, d, out)
        return
    for i in range(size):
        out[i] = row_dot(values, indices, indptr, d, row_at(rows, first + i), w)


cdef void add_rows(
    const real *values, const index *indices, const index *indptr, Py_ssize_t d,
    const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size, const double *c,
    double *out,
) noexcept nogil:
    """out <- out + Σ c_i x_i over the same rows."""
    cdef Py_ssize_t i
    if indptr is NULL and not rows.shape[0]:
        if real is float:
            adds_f32(values + first * d, c, size, d, out)
        else:
            adds_f64(values + first * d, c, size, d, out)
        return
    for i in range(size):
        row_add(values, indices, indptr, d, row_at(rows, first + i), c[i], out)
