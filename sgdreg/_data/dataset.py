"""The data of a fit: rows, targets, weights, a loss, and threads."""

from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from sgdreg._data.constants import constants, loss_of_zero
from sgdreg._data.rows import CHUNK_BYTES, NO_ROWS, Rows
from sgdreg._data.threads import ALONE, Team
from sgdreg._kernels.descent import Problem, evaluate
from sgdreg._records import once, record
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
    problem : Problem or None
        The same data, for the kernels; None where memory does not hold them.
    team : Team
        The threads that share a pass over the rows.
    loss : Loss
    first : int
        The position of the first row, where these are a block of a larger data set.
    """

    rows: Rows
    y: np.ndarray
    weights: np.ndarray | None
    weight_unit: float | None
    problem: Problem | None
    team: Team
    loss: Loss
    first: int = 0

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
                raw, weights = weights, weights / weight_unit
                if rows.is_remote:
                    rows = rows.knowing(raw, weight_unit, weights)
        problem = _problem(rows, y, weights, loss)
        return cls(rows, y, weights, weight_unit, problem, team, loss)

    def in_unit(self, exponent, loss):
        """The same rows with targets divided by 2^exponent, and another loss."""
        y = np.ldexp(self.y, -exponent)
        return self._with(y, self.weights, loss, self.weight_unit)

    def _with(self, y, weights, loss, weight_unit=1.0):
        """The same rows with these targets, weights (scaled already) and loss."""
        problem = _problem(self.rows, y, weights, loss)
        return replace(
            self, y=y, weights=weights, loss=loss, problem=problem, weight_unit=weight_unit
        )

    @once
    def n_rows(self):
        """The number of rows that take part."""
        return self.rows.n_rows

    @once
    def n_features(self):
        return self.rows.n_features

    @once
    def n_outputs(self):
        return self.y.shape[1]

    @once
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

    @once
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

    def blocks(self, rng=None):
        """Yield the rows taking part as data sets in memory: all at once, if they are.

        Rows that memory does not hold are read, a block at a time: in their order, or, with
        a generator of random numbers, in a random order as far as the source allows it.
        """
        if self.rows.is_one_block:
            yield self
            return
        with closing(self.rows.blocks(rng)) as blocks:
            for rows, at, gone in blocks:
                y, weights = self.y[at], self.weights
                weights = None if weights is None else weights[at]
                problem = _problem(rows, y, weights, self.loss)
                yield replace(
                    self, rows=rows, y=y, weights=weights, problem=problem, first=gone
                )

    def over_pieces(self, function, cut=None):
        """An iterator of function(block, piece) for the pieces of all blocks, in order.

        Every pass over the rows is of this form: sums are added up as they come, so they
        do not depend on the number of threads.

        Parameters
        ----------
        function : callable
            (Data, (start, stop)) -> anything. `block.first` is the position of its first
            row among all.
        cut : callable or None
            Data -> its pieces; None: `pieces`.
        """
        if self.rows.is_one_block:  # as nearly always
            pieces = self.pieces if cut is None else cut(self)
            return self.team.in_order(partial(function, self), pieces)
        return self._read_pieces(function, cut)

    def _read_pieces(self, function, cut):
        """`over_pieces` of rows that are not all in memory."""
        if self.rows.is_remote:
            work = partial(_all_pieces, function=function, cut=cut, loss=self.loss)
            for found in self.rows.each(work, self._beside):
                yield from found
            return
        for block in self.blocks():
            pieces = block.pieces if cut is None else cut(block)
            yield from block.team.in_order(partial(function, block), pieces)

    def over_blocks(self, function):
        """Yield function(block) of all blocks, in order, each where it is."""
        return self.over_pieces(partial(_of_block, function=function), _whole)

    def _beside(self, gone, _, at):
        """(position of the first row, targets, weights) for a block of remote rows."""
        y, weights = (
            self.rows.known(array) or (None if array is None else array[at])
            for array in (self.y, self.weights)
        )
        return gone, y, weights

    def some_rows(self, count):
        """The same data set with evenly spaced rows only, `count` rows at most."""
        return self._held(np.arange(0, self.n_rows, -(-self.n_rows // count)))

    def random_rows(self, rng, count):
        """The same data set with `count` random rows, in their original order."""
        return self._held(np.sort(rng.choice(self.n_rows, count, replace=False)))

    def _held(self, positions):
        """Some of the rows (sorted positions), in memory."""
        some, rows = self.only(positions), self.rows
        if rows.is_one_block:
            return some
        y, weights = some.targets, some.row_weights
        held = Rows(rows.stored(positions), NO_ROWS)
        problem = _problem(held, y, weights, self.loss)
        return replace(some, rows=held, y=y, weights=weights, problem=problem)

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
        into = predictions if self.rows.is_one_block else None
        kept = predictions is not None
        part = partial(_evaluated, weights=weights, centre=centre, kept=kept, into=into)
        losses = gradient = None
        for more, slopes, found in self.over_pieces(part):
            if losses is None:
                losses, gradient = more, slopes
            else:
                losses, gradient = losses + more, gradient + slopes
            if found is not None:
                start, values = found
                predictions[:, start : start + values.shape[1]] = values
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

    @once
    def unweighted(self):
        """The same rows with weights one: for draws in proportion to the weights."""
        if self.weights is None:
            return self
        return self._with(self.y, None, self.loss, None)

    @once
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

    @once
    def variances(self):
        """Half the variance of each output, for every loss."""
        return constants(self.targets, self.row_weights, SQUARED_ERROR)[1]

    @once
    def zero_losses(self):
        """Loss of predicting zero, which needs no search for the best constant."""
        return loss_of_zero(self.targets, self.row_weights, self.loss)


def _of_block(block, _, function):
    return function(block)


def _whole(block):
    return [(0, block.n_rows)]


def _evaluated(block, piece, weights, centre, kept, into):
    """Losses and gradient of a piece, and its predictions where they are not `into`."""
    there = into
    if kept and into is None:
        there = np.empty((block.n_outputs, block.n_rows))
    index = block.rows.index
    losses, gradient = evaluate(block.problem, weights, centre, index, *piece, there)
    if there is into:
        return losses, gradient, None
    start, stop = piece
    return losses, gradient, (block.first + start, there[:, start:stop])


def _all_pieces(rows, first, y, weights, function, cut, loss):
    """function(block, piece) of all pieces of a block, where it lies."""
    problem = _problem(rows, y, weights, loss)
    block = Data(rows, y, weights, None, problem, ALONE, loss, first)
    pieces = block.pieces if cut is None else cut(block)
    return [function(block, piece) for piece in pieces]


def _problem(rows, y, weights, loss):
    """The data for the kernels, of rows in memory."""
    if not rows.in_memory:
        return None
    return Problem(*rows.arrays, y, weights, rows.n_features, loss)


def mean_weight(weights):
    """The mean of the weights, without an overflow of their sum."""
    largest = weights.max()
    return float(largest * (weights / largest).mean())
