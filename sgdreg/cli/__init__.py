"""The command line: ``sgdreg fit data.csv --target price``."""

import os
import sys

from sgdreg.cli._start import put_off_imports


def main():
    """Run the command line."""
    put_off_imports()
    try:
        from sgdreg.cli import _visible  # noqa: PLC0415 (an extra)

        sys.excepthook = _visible.excepthook
        app = make_app()
    except ImportError as error:
        sys.exit(
            f"The command sgdreg needs its extras ({error}): pip install 'sgdreg[cli]'."
        )
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the shell has closed it, by >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (open until the exit)
    for stream in (sys.stdout, sys.stderr):
        # Where the encoding has no ², a question mark is written instead of a traceback.
        stream.reconfigure(errors="replace")
    app()


def make_app():
    """The typer application, with its sub-commands."""
    from sgdreg.cli import _app  # noqa: PLC0415 (an extra, and after `put_off_imports`)

    return _app.make_app()
