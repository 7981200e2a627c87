"""Which solver runs for a plan."""

from sgdreg import optimizers
from sgdreg._solvers.conjugate_gradient import ConjugateGradients
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.streams import Recursive, Streaming
from sgdreg._solvers.variance_reduced import VarianceReduced


def make_rounds(data, plan):
    """The rounds of a plan whose optimizer needs full gradients; None: it does not."""
    if plan.recursive:
        return Recursive(data, plan)
    if plan.stream is not None:
        return Streaming(data, plan)
    kinds = {
        optimizers.ConjugateGradient: ConjugateGradients,
        optimizers.InteriorPoint: InteriorPoint,
        optimizers.SVRG: VarianceReduced,
    }
    kind = kinds.get(type(plan.optimizer))
    return None if kind is None else kind(data, plan)
