"""Sources of pyarrow tables, and the numbers in their columns."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli import _cells
from sgdreg.cli._rows import FileRows, Odd
from sgdreg.cli._source import Source
from sgdreg.cli._survey import survey_of

# The pattern of names that columns without a name get.
UNNAMED = r"\(column {}\)"


def source_of(title, names, pieces, numerals=_cells.PLAIN, **parts):
    """The Source of pieces that are tables, with the format of numbers in their text."""
    survey, rows = partial(survey_of, title, numerals), partial(rows_of, numerals)
    return Source(title, names, pieces, survey, rows, numerals=numerals, **parts)


def tidied(names):
    """Names of columns without surrounding spaces; columns without a name get one."""
    return [name.strip() or f"(column {k})" for k, name in enumerate(names, start=1)]


def rows_of(numerals, tables, wanted):
    """Yield the FileRows of the wanted columns of each table."""
    first = 1
    for table in tables:
        yield _Reading(table, wanted, first, numerals).rows()
        first += len(table)


class _Reading:
    """Reads the wanted columns of one table as numbers."""

    def __init__(self, table, wanted, first, numerals):
        self.columns = dict(zip(table.column_names, table.columns, strict=True))
        self.wanted, self.numerals = wanted, numerals
        self.numbers = np.arange(first, first + len(table))
        self.wrong, self.unknown = {}, {}

    def rows(self):
        X = np.empty((len(self.numbers), len(self.wanted.features)))
        known = self.wanted.categories
        parts = list(self.wanted.places.items())
        self._fill(X, [(n, place.start) for n, place in parts if known[n] is None])
        self._fill_one_hot(X, [part for part in parts if known[part[0]] is not None])
        y, weights = self._column(self.wanted.target), self._column(self.wanted.weights)
        return FileRows(X, y, weights, self.numbers, self.wrong, self.unknown)

    def _fill(self, X, plain):
        """Put the numeric columns, pairs of (name, place in X), into X."""
        rows = len(self.numbers)
        columns = [self.columns[name] for name, _ in plain]
        for among, cells in _cells.side_by_side(columns):
            x, wrong = _cells.numbers(cells, self.numerals)
            if rows:
                places = [at for _, at in plain[among]]
                X[:, places] = x.reshape(-1, rows).T
            if wrong is None or not rows:
                continue
            for k, (name, _) in enumerate(plain[among]):
                part = wrong.slice(k * rows, rows)
                if pc.any(part).as_py():
                    self.wrong[name] = self._odd(cells.slice(k * rows, rows), part)

    def _column(self, name):
        """The numbers of a column; None where the column does not exist."""
        if name not in self.columns:
            return None
        values = self.columns[name]
        x, wrong = _cells.numbers(values, self.numerals)
        if wrong is not None:
            self.wrong[name] = self._odd(values, wrong)
        return x

    def _fill_one_hot(self, X, parts):
        """Put 1 into the feature of each row's category, for text columns.

        Where a cell is empty, all features of its column are NaN, unless empty cells are a
        category too.

        Parameters
        ----------
        parts : list of (str, slice)
            Columns, and the places of their categories in X.
        """
        rows = len(self.numbers)
        columns = [self.columns[name] for name, _ in parts]
        for among, cells in _cells.side_by_side(columns):
            values = _cells.texts(cells).dictionary_encode()
            # An empty cell has the code -1, and a category that does not occur here -2.
            codes = {text: code for code, text in enumerate(values.dictionary.to_pylist())}
            found = _plain(pc.fill_null(values.indices, -1)).reshape(-1, rows)
            for k, (name, place) in enumerate(parts[among] if rows else ()):
                names = self.wanted.categories[name]
                known = [codes.get(text, -2) if text else -1 for text in names]
                block = found[k][:, None] == np.array(known)
                odd = ~block.any(axis=1) & (found[k] >= 0)
                if odd.any():
                    here = values.slice(k * rows, rows).dictionary_decode()
                    self.unknown[name] = self._odd(here, pa.array(odd))
                X[:, place] = block
                if "" not in names:
                    X[found[k] < 0, place] = np.nan

    def _odd(self, values, where):
        at = pc.index(where, True).as_py()
        return Odd(pc.sum(where).as_py(), int(self.numbers[at]), str(values[at].as_py()))


def _plain(values):
    return values.to_numpy(zero_copy_only=False)
