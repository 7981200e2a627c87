"""Chunks of Arrow tables: datasets, Parquet files, streams."""

from functools import partial

import numpy as np

from sgdreg._data.chunks import Chunks, Part
from sgdreg._sources.arrays import rows_of
from sgdreg._sources.columns import Columns

INSTALL = "needs pyarrow: pip install 'sgdreg[cli]'"


def knows(source):
    """Whether it can be read as Arrow record batches."""
    lazy = hasattr(source, "collect_batches") and hasattr(source, "collect_schema")
    return lazy or hasattr(source, "__arrow_c_stream__") or _is_dataset(source)


def _is_dataset(source):
    return hasattr(source, "to_batches") and hasattr(source, "schema")


def is_one_shot(source):
    """Whether it is a reader that is used up by reading."""
    return hasattr(source, "read_next_batch")


def pyarrow(title):
    """The module; raises ImportError that says how to install it."""
    try:
        import pyarrow  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise ImportError(f"Reading {title} {INSTALL}") from error
    return pyarrow


def chunks_of(source, rows, *, target, weights, columns, title=None):
    """The chunks of a table, frame, dataset or lazy frame."""
    title = title or type(source).__name__
    names, batches = _opened(source, title)
    used = Columns.among(names, target, weights, columns, title)
    size = rows_of(len(names), rows)
    read = partial(_read, batches, used, size)
    return Chunks(read, title=title, names=used.features)


def _opened(source, title):
    """(names of the columns, function of columns and size that yields record batches)."""
    if _is_dataset(source):

        def batches(names, size):
            if hasattr(source, "scanner"):  # a dataset
                return source.to_batches(columns=names, batch_size=size)
            return source.select(names).to_batches(max_chunksize=size)

        return list(source.schema.names), batches
    if hasattr(source, "collect_batches"):

        def lazy(names, size):
            for frame in source.select(names).collect_batches(chunk_size=size):
                yield from frame.to_arrow().to_batches(max_chunksize=size)

        return source.collect_schema().names(), lazy
    reader = pyarrow(title).RecordBatchReader

    def stream(names, size):
        for batch in reader.from_stream(source):
            for start in range(0, batch.num_rows, size):
                yield batch.select(names).slice(start, size)

    return reader.from_stream(source).schema.names, stream


def _read(batches, columns, size):
    """Yield (X, y, weights) of every batch."""
    for batch in batches(columns.all, size):
        yield part_of(batch, columns)


def part_of(batch, columns, where="", dtype=None):
    """(X, y, weights) of a record batch or table; X of its own type, or of `dtype`."""
    X = _matrix(batch, columns.features, dtype or dtype_of(batch.schema, columns.features))
    y = np.column_stack([numbers(batch, name) for name in columns.targets])
    y = y if isinstance(columns.target, list | tuple) else y[:, 0]
    weights = None if columns.weights is None else numbers(batch, columns.weights)
    return Part.of(X, y, weights, where)


def dtype_of(schema, names):
    """The type of a matrix of these columns: float32 where all are, else float64."""
    types = {str(schema.field(name).type) for name in names}
    return np.dtype(np.float32 if types == {"float"} else np.float64)


def _matrix(batch, names, dtype):
    """Columns of a record batch as a matrix."""
    X = np.empty((batch.num_rows, len(names)), dtype)
    for column, name in enumerate(names):
        X[:, column] = numbers(batch, name)
    return X


def numbers(batch, name):
    """A column as numbers, NaN where it is empty; raises ValueError where it is not."""
    column, pa = batch.column(name), pyarrow("Arrow columns")
    kind = column.type
    if pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ValueError(
            f"Column {name!r} holds {kind}, not numbers. Leave it out by columns=[...], or "
            "encode it before (categories, for example, by one column of 0 and 1 each)."
        )
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    return column.to_numpy(zero_copy_only=False)
