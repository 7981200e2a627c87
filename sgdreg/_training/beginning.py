"""Where steps begin: weights of an earlier fit may be of no use for other rows."""

import numpy as np

# Weights given by hand are begun from as long as digits are left: with a loss so many
# times the constant's, rounding of the first gradients is 1e-8 of what there is to learn.
FARTHEST = 1e16


def begin_anew(evaluation, state, losses):
    """Replace weights that are worse than a constant by the plan's own start.

    Those of an earlier fit at once, those given by hand only where no digits are left. An
    output's weights are its own. Averages of the steps before are forgotten with them.

    Parameters
    ----------
    evaluation : Evaluation
    state : State
        Changed in place.
    losses : ndarray of shape (k,)
        Of its weights.

    Returns
    -------
    ndarray of bool of shape (k,)
        Whose weights have been replaced.
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
