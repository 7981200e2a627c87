"""Mini-batch gradient descent, by compiled passes over the rows."""

from sgdreg._persistence.soundness import check, few
from sgdreg._solvers.base import Solver
from sgdreg._solvers.epochs import Epochs
from sgdreg._solvers.shrinking import Shrinking
from sgdreg._training.divergence import TOO_HIGH, Diverged
from sgdreg._training.state import State
from sgdreg._training.stopping import stopping_rule

# The most halvings of a step: 2^-60 of it changes no weight.
MOST_HALVINGS = 60


class MiniBatch(Solver):
    """Epochs of mini-batch steps.

    Automatic steps (learning_rate="auto") that make the loss too high are taken back and
    halved, so that they never diverge.
    """

    def __init__(self, data, start):
        super().__init__(data, start)
        self.epochs = Epochs(data, start)
        self.exact = self.epochs.n_batches == 1
        self.shrinking = self._new_shrinking()
        # With automatic steps momentum is set to zero where the objective rises
        # (O'Donoghue, Candès, Adaptive restart for accelerated gradient schemes, 2015,
        # section 3.2).
        self.restarts = self.plan.automatic and self.plan.optimizer.momentum != 0
        self.halvings, self.origin = 0, None
        self.compares = "optimality_gap" if self.shrinking is None else "objective"

    @property
    def lowest(self):
        return None if self.shrinking is None else self.shrinking.lowest

    def _new_shrinking(self):
        if not self.plan.shrinks:
            return None
        return Shrinking(self.plan, self.data, self.epochs.n_batches)

    def begin(self, state, evaluation):
        if self.shrinking is not None:
            self._begin_to_shrink(state, evaluation)
        if self.plan.automatic:
            self.origin = state.packed()

    def _begin_to_shrink(self, state, evaluation):
        point = evaluation.at(state.weights)
        state.passes += 1.0
        objectives = evaluation.objectives(point)
        self.shrinking.begin(state, point, objectives, evaluation.constant)

    def at_once(self, state, wanted):
        return 1 if self.restarts else self.epochs.at_once(state, wanted)

    def run(self, state, count):
        objectives, last_steps = self.epochs.run(state, count)
        if self.runs_away(state, objectives.max(), TOO_HIGH):
            raise Diverged(state.epochs + 1, state.steps)
        history = state.history
        if self.restarts and history and objectives[0] > history[-1]["objective"]:
            state.memory[:] = 0.0
        # Reports are plain tuples, as an epoch may take a few microseconds. Each is a pass.
        each = zip(objectives.tolist(), last_steps.tolist(), strict=True)
        return [(objective, step, 1.0, None, None) for objective, step in each]

    def look(self, state, evaluation):
        kinks = self.shrinking
        if kinks is None and not self.plan.certified:
            return {}, None
        point = evaluation.at(state.model())
        state.passes += 1.0
        objectives = evaluation.objectives(point)
        if kinks is not None:
            kinks.observe(state, point, objectives)
            return {"objective": float(kinks.lowest.sum())}, kinks.losses
        gap = evaluation.gap(point)
        return {"optimality_gap": gap, "objective": float(objectives.sum())}, point.losses

    def model(self, state):
        return state.model() if self.shrinking is None else self.shrinking.weights

    def stopping(self, validated, single):
        return stopping_rule(self.start, validated, self.exact, single, self.shrinking)

    def runs_away(self, state, loss, limit):
        return self.plan.automatic and not loss <= limit * state.reference

    def start_again(self, evaluation):
        if not self.plan.automatic:
            return None
        self.halvings += 1
        state = State.unpacked(self.origin)
        if self.shrinking is not None:
            self.shrinking = self._new_shrinking()
            self._begin_to_shrink(state, evaluation)
        if self.halvings > MOST_HALVINGS:  # the loss at the start itself is too high
            if self.halvings > 2 * MOST_HALVINGS:
                raise ValueError(
                    "No step is short enough: the loss grows however short the steps. "
                    "Are numbers of X or y near the largest that float64 can hold?"
                )
            state.forget()
        state.factor *= 0.5 ** (self.halvings % MOST_HALVINGS)
        return state

    def pack(self, over):
        if not self.plan.automatic:
            return None
        kept = {"halvings": self.halvings, "origin": self.origin}
        return kept | {"shrinking": self.shrinking and self.shrinking.memory()}

    def unpack(self, memory, state):
        if not self.plan.automatic:
            return
        check(memory, {"halvings": few})
        origin = State.unpacked(memory["origin"])
        origin.checked(self.start, self.data, state.flat, state.exponent)
        self.halvings, self.origin = memory["halvings"], origin.packed()
        if self.shrinking is not None:
            self.shrinking.recall(memory["shrinking"])
