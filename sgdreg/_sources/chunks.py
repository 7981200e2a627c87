"""`sgdreg.chunks`: a source of rows that can be read again and again."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from sgdreg._data.chunks import Chunks
from sgdreg._sources import arrays, arrow, files


def chunks(source, *, target=None, weights=None, columns=None, rows=None):
    """Rows in chunks, for data that memory does not hold: what `fit` takes in place of X.

    Parameters
    ----------
    source
        One of

        * a function that returns a new iterator of ``(X, y)`` or ``(X, y, weights)`` at
          each call (a generator function), or a list of such functions;
        * a file, a folder of files, a pattern such as ``"data/*.csv"``, or a list of
          these: Parquet, Arrow or Feather, CSV, svmlight, ``.npy`` and ``.npz``;
        * a ``pyarrow.dataset.Dataset`` or a ``pyarrow.Table``;
        * an object that makes a new Arrow stream each time (``__arrow_c_stream__``: a
          polars or pandas frame, a relation of DuckDB), or a polars lazy frame, which is
          collected in batches;
        * an array that can be sliced: a memory map, a dataset of h5py, an array of zarr.
    target : str, int or array-like, default=None
        The column of y, or several; for arrays its index, or the array of y itself. A
        function's chunks have their own.
    weights : str, int or array-like, default=None
        The column (or array) of the sample weights.
    columns : list, default=None
        The columns of X; None: all others.
    rows : int, default=None
        Rows of a chunk, where the source can be cut anywhere; None: some 30 MB.

    Returns
    -------
    Chunks

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For a source that can be read only once (an iterator, an open reader), one that is
        not there or of another kind, and for columns that are not there.

    Notes
    -----
    A fit reads the source from its beginning several times: once to count and check the
    rows, and then once a pass. While a chunk is worked on, a thread reads the next one. The
    targets and weights stay in memory, 8 bytes each; the rows do not.

    Mini-batches (``optimizer="sgd"``, ...) take the chunks in a random order where the
    source can be read so (arrays, Parquet, folders of ``.npy`` and ``.npz``), and shuffle
    rows within a buffer of 256 MiB of them (Xu and others, VLDB Journal 2024).

    Examples
    --------
    >>> import numpy as np
    >>> import sgdreg
    >>> def day(number):
    ...     rng = np.random.default_rng(number)
    ...     X = rng.normal(size=(100, 2))
    ...     return X, X @ [1.0, 2.0] + 3.0
    >>> def days():
    ...     for number in range(10):
    ...         yield day(number)
    >>> model = sgdreg.SGDLinearRegressor().fit(sgdreg.chunks(days))
    >>> model.coef_.round(6), float(model.intercept_.round(6))
    (array([1., 2.]), 3.0)
    """
    named = {"target": target, "weights": weights, "columns": columns}
    if isinstance(source, Chunks):
        return source
    if callable(source):
        return _of_function(source, named)
    if isinstance(source, list | tuple) and source:
        return _of_list(source, named, rows)
    if isinstance(source, str | Path):
        return files.chunks_of(source, rows, **named)
    if isinstance(source, Iterator) or arrow.is_one_shot(source):
        raise TypeError(
            f"A {type(source).__name__} can be read once, and a fit reads its rows several "
            "times. Pass the function that makes it instead of its result: "
            "sgdreg.chunks(make), not sgdreg.chunks(make())."
        )
    if arrow.knows(source):
        return arrow.chunks_of(source, rows, **named)
    if arrays.knows(source):
        return arrays.chunks_of(source, rows, **named)
    raise TypeError(
        f"sgdreg.chunks does not know how to read a {type(source).__name__}: pass a "
        "function that returns an iterator of (X, y), files, an Arrow table or dataset, or "
        "an array."
    )


def _of_function(make, named):
    for name, value in named.items():
        if value is not None:
            raise TypeError(
                f"{name} has no effect with a function, whose chunks are (X, y) or "
                "(X, y, weights) already."
            )
    title = f"chunks of {getattr(make, '__name__', type(make).__name__)}()"
    return Chunks(partial(_made, make), title=title)


def _made(make):
    """The chunks of a function: a generator, which can be closed."""
    found = make()
    if not isinstance(found, Iterable):
        raise TypeError(
            f"{make!r} has returned a {type(found).__name__}: it must return an iterator "
            "of (X, y), or be a generator function."
        )
    yield from found


def _of_list(sources, named, rows):
    """Several sources, one after the other."""
    parts = [chunks(source, rows=rows, **named) for source in sources]
    title, names = f"{parts[0].title} and {len(parts) - 1} more", parts[0].names
    if any(part.names != names for part in parts):
        raise ValueError(f"The columns of {title} differ: {names} in the first.")
    if all(part.pieces is not None for part in parts):
        return Chunks.of_pieces(partial(_pieces, parts), title, names=names)
    return Chunks(partial(_chained, parts), title=title, names=names)


def _pieces(parts):
    return [piece for part in parts for piece in part.pieces()]


def _chained(parts):
    for part in parts:
        with part.reading() as found:
            yield from found
