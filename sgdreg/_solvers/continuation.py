"""What a fit leaves to a stream that follows: the curvature of its rows."""

from sgdreg._curvature.diagonal import Stream
from sgdreg._records import changed
from sgdreg._solvers.parabolas import met
from sgdreg.losses import is_squared


def answered(data, start, weights, loss, known=None, point=None):
    """The start that holds the answer of all rows, for a stream to go on from there.

    `known` is the curvature of all rows, where an interior point has taken it; `point` a
    `Point` whose gradient is known already.
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
    centre, alpha = start.metric.centre, plan.penalty.l2
    slope = _slope(data, start, weights, point) if plan.penalty.proximal else None
    known = start.curvature.solved_by(weights, centre, alpha, slope)
    return changed(start, curvature=known)


def _slope(data, start, weights, point):
    """The loss's slope (k, d) at some weights, about the features' middle."""
    centre = start.metric.centre
    if point is not None and (point.weights == weights).all():
        gradient = point.gradient.copy()
        gradient[:, :-1] -= start.plan.penalty.l2 * weights[:, :-1]
    else:
        _, gradient = data.evaluate(weights, centre)
    slope, b = gradient[:, :-1], gradient[:, -1:]
    return slope if centre is None else slope - b * centre
