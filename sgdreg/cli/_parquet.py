"""Parquet files."""

import re

import pyarrow as pa
from pyarrow import parquet

from sgdreg.cli import _table
from sgdreg.cli._messages import Unusable, one_line

# Rows of a piece: few, so that a piece of a wide table is not too large.
BATCH = 2**15
# The name that pandas gives to an index without a name: mostly row numbers.
INDEX = r"__index_level_\d+__"


def read_parquet(source):
    """The source of an Input of a Parquet file."""
    if not source.again:
        raise Unusable(f"{source.title} is too long to hold: Parquet is read from a path.")
    try:
        with source.open() as stream:
            raw = parquet.ParquetFile(stream).schema_arrow.names
    except (pa.ArrowException, OSError) as error:
        raise Unusable(_unreadable(source, error)) from None
    index = [name for name in raw if re.fullmatch(INDEX, name)]
    raw = [name for name in raw if name not in index]
    notes = [f"Left out {name}, the index of a pandas data frame." for name in index]
    names = _table.tidied(raw)

    def pieces(columns):
        included = raw if index else None
        if columns is not None:
            wanted = set(columns)
            included = [r for r, n in zip(raw, names, strict=True) if n in wanted]
        known = dict(zip(raw, names, strict=True))
        try:
            with source.open() as stream:
                file, size = parquet.ParquetFile(stream), 0
                for batch in file.iter_batches(BATCH, columns=included):
                    size += batch.nbytes
                    source.check(size)
                    table = pa.Table.from_batches([batch])
                    yield table.rename_columns([known[n] for n in table.column_names])
        except (pa.ArrowException, OSError) as error:
            raise Unusable(_unreadable(source, error)) from None

    return _table.source_of(source.title, names, pieces, notes=notes)


def _unreadable(source, error):
    return f"{source.title} cannot be read as Parquet: {one_line(error)}."
