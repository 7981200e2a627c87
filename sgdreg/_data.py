"""What the loop sees of the data: rows, targets, weights, and the rows that take part.

Dense rows are used where they lie (C-ordered float32 or float64), CSR rows likewise
(int32 or int64 indices); everything else has been converted before it gets here.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from sgdreg._kernels.descent import Problem, evaluate

# Rows that NumPy work takes at a time: large enough for BLAS speed, and 4 MiB at most.
CHUNK_BYTES = 2**22

NO_ROWS = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Data:
    """A data set as the kernels see it; nothing in it changes during a fit.

    Attributes
    ----------
    X : ndarray or csr of shape (n, d)
    y : ndarray of float64, shape (n, k), C-ordered
    weights : ndarray of shape (n,) or None
        Scaled to mean one over the rows that take part; None: all one.
    rows : ndarray of intp
        The rows that take part, in the given order. Empty: all of them.
    weight_unit : float or None
        The raw weight that counts as one.
    """

    X: object
    y: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray
    weight_unit: float | None
    problem: Problem

    @classmethod
    def build(cls, X, y, weights=None, rows=NO_ROWS, weight_unit=None):
        """Prepare X, y and raw `weights`; rows of weight zero do not take part.

        Parameters
        ----------
        rows : ndarray of intp
            The rows that may take part; empty: all.
        weight_unit : float or None
            The weight that counts as one; None: the mean over the rows taking part.
        """
        if weights is not None:
            if not weights.all():
                among = rows if len(rows) else np.arange(len(y))
                rows = np.ascontiguousarray(among[weights[among] > 0])
            if weight_unit is None:
                weight_unit = mean_weight(weights, rows)
            weights = weights / weight_unit
        if sparse.issparse(X):
            parts = tuple(map(np.ascontiguousarray, (X.data, X.indices, X.indptr)))
        else:
            parts = (X.reshape(-1), None, None)
        problem = Problem(*parts, y, weights, X.shape[1])
        return cls(X, y, weights, rows, weight_unit, problem)

    @property
    def n_rows(self):
        """How many rows take part."""
        return len(self.rows) or len(self.y)

    @property
    def n_features(self):
        return self.X.shape[1]

    @property
    def n_outputs(self):
        return self.y.shape[1]

    @property
    def is_sparse(self):
        return self.problem.sparse

    def some_rows(self, count):
        """The same data set with every so-many-th row only, `count` rows at most."""
        among = self.rows if len(self.rows) else np.arange(len(self.y))
        return replace(self, rows=np.ascontiguousarray(among[:: -(-len(among) // count)]))

    @cached_property
    def canonical_X(self):
        """X with the duplicates of CSR summed, for work that is not linear in X."""
        if not self.is_sparse or self.X.has_canonical_format:
            return self.X
        X = self.X.copy()
        X.sum_duplicates()
        return X

    def chunks(self, at_least=1):
        """Dense float64 pieces (X, weights) of the rows taking part, for NumPy work."""
        size = max(at_least, CHUNK_BYTES // (8 * self.n_features), 1)
        for start in range(0, self.n_rows, size):
            stop = min(start + size, self.n_rows)
            at = self.rows[start:stop] if len(self.rows) else slice(start, stop)
            X = self.X[at]
            X = X.toarray() if sparse.issparse(X) else X
            weights = np.ones(len(X)) if self.weights is None else self.weights[at]
            yield np.asarray(X, dtype=np.float64), weights

    def varies(self, columns):
        """Whether any of these columns of X holds two different numbers."""
        first = None
        for X, _ in self.chunks():
            first = X[0, columns] if first is None else first
            if (X[:, columns] != first).any():
                return True
        return False

    def evaluate(self, weights, centre=None):
        """Mean losses (k,) and mean gradient (k, d + 1) at weights (k, d + 1)."""
        losses, gradient = evaluate(self.problem, weights, centre, self.rows, self.n_rows)
        return losses / self.n_rows, gradient / self.n_rows

    def check_finite(self):
        """Raise ValueError where X holds NaN or infinity (any row)."""
        check_finite(self.X, "X")

    def constant_losses(self):
        """½ weighted variance of each output: the loss of predicting its mean."""
        y = self.y[self.rows] if len(self.rows) else self.y
        if self.weights is None:
            return 0.5 * y.var(axis=0)
        weights = self.weights[self.rows] if len(self.rows) else self.weights
        mean = np.average(y, axis=0, weights=weights)
        return 0.5 * np.average((y - mean) ** 2, axis=0, weights=weights)

    def zero_losses(self):
        """½ weighted mean square of each output: the loss of predicting zero."""
        y = self.y[self.rows] if len(self.rows) else self.y
        if self.weights is None:
            return 0.5 * np.einsum("ij,ij->j", y, y) / len(y)
        weights = self.weights[self.rows] if len(self.rows) else self.weights
        return 0.5 * np.einsum("i,ij,ij->j", weights, y, y) / len(y)


def mean_weight(weights, rows=NO_ROWS):
    """Mean of the weights of the rows taking part."""
    weights = weights[rows] if len(rows) else weights
    largest = weights.max()
    return float(largest * (weights / largest).mean())


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
    if not X.size:
        return None
    X = X.reshape(len(X), -1)
    size = max(1, CHUNK_BYTES // (8 * X.shape[1]))
    for start in range(0, len(X), size):
        bad = np.argwhere(~np.isfinite(X[start : start + size]))
        if len(bad):
            row, column = int(start + bad[0, 0]), int(bad[0, 1])
            return _what(X[row, column]), row, column
    return None


def _what(value):
    return "NaN" if np.isnan(value) else "infinity"
