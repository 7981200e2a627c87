"""Automatic step sizes: the schedule of a start, computed from the rows."""

import numpy as np

from sgdreg import schedules
from sgdreg._curvature.stable_step import stable_step
from sgdreg.losses import ask

# Automatic steps are this share of the largest stable step. For mini-batches that bound
# holds in expectation only, so their share is smaller.
SAFETY_FULL_BATCH = 0.475
SAFETY_MINI_BATCH = 0.3


def schedule_of(data, start, curvature=None):
    """(schedule, the reason for it in words, passes over the rows) for a start.

    `curvature` is that of a stream's rows so far, where it is known.
    """
    plan = start.plan
    optimizer, metric, smoothness = plan.optimizer, start.metric, plan.loss.smoothness
    if optimizer.kind != "plain":
        return *_usual_schedule(optimizer), 0
    full = plan.batch_size == "full" or plan.batch_size >= data.n_rows
    rows = data.n_rows if full else plan.batch_size
    if plan.online and curvature is not None and optimizer.momentum == 0:
        share = rows / curvature.total
        return schedules.Constant(share), "the batch's share of the rows seen so far", 0
    if full and metric.full and optimizer.momentum == 0 and plan.quadratic:
        return schedules.Constant(1.0), "the Newton step: the curvature is known", 0
    data.check_finite()
    bound, passes = stable_step(
        data,
        metric,
        rows,
        penalty_beside(plan, data),
        plan.fit_intercept,
        optimizer.momentum,
    )
    if not 0.0 < bound < np.inf:
        raise ValueError(
            "No stable step is known: the squares of the features, or of the weights, "
            "overflow or underflow. Scale the features, or use optimizer='auto'."
        )
    share = SAFETY_FULL_BATCH if full else SAFETY_MINI_BATCH
    if smoothness is None:
        return *_shrinking_schedule(plan, data, share * bound), passes
    bound /= smoothness
    reason = f"{share} of the stable step {bound:.3g}"
    return schedules.Constant(share * bound), reason, passes


def _usual_schedule(optimizer):
    step = optimizer.usual_step
    if step is None:
        raise ValueError(
            f"learning_rate='auto' knows no step for {optimizer!r}: pass a number or a "
            "schedule, or give its class a usual_step."
        )
    return schedules.Constant(step), f"as usual with {type(optimizer).__name__}"


def _shrinking_schedule(plan, data, step):
    """The schedule for losses with kinks: steps of the size of the residuals, shrinking."""
    size = size_of_kinks(plan, data)
    reason = "from the size of the losses, for a loss with kinks"
    if not plan.shrinks:  # in a stream: 1/√t, whose average converges
        return schedules.InvScaling(float(step * size), power_t=0.5), reason
    return schedules.Constant(float(step * size)), f"{reason}; halved where they stall"


def size_of_kinks(plan, data):
    """The factor from the step of a squared error to the step of a loss with kinks.

    The step then changes predictions by about the size of the residuals at the start, as
    the step of a squared error does, whose slopes are the residuals themselves. If a loss
    has two unequal slopes, most rows have the smaller one.
    """
    span = float(np.ptp(data.targets)) or 1.0
    y, p = data.best_constants[[0, 0]], data.best_constants[0] + [-span, span]
    slopes = np.abs(ask(data.loss, y, p, "gradient"))
    least, most = slopes.min() or slopes.max() or 1.0, slopes.max() or 1.0
    losses = data.constant_losses if plan.fit_intercept else data.zero_losses
    dead = getattr(data.loss, "dead", 0.0)
    return float(losses.max() / (least * most) + dead) or 1.0


def penalty_beside(plan, data):
    """The l2 penalty in the units of a curvature by the squared error."""
    l2 = plan.penalty.l2
    along_kinks = plan.shrinks and plan.kinked
    return l2 * size_of_kinks(plan, data) if l2 and along_kinks else l2
