"""The training loop: epochs, what is recorded of them, when they end."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from sgdreg._divergence import diverged, judge, refuse_blow_up
from sgdreg._epochs import Diverged, Epochs
from sgdreg._evaluation import Evaluation
from sgdreg._stopping import GO, STOP, in_words, stopping_rule

# Where the step size is chosen here, an epoch whose mean loss is this multiple of the
# start's is taken back, and a shorter step is tried.
TOO_HIGH = 10.0
# 2^-60 of a step moves nothing.
MOST_HALVINGS = 60


@dataclass
class Outcome:
    """What a fit ends with.

    Attributes
    ----------
    plan : Plan
        As it was in the end.
    state : State
    weights : ndarray of shape (k, d + 1)
        The model to return, at the plan's centre.
    converged : bool
    reason : str
        Why it ended, a sentence.
    warnings : list of str
    best_epoch : int or None
        The epoch whose model it is, where epochs were compared on held-out rows.
    """

    plan: object
    state: object
    weights: np.ndarray
    converged: bool
    reason: str
    warnings: list = field(default_factory=list)
    best_epoch: int | None = None


class Training:
    """Epochs of a plan on a data set, moving a state, until something ends them.

    Parameters
    ----------
    data : Data
    plan : Plan
    state : State
        Changed in place; the caller keeps its own copy.
    validation : Data or None
        Held-out rows: the best epoch by R² on them is the one returned.
    hooks : object or None
        With ``begin()`` and ``end(plan, state, weights) -> bool``, which may ask to stop.
    """

    def __init__(self, data, plan, state, validation=None, hooks=None):
        self.data, self.plan, self.state = data, plan, state
        self.validation, self.hooks = validation, hooks
        self.epochs = Epochs(data, plan)
        self.evaluation = Evaluation(data, plan, validation)
        self.stopping = stopping_rule(
            plan, validation is not None, exact=self.epochs.n_batches == 1
        )
        # Where the rule looks at the model of every epoch, the best one is kept.
        self.compared = validation is not None or plan.certified
        # Momentum of a step chosen here must not carry it up the other side (O'Donoghue,
        # Candès, Adaptive restart for accelerated gradient schemes, 2015, section 3.2).
        self.restarts = plan.automatic and state.velocity is not None
        # A step on all rows by a known curvature needs the gradient that the gap's pass
        # has found already.
        plain = plan.optimizer.momentum == 0 and plan.average is None
        plain = plain and validation is None
        self.newton = plan.certified and plain and self.epochs.n_batches == 1
        self.gradient, self.poor = None, False
        self.best, self.loss, self.halvings = None, None, 0
        self.clock = perf_counter()

    def fit(self, max_epochs):
        """Train until the stopping rule, a callback or `max_epochs` ends it."""
        self._begin(self._start_loss())
        last = self.state.epochs + max_epochs
        converged, reason = self._train_until(last)
        loss = self._final_loss()
        while self.plan.automatic and self._too_high(loss):
            self._start_again()  # the very last steps ran away
            converged, reason = self._train_until(last)
            loss = self._final_loss()
        warnings = [reason] if converged is False else []
        if not (converged and self.plan.certified):
            warnings += judge(self.epochs, self.evaluation, self.state, loss)
        best_epoch = None if self.best is None else self.best[2]
        return Outcome(
            self.plan,
            self.state,
            self._model(),
            bool(converged),
            reason,
            warnings,
            best_epoch,
        )

    def one_epoch(self):
        """A single epoch without stopping: `partial_fit`."""
        automatic = self.plan.automatic
        self._begin(self._start_loss() if automatic else 0.0)
        self._advance(1)
        while automatic and self._too_high(self._final_loss()):
            self._start_again()
            self._advance(1)
        if not automatic:
            refuse_blow_up(self.epochs, self.state, self._final_loss())
        reason = (
            f"{in_words(self.state.epochs)} by partial_fit, which never stops by itself."
        )
        return Outcome(self.plan, self.state, self.state.model(), False, reason)

    def _start_loss(self):
        """Loss of the weights to start from; zero weights need no pass."""
        weights = self.state.weights
        loss = self.evaluation.loss(weights) if weights.any() else 0.0
        if np.isfinite(loss):
            return loss
        if self.state.steps == 0:
            raise ValueError(
                "The loss at coef_init and intercept_init overflows: start from smaller "
                "numbers."
            )
        self.state.forget()  # rows beyond anything seen before
        return 0.0

    def _begin(self, start_loss):
        """Note the loss that a blow-up is measured against, and where to go back to."""
        state = self.state
        start_loss = max(start_loss, float(self.data.zero_losses().sum()))
        state.reference = max(state.reference, start_loss)
        if self.plan.automatic:
            self.origin = state.bookmark()

    def _train_until(self, last):
        """(whether the rule was met, why training ended); None: there was no rule."""
        while self.state.epochs < last:
            if self.hooks is not None:
                self.hooks.begin()
            verdict = self._advance(last - self.state.epochs)
            self._keep_best()
            stop = self.hooks is not None and self.hooks.end(
                self.plan, self.state, self._model()
            )
            if verdict == STOP:
                return self.stopping.converged(self.state), self.stopping.reason(self.state)
            if stop:
                return None, f"Stopped by a callback after {in_words(self.state.epochs)}."
        return None if self.plan.tol is None else False, self._ran_out()

    # ------------------------------------------------------------------ epochs

    def _advance(self, at_most):
        """Run one epoch, or as many as nothing has to look at; returns the verdict."""
        target, verdict = self.state.epochs + self._at_once(at_most), GO
        while self.state.epochs < target and verdict != STOP:
            verdict = self._attempt(target - self.state.epochs)
        return verdict

    def _at_once(self, at_most):
        """How many epochs run before anything has to look at the model."""
        if self.compared or self.restarts or self.hooks is not None:
            return 1
        return self.epochs.at_once(self.state, at_most)

    def _attempt(self, at_most):
        """Run epochs in one compiled call, and take back what should not have been."""
        count = self._at_once(at_most)
        go_back = self.state.bookmark() if count > 1 else None
        try:
            verdict, done = self._run(count)
        except Diverged as where:
            if count > 1:  # the rule may end the fit before that epoch
                self.state = go_back()
                return self._attempt(count // 2)
            if not self.plan.automatic:
                raise diverged(self.epochs, where) from None
            self._start_again()
            return GO
        if done < count:  # the rule spoke before the last epoch: stop there instead
            self.state = go_back()
            verdict, _ = self._run(done)
        return verdict

    def _run(self, count):
        """Run `count` epochs, record them, ask the stopping rule about each.

        Returns its verdict and the number of epochs until it was given.
        """
        if self.newton:
            return self._newton_epoch(), 1
        state, before = self.state, self.state.epochs
        objectives, last_steps = self.epochs.run(state, count)
        if self.plan.automatic and self._too_high(objectives.max()):
            raise Diverged(state.epochs + 1, state.steps)
        if (
            self.restarts
            and state.history
            and objectives[0] > state.history[-1]["objective"]
        ):
            state.velocity[:] = 0.0
        for objective, step in zip(objectives.tolist(), last_steps.tolist(), strict=True):
            verdict = self._record(objective, step)
            if verdict != GO:
                break
        return verdict, state.epochs - before

    def _record(self, objective, step):
        """Note an epoch in the history; returns what the stopping rule says of it."""
        state = self.state
        state.epochs += 1
        entry = {"epoch": state.epochs, "seconds": 0.0, "objective": objective}
        entry["learning_rate"] = step
        self.latest = self._look_at_model(entry) if self.compared else objective
        entry["seconds"] = perf_counter() - self.clock
        state.history.append(entry)
        return self.stopping.observe(state, self.latest)

    def _newton_epoch(self):
        """One step on all rows by the known curvature; one pass, for gap and gradient."""
        state = self.state
        if self.gradient is None:
            self.loss, _, self.latest, self.gradient = self.evaluation.gap(state.weights)
            if self.plan.sampled:
                self._keep_best()
        elif self.poor:
            self._sharpen()
        before = self.latest
        step = self.epochs.known_step(state, self.gradient)
        verdict = self._record(np.nan, step)  # the objective comes with the gap
        if self.plan.sampled:
            unseen = verdict == STOP and self.evaluation.unseen(self.gradient)
            self.poor = unseen or (verdict != STOP and not self.latest <= before / 4)
            verdict = GO if unseen else verdict
        return verdict

    def _sharpen(self):
        """A larger sample, where steps by this one do not shrink the gap fourfold.

        Steps that made things worse are taken back.
        """
        old, state = self.plan, self.state
        back = not self.latest <= self.best[0]  # NaN too
        if back:
            state.weights[:] = self.best[1]
        self.plan = old.sharper()
        state.adapt(old, self.plan)
        self.epochs = Epochs(self.data, self.plan)
        self.evaluation = Evaluation(self.data, self.plan)
        self.stopping = stopping_rule(self.plan, False, exact=True)
        if back:
            self.loss, _, _, self.gradient = self.evaluation.gap(state.weights)
        self.latest = self.evaluation.gap_of(self.gradient)
        self.best, state.best, state.stale, self.poor = None, np.inf, 0, False
        self._keep_best()
        self.origin = state.bookmark()  # the old one has the old centre

    def _look_at_model(self, entry):
        """Add what needs a pass of its own to the record: the gap, the validation score.

        Returns what the stopping rule and the choice of the best epoch look at; the
        lower the better.
        """
        model = self.state.model()
        if self.plan.certified:
            loss, penalty, gap, self.gradient = self.evaluation.gap(model)
            entry["optimality_gap"] = gap
            entry["objective"], self.loss = loss + penalty, loss
        if self.validation is None:
            return entry["optimality_gap"]
        entry["validation_score"] = self.evaluation.score(model)
        return -entry["validation_score"]

    def _keep_best(self):
        """Remember the best model so far, where every epoch's model is looked at."""
        if self.compared and (self.best is None or self.latest < self.best[0]):
            model = self.state.model().copy()
            self.best = self.latest, model, self.state.epochs, self.loss

    def _model(self):
        """The weights that a fit ending now returns."""
        return self.state.model() if self.best is None else self.best[1]

    # --------------------------------------------------------- steps too long

    def _too_high(self, loss):
        return not loss <= TOO_HIGH * self.state.reference

    def _start_again(self):
        """Back to where this call began, with half the step: "auto" never diverges."""
        self.halvings += 1
        self.state, self.best, self.gradient = self.origin(), None, None
        if self.halvings > MOST_HALVINGS:  # the start itself is what is too high
            if self.halvings > 2 * MOST_HALVINGS:
                raise ValueError(
                    "No step is short enough: the loss grows however short the steps. "
                    "Are numbers of X or y near the largest that float64 can hold?"
                )
            self.state.forget()
        self.state.factor *= 0.5 ** (self.halvings % MOST_HALVINGS)

    def _final_loss(self):
        """Loss of the model to return; a pass only where there are doubts.

        The last epoch's losses do not know its last steps: a glance at some rows does.
        """
        if self.plan.certified:
            return self.best[3]  # known from the pass that gave the gap
        running = self.state.history[-1]["objective"]
        low = 0.5 * self.evaluation.constant.sum()
        if running <= low and self.evaluation.glance(self._model()) <= low:
            return running
        return self.evaluation.loss(self._model())

    def _ran_out(self):
        """The sentence for max_iter, with the value reached and the remedy."""
        state, tol = self.state, self.plan.tol
        if tol is None:
            return f"Ran for {in_words(state.epochs)}, as asked for by tol=None."
        if self.validation is not None:
            at = f"the best validation score is {-state.best:.6g}"
        elif self.plan.certified:
            at = f"the optimality gap is {state.best:.1e}"
        else:
            at = f"the objective is {state.history[-1]['objective']:.6g}"
        return (
            f"Ran for {in_words(state.epochs)} (max_iter) without reaching tol={tol:g}: "
            f"{at}. Increase max_iter or tol, or choose another learning rate."
        )
