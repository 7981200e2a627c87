"""Solvers for the next rows of a stream, which use what is known of all rows before."""

from dataclasses import replace

import numpy as np

from sgdreg._data.order import Order
from sgdreg._records import changed
from sgdreg._solvers.conjugate_gradient import ConjugateGradients, dot
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._training.evaluation import Evaluation, Point

# Each batch of a stream is solved until its gradient has fallen to this share, by at most
# this many steps of one pass (measured on streams of 5,000 to 100,000 sparse columns,
# docs/design-notes.md).
STREAM_TOL = 0.01
STREAM_ROUNDS = 30


class Recursive(FullGradient):
    """The optimum for all rows of a stream so far, computed from their curvature."""

    def _begin(self, state):
        before = self.evaluation.losses(state.weights)
        self.point = Point(self.start.weights, before, None, None)  # no epoch follows
        state.steps += 1
        return 1.0


class Streaming(FullGradient):
    """Least squares of the new rows, with a proximal term at the last weights.

    See `Stream`.
    """

    def run(self, state, count=1):
        losses, whole = 0.0, self.evaluation
        for rows in self._batches(state.rng):
            batch, before = self._learn(rows, state)
            losses = losses + rows.n_rows / self.data.n_rows * before
            whole.passes += batch.evaluation.passes * rows.n_rows / self.data.n_rows
        state.passes += whole.passes + self.start.passes
        self.point = replace(batch.point, losses=losses)
        return self._reports(1.0)

    def _batches(self, rng):
        """The new rows, in the batches of the plan."""
        data, size, shuffle = self.data, self.plan.batch_size, self.plan.shuffle
        if size == "full" or size >= data.n_rows:
            return [data]
        order = Order(data.n_rows, size, shuffle, int(data.row_size))
        everyone = np.arange(data.n_rows)
        return [
            data.only((rows if len(rows) else everyone)[start:stop])
            for rows, pieces in order.draw(rng)
            for start, stop in pieces
        ]

    def _learn(self, data, state):
        """Move the state by a batch of new rows: (its solver, their losses before)."""
        old, seen = self.start, state.statistics.stream
        stream, added, shrink = seen.update_moments(data)
        start = replace(old, metric=stream.metric)
        state.weights[:, :-1] *= shrink  # in features about the old centre
        state.adapt(old, start)
        if self.plan.fit_intercept and not seen.total:
            state.weights[:, -1] = data.best_constants
        anchor = state.weights.copy()
        before = Evaluation(data, start).at(anchor)
        if not before.finite:  # far larger numbers than in the rows before
            state.forget()
            anchor = state.weights.copy()
            before = Evaluation(data, start).at(anchor)
        stream, strength, metric = stream.absorb(
            data, added, before.losses, self.plan.penalty.l2
        )
        start = replace(start, metric=metric)
        held = replace(start, proximal_term=(strength, anchor))
        batch = Batch(data, held, before)
        batch.settle(state)
        self.start = start
        state.statistics = changed(state.statistics, stream=stream)
        return batch, before.losses


class Batch(ConjugateGradients):
    """Steps on one batch of a stream, from a point whose loss and gradient are known."""

    def __init__(self, data, start, before):
        super().__init__(data, start)
        self.evaluation.passes = 1.0
        self.point = self.evaluation.moved(before, before.weights)

    def settle(self, state):
        """Step until the gradient has fallen to a small share; changes the state."""
        first = dot(self.point.slope, self.point.slope)
        for _ in range(STREAM_ROUNDS):
            now = dot(self.point.slope, self.point.slope)
            if not (now > STREAM_TOL**2 * first).any():
                break
            self._move(state)
        state.weights[:] = self.point.weights
