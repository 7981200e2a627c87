"""Whole epochs as compiled passes: order, step sizes and averaging for each."""

import numpy as np

from sgdreg._kernels.descent import Rule, descend
from sgdreg._order import Order
from sgdreg.schedules import step_sizes

# A batch's mean loss beyond this multiple of the loss at the start is divergence: real
# outliers stay below it, and an exponential passes it within a few steps.
BLOW_UP = 1e10


class Diverged(Exception):
    """A pass met an exploding or non-finite loss; the arguments are epoch and step."""


class Epochs:
    """Epochs of a plan on a data set, for whatever state they are to move.

    Parameters
    ----------
    data : Data
    plan : Plan
    anchor, drift : ndarray of shape (k, d + 1) or None
        For variance-reduced steps: some weights, and the loss's gradient there.
    """

    def __init__(self, data, plan, anchor=None, drift=None):
        self.data, self.plan = data, plan
        batch = data.n_rows if plan.batch_size == "full" else plan.batch_size
        size = int(data.row_size) * data.n_outputs
        self.order = Order(data.n_rows, min(batch, data.n_rows), plan.shuffle, size)
        self.rule = Rule(
            alpha=plan.alpha,
            momentum=plan.optimizer.momentum,
            nesterov=plan.optimizer.nesterov,
            fit_intercept=plan.fit_intercept,
            lazy=anchor is None and self._lazy(),
            centre=plan.metric.centre,
            scale=plan.metric.scale,
            root=plan.metric.root,
            low_rank=plan.metric.low_rank,
            anchor=anchor,
            drift=drift,
        )

    @property
    def n_batches(self):
        """Steps an epoch."""
        return self.order.n_batches

    def _lazy(self):
        """Steps at the cost of the non-zeros, where a batch has fewer than features."""
        if not self.data.is_sparse or self.plan.metric.scale is not None:
            return False
        density = self.data.X.nnz / max(1, len(self.data.y))
        return density * self.order.batch_size < self.data.n_features

    def at_once(self, state, wanted):
        """How many epochs one compiled call may take."""
        if self.plan.average == "tail":  # up to the next restart of the average
            wanted = min(wanted, (1 << state.epochs.bit_length()) - state.epochs)
        return self.order.epochs_at_once(wanted)

    def run(self, state, count):
        """Move the state by `count` epochs.

        Returns
        -------
        objectives : ndarray of shape (count,)
            Of each epoch: the mean of the losses before its steps, and the penalty at
            its start.
        last_steps : ndarray of shape (count,)
            The size of each epoch's last step.

        Raises
        ------
        Diverged
            The state is then of no use any more.
        """
        start = state.steps
        if self.plan.average == "tail" and state.epochs & (state.epochs - 1) == 0:
            state.total[:] = 0.0  # at epochs 0, 1, 2, 4, 8, …: the latest half at least
            state.averaged = 0
        log = np.zeros((count, 2))  # sum of losses, ½‖w‖² at the start of each epoch
        for rows, batches in self.order.draw(state.rng, self.data.rows, count):
            # One call takes all the epochs, or (many batches) a part of the only one.
            half_norm, first_call = log[0, 1], state.steps == start
            first = self._first_averaged(state.steps, len(batches))
            self._call(state, rows, batches, log, first, start)
            if not first_call:
                log[0, 1] = half_norm
            state.averaged += len(batches) - first
        ends = start + self.n_batches * np.arange(1.0, count + 1)
        last_steps = state.factor * step_sizes(self.plan.schedule, ends)
        objectives = log[:, 0] / self.data.n_rows
        if self.plan.alpha:
            objectives += self.plan.alpha * log[:, 1]
        return objectives, last_steps

    def inner(self, state, share, averaged):
        """Steps on a share of the mini-batches; returns the size of the last one.

        With `averaged` the weights are in the end their mean over the later half.
        """
        left = max(1, round(share * self.n_batches))
        half, taken, start = left // 2, 0, state.steps
        state.total = np.zeros_like(state.weights) if averaged else None
        log = np.zeros((1, 2))
        for rows, all_batches in self.order.draw(state.rng, self.data.rows):
            batches = all_batches[:left]
            size = len(batches)
            first = min(max(half - taken, 0), size) if averaged else size
            self._call(state, rows, batches, log, first, start)
            taken, left = taken + size, left - size
            if not left:
                break
        if averaged:
            state.weights[:] = state.total / (taken - half)
            state.total = None
        return float(
            state.factor * step_sizes(self.plan.schedule, np.array([float(state.steps)]))[0]
        )

    def _call(self, state, rows, batches, log, first_averaged, start):
        """One compiled call; Diverged, with the epoch counted from step `start`."""
        size = len(batches)
        steps = np.arange(state.steps + 1.0, state.steps + size + 1)
        done = descend(
            self.data.problem,
            self.rule,
            rows,
            batches,
            state.factor * step_sizes(self.plan.schedule, steps),
            state.arrays,
            log,
            first_averaged,
            BLOW_UP * state.reference,
        )
        if done < size:
            self.data.check_finite()
            epoch = (state.steps - start + done) // self.n_batches
            raise Diverged(state.epochs + epoch + 1, state.steps + done + 1)
        state.steps += size

    def _first_averaged(self, steps, size):
        """Number, within the next `size` steps, of the first one to be averaged."""
        if self.plan.average is None:
            return size
        if self.plan.average == "tail":
            return 0
        return min(max(self.plan.average - 1 - steps, 0), size)
