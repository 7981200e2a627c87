"""``sgdreg predict``."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer

from sgdreg._estimator.predictions import RunningR2
from sgdreg.cli import _arguments as arguments
from sgdreg.cli import _model, _predictions, _report
from sgdreg.cli._messages import counted, explained, say
from sgdreg.cli._output import check_apart
from sgdreg.cli._progress import watching
from sgdreg.cli._rows import add_odd, ignored, remarks


@arguments.with_reading_options
def predict(
    model: arguments.Model,
    file: Annotated[
        str,
        typer.Argument(help="Data, or - for standard input.", show_default=False),
    ],
    *,
    reading: dict,
    output: Annotated[
        str,
        arguments.option(
            "--output", "FILE", "Write to .csv, .parquet or .npz.", arguments.OUTPUT
        ),
    ] = "-",
    json: arguments.Json = False,
):
    """Predict for the rows of a file, in their order.

    Columns are found by name; others are ignored. Writes CSV of one column, prediction, in
    which a row that cannot be predicted has an empty cell. Where the file has the target,
    too, R² is shown on stderr. Files of any size are read piece by piece.
    """
    with explained():
        document = _model.read(model)
        check_apart({"--output": output}, [model, file])
        _predictions.check(output)
        read = arguments.reader([file], reading, _model.reading(document))
        source, wanted = read.source(file), _model.wanted(document)
        run = PredictRun(document, source, wanted, f"the model {model}", read.markers)
        collected = _predictions.Collected()
        into = nullcontext(collected) if json and output == "-" else None
        with into or _predictions.writer(output) as writer:
            run.execute(writer)
        if json:
            predictions = {"predictions": collected.values} if into else {"output": output}
            _report.print_json(predictions | run.summary())


class PredictRun:
    """Predictions for the rows of a source."""

    def __init__(self, document, source, wanted, whose, markers):
        self.document, self.source, self.markers = document, source, markers
        replace(wanted, target=None, weights=None).check_columns_of(source, whose)
        if source.names is None:
            wanted = replace(wanted, target=source.target, weights=None)
        self.wanted, self.notes = wanted, []
        self.score, self.unknown, self.wrong = RunningR2(), {}, {}
        self.extra = set()
        self.rows, self.left_empty, self.first_empty = 0, 0, None
        self._note_file()

    def execute(self, writer):
        """Write a prediction for each row, and notes on rows that have none."""
        with watching("Predicting", self.source) as watched:
            for rows in watched(self.source.numbers(self.wanted)):
                writer.write(self._predicted(rows))
        self._note_odd()
        if (r2 := self.score.value) is not None:
            rows = counted(self.score.rows, "row")
            say(f"R² of {self.wanted.target}: {r2:.6f} on {rows}.")

    def summary(self):
        """The entries of the JSON output besides the predictions."""
        return {"rows": self.rows, "r2": self.score.value, "notes": self.notes}

    def _predicted(self, rows):
        filled = rows.finite
        predictions = np.full(len(rows), np.nan)
        predictions[filled] = _model.predictions(self.document, rows.X[filled])
        add_odd(self.unknown, rows.unknown)
        self.extra |= rows.extra
        places = self.wanted.places
        add_odd(self.wrong, {n: odd for n, odd in rows.wrong.items() if n in places})
        self.rows += len(rows)
        if not filled.all():
            self.left_empty += int((~filled).sum())
            self.first_empty = self.first_empty or int(rows.numbers[np.argmin(filled)])
        if rows.y is not None:
            known = filled & np.isfinite(rows.y)
            weights = rows.weights
            if weights is not None:
                known &= np.isfinite(weights) & (weights >= 0)
                weights = weights[known]
            self.score.add(rows.y[known], predictions[known], weights)
        return predictions

    def _note(self, sentence):
        self.notes.append(sentence)
        say(sentence)

    def _note_file(self):
        for sentence in self.source.notes:
            self._note(sentence)
        names = self.source.names or []
        taken = set(self.wanted.columns)
        extra = [name for name in names if name not in taken]
        if extra:
            self._note(ignored(extra))

    def _note_odd(self):
        if self.extra:
            self._note(ignored(sorted(self.extra)))
        for sentence in remarks(self.unknown, self.source.title):
            self._note(sentence)
        for sentence in self.markers.notes(f"the model's columns of {self.source.title}"):
            self._note(sentence)
        for name, odd in self.wrong.items():
            self._note(
                f"Column {name} has {counted(odd.count, 'cell')} of text, first "
                f"{odd.cell!r} in row {odd.row:,}: taken as empty."
            )
        if self.left_empty:
            self._note(
                f"No prediction for {self.left_empty:,} of {self.rows:,} rows, first row "
                f"{self.first_empty:,}: a cell is empty or not finite."
            )
