"""Arguments and options that several commands share."""

import inspect
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from sgdreg.cli._cells import PLAIN
from sgdreg.cli._delimited import MARKS, Dialect
from sgdreg.cli._formats import ENDINGS, Reading
from sgdreg.cli._messages import Unusable
from sgdreg.cli._missing import Markers
from sgdreg.cli._numerals import Numerals

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
    """An option without a value."""
    return typer.Option(name, help=help, rich_help_panel=panel, show_default=False)


# The options that say how files are read, by their names in Python.
READING = {
    "format": Annotated[
        str | None,
        option("--format", "NAME", f"{', '.join(ENDINGS)}; otherwise by the file's name."),
    ],
    "delimiter": Annotated[
        str | None,
        option("--delimiter", "CHAR", "Of CSV, or tab, or space for runs of spaces; "
               "otherwise the header shows it."),
    ],
    "header": Annotated[
        bool | None,
        flag("--header/--no-header", "Of CSV: whether it has a line of names; without, "
             "columns are x0, x1, …"),
    ],
    "skip_lines": Annotated[
        int | None,
        option("--skip-lines", "LINES", "Of CSV: above the header.", min=0),
    ],
    "decimal": Annotated[
        str | None, option("--decimal", "CHAR", "Of CSV; a point, otherwise.")
    ],
    "thousands": Annotated[
        str | None,
        option("--thousands", "CHAR", "Of CSV: between groups of digits, such as , or "
               "space."),
    ],
    "encoding": Annotated[
        str | None, option("--encoding", "NAME", "Of CSV; utf-8, otherwise.")
    ],
    "missing": Annotated[
        list[str] | None,
        option("--missing", "CELL", "Text that means empty, as ? or -9999; repeatable."),
    ],
    "max_bytes": Annotated[
        int | None,
        option("--max-bytes", "BYTES", "Largest size of a file, unpacked; otherwise 100 "
               "times its size.", min=1),
    ],
    "zero_based": Annotated[
        bool | None,
        flag("--zero-based/--one-based", "Of svmlight: the first index is 0 or 1."),
    ],
}  # fmt: skip
# The options of a fit that the model keeps as defaults for predict: the format of cells,
# but not the number of lines above them, nor what a file itself shows.
KEPT = ("header", "decimal", "thousands", "delimiter")
NAMED = {"\\t": "\t", "tab": "\t", "space": " "}
Json = Annotated[
    bool, flag("--json", "Print one JSON object, and nothing else, on stdout.", OUTPUT)
]
Model = Annotated[
    Path,
    typer.Argument(
        help="Model, from sgdreg fit --save.", metavar="MODEL", show_default=False
    ),
]


def with_reading_options(command):
    """Add the options in READING to a command, which gets them as the dict `reading`."""

    @wraps(command)
    def called(**values):
        given = {name: values.pop(name) for name in READING}
        return command(
            **values, reading={name: v for name, v in given.items() if v not in (None, [])}
        )

    signature = inspect.signature(command, eval_str=True)
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
        )
        for name, kind in READING.items()
    ]
    parameters = []
    for parameter in signature.parameters.values():
        parameters += options if parameter.name == "reading" else [parameter]
    called.__signature__ = signature.replace(parameters=parameters)
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def reader(files, given, model=None):
    """The Reading that the options ask for.

    Parameters
    ----------
    files : list of path or None
        The files that are read; None stands for a file that is not given.
    given : dict
        Options that were given, by their names in `READING`.
    model : dict or None
        The options that a model keeps from its fit: those of `kept`, and its markers.

    Raises
    ------
    Unusable
        Where an option applies to none of the files.
    """
    new, known = dict(given), dict(model or {})
    marks = {}
    for values in (known, new):
        marks |= {n: NAMED.get(v, v) for n, v in values.items() if n in KEPT}
    markers = new.pop("missing", ()), known.pop("missing", ())
    numerals = Numerals(marks.get("decimal", "."), marks.get("thousands"))
    found = Reading(
        new.get("format"),
        Dialect(
            marks.get("delimiter"),
            new.get("encoding"),
            numerals,
            marks.get("header", True),
            new.get("skip_lines", 0),
        ),
        Markers(*markers, numerals),
        new.get("max_bytes"),
        new.get("zero_based"),
    )
    found.check(named(given), files)
    return found


def kept(reading):
    """The parts of a Reading that a model keeps for predictions, as plain values."""
    dialect, numerals = reading.dialect, reading.dialect.numerals
    found = {}
    if numerals != PLAIN:
        found["decimal"] = numerals.decimal
    if numerals.thousands is not None:
        found["thousands"] = numerals.thousands
    if not dialect.header:
        found["header"] = False
    if dialect.delimiter is not None and dialect.delimiter not in MARKS:
        found["delimiter"] = dialect.delimiter
    return found


def named(given):
    """The names of options on the command line."""
    flags = {("header", False): "--no-header", ("zero_based", False): "--one-based"}
    return [
        flags.get((name, value) if value is False else None, f"--{name.replace('_', '-')}")
        for name, value in given.items()
    ]


def refuse_for_model(path, options):
    """Raise Unusable where options for data are given beside a model."""
    for option in options:
        raise Unusable(
            f"{option} says how data are read, and {path} is a model; leave it out."
        )
