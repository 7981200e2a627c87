"""The curvature of a loss, which may be zero in parts, and line searches along losses."""

import numpy as np

from sgdreg.losses import Distance, ask, made_of_hinges

# Second derivatives of a custom loss are raised to this share of its smoothness.
LEAST_CURVATURE = 1e-3
# A line search ends where the slope is this share of the first one, or where it is positive
# and below the second share: further up the function may be above its first value.
FLAT, RISING = 0.1, 0.01
# Residuals are known up to this share of their targets: some rounding errors.
RESOLVED = 64 * np.finfo(np.float64).eps
EXPANSIONS, SECTIONS = 30, 60


class Formula(Distance):
    """A loss of `sgdreg.losses`, given by its four numbers.

    Attributes
    ----------
    exact : bool
        Whether it is the given loss itself, and not one with a wider zone.
    """

    def __init__(self, dead, width, below, above, exact=True):
        self.dead, self.width, self.below, self.above = dead, width, below, above
        self.exact = exact

    @classmethod
    def of(cls, loss):
        """The `Formula` of a loss made of hinges; an `Other` for any other loss."""
        if not made_of_hinges(loss):
            return Other(loss)
        return cls(loss.dead, loss.width, loss.below, loss.above)

    @property
    def zone(self):
        """The width of the zone in which the loss is curved."""
        return self.width * min(self.below, self.above)

    def secant(self, y, p):
        """The slope over the distance beyond the dead zone: as in reweighted least squares.

        It is nowhere below the second derivative. A parabola of this curvature is nowhere
        below a loss without a dead zone.
        """
        e, g = self._excess_and_slope(y, p)
        curved = np.abs(g) < np.where(g > 0, self.above, self.below)
        found = np.divide(g, e, out=np.full_like(e, self.smoothness), where=~curved)
        return np.where(e == 0, 0.0, found) if self.dead else found

    def wider(self, times):
        """The loss with a zone that is wider by this factor: a lower bound of this one."""
        return Formula(self.dead, times * self.width, self.below, self.above, exact=False)

    def resolved(self, y):
        """The loss with a zone that is wide beside the rounding errors of these targets."""
        least = RESOLVED * np.abs(y).max(initial=0.0)
        return self if self.zone >= least else self.wider(least / self.zone)


class Other:
    """A custom smooth loss: it has no zone to widen."""

    exact = True

    def __init__(self, loss):
        self.loss, self.smoothness = loss, loss.smoothness

    def value(self, y, p):
        return ask(self.loss, y, p, "value")

    def gradient(self, y, p):
        return ask(self.loss, y, p, "gradient")

    def curvature(self, y, p):
        found = ask(self.loss, y, p, "curvature")
        return np.clip(found, LEAST_CURVATURE * self.smoothness, self.smoothness)

    def secant(self, y, p):
        """The largest curvature."""
        return np.full(len(y), self.smoothness)

    def resolved(self, y):
        return self


def lowest_along(slope, fall, longest=np.inf):
    """The length t of a step at which a convex function is least, up to a tolerance.

    Parameters
    ----------
    slope : callable
        t -> the slope there, which never decreases.
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
