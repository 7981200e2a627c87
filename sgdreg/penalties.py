"""Penalties: what the coefficients w of one output cost beside the loss.

==============  ==============  ====================================================
name            class           value of w
==============  ==============  ====================================================
None                            0
``l2``          ``L2``          alpha · ½‖w‖²
``l1``          ``L1``          alpha · ‖w‖₁
``elasticnet``  ``ElasticNet``  alpha · (l1_ratio ‖w‖₁ + (1 - l1_ratio) ½‖w‖²)
==============  ==============  ====================================================

They are one formula with two numbers, l1 ‖w‖₁ + l2 ½‖w‖², which the compiled passes know.
The l2 part is in the gradient. The l1 part, and ``positive=True``, act after each step, as
its proximal step: coefficients come closer to zero by eta·alpha·l1_ratio (in the metric of
the step) and stay there when they meet it, so zeros are exact. The intercept is free.

A custom penalty is a class derived from :class:`Penalty`. Its proximal step is called after
each gradient step (slower).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg._answers import returned

if TYPE_CHECKING:
    from sgdreg._typing import Array, ArrayLike

# A weight of l1 as good as infinite.
ENDLESS = 1e300
# Coefficients below this have a finite value, unless the penalty forbids them.
ORDINARY = 1e100


class Penalty(BaseEstimator):
    """What a penalty has to have; derive a custom one from it.

    Attributes
    ----------
    separable : bool
        Whether the penalty is a sum over the coefficients. Its proximal step then takes
        steps of a different size for each coefficient as well, so that metrics and
        adaptive rules can be used.

    Methods
    -------
    value(coef)
        The penalty R of the coefficients of one output, an array of shape (n_features,):
        one finite number.
    prox(coef, step)
        The proximal step: the array v for which ½‖v - coef‖² + step · R(v) is least.
        `step` is a number > 0. If the class says ``separable = True`` it may also be an
        array with one number for each coefficient, and each v_j is then for its own.
    subdifferential(coef)
        For each coefficient the least and the largest slope of R: two arrays, equal
        where R is smooth. Optional: no step needs it. It tells whether a model is
        optimal, namely where the loss's gradient lies between -largest and -least.

    Examples
    --------
    A penalty with a weight of its own for each coefficient:

    >>> import numpy as np
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.penalties import Penalty
    >>> class WeightedL1(Penalty):
    ...     separable = True
    ...     def __init__(self, weights):
    ...         self.weights = weights
    ...     def value(self, coef):
    ...         return np.sum(self.weights * np.abs(coef))
    ...     def prox(self, coef, step):
    ...         return np.sign(coef) * np.maximum(np.abs(coef) - step * self.weights, 0)
    >>> X, y = [[1.0, 1.0], [2.0, 1.0], [3.0, -2.0]], [2.0, 4.0, 6.0]
    >>> penalty = WeightedL1(np.array([0.0, 1.0]))
    >>> SGDLinearRegressor(penalty=penalty).fit(X, y).coef_.round(3)
    array([2., 0.])
    """

    separable: bool = False

    def value(self, coef: Array) -> float:
        raise NotImplementedError(f"{type(self).__name__} has to define value(coef).")

    def prox(self, coef: Array, step: float | Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has to define prox(coef, step).")

    def subdifferential(self, coef: Array) -> tuple[Array, Array]:
        raise NotImplementedError(
            f"{type(self).__name__} does not define subdifferential(coef)."
        )


class Norms(Penalty):
    """The formula that the penalties of this module share: l1 ‖w‖₁ + l2 ½‖w‖².

    Attributes
    ----------
    l1, l2 : float
    """

    separable = True
    l1: float = 0.0
    l2: float = 0.0

    def value(self, coef: ArrayLike) -> float:
        """l1 ‖w‖₁ + l2 ½‖w‖²."""
        return float(self.l1 * np.abs(coef).sum() + 0.5 * self.l2 * np.dot(coef, coef))

    def prox(self, coef: ArrayLike, step: float | Array) -> Array:
        """Each coefficient closer to zero by step · l1, and over 1 + step · l2."""
        coef = np.asarray(coef, dtype=np.float64)
        amount = np.multiply(step, self.l1)
        return (coef - np.clip(coef, -amount, amount)) / (1.0 + np.multiply(step, self.l2))

    def subdifferential(self, coef: ArrayLike) -> tuple[Array, Array]:
        """l2 w ± l1 where w = 0, and l2 w + l1 sign(w) elsewhere."""
        coef = np.asarray(coef, dtype=np.float64)
        low = np.where(coef > 0, self.l1, -self.l1) + self.l2 * coef
        high = np.where(coef < 0, -self.l1, self.l1) + self.l2 * coef
        return low, high


class L2(Norms):
    """alpha · ½‖w‖²: ridge regression [1]_.

    Parameters
    ----------
    alpha : float >= 0, default=1e-4
        Per row: ``sklearn.linear_model.Ridge(alpha * n)`` has the same optimum.

    References
    ----------
    .. [1] A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation for
       nonorthogonal problems", Technometrics 12 (1970).

    Examples
    --------
    >>> from sgdreg.penalties import L2
    >>> L2(alpha=0.5).value([3.0, -1.0])  # 0.5 · ½ · 10
    2.5
    """

    def __init__(self, alpha: float = 1e-4) -> None:
        self.alpha = alpha

    @property
    def l2(self) -> float:
        return _checked(self, "alpha", self.alpha)


class L1(Norms):
    """alpha · ‖w‖₁: the lasso [1]_, which sets coefficients to exactly zero.

    Parameters
    ----------
    alpha : float >= 0, default=1e-4
        As of ``sklearn.linear_model.Lasso``.

    References
    ----------
    .. [1] R. Tibshirani, "Regression shrinkage and selection via the lasso", Journal of
       the Royal Statistical Society B 58 (1996).

    Examples
    --------
    >>> from sgdreg.penalties import L1
    >>> L1(alpha=0.5).value([3.0, -1.0])
    2.0
    >>> L1(alpha=0.5).prox([3.0, -0.1], step=2.0).tolist()
    [2.0, 0.0]
    """

    def __init__(self, alpha: float = 1e-4) -> None:
        self.alpha = alpha

    @property
    def l1(self) -> float:
        return _checked(self, "alpha", self.alpha)


class ElasticNet(Norms):
    """alpha · (l1_ratio ‖w‖₁ + (1 - l1_ratio) ½‖w‖²) [1]_.

    Parameters
    ----------
    alpha : float >= 0, default=1e-4
    l1_ratio : float in [0, 1], default=0.15
        As of ``sklearn.linear_model.ElasticNet``.

    References
    ----------
    .. [1] H. Zou, T. Hastie, "Regularization and variable selection via the elastic
       net", Journal of the Royal Statistical Society B 67 (2005).

    Examples
    --------
    >>> from sgdreg.penalties import ElasticNet
    >>> ElasticNet(alpha=1.0, l1_ratio=0.5).value([3.0, -1.0])  # ½ · 4 + ½ · ½ · 10
    4.5
    """

    def __init__(self, alpha: float = 1e-4, l1_ratio: float = 0.15) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    @property
    def l1(self) -> float:
        return _checked(self, "alpha", self.alpha) * self._share

    @property
    def l2(self) -> float:
        return _checked(self, "alpha", self.alpha) * (1.0 - self._share)

    @property
    def _share(self):
        return _checked(self, "l1_ratio", self.l1_ratio, most=1)


def _checked(penalty, name, value, most=np.inf):
    """A number of a penalty, in [0, most] and finite."""
    if not (isinstance(value, Real) and 0 <= value <= most and value < np.inf):
        bounds = "a finite number >= 0" if most == np.inf else f"a number in [0, {most}]"
        raise ValueError(
            f"{name} of {type(penalty).__name__} must be {bounds}, got {value!r}."
        )
    return float(value)


@dataclass(frozen=True)
class AppliedPenalty:
    """A penalty as a fit applies it: the numbers of the formula, or a custom object.

    Attributes
    ----------
    l1, l2 : float
        Of the formula; both zero beside a custom one.
    positive : bool
        Whether w >= 0.
    custom : Penalty or None
        Whose methods are called.

    Examples
    --------
    >>> import numpy as np
    >>> from sgdreg.penalties import AppliedPenalty
    >>> penalty = AppliedPenalty(l1=1.0, l2=0.5)
    >>> penalty.values(np.array([[1.0, -2.0]])).tolist()  # 3 + 0.5 · 2.5
    [4.25]
    """

    l1: float = 0.0
    l2: float = 0.0
    positive: bool = False
    custom: Penalty | None = None

    @property
    def is_custom(self) -> bool:
        """Whether it is the user's own object, whose methods have to be called."""
        return self.custom is not None

    @property
    def proximal(self) -> bool:
        """Whether steps end with a proximal one."""
        return self.l1 > 0 or self.positive or self.is_custom

    @property
    def kind(self) -> str:
        """The narrowest kind that a solver must serve: "l2", "norms" or "any"."""
        if self.is_custom:
            return "any"
        return "norms" if self.proximal else "l2"

    @property
    def separable(self) -> bool:
        """Whether each coefficient may have a proximal step of its own size."""
        return not self.is_custom or bool(self.custom.separable)

    def in_unit(self, exponent: int) -> AppliedPenalty:
        """Of coefficients divided by 2^exponent: the same values, divided by 4^exponent."""
        if self.is_custom:
            raise ValueError(
                f"The numbers of y are about {np.ldexp(1.0, exponent - 1):.0e}, whose "
                "squares are beyond what float64 can hold, and "
                f"penalty={self.custom!r} knows coefficients in the units of y only: "
                "rescale y."
            )
        with np.errstate(over="ignore"):
            l1 = min(float(np.ldexp(self.l1, -exponent)), ENDLESS)
        return replace(self, l1=l1)

    def values(self, coef: Array) -> Array:
        """Cost of each row of coefficients (k, d)."""
        if self.is_custom:
            return np.array([self._value(row) for row in coef])
        sums = np.zeros(len(coef))
        if self.l2:
            sums += 0.5 * self.l2 * np.einsum("ij,ij->i", coef, coef)
        if self.l1:
            sums += self.l1 * np.abs(coef).sum(axis=1)
        return sums

    def _value(self, coef):
        """What the custom penalty's value says of the coefficients of one output."""
        if not np.isfinite(coef).all():
            return np.nan
        call, answer = "value(coef) of the penalty", self.custom.value(coef.copy())
        value = float(returned(answer, (), call, self.custom, "a number"))
        if not np.isfinite(value) and np.abs(coef).max(initial=0.0) < ORDINARY:
            raise ValueError(
                f"{call} {self.custom!r} has returned {value}: it must be finite. Where "
                "coefficients are forbidden, let prox bring them back, and value be 0."
            )
        return value

    def stepped(self, coef: Array, step: float | Array) -> Array:
        """Coefficients (d,) after the custom penalty's proximal step.

        What is not finite is left as it is, to be noticed as divergence.
        """
        if not np.isfinite(coef).all():
            return coef
        if not self.separable:  # a metric of one scale: all steps are alike
            step = float(np.ravel(step)[0])
        call = "prox(coef, step) of the penalty"
        answer, rule = self.custom.prox(coef, step), "an array of the coefficients' shape"
        found = returned(answer, coef.shape, call, self.custom, rule)
        if np.isnan(found).any():
            raise ValueError(f"{call} {self.custom!r} has returned NaN.")
        return found

    def __str__(self) -> str:
        if self.is_custom:
            return repr(self.custom)
        parts = [(self.l1, "‖w‖₁"), (self.l2, "½‖w‖²")]
        words = " + ".join(f"{share:g} {size}" for share, size in parts if share)
        words = words or "none"
        return f"{words}, no coefficient below zero" if self.positive else words


# Each named penalty, and the parameters of the estimator that it takes.
PENALTIES = {
    "l2": (L2, ("alpha",)),
    "l1": (L1, ("alpha",)),
    "elasticnet": (ElasticNet, ("alpha", "l1_ratio")),
}


def compiled(penalty):
    """Whether the compiled passes know it: the formula, with nothing overridden."""
    kind = type(penalty)
    return (
        isinstance(penalty, Norms) and kind.value is Norms.value and kind.prox is Norms.prox
    )


def get_penalty(penalty, *, alpha, l1_ratio, positive):
    """The penalty of a name (or the object itself) as a fit applies it, checked.

    Parameters
    ----------
    penalty : None, str or Penalty
    alpha, l1_ratio : float
        What the names take their numbers from.
    positive : bool
    """
    if penalty is None:
        return AppliedPenalty(positive=bool(positive))
    if isinstance(penalty, str):
        cls, takes = PENALTIES[penalty]
        given = {"alpha": alpha, "l1_ratio": l1_ratio}
        penalty = cls(**{name: given[name] for name in takes})
    if compiled(penalty):
        return AppliedPenalty(penalty.l1, penalty.l2, bool(positive))
    undefined = {None, Penalty.value, Penalty.prox}
    missing = [n for n in ("value", "prox") if getattr(type(penalty), n, None) in undefined]
    if missing or not isinstance(penalty, Penalty):
        lacks = f"no method {' and '.join(missing)}" if missing else "no such base class"
        raise TypeError(
            f"The penalty {penalty!r} has {lacks}: derive it from "
            "sgdreg.penalties.Penalty, which says what it needs."
        )
    if positive:
        raise ValueError(
            f"positive=True does not go with penalty={penalty!r}, whose proximal step does "
            "not know of it: let its prox return coefficients of at least 0 instead."
        )
    # A copy: the plan outlives what the user does to the parameters next.
    return AppliedPenalty(custom=deepcopy(penalty))
