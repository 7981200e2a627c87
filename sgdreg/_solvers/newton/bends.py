"""Where a loss bends, and the lowest point of a sum of losses along a line."""

import numpy as np

from sgdreg.losses import Distance, ask, made_of_hinges

# Second derivatives of a user's loss are taken as no less than this share of the most.
LEAST_BEND = 1e-3
# A line search ends where the slope is this share of the one that it began with, or, where
# it rises, next to nothing: there the function may be above what it was.
FLAT, RISING = 0.1, 0.01
EXPANSIONS, SECTIONS = 30, 60


class Formula(Distance):
    """The losses of `sgdreg.losses` by their four numbers."""

    def __init__(self, dead, width, below, above):
        self.dead, self.width, self.below, self.above = dead, width, below, above

    @classmethod
    def of(cls, loss):
        """The formula of a loss made of hinges; any other loss as it is."""
        if not made_of_hinges(loss):
            return loss
        return cls(loss.dead, loss.width, loss.below, loss.above)

    def wider(self, times):
        """The same with a zone of curvature so many times as wide."""
        below, above = times * self.below, times * self.above
        return Formula(self.dead, self.width, below, above)


def slopes(loss, y, p):
    """dL/dp of each row."""
    known = isinstance(loss, Formula)
    return loss.gradient(y, p) if known else ask(loss, y, p, "gradient")


def values(loss, y, p):
    """L of each row."""
    return loss.value(y, p) if isinstance(loss, Formula) else ask(loss, y, p, "value")


def bends(loss, y, p):
    """The second derivative of each row's loss."""
    if isinstance(loss, Formula):
        return loss.curvature(y, p)
    most = loss.smoothness
    return np.clip(ask(loss, y, p, "curvature"), LEAST_BEND * most, most)


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
