"""The curvature of rows as a triangle, which gives the metric and the least squares."""

from math import sqrt

import numpy as np
from scipy import linalg

from sgdreg._curvature.metric import Metric
from sgdreg._curvature.triangles import (
    column_norms,
    inverse_of,
    inverse_size,
    is_triangle,
    norm,
    products_of,
    root_of,
    singular_values,
    symmetric_times,
    triangle_of,
    with_diagonal,
)
from sgdreg._data.moments import CONSTANT_SHARE, pooled
from sgdreg._data.threads import ALONE
from sgdreg._records import changed, record

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# Directions with a smaller singular value than this (of rows and penalty, in the scaled
# features), which only the penalty determines: rounding errors of the targets, divided by
# it, would be in the coefficients, which are then not determined to 1e-6.
FAINT_LENGTH = 1e-9
# A direction counts as belonging to the rows, and not to the rounding of the products with
# them, if it is longer than this many times the largest such rounding error.
ROUNDING_MARGIN = 10
# A direction longer than SINGLE_ROUNDINGS times the error of rounding each number of X once
# may belong to the data. (None was longer among columns computed from others: shares,
# totals, degrees.)
SINGLE_ROUNDINGS = 2.0
# Up to this many roundings of the mean are in a centred number.
MEAN_ROUNDINGS = 4
# If a mean is large beside the standard deviation, float32 numbers are off by more than
# this many roundings of the standard deviation. Directions that are longer are kept
# nevertheless, as LinearRegression does (whose cut-off is at 1e-6); this loses no digits
# that float32 has.
ROUNDED_SPREADS = 8.0
# If the inverse of ZᵀZ, in features of unit length, is no larger than this (in the 1-norm),
# its least squares are exact to ten digits, more than measured numbers have.
EASY_INFLATION = 1e5
# Up to this condition number of ZZᵀ a step of iterative refinement makes the least squares
# of few rows as exact as that.
WIDE_CONDITION = 1e10
# LAPACK estimates the norm of an inverse within a factor of ten, and its root within three:
# directions that are this many times longer than rounding errors need no exact length.
MUCH_LONGER = 100.0


@record
class Curvature:
    """[X, y]ᵀ S [X, y] of rows about their mean, as the triangle of a factorisation.

    A curvature is never changed: adding rows makes a new one.

    Attributes
    ----------
    total : float
        Sum of the weights.
    rows : int
    centre : ndarray of shape (d + k,)
        Weighted mean of features and targets; zeros if the rows are not centred.
    triangle : ndarray of shape (≤ d, d + k)
        triangle[:, :d]ᵀ triangle = Σ s (x - mean)([x, y] - mean)ᵀ. (Of few rows, rows.)
    n_features : int
        d.
    centred : bool
    coarse : float
        The relative rounding error of the numbers of X: half of eps for float32, and 0 for
        float64, for which the errors of sums and means are larger.
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

        Two groups of rows, each about its mean, and one more row, √share·step of `pooled`,
        are the rows about the common mean. Squares of the rows (a Gram matrix) would lose
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
            rest = weights @ Z / weight  # the rounding error of the mean
            Z -= rest
            middle += rest
            total, centre, step, share = pooled(self.total, centre, weight, middle)
            stack[known] = sqrt(share) * step
        np.multiply(Z, np.sqrt(weights)[:, None], out=stack[known + self.centred :])
        triangle = triangle_of(stack, overwrite=True)[:d]
        rows = self.rows + len(X)
        return changed(self, total=total, rows=rows, centre=centre, triangle=triangle)

    def joined(self, other):
        """The curvature of the rows of both: by a QR of the two triangles, as `add`."""
        before = self.total, self.centre, other.total, other.centre
        total, centre, step, share = pooled(*before)
        parts = [self.triangle, other.triangle]
        if self.centred:
            parts.append(sqrt(share) * step[None])
        triangle = triangle_of(np.vstack(parts))[: self.n_features]
        rows, coarse = self.rows + other.rows, max(self.coarse, other.coarse)
        return changed(
            self, total=total, rows=rows, centre=centre, triangle=triangle, coarse=coarse
        )

    def of_few(self, X, y, weights):
        """The first rows of a curvature, no more than features: it consists of the rows.

        About their mean one row depends on the others: a reflection that turns √s to an
        axis makes that row zero.
        """
        Z, root, total = np.column_stack([X, y]), np.sqrt(weights), weights.sum()
        centre = np.zeros(Z.shape[1])
        if self.centred:
            centre = weights @ Z / total
            Z -= centre
            centre = centre + weights @ Z / total  # the rounding error of the mean
        if weights.min() != weights.max() or weights[0] != 1.0:
            Z *= root[:, None]
        if self.centred:
            axis = root / sqrt(total)
            axis[0] += 1.0
            turned, Z = axis @ Z, Z[1:]
            if len(Z):  # Z - (axis / axis_0) turnedᵀ, in place
                shares = axis[1:] / axis[0]
                Z = linalg.blas.dger(-1.0, turned, shares, a=Z.T, overwrite_a=True).T
        total = float(total)
        return changed(self, total=total, rows=len(X), centre=centre, triangle=Z)

    def standing_for(self, rows):
        """The same curvature as if of `rows` rows, whose weights have a mean of one."""
        triangle = np.sqrt(rows / self.total) * self.triangle
        return changed(self, total=float(rows), rows=rows, triangle=triangle)

    def in_unit(self, shift):
        """The same curvature for targets multiplied by 2^shift."""
        triangle, centre, d = self.triangle.copy(), self.centre.copy(), self.n_features
        triangle[:, d:] = np.ldexp(triangle[:, d:], shift)
        centre[d:] = np.ldexp(centre[d:], shift)
        return changed(self, triangle=triangle, centre=centre)

    def of_output(self, output):
        """The same curvature with the targets of one output only."""
        columns = [*range(self.n_features), self.n_features + output]
        triangle, centre = self.triangle[:, columns], self.centre[columns]
        return changed(self, triangle=triangle, centre=centre)

    @property
    def rows_per_weight(self):
        """Rows for each unit of weight, where the weights are row curvatures."""
        return self.rows / self.total

    @property
    def features(self):
        """The columns of the triangle that belong to the features."""
        return self.triangle[:, : self.n_features]

    @property
    def mean(self):
        """The centre of the features."""
        return self.centre[: self.n_features]

    def constant(self, scale=None):
        """Which columns do not vary, up to the rounding of their mean.

        `scale` is the standard deviations, if known.
        """
        if scale is None:
            scale = column_norms(self.features / np.sqrt(self.total))
        return scale <= CONSTANT_SHARE * np.abs(self.mean)

    def solve(self, alpha, team=ALONE):
        """The metric, and the least squares of the rows: weights (k, d + 1) at its centre.

        In the scaled features, rootᵀ root = (ZᵀSZ/total + alpha)⁺; alpha is a number, or an
        array with one for each feature.

        Some directions are left out, so that weights do not change along them, because they
        are rounding errors: centring leaves errors of eps·|centre| in all columns of Z.
        These are columns that are not larger (constant), directions that are not longer
        than these errors or than the rounding of float32 numbers in X, and more directions
        than there are rows (minus one, about their mean).
        """
        d, size = self.n_features, sqrt(self.total)
        targets = self.triangle[:, d:] / size
        scale = column_norms(self.features) / size
        constant = self.constant(scale)
        varying = ~constant
        all_vary = not np.logical_or.reduce(constant)
        penalised = bool(np.logical_or.reduce(alpha, axis=None))
        if penalised:
            roots = np.sqrt(np.zeros(d) + alpha)
            scale = np.hypot(scale, roots)
        if not all_vary:
            scale = np.where(constant, 1.0, scale)
        Z = np.divide(self.features, size * scale, order="F")
        errors = np.abs(self.mean / scale)
        if not all_vary:
            Z, errors = Z[:, varying], errors[varying]
        if penalised:
            roots = roots / scale if all_vary else (roots / scale)[varying]
            penalised = roots.any()
        coarse = self.coarse * np.hypot(1.0, errors) if self.coarse else None
        most = max(self.rows - self.centred, 0)
        hidden, faint, simple, span, inverse = 0.0, None, None, None, None
        if penalised:
            simple = self._penalised_by_products(Z, targets, roots, errors, coarse, team)
        elif len(Z) == most <= Z.shape[1]:
            inverse = self._inverse_of_rows(Z, errors, coarse, team)
        if simple is not None:
            Z, targets = simple
            inverse = inverse_of(Z)
        elif inverse is not None:
            # A step of iterative refinement, for the digits that products lose.
            span, targets = Z, 2.0 * targets - Z @ (inverse @ targets)
        else:
            least = roots.min() if penalised else 0.0
            Z, targets, hidden, inverse = self._without_errors(
                Z, targets, errors, coarse, most, least
            )
            if penalised and len(Z) < len(errors):
                (Z, targets, rows), inverse = _penalised(Z, targets, roots), None
                if len(rows):
                    faint = np.zeros((len(rows), d))
                    faint[:, varying] = rows
            elif penalised:
                Z, targets = with_diagonal(Z, targets, roots)
                Z, targets, _, inverse = self._without_errors(
                    Z, targets, 0.0 * errors, None, len(errors)
                )
        root = np.ascontiguousarray(root_of(Z, inverse))
        if not all_vary:
            of_varying, root = root, np.zeros((len(Z), d))
            root[:, varying] = of_varying
            if span is not None:
                of_varying, span = span, np.zeros((len(Z), d))
                span[:, varying] = of_varying
        centre = self.mean if self.centred else None
        metric = Metric(
            centre, scale, root, hidden=hidden, constant=constant, faint=faint, span=span
        )
        answer = np.empty((len(self.centre) - d, len(Z) + 1))
        answer[:, :-1], answer[:, -1] = targets.T, self.centre[d:]
        return metric, metric.to_raw(answer)

    def _penalised_by_products(self, Z, targets, roots, errors, coarse, team):
        """Z and targets with a penalty, by a Cholesky factorisation of ZᵀZ + roots².

        None unless that has digits to spare: each direction is long beside the rounding
        errors of Z, and of its products.
        """
        if not len(Z):
            return None
        H = products_of(Z, team)
        H.ravel(order="K")[:: len(H) + 1] += roots * roots
        R, failed = linalg.lapack.dpotrf(H, clean=True, overwrite_a=True)
        if failed:
            return None
        inverse = inverse_size(R)
        shortest = 1.0 / sqrt(inverse) if inverse <= EASY_INFLATION else 0.0
        if not shortest > MUCH_LONGER * self._rounding(Z, errors, coarse):
            return None
        return R, linalg.lapack.dtrtrs(R, Z.T @ targets, trans=1)[0]

    def _inverse_of_rows(self, Z, errors, coarse, team):
        """Z⁺ of no more rows than columns, by a Cholesky factorisation of ZZᵀ.

        None unless all directions are long, as above.
        """
        if not len(Z):
            return None
        K = products_of(Z.T, team)
        size = float(K.diagonal().sum())
        R, failed = linalg.lapack.dpotrf(K, overwrite_a=True)
        if failed:
            return None
        inverse = inverse_size(R)
        shortest = 1.0 / sqrt(inverse) if size * inverse <= WIDE_CONDITION else 0.0
        if not shortest > MUCH_LONGER * self._rounding(Z, errors, coarse):
            return None
        inverse, _ = linalg.lapack.dpotri(R, overwrite_c=True)
        return symmetric_times(inverse, Z, team).T

    def _rounding(self, Z, errors, coarse):
        """How long a direction of rounding errors in Z can be; see `_without_errors`."""
        floor = max(sqrt(self.total), Z.shape[1])
        rounding = EPS * max(floor * norm(Z), MEAN_ROUNDINGS * norm(errors))
        return rounding if coarse is None else max(rounding, self._capped(norm(coarse)))

    def _without_errors(self, Z, targets, errors, coarse, most, root=0.0):
        """Z and targets with the same products, without directions of rounding errors.

        The sums from which Z was computed have a relative error of eps·√(number of rows).

        Parameters
        ----------
        Z : ndarray of shape (m, d)
        targets : ndarray of shape (m, k)
        errors : ndarray of shape (d,)
            A rounding of the mean of each column, in units of eps.
        coarse : ndarray of shape (d,) or None
            The rounding error of the numbers of X, of each column; None: no error.
        most : int
            The largest number of directions.
        root : float
            The least root of the penalty's weights.

        Returns
        -------
        Z, targets : ndarray
            Z is an upper triangle, or, if directions are left out, orthogonal rows.
        hidden : ndarray of shape (k,) or 0.0
            The decrease of each output's objective that may be lost with the directions.
        inverse : ndarray or None
            The inverse of Z, if it was computed.
        """
        size = Z.shape[1]
        if not size:
            return Z[:0], targets[:0], 0.0, None
        floor = max(sqrt(self.total), size)
        if most >= size <= len(Z):
            if len(Z) > size or not is_triangle(Z):
                both = triangle_of(np.column_stack([Z, targets]))[:size]
                Z, targets = both[:, :size], both[:, size:]
            inverse = inverse_of(Z)
            shortest = 1.0 / norm(inverse)
            if shortest > self._rounding(Z, errors, coarse):  # all directions are longer
                return Z, targets, 0.0, inverse
        U, s, Vt = singular_values(Z)
        worst = MEAN_ROUNDINGS * (np.abs(Vt) @ errors)
        sure = s > EPS * np.maximum(floor * s[0], worst)
        likely = SINGLE_ROUNDINGS * np.linalg.norm(Vt * errors, axis=1)
        unsure = ~sure & (s > EPS * np.maximum(floor * s[0], likely))
        none = 0.0 if coarse is None else np.abs(Vt) @ coarse
        resolved = s > self._capped(none)  # by float32 numbers
        resolved[most:] = False
        sure, unsure = sure & resolved, unsure & resolved
        shares = s[unsure] ** 2 / (s[unsure] ** 2 + root**2)
        hidden = 0.5 * shares @ (U[:, unsure].T @ targets) ** 2
        return s[sure, None] * Vt[sure], U[:, sure].T @ targets, hidden, None

    def _capped(self, coarse):
        return np.minimum(coarse, ROUNDED_SPREADS * self.coarse)

    def solved_by(self, weights, centre, alpha, slope=None):
        """The same curvature with targets for which these weights (k, d + 1) are optimal.

        So the curvature of a sample can stand for all rows, whose optimum is known. With
        more than an l2 penalty of strength alpha, `slope` (k, d) is that of the loss.
        """
        coef, d = weights[:, :-1], self.n_features
        targets = self.features @ coef.T
        if slope is not None:  # RᵀR w - total slope = Rᵀ targets
            targets -= self.total * self._transposed_solve(slope.T)
        elif alpha:  # RᵀR w + alpha·total w = Rᵀ targets
            targets += alpha * self.total * self._transposed_solve(coef.T)
        triangle = np.column_stack([self.features, targets])
        middle = weights[:, -1]
        if self.centred:
            middle = middle + coef @ (self.mean - (0.0 if centre is None else centre))
        else:
            middle = np.zeros(len(coef))
        return changed(self, triangle=triangle, centre=np.append(self.centre[:d], middle))

    def tilted(self, slope):
        """The same curvature for ½ Σ s (y - xw)² plus the linear term slope·w.

        `slope` has shape (d + 1,), with that along the intercept last. The targets change
        by a linear function of the features.
        """
        d, step = self.n_features, slope[:-1, None]
        if self.centred:
            step = step - slope[-1] * self.mean[:, None]
        triangle, centre = self.triangle.copy(order="K"), self.centre.copy()
        triangle[:, d:] -= self._transposed_solve(step)
        if self.centred:
            centre[d:] -= slope[-1] / self.total
        return changed(self, triangle=triangle, centre=centre)

    def _transposed_solve(self, B):
        """Z with featuresᵀ Z = B, of a singular triangle the shortest."""
        scale = column_norms(self.features)
        if scale.all() and is_triangle(self.features):
            R = np.divide(self.features, scale, order="F")
            if len(R) == len(scale) and inverse_size(R) <= EASY_INFLATION:
                return linalg.lapack.dtrtrs(R, B / scale[:, None], trans=1)[0]
        return linalg.lstsq(self.features.T, B, check_finite=False)[0]


def _penalised(Z, targets, roots):
    """Z and targets with a penalty, if Z (orthogonal rows) lacks directions.

    Faint directions, in which the rows have nothing and the penalty is tiny, are left out:
    the rounding errors of the targets, divided by the penalty, would be in the
    coefficients. They are the third result, each divided by its length: the gradient at the
    answer then tells how far the objective can fall along them.
    """
    size = len(roots)
    A = np.vstack(
        [np.column_stack([Z, targets]), np.zeros((size, size + targets.shape[1]))]
    )
    A[len(Z) :, :size] = np.diag(roots)
    R = triangle_of(A)[:size]
    U, s, Vt = singular_values(R[:, :size])
    by_rows = np.linalg.norm(Z @ Vt.T, axis=0)
    rounding = ROUNDING_MARGIN * size * EPS * np.linalg.norm(Z)
    kept = (s > FAINT_LENGTH) | (by_rows > rounding)
    faint = Vt[~kept] / np.maximum(s[~kept], TINY)[:, None]
    return s[kept, None] * Vt[kept], U[:, kept].T @ R[:, size:], faint
