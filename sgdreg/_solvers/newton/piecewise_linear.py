"""A quadratic plus piecewise linear terms: the problem of an interior point's steps.

    P(p) = q·p + ½ pᵀQp + Σ max(low_i r_i, high_i r_i),      r = offsets + A p
    D(a) = min_p q·p + ½ pᵀQp + Σ a_i r_i,      low <= a <= high

D is the dual problem: nowhere above P, and equal to it at the optimum.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sgdreg._data.threads import ALONE

# The number of entries of A that a product takes at a time: they stay in a cache.
PIECE_NUMBERS = 2**17
# Products of more work (m k²) than this are shared by two threads.
SHARED_WORK = 1e8


class Terms:
    """The matrix A of the terms, in blocks of rows, with the products that steps need.

    Parameters
    ----------
    blocks : list
        Each with ``len()``, ``products(p)``, ``sums(a)`` and ``add_gram(curvatures, C)``,
        which adds Aᵀ diag(curvatures) A to the upper triangle of C.
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
        """Some rows of A, by their positions; of blocks that store rows."""
        before, found = 0, []
        for block in self.blocks:
            inside = at[(at >= before) & (at < before + len(block))] - before
            if len(inside):
                found.append(block.rows(inside))
            before += len(block)
        return np.concatenate(found)

    def gram(self, curvatures, Q, dtype=np.float64):
        """Aᵀ diag(curvatures) A + Q, of which only the upper triangle is filled."""
        C = np.array(Q, dtype, order="F")
        for block, piece in zip(self.blocks, np.split(curvatures, self.cuts), strict=True):
            C = block.add_gram(piece, C)
        return C


class Dense:
    """Rows of a matrix; each is the row of one term or more.

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

    def add_gram(self, curvatures, C):
        roots = np.sqrt(self._of_rows(curvatures))[:, None]
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
    """The identity, twice: for the bounds p <= radius and p >= -radius."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return 2 * self.size

    def products(self, p):
        return np.concatenate([p, p])

    def sums(self, a):
        return a[: self.size] + a[self.size :]

    def add_gram(self, curvatures, C):
        np.einsum("ii->i", C)[:] += self.sums(curvatures)
        return C


class Coordinates:
    """Rows of the identity, and of zeros: each term is an entry of p, or nothing.

    Parameters
    ----------
    known : ndarray of bool, shape (m,)
        Which terms are entries of p: its first ones, in this order.
    size : int
        The length of p.
    """

    def __init__(self, known, size):
        self.known, self.size, self.count = known, size, np.count_nonzero(known)

    def __len__(self):
        return len(self.known)

    def rows(self, at):
        A = np.zeros((len(self), self.size))
        A[self.known, np.arange(self.count)] = 1.0
        return A[at]

    def products(self, p):
        x = np.zeros(len(self))
        x[self.known] = p[: self.count]
        return x

    def sums(self, a):
        g = np.zeros(self.size)
        g[: self.count] = a[self.known]
        return g

    def add_gram(self, curvatures, C):
        np.einsum("ii->i", C)[:] += self.sums(curvatures)
        return C


@dataclass
class Problem:
    """The function P: the terms, with the offset and slopes of each, and the quadratic.

    Attributes
    ----------
    terms : Terms
    offsets, low, high : ndarray of shape (m,)
    q, Q : ndarray of shape (k,), (k, k)
    size : float
        A large size of r.
    reach : float
        The largest distance to the optimum: residuals are multiplied by it in bounds.
    walls : int
        The number of terms, the last ones, that are bounds far from active at the start.
    far : float
        The largest distance to the optimum where few rows have all the length of a
        direction: lower bounds use it. 0: as `reach`.
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
        """The gradient of the Lagrangian, which is zero at the optimum."""
        return self.terms.sums(a) + self.q + self.Q @ p

    def newton_matrix(self, curvatures, single=False):
        """The matrix of Newton's equations, of which only the upper triangle is filled."""
        dtype = np.float32 if single else np.float64
        return self.terms.gram(curvatures, self.Q, dtype)

    def bound(self, p, a, further=0.0):
        """D at these multipliers, less what their residuals can change on the way there.

        Parameters
        ----------
        p : ndarray of shape (k,)
            Where they are nearly those of the optimum.
        a : ndarray of shape (m,)
        further : float or ndarray of shape (k,)
            A distance from p to the optimum that is added to the reach.
        """
        moves = np.abs(p) + max(self.reach, self.far) + further
        price = np.abs(self.slope(p, a)) @ moves
        bound = float(a @ self.offsets - 0.5 * p @ self.Q @ p - price)
        return bound if np.isfinite(bound) else -np.inf

    def clipped(self, a, part):
        """Multipliers, of which a part is clipped to the bounds."""
        a[part] = np.clip(a[part], self.low[part], self.high[part])
        return a
