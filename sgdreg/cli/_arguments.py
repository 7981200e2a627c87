"""Arguments and options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from sgdreg.cli._delimited import Dialect
from sgdreg.cli._formats import ENDINGS, Reading

DATA, OUTPUT = "The data", "The results"


def option(name, metavar, help, panel=DATA, **more):
    """An option with a value."""
    return typer.Option(
        name,
        metavar=metavar,
        help=help,
        rich_help_panel=panel,
        show_default=False,
        **more,
    )


def flag(name, help, panel=DATA):
    """An option that is there or not."""
    return typer.Option(name, help=help, rich_help_panel=panel, show_default=False)


Format = Annotated[
    str | None,
    option("--format", "NAME", f"{', '.join(ENDINGS)}; otherwise by the file's name."),
]
Delimiter = Annotated[
    str | None, option("--delimiter", "CHAR", "Of CSV; otherwise the header shows it.")
]
Decimal = Annotated[str, option("--decimal", "CHAR", "Of CSV; a point, otherwise.")]
Encoding = Annotated[str | None, option("--encoding", "NAME", "Of CSV; utf-8, otherwise.")]
Missing = Annotated[
    list[str] | None,
    option("--missing", "TEXT", "Of CSV: a cell that means empty, such as ?; repeatable."),
]
Json = Annotated[
    bool, flag("--json", "Print one JSON object, and nothing else, on stdout.", OUTPUT)
]
Model = Annotated[
    Path,
    typer.Argument(
        help="Model, from sgdreg fit --save.", metavar="MODEL", show_default=False
    ),
]


def reading(format, delimiter, decimal, encoding, missing):
    """How the options say that files are to be read."""
    delimiter = {"\\t": "\t", "tab": "\t", "space": " "}.get(delimiter, delimiter)
    dialect = Dialect(delimiter, decimal, encoding, tuple(missing or ()))
    return Reading(format, dialect)
