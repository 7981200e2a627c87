"""What the rows say about the steps: centre, scale, curvature, largest stable step.

A *metric* T maps the coordinates u that steps are taken in to raw weights, w = T u, so
that the curvature TᵀHT is near the identity. X itself is never transformed.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg
from sklearn.utils.extmath import row_norms

from sgdreg._data import Data

# A column whose spread is below this share of its mean is constant up to rounding: the
# sum of n equal numbers is off by some eps·log2(n).
CONSTANT_SHARE = 1e-13
EPS = np.finfo(np.float64).eps
# Rows that a message looks at: a hint may not cost a pass over large data.
HINT_ROWS = 2000
# Power iteration underestimates; 30 rounds leave a few per cent where eigenvalues crowd.
POWER_ROUNDS = 30
POWER_MARGIN = 1.05


@dataclass(frozen=True, eq=False)
class Metric:
    """The coordinates of the steps: u with w = T u, T = scale⁻¹ rootᵀ, about a centre.

    Attributes
    ----------
    centre : ndarray of shape (d,) or None
    scale : ndarray of shape (d,) or None
    root : ndarray of shape (rank, d) or None
        rootᵀ root is the (pseudo-)inverse curvature of the scaled features.
    """

    centre: np.ndarray | None = None
    scale: np.ndarray | None = None
    root: np.ndarray | None = None

    def to_raw(self, u):
        """Raw weights (k, d + 1) of coordinates u (k, rank + 1)."""
        w = u[:, :-1]
        w = w if self.root is None else w @ self.root
        w = w if self.scale is None else w / self.scale
        return np.ascontiguousarray(np.column_stack([w, u[:, -1]]))

    def to_coordinates(self, gradient):
        """Gradient with respect to u, of one with respect to [w, intercept]."""
        g, b = gradient[:, :-1], gradient[:, -1:]
        g = g if self.centre is None else g - b * self.centre
        g = g if self.scale is None else g / self.scale
        g = g if self.root is None else g @ self.root.T
        return np.column_stack([g, b])

    def lacking(self, gradient):
        """Length, in the scaled features, of the part of a gradient that root is blind to.

        And the length of the rounding errors that centring leaves in it, in units of eps
        and of the residuals' size.
        """
        g = gradient[:, :-1]
        known = np.abs(self.root).max(axis=0) > 0  # the others are constant
        g = g if self.centre is None else g - gradient[:, -1:] * self.centre
        g = np.where(known, g / self.scale, 0.0)
        V = self.root / np.linalg.norm(self.root, axis=1, keepdims=True)
        g = g - (g @ V.T) @ V
        middle = 0.0 if self.centre is None else np.where(known, self.centre, 0.0)
        return np.linalg.norm(g, axis=1), np.sqrt(g.shape[1]) + np.linalg.norm(
            middle / self.scale
        )

    def row_norms(self, data, fit_intercept):
        """‖Tᵀ x_i‖² of every row of X (not only of those taking part)."""
        inverse = 1.0 if self.scale is None else 1.0 / self.scale
        if self.root is None and data.is_sparse:
            Z = data.canonical_X
            Z = Z.multiply(inverse).tocsr() if self.scale is not None else Z
            norms = row_norms(Z, squared=True).astype(np.float64)
            if self.centre is not None:
                middle = self.centre * inverse
                norms = norms - 2 * (Z @ middle) + middle @ middle
        else:
            everything = Data.build(data.X, data.y)
            norms = []
            for X, _ in everything.chunks():
                Z = (X if self.centre is None else X - self.centre) * inverse
                norms.append(row_norms(Z if self.root is None else Z @ self.root.T, True))
            norms = np.concatenate(norms)
        return norms + 1.0 if fit_intercept else norms


@dataclass(frozen=True, eq=False)
class Curvature:
    """ZᵀSZ of rows Z about their mean, as the triangle of a QR factorisation.

    Rows are added chunk by chunk; squaring Z (a Gram matrix) would lose half of the
    digits. A curvature never changes: adding rows makes a new one.

    Attributes
    ----------
    total : float
        Sum of the weights.
    rows : int
    centre : ndarray of shape (d,)
        Weighted mean; zeros where the rows are not centred.
    triangle : ndarray of shape (≤ d, d)
        triangleᵀ triangle = Σ s (x - centre)(x - centre)ᵀ.
    centred : bool
    """

    total: float
    rows: int
    centre: np.ndarray
    triangle: np.ndarray
    centred: bool

    @classmethod
    def empty(cls, n_features, centred):
        return cls(0.0, 0, np.zeros(n_features), np.zeros((0, n_features)), centred)

    def add(self, X, weights):
        """The curvature with more rows.

        Two groups of rows about their own means make one about the common mean with one
        more row, √(ab/(a+b)) (mean_a - mean_b): Chan, Golub, LeVeque, The American
        Statistician 37 (1983), equation 2.1, in factored form.
        """
        total = self.total + weights.sum()
        share = weights.sum() / total
        if self.centred:
            middle = weights @ X / weights.sum()
            Z = X - middle
            rest = weights @ Z / weights.sum()  # what rounding has left of the mean
            middle, Z = middle + rest, Z - rest
            shift = middle - self.centre
            centre = self.centre + share * shift
            between = np.sqrt(self.total * share) * shift[None]
        else:
            centre, between, Z = self.centre, np.empty((0, len(self.centre))), X
        Z = Z * np.sqrt(weights)[:, None]
        stack = np.vstack([self.triangle, between, Z])
        triangle = linalg.qr(stack, mode="r", overwrite_a=True, check_finite=False)[0]
        triangle = triangle[: len(centre)]
        return Curvature(total, self.rows + len(X), centre, triangle, self.centred)

    def standing_for(self, rows):
        """The same curvature a row, of more rows."""
        share = rows / self.rows
        return replace(
            self,
            total=share * self.total,
            rows=rows,
            triangle=np.sqrt(share) * self.triangle,
        )

    def constant(self):
        """Which columns do not vary, up to the rounding of their mean."""
        scale = column_norms(self.triangle / np.sqrt(self.total))
        return scale <= CONSTANT_SHARE * np.abs(self.centre)

    def metric(self, alpha):
        """The metric with rootᵀ root = (ZᵀSZ/total + alpha)⁺ in the scaled features.

        Centring leaves rounding errors of eps·|centre| in Z, in all columns at once:
        columns that are no larger are constant, and directions no longer than these
        errors along them are not the data's, nor is one more direction than there are
        rows (less one, about their mean). All are left out: weights do not move there.
        """
        triangle = self.triangle / np.sqrt(self.total)
        scale = column_norms(triangle)
        constant = self.constant()
        scale = np.where(constant, 1.0, scale)
        Z = np.where(constant, 0.0, triangle / scale)
        if alpha:
            Z = np.vstack([Z, np.diag(np.where(constant, 0.0, np.sqrt(alpha) / scale))])
        _, s, Vt = linalg.svd(Z, full_matrices=False, check_finite=False)
        # eps·√(number of rows) is what the sums behind the triangle may be off by.
        rounding = max(np.sqrt(self.total), len(scale)) * s[0]
        errors = np.where(constant, 0.0, np.abs(self.centre) / scale)
        with np.errstate(over="ignore"):
            errors = 4 * (np.abs(Vt) @ errors)  # up to four roundings went into Z
        seen = s > EPS * np.maximum(rounding, errors)
        if not alpha:
            seen[max(self.rows - self.centred, 0) :] = False
        root = np.ascontiguousarray(Vt[seen] / s[seen, None])
        return Metric(self.centre if self.centred else None, scale, root)


def curvature_of(data, fit_intercept, start=None):
    """The curvature of all rows of the data (added to those of `start`)."""
    known = start or Curvature.empty(data.n_features, fit_intercept)
    with np.errstate(invalid="ignore", over="ignore"):
        # Each factorisation goes over the triangle again: few, and of many rows.
        for X, weights in data.chunks(at_least=data.n_features):
            known = known.add(X, weights)
        sizes = column_norms(known.triangle)
    if not np.isfinite(known.centre).all() or not np.isfinite(sizes).all():
        _refuse_overflow(data, known.centre + sizes)
    return known


@dataclass(frozen=True, eq=False)
class Sketch:
    """The curvature of a random sample of rows, that can be made larger.

    Attributes
    ----------
    data : Data or None
        None: released after the fit, which the plan outlives.
    n_rows : int
    fit_intercept : bool
    size : int
        Rows sampled; where they would be half of all or more, all are taken.
    rng : numpy.random.Generator or None
    """

    data: Data | None
    n_rows: int
    fit_intercept: bool
    size: int
    rng: np.random.Generator | None

    @property
    def exact(self):
        """Whether all rows are taken."""
        return 2 * self.size >= self.n_rows

    def released(self):
        """What can be kept when the data are gone."""
        return replace(self, data=None, rng=None)

    def larger(self):
        """A sketch of four times as many rows, drawn anew."""
        return replace(self, size=4 * self.size)

    def curvature(self):
        """The sample's curvature, standing for all rows; and the size it took.

        A column that is constant in the sample but not in the data makes it larger.
        """
        data, sketch = self.data, self
        while not sketch.exact:
            among = data.rows if len(data.rows) else data.n_rows
            rows = np.sort(self.rng.choice(among, sketch.size, replace=False))
            known = curvature_of(replace(data, rows=rows), self.fit_intercept)
            still = np.flatnonzero(known.constant())
            if not len(still) or not data.varies(still):
                return known.standing_for(data.n_rows), sketch
            sketch = sketch.larger()
        return curvature_of(data, self.fit_intercept), sketch


def diagonal_metric(data, fit_intercept, alpha):
    """Centre and scale only: scale² is the diagonal of the curvature, penalty included."""
    with np.errstate(invalid="ignore", over="ignore"):
        centre, scale = moments(data, fit_intercept)
        known = scale if centre is None else scale + centre
    if not np.isfinite(known).all():
        _refuse_overflow(data, known)
    return Metric(centre, np.sqrt(scale**2 + alpha) if alpha else scale)


def _refuse_overflow(data, known):
    data.check_finite()
    column = int(np.argmin(np.isfinite(known)))
    raise ValueError(
        f"The mean or spread of column {column} of X overflows: its numbers are too "
        "large for sums in float64. Rescale the column."
    )


def column_norms(A):
    """Euclidean norm of each column, without overflow or underflow of the squares."""
    largest = np.abs(A).max(axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.square(A / largest).sum(axis=0))


def moments(data, fit_intercept):
    """Weighted mean and standard deviation of every feature, in one pass.

    Without an intercept: None and the root mean square. The scale of a constant column
    is one. Merged chunk by chunk as in `Curvature.add`, so that a large mean costs no
    digits.
    """
    total, mean, squares = 0.0, np.zeros(data.n_features), np.zeros(data.n_features)
    if data.is_sparse:
        pieces = [_sparse_moments(data)]
    else:
        pieces = (_chunk_moments(X, weights) for X, weights in data.chunks())
    for weight, middle, spread in pieces:
        delta = middle - mean
        total += weight
        mean += delta * (weight / total)
        squares += spread + delta**2 * (weight * (total - weight) / total)
    if not fit_intercept:
        scale = np.sqrt(squares / total + mean**2)
        return None, np.where(scale > 0, scale, 1.0)
    scale = np.sqrt(squares / total)
    return mean, np.where(scale > CONSTANT_SHARE * np.abs(mean), scale, 1.0)


def _chunk_moments(X, weights):
    total = weights.sum()
    mean = weights @ X / total
    return total, mean, weights @ (X - mean) ** 2


def _sparse_moments(data):
    X = data.canonical_X
    X = X[data.rows] if len(data.rows) else X
    weights = np.ones(len(data.y)) if data.weights is None else data.weights
    weights = weights[data.rows] if len(data.rows) else weights
    total = weights.sum()
    mean = X.T @ weights / total
    # Σ s (x - m)² = Σ_{x ≠ 0} s ((x - m)² - m²) + S m²
    columns = X.indices
    lifted = X.copy()
    lifted.data = (X.data - mean[columns]) ** 2 - mean[columns] ** 2
    return total, mean, np.maximum(lifted.T @ weights + total * mean**2, 0.0)


def curvature_operator(data, metric, alpha, fit_intercept, row_weights):
    """u -> Tᵀ (1/n Σ row_weights_i x_i x_iᵀ + alpha) T u, one pass over X a call."""
    blank = np.zeros((len(data.y), 1))
    zero = Data.build(data.X, blank, row_weights, data.rows, weight_unit=1.0)
    share = zero.n_rows / data.n_rows

    def apply(u):
        w = metric.to_raw(u)
        _, gradient = zero.evaluate(w, metric.centre)
        gradient *= share
        gradient[:, :-1] += alpha * w[:, :-1]
        out = metric.to_coordinates(gradient)
        if not fit_intercept:
            out[:, -1] = 0.0
        return out

    return apply


def largest_eigenpair(operator, size):
    """The largest eigenvalue and its vector, by power iteration (30 passes at most)."""
    u = np.cos(np.arange(float(size)))[None]  # any start that favours no feature
    u /= np.linalg.norm(u)
    value = 0.0
    for _ in range(POWER_ROUNDS):
        image = operator(u)
        before, value = value, float(np.linalg.norm(image))
        if not 0 < value < np.inf:
            return value, u
        u = image / value
        if abs(value - before) <= 1e-3 * value:
            break
    return value, u


def stable_step(data, metric, batch_size, alpha=0.0, fit_intercept=True, momentum=0.0):
    """About the largest constant step that does not diverge.

        2 b / (R² + (b - 1) λ),   λ = λ_max(H),   H = E[zzᵀ],   z = Tᵀx,
        R² the least number with E[‖z‖² zzᵀ] ⪯ R² H

    (Jain et al. [1]_, theorem 1); 2/λ when the batch is all the data. R² is taken as the
    larger of E‖z‖² and the quotient of the two matrices along the largest eigenvector
    of the first: exact for normal rows. Momentum multiplies the noise of small batches
    by 1/(1 - momentum).

    References
    ----------
    .. [1] P. Jain, S. Kakade, R. Kidambi, P. Netrapalli, A. Sidford, "Parallelizing
       stochastic gradient descent for least squares regression", JMLR 18 (2018).
    """
    size = 1 + (data.n_features if metric.root is None else len(metric.root))
    own = np.ones(len(data.y)) if data.weights is None else data.weights
    curvature = curvature_operator(data, metric, alpha, fit_intercept, own)
    largest, _ = largest_eigenpair(curvature, size)
    if largest <= 0:
        return 1.0  # X is zero: every step stays where it is
    if batch_size >= data.n_rows:
        return 2.0 / (POWER_MARGIN * largest)
    # The last, short batch is noisier: the harmonic mean is what noise averages over.
    whole, rest = divmod(data.n_rows, batch_size)
    b = (whole + (rest > 0)) / (whole / batch_size + (1 / rest if rest else 0.0))
    norms = metric.row_norms(data, fit_intercept)
    noise = curvature_operator(data, metric, 0.0, fit_intercept, own**2 * norms)
    top, u = largest_eigenpair(noise, size)
    along = float(np.vdot(u, curvature(u)))
    among = data.rows if len(data.rows) else slice(None)
    R2 = max(float((own * norms)[among].mean()), top / along if along > 0 else 0.0)
    R2, largest = POWER_MARGIN * R2, POWER_MARGIN * largest
    return (1.0 - momentum) * 2.0 * b / (R2 + alpha + (b - 1) * largest)


def stable_step_hint(data, batch_size, alpha, fit_intercept, momentum):
    """`stable_step` on raw features from some rows only, for a message."""
    among = data.rows if len(data.rows) else np.arange(len(data.y))
    every = -(-len(among) // HINT_ROWS)
    rows = among[::every]
    weights = None if data.weights is None else data.weights[rows]
    thin = Data.build(data.X[rows], data.y[rows], weights)
    b = thin.n_rows if batch_size >= data.n_rows else batch_size
    return stable_step(thin, Metric(), b, alpha, fit_intercept, momentum)
