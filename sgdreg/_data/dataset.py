"""What a fit sees of the data: rows, targets, weights, a loss, and threads."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from sgdreg._data.constants import constants, loss_of_zero
from sgdreg._data.rows import CHUNK_BYTES, NO_ROWS, Rows
from sgdreg._data.threads import Team
from sgdreg._kernels.descent import Problem, evaluate
from sgdreg.losses import SQUARED_ERROR, Loss

# A pass is cut into this many pieces, for threads, or fewer: each of this many numbers
# (0.1 ms) at least. They do not depend on the number of threads, so neither do results.
PIECES = 16
PIECE_NUMBERS = 2**18


@dataclass(frozen=True, eq=False)
class Data:
    """A data set as the kernels see it; nothing in it changes during a fit.

    Targets and weights are asked for by row taking part: `targets`, `row_weights`.

    Attributes
    ----------
    rows : Rows
        The matrix of features, and which of its rows take part.
    y : ndarray of float64, shape (n, k), C-ordered
        Of all rows of the matrix.
    weights : ndarray of shape (n,) or None
        Of all rows, scaled to mean one over those that take part; None: all one.
    weight_unit : float or None
        The raw weight that counts as one.
    problem : Problem
        The same, for the kernels.
    team : Team
        The threads that work at a pass over the rows.
    loss : Loss
        What predictions cost.
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
            The weight that counts as one; None: the mean over the rows taking part.
        """
        rows = X if isinstance(X, Rows) else Rows(X, NO_ROWS)
        if weights is not None:
            if not weights.all():
                rows = rows.only(np.flatnonzero(weights[rows.at] > 0))
            if weight_unit is None:
                weight_unit = mean_weight(weights[rows.at])
            weights = weights / weight_unit
        problem = Problem(*rows.arrays, y, weights, rows.n_features, loss)
        return cls(rows, y, weights, weight_unit, problem, team, loss)

    def in_unit(self, exponent, loss):
        """The same rows with targets divided by 2^exponent, and another loss."""
        y = np.ldexp(self.y, -exponent)
        return self._with(y, self.weights, loss, self.weight_unit)

    def _with(self, y, weights, loss, weight_unit=1.0):
        """The same rows with others of these; weights are in units already."""
        rows = self.rows
        problem = Problem(*rows.arrays, y, weights, rows.n_features, loss)
        return replace(
            self, y=y, weights=weights, loss=loss, problem=problem, weight_unit=weight_unit
        )

    @property
    def n_rows(self):
        """How many rows take part."""
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
        """That of X, and of the model."""
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
        return self.only(np.arange(0, self.n_rows, -(-self.n_rows // count)))

    def random_rows(self, rng, count):
        """The same data set with some rows at random, in their order."""
        return self.only(np.sort(rng.choice(self.n_rows, count, replace=False)))

    def only(self, positions):
        """The same data set with some of the rows taking part only, in this order."""
        return replace(self, rows=self.rows.only(positions))

    def of_output(self, output):
        """The same rows with one of the outputs."""
        if self.n_outputs == 1:
            return self
        y = np.ascontiguousarray(self.y[:, output : output + 1])
        return self._with(y, self.weights, self.loss, self.weight_unit)

    def split(self, positions, weights, loss):
        """The data set of some of the rows taking part, by raw weights of all rows."""
        return Data.build(
            self.rows.only(positions), self.y, weights, loss=loss, team=self.team
        )

    def take(self, positions):
        """Some rows as (X, y, weights), dense and in float64."""
        at = self.rows.only(positions).at
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
        """x·w + intercept of each row, of weights (d + 1,) at a centre."""
        coef, intercept = weights[:-1], weights[-1]
        if centre is not None:
            intercept = intercept - coef @ centre
        return self.rows.products(coef) + intercept

    def sums(self, slopes):
        """Σ slope_i [x_i, 1]."""
        return np.append(self.rows.sums(slopes), slopes.sum())

    def evaluate(self, weights, centre=None, predictions=None):
        """Mean losses (k,) and mean gradient (k, d + 1) at weights (k, d + 1).

        Predictions (k, n_rows) of the rows taking part are written into an array, if one
        is given.
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
        """Raise ValueError where X holds NaN or infinity (any row)."""
        self.rows.check_finite()

    def with_targets(self, targets):
        """The same rows, each of weight one, with other targets (n_rows, k): squares."""
        return self._with(self._of_all(targets), None, SQUARED_ERROR)

    def weighed(self, factors, targets=None, unit=1.0):
        """The squares of the same rows, by weights multiplied by `factors` (n_rows,).

        Zero leaves a row out.

        Parameters
        ----------
        factors : ndarray of shape (n_rows,)
        targets : ndarray of shape (n_rows, k) or None
            Other ones.
        unit : float
            The product that counts as one.
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
        """An array of all rows, zero where a row does not take part."""
        if not len(self.rows.index):
            return np.ascontiguousarray(values)
        spread = np.zeros((len(self.y), *values.shape[1:]))
        spread[self.rows.at] = values
        return spread

    @cached_property
    def unweighted(self):
        """The same rows, each of weight one: for draws that know the weights already."""
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
        """Loss of predicting it (squared error: half the variance)."""
        return self._constants[1]

    @cached_property
    def variances(self):
        """Half the variance of each output, whatever the loss."""
        return constants(self.targets, self.row_weights, SQUARED_ERROR)[1]

    @cached_property
    def zero_losses(self):
        """Loss of predicting zero: known without a search for the best constant."""
        return loss_of_zero(self.targets, self.row_weights, self.loss)


def mean_weight(weights):
    """Their mean, without an overflow of their sum."""
    largest = weights.max()
    return float(largest * (weights / largest).mean())
