"""The curvature of all rows that bend, kept up to date."""

import numpy as np

from sgdreg._curvature.costs import cost_of_sample

# Beyond this share of rows that bend otherwise, the curvature is taken anew.
MANY = 0.25
# The number of rows that are fetched at a time where a few have changed.
ROWS_AT_ONCE = 4096


class BentRows:
    """Σ share bend z zᵀ of all rows in a frame, and of those that bent before as well.

    Parameters
    ----------
    data : Data
    shares : ndarray of shape (n_rows,)
    frame : Frame
    of_all : callable
        bends (n_rows,) -> the curvature of all rows with such bends.
    bends : ndarray of shape (n_rows,)
    H : ndarray of shape (k, k) or None
        None: it is taken from the rows.
    """

    def __init__(self, data, shares, frame, of_all, bends, H=None):
        self.data, self.shares, self.frame = data, shares, frame
        self.of_all, self.bends = of_all, bends
        self.H = of_all(bends) if H is None else H
        self.before, self._common = None, None

    def update(self, bends):
        """Take in other bends; only the rows whose bend has changed are looked at.

        Returns the passes over the rows that this has taken, beside those of `of_all`.
        """
        old, at = self.bends, np.flatnonzero(bends != self.bends)
        self.bends, self.before, self._common = bends, old, None
        if len(at) > MANY * len(bends):
            self.H = self.of_all(bends)
            return 0.0
        self._common = self.H - self._of_some(at, np.maximum(old[at] - bends[at], 0.0))
        self.H = self._common + self._of_some(at, np.maximum(bends[at] - old[at], 0.0))
        return cost_of_sample(len(at), self.data.n_rows, len(self.H))

    def compare(self, bends):
        """Look at the bends where a step would have led; they are not taken in."""
        self.before, self._common = bends, None

    @property
    def compared(self):
        """Whether the curvature of the rows that bend there, too, costs nothing."""
        return self._common is not None

    def common(self):
        """The curvature of the rows that bend here and bent before (or would there)."""
        if self._common is None:
            self._common = self.of_all(np.minimum(self.bends, self.before))
        return self._common

    def _of_some(self, at, bends):
        """The curvature of a few rows with such bends."""
        at, bends = at[bends > 0], bends[bends > 0]
        weights, H = self.shares[at] * bends, np.zeros_like(self.H)
        for first in range(0, len(at), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            Z = self.frame.rows(self.data.take(at[some])[0])
            H += (Z * weights[some, None]).T @ Z
        return H
