"""Products of some columns, about their means and in a scale: of all rows."""

from functools import partial

import numpy as np
from scipy.linalg import blas

from sgdreg._curvature.sparse_products import NEAR
from sgdreg._data.sums import added
from sgdreg._kernels.descent import scaled_columns

# Rows of a product: the work beside it must be small, and so must memory.
PRODUCT_ROWS, PRODUCT_BYTES = 256, 2**20
# The columns that are mirrored at a time: a block that a cache holds.
MIRRORED = 128


def products(data, metric, old, new, dtype=np.float64):
    """Means of s z zᵀ of z = (x - centre) / scale: of columns `new`, and with `old` ones.

    Parameters
    ----------
    data : Data
    metric : Metric
        With a scale.
    old, new : ndarray of intp
        Columns.
    dtype : dtype
        Of the products of dense columns: float32 takes half the time.

    Returns
    -------
    own : ndarray of shape (len(new), len(new))
    cross : ndarray of shape (len(old), len(new))
        In float64.
    """
    columns = np.append(old, new)
    centre = np.zeros(data.n_features) if metric.centre is None else metric.centre
    about, scale, count = centre[columns], metric.scale[columns], len(old)
    if data.is_sparse and (np.abs(about) <= NEAR * scale).all():
        part = partial(_sparse_products, columns=columns, count=count)
        (both,) = added(data.over_blocks(part))
        both = both / data.n_rows
        both -= np.outer(about, about[count:])
        both /= np.outer(scale, scale[count:])
        return both[count:], both[:count]
    part = partial(_dense_products, about=(centre, 1.0 / metric.scale), old=old, new=new)
    own, cross = added(data.over_blocks(partial(part, dtype=dtype)))
    upper = _mirrored(np.asarray(own, np.float64))
    upper /= data.n_rows
    return upper, cross.astype(np.float64, copy=False) / data.n_rows


def _sparse_products(block, columns, count):
    """Σ s x xᵀ of a block, of all these columns with those from `count` on."""
    A = block.rows.by_column[:, columns]
    weighted = A[:, count:]
    if block.weights is not None:
        weighted = weighted.multiply(block.row_weights[:, None]).tocsc()
    return ((A.T @ weighted).toarray(),)


def _dense_products(block, about, old, new, dtype):
    """Σ s z zᵀ of a block, of columns `new` (the upper triangle), and with `old` ones."""
    own = np.zeros((len(new), len(new)), dtype, order="F")
    cross = np.zeros((len(old), len(new)), dtype, order="F")
    syrk, gemm = blas.get_blas_funcs(("syrk", "gemm"), (own,))
    for A, B in _pieces(block, *about, old, new, dtype):
        own = syrk(1.0, B.T, beta=1.0, c=own, overwrite_c=True)
        if len(old):
            cross = gemm(1.0, A.T, B.T, beta=1.0, c=cross, trans_b=True, overwrite_c=True)
    return own, cross


def _mirrored(upper):
    """The symmetric matrix with this upper triangle (in Fortran order), in place."""
    C = upper.T
    for start in range(0, len(C), MIRRORED):
        stop = start + MIRRORED
        C[start:stop, stop:] = C[stop:, start:stop].T
        block = C[start:stop, start:stop]
        block[:] = np.tril(block) + np.tril(block, -1).T
    return C


def _pieces(data, centre, inverse, old, new, dtype):
    """The rows' numbers in some columns, centred and scaled, times √s: dense pieces."""
    columns = np.append(old, new)
    size = max(PRODUCT_ROWS, len(columns) // 2, PRODUCT_BYTES // (8 * len(columns)))
    picked = data.rows.by_column[:, columns].tocsr() if data.is_sparse else None
    count = len(old)
    space = [np.empty((min(size, data.n_rows), len(part)), dtype) for part in (old, new)]
    for start in range(0, data.n_rows, size):
        stop = min(start + size, data.n_rows)
        pieces = [out[: stop - start] for out in space]
        if picked is not None:
            X = picked[start:stop].toarray()
            Z = (X - centre[columns]) * inverse[columns]
            if data.weights is not None:
                Z *= np.sqrt(data.row_weights[start:stop])[:, None]
            pieces = [Z[:, :count].astype(dtype), Z[:, count:].astype(dtype)]
        else:
            for part, out in zip((old, new), pieces, strict=True):
                if len(part):
                    every = len(part) == data.n_features and (np.diff(part) > 0).all()
                    given = part[:0] if every else part
                    about = centre[part], inverse[part], given, data.rows.index
                    scaled_columns(data.problem, *about, start, out)
        yield pieces
