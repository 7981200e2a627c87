"""The svmlight format: a target, and the non-zero numbers by their index."""

import io
from functools import partial

import numpy as np
import pyarrow as pa
from scipy import sparse

from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, one_line
from sgdreg.cli._rows import FileRows
from sgdreg.cli._source import Source
from sgdreg.cli._survey import Column, Survey, add

# Bytes of lines that are read at a time.
BLOCK = 2**22
TARGET = "target"
# Bytes that the sums and the survey of a column take (measured: 439).
COLUMN = 500


def read_svmlight(source, zero_based=None):
    """The source of an Input of svmlight text; the name of a column is its index.

    Parameters
    ----------
    zero_based : bool or None
        Whether the first index is 0; None: if the index 0 occurs.
    """
    title = source.title
    return Source(
        title,
        None,
        partial(_pieces, source),
        partial(_survey, title, zero_based),
        partial(_rows, title, zero_based),
        again=source.again,
        target=TARGET,
    )


class _Piece:
    """Some lines as (X, y); X has a column for every index from 0."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y)

    @property
    def nbytes(self):
        """Bytes in memory."""
        X = self.X
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes + self.y.nbytes

    def without(self, empty):
        """The piece with NaN where `empty`, a function of numbers, is true."""
        X, y = self.X.copy(), self.y.copy()
        X.data[empty(X.data)] = np.nan
        y[empty(y)] = np.nan
        return _Piece(X, y)


def _pieces(source, columns):
    number = 0
    with source.open() as stream:
        while lines := stream.readlines(BLOCK):
            yield _Piece(*_loaded(lines, number, source.title))
            number += len(lines)


def _loaded(lines, number, title):
    from sklearn.datasets import load_svmlight_file  # noqa: PLC0415 (slow to import)

    try:
        X, y = load_svmlight_file(io.BytesIO(b"".join(lines)), zero_based=True)
    except (ValueError, OverflowError) as error:
        if len(lines) > 1:  # find the line
            half = len(lines) // 2
            _loaded(lines[:half], number, title)
            _loaded(lines[half:], number + half, title)
        raise Unusable(
            f"{title} cannot be read as svmlight, in line {number + 1:,}: "
            f"{one_line(error)}."
        ) from None
    return X, y


def _survey(title, zero_based, pieces):
    """The survey of every index up to the largest; absent numbers are zeros."""
    moments, target, rows = _Moments(title), Column(TARGET, pa.float64()), 0
    for piece in pieces:
        add([target], pa.array(piece.y))
        moments.add(piece.X)
        rows += len(piece)
    if rows == 0:
        raise Unusable(f"{title} is empty.")
    has_zero = moments.occurs(0)
    if has_zero and zero_based is False:
        raise _has_zero(title, "--one-based says that its indices count from 1")
    zero_based = has_zero if zero_based is None else zero_based
    stored = int(moments.filled.sum())
    return Survey(title, rows, [*moments.columns(rows, zero_based), target], stored)


class _Moments:
    """Sums, sums of squares, minima and maxima of the columns of sparse pieces."""

    def __init__(self, title):
        self.title = title
        self.filled, self.sums, self.squares = (np.zeros(0) for _ in range(3))
        self.least, self.largest, self.empty = (np.zeros(0) for _ in range(3))

    def add(self, X):
        finite = np.isfinite(X.data)
        at, x = X.indices[finite], X.data[finite]
        d = max(X.shape[1], len(self.sums))
        if d * COLUMN > _memory.available():
            raise Unusable(
                f"The index {d - 1:,} of {self.title} makes more columns than fit into "
                "memory; number them from 1, without gaps."
            )
        for name in ("filled", "sums", "squares", "least", "largest", "empty"):
            values = getattr(self, name)
            setattr(self, name, np.pad(values, (0, d - len(values))))
        self.filled += np.bincount(at, minlength=d)
        self.sums += np.bincount(at, x, d)
        self.squares += np.bincount(at, x**2, d)
        np.minimum.at(self.least, at, x)
        np.maximum.at(self.largest, at, x)
        self.empty += np.bincount(X.indices[np.isnan(X.data)], minlength=d)

    def occurs(self, index):
        """Whether any row has this index."""
        return len(self.filled) > index and self.filled[index] + self.empty[index] > 0

    def columns(self, rows, zero_based):
        """Yield the Column of every index; minimum and maximum include absent zeros."""
        for j in range(0 if zero_based else 1, len(self.filled)):
            numbers = rows - int(self.empty[j])
            mean = self.sums[j] / max(numbers, 1)
            yield Column(
                str(j),
                pa.float64(),
                rows=rows,
                empty=rows - numbers,
                numbers=numbers,
                mean=mean,
                squares=max(0.0, self.squares[j] - numbers * mean**2),
                minimum=self.least[j],
                maximum=self.largest[j],
            )


def _rows(title, zero_based, pieces, wanted):
    at = np.array([int(name) for name in wanted.places], dtype=np.int64)
    known = np.union1d(at, [int(name) for name in wanted.ignored if name.isdigit()])
    shift = 0 if zero_based is None else int(not zero_based) - int(known[0] > 0)
    at, known, first = at + shift, known + shift, 1
    together = (np.diff(at) == 1).all()  # a slice is faster
    columns = slice(at[0], at[-1] + 1) if together else at
    for piece in pieces:
        X, d = piece.X, at.max() + 1
        if X.shape[1] < d:  # absent indices are zeros
            X = sparse.csr_matrix((X.data, X.indices, X.indptr), shape=(len(piece), d))
        extra = np.setdiff1d(np.flatnonzero(np.bincount(X.indices)), known)
        if len(extra) and extra[0] == 0:
            raise _has_zero(
                title,
                "--one-based says that its indices count from 1"
                if zero_based is False
                else "those of the model count from 1; if all of the file's are one less, "
                "--zero-based says so",
            )
        numbers = np.arange(first, first + len(piece))
        extra = frozenset((extra - shift).tolist())
        yield FileRows(X[:, columns], piece.y, None, numbers, extra=extra)
        first += len(piece)


def _has_zero(title, why):
    return Unusable(f"{title} has the index 0, and {why}.")
