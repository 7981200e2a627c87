"""Terms with kinks, of few rows: the part of a model that is not smooth.

    P(p) = q·p + ½ pᵀQp + Σ max(low_i r_i, high_i r_i),      r = offsets + A p
    D(a) = min_p q·p + ½ pᵀQp + Σ a_i r_i,      low <= a <= high

D is below P everywhere; at the optimum they are equal.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sgdreg._data.threads import ALONE

# Numbers of A that a product takes at a time: they and their copy stay in a cache.
PIECE_NUMBERS = 2**17
# Products of so much work (m k²) are shared by two threads.
SHARED_WORK = 1e8


class Terms:
    """The rows A of the terms: numbers times p, and what sums over them need.

    Parameters
    ----------
    blocks : list
        Each with ``len()``, ``products(p)``, ``sums(a)`` and ``add_gram(bends, C)``, which
        adds Aᵀ diag(bends) A to the upper triangle of C.
    """

    def __init__(self, blocks):
        self.blocks = blocks
        self.cuts = np.cumsum([len(block) for block in blocks])[:-1]

    def products(self, p):
        return np.concatenate([block.products(p) for block in self.blocks])

    def sums(self, a):
        pieces = np.split(a, self.cuts)
        return sum(b.sums(piece) for b, piece in zip(self.blocks, pieces, strict=True))

    def rows(self, at):
        """Some of the rows of A, of blocks that have them."""
        before, found = 0, []
        for block in self.blocks:
            inside = at[(at >= before) & (at < before + len(block))] - before
            if len(inside):
                found.append(block.rows(inside))
            before += len(block)
        return np.concatenate(found)

    def gram(self, bends, Q, dtype=np.float64):
        """Aᵀ diag(bends) A + Q, of which the upper triangle counts."""
        C = np.array(Q, dtype, order="F")
        for block, piece in zip(self.blocks, np.split(bends, self.cuts), strict=True):
            C = block.add_gram(piece, C)
        return C


class Dense:
    """Rows of a matrix, each the term of one kink or more.

    Parameters
    ----------
    A : ndarray of shape (m, k)
    which : ndarray of intp or None
        The row of each term; None: one term a row.
    team : Team
    """

    def __init__(self, A, which=None, team=ALONE):
        self.A, self.which, self.team = A, which, team

    def __len__(self):
        return len(self.A) if self.which is None else len(self.which)

    def rows(self, at):
        return self.A[at if self.which is None else self.which[at]]

    def products(self, p):
        x = self.A @ p
        return x if self.which is None else x[self.which]

    def sums(self, a):
        return self._of_rows(a) @ self.A

    def add_gram(self, bends, C):
        roots = np.sqrt(self._of_rows(bends))[:, None]
        product = linalg.get_blas_funcs("syrk", (C,))
        size, middle = max(64, PIECE_NUMBERS // max(1, len(C))), len(roots)
        if len(roots) * len(C) ** 2 > SHARED_WORK:
            middle = len(roots) // 2

        def part(piece):
            start, stop, C = piece
            for begin in range(start, stop, size):
                some = slice(begin, min(begin + size, stop))
                rows = (self.A[some] * roots[some]).T.astype(C.dtype, copy=False)
                C = product(1.0, rows, beta=1.0, c=C, overwrite_c=True)
            return C

        pieces = [(0, middle, C)]
        if middle < len(roots):
            pieces.append((middle, len(roots), np.zeros_like(C)))
        first, *others = self.team.in_order(part, pieces)
        for other in others:
            first += other
        return first

    def _of_rows(self, a):
        if self.which is None:
            return a
        return np.bincount(self.which, a, minlength=len(self.A))


class Box:
    """p itself, twice: the walls p <= radius and p >= -radius."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return 2 * self.size

    def products(self, p):
        return np.concatenate([p, p])

    def sums(self, a):
        return a[: self.size] + a[self.size :]

    def add_gram(self, bends, C):
        np.einsum("ii->i", C)[:] += self.sums(bends)
        return C


@dataclass
class Problem:
    """P: the terms with what goes with each, and the smooth part.

    Attributes
    ----------
    terms : Terms
    offsets, low, high : ndarray of shape (m,)
    q, Q : ndarray of shape (k,), (k, k)
    size : float
        What is large among the r.
    reach : float
        How far the optimum may be: what slopes that are left are priced by.
    walls : int
        The last so many terms are bounds that begin far from active.
    far : float
        How far the optimum may be where few rows have all the length of a direction: a
        bound that is to hold prices slopes by this. 0: as `reach`.
    """

    terms: Terms
    offsets: np.ndarray
    low: np.ndarray
    high: np.ndarray
    q: np.ndarray
    Q: np.ndarray
    size: float
    reach: float
    walls: int = 0
    far: float = 0.0

    def slope(self, p, a):
        """What is to be zero at the optimum."""
        return self.terms.sums(a) + self.q + self.Q @ p

    def bend(self, bends, single=False):
        """The matrix of Newton's equations, of which the upper triangle counts."""
        dtype = np.float32 if single else np.float64
        return self.terms.gram(bends, self.Q, dtype)

    def clipped(self, a, part):
        """Multipliers, some of them within their bounds."""
        a[part] = np.clip(a[part], self.low[part], self.high[part])
        return a
