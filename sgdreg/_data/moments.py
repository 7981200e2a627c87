"""Weighted mean and standard deviation of the features, dense or sparse."""

import numpy as np
from scipy import sparse

# A column whose standard deviation is below this share of its mean is constant up to
# rounding: the sum of n equal numbers has a relative error of some eps·log2(n).
CONSTANT_SHARE = 1e-13
# Where the variance is below this share of the squared mean, computing it as a difference
# of sums has lost half of the digits; it is then summed directly.
CANCELLED = 1e-8


def moments(data, fit_intercept):
    """Weighted mean and standard deviation of every feature, in one pass.

    Without an intercept: None and the root mean square. The scale of a constant column is
    one; the third array says which columns are constant.
    """
    total, mean, squares = second_moments(data)
    if not fit_intercept:
        scale = np.sqrt(squares / total + mean**2)
        return None, np.where(scale > 0, scale, 1.0), scale == 0
    scale = np.sqrt(squares / total)
    constant = scale <= CONSTANT_SHARE * np.abs(mean)
    return mean, np.where(constant, 1.0, scale), constant


def second_moments(data):
    """Sum of the weights; mean, and sum of squares about it, of every feature.

    Merged chunk by chunk, so that a large mean costs no digits.
    """
    known = None
    for part in _parts(data):
        known = part if known is None else merged(known, part)
    return known


def _parts(data):
    """The moments of pieces of the rows: of sparse rows, of whole blocks."""
    if data.is_sparse:
        return (_sparse_moments(block) for block in data.blocks())
    return (_chunk_moments(X, weights) for X, _, weights in data.chunks())


def merged(one, other):
    """(Sum of the weights, mean, squares about it) of two groups of rows together."""
    (total, mean, squares), (weight, middle, spread) = one, other
    total, mean, step, share = pooled(total, mean, weight, middle)
    return total, mean, squares + (spread + step * step * share)


def pooled(total, mean, weight, middle):
    """Two groups of rows together, by their means and the sums of their weights.

    T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37 (1983), equation
    2.1: the squares about the common mean are those about each group's mean plus
    share·step².

    Returns
    -------
    total : float
    mean : ndarray or float
    step : ndarray or float
        The difference of the two means.
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
            values, among = known.data[stored], weights[known.indices[stored]]
            absent = total - among.sum() if len(values) < len(weights) else 0.0
            deviations = values - mean[column]
            squares[column] = among @ deviations**2 + absent * mean[column] ** 2
    return total, mean, squares


def refuse_overflow(data, known):
    """Raise ValueError for the column of X that makes a moment overflow."""
    data.check_finite()
    column = int(np.argmin(np.isfinite(known)))
    raise ValueError(
        f"The mean or spread of column {column} of X overflows: its numbers are too "
        "large for sums in float64. Rescale the column."
    )
