"""The training loop: epochs, what is recorded of them, when they end."""

from contextlib import nullcontext
from functools import cached_property
from time import perf_counter

import numpy as np

from sgdreg._curvature.rounding import rounded
from sgdreg._persistence.soundness import check, like, number, or_none, several, whole
from sgdreg._solvers.minibatch import Diverged, Epochs
from sgdreg._solvers.registry import make_rounds
from sgdreg._solvers.returned import Returned, Search, of_stream
from sgdreg._solvers.shortfall import FAR, shortfall, too_far
from sgdreg._solvers.shrinking import Shrinking
from sgdreg._training.beginning import begin_anew
from sgdreg._training.divergence import diverged, judge, refuse_blow_up
from sgdreg._training.evaluation import Evaluation
from sgdreg._training.outcome import Outcome
from sgdreg._training.state import State
from sgdreg._training.stopping import GO, STOP, in_words, stopping_rule

# Where the step size is chosen here, an epoch whose mean loss is this multiple of the
# start's is taken back, and a shorter step is tried.
TOO_HIGH = 10.0
# A stream's record is of its latest calls only: copied in 10 µs, 300 KB in a pickle.
STREAM_HISTORY = 1000
# 2^-60 of a step moves nothing.
MOST_HALVINGS = 60


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
        With ``start(plan, state, weights)``, ``begin()`` and ``end(plan, state, weights,
        memory) -> bool``, which may ask to stop.
    """

    def __init__(self, data, plan, state, validation=None, hooks=None):
        self.data, self.plan, self.state = data, plan, state
        self.validation, self.hooks = validation, hooks
        self.rounds = make_rounds(data, plan)
        self.shrinking = None
        if plan.shrinks:
            self.shrinking = Shrinking(plan, data, self.epochs.n_batches)
        self._look_by(plan)
        # Where the rule looks at the model of every epoch, the best one is kept.
        known = plan.certified or plan.shrinks
        self.compared = validation is not None or known
        # Momentum of a step chosen here must not carry it up the other side (O'Donoghue,
        # Candès, Adaptive restart for accelerated gradient schemes, 2015, section 3.2).
        self.restarts = plan.automatic and plan.optimizer.momentum != 0
        self.best, self.loss, self.halvings, self.origin = None, None, 0, None
        self.began, self.verdict = None, GO
        self.clock = perf_counter()
        self.guarded = nullcontext  # what epochs run within

    @cached_property
    def epochs(self):
        """The mini-batches, where there are any."""
        return Epochs(self.data, self.plan)

    def _look_by(self, plan):
        """Evaluate and stop as this plan says."""
        self.plan = plan
        self.evaluation = Evaluation(self.data, plan, self.validation)
        exact = self.rounds is not None or self.epochs.n_batches == 1
        single, validated = self.data.coarse > 0, self.validation is not None
        self.stopping = stopping_rule(plan, validated, exact, single, self.shrinking)

    def fit(self, max_epochs):
        """Train until the stopping rule, a callback or `max_epochs` ends it."""
        if self.began is None:
            self._begin()
        if self.hooks is not None:
            self.hooks.start(self.plan, self.state, self._model())
        last = self.began + max_epochs
        converged, reason = self._train_until(last)
        losses = self._final_losses()
        while self._runs_away(losses.sum()):
            self._start_again()  # the very last steps did
            converged, reason = self._train_until(last)
            losses = self._final_losses()
        plan = self.plan.answered(self._model(), self.data, float(losses.sum()))
        returned = self._returned(losses)
        if converged is None and self.verdict == STOP and self.shrinking is not None:
            converged, reason = self._bounded(reason)
        warnings = [reason] if converged is False else []
        gap = returned.found.get("optimality_gap", 0.0)
        if converged and gap > self.plan.tol + returned.unit:
            converged, reason = False, self._too_coarse(gap)
            warnings = [reason] if returned.felt else []
        warnings += judge(self, returned.losses, returned.weights)
        best_epoch = None if self.best is None else self.best[2]
        return Outcome(
            plan,
            self.state,
            returned.weights,
            bool(converged),
            reason,
            warnings,
            best_epoch,
            returned.found,
        )

    def _bounded(self, reason):
        """What to say of steps along kinks that have ended, where a bound is known."""
        kinks = self.shrinking
        if self.validation is not None:
            return None, reason
        shares = shortfall(self.data, self.plan, kinks.weights, kinks.lowest)
        if shares is None or shares.max() <= FAR:
            return None, reason
        return False, too_far(self.state, float(shares.max()))

    def _returned(self, losses):
        """The model in the numbers of X, of one that has these losses."""
        model, plan, history = self._model(), self.plan, self.state.history
        if self.data.X.dtype == model.dtype:
            return Returned(model, losses, self._of_an_earlier_epoch())
        earlier = self.best is not None and self.best[2] < self.state.epochs
        if not plan.certified or not history or (earlier and self.validation is not None):
            return Returned(rounded(model, plan.metric.centre, self.data.X.dtype), losses)
        entry = history[-1] | self._of_an_earlier_epoch()
        search = Search(self.data, plan, self.rounds, self.evaluation, losses)
        return search.returned(model, entry)

    def _of_an_earlier_epoch(self):
        """What is known of the model, where it is not that of the last epoch."""
        history = self.state.history
        back = self.state.epochs - self.best[2] if self.best is not None else 0
        if not self.plan.to_the_end or not 0 < back < len(history):
            return {}
        entry, name = history[-1 - back], "optimality_gap"
        gap = min(entry[name], history[-1][name])  # it is no higher than the last one
        return {"objective": entry["objective"], name: gap}

    def memory(self):
        """All that it takes to go on, beside the state: see `Rounds.memory`."""
        over = self.rounds is None or self.verdict == STOP  # no round will follow
        return {
            "began": self.began,
            "verdict": self.verdict,
            "halvings": self.halvings,
            "origin": self.origin,
            "best": self.best,
            "loss": self.loss,
            "sharpened": self.plan.sharpened,
            "shrinking": self.shrinking and self.shrinking.memory(),
            "rounds": None if over else self.rounds.memory(),
        }

    def recall(self, memory):
        """Go on from what `memory` has returned, at the state and plan of that moment."""
        state, losses = self.state, or_none(like(np.empty(len(self.state.weights))))
        best = several(number, like(state.weights), whole, losses)
        check(memory, {"best": or_none(best), "loss": losses})
        for name in ("began", "verdict", "halvings", "origin", "best", "loss"):
            setattr(self, name, memory[name])
        if self.began > state.epochs:
            raise ValueError("It began later than it has come.")
        if self.origin is not None:
            origin = State.unpacked(self.origin)
            origin.checked(self.plan, self.data, state.flat, state.exponent)
            self.origin = origin.packed()
        if self.shrinking is not None:
            self.shrinking.recall(memory["shrinking"])
        if memory["rounds"] is not None:
            self.rounds.recall(memory["rounds"])
        latest = state.history[-1]
        if self.plan.certified and "optimality_gap" not in latest:
            raise KeyError("optimality_gap")
        self.clock -= latest["seconds"]

    def one_epoch(self):
        """A single epoch without stopping, `partial_fit`; its record is bounded."""
        self._begin()
        self._advance(1)
        loss = self._final_losses().sum()
        # Steps along kinks know no bound: they may end no higher than they began.
        limit = 1.0 if self.plan.loss.smoothness is None else TOO_HIGH
        while self._runs_away(loss, limit):
            self._start_again()
            self._advance(1)
            loss = self._final_losses().sum()
        if not self.plan.automatic:
            refuse_blow_up(self.epochs, self.state, loss)
        del self.state.history[:-STREAM_HISTORY]
        reason = (
            f"{in_words(self.state.epochs)} by partial_fit, which never stops by itself."
        )
        model = of_stream(self.plan, self.state.model(), self.data.X.dtype)
        return Outcome(self.plan, self.state, model, False, reason)

    def _start_loss(self):
        """Loss of the weights to start from; zero weights need no pass."""
        weights, plan = self.state.weights, self.plan
        losses = self.evaluation.losses(weights) if weights.any() else np.zeros(1)
        # Steps in a metric are chosen here; others begin where they are told to.
        chosen = plan.automatic and not plan.online and plan.metric.scale is not None
        if chosen and weights.any():
            losses = losses.copy()
            losses[begin_anew(self.evaluation, self.state, losses)] = 0.0
        loss = losses.sum()
        if np.isfinite(loss):
            return loss
        if self.state.steps == 0:
            raise ValueError(
                "The loss at coef_init and intercept_init overflows: start from smaller "
                "numbers."
            )
        self.state.forget()  # rows beyond anything seen before
        return 0.0

    def _begin(self):
        """Note the loss that a blow-up is measured against, and where to go back to.

        Rounds that choose their steps go nowhere uphill.
        """
        state, loss = self.state, 0.0
        self.began = state.epochs
        penalty = self.plan.penalty
        if (penalty.l1 or penalty.l2) and not self.plan.online and state.weights.any():
            # What no step moves has only its price.
            state.weights[:, :-1] -= self.plan.metric.left_out(state.weights)
        if self.rounds is None or not self.plan.automatic:
            loss = self._start_loss()
        loss = max(loss, float(self.data.zero_losses.sum()))
        if penalty.custom is not None:  # which may cost something at zero
            loss += float(penalty.values(state.weights[:, :-1]).sum())
        state.reference = max(state.reference, loss)
        if self.shrinking is not None:
            self._begin_to_shrink()
        if self.plan.automatic and self.rounds is None:
            self.origin = state.packed()

    def _begin_to_shrink(self):
        point = self.evaluation.at(self.state.weights)
        self.state.passes += 1.0
        objectives = self.evaluation.objectives(point)
        self.shrinking.begin(self.state, point, objectives, self.evaluation.constant)

    def _train_until(self, last):
        """(whether the rule was met, why training ended); None: there was no rule."""
        while self.state.epochs < last and self.verdict != STOP:
            if self.hooks is not None:
                self.hooks.begin()
            with self.guarded():
                self.verdict = self._advance(last - self.state.epochs)
            self._keep_best()
            stop = self.hooks is not None and self.hooks.end(
                self.plan, self.state, self._model(), self.memory
            )
            if stop and self.verdict != STOP:
                return None, f"Stopped by a callback after {in_words(self.state.epochs)}."
        with self.guarded():
            if self.verdict == STOP:
                return self.stopping.converged(self.state), self.stopping.reason(self.state)
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
        if self.compared or self.restarts or self.rounds or self.hooks is not None:
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
            if not self.plan.automatic or self.rounds:
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
        if self.rounds is not None:
            return self._round(), 1
        state, before = self.state, self.state.epochs
        objectives, last_steps = self.epochs.run(state, count)
        if self._runs_away(objectives.max()):
            raise Diverged(state.epochs + 1, state.steps)
        if (
            self.restarts
            and state.history
            and objectives[0] > state.history[-1]["objective"]
        ):
            state.memory[:] = 0.0
        for objective, step in zip(objectives.tolist(), last_steps.tolist(), strict=True):
            state.passes += 1.0
            verdict = self._record(objective, step)
            if verdict != GO:
                break
        return verdict, state.epochs - before

    def _round(self):
        """An epoch that knows its model's gradient; returns the stopping rule's verdict."""
        rounds = self.rounds
        step = rounds.run(self.state)
        if rounds.plan is not self.plan:
            self.best = None  # of another metric's gap, and about another centre
            self.state.best, self.state.stale = np.inf, 0
            self._look_by(rounds.plan)
        self.loss = rounds.point.losses
        return self._record(rounds.objective, step, rounds.gap)

    def _record(self, objective, step, gap=None):
        """Note an epoch in the history; returns what the stopping rule says of it."""
        state = self.state
        state.epochs += 1
        entry = {
            "epoch": state.epochs,
            "passes": state.passes,
            "seconds": perf_counter() - self.clock,
            "objective": objective,
            "learning_rate": step,
        }
        if gap is not None:
            entry["optimality_gap"] = gap
        if self.compared:
            self._look_at_model(entry)
            entry["passes"] = state.passes
            entry["seconds"] = perf_counter() - self.clock
        verdict = self.stopping.observe(state, entry)
        state.history.append(entry)
        return verdict

    def _look_at_model(self, entry):
        """Add what is still to know of the model: the gap, the validation score.

        The epoch with the least gap, or the highest score, is the best one.
        """
        if self.rounds is None and (self.plan.certified or self.shrinking is not None):
            point = self.evaluation.at(self.state.model())
            self.state.passes += 1.0
            objectives, losses = self.evaluation.objectives(point), point.losses
            if self.shrinking is None:
                entry["optimality_gap"] = self.evaluation.gap(point)
            else:
                self.shrinking.observe(self.state, point, objectives)
                objectives, losses = self.shrinking.lowest, self.shrinking.losses
            entry["objective"] = float(objectives.sum())
            self.loss = losses
        if self.validation is not None:
            entry["validation_score"] = self.evaluation.score(self._latest_model())
            if not self.plan.to_the_end:
                self.latest = -entry["validation_score"]
                return
        # Line searches never go uphill; their gap is of what they have met so far.
        searched = self.rounds is not None and self.plan.by_line_search
        known = searched or self.shrinking is not None
        self.latest = entry["objective" if known else "optimality_gap"]

    def _keep_best(self):
        """Remember the best model so far, where every epoch's model is looked at."""
        if self.compared and (self.best is None or self.latest < self.best[0]):
            model = self._latest_model().copy()
            self.best = self.latest, model, self.state.epochs, self.loss

    def _latest_model(self):
        """The model that an epoch ends with."""
        if self.shrinking is not None:
            return self.shrinking.weights
        return self.state.model()

    def _model(self):
        """The weights that a fit ending now returns."""
        return self.state.model() if self.best is None else self.best[1]

    # --------------------------------------------------------- steps too long

    def _runs_away(self, loss, limit=TOO_HIGH):
        """Whether steps of a size chosen here have made the loss too high."""
        chosen = self.plan.automatic and self.rounds is None
        return chosen and not loss <= limit * self.state.reference

    def _start_again(self):
        """Back to where this call began, with half the step: "auto" never diverges."""
        self.halvings += 1
        self.state, self.best, self.verdict = State.unpacked(self.origin), None, GO
        if self.shrinking is not None:
            self.shrinking = Shrinking(self.plan, self.data, self.epochs.n_batches)
            self._look_by(self.plan)
            self._begin_to_shrink()
        if self.halvings > MOST_HALVINGS:  # the start itself is what is too high
            if self.halvings > 2 * MOST_HALVINGS:
                raise ValueError(
                    "No step is short enough: the loss grows however short the steps. "
                    "Are numbers of X or y near the largest that float64 can hold?"
                )
            self.state.forget()
        self.state.factor *= 0.5 ** (self.halvings % MOST_HALVINGS)

    def _final_losses(self):
        """Loss of each output of the model to return; a pass only where there are doubts.

        The last epoch's losses do not know its last steps: a glance at some rows does.
        """
        if (self.plan.certified or self.shrinking is not None) and self.best is not None:
            return self.best[3]  # known from the pass that looked at the model
        if self.rounds is not None and self.best is None:
            return self.loss
        low = 0.5 * self.evaluation.constant
        if self.data.weights is None and self.state.history[-1]["objective"] <= low.sum():
            losses = self.evaluation.glance(self._model())
            if (losses <= low).all():
                return losses
        return self.evaluation.losses(self._model())

    def _too_coarse(self, gap):
        """The sentence for a model that float32 cannot hold well enough."""
        return (
            f"Stopped after {in_words(self.state.epochs)} at the limit of "
            f"{self.data.X.dtype}: coefficients and intercept rounded to it are at an "
            f"optimality gap of {gap:.1e}, tol={self.plan.tol:g} is out of reach. Pass X "
            "as float64, subtract the mean of each column, or leave out columns that "
            "follow from others."
        )

    def _ran_out(self):
        """The sentence for max_iter, with the value reached and the remedy."""
        state, tol = self.state, self.plan.tol
        if tol is None:
            return f"Ran for {in_words(state.epochs)}, as asked for by tol=None."
        if self.validation is not None and not self.plan.to_the_end:
            at = f"the best validation score is {-state.best:.6g}"
        elif self.plan.certified:
            at = f"the optimality gap is {state.history[-1]['optimality_gap']:.1e}"
        else:
            at = f"the objective is {state.cost(state.history[-1]['objective']):.6g}"
        remedy = "Increase max_iter or tol, or choose another learning rate."
        if self.plan.by_line_search:
            remedy = "Increase max_iter or tol"
            plan = self.plan
            at_its_best = plan.wide and plan.metric.scale is not None
            sure = plan.solved or plan.to_the_end or at_its_best
            remedy += "." if sure else ", or use optimizer='auto'."
        return (
            f"Ran for {in_words(state.epochs)} (max_iter) without reaching tol={tol:g}: "
            f"{at}. {remedy}"
        )
