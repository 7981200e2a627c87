"""The minimum of a piecewise linear problem, by Mehrotra's predictor-corrector method."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

EPS = np.finfo(np.float64).eps
STEPS = 80
# The share of the way to the nearest bound that a step goes at most.
NEARLY = 0.9995
# A step shorter than this is computed again without Mehrotra's second-order correction, and
# with this share of the mean product as its target.
SHORT, CENTRED = 0.1, 0.5
# Products are not reduced below this share of the allowed gap: below it they are rounding
# errors.
LEAST = 0.1
# The steps end after STILL steps in a row that have not reduced the smallest gap by the
# factor FALLEN. Where the gap is at most NEAR_ENOUGH times the goal, the numbers are
# STILL_NEAR and FALLEN_NEAR.
STILL, FALLEN = 12, 0.98
# Steps that are longer than the last one by this factor do not count as still: they leave
# bounds that were too near. (Beside an outlier the first step may have a length of 1e-8,
# and each further one three times that of the last.)
LONGER = 1.5
NEAR_ENOUGH, STILL_NEAR, FALLEN_NEAR = 300.0, 2, 0.7
# Residuals are sums of steps, in which rounding errors grow: every ANEW steps they are
# computed again.
ANEW = 8
# A matrix of more work (m k²) than this is computed in single precision, as long as each
# step reduces the gap to this share or less.
SINGLE_WORK, FALLING = 1e9, 0.9


@dataclass
class Minimum:
    """The result of the steps.

    Attributes
    ----------
    p : ndarray of shape (k,)
    a : ndarray of shape (m,)
        Multipliers of the terms.
    room : ndarray of shape (m,)
        The distance of each multiplier to its nearer bound.
    slack : ndarray of shape (m,)
        The distance of each r to its kink, by the variables of the steps.
    solve : callable
        The last factorisation: g (k,) -> M⁻¹ g, with M = Aᵀ diag(curvatures) A + Q.
    curvatures : ndarray of shape (m,)
    sure : bool
        Whether the gap is at most NEAR_ENOUGH times the goal.
    """

    p: np.ndarray
    a: np.ndarray
    room: np.ndarray
    slack: np.ndarray
    solve: object
    curvatures: np.ndarray
    sure: bool


def minimum(problem, goal):
    """The p that minimises P, by Mehrotra's steps from p = 0, as a `Minimum`.

    Parameters
    ----------
    problem : Problem
    goal : float
        The gap P - D at which the steps may end.
    """
    steps = Steps(problem, LEAST * goal)
    best, still, found, share = np.inf, 0, None, 0.0
    for count in range(STEPS):
        left = steps.left()
        near = best <= NEAR_ENOUGH * goal
        falls = left < (FALLEN_NEAR if near else FALLEN) * best
        grows = not near and LONGER * share < steps.share < 1.0
        still, share = (0 if falls or grows else still + 1), steps.share
        if found is None or left < best:
            best, found = left, steps.found()
        most = STILL_NEAR if near else STILL
        if left <= goal or still >= most or not np.isfinite(left):
            break
        if not steps.step(anew=count % ANEW == ANEW - 1):
            break
    return Minimum(*found, steps.solve, steps.curvatures, bool(best <= NEAR_ENOUGH * goal))


class Steps:
    """Newton steps on the optimality conditions, strictly inside the bounds.

    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM Journal
    on Optimization 2 (1992). For each term r = above - under, both positive. `up` and
    `down` are the distances of its multiplier to the upper and to the lower bound. The
    products up·above and down·under are zero at the optimum.

    Parameters
    ----------
    problem : Problem
    least : float
        The sum of the products is not reduced below this.
    """

    def __init__(self, problem, least):
        self.problem, self.least = problem, least
        low, high, r = problem.low, problem.high, problem.offsets.copy()
        count, walls, span = len(r), problem.walls, high - low
        size = problem.size
        if walls < count:
            size = max(float(np.abs(r[: count - walls]).mean()), size)
        self.p, self.r = np.zeros(len(problem.Q)), r
        above = np.maximum(r, 0.0) + 0.3 * size
        a = low + span * (0.5 + 0.4 * r / size)
        a = np.clip(a, low + 0.1 * span, high - 0.1 * span)
        if walls:  # at the start they are far from active
            at, far = slice(count - walls, None), r[count - walls :]
            above[at] = np.maximum(far, 0.0) + 0.01 * np.abs(far)
            a[at] = np.where(far < 0, (low + 0.01 * span)[at], (high - 0.01 * span)[at])
        self.a, self.above, self.under = a, above, above - r
        # Kept as variables: near the optimum the differences would be rounding errors.
        self.up, self.down = high - a, a - low
        self.steepest = np.maximum(high, -low)
        self.solve = self.curvatures = None
        self.single = count * len(problem.Q) ** 2 > SINGLE_WORK
        self.before, self.share = np.inf, 0.0

    def left(self):
        """The gap, plus a bound for the residuals of the optimality conditions.

        Each residual counts as much as it can change the value on the way to the optimum.
        """
        self.dual = -self.problem.slope(self.p, self.a)
        self.primal = self.above - self.under - self.r
        self.products = float(self.up @ self.above + self.down @ self.under)
        price = np.abs(self.dual) @ (np.abs(self.p) + self.problem.reach)
        left = self.products + float(price + np.abs(self.primal) @ self.steepest)
        self.single = self.single and left < FALLING * self.before
        self.before = left
        return left

    def found(self):
        """(p, a, room, slack) of a `Minimum`."""
        room, slack = np.minimum(self.up, self.down), np.maximum(self.above, self.under)
        return self.p, self.a, room, slack

    def step(self, anew):
        """Take a step; returns whether the equations could be solved.

        Parameters
        ----------
        anew : bool
            Whether residuals are computed again, instead of adding the step to them.
        """
        problem = self.problem
        self.curvatures = 1.0 / (self.above / self.up + self.under / self.down)
        self.solve = solver_of(problem.newton_matrix(self.curvatures, self.single))
        if self.solve is None:
            return False
        self._towards(0.0, 0.0)
        aim, twice = self._aim(), 2 * len(self.r)
        da, d_above, d_under = self.moves[2:]
        self._towards(aim + da * d_above, aim - da * d_under)
        if self.longest < SHORT:
            aim = max(CENTRED * self.products, self.least) / twice
            self._towards(aim, aim)
        dp, change, da, d_above, d_under = self.moves
        self.share = share = min(1.0, NEARLY * self.longest)
        self.p, self.a = self.p + share * dp, self.a + share * da
        self.up, self.down = self.up - share * da, self.down + share * da
        self.above = self.above + share * d_above
        self.under = self.under + share * d_under
        if anew:
            self.r = problem.offsets + problem.terms.products(self.p)
        else:
            self.r = self.r + share * change
        return True

    def _towards(self, to_above, to_under):
        """The direction by Newton's equations, with these targets for the products."""
        up, down, above, under = self.up, self.down, self.above, self.under
        terms = self.problem.terms
        shift = self.primal + to_above / up - above - to_under / down + under
        dp = self.solve(self.dual + terms.sums(self.curvatures * shift))
        change = terms.products(dp)
        da = self.curvatures * (change - shift)
        d_above = to_above / up - above + above / up * da
        d_under = to_under / down - under - under / down * da
        ends = (da / up, -da / down, -d_above / above, -d_under / under)
        steepest = max(end.max() for end in ends)
        self.moves = dp, change, da, d_above, d_under
        self.longest = 1.0 / steepest if steepest > 0 else np.inf

    def _aim(self):
        """The target of each product, by what remains after a step with targets of zero."""
        share = min(1.0, self.longest)
        da, d_above, d_under = self.moves[2:]
        rest = (self.up - share * da) @ (self.above + share * d_above)
        rest += (self.down + share * da) @ (self.under + share * d_under)
        aim = (rest / self.products) ** 3 * self.products
        return max(float(aim), self.least) / (2 * len(self.r))


def solver_of(M):
    """The function g -> M⁻¹ g, from the upper triangle of M; None if M is not definite."""
    diagonal = np.diagonal(M).astype(np.float64)
    rounding = 1e2 * np.finfo(M.dtype).eps
    unit = np.sqrt(np.maximum(diagonal, rounding * diagonal.max()))
    M /= unit.astype(M.dtype)[:, None]
    M /= unit.astype(M.dtype)
    np.einsum("ii->i", M)[:] += rounding
    factorise, solve = linalg.get_lapack_funcs(("potrf", "potrs"), (M,))
    factor, failed = factorise(M, lower=0, overwrite_a=1)
    if failed or not np.isfinite(factor[-1, -1]):
        return None
    return lambda g: solve(factor, g / unit, lower=0)[0] / unit
