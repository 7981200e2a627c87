"""The table of solvers: which one runs for a plan."""

from sgdreg import optimizers
from sgdreg._solvers.conjugate_gradient import ConjugateGradients
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.minibatch import MiniBatch
from sgdreg._solvers.newton.solver import Newton
from sgdreg._solvers.streams import Recursive, Streaming
from sgdreg._solvers.variance_reduced import VarianceReduced

# By the class of the optimizer, or the nearest one that it is derived from; all others are
# update rules of mini-batches.
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
    return _solver_for(start.plan.optimizer)(data, start)


def _solver_for(optimizer):
    """The class of the solver. A `direction` of its own makes any class an update rule."""
    if optimizer.kind == "custom":
        return MiniBatch
    known = (SOLVERS[cls] for cls in type(optimizer).__mro__ if cls in SOLVERS)
    solver = next(known, MiniBatch)
    if solver is MiniBatch and optimizer.serves.certifies:
        raise TypeError(
            f"No solver is registered for {optimizer!r}, which is no update rule of "
            "mini-batches (its class says so by `serves`): add its class to SOLVERS in "
            "sgdreg/_solvers/registry.py."
        )
    return solver
