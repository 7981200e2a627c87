"""Which model serves a loss."""

from sgdreg._plan.plan import DIAGONAL
from sgdreg._solvers.newton.columns import Columns
from sgdreg._solvers.newton.squares import Squares
from sgdreg.losses import is_squared


def kind_of(plan):
    """The class of models that serves a plan's loss and penalty; None: there is none."""
    if is_squared(plan.loss) and not plan.penalty.is_custom:
        return Columns if plan.curvature == DIAGONAL else Squares
    return None
