"""The curvature of rows, which the metric and their least squares come from."""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy import linalg

from sgdreg._curvature.metric import Metric
from sgdreg._data.moments import CONSTANT_SHARE, pooled
from sgdreg._records import changed

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# A penalty's share of a direction that no row has, below which its coefficient is not
# determined to 1e-6 by numbers that are rounded.
HARDLY_BENT = 1e-9
# Directions longer than this many times what rounding each number of X once leaves in them
# may be the data's. (Of columns computed from others - shares, totals, degrees - none was.)
SURELY = 2.0
# Where means are large beside spreads, rounding may reach further than this many times the
# spreads; what is longer than that is kept nevertheless, as LinearRegression does (whose
# cut-off is at 1e-6), and costs no digits that float32 does not have.
ROUNDED_SPREADS = 8.0
# Columns that LAPACK's QR takes at a time, or more: the work space it may have.
QR_BLOCK = 64


@dataclass(frozen=True, eq=False)
class Curvature:
    """[X, y]ᵀ S [X, y] of rows about their mean, as the triangle of a factorisation.

    A curvature never changes: adding rows makes a new one.

    Attributes
    ----------
    total : float
        Sum of the weights.
    rows : int
    centre : ndarray of shape (d + k,)
        Weighted mean of features and targets; zeros where the rows are not centred.
    triangle : ndarray of shape (≤ d, d + k)
        triangle[:, :d]ᵀ triangle = Σ s (x - mean)([x, y] - mean)ᵀ.
    n_features : int
        d.
    centred : bool
    coarse : float
        Share of itself that a number of X may be off by: half of eps for float32, 0 for
        float64, of which sums and means are the larger error.
    """

    total: float
    rows: int
    centre: np.ndarray
    triangle: np.ndarray
    n_features: int
    centred: bool
    coarse: float = 0.0

    @classmethod
    def empty(cls, n_features, n_outputs, centred):
        width = n_features + n_outputs
        none = np.zeros((0, width))
        return cls(0.0, 0, np.zeros(width), none, n_features, centred)

    def add(self, X, y, weights):
        """The curvature with more rows, by a QR factorisation.

        Two groups of rows about their own means make one about the common mean with one
        more row, √share·step of `pooled`. Squaring the rows (a Gram matrix) would lose
        half of the digits.
        """
        d, known, centre = self.n_features, len(self.triangle), self.centre
        Z, weight = np.empty((len(X), len(centre))), weights.sum()
        Z[:, :d], Z[:, d:] = X, y
        total = self.total + weight
        stack = np.empty((known + self.centred + len(Z), len(centre)), order="F")
        stack[:known] = self.triangle
        if self.centred:
            middle = weights @ Z / weight
            Z -= middle
            rest = weights @ Z / weight  # what rounding has left of the mean
            Z -= rest
            middle += rest
            total, centre, step, share = pooled(self.total, centre, weight, middle)
            stack[known] = sqrt(share) * step
        np.multiply(Z, np.sqrt(weights)[:, None], out=stack[known + self.centred :])
        triangle = triangle_of(stack, overwrite=True)[:d]
        rows = self.rows + len(X)
        return changed(self, total=total, rows=rows, centre=centre, triangle=triangle)

    def standing_for(self, rows):
        """The same curvature, of so many rows (whose weights have a mean of one)."""
        triangle = np.sqrt(rows / self.total) * self.triangle
        return changed(self, total=float(rows), rows=rows, triangle=triangle)

    def in_unit(self, shift):
        """The same curvature, of targets multiplied by 2^shift."""
        triangle, centre, d = self.triangle.copy(), self.centre.copy(), self.n_features
        triangle[:, d:] = np.ldexp(triangle[:, d:], shift)
        centre[d:] = np.ldexp(centre[d:], shift)
        return changed(self, triangle=triangle, centre=centre)

    @property
    def rows_a_weight(self):
        """Rows for each unit of weight, where rows are weighed by their bends."""
        return self.rows / self.total

    @property
    def features(self):
        """The triangle's part for the features."""
        return self.triangle[:, : self.n_features]

    @property
    def mean(self):
        """The features' centre."""
        return self.centre[: self.n_features]

    def constant(self, scale=None):
        """Which columns do not vary, up to the rounding of their mean; scale: their own."""
        if scale is None:
            scale = column_norms(self.features / np.sqrt(self.total))
        return scale <= CONSTANT_SHARE * np.abs(self.mean)

    def solve(self, alpha):
        """The metric, and the least squares of the rows: weights (k, d + 1) at its centre.

        rootᵀ root = (ZᵀSZ/total + alpha)⁺ in the scaled features; alpha is a number, or one
        a feature. Centring leaves
        rounding errors of eps·|centre| in Z, in all columns at once: columns that are no
        larger are constant, and directions no longer than these errors along them are
        not the data's, nor are those no longer than the rounding of float32 numbers in X,
        nor is one more direction than there are rows (less one, about their mean). All
        are left out: weights do not move there.
        """
        d = self.n_features
        triangle = self.triangle / sqrt(self.total)
        Z, targets = triangle[:, :d], triangle[:, d:]
        scale, pulls = column_norms(Z), np.sqrt(np.zeros(d) + alpha)
        varying = ~self.constant(scale)
        scale = np.where(varying, np.hypot(scale, pulls), 1.0)
        Z, errors, pulls = np.divide(Z, scale, order="F"), self.mean / scale, pulls / scale
        whole = varying.all()
        if not whole:
            Z, errors, pulls = Z[:, varying], errors[varying], pulls[varying]
        errors, pulled = np.abs(errors), pulls.any()
        coarse = self.coarse * np.hypot(1.0, errors)
        most = max(self.rows - self.centred, 0)
        least = pulls.min() if pulled else 0.0
        Z, targets, hidden, inverse = self._seen(Z, targets, errors, coarse, most, least)
        faint = None
        if pulled and len(Z) < len(errors):
            (Z, targets, hardly), inverse = _pulled(Z, targets, pulls), None
            if len(hardly):
                faint = np.zeros((len(hardly), d))
                faint[:, varying] = hardly
        elif pulled:
            pull = np.diag(pulls)
            Z = np.vstack([Z, pull])
            targets = np.vstack([targets, np.zeros((len(pull), targets.shape[1]))])
            none = 0.0 * errors
            Z, targets, _, inverse = self._seen(Z, targets, none, none, len(errors))
        root = np.ascontiguousarray(root_of(Z, inverse))
        if not whole:
            among, root = root, np.zeros((len(Z), d))
            root[:, varying] = among
        centre = self.mean if self.centred else None
        metric = Metric(centre, scale, root, hidden=hidden, constant=~varying, faint=faint)
        answer = np.empty((len(self.centre) - d, len(Z) + 1))
        answer[:, :-1], answer[:, -1] = targets.T, self.centre[d:]
        return metric, metric.to_raw(answer)

    def _seen(self, Z, targets, errors, coarse, most, pull=0.0):
        """Z and targets, of the same products, but without what is rounding errors.

        And what the objective may lose by that, of each output, under a penalty's pull;
        and the inverse of Z, where it was looked at.

        Z as an upper triangle, or, where it lacks directions, as orthogonal rows: at most
        so many, none of `errors` or `coarse` (of each column: in eps, and as such).
        eps·√(number of rows) is what the sums behind Z may be off by; up to four
        roundings of the mean went into it.
        """
        size = Z.shape[1]
        if not size:
            return Z[:0], targets[:0], 0.0, None
        floor = max(sqrt(self.total), size)
        if most >= size <= len(Z):
            if len(Z) > size or not is_triangle(Z):
                both = triangle_of(np.column_stack([Z, targets]))[:size]
                Z, targets = both[:, :size], both[:, size:]
            rounding = max(floor * _length(Z), 4 * _length(errors))
            with np.errstate(over="ignore"):
                inverse = inverse_of(Z)
                shortest = 1.0 / _length(inverse)
            rounding = max(EPS * rounding, self._capped(_length(coarse)))
            if shortest > rounding:  # all directions are longer
                return Z, targets, 0.0, inverse
        U, s, Vt = linalg.svd(Z, full_matrices=False, check_finite=False)
        with np.errstate(over="ignore"):
            along = 4 * (np.abs(Vt) @ errors)
        seen = s > EPS * np.maximum(floor * s[0], along)
        once = SURELY * np.linalg.norm(Vt * errors, axis=1)
        maybe = ~seen & (s > EPS * np.maximum(floor * s[0], once))
        told = s > self._capped(np.abs(Vt) @ coarse)  # by float32 numbers
        told[most:] = False
        seen, maybe = seen & told, maybe & told
        shares = s[maybe] ** 2 / (s[maybe] ** 2 + pull**2)
        hidden = 0.5 * shares @ (U[:, maybe].T @ targets) ** 2
        return s[seen, None] * Vt[seen], U[:, seen].T @ targets, hidden, None

    def _capped(self, coarse):
        return np.minimum(coarse, ROUNDED_SPREADS * self.coarse)

    def solved_by(self, weights, centre, alpha, slope=None):
        """The same curvature, of targets whose optimum are these weights (k, d + 1).

        What is known of a sample's rows can so stand for all rows, whose answer is known.
        `slope` (k, d) is the loss's about the mean, where more holds it than alpha.
        """
        coef, d = weights[:, :-1], self.n_features
        targets = self.features @ coef.T
        if slope is not None:  # RᵀR w - total slope = Rᵀ targets
            pull = linalg.lstsq(self.features.T, slope.T, check_finite=False)[0]
            targets -= self.total * pull
        elif alpha:  # RᵀR w + alpha·total w = Rᵀ targets
            pull = linalg.lstsq(self.features.T, coef.T, check_finite=False)[0]
            targets += alpha * self.total * pull
        triangle = np.column_stack([self.features, targets])
        middle = weights[:, -1]
        if self.centred:
            middle = middle + coef @ (self.mean - (0.0 if centre is None else centre))
        else:
            middle = np.zeros(len(coef))
        return changed(self, triangle=triangle, centre=np.append(self.centre[:d], middle))


def _pulled(Z, targets, pull):
    """Z and targets with a penalty, where Z (orthogonal rows) lacks directions.

    Those that the penalty hardly bends are left out too: their coefficients would be the
    rounding errors of the targets, divided by that. They are returned, each divided by its
    length: what the objective falls by along them, the gradient at the answer tells.
    """
    size = len(pull)
    A = np.vstack(
        [np.column_stack([Z, targets]), np.zeros((size, size + targets.shape[1]))]
    )
    A[len(Z) :, :size] = np.diag(pull)
    R = triangle_of(A)[:size]
    U, s, Vt = linalg.svd(R[:, :size], check_finite=False)
    by_rows = np.linalg.norm(Z @ Vt.T, axis=0)
    kept = (s > HARDLY_BENT) | (by_rows > 10 * size * EPS * np.linalg.norm(Z))
    hardly = Vt[~kept] / np.maximum(s[~kept], TINY)[:, None]
    return s[kept, None] * Vt[kept], U[:, kept].T @ R[:, size:], hardly


def triangle_of(A, overwrite=False):
    """R with RᵀR = AᵀA, upper triangular, by a QR factorisation."""
    R = np.zeros((min(A.shape), A.shape[1]))
    if A.size:
        # scipy.linalg.qr's own call, without what it does around it (30 µs).
        work = QR_BLOCK * A.shape[1]
        found = linalg.lapack.dgeqrf(A, lwork=work, overwrite_a=overwrite)[0]
        np.copyto(R, found[: len(R)], where=_part(*R.shape)[0])
    return R


def is_triangle(Z):
    """Whether Z has zeros only below the diagonal."""
    return not np.logical_or.reduce(Z, axis=None, where=_part(*Z.shape)[1])


@lru_cache(maxsize=4)
def _part(rows, columns):
    """Where a matrix is on or above its diagonal, and where below."""
    below = np.tri(rows, columns, -1, dtype=bool)
    return ~below, below


@lru_cache(maxsize=4)
def _identity(size):
    return np.eye(size, order="F")


def _length(x):
    """Euclidean norm of all numbers: np.linalg.norm without its questions."""
    x = x.ravel(order="K")
    return sqrt(x @ x)


def inverse_of(R):
    """R⁻¹ of an upper triangle, infinite where R is singular.

    By substitution, which makes R R⁻¹ the identity, as the metric needs it (LAPACK's
    inversion makes it R⁻¹R: at a condition number of 4e8 the other is off by 0.03).
    """
    if not len(R):
        return R
    inverse, singular = linalg.lapack.dtrtrs(R, _identity(len(R)))
    return np.full_like(R, np.inf) if singular else inverse


def root_of(Z, inverse=None):
    """root with rootᵀ root = (ZᵀZ)⁺, of an upper triangle or of orthogonal rows."""
    if inverse is not None:
        return inverse.T
    if len(Z) == Z.shape[1] and is_triangle(Z):
        return inverse_of(Z).T
    return Z / np.einsum("ij,ij->i", Z, Z)[:, None]


def column_norms(A):
    """Euclidean norm of each column, without overflow or underflow of the squares."""
    largest = np.maximum.reduce(np.abs(A), axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.add.reduce(np.square(A / largest), axis=0))
