"""The data of a fit: rows, targets, weights, a loss, and threads."""

from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from sgdreg._data.constants import constants, loss_of_zero
from sgdreg._data.rows import CHUNK_BYTES, NO_ROWS, Rows
from sgdreg._data.threads import Team
from sgdreg._kernels.descent import Problem, evaluate
from sgdreg._records import record
from sgdreg.losses import SQUARED_ERROR, Loss

# A pass is cut into PIECES pieces for threads, or fewer: each has at least PIECE_NUMBERS
# numbers of X, which take 0.1 ms, and PIECE_SUMS times as many as its sums, which are
# added to the others' in the end. The pieces do not depend on the number of threads, so
# results do not either.
PIECES = 16
PIECE_NUMBERS = 2**18
PIECE_SUMS = 4


@record
class Data:
    """A data set in the form that the kernels take; it does not change during a fit.

    The properties `targets` and `row_weights` have one entry for each row taking part.

    Attributes
    ----------
    rows : Rows
        The matrix of features, and which of its rows take part.
    y : ndarray of float64, shape (n, k), C-ordered
        Targets of all rows of the matrix.
    weights : ndarray of shape (n,) or None
        Weights of all rows, scaled to mean one over those that take part; None: all one.
    weight_unit : float or None
        The raw weight that counts as one.
    problem : Problem
        The same data, for the kernels.
    team : Team
        The threads that share a pass over the rows.
    loss : Loss
    """

    rows: Rows
    y: np.ndarray
    weights: np.ndarray | None
    weight_unit: float | None
    problem: Problem
    team: Team
    loss: Loss

    @classmethod
    def build(cls, X, y, weights=None, *, loss, team, weight_unit=None):
        """Prepare X, y and raw `weights`; rows of weight zero do not take part.

        Parameters
        ----------
        X : ndarray, csr or Rows
        weight_unit : float or None
            The raw weight that counts as one; None: the mean over the rows taking part.
        """
        rows = X if isinstance(X, Rows) else Rows(X, NO_ROWS)
        if weights is not None:
            if not weights.all():
                rows = rows.only(np.flatnonzero(weights[rows.at] > 0))
            if weight_unit is None:
                weight_unit = mean_weight(weights[rows.at])
            if weight_unit != 1.0 or not weights.flags.c_contiguous:
                weights = weights / weight_unit
        problem = Problem(*rows.arrays, y, weights, rows.n_features, loss)
        return cls(rows, y, weights, weight_unit, problem, team, loss)

    def in_unit(self, exponent, loss):
        """The same rows with targets divided by 2^exponent, and another loss."""
        y = np.ldexp(self.y, -exponent)
        return self._with(y, self.weights, loss, self.weight_unit)

    def _with(self, y, weights, loss, weight_unit=1.0):
        """The same rows with these targets, weights (scaled already) and loss."""
        rows = self.rows
        problem = Problem(*rows.arrays, y, weights, rows.n_features, loss)
        return replace(
            self, y=y, weights=weights, loss=loss, problem=problem, weight_unit=weight_unit
        )

    @property
    def n_rows(self):
        """The number of rows that take part."""
        return self.rows.n_rows

    @property
    def n_features(self):
        return self.rows.n_features

    @property
    def n_outputs(self):
        return self.y.shape[1]

    @property
    def is_sparse(self):
        return self.rows.is_sparse

    @property
    def dtype(self):
        """The floating-point type of X, and of the model."""
        return self.rows.dtype

    @property
    def coarse(self):
        """See `Rows.coarse`."""
        return self.rows.coarse

    @property
    def row_size(self):
        """See `Rows.row_size`."""
        return self.rows.row_size

    @property
    def targets(self):
        """Targets (n_rows, k) of the rows taking part."""
        return self.y[self.rows.at]

    @property
    def row_weights(self):
        """Weights (n_rows,) of the rows taking part, or None."""
        return None if self.weights is None else self.weights[self.rows.at]

    @property
    def total_weight(self):
        """The sum of the weights of the rows taking part."""
        weights = self.row_weights
        return float(self.n_rows) if weights is None else float(weights.sum())

    @cached_property
    def pieces(self):
        """(start, stop) of the pieces of the rows taking part that threads work on."""
        numbers = self.n_rows * self.row_size * self.n_outputs
        if numbers < 2 * PIECE_NUMBERS:  # too few for two pieces
            return [(0, self.n_rows)]
        sums = self.n_outputs * (self.n_features + 1)  # of each piece: its gradient
        count = int(min(PIECES, numbers / PIECE_NUMBERS, numbers / (PIECE_SUMS * sums)))
        if count <= 1:
            return [(0, self.n_rows)]
        cuts = np.linspace(0, self.n_rows, count + 1).astype(int).tolist()
        return list(pairwise(cuts))

    def some_rows(self, count):
        """The same data set with evenly spaced rows only, `count` rows at most."""
        return self.only(np.arange(0, self.n_rows, -(-self.n_rows // count)))

    def random_rows(self, rng, count):
        """The same data set with `count` random rows, in their original order."""
        return self.only(np.sort(rng.choice(self.n_rows, count, replace=False)))

    def only(self, positions):
        """The same data set with only these of the rows taking part, in this order."""
        return replace(self, rows=self.rows.only(positions))

    def of_output(self, output):
        """The same rows with one of the outputs."""
        if self.n_outputs == 1:
            return self
        y = np.ascontiguousarray(self.y[:, output : output + 1])
        return self._with(y, self.weights, self.loss, self.weight_unit)

    def split(self, positions, weights, loss):
        """The data set of some of the rows taking part; `weights` are raw, of all rows."""
        return Data.build(
            self.rows.only(positions), self.y, weights, loss=loss, team=self.team
        )

    def take(self, positions):
        """Some rows as (X, y, weights), dense and in float64."""
        at = self.rows.at_of(positions)
        return self.rows.take(positions), self.y[at], self._weights(at)

    def chunks(self, at_least=1, within=None, size=CHUNK_BYTES, dense=True):
        """Float64 pieces (X, y, weights) of the rows taking part: see `Rows.chunks`."""
        for X, at in self.rows.chunks(at_least, within, size, dense):
            yield X, self.y[at], self._weights(at, X.shape[0])

    def _weights(self, at, count=None):
        if self.weights is None:
            return np.ones(len(at) if count is None else count)
        return self.weights[at]

    def predictions(self, weights, centre=None):
        """x·w + intercept of each row, for weights (d + 1,) about a centre."""
        coef, intercept = weights[:-1], weights[-1]
        if centre is not None:
            intercept = intercept - coef @ centre
        return self.rows.products(coef) + intercept

    def sums(self, slopes):
        """Σ slope_i [x_i, 1]."""
        return np.append(self.rows.sums(slopes), slopes.sum())

    def evaluate(self, weights, centre=None, predictions=None):
        """Mean losses (k,) and gradient (k, d + 1) at weights (k, d + 1) about a centre.

        The predictions of the rows taking part are written into the array `predictions`
        of shape (k, n_rows), if it is given.
        """
        index = self.rows.index

        def part(piece):
            return evaluate(self.problem, weights, centre, index, *piece, predictions)

        first, *others = self.team.in_order(part, self.pieces)
        losses, gradient = first
        for more_losses, more_gradient in others:
            losses, gradient = losses + more_losses, gradient + more_gradient
        return losses / self.n_rows, gradient / self.n_rows

    def check_finite(self):
        """Raise ValueError if X has NaN or infinity in any row."""
        self.rows.check_finite()

    def with_targets(self, targets):
        """Least squares of the same rows with weights one and other targets (n_rows, k)."""
        return self._with(self._of_all(targets), None, SQUARED_ERROR)

    def weighed(self, factors, targets=None, unit=1.0):
        """Least squares of the same rows, with weights multiplied by `factors`.

        Parameters
        ----------
        factors : ndarray of shape (n_rows,)
            0 leaves a row out.
        targets : ndarray of shape (n_rows, k) or None
            Other targets.
        unit : float
            The product of weight and factor that counts as one.
        """
        factors = factors if self.weights is None else factors * self.row_weights
        y = self.y if targets is None else self._of_all(targets)
        return Data.build(
            self.rows,
            y,
            self._of_all(factors),
            loss=SQUARED_ERROR,
            team=self.team,
            weight_unit=unit,
        )

    def _of_all(self, values):
        """The values spread to an array of all rows, with zeros for rows left out."""
        if not len(self.rows.index):
            return np.ascontiguousarray(values)
        spread = np.zeros((len(self.y), *values.shape[1:]))
        spread[self.rows.at] = values
        return spread

    @cached_property
    def unweighted(self):
        """The same rows with weights one: for draws in proportion to the weights."""
        if self.weights is None:
            return self
        return self._with(self.y, None, self.loss, None)

    @cached_property
    def _constants(self):
        return constants(self.targets, self.row_weights, self.loss)

    @property
    def best_constants(self):
        """Best constant prediction of each output (squared error: the weighted mean)."""
        return self._constants[0]

    @property
    def constant_losses(self):
        """Loss of the best constant (squared error: half the variance)."""
        return self._constants[1]

    @cached_property
    def variances(self):
        """Half the variance of each output, for every loss."""
        return constants(self.targets, self.row_weights, SQUARED_ERROR)[1]

    @cached_property
    def zero_losses(self):
        """Loss of predicting zero, which needs no search for the best constant."""
        return loss_of_zero(self.targets, self.row_weights, self.loss)


def mean_weight(weights):
    """The mean of the weights, without an overflow of their sum."""
    largest = weights.max()
    return float(largest * (weights / largest).mean())
