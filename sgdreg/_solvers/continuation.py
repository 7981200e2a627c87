"""The statistics that a fit keeps for a stream that may follow."""

import numpy as np

from sgdreg._curvature.diagonal import Stream
from sgdreg._records import changed
from sgdreg._solvers.parabolas import curvature_at
from sgdreg.losses import is_squared


def answered(data, start, known, weights, loss, curvature=None):
    """The statistics whose optimum is the answer of the fit, to continue from there.

    Parameters
    ----------
    data : Data
    start : Start
    known : Statistics
        What the fit has learned.
    weights : ndarray of shape (k, d + 1)
        The answer.
    loss : float
        Its loss, summed over the outputs.
    curvature : Curvature or None
        That of all rows, where the solver has taken it.
    """
    plan = start.plan
    if plan.by_line_search and plan.wide and start.metric.scale is not None:
        return changed(known, stream=Stream.after_fit(start.metric, data, loss))
    if plan.by_line_search and not is_squared(plan.loss):
        if data.n_outputs > 1:
            return known
        return changed(known, curvature=curvature or _met(data, start, weights))
    if plan.to_the_end:
        return changed(known, curvature=curvature or curvature_at(data, start, weights))
    if not start.sampled:
        return known
    curvature = known.curvature.solved_by(weights, start.metric.centre, plan.penalty.l2)
    return changed(known, curvature=curvature)


def _met(data, start, weights):
    """The curvature of rows at their answer: of a sample of them where they are many."""
    if not start.sampled:
        return curvature_at(data, start, weights)
    n, size = data.n_rows, start.sketch.size
    sample = data.random_rows(np.random.default_rng(0), size)
    found = curvature_at(sample, start, weights)
    if found is None:
        return None
    triangle, total = np.sqrt(n / size) * found.triangle, n / size * found.total
    found = changed(found, triangle=triangle, total=total, rows=n)
    return found.solved_by(weights, start.metric.centre, start.plan.penalty.l2)
