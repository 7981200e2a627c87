"""Every "auto" becomes a number: from the estimator's parameters and the data to a plan."""

from copy import deepcopy
from numbers import Integral

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.costs import cost_of_density, sample_size
from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.low_rank import low_rank_metric
from sgdreg._curvature.metric import Metric, diagonal_metric
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.sample import Sketch
from sgdreg._plan.compatibility import refuse_idle_settings, refuse_mismatch, refuse_stream
from sgdreg._plan.plan import Plan
from sgdreg._records import changed
from sgdreg._solvers.reweighted import first_answer, reweighted, solved
from sgdreg._solvers.step_size import penalty_beside, schedule_of, step_parameter
from sgdreg._training.state import generator_like
from sgdreg.losses import compiled, get_loss, is_squared
from sgdreg.penalties import get_penalty

# Up to this many features or rows the curvature is taken as it is, a matrix of this rank at
# most; beyond, its diagonal and strongest directions have to do. So do they where that
# matrix would not fit in a corner of memory.
FULL_CURVATURE_RANK = 2000
FULL_CURVATURE_BYTES = 2**27
# Where a curvature of sparse rows takes more passes than this, conjugate gradients with the
# diagonal have as a rule arrived (docs/design-notes.md).
MOST_DENSE_PASSES = 20
# What finds the steps of the optimizers that find them.
STEP_FOUND = {
    optimizers.ConjugateGradient: "to where the objective is least along each direction",
    optimizers.InteriorPoint: "Newton's, as far as the bounds",
}
# Mini-batches for which a product with the curvature's inverse is not what takes the time
# (Jain et al., JMLR 2018: beyond d rows, larger ones gain no more than they cost).
BATCH_ROWS_A_FEATURE = 4
# A product with the curvature's inverse for so many rows a feature is about as quick as
# the passes over them (d² beside b d, at the speed of products in a cache).
FEATURES_A_ROW = 64
SMALLEST_BATCH = 32
# Steps an epoch with a custom penalty, each of which calls its prox: docs/design-notes.md.
PROXIMAL_STEPS = 64


def make_plan(settings, data, online=False, seen=None, rng=None, exponent=0):
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
    rng : numpy.random.Generator
        To sample rows with; online (where the curvature is that of all rows) it is left as
        it is.
    exponent : int
        The data's targets have been divided by 2^exponent.
    """
    if not np.isfinite(data.zero_losses).all():
        raise ValueError(
            "The losses of y overflow: its numbers are too large for sums in float64. "
            "Rescale y."
        )
    penalty = get_penalty(
        settings.penalty,
        alpha=settings.alpha,
        l1_ratio=settings.l1_ratio,
        positive=settings.positive,
    )
    own, shown = loss_of(settings), None
    if compiled(own) and own.below != data.loss.below:
        shown = own, penalty
    if exponent:
        shown = own, penalty
        penalty = penalty.in_unit(exponent)
    automatic = settings.optimizer == "auto" and settings.learning_rate == "auto"
    if automatic:
        optimizer = _automatic_optimizer(settings, data, penalty, online)
    elif settings.optimizer == "auto":
        optimizer = optimizers.SGD()  # SGDRegressor's own steps
    else:
        # A copy: the plan outlives what the user does to the parameters next.
        optimizer = deepcopy(optimizers.get_optimizer(settings.optimizer))
    by_line_search = optimizer.finds_steps
    if by_line_search:
        refuse_idle_settings(settings, optimizer, automatic)
    if not (automatic and online):
        refuse_mismatch(optimizer, data.loss, penalty)
    batch_size = _batch_size(settings, data, optimizer, penalty, automatic, online)
    # With kinks only averages converge, but for the answers that a stream's curvature has.
    kinks = data.loss.smoothness is None and not (online and optimizer.metric == "sketch")
    draft = Plan(
        loss=data.loss,
        penalty=penalty,
        fit_intercept=settings.fit_intercept,
        optimizer=optimizer,
        schedule=None,
        batch_size=batch_size,
        shuffle=_shuffle(settings.shuffle),
        average=_average(
            settings.average,
            optimizer,
            (automatic and batch_size != "full" and not by_line_search)
            or (settings.learning_rate == "auto" and kinks and not by_line_search),
        ),
        metric=Metric(),
        tol=settings.tol,
        n_iter_no_change=settings.n_iter_no_change,
        automatic=settings.learning_rate == "auto",
        reason=STEP_FOUND[type(optimizer)] if by_line_search else "",
        step_parameter=step_parameter(settings.learning_rate),
        online=online,
        wide=not _full_curvature(data, penalty.l2, True),
        provable=_provable(data, penalty.l2, optimizer),
        shown=shown,
    )
    plan = changed(draft, **_metric(draft, data, seen, rng))
    if automatic and online and plan.curvature is not None:
        plan = _recursive(plan, data)
    elif automatic and not online and (by_line_search or not plan.quadratic):
        solved = plan.curvature is not None and by_line_search
        start = plan.start if solved else plan.constant_model(data)
        plan = changed(plan, start=start, solved=solved)
    elif automatic and online and plan.stream is None:
        kinked = kinks and seen is None
        start = first_answer(data, plan) if kinked else plan.constant_model(data)
        plan = changed(plan, start=start)
    else:
        plan = changed(plan, start=None)
    if by_line_search or plan.recursive or plan.stream is not None:
        return plan
    schedule, reason = schedule_of(settings, plan, data)
    return changed(plan, schedule=schedule, reason=reason)


# ---------------------------------------------------------------------- slots


def loss_of(settings):
    """The loss, in the units of y."""
    loss = get_loss(settings.loss, epsilon=settings.epsilon, quantile=settings.quantile)
    return loss if isinstance(settings.loss, str) else deepcopy(loss)


def _automatic_optimizer(settings, data, penalty, online):
    """Conjugate gradients in the best metric that there is, unless steps are chosen.

    Mini-batches and averages need steps of a size: plain ones by a known curvature; with
    its diagonal only, momentum pays. In a stream the choice must be the same for every
    chunk, however few rows it has.
    """
    full = _full_curvature(data, penalty.l2, online)
    if penalty.proximal or not is_squared(data.loss):
        return _for_bounds(settings, data, penalty, online)
    if not _steps_chosen(settings) and not online:
        low_rank = not data.is_sparse
        return optimizers.ConjugateGradient(
            metric="sketch" if full or low_rank else "diagonal"
        )
    if full:
        return optimizers.SGD(metric="sketch")
    if online:
        return optimizers.ConjugateGradient(metric="diagonal")
    return optimizers.Nesterov(momentum=0.9, metric="diagonal")


def _for_bounds(settings, data, penalty, online):
    """The optimizer for what is not least squares: an interior point, where there is one.

    With too many features for it, a custom penalty or mini-batches: in the features'
    scale, variance reduced where the loss is smooth, and plain with shrinking steps where
    it is not.
    """
    smooth, chosen = data.loss.smoothness is not None, _steps_chosen(settings)
    few = data.n_features <= FULL_CURVATURE_RANK and penalty.custom is None
    if online:
        refuse_stream(penalty)
        alike = is_squared(data.loss) or data.n_outputs == 1
        by_rows = few and alike and not chosen
        by_rows = by_rows and _full_curvature(data, penalty.l2, False)
        return optimizers.SGD(metric="sketch" if by_rows else "diagonal")
    if few and not chosen and (smooth or compiled(data.loss)):
        return optimizers.InteriorPoint()
    if smooth and settings.average in ("auto", "tail", False):
        return optimizers.SVRG(metric="diagonal")
    quick = data.n_features <= FEATURES_A_ROW * _kinked_batch(settings, data)
    whole = quick and not penalty.proximal and _full_curvature(data, penalty.l2, False)
    return optimizers.SGD(metric="sketch" if whole and not smooth else "diagonal")


def _kinked_batch(settings, data):
    """Rows of a step along kinks: enough that reading them is what takes the time.

    But some thirty steps an epoch, as only steps make progress.
    """
    size = settings.batch_size
    if size == "auto":
        least = max(SMALLEST_BATCH, int(data.n_features / data.row_size))
        size = max(1, min(least, data.n_rows // SMALLEST_BATCH))
    return data.n_rows if size == "full" else size


def _steps_chosen(settings):
    """Whether mini-batches or an average are asked for, which need steps of a size."""
    return settings.batch_size not in ("auto", "full") or settings.average not in (
        "auto",
        False,
    )


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


def _provable(data, alpha, optimizer):
    """Whether the curvature of all rows may be taken for the certificate alone.

    Without a metric nothing else can be believed: what steps meet of raw features may be
    their offsets, or the largest of their scales.
    """
    if optimizer.metric is None and _full_curvature(data, alpha, True):
        return True
    return _full_curvature(data, alpha, False)


def _metric(plan, data, seen, rng):
    """The plan's fields about the coordinates of its steps."""
    kind = plan.optimizer.metric
    if kind is None:
        return {}
    if plan.online and kind == "diagonal" and plan.by_line_search:
        return _stream(plan, data, seen)
    if kind == "sketch" and _full_curvature(data, plan.penalty.l2, plan.online):
        return _full_metric(plan, data, seen, rng)
    diagonal = diagonal_metric(data, plan.fit_intercept, penalty_beside(plan, data))
    if not plan.penalty.separable:
        diagonal = diagonal.of_one_scale()
    if kind == "diagonal":
        return {"metric": diagonal, "passes": 1.0}
    if data.is_sparse:
        raise ValueError(
            f"metric='sketch' needs a dense X or at most {FULL_CURVATURE_RANK} features, "
            f"got {data.n_features}. Use metric='diagonal'."
        )
    if plan.online:  # the steps' own generator: its draws stay as they are
        rng = generator_like(rng)
    metric, rows = low_rank_metric(data, diagonal, plan.penalty.l2, rng)
    return {"metric": metric, "rows": rows, "passes": 1.0 + rows / data.n_rows}


def _full_metric(plan, data, seen, rng):
    size, sketch, sample, weight = data.n_rows, None, None, None
    # Only line searches are safe with a sampled curvature, and let the sample grow.
    if plan.by_line_search:
        size = sample_size(data.n_rows, data.n_features, max(plan.tol or 1e-8, 1e-14))
    if plan.online:
        known = seen and seen.curvature
        if known is not None and known.centred != plan.fit_intercept:
            known = None
        curvature, sample = _known_so_far(plan, data, known, seen)
        passes, weight = 1.0, sample and sample.weight
    else:
        sketch = Sketch(data, data.n_rows, plan.fit_intercept, size, rng)
        curvature, sketch = sketch.curvature()
        passes = sketch.cost
    if plan.shrinks:
        metric, start = curvature.solve(penalty_beside(plan, data))
    else:
        metric, start = solved(curvature, plan, weight)
    return {
        "curvature": curvature,
        "sample": sample,
        "sketch": sketch,
        "metric": metric,
        "start": start,
        "passes": passes,
    }


def _known_so_far(plan, data, known, seen):
    """The curvature of the rows of a stream, those before and new ones; their sample."""
    if is_squared(plan.loss):
        return curvature_of(data, plan.fit_intercept, known), None
    sample = None if known is None else seen.sample
    return reweighted(data, plan, known, sample)


def _stream(plan, data, seen):
    """The fields of a plan for the next rows of a stream of many features."""
    known = seen and seen.stream
    if known is None or known.centred != plan.fit_intercept:
        known = Stream.empty(data.n_features, data.n_outputs, plan.fit_intercept)
    reason = "to the least squares of the new rows, near the last answer"
    return {"stream": known, "metric": known.metric, "reason": reason, "passes": 1.0}


def _recursive(plan, data):
    """A stream's next answer: the least squares of all its rows so far.

    With averages or mini-batches, steps of the batch's share of the rows seen so far,
    w <- w - |B|/n · H⁻¹ g, come near to it (`schedule_of`), from the first rows' constant.
    """
    if plan.batch_size != "full" or plan.average is not None:
        return changed(plan, start=plan.constant_model(data))
    return changed(
        plan,
        recursive=True,
        reason="to the least squares of all rows so far (recursive)",
    )


def _batch_size(settings, data, optimizer, penalty, automatic, online):
    if optimizer.finds_steps and not automatic:
        return "full"
    if settings.batch_size != "auto":
        return settings.batch_size
    kinks = data.loss.smoothness is None
    if automatic and penalty.custom is not None and not kinks:
        return -(-data.n_rows // PROXIMAL_STEPS)
    if automatic and kinks and not optimizer.finds_steps:
        return "full" if online else _kinked_batch(settings, data)
    if automatic:
        return "full"
    if type(optimizer) is optimizers.SVRG and optimizer.metric == "sketch":
        return min(data.n_rows, BATCH_ROWS_A_FEATURE * (data.n_features + 1))
    return 1


def _shuffle(shuffle):
    if shuffle in ("rows", "blocks", "replacement"):
        return shuffle
    return "rows" if shuffle else "sequential"


def _average(average, optimizer, tail):
    """None, the first averaged step, "tail", or the factor of an exponential average."""
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
    if not isinstance(average, Integral | np.bool_):
        return float(average)
    return int(average) or None  # True: from the first step; False and 0: never


def sampling_rng(seeds):
    """The generator that rows are sampled by; it leaves that of the steps alone."""
    return np.random.default_rng(seeds.spawn(1)[0])
