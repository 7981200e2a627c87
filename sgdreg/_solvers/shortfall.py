"""How far steps along kinks have ended from the optimum, by an interior point."""

from dataclasses import replace

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._plan.plan import DIAGONAL
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._training.state import State
from sgdreg._training.stopping import in_words
from sgdreg.losses import made_of_hinges

# An interior point of so many features takes no longer than the steps before it did (25
# products of d² a row, at five times their speed, beside some hundred of d).
MOST_FEATURES = 100
MOST_STEPS = 50
# Further above the optimum than this is worth a warning; the bound is this sharp.
FAR, SHARP = 0.01, 0.001
# What is small beside the loss of a constant counts as nothing: the optimum may be zero.
NOTHING = 1e-4


def shortfall(data, start, weights, objectives):
    """The share of each output's optimum that the objective is above it.

    The dual of an interior point tells when it is near the optimum. None where it would
    take longer than the steps have, or does not know the loss or the penalty.
    """
    known = made_of_hinges(data.loss) and not start.plan.penalty.is_custom
    if data.n_features > MOST_FEATURES or not known:
        return None
    plan, metric, weights = start.plan, start.metric, weights.copy()
    if metric.scale is None:  # steps on raw features
        metric = diagonal_metric(data, plan.fit_intercept, plan.penalty.l2)
        if metric.centre is not None:
            weights[:, -1] += weights[:, :-1] @ metric.centre
    optimizer = optimizers.InteriorPoint()
    plan = replace(plan, optimizer=optimizer, curvature=DIAGONAL)
    small = replace(start, plan=plan, metric=metric, weights=weights)
    rounds = InteriorPoint(data, small)
    state = State.start(small, data, np.random.default_rng(0), flat=False)
    constant = rounds.evaluation.constant
    for _ in range(MOST_STEPS):
        rounds.run(state)
        if rounds.parts is None:
            continue
        gaps = np.array([part.gap for part in rounds.parts])
        found = rounds.evaluation.objectives(rounds.point)
        if (gaps <= SHARP * (found + NOTHING * constant)).all():
            excess = objectives - found - NOTHING * constant
            return np.maximum(excess, 0.0) / np.maximum(found, np.finfo(float).tiny)
    return None


def too_far(state, share):
    """The sentence for a model that is further from the optimum than it should be."""
    above = f"{share:.1%}" if share < 10 else "many times"
    return (
        f"Stopped after {in_words(state.epochs)}: the objective has not improved while the "
        f"steps were halved, but is {above} above its optimum, where such steps do not "
        "lead. Use optimizer='auto', and leave batch_size and average at 'auto'."
    )
