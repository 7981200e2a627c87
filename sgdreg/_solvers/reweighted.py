"""Streams of other problems than least squares: by the curvature of weighed rows."""

from dataclasses import replace

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.metric import Metric
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.constants import constants, loss_of_zero
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._plan.plan import DIAGONAL
from sgdreg._plan.start import Start
from sgdreg._records import changed
from sgdreg._solvers.interior_point import InteriorPoint
from sgdreg._solvers.parabolas import (
    SMALLER,
    SMALLEST,
    parabola,
    residuals,
    size_of,
    weights_of,
)
from sgdreg._solvers.reservoir import Sample, rows_kept
from sgdreg._solvers.signs import optimum
from sgdreg._training.evaluation import Evaluation
from sgdreg._training.state import State
from sgdreg.losses import SQUARED_ERROR, ask, is_squared, made_of_hinges

BY_BOUNDS = optimizers.InteriorPoint()

# Rounds of weighing rows anew by their own fit, at most; done where residuals change by
# less than this share of their size.
ROUNDS, STILL = 25, 1e-3
# Rows that a loss leaves alone count by this share of the most: no direction is lost so.
LEAST_BEND = 1e-9
# The gap that bounds are met with, in so many steps at most.
BOUND_TOL, BOUND_STEPS = 1e-10, 50
# The first answer of steps along kinks: of so many rows, as many features, to this gap.
MOST_ROWS, MOST_FEATURES, FIRST_TOL = 4096, 100, 1e-3


def reweighted(data, plan, known, sample, near=None):
    """The curvature of the rows so far, weighed by L'(r)/r of their residuals.

    Its least squares is then where their slopes cancel: iteratively reweighted least
    squares (P. J. Green, JRSS B 46, 1984) on the new rows and on a sample of the old
    ones, which would otherwise keep the weights of a model long gone. Between times, and
    where there are too many features for a sample, they do keep them.

    Parameters
    ----------
    data : Data
        The new rows, of one output.
    plan : Plan
    known : Curvature or None
        That of the rows before.
    sample : Sample or None
        Of these rows.
    near : ndarray of shape (1, d + 1) or None
        Their answer, where it is known.

    Returns
    -------
    curvature : Curvature
    sample : Sample or None
        With the new rows.
    answer : (Metric, ndarray of shape (1, d + 1)) or None
        What `solved` says of the curvature, where it has been asked.
    """
    if sample is None and rows_kept(data.n_features):
        sample = Sample.empty(data.n_features, known)
    if sample is None:
        curvature, _, answer = _weighed([data], plan, known, known, near)
        return curvature, None, answer
    rows, base, grown = [data], known, sample.add(data)
    due = sample.due(grown.total - sample.total)
    if due:
        base = sample.base
        rows += [sample.data(data.loss)] if sample.seen else []
    curvature, size, answer = _weighed(rows, plan, known, base, near, sample, grown, due)
    if due and base is None and getattr(plan.loss, "dead", 0.0):
        better = _no_worse_than_a_constant(curvature, rows, plan, grown.weight)
        curvature, answer = better, answer if better is curvature else None
    waiting = 0.0 if due else sample.waiting + grown.total - sample.total
    return curvature, changed(grown, size=size, waiting=waiting), answer


def _weighed(rows, plan, known, base, start, before=None, after=None, due=True):
    """The curvature of `base` and rows (a list of Data) by their bends; residuals' size.

    Bends begin at the answer of `known`, `start` where that is known. The third
    part is the answer of the curvature, if the last round has asked for it.
    """
    curvature, weight, answer = known, before and before.weight, None
    size, latest = (0.0 if due else before.size), None
    for number in range(ROUNDS):
        parabolas = [(np.ones(data.n_rows), None) for data in rows]
        if curvature is not None:
            if number or start is None:
                answer = solved(curvature, plan, weight, STILL**2, start)
                start = answer[1]
            centre = curvature.mean if curvature.centred else None
            r = [residuals(data, start[0], centre) for data in rows]
            if due:
                size = size_of(rows, r)
            if latest is not None and size_of(rows, latest, r) <= STILL * size:
                break
            first, last = SMALLEST
            smallest = max(last, first * SMALLER**number)
            if not due or (before and before.size / 1.5 < size < 1.5 * before.size):
                smallest = last  # not far from where it was
            latest = r if smallest == last else None
            pairs = zip(rows, r, strict=True)
            parabolas = [parabola(data, e, smallest * size) for data, e in pairs]
        most = max(bends.max() for bends, _ in parabolas)
        if not most:
            break
        curvature, weight, answer = base, after and after.weight, None
        for data, (bends, targets) in zip(rows, parabolas, strict=True):
            weighed = data.weighed(np.maximum(bends, LEAST_BEND * most), targets)
            curvature = curvature_of(weighed, plan.fit_intercept, curvature)
    # Bounds are met less closely in between than in the end.
    return curvature, size, None if plan.penalty.proximal else answer


def _no_worse_than_a_constant(curvature, rows, plan, weight):
    """The curvature, or of the same directions one whose answer is the best constant.

    A row in a dead zone holds the model where it is, by the bend that it has outside: where
    its weight is a million times that of others, these do not move it in any time.
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


def solved(curvature, plan, weight=None, tol=BOUND_TOL, near=None):
    """The metric, and the optimum (k, d + 1) at its centre, of the rows of a curvature.

    `weight` is the sum of the rows' own weights, without their bends; None: one a row.
    `tol` is the gap that bounds are met with. (Rounds of weighing need not be closer than
    residuals that are still: a third of the steps less.) `near` is an answer nearby.
    """
    penalty, share = plan.penalty, 1.0
    if not is_squared(plan.loss):
        share = curvature.rows_per_weight if weight is None else weight / curvature.total
    metric, start = curvature.solve(penalty.l2 * share)
    if not penalty.proximal:
        return metric, start
    near = start if near is None else near
    if _by_signs(curvature, metric, start, near, penalty, share, tol):
        return metric, start
    # The same within bounds: the triangle's rows are a small data set of the same answer.
    d = curvature.n_features
    rows = curvature.triangle * np.sqrt(len(curvature.triangle) / curvature.total)
    X, y = (np.ascontiguousarray(part) for part in (rows[:, :d], rows[:, d:]))
    small = replace(
        plan,
        loss=SQUARED_ERROR,
        penalty=replace(penalty, l1=penalty.l1 * share, l2=penalty.l2 * share),
        optimizer=BY_BOUNDS,
        curvature=DIAGONAL,
        fit_intercept=False,
        online=False,
        average=None,
    )
    data = Data.build(X, y, loss=SQUARED_ERROR, team=ALONE)
    begin = Start(small, Metric(scale=metric.scale))
    rounds = InteriorPoint(data, begin)
    state = State.start(begin, data, np.random.default_rng(0), flat=False)
    for _ in range(BOUND_STEPS):
        rounds.run(state)
        if rounds.gap <= tol:
            break
    start[:, :-1] = state.weights[:, :-1]
    start[:, -1] = curvature.centre[d:]
    return metric, start


def _by_signs(curvature, metric, start, near, penalty, share, tol):
    """Put the optimum within bounds into `start`, where the signs of `near` lead to it.

    Where directions are lacking there may be several: those are not told apart so.
    """
    d, scale = curvature.n_features, metric.scale
    if len(metric.root) < d or metric.constant.any():
        return False
    triangle = curvature.triangle / np.sqrt(curvature.total)
    Z, targets = triangle[:, :d] / scale, triangle[:, d:]
    l1, l2 = penalty.l1 * share / scale, penalty.l2 * share / scale**2
    for output in range(targets.shape[1]):
        guess = near[output, :-1]
        u = optimum(Z, targets[:, output], l1, l2, penalty.positive, guess, tol)
        if u is None:
            return False
        start[output, :-1] = u / scale
    start[:, -1] = curvature.centre[d:]
    return True


def first_answer(data, start):
    """A start for steps along kinks: the answer of the first rows of a stream.

    And the passes over the rows that it took.

    From a constant at an extreme quantile few rows say where to go, and from zero the
    model is at first far worse than one.
    """
    plan, weights = start.plan, start.plan.constant_model(data)
    quick = data.n_features <= MOST_FEATURES
    if not quick or not made_of_hinges(data.loss) or not plan.fit_intercept:
        return weights, 0.0
    rows = data.some_rows(MOST_ROWS)
    plan = replace(plan, optimizer=BY_BOUNDS, online=False, average=None)
    small = changed(start, plan=plan, weights=weights)
    rounds = InteriorPoint(rows, small)
    state = State.start(small, rows, None, flat=False)
    for _ in range(BOUND_STEPS):
        rounds.run(state)
        if rounds.gap <= FIRST_TOL:
            break
    before, after = (
        Evaluation(rows, small).objectives(Evaluation(rows, small).at(w))
        for w in (weights, state.weights)
    )
    weights[after < before] = state.weights[after < before]
    return weights, (state.passes + 2.0) * rows.n_rows / data.n_rows
