"""Predictions of a model, summed in float64 whatever its numbers are."""

import numpy as np
from sklearn.utils.extmath import safe_sparse_dot

from sgdreg._data.units import ORDINARY

# Rows taken at a time: what float64 makes of them stays in a core's cache.
CHUNK_BYTES = 2**20


def predictions(X, coef, intercept):
    """X·coefᵀ + intercept, in the wider dtype of X and coef.

    In float32 each product and sum would be off by 6e-8 of itself, which is as large as
    the answer where coefficients of columns that depend on each other nearly cancel.

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
    size = X.size / max(1, X.shape[0])  # of CSR: non-zeros a row
    rows = max(1, int(CHUNK_BYTES / (8 * max(1.0, size))))
    out = np.empty((X.shape[0], *coef.shape[:-1]), dtype=dtype)
    with np.errstate(over="ignore"):
        for start in range(0, X.shape[0], rows):
            part = X[start : start + rows].astype(np.float64)
            sums = safe_sparse_dot(part, coef.T, dense_output=True)
            out[start : start + rows] = sums + intercept
    return out


def r_squared(y, predicted, weights):
    """R², which no unit of y changes: with tiny and huge numbers in another one.

    Their squares are no floats.
    """
    from sklearn.metrics import r2_score  # noqa: PLC0415 (slow to import)

    exponent = int(np.frexp(np.abs(y).max())[1])
    if abs(exponent) > ORDINARY:
        y, predicted = (np.ldexp(np.float64(part), -exponent) for part in (y, predicted))
    with np.errstate(over="ignore"):  # of predictions far off: -inf
        return r2_score(y, predicted, sample_weight=weights)
