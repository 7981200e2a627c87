"""The base classes of update rules: see `sgdreg.optimizers`."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from typing import Self

    from sgdreg._typing import Array

METRICS = (None, "diagonal", "sketch")


class Serves(NamedTuple):
    """The problems that an optimizer can solve; checked by `_plan/compatibility.py`.

    Attributes
    ----------
    losses : {"any", "modelled", "squared"}
        "modelled": smooth losses, and those with kinks of :mod:`sgdreg.losses`.
    penalties : {"any", "norms", "l2"}
        "norms": l1, l2, their sum and ``positive=True``; "any": also custom penalties.
    finds_steps : bool
        Whether it computes the size of its steps itself, from all rows.
    certifies : bool
        Whether each epoch ends with the gradient of all rows, and so an optimality gap.
    usable_iterates : bool
        Whether intermediate iterates are usable models.
    by_model : bool
        Whether its steps are to the minimum of a model, for which the curvature of the
        rows is computed even where it is dear.
    by_rough_curvature : bool
        Whether its steps correct a curvature of single precision.
    step : str
        How it computes its steps, as `plan_` says it.
    """

    losses: str = "any"
    penalties: str = "any"
    finds_steps: bool = False
    certifies: bool = False
    usable_iterates: bool = True
    by_model: bool = False
    by_rough_curvature: bool = False
    step: str = ""


class Numbers(NamedTuple):
    """The numbers of a built-in rule, by the names that the compiled steps have for them.

    Attributes
    ----------
    momentum : float
    nesterov : bool
    epsilon : float
        Added to the root of the mean (or the sum) of g².
    mean_decay, square_decay : float
        Factors of the running means of g and of g² at each step.
    weight_decay : float
    """

    momentum: float = 0.0
    nesterov: bool = False
    epsilon: float = 0.0
    mean_decay: float = 0.0
    square_decay: float = 0.0
    weight_decay: float = 0.0


class Optimizer(BaseEstimator):
    """The base class of update rules; derive a custom rule from it.

    Attributes
    ----------
    slots : int
        The number of arrays of the weights' shape that it keeps between steps.
    metric : {None, 'diagonal', 'sketch'}
        The inverse curvature by which the gradient is multiplied first.

    Methods
    -------
    direction(gradient, memory, t)
        The array d of the step w <- w - eta d, of the gradient's shape (n_features + 1,):
        the coefficients first, the intercept last (without an intercept: (n_features,)).
        `memory`, of shape (slots, n_features + 1), is zero at first; what the method
        writes into it is kept for the next step. t counts the steps from 1.

    Examples
    --------
    Steps of length eta against the sign of the gradient, whatever the features' scales:

    >>> import numpy as np
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import Optimizer
    >>> class SignSGD(Optimizer):
    ...     def direction(self, gradient, memory, t):
    ...         return np.sign(gradient)
    >>> model = SGDLinearRegressor(optimizer=SignSGD(), learning_rate=0.5)
    >>> model.partial_fit([[10.0, -1.0]], [3.0]).coef_
    array([ 0.5, -0.5])
    """

    kind = "custom"
    slots = 0
    momentum = 0.0
    nesterov = False
    metric: str | None = None
    serves = Serves()
    # The step of learning_rate="auto" for rules whose steps the smoothness does not bound.
    usual_step = None

    @property
    def finds_steps(self) -> bool:
        """See `Serves`."""
        return self.serves.finds_steps

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "direction" in vars(cls):  # also in a class derived from a built-in rule
            cls.kind = "custom"
            cls.serves = vars(cls).get("serves", Serves())

    def direction(self, gradient: Array, memory: Array, t: int) -> Array:
        raise NotImplementedError(
            f"{type(self).__name__} has to define direction(gradient, memory, t)."
        )

    def _numbers(self) -> Numbers:
        """Those for the compiled steps; a custom rule, which has `direction`, has none."""
        return Numbers()

    def memory_at_start(self, shape: tuple[int, ...]) -> Array:
        """The memory before the first step: zeros of shape (slots, k, d + 1)."""
        return np.zeros((self.slots, *shape))

    def check(self) -> Self:
        """Raise ValueError where a parameter is out of its range; return self."""
        in_range(self, "momentum", self.momentum, below=1)
        if self.metric not in METRICS:
            raise ValueError(
                f"optimizer: metric of {self!r} must be one of {METRICS}, got "
                f"{self.metric!r}."
            )
        return self


def in_range(optimizer, name, value, below=np.inf, positive=False):
    """Raise ValueError unless a number is in [0, below), or in (0, below)."""
    if not (isinstance(value, Real) and 0 <= value < below) or (positive and not value):
        bounds = f"{'(' if positive else '['}0, {below})"
        raise ValueError(
            f"optimizer: {name} of {optimizer!r} must be a number in {bounds}, got "
            f"{value!r}."
        )


class Plain(Optimizer):
    """The base class of rules without a scale for each coordinate: sgd and momentum."""

    kind = "plain"

    @property
    def slots(self) -> int:
        return int(self.momentum != 0)

    def _numbers(self) -> Numbers:
        return Numbers(momentum=self.momentum, nesterov=self.nesterov)


class Adaptive(Optimizer):
    """The base class of rules that scale each coordinate by its past gradients.

    Their step sizes are lengths in weight space, which the smoothness does not bound:
    learning_rate="auto" is the value that each rule was published with.
    """

    epsilon: float

    def check(self) -> Self:
        in_range(self, "epsilon", self.epsilon, positive=True)
        if self.metric == "sketch":
            raise ValueError(
                f"metric='sketch' does not go with {type(self).__name__}, which scales "
                "each coordinate by itself: use 'diagonal' or None."
            )
        return super().check()
