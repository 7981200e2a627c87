"""Solvers whose epochs end with the gradient of all rows, and the optimality gap.

An epoch goes from a point, where loss and gradient are known, to the next one.
"""

import numpy as np

from sgdreg._curvature.of_rows import curvature_of
from sgdreg._persistence.soundness import check, like, number, or_none, truth
from sgdreg._records import changed
from sgdreg._solvers.base import Report, Solver
from sgdreg._training.beginning import begin_anew
from sgdreg._training.divergence import Diverged
from sgdreg._training.evaluation import Evaluation, Point

# The usual optimality gap to end at, for choices where tol is None or zero.
USUAL_TOL = 1e-8
# Samples are chosen for this optimality gap where tol is None or zero.
SMALLEST_TOL = 1e-14
# A start by a sample's least squares is given up where its loss is this many times that of
# a constant: one row that the others contradict can do that.
WORSE_THAN_CONSTANT = 2
# The entries of `memory` that tell which solver it is of: see `FullGradient.told_by`.
TOLD_BY = {"betas", "parts", "models"}


class FullGradient(Solver):
    """The base class of such solvers, with their point and its optimality gap.

    Parameters
    ----------
    data : Data
    start : Start
        Replaced by one of a larger sample where steps by the sample's curvature are slow.

    Attributes
    ----------
    point : Point or None
        Where the last epoch ended.
    witness : Metric or None
        The metric for the gap where the plan's cannot give it, from its first use on.
    """

    knows_losses = True
    # The entry of the memory which only this class of solvers has; None: there is none.
    told_by = None

    def __init__(self, data, start):
        super().__init__(data, start)
        self.never_uphill = self.plan.automatic
        if self.plan.by_line_search:
            self.compares = "objective"  # the gap may grow as steps explore more
        self.evaluation = Evaluation(data, start)
        self.point, self.gap, self.poor = None, None, False
        self.witness = None

    def run(self, state, count=1):
        if self.poor:
            self._sharpen(state)
        passes, step = self.evaluation.passes, None
        if self.point is None:
            step = self._begin(state)
        if step is None:
            before, step = self.gap, self._move(state)
            if not self.point.finite:
                raise Diverged(state.epochs + 1, state.steps)
            self.gap = self._gap()
            self.poor = self._is_poor(before)
        state.weights[:] = self.point.weights
        state.passes += self.evaluation.passes - passes
        return self._reports(step)

    def _reports(self, step):
        losses = self.point.losses
        return [Report(self.objective, step, gap=self.gap, losses=losses)]

    def pack(self, over):
        return None if over else self.memory()

    def unpack(self, memory, state):
        """Continue from what `pack` has returned.

        An earlier version may have chosen another solver for this problem: then the fit
        begins anew, at the weights of the state.
        """
        if memory is not None and not (TOLD_BY - {self.told_by}) & set(memory):
            self.recall(memory)

    def memory(self):
        """What the next epoch needs beside the state and the plan.

        A dict of plain values, arrays, and lists or dicts of them, which no later epoch
        changes (copy what is changed in place). A class that keeps more from one epoch to
        the next adds it here and reads it in `recall`: a fit that was killed then continues
        with exactly the steps that it would have taken.
        """
        kept = {"point": vars(self.point), "gap": self.gap, "poor": self.poor}
        witnessed = self.witness is not None
        return kept | {"passes": self.evaluation.passes, "witnessed": witnessed}

    def recall(self, memory):
        """Continue from what `memory` has returned."""
        zeros = np.zeros((self.data.n_outputs, self.data.n_features + 1))
        point = Point(zeros, zeros[:, 0], zeros, self.start.metric.to_coordinates(zeros))
        kinds = {"gap": or_none(number), "poor": truth, "passes": number}
        check(memory, kinds | {"point": like(vars(point)), "witnessed": truth})
        self.point = Point(**memory["point"])
        self.gap, self.poor = memory["gap"], memory["poor"]
        if memory["witnessed"]:
            self.witness = self._find_witness()
        self.evaluation.passes = memory["passes"]

    @property
    def objective(self):
        """F at the point, summed over the outputs."""
        return float(np.add.reduce(self.evaluation.objectives(self.point)))

    def _begin(self, state):
        """Set the first point; returns the size of the step if it is a solution already.

        The least squares of a sample can be worse than a constant (it may contain a row
        that the others contradict). A larger sample is then drawn at once.
        """
        solved = self._arrive(state)
        # A fit that starts far from the optimum has not diverged where it ends nearer.
        state.reference = max(state.reference, float(np.add.reduce(self.point.losses)))
        sampled = solved and self.start.sampled
        while sampled and self.start.sketch.is_unrepresentative(self.gap):
            self._sharpen(state)
            state.weights[:] = self.start.weights
            self._arrive(state)
            sampled = self.start.sampled
        if solved:
            limit = WORSE_THAN_CONSTANT * self.evaluation.constant
            worse = self.point.losses > limit + self.evaluation.rounding
            if worse.any():
                state.weights[worse] = self.plan.constant_model(self.data)[worse]
                self._arrive(state)
                solved = False
        if solved and self.start.metric.faint is not None:
            self._step_along_faint()
        state.steps += solved
        return 1.0 if solved else None

    def _step_along_faint(self):
        """Step along directions of hardly any row, if that lowers the objective."""
        if self.gap <= max(self.plan.tol or 0.0, SMALLEST_TOL):
            return
        there = self.evaluation.along_faint(self.point)
        after = float(self.evaluation.objectives(there).sum())
        if there.finite and after < self.objective:
            self.point, self.gap = there, self.evaluation.gap(there)

    def _at(self, weights):
        """The point of some weights, by a pass over the rows."""
        return self.evaluation.at(weights)

    def _is_solved(self, state):
        """Whether the weights are the least squares that the start has found."""
        start = self.start
        return start.solved and bool((state.weights == start.weights).all())

    def _arrive(self, state):
        """Set the point of the state's weights; returns whether they are the solution."""
        self.point = self._at(state.weights)
        solved = self._is_solved(state)
        chosen = self.plan.automatic and not self.plan.online and not solved
        if chosen and begin_anew(self.evaluation, state, self.point.losses).any():
            self.point = self._at(state.weights)
            solved = self._is_solved(state)
        if not self.point.finite:
            raise ValueError(
                "The loss at the weights to start from overflows: are numbers of X, y or "
                "coef_init near the largest that float64 can hold? Rescale them."
            )
        self.gap = self._gap()
        return solved

    def _gap(self):
        """The optimality gap at the point, where the curvature is known."""
        if not self.plan.certified:
            return None
        if self.start.metric.full:
            return self.evaluation.gap(self.point)
        return self._gap_by_all_rows()

    def _gap_by_all_rows(self):
        """The gap by the curvature of all rows, where the steps do not use it."""
        if self.witness is None:
            self.witness = self._find_witness()
            self.evaluation.passes += 1.0
        return self.evaluation.gap(self.point, metric=self.witness)

    def _find_witness(self):
        """The metric for the gap, where it is not the plan's."""
        curvature = curvature_of(self.data, self.plan.fit_intercept)
        return curvature.solve(self.plan.penalty.l2)[0]

    def _is_poor(self, before):
        """Whether a larger sample would be quicker than continuing with this one.

        A sample that lacks a direction of the gradient has an infinite gap.
        """
        if not self.start.sampled:
            return False
        tol = max(self.plan.tol or 0.0, SMALLEST_TOL)
        return not self.gap <= tol and self.start.sketch.worthwhile(
            self.gap, tol, self.gap / before if before else np.inf
        )

    def _sharpen(self, state):
        """Continue with the curvature of a larger sample; the gradient stays valid."""
        old = self.start
        self.start, curvature = old.sharper()
        state.statistics = changed(state.statistics, curvature=curvature)
        state.passes += self.start.passes - old.passes
        state.adapt(old, self.start)
        evaluation = Evaluation(self.data, self.start)
        evaluation.passes = self.evaluation.passes
        self.evaluation, self.poor = evaluation, False
        self.point = evaluation.moved(self.point, state.weights.copy())
        self.gap = self._gap()
