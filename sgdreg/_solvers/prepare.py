"""What the rows add to a plan: the metric, where to start, the size of the steps."""

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.costs import sample_size
from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.low_rank import low_rank_metric
from sgdreg._curvature.metric import Metric, diagonal_metric
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.sample import Sketch
from sgdreg._plan.plan import DIAGONAL, FULL
from sgdreg._plan.start import Start
from sgdreg._records import changed
from sgdreg._solvers.newton.kinds import kind_of
from sgdreg._solvers.reweighted import first_answer, reweighted, solved
from sgdreg._solvers.step_size import penalty_beside, schedule_of
from sgdreg._training.state import generator_like
from sgdreg.losses import is_squared

# Up to this work (n d²) a model's curvature is that of all rows: its minimum is then the
# answer, and one pass tells so. (20,000 x 50 in 8.5 ms for 10.5, 10,000 x 100 in 9.3 for
# 11 to 16, 4,000 x 200 in 12 for 16 to 40; 40,000 x 100 in 25 for 17.)
MODEL_WORK = 2e8


def prepare(data, plan, seen=None, rng=None):
    """Where the steps of a plan begin on these rows, and how.

    Parameters
    ----------
    data : Data
    plan : Plan
    seen : Start or None
        Of a stream: that of the rows before.
    rng : numpy.random.Generator
        To sample rows with; online (where the curvature is that of all rows) it is left as
        it is.

    Returns
    -------
    Start
    """
    if not np.isfinite(data.zero_losses).all():
        raise ValueError(
            "The losses of y overflow: its numbers are too large for sums in float64. "
            "Rescale y."
        )
    learned = _learned(data, plan, seen, rng)
    start = Start(plan, **{"metric": Metric()} | learned)
    if plan.recursive:
        reason = "to the least squares of all rows so far (recursive)"
        return changed(start, reason=reason)
    start = _weights(data, start, first=seen is None)
    if plan.by_line_search:
        return changed(start, reason=start.reason or plan.optimizer.serves.step)
    if plan.schedule is not None:
        return changed(start, schedule=plan.schedule, reason="as given")
    schedule, reason, passes = schedule_of(data, start)
    passes += start.passes
    return changed(start, schedule=schedule, reason=reason, passes=passes)


def sampling_rng(seeds):
    """The generator that rows are sampled by; it leaves that of the steps alone."""
    return np.random.default_rng(seeds.spawn(1)[0])


def _weights(data, start, first):
    """The start with the weights that steps begin from, where they are chosen here."""
    plan = start.plan
    if not plan.hands_free:
        return changed(start, weights=None)
    if plan.online and plan.curvature != FULL:
        if plan.accumulates:
            return changed(start, weights=None)
        kinks = plan.loss.smoothness is None and plan.optimizer.metric != "sketch"
        if not (kinks and first):
            return changed(start, weights=plan.constant_model(data))
        weights, passes = first_answer(data, start)
        return changed(start, weights=weights, passes=start.passes + passes)
    if not plan.online and not plan.by_line_search and plan.quadratic:
        return changed(start, weights=None)
    solves = start.curvature is not None and plan.by_line_search and not plan.online
    if solves:
        return changed(start, solved=True)
    # With averages or mini-batches of a stream, steps of the batch's share of the rows seen
    # so far, w <- w - |B|/n · H⁻¹ g, come near to its answer.
    return changed(start, weights=plan.constant_model(data))


def _learned(data, plan, seen, rng):
    """The fields of a start about the coordinates of its steps."""
    if plan.curvature is None:
        return {}
    if plan.accumulates:
        return _accumulated(data, plan, seen)
    if plan.curvature == FULL:
        return _full(data, plan, seen, rng)
    diagonal = diagonal_metric(data, plan.fit_intercept, penalty_beside(plan, data))
    if not plan.penalty.separable:
        diagonal = diagonal.of_one_scale()
    if plan.curvature == DIAGONAL:
        return {"metric": diagonal, "passes": 1.0}
    if plan.online:  # the steps' own generator: its draws stay as they are
        rng = generator_like(rng)
    metric, rows = low_rank_metric(data, diagonal, plan.penalty.l2, rng)
    return {"metric": metric, "rows": rows, "passes": 1.0 + rows / data.n_rows}


def _full(data, plan, seen, rng):
    sketch, sample, weight, answer = None, None, None, None
    near = seen and seen.weights
    if plan.online:
        known = seen and seen.curvature
        if known is not None and known.centred != plan.fit_intercept:
            known = None
        curvature, sample, answer = _known_so_far(data, plan, known, seen)
        passes, weight = 1.0, sample and sample.weight
    else:
        size, work = data.n_rows, data.n_rows * data.n_features**2
        at_once = type(plan.optimizer) is optimizers.Newton and work <= MODEL_WORK
        # Only line searches are safe with a sampled curvature, and let the sample grow.
        if plan.by_line_search and not at_once:
            size = sample_size(data.n_rows, data.n_features, max(plan.tol or 1e-8, 1e-14))
        sketch = Sketch(data, data.n_rows, plan.fit_intercept, size, rng)
        curvature, sketch = sketch.curvature()
        passes = sketch.cost
    if plan.shrinks:
        metric, weights = curvature.solve(penalty_beside(plan, data))
    elif type(plan.optimizer) is optimizers.Newton:
        metric, _ = curvature.solve(plan.penalty.l2)
        weights = kind_of(plan).answer(curvature, plan)
    else:
        metric, weights = answer or solved(curvature, plan, weight, near=near)
    return {
        "curvature": curvature,
        "sample": sample,
        "sketch": sketch,
        "metric": metric,
        "weights": weights,
        "passes": passes,
    }


def _known_so_far(data, plan, known, seen):
    """The curvature of the rows of a stream, those before and new ones; their sample.

    And the metric and answer that it has, if these are known by then.
    """
    if is_squared(plan.loss):
        return curvature_of(data, plan.fit_intercept, known), None, None
    sample = None if known is None else seen.sample
    return reweighted(data, plan, known, sample, seen and seen.weights)


def _accumulated(data, plan, seen):
    """The fields for the next rows of a stream of many features."""
    known = seen and seen.stream
    if known is None or known.centred != plan.fit_intercept:
        known = Stream.empty(data.n_features, data.n_outputs, plan.fit_intercept)
    reason = "to the least squares of the new rows, near the last answer"
    return {"stream": known, "metric": known.metric, "reason": reason, "passes": 1.0}
