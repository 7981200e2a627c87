"""Losses: the cost of a prediction p for a target y.

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

All are one formula with four numbers. With e = the part of r beyond a dead zone, that is, r
minus the number of [-dead, dead] nearest to r,

    dL/dp = g = the number of [-below, above] nearest to e / width,    L = g e - ½ width g²

A `width` > 0 replaces the kink by a parabola: the Moreau envelope of the loss with width 0.
The compiled passes evaluate this formula, and the interior-point method its two halves.

A custom loss is a class derived from :class:`Loss`. It runs through the same loop, which
calls its two methods for some rows at a time (slower).
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
    """The base class of losses; derive a custom loss from it.

    Attributes
    ----------
    smoothness : float or None
        The largest second derivative in p; None for a loss with kinks.
    hinged : bool
        Whether the loss is a sum of hinges max(0, ±(p - y) - dead), smoothed by a width:
        the formula of this module. The interior-point method can then handle its kinks.

    Methods
    -------
    value(y, p)
        L of each pair of two arrays of shape (n,): an array of shape (n,).
    gradient(y, p)
        dL/dp of each pair (any subgradient).
    curvature(y, p)
        The second derivative of each pair, at most `smoothness`, which is the default.

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
    """The formula that the losses of this module share; see the module.

    Attributes
    ----------
    dead : float
        Half the width of the dead zone, in which residuals cost nothing.
    width : float
        The width of the parabola that replaces the kink; 0: a kink.
    below, above : float
        The largest slope on the negative and on the positive side.
    """

    dead, width, below, above = 0.0, 0.0, 1.0, 1.0

    @property
    def hinged(self) -> bool:
        return compiled(self)  # False if a derived class has another formula

    @property
    def smoothness(self) -> float | None:
        return 1.0 / self.width if self.width > 0 else None

    def value(self, y: Array, p: Array) -> Array:
        """L(y, p) of each pair."""
        e, g = self._excess_and_slope(y, p)
        return g * e - 0.5 * self.width * g * g

    def gradient(self, y: Array, p: Array) -> Array:
        """dL/dp of each pair."""
        return self._excess_and_slope(y, p)[1]

    def curvature(self, y: Array, p: Array) -> Array:
        """The second derivative of each pair: 1 / width, or 0."""
        e, _ = self._excess_and_slope(y, p)
        curved = (e > -self.below * self.width) & (e < self.above * self.width) & (e != 0)
        if not self.dead:
            curved |= e == 0
        return curved / self.width

    def _excess_and_slope(self, y, p):
        """e and g of the formula."""
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

    The gradient of an outlier is epsilon at most. `epsilon` is in the units of y. The loss
    is robust if epsilon is well below the outliers, and efficient if it is near 1.35
    standard deviations of the noise.

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

    The pinball loss: the share `quantile` of the targets lies below the fit.

    Parameters
    ----------
    quantile : float in (0, 1), default=0.5
        At least 2.2e-16 away from 0 and from 1.

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
                "nothing. Use a value further from 0 and 1."
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
    number = type(value) is float or isinstance(value, Real)  # the first takes no 1 µs
    good = number and 0 <= value < np.inf and (value > 0 or not positive)
    if not good:
        raise ValueError(
            f"{name} of {type(loss).__name__} must be a {'positive' if positive else ''} "
            f"finite number{'' if positive else ' >= 0'}, got {value!r}."
        )
    return float(value)


def _is_float(value):
    """Whether the value is a positive number that fits into float64."""
    known = isinstance(value, Real) and not isinstance(value, Fraction | np.timedelta64)
    return known and 0 < value <= np.finfo(np.float64).max


def ask(loss, y, p, method):
    """Call a method of a loss with read-only arrays y and p, and check what it returns."""
    y, p = y.view(), p.view()
    y.flags.writeable = p.flags.writeable = False
    answer, call = getattr(loss, method)(y, p), f"{method}(y, p) of the loss"
    answer = returned(answer, y.shape, call, loss, "one number a row")
    if np.isnan(answer).any():
        raise ValueError(f"{call} {loss!r} has returned NaN.")
    return answer


def compiled(loss):
    """Whether the compiled passes can evaluate it: the formula, nothing overridden."""
    kind = type(loss)
    return (
        isinstance(loss, Distance)
        and kind.value is Distance.value
        and kind.gradient is Distance.gradient
    )


def made_of_hinges(loss):
    """Whether the loss is a sum of two hinges, which the interior-point method needs."""
    return bool(getattr(loss, "hinged", False))


SQUARED_ERROR = SquaredError()
# The attributes of a loss made of hinges.
HINGES = ("dead", "width", "below", "above")
# {name: (class, the parameter of the estimator that it takes)}
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
        The estimator's parameters, for a loss given by name.
    """
    if isinstance(loss, str):
        cls, takes = LOSSES[loss]
        given = {"epsilon": epsilon, "quantile": quantile}
        loss = cls() if takes is None else cls(given[takes])
    if compiled(loss):
        _ = loss.dead, loss.below  # these properties check the parameters
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
    smoothness = loss.smoothness
    if smoothness is not None and not _is_float(smoothness):
        raise ValueError(
            f"The loss {loss!r} has smoothness {smoothness!r}: it must be a finite number "
            "> 0, or None where the gradient jumps."
        )
    return loss


def is_squared(loss):
    """Whether the loss is the squared error, for which least squares has shortcuts."""
    if type(loss) is SquaredError:
        return True
    return isinstance(loss, SquaredError) and compiled(loss)
