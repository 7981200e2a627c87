"""Parabolas that touch the losses of rows: what least squares can stand for."""

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg.losses import ask, is_squared

# Residuals count as no smaller than this share of their size, in the first round and
# from some later one on (0.2 throughout: 4 % above the optimum for quantiles 0.1 and 0.9 of
# a level shift; with 0.03 the rest is the sample's).
SMALLEST, SMALLER = (0.2, 0.03), 0.7


def met(data, start, weights):
    """The curvature of rows as their answer meets them: for a stream that follows."""
    bends, targets = np.ones(data.n_rows), None
    if not is_squared(data.loss):
        r = residuals(data, weights[0], start.metric.centre)
        bends, targets = parabola(data, r, SMALLEST[0] * size_of([data], [r]))
    if not bends.any():
        return None
    return curvature_of(data.weighed(bends, targets), start.plan.fit_intercept)


def residuals(data, weights, centre):
    """Prediction less target of each row, at some weights (d + 1,) at a centre."""
    with np.errstate(invalid="ignore", over="ignore"):
        r = data.predictions(weights, centre) - data.targets[:, 0]
    if not np.isfinite(r).all():
        data.check_finite()
    return r


def weights_of(data):
    return np.ones(data.n_rows) if data.weights is None else data.row_weights


def size_of(rows, r, others=None):
    """How large residuals are, or their differences, by most of them: (mean √|r|)²."""
    total = roots = 0.0
    for i, data in enumerate(rows):
        e = r[i] if others is None else r[i] - others[i]
        weights = weights_of(data)
        total, roots = total + weights.sum(), roots + weights @ np.sqrt(np.abs(e))
    return (roots / total) ** 2


def parabola(data, r, small):
    """Parabolas that touch the losses at residuals r and lie above them elsewhere.

    ½ b (p - z)² of each row: (b, z), z None where it is y, b = L'(r)/r. With a dead zone
    that would lie below; there it is the sum of two hinges' (max(e, 0) is ½ (|e| + e)).
    Distances from a kink count as no smaller than `small`.
    """
    y, loss, small = data.targets[:, 0], data.loss, small or 1.0
    dead = getattr(loss, "dead", 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        if not dead:
            r = np.where(np.abs(r) < small, np.where(r < 0, -small, small), r)
            return ask(loss, y, y + r, "gradient") / r, None
        if loss.width:
            bends, slopes = np.full(len(r), loss.smoothness), loss.gradient(y, y + r)
        else:
            bends = slopes = 0.0
            for sign, cap in ((1.0, loss.above), (-1.0, loss.below)):
                e = sign * r - dead
                far = np.maximum(np.abs(e), small)
                bends = bends + 0.5 * cap / far
                slopes = slopes + 0.5 * sign * cap * (1.0 + e / far)
        targets = y + r - slopes / bends
    return bends, targets[:, None]
