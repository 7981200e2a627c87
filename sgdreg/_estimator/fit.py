"""One call of `fit`, `resume` or `partial_fit`: data → plan → state → training → result."""

import warnings
from contextlib import ExitStack
from functools import partial

import numpy as np

from sgdreg._callbacks.hooks import Hooks
from sgdreg._callbacks.progress import print_line
from sgdreg._data.dataset import Data
from sgdreg._data.draws import Draws, Seeds
from sgdreg._data.fingerprint import fingerprint, refuse_other_data
from sgdreg._data.threads import Team, one_blas_thread, within_floats
from sgdreg._data.units import exponent_of, joined, loss_in_unit, refuse_unit, within_reach
from sgdreg._estimator.attributes import MadeFor, all_attributes, attributes, of_scale
from sgdreg._estimator.chunked import rows_of
from sgdreg._estimator.inputs import (
    NoRows,
    check_init,
    check_validation,
    check_weights,
    check_X_y,
    hold_out,
)
from sgdreg._estimator.parameters import check_parameters
from sgdreg._estimator.transaction import NothingToDo
from sgdreg._estimator.unresolved import in_words, unresolved
from sgdreg._persistence.snapshot import alike, snapshot
from sgdreg._persistence.soundness import damage_noticed
from sgdreg._plan.choose import Sizes, choose, loss_of
from sgdreg._records import changed
from sgdreg._solvers.conclusion import conclude, conclude_call
from sgdreg._solvers.prepare import prepare
from sgdreg._solvers.registry import solver_of
from sgdreg._solvers.scale import (
    TIMES,
    automatic,
    is_by_scale,
    joint_scale,
    near_to,
    with_epsilon,
)
from sgdreg._training.loop import Training
from sgdreg._training.state import State
from sgdreg.losses import SQUARED_ERROR, Huber

# Calls between the user's line and `warnings.warn`, so that a warning points to that line.
DEPTH_OF_FIT, DEPTH_OF_PARTIAL_FIT = 7, 5


def fit(estimator, X, y, sample_weight, validation, start=None, checkpoint=None):
    """Train, as `SGDLinearRegressor.fit` says.

    Parameters
    ----------
    estimator : SGDLinearRegressor
        Only the names of the features are set on it.
    validation : dict
        X_val, y_val and sample_weight_val.
    start : dict or None
        coef_init and intercept_init.
    checkpoint : (dict, dict) or None
        State and memory of the fit that is continued.

    Returns
    -------
    attributes : dict
        The fitted attributes; the caller sets them on the estimator.
    warnings : list of str or Warning
    """
    parameters = snapshot(estimator)
    check_parameters(estimator, parameters, DEPTH_OF_FIT, **validation)
    with (
        within_floats(),
        one_blas_thread() as threads,
        Team(estimator.n_jobs, threads) as team,
        ExitStack() as on_exit,
    ):
        seen = {"X": X, "y": y}  # callbacks get the user's own objects
        if sample_weight is not None:
            seen["metadata"] = {"sample_weight": sample_weight}
        elsewhere = rows_of(estimator, X, y, sample_weight)
        if elsewhere is not None:
            X, y, weights = elsewhere
        else:
            X, y = check_X_y(estimator, X, y, reset=True)
            weights = check_weights(sample_weight, X, "sample_weight")
        state, memory = checkpoint or (None, None)
        seeds = Seeds(memory["entropy"] if memory else estimator.random_state)
        by_scale, held_out = is_by_scale(estimator), None
        loss = SQUARED_ERROR if by_scale else loss_of(estimator)
        data = Data.build(X, y.reshape(len(y), -1), weights, team=team, loss=loss)
        exponent = exponent_of(data, estimator.optimizer) or 0
        if exponent:
            data = data.in_unit(exponent, loss_in_unit(loss, exponent))
        elif within_reach(loss, data) is not loss:
            data = data.in_unit(0, within_reach(loss, data))
        if validation["X_val"] is not None:
            held_out = check_validation(estimator, y, team, **validation)
            if exponent:
                held_out = held_out.in_unit(exponent, SQUARED_ERROR)
            if not np.isfinite(held_out.constant_losses).all():
                raise ValueError(
                    "R² on the validation rows cannot be computed: the squares of y_val "
                    "(measured in the unit of y) overflow in float64. Rescale y_val."
                )
        elif estimator.early_stopping:
            share = estimator.validation_fraction
            data, held_out = hold_out(data, share, weights, seeds.child())
        flat = y.ndim == 1
        source = {
            "entropy": seeds.entropy,
            "data": fingerprint(data, flat),
            "validation": fingerprint(held_out, flat),
        }
        if memory is not None:
            refuse_other_data(source, memory)
        settings, near = estimator, None
        if by_scale:
            settings, data, near = _scaled(estimator, data, exponent, seeds)
        plan = choose(settings, Sizes.of(data), data.loss, exponent=exponent)
        begin, learned = prepare(data, plan, rng=Draws(seeds.child))
        if near is not None:
            begin = near_to(begin, near)
        if memory is None:
            state = _state(estimator, begin, data, seeds, flat, start, exponent)
        else:
            with damage_noticed(memory["where"]):
                for _ in range(memory["sharpened"]):
                    begin, curvature = begin.sharper()
                    learned = changed(learned, curvature=curvature)
                state = State.unpacked(state).checked(begin, data, flat, exponent)
        state.statistics = learned
        hooks = _hooks(estimator, seen, X.dtype, source, state, memory, on_exit)
        training = Training(data, begin, state, solver_of(data, begin), held_out, hooks)
        if memory is not None:
            with damage_noticed(memory["where"]):
                training.recall(memory)
            training.guarded = partial(damage_noticed, memory["where"], ValueError)
        outcome = conclude(training, *training.fit(estimator.max_iter))
        if hooks is not None:
            hooks.finish(outcome.start, outcome.state, outcome.weights, training.memory)
        columns = unresolved(outcome.start.metric, data, seen["X"])
        fitted = all_attributes(outcome, X.dtype, MadeFor(False, parameters))
    fitted |= {"_memory": source | training.memory(), "_told": columns}
    if by_scale:
        fitted |= of_scale(settings.epsilon, TIMES, X, y, fitted)
    return fitted, outcome.warnings + _of_columns(estimator, columns)


def partial_fit(estimator, X, y, sample_weight):
    """Run one epoch on these rows; returns the fitted attributes.

    Raises
    ------
    NothingToDo
        Where all weights are zero.
    """
    earlier, parameters = getattr(estimator, "_continuation", None), snapshot(estimator)
    first = earlier is None
    before, state = (None, None) if first else (earlier.start, earlier.state)
    known = not first and alike(earlier.made_for.parameters, parameters)
    depth = DEPTH_OF_PARTIAL_FIT
    check_parameters(estimator, parameters, depth, online=True, known=known)
    passed, told = X, getattr(estimator, "_told", [])
    with (
        within_floats(),
        one_blas_thread() as threads,
        Team(estimator.n_jobs, threads) as team,
    ):
        X, y = check_X_y(estimator, X, y, reset=first)
        if not first:
            shape = () if state.flat else (len(state.weights),)
            if y.shape[1:] != shape:
                raise ValueError(
                    f"y has shape {y.shape}, but the model was fitted to targets of shape "
                    f"{('n_samples', *shape)}."
                )
        try:
            weights = check_weights(sample_weight, X, "sample_weight")
        except NoRows as error:
            raise NothingToDo from error
        unit = None if first else state.weight_unit
        targets = y.reshape(len(y), -1)
        loss = loss_of(estimator)
        data = Data.build(X, targets, weights, weight_unit=unit, team=team, loss=loss)
        exponent = exponent_of(data, estimator.optimizer, online=True)
        exponent = exponent or 0 if first else joined(state, exponent)
        refuse_unit(exponent, estimator.optimizer, loss)
        if exponent:
            data = data.in_unit(exponent, loss_in_unit(loss, exponent))
        if first:
            seeds = Seeds(estimator.random_state)
            plan = choose(estimator, Sizes.of(data), data.loss, True, exponent)
            start, learned = prepare(data, plan, rng=Draws(seeds.child))
            rng = Draws(seeds.generator)
            state = State.start(start, data, rng, flat=y.ndim == 1)
            state.exponent = exponent
        else:
            unchanged = known
            if exponent != state.exponent:
                state, unchanged = state.in_unit(exponent), False
            start, learned = _online_start(estimator, data, before, unchanged, state)
            state = state.continued(before, start, data)
        state.statistics = learned
        training = Training(data, start, state, solver_of(data, start))
        training.one_epoch()
        outcome = conclude_call(training)
        fitted = all_attributes(outcome, X.dtype, MadeFor(True, parameters))
        columns = unresolved(outcome.start.metric, data, passed, told)
    for warning in _of_columns(estimator, columns):
        warnings.warn(warning, stacklevel=DEPTH_OF_PARTIAL_FIT - 1)
    if estimator.verbose:
        print_line(outcome.state.shown(outcome.state.history[-1]))
    return fitted | {"_told": told + columns if columns else told}


def _scaled(estimator, data, exponent, seeds):
    """(parameters, data, model) with the epsilon that the scale of the residuals gives."""
    settings, rng = automatic(with_epsilon(estimator, 1.0)), Draws(seeds.child)

    def begin(data):
        plan = choose(settings, Sizes.of(data), data.loss, exponent=exponent)
        return prepare(data, plan, rng=rng)

    scale, near = joint_scale(data, begin, solver_of)
    data = data.in_unit(0, Huber(TIMES * scale))
    epsilon = TIMES * float(np.ldexp(scale, exponent))
    return with_epsilon(estimator, epsilon), data, near


def _of_columns(estimator, columns):
    """The warning about columns that vary but are taken as constant, if there are any."""
    names = getattr(estimator, "feature_names_in_", None)
    return [UserWarning(in_words(columns, names))] if columns else []


def _state(estimator, begin, data, seeds, flat, start, exponent):
    """A new state, or the state of the last call where `warm_start` continues it."""
    fresh = not (estimator.warm_start and hasattr(estimator, "_continuation"))
    if not fresh and all(value is None for value in start.values()):
        before, state = estimator._continuation.start, estimator._continuation.state
        if exponent != state.exponent:
            state = state.in_unit(exponent)
        state = state.continued(before, begin, data)
        state.best, state.stale, state.reference = np.inf, 0, 0.0
        state.flat = flat
        scales = before.metric.scale, begin.metric.scale
        if begin.plan.automatic and not np.array_equal(*scales):
            # The average and the halved step belong to the rows of the last call.
            state.begin_anew(state.weights)
            state.factor = 1.0
        return state
    rng = Draws(seeds.generator)
    start = {name: check_init(value, data, name) for name, value in start.items()}
    coef = start["coef_init"]
    if estimator.positive and coef is not None and (coef < 0).any():
        raise ValueError(
            "coef_init has negative coefficients, which positive=True does not allow."
        )
    if exponent:
        start = {n: v if v is None else np.ldexp(v, -exponent) for n, v in start.items()}
    state = State.start(begin, data, rng, flat=flat, **start)
    state.exponent = exponent
    return state


def _online_start(estimator, data, before, unchanged, state):
    """The start for the next rows of a stream, and the statistics of all rows so far.

    Where nothing in the start comes from the rows, the last start is used again.
    Otherwise the new rows are added to the curvature of the rows seen so far. (The plan is
    chosen again only where it may differ, because a choice takes 40 µs.)
    """
    plan, seen = before.plan, state.statistics
    if unchanged and plan.online and not plan.automatic:
        return changed(before, passes=0.0), seen
    if unchanged and plan.recursive and (plan.quadratic or not data.is_sparse):
        plan = changed(plan, loss=data.loss)
    else:
        sizes, exponent = Sizes.of(data), state.exponent
        plan = choose(estimator, sizes, data.loss, online=True, exponent=exponent)
        seen = changed(seen, answer=None)  # it solves the problem of another plan
    return prepare(data, plan, seen, state.rng)


def _hooks(estimator, seen, dtype, source, state, memory, on_exit):
    """The hooks for callbacks and `verbose`; None without both, which saves their time."""
    if not getattr(estimator, "_skl_callbacks", None) and not estimator.verbose:
        return None
    left = estimator.max_iter
    if memory is not None:
        left = max(0, memory["began"] + left - state.epochs)

    def model(start, state, weights, training_memory):
        made_for = MadeFor(False, snapshot(estimator))
        fitted = attributes(start, state.copy(), weights, dtype, made_for)
        if training_memory is None:
            return fitted
        return fitted | {"_memory": source | training_memory()}

    return Hooks(estimator, seen, left, model, on_exit)
