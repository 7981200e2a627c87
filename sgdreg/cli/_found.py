"""What some columns of cells hold, looked at side by side.

Each call of pyarrow costs some microseconds, and files may have 20,000 columns: all that
can be asked of the cells of many columns in one call is.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli import _cells

DAY = r"(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}/\d{1,2}/\d{1,2})"
DATE = rf"^{DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?(Z|[+-]\d{{2}}:?\d{{2}})?)?$"
# How the last row of a table is often called, in some languages.
TOTAL = r"^(grand |sub[- ]?)?(totals?|sum|average|mean|summe|gesamt|insgesamt|totale)\W*$"


@dataclass(frozen=True)
class Found:
    """What the cells of a column are: the finite numbers among them, and the rest.

    Attributes
    ----------
    count, infinite : int
    mean, squares, minimum, maximum : float
        Of the `count` finite numbers.
    said : Said or None
        Those that are no numbers; None: there are none.
    texts : pyarrow.Array or None
        The cells as text, if they are some.
    """

    count: int
    infinite: int
    mean: float
    squares: float
    minimum: float
    maximum: float
    said: "Said | None"
    texts: pa.Array | None


@dataclass(frozen=True)
class Said:
    """Cells of a column that are no numbers.

    Attributes
    ----------
    count, dates, totals : int
        Of them, of dates and of names of sums among them.
    example : pyarrow.Scalar
        The first.
    rows : ndarray of int
        Where they are, from 0.
    first_total : int
        Which of them is the first that names a sum.
    words : pyarrow.DictionaryArray or None
        Without the spaces around them; None: they are no text.
    """

    count: int
    dates: int
    totals: int
    example: pa.Scalar
    rows: np.ndarray
    first_total: int
    words: pa.Array | None


def found_in(cells, columns, numerals):
    """Yields what each of some columns holds, from the cells of one after those of another.

    Parameters
    ----------
    cells : pyarrow.Array
    columns : int
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
    said = [None] * columns
    if wrong is not None:
        flags = wrong.to_numpy(zero_copy_only=False).reshape(columns, rows)
        said = list(_said(cells, texts, flags))
    for k, values in enumerate(zip(*(v.tolist() for v in numbers), strict=True)):
        own = None if texts is None else texts.slice(k * rows, rows)
        yield Found(*values, said[k], own)


def _said(cells, texts, wrong):
    """Yields what each column has besides numbers.

    Parameters
    ----------
    cells, texts : pyarrow.Array
        As they are, and without the spaces around them; None: they are no text.
    wrong : ndarray of bool of shape (columns, rows)
        Where there is no number.
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
        yield Said(
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
