"""Penalties: what coefficients cost beside the loss.

==============  ============================================================
name            alpha · R(w)
==============  ============================================================
None            0
``l2``          alpha · ½‖w‖²
``l1``          alpha · ‖w‖₁
``elasticnet``  alpha · (l1_ratio ‖w‖₁ + (1 - l1_ratio) ½‖w‖²)
==============  ============================================================

The l2 part is in the gradient. The l1 part, and ``positive=True``, act after each step, as
its proximal step: coefficients come closer to zero by eta·alpha·l1_ratio (in the metric of
the step) and stay there when they meet it, so zeros are exact. The intercept is free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sgdreg._typing import Array

# A weight of l1 as good as infinite.
ENDLESS = 1e300


@dataclass(frozen=True)
class Penalty:
    """l1 ‖w‖₁ + l2 ½‖w‖², and w >= 0 where `positive`.

    Attributes
    ----------
    name : str or None
    l1, l2 : float
    positive : bool

    Examples
    --------
    >>> import numpy as np
    >>> from sgdreg.penalties import Penalty
    >>> penalty = Penalty("elasticnet", l1=1.0, l2=0.5)
    >>> penalty.values(np.array([[1.0, -2.0]])).tolist()  # 3 + 0.5 · 2.5
    [4.25]
    """

    name: str | None = None
    l1: float = 0.0
    l2: float = 0.0
    positive: bool = False

    @property
    def proximal(self) -> bool:
        """Whether steps end with a proximal one."""
        return self.l1 > 0 or self.positive

    def in_unit(self, exponent: int) -> Penalty:
        """Of coefficients divided by 2^exponent: the same values, divided by 4^exponent."""
        with np.errstate(over="ignore"):
            l1 = min(float(np.ldexp(self.l1, -exponent)), ENDLESS)
        return replace(self, l1=l1)

    def values(self, coef: Array) -> Array:
        """Cost of each row of coefficients (k, d)."""
        sums = np.zeros(len(coef))
        if self.l2:
            sums += 0.5 * self.l2 * np.einsum("ij,ij->i", coef, coef)
        if self.l1:
            sums += self.l1 * np.abs(coef).sum(axis=1)
        return sums

    def __str__(self) -> str:
        parts = [(self.l1, "‖w‖₁"), (self.l2, "½‖w‖²")]
        words = " + ".join(f"{share:g} {size}" for share, size in parts if share)
        words = words or "none"
        return f"{words}, no coefficient below zero" if self.positive else words


def get_penalty(penalty, *, alpha, l1_ratio, positive):
    """The penalty of a name, with the parameters of the estimator."""
    share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": l1_ratio}[penalty]
    alpha = float(alpha) if penalty else 0.0
    return Penalty(penalty, alpha * share, alpha * (1.0 - share), bool(positive))
