"""What is in the columns of a file: one pass over it, in pieces."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli import _cells
from sgdreg.cli import _remedies as remedies
from sgdreg.cli._numerals import Numerals
from sgdreg.cli._rows import Odd

DAY = r"(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}/\d{1,2}/\d{1,2})"
DATE = rf"^{DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?(Z|[+-]\d{{2}}:?\d{{2}})?)?$"
# How the last row of a table is often called, in some languages.
TOTAL = r"^(grand |sub[- ]?)?(totals?|sum|average|mean|summe|gesamt|insgesamt|totale)\W*$"
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
        found : _Found
            What they are.
        """
        if found.count:
            self._add(found)
            self._note_merged(cells, found)
        self.infinite += found.infinite
        if found.wrong is not None:
            self._meet_text(cells, found.wrong)
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
        """Means and squares by T. F. Chan, G. H. Golub, R. J. LeVeque (1983)."""
        # As floats of Python, which overflow to infinity without a word.
        step = found.mean - self.mean
        share = found.count / (self.numbers + found.count)
        self.mean += share * step
        self.squares += found.squares + share * self.numbers * (step * step)
        self.minimum = min(self.minimum, found.minimum)
        self.maximum = max(self.maximum, found.maximum)
        self.numbers += found.count

    def _meet_text(self, values, wrong):
        self.text += pc.sum(wrong).as_py()
        if not _cells.is_text(values.type):
            self._counts = None
            return
        if self.example is None:
            at = pc.index(wrong, True).as_py()
            self.example = (values[at].as_py(), self.rows + at + 1)
        words = _cells.texts(values)
        self._tell_others(words.filter(wrong))
        total = pc.fill_null(
            pc.match_substring_regex(words, TOTAL, ignore_case=True), False
        )
        if pc.any(total).as_py():
            at = pc.index(total, True).as_py()
            found = Odd(pc.sum(total).as_py(), self.rows + at + 1, words[at].as_py())
            self.totals = found if self.totals is None else self.totals + found
        if self.dates == self.text - pc.sum(wrong).as_py():  # only dates so far
            found = pc.match_substring_regex(words.filter(wrong), DATE)
            self.dates += pc.sum(found).as_py()

    def _tell_others(self, words):
        if len(self.others) < remedies.MOST_TOLD:
            known = {self.example[0].strip(), *self.others}
            new = [word for word in words.unique().to_pylist() if word not in known]
            self.others += tuple(new[: remedies.MOST_TOLD])

    @property
    def categories(self):
        """How often each text occurs, a dict; None: there are too many."""
        self._count_waiting()
        return self._counts

    def _count_waiting(self):
        waiting, self._waiting = pa.chunked_array(self._waiting, pa.string()), []
        for pair in waiting.drop_null().value_counts():
            text, count = pair["values"].as_py(), pair["counts"].as_py()
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
            columns = [
                Column(field.name, _plain(field.type), numerals) for field in table.schema
            ]
        for place, cells in _cells.side_by_side(table.columns):
            meet(columns[place], cells, numerals)
        rows += len(table)
    return Survey(title, rows, columns)


@dataclass(frozen=True)
class _Found:
    """What some cells of a column are: the finite numbers among them, and the rest.

    Attributes
    ----------
    count, infinite : int
    mean, squares, minimum, maximum : float
        Of the `count` finite numbers.
    wrong : pyarrow.BooleanArray or None
        Where there is no number; None: nowhere.
    texts : pyarrow.Array or None
        The cells as text, if they are some.
    """

    count: int
    infinite: int
    mean: float
    squares: float
    minimum: float
    maximum: float
    wrong: pa.Array | None
    texts: pa.Array | None


def meet(columns, cells, numerals=_cells.PLAIN):
    """Count the next cells of some columns, those of one after those of another."""
    if len(cells) == 0:
        return
    rows = len(cells) // len(columns)
    x, wrong = _cells.numbers(cells, numerals)
    x = x.reshape(len(columns), rows)
    texts = _cells.texts(cells) if _cells.is_text(cells.type) else None
    finite = np.isfinite(x)
    count = finite.sum(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e200
        mean = np.where(finite, x, 0.0).sum(axis=1) / np.maximum(count, 1)
        squares = np.square(np.where(finite, x - mean[:, None], 0.0)).sum(axis=1)
    least = np.where(finite, x, np.inf).min(axis=1)
    largest = np.where(finite, x, -np.inf).max(axis=1)
    numbers = (count, np.isinf(x).sum(axis=1), mean, squares, least, largest)
    spoilt = np.zeros(len(columns), dtype=bool)
    if wrong is not None:
        flags = wrong.to_numpy(zero_copy_only=False)
        spoilt = flags.reshape(len(columns), rows).any(axis=1)
    numbers = zip(*(values.tolist() for values in numbers), strict=True)
    for k, (column, found) in enumerate(zip(columns, numbers, strict=True)):
        here = (k * rows, rows)
        column.meet(
            cells.slice(*here),
            _Found(
                *found,
                wrong.slice(*here) if spoilt[k] else None,
                None if texts is None else texts.slice(*here),
            ),
        )


def _nearly_one(found):
    """Whether whole numbers are so large and so near to each other."""
    size = max(-found.minimum, found.maximum)
    return size >= WHOLE and found.maximum - found.minimum <= APART * size


def _plain(kind):
    return kind.value_type if pa.types.is_dictionary(kind) else kind
