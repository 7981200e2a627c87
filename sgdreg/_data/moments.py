"""Centre and scale of the features, weighted, dense or sparse."""

import numpy as np
from scipy import sparse

# A column whose spread is below this share of its mean is constant up to rounding: the
# sum of n equal numbers is off by some eps·log2(n).
CONSTANT_SHARE = 1e-13
# Squares about a mean that are a smaller share of its own have lost half of their digits
# where they are a difference; they are summed as they are then.
CANCELLED = 1e-8


def moments(data, fit_intercept):
    """Weighted mean and standard deviation of every feature, in one pass.

    Without an intercept: None and the root mean square. The scale of a constant column
    is one; which ones are is the third part.
    """
    total, mean, squares = second_moments(data)
    if not fit_intercept:
        scale = np.sqrt(squares / total + mean**2)
        return None, np.where(scale > 0, scale, 1.0), scale == 0
    scale = np.sqrt(squares / total)
    constant = scale <= CONSTANT_SHARE * np.abs(mean)
    return mean, np.where(constant, 1.0, scale), constant


def second_moments(data):
    """Sum of the weights; mean and sum of squares about it of every feature.

    Merged chunk by chunk, so that a large mean costs no digits.
    """
    if data.is_sparse:
        return _sparse_moments(data)
    known = 0.0, np.zeros(data.n_features), np.zeros(data.n_features)
    for X, _, weights in data.chunks():
        known = merged(known, _chunk_moments(X, weights))
    return known


def merged(one, other):
    """(Sum of the weights, mean, squares about it) of two groups of rows as one."""
    (total, mean, squares), (weight, middle, spread) = one, other
    total, mean, step, share = pooled(total, mean, weight, middle)
    return total, mean, squares + (spread + step * step * share)


def pooled(total, mean, weight, middle):
    """Two groups of rows as one, by their means and the sums of their weights.

    T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37 (1983), equation
    2.1: squares about the common mean are those about the groups' own, and share·step².

    Returns
    -------
    total : float
    mean : ndarray or float
    step : ndarray or float
        From one mean to the other.
    share : float
    """
    both, step = total + weight, middle - mean
    return both, mean + step * (weight / both), step, total * weight / both


def _chunk_moments(X, weights):
    total = weights.sum()
    mean = weights @ X / total
    return total, mean, weights @ (X - mean) ** 2


def _sparse_moments(data):
    X = data.rows.canonical
    weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
    total = weights.sum()
    mean = X.T @ weights / total
    # Σ s (x - m)² = Σ_{x ≠ 0} s ((x - m)² - m²) + S m²
    columns = X.indices
    lifted = X.copy()
    lifted.data = (X.data - mean[columns]) ** 2 - mean[columns] ** 2
    squares = np.maximum(lifted.T @ weights + total * mean**2, 0.0)
    cancelled = np.flatnonzero(squares < CANCELLED * total * mean**2)
    if len(cancelled):
        known = sparse.csc_array(X[:, cancelled])
        for at, column in enumerate(cancelled):
            stored = slice(*known.indptr[at : at + 2])
            values, share = known.data[stored], weights[known.indices[stored]]
            absent = total - share.sum() if len(values) < len(weights) else 0.0
            away = values - mean[column]
            squares[column] = share @ away**2 + absent * mean[column] ** 2
    return total, mean, squares


def refuse_overflow(data, known):
    data.check_finite()
    column = int(np.argmin(np.isfinite(known)))
    raise ValueError(
        f"The mean or spread of column {column} of X overflows: its numbers are too "
        "large for sums in float64. Rescale the column."
    )
