"""A metric from a few directions of largest curvature, where the full one is too large."""

from dataclasses import replace

import numpy as np
from scipy import linalg

from sgdreg._curvature.triangles import singular_values
from sgdreg._data.rows import FLOAT_BYTES

# The largest number of directions; the rows of the sample for each, and its bytes, at most.
RANK = 100
ROWS_A_DIRECTION = 10
SAMPLE_BYTES = 2**25
# The rows of the sample, and the features, are at least this many times the directions.
LEAST_RATIO = 2
# The largest eigenvalue of rootᵀ root: I - rootᵀ root has to be positive definite.
LARGEST_SHARE = 1.0 - 1e-15
# Eigenvalues below this share of the largest are rounding errors: the shift that makes the
# matrix positive definite, and is subtracted again, is √d·eps of it.
KNOWN_SHARE = 1e-12


def low_rank_metric(data, diagonal, alpha, rng):
    """The diagonal metric, with the largest curvatures reduced to the size of the others.

    In the scaled features z, with the eigenvalues l_1 ≥ … ≥ l_r and vectors v_i of a
    sample's E[zzᵀ] (randomised Nyström, Frangella, Tropp, Udell, SIAM Journal on Matrix
    Analysis and Applications 44 (2023), algorithm 2.1),

        inverse curvature = I - Σ_i (1 - (l_r + a)/(l_i + a)) v_i v_iᵀ,

    where a is the mean of alpha/scale².

    Parameters
    ----------
    data : Data
        Dense rows.
    diagonal : Metric
        Centre and scale.
    alpha : float
    rng : numpy.random.Generator

    Returns
    -------
    metric : Metric
    rows : int
        The number of rows in the sample.
    """
    d = data.n_features
    most = max(1, SAMPLE_BYTES // (FLOAT_BYTES * d))
    count = min(data.n_rows, ROWS_A_DIRECTION * RANK, most)
    rank = min(RANK, count // LEAST_RATIO, d // LEAST_RATIO)
    rows = np.sort(rng.choice(data.n_rows, count, replace=False))
    Z, _, weights = data.take(rows)
    Z = (Z if diagonal.centre is None else Z - diagonal.centre) / diagonal.scale
    if data.weights is not None:
        Z *= np.sqrt(weights)[:, None]
    if rank < 1:
        return diagonal, 0
    with np.errstate(invalid="ignore", over="ignore"):
        values, vectors = _largest(Z / np.sqrt(count), rank, rng)
    if values is None:  # no curvature, or not finite: then the first pass says where
        return diagonal, count
    floor = alpha * np.mean(diagonal.scale**-2.0)
    shares = 1.0 - (values[-1] + floor) / (values + floor)
    shares = np.sqrt(np.clip(shares, 0.0, LARGEST_SHARE))
    root = np.ascontiguousarray((vectors * shares).T)
    metric = replace(diagonal, root=root, low_rank=True)
    return metric, count


def _largest(Z, rank, rng):
    """The largest eigenvalues of ZᵀZ and their vectors (columns), or (None, None)."""
    test = Z.T @ rng.standard_normal((len(Z), rank))  # a step of subspace iteration
    if not np.isfinite(test).all():
        return None, None
    test = linalg.qr(test, mode="economic", check_finite=False)[0]
    image = Z.T @ (Z @ test)
    shift = np.sqrt(len(test)) * np.finfo(np.float64).eps * np.linalg.norm(image)
    if not 0.0 < shift < np.inf:
        return None, None
    inner = test.T @ (image := image + shift * test)
    R, failed = linalg.lapack.dpotrf((inner + inner.T) / 2)
    if failed:
        return None, None
    half = linalg.solve_triangular(R, image.T, trans="T", check_finite=False)
    _, s, Vt = singular_values(half)
    values = s**2 - shift
    known = values > KNOWN_SHARE * values[0]
    return values[known], Vt[known].T
