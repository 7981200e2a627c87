"""What a fit leaves to a stream that follows: the curvature of its rows."""

import numpy as np

from sgdreg._curvature.diagonal import Stream
from sgdreg._records import changed
from sgdreg._solvers.parabolas import met
from sgdreg.losses import is_squared


def answered(data, start, weights, loss, known=None):
    """The start that holds the answer of all rows, for a stream to go on from there.

    `known` is the curvature of all rows, where an interior point has taken it.
    """
    plan = start.plan
    if plan.by_line_search and plan.wide and start.metric.scale is not None:
        return changed(start, stream=Stream.after_fit(start.metric, data, loss))
    if plan.by_line_search and not is_squared(plan.loss):
        if data.n_outputs > 1:
            return start
        return changed(start, curvature=known or _met(data, start, weights))
    if plan.to_the_end:
        return changed(start, curvature=known or met(data, start, weights))
    if not start.sampled:
        return start
    known = start.curvature.solved_by(weights, start.metric.centre, plan.penalty.l2)
    return changed(start, curvature=known)


def _met(data, start, weights):
    """The curvature of rows as their answer meets them: of a sample where they are many."""
    if not start.sampled:
        return met(data, start, weights)
    n, size = data.n_rows, start.sketch.size
    known = met(data.random_rows(np.random.default_rng(0), size), start, weights)
    if known is None:
        return None
    triangle, total = np.sqrt(n / size) * known.triangle, n / size * known.total
    known = changed(known, triangle=triangle, total=total, rows=n)
    return known.solved_by(weights, start.metric.centre, start.plan.penalty.l2)
