"""Results on stdout: text in columns, or one JSON object."""

import math

import numpy as np
import typer
from rich import box
from rich.table import Table as Grid

from sgdreg.cli import _model
from sgdreg.cli._messages import counted, show
from sgdreg.cli._visible import in_json

# Most features that the text lists.
MOST_FEATURES = 40
# The estimator's default of alpha, which a document need not name.
ALPHA = 1e-4
EXACT = ("r2_ridge", "r2_least_squares")
LABELS = {
    "r2": "R² of the fit",
    "r2_validation": "R² of the validation set",
    "r2_ridge": "R² of exact ridge, alpha={alpha:g}",
    "r2_least_squares": "R² of exact least squares",
}


def show_data(title, rows, wanted, notes):
    """Print one line on the rows and columns of the fit, and the notes on them."""
    rows = counted(rows, "row")
    features = counted(len(wanted.features), "feature")
    weights = "" if wanted.weights is None else f", weights {wanted.weights}"
    show(f"{title}: {rows}, {features} → {wanted.target}{weights}")
    for note in notes:
        show(note)


def show_coefficients(document):
    """Print the coefficients; where there are many, only the most important ones."""
    spread = document["coef"] * document["std"]
    names = _model.wanted(document).names
    chosen = np.arange(len(spread))
    if len(chosen) > MOST_FEATURES:
        chosen = np.argsort(-np.abs(spread), kind="stable")[:MOST_FEATURES]
        show(
            f"The {MOST_FEATURES} features of {len(spread):,} with the largest "
            "|coefficient × std|, in that order:"
        )
    grid = columns("feature", "coefficient", "coefficient × std")
    for j in chosen:
        grid.add_row(names[j], f"{document['coef'][j]:.6g}", f"{spread[j]:.6g}")
    grid.add_section()
    fitted = document["parameters"].get("fit_intercept", True)
    intercept = f"{document['intercept']:.6g}"
    grid.add_row("intercept", intercept, "" if fitted else "not fitted")
    show(grid)


def show_outcome(document):
    """Print the quality of the fit, beside that of exact solutions, and its plan."""
    rows = _score_rows(document)
    gaps = document["history"].get("optimality_gap", np.array([np.nan]))
    if np.isfinite(gaps[-1]):
        rows.append(("Optimality gap", f"{gaps[-1]:.1e}"))
    if "scale" in document:
        rows.append(("Scale of the residuals", f"{document['scale']:.6g}"))
        rows.append(("Outliers", counted(document["outliers"], "row")))
    rows += [
        ("Epochs", f"{document['epochs']:,}"),
        ("Seconds", f"{document['seconds']:.3g}"),
        ("Converged", "yes" if document["converged"] else "no"),
        ("Stopped because", document["stop_reason"]),
        ("", ""),
        *((f"Plan: {slot}", choice) for slot, choice in document["plan"].items()),
    ]
    show_pairs(rows)


def show_pairs(rows):
    """Print pairs of label and text."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    show(grid)


def columns(*headers, names=1):
    """A grid whose first `names` columns are names, and the others numbers."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    grid.add_column(headers[0], overflow="fold")
    for header in headers[1:names]:
        grid.add_column(header, no_wrap=True)
    for header in headers[names:]:
        grid.add_column(header, justify="right", no_wrap=True)
    return grid


def as_json(document):
    """A document as a dict for JSON: coefficients by name, epochs as a list."""
    wanted = _model.wanted(document)
    by_name = zip(wanted.names, document["coef"].tolist(), strict=True)
    inner = ("columns", "one_hot", "categories", "coef", "std", "kind", "format")
    rest = {name: value for name, value in document.items() if name not in inner}
    return {
        "features": wanted.names,
        "coefficients": dict(by_name),
        "std": dict(zip(wanted.names, document["std"].tolist(), strict=True)),
        **rest,
        "history": _model.by_epoch(document["history"]),
    }


def print_json(value):
    """Print one JSON object on stdout; numbers that are not finite are null."""
    typer.echo(in_json(_finite(value)))


def _finite(value):
    """The value with None for the numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _score_rows(document):
    found, rows = document["scores"], []
    if "r2" not in found:
        rows.append(("R²", document["unscored"]))
    alpha = document["parameters"].get("alpha", ALPHA)
    for name, label in LABELS.items():
        if name in found:
            text = f"{found[name]:.6f}"
            if name in EXACT and "r2" in found:
                apart = found["r2"] - found[name]
                text += f" (difference {f'{apart:+.1e}' if apart else 0})"
            rows.append((label.format(alpha=alpha), text))
    return rows
