"""Weighted mean and standard deviation of the features, dense or sparse."""

from functools import partial

import numpy as np
from scipy import sparse

# A column whose standard deviation is below this share of its mean is constant up to
# rounding: the sum of n equal numbers has a relative error of some eps·log2(n).
CONSTANT_SHARE = 1e-13
# Where the variance is below this share of the squared mean, computing it as a difference
# of sums has lost half of the digits; it is then summed directly.
CANCELLED = 1e-8
# A column whose standard deviation and mean are below the root of this has lost digits of
# its squares, or all of them, near the smallest float64. Its moments are then those of a
# multiple, by a power of two that brings the smallest float64 to 1e-143.
LOST, LIFT = 1e-290, 2.0**600


def moments(data, fit_intercept, find=None):
    """Weighted mean and standard deviation of every feature, in one pass.

    Without an intercept: None and the root mean square. The scale of a constant column is
    one; the third array says which columns are constant. `find`: a function that
    takes the place of `second_moments`.
    """
    find = find or second_moments
    total, mean, squares = find(data)
    squares = squares / total
    scale = np.sqrt(squares if fit_intercept else squares + mean**2)
    lost = np.flatnonzero((squares <= LOST) & (mean**2 <= LOST))
    if len(lost):
        _, middle, squares = second_moments(data, lost)
        mean[lost], squares = middle / LIFT, squares / total
        scale[lost] = np.sqrt(squares if fit_intercept else squares + middle**2) / LIFT
    if not fit_intercept:
        return None, np.where(scale > 0, scale, 1.0), scale == 0
    constant = scale <= CONSTANT_SHARE * np.abs(mean)
    return mean, np.where(constant, 1.0, scale), constant


def second_moments(data, lifted=None):
    """Sum of the weights; mean, and sum of squares about it, of every feature.

    Merged chunk by chunk, so that a large mean costs no digits. Where columns `lifted` are
    given, of these alone, times LIFT.
    """
    known = None
    for part in _parts(data, lifted):
        known = part if known is None else merged(known, part)
    return known


def _parts(data, lifted):
    """The moments of pieces of the rows: of sparse rows, of whole blocks."""
    if data.is_sparse:
        return data.over_blocks(partial(_sparse_moments, lifted=lifted))
    return data.over_pieces(partial(_piece_moments, lifted=lifted))


def _piece_moments(block, piece, lifted):
    d = block.n_features if lifted is None else len(lifted)
    known = 0.0, np.zeros(d), np.zeros(d)
    for X, _, weights in block.chunks(within=piece):
        Z = X if lifted is None else LIFT * X[:, lifted]
        known = merged(known, _chunk_moments(Z, weights))
    return known


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


def _sparse_moments(data, lifted):
    X = data.rows.canonical
    if lifted is not None:
        X = LIFT * X[:, lifted].astype(np.float64)
    weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
    total = weights.sum()
    mean = X.T @ weights / total
    # Σ s (x - m)² = Σ_{x ≠ 0} s ((x - m)² - m²) + S m²
    columns = X.indices
    moved = X.copy()
    moved.data = (X.data - mean[columns]) ** 2 - mean[columns] ** 2
    squares = np.maximum(moved.T @ weights + total * mean**2, 0.0)
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
