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
    are all rows of the zone, and stay in it, the bound is the duality gap. The curvature of
    a sample may be three times too large. For other losses the rate of convergence is
    used. A wider zone makes the loss smaller, and the difference is added.
    """
    if not model.whole:
        return SAMPLED * model.promise
    if not made_of_hinges(model.plan.loss):
        contraction = 1.0 - np.sqrt(min(model.rate, 1.0))
        return model.promise * (1.0 + 1.0 / contraction) if contraction else np.inf
    small = model.promise <= max(model.plan.tol or 0.0, EPS) * model.unit
    if not model.curved.compared and (model.curved.before is None or not small):
        return np.inf  # known after the next step
    found = model.lowest(model.curved.common()).decrease
    return found + max(0.0, model.loss - model.surface[0])


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
