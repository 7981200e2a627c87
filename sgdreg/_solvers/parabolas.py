"""Quadratic majorizers of the losses of rows, whose sum is a least-squares problem."""

from typing import NamedTuple

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg.losses import ask, is_squared, made_of_hinges

# Small residuals are raised to this share of the typical one: the first value in the first
# iteration, the second from some later one on. (0.2 throughout ended 4 % above the optimum
# for quantiles 0.1 and 0.9 of a level shift; 0.03, 1.1 % above it for quantile 0.999 of
# 4,000 x 20, and 0.01 0.4 %.)
SMALLEST, SMALLER = (0.2, 0.01), 0.7
# The number of rows whose parabolas are computed at a time.
PIECE = 2**15


def curvature_at(data, start, weights):
    """The curvature of rows by their majorizers at some weights; None where it is zero."""
    if is_squared(data.loss):
        row_curvature, targets = np.ones(data.n_rows), None
    else:
        r = residuals(data, weights[0], start.metric.centre)
        small = SMALLEST[0] * size_of([data], [r])
        row_curvature, targets = parabola(data, r, small)
        del r
    if not row_curvature.any():
        return None
    weighed = data.weighed(row_curvature, targets)
    return curvature_of(weighed, start.plan.fit_intercept)


def residuals(data, weights, centre):
    """Prediction minus target of each row, by weights (d + 1,) at a centre."""
    r = data.predictions(weights, centre) - data.targets[:, 0]
    if not np.isfinite(r).all():
        data.check_finite()
    return r


class Slopes(NamedTuple):
    """The slope of each row's loss, and the largest one, of either sign, near there."""

    here: np.ndarray
    steepest: np.ndarray

    @classmethod
    def of(cls, data, r, size):
        """Those at residuals r of this typical size."""
        near = SMALLEST[0] * size
        sides = (np.abs(slopes_of(data, r + shift)) for shift in (-near, near))
        return cls(slopes_of(data, r), np.maximum(*sides))

    @classmethod
    def of_none(cls):
        return cls(np.zeros(0), np.zeros(0))


def slopes_of(data, r):
    """The slope of each row's loss, at residuals r."""
    y = data.targets[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):
        return ask(data.loss, y, y + r, "gradient")


def weights_of(data):
    return np.ones(data.n_rows) if data.weights is None else data.row_weights


def size_of(rows, r, others=None):
    """The typical size of residuals, or of their differences: (mean √|r|)²."""
    total = roots = 0.0
    for i, data in enumerate(rows):
        e = r[i] if others is None else r[i] - others[i]
        weights = weights_of(data)
        root = np.abs(e)
        total, roots = total + weights.sum(), roots + weights @ np.sqrt(root, out=root)
    return (roots / total) ** 2


def parabola(data, r, small):
    """Parabolas that touch the losses at residuals r and are nowhere below them.

    ½ b (p - z)² of each row, with b = L'(r)/r and z = y; z is returned as None. With a dead
    zone such a parabola would be below the loss: there it is the sum of the parabolas of
    two hinges, max(e, 0) = ½ (|e| + e). Distances from a kink are raised to `small`.

    Returns
    -------
    b : ndarray of shape (n,)
        The curvature of each row.
    z : ndarray of shape (n, 1) or None
    """
    y, loss, small = data.targets[:, 0], data.loss, small or 1.0
    # In pieces, as far as a loss is a formula: ten arrays of all rows are not held.
    size = PIECE if made_of_hinges(loss) else len(r)
    z = np.empty((len(r), 1)) if getattr(loss, "dead", 0.0) else None
    b = np.empty_like(r)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(r), size):
            part = slice(start, start + size)
            b[part], targets = _of_rows(loss, y[part], r[part], small)
            if z is not None:
                z[part, 0] = targets
    return b, z


def _of_rows(loss, y, r, small):
    """b and z of some rows; z is None where it is y."""
    dead = getattr(loss, "dead", 0.0)
    if not dead:
        r = np.where(np.abs(r) < small, np.where(r < 0, -small, small), r)
        return ask(loss, y, y + r, "gradient") / r, None
    if loss.width:
        row_curvature = np.full(len(r), loss.smoothness)
        slopes = loss.gradient(y, y + r)
    else:
        row_curvature = slopes = 0.0
        for sign, cap in ((1.0, loss.above), (-1.0, loss.below)):
            e = sign * r - dead
            far = np.maximum(np.abs(e), small)
            row_curvature = row_curvature + 0.5 * cap / far
            slopes = slopes + 0.5 * sign * cap * (1.0 + e / far)
    return row_curvature, y + r - slopes / row_curvature
