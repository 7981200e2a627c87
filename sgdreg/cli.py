"""The command line: ``sgdreg fit data.csv --target price``."""

# Annotations stay unevaluated, so that this module imports without the extras.
from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
from sklearn.callback import ProgressBar

from sgdreg import SGDLinearRegressor, __version__
from sgdreg._sklearn import InvalidParameterError

try:
    import rich
    import typer
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    from sgdreg._reading import Unusable, read_csv, read_diabetes
except ImportError as error:
    typer, missing = None, str(error)

MOST_FEATURES = 40
BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
Value = str | None
# What "none" means where it is not None.
NONE = {"shuffle": False, "average": False}


def main():
    """Run the command line."""
    if typer is None:
        sys.exit(
            f"The command sgdreg needs its extras ({missing}): pip install 'sgdreg[cli]'."
        )
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe without ² gets a question mark, not a traceback.
        stream.reconfigure(errors="replace")
    make_app()()


def make_app():
    """The typer application, with its sub-commands."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(sgdreg)
    app.command()(fit)
    return app


def _print_version(wanted: bool):
    if wanted:
        typer.echo(f"sgdreg {__version__}")
        raise typer.Exit


def sgdreg(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show it and exit.",
        ),
    ] = False,
):
    """Linear regression by mini-batch stochastic gradient descent."""


def _word(text):
    """An option's value: an int, a float or a name; the estimator judges it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    word = text.lower()
    return {"true": True, "false": False}.get(word, word)


def _option(metavar, help, parser=_word):
    return typer.Option(metavar=metavar, help=help, parser=parser, show_default=False)


def fit(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV file; without it, scikit-learn's diabetes data.",
            show_default=False,
        ),
    ] = None,
    *,
    target: Annotated[
        str | None,
        _option("NAME", "Column to predict; otherwise the last numeric one.", str),
    ] = None,
    loss: Annotated[
        Value,
        _option("NAME", "squared_error, huber, absolute_error, quantile, …"),
    ] = None,
    epsilon: Annotated[
        Value, _option("NUMBER", "Of the losses huber and …insensitive.")
    ] = None,
    quantile: Annotated[Value, _option("NUMBER", "Of the loss quantile.")] = None,
    penalty: Annotated[Value, _option("NAME", "l2, l1, elasticnet or none.")] = None,
    alpha: Annotated[Value, _option("NUMBER", "Weight of the penalty, per row.")] = None,
    optimizer: Annotated[Value, _option("NAME", "auto, sgd, momentum, adam, …")] = None,
    learning_rate: Annotated[
        Value,
        _option("RATE", "Number, constant, invscaling, optimal, adaptive or auto."),
    ] = None,
    eta0: Annotated[Value, _option("NUMBER", "Step of a named learning rate.")] = None,
    batch_size: Annotated[Value, _option("ROWS", "Rows a step, full or auto.")] = None,
    max_iter: Annotated[Value, _option("EPOCHS", "Passes over the data.")] = None,
    tol: Annotated[
        Value, _option("NUMBER", "When to stop; none: after all epochs.")
    ] = None,
    shuffle: Annotated[Value, _option("ORDER", "rows, blocks or none.")] = None,
    average: Annotated[
        Value, _option("STEP", "First step to average weights from, tail or none.")
    ] = None,
    no_intercept: Annotated[
        bool, typer.Option("--no-intercept", help="Fit no intercept.")
    ] = False,
    random_state: Annotated[Value, _option("SEED", "Seed of the order of rows.")] = None,
):
    """Fit a linear regression and show its coefficients and how it went.

    Numeric columns are the features; true and false count as 1 and 0.
    Other columns, and rows with an empty cell, are dropped, and named.
    Without options everything is chosen from the data.
    """
    options = {
        name: NONE.get(name) if value == "none" else value
        for name, value in locals().items()
        if name not in ("file", "target", "no_intercept") and value is not None
    }
    if no_intercept:
        options["fit_intercept"] = False
    with _explained():
        if file is None and target is not None:
            raise Unusable("--target names a column of a CSV file: give the file, too.")
        table = read_diabetes() if file is None else read_csv(file, target)
        out = _console()
        _show_data(out, table)
        model, seconds = _fitted(table, options)
        _show_coefficients(out, model, table)
        _show_outcome(out, model, table, seconds)


@contextmanager
def _explained():
    """Turn what can go wrong into one sentence and an exit code."""
    try:
        yield
    except (Unusable, InvalidParameterError, NotImplementedError) as error:
        message, code = f"Error: {error}", BAD_INPUT
    except ValueError as error:
        message, code = f"Error: {error}", FAILED
    except MemoryError:
        message, code = "Error: The memory does not suffice for these data.", FAILED
    except KeyboardInterrupt:
        message, code = "Interrupted.", INTERRUPTED
    else:
        return
    _say(message)
    raise typer.Exit(code)


def _say(sentence):
    """One line on stderr."""
    _console(stderr=True).print(" ".join(sentence.split()), soft_wrap=True)


def _console(stderr=False):
    """A console that prints words as they are, and never wraps a file's lines."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 1000
    return console


def _fitted(table, options):
    """The fitted model and its seconds, with a progress bar on a terminal."""
    model = SGDLinearRegressor(**options)
    if sys.stderr.isatty():
        rich.reconfigure(stderr=True)  # the console that ProgressBar prints on
        model.set_callbacks(ProgressBar())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            start = perf_counter()
            model.fit(table.X, table.y)
            return model, perf_counter() - start
        finally:
            for warning in caught:
                # Other categories speak to programmers.
                if issubclass(warning.category, UserWarning):
                    _say(f"Warning: {warning.message}")


def _show_data(out, table):
    rows, d = table.X.shape
    features = "feature" if d == 1 else "features"
    out.print(f"{table.title}: {rows:,} rows, {d:,} {features} → {table.target}")
    for note in table.notes:
        out.print(note)


def _grid(*headers):
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column(headers[0], overflow="fold")
    for header in headers[1:]:
        grid.add_column(header, justify="right", no_wrap=True)
    return grid


def _show_coefficients(out, model, table):
    """The coefficients, the most important ones where there are many."""
    spread = model.coef_ * table.X.std(axis=0)
    chosen = np.arange(len(spread))
    if len(chosen) > MOST_FEATURES:
        chosen = np.argsort(-np.abs(spread), kind="stable")[:MOST_FEATURES]
        out.print(
            f"The {MOST_FEATURES} features of {len(spread):,} with the largest "
            "|coefficient × std|, in that order:"
        )
    grid = _grid("feature", "coefficient", "coefficient × std")
    for j in chosen:
        grid.add_row(table.names[j], f"{model.coef_[j]:.6g}", f"{spread[j]:.6g}")
    grid.add_section()
    fitted = "" if model.fit_intercept else "not fitted"
    grid.add_row("intercept", f"{model.intercept_:.6g}", fitted)
    out.print(grid)


def _show_outcome(out, model, table, seconds):
    """How good the fit is, beside the best there is, and how it came about."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in _scores(model, table):
        grid.add_row(*row)
    grid.add_row("Epochs", f"{model.n_iter_:,}")
    # With a progress bar, an epoch of a few rows takes ten times as long.
    bar = " (with the progress bar)" if sys.stderr.isatty() else ""
    grid.add_row("Seconds", f"{seconds:.3g}{bar}")
    grid.add_row("Converged", "yes" if model.converged_ else "no")
    grid.add_row("Stopped because", model.stop_reason_)
    grid.add_row()
    for line in str(model.plan_).splitlines():
        slot, _, choice = line.partition("  ")
        grid.add_row(f"Plan: {slot}", choice.strip())
    out.print(grid)


def _scores(model, table):
    """R² of the fit, and of the exact solutions of the same data."""
    X, y = table.X, table.y
    if np.ptp(y) == 0:
        return [("R²", f"undefined: every {table.target} is {y[0]:g}")]
    total = np.square(y - y.mean()).sum()

    def score(residual):
        return 1.0 - residual @ residual / total

    own = score(y - model.predict(X))
    rows = [("R² of the fit", f"{own:.6f}")]
    if model.loss != "squared_error" or model.penalty in ("l1", "elasticnet"):
        return rows  # another optimum
    exact = {"least squares": 0.0}
    if model.penalty == "l2":
        exact = {f"ridge, alpha={model.alpha:g}": model.alpha} | exact
    for name, alpha in exact.items():
        best = score(_exact_residual(X, y, alpha, model.fit_intercept))
        apart = f"{own - best:+.1e}" if own != best else "0"
        rows.append((f"R² of exact {name}", f"{best:.6f} (difference {apart})"))
    return rows


def _exact_residual(X, y, alpha, fit_intercept):
    """What the optimum leaves of y, by a direct solver on centred, scaled columns.

    A Gram matrix would lose half of the digits. QR first: the triangle has the same
    solution and is small, however many rows there are.
    """
    centre = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    scale = np.sqrt(np.square(X - centre).mean(axis=0))
    # A constant column leaves rounding errors of its size, which are no direction.
    scale[scale <= 1e-14 * np.abs(X).max(axis=0)] = np.inf
    Z = (X - centre) / scale
    target = y - y.mean() if fit_intercept else y
    triangle = np.linalg.qr(np.column_stack([Z, target]), mode="r")
    A, b = triangle[:, :-1], triangle[:, -1]
    if alpha > 0:  # a penalty is d rows more
        A = np.vstack([A, np.sqrt(alpha * len(y)) * np.diag(1.0 / scale)])
        b = np.concatenate([b, np.zeros(X.shape[1])])
    return target - Z @ np.linalg.lstsq(A, b, rcond=None)[0]
