"""Which part of a plane a picture shows, in which coordinates, and at which levels."""

from dataclasses import dataclass, replace

import numpy as np

# Points of a path that are no higher than this multiple of its start are in the picture.
HIGH = 10.0
# The picture is wider than the path by this factor, and each side no less than this share
# of what the bowl takes at the path's height.
MARGIN, SHARE = 1.15, 0.25
# A path that stays this near to the optimum, beside zero, is a point.
POINT = 1e-3
# Levels of F above its least grow by this factor or less, and are so many or more, or less.
RATIO, FEWEST, MOST = 3.0, 8, 14
# The lowest is that of a valley so many cells of the grid wide: below, contours are ragged.
CELLS = 1.5


@dataclass(frozen=True)
class Window:
    """A part of a plane, in the coordinates drawn: u - origin = matrix (v - v*).

    Attributes
    ----------
    plane : Plane
    round : bool
        Whether u are those of the metric: about the optimum, with the bowl round.
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
        """xx0, xx1 and F on them."""
        xx = np.meshgrid(*[np.linspace(*limits, size) for limits in self.limits])
        u = np.column_stack([x.ravel() for x in xx])
        F = self.plane(self.plane.optimum + (u - self.origin) @ self.inverse.T)
        return *xx, F.reshape(size, size)

    def about(self, paths):
        """The window about the optimum that holds paths (m, 3), or else zero.

        Of a path that runs away, it holds the part that is not much higher than its start.
        """
        optimum, zero = self.drawn(np.array([self.plane.optimum, [0.0, 0.0]]))
        low = [
            path[path[:, 2] - optimum[2] <= HIGH * (path[0, 2] - optimum[2])]
            for path in paths
        ]
        # How far the bowl goes along each coordinate, at one height.
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
        """Heights of contours above the least F, for F on a grid of this size.

        Each some times the one before, so that the valley shows, and its floor too.
        """
        cells = np.ptp(self.limits, axis=1) / (size - 1)
        bends = np.linalg.norm(self.plane.root @ self.inverse, axis=0) ** 2
        low = 0.5 * (bends * (CELLS * cells) ** 2).max()
        high = F[np.isfinite(F)].max() - self.plane(self.plane.optimum[None])[0]
        low = np.clip(low, high * RATIO**-MOST, high * RATIO**-1.0)
        count = int(np.ceil(np.log(high / low) / np.log(RATIO)))
        return np.geomspace(low, high, max(count, FEWEST) + 1)
