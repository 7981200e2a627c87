"""Fits to files larger than memory: chunk by chunk."""

from time import perf_counter

import numpy as np
from sklearn.preprocessing import StandardScaler

from sgdreg._training.stopping import STOP, Never, Plateau
from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, counted, say
from sgdreg.cli._progress import watching
from sgdreg.cli._rows import regrouped
from sgdreg.cli._scores import RunningR2
from sgdreg.cli._tally import Tally
from sgdreg.optimizers import OPTIMIZERS, SVRG

# Numbers that fill more than this share of the free memory are streamed.
MOST_SHARE = 0.5
# Bytes of the numbers of a chunk; and rows, so that one is worth its curvature.
CHUNK = 2**25
LEAST_ROWS = 1000


def must_stream(source, survey, wanted):
    """Whether the numbers are too many to be held."""
    size = survey.bytes_a_row(len(wanted.features)) * survey.rows
    return not source.again or size > MOST_SHARE * _memory.available()


def usual_rows(survey, wanted):
    """The rows of a chunk, where the user does not say."""
    return max(LEAST_ROWS, int(CHUNK / survey.bytes_a_row(len(wanted.features))))


class Stream:
    """A fit that reads its rows chunk by chunk.

    Parameters
    ----------
    model : SGDLinearRegressor
        To be fitted, by `partial_fit`.
    source : Source
    wanted : Wanted
    rows : int
        Of a chunk.
    """

    def __init__(self, model, source, wanted, rows):
        self.model, self.source, self.wanted = model, source, wanted
        self.chunk_rows = rows
        self.recursive = model.optimizer == "auto" and model.learning_rate == "auto"
        self.history, self.tally = [], None
        self.epochs, self.best, self.stale = 0, np.inf, 0  # what the rule goes by
        self.moments = StandardScaler(with_mean=False)
        self.began = perf_counter()
        self._refuse()

    def _refuse(self):
        model = self.model
        if model.early_stopping:
            raise Unusable(
                "--early-stopping holds out rows of all the data, which do not fit into "
                "memory here; leave it out, and --validation FILE scores the model on "
                "other rows."
            )
        if _takes_all_rows(OPTIMIZERS.get(model.optimizer)):
            raise Unusable(
                f"--optimizer {model.optimizer} needs the gradient of all rows at once, "
                "and these are streamed; leave it out, or choose steps on mini-batches "
                "such as sgd."
            )

    def announce(self):
        """Say on stderr how the rows are read."""
        chunks = f"chunks of {self.chunk_rows:,} rows"
        if self.recursive:
            how = "each row is learned from once, by recursive least squares"
        elif self.source.again:
            how = "an epoch reads the file once, and shuffles rows within a chunk only"
        else:
            how = "one epoch, since standard input cannot be read twice"
        say(f"Streaming {self.source.title} in {chunks}: {how}.")

    def fit(self):
        """Fit the model; returns what to report of it."""
        if self.recursive:
            return self._one_pass()
        return self._epochs()

    def _one_pass(self):
        model = self.model
        self._epoch(1)
        exact = model.plan_.recursive and model.loss == "squared_error"
        verb = "is" if exact else "approximates"
        return self._outcome(
            exact,
            f"Every row has been learned from once; the answer {verb} that of all rows.",
        )

    def _epochs(self):
        model, rule = self.model, self._rule()
        most = model.max_iter if self.source.again else 1
        while self.epochs < most:
            entry = self._epoch(self.epochs + 1)
            self.epochs += 1
            if rule.observe(self, entry) == STOP:
                return self._outcome(rule.converged(self), rule.reason(self))
        reason = f"Stopped after {counted(most, 'epoch')}, as asked for by --max-iter."
        if not self.source.again:
            reason = "Stopped after 1 epoch: standard input cannot be read twice."
        return self._outcome(False, reason)

    def _rule(self):
        """When to stop: the objective of mini-batches is all that is known of an epoch."""
        model = self.model
        if model.tol is None:
            return Never()
        return Plateau(model.tol, model.n_iter_no_change, schedule=None)

    def _epoch(self, number):
        """Learn from every chunk; returns the epoch's entry in the history."""
        losses, learned = 0.0, 0
        self.tally = Tally(self.source.title, self.wanted)
        with watching(f"Epoch {number}") as watched:
            for chunk in watched(self._chunks()):
                if number == 1:
                    self.moments.partial_fit(chunk.X)
                self.model.partial_fit(chunk.X, chunk.y, chunk.weights)
                losses += len(chunk) * self.model.history_[-1]["objective"]
                learned += len(chunk)
        self.tally.check()
        entry = {
            "epoch": number,
            "passes": float(number),
            "seconds": perf_counter() - self.began,
            "objective": losses / learned,
            "learning_rate": self.model.history_[-1]["learning_rate"],
        }
        self.history.append(entry)
        return entry

    def _chunks(self):
        for chunk in regrouped(self._complete(), self.chunk_rows):
            if chunk.weights is None or chunk.weights.any():
                yield chunk

    def _complete(self):
        for part in self.source.numbers(self.wanted):
            yield self.tally.complete(part)

    def _outcome(self, converged, reason):
        return {
            "converged": converged,
            "stop_reason": reason,
            "epochs": len(self.history),
            "history": self.history,
            "std": np.sqrt(self.moments.var_),
        }

    def r2(self, source):
        """(R² on the rows of a source, their tally), from one more reading.

        R² is None where all targets are alike.
        """
        score, tally = RunningR2(), Tally(source.title, self.wanted, fitted=False)
        with watching("Scoring") as watched:
            for part in watched(source.numbers(self.wanted)):
                rows = tally.complete(part)
                if len(rows):
                    score.add(rows.y, self.model.predict(rows.X), rows.weights)
        tally.check()
        return score.value, tally


def _takes_all_rows(optimizer):
    """Whether an update rule needs the gradient of all rows at once."""
    return optimizer is not None and (optimizer.finds_steps or optimizer is SVRG)
