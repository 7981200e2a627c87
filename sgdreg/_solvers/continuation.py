"""What a fit leaves to a stream that follows: the curvature of its rows."""

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
    if plan.to_the_end:
        if not is_squared(plan.loss) and data.n_outputs > 1:
            return start
        return changed(start, curvature=known or met(data, start, weights))
    if not start.sampled:
        return start
    known = start.curvature.solved_by(weights, start.metric.centre, plan.penalty.l2)
    return changed(start, curvature=known)
