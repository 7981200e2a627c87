"""Files of plain values, in the skops format: nothing of them is executed."""

import os
from contextlib import contextmanager, suppress
from secrets import token_hex

from sgdreg._persistence.format import plain


def write(values, path):
    """Write plain values so that at every moment `path` holds the old ones or these."""
    io = skops_io()
    with replaced(path) as file:
        io.dump(values, file)


@contextmanager
def replaced(path):
    """A binary file to write that takes the place of `path` at the end, or not at all."""
    path = os.path.realpath(os.fsdecode(path))
    if os.path.exists(path) and not os.path.isfile(path):  # a device or pipe stays one
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
    with suppress(OSError):  # Windows has no way to
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path):
    """The plain values that a file holds: nothing of it is executed.

    Raises whatever skops does of a strange file, or TypeError for other values.
    """
    return plain(skops_io().load(os.fsdecode(path), trusted=[]))


def read(path):
    """What a checkpoint's file holds.

    Raises
    ------
    FileNotFoundError
    ValueError
        Where it is not a file of plain values.
    TypeError
        Where `path` is not the name of one.
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
        if error.filename is None:  # of what is in the file, not of the file
            raise ValueError(
                f"{path} is not a checkpoint of sgdreg, or a damaged one ({error})."
            ) from error
        raise
    except Exception as error:  # skops passes on whatever a strange file makes happen
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
