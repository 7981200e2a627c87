"""What a fit ends with."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Outcome:
    """What a fit ends with.

    Attributes
    ----------
    plan : Plan
        As it was in the end.
    state : State
    weights : ndarray of shape (k, d + 1)
        The model to return, at the plan's centre.
    converged : bool
    reason : str
        Why it ended, a sentence.
    warnings : list of str
    best_epoch : int or None
        The epoch whose model it is, where epochs were compared on held-out rows.
    """

    plan: object
    state: object
    weights: np.ndarray
    converged: bool
    reason: str
    warnings: list = field(default_factory=list)
    best_epoch: int | None = None


def attributes(plan, state, weights, dtype, made_for):
    """The attributes that predict and go on, of weights (k, d + 1) at the plan's centre.

    Arrays and lists are copies, but for the state. `made_for` is whether this was
    `partial_fit`, and the estimator's parameters.
    """
    plan = plan.released()
    coef, intercept = weights[:, :-1], weights[:, -1]
    if plan.metric.centre is not None:
        intercept = intercept - coef @ plan.metric.centre
    with np.errstate(over="ignore"):
        coef, intercept = coef.astype(dtype, order="C"), intercept.astype(dtype)
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"The fitted coefficients cannot be held in {np.dtype(dtype)}: they overflow. "
            "Pass X as float64, or rescale X or y."
        )
    return {
        "coef_": coef[0] if state.flat else coef,
        "intercept_": float(intercept[0]) if state.flat else intercept,
        "n_iter_": state.epochs,
        "t_": state.steps,
        "plan_": plan,
        "history_": list(state.history),
        "_continuation": (plan, state, made_for),
        "_memory": None,
    }


def all_attributes(outcome, dtype, made_for):
    """Every fitted attribute, to be set together."""
    plan, state, weights = outcome.plan, outcome.state, outcome.weights
    scores, name = None, "validation_score"
    if all(name in entry for entry in reversed(state.history)):
        scores = [entry[name] for entry in state.history]
    return attributes(plan, state, weights, dtype, made_for) | {
        "converged_": outcome.converged,
        "stop_reason_": outcome.reason,
        "validation_scores_": scores,
        "best_iteration_": outcome.best_epoch,
    }
