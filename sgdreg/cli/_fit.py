"""``sgdreg fit``."""

import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import rich
import typer
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor
from sgdreg.cli import _arguments as arguments
from sgdreg.cli import _model, _plot, _report
from sgdreg.cli._arrays import diabetes
from sgdreg.cli._choice import Choice
from sgdreg.cli._formats import Reading
from sgdreg.cli._messages import Unusable, explained, say, warnings_said
from sgdreg.cli._options import with_estimator_options
from sgdreg.cli._output import check_apart
from sgdreg.cli._scores import scores
from sgdreg.cli._stream import StreamedFit, must_stream, usual_rows
from sgdreg.cli._whole import check_beginning, gathered


@with_estimator_options
@arguments.with_reading_options
def fit(
    file: Annotated[
        str | None,
        typer.Argument(
            help="Data, or - for standard input; without it, scikit-learn's diabetes data.",
            show_default=False,
        ),
    ] = None,
    *,
    target: Annotated[
        str | None,
        arguments.option(
            "--target", "NAME", "Column to predict; otherwise the last numeric one."
        ),
    ] = None,
    weights: Annotated[
        str | None, arguments.option("--weights", "NAME", "Column of sample weights.")
    ] = None,
    one_hot: Annotated[
        bool,
        arguments.flag("--one-hot", "Make a column of 0 and 1 of each category of text."),
    ] = False,
    max_categories: Annotated[
        int | None,
        arguments.option(
            "--max-categories", "NUMBER", "Drop text with more; 100, otherwise."
        ),
    ] = None,
    keep_missing_category: Annotated[
        bool,
        arguments.flag(
            "--keep-missing-category", "With --one-hot: empty cells of text are one, too."
        ),
    ] = False,
    ignore: Annotated[
        list[str] | None,
        arguments.option("--ignore", "NAME", "Column to leave out; repeatable."),
    ] = None,
    validation: Annotated[
        str | None,
        arguments.option(
            "--validation", "FILE", "Rows to choose the best epoch and score it by."
        ),
    ] = None,
    chunk_rows: Annotated[
        int | None,
        arguments.option(
            "--chunk-rows", "ROWS", "Stream the file in chunks of this many rows.", min=1
        ),
    ] = None,
    reading: dict,
    save: Annotated[
        Path | None,
        arguments.option(
            "--save", "FILE", "Write the model, for sgdreg predict.", arguments.OUTPUT
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        arguments.option(
            "--plot", "FILE", "Draw it: .png, .pdf or .svg.", arguments.OUTPUT
        ),
    ] = None,
    json: arguments.Json = False,
    parameters: dict,
):
    """Fit a linear regression and show its coefficients and how it went.

    Numeric columns are the features; true and false count as 1 and 0. Other columns, and
    rows with an empty cell, are dropped, and named. Without options everything is chosen
    from the data. Files larger than memory are streamed.
    """
    with explained():
        if file is None and target is not None:
            raise Unusable("--target names a column of a file: give the file, too.")
        choice = Choice(
            target,
            weights,
            one_hot,
            max_categories,
            tuple(ignore or ()),
            keep_missing_category,
        )
        read = arguments.reader([file, validation], reading)
        model = SGDLinearRegressor(**parameters)
        model._validate_params()
        check_apart({"--save": save, "--plot": plot}, [file, validation])
        if save is not None:
            _model.check(save)
        if plot is not None:
            _plot.check(plot)
        run = FitRun(model, parameters, json, plot, read)
        source = diabetes() if file is None else read.source(file)
        held_out = None if validation is None else read.source(validation)
        document = run.execute(source, choice, held_out, chunk_rows)
        if save is not None:  # before the output, which may be cut short
            _model.save(document, save)
        if json:
            _report.print_json(_report.as_json(document))
        else:
            _report.show_coefficients(document)
            _report.show_outcome(document)


@dataclass
class FitRun:
    """A fit, from a source of rows to the document of its results, and to its picture."""

    model: SGDLinearRegressor
    parameters: dict
    json: bool
    plot: Path | None
    reading: Reading

    def __post_init__(self):
        self.warnings = []
        if self.parameters.get("warm_start"):
            self._warn("--warm-start has no effect: a command fits once.")

    def _warn(self, text):
        self.warnings.append(text)
        say(f"Warning: {text}")

    def execute(self, source, choice, held_out, chunk_rows):
        """Fit; returns the document."""
        survey, source = source.surveyed()
        wanted, notes = choice.wanted(survey, source)
        if held_out is not None:
            wanted.check_columns_of(held_out, f"the model of {source.title}")
            check_beginning(held_out, wanted)
        if choice.one_hot and not source.again:
            raise Unusable(
                f"--one-hot needs all categories before the fit, and {source.title} is too "
                "long to be held and read twice: give a file."
            )
        self.source, self.wanted, self.notes = source, wanted, notes
        if chunk_rows is None and must_stream(source, survey, wanted):
            chunk_rows = usual_rows(survey, wanted)
        if chunk_rows is None:
            facts = self._in_memory(survey, held_out)
        else:
            facts = self._streamed(held_out, chunk_rows)
        facts |= {"parameters": self.parameters, "notes": notes, "warnings": self.warnings}
        facts["missing"] = list(self.reading.markers.texts)
        facts["reading"] = arguments.kept(self.reading)
        return _model.document(self.model, wanted, facts)

    def _in_memory(self, survey, held_out):
        rows, notes = gathered(self.source, self.wanted, survey)
        self.notes += notes
        checked, notes = self._checked(held_out)
        self.notes += notes
        self._note_markers(held_out)
        self._show_data(len(rows))
        recorders = [] if self.plot is None else _plot.recorders(self.wanted)
        self.model.set_callbacks(*recorders)
        if sys.stderr.isatty() and "verbose" not in self.parameters:
            rich.reconfigure(stderr=True)  # the console of the progress bar
            self.model.set_params(verbose=1)
        with self._watched():
            start = perf_counter()
            self.model.fit(rows.X, rows.y, rows.weights, **_validation(checked))
            seconds = perf_counter() - start
        found = scores(self.model, rows) | self._score_of(checked)
        self._draw(rows, recorders)
        return {
            "data": self._data(len(rows), survey.rows - len(rows)),
            "std": np.sqrt(StandardScaler(with_mean=False).fit(rows.X).var_),
            "scores": found,
            "unscored": self._undefined(),
            "seconds": seconds,
        }

    def _streamed(self, held_out, chunk_rows):
        stream = StreamedFit(self.model, self.source, self.wanted, chunk_rows)
        stream.announce()
        checked, notes = None, []
        if self.source.again:
            checked, notes = self._checked(held_out)
        if sys.stderr.isatty() and self.model.verbose == 1:
            self.model.set_params(verbose=0)  # each read has a bar
        with self._watched():
            start = perf_counter()
            facts = stream.fit(_validation(checked))
            facts["seconds"] = perf_counter() - start
        found, unscored = self._score_of(checked), "unknown: the rows cannot be read twice"
        if self.source.again:
            r2, _ = stream.r2(self.source)
            unscored = self._undefined()
            found |= {} if r2 is None else {"r2": r2}
        else:
            if not stream.recursive:
                self._warn(facts["stop_reason"])
            if held_out is not None:
                r2, scored = stream.r2(held_out)
                found, notes = {} if r2 is None else {"r2_validation": r2}, scored.notes()
        tally = stream.tally
        self.notes += tally.notes() + notes
        self._note_markers(held_out)
        self._show_data(tally.kept)  # the number is known only after the fit
        self._draw(None, [])
        return facts | {
            "data": self._data(tally.kept, tally.seen - tally.kept),
            "scores": found,
            "unscored": unscored,
        }

    def _checked(self, held_out):
        """(the rows of the validation file, notes); (None, []) without one."""
        return (None, []) if held_out is None else gathered(held_out, self.wanted)

    def _score_of(self, checked):
        """R² on the rows of the validation file, where there are such and it is defined."""
        if checked is None or np.ptp(checked.y) == 0:
            return {}
        weights = checked.weights
        r2 = self.model.score(checked.X, checked.y, sample_weight=weights)
        return {"r2_validation": r2}

    @contextmanager
    def _watched(self):
        """Print warnings as sentences, and the output of `verbose` on stderr."""
        said = warnings_said(self.warnings, self.wanted.with_names)
        with said, redirect_stdout(sys.stderr):
            yield

    def _show_data(self, rows):
        if not self.json:
            _report.show_data(self.source.title, rows, self.wanted, self.notes)

    def _note_markers(self, held_out):
        files = [self.source] if held_out is None else [self.source, held_out]
        self.notes += self.reading.markers.notes(*(file.title for file in files))

    def _undefined(self):
        return f"undefined: the variance of {self.wanted.target} is 0"

    def _data(self, rows, dropped):
        return {"file": self.source.title, "rows": rows, "dropped": dropped}

    def _draw(self, rows, recorders):
        if self.plot is not None:
            _plot.draw(self.plot, self.model, self.wanted, rows, recorders)


def _validation(checked):
    """The rows of a validation file as arguments of `fit`."""
    if checked is None:
        return {}
    return {"X_val": checked.X, "y_val": checked.y, "sample_weight_val": checked.weights}
