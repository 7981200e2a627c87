"""The plan of a fit as it is printed: `plan_`."""

import numpy as np

from sgdreg import schedules
from sgdreg._plan.plan import Plan
from sgdreg._records import record


@record
class Report:
    """One choice in every slot; ``print(model.plan_)`` shows it.

    It holds no arrays. The words are made only when they are read: they take 0.3 ms, as
    long as a call of `partial_fit`.

    Attributes
    ----------
    plan : Plan
        The choices.
    schedule : callable or None
        t -> eta; None: steps are found by line search.
    reason : str
        Where the step size comes from.
    solved : bool
        Whether the fit has begun at the least squares of the rows of the curvature.
    scaled : bool
        Whether features were centred and scaled.
    rank : (int, int) or None
        The rank of the curvature, and the number of features; None without a curvature.
    low_rank : bool
        Whether it has the directions of largest curvature only.
    sampled : bool
        Whether the curvature was that of a sample of rows.
    rows : int
        The number of rows it was computed from; 0 in a stream: all rows so far.
    single : bool
        Whether the curvature was in single precision.
    """

    plan: Plan
    schedule: object | None
    reason: str
    solved: bool
    scaled: bool
    rank: tuple | None
    low_rank: bool
    sampled: bool
    rows: int
    single: bool = False

    @classmethod
    def of(cls, start):
        """The report of a start and its plan."""
        metric, sampled = start.metric, start.sampled
        return cls(
            plan=start.plan,
            schedule=start.schedule,
            reason=start.reason,
            solved=start.solved,
            scaled=metric.scale is not None,
            rank=None if metric.root is None else metric.root.shape,
            low_rank=metric.low_rank,
            sampled=sampled,
            rows=start.rows if start.sketch is None else start.sketch.size,
            single=metric.root is not None and metric.root.dtype == np.float32,
        )

    @property
    def loss(self):
        """The loss, in the units of y."""
        return self.plan.loss if self.plan.shown is None else self.plan.shown[0]

    @property
    def penalty(self):
        """The penalty, in the units of y."""
        return self.plan.penalty if self.plan.shown is None else self.plan.shown[1]

    @property
    def optimizer(self):
        """The optimizer, with its parameters."""
        return self.plan.optimizer

    @property
    def batch_size(self):
        """Number of rows per step, or "full"."""
        return self.plan.batch_size

    @property
    def recursive(self):
        """Whether a stream's model is the least squares of all its rows so far."""
        return self.plan.recursive

    @property
    def slots(self):
        """The choices in words, {slot: choice}, as they are printed."""
        return {
            "loss": repr(self.loss),
            "penalty": str(self.penalty),
            "optimizer": repr(self.optimizer),
            "metric": self._metric(),
            "batches": self._batches(),
            "step": self._step(),
            "averaging": self._averaging(),
        }

    def __repr__(self):
        return "\n".join(f"{slot:12}{choice}" for slot, choice in self.slots.items())

    def _metric(self):
        if self.rank is None:
            if self.scaled and not self.penalty.separable:
                return "one scale (centred features: the penalty is not separable)"
            if self.scaled:
                return "diagonal (centred and scaled features)"
            return "none (raw features)"
        rank, d = self.rank
        some = self.sampled or self.low_rank or (self.single and self.rows)
        rows = f"{self.rows} rows" if some else "all rows"
        if self.low_rank:
            return f"diagonal, and the {rank} largest curvatures of {d}, from {rows}"
        words = f"curvature of the standardised features, rank {rank} of {d}, from {rows}"
        return words + ", in single precision" * self.single

    def _batches(self):
        batches = str(self.batch_size)
        if batches != "full":
            batches += f" row{'s' * (batches != '1')} a step, order: {self.plan.shuffle}"
        return batches

    def _step(self):
        step = f"{self.schedule!r}, {self.reason}"
        if type(self.schedule) is schedules.Constant:
            step = f"{self.schedule.eta0:.3g} (constant), {self.reason}"
        elif self.schedule is None:
            step = self.reason
        return f"from the least squares of these rows {step}" if self.solved else step

    def _averaging(self):
        average = self.plan.average
        if isinstance(average, int):
            return f"from step {average}"
        if isinstance(average, float):
            return f"exponential, by {average:g} a step"
        return average or "none"
