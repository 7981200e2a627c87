"""Files of plain values, in the skops format, from which no code is executed."""

import os
from contextlib import contextmanager, suppress
from secrets import token_hex

from sgdreg._persistence.format import plain


def write(values, path):
    """Write plain values so that `path` always has the old or the new ones, complete."""
    io = skops_io()
    with replaced(path) as file:
        io.dump(values, file)


@contextmanager
def replaced(path):
    """A context with a binary file that replaces `path` at the end, if nothing raises."""
    path = os.path.realpath(os.fsdecode(path))
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe stays
        with open(path, "wb") as file:
            yield file
        return
    temporary = f"{path}.{token_hex(4)}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with suppress(OSError):  # Windows cannot sync a folder
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path):
    """The plain values of a file, from which no code is executed.

    Raises any error of skops for a malformed file, and TypeError for other values.
    """
    return plain(skops_io().load(os.fsdecode(path), trusted=[]))


def read(path):
    """The values of a checkpoint's file.

    Raises
    ------
    FileNotFoundError
    ValueError
        If it is not a file of plain values.
    TypeError
        If `path` is not a file name.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            "path must be that of a checkpoint's file, or a fitted model's checkpoint_, "
            f"got {path!r}."
        )
    try:
        return load(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no checkpoint {path}: has an epoch of the fit ended yet?"
        ) from None
    except ImportError:
        raise
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder: pass a checkpoint's file in it.") from None
    except OSError as error:
        if error.filename is None:  # the fault is in the content of the file
            raise ValueError(
                f"{path} is not a checkpoint of sgdreg, or a damaged one ({error})."
            ) from error
        raise
    except Exception as error:  # a malformed file can cause any error in skops
        raise ValueError(
            f"{path} is not a checkpoint of sgdreg, or a damaged one "
            f"({type(error).__name__}: {error})."
        ) from error


def skops_io():
    """The module that reads and writes files of the skops format."""
    try:
        from skops import io  # noqa: PLC0415 (optional, and slow to import)
    except ImportError as error:
        raise ImportError(
            "Checkpoints and saved models are files of the skops format: "
            "pip install 'sgdreg[checkpoint]'."
        ) from error
    return io
