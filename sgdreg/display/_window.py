"""The part of the plane that a picture shows: its coordinates and contour levels."""

from dataclasses import dataclass, replace

import numpy as np

# Appearance. The picture holds the points of a path whose height above the optimum is at
# most HIGH times the height of its start.
HIGH = 10.0
# The picture is MARGIN times as wide as the path, and each side is at least SHARE times
# as wide as the contour at the path's height.
MARGIN, SHARE = 1.15, 0.25
# A path counts as a point if its distance from the optimum is at most this share of the
# distance of zero.
POINT = 1e-3
# Ratio of neighbouring contour levels, at most; the least and the largest number of levels.
RATIO, FEWEST, MOST = 3.0, 8, 14
# The lowest contour is at least CELLS grid cells wide: narrower ones look ragged.
CELLS = 1.5


@dataclass(frozen=True)
class Window:
    """A part of a plane, in the coordinates drawn: u - origin = matrix (v - v*).

    Attributes
    ----------
    plane : Plane
    round : bool
        Whether u are the coordinates of the metric: zero at the optimum, contours circles.
    limits : ((float, float), (float, float)) or None
    """

    plane: object
    round: bool
    limits: tuple | None = None

    @property
    def matrix(self):
        return self.plane.root if self.round else np.eye(2)

    @property
    def inverse(self):
        return self.plane.inverse if self.round else np.eye(2)

    @property
    def origin(self):
        return np.zeros(2) if self.round else self.plane.optimum

    def drawn(self, v):
        """Coordinates of points of the plane, and F there: shape (m, 3)."""
        u = self.origin + (v - self.plane.optimum) @ self.matrix.T
        return np.column_stack([u, self.plane(v)])

    def grid(self, size):
        """The grid xx0, xx1, and F on it."""
        xx = np.meshgrid(*[np.linspace(*limits, size) for limits in self.limits])
        u = np.column_stack([x.ravel() for x in xx])
        F = self.plane(self.plane.optimum + (u - self.origin) @ self.inverse.T)
        return *xx, F.reshape(size, size)

    def about(self, paths):
        """The window around the optimum that holds paths of shape (m, 3), or else zero.

        For a path that diverges, it holds the part that is not much higher than its start.
        """
        optimum, zero = self.drawn(np.array([self.plane.optimum, [0.0, 0.0]]))
        low = [
            path[path[:, 2] - optimum[2] <= HIGH * (path[0, 2] - optimum[2])]
            for path in paths
        ]
        # The half-width of one contour along each coordinate.
        scale = np.linalg.norm(self.matrix @ self.plane.inverse, axis=1)
        scale = np.where(scale > 0, scale, 1.0)
        reach = np.abs(np.concatenate([*low, optimum[None]])[:, :2] - self.origin).max(0)
        home = np.abs(zero[:2] - self.origin)
        if (reach / scale).max() <= POINT * (home / scale).max():
            reach = home
        share = 1.0 if self.round else SHARE
        reach = np.maximum(reach, share * scale * ((reach / scale).max() or 1.0))
        sides = self.origin + MARGIN * np.array([-reach, reach])
        return replace(self, limits=tuple(map(tuple, sides.T)))

    def levels(self, size, F):
        """Heights of the contours above the minimum of F, for F on a grid of this size.

        They are a geometric sequence, so that a valley shows, and its floor too.
        """
        cells = np.ptp(self.limits, axis=1) / (size - 1)
        curvatures = np.linalg.norm(self.plane.root @ self.inverse, axis=0) ** 2
        low = 0.5 * (curvatures * (CELLS * cells) ** 2).max()
        F = F[np.isfinite(F)]
        lowest = min(self.plane(self.plane.optimum[None])[0], F.min())  # or its rounding
        high = F.max() - lowest or np.finfo(float).tiny
        low = np.clip(low, high * RATIO**-MOST, high * RATIO**-1.0)
        count = int(np.ceil(np.log(high / low) / np.log(RATIO)))
        return np.geomspace(low, high, max(count, FEWEST) + 1)
