"""What curvatures cost, in passes over the rows, and how many rows pay."""

import numpy as np

# Up to this work (n d²), some ms, all rows are taken, and by QR where digits need it.
QR_WORK = 2e7
# What the work on a row costs, in passes of that row (measured from 10 to 1000 features,
# docs/design-notes.md): its products (once, and for each feature), by the compiled pass or
# by BLAS, and fetching it from a random place.
COMPILED_COST, COMPILED_COST_A_FEATURE = 0.5, 1 / 20
BLAS_COST, BLAS_COST_A_FEATURE = 4.0, 1 / 50
FETCH_COST = 2.0
# Up to so many columns the compiled pass is the quicker one: BLAS, whose products of narrow
# blocks wait for memory, takes 1.5 times as long at 20.
MOST_COMPILED = 150
# A non-zero of a sparse row costs as much as so many numbers of a dense one.
SPARSE_COST = 4.0
# The least sample: with 5 rows a feature a step shrinks the gap fivefold, and directions
# are known to within a factor of 2.
SAMPLE_ROWS = 5
# ... and enough of them that a rare column is likely to be seen in it.
SMALLEST_SAMPLE = 1000


def cost_of_all(n_features):
    """Passes that the curvature of all rows takes."""
    if n_features < MOST_COMPILED:
        return COMPILED_COST + COMPILED_COST_A_FEATURE * n_features
    return BLAS_COST + BLAS_COST_A_FEATURE * n_features


def cost_of_density(data):
    """Passes that the curvature of the least sample of sparse rows takes."""
    n, d = data.n_rows, data.n_features
    size = min(n, max(SMALLEST_SAMPLE, SAMPLE_ROWS * d))
    if size * d**2 <= QR_WORK:
        return 0.0
    return size / n * cost_of_all(d) * d / (SPARSE_COST * data.row_size)


def cost_of_sample(size, n_rows, n_features):
    """Passes that the curvature of so many rows takes."""
    return size / n_rows * (cost_of_all(n_features) + FETCH_COST)


def passes_left(gap, tol, ratio):
    """Passes until a gap that shrinks by `ratio` a pass is at tol."""
    if not ratio < 1.0:
        return np.inf
    return max(0.0, np.log(max(gap, 1e-30) / tol) / -np.log(max(ratio, 1e-30)))


def sample_size(n_rows, n_features, tol):
    """How many rows to take the curvature from, for the least time in all.

    All of them where that is no time at all: the answer is then exact.

    With s rows a step shrinks the gap by d/s (the sample's least squares begin there,
    too): conjugate gradients on a curvature whose condition number in the metric is
    ((1 + √(d/s)) / (1 - √(d/s)))², that of a sample covariance.
    """
    best, least = n_rows, cost_of_all(n_features) + 1.0
    if n_rows * n_features**2 <= QR_WORK:
        return n_rows
    size = max(SMALLEST_SAMPLE, SAMPLE_ROWS * n_features)
    while 2 * size < n_rows:
        cost = cost_of_sample(size, n_rows, n_features)
        cost += max(1.0, passes_left(1.0, tol, n_features / size))
        if cost < least:
            best, least = size, cost
        size = int(1.5 * size)
    return best
