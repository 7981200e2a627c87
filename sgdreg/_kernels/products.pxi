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
    cdef Py_ssize_t width = (used + TILE - 1) // TILE * TILE, first = start
    found = np.zeros((width, width))
    cdef double[:, ::1] products = found
    cdef double[::1] block = np.zeros(width * BLOCK)
    if not 0 <= start <= stop <= (rows.shape[0] if rows.shape[0] else problem.n_rows):
        raise ValueError("start and stop are not within the rows")
    if centre.shape[0] != used - 1:
        raise ValueError("the centre does not fit the problem")
    with nogil:
        while first < stop:
            fill_block(problem, centre, rows, first, min(BLOCK, stop - first), &block[0])
            add_products(&block[0], width, &products[0, 0])
            first += BLOCK
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
    cdef double[::1] block = np.zeros(width * BLOCK)
    if not 0 < n <= BLOCK:
        raise ValueError("the rows must be few")
    fill_columns(problem, none, rows, 0, n, &block[0])
    for j in range(width):
        centre[j] = mean_of(&block[j * BLOCK], n)
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


cdef double mean_of(const double *values, Py_ssize_t n) noexcept nogil:
    cdef double total = 0.0
    cdef Py_ssize_t i
    for i in range(1, n):
        total += values[i] - values[0]
    return values[0] + total / n


cdef void fill_block(
    Problem problem, const double[::1] centre, const Py_ssize_t[::1] rows,
    Py_ssize_t first, Py_ssize_t size, double *block,
) noexcept nogil:
    """√s [x - centre, y - centre, 1] of `size` rows, column by column, zeros beyond."""
    cdef Py_ssize_t width = problem.n_features + problem.n_outputs, i, j
    cdef double *ones = block + width * BLOCK
    fill_columns(problem, centre, rows, first, size, block)
    if problem.weights is NULL:
        for i in range(size):
            ones[i] = 1.0
    else:
        for i in range(size):
            ones[i] = sqrt(problem.weights[row_at(rows, first + i)])
        times_block(ones, width, block)
    if size < BLOCK:
        for j in range(width + 1):
            for i in range(size, BLOCK):
                block[j * BLOCK + i] = 0.0


cdef void fill_columns(
    Problem problem, const double[::1] centre, const Py_ssize_t[::1] rows,
    Py_ssize_t first, Py_ssize_t size, double *block,
) noexcept nogil:
    """[x - centre, y - centre] of `size` rows, column by column."""
    cdef Py_ssize_t d = problem.n_features, k = problem.n_outputs, i, j
    cdef double *column
    cdef double middle
    if problem.single:
        if problem.narrow:
            fill_features[float, int32_t](
                NULL, NULL, problem, centre, rows, first, size, block)
        else:
            fill_features[float, int64_t](
                NULL, NULL, problem, centre, rows, first, size, block)
    elif problem.narrow:
        fill_features[double, int32_t](
            NULL, NULL, problem, centre, rows, first, size, block)
    else:
        fill_features[double, int64_t](
            NULL, NULL, problem, centre, rows, first, size, block)
    for j in range(k):
        column, middle = block + (d + j) * BLOCK, centre[d + j]
        for i in range(size):
            column[i] = problem.y[row_at(rows, first + i) * k + j] - middle


cdef void fill_features(
    const real *_value, const index *_index, Problem problem, const double[::1] centre,
    const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t size, double *block,
) noexcept nogil:
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = problem.n_features, i, j, r
    if indptr is NULL and not rows.shape[0]:
        if real is float:
            centred_f32(values + first * d, &centre[0], size, d, block)
        else:
            centred_f64(values + first * d, &centre[0], size, d, block)
        return
    if indptr is NULL:
        for i in range(size):  # TILE columns of TILE rows touch few lines of a cache
            fetch_ahead(values, indices, indptr, d, problem.y, problem.n_outputs,
                        problem.n_rows, rows, first + i, rows.shape[0], rows.shape[0])
            if i % TILE == TILE - 1 or i == size - 1:
                add_group(values, rows, first, i // TILE * TILE, i + 1, d, &centre[0], block)
        return
    for j in range(d):
        for i in range(size):
            block[j * BLOCK + i] = -centre[j]
    for i in range(size):
        r = row_at(rows, first + i)
        for j in range(indptr[r], indptr[r + 1]):
            block[indices[j] * BLOCK + i] += values[j]


cdef void add_group(
    const real *values, const Py_ssize_t[::1] rows, Py_ssize_t first, Py_ssize_t start,
    Py_ssize_t stop, Py_ssize_t d, const double *centre, double *block,
) noexcept nogil:
    """Rows `start` to `stop` of a block, of dense rows that lie anywhere."""
    cdef Py_ssize_t i, j = 0
    while j < d:
        for i in range(start, stop):
            fill(values + rows[first + i] * d + j, centre + j, min(TILE, d - j),
                 block + j * BLOCK + i)
        j += TILE


cdef inline void fill(
    const real *row, const double *centre, Py_ssize_t columns, double *out,
) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(columns):
        out[j * BLOCK] = row[j] - centre[j]
