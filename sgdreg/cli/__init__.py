"""The command line: ``sgdreg fit data.csv --target price``."""

# Annotations stay unevaluated, so that this module imports without the extras.
from __future__ import annotations

import os
import sys
from inspect import cleandoc
from typing import Annotated

from sgdreg._version import __version__

try:
    import typer

    from sgdreg.cli._fit import fit
    from sgdreg.cli._inspect import inspect
    from sgdreg.cli._messages import EXIT_CODES
    from sgdreg.cli._predict import predict
    from sgdreg.cli._visible import Commands, excepthook
except ImportError as error:
    typer, missing = None, str(error)


def main():
    """Run the command line."""
    if typer is None:
        sys.exit(
            f"The command sgdreg needs its extras ({missing}): pip install 'sgdreg[cli]'."
        )
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell, as >&- does
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (to the end)
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe without ² gets a question mark, not a traceback.
        stream.reconfigure(errors="replace")
    sys.excepthook = excepthook
    make_app()()


def make_app():
    """The typer application, with its sub-commands."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog=EXIT_CODES)(sgdreg)
    for command in (fit, predict, inspect):
        app.command(help=_flowing(command.__doc__), epilog=EXIT_CODES)(command)
    return app


def _flowing(docstring):
    """Its paragraphs without their line breaks, which a terminal sets anew."""
    paragraphs = cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


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
