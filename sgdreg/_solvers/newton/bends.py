"""Where a loss bends, and the lowest point of a sum of losses along a line."""

import numpy as np

from sgdreg.losses import Distance, ask, made_of_hinges

# Second derivatives of a user's loss are taken as no less than this share of the most.
LEAST_BEND = 1e-3
# A line search ends where the slope is this share of the one that it began with, or, where
# it rises, next to nothing: there the function may be above what it was.
FLAT, RISING = 0.1, 0.01
# Residuals of targets are known to some roundings of these.
RESOLVED = 64 * np.finfo(np.float64).eps
EXPANSIONS, SECTIONS = 30, 60


class Formula(Distance):
    """The losses of `sgdreg.losses` by their four numbers.

    Attributes
    ----------
    exact : bool
        Whether it is the loss that it was made of.
    """

    def __init__(self, dead, width, below, above, exact=True):
        self.dead, self.width, self.below, self.above = dead, width, below, above
        self.exact = exact

    @classmethod
    def of(cls, loss):
        """The formula of a loss made of hinges; any other loss with what is asked here."""
        if not made_of_hinges(loss):
            return Other(loss)
        return cls(loss.dead, loss.width, loss.below, loss.above)

    @property
    def zone(self):
        """How far from where it begins to rise the loss bends."""
        return self.width * min(self.below, self.above)

    def wider(self, times):
        """The same with a zone so many times as wide: it lies below."""
        return Formula(self.dead, times * self.width, self.below, self.above, exact=False)

    def resolved(self, y):
        """The same with a zone that floats near these targets can tell."""
        least = RESOLVED * np.abs(y).max(initial=0.0)
        return self if self.zone >= least else self.wider(least / self.zone)


class Other:
    """A smooth loss of a user's: there is no zone to widen."""

    exact = True

    def __init__(self, loss):
        self.loss, self.smoothness = loss, loss.smoothness

    def value(self, y, p):
        return ask(self.loss, y, p, "value")

    def gradient(self, y, p):
        return ask(self.loss, y, p, "gradient")

    def curvature(self, y, p):
        found = ask(self.loss, y, p, "curvature")
        return np.clip(found, LEAST_BEND * self.smoothness, self.smoothness)

    def resolved(self, y):
        return self


def lowest_along(slope, fall, longest=np.inf):
    """The length t of a step at which a convex function is (nearly) least.

    Parameters
    ----------
    slope : callable
        t -> its slope there, which never falls.
    fall : float < 0
        The slope at t = 0.
    longest : float
    """
    low, at_low, high = 0.0, fall, min(1.0, longest)
    at_high = slope(high)
    for _ in range(EXPANSIONS):
        if at_high >= FLAT * fall or high == longest:
            break
        low, at_low = high, at_high
        high = min(4.0 * high, longest)
        at_high = slope(high)
    if at_high <= -RISING * fall:
        return high
    for _ in range(SECTIONS):
        share = at_low / (at_low - at_high)
        t = low + (high - low) * min(0.9, max(0.1, share))
        here = slope(t)
        if FLAT * fall <= here <= -RISING * fall:
            return t
        if here < 0:
            low, at_low = t, here
        else:
            high, at_high = t, here
    return low or t
