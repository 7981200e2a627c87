"""How far above its optimum a smooth loss may be, by what its model promises."""

import numpy as np

from sgdreg._curvature.factor import ROUNDED_SPREADS
from sgdreg._training.evaluation import EPS, ROUNDINGS, ROUNDINGS_OF_GRADIENTS
from sgdreg.losses import made_of_hinges

TINY = np.finfo(np.float64).tiny
# A sample may show a direction as so many times as strong as it is (`conjugate_gradient`).
SAMPLED = 3.0


def bound(model, slope):
    """What the objective may be above its optimum, at a slope of the model's best point.

    The curvature may be less than it is here. With zones, that of the rows which bent
    before the last step and bend after it counts: once they are all, and go on to bend, it
    is the duality gap. Of a sample it may be a third. Of a loss without zones the rate of
    the fall tells. A wider zone makes the loss less than it is.
    """
    if not model.whole:
        return SAMPLED * model.promise
    if not made_of_hinges(model.plan.loss):
        bent = 1.0 - np.sqrt(min(model.rate, 1.0))
        return model.promise * (1.0 + 1.0 / bent) if bent else np.inf
    small = model.promise <= max(model.plan.tol or 0.0, EPS) * model.unit
    if not model.bent.compared and (model.bent.before is None or not small):
        return np.inf  # the next step will tell
    found = 0.5 * float(slope @ model.solved(model.bent.common(), slope))
    return found + max(0.0, model.loss - model.surface[0])


def unsure(model):
    """What they may add to the gap of a model of a smooth loss, at its best point."""
    metric, weights, loss = model.frame.metric, model.weights[None], model.plan.loss
    gradient, output = model.surface[1][None], model.output
    if is_lacking(model, gradient):
        return np.inf
    squares = float(model.evaluation.blur(weights, metric)[0])
    found = loss.smoothness * squares
    if made_of_hinges(loss):
        found = min(found, max(loss.above, loss.below) * np.sqrt(2 * squares))
    # Of squares it is known what directions are worth; of other losses it is as much.
    variance = max(float(model.data.variances[output]), TINY)
    hidden = np.broadcast_to(metric.hidden, model.data.n_outputs)[output]
    found += min(float(hidden) / variance, 1.0) * model.unit
    if model.plan.penalty.l2:
        found += float(model.plan.penalty.values(metric.left_out(weights))[0])
        rounding = ROUNDINGS * EPS * np.sqrt(2 * np.array([model.loss]))
        found += 0.5 * float(np.sum(metric.along_faint(gradient, rounding)))
    return found


def is_lacking(model, gradient):
    """Whether the gradient has a part, beyond rounding, along what the metric lacks."""
    length, rounding = model.frame.metric.unseen_gradient(gradient)
    unknown = max(
        ROUNDINGS_OF_GRADIENTS * EPS * float(rounding), ROUNDED_SPREADS * model.data.coarse
    )
    return float(length[0]) > unknown * np.sqrt(2 * model.unit)
