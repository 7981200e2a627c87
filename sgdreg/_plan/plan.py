"""The plan: one choice in every slot, made before any row is read."""

import numpy as np

from sgdreg._records import record
from sgdreg.losses import is_squared

# The part of the rows' curvature that gives the coordinates of the steps.
FULL, SINGLE, STRONGEST, DIAGONAL = "full", "single", "strongest", "diagonal"


@record
class Plan:
    """One choice in every slot, frozen. The rows then give a `Start` for it.

    Attributes
    ----------
    loss : Loss
    penalty : Penalty
    fit_intercept : bool
    optimizer : Optimizer
    schedule : callable or None
        t -> eta as given; None: the step is found by the optimizer or from the rows.
    batch_size : int or "full"
    shuffle : {"rows", "blocks", "replacement", "sequential"}
    average : None, int, "tail" or float
        The step from which weights are averaged; "tail": over the later half of the steps;
        a float: exponentially, by this factor per step.
    curvature : None, "full", "single", "strongest" or "diagonal"
        The part of the rows' curvature that is used; None: nothing (raw features).
    tol : float or None
    n_iter_no_change : int
    automatic : bool
        Whether a step that turns out too long is shortened (learning_rate="auto").
    hands_free : bool
        Whether both optimizer and step are "auto".
    step_parameter : str
        The parameter by which a user changes the step.
    online : bool
        Whether it is a plan for the rows of a stream.
    wide : bool
        Whether there are too many features to keep their full curvature in a stream.
    provable : bool
        Whether the curvature of all rows is worth its time for the certificate alone, where
        the steps do not use it.
    shown : (Loss, Penalty) or None
        Those in the units of y, where the fit uses another unit.
    too_large : bool
        Whether only the size of the data has called for steps without a certificate.
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
    too_large: bool = False

    @property
    def by_line_search(self):
        """Whether steps, on all rows, are found by line searches."""
        return self.optimizer.finds_steps

    @property
    def shrinks(self):
        """Whether automatic steps are halved where they make no progress.

        Those along kinks must be; of other losses and penalties, whose gap is not known,
        the noise of mini-batches and the lag of an average then become small, too.
        """
        if not self.automatic or self.online or self.quadratic:
            return False
        if self.optimizer.kind != "plain" or self.optimizer.serves.certifies:
            return False
        noisy = self.batch_size != "full" or self.average is not None
        return noisy or self.kinked

    @property
    def kinked(self):
        """Whether the loss has kinks."""
        return self.loss.smoothness is None

    @property
    def to_the_end(self):
        """Whether intermediate iterates are not usable models: an interior point's."""
        return not (self.optimizer.serves.usable_iterates or self.quadratic)

    @property
    def along_bounds(self):
        """Whether epochs may have to follow bounds or kinks before anything falls."""
        return self.to_the_end or (self.by_line_search and self.loss.smoothness is None)

    @property
    def keep(self):
        """The factor of the running sum before weights are added to it."""
        return self.average if isinstance(self.average, float) else 1.0

    @property
    def quadratic(self):
        """Whether the objective is quadratic: least squares with an l2 penalty or none."""
        return is_squared(self.loss) and not self.penalty.proximal

    @property
    def certified(self):
        """Whether the optimality gap is known, by the curvature or by the steps."""
        by_rows = self.optimizer.serves.certifies and self.provable
        known = self.quadratic and (self.curvature == FULL or by_rows)
        return not self.online and (known or self.by_line_search)

    @property
    def recursive(self):
        """Whether the model of a stream is the optimum for all of its rows so far."""
        known = self.online and self.hands_free and self.curvature == FULL
        return known and self.batch_size == "full" and self.average is None

    @property
    def accumulates(self):
        """Whether it is near that optimum, by the diagonal of the rows' curvature."""
        return self.online and self.by_line_search and self.curvature == DIAGONAL

    def constant_model(self, data):
        """Weights of the best constant, at the metric's centre."""
        weights = np.zeros((data.n_outputs, data.n_features + 1))
        if self.fit_intercept:
            weights[:, -1] = data.best_constants
        return weights
