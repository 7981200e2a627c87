"""Which solver runs for a plan."""

from sgdreg import optimizers
from sgdreg._solvers.conjugate_gradient import ConjugateGradients
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.minibatch import MiniBatch
from sgdreg._solvers.newton.solver import Newton
from sgdreg._solvers.streams import Recursive, Streaming
from sgdreg._solvers.variance_reduced import VarianceReduced

# By the class of the optimizer; all others are update rules of mini-batches.
SOLVERS = {
    optimizers.ConjugateGradient: ConjugateGradients,
    optimizers.InteriorPoint: InteriorPoint,
    optimizers.Newton: Newton,
    optimizers.SVRG: VarianceReduced,
}


def solver_of(data, start):
    """The solver that runs from a start."""
    if start.plan.recursive:
        return Recursive(data, start)
    if start.plan.accumulates:
        return Streaming(data, start)
    return SOLVERS.get(type(start.plan.optimizer), MiniBatch)(data, start)
