"""Checks of the files to write, before the work begins."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from sgdreg.cli._messages import Unusable


def check_writable(path, option):
    """Raise Unusable where a file cannot be written.

    Parameters
    ----------
    option : str
        The option that names the file, for the message.
    """
    path = Path(path)
    try:
        with suppress(FileNotFoundError):
            path.stat()  # raises where symbolic links form a circle
        if path.is_dir():
            raise Unusable(f"{option} {path} is a directory; give the path of a file.")
        if not path.parent.is_dir():
            raise Unusable(f"There is no folder {path.parent} for {option} {path}.")
        if path.exists() and not os.access(path, os.W_OK):
            raise Unusable(f"{option} {path} is write-protected.")
        if not path.exists() or path.is_file():  # no device or pipe
            with tempfile.TemporaryFile(dir=path.resolve().parent):
                pass
    except OSError as error:
        reason = error.strerror or error
        raise Unusable(f"{option} {path} cannot be written: {reason}.") from None


def check_apart(written, read):
    """Raise Unusable where a file to write is also read, or is written twice.

    Parameters
    ----------
    written : dict
        {option: path or None}
    read : list of path or None
        "-" is standard input.
    """
    taken = {_real(path) for path in read if path not in (None, "-")}
    for option, path in written.items():
        if path in (None, "-"):
            continue
        if _real(path) in taken:
            raise Unusable(
                f"{option} {path} would overwrite a file that this command reads or "
                "writes; give another name."
            )
        taken.add(_real(path))


def _real(path):
    """The file that a path leads to. A circle of links is reported when it is opened."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        return Path(path).absolute()
