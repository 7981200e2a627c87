# Products of the columns of rows, block by block: see products.h.

def centred_products(
    Problem problem not None,
    const double[::1] centre,      # IN  of features and targets (d + k,)
    const Py_ssize_t[::1] rows,    # IN  rows in the order of use; empty: as stored
    Py_ssize_t start,              # IN  the first one in that order
    Py_ssize_t stop,               # IN  and the end
):
    """Σ s z zᵀ of z = [x - centre, y - centre, 1], in one pass over some rows.

    Returns
    -------
    ndarray of shape (d + k + 1, d + k + 1)
        On and above the diagonal; the last column holds the sums Σ s z.
    """
    cdef Py_ssize_t used = problem.n_features + problem.n_outputs + 1
    cdef Py_ssize_t width = (used + TILE - 1) // TILE * TILE, first = start, last, size
    cdef Py_ssize_t stride = stride_of(used), i
    found = np.zeros((width, width))
    cdef double[:, ::1] products = found
    cdef double[:, ::1] some = np.zeros((width, width))
    cdef double[::1] numbers = np.zeros(stride * BLOCK + TILE)
    cdef double *block = line_of(&numbers[0])
    if not 0 <= start <= stop <= (rows.shape[0] if rows.shape[0] else problem.n_rows):
        raise ValueError("start and stop are not within the rows")
    if centre.shape[0] != used - 1:
        raise ValueError("the centre does not fit the problem")
    if is_line(problem) and not rows.shape[0]:
        return line_products(problem, centre, start, stop)
    with nogil:
        while first < stop:
            last = min(first + SUMMED, stop)
            while first < last:
                size = min(BLOCK, last - first)
                fill_block(problem, centre, rows, first, size, stride, block)
                add_products(block, size, width, stride, &some[0, 0])
                first += size
            for i in range(width * width):
                (&products[0, 0])[i] += (&some[0, 0])[i]
                (&some[0, 0])[i] = 0.0
    return found[:used, :used]


def rough_centre(
    Problem problem not None,
    const Py_ssize_t[::1] rows not None,  # IN  BLOCK rows at most
):
    """The mean (d + k,) of features and targets over a few rows, each of weight one.

    Of equal numbers it is that number.
    """
    cdef Py_ssize_t width = problem.n_features + problem.n_outputs, n = rows.shape[0], j
    found = np.empty(width)
    cdef double[::1] none = np.zeros(width), centre = found
    cdef double[::1] block = np.zeros((width + 1) * BLOCK)
    if not 0 < n <= BLOCK:
        raise ValueError("the rows must be few")
    fill_rows(problem, none, rows, 0, n, width + 1, &block[0])
    for j in range(width):
        centre[j] = mean_of(&block[j], n, width + 1)
    return found


def move_to_mean(
    double[:, :] products not None,  # IN/OUT  of `centred_products`
    double[::1] centre not None,     # IN/OUT  what they are about: afterwards the mean
    double constant,                 # IN  a share of it that is rounding
):
    """Move products to the mean of their rows; return how many spreads that is, at most.

    Where it is many, digits are lost.
    """
    cdef Py_ssize_t width = centre.shape[0], i, j
    cdef double total, away, spread, far = 0.0
    cdef double[::1] rest = np.empty(width)
    if products.shape[0] != width + 1 or products.shape[1] != width + 1:
        raise ValueError("the products do not fit the centre")
    total = products[width, width]
    for j in range(width):
        rest[j] = products[j, width] / total
    for i in range(width):
        centre[i] += rest[i]
        away = total * rest[i] * rest[i]
        spread = products[i, i] - away
        for j in range(i, width):
            products[i, j] -= total * rest[i] * rest[j]
        products[i, i] = spread if not spread < 0.0 else 0.0
        if away > total * (constant * centre[i]) ** 2 and not away <= far * far * spread:
            far = sqrt(away / spread) if spread > 0.0 else LARGEST
    return far


cdef Py_ssize_t stride_of(Py_ssize_t width) noexcept nogil:
    """The distance of the rows of a block: lines of an odd number, or few fit a cache."""
    return ((width + TILE - 1) // TILE | 1) * TILE


cdef double mean_of(const double *values, Py_ssize_t n, Py_ssize_t stride) noexcept nogil:
    cdef double total = 0.0
    cdef Py_ssize_t i
    for i in range(1, n):
        total += values[i * stride] - values[0]
    return values[0] + total / n


cdef void fill_block(
    Problem problem, const double[::1] centre, const Py_ssize_t[::1] rows,
    Py_ssize_t first, Py_ssize_t size, Py_ssize_t stride, double *block,
) noexcept nogil:
    """√s [x - centre, y - centre, 1] of `size` rows, whose further columns stay as is."""
    cdef Py_ssize_t width = problem.n_features + problem.n_outputs, i
    cdef double factors[BLOCK]
    fill_rows(problem, centre, rows, first, size, stride, block)
    if problem.weights is not NULL:
        for i in range(size):
            factors[i] = sqrt(problem.weights[row_at(rows, first + i)])
        times_rows(factors, size, width + 1, stride, block)


cdef void fill_rows(
    Problem problem, const double[::1] centre, const Py_ssize_t[::1] rows,
    Py_ssize_t first, Py_ssize_t size, Py_ssize_t stride, double *block,
) noexcept nogil:
    """[x - centre, y - centre, 1] of `size` rows."""
    if problem.single and problem.narrow:
        fill[float, int32_t](NULL, NULL, problem, centre, rows, first, size, stride, block)
    elif problem.single:
        fill[float, int64_t](NULL, NULL, problem, centre, rows, first, size, stride, block)
    elif problem.narrow:
        fill[double, int32_t](NULL, NULL, problem, centre, rows, first, size, stride, block)
    else:
        fill[double, int64_t](NULL, NULL, problem, centre, rows, first, size, stride, block)


cdef void fill(
    const real *_value, const index *_index, Problem problem, const double[::1] centre,
    const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size, Py_ssize_t stride,
    double *block,
) noexcept nogil:
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = problem.n_features, k = problem.n_outputs, i, j, r
    cdef double *row = block
    if indptr is NULL and not rows.shape[0]:
        centred[real](values + first * d, problem.y + first * k, &centre[0], size, d, k,
                      stride, block)
        return
    for i in range(size):
        r = row_at(rows, first + i)
        if rows.shape[0]:
            fetch_ahead(values, indices, indptr, d, problem.y, k, problem.n_rows, rows,
                        first + i, rows.shape[0], rows.shape[0])
        if indptr is NULL:
            centred[real](values + r * d, problem.y + r * k, &centre[0], 1, d, k, stride,
                          row)
        else:
            for j in range(d):
                row[j] = -centre[j]
            for j in range(indptr[r], indptr[r + 1]):
                row[indices[j]] += values[j]
            for j in range(k):
                row[d + j] = problem.y[r * k + j] - centre[d + j]
            row[d + k] = 1.0
        row += stride


cdef inline void centred(
    const real *x, const double *y, const double *centre, Py_ssize_t rows, Py_ssize_t d,
    Py_ssize_t k, Py_ssize_t stride, double *block,
) noexcept nogil:
    if real is float:
        centred_f32(x, y, centre, rows, d, k, stride, block)
    else:
        centred_f64(x, y, centre, rows, d, k, stride, block)


cdef bint is_line(Problem problem) noexcept nogil:
    """Whether the rows are of one feature and one target, without weights."""
    if problem.sparse or problem.weights is not NULL:
        return False
    return problem.n_features == 1 and problem.n_outputs == 1


cdef object line_products(
    Problem problem, const double[::1] centre, Py_ssize_t start, Py_ssize_t stop
):
    """`centred_products` of such rows, as stored."""
    cdef double sums[5]
    cdef double some[5]
    cdef Py_ssize_t first = start, rows, j
    for j in range(5):
        sums[j] = 0.0
    with nogil:
        while first < stop:
            rows = min(<Py_ssize_t> SUMMED, stop - first)
            for j in range(5):
                some[j] = 0.0
            if problem.single:
                line_products_f32(<const float *> problem.values + first,
                                  problem.y + first, &centre[0], rows, some)
            else:
                line_products_f64(<const double *> problem.values + first,
                                  problem.y + first, &centre[0], rows, some)
            for j in range(5):
                sums[j] += some[j]
            first += rows
    return np.array([
        [sums[0], sums[1], sums[2]],
        [sums[1], sums[3], sums[4]],
        [sums[2], sums[4], <double> (stop - start)],
    ])
