"""Epochs of Newton steps: the minimum of a model in feature space, then a pass there."""

import numpy as np

from sgdreg._persistence.soundness import check, like
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._solvers.newton.kinds import kind_of


class Newton(FullGradient):
    """Each output's model says where to look next; one pass looks there for all outputs.

    A model is the curvature of a sample of rows or of all, the exact gradient of the last
    pass, and what is not smooth, exactly: it is solved in as many dimensions as there are
    features, and what it promises is the optimality gap.
    """

    def __init__(self, data, start):
        super().__init__(data, start)
        self.predictions = np.empty((data.n_outputs, data.n_rows))
        self.kind = kind_of(self.plan)
        self.models = None  # until there is a point to start from

    def _begin(self, state):
        self._arrive(state)
        while self.start.sampled and self.kind.lacks(self.start.metric):
            self._sharpen(state)
        self.models = self._new_models()
        self.gap = self._gap()

    def _new_models(self):
        return [self.kind(self, output) for output in range(self.data.n_outputs)]

    def _at(self, weights):
        return self.evaluation.at(weights, self.predictions)

    def _move(self, state):
        there = self._at(np.array([model.ask() for model in self.models]))
        told = zip(there.losses, there.gradient, self.predictions, strict=True)
        for model, (loss, gradient, predictions) in zip(self.models, told, strict=True):
            model.tell(loss, gradient, predictions)
        weights, losses, gradient = (
            np.array([getattr(model, name) for model in self.models])
            for name in ("weights", "loss", "gradient")
        )
        self.point = self.evaluation.point(weights, losses, gradient)
        state.steps += 1
        return 1.0

    def _is_poor(self, before):
        """A model takes more rows by itself, where a sample misleads it."""
        return False

    def _gap(self):
        """What the worst model promises, as a share of what there is to explain."""
        if self.models is None:
            return np.inf
        gaps = np.array([model.gap for model in self.models])
        gaps = np.minimum(gaps, self.evaluation.objectives(self.point))
        return float(np.max(gaps / self.evaluation.unit))

    def memory(self):
        return super().memory() | {"models": [model.memory() for model in self.models]}

    def recall(self, memory):
        super().recall(memory)
        self.models = self._new_models()
        check(memory, {"models": like([model.memory() for model in self.models])})
        for model, kept in zip(self.models, memory["models"], strict=True):
            model.recall(kept)
