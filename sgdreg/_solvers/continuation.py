"""What a fit leaves to a stream that follows: the curvature of its rows."""

import numpy as np

from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.factor import Curvature
from sgdreg._records import changed
from sgdreg._solvers.parabolas import met
from sgdreg.losses import is_squared

# The length, in the scaled features, of a row that tells a slope and no curvature.
HARDLY = 1e-3


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
    if start.curvature is None and plan.by_line_search and start.metric.scale is not None:
        return changed(start, curvature=_of_some_rows(data, start, weights, point))
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


def _of_some_rows(data, start, weights, point):
    """A curvature of this answer, from no more rows than there are features.

    Rows on the way of a Newton step by columns are never factorised. Some of them stand for
    all, without residuals, and one more row for each output has the slope that the penalty
    holds: it hardly bends.
    """
    metric, d, k = start.metric, data.n_features, data.n_outputs
    coef, centred = weights[:, :-1], start.plan.fit_intercept
    rows = data.some_rows(max(1, d - k)) if data.n_rows > d - k else data
    X, _, own = rows.take(np.arange(rows.n_rows))
    middle = metric.centre if centred else np.zeros(d)
    Z = np.sqrt(own * (data.n_rows / own.sum()))[:, None] * (X - middle)
    slope = _slope(data, start, weights, point)
    lengths = np.linalg.norm(slope / metric.scale, axis=1)
    share = HARDLY * np.sqrt(data.n_rows) / np.where(lengths > 0, lengths, 1.0)
    holding = share[:, None] * slope
    held = holding @ coef.T - np.diag(np.where(lengths > 0, data.n_rows / share, 0.0))
    triangle = np.vstack(
        [np.column_stack([Z, Z @ coef.T]), np.column_stack([holding, held])]
    )
    centre = np.append(middle, weights[:, -1])
    known = data.n_rows, data.n_rows, centre, triangle[-d:], d, centred
    return Curvature(*known, data.coarse)
