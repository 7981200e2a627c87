"""Streams of problems other than least squares: iteratively reweighted least squares."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.constants import constants, loss_of_zero
from sgdreg._data.threads import ALONE
from sgdreg._records import changed
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.newton.squares import Quadratic
from sgdreg._solvers.parabolas import (
    SMALLER,
    SMALLEST,
    Slopes,
    parabola,
    residuals,
    size_of,
    slopes_of,
    weights_of,
)
from sgdreg._solvers.reservoir import Sample, rows_kept
from sgdreg._solvers.signs import optimum
from sgdreg._training.evaluation import Evaluation
from sgdreg._training.state import State
from sgdreg.losses import ask, is_squared, made_of_hinges

BY_BOUNDS = optimizers.InteriorPoint()

# The largest number of iterations, in which rows get new weights; they end where the
# residuals change by less than this share of their size.
ITERATIONS, STILL = 60, 1e-3
# Rows to which the loss gives no curvature get this share of the largest one, so that no
# direction is lost.
LEAST_CURVATURE = 1e-9
# The optimality gap to which problems with bounds are solved.
BOUND_TOL = 1e-10
# Typical residuals that have changed by less than this factor need no large parabolas
# first.
NEAR = 1.5
# With the linear term of dropped rows, the loss of the others may end above the least one
# on the way by this factor.
STRAYED = 1.05
# The first answer for steps along kinks is that of this many rows, for at most this many
# features, to this optimality gap, by at most this many steps.
MOST_ROWS, MOST_FEATURES, FIRST_TOL, FIRST_STEPS = 4096, 100, 1e-3, 50


def reweighted(data, plan, known, sample, near=None):
    """The curvature of the rows so far, weighted by L'(r)/r of their residuals.

    Its least squares are the optimum, where the weights are those of its own residuals:
    iteratively reweighted least squares (P. J. Green, JRSS B 46, 1984), on the new rows and
    on a sample of the old ones. From time to time all rows of the sample get new weights;
    until then, and where there are too many features for a sample, old rows keep the
    weights by the model of their time.

    Parameters
    ----------
    data : Data
        The new rows, of one output.
    plan : Plan
    known : Curvature or None
        That of the rows before.
    sample : Sample or None
        That of these rows.
    near : ndarray of shape (1, d + 1) or None
        The optimum for these rows, where it is known.

    Returns
    -------
    curvature : Curvature
    sample : Sample or None
        The sample with the new rows.
    answer : (Metric, ndarray of shape (1, d + 1)) or None
        `solved` of this curvature, where it has been computed.
    """
    if sample is None and rows_kept(data.n_features):
        sample = Sample.empty(data.n_features, known)
    if sample is None:
        found = _weighed([data], plan, known, known, near)
        return found.curvature, None, found.answer
    rows, base, due = [data], known, sample.due(data)
    if due:
        base = sample.base
        rows += [sample.data(data.loss)] if sample.seen else []
    weight = sample.weight + data.total_weight
    found = _weighed(rows, plan, known, base, near, sample, weight, due)
    if found.strayed:
        alone = changed(sample, slopes=None)
        found = _weighed(rows, plan, known, base, near, alone, weight, due)
    curvature, answer = found.curvature, found.answer
    if due and base is None and getattr(plan.loss, "dead", 0.0):
        better = _no_worse_than_a_constant(curvature, rows, plan, weight)
        curvature, answer = better, answer if better is curvature else None
    slopes, old = None, None
    if sample.overflows(data):
        slopes = Slopes.of(data, found.residuals[0], found.size)
    if sample.fills(data):
        old = Slopes.of_none()
        if sample.seen:
            old = Slopes.of(rows[1], found.residuals[1], found.size)
    grown = sample.add(data, slopes, old)
    waiting = 0.0 if due else sample.waiting + data.total_weight
    return curvature, changed(grown, size=found.size, waiting=waiting), answer


class Weighed(NamedTuple):
    """Rows weighed by the residuals of their own least squares.

    Attributes
    ----------
    curvature : Curvature
    size : float
        The typical size of the residuals.
    answer : (Metric, ndarray of shape (1, d + 1)) or None
        `solved` of the curvature; None where the last iteration has not computed it.
    residuals : list of ndarray
        By the last model of which they have been computed.
    strayed : bool
        Whether the linear term has led away from the optimum of the rows, as it may where
        they have hardly a slope against it.
    """

    curvature: object
    size: float
    answer: tuple | None
    residuals: list
    strayed: bool


def _weighed(rows, plan, known, base, start, before=None, weight=None, due=True):
    """The rows, a list of Data, weighed and added to the curvature `base`.

    The first residuals are by the answer of the curvature `known` (`start`, where that is
    computed already). `weight` is that of all rows afterwards.
    """
    curvature, total, answer = known, before and before.weight, None
    size, latest = (0.0 if due else before.size), None
    r, losses = None, []
    for number in range(ITERATIONS):
        parabolas, tilt = [(np.ones(data.n_rows), None) for data in rows], None
        if curvature is not None:
            if number or start is None:
                answer = solved(curvature, plan, total, STILL**2, start)
                start = answer[1]
            centre = curvature.mean if curvature.centred else None
            r = [residuals(data, start[0], centre) for data in rows]
            if due:
                size = size_of(rows, r)
            if latest is not None and size_of(rows, latest, r) <= STILL * size:
                break
            first, last = SMALLEST
            smallest = max(last, first * SMALLER**number)
            if not due or (before and before.size / NEAR < size < NEAR * before.size):
                smallest = last  # the model is near its optimum
            latest = r if smallest == last else None
            if len(rows) > 1 and before.slopes is not None:
                losses.append(_loss(rows, r))
                tilt = before.tilt(slopes_of(rows[1], r[1]))
            pairs = zip(rows, r, strict=True)
            parabolas = [parabola(data, e, smallest * size) for data, e in pairs]
        most = max(row_curvature.max() for row_curvature, _ in parabolas)
        if not most:
            break
        curvature, total, answer = base, weight, None
        for data, (row_curvature, targets) in zip(rows, parabolas, strict=True):
            raised = np.maximum(row_curvature, LEAST_CURVATURE * most)
            weighed = data.weighed(raised, targets)
            curvature = curvature_of(weighed, plan.fit_intercept, curvature)
        if tilt is not None and tilt.any():
            curvature = curvature.tilted(tilt)
    # With bounds the answer of an iteration is less exact than the last one has to be.
    answer = None if plan.penalty.proximal else answer
    strayed = bool(losses) and losses[-1] > STRAYED * min(losses)
    return Weighed(curvature, size, answer, r, strayed)


def _loss(rows, r):
    """The sum of the losses of rows at these residuals."""
    return sum(
        weights_of(data) @ ask(data.loss, y := data.targets[:, 0], y + e, "value")
        for data, e in zip(rows, r, strict=True)
    )


def _no_worse_than_a_constant(curvature, rows, plan, weight):
    """The curvature, or one with the best constant as its answer, if that is better.

    The parabola of a row in the dead zone holds the model where it is. If the weight of
    such a row is a million times that of the others, iterations make no progress.
    """
    metric, start = solved(curvature, plan, weight, STILL**2)
    y = np.concatenate([data.targets[:, 0] for data in rows])
    r = np.concatenate([residuals(data, start[0], metric.centre) for data in rows])
    weights = np.concatenate([weights_of(data) for data in rows])
    loss = weights @ ask(plan.loss, y, y + r, "value") / weights.sum()
    found = loss + plan.penalty.values(start[:, :-1])[0]
    best, at_best = np.zeros(1), loss_of_zero(y[:, None], weights, plan.loss)
    if plan.fit_intercept:
        best, at_best = constants(y[:, None], weights, plan.loss)
    if found <= at_best[0]:
        return curvature
    constant = np.append(np.zeros(curvature.n_features), best)[None]
    return curvature.solved_by(constant, None, 0.0)


def solved(curvature, plan, weight=None, tol=BOUND_TOL, near=None, team=ALONE):
    """The metric, and the optimum (k, d + 1) at its centre, by the curvature of rows.

    Parameters
    ----------
    curvature : Curvature
    plan : Plan
    weight : float or None
        Sum of the sample weights of the rows, without their curvature; None: one per row.
    tol : float
        The optimality gap up to which l1 or bounds by guessed signs are good enough.
        (Iterations ask for no more than STILL needs.)
    near : ndarray of shape (k, d + 1) or None
        Weights near the optimum.
    team : Team
    """
    penalty, share = plan.penalty, 1.0
    if not is_squared(plan.loss):
        share = curvature.rows_per_weight if weight is None else weight / curvature.total
    metric, start = curvature.solve(penalty.l2 * share, team)
    if not penalty.proximal or not len(curvature.triangle):  # of a single row: constants
        return metric, start
    near = start if near is None else near
    if _by_signs(curvature, metric, start, near, penalty, share, tol):
        return metric, start
    penalty = replace(penalty, l1=penalty.l1 * share, l2=penalty.l2 * share)
    quadratic, d = Quadratic.of(curvature, penalty), curvature.n_features
    Z, targets = curvature.features, curvature.triangle[:, d:]
    first = np.maximum(near, 0.0) if penalty.positive else near
    for output, coef in enumerate(first[:, :-1]):
        slope = Z.T @ (Z @ coef - targets[:, output]) / curvature.total
        start[output, :-1], *_ = quadratic.lowest(slope + penalty.l2 * coef, coef)
    start[:, -1] = curvature.centre[d:]
    return metric, start


def _by_signs(curvature, metric, start, near, penalty, share, tol):
    """Write the optimum into `start`, if it is found from the signs of `near`.

    Returns whether it was found. This takes half of the calls of a search by coordinates,
    which is most of the time of a row in a stream. A metric that lacks directions has
    several optima, and is left to that search.
    """
    d, scale = curvature.n_features, metric.scale
    if len(metric.root) < d or metric.constant.any():
        return False
    triangle = curvature.triangle / np.sqrt(curvature.total)
    Z, targets = triangle[:, :d] / scale, triangle[:, d:]
    l1, l2 = penalty.l1 * share / scale, penalty.l2 * share / scale / scale
    for output in range(targets.shape[1]):
        guess = near[output, :-1]
        u = optimum(Z, targets[:, output], l1, l2, penalty.positive, guess, tol)
        if u is None:
            return False
        start[output, :-1] = u / scale
    start[:, -1] = curvature.centre[d:]
    return True


def first_answer(data, start):
    """The weights that steps along kinks begin from, and the passes they have taken.

    They are the optimum for some of the first rows of a stream: steps from a constant at an
    extreme quantile are slow, since few rows have the larger slope.
    """
    plan, weights = start.plan, start.plan.constant_model(data)
    quick = data.n_features <= MOST_FEATURES
    if not quick or not made_of_hinges(data.loss) or not plan.fit_intercept:
        return weights, 0.0
    rows = data.some_rows(MOST_ROWS)
    plan = replace(plan, optimizer=BY_BOUNDS, online=False, average=None)
    small = changed(start, plan=plan, weights=weights)
    solver = InteriorPoint(rows, small)
    state = State.start(small, rows, None, flat=False)
    for _ in range(FIRST_STEPS):
        solver.run(state)
        if solver.gap <= FIRST_TOL:
            break
    before, after = (
        Evaluation(rows, small).objectives(Evaluation(rows, small).at(w))
        for w in (weights, state.weights)
    )
    weights[after < before] = state.weights[after < before]
    evaluations = 2.0
    return weights, (state.passes + evaluations) * rows.n_rows / data.n_rows
