"""The minimum of a quadratic with l1, l2 and bounds in feature space, exactly."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dpstrf, dtrtrs

from sgdreg._kernels.coordinates import sweep

EPS = np.finfo(np.float64).eps
# Sweeps only have to find which coefficients are zero; Cholesky's factor then gives the
# others. They end where one sweep lowers the value by less than this share of what all
# sweeps have lowered it by, or after this number of sweeps.
SETTLED, SWEEPS = 1e-8, 300
# Or as soon as so many in a row have changed no sign that they took as long as a factor
# takes: CALM, and one more for each of so many columns (rent before buying: 100 x 100 in
# 60 sweeps for 650; 1,472 and 4,899 for 500 x 4,000).
CALM, COLUMNS_A_SWEEP = 4, 60
# The largest number of rounds of sweeps and Cholesky. Of 2,000 problems with correlations
# up to 0.999 none took more than 7.
ROUNDS = 100
# The largest number of factors in a round, each without the coefficients that the last one
# has brought to zero; after it sweeps are quicker.
HITS = 10
# Slopes below this share of the largest one count as zero: a few digits more than a
# predicted decrease needs.
ZERO_SLOPE = 1e-12
# For a curvature with a diagonal of one, pivots below this number of eps for each column
# are rounding errors.
DEPENDENT = 16.0
# Rows of H that are picked at a time; and the share 1/FEW of them up to which a copy of
# the rows and its product cost less than a product of all.
ROWS, FEW = 64, 4


class Factor:
    """Cholesky's factor of H + l2 on a support, in the scale of its diagonal.

    Attributes
    ----------
    H : ndarray of shape (d, d)
    support : ndarray of intp, shape (k,)
    scale : ndarray of shape (k,)
    root : ndarray of shape (k, k) or None
        None where a column depends on the others.
    """

    def __init__(self, H, l2, support):
        self.H, self.support = H, support
        self.scale = np.sqrt(H[support, support] + l2[support])
        # Symmetric, and so no copy is needed for LAPACK's order.
        self.root, failed = dpotrf(self.curvature().T, clean=False, overwrite_a=True)
        if failed or (np.diagonal(self.root) ** 2 <= DEPENDENT * EPS * len(support)).any():
            self.root = None

    def curvature(self):
        """H + l2 on the support, with a diagonal of one."""
        M = np.empty((len(self.support), len(self.support)))
        for start in range(0, len(M), ROWS):
            some = slice(start, start + ROWS)
            rows = self.H.take(self.support[some], 0)
            rows.take(self.support, 1, out=M[some], mode="clip")
            M[some] /= self.scale[some, None]
            M[some] /= self.scale
        np.fill_diagonal(M, 1.0)
        return M

    def times(self, p):
        """H p of a p (k,) on the support: of many rows by all of H, without copies."""
        if FEW * len(p) < len(self.H):
            return p @ self.H.take(self.support, 0)
        whole = np.zeros(len(self.H))
        whole[self.support] = p
        return whole @ self.H


class Known:
    """The last factor: while H, l2 and the support stay the same it serves again."""

    def __init__(self):
        self.factor = None

    @property
    def support(self):
        """Its support; empty if there is none."""
        return self.factor.support if self.factor else np.empty(0, dtype=np.intp)

    def holds(self, H, support):
        """Whether it is of this support."""
        known = self.factor
        same = known is not None and known.H is H
        return same and np.array_equal(known.support, support)

    def of(self, H, l2, support):
        """The factor of a support."""
        if not self.holds(H, support):
            self.factor = None  # its memory, before that of the next
            self.factor = Factor(H, l2, support)
        return self.factor


def minimum(H, g, at, l1, l2, positive=False, known=None):
    """The u that minimises g·p + ½ pᵀH p + Σ l1 |u| + ½ Σ l2 u², where p = u - at.

    Sweeps of coordinate descent find which coefficients are zero. Cholesky's factor of the
    curvature of the others then gives their values; the step ends at the first coefficient
    that would change its sign. Both are repeated until the optimality conditions are met.
    Where H is singular, coefficients move along its null space until one is zero: the
    solution has as few non-zero coefficients as can be reached from here.

    Parameters
    ----------
    H : ndarray of shape (d, d)
        Symmetric, positive semidefinite.
    g : ndarray of shape (d,)
        The gradient at `at`, without l1 and l2.
    at : ndarray of shape (d,)
        The search begins there.
    l1, l2 : ndarray of shape (d,)
        Zero for a coefficient that is not penalised (an intercept).
    positive : bool or ndarray of bool, shape (d,)
        Whether u >= 0: one answer for all coefficients, or one for each.
    known : Known or None
        For minima of the same H and l2: if the support does not change, neither sweeps nor
        another factor are needed.

    Returns
    -------
    u : ndarray of shape (d,)
    promise : float
        The predicted decrease: the value at `at` minus the value at u; not negative.
    """
    H, u, q = np.ascontiguousarray(H), np.array(at, float), np.array(g, float)
    l1, l2 = np.ascontiguousarray(l1, float), np.ascontiguousarray(l2, float)
    calm = CALM + len(u) // COLUMNS_A_SWEEP
    bounded = np.zeros(len(u), dtype=np.uint8) | np.asarray(positive, dtype=np.uint8)
    fixed, active = (l1 > 0) | (bounded > 0), np.empty(len(u), dtype=np.intp)
    space = np.empty(len(u) * (len(u) + 5) // 2)
    longest = np.abs(np.diagonal(H)).max(initial=0.0)
    loud = np.abs(g).max(initial=0.0) + l1.max(initial=0.0)
    slack = ZERO_SLOPE * loud + 4 * EPS * longest * np.abs(u).max(initial=0.0)
    if np.abs(least_slope(q + l2 * u, u, l1, bounded)).max(initial=0.0) <= slack:
        return u, 0.0  # it is the minimum already
    known = known or Known()
    again = known.holds(H, _free(H, u, l2))
    for _ in range(ROUNDS):
        loud = np.abs(g).max(initial=0.0) + l1.max(initial=0.0)
        loud += longest * np.abs(u - at).max(initial=0.0)
        # The second term is the change of the gradient by the last digit of u.
        slack = ZERO_SLOPE * loud + 4 * EPS * longest * np.abs(u).max(initial=0.0)
        if not again:
            sweep(H, q, u, l1, l2, bounded, slack, SETTLED, calm, SWEEPS, active, space)
        again = False
        _solve_support(H, q, u, l1, l2, fixed, slack, known)
        q = g + H @ (u - at)
        if np.abs(least_slope(q + l2 * u, u, l1, bounded)).max(initial=0.0) <= slack:
            break
    p = u - at
    fall = g @ p + 0.5 * p @ (q - g) + l1 @ (np.abs(u) - np.abs(at))
    return u, max(0.0, -float(fall + 0.5 * l2 @ (p * (u + at))))


def least_slope(slope, u, l1, positive=False):
    """The subgradient of least length: slope + l1 sign(u); at a zero its distance to l1.

    Parameters
    ----------
    slope : ndarray of shape (d,)
        The gradient of the smooth part of the objective.
    """
    held = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0)
    held = np.where(positive, np.minimum(slope + l1, 0.0), held)
    return np.where(u == 0, held, slope + l1 * np.sign(u))


def _free(H, u, l2):
    """The coefficients that are not zero, and have curvature."""
    return np.flatnonzero((u != 0) & (np.diagonal(H) + l2 > 0))


def _solve_support(H, q, u, l1, l2, fixed, slack, known):
    """Newton's step of the non-zero coefficients, up to a `fixed` sign; in place."""
    free = _free(H, u, l2)
    for _ in range(HITS):
        if not len(free):
            return
        before, signed, factor = u[free], fixed[free], known.of(H, l2, free)
        scale = factor.scale
        slope = (q[free] + l2[free] * before + l1[free] * np.sign(before)) / scale
        at = before * scale
        if factor.root is None:
            M, noise = factor.curvature(), slack / scale.min()
            moved, kept = _along_null_space(M, slope, at, signed, noise)
            u[free] = moved / scale
            q += factor.times(u[free] - before)
            free = free[kept]
            continue
        step = -dpotrs(factor.root, slope)[0]
        if not slope @ step < 0.0:
            return
        share = _to_first_zero(at, step, signed)
        moved = (at + min(share, 1.0) * step) / scale
        if share <= 1.0:  # all that are zero with the first one, up to rounding
            moved[signed & (moved * before <= 4 * EPS * before**2)] = 0.0
        u[free] = moved
        if share > 1.0:
            return
        q += factor.times(moved - before)
        free = free[moved != 0]


def _along_null_space(M, slope, u, signed, noise):
    """Move along the null space of M, each time until a signed coordinate is zero.

    Returns
    -------
    u : ndarray of shape (k,)
    kept : ndarray of bool, shape (k,)
        Which coordinates may still move; the others stay as they are.
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
        else:  # no bound ends this direction: keep a coordinate as it is
            first = int(np.abs(v).argmax())
        kept[first] = False
        N = N - np.outer(v, N[first] / v[first])
        N[first] = 0.0
    return u, kept


def _null_space(M):
    """A basis (columns) of the null space of M, up to rounding; its diagonal is one."""
    root, order, rank, _ = dpstrf(M, tol=DEPENDENT * EPS * len(M))
    order, N = order - 1, np.zeros((len(M), len(M) - rank))
    N[order[:rank]] = -dtrtrs(root[:rank, :rank], root[:rank, rank:])[0]
    N[order[rank:]] = np.eye(len(M) - rank)
    return N


def _downhill(v, along, noise, u, signed):
    """The direction v or -v, and the share of it at which a signed coordinate is zero.

    It is the one that goes downhill by the slope `along` v; where that slope is a rounding
    error, the one that reaches a zero first.
    """
    ways = [(_to_first_zero(u, way, signed), way) for way in (v, -v)]
    if abs(along) > noise:
        share, way = ways[int(along > 0)]
    else:
        share, way = min(ways, key=lambda found: found[0])
    return way, share


def _to_first_zero(u, step, signed):
    """The share of a step at which the first signed coordinate is zero; inf if none is."""
    nearer = signed & (step * u < 0)
    return float((-u[nearer] / step[nearer]).min(initial=np.inf))
