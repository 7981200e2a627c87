"""The same problem on a random sample of the rows, solved by the same model."""

import numpy as np

from sgdreg._records import changed
from sgdreg._training.evaluation import Evaluation

# The largest number of passes over a sample.
PASSES = 30


class Sampled:
    """A sample of the rows, in the place of a solver, for a model of one output.

    Parameters
    ----------
    model : Model
        That of all rows.
    size : int
    rng : numpy.random.Generator
    """

    def __init__(self, model, size, rng):
        data = model.data.random_rows(rng, size).of_output(model.output)
        self.data, self.start, self.plan = data, _of_output(model), model.plan
        self.frame, self.level, self.kind = model.frame, model.level + 1, type(model)
        self.evaluation = Evaluation(data, self.start)
        self.predictions = np.empty((1, size))
        self.point = self._at(model.weights)

    def _at(self, weights):
        return self.evaluation.at(weights[None], self.predictions)

    def answer(self, tol):
        """Weights (d + 1,) within `tol` of the sample's optimum, as a share."""
        model = self.kind(self, 0)
        for _ in range(PASSES):
            self.point = self._at(model.ask())
            told = self.point.losses[0], self.point.gradient[0], self.predictions[0]
            model.tell(*told)
            if model.gap <= tol * model.unit:
                break
        return model.weights

    def moved_to_quantile(self, level):
        """The model's weights, with the intercept at this quantile of the residuals."""
        weights = self.point.weights[0].copy()
        rest = self.data.targets[:, 0] - self.predictions[0]
        weights[-1] += self.plan.fit_intercept * np.quantile(rest, level)
        return weights


def _of_output(model):
    """The start of a model, whose metric knows of this output alone."""
    start, hidden = model.start, model.start.metric.hidden
    if not np.ndim(hidden):
        return start
    return changed(start, metric=changed(start.metric, hidden=hidden[[model.output]]))
