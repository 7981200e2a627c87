"""Every "auto" becomes a number: the plan that a fit follows and reports as `plan_`."""

from dataclasses import dataclass

import numpy as np

from sgdreg import losses, optimizers, schedules
from sgdreg._sketch import Metric, curvature_root, moments, stable_step

# Up to this many features the curvature is a full matrix (8 MiB at 1,000); beyond, the
# diagonal has to do.
FULL_CURVATURE_FEATURES = 1000
# Where the step comes from the data: this share of the largest stable step. For mini
# batches the bound holds in expectation, so it is kept well away from.
SAFETY_FULL_BATCH = 0.475
SAFETY_MINI_BATCH = 0.3


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """One choice in every slot; frozen. ``print(model.plan_)`` shows it.

    Attributes
    ----------
    loss, penalty : str
    alpha : float
        0 without a penalty.
    fit_intercept : bool
    optimizer : Optimizer
    schedule : callable
        t -> eta.
    batch_size : int or "full"
    shuffle : {"rows", "blocks", "sequential"}
    average : None, int or "tail"
        The step from which the weights are averaged; "tail": over the latest half.
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
    """

    loss: str
    penalty: str
    alpha: float
    fit_intercept: bool
    optimizer: object
    schedule: object
    batch_size: object
    shuffle: str
    average: object
    metric: Metric
    tol: float | None
    n_iter_no_change: int
    automatic: bool
    reason: str
    step_parameter: str

    @property
    def certified(self):
        """Whether the curvature is known, and with it the optimality gap."""
        return self.metric.root is not None

    def __repr__(self):
        if self.metric.root is not None:
            rank, d = self.metric.root.shape
            metric = f"curvature of the standardised features, rank {rank} of {d}"
        elif self.metric.scale is not None:
            metric = "diagonal (centred and scaled features)"
        else:
            metric = "none (raw features)"
        average = self.average
        if isinstance(average, int):
            average = f"from step {average}"
        batches = str(self.batch_size)
        if self.batch_size != "full":
            batches += f" rows, in order: {self.shuffle}"
        step = repr(self.schedule)
        if type(self.schedule) is schedules.Constant:
            step = f"{self.schedule.eta0:.3g} (constant)"
        penalty = f"{self.penalty}, alpha={self.alpha:g}" if self.penalty else "none"
        return "\n".join(
            (
                f"loss        {self.loss}",
                f"penalty     {penalty}",
                f"optimizer   {self.optimizer!r}",
                f"metric      {metric}",
                f"batches     {batches}",
                f"step        {step}, {self.reason}",
                f"averaging   {average or 'none'}",
            )
        )


def make_plan(settings, data, online=False):
    """Fill every slot from the estimator's parameters and, for "auto", from the data.

    Parameters
    ----------
    settings : object
        With the estimator's parameters as attributes.
    data : Data
        The rows to plan for.
    online : bool
        More data of the same kind may follow (`partial_fit`): no choice may rely on
        having seen them all.
    """
    losses.get_loss(settings.loss)
    penalty = settings.penalty
    if penalty not in (None, "l2"):
        raise NotImplementedError(
            f"penalty={penalty!r} is not built yet; this version has None and 'l2'."
        )
    if settings.positive:
        raise NotImplementedError("positive=True is not built yet.")
    alpha = float(settings.alpha) if penalty == "l2" else 0.0
    automatic = settings.optimizer == "auto" and settings.learning_rate == "auto"
    if automatic:
        optimizer = _automatic_optimizer(data, online)
    elif settings.optimizer == "auto":
        optimizer = optimizers.SGD()  # SGDRegressor's own steps
    else:
        optimizer = optimizers.get_optimizer(settings.optimizer)
    metric = _metric(optimizer.metric, data, alpha, settings.fit_intercept)
    batch_size = settings.batch_size
    if batch_size == "auto":
        batch_size = _automatic_batch(data, online) if automatic else 1
    schedule, reason = _schedule(
        settings, optimizer, metric, data, alpha, batch_size, automatic
    )
    return Plan(
        loss="squared_error",
        penalty=penalty,
        alpha=alpha,
        fit_intercept=settings.fit_intercept,
        optimizer=optimizer,
        schedule=schedule,
        batch_size=batch_size,
        shuffle=_shuffle(settings.shuffle),
        average=_average(settings.average, automatic and batch_size != "full"),
        metric=metric,
        tol=settings.tol,
        n_iter_no_change=settings.n_iter_no_change,
        automatic=settings.learning_rate == "auto",
        reason=reason,
        step_parameter=_step_parameter(settings.learning_rate),
    )


def _automatic_optimizer(data, online):
    """A known curvature makes plain steps enough; with its diagonal only, momentum pays."""
    if online:
        return optimizers.SGD(metric="diagonal")
    if data.n_features <= FULL_CURVATURE_FEATURES:
        return optimizers.SGD(metric="sketch")
    return optimizers.Nesterov(momentum=0.9, metric="diagonal")


def _automatic_batch(data, online):
    """All rows: steps without noise. A stream gets steps of a few dozen rows."""
    return 32 if online and data.n_rows > 32 else "full"


def _metric(name, data, alpha, fit_intercept):
    if name is None:
        return Metric()
    centre, scale = moments(data, fit_intercept)
    known = scale if centre is None else scale + centre
    if not np.isfinite(known).all():
        data.check_finite()
        column = int(np.argmin(np.isfinite(known)))
        raise ValueError(
            f"The mean or spread of column {column} of X overflows: its numbers are too "
            "large for sums in float64. Rescale the column."
        )
    if name == "diagonal":
        return Metric(centre, scale)
    return Metric(centre, scale, curvature_root(data, centre, scale, alpha))


def _schedule(settings, optimizer, metric, data, alpha, batch_size, automatic):
    """The schedule and, in words, where its step size comes from."""
    if settings.learning_rate != "auto":
        given = schedules.get_schedule(
            settings.learning_rate,
            eta0=settings.eta0,
            power_t=settings.power_t,
            alpha=settings.alpha,
        )
        return given, "as given"
    full = batch_size == "full" or batch_size >= data.n_rows
    if full and metric.root is not None and optimizer.momentum == 0:
        return schedules.Constant(1.0), "the Newton step: the curvature is known"
    data.check_finite()
    rows = data.n_rows if full else batch_size
    bound = stable_step(
        data, metric, rows, alpha, settings.fit_intercept, optimizer.momentum
    )
    share = SAFETY_FULL_BATCH if full else SAFETY_MINI_BATCH
    return schedules.Constant(share * bound), f"{share} of the stable step {bound:.3g}"


def _step_parameter(learning_rate):
    named = isinstance(learning_rate, str) and learning_rate not in ("auto", "optimal")
    return "eta0" if named or hasattr(learning_rate, "eta0") else "learning_rate"


def _shuffle(shuffle):
    if shuffle in ("rows", "blocks"):
        return shuffle
    return "rows" if shuffle else "sequential"


def _average(average, tail):
    """None, the first averaged step, or "tail"."""
    if average == "auto":
        return "tail" if tail else None
    if average == "tail":
        return "tail"
    return int(average) or None  # True: from the first step; False and 0: never
