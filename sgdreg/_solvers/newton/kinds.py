"""Which model serves a loss."""

from sgdreg._solvers.newton.band import Band
from sgdreg.losses import made_of_hinges


def kind_of(plan):
    """The class of models that serves a plan's loss and penalty; None: there is none."""
    if made_of_hinges(plan.loss) and plan.loss.smoothness is None:
        return Band
    return None
