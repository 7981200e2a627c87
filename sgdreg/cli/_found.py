"""Summaries of the cells of a group of columns: numbers, text, dates, names of sums.

Each call of pyarrow takes some microseconds, and files may have 20,000 columns. So one
call handles the cells of many columns wherever it can.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli import _cells

DAY = r"(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}/\d{1,2}/\d{1,2})"
DATE = rf"^{DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?(Z|[+-]\d{{2}}:?\d{{2}})?)?$"
# Frequent names of a last row that holds sums or means, in some languages.
TOTAL = r"^(grand |sub[- ]?)?(totals?|sum|average|mean|summe|gesamt|insgesamt|totale)\W*$"


@dataclass(frozen=True)
class Found:
    """A summary of the cells of a column: the finite numbers among them, and the rest.

    Attributes
    ----------
    count, infinite : int
    mean, squares, minimum, maximum : float
        Of the `count` finite numbers; `squares` is the sum of squared deviations.
    others : NonNumeric or None
        The cells that are not numbers; None if there are none.
    texts : pyarrow.Array or None
        The cells as text; None where the type is not text.
    """

    count: int
    infinite: int
    mean: float
    squares: float
    minimum: float
    maximum: float
    others: "NonNumeric | None"
    texts: pa.Array | None


@dataclass(frozen=True)
class NonNumeric:
    """The cells of a column that are not numbers.

    Attributes
    ----------
    count, dates, totals : int
        The number of these cells, of the dates among them, and of the names of sums.
    example : pyarrow.Scalar
        The first of these cells.
    rows : ndarray of int
        The rows of these cells, from 0.
    first_total : int
        Position of the first name of a sum among these cells.
    words : pyarrow.DictionaryArray or None
        The cells without surrounding spaces; None where the type is not text.
    """

    count: int
    dates: int
    totals: int
    example: pa.Scalar
    rows: np.ndarray
    first_total: int
    words: pa.Array | None


def found_in(cells, columns, numerals):
    """Yield a Found for each column of a group.

    Parameters
    ----------
    cells : pyarrow.Array
        The cells of the columns, one column after the other.
    columns : int
        The number of columns.
    numerals : Numerals
    """
    rows = len(cells) // columns
    x, wrong = _cells.numbers(cells, numerals)
    x = x.reshape(columns, rows)
    texts = _cells.texts(cells) if _cells.is_text(cells.type) else None
    finite = np.isfinite(x)
    count = finite.sum(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e200
        mean = np.where(finite, x, 0.0).sum(axis=1) / np.maximum(count, 1)
        squares = np.square(np.where(finite, x - mean[:, None], 0.0)).sum(axis=1)
    least = np.where(finite, x, np.inf).min(axis=1)
    largest = np.where(finite, x, -np.inf).max(axis=1)
    numbers = (count, np.isinf(x).sum(axis=1), mean, squares, least, largest)
    others = [None] * columns
    if wrong is not None:
        flags = wrong.to_numpy(zero_copy_only=False).reshape(columns, rows)
        others = list(_non_numeric(cells, texts, flags))
    for k, values in enumerate(zip(*(v.tolist() for v in numbers), strict=True)):
        part = None if texts is None else texts.slice(k * rows, rows)
        yield Found(*values, others[k], part)


def _non_numeric(cells, texts, wrong):
    """Yield the NonNumeric of each column, or None.

    Parameters
    ----------
    cells, texts : pyarrow.Array
        The cells as they are, and without surrounding spaces (None if they are not text).
    wrong : ndarray of bool of shape (columns, rows)
        Which cells are not numbers.
    """
    at = np.flatnonzero(wrong)
    dates = totals = np.zeros(len(at), dtype=bool)
    words = None
    if texts is not None:
        words = texts.take(pa.array(at))
        dates = _matches(words, DATE)
        totals = _matches(words, TOTAL, ignore_case=True)
        words = words.dictionary_encode()
    column, row = np.divmod(at, wrong.shape[1])
    stops = np.searchsorted(column, np.arange(len(wrong) + 1)).tolist()
    dated, summed = (np.bincount(column[f], minlength=len(wrong)) for f in (dates, totals))
    for k, (start, stop) in enumerate(pairwise(stops)):
        if start == stop:
            yield None
            continue
        yield NonNumeric(
            stop - start,
            int(dated[k]),
            int(summed[k]),
            cells[int(at[start])],
            row[start:stop],
            int(np.argmax(totals[start:stop])),
            None if words is None else words[start:stop],
        )


def _matches(words, form, **how):
    return pc.match_substring_regex(words, form, **how).to_numpy(zero_copy_only=False)
