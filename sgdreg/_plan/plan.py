"""The plan: one choice in every slot, made before any row has been looked at."""

from dataclasses import dataclass

import numpy as np

from sgdreg.losses import is_squared

# What is taken of the curvature of the rows, for the coordinates of the steps.
FULL, SINGLE, STRONGEST, DIAGONAL = "full", "single", "strongest", "diagonal"


@dataclass(frozen=True, eq=False)
class Plan:
    """One choice in every slot; frozen. What the rows add to it is its `Start`.

    Attributes
    ----------
    loss : Loss
    penalty : Penalty
    fit_intercept : bool
    optimizer : Optimizer
    schedule : callable or None
        t -> eta as given; None: of a step found by the optimizer or from the rows.
    batch_size : int or "full"
    shuffle : {"rows", "blocks", "replacement", "sequential"}
    average : None, int, "tail" or float
        The step from which the weights are averaged; "tail": over the latest half; a
        float: exponentially, by this factor a step.
    curvature : None, "full", "single", "strongest" or "diagonal"
        What is taken of the curvature of the rows; None: nothing (raw features).
    tol : float or None
    n_iter_no_change : int
    automatic : bool
        Whether a step that turns out too long is shortened (learning_rate="auto").
    hands_free : bool
        Whether optimizer and step are both chosen here.
    step_parameter : str
        The parameter that a user would change the step by.
    online : bool
        A plan for the rows of a stream.
    wide : bool
        Too many features for a stream to keep all of their curvature.
    provable : bool
        Whether the curvature of all rows is worth its time to tell how far the optimum is,
        where steps do without it.
    shown : (Loss, Penalty) or None
        Those in the units of y, where targets are reckoned in another one.
    """

    loss: object
    penalty: object
    fit_intercept: bool
    optimizer: object
    schedule: object | None
    batch_size: object
    shuffle: str
    average: object
    curvature: str | None
    tol: float | None
    n_iter_no_change: int
    automatic: bool
    hands_free: bool
    step_parameter: str
    online: bool = False
    wide: bool = False
    provable: bool = False
    shown: tuple | None = None

    @property
    def by_line_search(self):
        """Whether steps, on all rows, are found and not given."""
        return self.optimizer.finds_steps

    @property
    def shrinks(self):
        """Whether steps of a size chosen here must shrink: those along kinks."""
        chosen = self.automatic and not self.online and self.loss.smoothness is None
        return (
            chosen
            and self.optimizer.kind == "plain"
            and not self.optimizer.serves.certifies
        )

    @property
    def to_the_end(self):
        """Whether intermediate iterates are no usable models: an interior point's."""
        return not (self.optimizer.serves.usable_iterates or self.quadratic)

    @property
    def keep(self):
        """What a running sum of weights is multiplied by before each is added."""
        return self.average if isinstance(self.average, float) else 1.0

    @property
    def quadratic(self):
        """Whether the objective is: least squares, with an l2 penalty or none."""
        return is_squared(self.loss) and not self.penalty.proximal

    @property
    def certified(self):
        """Whether the optimality gap is known: by the curvature, or by what steps met."""
        by_rows = self.optimizer.serves.certifies and self.provable
        known = self.quadratic and (self.curvature == FULL or by_rows)
        return not self.online and (known or self.by_line_search)

    @property
    def recursive(self):
        """Whether a stream's next answer is the least squares of all its rows so far."""
        known = self.online and self.hands_free and self.curvature == FULL
        return known and self.batch_size == "full" and self.average is None

    @property
    def accumulates(self):
        """Whether it is nearly so, by the diagonal of their curvature."""
        return self.online and self.by_line_search and self.curvature == DIAGONAL

    def constant_model(self, data):
        """Weights of the best constant, at the metric's centre."""
        weights = np.zeros((data.n_outputs, data.n_features + 1))
        if self.fit_intercept:
            weights[:, -1] = data.best_constants
        return weights
