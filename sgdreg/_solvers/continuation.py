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
    other_loss = plan.by_line_search and not is_squared(plan.loss)
    if other_loss and data.n_outputs > 1:
        return known
    if other_loss and start.sampled:
        return changed(known, curvature=_of_sample(data, start, weights))
    if plan.to_the_end or other_loss:
        return changed(known, curvature=curvature or curvature_at(data, start, weights))
    if not start.sampled:
        return known
    curvature = known.curvature.solved_by(weights, start.metric.centre, plan.penalty.l2)
    return changed(known, curvature=curvature)


def _of_sample(data, start, weights):
    """The curvature of the sampled rows at the answer, in place of that of all rows."""
    found = curvature_at(start.sketch.sample, start, weights)
    if found is None:
        return None
    share, rows = data.n_rows / found.rows, data.n_rows
    triangle, total = np.sqrt(share) * found.triangle, share * found.total
    found = changed(found, triangle=triangle, total=total, rows=rows)
    alpha = start.plan.penalty.l2 * found.rows_per_weight
    return found.solved_by(weights, start.metric.centre, alpha)
