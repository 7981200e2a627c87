"""The model that a fit returns, in the numbers of X, and how good that one is."""

from dataclasses import dataclass, field, replace

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.rounding import Rounding, rounded
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._training.state import State

# Where tol is none or zero, what rounding may cost is measured against this.
USUAL_TOL = 1e-8
# Rounding that costs no more than this share of tol is left as it is; of this share, if a
# curvature tells it, a pass over the rows need not.
ALLOWED, NOT_FELT = 0.1, 1e-4
# R² that rounding may cost without a warning.
LITTLE = 1e-4
# A sample's curvature may show a direction as weaker than it is: see `_conjugate`.
SAMPLED = 3.0
# Where it costs more, losses that are not quadratic are fitted anew with these ridge
# penalties in the features' scale, of errors of 3e-8 to 3e-5 of a spread in every number,
# in so many steps at most.
PENALTIES, STEPS = (1e-15, 1e-13, 1e-11, 1e-9), 100
# What is then left of tol: steps end there.
SHARE = 0.1


@dataclass(frozen=True)
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
        Whether rounding has cost what predictions show.
    unit : float
        The gap that one rounding is: kinks feel it in the first order.
    """

    weights: np.ndarray
    losses: np.ndarray
    found: dict = field(default_factory=dict)
    felt: bool = False
    unit: float = 0.0


class Search:
    """For the weights in the dtype of X that a certified fit returns.

    Parameters
    ----------
    data : Data
    start : Start
    curvature : Curvature or None
        Of the rows, where it is known.
    solver : Solver
    evaluation : Evaluation
    losses : ndarray of shape (k,)
        Of the model found.
    """

    def __init__(self, data, start, curvature, solver, evaluation, losses):
        self.data, self.start, self.evaluation = data, start, evaluation
        self.curvature = curvature
        self.plan = plan = start.plan
        self.solver, self.losses = solver, losses
        self.unit = evaluation.unit
        self.tol = plan.tol or USUAL_TOL

    def returned(self, weights, entry):
        """What to return where `weights` (k, d + 1), at the plan's centre, were found.

        Parameters
        ----------
        weights : ndarray
        entry : dict
            What the history says of them.
        """
        data, plan, evaluation = self.data, self.plan, self.evaluation
        start = self.start
        rounding = Rounding.of(start, data.dtype, self.curvature)
        near = rounded(weights, start.metric.centre, data.dtype)
        if not np.isfinite(near).all():  # which is said where attributes are made
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
        if not (known and plan.to_the_end):  # those of line searches are interpolated
            here = evaluation.at(weights)
        self.here = evaluation.objectives(here)
        there = evaluation.at(near)
        if not self._good(there):
            if self.curvature is None and plan.to_the_end:
                known = curvature_of(data, plan.fit_intercept)
                rounding = Rounding.of(start, data.dtype, known)
            there = self._improved(there, rounding, weights)
        gap += float(np.maximum(self._rise(there), 0.0).max())
        objective = float(evaluation.objectives(there).sum())
        return self._found(there.weights, there.losses, objective, gap)

    def _found(self, weights, losses, objective, gap):
        found = {"objective": float(objective), "optimality_gap": float(gap)}
        # Predictions that are right are rounded too, when they are returned.
        eps = np.finfo(self.data.dtype).eps
        squares = np.mean(self.data.targets**2, axis=0)
        if self.plan.loss.smoothness is None:  # losses along kinks are of the first order
            squares = np.sqrt(squares) / eps
        allowed = np.max(eps**2 * squares / self.unit)
        felt = not gap <= self.tol + LITTLE + allowed
        unit = 0.0 if self.plan.loss.smoothness else float(eps)
        return Returned(weights, losses, found, felt, unit)

    def _rise(self, point):
        with np.errstate(invalid="ignore"):
            rise = (self.evaluation.objectives(point) - self.here) / self.unit
        return np.where(np.isnan(rise), np.inf, rise)

    def _good(self, point):
        return bool((self._rise(point) <= ALLOWED * self.tol).all())

    def _better(self, point, weights):
        """The point of these weights, of each output if it is the better one."""
        there = self.evaluation.at(weights)
        better = self._rise(there) < self._rise(point)
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
        """A better point than that of the nearest coefficients."""
        if rounding is None:
            return there
        enough = ALLOWED * self.tol * self.unit
        there = self._better(there, rounding.best(weights, enough))
        if not self.plan.to_the_end:
            return there
        for strength in PENALTIES:
            if (self._rise(there) <= LITTLE).all():
                break
            again = rounding.best(self._penalised(strength), enough)
            there = self._better(there, again)
        return there

    def _penalised(self, strength):
        """The optimum with a penalty that holds coefficients to what the dtype can."""
        data, plan = self.data, self.plan
        bend = np.mean(self.unit / (2 * self.evaluation.variance))
        diagonal = np.append(strength * bend * self.start.metric.scale**2, 0.0)
        weights = plan.constant_model(data)
        pull = diagonal, np.zeros_like(weights)
        start = replace(self.start, pull=pull, weights=weights)
        rounds = InteriorPoint(data, start)
        state = State.start(start, data, np.random.default_rng(0), flat=False)
        for _ in range(STEPS):
            rounds.run(state)
            if rounds.gap <= SHARE * self.tol:
                break
        return state.weights


def of_stream(start, state, dtype):
    """The weights in dtype of a stream's next answer."""
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
