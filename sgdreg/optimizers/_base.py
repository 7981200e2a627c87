"""What every update rule has: see `sgdreg.optimizers`."""

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
    """What an optimizer serves; `_plan/compatibility.py` compares it with the problem.

    Attributes
    ----------
    losses : {"any", "squared"}
    penalties : {"any", "norms", "l2"}
        "norms": l1, l2, their sum and ``positive=True``; "any": custom ones as well.
    finds_steps : bool
        Whether it finds the size of its steps itself, on all rows.
    certifies : bool
        Whether its epochs end with the gradient of all rows, so with an optimality gap.
    usable_iterates : bool
        Whether its model is one to return before the end, too.
    step : str
        How it finds its steps, in the words of `plan_`.
    """

    losses: str = "any"
    penalties: str = "any"
    finds_steps: bool = False
    certifies: bool = False
    usable_iterates: bool = True
    step: str = ""


class Optimizer(BaseEstimator):
    """What an update rule has to have; derive one of your own from it.

    Attributes
    ----------
    slots : int
        How many arrays of the weights' shape it keeps between steps (its memory).
    metric : {None, 'diagonal', 'sketch'}
        What the gradient is multiplied by first.

    Methods
    -------
    direction(gradient, memory, t)
        The array d of the step w <- w - eta d, of the gradient's shape (n_features + 1,):
        the coefficients' and, last, the intercept's (without one: (n_features,)).
        `memory`, of shape (slots, n_features + 1), is zero at first and kept as the
        method leaves it; t counts the steps from 1.

    Examples
    --------
    Steps of eta along the signs of the gradient (which no scale of the features changes):

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

    kind = "own"
    slots = 0
    momentum = 0.0
    nesterov = False
    metric: str | None = None
    epsilon = beta_1 = beta_2 = weight_decay = 0.0
    serves = Serves()
    # The step of learning_rate="auto" where the smoothness of the objective bounds none.
    usual_step = None

    @property
    def finds_steps(self) -> bool:
        """See `Serves`."""
        return self.serves.finds_steps

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "direction" in vars(cls):  # also of a class derived from a built-in one
            cls.kind = "own"
            cls.serves = vars(cls).get("serves", Serves())

    def direction(self, gradient: Array, memory: Array, t: int) -> Array:
        raise NotImplementedError(
            f"{type(self).__name__} has to define direction(gradient, memory, t)."
        )

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
    """Raise ValueError where a number is not in [0, below), or (0, below)."""
    if not (isinstance(value, Real) and 0 <= value < below) or (positive and not value):
        bounds = f"{'(' if positive else '['}0, {below})"
        raise ValueError(
            f"optimizer: {name} of {optimizer!r} must be a number in {bounds}, got "
            f"{value!r}."
        )


class Plain(Optimizer):
    """What the rules without a scale of their own share: a gradient, or its momentum."""

    kind = "plain"

    @property
    def slots(self) -> int:
        return int(self.momentum != 0)


class Adaptive(Optimizer):
    """What the rules that scale each coordinate by its past gradients share.

    Their steps are lengths, so no smoothness bounds them: learning_rate="auto" is the
    value that each is published with.
    """

    def check(self) -> Self:
        in_range(self, "epsilon", self.epsilon, positive=True)
        if self.metric == "sketch":
            raise ValueError(
                f"metric='sketch' does not go with {type(self).__name__}, which scales "
                "each coordinate by itself: use 'diagonal' or None."
            )
        return super().check()
