"""Which model serves a loss."""

from sgdreg._solvers.newton.zones import Zones
from sgdreg.losses import is_squared


def kind_of(plan):
    """The class of models that serves a plan's loss and penalty; None: there is none."""
    loss, penalty = plan.loss, plan.penalty
    smooth = loss.smoothness is not None and not is_squared(loss)
    if smooth and penalty.custom is None and not penalty.proximal:
        return Zones
    return None
