"""``sgdreg inspect``."""

import re
from typing import Annotated

import typer

from sgdreg.cli import _arguments as arguments
from sgdreg.cli import _model, _report
from sgdreg.cli._choice import Choice
from sgdreg.cli._messages import Unusable, counted, explained, show
from sgdreg.cli._survey import MOST_COUNTED

# The columns of wider tables are shown by --json only.
MOST_COLUMNS = 1000
NUMBERS = ("mean", "std", "min", "max")


@arguments.with_reading_options
def inspect(
    file: Annotated[
        str,
        typer.Argument(
            help="Data, or - for standard input, or a model of sgdreg fit --save.",
            show_default=False,
        ),
    ],
    *,
    reading: dict,
    json: arguments.Json = False,
):
    """Show what is in a data file and what fit would do with it, or what a model is."""
    with explained():
        if file.endswith(".skops") or _model.is_model(file):
            arguments.refuse_for_model(file, arguments.named(reading))
            document = _model.read(file)
            if json:
                _report.print_json(_report.as_json(document))
            else:
                _show_model(document)
            return
        read = arguments.reader([file], reading)
        found = _described(read.source(file), read.markers)
        if json:
            _report.print_json(found)
        else:
            _show_file(found)


def _described(source, markers):
    """The contents of a source, as plain values."""
    survey, _ = source.surveyed()
    try:
        wanted, notes = Choice().wanted(survey, source)
    except Unusable as error:
        wanted, notes = None, [f"sgdreg fit refuses it: {error}"]
    features = set() if wanted is None else set(wanted.places)
    notes = notes + _notes_on_empty(survey, wanted)

    def use(name):
        if wanted is not None and name == wanted.target:
            return "target"
        return "feature" if name in features else "dropped"

    return {
        "file": survey.title,
        "rows": survey.rows,
        "all_rows": source.again,
        "columns": [_of_column(c) | {"use": use(c.name)} for c in survey.columns],
        "notes": notes + markers.notes(source.title),
    }


def _notes_on_empty(survey, wanted):
    """A sentence where a fit would drop most rows, because one column is empty there."""
    used = set() if wanted is None else set(wanted.columns)
    found = max(
        (column for column in survey.columns if column.name in used),
        key=lambda column: column.empty,
        default=None,
    )
    if found is None or 2 * found.empty <= survey.rows:
        return []
    return [
        f"sgdreg fit would drop {found.empty:,} of {survey.rows:,} rows or more: the cells "
        f"of column {found.name} are empty there; --ignore leaves a column out."
    ]


def _of_column(column):
    found = {
        "name": column.name,
        "type": column.kind,
        "empty": column.empty / max(column.rows, 1),
    }
    if column.numbers:
        numbers = (column.mean, column.std, column.minimum, column.maximum)
        found |= dict(zip(NUMBERS, map(float, numbers), strict=True))
    if column.kind == "text":
        known = column.categories
        found["categories"] = None if known is None else len(known)
    return found


def _show_file(found):
    columns = found["columns"]
    least = "" if found["all_rows"] else " looked at"
    rows, width = counted(found["rows"], "row"), counted(len(columns), "column")
    show(f"{found['file']}: {rows}{least}, {width}")
    if len(columns) > MOST_COLUMNS:
        show(f"More than {MOST_COLUMNS:,} columns: --json lists them all.")
        columns = [c for c in columns if c["use"] == "target"]
    grid = _report.columns("column", "type", *NUMBERS, "empty", "use", names=2)
    for column in columns:
        numbers = [f"{column[n]:.3g}" if n in column else "" for n in NUMBERS]
        kind = re.split(r"[\[<(]", column["type"])[0]  # the notes have the whole type
        if "categories" in column:
            number = column["categories"] or f">{MOST_COUNTED:,}"
            kind = f"{kind} ({number})"
        empty = f"{column['empty']:.1%}" if column["empty"] else ""
        grid.add_row(column["name"], kind, *numbers, empty, column["use"])
    show(grid)
    for note in found["notes"]:
        show(note)


def _show_model(document):
    data = document["data"]
    wanted = _model.wanted(document)
    _report.show_data(data["file"], data["rows"], wanted, document["notes"])
    _report.show_coefficients(document)
    _report.show_outcome(document)
    given = {f"Parameter: {n}": str(v) for n, v in document["parameters"].items()}
    if missing := _model.reading(document).get("missing"):
        given["Empty cells"] = ", ".join(map(repr, missing))
    versions = {"sgdreg": document["sgdreg"]} | document["versions"]
    written = ", ".join(f"{name} {version}" for name, version in versions.items())
    _report.show_pairs([*given.items(), ("Written by", written)])
