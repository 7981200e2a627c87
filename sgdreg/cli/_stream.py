"""Fits to files that are larger than memory, chunk by chunk."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from sgdreg._data.chunks import Chunks
from sgdreg._estimator.from_chunks import FromChunks, takes_all_rows
from sgdreg._estimator.predictions import RunningR2
from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, counted, say
from sgdreg.cli._progress import watching
from sgdreg.cli._rows import regrouped
from sgdreg.cli._tally import Tally

# Files whose numbers would fill more than this share of the free memory are streamed.
MOST_SHARE = 0.5
# Bytes of the numbers of a chunk, and the least rows of a chunk: for few rows the update
# of the curvature would cost more than the rows themselves.
CHUNK = 2**25
LEAST_ROWS = 1000


def must_stream(source, survey, wanted):
    """Whether the numbers do not fit into memory."""
    size = survey.bytes_a_row(len(wanted.features)) * survey.rows
    return not source.again or size > MOST_SHARE * _memory.available()


def usual_rows(survey, wanted):
    """The default number of rows of a chunk."""
    return max(LEAST_ROWS, int(CHUNK / survey.bytes_a_row(len(wanted.features))))


class StreamedFit:
    """A fit that reads its rows chunk by chunk.

    Parameters
    ----------
    model : SGDLinearRegressor
        The model to fit, by `partial_fit`.
    source : Source
    wanted : Wanted
    rows : int
        Rows per chunk.
    """

    def __init__(self, model, source, wanted, rows):
        self.model, self.source, self.wanted = model, source, wanted
        self.chunk_rows = rows
        self.training = FromChunks(model, Chunks(self._read, source.again))
        self.recursive = self.training.once
        self.tally, self.moments = None, StandardScaler(with_mean=False)
        self._refuse()

    def _refuse(self):
        model = self.model
        if model.early_stopping:
            raise Unusable(
                "--early-stopping holds out rows of all the data, which do not fit into "
                "memory here; leave it out, and --validation FILE scores the model on "
                "other rows."
            )
        if takes_all_rows(model.optimizer):
            raise Unusable(
                f"--optimizer {model.optimizer} needs the gradient of all rows at once, "
                "and these are streamed; leave it out, or choose steps on mini-batches "
                "such as sgd."
            )

    def announce(self):
        """Print on stderr how the rows are read."""
        chunks = f"chunks of {self.chunk_rows:,} rows"
        if self.recursive:
            how = "each row is learned from once, by recursive least squares"
        elif self.source.again:
            how = "an epoch reads the file once, and shuffles rows within a chunk only"
        else:
            how = "one epoch, since standard input cannot be read twice"
        say(f"Streaming {self.source.title} in {chunks}: {how}.")

    def fit(self):
        """Fit the model; returns the entries of its report."""
        training = self.training
        converged, reason = training.fit()
        return {
            "converged": converged,
            "stop_reason": reason or self._ran_out(),
            "epochs": training.epochs,
            "history": training.history,
            "std": np.sqrt(self.moments.var_),
        }

    def _ran_out(self):
        if not self.source.again:
            return "Stopped after 1 epoch: standard input cannot be read twice."
        epochs = counted(self.training.epochs, "epoch")
        return f"Stopped after {epochs}, as asked for by --max-iter."

    def _read(self):
        """Yield (X, y, weights) of every chunk of one epoch."""
        self.tally, number = Tally(self.source.title, self.wanted), self.training.epochs + 1
        with watching(f"Epoch {number}") as watched:
            for chunk in watched(self._chunks()):
                if number == 1:
                    self.moments.partial_fit(chunk.X)
                yield chunk.X, chunk.y, chunk.weights
        self.tally.check()

    def _chunks(self):
        for chunk in regrouped(self._complete(), self.chunk_rows):
            if chunk.weights is None or chunk.weights.any():
                yield chunk

    def _complete(self):
        for part in self.source.numbers(self.wanted):
            yield self.tally.complete(part)

    def r2(self, source):
        """(R² on the rows of a source, their tally); reads the source once more.

        R² is None where all targets are equal.
        """
        score, tally = RunningR2(), Tally(source.title, self.wanted, fitted=False)
        with watching("Scoring") as watched:
            for part in watched(source.numbers(self.wanted)):
                rows = tally.complete(part)
                if len(rows):
                    score.add(rows.y, self.model.predict(rows.X), rows.weights)
        tally.check()
        return score.value, tally
