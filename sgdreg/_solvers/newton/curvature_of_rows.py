"""The curvature of all rows, updated by the rows whose second derivative has changed."""

import numpy as np

from sgdreg._curvature.costs import cost_of_sample

# Where the second derivative of more than this share of the rows has changed, the curvature
# is computed from all rows again.
MANY = 0.25
# The number of rows that are read at a time where few have changed.
ROWS_AT_ONCE = 4096


class CurvedRows:
    """Σ share L'' z zᵀ of all rows in a frame, and the part that has not changed.

    Parameters
    ----------
    data : Data
    shares : ndarray of shape (n_rows,)
    frame : Frame
    of_all : callable
        curvatures (n_rows,) -> the curvature of all rows by these second derivatives.
    curvatures : ndarray of shape (n_rows,)
        The second derivative L'' of the loss of each row.
    H : ndarray of shape (k, k) or None
        The curvature, if known; None: it is computed from the rows.
    """

    def __init__(self, data, shares, frame, of_all, curvatures, H=None):
        self.data, self.shares, self.frame = data, shares, frame
        self.of_all, self.curvatures = of_all, curvatures
        self.H = of_all(curvatures) if H is None else H
        self.before, self._common = None, None

    def update(self, curvatures):
        """Change to other second derivatives; only the rows that have changed are read.

        Returns the number of passes over the rows, without those of `of_all`.
        """
        old, at = self.curvatures, np.flatnonzero(curvatures != self.curvatures)
        self.curvatures, self.before, self._common = curvatures, old, None
        if len(at) > MANY * len(curvatures):
            self.H = self.of_all(curvatures)
            return 0.0
        self._common = self.H - self._of_some(at, np.maximum(old[at] - curvatures[at], 0.0))
        self.H = self._common + self._of_some(at, np.maximum(curvatures[at] - old[at], 0.0))
        return cost_of_sample(len(at), self.data.n_rows, len(self.H))

    def compare(self, curvatures):
        """Keep the second derivatives at the end of a refused step, for `common`."""
        self.before, self._common = curvatures, None

    @property
    def compared(self):
        """Whether the smaller curvature of both points is known without more passes."""
        return self._common is not None

    def common(self):
        """The curvature by the smaller second derivative of the two points, of each row."""
        if self._common is None:
            self._common = self.of_all(np.minimum(self.curvatures, self.before))
        return self._common

    def _of_some(self, at, curvatures):
        """The part of the curvature by some rows, with these second derivatives."""
        at, curvatures = at[curvatures > 0], curvatures[curvatures > 0]
        weights, H = self.shares[at] * curvatures, np.zeros_like(self.H)
        for first in range(0, len(at), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            Z = self.frame.rows(self.data.take(at[some])[0])
            H += (Z * weights[some, None]).T @ Z
        return H
