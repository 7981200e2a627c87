"""Products of some columns, about their means and in a scale: of all rows."""

import numpy as np
from scipy.linalg import blas

from sgdreg._curvature.sparse_products import NEAR

# Rows of a product: the work beside it must be small, and so must memory.
PRODUCT_ROWS, PRODUCT_BYTES = 256, 2**20


def products(data, metric, old, new):
    """Means of s z zᵀ of z = (x - centre) / scale: of columns `new`, and with `old` ones.

    Parameters
    ----------
    data : Data
    metric : Metric
        With a scale.
    old, new : ndarray of intp
        Columns.

    Returns
    -------
    own : ndarray of shape (len(new), len(new))
    cross : ndarray of shape (len(old), len(new))
    """
    columns = np.append(old, new)
    centre = np.zeros(len(columns)) if metric.centre is None else metric.centre[columns]
    scale, count = metric.scale[columns], len(old)
    if data.is_sparse and (np.abs(centre) <= NEAR * scale).all():
        A = data.rows.by_column[:, columns]
        weighted = A[:, count:]
        if data.weights is not None:
            weighted = weighted.multiply(data.row_weights[:, None]).tocsc()
        both = (A.T @ weighted).toarray() / data.n_rows
        both -= np.outer(centre, centre[count:])
        both /= np.outer(scale, scale[count:])
    else:
        own = np.zeros((len(new), len(new)), order="F")
        cross = np.zeros((len(old), len(new)), order="F")
        for A, B in _pieces(data, metric, old, new):
            own = blas.dsyrk(1.0, B.T, beta=1.0, c=own, overwrite_c=True)
            if count:
                cross = blas.dgemm(
                    1.0, A.T, B.T, beta=1.0, c=cross, trans_b=True, overwrite_c=True
                )
        own = own + np.triu(own, 1).T
        scale = metric.scale[new]
        own /= data.n_rows * scale[:, None] * scale
        return own, cross / (data.n_rows * np.outer(metric.scale[old], scale))
    return both[count:], both[:count]


def _pieces(data, metric, old, new):
    """The rows' numbers in some columns about their centre, times √s: dense pieces."""
    columns = np.append(old, new)
    size = max(PRODUCT_ROWS, len(columns) // 2, PRODUCT_BYTES // (8 * len(columns)))
    picked = data.rows.by_column[:, columns].tocsr() if data.is_sparse else None
    every, count = len(new) == data.n_features, len(old)
    space = [np.empty((min(size, data.n_rows), len(part))) for part in (old, new)]
    for start in range(0, data.n_rows, size):
        stop = min(start + size, data.n_rows)
        if picked is not None:
            X = picked[start:stop].toarray()
            parts = X[:, :count], X[:, count:]
        else:
            X = data.rows.piece(start, stop)
            parts = (X[:, :0], X) if every else (X.take(old, 1), X.take(new, 1))
        pieces = []
        for part, X, free in zip((old, new), parts, space, strict=True):
            centre = 0.0 if metric.centre is None else metric.centre[part]
            Z = np.subtract(X, centre, out=free[: len(X)])
            if data.weights is not None:
                np.multiply(Z, np.sqrt(data.row_weights[start:stop])[:, None], out=Z)
            pieces.append(Z)
        yield pieces
