"""Streams of other problems than least squares: by the curvature of weighed rows."""

from dataclasses import replace

import numpy as np

from sgdreg import optimizers
from sgdreg._data import Data
from sgdreg._interior import InteriorPoint
from sgdreg._metric import Metric
from sgdreg._parts import Rows
from sgdreg._sketch import curvature_of
from sgdreg._state import State
from sgdreg.losses import SQUARED_ERROR, is_squared

BY_BOUNDS = optimizers.InteriorPoint()

# Rounds of weighing a chunk's rows anew by its own fit.
ROUNDS = 10
# Residuals count as no smaller than this share of their mean size (of 1e-3 … 0.5 the best
# on streams of the median and the 0.9 quantile: within 0.1 and 0.8 % of the optimum).
SMALLEST = 0.2
# The gap that bounds are met with, in so many steps at most.
BOUND_TOL, BOUND_STEPS = 1e-10, 50


def reweighted(data, plan, known):
    """The curvature of the rows so far, new ones weighed by L'(r)/r of their residuals.

    Its least squares is then where their slopes cancel: iteratively reweighted least
    squares (P. J. Green, JRSS B 46, 1984) on the new rows, while the old ones keep the
    weights that they were met with.

    Parameters
    ----------
    data : Data
        The new rows, of one output.
    plan : Plan
    known : Curvature or None
        That of the rows before.
    """
    curvature, before = known, None
    bends = np.ones(data.n_rows)
    for _ in range(ROUNDS):
        if curvature is not None:
            metric, start = solved(curvature, plan)
            bends = _bends(data, start[0], metric.centre)
            if before is not None and np.allclose(bends, before, rtol=1e-3):
                break
            before = bends
        if not bends.any():  # all of them within the dead zone
            break
        curvature = curvature_of(data.weighed(bends), plan.fit_intercept, known)
    return curvature


def met(data, plan, weights):
    """The curvature of rows as their answer meets them: for a stream that follows."""
    bends = np.ones(data.n_rows)
    if not is_squared(data.loss):
        bends = _bends(data, weights[0], plan.metric.centre)
    return curvature_of(data.weighed(bends), plan.fit_intercept) if bends.any() else None


def solved(curvature, plan):
    """The metric, and the optimum (k, d + 1) at its centre, of the rows of a curvature."""
    penalty, share = plan.penalty, 1.0
    if not is_squared(plan.loss):
        share = curvature.rows_a_weight
    metric, start = curvature.solve(penalty.l2 * share)
    if not penalty.proximal:
        return metric, start
    # The same within bounds: the triangle's rows are a small data set of the same answer.
    d = curvature.n_features
    rows = curvature.triangle * np.sqrt(len(curvature.triangle) / curvature.total)
    X, y = (np.ascontiguousarray(part) for part in (rows[:, :d], rows[:, d:]))
    small = replace(
        plan,
        loss=SQUARED_ERROR,
        penalty=replace(penalty, l1=penalty.l1 * share, l2=penalty.l2 * share),
        optimizer=BY_BOUNDS,
        metric=Metric(scale=metric.scale),
        fit_intercept=False,
        online=False,
        average=None,
    )
    data = Data.build(X, y)
    rounds = InteriorPoint(data, small)
    state = State.start(small, data, np.random.default_rng(0), flat=False)
    for _ in range(BOUND_STEPS):
        rounds.run(state)
        if rounds.gap <= BOUND_TOL:
            break
    start[:, :-1] = state.weights[:, :-1]
    start[:, -1] = curvature.centre[d:]
    return metric, start


def _bends(data, weights, centre):
    """L'(r)/r of each row, at some weights (d + 1,) at a centre."""
    y = data.y[data.at, 0]
    r = Rows(data, centre).predictions(weights) - y
    small = SMALLEST * np.abs(r).mean() or 1.0
    r = np.where(np.abs(r) < small, np.where(r < 0, -small, small), r)
    return data.loss.gradient(y, y + r) / r
