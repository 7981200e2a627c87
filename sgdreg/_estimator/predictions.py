"""Predictions of a model, summed in float64 whatever the dtype of its coefficients."""

import numpy as np
from sklearn.utils.extmath import safe_sparse_dot

from sgdreg._data.moments import merged
from sgdreg._data.units import ORDINARY

# Rows are converted to float64 in chunks of this size, which fits the cache of a core.
CHUNK_BYTES = 2**20
NUMBER_BYTES = 8  # of float64


def predictions(X, coef, intercept):
    """X·coefᵀ + intercept, in the wider dtype of X and coef.

    In float32 each product and sum has a relative rounding error of 6e-8. That can be as
    large as the prediction, where the terms of dependent columns nearly cancel.

    Parameters
    ----------
    X : ndarray or csr of shape (n, d)
    coef : ndarray or csr of shape (d,) or (k, d)
    intercept : float or ndarray of shape (k,)
    """
    dtype = np.result_type(X.dtype, coef.dtype)
    if X.dtype == coef.dtype == np.float64:
        return safe_sparse_dot(X, coef.T, dense_output=True) + intercept
    coef = coef.astype(np.float64, copy=False)
    size = X.size / max(1, X.shape[0])  # for CSR: non-zeros per row
    rows = max(1, int(CHUNK_BYTES / (NUMBER_BYTES * max(1.0, size))))
    out = np.empty((X.shape[0], *coef.shape[:-1]), dtype=dtype)
    with np.errstate(over="ignore"):
        for start in range(0, X.shape[0], rows):
            part = X[start : start + rows].astype(np.float64)
            sums = safe_sparse_dot(part, coef.T, dense_output=True)
            out[start : start + rows] = sums + intercept
    return out


def r_squared(y, predicted, weights):
    """R² of predictions.

    Very small and very large numbers are divided by a power of two first, which does not
    change R²: their squares would be zero or infinite in float64.
    """
    from sklearn.metrics import r2_score  # noqa: PLC0415 (slow to import)

    exponent = int(np.frexp(np.abs(y).max())[1])
    if abs(exponent) > ORDINARY:
        y, predicted = (np.ldexp(np.float64(part), -exponent) for part in (y, predicted))
    with np.errstate(over="ignore"):  # R² of predictions far off is -inf
        return r2_score(y, predicted, sample_weight=weights)


class RunningR2:
    """R² of predictions that come in pieces, with weights; the mean over the outputs."""

    def __init__(self):
        self.rows, self.total, self.mean, self.squares, self.missed = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, y, predicted, weights=None):
        """Add some rows."""
        weights = np.ones(len(y)) if weights is None else weights
        new = weights.sum()
        if new == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e200
            mean = weights @ y / new
            self.total, self.mean, self.squares = merged(
                (self.total, self.mean, self.squares),
                (new, mean, weights @ np.square(y - mean)),
            )
            self.missed += weights @ np.square(y - predicted)
        self.rows += len(y)

    def join(self, other):
        """Add the rows of another one."""
        if not other.total:
            return
        mine, theirs = ((s.total, s.mean, s.squares) for s in (self, other))
        with np.errstate(over="ignore", invalid="ignore"):
            self.total, self.mean, self.squares = merged(mine, theirs)
            self.missed = self.missed + other.missed
        self.rows += other.rows

    @property
    def value(self):
        """R²; None where all targets are the same, there are none, or squares overflow."""
        squares, missed = np.atleast_1d(self.squares), np.atleast_1d(self.missed)
        if not ((squares > 0) & (squares < np.inf)).all():
            return None
        return float(np.mean(1.0 - missed / squares))
