"""Divergence: what to say when steps run away, and models that are not worth returning."""

import numpy as np

from sgdreg._curvature.stable_step import stable_step_hint
from sgdreg._training.stopping import in_words
from sgdreg.losses import is_squared

# A batch's mean loss beyond this multiple of the loss at the start is divergence: real
# outliers stay below it, and an exponential passes it within a few steps.
BLOW_UP = 1e10
# Where the step size is chosen here, an epoch whose mean loss is this multiple of the
# start's is taken back, and a shorter step is tried.
TOO_HIGH = 10.0
# At the end of a fit, a loss this many times that of the start (or of the best constant)
# is divergence, if a slow one; a model merely worse than a constant earns a warning.
FAR_TOO_HIGH = 100.0

# An R² of -0.001: steps of mini-batches end that far from a constant that is the answer.
NOT_WORSE = 1.001


class Diverged(Exception):
    """A pass met an exploding or non-finite loss; the arguments are epoch and step."""


def diverged(data, start, where):
    """The error for a pass that stopped at (epoch, step)."""
    epoch, step = where.args
    return ValueError(
        f"Diverged at epoch {epoch}, step {step}: the loss grows without bound. "
        f"{_advice(data, start)}"
    )


def refuse_blow_up(data, start, state, loss):
    """Raise where one call of `partial_fit` has multiplied the loss beyond BLOW_UP."""
    if not loss <= BLOW_UP * state.reference:
        raise _grown(data, start, state, loss)


def judge(training, losses, weights):
    """Refuse a model far worse than the start; return warnings about one that is worse.

    An output whose objective is above that of its best constant (of zero, without an
    intercept) has learned less than nothing.

    Parameters
    ----------
    training : Training
    losses : ndarray of shape (k,)
        Of the model that is to be returned.
    weights : ndarray of shape (k, d + 1)
        That model.
    """
    evaluation, state, plan = training.evaluation, training.state, training.plan
    constant, loss = evaluation.worthless, float(losses.sum())
    # An interior point that max_iter has ended on its way has not diverged.
    runs_away = plan.optimizer.serves.usable_iterates or not np.isfinite(loss)
    if runs_away and not loss <= FAR_TOO_HIGH * max(constant.sum(), state.reference):
        raise _grown(training.data, training.start, state, loss)
    found = losses + evaluation.penalties(weights)
    if (found <= constant).all():
        return []
    excess = found - NOT_WORSE * constant - evaluation.negligible
    worst = int(np.argmax(excess))
    if excess[worst] <= 0:
        return []
    best = "one constant" if plan.fit_intercept else "zero"
    if plan.fit_intercept and is_squared(plan.loss):
        best = "the mean"
    of = f" for output {worst}" if len(found) > 1 else ""
    mine, others = state.cost(found[worst]), state.cost(constant[worst])
    return [
        f"After {in_words(state.epochs)} the model is worse than predicting {best}{of} "
        f"(loss {mine:.3g} against {others:.3g}): train for longer, change the learning "
        "rate or use optimizer='auto'."
    ]


def _grown(data, start, state, loss):
    return ValueError(
        f"Diverged by epoch {state.epochs}, step {state.steps}: the loss has grown from "
        f"{state.cost(state.reference):.1e} to {state.cost(loss):.1e}. "
        f"{_advice(data, start)}"
    )


def _advice(data, start):
    """What to do about it."""
    plan, hint = start.plan, ""
    if plan.by_line_search:  # there is no step to lower
        return "Scale the features or use optimizer='auto'."
    # The steps of adaptive rules are lengths: no curvature bounds them.
    if start.metric.scale is None and plan.optimizer.kind == "plain":
        largest = stable_step_hint(
            data,
            data.n_rows if plan.batch_size == "full" else min(plan.batch_size, data.n_rows),
            plan.penalty.l2,
            plan.fit_intercept,
            plan.optimizer,
        )
        hint = f" (largest stable value here is about {largest:.1e})"
    return (
        f"Lower {plan.step_parameter}{hint}, scale the features or use optimizer='auto' "
        "with learning_rate='auto'."
    )
