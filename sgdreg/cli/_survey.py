"""A survey of the columns of a file, in one pass over its pieces."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg._data.moments import CONSTANT_SHARE, merged
from sgdreg.cli import _cells
from sgdreg.cli import _remedies as remedies
from sgdreg.cli._found import found_in
from sgdreg.cli._numerals import Numerals
from sgdreg.cli._rows import Odd

# Categories of a text column are counted up to this number.
MOST_COUNTED = 1000
# From this size on, float64 does not hold every integer.
WHOLE = 2.0**53
# Bytes of a number, and of a stored number of CSR with its index.
NUMBER, STORED = 8, 12
# Numbers of a row besides its features: target and weight; in CSR also the row's start.
BESIDE, BESIDE_CSR = 2, 3


@dataclass
class Column:
    """The survey of a column, so far.

    Attributes
    ----------
    name : str
    type : pyarrow.DataType
    numerals : Numerals
        The format of numbers in its text.
    rows, empty, numbers, infinite, text, dates : int
        The number of cells, and of each kind of cells; dates are also counted as text.
    mean, squares, minimum, maximum : float
        Of its finite numbers; `squares` is the sum of squared deviations from the mean.
    example : (str, int) or None
        The first text cell, and its row.
    others : tuple of str
        Other texts, at most MOST_TOLD.
    close : bool
        Whether it has different integers so large that they are nearly equal in float64.
    totals : Odd or None
        Text cells that name a sum or a mean of other rows.
    """

    name: str
    type: pa.DataType
    numerals: Numerals = _cells.PLAIN
    rows: int = 0
    empty: int = 0
    numbers: int = 0
    infinite: int = 0
    text: int = 0
    dates: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = np.inf
    maximum: float = -np.inf
    example: tuple | None = None
    others: tuple = ()
    close: bool = False
    totals: Odd | None = None
    _counts: dict | None = field(default_factory=dict)
    # Texts that are not counted yet: only few columns are asked for their categories.
    _waiting: list = field(default_factory=list)

    @property
    def kind(self):
        """'numbers', 'text', 'dates', 'empty', or an Arrow type."""
        if self.empty == self.rows:
            return "empty"
        if not (_cells.is_number(self.type) or _cells.is_text(self.type)):
            return str(self.type)
        if self.text == 0:
            return "numbers"
        return "dates" if self.dates == self.rows - self.empty else "text"

    @property
    def std(self):
        """Standard deviation of the numbers."""
        return np.sqrt(self.squares / self.numbers) if self.numbers else np.nan

    @property
    def nearly_numeric(self):
        """Whether it seems to be numeric, but some of its cells cannot be read."""
        return self.kind == "text" and (
            self.numbers >= self.text or remedies.writing(self) is not None
        )

    def why_not_numbers(self):
        """A clause that says why the column is not numeric."""
        if self.nearly_numeric:
            cell, verb = self.example[0], "is" if self.text == 1 else "are"
            advice = remedies.writing(self) or remedies.emptying(self)
            return (
                f"{self.text:,} of its {self.rows:,} cells {verb} text, such as {cell!r} "
                f"({advice})"
            )
        return {
            "empty": "it is empty",
            "text": "it is text",
            "dates": "it holds dates",
        }.get(self.kind, f"it is of type {self.kind}")

    def add(self, cells, found):
        """Count the next cells, of which the first is in row `self.rows` + 1.

        Parameters
        ----------
        cells : pyarrow.Array
        found : Found
            The summary of these cells.
        """
        if found.count:
            self._add_numbers(found)
            self._note_close(cells, found)
        self.infinite += found.infinite
        if found.others is not None:
            self._add_text(found.others)
        if found.texts is not None and self._counts is not None:
            self._waiting.append(found.texts)
            if sum(map(len, self._waiting)) > MOST_COUNTED:
                self._count_waiting()
        self.rows += len(cells)
        self.empty = self.rows - self.numbers - self.infinite - self.text

    def _note_close(self, cells, found):
        if not self.close and _nearly_equal(found):
            self.close = len(pc.unique(cells.drop_null())) > 1

    @property
    def indistinct(self):
        """Whether the column varies, but its numbers are nearly equal in float64."""
        return self.close and self.kind == "numbers" and _nearly_equal(self)

    def _add_numbers(self, found):
        # Floats of Python overflow to infinity without a warning.
        self.numbers, self.mean, self.squares = merged(
            (self.numbers, self.mean, self.squares),
            (found.count, found.mean, found.squares),
        )
        self.minimum = min(self.minimum, found.minimum)
        self.maximum = max(self.maximum, found.maximum)

    def _add_text(self, cells):
        only_dates = self.dates == self.text
        self.text += cells.count
        if cells.words is None:
            self._counts = None
            return
        if self.example is None:
            self.example = (cells.example.as_py(), self.rows + int(cells.rows[0]) + 1)
        if len(self.others) < remedies.MOST_TOLD:
            self._keep_others(cells)
        if cells.totals:
            at = cells.first_total
            cell = cells.words[at].as_py()
            found = Odd(cells.totals, self.rows + int(cells.rows[at]) + 1, cell)
            self.totals = found if self.totals is None else self.totals + found
        if only_dates:
            self.dates += cells.dates

    def _keep_others(self, cells):
        known, new = {self.example[0].strip(), *self.others}, []
        for code in dict.fromkeys(cells.words.indices.to_numpy().tolist()):
            word = cells.words.dictionary[code].as_py()
            if word not in known:
                new.append(word)
            if len(new) == remedies.MOST_TOLD:
                break
        self.others += tuple(new)

    @property
    def categories(self):
        """{text: how often it occurs}; None where there are too many."""
        self._count_waiting()
        return self._counts

    def _count_waiting(self):
        if not self._waiting:
            return
        waiting, self._waiting = pa.chunked_array(self._waiting, pa.string()), []
        pairs = waiting.value_counts()
        pairs = zip(*(pairs.field(k).to_pylist() for k in range(2)), strict=True)
        for text, count in pairs:
            if text is None:
                continue
            self._counts[text] = self._counts.get(text, 0) + count
            if len(self._counts) > MOST_COUNTED:
                self._counts = None
                return


@dataclass(frozen=True)
class Survey:
    """The survey of the columns of a file.

    Attributes
    ----------
    title : str
    rows : int
    columns : list of Column
    stored : int or None
        The number of stored numbers of a sparse file.
    """

    title: str
    rows: int
    columns: list
    stored: int | None = None

    def bytes_a_row(self, features):
        """Bytes that the numbers of a row take in memory, with this many features."""
        if self.stored is None:
            return NUMBER * (features + BESIDE)
        return STORED * self.stored / self.rows + NUMBER * BESIDE_CSR


def survey_of(title, numerals, tables):
    """The survey of an iterator of tables."""
    columns, rows = [], 0
    for table in tables:
        if not columns:
            names, types = table.column_names, map(_plain, table.schema.types)
            columns = [
                Column(name, kind, numerals)
                for name, kind in zip(names, types, strict=True)
            ]
        for place, cells in _cells.side_by_side(table.columns):
            add(columns[place], cells, numerals)
        rows += len(table)
    return Survey(title, rows, columns)


def add(columns, cells, numerals=_cells.PLAIN):
    """Count the next cells of a group of columns, given one column after the other."""
    if len(cells) == 0:
        return
    rows = len(cells) // len(columns)
    found = found_in(cells, len(columns), numerals)
    for k, (column, what) in enumerate(zip(columns, found, strict=True)):
        column.add(cells.slice(k * rows, rows), what)


def _nearly_equal(found):
    """Whether all numbers are large integers that are nearly equal in float64."""
    size = max(-found.minimum, found.maximum)
    return size >= WHOLE and found.maximum - found.minimum <= CONSTANT_SHARE * size


def _plain(kind):
    return kind.value_type if pa.types.is_dictionary(kind) else kind
