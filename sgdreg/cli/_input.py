"""Bytes to read: a file or standard input, unpacked, again where that is possible."""

import io
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, one_line, say

PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
SUFFIXES = (".gz", ".bz2", ".zst")
HEAD = 2**20
# Standard input is kept in memory, to be read twice, up to this share of what is free.
HELD_SHARE = 0.125


@dataclass(frozen=True)
class Input:
    """Where bytes come from.

    Attributes
    ----------
    title : str
        For messages.
    open : callable
        () -> binary file at the first byte, unpacked.
    again : bool
        Whether `open` may be called again.
    head : bytes
        The first ones.
    """

    title: str
    open: Callable
    again: bool
    head: bytes


def open_input(path):
    """The bytes of a path, or of standard input for "-"."""
    if str(path) == "-":
        if sys.stdin.isatty():
            say("Reading standard input; end it with Ctrl-D.")
        return _of_stream(sys.stdin.buffer, "stdin")
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Unusable(f"{path} is a directory; give the path of a file.")
        if not stat.S_ISREG(mode):
            stream = path.open("rb")
            held = _of_stream(stream, str(path))
            if held.again:
                stream.close()
            return held
        with path.open("rb") as file:
            magic = file.read(4)
        return _input(str(path), lambda: path.open("rb"), True, magic)
    except FileNotFoundError:
        raise Unusable(f"There is no file {path}.") from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or error}.") from None


def name_without_packing(path):
    """'data.csv' of 'data.csv.gz'."""
    name = Path(path).name.lower()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _of_stream(stream, title):
    """What has come of a stream, kept as far as memory allows."""
    limit = max(HEAD, int(HELD_SHARE * _memory.available()))
    held = stream.read(limit)
    if len(held) < limit:
        return _input(title, lambda: io.BytesIO(held), True, held[:4])
    # The rest comes only once.
    return _input(title, lambda: _Continued(held, stream), False, held[:4])


def _input(title, opened, again, magic):
    packing = next((p for mark, p in PACKED.items() if magic.startswith(mark)), None)

    def unpacked():
        raw = opened()
        if packing is not None:
            raw = pa.CompressedInputStream(raw, packing)
        return io.BufferedReader(raw, HEAD)

    try:
        stream = unpacked()
        head = stream.peek(HEAD)
    except OSError as error:
        raise Unusable(f"{title} cannot be unpacked: {one_line(error)}.") from None
    if again:
        stream.close()
    return Input(title, unpacked if again else lambda: stream, again, head)


class _Continued(io.RawIOBase):
    """The bytes that have been read of a stream, and then the rest of it."""

    def __init__(self, head, rest):
        self.head, self.rest = io.BytesIO(head), rest

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.head.readinto(buffer) or self.rest.readinto(buffer)
