"""How a fit ends: the model that is returned, and what is said of it."""

from sgdreg._curvature.rounding import rounded
from sgdreg._solvers.continuation import answered
from sgdreg._solvers.returned import Returned, Search, of_stream
from sgdreg._solvers.shortfall import FAR, shortfall, too_far
from sgdreg._training.divergence import judge
from sgdreg._training.outcome import Outcome
from sgdreg._training.stopping import STOP, in_words


def conclude(training, converged, reason, losses):
    """The outcome of `Training.fit`, which has returned these three."""
    plan, model = training.plan, training.model()
    known = training.solver.curvature if plan.to_the_end else None
    point, loss = getattr(training.solver, "point", None), float(losses.sum())
    start = answered(training.data, training.start, model, loss, known, point)
    returned = _returned(training, model, losses)
    if converged is None and training.verdict == STOP and plan.shrinks:
        converged, reason = _bounded(training, reason)
    warnings = [reason] if converged is False else []
    gap = returned.found.get("optimality_gap", 0.0)
    if converged and gap > plan.tol + returned.unit:
        converged, reason = False, _too_coarse(training, gap)
        warnings = [reason] if returned.felt else []
    warnings += judge(training, returned.losses, returned.weights)
    return Outcome(
        start,
        training.state,
        returned.weights,
        bool(converged),
        reason,
        warnings,
        None if training.best is None else training.best[2],
        returned.found,
    )


def conclude_call(training):
    """The outcome of `Training.one_epoch`."""
    start, state = training.start, training.state
    reason = f"{in_words(state.epochs)} by partial_fit, which never stops by itself."
    model = of_stream(start, state.model(), training.data.dtype)
    return Outcome(start, state, model, False, reason)


def _bounded(training, reason):
    """What to say of steps along kinks that have ended, where a bound is known."""
    kinks = training.solver.shrinking
    if training.validation is not None:
        return None, reason
    shares = shortfall(training.data, training.start, kinks.weights, kinks.lowest)
    if shares is None or shares.max() <= FAR:
        return None, reason
    return False, too_far(training.state, float(shares.max()))


def _returned(training, model, losses):
    """The model in the numbers of X, of one that has these losses."""
    data, start, state = training.data, training.start, training.state
    if data.dtype == model.dtype:
        return Returned(model, losses, _of_an_earlier_epoch(training))
    earlier = training.best is not None and training.best[2] < state.epochs
    validated = earlier and training.validation is not None
    if not start.plan.certified or not state.history or validated:
        return Returned(rounded(model, start.metric.centre, data.dtype), losses)
    entry = state.history[-1] | _of_an_earlier_epoch(training)
    search = Search(data, start, training.solver, training.evaluation, losses)
    return search.returned(model, entry)


def _of_an_earlier_epoch(training):
    """What is known of the model, where it is not that of the last epoch."""
    best, history = training.best, training.state.history
    back = training.state.epochs - best[2] if best is not None else 0
    if not training.plan.to_the_end or not 0 < back < len(history):
        return {}
    entry, name = history[-1 - back], "optimality_gap"
    gap = min(entry[name], history[-1][name])  # it is no higher than the last one
    return {"objective": entry["objective"], name: gap}


def _too_coarse(training, gap):
    """The sentence for a model that float32 cannot hold well enough."""
    return (
        f"Stopped after {in_words(training.state.epochs)} at the limit of "
        f"{training.data.dtype}: coefficients and intercept rounded to it are at an "
        f"optimality gap of {gap:.1e}, tol={training.plan.tol:g} is out of reach. Pass X "
        "as float64, subtract the mean of each column, or leave out columns that follow "
        "from others."
    )
