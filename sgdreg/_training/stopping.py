"""Stopping rules, which see the history entry of each epoch.

The memory of a rule (best value, epochs since then) is in the state, so that `partial_fit`
and `warm_start` continue it. `observe` returns whether to continue, to stop, or to continue
with shorter steps. `converged` returns None for a fit that has ended regularly, but without
a certificate.
"""

import numpy as np

from sgdreg._records import record

GO, STOP, SHORTEN = "go", "stop", "shorten"
# An objective is a sum over the rows: differences of this share are rounding.
ROUNDING = 8 * np.finfo(np.float64).eps
# An interior point may need this many times n_iter_no_change epochs before the gap falls:
# with sample weights spread over twelve decades it took 13.
ALONG_BOUNDS = 4
# A gap below this share of all earlier ones is progress.
HALVED = 0.5
# A sample may show ten times too much curvature along a direction. The gap includes a
# factor of three for it; this share of tol covers the rest (more would show as slow
# progress).
MARGIN_OF_SAMPLES = 0.3
# Rounding to float32 may then use the other half of tol; kinks are sensitive to it.
MARGIN_OF_ROUNDING = 0.5


def in_words(epochs):
    """'1 epoch', '2 epochs'."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


UNCERTAIN = ". How far the optimum is, such steps cannot tell."


@record
class Never:
    """tol=None: all max_iter epochs are run."""

    def observe(self, state, entry):
        return GO


@record
class Plateau:
    """Stop after `patience` epochs whose objective is not below best·(1 - tol).

    It is relative, so that rescaling y does not change the number of epochs.
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


@record
class Settled:
    """Stop after this many halvings of shrinking steps without progress."""

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


@record
class Certificate:
    """Stop when the optimality gap is at most tol.

    If steps are `exact` (without the noise of mini-batches, which averages out), a fit also
    stops where the objective has not fallen measurably for `patience` epochs.
    """

    tol: float
    patience: int
    exact: bool
    margin: float = 1.0

    def observe(self, state, entry):
        gap, objective = entry["optimality_gap"], entry["objective"]
        since = state.history[-1 - state.stale :]  # from the last better epoch on
        lowest = min((old["objective"] for old in since), default=np.inf)
        fallen = objective < lowest * (1.0 - ROUNDING)
        state.stale = 0 if fallen or self._halved(gap, state) else state.stale + 1
        state.best = gap if self.exact else min(state.best, gap)
        if gap <= self.margin * self.tol or (self.exact and state.stale >= self.patience):
            return STOP
        return GO

    @staticmethod
    def _halved(gap, state):
        """Whether this gap is below half of every earlier one."""
        gaps = (old.get("optimality_gap", np.inf) for old in state.history)
        return gap < HALVED * min(gaps, default=np.inf)

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


@record
class NoBetterScore:
    """Stop after `patience` epochs whose validation score is not above best + tol.

    And at once at the optimum, where the gap is known.
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
        Whether steps use the gradient of all rows.
    single : bool
        Whether the model will be rounded to float32.
    shrinking : Shrinking or None
        The shortening of steps along kinks, where there is one.
    """
    plan = start.plan
    if plan.tol is None:
        return Never()
    # With automatic steps and no certificate, it may be the steps that make no progress.
    given = not plan.automatic or start.schedule is None
    if validated and not plan.to_the_end:
        patience = plan.n_iter_no_change * (shrinking.epochs if shrinking else 1)
        return NoBetterScore(plan.tol, patience, given)
    if shrinking is not None:
        return Settled(shrinking, plan.n_iter_no_change)
    if plan.certified:
        margin = MARGIN_OF_SAMPLES if start.sampled else 1.0
        if single and plan.to_the_end:
            margin = MARGIN_OF_ROUNDING
        patience = plan.n_iter_no_change * (ALONG_BOUNDS if plan.along_bounds else 1)
        return Certificate(plan.tol, patience, exact, margin)
    return Plateau(plan.tol, plan.n_iter_no_change, start.schedule, given)
