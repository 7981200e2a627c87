"""Newton steps for a smooth loss of few rows, which are kept in memory as an array."""

import numpy as np

from sgdreg._solvers.newton.curvature_of_rows import MANY
from sgdreg._solvers.newton.loss_curvature import Formula, lowest_along
from sgdreg._solvers.newton.penalised import RIDGE

# The zone is widened at first where it has fewer rows than this share of all, or fewer than
# this number for each coordinate. Each step then narrows it by this factor.
THIN, ROWS_A_COORDINATE, NARROWER = 0.05, 4, 4.0
STEPS = 500


class Few:
    """Rows in the frame, with their targets, and their weights, whose sum is one."""

    def __init__(self, rows, y, shares):
        self.rows, self.y, self.shares = rows, y, shares

    def minimum(self, loss, predictions, price, tol):
        """The displacement that minimises Σ share L(y, p + rows v) and a penalty.

        Newton steps, each with a line search. A loss made of hinges is curved only in a
        zone about the fit: once no row enters or leaves it, a step ends at the minimum.
        (K. Madsen, H. B. Nielsen, Finite algorithms for robust linear regression, BIT 30
        (1990).) A thin zone is first widened, and narrowed step by step (their paper on l1,
        SIAM Journal on Optimization 3 (1993)).

        Parameters
        ----------
        loss : Loss
        predictions : ndarray of shape (m,)
            At the start.
        price : Ridge or Separable
            The penalty of v (`penalised`).
        tol : float
            How far the objective may be above its minimum.

        Returns
        -------
        v : ndarray of shape (r,)
        H : ndarray of shape (r, r)
            The curvature there, without the penalty's.
        curvatures : ndarray of shape (m,)
            The second derivative of the loss of each row there.
        """
        p, v, known = predictions.copy(), np.zeros(self.rows.shape[1]), None
        factor, whole = widening(loss, self.y, p, len(v)), False
        for _ in range(STEPS):
            current = loss.wider(factor) if factor > 1.0 else loss
            before = known
            H, known = self._products(current.curvature(self.y, p), known)
            if whole and isinstance(loss, Formula) and (known[0] == before[0]).all():
                break  # the last step went to the minimum
            along = self.shares * current.gradient(self.y, p)
            g = self.rows.T @ along + price.slope(v)
            model = price.lowest(H, g, v, current.smoothness)
            step = model.p
            if not model.decrease > tol:
                if factor == 1.0:
                    there = current.curvature(self.y, p + self.rows @ step)
                    if (there == known[0]).all():  # take the last step, too
                        v = v + step
                    break
                factor = max(1.0, factor / NARROWER)
                continue
            change, fall = self.rows @ step, price.rise_of(v, g, step)
            rise = price.rise(v, step)

            def slope(t, current=current, p=p, change=change, rise=rise):
                along = current.gradient(self.y, p + t * change)
                return rise(t, (self.shares * along) @ change)

            t = lowest_along(slope, fall, price.longest)
            v, p = v + t * step, p + t * change
            whole = t == 1.0 and factor == 1.0
            if 0.5 < t < 2.0:
                factor = max(1.0, factor / NARROWER)
        return v, H, known[0]

    def _products(self, now, known):
        """Σ share L'' z zᵀ; the last one is updated where few rows have changed."""
        if known is not None:
            changed = np.flatnonzero(now != known[0])
            if len(changed) <= MANY * len(now):
                if len(changed):
                    more = self.shares[changed] * (now[changed] - known[0][changed])
                    Z = self.rows[changed]
                    H = known[1] + (Z * more[:, None]).T @ Z
                    known = now, H
                return known[1], known
        curved = now != 0
        rows, weights = self.rows, self.shares * now
        if not curved.all():
            rows, weights = rows[curved], weights[curved]
        Z = np.sqrt(weights)[:, None] * rows
        H = Z.T @ Z
        return H, (now, H)


def widening(loss, y, p, size):
    """The factor by which the zone is widened at first, for `size` coordinates."""
    if not isinstance(loss, Formula) or np.isinf(loss.zone):
        return 1.0
    least = min(len(y) / 2, max(THIN * len(y), ROWS_A_COORDINATE * size))
    if np.count_nonzero(loss.curvature(y, p)) >= least:
        return 1.0
    return max(1.0, float(np.median(np.abs(p - y)) / loss.zone))


def taught(H, step, change):
    """H after a BFGS update by the change of the gradient along a step."""
    known, along = H @ step, float(step @ change)
    if not along > RIDGE * float(step @ known):
        return H
    H = H - np.outer(known, known) / (step @ known)
    return H + np.outer(change, change) / along
