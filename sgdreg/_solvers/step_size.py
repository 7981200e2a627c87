"""The step size, where it comes from the rows: the schedule of a start."""

import numpy as np

from sgdreg import schedules
from sgdreg._curvature.stable_step import stable_step
from sgdreg.losses import ask

# Where the step comes from the data: this share of the largest stable step. For mini
# batches the bound holds in expectation, so it is kept well away from.
SAFETY_FULL_BATCH = 0.475
SAFETY_MINI_BATCH = 0.3


def schedule_of(data, start, curvature=None):
    """The schedule that a start asks for, in words why, and the passes over the rows.

    `curvature` is that of the rows so far, where it is known.
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
            f"learning_rate='auto' knows no step for {optimizer!r}: give a number or a "
            "schedule, or its class a usual_step."
        )
    return schedules.Constant(step), f"as usual with {type(optimizer).__name__}"


def _shrinking_schedule(plan, data, step):
    """For losses with kinks: steps that shrink, from about the size of the residuals on."""
    size = size_of_kinks(plan, data)
    reason = "from the size of the losses, for a loss with kinks"
    if not plan.shrinks:  # in a stream: 1/√t, whose average converges
        return schedules.InvScaling(float(step * size), power_t=0.5), reason
    return schedules.Constant(float(step * size)), f"{reason}; halved where they stall"


def size_of_kinks(plan, data):
    """What the step of a squared error is multiplied by for a loss with kinks.

    The step then changes predictions by about the size of the residuals at the start: that
    of a squared error with the same ones, for slopes instead of a residual. Of a loss of
    two unequal slopes most rows have the lesser one.
    """
    span = float(np.ptp(data.targets)) or 1.0
    y, p = data.best_constants[[0, 0]], data.best_constants[0] + [-span, span]
    slopes = np.abs(ask(data.loss, y, p, "gradient"))
    least, most = slopes.min() or slopes.max() or 1.0, slopes.max() or 1.0
    losses = data.constant_losses if plan.fit_intercept else data.zero_losses
    dead = getattr(data.loss, "dead", 0.0)
    return float(losses.max() / (least * most) + dead) or 1.0


def penalty_beside(plan, data):
    """The l2 penalty, beside a curvature that is that of the squared error."""
    l2 = plan.penalty.l2
    return l2 * size_of_kinks(plan, data) if l2 and plan.shrinks else l2
