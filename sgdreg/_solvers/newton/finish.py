"""What ends a step of the band: a lower bound that holds, and the vertex."""

from functools import cached_property

import numpy as np
from scipy import linalg

from sgdreg._curvature.triangles import singular_values

# Rounds that bring the multipliers to where their sums cancel.
ROUNDS = 3
# The terms at their kinks are solved for where this is no more work than some steps: by
# elimination, or by least squares.
WORK, LITTLE_WORK = 2e10, 1e9
# Terms at their kinks are there to this share of the loss of a constant.
MET = 1e-9
# Directions shorter than this share of the longest are none.
SHORTEST = 1e-11


class Finish:
    """The end of an interior point's steps, on one set of terms.

    Parameters
    ----------
    problem : Problem
    found : Minimum
    """

    def __init__(self, problem, found):
        self.problem, self.found = problem, found
        inner = len(problem.offsets) - problem.walls
        span = (problem.high - problem.low)[:inner]
        # Of each product the slack is the small factor: it ends at its kink.
        near = found.slack[:inner] / problem.reach < found.room[:inner] / span
        self.inner, self.at_kink = slice(0, inner), np.flatnonzero(near)

    def value(self, p):
        """P, without the walls."""
        problem, inner = self.problem, self.inner
        r = (problem.offsets + problem.terms.products(p))[inner]
        kinks = np.maximum(problem.low[inner] * r, problem.high[inner] * r)
        return float(problem.q @ p + 0.5 * p @ problem.Q @ p + kinks.sum())

    def lower_bound(self, enough):
        """D of multipliers that are within their bounds and, but for rounding, feasible.

        Those of the walls are nothing, so the bound holds beyond the box as well. Where
        those of the vertex are not good `enough`, it is by those of the steps.
        """
        best = -np.inf if self.vertex is None else self._bound(*self.vertex)
        return best if best >= enough else max(best, self._by_steps())

    def _by_steps(self):
        problem, found, inner = self.problem, self.found, self.inner
        if found.solve is None:
            return -np.inf
        a, p, bends = found.a.copy(), found.p.copy(), found.bends.copy()
        a[inner.stop :] = bends[inner.stop :] = 0.0
        for _ in range(ROUNDS):
            dp = -found.solve(problem.slope(p, a))
            a = problem.clipped(a + bends * problem.terms.products(dp), inner)
            p = p + dp
        return self._bound(p, a)

    @cached_property
    def vertex(self):
        """p with the terms at their kinks exactly there, and multipliers that go with it.

        All other terms' are at their bounds. None where nothing is at its kink, or too
        much is for the work that it takes.
        """
        problem, found, at = self.problem, self.found, self.at_kink
        count, k = len(at), len(found.p)
        bent, square = problem.Q.any(), count == k
        work = _work_of_bent(count, k) if bent else count**2 * k
        if not count or work > (WORK if square and not bent else LITTLE_WORK):
            return None
        A, p, a = problem.terms.rows(at), found.p, found.a.copy()
        solve = _of_bent(A, problem.Q) if bent else _of_linear(A)
        for _ in range(ROUNDS):
            r = problem.offsets + problem.terms.products(p)
            bounds = np.where(r > 0, problem.high, problem.low)
            bounds[at] = a[at]
            bounds[self.inner.stop :] = 0.0
            dp, da = solve(problem.slope(p, bounds), r[at])
            p = p - dp
            bounds[at] -= da
            a = problem.clipped(bounds, self.inner)
        return p, a

    def on_vertex(self):
        """The p of the vertex; None where there is none."""
        if self.vertex is None:
            return None
        problem, at, p = self.problem, self.at_kink, self.vertex[0]
        r = (problem.offsets + problem.terms.products(p))[at]
        return p if np.abs(r).max() <= MET * problem.reach else None

    def _bound(self, p, a):
        """What is left of the sums is priced by a move as far as the optimum may be."""
        problem = self.problem
        reach = max(problem.reach, problem.far)
        moves = np.abs(self.found.p) + np.abs(p) + reach
        price = np.abs(problem.slope(p, a)) @ moves
        bound = float(a @ problem.offsets - 0.5 * p @ problem.Q @ p - price)
        return bound if np.isfinite(bound) else -np.inf


def _of_linear(A):
    """(slope, r) -> the p with A p = r, the multipliers with Aᵀ a = slope."""
    if A.shape[0] == A.shape[1]:
        factor, pivots, singular = linalg.lapack.dgetrf(A)
        if not singular and np.abs(np.diagonal(factor)).min() > SHORTEST:
            return lambda slope, r: (
                linalg.lapack.dgetrs(factor, pivots, r)[0],
                linalg.lapack.dgetrs(factor, pivots, slope, trans=1)[0],
            )
    return lambda slope, r: (_least_squares(A, r), _least_squares(A.T, slope))


def _work_of_bent(count, k):
    """Multiplications that `_of_bent` takes, but for a small factor."""
    return count * k**2 if count > k else (count + k) ** 3


def _of_bent(A, Q):
    """The same with Q p + Aᵀ a = slope."""
    k = len(Q)
    if len(A) > k:  # ties: a matrix of all unknowns would be large, and of low rank
        return _of_bent_ties(A, Q)
    K = np.zeros((k + len(A), k + len(A)))
    K[:k, :k], K[:k, k:], K[k:, :k] = Q, A.T, A

    def solve(slope, r):
        found = _least_squares(K, np.append(slope, r))
        return found[:k], found[k:]

    return solve


def _of_bent_ties(A, Q):
    """The same: p where A says, and by Q along the directions that it leaves."""
    u, sizes, v = singular_values(A)
    rank = np.count_nonzero(sizes > SHORTEST * sizes[0])
    u, sizes, v, left = u[:, :rank], sizes[:rank], v[:rank], v[rank:]

    def solve(slope, r):
        p = v.T @ (u.T @ r / sizes)
        if len(left):
            p = p + left.T @ _least_squares(left @ Q @ left.T, left @ (slope - Q @ p))
        return p, u @ (v @ (slope - Q @ p) / sizes)

    return solve


def _least_squares(A, b):
    return linalg.lstsq(A, b, cond=SHORTEST, lapack_driver="gelsy", check_finite=False)[0]
