"""The minimum of a few terms with kinks, by an interior point in feature space.

    P(p) = q·p + ½ pᵀQp + Σ max(low_i r_i, high_i r_i),      r = offsets + A p
    D(a) = min_p q·p + ½ pᵀQp + Σ a_i r_i,      low <= a <= high

D is below P everywhere; at the optimum they are equal.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

EPS = np.finfo(np.float64).eps
# Numbers of A that a product takes at a time: they and their copy stay in a cache.
PIECE_NUMBERS = 2**17
STEPS = 80
# How near to a bound a step goes, of the way there.
NEARLY = 0.9995
# A step shorter than this is tried again without Mehrotra's second order, and with this
# share of the products as its aim.
SHORT, CENTRED = 0.1, 0.5
# The share of what may be left that products are not brought below.
LEAST = 0.1
# Steps in a row without a fall of what is left, after which there will be none.
STILL = 12
# What is left may be this many times the aim where rounding ends the steps.
NEAR_ENOUGH = 300.0


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

    def gram(self, bends, Q):
        """Aᵀ diag(bends) A + Q, of which the upper triangle counts."""
        C = np.array(Q, order="F")
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
    """

    def __init__(self, A, which=None):
        self.A, self.which = A, which

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
        size = max(64, PIECE_NUMBERS // max(1, len(C)))
        for start in range(0, len(roots), size):
            part = slice(start, start + size)
            rows = (self.A[part] * roots[part]).T
            C = linalg.blas.dsyrk(1.0, rows, beta=1.0, c=C, overwrite_c=True)
        return C

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

    def slope(self, p, a):
        """What is to be zero at the optimum."""
        return self.terms.sums(a) + self.q + self.Q @ p

    def clipped(self, a, part):
        """Multipliers, some of them within their bounds."""
        a[part] = np.clip(a[part], self.low[part], self.high[part])
        return a


@dataclass
class Minimum:
    """Where the steps have ended.

    Attributes
    ----------
    p : ndarray of shape (k,)
    a : ndarray of shape (m,)
        Multipliers of the terms.
    room : ndarray of shape (m,)
        Their distance to the nearer bound.
    slack : ndarray of shape (m,)
        The distance of each r to its kink, by the variables of the steps.
    solve : callable
        The last factorisation: g (k,) -> M⁻¹ g, with M = Aᵀ diag(bends) A + Q.
    bends : ndarray of shape (m,)
    sure : bool
        Whether as little is left as was asked for, or nearly.
    """

    p: np.ndarray
    a: np.ndarray
    room: np.ndarray
    slack: np.ndarray
    solve: object
    bends: np.ndarray
    sure: bool


def minimum(problem, goal):
    """The p that makes P least, by Mehrotra's steps from p = 0; a `Minimum`.

    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM Journal
    on Optimization 2 (1992).

    Parameters
    ----------
    problem : Problem
    goal : float
        What may be left of the gap.
    """
    terms, offsets, low, high = problem.terms, problem.offsets, problem.low, problem.high
    walls, size, Q = problem.walls, problem.size, problem.Q
    count, p = len(offsets), np.zeros(len(Q))
    r, span, near = offsets.copy(), high - low, slice(0, count - walls)
    size = max(float(np.abs(r[near]).mean()) if walls < count else 0.0, size)
    above = np.maximum(r, 0.0) + 0.3 * size
    a = np.clip(low + span * (0.5 + 0.4 * r / size), low + 0.1 * span, high - 0.1 * span)
    if walls:
        at, far = slice(count - walls, None), r[count - walls :]
        above[at] = np.maximum(far, 0.0) + 0.01 * np.abs(far)
        a[at] = np.where(far < 0, low[at] + 0.01 * span[at], high[at] - 0.01 * span[at])
    under = above - r
    # Variables of their own: differences would be rounding errors in the end.
    up, down = high - a, a - low
    steepest, still = np.maximum(high, -low), 0
    # Products far below the aim would leave nothing but rounding errors to solve for.
    least, best = LEAST * goal, np.inf
    solve = bends = None
    found = p, a, np.minimum(up, down), np.maximum(above, under)
    for step in range(STEPS):
        dual, primal = -problem.slope(p, a), above - under - r
        products = up @ above + down @ under
        # Conditions that are not met yet, priced by a move as far as the optimum may be.
        left = (
            products
            + np.abs(dual) @ (np.abs(p) + problem.reach)
            + np.abs(primal) @ steepest
        )
        still = still + 1 if not left < 0.98 * best else 0
        if left < best:
            best, found = left, (p, a, np.minimum(up, down), np.maximum(above, under))
        if left <= goal or still > STILL or not np.isfinite(left):
            break
        bends = 1.0 / (above / up + under / down)
        solve = _solver(terms.gram(bends, Q))
        if solve is None:
            break

        def direction(to_above, to_under):
            shift = primal + to_above / up - above - to_under / down + under
            dp = solve(dual + terms.sums(bends * shift))
            change = terms.products(dp)
            da = bends * (change - shift)
            d_above = to_above / up - above + above / up * da
            d_under = to_under / down - under - under / down * da
            steep = max(
                (da / up).max(),
                (-da / down).max(),
                (-d_above / above).max(),
                (-d_under / under).max(),
            )
            return dp, change, da, d_above, d_under, 1.0 / steep if steep > 0 else np.inf

        _, _, da, d_above, d_under, longest = direction(0.0, 0.0)
        share = min(1.0, longest)
        rest = (up - share * da) @ (above + share * d_above)
        rest += (down + share * da) @ (under + share * d_under)
        aim = max((rest / products) ** 3 * products, least) / (2 * count)
        move = direction(aim + da * d_above, aim - da * d_under)
        if move[-1] < SHORT:
            aim = max(CENTRED * products, least) / (2 * count)
            move = direction(aim, aim)
        dp, change, da, d_above, d_under, longest = move
        share = min(1.0, NEARLY * longest)
        p, a = p + share * dp, a + share * da
        up, down = up - share * da, down + share * da
        above, under = above + share * d_above, under + share * d_under
        # The sums of steps are rounding errors in the end.
        r = offsets + terms.products(p) if step % 8 == 7 else r + share * change
    return Minimum(*found, solve, bends, bool(best <= NEAR_ENOUGH * goal))


def _solver(M):
    """g -> M⁻¹ g, of the upper triangle of M; None where it is not positive definite."""
    diagonal = np.diagonal(M)
    unit = np.sqrt(np.maximum(diagonal, 1e-14 * diagonal.max()))
    M /= unit[:, None]
    M /= unit
    np.einsum("ii->i", M)[:] += 1e-14
    factor, failed = linalg.lapack.dpotrf(M, lower=0, overwrite_a=1)
    if failed or not np.isfinite(factor[-1, -1]):
        return None
    return lambda g: linalg.lapack.dpotrs(factor, g / unit, lower=0)[0] / unit
