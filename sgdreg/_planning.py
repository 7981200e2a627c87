"""Every "auto" becomes a number: from the estimator's parameters and the data to a plan."""

from dataclasses import replace

import numpy as np

from sgdreg import losses, optimizers, schedules
from sgdreg._metric import Metric
from sgdreg._moments import diagonal_metric
from sgdreg._nystrom import low_rank_metric
from sgdreg._plan import Plan
from sgdreg._sketch import Sketch, cost_of_density, curvature_of, sample_size
from sgdreg._smoothness import stable_step
from sgdreg._stream import Stream
from sgdreg._threads import one_blas_thread

# Up to this many features or rows the curvature is taken as it is, a matrix of this rank at
# most; beyond, its diagonal and strongest directions have to do. So do they where that
# matrix would not fit in a corner of memory.
FULL_CURVATURE_RANK = 2000
FULL_CURVATURE_BYTES = 2**27
# Where a curvature of sparse rows takes more passes than this, conjugate gradients with the
# diagonal have as a rule arrived (docs/design-notes.md).
MOST_DENSE_PASSES = 20
# Mini-batches for which a product with the curvature's inverse is not what takes the time
# (Jain et al., JMLR 2018: beyond d rows, larger ones gain no more than they cost).
BATCH_ROWS_A_FEATURE = 4
# Where the step comes from the data: this share of the largest stable step. For mini
# batches the bound holds in expectation, so it is kept well away from.
SAFETY_FULL_BATCH = 0.475
SAFETY_MINI_BATCH = 0.3


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
    seen : Plan or None
        That of the rows of earlier calls.
    rng : numpy.random.Generator or None
        To sample rows with; None (online): the curvature is that of all rows.
    """
    losses.get_loss(settings.loss)
    if not np.isfinite(data.zero_losses).all():
        raise ValueError(
            "The squares of y overflow: its numbers are too large for sums in float64. "
            "Rescale y."
        )
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
        optimizer = _automatic_optimizer(settings, data, alpha, online)
    elif settings.optimizer == "auto":
        optimizer = optimizers.SGD()  # SGDRegressor's own steps
    else:
        optimizer = optimizers.get_optimizer(settings.optimizer)
    by_line_search = type(optimizer) is optimizers.ConjugateGradient
    if by_line_search:
        _refuse_idle_settings(settings, automatic)
    batch_size = _batch_size(settings, data, optimizer, automatic)
    draft = Plan(
        loss="squared_error",
        penalty=penalty,
        alpha=alpha,
        fit_intercept=settings.fit_intercept,
        optimizer=optimizer,
        schedule=None,
        batch_size=batch_size,
        shuffle=_shuffle(settings.shuffle),
        average=_average(
            settings.average,
            optimizer,
            automatic and batch_size != "full" and not by_line_search,
        ),
        metric=Metric(),
        tol=settings.tol,
        n_iter_no_change=settings.n_iter_no_change,
        automatic=settings.learning_rate == "auto",
        reason="to where the objective is least along each direction",
        step_parameter=_step_parameter(settings.learning_rate),
        online=online,
        wide=not _full_curvature(data, alpha, True),
    )
    with one_blas_thread():
        plan = replace(draft, **_metric(draft, data, seen, rng))
        if automatic and online and plan.curvature is not None:
            plan = _recursive(plan)
        elif automatic and by_line_search and not online:
            solved = plan.curvature is not None
            start = plan.start if solved else plan.constant_model(data)
            plan = replace(plan, start=start, solved=solved)
        else:
            plan = replace(plan, start=None)
    if by_line_search or plan.recursive or plan.stream is not None:
        return plan
    schedule, reason = _schedule(settings, plan, data)
    return replace(plan, schedule=schedule, reason=reason)


# ---------------------------------------------------------------------- slots


def _automatic_optimizer(settings, data, alpha, online):
    """Conjugate gradients in the best metric that there is, unless steps are chosen.

    Mini-batches and averages need steps of a size: plain ones by a known curvature; with
    its diagonal only, momentum pays. In a stream the choice must be the same for every
    chunk, however few rows it has.
    """
    full = _full_curvature(data, alpha, online)
    chosen = settings.batch_size not in ("auto", "full")
    chosen = chosen or settings.average not in ("auto", False)
    if not chosen and not online:
        low_rank = not data.is_sparse
        return optimizers.ConjugateGradient(
            metric="sketch" if full or low_rank else "diagonal"
        )
    if full:
        return optimizers.SGD(metric="sketch")
    if online:
        return optimizers.ConjugateGradient(metric="diagonal")
    return optimizers.Nesterov(momentum=0.9, metric="diagonal")


def _full_curvature(data, alpha, online):
    """Whether the curvature of all directions is small enough to be kept.

    And whether that of a sparse X is worth its time, which is that of a dense one.
    """
    if data.is_sparse and not online and cost_of_density(data) > MOST_DENSE_PASSES:
        return False
    rank = data.n_features
    if not alpha and not online:
        rank = min(rank, data.n_rows)
    small = 8 * rank * data.n_features <= FULL_CURVATURE_BYTES
    return rank <= FULL_CURVATURE_RANK and small


def _metric(plan, data, seen, rng):
    """The plan's fields about the coordinates of its steps."""
    kind = plan.optimizer.metric
    if kind is None:
        return {}
    if plan.online and kind == "diagonal" and plan.by_line_search:
        return _stream(plan, data, seen)
    if kind == "sketch" and _full_curvature(data, plan.alpha, plan.online):
        return _full_metric(plan, data, seen, rng)
    diagonal = diagonal_metric(data, plan.fit_intercept, plan.alpha)
    if kind == "diagonal":
        return {"metric": diagonal, "passes": 1.0}
    if data.is_sparse:
        raise ValueError(
            f"metric='sketch' needs a dense X or at most {FULL_CURVATURE_RANK} features, "
            f"got {data.n_features}. Use metric='diagonal'."
        )
    metric, rows = low_rank_metric(data, diagonal, plan.alpha, rng)
    return {"metric": metric, "rows": rows, "passes": 1.0 + rows / data.n_rows}


def _full_metric(plan, data, seen, rng):
    size, sketch = data.n_rows, None
    # Only line searches are safe with a sampled curvature, and let the sample grow.
    if plan.by_line_search:
        size = sample_size(data.n_rows, data.n_features, max(plan.tol or 1e-8, 1e-14))
    if plan.online:
        known = seen and seen.curvature
        if known is not None and known.centred != plan.fit_intercept:
            known = None
        curvature, passes = curvature_of(data, plan.fit_intercept, known), 1.0
    else:
        sketch = Sketch(data, data.n_rows, plan.fit_intercept, size, rng)
        curvature, sketch = sketch.curvature()
        passes = sketch.cost
    metric, start = curvature.solve(plan.alpha)
    return {
        "curvature": curvature,
        "sketch": sketch,
        "metric": metric,
        "start": start,
        "passes": passes,
    }


def _stream(plan, data, seen):
    """The fields of a plan for the next rows of a stream of many features."""
    known = seen and seen.stream
    if known is None or known.centred != plan.fit_intercept:
        known = Stream.empty(data.n_features, data.n_outputs, plan.fit_intercept)
    reason = "to the least squares of the new rows, near the last answer"
    return {"stream": known, "metric": known.metric, "reason": reason, "passes": 1.0}


def _recursive(plan):
    """A stream's next answer: the least squares of all its rows so far.

    With averages or mini-batches, steps of the batch's share of the rows seen so far,
    w <- w - |B|/n · H⁻¹ g, come near to it (`_schedule`).
    """
    if plan.batch_size != "full" or plan.average is not None:
        return replace(plan, start=None)
    return replace(
        plan,
        recursive=True,
        reason="to the least squares of all rows so far (recursive)",
    )


def _schedule(settings, plan, data):
    """The schedule and, in words, where its step size comes from."""
    if settings.learning_rate != "auto":
        given = schedules.get_schedule(
            settings.learning_rate,
            eta0=settings.eta0,
            power_t=settings.power_t,
            alpha=settings.alpha,
        )
        return given, "as given"
    optimizer, metric = plan.optimizer, plan.metric
    full = plan.batch_size == "full" or plan.batch_size >= data.n_rows
    rows = data.n_rows if full else plan.batch_size
    if plan.online and plan.curvature is not None and optimizer.momentum == 0:
        share = rows / plan.curvature.total
        return schedules.Constant(share), "the batch's share of the rows seen so far"
    if full and metric.full and optimizer.momentum == 0:
        return schedules.Constant(1.0), "the Newton step: the curvature is known"
    data.check_finite()
    bound = stable_step(
        data, metric, rows, plan.alpha, plan.fit_intercept, optimizer.momentum
    )
    share = SAFETY_FULL_BATCH if full else SAFETY_MINI_BATCH
    return schedules.Constant(share * bound), f"{share} of the stable step {bound:.3g}"


def _batch_size(settings, data, optimizer, automatic):
    if type(optimizer) is optimizers.ConjugateGradient and not automatic:
        return "full"
    if settings.batch_size != "auto":
        return settings.batch_size
    if automatic:
        return "full"
    if type(optimizer) is optimizers.SVRG and optimizer.metric == "sketch":
        return min(data.n_rows, BATCH_ROWS_A_FEATURE * (data.n_features + 1))
    return 1


def _refuse_idle_settings(settings, automatic):
    """Conjugate gradients take all rows and find their steps: nothing else is theirs.

    Streams ("auto") may be cut into batches.
    """
    for name, idle in (("learning_rate", "auto"), ("batch_size", "auto")):
        value = getattr(settings, name)
        if value not in (idle, "full") and not automatic:
            raise ValueError(
                f"{name}={value!r} does not go with conjugate gradients, which step on all "
                f"rows and find each step's size themselves: leave it at {idle!r}."
            )
    if settings.average not in ("auto", False):
        raise ValueError(
            f"average={settings.average!r} does not go with conjugate gradients (here, the "
            "steps of optimizer='auto'), whose last weights are their best: leave it at "
            "'auto'."
        )


def _step_parameter(learning_rate):
    named = isinstance(learning_rate, str) and learning_rate not in ("auto", "optimal")
    return "eta0" if named or hasattr(learning_rate, "eta0") else "learning_rate"


def _shuffle(shuffle):
    if shuffle in ("rows", "blocks"):
        return shuffle
    return "rows" if shuffle else "sequential"


def _average(average, optimizer, tail):
    """None, the first averaged step, or "tail"."""
    rounds = type(optimizer) is optimizers.SVRG
    if average == "auto":
        return "tail" if tail or rounds else None
    if average == "tail":
        return "tail"
    if rounds and average:
        raise ValueError(
            f"average={average!r} does not go with SVRG, which averages over the later "
            "half of each epoch's steps: use 'tail' or False."
        )
    return int(average) or None  # True: from the first step; False and 0: never


def sampling_rng(seeds):
    """The generator that rows are sampled by; it leaves that of the steps alone."""
    return np.random.default_rng(seeds.spawn(1)[0])
