"""Many terms exactly at a kink: whether they prove that no move lowers the objective.

Where most targets are equal, the optimum is often a constant that meets all of these rows.
It is the optimum if the slopes of these rows, anywhere between those of their two sides,
can balance the slopes of all others. An interior point would take as many steps for these
rows as for any, each with the curvature of all of them.
"""

import numpy as np

from sgdreg._solvers.newton.predictor_corrector import solver_of

TINY = np.finfo(np.float64).tiny
# The largest number of Newton steps, and of evaluations for the length of each. It is
# accepted where the slope along it has come down to this share.
STEPS, LENGTHS, LEFT = 30, 20, 0.1


def multipliers_of_ties(problem, inside, least, enough):
    """Multipliers within their bounds for which p = 0 is the optimum, if they are found.

    Those of ties are a = clip(low + θ span + ½ span A u). With the share θ for which
    q + Aᵀ a is least at u = 0, Newton steps on u solve q + Aᵀ a = 0: the gradient of a
    convex function of u.

    Parameters
    ----------
    problem : Problem
        Without walls.
    inside : int
        The number of terms that are rows, the first ones.
    least : float
        A row nearer to its kink than this is a tie.
    enough : float
        The largest sum of the slopes that remain.

    Returns
    -------
    ndarray of shape (m,) or None
    """
    terms, high, still = problem.terms, problem.high, np.zeros_like(problem.q)
    tied = problem.offsets == 0
    tied[:inside] = np.abs(problem.offsets[:inside]) <= least
    # A bound of `positive` has any slope below; as much as all rows have is enough.
    all_rows = float((high - problem.low)[:inside].sum())
    low = np.maximum(problem.low, high - all_rows)
    span = np.where(tied, high - low, 0.0)
    base = np.where(tied, low, np.where(problem.offsets > 0, high, low))
    slope, by_share = problem.slope(still, base), terms.sums(span)
    share = -(by_share @ slope) / max(by_share @ by_share, TINY)
    base += np.clip(share, 0.0, 1.0) * span
    half, x = 0.5 * span, np.zeros_like(base)
    nothing = np.zeros_like(problem.Q)
    for _ in range(STEPS):
        wanted = base + half * x
        a = np.clip(wanted, low, high)
        slope = problem.slope(still, a)
        if np.abs(slope).sum() <= enough:
            return a
        free = half * (a == wanted)
        solve = solver_of(terms.gram(free, nothing)) if free.any() else None
        if solve is None:
            return None
        step = -solve(slope)
        change, down = terms.products(step), float(step @ slope)
        others = down - a @ change  # the slope of all but the ties
        a = np.where(change > 0, high, low)
        if others + np.where(tied, a, base) @ change <= 0:
            return None  # the objective falls along this move
        x = x + change * _length(change, x, others, down, (base, half, low, high))
    return None


def _length(change, x, others, down, terms):
    """The length of a step at which the slope along it, which rises, is about zero."""
    base, half, low, high = terms
    shortest, longest, length = 0.0, np.inf, 1.0
    for _ in range(LENGTHS):
        there = others + np.clip(base + half * (x + length * change), low, high) @ change
        if abs(there) <= -LEFT * down:
            break
        if there < 0:
            shortest = length
        else:
            longest = length
        length = 2 * length if np.isinf(longest) else 0.5 * (shortest + longest)
    return length
