"""Losses: what a prediction p costs where the target is y.

===============================  ===========================================
name                             L(y, p), with r = p - y
===============================  ===========================================
``squared_error``                ½ r²
``huber``                        ½ r² if abs(r) <= epsilon, else
                                 epsilon (abs(r) - ½ epsilon)
``absolute_error``               abs(r)
``quantile``                     (1 - quantile) r if r > 0, else -quantile r
``epsilon_insensitive``          max(0, abs(r) - epsilon)
``squared_epsilon_insensitive``  max(0, abs(r) - epsilon)²
===============================  ===========================================

They are one formula with four numbers. With e = r beyond a dead zone (r less its nearest
number in [-dead, dead]),

    dL/dp = g = the number of [-below, above] nearest to e / width,    L = g e - ½ width g²

A `width` rounds the kink off: that is the Moreau envelope of the loss without. The compiled
passes know this formula, and the interior-point method its two halves.

A loss of one's own is a class from :class:`Loss`. Its steps and passes run through the same
loop, with its two methods called on some rows at a time (slower).
"""

from __future__ import annotations

from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg._answers import returned

EPS = np.finfo(np.float64).eps

if TYPE_CHECKING:
    from sgdreg._typing import Array


class Loss(BaseEstimator):
    """What a loss has to have; derive a loss of your own from it.

    Attributes
    ----------
    smoothness : float or None
        The largest second derivative in p; None where there is none (kinks).
    hinged : bool
        Whether it is a sum of hinges max(0, ±(p - y) - dead), rounded off by a width: the
        formula of this module. An interior point then follows its kinks.

    Methods
    -------
    value(y, p)
        L of each pair of two arrays of shape (n,): an array of shape (n,).
    gradient(y, p)
        dL/dp of each pair (any subgradient).
    curvature(y, p)
        The second derivative of each pair, at most `smoothness`; by default that bound.

    Examples
    --------
    >>> import numpy as np
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.losses import Loss
    >>> class LogCosh(Loss):
    ...     smoothness = 1.0
    ...     def value(self, y, p):
    ...         return np.logaddexp(p - y, y - p) - np.log(2)
    ...     def gradient(self, y, p):
    ...         return np.tanh(p - y)
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> model = SGDLinearRegressor(loss=LogCosh()).fit(X, y)
    >>> model.coef_.round(3), round(float(model.intercept_), 3)
    (array([2.]), 1.0)
    """

    smoothness: float | None = None
    hinged: bool = False

    def value(self, y: Array, p: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has to define value(y, p).")

    def gradient(self, y: Array, p: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has to define gradient(y, p).")

    def curvature(self, y: Array, p: Array) -> Array:
        return np.full(np.shape(p), self.smoothness)


class Distance(Loss):
    """The formula that the losses of this module share.

    Attributes
    ----------
    dead, width, below, above : float
        See the module.
    """

    dead, width, below, above = 0.0, 0.0, 1.0, 1.0

    @property
    def hinged(self) -> bool:
        return compiled(self)  # not where a derived class has another formula

    @property
    def smoothness(self) -> float | None:
        return 1.0 / self.width if self.width > 0 else None

    def value(self, y: Array, p: Array) -> Array:
        """L(y, p) of each pair."""
        e, g = self._beyond(y, p)
        return g * e - 0.5 * self.width * g * g

    def gradient(self, y: Array, p: Array) -> Array:
        """dL/dp of each pair."""
        return self._beyond(y, p)[1]

    def curvature(self, y: Array, p: Array) -> Array:
        """The second derivative of each pair: 1 / width, or 0."""
        e, _ = self._beyond(y, p)
        among = (e > -self.below * self.width) & (e < self.above * self.width) & (e != 0)
        if not self.dead:
            among |= e == 0
        return among / self.width

    def _beyond(self, y, p):
        e = np.subtract(p, y)
        e = e - np.clip(e, -self.dead, self.dead) if self.dead else e
        if self.width:
            return e, np.clip(e / self.width, -self.below, self.above)
        return e, np.where(e > 0, self.above, np.where(e < 0, -self.below, 0.0 * e))


class SquaredError(Distance):
    """L(y, p) = ½ (p - y)²: least squares, the mean.

    Examples
    --------
    >>> from sgdreg.losses import SquaredError
    >>> SquaredError().value([1.0, 2.0], [3.0, 2.0]).tolist()
    [2.0, 0.0]
    >>> SquaredError().gradient([1.0, 2.0], [3.0, 2.0]).tolist()
    [2.0, 0.0]
    """

    width, below, above = 1.0, np.inf, np.inf


class Huber(Distance):
    """L(y, p) = ½ r² where |r| <= epsilon, epsilon (|r| - ½ epsilon) beyond [1]_.

    Outliers pull with a force of epsilon at most. `epsilon` is in the units of y; robust
    if well below the outliers, efficient if near 1.35 standard deviations of the noise.

    Parameters
    ----------
    epsilon : float > 0, default=0.1

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Annals of
       Mathematical Statistics 35 (1964).

    Examples
    --------
    >>> from sgdreg.losses import Huber
    >>> Huber(1.0).value([0.0, 0.0], [0.5, 3.0]).tolist()
    [0.125, 2.5]
    >>> Huber(1.0).gradient([0.0, 0.0], [0.5, -3.0]).tolist()
    [0.5, -1.0]
    """

    width = 1.0

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = epsilon

    @property
    def below(self) -> float:
        return _checked(self, "epsilon", self.epsilon, positive=True)

    above = below


class AbsoluteError(Distance):
    """L(y, p) = |p - y|: the median.

    Examples
    --------
    >>> from sgdreg.losses import AbsoluteError
    >>> AbsoluteError().value([1.0, 2.0], [3.0, 1.0]).tolist()
    [2.0, 1.0]
    """


class Quantile(Distance):
    """L(y, p) = (1 - quantile) r where r > 0, -quantile r elsewhere [1]_.

    The pinball loss: a share `quantile` of the targets lies below the fit.

    Parameters
    ----------
    quantile : float in (0, 1), default=0.5
        No nearer to 0 or 1 than 2.2e-16.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> from sgdreg.losses import Quantile
    >>> Quantile(0.75).value([0.0, 0.0], [4.0, -4.0]).tolist()
    [1.0, 3.0]
    """

    def __init__(self, quantile: float = 0.5) -> None:
        self.quantile = quantile

    @property
    def below(self) -> float:
        if not (isinstance(self.quantile, Real) and 0 < self.quantile < 1):
            raise ValueError(
                f"quantile of Quantile must be a number in (0, 1), got {self.quantile!r}."
            )
        if not EPS <= self.quantile <= 1 - EPS:
            raise ValueError(
                f"quantile of Quantile is {self.quantile!r}, nearer to 0 or 1 than the "
                f"rounding errors of float64, {EPS:.1e}: rows on one side would count for "
                "nothing. Use one further from 0 and 1."
            )
        return float(self.quantile)

    @property
    def above(self) -> float:
        return 1.0 - self.below


class EpsilonInsensitive(Distance):
    """L(y, p) = max(0, |p - y| - epsilon), the loss of support vector regression [1]_.

    Parameters
    ----------
    epsilon : float >= 0, default=0.1
        In the units of y.

    References
    ----------
    .. [1] V. Vapnik, "The nature of statistical learning theory" (1995), section 6.1.

    Examples
    --------
    >>> from sgdreg.losses import EpsilonInsensitive
    >>> EpsilonInsensitive(0.5).value([0.0, 0.0], [0.25, 2.0]).tolist()
    [0.0, 1.5]
    """

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = epsilon

    @property
    def dead(self) -> float:
        return _checked(self, "epsilon", self.epsilon)


class SquaredEpsilonInsensitive(EpsilonInsensitive):
    """L(y, p) = max(0, |p - y| - epsilon)² (no ½, as in SGDRegressor).

    Parameters
    ----------
    epsilon : float >= 0, default=0.1
        In the units of y.

    Examples
    --------
    >>> from sgdreg.losses import SquaredEpsilonInsensitive
    >>> SquaredEpsilonInsensitive(0.5).gradient([0.0, 0.0], [0.25, 2.0]).tolist()
    [0.0, 3.0]
    """

    width, below, above = 0.5, np.inf, np.inf


def _checked(loss, name, value, positive=False):
    good = isinstance(value, Real) and 0 <= value < np.inf and (value > 0 or not positive)
    if not good:
        raise ValueError(
            f"{name} of {type(loss).__name__} must be a {'positive' if positive else ''} "
            f"finite number{'' if positive else ' >= 0'}, got {value!r}."
        )
    return float(value)


def _is_float(value):
    """Whether it is a positive number that float64 holds."""
    known = isinstance(value, Real) and not isinstance(value, Fraction | np.timedelta64)
    return known and 0 < value <= np.finfo(np.float64).max


def ask(loss, y, p, method):
    """What a method of a loss says of arrays y and p, checked; they are read only."""
    y, p = y.view(), p.view()
    y.flags.writeable = p.flags.writeable = False
    answer, call = getattr(loss, method)(y, p), f"{method}(y, p) of the loss"
    answer = returned(answer, y.shape, call, loss, "one number a row")
    if np.isnan(answer).any():
        raise ValueError(f"{call} {loss!r} has returned NaN.")
    return answer


def compiled(loss):
    """Whether the compiled passes know the loss: the formula, with nothing overridden."""
    kind = type(loss)
    return (
        isinstance(loss, Distance)
        and kind.value is Distance.value
        and kind.gradient is Distance.gradient
    )


def made_of_hinges(loss):
    """Whether it is a sum of two hinges, whose kinks an interior point follows."""
    return bool(getattr(loss, "hinged", False))


SQUARED_ERROR = SquaredError()
# What a loss made of hinges has.
HINGES = ("dead", "width", "below", "above")
# Each named loss, and the parameter of the estimator that it takes.
LOSSES = {
    "squared_error": (SquaredError, None),
    "huber": (Huber, "epsilon"),
    "absolute_error": (AbsoluteError, None),
    "quantile": (Quantile, "quantile"),
    "epsilon_insensitive": (EpsilonInsensitive, "epsilon"),
    "squared_epsilon_insensitive": (SquaredEpsilonInsensitive, "epsilon"),
}


def get_loss(loss, *, epsilon=0.1, quantile=0.5):
    """The loss object of a name (or the object itself), checked.

    Parameters
    ----------
    loss : str or object
    epsilon, quantile : float
        What the names take their number from.
    """
    if isinstance(loss, str):
        cls, takes = LOSSES[loss]
        given = {"epsilon": epsilon, "quantile": quantile}
        loss = cls() if takes is None else cls(given[takes])
    if compiled(loss):
        _ = loss.dead, loss.below  # which check the parameters
        return loss
    undefined = {None, Loss.value, Loss.gradient}
    missing = [
        n for n in ("value", "gradient") if getattr(type(loss), n, None) in undefined
    ]
    if missing:
        raise TypeError(
            f"The loss {loss!r} has no method {' and '.join(missing)}: derive it from "
            "sgdreg.losses.Loss, which says what it needs."
        )
    lacking = [n for n in HINGES if not hasattr(loss, n)]
    if made_of_hinges(loss) and lacking:
        raise TypeError(
            f"The loss {loss!r} says that it is hinged, but has no "
            f"{' and '.join(lacking)}: derive it from sgdreg.losses.Distance, or leave "
            "hinged at False."
        )
    bends = loss.smoothness
    if bends is not None and not _is_float(bends):
        raise ValueError(
            f"The loss {loss!r} has smoothness {bends!r}: it must be a finite number > 0, "
            "or None where the gradient jumps."
        )
    return loss


def is_squared(loss):
    """Whether it is the squared error: least squares and its shortcuts."""
    if type(loss) is SquaredError:
        return True
    return isinstance(loss, SquaredError) and compiled(loss)
