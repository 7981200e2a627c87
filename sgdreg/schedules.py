"""Learning-rate schedules: the step size eta(t) as a pure function of the step counter.

t counts steps (mini-batches): the first step has t = 1. A schedule takes an array of
step numbers and returns as many step sizes.

===============  ======================================================
name             eta(t)
===============  ======================================================
``constant``     eta0
``invscaling``   eta0 / t^power_t
``optimal``      1 / (alpha (t0 + t - 1))
``adaptive``     eta0, divided by 5 whenever progress stalls
===============  ======================================================

These are `Constant`, `InvScaling`, `Optimal` and `Adaptive`; the following have no name,
as they need a number of steps.

===============  ======================================================
class            eta(t)
===============  ======================================================
`StepDecay`      eta0, times `factor` every so many steps
`Exponential`    eta0 · decay^((t - 1) / every)
`Piecewise`      `values`, one after the other
`Polynomial`     eta0 (1 - (t - 1) / steps)^power, down to `last`
`Cosine`         half a cosine from eta0 to `last`, once or again
`OneCycle`       half a cosine up to `largest`, another one down
`WarmUp`         a straight line up to any other, then that one
===============  ======================================================

An epoch has ceil(n / batch_size) steps, n the number of rows (1 where batch_size="full"):
``Cosine(0.1, steps=20 * math.ceil(len(X) / 32))`` ends with the 20th epoch of
``batch_size=32``.

A schedule of one's own is any callable ``t -> eta``. Where it accepts an array it is
called once for many steps; where it does not, once a step.
"""

from __future__ import annotations

from contextlib import suppress
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg._annealing import (
    Cosine,
    Exponential,
    OneCycle,
    Piecewise,
    Polynomial,
    StepDecay,
    between,
    counts,
    not_negative,
    positive,
    require,
)

if TYPE_CHECKING:
    from sgdreg._typing import Array, ArrayLike, Schedule

__all__ = [
    "Adaptive",
    "Constant",
    "Cosine",
    "Exponential",
    "InvScaling",
    "OneCycle",
    "Optimal",
    "Piecewise",
    "Polynomial",
    "StepDecay",
    "WarmUp",
]


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
    squared error, whose first step is then w₀). The first steps are large: meant for
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

    Whenever `n_iter_no_change` epochs in a row have not improved, the steps become
    `factor` of what they were; the fit stops only when they would fall below `smallest`
    (SGDRegressor's rule and constants). The stopping rule, which sees stalls, finds
    `factor` and `smallest` in what a schedule has as `reaction`.

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
        """What shortens the steps at a stall: itself."""
        return self


class WarmUp(BaseEstimator):
    """eta(t) = start + (η(1) - start) · t / (steps + 1) for t <= steps, then η(t - steps).

    η is any other schedule. It begins after the warm-up, at its own t = 1, where the line
    meets it; the line comes from `start` at t = 0, so that no step is one of size 0. An η
    that reacts to stalls (`Adaptive`) does so inside a warm-up too.

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
        what = "a number, an object of sgdreg.schedules or a function of the step number"
        require(self, "schedule", callable(schedule), what)
        t = np.asarray(t, dtype=np.float64)
        own = np.maximum(t - self.steps, 1.0)
        eta = step_sizes(schedule, own.reshape(-1)).reshape(t.shape)
        # Along the line eta is η(1), as `own` is 1 there.
        return between(eta, self.start, np.minimum(t / (self.steps + 1), 1.0))

    @property
    def reaction(self) -> Adaptive | None:
        """What shortens the steps at a stall: that of its schedule, None without one."""
        return getattr(self.schedule, "reaction", None)


def get_schedule(learning_rate, *, eta0, power_t, alpha):
    """The schedule of a `learning_rate` other than "auto".

    Parameters
    ----------
    learning_rate : float, str or callable
    eta0, power_t, alpha : float
        What the names take their numbers from.

    Raises
    ------
    ValueError
        For SGDRegressor's 'pa1' and 'pa2'.
    """
    if isinstance(learning_rate, Real):
        return Constant(learning_rate)
    if learning_rate == "constant":
        return Constant(eta0)
    if learning_rate == "invscaling":
        return InvScaling(eta0, power_t)
    if learning_rate == "optimal":
        return Optimal(alpha)
    if learning_rate == "adaptive":
        return Adaptive(eta0)
    if isinstance(learning_rate, str) and learning_rate in ("pa1", "pa2"):
        raise ValueError(
            f"learning_rate={learning_rate!r} is no schedule: a passive-aggressive step "
            "depends on the loss of its own row, not on the step number; use a step size "
            "or a schedule such as 'invscaling' here, or scikit-learn's "
            f"SGDRegressor(learning_rate={learning_rate!r})."
        )
    return learning_rate


def step_sizes(schedule, t):
    """eta at the step numbers t (an array of float64), as an array.

    Raises
    ------
    ValueError
        Where a step size is negative, not finite, or not a number.
    """
    eta = None
    try:
        given = schedule(t)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(schedule, BaseEstimator):
            raise _in_words(error) from error
    else:
        with suppress(TypeError, ValueError, OverflowError):
            eta = None if np.iscomplexobj(given) else np.asarray(given, dtype=np.float64)
    if eta is None or eta.shape not in (
        (),
        t.shape,
    ):  # a function of one number: ask it for each step
        eta = np.array([_one_step(schedule, int(i)) for i in t])
    eta = np.ascontiguousarray(np.broadcast_to(eta, t.shape))
    good = (eta >= 0) & (eta < np.inf)
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(
            f"The step size that learning_rate gives at step {int(t[at])} is {eta[at]}: "
            f"every one must be finite and not negative. Check {schedule!r}."
        )
    return eta


def _one_step(schedule, t):
    try:
        value = schedule(t)
    except (TypeError, ValueError, OverflowError) as error:
        raise _in_words(error, f"{schedule!r} at step {t}: ") from error
    try:
        return float("complex" if np.iscomplexobj(value) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"The step size that learning_rate gives at step {t} must be a number, got an "
            f"object of type {type(value).__name__}{_shape(value)}. Check {schedule!r}."
        ) from None


def _in_words(error, place=""):
    """An error of a schedule, or of one within it, with the name of the parameter."""
    if "learning_rate" in str(error):
        return error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"In learning_rate: {place}{error}")


def _shape(value):
    """The shape of an array among other objects, in words."""
    return f" and shape {value.shape}" if hasattr(value, "shape") else ""
