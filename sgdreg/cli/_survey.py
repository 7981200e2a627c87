"""What is in the columns of a file: one pass over it, in pieces."""

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli import _cells
from sgdreg.cli._numerals import Numerals
from sgdreg.cli._rows import Odd

DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
# How the last row of a table is often called, in some languages.
TOTAL = r"^(grand |sub[- ]?)?(totals?|sum|average|mean|summe|gesamt|insgesamt|totale)\W*$"
# Of each column of text, so many categories are counted at most.
MOST_COUNTED = 1000
# Cells that are numbers to their writers, and what to do about them.
NEARLY = (
    (r"^[-+]?[\d.,]+ ?%$", "write them without the percent sign to use the column"),
    (
        r"^[-+]?[$€£¥] ?[\d.,]+$|^[-+]?[\d.,]+ ?[$€£¥]$",
        "write them without the currency to use the column",
    ),
    (r"^\([\d.,]+\)$|^[\d.,]+-$", "write negative numbers with a sign before them"),
    (r"^[‐‑‒–—] ?[\d.,]+$", "write the minus sign as - to use the column"),
)


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
    totals : Odd or None
        Cells of text that name a sum or a mean of other rows.
    categories : dict or None
        How often each text occurs; None: there are too many.
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
    totals: Odd | None = None
    categories: dict | None = field(default_factory=dict)

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
            self.numbers >= self.text or self._advice() is not None
        )

    def why_not_numbers(self):
        """A clause that says what is in the way of a column that is not of numbers."""
        if self.spoilt:
            cell, verb = self.example[0], "is" if self.text == 1 else "are"
            advice = self._advice() or (
                f"make them empty to use the column, or add --missing {cell!r}"
            )
            return (
                f"{self.text:,} of its {self.rows:,} cells {verb} text, such as {cell!r} "
                f"({advice})"
            )
        return {
            "empty": "it is empty",
            "text": "it is text",
            "dates": "it holds dates",
        }.get(self.kind, f"it is of type {self.kind}")

    def _advice(self):
        """What to do about cells that are nearly numbers; None where they are not."""
        example = self.example[0].strip()
        if example == self.name:
            return "the header occurs again; delete that line"
        for form, advice in NEARLY:
            if re.match(form, example):
                return advice
        if not self.numerals.written_in_digits(example):
            return None
        # An option is good advice only if it reads all of the column.
        options = self.numerals.options(list(self.categories or [example]))
        if options:
            return ", or ".join(f"add {words} if {meaning}" for words, meaning in options)
        return "write numbers as 1234.5 to use the column"

    def meet(self, values):
        """Count the next cells, of which the first is in row `self.rows` + 1."""
        values = _cells.flat(values)
        x, wrong = _cells.numbers(values, self.numerals)
        finite = x[np.isfinite(x)]
        self._add(finite)
        self.infinite += int(np.isinf(x).sum())
        if wrong is not None:
            self._meet_text(values, wrong)
        if _cells.is_text(values.type) and self.categories is not None:
            self._meet_categories(_cells.texts(values))
        self.rows += len(values)
        self.empty = self.rows - self.numbers - self.infinite - self.text

    def _add(self, x):
        """Means and squares by T. F. Chan, G. H. Golub, R. J. LeVeque (1983)."""
        if len(x) == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e200
            step = x.mean() - self.mean
            share = len(x) / (self.numbers + len(x))
            self.mean += share * step
            self.squares += np.square(x - x.mean()).sum()
            self.squares += share * self.numbers * step**2
        self.minimum = min(self.minimum, float(x.min()))
        self.maximum = max(self.maximum, float(x.max()))
        self.numbers += len(x)

    def _meet_text(self, values, wrong):
        self.text += pc.sum(wrong).as_py()
        if not _cells.is_text(values.type):
            self.categories = None
            return
        if self.example is None:
            at = pc.index(wrong, True).as_py()
            self.example = (values[at].as_py(), self.rows + at + 1)
        words = _cells.texts(values)
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

    def _meet_categories(self, values):
        for pair in values.drop_null().value_counts():
            text, count = pair["values"].as_py(), pair["counts"].as_py()
            self.categories[text] = self.categories.get(text, 0) + count
            if len(self.categories) > MOST_COUNTED:
                self.categories = None
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
        for column, values in zip(columns, table.columns, strict=True):
            column.meet(values)
        rows += len(table)
    return Survey(title, rows, columns)


def _plain(kind):
    return kind.value_type if pa.types.is_dictionary(kind) else kind
