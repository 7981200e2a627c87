"""Divergence: errors for steps whose loss grows, and warnings about useless models."""

import numpy as np

from sgdreg._curvature.stable_step import stable_step_hint
from sgdreg._training.stopping import in_words
from sgdreg.losses import is_squared

# A batch whose mean loss is above this multiple of the loss at the start is divergence:
# real outliers stay below it, and exponential growth exceeds it within a few steps.
BLOW_UP = 1e10
# With automatic steps an epoch is undone, and shorter steps are tried, if its mean loss is
# above this multiple of the loss at the start.
TOO_HIGH = 10.0
# At the end of a fit a loss above this multiple of the loss at the start (and of the best
# constant) is slow divergence; a model that is only worse than a constant earns a warning.
FAR_TOO_HIGH = 100.0
# An R² below -0.001 earns that warning: where a constant is the optimum, mini-batch steps
# end this far from it.
NOT_WORSE = 1.001


class Diverged(Exception):
    """A pass has found an exploding or infinite loss; the arguments are epoch and step."""


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
    """Refuse a model far worse than the start; return warnings about a useless model.

    The model of an output is useless if its objective is above that of the best constant
    (of zero, without an intercept).

    Parameters
    ----------
    training : Training
    losses : ndarray of shape (k,)
        Those of the model to be returned.
    weights : ndarray of shape (k, d + 1)
        That model.
    """
    evaluation, state, plan = training.evaluation, training.state, training.plan
    constant, loss = evaluation.worthless, float(losses.sum())
    # An interior point that max_iter has ended early has not diverged.
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
    """The remedies, in a sentence."""
    plan, hint = start.plan, ""
    if plan.by_line_search:  # there is no step to lower
        return "Scale the features or use optimizer='auto'."
    # The steps of adaptive rules are lengths, which no curvature limits.
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
