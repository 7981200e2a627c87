"""Losses with a thin zone about the fit: steps begin at the optimum of the kink itself."""

import numpy as np

from sgdreg._records import changed
from sgdreg._solvers.newton.loss_curvature import Formula
from sgdreg._solvers.newton.model import Optimum
from sgdreg._solvers.newton.sampled import OneOutput, of_output

# A zone is thin where it has fewer rows than this share of the number of directions, k: as
# many rows as directions then lie at a kink of the loss without width. (And than n / k: a
# step of k³ costs as much as those of the band for many directions, 5,000 x 300.)
THIN = 0.25
# The rows by which this is judged, at most.
LOOKED_AT = 4096
# The largest number of passes.
PASSES = 60


class ThinZone:
    """The optimum of a loss with a kink in the place of its zone, for each output.

    A zone of a few rows has the curvature of the loss at the optimum only: Newton steps
    from elsewhere meet other rows every time. At the kink's optimum as many residuals are
    zero as there are directions, and from there one step or two are enough.
    """

    def __init__(self, solver):
        self.solver, self.known, loss = solver, {}, Formula.of(solver.plan.loss)
        self.loss = Formula(loss.dead, 0.0, loss.below, loss.above)

    @classmethod
    def of(cls, solver, weights):
        """The optimum by kinks; None where no zone is thin by weights (k, d + 1)."""
        loss, data = Formula.of(solver.plan.loss), solver.data
        if not isinstance(loss, Formula) or np.isinf(loss.zone):
            return None
        some, centre = data.some_rows(LOOKED_AT), solver.start.metric.centre
        size = len(solver.start.metric.root) + solver.plan.fit_intercept
        few = min(THIN * size, data.n_rows / max(1, size))
        for output, one in enumerate(weights):
            far = np.abs(some.predictions(one, centre) - some.targets[:, output])
            if np.median(far) * few > 0.5 * data.n_rows * loss.zone:
                return cls(solver)
        return None

    def optimum(self, output, weights):
        """The optimum from some weights (d + 1,), without a curvature."""
        solver, data = self.solver, self.solver.data.of_output(output)
        data = data.in_unit(0, self.loss)
        start = changed(solver.start, plan=changed(solver.plan, loss=self.loss))
        problem = OneOutput(data, of_output(start, output))
        problem.go_to(weights)
        model, tol = solver.kind_for(start.plan)(problem, 0), solver.plan.tol or 0.0
        for _ in range(PASSES):
            if model.gap <= tol * model.unit:
                break
            problem.go_to(model.ask())
            point = problem.point
            model.tell(point.losses[0], point.gradient[0], problem.predictions[0])
        solver.evaluation.passes += problem.evaluation.passes
        found = Optimum(model.weights)
        self.known[output] = found
        return found
