"""The end of a fit: the model that is returned, and the messages about it."""

from sgdreg._curvature.rounding import rounded
from sgdreg._solvers.continuation import answered
from sgdreg._solvers.returned import Returned, Search, of_stream
from sgdreg._solvers.shortfall import FAR, shortfall, too_far
from sgdreg._training.divergence import judge
from sgdreg._training.outcome import Outcome
from sgdreg._training.stopping import STOP, in_words


def conclude(training, converged, reason, losses):
    """The outcome of a fit, from what `Training.fit` has returned."""
    plan, model = training.plan, training.model()
    start, state = training.start, training.state
    loss, curvature = float(losses.sum()), training.solver.curvature
    point = getattr(training.solver, "point", None)
    known = state.statistics, model, loss, curvature, point
    learned = answered(training.data, start, *known)
    returned = _returned(training, model, losses)
    if converged is None and training.verdict == STOP and plan.shrinks and plan.kinked:
        converged, reason = _bounded(training, reason)
    warnings = [reason] if converged is False else []
    if converged is None and training.verdict == STOP and plan.too_large:
        warnings = [] if training.validation is not None else [_unknown(training, reason)]
    gap = returned.found.get("optimality_gap", 0.0)
    if converged and gap > plan.tol + returned.unit:
        converged, reason = False, _too_coarse(training, gap)
        warnings = [reason] if returned.felt else []
    warnings += judge(training, returned.losses, returned.weights)
    state.statistics = learned
    return Outcome(
        start,
        state,
        returned.weights,
        bool(converged),
        reason,
        warnings,
        None if training.best is None else training.best.epoch,
        returned.found,
    )


def conclude_call(training):
    """The outcome of `Training.one_epoch`."""
    start, state = training.start, training.state
    reason = f"{in_words(state.epochs)} by partial_fit, which never stops by itself."
    model = of_stream(start, state, training.data.dtype)
    return Outcome(start, state, model, False, reason)


def _bounded(training, reason):
    """(converged, reason) of steps along kinks, checked with the optimum if possible."""
    if training.validation is not None:
        return None, reason
    solver = training.solver
    model = solver.model(training.state)
    shares = shortfall(training.data, training.start, model, solver.lowest)
    if shares is None or shares.max() <= FAR:
        return None, reason
    return False, too_far(training.state, float(shares.max()))


def _unknown(training, reason):
    """The sentence for steps without a certificate that only the size has called for."""
    return (
        f"{reason} With {training.data.n_features} features such steps were the choice of "
        "optimizer='auto'; fewer features have a certificate. Lower tol or raise "
        "n_iter_no_change to come nearer."
    )


def _returned(training, model, losses):
    """The model rounded to the dtype of X, from one that has these losses."""
    data, start, state = training.data, training.start, training.state
    if data.dtype == model.dtype:
        return Returned(model, losses, _of_an_earlier_epoch(training))
    earlier = training.best is not None and training.best.epoch < state.epochs
    validated = earlier and training.validation is not None
    if not start.plan.certified or not state.history or validated:
        return Returned(rounded(model, start.metric.centre, data.dtype), losses)
    entry = state.history[-1] | _of_an_earlier_epoch(training)
    curvature = state.statistics.curvature
    search = Search(data, start, curvature, training.solver, training.evaluation, losses)
    return search.returned(model, entry)


def _of_an_earlier_epoch(training):
    """Objective and gap of the model, where it is not that of the last epoch."""
    best, history = training.best, training.state.history
    back = training.state.epochs - best.epoch if best is not None else 0
    if not training.plan.to_the_end or not 0 < back < len(history):
        return {}
    entry, name = history[-1 - back], "optimality_gap"
    gap = min(entry[name], history[-1][name])  # the best one is not above the last one
    return {"objective": entry["objective"], name: gap}


def _too_coarse(training, gap):
    """The sentence for a model whose rounding to float32 costs too much."""
    return (
        f"Stopped after {in_words(training.state.epochs)} at the limit of "
        f"{training.data.dtype}: coefficients and intercept rounded to it are at an "
        f"optimality gap of {gap:.1e}, tol={training.plan.tol:g} is out of reach. Pass X "
        "as float64, subtract the mean of each column, or leave out columns that follow "
        "from others."
    )
