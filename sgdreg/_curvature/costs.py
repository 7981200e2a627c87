"""The cost of a curvature, in passes over the rows, and the best number of rows."""

import numpy as np

# Up to this work (n d²), some ms, all rows are taken, and by QR where digits need it.
QR_WORK = 2e7
# The cost of a row, in passes over that row (measured from 10 to 1000 features,
# docs/design-notes.md): its products with itself (once, and for each feature), by the
# compiled pass or by BLAS, and reading it from a random place.
COMPILED_COST, COMPILED_COST_A_FEATURE = 0.6, 1 / 40
BLAS_COST, BLAS_COST_A_FEATURE = 4.0, 1 / 50
SINGLE_COST, SINGLE_COST_A_FEATURE = 9.0, 1 / 90  # in single precision
FETCH_COST = 2.0
# ... and of the factorisation, times n / d²; half of it in single precision.
FACTOR_COST = 0.06
# Passes until steps have corrected a curvature of all rows in single precision.
SINGLE_STEPS = 2.0
# Up to this many columns the compiled pass is faster than BLAS, for which rows have to be
# centred in memory first: at 20 columns BLAS takes three times as long, at 500 1.6 times.
MOST_COMPILED = 600
# A non-zero of a sparse row costs as much as SPARSE_COST numbers of a dense row.
SPARSE_COST = 4.0
# The least sample has SAMPLE_ROWS rows for each feature: a step then shrinks the gap
# fivefold, and curvatures are known within a factor of 2.
SAMPLE_ROWS = 5
# ... and at least SMALLEST_SAMPLE rows, so that it is likely to contain a rare column.
SMALLEST_SAMPLE = 1000
# A sample may contain a row that is rare among all rows, and show too much curvature along
# it: of 60 problems with outliers, rare levels and clusters one had a gap 5 times the one
# by the sample's curvature, the others less than 3.3 times.
SAMPLED = 3.0
# From this share of the rows on, all are taken: a sample would cost nearly as much.
LARGEST_SAMPLE = 0.5
# Sizes tried for a sample grow by this factor: its cost is flat near the best size.
SIZE_GROWTH = 1.5
# Gaps and ratios below this count as this, so that their logarithm is finite.
LEAST_GAP = 1e-30


def cost_of_all(n_features):
    """The cost of the curvature of all rows, in passes."""
    if n_features < MOST_COMPILED:
        return COMPILED_COST + COMPILED_COST_A_FEATURE * n_features
    return BLAS_COST + BLAS_COST_A_FEATURE * n_features


def cost_of_density(data):
    """The cost of the curvature of the least sample of sparse rows, in passes."""
    n, d = data.n_rows, data.n_features
    size = min(n, max(SMALLEST_SAMPLE, SAMPLE_ROWS * d))
    if size * d**2 <= QR_WORK:
        return 0.0
    return size / n * cost_of_all(d) * d / (SPARSE_COST * data.row_size)


def cost_of_sample(size, n_rows, n_features):
    """The cost of the curvature of a random sample of `size` rows, in passes."""
    return size / n_rows * (cost_of_all(n_features) + FETCH_COST)


def single_size(n_rows, n_features, tol):
    """How many rows to take a curvature in single precision from; see `sample_size`."""
    a_row = SINGLE_COST + SINGLE_COST_A_FEATURE * n_features
    best, least, size = n_rows, a_row + 1.0, 2 * n_features
    while size < LARGEST_SAMPLE * n_rows:
        cost = size / n_rows * (a_row + FETCH_COST)
        cost += max(1.0, passes_left(1.0, tol, n_features / size))
        if cost < least:
            best, least = size, cost
        size = int(SIZE_GROWTH * size)
    return best


def passes_left(gap, tol, ratio):
    """The passes after which a gap that shrinks by `ratio` a pass is at tol."""
    if not ratio < 1.0:
        return np.inf
    gap, ratio = max(gap, LEAST_GAP), max(ratio, LEAST_GAP)
    return max(0.0, np.log(gap / tol) / -np.log(ratio))


def single_pays(n_rows, n_features, tol):
    """Whether all rows in single precision cost least, of many features."""
    single = SINGLE_COST + SINGLE_COST_A_FEATURE * n_features + SINGLE_STEPS
    double = _cost(sample_size(n_rows, n_features, tol), n_rows, n_features, tol)
    return single <= double + 0.5 * FACTOR_COST * n_features**2 / n_rows


def _cost(size, n_rows, n_features, tol):
    """The cost of a fit by the curvature of `size` rows, in passes."""
    if size == n_rows:
        return cost_of_all(n_features) + 1.0
    steps = max(1.0, passes_left(1.0, tol, n_features / size))
    return cost_of_sample(size, n_rows, n_features) + steps


def sample_size(n_rows, n_features, tol):
    """The number of rows whose curvature makes the whole fit shortest.

    All rows if their curvature takes a few milliseconds only: the answer is then exact.

    With a sample of s rows, whose least squares start at a gap of about d/s, a step shrinks
    the gap by d/s: conjugate gradients on a curvature with, in the metric, the condition
    number ((1 + √(d/s)) / (1 - √(d/s)))² of a sample covariance.
    """
    if n_rows * n_features**2 <= QR_WORK:
        return n_rows
    best, least = n_rows, _cost(n_rows, n_rows, n_features, tol)
    size = max(SMALLEST_SAMPLE, SAMPLE_ROWS * n_features)
    while size < LARGEST_SAMPLE * n_rows:
        cost = _cost(size, n_rows, n_features, tol)
        if cost < least:
            best, least = size, cost
        size = int(SIZE_GROWTH * size)
    return best
