"""The curvature of thousands of features, in single precision: half the time and memory."""

import itertools
from dataclasses import replace

import numpy as np
from scipy import linalg

from sgdreg._curvature.costs import SAMPLED
from sgdreg._curvature.gram import Gram, block_rows

# Rows that are centred and scaled at a time: a core's cache holds them.
CACHED_ROWS = 64
# This is added to the diagonal, whose mean is one: single precision cannot tell directions
# of less curvature from none (docs/design-notes.md). If rounding errors are larger, ten
# times as much is tried, up to MOST_JITTER.
JITTER, MOST_JITTER = 1e-6, 1e-3
# Rounding errors of the products: each of the d² numbers has one of a random sign.
EPS = float(np.finfo(np.float32).eps)
# All rows are taken where the squares of a column in a sample differ from those in all rows
# by more than this factor: the sample then knows too little of a few large rows.
UNLIKE = SAMPLED
# Power iterations that look for the direction of least curvature, and the factor that they
# may have missed of it.
POWER_STEPS, MISSED = 12, 2.0
# Where jitter and rounding errors may be more than this share of the least curvature, it is
# not known.
KNOWN = 0.5


def single_metric(data, diagonal, alpha, size, rng):
    """The metric R⁻¹ of RᵀR = ZᵀSZ/total + alpha/scale² + JITTER, in single precision.

    Steps in its coordinates correct it, by gradients in double precision.

    Parameters
    ----------
    data : Data
        Dense.
    diagonal : Metric
        Centre and scale Z of all rows.
    alpha : float
    size : int
        Rows of a random sample. All are taken where these are half of all or more, or
        where they are `UNLIKE` all.
    rng : numpy.random.Generator

    Returns
    -------
    metric : Metric
        Its `certain` is zero where single precision does not tell all directions.
    rows : int
    """
    sampled = 2 * size < data.n_rows
    rows = data.random_rows(rng, size) if sampled else data
    C, total = _products(rows, diagonal)
    C /= total
    seen = np.diagonal(C).copy()
    if not np.isfinite(seen).all():  # the first pass will say where
        return diagonal, len(seen)
    ridge = alpha / diagonal.scale / diagonal.scale
    varies = True if diagonal.constant is None else ~diagonal.constant
    near = (seen + ridge > 1.0 / UNLIKE) & (seen + ridge < UNLIKE)
    if sampled and not (near | ~varies).all():
        return single_metric(data, diagonal, alpha, data.n_rows, rng)
    at = np.diag_indices(len(C))
    jitter, failed = JITTER, True
    while failed and jitter <= MOST_JITTER:  # rounding errors may be larger
        C[at] = np.where(varies, seen + ridge, 1.0) + jitter
        R, failed = linalg.lapack.spotrf(C.T, clean=True)
        jitter *= 10.0
    if failed:
        return diagonal, rows.n_rows
    inverse, failed = linalg.lapack.strtri(R, overwrite_c=True)
    if failed or not np.isfinite(inverse).all():
        return diagonal, rows.n_rows
    if diagonal.constant is not None:  # no step is taken along them
        inverse[diagonal.constant] = 0.0
    root = inverse.T
    unsure = 0.1 * jitter + EPS * np.sqrt(len(root))
    certain = 1.0 - MISSED * unsure * _largest_square(root)
    certain = 0.0 if certain < KNOWN else certain / (SAMPLED if sampled else 1.0)
    metric = replace(diagonal, root=root, certain=certain)
    return metric, rows.n_rows


def _products(data, diagonal):
    """ZᵀSZ in single precision, and the sum of the weights."""
    centre, inverse = diagonal.centre, 1.0 / diagonal.scale

    def part(block, piece):
        d, total = block.n_features, 0.0
        gram, rows = Gram(d, np.float32), block_rows(d)
        Z, kept, filled = np.empty((CACHED_ROWS, d)), np.empty((rows, d), np.float32), 0
        for X, _, weights in block.chunks(CACHED_ROWS, piece, 1):
            n, factors = len(X), inverse
            if filled + n > rows:
                gram.add(kept[:filled])
                filled = 0
            if block.weights is not None:
                factors = np.sqrt(weights)[:, None] * inverse
            centred = X if centre is None else np.subtract(X, centre, out=Z[:n])
            scaled = kept[filled : filled + n]
            np.multiply(centred, factors, out=scaled, casting="same_kind")
            filled += n
            total += weights.sum()
        gram.add(kept[:filled])
        return gram.total, total

    with np.errstate(over="ignore", invalid="ignore"):
        parts = data.over_pieces(part, _halves)
        products, total = next(parts)
        for more, weight in parts:
            products += more
            total += weight
    return products, total


def _halves(data):
    """Two pieces at most: as many matrices as there are halves, however many threads."""
    half = len(data.pieces) // 2
    cuts = [0, data.n_rows]
    if half:
        cuts.insert(1, data.pieces[half][0])
    return list(itertools.pairwise(cuts))


def _largest_square(root):
    """The largest eigenvalue of rootᵀ root, nearly: by power iteration."""
    v = np.random.default_rng(0).standard_normal(len(root)).astype(np.float32)
    size = 0.0
    for _ in range(POWER_STEPS):
        v /= np.linalg.norm(v)
        v = (root @ v) @ root
        size = float(np.linalg.norm(v))
    return size
