"""Cells: which are numbers, which are text, which are empty."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli._numerals import Numerals

PLAIN = Numerals()
# CP/M and DOS end text files with this character.
CTRL_Z = "\x1a"
# Cells that are handled in one call: as float64 they take 2 MiB.
TOGETHER = 2**18
# Ids of types, which are compared faster than types: wide files have many columns. Some
# types are newer than the oldest pyarrow that works here.
NUMBERS = {
    pa.bool_().id,
    *(getattr(pa, f"int{size}")().id for size in (8, 16, 32, 64)),
    *(getattr(pa, f"uint{size}")().id for size in (8, 16, 32, 64)),
    *(getattr(pa, f"float{size}")().id for size in (16, 32, 64)),
    *(
        getattr(pa, f"decimal{size}")(1).id
        for size in (32, 64, 128, 256)
        if hasattr(pa, f"decimal{size}")
    ),
}
TEXTS = {
    getattr(pa, name)().id
    for name in ("string", "large_string", "string_view")
    if hasattr(pa, name)
}
TRUE, FALSE = pa.array(["true", "True", "TRUE"]), pa.array(["false", "False", "FALSE"])


def numbers(values, numerals=PLAIN):
    """The numbers of a column; true and false count as 1 and 0.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
    numerals : Numerals
        The format of numbers in text.

    Returns
    -------
    x : ndarray of float64
        NaN where a cell is empty or not a number.
    wrong : pyarrow.BooleanArray or None
        Which cells are not numbers; None if all are.
    """
    values = flat(values)
    kind = values.type
    if is_number(kind) or pa.types.is_null(kind):
        return _to_numpy(values.cast(pa.float64(), safe=False)), None
    if not is_text(kind):
        return np.full(len(values), np.nan), pc.is_valid(values)
    found = numerals.quickly(values)
    if found is not None:
        return _to_numpy(found), None
    cells = texts(values)
    cells = pc.if_else(pc.is_in(cells, TRUE), "1", cells)
    cells = pc.if_else(pc.is_in(cells, FALSE), "0", cells)
    cells, good = numerals.plain(cells)
    cells = pc.replace_substring_regex(pc.if_else(good, cells, None), r"^\+", "")
    wrong = None if pc.all(good).as_py() else pc.invert(good)
    return _to_numpy(cells.cast(pa.float64())), wrong


def side_by_side(columns):
    """Yield groups of neighbouring columns of one type, each group as one array.

    A call of pyarrow takes some microseconds, however short its column is. So tables of
    many columns are handled in groups.

    Parameters
    ----------
    columns : list of pyarrow.ChunkedArray

    Yields
    ------
    slice
        Positions of the columns of the group.
    values : pyarrow.Array
        Their cells, one column after the other; all columns have the same length.
    """
    start = 0
    while start < len(columns):
        kind, rows = columns[start].type, len(columns[start])
        most = 1 if pa.types.is_dictionary(kind) else max(1, TOGETHER // max(rows, 1))
        stop = start + 1
        while stop < min(start + most, len(columns)) and columns[stop].type == kind:
            stop += 1
        chunks = [chunk for column in columns[start:stop] for chunk in column.chunks]
        yield slice(start, stop), flat(pa.chunked_array(chunks, type=kind))
        start = stop


def texts(values):
    """The cells as text, without surrounding spaces; null where they are empty."""
    values = pc.utf8_trim_whitespace(flat(values).cast(pa.string()))
    values = pc.utf8_rtrim(values, CTRL_Z)
    return pc.if_else(pc.equal(values, ""), None, values)


def flat(values):
    """A column, also one in chunks or with a dictionary, as one array of plain values."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.string()) if is_text(values.type) else values


def is_number(kind):
    """Whether an Arrow type is numeric or boolean."""
    return kind.id in NUMBERS


def is_text(kind):
    """Whether an Arrow type is text."""
    return kind.id in TEXTS


def _to_numpy(values):
    return values.to_numpy(zero_copy_only=False)
