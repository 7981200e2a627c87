"""A custom loss: expectiles."""

# [class]
import numpy as np

from sgdreg.losses import Loss


class Expectile(Loss):
    """L(y, p) = ½ |share - 1(p > y)| (p - y)²: the expectile of that share.

    W. K. Newey, J. L. Powell, "Asymmetric least squares estimation and testing",
    Econometrica 55 (1987). Expectiles generalise the mean as quantiles do the median.
    """

    def __init__(self, share=0.5):
        self.share = share

    # [formula]
    def value(self, y, p):
        return 0.5 * self.curvature(y, p) * (p - y) ** 2

    def gradient(self, y, p):
        return self.curvature(y, p) * (p - y)

    # [bounds]
    def curvature(self, y, p):
        return np.where(p > y, 1.0 - self.share, self.share)

    @property
    def smoothness(self):
        return max(self.share, 1.0 - self.share)


# [end]
