"""The fitted attributes of the estimator."""

from typing import NamedTuple

import numpy as np

from sgdreg._curvature.rounding import is_lost, sizes
from sgdreg._data.chunked_rows import ChunkedRows
from sgdreg._data.rows import all_finite
from sgdreg._estimator.predictions import predictions
from sgdreg._plan.report import Report
from sgdreg._plan.start import Start
from sgdreg._training.state import State


class MadeFor(NamedTuple):
    """The call that has fitted a model.

    Attributes
    ----------
    online : bool
        Whether it was `partial_fit`.
    parameters : dict
        The snapshot of the estimator's parameters.
    """

    online: bool
    parameters: dict


class Continuation(NamedTuple):
    """What a further call continues from: the attribute `_continuation`."""

    start: Start
    state: State
    made_for: MadeFor


def attributes(start, state, weights, dtype, made_for):
    """The attributes that `predict` and a further fit need.

    Arrays and lists are copies, except for the state.

    Parameters
    ----------
    start : Start
    state : State
    weights : ndarray of shape (k, d + 1)
        Coefficients and intercept of each output; the intercept is the prediction at the
        centre of the metric.
    dtype : dtype
        Of X.
    made_for : MadeFor
    """
    report, start = Report.of(start), start.released()
    state.statistics = state.statistics.kept(start.plan)
    if state.exponent:
        weights = np.ldexp(weights, state.exponent)
    coef, intercept = weights[:, :-1].astype(dtype, order="C"), weights[:, -1]
    if start.metric.centre is not None:  # of the rounded coefficients
        intercept = intercept - coef.astype(np.float64, copy=False) @ start.metric.centre
    intercept = intercept.astype(dtype)
    held = sizes(coef, intercept)
    if not all_finite(held):
        raise ValueError(
            f"The fitted coefficients cannot be held in {np.dtype(dtype)}: they overflow. "
            "Pass X as float64, or rescale X or y."
        )
    if np.logical_or.reduce(is_lost(weights, held, dtype)):
        raise ValueError(
            f"The fitted coefficients cannot be held in {np.dtype(dtype)}: they are below "
            f"{np.finfo(dtype).tiny:.0e}, and their digits are lost. Pass X as float64, or "
            "rescale X or y."
        )
    return {
        "coef_": coef[0] if state.flat else coef,
        "intercept_": intercept[0] if state.flat else intercept,
        "n_iter_": state.epochs,
        "t_": state.steps,
        "plan_": report,
        "history_": state.shown_history(),
        "_continuation": Continuation(start, state, made_for),
        "_memory": None,
    }


def all_attributes(outcome, dtype, made_for):
    """Every fitted attribute, to be set together."""
    start, state, weights = outcome.start, outcome.state, outcome.weights
    scores, name = None, "validation_score"
    scored = not state.history or name in state.history[-1]
    if scored and all(name in entry for entry in state.history):
        scores = [entry[name] for entry in state.history]
    fitted = attributes(start, state, weights, dtype, made_for)
    if outcome.found:
        fitted["history_"][-1] = fitted["history_"][-1] | state.shown(outcome.found)
    return fitted | {
        "converged_": outcome.converged,
        "stop_reason_": outcome.reason,
        "validation_scores_": scores,
        "best_iteration_": outcome.best_epoch,
    }


# What only a fit with epsilon="auto" has.
OF_SCALE = ("scale_", "outliers_")


def of_scale(epsilon, times, X, y, fitted):
    """The scale that an epsilon is so many times of, and which rows are beyond epsilon."""
    blocks = [X]
    if isinstance(X, ChunkedRows):
        blocks = (rows.X for rows, _, _ in X.blocks())
    model = fitted["coef_"], fitted["intercept_"]
    residuals = y - np.concatenate([predictions(block, *model) for block in blocks])
    beyond = np.abs(residuals) > epsilon
    return {"scale_": epsilon / times, "outliers_": beyond.reshape(len(beyond))}
