"""Rows of numbers read from a file, and cells that could not be read."""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from sgdreg._data.chunked_rows import bytes_of
from sgdreg.cli._messages import Unusable, counted, listed


@dataclass(frozen=True)
class Odd:
    """Unexpected cells of a column: their number, and the first one with its row."""

    count: int
    row: int
    cell: str

    def __add__(self, later):
        return replace(self, count=self.count + later.count)


@dataclass(frozen=True)
class FileRows:
    """Some rows of a file.

    Attributes
    ----------
    X : ndarray or CSR of shape (n, d)
        NaN where a cell is empty or not a number.
    y, weights : ndarray of shape (n,) or None
    numbers : ndarray of shape (n,)
        Row numbers in the file, from 1.
    wrong : dict of Odd
        Cells that are not numbers, by column.
    unknown : dict of Odd
        Categories that are not in the model, by column.
    extra : frozenset of int
        Indices of svmlight that are not in the model.
    """

    X: np.ndarray
    y: np.ndarray | None
    weights: np.ndarray | None
    numbers: np.ndarray
    wrong: dict = field(default_factory=dict)
    unknown: dict = field(default_factory=dict)
    extra: frozenset = frozenset()

    def __len__(self):
        return self.X.shape[0]

    @property
    def nbytes(self):
        """Bytes of the numbers of X in memory."""
        return bytes_of(self.X)

    @property
    def finite(self):
        """Which rows of X are finite: no cell is empty, text or infinite."""
        return _rows_where(self.X, np.isfinite)

    def only(self, rows):
        """The rows of a mask or slice."""
        y, weights = (None if v is None else v[rows] for v in (self.y, self.weights))
        X, numbers = self.X[rows], self.numbers[rows]
        return replace(self, X=X, y=y, weights=weights, numbers=numbers)


def add_odd(known, more):
    """Add the unexpected cells of further rows to `known`, in place, by column."""
    for name, odd in more.items():
        known[name] = known[name] + odd if name in known else odd


def remarks(unknown, title):
    """Sentences on categories that are not in the model."""
    return [
        f"{title}: {counted(odd.count, 'cell')} of column {name} "
        f"{'is' if odd.count == 1 else 'are'} no category of the model, first "
        f"{odd.cell!r} in row {odd.row:,}: taken as none of them."
        for name, odd in unknown.items()
    ]


def ignored(names):
    """A sentence on columns that are not used; their names are text or indices."""
    names = [str(name) for name in names]
    what = "column" if len(names) == 1 else "columns"
    return f"Ignored the {what} that the model does not take: {listed(names)}."


def complete(rows, wanted, title):
    """(the rows without an empty cell, the numbers of empty cells in the others by column).

    Raises
    ------
    Unusable
        Where a cell is text or infinite, or a weight negative.
    """
    for name, odd in rows.wrong.items():
        raise Unusable(
            f"Column {name} of {title} holds numbers at first, but {odd.cell!r} in row "
            f"{odd.row:,}; make the cell empty to drop its row."
        )
    single = {wanted.target: rows.y, wanted.weights: rows.weights}
    single = {name: values for name, values in single.items() if values is not None}
    keep = rows.finite & np.all([np.isfinite(v) for v in single.values()], axis=0)
    counts = {}
    if not keep.all():
        rest = rows.only(~keep)
        counts = _empty_cells(rest, wanted)
        empty = ~_rows_where(rest.X, lambda x: ~np.isnan(x))
        empty |= np.any([np.isnan(v[~keep]) for v in single.values()], axis=0)
        if not empty.all():
            _refuse_infinity(rows.only(~keep).only(~empty), wanted, title)
        rows = rows.only(keep)
    if rows.weights is not None and (rows.weights < 0).any():
        at = int(np.argmax(rows.weights < 0))
        raise Unusable(
            f"Column {wanted.weights} of {title} has a negative weight, "
            f"{rows.weights[at]:g} in row {rows.numbers[at]:,}; weights are zero or more."
        )
    return rows, counts


def joined(parts, X=None):
    """Several FileRows as one; X is the stacked matrix, if it exists already."""
    if X is None:
        stack = sparse.vstack if sparse.issparse(parts[0].X) else np.concatenate
        X = stack([part.X for part in parts])
    y, weights, numbers = (
        None if values[0] is None else np.concatenate(values)
        for values in (
            [getattr(part, name) for part in parts] for name in ("y", "weights", "numbers")
        )
    )
    return FileRows(X.tocsr() if sparse.issparse(X) else X, y, weights, numbers)


def regrouped(parts, size):
    """Yield the same rows, `size` at a time."""
    waiting, count = [], 0
    for part in parts:
        start = 0
        while count + len(part) - start >= size:
            stop = start + size - count
            yield joined([*waiting, part.only(slice(start, stop))])
            waiting, count, start = [], 0, stop
        if start < len(part):
            waiting.append(part.only(slice(start, None)))
            count += len(waiting[-1])
    if waiting:
        yield joined(waiting)


def _rows_where(X, condition):
    """Which rows satisfy the condition in all their numbers."""
    if not sparse.issparse(X):
        return condition(X).all(axis=1)
    at = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    rows = np.ones(X.shape[0], dtype=bool)
    rows[at[~condition(X.data)]] = False
    return rows


def _empty_cells(rows, wanted):
    """{column: number of its empty cells}, of the columns that have empty cells."""
    if sparse.issparse(rows.X):
        at = rows.X.indices[np.isnan(rows.X.data)]
        counts = np.bincount(at, minlength=rows.X.shape[1])
    else:
        counts = np.isnan(rows.X).sum(axis=0)
    # An empty text cell makes all features of its column empty; it counts once.
    found = {wanted.features[j][0]: int(counts[j]) for j in np.flatnonzero(counts)}
    for name, values in ((wanted.target, rows.y), (wanted.weights, rows.weights)):
        if values is not None and (count := int(np.isnan(values).sum())):
            found[name] = count
    return found


def _refuse_infinity(rows, wanted, title):
    first = rows.X[[0]].toarray()[0] if sparse.issparse(rows.X) else rows.X[0]
    cells = dict(zip(wanted.names, first, strict=True))
    cells[wanted.target] = rows.y[0]
    if rows.weights is not None:
        cells[wanted.weights] = rows.weights[0]
    name = next(name for name, value in cells.items() if np.isinf(value))
    raise Unusable(
        f"Column {name} of {title} contains infinity, or a number too large for float64, "
        f"in row {rows.numbers[0]:,}; make the cell empty to drop its row."
    )
