"""The minimum of a few terms with kinks, by an interior point in feature space."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

EPS = np.finfo(np.float64).eps
STEPS = 80
# How near to a bound a step goes, of the way there.
NEARLY = 0.9995
# A step shorter than this is tried again without Mehrotra's second order, and with this
# share of the products as its aim.
SHORT, CENTRED = 0.1, 0.5
# The share of what may be left that products are not brought below: nothing but rounding
# errors would be left to solve for.
LEAST = 0.1
# Steps in a row that leave more than this share of the least so far, after which there is
# no more to come; and the same where no more is left than so many times the aim.
STILL, FALLEN = 12, 0.98
# Steps which are this much longer than the last one are on their way from bounds that were
# too near: beside an outlier the first may be 1e-8 long, and each three times the last.
LONGER = 1.5
NEAR_ENOUGH, STILL_NEAR, FALLEN_NEAR = 300.0, 2, 0.7
# Sums of steps are rounding errors in the end: residuals are taken anew so often.
ANEW = 8
# A matrix is in single precision where it takes so much work (m k²), as long as each step
# leaves no more than this share.
SINGLE_WORK, FALLING = 1e9, 0.9


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

    Parameters
    ----------
    problem : Problem
    goal : float
        What may be left of the gap.
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
    return Minimum(*found, steps.solve, steps.bends, bool(best <= NEAR_ENOUGH * goal))


class Steps:
    """Newton steps on the optimality conditions, through the inside of their bounds.

    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM Journal
    on Optimization 2 (1992). Of each term r = above - under with both of them positive, and
    its multiplier is `up` below its upper bound and `down` above the lower one; products
    up·above and down·under are zero at the optimum.

    Parameters
    ----------
    problem : Problem
    least : float
        What the sum of the products is not brought below.
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
        if walls:  # they begin far from active
            at, far = slice(count - walls, None), r[count - walls :]
            above[at] = np.maximum(far, 0.0) + 0.01 * np.abs(far)
            a[at] = np.where(far < 0, (low + 0.01 * span)[at], (high - 0.01 * span)[at])
        self.a, self.above, self.under = a, above, above - r
        # Variables of their own: differences would be rounding errors in the end.
        self.up, self.down = high - a, a - low
        self.steepest = np.maximum(high, -low)
        self.solve = self.bends = None
        self.single = count * len(problem.Q) ** 2 > SINGLE_WORK
        self.before, self.share = np.inf, 0.0

    def left(self):
        """What is left of the gap, and of conditions that are not met yet.

        The latter are priced by a move as far as the optimum may be.
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
        """Take a step; whether there was one.

        Parameters
        ----------
        anew : bool
            Whether residuals are products again, and not sums of steps.
        """
        problem = self.problem
        self.bends = 1.0 / (self.above / self.up + self.under / self.down)
        self.solve = _solver(problem.bend(self.bends, self.single))
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
        """The direction by Newton's equations, of products that are to become these."""
        up, down, above, under = self.up, self.down, self.above, self.under
        terms = self.problem.terms
        shift = self.primal + to_above / up - above - to_under / down + under
        dp = self.solve(self.dual + terms.sums(self.bends * shift))
        change = terms.products(dp)
        da = self.bends * (change - shift)
        d_above = to_above / up - above + above / up * da
        d_under = to_under / down - under - under / down * da
        ends = (da / up, -da / down, -d_above / above, -d_under / under)
        steepest = max(end.max() for end in ends)
        self.moves = dp, change, da, d_above, d_under
        self.longest = 1.0 / steepest if steepest > 0 else np.inf

    def _aim(self):
        """What each product is to become: by what a step straight to zero leaves."""
        share = min(1.0, self.longest)
        da, d_above, d_under = self.moves[2:]
        rest = (self.up - share * da) @ (self.above + share * d_above)
        rest += (self.down + share * da) @ (self.under + share * d_under)
        aim = (rest / self.products) ** 3 * self.products
        return max(float(aim), self.least) / (2 * len(self.r))


def _solver(M):
    """g -> M⁻¹ g, of the upper triangle of M; None where it is not positive definite."""
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
