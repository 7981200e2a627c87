"""What the loop sees of the data: rows, targets, weights, and the rows that take part.

Dense rows are used where they lie (C-ordered float32 or float64), CSR rows likewise
(int32 or int64 indices); everything else has been converted before it gets here.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from sgdreg._kernels.descent import Problem, evaluate
from sgdreg._targets import constants, loss_of_zero
from sgdreg._threads import ALONE, Team
from sgdreg.losses import SQUARED_ERROR, Loss

# Rows that NumPy work takes at a time: large enough for BLAS speed, and 4 MiB at most.
CHUNK_BYTES = 2**22
# A pass is cut into this many pieces, for threads, or fewer: each of this many numbers
# (0.1 ms) at least. They do not depend on the number of threads, so neither do results.
PIECES = 16
PIECE_NUMBERS = 2**18

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
    problem : Problem
        The same, for the kernels.
    team : Team
        The threads that work at a pass over the rows.
    loss : Loss
        What predictions cost.
    """

    X: object
    y: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray
    weight_unit: float | None
    problem: Problem
    team: Team = ALONE
    loss: Loss = SQUARED_ERROR

    @classmethod
    def build(
        cls,
        X,
        y,
        weights=None,
        rows=NO_ROWS,
        weight_unit=None,
        team=ALONE,
        loss=SQUARED_ERROR,
    ):
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
        problem = Problem(*parts, y, weights, X.shape[1], loss)
        return cls(X, y, weights, rows, weight_unit, problem, team, loss)

    def in_unit(self, exponent, loss):
        """The same rows with targets divided by 2^exponent, and another loss."""
        y = np.ldexp(self.y, -exponent)
        data = Data.build(self.X, y, self.weights, self.rows, 1.0, self.team, loss)
        return replace(data, weight_unit=self.weight_unit)

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

    @property
    def coarse(self):
        """Share of itself that a number of X is off by, beyond the rounding of float64."""
        return 0.5 * np.finfo(np.float32).eps if self.X.dtype == np.float32 else 0.0

    @property
    def row_size(self):
        """Numbers of X in a row, on average (of CSR: non-zeros)."""
        return max(1.0, self.X.size / len(self.y))

    @cached_property
    def pieces(self):
        """(start, stop) of the pieces of the rows taking part that threads work on."""
        numbers = self.n_rows * self.row_size * self.n_outputs
        if numbers < 2 * PIECE_NUMBERS:
            return [(0, self.n_rows)]
        outputs = self.n_outputs * (self.n_features + 1)  # each piece's own sums
        count = int(min(PIECES, numbers / PIECE_NUMBERS, numbers / (4 * outputs)))
        if count <= 1:
            return [(0, self.n_rows)]
        cuts = np.linspace(0, self.n_rows, count + 1).astype(int).tolist()
        return list(pairwise(cuts))

    def some_rows(self, count):
        """The same data set with every so-many-th row only, `count` rows at most."""
        among = self.rows if len(self.rows) else np.arange(len(self.y))
        return self.only(among[:: -(-len(among) // count)])

    def only(self, rows):
        """The same data set with some of its rows only, in this order."""
        return replace(self, rows=np.ascontiguousarray(rows))

    @cached_property
    def canonical_X(self):
        """X with the duplicates of CSR summed, for work that is not linear in X."""
        if not self.is_sparse or self.X.has_canonical_format:
            return self.X
        X = self.X.copy()
        X.sum_duplicates()
        return X

    def chunks(self, at_least=1, within=None, size=CHUNK_BYTES, dense=True):
        """Float64 pieces (X, y, weights) of the rows taking part, for NumPy work.

        Parameters
        ----------
        at_least : int
            Rows in a piece.
        within : (start, stop) or None
            Some of the rows only.
        size : int
            Bytes in a piece, at most.
        dense : bool
            False: pieces of a sparse X are sparse, too.
        """
        first, last = within or (0, self.n_rows)
        numbers = self.n_features if dense else self.row_size
        size = max(at_least, int(size / (8 * numbers)), 1)
        for start in range(first, last, size):
            stop = min(start + size, last)
            at = self.rows[start:stop] if len(self.rows) else slice(start, stop)
            X = self.X[at]
            X = X.toarray() if dense and self.is_sparse else X
            if dense or not self.is_sparse:
                X = np.asarray(X, dtype=np.float64)
            else:
                X = X.astype(np.float64, copy=False)
            weights = self.weights
            weights = np.ones(X.shape[0]) if weights is None else weights[at]
            yield X, self.y[at], weights

    def varies(self, columns):
        """Whether any of these columns of X holds two different numbers."""
        if not len(columns):
            return False
        if self.is_sparse:
            X = self.canonical_X[:, columns][self.at]
            return (X.max(axis=0) != X.min(axis=0)).nnz > 0
        first = None
        for X, _, _ in self.chunks():
            first = X[0, columns] if first is None else first
            if (X[:, columns] != first).any():
                return True
        return False

    def evaluate(self, weights, centre=None):
        """Mean losses (k,) and mean gradient (k, d + 1) at weights (k, d + 1)."""

        def part(piece):
            return evaluate(self.problem, weights, centre, self.rows, *piece)

        first, *others = self.team.in_order(part, self.pieces)
        losses, gradient = first
        for more_losses, more_gradient in others:
            losses, gradient = losses + more_losses, gradient + more_gradient
        return losses / self.n_rows, gradient / self.n_rows

    def check_finite(self):
        """Raise ValueError where X holds NaN or infinity (any row)."""
        check_finite(self.X, "X")

    @property
    def at(self):
        """Index of the rows taking part."""
        return self.rows if len(self.rows) else slice(None)

    def weighed(self, factors, y=None, unit=1.0):
        """The same rows with weights multiplied by `factors`; zero leaves a row out.

        Parameters
        ----------
        factors : ndarray of shape (n_rows,)
            Of the rows taking part.
        y : ndarray of shape (n, k) or None
            Other targets.
        unit : float
            The product that counts as one.
        """
        weights = np.zeros(len(self.y))
        weights[self.at] = (
            factors if self.weights is None else factors * self.weights[self.at]
        )
        y = self.y if y is None else y
        return Data.build(self.X, y, weights, self.rows, weight_unit=unit, team=self.team)

    @cached_property
    def unweighted(self):
        """The same rows, each of weight one: for draws that know the weights already."""
        if self.weights is None:
            return self
        return Data.build(self.X, self.y, None, self.rows, team=self.team, loss=self.loss)

    @property
    def _targets(self):
        """Targets and weights of the rows taking part."""
        y, weights = self.y, self.weights
        if len(self.rows):
            y, weights = y[self.rows], None if weights is None else weights[self.rows]
        return y, weights

    @cached_property
    def _constants(self):
        return constants(*self._targets, self.loss)

    @property
    def best_constants(self):
        """Best constant prediction of each output (squared error: the weighted mean)."""
        return self._constants[0]

    @property
    def constant_losses(self):
        """Loss of predicting it (squared error: half the variance)."""
        return self._constants[1]

    @cached_property
    def variances(self):
        """Half the variance of each output, whatever the loss."""
        return constants(*self._targets, SQUARED_ERROR)[1]

    @cached_property
    def zero_losses(self):
        """Loss of predicting zero: known without a search for the best constant."""
        return loss_of_zero(*self._targets, self.loss)


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
