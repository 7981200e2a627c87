"""From an interior point to a vertex, and a lower bound of the optimum that is valid."""

from functools import cached_property

import numpy as np
from scipy import linalg

from sgdreg._curvature.triangles import singular_values

# Rounds of corrections that make the multipliers feasible.
ROUNDS = 3
# The vertex is computed where its work (unknowns² times columns) is at most this: by
# elimination, and by least squares. This is the work of a few steps.
WORK, LITTLE_WORK = 2e10, 1e9
# A vertex is accepted if its terms are at their kinks up to this share of the reach.
MET = 1e-9
# Singular directions: those shorter than this share of the longest one.
SHORTEST = 1e-11


class Finish:
    """The vertex and the lower bound, for the result of an interior point's steps.

    Parameters
    ----------
    problem : Problem
    found : Minimum
    """

    def __init__(self, problem, found):
        self.problem, self.found = problem, found
        inner = len(problem.offsets) - problem.walls
        span = (problem.high - problem.low)[:inner]
        # A term ends at its kink where the slack is the smaller factor of the product.
        near = found.slack[:inner] / problem.reach < found.room[:inner] / span
        self.inner, self.at_kink = slice(0, inner), np.flatnonzero(near)

    def value(self, p):
        """P, without the walls."""
        problem, inner = self.problem, self.inner
        r = (problem.offsets + problem.terms.products(p))[inner]
        kinks = np.maximum(problem.low[inner] * r, problem.high[inner] * r)
        return float(problem.q @ p + 0.5 * p @ problem.Q @ p + kinks.sum())

    def lower_bound(self, enough):
        """D of multipliers that are within their bounds, and feasible up to rounding.

        The multipliers of the walls are zero, so that the bound holds beyond the box too.
        They are those of the vertex; where that bound is not `enough`, those of the steps.
        """
        best = -np.inf if self.vertex is None else self._bound(*self.vertex)
        return best if best >= enough else max(best, self._by_steps())

    def _by_steps(self):
        problem, found, inner = self.problem, self.found, self.inner
        if found.solve is None:
            return -np.inf
        a, p, curvatures = found.a.copy(), found.p.copy(), found.curvatures.copy()
        a[inner.stop :] = curvatures[inner.stop :] = 0.0
        for _ in range(ROUNDS):
            dp = -found.solve(problem.slope(p, a))
            a = problem.clipped(a + curvatures * problem.terms.products(dp), inner)
            p = p + dp
        return self._bound(p, a)

    @cached_property
    def vertex(self):
        """The p with the terms at their kinks exactly there, and its multipliers.

        The multipliers of all other terms are at their bounds. None where no term is at its
        kink, or where the vertex takes too much work.
        """
        problem, found, at = self.problem, self.found, self.at_kink
        count, k = len(at), len(found.p)
        quadratic, square = problem.Q.any(), count == k
        work = _work_of_quadratic(count, k) if quadratic else count**2 * k
        if not count or work > (WORK if square and not quadratic else LITTLE_WORK):
            return None
        A, p, a = problem.terms.rows(at), found.p, found.a.copy()
        solve = _of_quadratic(A, problem.Q) if quadratic else _of_linear(A)
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
        """The p of the vertex; None where there is no exact one."""
        if self.vertex is None:
            return None
        problem, at, p = self.problem, self.at_kink, self.vertex[0]
        r = (problem.offsets + problem.terms.products(p))[at]
        return p if np.abs(r).max() <= MET * problem.reach else None

    def _bound(self, p, a):
        return self.problem.bound(p, a, np.abs(self.found.p))


def _of_linear(A):
    """The function (slope, r) -> p with A p = r, and a with Aᵀ a = slope."""
    if A.shape[0] == A.shape[1]:
        factor, pivots, singular = linalg.lapack.dgetrf(A)
        if not singular and np.abs(np.diagonal(factor)).min() > SHORTEST:
            return lambda slope, r: (
                linalg.lapack.dgetrs(factor, pivots, r)[0],
                linalg.lapack.dgetrs(factor, pivots, slope, trans=1)[0],
            )
    return lambda slope, r: (_least_squares(A, r), _least_squares(A.T, slope))


def _work_of_quadratic(count, k):
    """Multiplications of `_of_quadratic`, up to a small factor."""
    return count * k**2 if count > k else (count + k) ** 3


def _of_quadratic(A, Q):
    """The function (slope, r) -> p with A p = r, and a with Q p + Aᵀ a = slope."""
    k = len(Q)
    if len(A) > k:  # ties: the matrix of all unknowns is large, and of low rank
        return _of_ties(A, Q)
    K = np.zeros((k + len(A), k + len(A)))
    K[:k, :k], K[:k, k:], K[k:, :k] = Q, A.T, A

    def solve(slope, r):
        found = _least_squares(K, np.append(slope, r))
        return found[:k], found[k:]

    return solve


def _of_ties(A, Q):
    """The same, of more rows than columns: A p = r first, then Q where A leaves p free."""
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
