"""Which solver runs for a plan."""

from sgdreg import optimizers
from sgdreg._solvers.conjugate_gradient import ConjugateGradients
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.streams import Recursive, Streaming
from sgdreg._solvers.variance_reduced import VarianceReduced


def make_rounds(data, start):
    """The rounds of a start whose optimizer needs full gradients; None: it does not."""
    plan = start.plan
    if plan.recursive:
        return Recursive(data, start)
    if plan.accumulates:
        return Streaming(data, start)
    kinds = {
        optimizers.ConjugateGradient: ConjugateGradients,
        optimizers.InteriorPoint: InteriorPoint,
        optimizers.SVRG: VarianceReduced,
    }
    kind = kinds.get(type(plan.optimizer))
    return None if kind is None else kind(data, start)
