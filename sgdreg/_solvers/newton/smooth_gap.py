"""Upper bounds of the optimality gap of a smooth loss, by its model."""

import numpy as np

from sgdreg._curvature.factor import ROUNDED_SPREADS
from sgdreg._training.evaluation import EPS, ROUNDINGS, ROUNDINGS_OF_GRADIENTS
from sgdreg.losses import made_of_hinges

TINY = np.finfo(np.float64).tiny
# A sample may overestimate the curvature of a direction by this factor
# (`conjugate_gradient`).
SAMPLED = 3.0


def bound(model):
    """How far the objective may be above its optimum, from the gradient at the best point.

    The curvature on the way to the optimum may be smaller than here. For losses with zones
    the rows that are in the zone before and after the last step are counted: where these
    are all rows of the zone, and stay in it, the bound is the duality gap; beside a dead
    zone it is that gap in any case. The curvature of
    a sample may be three times too large. For other losses the rate of convergence is
    used. A wider zone makes the loss smaller, and the difference is added.
    """
    small = model.promise <= max(model.plan.tol or 0.0, EPS) * model.unit
    edged = small and made_of_hinges(model.plan.loss) and model.base.dead
    if not model.whole:
        if not edged:
            return SAMPLED * model.promise
        fall = model.promise * flatter(model) + turned(model)
        return SAMPLED * fall
    if not made_of_hinges(model.plan.loss):
        contraction = 1.0 - np.sqrt(min(model.rate, 1.0))
        return model.promise * (1.0 + 1.0 / contraction) if contraction else np.inf
    if not model.curved.compared and (model.curved.before is None or not small):
        return np.inf  # known after the next step
    found = model.lowest(model.curved.common()).decrease
    if edged:
        found = max(found, model.promise + turned(model))
    return found + max(0.0, model.loss - model.surface[0])


def turned(model):
    """By how much the duality gap is larger than the decrease that the model promises.

    The multipliers L' + L'' z·step of the minimum of the model satisfy the constraints of
    the dual problem. Its value there is that of the model, except that the conjugate of
    the loss, dead |t| + ½ width t², is 2 dead |t| larger than the model's where t has
    changed its sign: there a row would leave the zone, and nothing keeps it at the edge.
    """
    loss = model.base
    _, change = newton(model)
    before = loss.gradient(model.y, model.x)
    after = before + loss.curvature(model.y, model.x) * change
    excess = np.where(before * after < 0, 2 * loss.dead * np.abs(after), 0.0)
    return float(model.shares @ excess)


def flatter(model):
    """How many times flatter the objective is along a step than by a sample's curvature.

    The rows of the sample may be at the edges of the dead zone, and the others within it.
    Counted are the rows that are outside of it at both ends of the step.
    """
    loss = model.base
    step, change = newton(model)
    there = loss.curvature(model.y, model.x + change)
    curvatures = np.minimum(loss.curvature(model.y, model.x), there)
    Q = model.price.curvature
    bend = model.shares @ (curvatures * change**2) + step @ Q @ step
    along = float(step @ (model.curvature + Q) @ step)
    if not bend > 0:
        return np.inf if along > 0 else 1.0
    return max(1.0, along / bend)


def newton(model):
    """The step of the model, and by what it changes predictions."""
    step = model.model.p
    move = model.price.weights_at(step) - model.weights
    model.evaluation.passes += 0.5
    return step, model.data.predictions(move, model.start.metric.centre)


def unsure(model):
    """What rounding errors and left-out directions may add to the gap at the best point."""
    metric, weights, loss = model.frame.metric, model.weights[None], model.plan.loss
    gradient, output = model.left[None], model.output
    if is_lacking(model, gradient):
        return np.inf
    squares = float(model.evaluation.blur(weights, metric)[0])
    found = loss.smoothness * squares
    if made_of_hinges(loss):
        found = min(found, max(loss.above, loss.below) * np.sqrt(2 * squares))
    # For squared errors the value of hidden directions is known; the same share is assumed.
    variance = max(float(model.data.variances[output]), TINY)
    hidden = np.broadcast_to(metric.hidden, model.data.n_outputs)[output]
    found += min(float(hidden) / variance, 1.0) * model.unit
    if model.plan.penalty.l2:
        found += float(model.plan.penalty.values(metric.left_out(weights))[0])
        rounding = ROUNDINGS * EPS * np.sqrt(2 * np.array([model.loss]))
        found += 0.5 * float(np.sum(metric.along_faint(gradient, rounding)))
    return found


def is_lacking(model, gradient):
    """Whether the gradient has a part, above rounding, in directions the metric lacks."""
    length, rounding = model.frame.metric.unseen_gradient(gradient)
    unknown = max(
        ROUNDINGS_OF_GRADIENTS * EPS * float(rounding), ROUNDED_SPREADS * model.data.coarse
    )
    return float(length[0]) > unknown * np.sqrt(2 * model.unit)
