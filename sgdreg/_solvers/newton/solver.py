"""Epochs of Newton steps: minimise a model in feature space, then evaluate by a pass."""

import numpy as np

from sgdreg._persistence.soundness import check, several
from sgdreg._records import changed
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._solvers.newton.few_rows import FewRows
from sgdreg._solvers.newton.kinds import kind_of
from sgdreg._solvers.newton.thin_zone import ThinZone


class Newton(FullGradient):
    """The model of each output gives the next weights; one pass evaluates all outputs.

    A model consists of the curvature of all rows or of a sample, the exact gradient of the
    last pass, and the exact terms that are not smooth. Its minimum is found in feature
    space; the predicted decrease is the optimality gap.
    """

    told_by = "models"
    # The class of models of a plan: some begin at the optimum of another loss.
    kind_for = staticmethod(kind_of)

    def __init__(self, data, start):
        super().__init__(data, start)
        self.kind = self.kind_for(self.plan)
        # Predictions of each output; None where the models do not use them.
        self.predictions = None
        if self.kind.by_rows:
            self.predictions = np.empty((data.n_outputs, data.n_rows))
        self.models = None  # until there is a point to start from
        self.shared = None  # made by the first model, used by those of all outputs
        self.known = None  # the curvature of the metric's rows
        self.beginning = None  # where the steps of smooth losses begin

    def unpack(self, memory, state):
        self.known = state.statistics.curvature
        super().unpack(memory, state)

    def _begin(self, state):
        start, self.known = self.start, state.statistics.curvature
        solved = start.solved and np.array_equal(state.weights, start.weights)
        better = self.kind.begin(self) if solved else None
        if better is not None:
            state.weights[:] = better
        solved = solved and self.kind.shares_sample
        self._arrive(state)
        if solved:
            self._model_anew()
        while solved and self.start.sampled and self._is_unlike():
            self._sharpen(state)
            state.weights[:] = self.start.weights
            self._arrive(state)
            self._model_anew()
        constant = self.plan.constant_model(self.data)
        worse = self.evaluation.objectives(self.point) > self.evaluation.constant
        worse &= (state.weights != constant).any(axis=1)
        if worse.any():
            state.weights[worse] = constant[worse]
            self._arrive(state)
            solved = False
        while self.start.sampled and self.kind.lacks(self.start.metric):
            self._sharpen(state)
        if self.models is None:
            self._model_anew()
        solved = solved or (better is not None and self._is_enough())
        state.steps += solved
        return 1.0 if solved else None

    def _is_unlike(self):
        """Whether the sample's optimum is too far from that of all rows."""
        return self.start.sketch.is_unrepresentative(self.gap)

    def beginning_from(self, weights):
        """Where steps of a smooth loss begin: at an optimum, or None: at these weights."""
        return ThinZone.of(self, weights) or FewRows.of(self)

    def _arrive(self, state):
        self.models = None
        super()._arrive(state)

    def _is_poor(self, before):
        """Whether a larger sample is quicker; some models add rows by themselves."""
        return self.kind.shares_sample and super()._is_poor(before)

    def _sharpen(self, state):
        self.models = None
        super()._sharpen(state)
        self.known = state.statistics.curvature
        if self.kind.shares_sample:
            weights = self.kind.answer(self.known, self.plan)
            self.start = changed(self.start, weights=weights)
            self._model_anew()

    def _model_anew(self):
        self.shared = None
        self.models = self._new_models()
        self.gap = self._gap()

    def _new_models(self):
        return [self.kind(self, output) for output in range(self.data.n_outputs)]

    def _at(self, weights):
        return self.evaluation.at(weights, self.predictions)

    def _move(self, state):
        self._pass()
        if self._gap() <= (self.plan.tol or 0.0) and not self._is_enough():
            self._pass()
        state.steps += 1
        return 1.0

    def _is_enough(self):
        """Whether the fit may end here: at a small gap, with all zeros in their places."""
        small = self._gap() <= (self.plan.tol or 0.0)
        return small and not any(model.unsettled for model in self.models)

    def _pass(self):
        """Evaluate the weights that the models ask for, in one pass."""
        there = self._at(np.array([model.ask() for model in self.models]))
        predictions = self.predictions
        if predictions is None:
            predictions = [None] * len(self.models)
        told = zip(there.losses, there.gradient, predictions, strict=True)
        for model, (loss, gradient, predicted) in zip(self.models, told, strict=True):
            model.tell(loss, gradient, predicted)
        weights, losses, gradient = (
            np.array([getattr(model, name) for model in self.models])
            for name in ("weights", "loss", "gradient")
        )
        self.point = self.evaluation.point(weights, losses, gradient)

    def _gap(self):
        """The largest gap of the models, as a share of the loss that can be explained."""
        if self.models is None:
            return np.inf
        gaps = np.array([model.gap for model in self.models])
        gaps = np.minimum(gaps, self.evaluation.objectives(self.point))
        return float(np.maximum.reduce(gaps / self.evaluation.unit))

    def memory(self):
        return super().memory() | {"models": [model.memory() for model in self.models]}

    def recall(self, memory):
        super().recall(memory)
        self.models = self._new_models()
        check(memory, {"models": several(*(model.sound for model in self.models))})
        for model, kept in zip(self.models, memory["models"], strict=True):
            model.recall(kept)
