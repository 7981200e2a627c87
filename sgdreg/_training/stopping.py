"""When to stop: rules that look at the record of each epoch.

A rule's memory (best value, epochs without a better one) lives in the state, so that
`partial_fit` and `warm_start` continue it. `observe` returns whether to go on, to stop,
or to go on with shorter steps. `converged` returns None where the fit has ended as it
should, but without a certificate.
"""

from dataclasses import dataclass

import numpy as np

GO, STOP, SHORTEN = "go", "stop", "shorten"
# An objective is a sum over the rows: differences of this share are rounding.
ROUNDING = 8 * np.finfo(np.float64).eps
# With weights spread over twelve decades 13 epochs passed before it fell.
ALONG_BOUNDS = 4


def in_words(epochs):
    """'1 epoch', '2 epochs'."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


UNCERTAIN = ". How far the optimum is, such steps cannot tell."


@dataclass(frozen=True)
class Never:
    """tol=None: every epoch asked for is run."""

    def observe(self, state, entry):
        return GO


@dataclass(frozen=True)
class Plateau:
    """Stop after `patience` epochs whose objective is not below best·(1 - tol).

    Relative, so that rescaling y never changes the number of epochs.
    """

    tol: float
    patience: int
    schedule: object
    given: bool = True

    def observe(self, state, entry):
        value = entry["objective"]
        if value < state.best * (1.0 - self.tol):
            state.stale = 0
        else:
            state.stale += 1
        state.best = min(state.best, value)
        if state.stale < self.patience:
            return GO
        adaptive = getattr(self.schedule, "reaction", None)
        if adaptive is not None and state.factor * adaptive.eta0 > adaptive.smallest:
            state.factor *= adaptive.factor
            state.stale = 0
            return SHORTEN
        return STOP

    def reason(self, state):
        said = (
            f"after {in_words(state.epochs)}: the objective has not improved by "
            f"more than tol={self.tol:g} of itself for {in_words(self.patience)}"
        )
        return f"Converged {said}." if self.given else f"Stopped {said}{UNCERTAIN}"

    def converged(self, state):
        return True if self.given else None


@dataclass(frozen=True)
class Settled:
    """Stop where so many halvings of shrinking steps have brought nothing."""

    shrinking: object
    halvings: int

    def observe(self, state, entry):
        state.best = min(state.best, entry["objective"])
        state.stale = self.shrinking.stalled
        return STOP if self.shrinking.settled(state, self.halvings) else GO

    def reason(self, state):
        return (
            f"Stopped after {in_words(state.epochs)}: the objective has not improved by "
            f"more than {self.shrinking.progress:g} of itself while the steps were halved "
            f"{self.halvings} times{UNCERTAIN}"
        )

    def converged(self, state):
        return None


@dataclass(frozen=True)
class Certificate:
    """Stop when the optimality gap is at most tol.

    Where steps are `exact` (no noise of mini-batches, which would average out) an
    objective that has not fallen measurably for `patience` epochs is at its floor.
    """

    tol: float
    patience: int
    exact: bool
    margin: float = 1.0

    def observe(self, state, entry):
        gap, objective = entry["optimality_gap"], entry["objective"]
        since = state.history[-1 - state.stale :]  # the last one that was better, at least
        lowest = min((old["objective"] for old in since), default=np.inf)
        fallen = objective < lowest * (1.0 - ROUNDING)
        state.stale = 0 if fallen or self._halved(gap, state) else state.stale + 1
        state.best = gap if self.exact else min(state.best, gap)
        if gap <= self.margin * self.tol or (self.exact and state.stale >= self.patience):
            return STOP
        return GO

    @staticmethod
    def _halved(gap, state):
        """Whether no epoch's gap has been less than twice this one: all are looked at."""
        gaps = (old.get("optimality_gap", np.inf) for old in state.history)
        return gap < 0.5 * min(gaps, default=np.inf)

    def reason(self, state):
        if state.best <= self.tol:
            return (
                f"Converged after {in_words(state.epochs)}: the optimality gap is "
                f"{state.best:.1e}, at most tol={self.tol:g}."
            )
        return (
            f"Stopped after {in_words(state.epochs)} at the limit of floating-point "
            f"arithmetic: the objective has not fallen for {in_words(self.patience)}, the "
            f"optimality gap is {state.best:.1e}, tol={self.tol:g} is out of reach."
        )

    def converged(self, state):
        return state.best <= self.tol


@dataclass(frozen=True)
class NoBetterScore:
    """Stop after `patience` epochs whose validation score is not above best + tol.

    At the optimum (where the gap is known) there is nothing to wait for.
    """

    tol: float
    patience: int
    given: bool = True

    def observe(self, state, entry):
        value = -entry["validation_score"]
        state.stale = 0 if value < state.best - self.tol else state.stale + 1
        state.best = min(state.best, value)
        done = entry.get("optimality_gap", np.inf) <= self.tol
        return STOP if done or state.stale >= self.patience else GO

    def reason(self, state):
        if state.stale < self.patience:
            return (
                f"Converged after {in_words(state.epochs)}: the optimality gap is at most "
                f"tol={self.tol:g}. The epoch with the best validation score is returned."
            )
        return (
            f"Stopped early after {in_words(state.epochs)}: the validation score has not "
            f"improved by more than tol={self.tol:g} for {in_words(self.patience)}."
        )

    def converged(self, state):
        return True if self.given or state.stale < self.patience else None


def stopping_rule(start, validated, exact, single=False, shrinking=None):
    """The rule of a start.

    Parameters
    ----------
    start : Start
    validated : bool
        Whether there are held-out rows.
    exact : bool
        Whether steps know the gradient of all rows.
    single : bool
        Whether the model is going to be rounded to float32.
    shrinking : Shrinking or None
        What shortens the steps along kinks.
    """
    plan = start.plan
    if plan.tol is None:
        return Never()
    # Steps of a size chosen here, and no certificate: it may be they that go no further.
    given = not plan.automatic or start.schedule is None
    if validated and not plan.to_the_end:
        patience = plan.n_iter_no_change * (shrinking.epochs if shrinking else 1)
        return NoBetterScore(plan.tol, patience, given)
    if shrinking is not None:
        return Settled(shrinking, plan.n_iter_no_change)
    if plan.certified:
        # A sample may show a direction ten times as strong as it is (of which the gap
        # reckons with a third), not more: it would else not fall as fast as it has to.
        margin = 0.3 if start.sampled else 1.0
        if single and plan.to_the_end:  # kinks feel each rounding
            margin = 0.5
        # An interior point may go a long way along its bounds before the gap falls.
        # Where losses have kinks, a bound below may rise for as long, and no point be lower.
        along = plan.to_the_end or plan.loss.smoothness is None
        patience = plan.n_iter_no_change * (ALONG_BOUNDS if along else 1)
        return Certificate(plan.tol, patience, exact, margin)
    return Plateau(plan.tol, plan.n_iter_no_change, start.schedule, given)
