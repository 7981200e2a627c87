# What a pass is given: the problem, the rule, and what moves.

cdef class Problem:
    """The rows, targets and weights that a pass reads; they never change.

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

    def __init__(self, values, indices, indptr, y, weights, Py_ssize_t n_features):
        cdef const double[:, ::1] targets = y
        cdef const double[::1] row_weights
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


cdef const void *address_of(array) except? NULL:
    """Where a contiguous array's numbers start (read-only ones too)."""
    cdef const float[::1] f32
    cdef const double[::1] f64
    cdef const int32_t[::1] i32
    cdef const int64_t[::1] i64
    if array.size == 0:
        return <const void *> &WORST_DETERMINANT  # any address: it is never read
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


cdef class Rule:
    """How a gradient becomes a step; fixed during a pass.

    Parameters
    ----------
    alpha : float
        Weight of the l2 penalty.
    momentum : float
        0: plain gradient steps, no velocity is read or written.
    nesterov : bool
    fit_intercept : bool
    lazy : bool
        CSR rows: steps that cost the batch's non-zeros. Not with a metric.
    centre : ndarray of shape (d,) or None
        The steps are those of the features minus `centre`; the intercept in the state
        is then the one of the centred features.
    scale : ndarray of shape (d,) or None
        The steps are those of the (centred) features divided by these numbers:
        g <- g / scale².
    root : ndarray of shape (rank, d) or None
        In the scaled features, g <- rootᵀ root g: an inverse curvature.
    low_rank : bool
        g <- g - rootᵀ root g instead: one that is the identity but for a few directions.
    anchor, drift : ndarray of shape (k, d + 1) or None
        Variance-reduced gradients (SVRG): that of the batch, less the batch's at the
        weights `anchor`, plus `drift`, the mean gradient of all rows there.
    """

    cdef readonly double alpha, momentum
    cdef readonly bint nesterov, fit_intercept, lazy, low_rank
    cdef double[::1] centre, inverse_scale, product
    cdef double[:, ::1] root, anchor, drift

    def __init__(self, double alpha=0.0, double momentum=0.0, bint nesterov=False,
                 bint fit_intercept=True, bint lazy=False, centre=None, scale=None,
                 root=None, bint low_rank=False, anchor=None, drift=None):
        self.alpha, self.momentum, self.nesterov = alpha, momentum, nesterov
        self.fit_intercept, self.lazy, self.low_rank = fit_intercept, lazy, low_rank
        if lazy and not (centre is None and scale is None and anchor is None):
            raise ValueError("lazy steps take no metric and no anchor")
        if (anchor is None) != (drift is None):
            raise ValueError("anchor and drift go together")
        self.anchor = None if anchor is None else np.array(anchor, dtype=np.float64)
        self.drift = None if drift is None else np.array(drift, dtype=np.float64)
        self.centre = None if centre is None else np.array(centre, dtype=np.float64)
        self.inverse_scale = None if scale is None else 1.0 / np.asarray(scale)
        self.root = None if root is None else np.array(root, dtype=np.float64, order="C")
        if root is not None:
            if scale is None:
                raise ValueError("root works in the scaled features: scale is missing")
            self.product = np.empty(self.root.shape[0])


cdef struct Moving:
    # What the steps of one pass change, with the sizes that walk through it.
    Py_ssize_t d, k
    double *weights    # (k, d + 1), the last column is the intercept
    double *velocity   # (k, d + 1), or NULL without momentum
    double *total      # (k, d + 1), or NULL without averaging
    double *gradient   # (k, d + 1), scratch
    double *offset     # (k,), what the dense way adds to x·w: intercept - centre·w
    double *losses     # (k,), the sum of losses of a batch
    const double *anchor   # (k, d + 1), or NULL: where all rows' gradient is known
    double *anchor_offset  # (k,), as offset
    double *residuals  # (batch, k), scratch of the lazy way
    double P[2][2]     # lazily applied recurrence, see the top of the file
    double c[2]
