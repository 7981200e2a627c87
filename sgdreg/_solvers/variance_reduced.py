"""Epochs of variance-reduced mini-batches (SVRG) between two full gradients."""

from sgdreg._solvers.epochs import Epochs
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._training.divergence import Diverged

# Rounding errors of an objective, a sum over the rows, are below this share of it.
ROUNDING_OF_SUMS = 1e-12


class VarianceReduced(FullGradient):
    """Mini-batches whose gradients are corrected by that of all rows at the start."""

    def _move(self, state):
        plan, anchor = self.plan, self.point
        before = state.bookmark()
        drift = anchor.gradient.copy()
        drift[:, :-1] -= plan.penalty.l2 * anchor.weights[:, :-1]
        epochs = Epochs(self.data, self.start, anchor.weights, drift)
        size = plan.optimizer.inner
        try:
            step = epochs.inner(state, size, plan.average == "tail")
            self.point = self.evaluation.at(state.weights)
        except Diverged:
            if not plan.automatic:
                raise
            self._take_back(state, before, anchor)
            return 0.0
        finally:
            self.evaluation.passes += size
        if plan.automatic and not self.objective <= _rounded_up(
            self.evaluation.objectives(anchor).sum()
        ):
            self._take_back(state, before, anchor)
            return 0.0
        return step

    def _take_back(self, state, before, anchor):
        """Undo an epoch that raised the objective; the next one has half the step."""
        kept = before.go_back()
        state.weights[:], state.steps = kept.weights, kept.steps
        state.factor *= 0.5
        self.point = anchor


def _rounded_up(value):
    """A sum over the rows that rounding errors may have raised."""
    return value * (1.0 + ROUNDING_OF_SUMS)
