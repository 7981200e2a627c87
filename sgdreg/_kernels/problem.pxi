# The data and the loss of a pass.

# Where the pointers of empty arrays point; it is never read.
cdef char EMPTY = 0

cdef class Problem:
    """The rows, targets, weights and loss that a pass reads; they never change.

    Parameters
    ----------
    values : ndarray of float32 or float64, contiguous
        Dense: the rows one after the other. CSR: the non-zeros.
    indices, indptr : ndarray of int32 or int64, contiguous, or None
        CSR column indices and row starts; None for dense rows.
    y : ndarray of float64, shape (n, k), C-ordered
    weights : ndarray of float64, shape (n,), or None
        Mean one over the rows that are used; None: all one.
    n_features : int
    loss : Loss
    """

    cdef readonly Py_ssize_t n_rows, n_features, n_outputs
    cdef readonly bint sparse
    cdef object _keep_alive
    cdef const void *values
    cdef const void *indices
    cdef const void *indptr
    cdef const double *y
    cdef const double *weights
    cdef bint single, narrow
    cdef double dead, width, inverse_width, below, above
    cdef bint squared
    cdef bint custom  # whether the methods of the loss are called
    cdef object loss, targets, error

    def __init__(self, values, indices, indptr, y, weights, Py_ssize_t n_features, loss):
        cdef const double[:, ::1] targets = y
        cdef const double[::1] row_weights
        self.loss, self.targets, self.error = loss, y, None
        self.custom = not compiled(loss)
        self.squared = is_squared(loss)
        if not self.custom:
            self.dead, self.width = loss.dead, loss.width
            self.below, self.above = loss.below, loss.above
            self.inverse_width = 1.0 / self.width if self.width > 0.0 else LARGEST
        self._keep_alive = (values, indices, indptr, y, weights)
        self.single = values.dtype == np.float32
        self.values = address_of(values)
        self.sparse = indices is not None
        self.narrow = not self.sparse or indices.dtype == np.int32
        self.indices = address_of(indices) if self.sparse else NULL
        self.indptr = address_of(indptr) if self.sparse else NULL
        self.n_rows, self.n_outputs = targets.shape[0], targets.shape[1]
        self.n_features = n_features
        self.y = &targets[0, 0]
        self.weights = NULL
        if weights is not None:
            row_weights = weights
            if row_weights.shape[0] != self.n_rows:
                raise ValueError("weights and y differ in length")
            self.weights = &row_weights[0]
        if self.sparse:
            if indptr.shape[0] != self.n_rows + 1 or indptr.dtype != indices.dtype:
                raise ValueError("indptr must have n + 1 entries of the type of indices")
        elif values.size != self.n_rows * n_features:
            raise ValueError("values must hold n_rows * n_features numbers")

    cdef object raise_error(self):
        """Raise the exception that a method of a custom loss raised during a pass."""
        error, self.error = self.error, None
        if error is not None:
            raise error


cdef const void *address_of(array) except? NULL:
    """The address of a contiguous array's numbers (also of a read-only array)."""
    cdef const float[::1] f32
    cdef const double[::1] f64
    cdef const int32_t[::1] i32
    cdef const int64_t[::1] i64
    if array.size == 0:
        return <const void *> &EMPTY
    if array.dtype == np.float32:
        f32 = array
        return &f32[0]
    if array.dtype == np.float64:
        f64 = array
        return &f64[0]
    if array.dtype == np.int32:
        i32 = array
        return &i32[0]
    i64 = array
    return &i64[0]
