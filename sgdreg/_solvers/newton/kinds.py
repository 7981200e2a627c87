"""Which model serves a loss."""

from sgdreg._plan.plan import DIAGONAL, FULL
from sgdreg._solvers.newton.band import Band
from sgdreg._solvers.newton.columns import Columns
from sgdreg._solvers.newton.inexact import Inexact
from sgdreg._solvers.newton.multipliers import Multipliers
from sgdreg._solvers.newton.squares import Squares
from sgdreg._solvers.newton.zones import Zones
from sgdreg.losses import is_squared, made_of_hinges


def kind_of(plan):
    """The class of models that serves a plan's loss and penalty."""
    loss, penalty = plan.loss, plan.penalty
    if not penalty.is_custom:
        if is_squared(loss):
            return Columns if plan.curvature == DIAGONAL else Squares
        if loss.smoothness is not None:
            dense = plan.curvature == FULL or penalty.proximal
            return Zones if dense else Inexact
        if loss.smoothness is None and made_of_hinges(loss):
            return Multipliers if plan.curvature == DIAGONAL else Band
    raise ValueError(
        f"{plan.optimizer!r} has no model for loss={loss!r} with the penalty {penalty}. "
        "Use optimizer='auto' or 'interior_point'."
    )
