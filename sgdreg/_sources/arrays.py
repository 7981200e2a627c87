"""Chunks of arrays that can be sliced: memory maps, datasets of h5py, arrays of zarr."""

from functools import partial

import numpy as np
from scipy import sparse

from sgdreg._data.chunks import Chunks, Part
from sgdreg._data.mapped import wanted
from sgdreg._sources.columns import Columns

# Bytes of a chunk.
CHUNK_BYTES = 2**25


def knows(source):
    """Whether it is a matrix that can be sliced by rows."""
    return len(getattr(source, "shape", ())) == 2 and hasattr(source, "__getitem__")


def rows_of(width, rows, size=8):
    """The rows of a chunk of so many columns of `size` bytes, unless they are given."""
    return max(1, CHUNK_BYTES // (size * max(1, width))) if rows is None else rows


def chunks_of(X, rows, *, target, weights, columns, title=None):
    """The chunks of a matrix, whose targets are columns of it or another array."""
    n, d = X.shape
    title = title or f"{type(X).__name__} of shape ({n}, {d})"
    if rows is not None and not rows >= 1:
        raise ValueError(f"rows must be at least 1, got {rows!r}.")
    inside = Columns.some(range(d), columns, title)
    if np.ndim(target) == 0 or isinstance(target, list | tuple):
        inside = Columns.among(range(d), target, weights, columns, title)
        target = weights = None
    for name, value in {"target": target, "weights": weights}.items():
        if value is not None and value.shape[0] != n:
            raise ValueError(f"{name} has {value.shape[0]:,} rows, and X has {n:,}.")
    size = rows_of(d, rows, np.dtype(X.dtype).itemsize)
    pieces = [
        partial(_piece, X, target, weights, inside, slice(start, min(start + size, n)))
        for start in range(0, n, size)
    ]
    if inside.target is not None or X.dtype not in (np.float32, np.float64):
        return Chunks.of_pieces(lambda: pieces, title)

    def targets():
        for start in range(0, n, size):
            at = slice(start, min(start + size, n))
            w = None if weights is None else weights[at]
            yield Part.of(None, target[at], w, _where(at))

    known = {"targets": targets, "dtype": np.dtype(X.dtype), "width": len(inside.features)}
    return Chunks.of_pieces(lambda: pieces, title, **known)


def _piece(X, target, weights, columns, at):
    """(X, y, weights) of some rows."""
    part = X[at]
    wanted(part)
    part = part if sparse.issparse(part) else np.asarray(part)
    if columns.target is None:
        y = np.asarray(target[at])
        w = None if weights is None else np.asarray(weights[at])
        if columns.features != list(range(part.shape[1])):
            part = part[:, columns.features]
    else:
        y = part[:, columns.target]
        w = None if columns.weights is None else part[:, columns.weights]
        y, w = (v.toarray() if sparse.issparse(v) else v for v in (y, w))
        part = part[:, columns.features]
    return Part.of(part, y, w, _where(at))


def _where(at):
    return f"rows {at.start:,} to {at.stop:,}"
