# The update rule, which turns a gradient into a step, and the buffers of a pass.

cdef enum Kind:  # the attribute `kind` of the classes in sgdreg/optimizers
    PLAIN, ADAGRAD, RMSPROP, ADAM, CUSTOM

KINDS = {
    "plain": PLAIN, "adagrad": ADAGRAD, "rmsprop": RMSPROP, "adam": ADAM, "custom": CUSTOM,
}

cdef enum Lazy:  # how a step on CSR rows is applied; see lazy.pxi and visited.pxi
    DENSE, LINEAR, VISITED

LAZY = {"dense": DENSE, "linear": LINEAR, "visited": VISITED}


cdef class Rule:
    """The update rule, which turns a gradient into a step; fixed during a pass.

    Parameters
    ----------
    optimizer : object of sgdreg.optimizers
        Its `kind` and `_numbers()` are read; with the kind "custom" its method `direction`
        is called instead.
    l1, l2 : float
        Weights of ‖w‖₁, by proximal steps, and of ½‖w‖², by its gradient.
    positive : bool
        Whether coefficients must be >= 0.
    fit_intercept : bool
    lazy : {"dense", "linear", "visited"}
        How a step on CSR rows is applied; without a metric only.
    keep : float
        The factor of the running sum of weights before each addition (1: a plain sum).
    centre : ndarray of shape (d,) or None
        Steps are taken in the features minus `centre`; the intercept in the state is then
        that of the centred features.
    scale : ndarray of shape (d,) or None
        Steps are taken in the (centred) features divided by these numbers: g <- g / scale².
    root : ndarray of shape (rank, d) or None
        In the scaled features, g <- rootᵀ root g, where rootᵀ root is an inverse curvature.
    low_rank : bool
        The inverse curvature is I - rootᵀ root instead: g <- g - rootᵀ root g.
    anchor, drift : ndarray of shape (k, d + 1) or None
        For variance-reduced gradients (SVRG): the batch's gradient, minus the batch's
        gradient at the weights `anchor`, plus `drift`, the mean gradient of all rows there.
    penalty : AppliedPenalty or None
        A custom penalty, whose methods `stepped` and `values` replace l1 and l2.
    """

    cdef readonly double l1, l2, momentum, epsilon, beta_1, beta_2, decoupled, keep
    cdef readonly bint nesterov, fit_intercept, low_rank, positive, proximal, simple
    cdef readonly Kind kind
    cdef readonly Lazy lazy
    cdef double[::1] centre, inverse_scale, product
    cdef double[:, ::1] root, anchor, drift
    cdef object optimizer, penalty, error
    cdef readonly str lazy_way

    def __init__(self, optimizer, double l1=0.0, double l2=0.0, bint positive=False,
                 bint fit_intercept=True, lazy="dense", double keep=1.0, centre=None,
                 scale=None, root=None, bint low_rank=False, anchor=None, drift=None,
                 penalty=None):
        self.optimizer, self.error = optimizer, None
        self.kind = KINDS[optimizer.kind]
        if self.kind != CUSTOM:  # derived from another rule, it may use other numbers
            numbers = optimizer._numbers()
            self.momentum, self.nesterov = numbers.momentum, numbers.nesterov
            self.epsilon, self.decoupled = numbers.epsilon, numbers.weight_decay
            self.beta_1, self.beta_2 = numbers.mean_decay, numbers.square_decay
        if self.momentum != 0.0 and not optimizer.slots:
            raise ValueError("momentum needs a memory")
        self.l1, self.l2, self.positive = l1, l2, positive
        self.penalty = penalty
        self.proximal = l1 > 0.0 or positive or penalty is not None
        if penalty is not None and (l1 or l2 or positive or self.nesterov):
            raise ValueError("a custom penalty goes without l1, l2, positive and nesterov")
        self.fit_intercept, self.low_rank, self.keep = fit_intercept, low_rank, keep
        self.lazy, self.lazy_way = LAZY[lazy], lazy
        if self.lazy != DENSE and not (centre is None and scale is None and anchor is None
                                       and penalty is None):
            raise ValueError("lazy steps take no metric, no anchor and no custom penalty")
        if (anchor is None) != (drift is None):
            raise ValueError("anchor and drift go together")
        self.anchor = None if anchor is None else np.array(anchor, dtype=np.float64)
        self.drift = None if drift is None else np.array(drift, dtype=np.float64)
        self.centre = None if centre is None else np.array(centre, dtype=np.float64)
        self.inverse_scale = None
        if scale is not None:  # the intercept's scale is one
            self.inverse_scale = np.append(1.0 / np.asarray(scale, dtype=np.float64), 1.0)
        self.root = None if root is None else np.array(root, dtype=np.float64, order="C")
        if root is not None:
            if scale is None:
                raise ValueError("root works in the scaled features: scale is missing")
            if self.proximal or self.kind != PLAIN:
                raise ValueError("root goes with plain steps only")
            self.product = np.empty(self.root.shape[0])
        # Whether a step is one loop over the weights, without a direction made before.
        self.simple = (self.kind == PLAIN and self.momentum == 0.0 and not self.proximal
                       and scale is None and anchor is None)

    cdef object raise_error(self):
        """Raise the exception of a method of a custom rule or penalty during a pass."""
        error, self.error = self.error, None
        if error is not None:
            raise error


cdef struct Moving:
    # The arrays that the steps of one pass change, their sizes, and scratch buffers.
    Py_ssize_t d, k
    double *weights    # (k, d + 1), the last column is the intercept
    double *memory     # (slots, k, d + 1), or NULL if the rule has no memory
    double *total      # (k, d + 1), the running sum of weights, or NULL
    double *gradient   # (k, d + 1), scratch
    double *scale      # (d + 1,), scratch: an adaptive rule's factors of the gradient
    double *offset     # (k,), added to x·w in the dense way: intercept - centre·w
    double *losses     # (k,), the sum of losses of a batch
    double *predictions    # (k, positions), to be filled, or NULL
    Py_ssize_t positions   # number of rows in the order of use
    const double *anchor   # (k, d + 1), weights with a known full gradient, or NULL
    double *anchor_offset  # (k,), the offset at the anchor
    Py_ssize_t span        # rows that are worked on together
    double *residuals      # (2, span), scratch; of the lazy ways (k, batch)
    Py_ssize_t t           # number of the step, since the memory began
    double P[2][2]         # lazily applied recurrence, see lazy.pxi
    double c[2]
    Py_ssize_t *stamps     # lazily visited coordinates, see visited.pxi
    Py_ssize_t *marks
    Py_ssize_t *touched
    double *path
    Py_ssize_t now, capacity
