"""Cells: which are numbers, which are text, which are empty."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli._numerals import Numerals

PLAIN = Numerals()
# The end of a file, to programs of old.
CTRL_Z = "\x1a"
# Cells that are looked at in one go, so that numbers of them fill 2 MiB.
TOGETHER = 2**18
# Types by their ids, which are compared faster than types: wide files have many. Some
# are newer than the oldest pyarrow that will do.
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
        How text writes them.

    Returns
    -------
    x : ndarray of float64
        NaN where a cell is empty or no number.
    wrong : pyarrow.BooleanArray or None
        Where it is no number; None: nowhere.
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
    """Columns of one plain type as one array after another, some at a time.

    What is done with a column costs some microseconds however short it is: tables of many
    columns are handled by such groups.

    Parameters
    ----------
    columns : list of pyarrow.ChunkedArray

    Yields
    ------
    slice
        Which of the columns they are.
    values : pyarrow.Array
        Their cells, of as many rows each.
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
    """The cells as text without the spaces around them; null where they are empty."""
    values = pc.utf8_trim_whitespace(flat(values).cast(pa.string()))
    values = pc.utf8_rtrim(values, CTRL_Z)
    return pc.if_else(pc.equal(values, ""), None, values)


def flat(values):
    """One array, of plain values, of a column in chunks or of dictionary indices."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.string()) if is_text(values.type) else values


def is_number(kind):
    """Whether an Arrow type is one of numbers, or of true and false."""
    return kind.id in NUMBERS


def is_text(kind):
    """Whether an Arrow type is one of text."""
    return kind.id in TEXTS


def _to_numpy(values):
    return values.to_numpy(zero_copy_only=False)
