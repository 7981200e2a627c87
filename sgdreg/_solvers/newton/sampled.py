"""The same problem on a random sample of the rows, solved by the same model."""

import numpy as np

from sgdreg._records import changed
from sgdreg._training.evaluation import Evaluation

# The largest number of passes over a sample.
PASSES = 30


class OneOutput:
    """The problem of one output, in the place of a solver, for its model.

    Parameters
    ----------
    data : Data
        Of one output.
    start : Start
    known : Curvature or None
        Of the rows of the metric.
    """

    beginning = shared = None

    def __init__(self, data, start, known=None):
        self.data, self.start, self.plan, self.known = data, start, start.plan, known
        self.evaluation = Evaluation(data, start)
        self.predictions = np.empty((1, data.n_rows))

    def beginning_from(self, weights):
        """As that of `Newton`: where it is given no beginning, at the weights."""
        return None

    def go_to(self, weights):
        """Evaluate the weights (d + 1,)."""
        self.point = self.evaluation.at(weights[None], self.predictions)


class Sampled(OneOutput):
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
        super().__init__(data, of_output(model.start, model.output))
        self.frame, self.level, self.kind = model.frame, model.level + 1, type(model)
        self.go_to(model.weights)

    def answer(self, tol):
        """Weights (d + 1,) within `tol` of the sample's optimum, as a share."""
        model = self.kind(self, 0)
        for _ in range(PASSES):
            self.go_to(model.ask())
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


def of_output(start, output):
    """A start whose metric knows of this output alone."""
    hidden = start.metric.hidden
    if not np.ndim(hidden):
        return start
    return changed(start, metric=changed(start.metric, hidden=hidden[[output]]))
