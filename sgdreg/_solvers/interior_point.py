"""Epochs of a primal-dual interior-point method: losses with kinks, l1, `positive`."""

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg._persistence.soundness import check, like
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._solvers.primal_dual import Part
from sgdreg.losses import is_squared, made_of_hinges

# At optimality gaps below this the variables show which coefficients are zero.
CLEAR = 1e-4
# Exact zeros may cost this share of tol.
COST_OF_ZEROS = 0.1


class InteriorPoint(FullGradient):
    """Newton steps on the optimality conditions, with all variables inside their bounds.

    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM Journal
    on Optimization 2 (1992); for quantiles R. Portnoy and R. Koenker, The Gaussian hare
    and the Laplacian tortoise, Statistical Science 12 (1997). Each step of each output is a
    weighted least-squares problem of all rows.
    """

    told_by = "parts"
    parts = None  # a `Part` for each output, from the first epoch on

    def _begin(self, state):
        self._arrive(state)
        # The scales of the variables, and of rounding errors, are taken from the first
        # point. A point worse than a constant (of a fit to other data) has no such scale.
        worse = self.evaluation.objectives(self.point) > self.evaluation.constant
        if worse.any():
            state.weights[worse] = self.plan.constant_model(self.data)[worse]
            self._arrive(state)
        self._take_apart()

    def _take_apart(self):
        self.unit = self.evaluation.unit
        self.excess = np.zeros(self.data.n_outputs)
        weights = self.data.row_weights
        weights = np.ones(self.data.n_rows) if weights is None else weights
        self.row_weights = weights / self.data.n_rows
        if is_squared(self.plan.loss):
            self.curvature = curvature_of(self.data, self.plan.fit_intercept)
        self.parts = [Part(self, o) for o in range(self.data.n_outputs)]

    def _find_witness(self):
        if self.curvature is None:
            return super()._find_witness()
        return self.curvature.solve(self.plan.penalty.l2)[0]

    def memory(self):
        return super().memory() | {"parts": [part.memory() for part in self.parts]}

    def recall(self, memory):
        super().recall(memory)
        self._take_apart()
        check(memory, {"parts": like([part.memory() for part in self.parts])})
        for part, kept in zip(self.parts, memory["parts"], strict=True):
            part.recall(kept)

    def _move(self, state):
        for part in self.parts:
            part.step()
        weights = np.array([part.within_bounds() for part in self.parts])
        self.point, self.excess[:] = self.evaluation.at(weights), 0.0
        if self._gap(with_l1_excess=False) <= CLEAR:
            allowed = COST_OF_ZEROS * (self.plan.tol or 0.0) * self.unit
            if not self._try(np.array([part.rounded() for part in self.parts]), allowed):
                few = allowed / self.data.n_features
                near = [p.rounded(most) for p, most in zip(self.parts, few, strict=True)]
                self._try(np.array(near), allowed)
        self.evaluation.passes += sum(part.passes for part in self.parts)
        state.steps += 1
        return 1.0

    def _try(self, weights, allowed):
        """Go to weights with exact zeros, unless that costs more than allowed."""
        if (weights == self.point.weights).all():
            return True
        there = self.evaluation.at(weights)
        before, after = map(self.evaluation.objectives, (self.point, there))
        cheap = bool((after <= before + allowed).all())
        if cheap:
            self.point, self.excess = there, np.maximum(after - before, 0.0)
        return cheap

    def _gap(self, with_l1_excess=True):
        """The duality gap, with what rounding errors and singular steps may add to it.

        And with the cost of a huge l1, which is cut off in the steps, for coefficients that
        are not zero yet (`Part.l1_excess`).
        """
        if self.parts is None:
            return self.evaluation.gap(self.point)
        if self.plan.quadratic:
            return self._gap_by_all_rows()
        gaps = np.array([part.gap for part in self.parts]) + self._blur() + self._hidden()
        if with_l1_excess:
            pairs = zip(self.parts, self.point.weights, strict=True)
            gaps = gaps + [part.l1_excess(weights) for part, weights in pairs]
        # The optimum is not below zero, so F itself is an upper bound of the gap. (It is
        # used only where it is below tol: until then the duality gap shows the progress
        # better.)
        most = float(np.max(self.evaluation.objectives(self.point) / self.unit))
        if most <= (self.plan.tol or 0.0):
            return most
        return float(np.max((gaps + self.excess) / self.unit))

    def _hidden(self):
        """An upper bound of the gain along directions that steps leave out as rounding.

        It is known for squared errors, and is taken as the same share for other losses. A
        direction that only the curvature of all rows shows (not that of the rows near their
        kinks) may lead as far as the spread of the targets.
        """
        if not any(part.singular for part in self.parts):
            return 0.0
        if self.witness is None:
            self.witness = self._find_witness()
            self.evaluation.passes += 1.0
        variances = np.maximum(self.data.variances, np.finfo(np.float64).tiny)
        slopes = [part.slope() * part.singular for part in self.parts]
        slopes = self.witness.to_coordinates(np.array(slopes))
        shares = np.linalg.norm(slopes, axis=1) * np.sqrt(2 * variances) / self.unit
        return np.minimum(self.witness.hidden / variances + shares, 1.0) * self.unit

    def _blur(self):
        """How much rounding errors of the predictions may change the objective."""
        loss = self.plan.loss
        squares = self.evaluation.blur(self.point.weights, self.start.metric)
        steepest = max(loss.above, loss.below) if made_of_hinges(loss) else np.inf
        if loss.smoothness is not None:
            bent = loss.smoothness * squares
            if np.isinf(steepest):
                return bent
            return np.minimum(bent, steepest * np.sqrt(2 * squares))
        return self.evaluation.blur_at_kinks(self.point.weights, self.start.metric)
