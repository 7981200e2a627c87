"""The state of a fit: everything that changes, and all that is needed to continue."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sgdreg._records import changed
from sgdreg._training.statistics import NOTHING, Statistics

# Weights larger than 2 to this power are of no use for targets of a size of one.
LARGEST_SHIFT = 256
# The seed of generators whose state is set next (to make another seed takes 10 µs).
ANY_SEED = np.random.SeedSequence(0)


@dataclass(eq=False, repr=False)
class State:
    """Everything that steps change. `partial_fit`, `warm_start` and `resume` continue it.

    Attributes
    ----------
    weights : ndarray of shape (k, d + 1)
        Coefficients and, last, the intercept (for the features minus the plan's centre).
    flat : bool
        Whether y has one dimension: coef_ and intercept_ then have one dimension less.
    memory : ndarray of shape (slots, k, d + 1) or None
        The arrays of the update rule between steps (the velocity of momentum).
    total : ndarray of shape (k, d + 1) or None
        The sum of the weights after each averaged step.
    averaged : int
        The number of steps in `total`.
    window : [ndarray of shape (k, d + 1), int] or None
        For averages of the tail: the sum of an earlier window of steps, and their number.
    keep : float
        The factor of `total` before weights are added; below one for exponential averages.
    memory_since : int
        The step after which `memory` began.
    steps, epochs : int
        Steps and epochs since the first fit.
    passes : float
        Passes over the rows that they have taken; parts of passes count, too.
    factor : float
        The factor of the schedule's step sizes (changed where epochs make no progress).
    best, stale : float, int
        For the stopping rule: the best value so far, and the epochs since then.
    reference : float
        The loss at the start, or at zero if that is larger: see `Evaluation.reference`.
    weight_unit : float
        The sample weight that counts as one.
    exponent : int
        Targets and weights are stored in units of 2^exponent.
    rng : numpy.random.Generator
    history : list of dict
        One entry per epoch.
    statistics : Statistics
        What has been learned of the rows.
    """

    weights: np.ndarray
    rng: np.random.Generator
    flat: bool = True
    memory: np.ndarray | None = None
    total: np.ndarray | None = None
    averaged: int = 0
    window: list | None = None
    keep: float = 1.0
    memory_since: int = 0
    steps: int = 0
    epochs: int = 0
    passes: float = 0.0
    factor: float = 1.0
    best: float = np.inf
    stale: int = 0
    reference: float = 0.0
    weight_unit: float | None = None
    exponent: int = 0
    history: list = field(default_factory=list)
    statistics: Statistics = NOTHING

    @classmethod
    def start(cls, start, data, rng, *, flat, coef_init=None, intercept_init=None):
        """A new state, with the weights given (in its shape), the start's, or zeros."""
        plan = start.plan
        shape = data.n_outputs, data.n_features + 1
        state = cls(weights=np.zeros(shape), rng=rng, flat=flat)
        if coef_init is not None:
            state.weights[:, :-1] = coef_init
            if start.metric.centre is not None:
                state.weights[:, -1] += state.weights[:, :-1] @ start.metric.centre
        if intercept_init is not None:
            state.weights[:, -1] += intercept_init
        if start.weights is not None and coef_init is None and intercept_init is None:
            state.weights[:] = start.weights
        if plan.optimizer.slots:
            state.memory = plan.optimizer.memory_at_start(shape)
        if plan.average is not None:
            state.total = np.zeros(shape)
        state.weight_unit, state.keep = data.weight_unit, plan.keep
        state.passes = start.passes
        return state

    def continued(self, old, new, data):
        """A copy that continues with the start `new` on these data, after `old`."""
        k, width = self.weights.shape
        if (k, width - 1) != (data.n_outputs, data.n_features):
            raise ValueError(
                f"warm_start=True continues a model of {width - 1} features and {k} "
                f"outputs, but X and y have {data.n_features} and {data.n_outputs}. Use "
                "warm_start=False."
            )
        state = self.copy(draws=not new.plan.recursive)
        state.adapt(old, new)
        if new.plan.penalty.positive:
            np.maximum(state.weights[:, :-1], 0.0, out=state.weights[:, :-1])
        state.weight_unit = data.weight_unit
        state.passes += new.passes
        return state

    def in_unit(self, exponent):
        """A copy in units of 2^exponent."""
        shift, state = self.exponent - exponent, self.copy()
        state.exponent = exponent
        if shift > LARGEST_SHIFT:  # their squares would overflow
            state.forget()
        for array in (*state.arrays, state.window and state.window[0]):
            if array is not None:
                np.ldexp(array, shift, out=array)
        state.reference = times_power(state.reference, 2 * shift)
        state.history = [self.shown(entry, 2 * shift) for entry in state.history]
        state.statistics = state.statistics.in_unit(shift)
        return state

    def cost(self, value):
        """A value of the objective in the squared units of y."""
        return times_power(value, 2 * self.exponent) if self.exponent else value

    def shown(self, entry, power=None):
        """An entry of the history, its objective times 2^power (None: in y's units)."""
        power = 2 * self.exponent if power is None else power
        if not power:
            return entry
        return entry | {"objective": times_power(entry["objective"], power)}

    def shown_history(self):
        """The history in y's units, in a new list."""
        if not self.exponent:  # a stream has 1,000 entries, which would take 0.1 ms
            return list(self.history)
        return [self.shown(entry) for entry in self.history]

    @property
    def arrays(self):
        """The arrays that compiled passes change in place."""
        return self.weights, self.memory, self.total

    def copy(self, draws=True):
        """An independent copy (the entries of the history are shared, as they never
        change).

        Without `draws` of random numbers to come the generator is shared, too.
        """
        copy = self._copied_arrays()
        copy.window = self.window and [self.window[0].copy(), self.window[1]]
        if draws:
            copy.rng = generator_like(self.rng)
        return copy

    def bookmark(self):
        """A `Bookmark` of this state."""
        return Bookmark(self._copied_arrays(), self.rng.bit_generator.state)

    def packed(self):
        """The state as a dict of plain values, which no later step changes.

        It has no statistics: they are computed again from the same rows. See `unpacked`.
        """
        parts = vars(self._copied_arrays()) | {"rng": self.rng.bit_generator.state}
        del parts["statistics"]
        return parts

    @classmethod
    def unpacked(cls, parts):
        """A new state from what `packed` has returned, which stays as it is."""
        return cls(**parts | {"rng": generator_at(parts["rng"])})._copied_arrays()

    def checked(self, start, data, flat, exponent):
        """The state itself, with arrays of the sizes that the compiled passes need.

        Raises
        ------
        ValueError
            If they have others, or if it is for targets of another shape or unit.
        """
        if (self.flat, self.exponent) != (flat, exponent):
            raise ValueError("The state is for targets of another shape or unit.")
        expected = State.start(start, data, self.rng, flat=flat)
        if self.total is None and self.averaged == 0:  # SVRG averages within epochs only
            self.total = expected.total
        for mine, other in zip(self.arrays, expected.arrays, strict=True):
            if mine is other is None:
                continue
            if np.shape(mine) != np.shape(other) or mine.dtype != np.float64:
                raise ValueError("The state does not fit the data and the parameters.")
        if self.averaged and self.total is None:
            raise ValueError("There is an average without a sum.")
        if self.window is not None and self.window[0].shape != self.weights.shape:
            raise ValueError("The averages do not fit the data and the parameters.")
        return self

    def _copied_arrays(self):
        return changed(
            self,
            weights=self.weights.copy(),
            memory=None if self.memory is None else self.memory.copy(),
            total=None if self.total is None else self.total.copy(),
            history=list(self.history),
        )

    def new_window(self):
        """Forget the steps before the present window, and begin another."""
        self.window = [self.total.copy(), self.averaged] if self.averaged else None
        self.total[:] = 0.0
        self.averaged = 0

    def begin_anew(self, weights):
        """Continue from these weights, without the averages and memory of earlier steps."""
        self.weights[:] = weights
        if self.total is not None:
            self.total[:] = 0.0
        self.averaged, self.window = 0, None
        if self.memory is not None:
            self.memory[:] = 0.0
            self.memory_since = self.steps

    def model(self):
        """The weights to return: the average where there is one."""
        if self.averaged == 0:
            return self.weights
        if self.window is not None:
            total, count = self.window
            return (total + self.total) / (count + self.averaged)
        if self.keep == 1.0:
            return self.total / self.averaged
        return self.total * ((1.0 - self.keep) / (1.0 - self.keep**self.averaged))

    def forget(self):
        """Back to zero weights; counters, generator and history stay."""
        self.begin_anew(0.0)

    def adapt(self, old, new):
        """Change to another start: to its centre, its update rule and its average.

        Parameters
        ----------
        old, new : Start
            The start of the steps so far, and that of the next ones.
        """
        centres = (old.metric.centre, -1), (new.metric.centre, 1)
        old, new = old.plan, new.plan
        if old.average != new.average:
            self.window = None
        for array in (self.weights, self.total, self.window and self.window[0]):
            if array is None:
                continue
            for centre, sign in centres:
                if centre is not None:
                    array[:, -1] += sign * (array[:, :-1] @ centre)
        before, now = old.optimizer, new.optimizer
        if (before.kind, before.slots) != (now.kind, now.slots):
            shape = self.weights.shape
            self.memory = now.memory_at_start(shape) if now.slots else None
            self.memory_since = self.steps
        if new.average is None or self.total is None or self.keep != new.keep:
            self.averaged = 0
            self.total = None if new.average is None else np.zeros_like(self.weights)
        self.keep = new.keep


class Bookmark(NamedTuple):
    """A state to go back to.

    The generator of random numbers is shared (a copy takes 60 µs): of the states that
    `go_back` returns only the latest one may be continued.
    """

    state: State
    draws: dict

    def go_back(self):
        """A copy of the state, with the generator as it was."""
        self.state.rng.bit_generator.state = self.draws
        return self.state._copied_arrays()


def times_power(value, power):
    """value · 2^power; infinity or zero where that overflows or underflows."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(value, power))


def generator_at(state):
    """A generator that continues from the state of another one."""
    bits = np.random.PCG64(ANY_SEED)  # as default_rng has it
    bits.state = state
    return np.random.Generator(bits)


def generator_like(rng):
    """An independent copy (deepcopy takes ten times as long)."""
    return generator_at(rng.bit_generator.state)
