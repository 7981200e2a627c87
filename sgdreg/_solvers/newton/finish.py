"""What ends a step of the band: a lower bound that holds, and the vertex."""

import numpy as np
from scipy import linalg

# Rounds that bring the multipliers to where their sums cancel.
ROUNDS = 3
# The rows at their kinks are solved for where this is no more work than some steps.
VERTEX_WORK = 5e10
# Equations of rows at their kinks are met to this share of the size of their residuals.
MET = 1e-9


def lower_bound(terms, offsets, low, high, q, Q, found, walls, size):
    """D of multipliers that are within their bounds and, but for rounding, feasible.

    Those of the walls are nothing, so the bound holds beyond the box as well. What is left
    of the sums is priced by a move of the size of the residuals and of the step.
    """
    a, p, solve = found.a.copy(), found.p.copy(), found.solve
    inner = slice(0, len(a) - walls)
    a[inner.stop :] = 0.0
    bends = found.bends.copy()
    bends[inner.stop :] = 0.0
    for _ in range(ROUNDS):
        dp = -solve(terms.sums(a) + q + Q @ p)
        a[inner] += (bends * terms.products(dp))[inner]
        p += dp
        a[inner] = np.clip(a[inner], low[inner], high[inner])
    rest = terms.sums(a) + q + Q @ p
    price = np.abs(rest) @ (np.abs(found.p) + np.abs(p) + size)
    bound = a @ offsets - 0.5 * p @ Q @ p - price
    return float(bound) if np.isfinite(bound) else -np.inf


def on_vertex(terms, offsets, found, walls, size, steepest):
    """The p nearest to that of `found` with the terms at their kinks exactly there.

    And which terms these are; None where they do not go with each other.
    """
    slack = found.slack[: len(offsets) - walls] / size
    room = found.room[: len(offsets) - walls] / steepest
    at = np.flatnonzero(slack < room)
    k = len(found.p)
    if not len(at) or len(at) * k * min(len(at), k) > VERTEX_WORK:
        return None
    A = terms.rows(at)
    rest = -(offsets[at] + A @ found.p)
    move = linalg.lstsq(A, rest, cond=1e-10, lapack_driver="gelsy", check_finite=False)[0]
    if not np.abs(A @ move - rest).max() <= MET * size:
        return None
    return found.p + move, at
