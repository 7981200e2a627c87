"""The statistics that a fit keeps for a stream that may follow."""

import numpy as np

from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.factor import Curvature
from sgdreg._plan.plan import DIAGONAL
from sgdreg._records import changed
from sgdreg._solvers.parabolas import curvature_at
from sgdreg._training.statistics import Statistics
from sgdreg.losses import is_squared

# The length, in the scaled features, of a row that tells a slope and no curvature.
HARDLY = 1e-5
# Rows that stand for all of a fit by columns have so many numbers (8 MiB) at most: what a
# stream that may follow is worth beside such a fit.
NUMBERS = 2**20


def answered(data, start, known, weights, loss, curvature=None, point=None):
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
    point : Point or None
        A point whose gradient is known.
    """
    plan = start.plan
    if plan.by_line_search and plan.wide and start.metric.scale is not None:
        return changed(known, stream=Stream.after_fit(start.metric, data, loss))
    other_loss = plan.by_line_search and not is_squared(plan.loss)
    if other_loss and data.n_outputs > 1:
        return Statistics(outputs=tuple(_of_outputs(data, start, weights)))
    if other_loss and start.sampled:
        return changed(known, curvature=_of_sample(data, start, weights, point))
    if plan.to_the_end or other_loss:
        return changed(known, curvature=curvature or curvature_at(data, start, weights))
    if plan.by_line_search and plan.penalty.proximal and plan.curvature == DIAGONAL:
        return changed(known, curvature=_of_some_rows(data, start, weights, point))
    if not start.sampled:
        return known
    alpha, centre = plan.penalty.l2, start.metric.centre
    slope = _slope(data, start, weights, point) if plan.penalty.proximal else None
    curvature = known.curvature.solved_by(weights, centre, alpha, slope)
    return changed(known, curvature=curvature)


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
    """A curvature with this optimum, of no more rows than there are features.

    The solver has used few columns only. If there are more rows, some of them represent
    all: with residuals of zero, and one more row per output for the slope that the penalty
    balances, which is so short that it adds no curvature.
    """
    metric, d, k = start.metric, data.n_features, data.n_outputs
    coef, centred, n = weights[:, :-1], start.plan.fit_intercept, data.n_rows
    centre = np.append(metric.centre if centred else np.zeros(d), weights[:, -1])
    if n <= d and n * d <= NUMBERS:
        X, y, own = data.take(np.arange(n))
        rows = np.sqrt(own)[:, None] * (np.column_stack([X, y]) - centre)
        return Curvature(n, n, centre, rows, d, centred, data.coarse)
    count = max(1, min(d - k, NUMBERS // d))
    X, _, own = data.take(np.linspace(0, n - 1, count).astype(np.intp))
    rows = np.empty((count + k, d + k))
    Z, more = rows[:count, :d], rows[count:, :d]
    np.subtract(X, centre[:d], out=Z)
    Z *= np.sqrt(own * (n / own.sum()))[:, None]
    slope = _slope(data, start, weights, point)
    lengths = np.linalg.norm(slope / metric.scale, axis=1)
    share = HARDLY * np.sqrt(n) / np.where(lengths > 0, lengths, 1.0)
    np.multiply(share[:, None], slope, out=more)
    rows[:, d:] = rows[:, :d] @ coef.T
    rows[count:, d:] -= np.diag(np.where(lengths > 0, n / share, 0.0))
    return Curvature(n, n, centre, rows[-d:], d, centred, data.coarse)


def _of_outputs(data, start, weights):
    """The statistics of each output, by the curvature of its rows at its answer."""
    for output, own in enumerate(weights):
        one = data.of_output(output)
        if start.sampled:
            sampled = _of_sample(one, start, own[None], output=output)
            yield Statistics(curvature=sampled)
        else:
            yield Statistics(curvature=curvature_at(one, start, own[None]))


def _of_sample(data, start, weights, point=None, output=0):
    """The curvature of the sampled rows at the answer, in place of that of all rows."""
    found = curvature_at(start.sketch.sample.of_output(output), start, weights)
    if found is None:
        return None
    share, rows = data.n_rows / found.rows, data.n_rows
    triangle, total = np.sqrt(share) * found.triangle, share * found.total
    found = changed(found, triangle=triangle, total=total, rows=rows)
    penalty, slope, unit = start.plan.penalty, None, found.rows_per_weight
    if penalty.proximal:
        slope = unit * _slope(data, start, weights, point)
    return found.solved_by(weights, start.metric.centre, unit * penalty.l2, slope)
