"""Schedules over a number of steps: decay, annealing, cycles; see `sgdreg.schedules`.

The checks of parameters are here too. They run when a schedule is called, because
`set_params` may change a parameter at any time.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from sgdreg._typing import Array, ArrayLike


def require(schedule, name, good, rule):
    """Raise ValueError, naming the parameter, its class and its value, unless `good`."""
    if not good:
        raise ValueError(
            f"{name} of {type(schedule).__name__} must be {rule}, got "
            f"{getattr(schedule, name)!r}."
        )


def positive(schedule, *names):
    """Check that parameters are positive finite numbers."""
    for name in names:
        value = getattr(schedule, name)
        good = isinstance(value, Real) and 0 < value < np.inf
        require(schedule, name, good, "a positive finite number")


def not_negative(schedule, *names):
    """Check that parameters are finite numbers of at least 0."""
    for name in names:
        value = getattr(schedule, name)
        good = isinstance(value, Real) and 0 <= value < np.inf
        good = good and not isinstance(value, bool)  # probably meant for another parameter
        require(schedule, name, good, "a finite number that is not negative")


def counts(schedule, *names):
    """Check that parameters are whole numbers of at least 1."""
    for name in names:
        value = getattr(schedule, name)
        good = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
        require(schedule, name, good, "a whole number of at least 1")


def ratio(schedule, name):
    """Check that a parameter is in (0, 1]: powers of a larger number would overflow."""
    value = getattr(schedule, name)
    good = isinstance(value, Real) and 0 < value <= 1
    require(schedule, name, good, "a number in (0, 1]")


def _numbers(values):
    """The values as an array of one dimension; None if they are anything else."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return array if array.ndim == 1 else None


def between(one, other, weight):
    """weight · one + (1 - weight) · other: exact at weights 0 and 1, and never negative."""
    return weight * one + (1.0 - weight) * other


def _elapsed(t):
    """The number of steps before step t."""
    return np.asarray(t, dtype=np.float64) - 1.0


class StepDecay(BaseEstimator):
    """eta(t) = eta0 · factor^floor((t - 1) / every).

    With eta halved in log₂(T) equal phases of T steps, the last iterate of least squares
    has a nearly optimal error [1]_.

    Parameters
    ----------
    eta0 : float > 0
    factor : float in (0, 1], default=0.5
    every : int >= 1, default=1000
        Steps between two decays; an epoch has ceil(n / batch_size) steps.

    References
    ----------
    .. [1] R. Ge, S. Kakade, R. Kidambi, P. Netrapalli, "The step decay schedule: a near
       optimal, geometrically decaying learning rate procedure for least squares",
       NeurIPS 2019, algorithm 1.

    Examples
    --------
    >>> from sgdreg.schedules import StepDecay
    >>> StepDecay(1.0, factor=0.5, every=3)([1, 3, 4, 6, 7]).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, eta0: float, factor: float = 0.5, every: int = 1000) -> None:
        self.eta0 = eta0
        self.factor = factor
        self.every = every

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0")
        ratio(self, "factor")
        counts(self, "every")
        return self.eta0 * np.power(float(self.factor), _elapsed(t) // self.every)


class Exponential(BaseEstimator):
    """eta(t) = eta0 · decay^((t - 1) / every).

    Parameters
    ----------
    eta0 : float > 0
    decay : float in (0, 1]
    every : int >= 1, default=1
        Steps in which eta is multiplied by `decay`; ceil(n / batch_size) for an epoch.

    References
    ----------
    .. [1] X. Li, Z. Zhuang, F. Orabona, "A second look at exponential and cosine step
       sizes: simplicity, adaptivity, and performance", ICML 2021.

    Examples
    --------
    >>> from sgdreg.schedules import Exponential
    >>> Exponential(1.0, decay=0.25, every=2)([1, 2, 3, 5]).tolist()
    [1.0, 0.5, 0.25, 0.0625]
    """

    def __init__(self, eta0: float, decay: float, every: int = 1) -> None:
        self.eta0 = eta0
        self.decay = decay
        self.every = every

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0")
        ratio(self, "decay")
        counts(self, "every")
        return self.eta0 * np.power(float(self.decay), _elapsed(t) / self.every)


class Piecewise(BaseEstimator):
    """eta(t) = values[i], where i is the number of boundaries below t.

    values[0] for t <= boundaries[0], values[1] for t <= boundaries[1], and so on (Keras'
    PiecewiseConstantDecay): a step size for each stage, chosen by hand [1]_.

    Parameters
    ----------
    boundaries : list of int
        The last step of each stage but the final one; epoch k ends with step
        k · ceil(n / batch_size).
    values : list of float >= 0
        One value more than there are boundaries.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
       recognition", CVPR 2016, section 4.2.

    Examples
    --------
    >>> from sgdreg.schedules import Piecewise
    >>> Piecewise([10, 20], [0.5, 0.1, 0.02])([1, 10, 11, 20, 21]).tolist()
    [0.5, 0.5, 0.1, 0.1, 0.02]
    """

    def __init__(self, boundaries: ArrayLike, values: ArrayLike) -> None:
        self.boundaries = boundaries
        self.values = values

    def __call__(self, t: ArrayLike) -> Array:
        ends, values = _numbers(self.boundaries), _numbers(self.values)
        good = ends is not None and np.all(np.diff(ends, prepend=0.0) > 0)
        require(self, "boundaries", good, "a list of step numbers, increasing from 1 on")
        good = values is not None and np.all((values >= 0) & (values < np.inf))
        require(self, "values", good, "a list of finite numbers that are not negative")
        count = f"a list of {len(ends) + 1} numbers, one more than boundaries"
        require(self, "values", len(values) == len(ends) + 1, count)
        return values[np.searchsorted(ends, t, side="left")]


class Polynomial(BaseEstimator):
    """eta(t) = last + (eta0 - last) · (1 - (t - 1) / steps)^power; last for t > steps.

    The defaults give a straight line to 0, which has the best worst case for the last
    iterate of a convex problem [1]_. With `last` above eta0 the steps rise: a test for the
    largest stable eta.

    Parameters
    ----------
    eta0 : float > 0
    steps : int >= 1
        k epochs are k · ceil(n / batch_size) steps.
    power : float > 0, default=1.0
    last : float >= 0, default=0.0

    References
    ----------
    .. [1] A. Defazio, A. Cutkosky, H. Mehta, K. Mishchenko, "Optimal linear decay learning
       rate schedules and further refinements", arXiv:2310.07831 (2023).

    Examples
    --------
    >>> from sgdreg.schedules import Polynomial
    >>> Polynomial(1.0, steps=4, power=2.0)([1, 2, 3, 4, 5, 99]).tolist()
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(
        self, eta0: float, steps: int, power: float = 1.0, last: float = 0.0
    ) -> None:
        self.eta0 = eta0
        self.steps = steps
        self.power = power
        self.last = last

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0", "power")
        counts(self, "steps")
        not_negative(self, "last")
        left = 1.0 - np.minimum(_elapsed(t) / self.steps, 1.0)
        return between(self.eta0, self.last, np.power(left, self.power))


class Cosine(BaseEstimator):
    """eta(t) = last + (eta0 - last) · (1 + cos(π (t - 1) / steps)) / 2; last for t > steps.

    With restarts each cycle starts again at eta0, with t counted from the restart, and has
    `growth` times as many steps as the one before (SGDR [1]_, equation 5).

    Parameters
    ----------
    eta0 : float > 0
    steps : int >= 1
        Steps of the (first) cycle; k epochs are k · ceil(n / batch_size) steps.
    last : float >= 0, default=0.0
    restarts : bool, default=False
    growth : int >= 1, default=1
        The paper's T_mult; only with restarts.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
       restarts", ICLR 2017.

    Examples
    --------
    >>> from sgdreg.schedules import Cosine
    >>> Cosine(1.0, steps=4)([1, 2, 3, 4, 5, 99]).round(4).tolist()
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    >>> Cosine(1.0, steps=2, restarts=True, growth=2)(range(1, 8)).round(4).tolist()
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self,
        eta0: float,
        steps: int,
        last: float = 0.0,
        restarts: bool = False,
        growth: float = 1,
    ) -> None:
        self.eta0 = eta0
        self.steps = steps
        self.last = last
        self.restarts = restarts
        self.growth = growth

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "eta0")
        counts(self, "steps", "growth")
        not_negative(self, "last")
        good = isinstance(self.restarts, (bool, np.bool_))
        require(self, "restarts", good, "True or False")
        once = not self.restarts
        require(self, "growth", self.growth == 1 or not once, "1 without restarts=True")
        done = _elapsed(t)
        past = np.minimum(done / self.steps, 1.0) if once else self._of_cycle(done)
        return between(self.eta0, self.last, (1.0 + np.cos(np.pi * past)) / 2)

    def _of_cycle(self, done):
        """The share of the current cycle that is over."""
        if self.growth == 1:
            return np.mod(done, self.steps) / self.steps
        # Found by a search: a logarithm may round to the wrong side of a whole number.
        starts, length = [0.0], float(self.steps)
        while starts[-1] < np.max(done, initial=0.0):
            starts.append(starts[-1] + length)
            length *= self.growth
        cycle = np.searchsorted(starts, done, side="right") - 1
        length = self.steps * np.power(float(self.growth), cycle)
        return (done - np.take(starts, cycle)) / length


class OneCycle(BaseEstimator):
    """eta(t) = low + (largest - low) · (1 - cos(π p)) / 2, p from 0 over 1 to 2.

    It rises from low = largest / start_divisor at t = 1 to `largest` at t = rise · steps,
    then falls to low = largest / (start_divisor · last_divisor) at t = steps and stays
    there. The cycle of [1]_ in the form and with the defaults of PyTorch's OneCycleLR
    (pct_start, div_factor, final_div_factor).

    Parameters
    ----------
    largest : float > 0
    steps : int >= 1
        k epochs are k · ceil(n / batch_size) steps.
    rise : float in [0, 1), default=0.3
    start_divisor, last_divisor : float >= 1, default=25.0 and 1e4

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks
       using large learning rates", arXiv:1708.07120 (2018).

    Examples
    --------
    >>> from sgdreg.schedules import OneCycle
    >>> OneCycle(1.0, steps=10)([1, 2, 3, 4, 9, 10, 99]).round(6).tolist()
    [0.04, 0.52, 1.0, 0.950485, 0.049519, 4e-06, 4e-06]
    """

    def __init__(
        self,
        largest: float,
        steps: int,
        rise: float = 0.3,
        start_divisor: float = 25.0,
        last_divisor: float = 1e4,
    ) -> None:
        self.largest = largest
        self.steps = steps
        self.rise = rise
        self.start_divisor = start_divisor
        self.last_divisor = last_divisor

    def __call__(self, t: ArrayLike) -> Array:
        positive(self, "largest", "start_divisor", "last_divisor")
        counts(self, "steps")
        for name in ("start_divisor", "last_divisor"):
            require(self, name, getattr(self, name) >= 1, "a number of at least 1")
        good = isinstance(self.rise, Real) and 0 <= self.rise < 1
        require(self, "rise", good, "a number in [0, 1)")
        peak = max(self.rise * self.steps, 1.0)
        phase = np.interp(t, [1.0, peak, self.steps], [0.0, 1.0, 2.0])
        start = self.largest / self.start_divisor
        low = np.where(phase < 1, start, start / self.last_divisor)
        return between(self.largest, low, (1.0 - np.cos(np.pi * phase)) / 2)
