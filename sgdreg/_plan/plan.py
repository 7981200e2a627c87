"""The plan: one choice in every slot, as a fit follows it and reports it in `plan_`."""

from dataclasses import dataclass, replace

import numpy as np

from sgdreg import schedules
from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.metric import Metric
from sgdreg._records import changed
from sgdreg._solvers.reweighted import met
from sgdreg.losses import is_squared
from sgdreg.optimizers._full_gradient import SVRG


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """One choice in every slot; frozen. ``print(model.plan_)`` shows it.

    Attributes
    ----------
    loss : Loss
    penalty : Penalty
    fit_intercept : bool
    optimizer : Optimizer
    schedule : callable or None
        t -> eta; None: found by line search.
    batch_size : int or "full"
    shuffle : {"rows", "blocks", "replacement", "sequential"}
    average : None, int, "tail" or float
        The step from which the weights are averaged; "tail": over the latest half; a
        float: exponentially, by this factor a step.
    metric : Metric
        With all its parts None: raw features.
    tol : float or None
    n_iter_no_change : int
    automatic : bool
        Whether a step that turns out too long is shortened (learning_rate="auto").
    reason : str
        Where the step size comes from.
    step_parameter : str
        The parameter that a user would change it by.
    curvature : Curvature or None
        Where the metric comes from, if it is a full one.
    sketch : Sketch or None
        Which rows it was taken from.
    start : ndarray of shape (k, d + 1) or None
        Weights to start from, at the metric's centre; None: zeros.
    solved : bool
        Whether they are the least squares of the rows of the curvature.
    rows : int
        How many were looked at for a metric of low rank.
    passes : float
        Passes over the rows that the plan has taken.
    sharpened : int
        How often its sample has been made larger.
    wide : bool
        Too many features for a stream to keep all of their curvature.
    online : bool
        A plan for the next rows of a stream only.
    recursive : bool
        ... whose answer is that of the rows so far, by their curvature.
    sample : Sample or None
        ... weighed anew, where the loss is none of least squares.
    stream : Stream or None
        ... or nearly so, by its diagonal.
    provable : bool
        Whether the curvature of all rows is worth its time to tell how far the optimum is,
        where steps do without it.
    shown : (Loss, Penalty) or None
        Those in the units of y, where targets are reckoned in another one.
    pull : (ndarray of shape (d + 1,), ndarray of shape (k, d + 1)) or None
        Strength of a pull towards some weights: ½ (w - anchor)ᵀ strength (w - anchor).
    """

    loss: object
    penalty: object
    fit_intercept: bool
    optimizer: object
    schedule: object | None
    batch_size: object
    shuffle: str
    average: object
    metric: Metric
    tol: float | None
    n_iter_no_change: int
    automatic: bool
    reason: str
    step_parameter: str
    curvature: object = None
    sketch: object = None
    start: np.ndarray | None = None
    solved: bool = False
    rows: int = 0
    passes: float = 0.0
    sharpened: int = 0
    wide: bool = False
    online: bool = False
    recursive: bool = False
    sample: object = None
    stream: object = None
    provable: bool = False
    shown: tuple | None = None
    pull: tuple | None = None

    @property
    def sampled(self):
        """Whether the curvature is that of a sample of rows."""
        return self.sketch is not None and not self.sketch.exact

    def released(self):
        """The plan without hold of the data, to be kept with the model."""
        return changed(
            self,
            sketch=self.sketch and self.sketch.released(),
            start=None,
            curvature=None if self.wide else self.curvature,
        )

    def in_unit(self, shift):
        """The plan that knows targets which are multiplied by 2^shift."""
        known = self.curvature, self.stream, self.sample
        curvature, stream, sample = (part and part.in_unit(shift) for part in known)
        return replace(self, curvature=curvature, stream=stream, sample=sample)

    def in_users_units(self):
        """The plan to be shown."""
        if self.shown is None:
            return self
        loss, penalty = self.shown
        return replace(self, loss=loss, penalty=penalty)

    def answered(self, weights, data, loss):
        """The plan that holds the answer of all rows, for a stream to go on from there."""
        if self.by_line_search and self.wide and self.metric.scale is not None:
            return replace(self, stream=Stream.after_fit(self.metric, data, loss))
        if self.to_the_end:
            alike = is_squared(self.loss) or data.n_outputs == 1
            return replace(self, curvature=met(data, self, weights)) if alike else self
        if not self.sampled:
            return self
        known = self.curvature.solved_by(weights, self.metric.centre, self.penalty.l2)
        return replace(self, curvature=known)

    def sharper(self):
        """The plan with the curvature of more rows."""
        curvature, sketch = self.sketch.larger().curvature()
        metric, start = curvature.solve(self.penalty.l2)
        return replace(
            self,
            curvature=curvature,
            sketch=sketch,
            metric=metric,
            start=start,
            passes=self.passes + sketch.cost - self.sketch.cost,
            sharpened=self.sharpened + 1,
        )

    @property
    def by_line_search(self):
        """Whether steps, on all rows, are found and not given."""
        return self.optimizer.finds_steps

    @property
    def shrinks(self):
        """Whether steps of a size chosen here must shrink: those along kinks."""
        chosen = self.automatic and not self.online and not self.by_line_search
        return chosen and self.loss.smoothness is None and self.optimizer.kind == "plain"

    @property
    def to_the_end(self):
        """Whether models on the way are none to return: an interior point's are not."""
        return self.by_line_search and not self.quadratic

    @property
    def keep(self):
        """What a running sum of weights is multiplied by before each is added."""
        return self.average if isinstance(self.average, float) else 1.0

    @property
    def quadratic(self):
        """Whether the objective is: least squares, with an l2 penalty or none."""
        return is_squared(self.loss) and not self.penalty.proximal

    @property
    def certified(self):
        """Whether the optimality gap is known: by the curvature, or by what steps met."""
        rounds = type(self.optimizer) is SVRG and self.provable
        known = self.quadratic and (self.metric.full or rounds)
        return not self.online and (known or self.by_line_search)

    def constant_model(self, data):
        """Weights of the best constant, at the metric's centre."""
        weights = np.zeros((data.n_outputs, data.n_features + 1))
        if self.fit_intercept:
            weights[:, -1] = data.best_constants
        return weights

    @property
    def slots(self):
        """The choices in words, {slot: choice}, as they are printed."""
        if self.metric.low_rank:
            rank, d = self.metric.root.shape
            metric = (
                f"diagonal, and the {rank} largest curvatures of {d}, from {self.rows} rows"
            )
        elif self.metric.root is not None:
            rank, d = self.metric.root.shape
            metric = f"curvature of the standardised features, rank {rank} of {d}, from "
            metric += f"{self.sketch.size} rows" if self.sampled else "all rows"
        elif not self.penalty.separable and self.metric.scale is not None:
            metric = "one scale (centred features: the penalty is not separable)"
        elif self.metric.scale is not None:
            metric = "diagonal (centred and scaled features)"
        else:
            metric = "none (raw features)"
        average = self.average
        if isinstance(average, int):
            average = f"from step {average}"
        elif isinstance(average, float):
            average = f"exponential, by {average:g} a step"
        batches = str(self.batch_size)
        if self.batch_size != "full":
            batches += f" row{'s' * (batches != '1')} a step, order: {self.shuffle}"
        step = f"{self.schedule!r}, {self.reason}"
        if type(self.schedule) is schedules.Constant:
            step = f"{self.schedule.eta0:.3g} (constant), {self.reason}"
        elif self.schedule is None:
            step = self.reason
        if self.solved:
            step = f"from the least squares of these rows {step}"
        return {
            "loss": repr(self.loss),
            "penalty": str(self.penalty),
            "optimizer": repr(self.optimizer),
            "metric": metric,
            "batches": batches,
            "step": step,
            "averaging": f"{average or 'none'}",
        }

    def __repr__(self):
        return "\n".join(f"{slot:12}{choice}" for slot, choice in self.slots.items())
