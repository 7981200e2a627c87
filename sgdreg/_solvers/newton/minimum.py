"""The minimum of a quadratic with l1, l2 and bounds in feature space, exactly."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dpstrf, dtrtrs

from sgdreg._kernels.coordinates import sweep

EPS = np.finfo(np.float64).eps
# Sweeps are to find which coefficients are zero: they end where one falls by this share of
# all, or after so many. The numbers are Cholesky's.
SETTLED, SWEEPS = 1e-8, 300
# Sweeps and Cholesky in turn: of 2,000 problems with correlations up to 0.999 none took
# more than 7.
ROUNDS = 100
# Factors, each without what the last has brought to zero, before sweeps are quicker.
HITS = 10
# Slopes this share of the largest are zero: some digits more than a promise needs.
ZERO_SLOPE = 1e-12
# Pivots of a curvature with a diagonal of one that are rounding errors, in eps a column.
DEPENDENT = 16.0


def minimum(H, g, at, l1, l2, positive=False):
    """Where g·p + ½ pᵀH p + Σ l1 |u| + ½ Σ l2 u², p = u - at, is least; what it falls by.

    Sweeps of coordinate descent find which coefficients are zero, Cholesky's factor of the
    others' curvature their numbers, as far as the first one that would change its sign;
    until no zero is pulled harder than l1 holds it. Where H is singular, coefficients go
    to zero along what it does not bend: no fewer determine such an optimum from here.

    Parameters
    ----------
    H : ndarray of shape (d, d)
        Symmetric, positive semidefinite.
    g : ndarray of shape (d,)
        The slope at `at`, without l1 and l2.
    at : ndarray of shape (d,)
        Where the search begins, too.
    l1, l2 : ndarray of shape (d,)
        Zeros where a coefficient (an intercept) is not held.
    positive : bool or ndarray of bool, shape (d,)
        Whether u >= 0: for all, or for each.

    Returns
    -------
    u : ndarray of shape (d,)
    promise : float
        How far the value at `at` is above that at u, without rounding errors below zero.
    """
    H, u, q = np.ascontiguousarray(H), np.array(at, float), np.array(g, float)
    l1, l2 = np.ascontiguousarray(l1, float), np.ascontiguousarray(l2, float)
    bounded = np.zeros(len(u), dtype=np.uint8) | np.asarray(positive, dtype=np.uint8)
    fixed, active = (l1 > 0) | (bounded > 0), np.empty(len(u), dtype=np.intp)
    space = np.empty(len(u) * (len(u) + 2))
    longest = np.abs(np.diagonal(H)).max(initial=0.0)
    for _ in range(ROUNDS):
        loud = np.abs(g).max(initial=0.0) + l1.max(initial=0.0)
        loud += longest * np.abs(u - at).max(initial=0.0)
        # ... and what the last digit of u is worth.
        slack = ZERO_SLOPE * loud + 4 * EPS * longest * np.abs(u).max(initial=0.0)
        sweep(H, q, u, l1, l2, bounded, slack, SETTLED, SWEEPS, active, space)
        _solve_support(H, q, u, l1, l2, fixed, slack)
        q = g + H @ (u - at)
        if np.abs(least_slope(q + l2 * u, u, l1, bounded)).max(initial=0.0) <= slack:
            break
    p = u - at
    fall = g @ p + 0.5 * p @ (q - g) + l1 @ (np.abs(u) - np.abs(at))
    return u, max(0.0, -float(fall + 0.5 * l2 @ (p * (u + at))))


def least_slope(slope, u, l1, positive=False):
    """The subgradient of least length: slope + l1 sign(u), or what l1 and bounds leave.

    Parameters
    ----------
    slope : ndarray of shape (d,)
        Of all that is smooth.
    """
    held = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0)
    held = np.where(positive, np.minimum(slope + l1, 0.0), held)
    return np.where(u == 0, held, slope + l1 * np.sign(u))


def _solve_support(H, q, u, l1, l2, fixed, slack):
    """Newton's step on what is not zero, as far as a `fixed` sign allows; in place."""
    free = np.flatnonzero((u != 0) & (np.diagonal(H) + l2 > 0))
    for _ in range(HITS):
        if not len(free):
            return
        before, signed = u[free], fixed[free]
        scale = np.sqrt(H[free, free] + l2[free])
        M = H[free[:, None], free] / scale[:, None] / scale
        np.fill_diagonal(M, 1.0)
        slope = (q[free] + l2[free] * before + l1[free] * np.sign(before)) / scale
        at, root = before * scale, _factor(M)
        if root is None:
            moved, kept = _along_unbent(M, slope, at, signed, slack / scale.min())
            u[free] = moved / scale
            q += H[:, free] @ (u[free] - before)
            free = free[kept]
            continue
        step = -dpotrs(root, slope)[0]
        if not slope @ step < 0.0:
            return
        share = _to_first_zero(at, step, signed)
        moved = (at + min(share, 1.0) * step) / scale
        if share <= 1.0:  # all that are zero with the first one, up to rounding
            moved[signed & (moved * before <= 4 * EPS * before**2)] = 0.0
        u[free] = moved
        if share > 1.0:
            return
        q += H[:, free] @ (moved - before)
        free = free[moved != 0]


def _factor(M):
    """Cholesky's factor; None where a column depends on others."""
    root, failed = dpotrf(M)
    if failed or (np.diagonal(root) ** 2 <= DEPENDENT * EPS * len(M)).any():
        return None
    return root


def _along_unbent(M, slope, u, signed, noise):
    """Move along what M does not bend, each time to the first zero of a signed coordinate.

    Returns
    -------
    u : ndarray of shape (k,)
    kept : ndarray of bool, shape (k,)
        Which are free to move, with the others as they are now.
    """
    N, u, kept = _null_space(M), u.copy(), np.ones(len(u), dtype=bool)
    while N.shape[1]:
        v, N = N[:, 0], N[:, 1:]
        step, share = _downhill(v, slope @ v, noise * np.abs(v).sum(), u, signed & kept)
        if np.isfinite(share):
            with np.errstate(divide="ignore", invalid="ignore"):
                first = np.where(signed & kept & (step * u < 0), -u / step, np.inf).argmin()
            u = u + share * step
            u[first] = 0.0
        else:  # what no bound ends stays what it is
            first = int(np.abs(v).argmax())
        kept[first] = False
        N = N - np.outer(v, N[first] / v[first])
        N[first] = 0.0
    return u, kept


def _null_space(M):
    """Vectors (columns) that M, of a diagonal of one, takes to zero up to rounding."""
    root, order, rank, _ = dpstrf(M, tol=DEPENDENT * EPS * len(M))
    order, N = order - 1, np.zeros((len(M), len(M) - rank))
    N[order[:rank]] = -dtrtrs(root[:rank, :rank], root[:rank, rank:])[0]
    N[order[rank:]] = np.eye(len(M) - rank)
    return N


def _downhill(v, along, noise, u, signed):
    """v or -v, and the share of it that brings the first signed coordinate to zero.

    Downhill by the slope `along` v; to what is nearest, where that is but noise.
    """
    ways = [(_to_first_zero(u, way, signed), way) for way in (v, -v)]
    if abs(along) > noise:
        share, way = ways[int(along > 0)]
    else:
        share, way = min(ways, key=lambda found: found[0])
    return way, share


def _to_first_zero(u, step, signed):
    """The share of a step at which the first signed coordinate is zero; inf: none."""
    nearer = signed & (step * u < 0)
    return float((-u[nearer] / step[nearer]).min(initial=np.inf))
