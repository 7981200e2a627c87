"""The curvature of rows, which the metric and their least squares come from."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from sgdreg._metric import Metric
from sgdreg._moments import CONSTANT_SHARE

EPS = np.finfo(np.float64).eps


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
    """

    total: float
    rows: int
    centre: np.ndarray
    triangle: np.ndarray
    n_features: int
    centred: bool

    @classmethod
    def empty(cls, n_features, n_outputs, centred):
        width = n_features + n_outputs
        none = np.zeros((0, width))
        return cls(0.0, 0, np.zeros(width), none, n_features, centred)

    def add(self, X, y, weights):
        """The curvature with more rows, by a QR factorisation.

        Two groups of rows about their own means make one about the common mean with one
        more row, √(ab/(a+b)) (mean_a - mean_b): Chan, Golub, LeVeque, The American
        Statistician 37 (1983), equation 2.1, in factored form. Squaring the rows (a Gram
        matrix) would lose half of the digits.
        """
        Z = np.column_stack([X, y])
        total = self.total + weights.sum()
        share = weights.sum() / total
        centre, between = self.centre, np.empty((0, len(self.centre)))
        if self.centred:
            middle = weights @ Z / weights.sum()
            Z = Z - middle
            rest = weights @ Z / weights.sum()  # what rounding has left of the mean
            middle, Z = middle + rest, Z - rest
            shift = middle - self.centre
            centre = self.centre + share * shift
            between = np.sqrt(self.total * share) * shift[None]
        stack = np.vstack([self.triangle, between, Z * np.sqrt(weights)[:, None]])
        triangle = triangle_of(stack)[: self.n_features]
        rows = self.rows + len(X)
        return replace(self, total=total, rows=rows, centre=centre, triangle=triangle)

    def standing_for(self, rows):
        """The same curvature a row, of more rows."""
        share = rows / self.rows
        triangle = np.sqrt(share) * self.triangle
        return replace(self, total=share * self.total, rows=rows, triangle=triangle)

    @property
    def features(self):
        """The triangle's part for the features."""
        return self.triangle[:, : self.n_features]

    @property
    def mean(self):
        """The features' centre."""
        return self.centre[: self.n_features]

    def constant(self):
        """Which columns do not vary, up to the rounding of their mean."""
        scale = column_norms(self.features / np.sqrt(self.total))
        return scale <= CONSTANT_SHARE * np.abs(self.mean)

    def metric(self, alpha):
        """The metric with rootᵀ root = (ZᵀSZ/total + alpha)⁺ in the scaled features.

        Centring leaves rounding errors of eps·|centre| in Z, in all columns at once:
        columns that are no larger are constant, and directions no longer than these
        errors along them are not the data's, nor is one more direction than there are
        rows (less one, about their mean). All are left out: weights do not move there.
        """
        triangle = self.features / np.sqrt(self.total)
        scale = column_norms(triangle)
        varying = ~self.constant()
        scale = np.where(varying, np.hypot(scale, np.sqrt(alpha)), 1.0)
        errors = np.abs(self.mean / scale)[varying]
        Z = (triangle / scale)[:, varying]
        if alpha:
            Z = np.vstack([Z, np.diag(np.sqrt(alpha) / scale[varying])])
        most = len(errors) if alpha else max(self.rows - self.centred, 0)
        root = np.zeros((0, len(scale)))
        if len(errors):
            part = self._root(Z, errors, most)
            root = np.zeros((len(part), len(scale)))
            root[:, varying] = part
        return Metric(self.mean if self.centred else None, scale, root)

    def _root(self, Z, errors, most):
        """root with rootᵀ root = (ZᵀZ)⁺: at most so many directions, none of `errors`.

        eps·√(number of rows) is what the sums behind Z may be off by; up to four
        roundings of the mean went into it.
        """
        floor = max(np.sqrt(self.total), Z.shape[1])
        if most >= Z.shape[1] <= len(Z):
            Z = triangle_of(Z)
            inverse, size = inverse_of(Z)
            rounding = max(floor * np.linalg.norm(Z), 4 * np.linalg.norm(errors))
            if EPS * rounding * size < 1.0:  # all directions are longer
                return np.ascontiguousarray(inverse.T)
        _, s, Vt = linalg.svd(Z, full_matrices=False, check_finite=False)
        with np.errstate(over="ignore"):
            along = 4 * (np.abs(Vt) @ errors)
        seen = s > EPS * np.maximum(floor * s[0], along)
        seen[most:] = False
        return np.ascontiguousarray(Vt[seen] / s[seen, None])

    def solution(self, metric):
        """Least squares of the rows: weights (k, d + 1) at the metric's centre."""
        d = self.n_features
        products = self.features.T @ self.triangle[:, d:] / self.total
        slope = np.column_stack([products.T, np.zeros(products.shape[1])])
        weights = metric.to_raw(metric.to_coordinates(slope))
        weights[:, -1] = self.centre[d:]
        return weights

    def solved_by(self, weights, centre, alpha):
        """The same curvature, of targets whose optimum are these weights (k, d + 1).

        What is known of a sample's rows can so stand for all rows, whose answer is known.
        """
        coef, d = weights[:, :-1], self.n_features
        targets = self.features @ coef.T
        if alpha:  # RᵀR w + alpha·total w = Rᵀ targets
            pull = linalg.lstsq(self.features.T, coef.T, check_finite=False)[0]
            targets += alpha * self.total * pull
        triangle = np.column_stack([self.features, targets])
        middle = weights[:, -1]
        if self.centred:
            middle = middle + coef @ (self.mean - (0.0 if centre is None else centre))
        else:
            middle = np.zeros(len(coef))
        return replace(self, triangle=triangle, centre=np.append(self.centre[:d], middle))


def triangle_of(A):
    """R with RᵀR = AᵀA, upper triangular, by a QR factorisation."""
    R = linalg.qr(A, mode="r", overwrite_a=False, check_finite=False)[0]
    return np.ascontiguousarray(R[: A.shape[1]])


def inverse_of(R):
    """R⁻¹ of an upper triangle, and its Frobenius norm: infinite where R is singular."""
    inverse, singular = linalg.lapack.dtrtri(R)
    size = np.inf if singular else np.linalg.norm(inverse)
    return inverse, size if np.isfinite(size) else np.inf


def column_norms(A):
    """Euclidean norm of each column, without overflow or underflow of the squares."""
    largest = np.abs(A).max(axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.square(A / largest).sum(axis=0))
