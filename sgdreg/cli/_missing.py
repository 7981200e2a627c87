"""Cells that mean empty in some files, such as ? or -9999: ``--missing``."""

from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from sgdreg.cli import _cells
from sgdreg.cli._messages import Unusable, listed


class Markers:
    """The texts of ``--missing``, and a method that makes such cells empty.

    Numbers are compared by value (-9999 is -9999.0), other cells by their characters.

    Parameters
    ----------
    given : sequence of str
        Markers that the user gives to this command.
    known : sequence of str
        Markers of the model, which its fit was given.
    numerals : Numerals
        The format of numbers among `given`.

    Attributes
    ----------
    texts : tuple of str
        All markers.
    """

    def __init__(self, given=(), known=(), numerals=_cells.PLAIN):
        self.given = tuple(_plainly(text.strip(), numerals) for text in given)
        self.texts = tuple(dict.fromkeys([*known, *self.given]))
        self.values = {text: _value(text) for text in self.texts}
        # Cells that pyarrow reads as empty never come here: such markers count as seen.
        self.seen = {"", *csv.ConvertOptions().null_values}

    def applied(self, source):
        """The source with empty cells in place of the markers."""
        if not self.texts:
            return source
        if source.names is None:
            self._refuse_zero(source)
        pieces, emptied = source.pieces, partial(self._emptied, source.numerals)
        return replace(source, pieces=lambda columns: map(emptied, pieces(columns)))

    def notes(self, *titles):
        """A sentence on the given markers that occur nowhere."""
        absent = [repr(text) for text in self.given if text not in self.seen]
        if not absent:
            return []
        verb = "occurs" if len(absent) == 1 else "occur"
        return [f"--missing: {listed(absent)} {verb} nowhere in {' and '.join(titles)}."]

    def _refuse_zero(self, source):
        for text, value in self.values.items():
            if value == 0:
                raise Unusable(
                    f"--missing {text} cannot be told from an absent index in "
                    f"{source.title}, which is a zero, too."
                )

    def _emptied(self, numerals, piece):
        if not isinstance(piece, pa.Table):
            return piece.without(self._numbers_among)
        columns, rows = [], len(piece)
        for place, cells in _cells.side_by_side(piece.columns):
            left = self._column(cells, numerals)
            width = place.stop - place.start
            columns += [left.slice(k * rows, rows) for k in range(width)]
        return pa.table(columns, names=piece.column_names)

    def _column(self, values, numerals):
        kind = values.type
        empty = np.zeros(len(values), dtype=bool)
        if _cells.is_text(kind):
            cells = _cells.texts(values)
            logical = pc.is_in(cells, pa.concat_arrays([_cells.TRUE, _cells.FALSE]))
            for text in self.texts:
                self._mark(text, _mask(pc.equal(cells, text)), empty)
            if any(value is not None for value in self.values.values()):
                x, _ = _cells.numbers(values, numerals)
                empty |= self._numbers_among(np.where(_mask(logical), np.nan, x))
        elif _cells.is_number(kind) and not pa.types.is_boolean(kind):
            floats = kind if pa.types.is_floating(kind) else pa.float64()
            x = values.cast(floats, safe=False).to_numpy(zero_copy_only=False)
            empty = self._numbers_among(x)
        return pc.if_else(pa.array(~empty), values, None) if empty.any() else values

    def _numbers_among(self, x):
        """Which numbers are markers, compared in the precision of `x`."""
        empty = np.zeros(len(x), dtype=bool)
        for text, value in self.values.items():
            if value is not None:
                with np.errstate(over="ignore"):
                    self._mark(text, x == x.dtype.type(value), empty)
        return empty

    def _mark(self, text, found, empty):
        empty |= found
        if found.any():
            self.seen.add(text)


def _plainly(text, numerals):
    """A marker in its stored form: a number is written as in Python."""
    (plain,), (number,) = numerals.plain(pa.array([text], pa.string()))
    return plain.as_py() if number.as_py() else text


def _value(text):
    """The value of a marker that is a number; None if it is text."""
    (x,), _ = _cells.numbers(pa.array([text], pa.string()))
    return None if np.isnan(x) or text.lower() in ("true", "false") else float(x)


def _mask(found):
    return pc.fill_null(found, False).to_numpy(zero_copy_only=False)
