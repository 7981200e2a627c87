"""Every "auto" becomes a number: the plan that a fit follows and reports as `plan_`."""

from dataclasses import dataclass, replace

from sgdreg import losses, optimizers, schedules
from sgdreg._metric import Metric
from sgdreg._moments import diagonal_metric
from sgdreg._sketch import Sketch, curvature_of
from sgdreg._smoothness import stable_step
from sgdreg._threads import one_blas_thread

# Up to this many features or rows the curvature is taken as it is, a matrix of this rank at
# most; beyond, its diagonal has to do. So does it where that matrix would not fit in a
# corner of memory.
FULL_CURVATURE_RANK = 1000
FULL_CURVATURE_BYTES = 2**27
# Up to this work (n d²) the curvature is that of all rows: some 50 ms.
EXACT_WORK = 2e8
# A sampled one is of this many rows a feature at least (with 8, steps do not contract; with
# 32 the gap falls fivefold a pass, with 64 tenfold), and of as many as take one or two
# passes' time.
SAMPLE_ROWS = 64
SAMPLE_PASSES = 2.4
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
    curvature : Curvature or None
        Where the metric comes from, if it is a full one.
    sketch : Sketch or None
        Which rows it was taken from.
    online : bool
        A plan for the next rows of a stream only.
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
    curvature: object = None
    sketch: object = None
    online: bool = False

    @property
    def sampled(self):
        """Whether the curvature is that of a sample of rows."""
        return self.sketch is not None and not self.sketch.exact

    def released(self):
        """The plan without hold of the data, to be kept with the model."""
        return replace(self, sketch=self.sketch and self.sketch.released())

    def sharper(self):
        """The plan with the curvature of four times as many rows."""
        curvature, sketch = self.sketch.larger().curvature()
        metric = curvature.metric(self.alpha)
        return replace(self, curvature=curvature, sketch=sketch, metric=metric)

    @property
    def certified(self):
        """Whether the curvature is known, and with it the optimality gap."""
        return self.metric.root is not None and not self.online

    def __repr__(self):
        if self.metric.root is not None:
            rank, d = self.metric.root.shape
            metric = f"curvature of the standardised features, rank {rank} of {d}"
            if self.sampled:
                metric += f", from {self.sketch.size} rows"
        elif self.metric.scale is not None:
            metric = "diagonal (centred and scaled features)"
        else:
            metric = "none (raw features)"
        average = self.average
        if isinstance(average, int):
            average = f"from step {average}"
        batches = str(self.batch_size)
        if self.batch_size != "full":
            batches += f" row{'s' * (batches != '1')} a step, order: {self.shuffle}"
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


def make_plan(settings, data, online=False, seen=None, rng=None):
    """Fill every slot from the estimator's parameters and, for "auto", from the data.

    Parameters
    ----------
    settings : object
        With the estimator's parameters as attributes.
    data : Data
        The rows to plan for.
    online : bool
        More rows may follow (`partial_fit`).
    seen : Curvature or None
        That of the rows of earlier calls.
    rng : numpy.random.Generator or None
        To sample rows with; None: the curvature is that of all rows.
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
        optimizer = _automatic_optimizer(data, alpha, online)
    elif settings.optimizer == "auto":
        optimizer = optimizers.SGD()  # SGDRegressor's own steps
    else:
        optimizer = optimizers.get_optimizer(settings.optimizer)
    curvature, sketch, metric = None, None, Metric()
    batch_size = settings.batch_size
    if batch_size == "auto":
        batch_size = "full" if automatic else 1
    average = _average(settings.average, automatic and batch_size != "full")
    if optimizer.metric == "diagonal":
        metric = diagonal_metric(data, settings.fit_intercept, alpha)
    elif optimizer.metric == "sketch":
        size = data.n_rows
        # Only steps on all rows, one model after the other, let a sample grow.
        newton = automatic and batch_size == "full" and average is None
        if newton and rng is not None:
            size = _sketch_size(data)
        with one_blas_thread():
            if seen is None and not online:
                sketch = Sketch(data, data.n_rows, settings.fit_intercept, size, rng)
                curvature, sketch = sketch.curvature()
            else:
                curvature = curvature_of(data, settings.fit_intercept, seen)
            metric = curvature.metric(alpha)
    share = None  # of the rows seen so far that a mini-batch of this stream is
    if online and curvature is not None and optimizer.momentum == 0:
        rows = data.n_rows if batch_size == "full" else min(batch_size, data.n_rows)
        share = rows / curvature.total
    schedule, reason = _schedule(
        settings, optimizer, metric, data, alpha, batch_size, share
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
        average=average,
        metric=metric,
        tol=settings.tol,
        n_iter_no_change=settings.n_iter_no_change,
        automatic=settings.learning_rate == "auto",
        reason=reason,
        step_parameter=_step_parameter(settings.learning_rate),
        curvature=curvature,
        sketch=sketch,
        online=online,
    )


def _automatic_optimizer(data, alpha, online):
    """A known curvature makes plain steps enough; with its diagonal only, momentum pays.

    In a stream the choice must be the same for every chunk, however few rows it has.
    """
    rank = data.n_features
    if not alpha and not online:
        rank = min(rank, data.n_rows)
    small = 8 * rank * data.n_features <= FULL_CURVATURE_BYTES
    if rank <= FULL_CURVATURE_RANK and small:
        return optimizers.SGD(metric="sketch")
    return optimizers.Nesterov(momentum=0.9, metric="diagonal")


def _sketch_size(data):
    """How many rows to take the curvature from."""
    n, d = data.n_rows, data.n_features
    if n * d**2 <= EXACT_WORK:
        return n
    return int(max(1000, SAMPLE_ROWS * d, SAMPLE_PASSES * n / d))


def _schedule(settings, optimizer, metric, data, alpha, batch_size, share):
    """The schedule and, in words, where its step size comes from.

    In a stream whose rows' curvature H is known, a step of the batch's share of the rows
    seen so far, w <- w - |B|/n · H⁻¹ g, is recursive least squares: after every call the
    weights are the optimum of all rows seen. It cannot run away, for H holds the batch.
    """
    if settings.learning_rate != "auto":
        given = schedules.get_schedule(
            settings.learning_rate,
            eta0=settings.eta0,
            power_t=settings.power_t,
            alpha=settings.alpha,
        )
        return given, "as given"
    if share is not None:
        return schedules.Constant(share), "the batch's share of the rows seen so far"
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
