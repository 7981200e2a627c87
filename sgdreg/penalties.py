"""Penalties: the cost of the coefficients w of one output, added to the loss.

==============  ==============  ====================================================
name            class           value of w
==============  ==============  ====================================================
None                            0
``l2``          ``L2``          alpha · ½‖w‖²
``l1``          ``L1``          alpha · ‖w‖₁
``elasticnet``  ``ElasticNet``  alpha · (l1_ratio ‖w‖₁ + (1 - l1_ratio) ½‖w‖²)
==============  ==============  ====================================================

All are one formula with two numbers, l1 ‖w‖₁ + l2 ½‖w‖², which the compiled passes
evaluate. The l2 part is in the gradient. The l1 part and ``positive=True`` act after each
step, by a proximal step (soft thresholding): each coefficient moves towards zero by
eta·alpha·l1_ratio (in the metric of the step) and stops at zero, so zeros are exact. The
intercept is not penalised.

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

# An l1 this large sets every coefficient to zero, as an infinite one would.
ENDLESS = 1e300
# A penalty of coefficients below this must be finite: even their squares are floats.
ORDINARY = 1e100


class Penalty(BaseEstimator):
    """The base class of penalties; derive a custom penalty from it.

    Attributes
    ----------
    separable : bool
        Whether the penalty is a sum over the coefficients. `prox` then also accepts a
        different step size for each coefficient, so that metrics and adaptive rules can
        be used.

    Methods
    -------
    value(coef)
        The penalty R of the coefficients of one output, an array of shape (n_features,):
        one finite number.
    prox(coef, step)
        The proximal step: the array v that minimises ½‖v - coef‖² + step · R(v).
        `step` is a number > 0. With ``separable = True`` in the class it may also be an
        array with one number for each coefficient: v_j is then computed with step_j.
    subdifferential(coef)
        For each coefficient the least and the largest slope of R: two arrays, equal
        where R is smooth. Optional: no step needs it. A model is optimal where the
        gradient of the loss lies between -largest and -least.

    Examples
    --------
    A penalty with a different weight for each coefficient:

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
        """Coefficients moved towards zero by step · l1, then divided by 1 + step · l2."""
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
        return _checked(self, "alpha", self.alpha) * self._checked_ratio

    @property
    def l2(self) -> float:
        return _checked(self, "alpha", self.alpha) * (1.0 - self._checked_ratio)

    @property
    def _checked_ratio(self):
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
        The numbers of the formula; both zero with a custom penalty.
    positive : bool
        Whether coefficients must be >= 0.
    custom : Penalty or None
        The custom penalty, whose methods are called.

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
        """Whether each step ends with a proximal step."""
        return self.l1 > 0 or self.positive or self.is_custom

    @property
    def kind(self) -> str:
        """The narrowest kind that a solver must serve: "l2", "norms" or "any"."""
        if self.is_custom:
            return "any"
        return "norms" if self.proximal else "l2"

    @property
    def separable(self) -> bool:
        """Whether the proximal step may have a different size for each coefficient."""
        return not self.is_custom or bool(self.custom.separable)

    def in_unit(self, exponent: int) -> AppliedPenalty:
        """The same penalty divided by 4^exponent, of coefficients divided by 2^exponent."""
        if self.is_custom:
            raise ValueError(
                f"The numbers of y are about {np.ldexp(1.0, exponent - 1):.0e}, whose "
                f"squares are beyond what float64 can hold, and penalty={self.custom!r} "
                "takes coefficients in the units of y only: rescale y."
            )
        with np.errstate(over="ignore"):
            l1 = min(float(np.ldexp(self.l1, -exponent)), ENDLESS)
        return replace(self, l1=l1)

    def values(self, coef: Array) -> Array:
        """The penalty of each output, for coefficients (k, d)."""
        if self.is_custom:
            return np.array([self._value(row) for row in coef])
        sums = np.zeros(len(coef))
        if self.l2:
            sums += 0.5 * self.l2 * np.einsum("ij,ij->i", coef, coef)
        if self.l1:
            sums += self.l1 * np.add.reduce(np.abs(coef), axis=1)
        return sums

    def _value(self, coef):
        """The custom penalty of the coefficients of one output, checked."""
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

        Coefficients that are not finite are returned as they are: the pass then reports
        divergence.
        """
        if not np.isfinite(coef).all():
            return coef
        if not self.separable:  # its metric has one scale, so all step sizes are equal
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
        words = " + ".join(f"{weight:g} {norm}" for weight, norm in parts if weight)
        words = words or "none"
        return f"{words}, no coefficient below zero" if self.positive else words


# {name: (class, the parameters of the estimator that it takes)}
PENALTIES = {
    "l2": (L2, ("alpha",)),
    "l1": (L1, ("alpha",)),
    "elasticnet": (ElasticNet, ("alpha", "l1_ratio")),
}


def compiled(penalty):
    """Whether the compiled passes can evaluate it: the formula, nothing overridden."""
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
        The estimator's parameters, for a penalty given by name.
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
            f"positive=True does not go with penalty={penalty!r}, whose proximal step "
            "ignores it: let its prox return coefficients of at least 0 instead."
        )
    # A copy: the user may change the object while the plan is still in use.
    return AppliedPenalty(custom=deepcopy(penalty))
