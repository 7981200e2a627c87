"""The moving state of a fit: all that it takes to continue it."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass
class State:
    """Everything that steps change. `partial_fit`, `warm_start` and resuming continue it.

    Attributes
    ----------
    weights : ndarray of shape (k, d + 1)
        Coefficients and, last, the intercept (of the features minus the plan's centre).
    flat : bool
        Whether y has one dimension: coef_ and intercept_ then drop theirs.
    memory : ndarray of shape (slots, k, d + 1) or None
        What the update rule keeps between steps (momentum: the velocity).
    total : ndarray of shape (k, d + 1) or None
        Sum of the weights after each averaged step.
    averaged : int
        How many steps are in `total`.
    steps, epochs : int
        Steps taken and epochs completed since the first fit.
    passes : float
        Passes over the rows that all this has taken, also in part.
    factor : float
        What the schedule's step sizes are multiplied by (reactions to stalls).
    best, stale : float, int
        The stopping rule's memory: best value so far, epochs without a better one.
    reference : float
        The larger loss of: the start, the best constant. Divergence is judged by it.
    weight_unit : float
        The sample weight that counts as one.
    rng : numpy.random.Generator
    history : list of dict
        One entry an epoch.
    """

    weights: np.ndarray
    rng: np.random.Generator
    flat: bool = True
    memory: np.ndarray | None = None
    total: np.ndarray | None = None
    averaged: int = 0
    steps: int = 0
    epochs: int = 0
    passes: float = 0.0
    factor: float = 1.0
    best: float = np.inf
    stale: int = 0
    reference: float = 0.0
    weight_unit: float | None = None
    history: list = field(default_factory=list)

    @classmethod
    def start(cls, plan, data, rng, *, flat, coef_init=None, intercept_init=None):
        """A new state, of the weights given (in its shape), the plan's or zeros."""
        shape = data.n_outputs, data.n_features + 1
        state = cls(weights=np.zeros(shape), rng=rng, flat=flat)
        if coef_init is not None:
            state.weights[:, :-1] = coef_init
        if intercept_init is not None:
            state.weights[:, -1] = intercept_init
        if plan.metric.centre is not None:
            state.weights[:, -1] += state.weights[:, :-1] @ plan.metric.centre
        if plan.start is not None and coef_init is None and intercept_init is None:
            state.weights[:] = plan.start
        if plan.optimizer.slots:
            state.memory = np.zeros((plan.optimizer.slots, *shape))
        if plan.average is not None:
            state.total = np.zeros(shape)
        state.weight_unit = data.weight_unit
        state.passes = plan.passes
        return state

    def continued(self, old, new, data):
        """A copy that goes on under the plan `new`, after `old`, with these data."""
        k, width = self.weights.shape
        if (k, width - 1) != (data.n_outputs, data.n_features):
            raise ValueError(
                f"warm_start=True continues a model of {width - 1} features and {k} "
                f"outputs, but X and y have {data.n_features} and {data.n_outputs}. Use "
                "warm_start=False."
            )
        state = self.copy()
        state.adapt(old, new)
        state.weight_unit = data.weight_unit
        state.passes += new.passes
        return state

    @property
    def arrays(self):
        """What a compiled pass changes in place."""
        return self.weights, self.memory, self.total

    def copy(self):
        """An independent copy (the history's entries are shared: they never change)."""
        return replace(self._copied_arrays(), rng=deepcopy(self.rng))

    def bookmark(self):
        """A function that returns a state like this one, with the generator set back.

        The generator itself is shared (copying it takes 60 µs): of the states that the
        function returns only the latest may go on.
        """
        kept, draws = self._copied_arrays(), self.rng.bit_generator.state

        def go_back():
            kept.rng.bit_generator.state = draws
            return kept._copied_arrays()

        return go_back

    def _copied_arrays(self):
        return replace(
            self,
            weights=self.weights.copy(),
            memory=None if self.memory is None else self.memory.copy(),
            total=None if self.total is None else self.total.copy(),
            history=list(self.history),
        )

    def model(self):
        """The weights to return: the average where there is one."""
        return self.weights if self.averaged == 0 else self.total / self.averaged

    def forget(self):
        """Back to zero weights; counters, generator and history stay."""
        for array in self.arrays:
            if array is not None:
                array[:] = 0.0
        self.averaged = 0

    def adapt(self, old, new):
        """Continue under another plan: its centre, its rule's memory, its average.

        Parameters
        ----------
        old, new : Plan
            What the state has been moved by, and what it is to be moved by.
        """
        for array in (self.weights, self.total):
            if array is None:
                continue
            for centre, sign in ((old.metric.centre, -1), (new.metric.centre, 1)):
                if centre is not None:
                    array[:, -1] += sign * (array[:, :-1] @ centre)
        slots = new.optimizer.slots
        if old.optimizer.slots != slots:
            self.memory = None
        if slots and self.memory is None:
            self.memory = np.zeros((slots, *self.weights.shape))
        if new.average is None or self.total is None:
            self.averaged = 0
            self.total = None if new.average is None else np.zeros_like(self.weights)
