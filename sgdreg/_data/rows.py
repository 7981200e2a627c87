"""The rows of X that take part: the one place that knows dense from CSR.

Everything that is asked of X beyond the kernels' passes goes through here: chunks of
rows, some of them, products and sums. Rows are counted by their position among those
that take part.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

# Rows that NumPy work takes at a time: large enough for BLAS speed, and 4 MiB at most.
CHUNK_BYTES = 2**22
NO_ROWS = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a matrix in memory.

    Dense rows are used where they lie (C-ordered float32 or float64), CSR rows likewise
    (int32 or int64 indices); everything else has been converted before it gets here.

    Attributes
    ----------
    X : ndarray or csr of shape (n, d)
    index : ndarray of intp
        The rows that take part, in this order. Empty: all of them.
    """

    X: object
    index: np.ndarray

    @property
    def n_rows(self):
        """How many rows take part."""
        return len(self.index) or self.X.shape[0]

    @property
    def n_features(self):
        return self.X.shape[1]

    @cached_property
    def is_sparse(self):
        return sparse.issparse(self.X)

    @property
    def dtype(self):
        return self.X.dtype

    @property
    def coarse(self):
        """Share of itself that a number of X is off by, beyond the rounding of float64."""
        return 0.5 * np.finfo(np.float32).eps if self.dtype == np.float32 else 0.0

    @property
    def row_size(self):
        """Numbers of X in a row, on average (of CSR: non-zeros)."""
        return max(1.0, self.X.size / self.X.shape[0])

    @property
    def arrays(self):
        """Of the whole of X, as kernels take it: numbers, indices, indptr."""
        if self.is_sparse:
            X = self.X
            return tuple(map(np.ascontiguousarray, (X.data, X.indices, X.indptr)))
        return self.X.reshape(-1), None, None

    @property
    def at(self):
        """What picks the rows taking part out of an array of all of them."""
        return self.index if len(self.index) else slice(None)

    def only(self, positions):
        """Some of the rows, in this order."""
        chosen = self.index[positions] if len(self.index) else positions
        return replace(self, index=np.ascontiguousarray(chosen, dtype=np.intp))

    def take(self, positions):
        """Some of the rows, as a dense matrix of float64."""
        return self._piece(self.index[positions] if len(self.index) else positions, True)

    def chunks(self, at_least=1, within=None, size=CHUNK_BYTES, dense=True):
        """Float64 pieces of the rows, and where each is in an array of all rows.

        Parameters
        ----------
        at_least : int
            Rows in a piece.
        within : (start, stop) or None
            Some of the rows only.
        size : int
            Bytes in a piece, at most.
        dense : bool
            False: pieces of CSR are CSR, too, each number of them stored once.
        """
        first, last = within or (0, self.n_rows)
        numbers = self.n_features if dense else self.row_size
        size = max(at_least, int(size / (8 * numbers)), 1)
        for start in range(first, last, size):
            stop = min(start + size, last)
            at = self.index[start:stop] if len(self.index) else slice(start, stop)
            yield self._piece(at, dense), at

    def _piece(self, at, dense):
        X = self.X[at]
        if not self.is_sparse:
            return np.asarray(X, dtype=np.float64)
        if dense:
            return np.asarray(X.toarray(), dtype=np.float64)
        if not self.X.has_canonical_format:
            X.sum_duplicates()
        return X.astype(np.float64, copy=False)

    def piece(self, start, stop):
        """The rows taking part from one position to another, as they are stored."""
        return self.X[self.index[start:stop] if len(self.index) else slice(start, stop)]

    @cached_property
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

    @cached_property
    def _compressed(self):
        """CSR rows taking part, as one matrix."""
        return self.X[self.index] if len(self.index) else self.X

    @cached_property
    def canonical(self):
        """CSR rows taking part, each number stored once: for work not linear in X."""
        X = self._compressed
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X

    def counts(self):
        """In how many rows a column is stored (of CSR); of dense rows: in all."""
        if not self.is_sparse:
            return np.full(self.n_features, float(self.n_rows))
        indices = self._compressed.indices
        return np.bincount(indices, minlength=self.n_features).astype(float)

    def vary(self, columns):
        """Whether any of these columns holds two different numbers."""
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
        """Raise ValueError where X holds NaN or infinity (any row)."""
        check_finite(self.X, "X")


def check_finite(X, name):
    """Raise ValueError where X (dense or CSR) holds NaN or infinity, saying where."""
    found = not_finite(X)
    if found:
        what, row, column = found
        column = f", column {column}" if np.ndim(X) > 1 or sparse.issparse(X) else ""
        raise ValueError(
            f"Input {name} contains {what}, first at row {row}{column}. Drop such rows, "
            "or fill them in, for example with SimpleImputer."
        )


def not_finite(X):
    """Where X (dense or CSR) is not finite: (what, row, column) of the first, or None."""
    if sparse.issparse(X):
        bad = np.flatnonzero(~np.isfinite(X.data))
        if not len(bad):
            return None
        row = int(np.searchsorted(X.indptr, bad[0], side="right")) - 1
        return _what(X.data[bad[0]]), row, int(X.indices[bad[0]])
    if not X.size or (X.size < CHUNK_BYTES // 8 and np.isfinite(X).all()):
        return None
    X = X.reshape(len(X), -1)
    size = max(1, CHUNK_BYTES // (8 * X.shape[1]))
    for start in range(0, len(X), size):
        finite = np.isfinite(X[start : start + size])
        if not finite.all():
            bad = np.argwhere(~finite)
            row, column = int(start + bad[0, 0]), int(bad[0, 1])
            return _what(X[row, column]), row, column
    return None


def _what(value):
    return "NaN" if np.isnan(value) else "infinity"
