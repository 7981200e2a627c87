"""What is in the columns of a file: one pass over it, in pieces."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg._data.moments import merged
from sgdreg.cli import _cells
from sgdreg.cli import _remedies as remedies
from sgdreg.cli._found import found_in
from sgdreg.cli._numerals import Numerals
from sgdreg.cli._rows import Odd

# Of each column of text, so many categories are counted at most.
MOST_COUNTED = 1000
# Whole numbers of this size and above are no longer all in float64.
WHOLE = 2.0**53
# The spread of a column, to its size, that is taken for rounding errors, as a fit takes it.
APART = 1e-13


@dataclass
class Column:
    """What is known of a column so far.

    Attributes
    ----------
    name : str
    type : pyarrow.DataType
    numerals : Numerals
        How its text writes numbers.
    rows, empty, numbers, infinite, text, dates : int
        How many cells there are, and of each kind; dates are text, too.
    mean, squares, minimum, maximum : float
        Of its finite numbers; `squares` is the sum of those of their distances to the
        mean.
    example : (str, int) or None
        The first cell of text, and its row.
    others : tuple of str
        Other texts, as far as they are told.
    merged : bool
        Whether large whole numbers have been met that are nearly one to float64.
    totals : Odd or None
        Cells of text that name a sum or a mean of other rows.
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
    merged: bool = False
    totals: Odd | None = None
    _counts: dict | None = field(default_factory=dict)
    # Texts that are not counted yet, as few columns are asked for it: those of text.
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
    def spoilt(self):
        """Whether it is meant to be one of numbers, but for how some cells are written."""
        return self.kind == "text" and (
            self.numbers >= self.text or remedies.writing(self) is not None
        )

    def why_not_numbers(self):
        """A clause that says what is in the way of a column that is not of numbers."""
        if self.spoilt:
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

    def meet(self, cells, found):
        """Count the next cells, of which the first is in row `self.rows` + 1.

        Parameters
        ----------
        cells : pyarrow.Array
        found : Found
            What they are.
        """
        if found.count:
            self._add(found)
            self._note_merged(cells, found)
        self.infinite += found.infinite
        if found.said is not None:
            self._meet_text(found.said)
        if found.texts is not None and self._counts is not None:
            self._waiting.append(found.texts)
            if sum(map(len, self._waiting)) > MOST_COUNTED:
                self._count_waiting()
        self.rows += len(cells)
        self.empty = self.rows - self.numbers - self.infinite - self.text

    def _note_merged(self, cells, found):
        if not self.merged and _nearly_one(found):
            self.merged = len(pc.unique(cells.drop_null())) > 1

    @property
    def indistinct(self):
        """Whether numbers that differ are so large that float64 has hardly two of them."""
        return self.merged and self.kind == "numbers" and _nearly_one(self)

    def _add(self, found):
        # As floats of Python, which overflow to infinity without a word.
        self.numbers, self.mean, self.squares = merged(
            (self.numbers, self.mean, self.squares),
            (found.count, found.mean, found.squares),
        )
        self.minimum = min(self.minimum, found.minimum)
        self.maximum = max(self.maximum, found.maximum)

    def _meet_text(self, said):
        only_dates = self.dates == self.text
        self.text += said.count
        if said.words is None:
            self._counts = None
            return
        if self.example is None:
            self.example = (said.example.as_py(), self.rows + int(said.rows[0]) + 1)
        if len(self.others) < remedies.MOST_TOLD:
            self._tell_others(said)
        if said.totals:
            at = said.first_total
            cell = said.words[at].as_py()
            found = Odd(said.totals, self.rows + int(said.rows[at]) + 1, cell)
            self.totals = found if self.totals is None else self.totals + found
        if only_dates:
            self.dates += said.dates

    def _tell_others(self, said):
        known, new = {self.example[0].strip(), *self.others}, []
        for code in dict.fromkeys(said.words.indices.to_numpy().tolist()):
            word = said.words.dictionary[code].as_py()
            if word not in known:
                new.append(word)
            if len(new) == remedies.MOST_TOLD:
                break
        self.others += tuple(new)

    @property
    def categories(self):
        """How often each text occurs, a dict; None: there are too many."""
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
    """What is in the columns of a file.

    Attributes
    ----------
    title : str
    rows : int
    columns : list of Column
    stored : int or None
        How many numbers are not zero, where only they are stored.
    """

    title: str
    rows: int
    columns: list
    stored: int | None = None

    def bytes_a_row(self, features):
        """What the numbers of a row take in memory, of so many features."""
        if self.stored is None:
            return 8 * (features + 2)
        return 12 * self.stored / self.rows + 24


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
            meet(columns[place], cells, numerals)
        rows += len(table)
    return Survey(title, rows, columns)


def meet(columns, cells, numerals=_cells.PLAIN):
    """Count the next cells of some columns, those of one after those of another."""
    if len(cells) == 0:
        return
    rows = len(cells) // len(columns)
    found = found_in(cells, len(columns), numerals)
    for k, (column, what) in enumerate(zip(columns, found, strict=True)):
        column.meet(cells.slice(k * rows, rows), what)


def _nearly_one(found):
    """Whether whole numbers are so large and so near to each other."""
    size = max(-found.minimum, found.maximum)
    return size >= WHOLE and found.maximum - found.minimum <= APART * size


def _plain(kind):
    return kind.value_type if pa.types.is_dictionary(kind) else kind
