"""Fits to files that are larger than memory, chunk by chunk."""

from time import perf_counter

import numpy as np
from sklearn.preprocessing import StandardScaler

from sgdreg._data.chunks import Chunks, Part
from sgdreg._estimator.predictions import RunningR2
from sgdreg._plan.choose import is_hands_free
from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, say
from sgdreg.cli._progress import watching
from sgdreg.cli._rows import regrouped
from sgdreg.cli._tally import Tally
from sgdreg.optimizers import OPTIMIZERS

# Bytes of the numbers of a chunk, and the least rows of a chunk: for few rows the update
# of the curvature would cost more than the rows themselves.
CHUNK = 2**25
LEAST_ROWS = 1000


def must_stream(source, survey, wanted):
    """Whether the numbers do not fit into memory."""
    size = survey.bytes_a_row(len(wanted.features)) * survey.rows
    return not source.again or not _memory.holds(size)


def usual_rows(survey, wanted):
    """The default number of rows of a chunk."""
    return max(LEAST_ROWS, int(CHUNK / survey.bytes_a_row(len(wanted.features))))


class StreamedFit:
    """A fit that reads its rows chunk by chunk.

    A file is read again for each pass of `SGDLinearRegressor.fit`. Where the rows can be
    read only once, each chunk goes to `partial_fit`.

    Parameters
    ----------
    model : SGDLinearRegressor
        The model to fit.
    source : Source
    wanted : Wanted
    rows : int
        Rows per chunk.

    Attributes
    ----------
    tally : Tally or None
        That of the last complete read.
    """

    def __init__(self, model, source, wanted, rows):
        self.model, self.source, self.wanted = model, source, wanted
        self.chunk_rows, self.reads, self.tally = rows, 0, None
        self.moments = StandardScaler(with_mean=False)
        self.recursive = not source.again and is_hands_free(model)
        if not source.again:
            self._refuse()

    def _refuse(self):
        model, title = self.model, self.source.title
        if model.early_stopping:
            raise Unusable(
                f"--early-stopping holds out rows of all the data, and {title} is too long "
                "to be held and read twice; leave it out, and --validation FILE scores the "
                "model on other rows."
            )
        rule = OPTIMIZERS.get(model.optimizer)  # "auto" is not among them
        if rule is not None and rule.serves.certifies:
            raise Unusable(
                f"--optimizer {model.optimizer} needs the gradient of all rows at once, "
                f"and {title} is too long to be held and read twice; leave it out, or "
                "choose steps on mini-batches such as sgd."
            )

    def announce(self):
        """Print on stderr how the rows are read."""
        chunks = f"chunks of {self.chunk_rows:,} rows"
        if self.source.again:
            how = "each pass of the fit reads the file again"
        elif self.recursive:
            how = "each row is learned from once, by recursive least squares"
        else:
            how = "one epoch, since standard input cannot be read twice"
        say(f"Streaming {self.source.title} in {chunks}: {how}.")

    def fit(self, validation):
        """Fit the model; returns the entries of its report that the model does not hold.

        Parameters
        ----------
        validation : dict
            X_val, y_val and sample_weight_val, perhaps, of a source that is read again.
        """
        chunks, facts = Chunks(self._read, title=self.source.title), {}
        if self.source.again:
            self.model.fit(chunks, **validation)
        else:
            with chunks.reading() as parts:
                facts = self._learned(parts)
        return facts | {"std": np.sqrt(self.moments.var_)}

    def _learned(self, parts):
        """Learn from each chunk once; returns the result of the one epoch."""
        model, losses, learned, start = self.model, 0.0, 0, perf_counter()
        for X, y, weights in parts:
            if weights is None or weights.any():
                model.partial_fit(X, y, weights)
                losses += X.shape[0] * model.history_[-1]["objective"]
                learned += X.shape[0]
        exact = model.plan_.recursive and model.loss == "squared_error"
        reason = "Stopped after 1 epoch: standard input cannot be read twice."
        if self.recursive:
            verb = "is" if exact else "approximates"
            reason = f"Every row was used once; the answer {verb} the optimum of all rows."
        epoch = {
            "epoch": 1,
            "passes": 1.0,
            "seconds": perf_counter() - start,
            "objective": losses / learned,
            "learning_rate": model.history_[-1]["learning_rate"],
        }
        converged = self.recursive and exact
        found = {"converged": converged, "stop_reason": reason}
        return found | {"epochs": 1, "history": [epoch]}

    def _read(self):
        """Yield (X, y, weights) of every chunk, by a read of the source.

        Rows with an empty cell are dropped in each read, and counted for each by itself.
        """
        tally, is_first = Tally(self.source.title, self.wanted), self.tally is None
        self.reads += 1
        with watching(f"Fitting, read {self.reads}", self.source) as watched:
            parts = map(tally.complete, watched(self.source.numbers(self.wanted)))
            for chunk in regrouped(parts, self.chunk_rows):
                if is_first:
                    self.moments.partial_fit(chunk.X)
                where = f"rows {chunk.numbers[0]:,} to {chunk.numbers[-1]:,}"
                yield Part.of(chunk.X, chunk.y, chunk.weights, where)
        tally.check()
        self.tally = tally

    def r2(self, source):
        """(R² on the rows of a source, their tally); reads the source once more.

        R² is None where all targets are equal.
        """
        score, tally = RunningR2(), Tally(source.title, self.wanted, fitted=False)
        with watching("Scoring", source) as watched:
            for part in watched(source.numbers(self.wanted)):
                rows = tally.complete(part)
                if len(rows):
                    score.add(rows.y, self.model.predict(rows.X), rows.weights)
        tally.check()
        return score.value, tally
