"""Arguments and options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from sgdreg.cli._delimited import Dialect
from sgdreg.cli._formats import ENDINGS, Reading
from sgdreg.cli._messages import Unusable
from sgdreg.cli._missing import Markers

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
    option("--missing", "CELL", "What means empty, such as ? or -9999; repeatable."),
]
MaxBytes = Annotated[
    int | None,
    option("--max-bytes", "BYTES", "Most of a file, unpacked; 100 times its size.", min=1),
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


def reading(files, format, delimiter, decimal, encoding, missing, max_bytes, known=()):
    """How the options say that these files are to be read; None is no file.

    Parameters
    ----------
    known : sequence of str
        What means empty to the model, besides.

    Raises
    ------
    Unusable
        Where an option is of no use to any of them.
    """
    options = given(format, delimiter, decimal, encoding, missing, max_bytes)
    delimiter = {"\\t": "\t", "tab": "\t", "space": " "}.get(delimiter, delimiter)
    dialect = Dialect(delimiter, decimal, encoding)
    found = Reading(format, dialect, Markers(missing or (), known, decimal), max_bytes)
    found.check(options, files)
    return found


def given(format, delimiter, decimal, encoding, missing, max_bytes):
    """The names of those of these options that are not as they are without."""
    values = {
        "--format": format,
        "--delimiter": delimiter,
        "--decimal": None if decimal == "." else decimal,
        "--encoding": encoding,
        "--missing": missing or None,
        "--max-bytes": max_bytes,
    }
    return [name for name, value in values.items() if value is not None]


def refuse_for_model(path, options):
    """Raise Unusable where options for data are given beside a model."""
    for option in options:
        raise Unusable(
            f"{option} says how data are read, and {path} is a model; leave it out."
        )
