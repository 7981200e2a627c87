"""When to stop: rules that look at one number an epoch.

A rule's memory (best value, epochs without a better one) lives in the state, so that
`partial_fit` and `warm_start` continue it. `observe` returns whether to go on, to stop,
or to go on with shorter steps.
"""

from dataclasses import dataclass

from sgdreg.schedules import Adaptive

GO, STOP, SHORTEN = "go", "stop", "shorten"


def in_words(epochs):
    """'1 epoch', '2 epochs'."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


@dataclass(frozen=True)
class Never:
    """tol=None: every epoch asked for is run."""

    def observe(self, state, value):
        return GO


@dataclass(frozen=True)
class Plateau:
    """Stop after `patience` epochs whose value is not below best·(1 - tol).

    Relative, so that rescaling y never changes the number of epochs.
    """

    tol: float
    patience: int
    schedule: object

    def observe(self, state, value):
        if value < state.best * (1.0 - self.tol):
            state.stale = 0
        else:
            state.stale += 1
        state.best = min(state.best, value)
        if state.stale < self.patience:
            return GO
        schedule = self.schedule
        adaptive = isinstance(schedule, Adaptive)
        if adaptive and state.factor * schedule.eta0 > schedule.smallest:
            state.factor *= schedule.factor
            state.stale = 0
            return SHORTEN
        return STOP

    def reason(self, state):
        return (
            f"Converged after {in_words(state.epochs)}: the objective has not improved by "
            f"more than tol={self.tol:g} of itself for {in_words(self.patience)}."
        )

    def converged(self, state):
        return True


@dataclass(frozen=True)
class Certificate:
    """Stop when the optimality gap is at most tol.

    A gap that has not halved for `patience` epochs is at its floor (rounding, or the
    noise of mini-batches); going on is left to `max_iter`, unless `exact` steps are
    taken, which have no noise to average out.
    """

    tol: float
    patience: int
    exact: bool
    margin: float = 1.0

    def observe(self, state, gap):
        state.stale = 0 if gap < 0.5 * state.best else state.stale + 1
        state.best = min(state.best, gap)
        if gap <= self.margin * self.tol or (self.exact and state.stale >= self.patience):
            return STOP
        return GO

    def reason(self, state):
        if state.best <= self.tol:
            return (
                f"Converged after {in_words(state.epochs)}: the optimality gap is "
                f"{state.best:.1e}, at most tol={self.tol:g}."
            )
        return (
            f"Stopped after {in_words(state.epochs)} at the limit of floating-point "
            f"arithmetic: the optimality gap {state.best:.1e} has not halved for "
            f"{in_words(self.patience)}, tol={self.tol:g} is out of reach."
        )

    def converged(self, state):
        return state.best <= self.tol


@dataclass(frozen=True)
class NoBetterScore:
    """Stop after `patience` epochs whose validation score is not above best + tol.

    Like the other rules it is shown a value that should fall: minus the score.
    """

    tol: float
    patience: int

    def observe(self, state, value):
        state.stale = 0 if value < state.best - self.tol else state.stale + 1
        state.best = min(state.best, value)
        return STOP if state.stale >= self.patience else GO

    def reason(self, state):
        return (
            f"Stopped early after {in_words(state.epochs)}: the validation score has not "
            f"improved by more than tol={self.tol:g} for {in_words(self.patience)}."
        )

    def converged(self, state):
        return True


def stopping_rule(plan, validated, exact):
    """The rule of a plan.

    Parameters
    ----------
    plan : Plan
    validated : bool
        Whether there are held-out rows.
    exact : bool
        Whether an epoch is one step on all rows.
    """
    if plan.tol is None:
        return Never()
    if validated:
        return NoBetterScore(plan.tol, plan.n_iter_no_change)
    if plan.certified:
        # A sample may show a direction ten times as strong as it is, not more: the gap
        # would else not fall as fast as it has to.
        margin = 0.1 if plan.sampled else 1.0
        exact = exact and not plan.sampled
        return Certificate(plan.tol, plan.n_iter_no_change, exact, margin)
    return Plateau(plan.tol, plan.n_iter_no_change, plan.schedule)
