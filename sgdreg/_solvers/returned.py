"""The model that a fit returns, rounded to the dtype of X, and how good it is."""

from dataclasses import dataclass, field, replace

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.rounding import Rounding, rounded
from sgdreg._solvers.full_gradient import USUAL_TOL
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._training.state import State

# Rounding may cost this share of tol. Below the second share, by the curvature, it is not
# checked by a pass over the rows.
ALLOWED, NOT_FELT = 0.1, 1e-4
# R² that rounding may cost without a warning.
LITTLE = 1e-4
# A sample may show too little curvature along a direction: see
# `conjugate_gradient.SAMPLED`.
SAMPLED = 3.0
# Where rounding costs more, losses that are not quadratic are fitted again with these ridge
# penalties, in the features' scale: they correspond to errors of 3e-8 to 3e-5 standard
# deviations in every number. Each fit takes at most STEPS steps.
PENALTIES, STEPS = (1e-15, 1e-13, 1e-11, 1e-9), 100
# These fits end at this share of tol.
SHARE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class Returned:
    """A model in the dtype of X.

    Attributes
    ----------
    weights : ndarray of shape (k, d + 1)
        At the plan's centre.
    losses : ndarray of shape (k,)
        Without the penalty.
    found : dict
        Its objective and optimality gap, where rounding has changed them.
    felt : bool
        Whether rounding has cost more than the rounding of predictions does.
    unit : float
        The gap of one rounding error: at kinks the loss changes by it in the first order.
    """

    weights: np.ndarray
    losses: np.ndarray
    found: dict = field(default_factory=dict)
    felt: bool = False
    unit: float = 0.0


class Search:
    """The search for the weights in the dtype of X that a certified fit returns.

    Parameters
    ----------
    data : Data
    start : Start
    curvature : Curvature or None
        Of the rows, where it is known.
    solver : Solver
    evaluation : Evaluation
    losses : ndarray of shape (k,)
        Those of the model that the fit has found.
    """

    def __init__(self, data, start, curvature, solver, evaluation, losses):
        self.data, self.start, self.evaluation = data, start, evaluation
        self.curvature = curvature
        self.plan = plan = start.plan
        self.solver, self.losses = solver, losses
        self.unit = evaluation.unit
        self.tol = plan.tol or USUAL_TOL

    def returned(self, weights, entry):
        """The model to return for the `weights` (k, d + 1) that the fit has found.

        Parameters
        ----------
        weights : ndarray
            At the plan's centre.
        entry : dict
            Their entry in the history.
        """
        data, plan, evaluation = self.data, self.plan, self.evaluation
        start = self.start
        rounding = Rounding.of(start, data.dtype, self.curvature)
        near = rounded(weights, start.metric.centre, data.dtype)
        if not np.isfinite(near).all():  # refused by `attributes`
            return Returned(near, self.losses)
        objective, gap = entry["objective"], entry["optimality_gap"]
        if plan.quadratic and self.curvature is not None:
            cost = rounding.cost(weights, near) * (SAMPLED if start.sampled else 1.0)
            if (cost <= NOT_FELT * self.tol * self.unit).all():
                share = np.sqrt(np.max(cost / self.unit))
                objective, gap = objective + cost.sum(), (np.sqrt(gap) + share) ** 2
                return self._found(near, self.losses, objective, gap)
        here = getattr(self.solver, "point", None)
        known = here is not None and np.array_equal(here.weights, weights)
        if not (known and plan.to_the_end):  # the points of line searches are interpolated
            here = evaluation.at(weights)
        self.here = evaluation.objectives(here)
        there = evaluation.at(near)
        if not self._good(there):
            if self.curvature is None and plan.to_the_end:
                known = curvature_of(data, plan.fit_intercept)
                rounding = Rounding.of(start, data.dtype, known)
            there = self._improved(there, rounding, weights)
        gap += float(np.maximum(self._excess(there), 0.0).max())
        objective = float(evaluation.objectives(there).sum())
        return self._found(there.weights, there.losses, objective, gap)

    def _found(self, weights, losses, objective, gap):
        found = {"objective": float(objective), "optimality_gap": float(gap)}
        # Predictions of an exact model are rounded too.
        eps = np.finfo(self.data.dtype).eps
        squares = np.mean(self.data.targets**2, axis=0)
        if self.plan.loss.smoothness is None:  # such losses are not squares of errors
            squares = np.sqrt(squares) / eps
        allowed = np.max(eps**2 * squares / self.unit)
        felt = not gap <= self.tol + LITTLE + allowed
        unit = 0.0 if self.plan.loss.smoothness else float(eps)
        return Returned(weights, losses, found, felt, unit)

    def _excess(self, point):
        """How much higher the objective is than before rounding, in units of gaps."""
        with np.errstate(invalid="ignore"):
            excess = (self.evaluation.objectives(point) - self.here) / self.unit
        return np.where(np.isnan(excess), np.inf, excess)

    def _good(self, point):
        return bool((self._excess(point) <= ALLOWED * self.tol).all())

    def _better(self, point, weights):
        """The better one, for each output, of a point and the point of these weights."""
        there = self.evaluation.at(weights)
        better = self._excess(there) < self._excess(point)
        parts = ("weights", "losses", "gradient", "slope")
        return replace(
            there,
            **{
                name: np.where(
                    better if name == "losses" else better[:, None],
                    getattr(there, name),
                    getattr(point, name),
                )
                for name in parts
            },
        )

    def _improved(self, there, rounding, weights):
        """A better point than the one of the nearest coefficients, if there is one."""
        if rounding is None:
            return there
        enough = ALLOWED * self.tol * self.unit
        there = self._better(there, rounding.best(weights, enough))
        if not self.plan.to_the_end:
            return there
        for strength in PENALTIES:
            if (self._excess(there) <= LITTLE).all():
                break
            again = rounding.best(self._penalised(strength), enough)
            there = self._better(there, again)
        return there

    def _penalised(self, strength):
        """The optimum with a ridge penalty, whose smaller coefficients lose less."""
        data, plan = self.data, self.plan
        curvature = np.mean(self.unit / (2 * self.evaluation.variance))
        diagonal = np.append(strength * curvature * self.start.metric.scale**2, 0.0)
        weights = plan.constant_model(data)
        ridge = diagonal, np.zeros_like(weights)
        start = replace(self.start, proximal_term=ridge, weights=weights)
        solver = InteriorPoint(data, start)
        state = State.start(start, data, np.random.default_rng(0), flat=False)
        for _ in range(STEPS):
            solver.run(state)
            if solver.gap <= SHARE * self.tol:
                break
        return state.weights


def of_stream(start, state, dtype):
    """The model of a stream after a call: its weights, rounded to dtype."""
    weights, known = state.model(), state.statistics
    if dtype == weights.dtype:
        return weights
    rounding = None
    if start.plan.recursive or known.stream:
        rounding = Rounding.of(start, dtype, known.curvature)
    if rounding is None:
        return rounded(weights, start.metric.centre, dtype)
    explained = rounding.cost(weights, np.zeros_like(weights))
    return rounding.best(weights, ALLOWED * USUAL_TOL * explained)
