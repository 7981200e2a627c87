"""Losses: what a prediction p costs where the target is y.

===================  ==============================  ==================
name                 L(y, p)                         dL/dp
===================  ==============================  ==================
``squared_error``    ½ (y - p)²                      p - y
===================  ==============================  ==================

The compiled loop computes the squared error itself; the class states the same in NumPy,
for tests, documentation and whoever wants to evaluate a model.
"""

import numpy as np
from sklearn.base import BaseEstimator


class SquaredError(BaseEstimator):
    """L(y, p) = ½ (y - p)², the loss of least squares.

    Attributes
    ----------
    smoothness : float
        The largest second derivative in p: 1.

    Examples
    --------
    >>> from sgdreg.losses import SquaredError
    >>> SquaredError().value([1.0, 2.0], [3.0, 2.0]).tolist()
    [2.0, 0.0]
    >>> SquaredError().gradient([1.0, 2.0], [3.0, 2.0]).tolist()
    [2.0, 0.0]
    """

    smoothness = 1.0

    def value(self, y, p):
        """L(y, p) of each pair."""
        return 0.5 * np.square(np.subtract(p, y))

    def gradient(self, y, p):
        """dL/dp of each pair."""
        return np.subtract(p, y)


NOT_BUILT_YET = (
    "huber",
    "absolute_error",
    "quantile",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
)


def get_loss(loss):
    """The loss object of a name (or the object itself).

    Raises
    ------
    NotImplementedError
        For the losses that a later version brings, and for objects of one's own.
    """
    if loss == "squared_error" or isinstance(loss, SquaredError):
        return SquaredError()
    raise NotImplementedError(
        f"loss={loss!r} is not built yet; this version has loss='squared_error'."
    )
