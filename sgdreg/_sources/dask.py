"""Dask arrays and data frames in this process: their rows, and lazy predictions."""

from functools import partial

import numpy as np

from sgdreg._data.chunks import Chunks, Part
from sgdreg._sources.partitions import (
    groups,
    one_column_of_blocks,
    partitions,
    refuse_failed,
    refuse_unlike,
    together,
)


def chunks_of(X, y, weights=None):
    """The rows of a collection for Dask's threads in this process, a group at a time."""
    parts, names, sizes = partitions(X, y, weights)
    pieces = [partial(_computed, group, names) for group in groups(parts, sizes)]
    return Chunks.of_pieces(lambda: pieces, f"Dask {type(X).__name__}", names=names)


def _computed(group, names):
    import dask  # noqa: PLC0415 (optional)

    try:
        found = dask.compute(*((X, y, w) for _, X, y, w in group))
    except Exception as error:
        refuse_failed(group, error, lambda part: dask.compute(*part))
        raise
    for (number, *_), part in zip(group, found, strict=True):
        refuse_unlike(number, names, *part)
    first, last = group[0][0], group[-1][0]
    return Part.of(*together(found), f"partitions {first} to {last}")


def predicted(function, X, outputs):
    """function(rows) of a collection, lazily: an array, or for frames a series.

    `outputs` is None for predictions of one dimension.
    """
    if hasattr(X, "columns"):
        kinds = dict.fromkeys(range(outputs or 0), float)
        return X.map_partitions(partial(_series, function), meta=kinds or (None, float))
    X, dtype = one_column_of_blocks(X), np.dtype(np.float64)
    if outputs is None:
        return X.map_blocks(function, drop_axis=1, dtype=dtype, meta=np.empty(0))
    width = (X.chunks[0], (outputs,))
    return X.map_blocks(function, chunks=width, dtype=dtype, meta=np.empty((0, 0)))


def _series(function, frame):
    """The predictions for a frame, with its index; of several outputs a frame."""
    import pandas as pd  # noqa: PLC0415 (frames of Dask need it)

    found = function(frame)
    kind = pd.Series if found.ndim == 1 else pd.DataFrame
    return kind(found, index=frame.index)


def each_partition(function, X, y, weights=None):
    """function(X, y, weights) of each partition, in order."""
    import dask  # noqa: PLC0415 (optional)

    parts, _, _ = partitions(X, y, weights)
    return dask.compute(*(dask.delayed(function)(*part) for part in parts))
