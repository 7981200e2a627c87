"""The first weights of a fit: those of an earlier fit may be useless for other rows."""

import numpy as np

# coef_init and intercept_init are used up to a loss of this many times the constant's. With
# larger ones the rounding errors of the first gradients exceed 1e-8 of what is to be
# learned.
FARTHEST = 1e16


def begin_anew(evaluation, state, losses):
    """Replace weights that are worse than a constant by the weights of the start.

    Weights of an earlier fit are replaced if they are worse than a constant, coef_init only
    beyond FARTHEST. Each output is judged by itself. Averages of earlier steps are
    forgotten with the weights.

    Parameters
    ----------
    evaluation : Evaluation
    state : State
        Changed in place.
    losses : ndarray of shape (k,)
        Those of its weights.

    Returns
    -------
    ndarray of bool of shape (k,)
        The outputs whose weights have been replaced.
    """
    start, inherited = evaluation.start, state.epochs > 0
    with np.errstate(over="ignore", invalid="ignore"):
        found = losses + evaluation.penalties(state.weights)
        allowed = evaluation.worthless * (1.0 if inherited else FARTHEST)
        useless = ~(found <= allowed + evaluation.negligible)
    useless &= state.weights.any(axis=1) & (inherited | np.isfinite(found))
    if useless.any():
        begin = start.weights
        if begin is None:
            begin = start.plan.constant_model(evaluation.data)
        weights = state.weights.copy()
        weights[useless] = begin[useless]
        state.begin_anew(weights)
        state.factor = 1.0
    return useless
