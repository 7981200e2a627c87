"""From a plan and the rows to a start: the metric, first weights, the size of the steps."""

import numpy as np

from sgdreg._curvature.compiled_moments import compiled_moments
from sgdreg._curvature.costs import cost_of_all, sample_size, single_size
from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.low_rank import low_rank_metric
from sgdreg._curvature.metric import Metric, diagonal_metric
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.sample import Sketch
from sgdreg._curvature.single import single_metric
from sgdreg._data.rows import all_finite
from sgdreg._plan.plan import DIAGONAL, FULL, SINGLE
from sgdreg._plan.start import Start
from sgdreg._records import changed
from sgdreg._solvers.full_gradient import SMALLEST_TOL, USUAL_TOL
from sgdreg._solvers.newton.kinds import kind_of
from sgdreg._solvers.reweighted import first_answer, reweighted, solved
from sgdreg._solvers.step_size import penalty_beside, schedule_of
from sgdreg._training.state import generator_like
from sgdreg._training.statistics import NOTHING, Statistics
from sgdreg.losses import is_squared, made_of_hinges

# Up to this work (n d²) a model's curvature is that of all rows: its minimum is then the
# answer, and one pass tells so. (20,000 x 50 in 8.5 ms for 10.5, 10,000 x 100 in 9.3 for
# 11 to 16, 4,000 x 200 in 12 for 16 to 40; 40,000 x 100 in 25 for 17.)
MODEL_WORK = 2e8
# ... or in so many passes (of dense rows): with a sample's curvature it takes some 4 or 5.
# (200,000 x 50 in 0.039 s for 0.047, x 70 in 0.060 for 0.055, x 100 in 0.10 for 0.08.)
MODEL_PASSES = 3.5
# Up to so many features one read of rows that memory does not hold, for their products,
# takes less time than the five of a sample and steps: from a disk of 1.1 GB/s the two meet
# at 30 GFlop/s near 500.
ONE_READ_FEATURES = 500


def prepare(data, plan, seen=None, rng=None):
    """The start of a plan on these rows, and what has been learned of them.

    Parameters
    ----------
    data : Data
    plan : Plan
    seen : Statistics or None
        In a stream those of the rows before; None for the first rows.
    rng : numpy.random.Generator
        The generator for samples of rows. In a stream, whose curvature is that of all rows,
        it is not used.

    Returns
    -------
    start : Start
    learned : Statistics
        In a stream those of the rows before are included.
    """
    if not all_finite(data.zero_losses):
        raise ValueError(
            "The losses of y overflow: its numbers are too large for sums in float64. "
            "Rescale y."
        )
    fields, learned = _learned(data, plan, seen, rng)
    start = Start(plan, **{"metric": Metric()} | fields)
    if plan.recursive:
        reason = "to the least squares of all rows so far (recursive)"
        return changed(start, reason=reason), learned
    start = _weights(data, start, learned.curvature is not None, first=seen is None)
    return _steps(data, start, learned), learned


def _steps(data, start, learned):
    """The start with the schedule of its steps, or the reason why there is none."""
    plan = start.plan
    if plan.by_line_search:
        return changed(start, reason=start.reason or plan.optimizer.serves.step)
    if plan.schedule is not None:
        return changed(start, schedule=plan.schedule, reason="as given")
    schedule, reason, passes = schedule_of(data, start, learned.curvature)
    passes += start.passes
    return changed(start, schedule=schedule, reason=reason, passes=passes)


def _weights(data, start, solved, first):
    """The start with the weights that steps begin from, where they are automatic.

    Parameters
    ----------
    data : Data
    start : Start
    solved : bool
        Whether its weights are the optimum by a curvature of the rows.
    first : bool
        Whether there were no rows before.
    """
    plan = start.plan
    if not plan.hands_free:
        return changed(start, weights=None)
    if plan.online and plan.curvature != FULL:
        if plan.accumulates:
            return changed(start, weights=None)
        other = not is_squared(plan.loss) and plan.optimizer.metric != "sketch"
        if not (other and first):
            return changed(start, weights=plan.constant_model(data))
        weights, passes = first_answer(data, start)
        return changed(start, weights=weights, passes=start.passes + passes)
    if not plan.online and not plan.by_line_search and plan.quadratic:
        return changed(start, weights=None)
    # Of a custom loss least squares say nothing: it may be flat.
    if solved and plan.by_line_search and not plan.online and made_of_hinges(plan.loss):
        return changed(start, solved=True)
    # With averages or mini-batches of a stream, steps by the batch's share of the rows seen
    # so far, w <- w - |B|/n · H⁻¹ g, come near to the optimum for all rows.
    return changed(start, weights=plan.constant_model(data))


def _learned(data, plan, seen, rng):
    """(fields of the start about the coordinates of its steps, statistics)."""
    if plan.curvature is None:
        return {}, NOTHING
    if plan.accumulates:
        return _accumulated(data, plan, seen)
    if plan.curvature == FULL:
        return _full(data, plan, seen, rng)
    beside = penalty_beside(plan, data)
    find = compiled_moments if plan.optimizer.serves.by_model else None
    diagonal = diagonal_metric(data, plan.fit_intercept, beside, find)
    if not plan.penalty.separable:
        diagonal = diagonal.of_one_scale()
    if plan.curvature == DIAGONAL:
        return {"metric": diagonal, "passes": 1.0}, NOTHING
    if plan.online:  # a copy, so that the random numbers of the steps stay the same
        rng = generator_like(rng)
    if plan.curvature == SINGLE:
        size = data.n_rows  # which pays, or single precision would not have been chosen
        if plan.wide:
            size = single_size(size, data.n_features, plan.tol or USUAL_TOL)
        metric, rows = single_metric(data, diagonal, plan.penalty.l2, size, rng)
        known = metric.root is not None and metric.certain > 0
        if not known and plan.provable:  # double precision knows more directions
            return _full(data, plan, seen, rng)
        whole = rows == data.n_rows
        fields = {"metric": metric, "passes": 1.0 + rows / data.n_rows}
        return fields | {"rows": 0 if whole else rows}, NOTHING
    metric, rows = low_rank_metric(data, diagonal, plan.penalty.l2, rng)
    fields = {"metric": metric, "rows": rows, "passes": 1.0 + rows / data.n_rows}
    return fields, NOTHING


def _full(data, plan, seen, rng):
    if plan.recursive and data.n_outputs > 1 and not is_squared(plan.loss):
        return _of_each_output(data, plan, seen, rng)
    sketch, sample, weight, answer = None, None, None, None
    near = seen and seen.answer
    by_model = plan.optimizer.serves.by_model
    by_squares = by_model and kind_of(plan).shares_sample
    if plan.online:
        known = seen and seen.curvature
        if known is not None and known.centred != plan.fit_intercept:
            known = None
        curvature, sample, answer = _known_so_far(data, plan, known, seen)
        passes, weight = 1.0, sample and sample.weight
    else:
        size, work = data.n_rows, data.n_rows * data.n_features**2
        quick = not data.is_sparse and cost_of_all(data.n_features) <= MODEL_PASSES
        at_once = by_squares and (quick or work <= MODEL_WORK)
        if not data.rows.in_memory and is_squared(plan.loss):
            at_once = at_once or data.n_features <= ONE_READ_FEATURES
        # Only line searches are safe with the curvature of a sample, and can enlarge it.
        if plan.by_line_search and not at_once:
            tol = max(plan.tol or USUAL_TOL, SMALLEST_TOL)
            size = sample_size(data.n_rows, data.n_features, tol)
        sketch = Sketch(data, data.n_rows, plan.fit_intercept, size, rng)
        curvature, sketch = sketch.curvature()
        passes = sketch.cost
    if plan.shrinks and plan.kinked:
        metric, weights = curvature.solve(penalty_beside(plan, data))
    elif by_model:
        metric, weights = curvature.solve(plan.penalty.l2, data.team)
        known = kind_of(plan).answer(curvature, plan)
        weights = weights if known is None else known
    else:
        metric, weights = answer or solved(
            curvature, plan, weight, near=near, team=data.team
        )
    kept = weights if plan.recursive and not plan.quadratic else None
    fields = {"sketch": sketch, "metric": metric, "weights": weights, "passes": passes}
    return fields, Statistics(curvature, sample, answer=kept)


def _of_each_output(data, plan, seen, rng):
    """`_full` for the next rows of a stream whose outputs give them other weights."""
    fields, outputs = [], []
    for output in range(data.n_outputs):
        known = seen and seen.of_output(output)
        one, learned = _full(data.of_output(output), plan, known, rng)
        fields.append(one)
        outputs.append(learned)
    centre = fields[0]["metric"].centre
    weights = np.vstack([one["weights"] for one in fields])
    for own, one in zip(weights, fields, strict=True):
        if centre is not None:
            own[-1] += own[:-1] @ (centre - one["metric"].centre)
    return fields[0] | {"weights": weights}, Statistics(outputs=tuple(outputs))


def _known_so_far(data, plan, known, seen):
    """(curvature, sample, answer) of the rows of a stream, those before and the new ones.

    The answer is the metric and the optimum by that curvature, if they are known already.
    """
    if is_squared(plan.loss):
        return curvature_of(data, plan.fit_intercept, known), None, None
    sample = None if known is None else seen.sample
    return reweighted(data, plan, known, sample, seen and seen.answer)


def _accumulated(data, plan, seen):
    """`_learned` for the next rows of a stream with many features."""
    known = seen and seen.stream
    if known is None or known.centred != plan.fit_intercept:
        known = Stream.empty(data.n_features, data.n_outputs, plan.fit_intercept)
    reason = "to the least squares of the new rows, near the last answer"
    fields = {"metric": known.metric, "reason": reason, "passes": 1.0}
    return fields, Statistics(stream=known)
