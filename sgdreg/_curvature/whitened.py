"""The curvature of further rows, by products in coordinates where earlier ones are white.

Products of rows lose half of their digits where columns depend on each other. Of rows that
look like the earlier ones they do not, once these are turned by the triangle R of the
earlier ones: Z = (x - mean) R⁻¹ has a Gram matrix near the identity (for Cholesky-QR made
stable by a sketch, see Y. Fan, Y. Guo, T. Lin, A Novel Randomized XR-Based Preconditioned
CholeskyQR Algorithm, 2021).
"""

from functools import partial

import numpy as np
from scipy import linalg

from sgdreg._curvature.factor import EASY_INFLATION, Curvature
from sgdreg._curvature.triangles import column_norms, inverse_size

# Rows at a time: 1 MiB of their numbers, but at least ROWS.
BYTES, ROWS = 2**20, 256


def depend_on_each_other(known):
    """Whether products of rows like the earlier ones would lose digits."""
    if len(known.triangle) < known.n_features:
        return False
    scale = column_norms(known.features)
    R = known.features / np.where(scale > 0, scale, 1.0)
    return not inverse_size(R) <= EASY_INFLATION


def curvature_by_whitened_products(data, known):
    """The curvature of all rows of `data`; None where it has to be computed otherwise.

    That is where the earlier rows have too few directions, or where these rows have others.

    Parameters
    ----------
    data : Data
    known : Curvature
        Of earlier rows.
    """
    d, k = data.n_features, data.n_outputs
    if len(known.triangle) < d or known.rows <= d or data.is_sparse:
        return None
    R = known.triangle[:d, :d] / np.sqrt(known.total)
    if not (np.abs(R.diagonal()) > 0).all():
        return None
    inverse, failed = linalg.lapack.dtrtri(R)
    if failed or not np.isfinite(inverse).all():
        return None
    turn = np.asfortranarray(np.triu(inverse))
    with np.errstate(over="ignore", invalid="ignore"):
        G = sum(data.over_pieces(partial(_part, centre=known.centre, turn=turn)))
        G += np.triu(G, 1).T
        total = G[-1, -1]
        if not np.isfinite(G).all() or not total > 0:
            return None
        step = G[-1, :-1] / total if known.centred else np.zeros(d + k)
        G = G[:-1, :-1] - total * np.outer(step, step)
    L, failed = linalg.lapack.dpotrf(G[:d, :d], clean=True)
    if failed or not inverse_size(L) * np.abs(G[:d, :d]).max() <= EASY_INFLATION:
        return None
    targets, _ = linalg.lapack.dtrtrs(L, G[:d, d:], trans=1)
    triangle = np.concatenate([L @ R, targets], axis=1)
    moved = np.append(step[:d] @ R, step[d:])
    return Curvature(total, data.n_rows, known.centre + moved, triangle, d, known.centred)


def _part(block, piece, centre, turn):
    """The upper triangle of Σ s a aᵀ of a = [turned features, targets, 1] of a piece."""
    d, width = block.n_features, len(centre) + 1
    products = np.zeros((width, width), order="F")
    for X, y, weights in block.chunks(ROWS, piece, BYTES):
        A = np.empty((len(X), width))
        np.matmul(X - centre[:d], turn, out=A[:, :d])
        np.subtract(y, centre[d:], out=A[:, d:-1])
        A[:, -1] = 1.0
        if block.weights is not None:
            A *= np.sqrt(weights)[:, None]
        products = linalg.blas.dsyrk(1.0, A.T, beta=1.0, c=products, overwrite_c=True)
    return products
