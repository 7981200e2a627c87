"""The application: its commands and their help texts."""

from inspect import cleandoc
from typing import Annotated

import typer

from sgdreg._version import __version__
from sgdreg.cli._fit import fit
from sgdreg.cli._inspect import inspect
from sgdreg.cli._messages import EXIT_CODES
from sgdreg.cli._predict import predict
from sgdreg.cli._visible import Commands


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
    """A docstring whose paragraphs have no line breaks: the terminal wraps them itself."""
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
