"""The few directions of largest curvature, where a matrix of all would be too large."""

from dataclasses import replace

import numpy as np
from scipy import linalg

# Directions looked for, and rows that they are looked for in.
RANK = 100
ROWS_A_DIRECTION = 10
SAMPLE_BYTES = 2**25


def low_rank_metric(data, diagonal, alpha, rng):
    """The diagonal metric, with the largest curvatures brought down to the others'.

    In the scaled features z, with the eigenvalues l_1 ≥ … ≥ l_r and vectors v_i of a
    sample's E[zzᵀ] (randomised Nyström, Frangella, Tropp, Udell, SIAM Journal on Matrix
    Analysis and Applications 44 (2023), algorithm 2.1),

        inverse curvature = I - Σ_i (1 - (l_r + a)/(l_i + a)) v_i v_iᵀ,

    a the mean of alpha/scale².

    Parameters
    ----------
    data : Data
        Dense.
    diagonal : Metric
        Centre and scale.
    alpha : float
    rng : numpy.random.Generator

    Returns
    -------
    metric : Metric
    rows : int
        How many were looked at.
    """
    d = data.n_features
    most = max(1, SAMPLE_BYTES // (8 * d))
    count = min(data.n_rows, max(1000, ROWS_A_DIRECTION * RANK), most)
    rank = min(RANK, count // 2, d // 2)
    rows = np.sort(rng.choice(data.n_rows, count, replace=False))
    Z, _, weights = data.take(rows)
    Z = (Z if diagonal.centre is None else Z - diagonal.centre) / diagonal.scale
    if data.weights is not None:
        Z *= np.sqrt(weights)[:, None]
    if rank < 1:
        return diagonal, 0
    with np.errstate(invalid="ignore", over="ignore"):
        values, vectors = _largest(Z / np.sqrt(count), rank, rng)
    if values is None:  # nothing curved, or nothing finite: the first pass will say where
        return diagonal, count
    floor = alpha * np.mean(diagonal.scale**-2.0)
    shares = 1.0 - (values[-1] + floor) / (values + floor)
    shares = np.sqrt(np.clip(shares, 0.0, 1.0 - 1e-15))
    root = np.ascontiguousarray((vectors * shares).T)
    metric = replace(diagonal, root=root, low_rank=True)
    return metric, count


def _largest(Z, rank, rng):
    """The largest eigenvalues of ZᵀZ and their vectors (columns), or (None, None)."""
    test = Z.T @ rng.standard_normal((len(Z), rank))  # one step of subspace iteration
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
    _, s, Vt = linalg.svd(half, full_matrices=False, check_finite=False)
    values = s**2 - shift
    known = values > 1e-12 * values[0]
    return values[known], Vt[known].T
