"""How far above the optimum steps along kinks have ended, by an interior point."""

from dataclasses import replace

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._plan.plan import DIAGONAL
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._training.state import State
from sgdreg._training.stopping import in_words
from sgdreg.losses import made_of_hinges

# Up to this many features the interior point takes no longer than the steps before it (25
# products of d² per row, at five times their speed, beside about a hundred of d), in at
# most MOST_STEPS steps.
MOST_FEATURES = 100
MOST_STEPS = 50
# A model further above the optimum than this share of it earns a warning; the bound of the
# optimum is computed to this precision.
FAR, SHARP = 0.01, 0.001
# This share of the loss of a constant counts as zero, since the optimum may be zero.
NOTHING = 1e-4
# Larger shares are told in words.
MANY_TIMES = 10


def shortfall(data, start, weights, objectives):
    """(objective - optimum) / optimum of each output, for weights of these objectives.

    An interior point finds the optimum. None where it would take longer than the steps
    before it, or does not serve the loss or the penalty.
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
    solver = InteriorPoint(data, small)
    state = State.start(small, data, np.random.default_rng(0), flat=False)
    constant = solver.evaluation.constant
    for _ in range(MOST_STEPS):
        solver.run(state)
        if solver.parts is None:
            continue
        gaps = np.array([part.gap for part in solver.parts])
        found = solver.evaluation.objectives(solver.point)
        if (gaps <= SHARP * (found + NOTHING * constant)).all():
            excess = objectives - found - NOTHING * constant
            return np.maximum(excess, 0.0) / np.maximum(found, np.finfo(float).tiny)
    return None


def too_far(state, share):
    """The sentence for a model too far above the optimum."""
    above = f"{share:.1%}" if share < MANY_TIMES else "many times"
    return (
        f"Stopped after {in_words(state.epochs)}: the objective has not improved while the "
        f"steps were halved, but is {above} above its optimum, where such steps do not "
        "lead. Use optimizer='auto', and leave batch_size and average at 'auto'."
    )
