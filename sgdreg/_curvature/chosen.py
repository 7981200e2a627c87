"""Products of some columns, about their means and in a scale: of all rows."""

import numpy as np

from sgdreg._curvature.sparse_products import NEAR

# Rows of a product: the work beside it must be small, and so must memory.
PRODUCT_ROWS, PRODUCT_BYTES = 256, 2**23


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
        both = np.zeros((len(columns), len(new)))
        for Z in _pieces(data, columns, centre):
            Z /= scale
            both[:count] += Z[:, :count].T @ Z[:, count:]
            both[count:] += Z[:, count:].T @ Z[:, count:]
        both /= data.n_rows
    return both[count:], both[:count]


def _pieces(data, columns, centre):
    """The rows' numbers in these columns, less their centre, times √s: dense pieces."""
    every = len(columns) == data.n_features
    at_least = max(PRODUCT_ROWS, len(columns) // 2)
    size = max(at_least, PRODUCT_BYTES // (8 * len(columns)))
    picked = data.rows.by_column[:, columns].tocsr() if data.is_sparse else None
    for start in range(0, data.n_rows, size):
        stop = min(start + size, data.n_rows)
        if picked is not None:
            Z = picked[start:stop].toarray()
        else:
            Z = data.rows.piece(start, stop)
            Z = Z[:, columns] if every else np.take(Z, columns, axis=1)
            Z = Z.astype(np.float64, copy=False)
        Z -= centre
        if data.weights is not None:
            Z *= np.sqrt(data.row_weights[start:stop])[:, None]
        yield Z
