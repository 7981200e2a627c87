"""What a gap may be off by: rounding errors, and directions that are left out."""

import numpy as np

from sgdreg._curvature.factor import ROUNDED_SPREADS
from sgdreg._training.evaluation import EPS, ROUNDINGS, ROUNDINGS_OF_GRADIENTS
from sgdreg.losses import made_of_hinges

TINY = np.finfo(np.float64).tiny


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
