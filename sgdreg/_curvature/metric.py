"""The coordinates of the steps: w = T u, with TᵀHT near the identity.

X is never transformed.
"""

from dataclasses import replace

import numpy as np
from sklearn.utils.extmath import row_norms

from sgdreg._data.moments import moments, refuse_overflow
from sgdreg._records import once, record


@record
class Metric:
    """The coordinates u of the steps: w = T u, T = scale⁻¹ rootᵀ, about a centre.

    Attributes
    ----------
    centre : ndarray of shape (d,) or None
    scale : ndarray of shape (d,) or None
    root : ndarray of shape (rank, d) or None
        rootᵀ root is the (pseudo-)inverse curvature of the scaled features.
    low_rank : bool
        Whether the inverse curvature is I - rootᵀ root instead, for a few directions of
        larger curvature than the others. In the scaled features T is then symmetric.
    hidden : float or ndarray of shape (k,)
        The decrease of each output's objective that may be lost with directions left out.
    constant : ndarray of bool, shape (d,), or None
        Which columns count as constant.
    faint : ndarray of shape (m, d) or None
        Directions in which only a tiny penalty has curvature, in the form of rows of root.
        No step is taken along them, but the gradient tells how far the objective can fall.
    certain : float
        The least curvature of any direction in these coordinates, as far as the rows that
        the root comes from tell; 0: it is not known.
    span : ndarray of shape (rank, d) or None
        Rows with root spanᵀ = 1 that span what those of root do; None: the rows of root are
        orthogonal, if they are fewer than the columns that vary.
    """

    centre: np.ndarray | None = None
    scale: np.ndarray | None = None
    root: np.ndarray | None = None
    low_rank: bool = False
    hidden: object = 0.0
    constant: np.ndarray | None = None
    faint: np.ndarray | None = None
    certain: float = 1.0
    span: np.ndarray | None = None

    @property
    def full(self):
        """Whether the metric has the curvature of all directions."""
        return self.root is not None and not self.low_rank and self.certain > 0

    @property
    def rough(self):
        """Whether products with the root have rounding errors of single precision."""
        return self.root is not None and self.root.dtype != np.float64

    @once
    def sizes(self):
        """Root mean squares of the features about zero; 0.0 if they are not known."""
        if self.scale is None:
            return 0.0
        return self.scale if self.centre is None else np.hypot(self.scale, self.centre)

    @once
    def rounding_reach(self):
        """Squared length, in these coordinates, of a gradient error of `sizes`."""
        if self.scale is None:
            return 0.0
        shares = self.sizes / self.scale
        if not self.full:
            return float(shares @ shares)
        return float(np.einsum("ij,ij->j", self.root, self.root) @ shares**2)

    def along_faint(self, gradient, rounding):
        """Squared slope along the faint directions, of each output, beyond rounding errors.

        The rounding errors are `rounding` (k,) times the features' sizes: the rounded
        numbers of X have a slope along such directions, too, but no answer improves by it.
        """
        if self.faint is None:
            return 0.0
        slope = self._faint_slope(gradient, rounding)
        with np.errstate(over="ignore"):
            return np.einsum("ij,ij->i", slope, slope)

    def faint_step(self, gradient, rounding):
        """Newton's step (k, d + 1) along these, by the slope beyond rounding errors."""
        slope, step = self._faint_slope(gradient, rounding), np.zeros_like(gradient)
        step[:, :-1] = -(slope @ self.faint) / self.scale
        return step

    def _faint_slope(self, gradient, rounding):
        g = gradient[:, :-1]
        g = g if self.centre is None else g - gradient[:, -1:] * self.centre
        with np.errstate(over="ignore"):
            slope = (g / self.scale) @ self.faint.T
            errors = np.linalg.norm(self.faint * (self.sizes / self.scale), axis=1)
            size = np.abs(slope) - np.outer(rounding, errors)
            return np.sign(slope) * np.maximum(size, 0.0)

    def of_one_scale(self):
        """The same centre, with one scale for all features: their root mean square."""
        varies = self.scale if self.constant is None else self.scale[~self.constant]
        size = np.sqrt(np.mean(varies**2)) if len(varies) else 1.0
        return replace(self, scale=np.full_like(self.scale, size))

    def left_out(self, weights):
        """The part of the coefficients that no step changes, such as constant columns'."""
        coef = weights[:, :-1]
        if not self.full:
            none = np.zeros_like(coef)
            return none if self.constant is None else np.where(self.constant, coef, none)
        rows = self.root if self.faint is None else np.vstack([self.root, self.faint])
        if len(rows) == coef.shape[1]:
            none = np.zeros_like(coef)
            return none if self.constant is None else np.where(self.constant, coef, none)
        known = np.abs(rows).max(axis=0, initial=0.0) > 0
        if len(rows) == known.sum():
            return np.where(known, 0.0, coef)
        return self._beside(coef * self.scale, rows) / self.scale

    def _beside(self, g, rows):
        """The part of vectors g that is orthogonal to rows of root, and to faint ones."""
        if self.span is not None:
            return g - (g @ self.span.T) @ self.root
        V = rows / np.linalg.norm(rows, axis=1)[:, None]
        return g - (g @ V.T) @ V

    def to_raw(self, u):
        """Raw weights (k, d + 1) of coordinates u (k, rank + 1)."""
        w = u[:, :-1]
        if self.low_rank:
            w = self._low_rank_root(w)
        elif self.root is not None:
            w = product(w, self.root)
        raw = np.empty((len(w), w.shape[1] + 1))
        raw[:, :-1], raw[:, -1] = w if self.scale is None else w / self.scale, u[:, -1]
        return raw

    def to_coordinates(self, gradient):
        """The gradient with respect to u, from that with respect to [w, intercept]."""
        g, b = self._about_centre(gradient), gradient[:, -1:]
        g = g if self.scale is None else g / self.scale
        if self.low_rank:
            g = self._low_rank_root(g)
        elif self.root is not None:
            g = product(g, self.root.T)
        return np.concatenate((g, b), axis=1)

    def along(self, change, gradient):
        """The gradient along a change of raw weights, of each output."""
        g = np.column_stack([self._about_centre(gradient), gradient[:, -1:]])
        return np.einsum("ij,ij->i", change, g)

    def _about_centre(self, gradient):
        """The gradient with respect to w where the intercept is that at the centre."""
        g, b = gradient[:, :-1], gradient[:, -1:]
        return g if self.centre is None else g - b * self.centre

    def least_curvature(self, alpha):
        """The least curvature of a penalty alpha ½‖w‖², in these coordinates."""
        least = alpha if self.scale is None else alpha / self.scale.max() ** 2
        if self.low_rank and len(self.root):
            least *= 1.0 - np.einsum("ij,ij->i", self.root, self.root).max()
        elif self.root is not None:  # the trace of what the root is of is at most 2 d
            least /= 2 * self.root.shape[1]
        return least

    def _low_rank_root(self, z):
        """(I - rootᵀ root)^½ z of rows z; root has orthogonal rows, shorter than 1."""
        squares = np.einsum("ij,ij->i", self.root, self.root)
        # √(1 - s) = 1 - s·share(s) along the direction of each row, whose square is s.
        return z - ((z @ self.root.T) * _share(squares)) @ self.root

    def unseen_gradient(self, gradient):
        """Length, in the scaled features, of the part of a gradient that root maps to zero.

        And the length of the rounding errors of centring in it, in units of eps times the
        size of the residuals.
        """
        g = gradient[:, :-1]
        known = np.abs(self.root).max(axis=0, initial=0.0) > 0  # not constant columns
        g = g if self.centre is None else g - gradient[:, -1:] * self.centre
        g = np.where(known, g / self.scale, 0.0)
        full_rank = len(self.root) >= known.sum()
        g = np.zeros_like(g) if full_rank else self._beside(g, self.root)
        middle = 0.0 if self.centre is None else np.where(known, self.centre, 0.0)
        return np.linalg.norm(g, axis=1), np.sqrt(g.shape[1]) + np.linalg.norm(
            middle / self.scale
        )

    def row_norms(self, data, fit_intercept):
        """‖Tᵀ x_i‖² of each row."""
        norms = np.concatenate(list(data.over_blocks(self._norms)))
        return norms + 1.0 if fit_intercept else norms

    def _norms(self, data):
        """The same of the rows of a block, without an intercept."""
        inverse = 1.0 if self.scale is None else 1.0 / self.scale
        if self.root is None and data.is_sparse:
            Z = data.rows.canonical
            Z = Z.multiply(inverse).tocsr() if self.scale is not None else Z
            norms = row_norms(Z, squared=True).astype(np.float64)
            if self.centre is not None:
                middle = self.centre * inverse
                norms = norms - 2 * (Z @ middle) + middle @ middle
        else:
            norms = []
            for X, _ in data.rows.chunks():
                Z = (X if self.centre is None else X - self.centre) * inverse
                norms.append(row_norms(Z if self.root is None else self._rotated(Z), True))
            norms = np.concatenate(norms)
        return norms

    def _rotated(self, Z):
        return self._low_rank_root(Z) if self.low_rank else product(Z, self.root.T)


def product(rows, matrix):
    """rows @ matrix in double precision; in single, if the matrix is."""
    if matrix.dtype == np.float64:
        return rows @ matrix
    size = np.abs(rows).max(axis=1, keepdims=True)  # single precision has a smaller range
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    return ((rows / size).astype(np.float32) @ matrix).astype(np.float64) * size


def _share(squares):
    """(1 - √(1 - s)) / s."""
    return 1.0 / (1.0 + np.sqrt(1.0 - squares))


def diagonal_metric(data, fit_intercept, alpha, find=None):
    """Centre and scale only: scale² is the diagonal of the curvature with penalty.

    `find`: see `moments`.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        centre, scale, constant = moments(data, fit_intercept, find)
        known = scale if centre is None else scale + centre
    if not np.isfinite(known).all():
        refuse_overflow(data, known)
    scale = np.sqrt(scale**2 + alpha) if alpha else scale
    return Metric(centre, scale, constant=constant)
