"""The schedules that have a name, and the warm-up before any schedule."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg.schedules._annealing import (
    between,
    counts,
    not_negative,
    positive,
    require,
)
from sgdreg.schedules._steps import step_sizes

if TYPE_CHECKING:
    from sgdreg._typing import Array, ArrayLike, Schedule


class Constant(BaseEstimator):
    """eta(t) = eta0.

    Parameters
    ----------
    eta0 : float > 0, default=0.01

    Examples
    --------
    >>> from sgdreg.schedules import Constant
    >>> Constant(0.5)([1, 2, 3]).tolist()
    [0.5, 0.5, 0.5]
    """

    def __init__(self, eta0: float = 0.01) -> None:
        self.eta0 = eta0

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0")
        return np.full(np.shape(t), float(self.eta0))


class InvScaling(BaseEstimator):
    """eta(t) = eta0 / t^power_t.

    Parameters
    ----------
    eta0 : float > 0, default=0.01
    power_t : float, default=0.25

    Examples
    --------
    >>> from sgdreg.schedules import InvScaling
    >>> InvScaling(eta0=1.0, power_t=0.5)([1, 4, 16]).tolist()
    [1.0, 0.5, 0.25]
    """

    def __init__(self, eta0: float = 0.01, power_t: float = 0.25) -> None:
        self.eta0 = eta0
        self.power_t = power_t

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0")
        if not isinstance(self.power_t, Real):
            raise ValueError(
                f"power_t of InvScaling must be a number, got {self.power_t!r}."
            )
        return self.eta0 / np.power(np.asarray(t, dtype=np.float64), self.power_t)


class Optimal(BaseEstimator):
    """eta(t) = 1 / (alpha (t0 + t - 1)),  t0 = 1 / (alpha w₀),  w₀ = alpha^(-1/4).

    Bottou's schedule for an l2 penalty, with SGDRegressor's choice of t0 (for the
    squared error, whose first step is then w₀). The first steps are large: use it for
    features and targets of order one.

    Parameters
    ----------
    alpha : float > 0, default=1e-4

    References
    ----------
    .. [1] L. Bottou, "Stochastic gradient descent tricks", Neural Networks: Tricks of
       the Trade (2012), section 5.2.

    Examples
    --------
    >>> from sgdreg.schedules import Optimal
    >>> Optimal(alpha=0.0001)([1, 1001]).round(12).tolist()
    [10.0, 5.0]
    """

    def __init__(self, alpha: float = 1e-4) -> None:
        self.alpha = alpha

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "alpha")
        first = np.sqrt(1.0 / np.sqrt(self.alpha))
        t0 = 1.0 / (first * self.alpha)
        return 1.0 / (self.alpha * (t0 + np.asarray(t, dtype=np.float64) - 1.0))


class Adaptive(Constant):
    """eta(t) = eta0 · factor^(number of stalls so far).

    After `n_iter_no_change` epochs in a row without improvement (a stall) the steps are
    multiplied by `factor`; the fit stops only when they would fall below `smallest`
    (SGDRegressor's rule and constants). The stopping rule, which detects stalls, reads
    `factor` and `smallest` from the schedule's attribute `reaction`.

    Parameters
    ----------
    eta0 : float > 0, default=0.01
    factor : float in (0, 1), default=0.2
    smallest : float, default=1e-6
    """

    def __init__(
        self, eta0: float = 0.01, factor: float = 0.2, smallest: float = 1e-6
    ) -> None:
        super().__init__(eta0)
        self.factor = factor
        self.smallest = smallest

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "factor", "smallest")
        if self.factor >= 1:
            raise ValueError(
                f"factor of Adaptive must be below 1, so that steps shorten, got "
                f"{self.factor!r}."
            )
        return super().__call__(t)

    @property
    def reaction(self) -> Adaptive | None:
        """The schedule that shortens the steps at a stall: this one."""
        return self


class WarmUp(BaseEstimator):
    """eta(t) = start + (η(1) - start) · t / (steps + 1) for t <= steps, then η(t - steps).

    η is any other schedule. It begins after the warm-up, with its first step, η(1), where
    the line ends. The line is at `start` for t = 0, so that no step has size 0. An η that
    reacts to stalls (`Adaptive`) does so after a warm-up, too.

    Parameters
    ----------
    schedule : object, callable or float > 0
        η; a number is a constant.
    steps : int >= 1
        k epochs are k · ceil(n / batch_size) steps.
    start : float >= 0, default=0.0

    References
    ----------
    .. [1] P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour",
       arXiv:1706.02677 (2017), section 2.2.

    Examples
    --------
    >>> from sgdreg.schedules import InvScaling, WarmUp
    >>> WarmUp(InvScaling(1.0, power_t=0.5), steps=3)([1, 2, 3, 4, 7, 12]).tolist()
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.3333333333333333]
    """

    def __init__(self, schedule: float | Schedule, steps: int, start: float = 0.0) -> None:
        self.schedule = schedule
        self.steps = steps
        self.start = start

    def __call__(self, t: ArrayLike) -> Array:
        counts(self, "steps")
        not_negative(self, "start")
        schedule = self.schedule
        if isinstance(schedule, Real):
            positive(self, "schedule")
            schedule = Constant(schedule)
        rule = "a number, an object of sgdreg.schedules or a function of the step number"
        require(self, "schedule", callable(schedule), rule)
        t = np.asarray(t, dtype=np.float64)
        after = np.maximum(t - self.steps, 1.0)  # 1 during the warm-up, so eta is η(1)
        eta = step_sizes(schedule, after.reshape(-1)).reshape(t.shape)
        return between(eta, self.start, np.minimum(t / (self.steps + 1), 1.0))

    @property
    def reaction(self) -> Adaptive | None:
        """The reaction of its schedule to a stall, or None."""
        return getattr(self.schedule, "reaction", None)
