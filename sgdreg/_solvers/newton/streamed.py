"""Rows of terms that would take too much memory: they are read again for each product."""

import numpy as np
from scipy import linalg

from sgdreg._data.threads import ALONE

# The number of entries of X that are read at a time.
PIECE_NUMBERS = 2**17


class Streamed:
    """The rows of a band in a frame, as `Dense`, but without a copy of the rows.

    Parameters
    ----------
    data : Data
    frame : Frame
    at : ndarray of intp
        Positions of the rows, in their order.
    which : ndarray of intp or None
        The row of each term; None: one term a row.
    """

    def __init__(self, data, frame, at, which=None):
        self.data, self.frame, self.at, self.which = data, frame, at, which
        self.whole = len(at) == data.n_rows
        d = len(frame.coef)
        self.size = max(64, PIECE_NUMBERS // max(1, d))
        self.turned_after = frame.is_well_conditioned

    def __len__(self):
        return len(self.at) if self.which is None else len(self.which)

    def rows(self, at):
        at = self.at[at if self.which is None else self.which[at]]
        return self.frame.rows(self.data.rows.take(at))

    def products(self, p):
        weights, x = self.frame.raw(p), np.empty(len(self.at))
        for start, X in self._pieces(0, len(self.at)):
            x[start : start + len(X)] = self.frame.centred(X) @ weights[:-1] + weights[-1]
        return x if self.which is None else x[self.which]

    def sums(self, a):
        a, g = self._of_rows(a), np.zeros(len(self.frame.coef))
        for start, X in self._pieces(0, len(self.at)):
            g += a[start : start + len(X)] @ self.frame.centred(X)
        g = g @ self.frame.coef
        return np.append(g, a.sum()) if self.frame.fit_intercept else g

    def add_gram(self, curvatures, C):
        roots = np.sqrt(self._of_rows(curvatures))[:, None]
        product = linalg.get_blas_funcs("syrk", (C,))
        turned = self.frame.rows if not self.turned_after else self.frame.scaled
        size = C.shape[0] if not self.turned_after else len(self.frame.coef) + 1

        def part(piece):
            S = np.zeros((size, size), C.dtype, order="F")
            for start, X in self._pieces(*piece):
                rows = (turned(X) * roots[start : start + len(X)]).T
                rows = rows.astype(C.dtype, copy=False)
                S = product(1.0, rows, beta=1.0, c=S, overwrite_c=True)
            return S

        middle = len(self.at) // 2
        pieces = [(0, middle), (middle, len(self.at))]
        # One reader at a time: a source may have one place where it reads.
        team = self.data.team if self.data.rows.in_memory else ALONE
        first, second = team.in_order(part, pieces)
        first += second
        if self.turned_after:
            first = self.frame.turned(first)
        C += first
        return C

    def _pieces(self, start, stop):
        rows = self.data.rows
        if not self.whole and not rows.in_memory:  # else a read for each piece
            rows = rows.only(self.at)
        if self.whole or not rows.in_memory:
            bytes_ = 8 * self.size * len(self.frame.coef)
            for X, _ in rows.chunks(within=(start, stop), size=bytes_):
                yield start, X
                start += len(X)
            return
        for begin in range(start, stop, self.size):
            yield begin, rows.take(self.at[begin : min(begin + self.size, stop)])

    def _of_rows(self, a):
        if self.which is None:
            return a
        return np.bincount(self.which, a, minlength=len(self.at))
