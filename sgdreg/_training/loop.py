"""The training loop: it runs epochs, records them, and ends by the stopping rule."""

from contextlib import nullcontext
from time import perf_counter
from typing import NamedTuple

import numpy as np

from sgdreg._persistence.soundness import check, like, number, or_none, several, whole
from sgdreg._training.beginning import begin_anew
from sgdreg._training.divergence import TOO_HIGH, Diverged, diverged, refuse_blow_up
from sgdreg._training.evaluation import Evaluation
from sgdreg._training.stopping import GO, STOP, in_words

# A stream's history has its latest calls only: copied in 10 µs, 300 KB in a pickle.
STREAM_HISTORY = 1000
# Losses below this share of a constant's need no pass to show that a fit has not diverged.
CLEARLY_BETTER = 0.5


class Best(NamedTuple):
    """The best model of a fit so far.

    Attributes
    ----------
    value : float
        The gap, the objective or the negative score by which models are compared.
    weights : ndarray of shape (k, d + 1)
    epoch : int
    losses : ndarray of shape (k,) or None
    """

    value: float
    weights: np.ndarray
    epoch: int
    losses: np.ndarray | None


class Training:
    """Epochs from a start on a data set, which change a state, until something ends them.

    Parameters
    ----------
    data : Data
    start : Start
    state : State
        Changed in place; the caller may keep a copy.
    solver : Solver
        It runs the epochs.
    validation : Data or None
        Held-out rows: the best epoch by R² on them is the one returned.
    hooks : object or None
        With ``start(start, state, weights)``, ``begin()`` and ``end(start, state, weights,
        memory) -> bool``, which may ask to stop.
    """

    def __init__(self, data, start, state, solver, validation=None, hooks=None):
        self.data, self.plan, self.state = data, start.plan, state
        self.solver, self.validation, self.hooks = solver, validation, hooks
        self._evaluate_by(start)
        # The best model is kept where the model of every epoch is evaluated.
        self.looked_at = self.plan.certified or self.plan.shrinks
        self.compared = validation is not None or self.looked_at
        self.best, self.loss = None, None
        self.began, self.verdict = None, GO
        self.clock = perf_counter()
        self.guarded = nullcontext  # the context in which epochs run

    def _evaluate_by(self, start):
        """Evaluate models, and stop, by this start."""
        self.start = start
        self.evaluation = Evaluation(self.data, start, self.validation)
        single, validated = self.data.coarse > 0, self.validation is not None
        self.stopping = self.solver.stopping(validated, single)

    def fit(self, max_epochs):
        """Train until the stopping rule, a callback or `max_epochs` ends it.

        Returns
        -------
        converged : bool or None
            None: without a rule, or without a certificate.
        reason : str
        losses : ndarray of shape (k,)
            Those of the best model.
        """
        if self.began is None:
            self._begin()
        if self.hooks is not None:
            self.hooks.start(self.start, self.state, self.model())
        last = self.began + max_epochs
        converged, reason = self._train_until(last)
        losses = self._final_losses()
        while self.solver.runs_away(self.state, np.add.reduce(losses), TOO_HIGH):
            self._start_again()  # the last steps have raised the loss too far
            converged, reason = self._train_until(last)
            losses = self._final_losses()
        return converged, reason, losses

    def memory(self):
        """The values needed to continue, beside the state. See `Solver.pack`."""
        return {
            "began": self.began,
            "verdict": self.verdict,
            "best": None if self.best is None else tuple(self.best),
            "loss": self.loss,
            "sharpened": self.start.sharpened,
            "solver": self.solver.pack(over=self.verdict == STOP),
        }

    def recall(self, memory):
        """Continue from what `memory` has returned, with the state and start of then."""
        state, losses = self.state, or_none(like(np.empty(len(self.state.weights))))
        best = several(number, like(state.weights), whole, losses)
        check(memory, {"best": or_none(best), "loss": losses})
        for name in ("began", "verdict", "loss"):
            setattr(self, name, memory[name])
        self.best = None if memory["best"] is None else Best(*memory["best"])
        if self.began > state.epochs:
            raise ValueError("The first epoch is later than the last one.")
        self.solver.unpack(memory["solver"], state)
        latest = state.history[-1]
        if self.plan.certified and "optimality_gap" not in latest:
            raise KeyError("optimality_gap")
        self.clock -= latest["seconds"]

    def one_epoch(self):
        """One epoch of `partial_fit`, without a stopping rule; the history is bounded."""
        self._begin()
        self._advance(1)
        loss = self._final_losses().sum()
        # No step along kinks is known to be stable: the loss must not end above its start.
        limit = 1.0 if self.plan.loss.smoothness is None else TOO_HIGH
        while self.solver.runs_away(self.state, loss, limit):
            self._start_again()
            self._advance(1)
            loss = self._final_losses().sum()
        if not self.plan.automatic:
            refuse_blow_up(self.data, self.start, self.state, loss)
        del self.state.history[:-STREAM_HISTORY]

    def _start_loss(self):
        """The loss of the first weights; zero weights need no pass."""
        weights, plan = self.state.weights, self.plan
        losses = self.evaluation.losses(weights) if weights.any() else np.zeros(1)
        # Automatic steps in a metric may replace useless weights; others keep the weights.
        chosen = plan.automatic and not plan.online and self.start.metric.scale is not None
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
        self.state.forget()  # far larger numbers than in the rows before
        return 0.0

    def _begin(self):
        """Prepare the first epoch: the reference for divergence, and the solver."""
        state, loss = self.state, 0.0
        self.began = state.epochs
        penalty = self.plan.penalty
        penalised = (penalty.l1 or penalty.l2) and not self.plan.online
        optimal = self.start.solved and penalty.proximal
        if penalised and not optimal and state.weights.any():
            # No step changes weights along directions that the metric lacks: they only
            # cost. (A model with l1 has its exact zeros along them, too.)
            coef = state.weights[:, :-1]
            coef -= self.start.metric.left_out(state.weights)
            if penalty.positive:
                np.maximum(coef, 0.0, out=coef)
        if not self.solver.never_uphill:
            loss = self._start_loss()
        reference = self.evaluation.reference(state.weights, loss)
        state.reference = max(state.reference, reference)
        self.solver.begin(state, self.evaluation)

    def _train_until(self, last):
        """(whether the rule has ended it, the reason); None: there was no rule."""
        while self.state.epochs < last and self.verdict != STOP:
            if self.hooks is not None:
                self.hooks.begin()
            with self.guarded():
                self.verdict = self._advance(last - self.state.epochs)
            self._keep_best()
            stop = self.hooks is not None and self.hooks.end(
                self.start, self.state, self.model(), self.memory
            )
            if stop and self.verdict != STOP:
                return None, f"Stopped by a callback after {in_words(self.state.epochs)}."
        with self.guarded():
            if self.verdict == STOP:
                return self.stopping.converged(self.state), self.stopping.reason(self.state)
            return None if self.plan.tol is None else False, self._ran_out()

    # ------------------------------------------------------------------ epochs

    def _advance(self, at_most):
        """Run an epoch, or several that need no evaluation between; returns the verdict."""
        target, verdict = self.state.epochs + self._at_once(at_most), GO
        while self.state.epochs < target and verdict != STOP:
            verdict = self._attempt(target - self.state.epochs)
        return verdict

    def _at_once(self, at_most):
        """How many epochs need no evaluation of the model between them."""
        if self.compared or self.hooks is not None:
            return 1
        return self.solver.at_once(self.state, at_most)

    def _attempt(self, at_most):
        """Run epochs in one compiled call, and undo those beyond the end of the fit."""
        count = self._at_once(at_most)
        before = self.state.bookmark() if count > 1 else None
        try:
            verdict, done = self._run(count)
        except Diverged as where:
            if count > 1:  # the rule may end the fit before it diverges
                self.state = before.go_back()
                return self._attempt(count // 2)
            if not self._start_again():
                raise diverged(self.data, self.start, where) from None
            return GO
        if done < count:  # the rule ends the fit before the last epoch: run up to there
            self.state = before.go_back()
            verdict, _ = self._run(done)
        return verdict

    def _start_again(self):
        """Go back to the start of this call, with half the step, if the solver can."""
        state = self.solver.start_again(self.evaluation)
        if state is None:
            return False
        state.statistics = self.state.statistics  # mini-batches do not change them
        self.state, self.best, self.verdict = state, None, GO
        self._evaluate_by(self.start)
        return True

    def _run(self, count):
        """Run `count` epochs, record them, and ask the stopping rule after each.

        Returns its verdict, and the number of epochs up to that verdict.
        """
        before, verdict = self.state.epochs, GO
        reports = self.solver.run(self.state, count)
        if self.solver.start is not self.start:
            self.best = None  # its gap is by another metric, its weights at another centre
            self.state.best, self.state.stale = np.inf, 0
            self._evaluate_by(self.solver.start)
        for report in reports:
            verdict = self._record(report)
            if verdict != GO:
                break
        return verdict, self.state.epochs - before

    def _record(self, report):
        """Add an epoch to the history; returns the verdict of the stopping rule."""
        state, (objective, step, passes, gap, losses) = self.state, report
        state.epochs += 1
        state.passes += passes
        entry = {
            "epoch": state.epochs,
            "passes": state.passes,
            "seconds": perf_counter() - self.clock,
            "objective": objective,
            "learning_rate": step,
        }
        if gap is not None:
            entry["optimality_gap"] = gap
        if losses is not None:
            self.loss = losses
        if self.compared:
            self._evaluate_model(entry)
            entry["passes"] = state.passes
            entry["seconds"] = perf_counter() - self.clock
        verdict = self.stopping.observe(state, entry)
        state.history.append(entry)
        return verdict

    def _evaluate_model(self, entry):
        """Add the gap and the validation score of the model, where they are not known yet.

        The epoch with the smallest gap, or the highest score, is the best one.
        """
        found, losses = self.solver.look(self.state, self.evaluation)
        if losses is not None:
            entry |= found
            self.loss = losses
        if self.validation is not None:
            latest = self.solver.model(self.state)
            entry["validation_score"] = self.evaluation.score(latest)
            if not self.plan.to_the_end:
                self.latest = -entry["validation_score"]
                return
        self.latest = entry[self.solver.compares]

    def _keep_best(self):
        """Keep the best model so far, where the model of every epoch is evaluated.

        Of an interior point's equally good models the last one has the most exact zeros.
        """
        if not self.compared:
            return
        better = self.best is None or self.latest < self.best.value
        if better or (self.plan.to_the_end and self.latest == self.best.value):
            model = self.solver.model(self.state).copy()
            self.best = Best(self.latest, model, self.state.epochs, self.loss)

    def model(self):
        """The weights that the fit would return if it ended now."""
        return self.state.model() if self.best is None else self.best.weights

    def _final_losses(self):
        """The loss of each output for the model to return, by a pass only if it is needed.

        The losses in the history are those before each step. A subsample of rows is enough
        to see that the final weights are good.
        """
        if self.looked_at and self.best is not None:
            return self.best.losses  # from the pass that evaluated the model
        if self.solver.knows_losses and self.best is None:
            return self.loss
        low = CLEARLY_BETTER * self.evaluation.constant
        if self.data.weights is None and self.state.history[-1]["objective"] <= low.sum():
            losses = self.evaluation.loss_on_subsample(self.model())
            if (losses <= low).all():
                return losses
        return self.evaluation.losses(self.model())

    def _ran_out(self):
        """The sentence for a fit ended by max_iter, with its last value and a remedy."""
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
        if self.plan.hands_free and not self.plan.by_line_search:
            remedy = "Increase max_iter or tol."
        elif self.plan.by_line_search:
            remedy = "Increase max_iter or tol"
            plan = self.plan
            at_its_best = plan.wide and self.start.metric.scale is not None
            sure = self.start.solved or plan.to_the_end or at_its_best
            remedy += "." if sure else ", or use optimizer='auto'."
        return (
            f"Ran for {in_words(state.epochs)} (max_iter) without reaching tol={tol:g}: "
            f"{at}. {remedy}"
        )
