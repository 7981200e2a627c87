"""The training loop: epochs, what is recorded of them, when they end."""

from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter

import numpy as np

from sgdreg._kernels.descent import Rule, descend
from sgdreg._order import Order
from sgdreg._sketch import stable_step_hint
from sgdreg._stopping import (
    GO,
    STOP,
    Certificate,
    Never,
    NoBetterScore,
    Plateau,
    in_words,
)
from sgdreg.schedules import step_sizes

# A batch's mean loss beyond this multiple of the loss at the start is divergence: real
# outliers stay below it, and an exponential passes it within a few steps.
BLOW_UP = 1e10
# At the end of a fit a model this many times worse than the best constant has diverged,
# if slowly; one that is merely worse earns a warning.
WORSE_THAN_CONSTANT = 100.0
# An epoch whose mean loss is this multiple of the start's is of no use: where the step is
# chosen here, a shorter one is taken instead.
TOO_HIGH = 10.0
# "auto" halves a step that turned out too long; 2^-60 of a step moves nothing.
MOST_HALVINGS = 60


@dataclass
class Outcome:
    """What a fit ends with."""

    state: object
    weights: np.ndarray
    converged: bool
    reason: str
    warnings: list = field(default_factory=list)
    best_epoch: int | None = None


class Diverged(Exception):
    """A pass met an exploding or non-finite loss; the arguments are epoch and step."""


class Training:
    """Epochs of a plan on a data set, moving a state.

    Parameters
    ----------
    data : Data
    plan : Plan
    state : State
        Changed in place; the caller keeps its own copy.
    validation : Data or None
        Held-out rows: the best epoch by R² on them is the one returned.
    hooks : object or None
        With ``begin()`` and ``end(state, weights) -> bool`` (True: stop), every epoch.
    """

    def __init__(self, data, plan, state, validation=None, hooks=None):
        self.data, self.plan, self.state = data, plan, state
        self.validation, self.hooks = validation, hooks
        batch = data.n_rows if plan.batch_size == "full" else plan.batch_size
        self.order = Order(data.n_rows, min(batch, data.n_rows), plan.shuffle)
        self.rule = Rule(
            alpha=plan.alpha,
            momentum=plan.optimizer.momentum,
            nesterov=plan.optimizer.nesterov,
            fit_intercept=plan.fit_intercept,
            lazy=self._lazy(),
            centre=plan.metric.centre,
            scale=plan.metric.scale,
            root=plan.metric.root,
        )
        self.stopping = self._stopping_rule()
        self.best, self.halvings = None, 0
        self.clock = perf_counter()

    @cached_property
    def constant(self):
        """Loss of the best constant, for each output."""
        return self.data.constant_losses()

    def _lazy(self):
        """Steps at the cost of the non-zeros, where a batch has fewer than features."""
        if not self.data.is_sparse or self.plan.metric.scale is not None:
            return False
        density = self.data.X.nnz / max(1, len(self.data.y))
        return density * self.order.batch_size < self.data.n_features

    def _stopping_rule(self):
        plan = self.plan
        if plan.tol is None:
            return Never()
        if self.validation is not None:
            return NoBetterScore(plan.tol, plan.n_iter_no_change)
        if plan.certified:
            exact = self.order.n_batches == 1
            return Certificate(plan.tol, plan.n_iter_no_change, exact)
        return Plateau(plan.tol, plan.n_iter_no_change, plan.schedule)

    def fit(self, max_epochs):
        """Train until the stopping rule, a callback or `max_epochs` ends it."""
        self._set_reference(exact=True)
        last = self.state.epochs + max_epochs
        converged, reason = self._train_until(last)
        while self.plan.automatic and self._too_high(self._final_loss()):
            self._start_again()  # the very last steps ran away
            converged, reason = self._train_until(last)
        warnings = [reason] if converged is False else []
        warnings += self._judge(self._final_loss())
        best_epoch = self.best[2] if self.validation is not None else None
        return Outcome(
            self.state, self._model(), bool(converged), reason, warnings, best_epoch
        )

    def _train_until(self, last):
        """(whether the rule was met, why training ended); None: there was no rule."""
        while self.state.epochs < last:
            if self.hooks is not None:
                self.hooks.begin()
            verdict = self._advance(last - self.state.epochs)
            self._keep_best()
            stop = self.hooks is not None and self.hooks.end(self.state, self._model())
            if verdict == STOP:
                return self.stopping.converged(self.state), self.stopping.reason(self.state)
            if stop:
                return None, f"Stopped by a callback after {in_words(self.state.epochs)}."
        return None if self.plan.tol is None else False, self._ran_out()

    def _keep_best(self):
        """Remember the best model so far, where every epoch's model is looked at."""
        if self.validation is None and not self.plan.certified:
            return
        if self.best is None or self.latest < self.best[0]:
            self.best = self.latest, self.state.model().copy(), self.state.epochs

    def _model(self):
        """The weights that a fit ending now returns."""
        return self.state.model() if self.best is None else self.best[1]

    def one_epoch(self):
        """A single epoch without stopping: `partial_fit`."""
        self._set_reference(exact=False)
        self._advance(1)
        while self.plan.automatic and self._too_high(self._loss(self.state.model())):
            self._start_again()
            self._advance(1)
        reason = f"{in_words(self.state.epochs)} by partial_fit, which never stops by itself."
        return Outcome(self.state, self.state.model(), False, reason)

    # ------------------------------------------------------------------ epochs

    def _advance(self, at_most):
        """Run one epoch, or as many as nothing has to look at; returns the verdict."""
        target, verdict = self.state.epochs + self._epochs_at_once(at_most), GO
        while self.state.epochs < target and verdict != STOP:
            verdict = self._attempt(target - self.state.epochs)
        return verdict

    def _attempt(self, at_most):
        """Run epochs in one compiled call, and take back what should not have been."""
        count = self._epochs_at_once(at_most)
        go_back = self.state.bookmark() if count > 1 else None
        try:
            verdict, done = self._run(count)
        except Diverged as where:
            if count > 1:  # the rule may end the fit before that epoch
                self.state = go_back()
                return self._attempt(count // 2)
            if not self.plan.automatic:
                raise self._divergence(where) from None
            self._start_again()
            return GO
        if done < count:  # the rule spoke before the last epoch: stop there instead
            factor = self.state.factor
            self.state = go_back()
            verdict, _ = self._run(done)
            self.state.factor = factor
        return verdict

    def _start_again(self):
        """Back to where this call began, with half the step ("auto" never diverges)."""
        self.halvings += 1
        self.state = self.origin()
        if self.halvings > MOST_HALVINGS:  # the start itself is what is too high
            if self.halvings > 2 * MOST_HALVINGS:
                raise ValueError(
                    "No step is short enough: the loss grows however short the steps. "
                    "Are numbers of X or y near the largest that float64 can hold?"
                )
            for array in self.state.arrays:
                if array is not None:
                    array[:] = 0.0
            self.state.averaged = 0
        self.state.factor *= 0.5 ** (self.halvings % MOST_HALVINGS)
        self.best = None

    def _too_high(self, loss):
        return not loss <= TOO_HIGH * self.state.reference

    def _epochs_at_once(self, at_most):
        """How many epochs run before anything has to look at the model."""
        looked_at = (self.hooks, self.validation)
        if any(x is not None for x in looked_at) or self.plan.certified:
            return 1
        if self.plan.average == "tail":
            epochs = self.state.epochs  # up to the next restart of the average
            at_most = min(at_most, (1 << epochs.bit_length()) - epochs)
        return self.order.epochs_at_once(at_most)

    def _run(self, count):
        """Run `count` epochs and observe them; (verdict, epochs until it was given)."""
        state, plan = self.state, self.plan
        n_batches = self.order.n_batches
        start = state.steps
        if plan.average == "tail" and state.epochs & (state.epochs - 1) == 0:
            state.total[:] = 0.0  # at epochs 0, 1, 2, 4, 8, …: the latest half at least
            state.averaged = 0
        log = np.zeros((count, 2))  # sum of losses, ½‖w‖² at the start of each epoch
        for rows, batches in self.order.draw(state.rng, self.data.rows, count):
            # One call takes all the epochs, or (many batches) a part of the only one.
            size, half_norm = len(batches), log[0, 1]
            eta = self._step_sizes(np.arange(state.steps + 1.0, state.steps + size + 1))
            first = self._first_averaged(state.steps, size)
            done = descend(
                self.data.problem,
                self.rule,
                rows,
                batches,
                eta,
                state.arrays,
                log,
                first,
                BLOW_UP * state.reference,
            )
            if done < size:
                self.data.check_finite()
                epoch = state.epochs + (state.steps - start + done) // n_batches + 1
                raise Diverged(epoch, state.steps + done + 1)
            if state.steps > start:
                log[0, 1] = half_norm
            state.steps += size
            state.averaged += size - first
        if self.plan.automatic and self._too_high(log[:, 0].max() / self.data.n_rows):
            raise Diverged(state.epochs + 1, state.steps)
        return self._observe(log, start)

    def _step_sizes(self, t):
        return self.state.factor * step_sizes(self.plan.schedule, t)

    def _first_averaged(self, steps, size):
        """Number, within the next `size` steps, of the first one to be averaged."""
        if self.plan.average is None:
            return size
        if self.plan.average == "tail":
            return 0
        return min(max(self.plan.average - 1 - steps, 0), size)

    def _observe(self, log, start):
        """Record the epochs and ask the stopping rule about each."""
        state, before = self.state, self.state.epochs
        seconds = perf_counter() - self.clock
        objectives = log[:, 0] / self.data.n_rows + self.plan.alpha * log[:, 1]
        ends = start + self.order.n_batches * np.arange(1.0, len(log) + 1)
        eta = self._step_sizes(ends)
        looked_at = self.validation is not None or self.plan.certified
        for value, rate in zip(objectives.tolist(), eta.tolist(), strict=True):
            state.epochs += 1
            entry = {
                "epoch": state.epochs,
                "seconds": seconds,
                "objective": value,
                "learning_rate": rate,
            }
            state.history.append(entry)
            if looked_at:
                value = self._look_at_model(entry)
            verdict = self.stopping.observe(state, value)
            if verdict != GO:
                break
        return verdict, state.epochs - before

    def _look_at_model(self, entry):
        """Add what needs a pass of its own: the gap and the validation score.

        Returns what the stopping rule and the choice of the best epoch look at; the
        lower the better.
        """
        if self.plan.certified:
            entry["objective"], entry["optimality_gap"] = self._gap()
        if self.validation is not None:
            entry["validation_score"] = self._score(self.state.model())
            self.latest = -entry["validation_score"]
        else:
            self.latest = entry["optimality_gap"]
        return self.latest

    # -------------------------------------------------------------- evaluations

    def _gap(self):
        """(F, ½ ∇Fᵀ H⁻¹ ∇F / F(best constant)) at the model, the worst output's."""
        plan = self.plan
        model = self.state.model()
        losses, gradient = self.data.evaluate(model, plan.metric.centre)
        gradient[:, :-1] += plan.alpha * model[:, :-1]
        gradient = plan.metric.to_coordinates(gradient)
        if not plan.fit_intercept:
            gradient[:, -1] = 0.0
        decrement = 0.5 * np.einsum("ij,ij->i", gradient, gradient)
        # A constant target has no variance to explain: measure against rounding.
        floor = np.finfo(np.float64).eps * self.data.zero_losses()
        base = np.maximum(np.maximum(self.constant, floor), np.finfo(np.float64).tiny)
        penalty = 0.5 * plan.alpha * float(np.sum(model[:, :-1] ** 2))
        return float(losses.sum()) + penalty, float(np.max(decrement / base))

    def _loss(self, weights):
        """Mean loss over the training rows, summed over the outputs."""
        losses, _ = self.data.evaluate(weights, self.plan.metric.centre)
        return float(losses.sum())

    def _score(self, weights):
        """R² on the held-out rows, as `score` computes it."""
        losses, _ = self.validation.evaluate(weights, self.plan.metric.centre)
        if not np.isfinite(losses).all():
            self.validation.check_finite()
        constant = self.validation.constant_losses()
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - losses / constant
        flat = constant == 0  # r2_score's convention
        scores[flat] = np.where(losses[flat] == 0, 1.0, 0.0)
        return float(scores.mean())

    # --------------------------------------------------------------- divergence

    def _set_reference(self, exact):
        """The loss that a blow-up is measured against."""
        state = self.state
        start = self.data.zero_losses().sum()
        if exact and state.weights.any():
            losses, _ = self.data.evaluate(state.weights, self.plan.metric.centre)
            if not np.isfinite(losses).all():
                self.data.check_finite()
            start = max(start, losses.sum())
        state.reference = max(state.reference, float(start))
        if self.plan.automatic:
            self.origin = state.bookmark()

    def _divergence(self, where):
        epoch, step = where.args
        return ValueError(
            f"Diverged at epoch {epoch}, step {step}: the loss grows without bound. "
            f"{self._advice()}"
        )

    def _advice(self):
        plan = self.plan
        advice = f"Lower {plan.step_parameter}"
        if plan.metric.scale is None:
            hint = stable_step_hint(
                self.data,
                self.order.batch_size,
                plan.alpha,
                plan.fit_intercept,
                plan.optimizer.momentum,
            )
            advice += f" (largest stable value here is about {hint:.1e})"
        remedy = "optimizer='auto' with learning_rate='auto'"
        return f"{advice}, scale the features or use {remedy}."

    def _final_loss(self):
        """Loss of the model to return; a pass only where the last epoch leaves doubts."""
        running = self.state.history[-1]["objective"]
        clear = self.order.n_batches >= 10 and running <= 0.5 * self.constant.sum()
        if clear or self.plan.certified:
            return running
        return self._loss(self._model())

    def _judge(self, loss):
        """Refuse a model far worse than a constant; the warnings about one that is worse."""
        constant = float(self.constant.sum())
        if self.plan.certified:
            return []
        if not loss <= WORSE_THAN_CONSTANT * max(constant, self.state.reference):
            self.data.check_finite()
            raise ValueError(
                f"Diverged by epoch {self.state.epochs}, step {self.state.steps}: the "
                f"loss has grown from {self.state.reference:.1e} to {loss:.1e}. "
                f"{self._advice()}"
            )
        rounding = np.finfo(np.float64).eps * self.data.zero_losses().sum()
        if constant > rounding and loss > constant * (1 + 1e-9):
            return [
                f"After {in_words(self.state.epochs)} the model is worse than predicting "
                f"the mean (loss {loss:.3g} against {constant:.3g}): train for longer, "
                "change the learning rate or use optimizer='auto'."
            ]
        return []

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
