"""The curvature of the rows, all or a sample of them, and the metric that it makes."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from sgdreg._data import Data
from sgdreg._metric import Metric
from sgdreg._moments import CONSTANT_SHARE, refuse_overflow

EPS = np.finfo(np.float64).eps


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
        refuse_overflow(data, known.centre + sizes)
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


def column_norms(A):
    """Euclidean norm of each column, without overflow or underflow of the squares."""
    largest = np.abs(A).max(axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.square(A / largest).sum(axis=0))
