"""A custom schedule: a triangle, up and down repeatedly."""

# [class]
import numpy as np
from sklearn.base import BaseEstimator


class Triangle(BaseEstimator):
    """eta(t) from `low` up to `high` in `half` steps and down in `half` steps, repeated.

    L. N. Smith, "Cyclical learning rates for training neural networks", 2017.
    """

    def __init__(self, low, high, half):
        self.low = low
        self.high = high
        self.half = half

    def __call__(self, t):
        way = (np.asarray(t) - 1) / self.half % 2  # 0 at the bottom, 1 at the top, 2
        return self.low + (self.high - self.low) * (1 - np.abs(way - 1))


# [end]
