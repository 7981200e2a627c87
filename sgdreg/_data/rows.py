"""The rows of X that take part: the one module that distinguishes dense and CSR.

All access to X except the kernels' passes goes through this module: chunks of rows,
selected rows, products and sums. A row is addressed by its position among the rows that
take part.
"""

from dataclasses import replace
from math import isfinite

import numpy as np
from scipy import sparse

from sgdreg._data.mapped import mapping_of, release
from sgdreg._records import once, record

# Bytes of the rows that NumPy works on at a time: enough for the speed of BLAS, and little
# beside the data.
CHUNK_BYTES = 2**22
FLOAT_BYTES = 8  # a number of float64
# Bytes of a memory map that are in memory at a time.
MAPPED_BYTES = 2**27
NO_ROWS = np.empty(0, dtype=np.intp)


@record
class Rows:
    """Rows of a matrix in memory.

    Dense rows (C-ordered float32 or float64) and CSR rows (int32 or int64 indices) are used
    without a copy; the estimator has converted everything else before.

    Attributes
    ----------
    X : ndarray or csr of shape (n, d)
    index : ndarray of intp
        The rows that take part, in this order. Empty: all of them.
    """

    X: object
    index: np.ndarray

    @once
    def n_rows(self):
        """The number of rows that take part."""
        return len(self.index) or self.X.shape[0]

    @once
    def n_features(self):
        return self.X.shape[1]

    @property
    def in_memory(self):
        """Whether kernels can reach all rows: others are read in blocks."""
        return True

    @once
    def _mapping(self):
        """The memory map that these rows are too many of to be in memory at once."""
        if self.is_sparse or self.X.nbytes <= MAPPED_BYTES:
            return None
        return mapping_of(self.X) if self.X.flags.c_contiguous else None

    @once
    def _in_order(self):
        return bool((np.diff(self.index) > 0).all())

    @property
    def is_remote(self):
        """Whether other processes hold them, to which functions are sent."""
        return False

    @once
    def is_one_block(self):
        """Whether a pass can take all rows at once."""
        return self._mapping is None or not self._in_order

    def blocks(self, rng=None):
        """Yield (rows in memory, where they are among all, how many have gone before).

        Of a memory map: MAPPED_BYTES at a time, whose pages are then given back.
        """
        gone, size = 0, max(1, MAPPED_BYTES // (self.X.nbytes // len(self.X)))
        for start in range(0, len(self.X), size):
            at = slice(start, min(start + size, len(self.X)))
            rows = Rows(self.X[at], self._among(at))
            if len(self.index) and not len(rows.index):
                continue
            yield rows, at, gone
            gone += rows.n_rows
            release(rows.X)

    def _among(self, at):
        """Which rows of a block take part, by their positions in it; all: NO_ROWS.

        `at` is where the block is among all rows; those taking part are in their order.
        """
        if not len(self.index):
            return NO_ROWS
        low, high = np.searchsorted(self.index, [at.start, at.stop])
        return np.ascontiguousarray(self.index[low:high] - at.start)

    def stored(self, positions):
        """These rows (sorted positions) in memory, as they are stored."""
        at = self.at_of(positions)
        if self._mapping is None:
            return self.X[at]
        blocks = replace(self, index=at).blocks()
        return np.concatenate([rows.X[rows.index] for rows, _, _ in blocks])

    @once
    def is_sparse(self):
        return sparse.issparse(self.X)

    @property
    def dtype(self):
        return self.X.dtype

    @property
    def coarse(self):
        """The relative rounding error of the numbers of X: of float32; 0 for float64."""
        return 0.5 * np.finfo(np.float32).eps if self.dtype == np.float32 else 0.0

    @property
    def row_size(self):
        """The average number of entries of X in a row (for CSR: non-zeros)."""
        return max(1.0, self.X.size / self.X.shape[0])

    @property
    def arrays(self):
        """All of X in the form that kernels take: numbers, indices, indptr."""
        if self.is_sparse:
            X = self.X
            return tuple(map(np.ascontiguousarray, (X.data, X.indices, X.indptr)))
        return self.X.reshape(-1), None, None

    @property
    def at(self):
        """The index that selects the rows taking part from an array of all rows."""
        return self.index if len(self.index) else slice(None)

    def at_of(self, positions):
        """The index that selects some of the rows, perhaps none, from an array of all."""
        return self.index[positions] if len(self.index) else positions

    def only(self, positions):
        """Only these of the rows, at least one, in this order."""
        index = np.ascontiguousarray(self.at_of(positions), dtype=np.intp)
        return replace(self, index=index)

    def take(self, positions):
        """These rows, as a dense matrix of float64."""
        return self._piece(self.at_of(positions), True)

    def chunks(self, at_least=1, within=None, size=CHUNK_BYTES, dense=True):
        """Yield float64 pieces of the rows, each with its index in an array of all rows.

        Parameters
        ----------
        at_least : int
            The least number of rows in a piece.
        within : (start, stop) or None
            The positions to read; None: all.
        size : int
            The largest number of bytes in a piece (but `at_least` rows).
        dense : bool
            Whether pieces of CSR rows are made dense; if not, they have no duplicates.
        """
        first, last = within or (0, self.n_rows)
        numbers = self.n_features if dense else self.row_size
        size = max(at_least, int(size / (FLOAT_BYTES * numbers)), 1)
        for start in range(first, last, size):
            stop = min(start + size, last)
            at = self.index[start:stop] if len(self.index) else slice(start, stop)
            yield self._piece(at, dense), at
            if self._mapping is not None and isinstance(at, slice):
                release(self.X[at])

    def _piece(self, at, dense):
        X = self.X[at]
        if not self.is_sparse:
            return np.asarray(X, dtype=np.float64)
        if dense:
            return np.asarray(X.toarray(), dtype=np.float64)
        if not self.X.has_canonical_format:
            X.sum_duplicates()
        return X.astype(np.float64, copy=False)

    @once
    def by_column(self):
        """CSR rows taking part, in float64 and by columns."""
        return self.canonical.astype(np.float64, copy=False).tocsc()

    def products(self, coef):
        """x·coef of each row."""
        if self.is_sparse:
            return self._compressed @ coef
        return np.concatenate([X @ coef for X, _ in self.chunks()])

    def sums(self, factors):
        """Σ factor_i x_i."""
        if self.is_sparse:
            return self._compressed.T @ factors
        total, start = np.zeros(self.n_features), 0
        for X, _ in self.chunks():
            total += factors[start : start + len(X)] @ X
            start += len(X)
        return total

    @once
    def _compressed(self):
        """The CSR rows that take part, as one matrix."""
        return self.X[self.index] if len(self.index) else self.X

    @once
    def canonical(self):
        """The CSR rows that take part without duplicates: for work not linear in X."""
        X = self._compressed
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X

    def counts(self):
        """The number of stored entries of each column (of dense rows: n_rows)."""
        if not self.is_sparse:
            return np.full(self.n_features, float(self.n_rows))
        known = self.__dict__.get("by_column")
        if known is not None and self.canonical is self._compressed:
            return np.diff(known.indptr).astype(float)
        indices = self._compressed.indices
        return np.bincount(indices, minlength=self.n_features).astype(float)

    def vary(self, columns):
        """Whether any of these columns has two different numbers."""
        if not len(columns):
            return False
        if self.is_sparse:
            X = self.canonical[:, columns]
            return (X.max(axis=0) != X.min(axis=0)).nnz > 0
        first = None
        for X, _ in self.chunks():
            first = X[0, columns] if first is None else first
            if (X[:, columns] != first).any():
                return True
        return False

    def check_finite(self):
        """Raise ValueError if X has NaN or infinity in any row."""
        check_finite(self.X, "X")


def all_finite(numbers):
    """Whether all numbers of a small array are finite: a finite sum tells, too."""
    return isfinite(np.add.reduce(numbers, axis=None)) or bool(np.isfinite(numbers).all())


def check_finite(X, name, first=0):
    """Raise ValueError if X (dense or CSR) has NaN or infinity; the message says where.

    `first` is the number of its first row.
    """
    found = not_finite(X)
    if found:
        kind, row, column = found
        column = column if np.ndim(X) > 1 or sparse.issparse(X) else None
        refuse_not_finite(kind, row, column, name, first)


def refuse_not_finite(kind, row, column, name, first=0):
    """Raise the ValueError about a number that is not finite."""
    column = "" if column is None else f", column {column}"
    raise ValueError(
        f"Input {name} contains {kind}, first at row {first + row}{column}. Drop such "
        "rows, or fill them in, for example with SimpleImputer."
    )


def not_finite(X):
    """(kind, row, column) of the first number of X that is not finite, or None."""
    if sparse.issparse(X):
        bad = np.flatnonzero(~np.isfinite(X.data))
        if not len(bad):
            return None
        row = int(np.searchsorted(X.indptr, bad[0], side="right")) - 1
        return _kind_of(X.data[bad[0]]), row, int(X.indices[bad[0]])
    if not X.size or _surely_finite(X):
        return None
    X = X.reshape(len(X), -1)
    size = max(1, CHUNK_BYTES // (FLOAT_BYTES * X.shape[1]))
    for start in range(0, len(X), size):
        finite = np.isfinite(X[start : start + size])
        if not finite.all():
            bad = np.argwhere(~finite)
            row, column = int(start + bad[0, 0]), int(bad[0, 1])
            return _kind_of(X[row, column]), row, column
    return None


def _surely_finite(X):
    """Whether the sum of the squares is finite: a read of X, without a mask of its size."""
    if not X.flags.c_contiguous:
        return X.size < CHUNK_BYTES // FLOAT_BYTES and bool(np.isfinite(X).all())
    flat = X.reshape(-1)
    return isfinite(flat @ flat)


def _kind_of(value):
    return "NaN" if np.isnan(value) else "infinity"
