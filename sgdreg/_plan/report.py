"""What a fit has followed, as it is printed: `plan_`."""

from dataclasses import dataclass, field

from sgdreg import schedules


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """One choice in every slot; ``print(model.plan_)`` shows it.

    Attributes
    ----------
    loss : Loss
    penalty : Penalty
    optimizer : Optimizer
    schedule : callable or None
        t -> eta; None: found by line search.
    batch_size : int or "full"
    average : None, int, "tail" or float
    recursive : bool
        Whether a stream's model is the least squares of all its rows so far.
    sampled : bool
        Whether the curvature was that of a sample of rows.
    rows : int
        How many rows the curvature was taken from, of a sample or for a low rank.
    slots : dict
        The choices in words, {slot: choice}, as they are printed.
    """

    loss: object
    penalty: object
    optimizer: object
    schedule: object | None
    batch_size: object
    average: object
    recursive: bool
    sampled: bool
    rows: int
    slots: dict = field(default_factory=dict)

    @classmethod
    def of(cls, start):
        """That of a start and its plan, in the units of y."""
        plan = start.plan
        loss, penalty = plan.shown or (plan.loss, plan.penalty)
        return cls(
            loss=loss,
            penalty=penalty,
            optimizer=plan.optimizer,
            schedule=start.schedule,
            batch_size=plan.batch_size,
            average=plan.average,
            recursive=plan.recursive,
            sampled=start.sampled,
            rows=start.sketch.size if start.sampled else start.rows,
            slots={
                "loss": repr(loss),
                "penalty": str(penalty),
                "optimizer": repr(plan.optimizer),
                "metric": _metric(start),
                "batches": _batches(plan),
                "step": _step(start),
                "averaging": _averaging(plan),
            },
        )

    def __repr__(self):
        return "\n".join(f"{slot:12}{choice}" for slot, choice in self.slots.items())


def _metric(start):
    metric = start.metric
    if metric.low_rank:
        rank, d = metric.root.shape
        return f"diagonal, and the {rank} largest curvatures of {d}, from {start.rows} rows"
    if metric.root is not None:
        rank, d = metric.root.shape
        rows = f"{start.sketch.size} rows" if start.sampled else "all rows"
        return f"curvature of the standardised features, rank {rank} of {d}, from {rows}"
    if metric.scale is not None:
        return "diagonal (centred and scaled features)"
    return "none (raw features)"


def _batches(plan):
    batches = str(plan.batch_size)
    if plan.batch_size != "full":
        batches += f" row{'s' * (batches != '1')} a step, order: {plan.shuffle}"
    return batches


def _step(start):
    step = f"{start.schedule!r}, {start.reason}"
    if type(start.schedule) is schedules.Constant:
        step = f"{start.schedule.eta0:.3g} (constant), {start.reason}"
    elif start.schedule is None:
        step = start.reason
    return f"from the least squares of these rows {step}" if start.solved else step


def _averaging(plan):
    average = plan.average
    if isinstance(average, int):
        return f"from step {average}"
    if isinstance(average, float):
        return f"exponential, by {average:g} a step"
    return average or "none"
