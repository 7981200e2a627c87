"""Epochs of mini-batches as compiled passes, with their order, step sizes and averages."""

from contextlib import closing

import numpy as np

from sgdreg._data.order import Order
from sgdreg._kernels.descent import Rule, descend
from sgdreg._training.divergence import BLOW_UP, Diverged
from sgdreg.schedules import step_sizes


class Epochs:
    """Epochs of a plan on a data set. They hold no state: `run` is given one.

    Parameters
    ----------
    data : Data
    start : Start
    anchor, drift : ndarray of shape (k, d + 1) or None
        For variance-reduced steps: some weights, and the loss's gradient there.
    """

    def __init__(self, data, start, anchor=None, drift=None):
        self.data, self.start = data, start
        self.plan = start.plan
        self.anchor, self.drift = anchor, drift
        self.order, self.problem = self._of(data)
        if not data.rows.in_memory and self.order.n_batches == 1:
            raise ValueError(
                "A step over all rows at once needs them in memory, and these come in "
                "chunks. Use a smaller batch_size, for example 256, or leave optimizer and "
                "learning_rate 'auto' with at most 2,000 features."
            )
        self.rule = self._make_rule("dense" if anchor is not None else self._lazy_way())

    def _of(self, data):
        """(order of the rows, problem for the kernels) of the data, or of a block."""
        plan = self.plan
        batch = data.n_rows if plan.batch_size == "full" else plan.batch_size
        size = int(data.row_size) * data.n_outputs
        chances = None
        if plan.shuffle == "replacement" and data.weights is not None:
            chances = data.row_weights
        order = Order(data.n_rows, min(batch, data.n_rows), plan.shuffle, size, chances)
        # Rows drawn with replacement are drawn by their weights, and then count as one
        # each.
        drawn = plan.shuffle == "replacement" and order.n_batches > 1
        return order, (data.unweighted if drawn else data).problem

    def _draw(self, rng, epochs=1):
        """Yield (problem, rows, batches) of the next epochs: of each block its own."""
        if self.data.rows.in_memory:
            for rows, batches in self.order.draw(rng, self.data.rows.index, epochs):
                yield self.problem, rows, batches
            return
        mixed = self.plan.shuffle != "sequential"
        with closing(self.data.blocks(rng if mixed else None)) as blocks:
            for block in blocks:
                order, problem = self._of(block)
                for rows, batches in order.draw(rng, block.rows.index):
                    yield problem, rows, batches

    def _make_rule(self, lazy):
        plan, penalty = self.plan, self.plan.penalty
        return Rule(
            plan.optimizer,
            l1=penalty.l1,
            l2=penalty.l2,
            positive=penalty.positive,
            fit_intercept=plan.fit_intercept,
            lazy=lazy,
            keep=plan.keep,
            centre=self.start.metric.centre,
            scale=self.start.metric.scale,
            root=self.start.metric.root,
            low_rank=self.start.metric.low_rank,
            anchor=self.anchor,
            drift=self.drift,
            penalty=penalty if penalty.is_custom else None,
        )

    @property
    def n_batches(self):
        """Steps an epoch."""
        return self.order.n_batches

    def _lazy_way(self):
        """The way of steps that cost the non-zeros of a batch, if these are few.

        See `Rule`: "linear", "visited", or "dense", which costs all features.
        """
        plan, penalty = self.plan, self.plan.penalty
        if not self.data.is_sparse or self.start.metric.scale is not None:
            return "dense"
        if penalty.is_custom:
            return "dense"
        few = self.data.row_size * self.order.batch_size < self.data.n_features
        if not few or isinstance(plan.average, float):
            return "dense"
        rule = plan.optimizer
        if rule.kind == "plain" and not penalty.proximal:
            return "linear"
        still = rule.kind == "adagrad" and not penalty.l2  # it stops with its gradient
        alone = rule.kind == "plain" and rule.momentum == 0
        return "visited" if still or alone else "dense"

    def _rule_of(self, sizes):
        """The rule; a dense one where a step's decay would change the signs of weights."""
        visited = self.rule.lazy_way == "visited"
        if visited and sizes.max(initial=0.0) * self.plan.penalty.l2 >= 1.0:
            return self._make_rule("dense")
        return self.rule

    def at_once(self, state, wanted):
        """How many epochs, of those wanted, one compiled call may take."""
        if self.plan.average == "tail":  # up to the next restart of the average
            wanted = min(wanted, (1 << state.epochs.bit_length()) - state.epochs)
        if not self.data.rows.in_memory:
            return 1
        return self.order.epochs_at_once(wanted)

    def run(self, state, count):
        """Run `count` epochs, which change the state.

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
            The state is then invalid.
        """
        start = state.steps
        if self.plan.average == "tail" and state.epochs & (state.epochs - 1) == 0:
            state.new_window()  # at epochs 0, 1, 2, 4, 8, …: two windows are the later half
        log = np.zeros((count, 2))  # sum of losses, penalty at the start of each epoch
        for problem, rows, batches in self._draw(state.rng, count):
            # One call takes all epochs, or, with many batches, a part of the only epoch.
            penalty, first_call = log[0, 1], state.steps == start
            first = self._first_averaged(state.steps, len(batches))
            self._call(state, problem, rows, batches, log, first, start)
            if not first_call:
                log[0, 1] = penalty
            state.averaged += len(batches) - first
        ends = np.linspace(start, state.steps, count + 1)[1:]
        last_steps = state.factor * step_sizes(self.start.schedule, ends)
        return log[:, 0] / self.data.n_rows + log[:, 1], last_steps

    def inner(self, state, share, averaged):
        """Steps on a share of the mini-batches; returns the size of the last one.

        With `averaged` the weights become their mean over the later half of the steps.
        """
        left = max(1, round(share * self.n_batches))
        half, taken, start = left // 2, 0, state.steps
        state.total = np.zeros_like(state.weights) if averaged else None
        state.averaged, state.window = 0, None  # averages of earlier steps
        log = np.zeros((1, 2))
        for problem, rows, all_batches in self._draw(state.rng):
            batches = all_batches[:left]
            size = len(batches)
            first = min(max(half - taken, 0), size) if averaged else size
            self._call(state, problem, rows, batches, log, first, start)
            taken, left = taken + size, left - size
            if not left:
                break
        if averaged:
            state.weights[:] = state.total / (taken - half)
            state.total = None
        return float(
            state.factor
            * step_sizes(self.start.schedule, np.array([float(state.steps)]))[0]
        )

    def _call(self, state, problem, rows, batches, log, first_averaged, start):
        """One compiled call; raises Diverged, with the epoch counted from step `start`."""
        size = len(batches)
        steps = np.arange(state.steps + 1.0, state.steps + size + 1)
        sizes = state.factor * step_sizes(self.start.schedule, steps)
        done = descend(
            problem,
            self._rule_of(sizes),
            rows,
            batches,
            sizes,
            state.arrays,
            log,
            first_averaged,
            state.steps - state.memory_since,
            BLOW_UP * state.reference,
        )
        if done < size:
            self.data.check_finite()
            epoch = (state.steps - start + done) // self.n_batches
            raise Diverged(state.epochs + epoch + 1, state.steps + done + 1)
        state.steps += size

    def _first_averaged(self, steps, size):
        """The number, among the next `size` steps, of the first averaged step."""
        if self.plan.average is None:
            return size
        if self.plan.average == "tail" or isinstance(self.plan.average, float):
            return 0
        return min(max(self.plan.average - 1 - steps, 0), size)
