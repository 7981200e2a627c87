"""The bytes of a file or of standard input, unpacked; read twice where possible."""

import io
import stat
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from weakref import ref

import pyarrow as pa

from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable, one_line, say

# First bytes of packed files (the magic numbers of the formats), and the longest of them.
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
MAGIC = max(map(len, PACKED))
SUFFIXES = (".gz", ".bz2", ".zst")
# Bytes of the beginning of a file that are looked at before it is read.
HEAD = 2**20
# Standard input is kept in memory, to be read twice, up to this share of the free memory.
HELD_SHARE = 0.125
# A file that unpacks to more than MOST_RATIO times its size, and more than HARMLESS bytes,
# is refused as a decompression bomb (the ratio is that of Apache POI, class ZipSecureFile;
# tables of numbers have a ratio of 2 to 20).
MOST_RATIO, HARMLESS = 100, 2**27


@dataclass
class Place:
    """How far a file has been read, in bytes as they are in the file: packed, perhaps.

    Attributes
    ----------
    size : int or None
        The bytes of the file; None: not known, as of standard input.
    opened : weakref or None
        The file as it was opened last; it is closed when nothing else uses it.
    """

    size: int | None = None
    opened: ref | None = None

    @property
    def now(self):
        """The bytes so far; None where the file is closed."""
        stream = self.opened and self.opened()
        return None if stream is None or stream.closed else stream.tell()


@dataclass(frozen=True)
class Input:
    """A source of bytes.

    Attributes
    ----------
    title : str
        Name of the file, for messages.
    open : callable
        () -> binary file at the first byte, unpacked.
    again : bool
        Whether `open` may be called again.
    head : bytes
        The first bytes.
    max_bytes : int or None
        Most bytes that may be read, unpacked; None: limited by MOST_RATIO only.
    place : Place
        How far the bytes have been read.
    """

    title: str
    open: Callable
    again: bool
    head: bytes
    max_bytes: int | None = None
    place: Place = field(default_factory=Place)

    def check(self, size, packed=None):
        """Raise Unusable where more bytes are read than allowed.

        Parameters
        ----------
        size : int
            Bytes read so far, unpacked.
        packed : int or None
            The same bytes as they are in the packed file.
        """
        if self.max_bytes is not None:
            if size > self.max_bytes:
                raise Unusable(
                    f"{self.title} holds more than the {self.max_bytes:,} bytes of "
                    "--max-bytes."
                )
        elif packed is not None and size > max(HARMLESS, MOST_RATIO * packed):
            raise Unusable(_trap(self.title, size, "--max-bytes NUMBER allows more"))


def check_archive(path, title):
    """Raise Unusable where a zip archive unpacks to far more than its size."""
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        size = sum(info.file_size for info in infos)
        if size > max(HARMLESS, MOST_RATIO * sum(info.compress_size for info in infos)):
            raise Unusable(_trap(title, size, "it is not read"))


def _trap(title, size, end):
    return (
        f"{title} unpacks to {size >> 20:,} MB or more, over {MOST_RATIO} times its size, "
        f"as files do that are made to fill a computer; {end}."
    )


def open_input(path, max_bytes=None):
    """The bytes of a path, or of standard input for "-"."""
    if str(path) == "-":
        if sys.stdin.isatty():
            say("Reading standard input; end it with Ctrl-D.")
        return _of_stream(sys.stdin.buffer, "stdin", max_bytes)
    path = Path(path)
    try:
        found = path.stat()
        mode, size = found.st_mode, found.st_size
        if stat.S_ISDIR(mode):
            raise Unusable(f"{path} is a directory; give the path of a file.")
        if not stat.S_ISREG(mode):
            stream = path.open("rb")
            held = _of_stream(stream, str(path), max_bytes)
            if held.again:
                stream.close()
            return held
        with path.open("rb") as file:
            magic = file.read(MAGIC)
        return _input(str(path), lambda: path.open("rb"), True, magic, max_bytes, size)
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


def _of_stream(stream, title, max_bytes):
    """The Input of a stream, whose bytes are kept as far as memory allows."""
    limit = max(HEAD, int(HELD_SHARE * _memory.available()))
    held = stream.read(limit)
    magic = held[:MAGIC]
    if len(held) < limit:
        opened = partial(io.BytesIO, held)
        return _input(title, opened, True, magic, max_bytes, len(held))
    # The rest of the stream can be read only once.
    return _input(title, lambda: _Continued(held, stream), False, magic, max_bytes)


def _input(title, opened, again, magic, max_bytes, size=None):
    packing = next((p for mark, p in PACKED.items() if magic.startswith(mark)), None)
    bounds = Input(title, opened, again, b"", max_bytes, Place(size))

    def unpacked():
        raw = opened()
        bounds.place.opened = ref(raw)
        if packing is not None:
            packed = _Counted(raw)
            raw = _Counted(pa.CompressedInputStream(packed, packing))
            raw.check = lambda size: bounds.check(size, packed.count)
        elif max_bytes is not None and not again:
            raw = _Counted(raw)
            raw.check = bounds.check
        return io.BufferedReader(raw, HEAD)

    try:
        stream = unpacked()
        try:
            head = stream.peek(HEAD)
            if packing is None and again and max_bytes is not None:
                bounds.check(stream.seek(0, io.SEEK_END))
        except Unusable:
            stream.close()
            raise
    except OSError as error:
        raise Unusable(f"{title} cannot be unpacked: {one_line(error)}.") from None
    if again:
        stream.close()
    return replace(bounds, open=unpacked if again else lambda: stream, head=head)


class _Counted(io.RawIOBase):
    """A stream that counts its bytes, and calls `check` with the number so far."""

    def __init__(self, stream):
        self.stream, self.count, self.check = stream, 0, lambda _: None

    def readable(self):
        return True

    def readinto(self, buffer):
        size = self.stream.readinto(buffer)
        self.count += size
        self.check(self.count)
        return size

    def close(self):
        self.stream.close()
        super().close()


class _Continued(io.RawIOBase):
    """A stream of the bytes that have been read already, and then of the rest."""

    def __init__(self, head, rest):
        self.head, self.rest, self.count = io.BytesIO(head), rest, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        size = self.head.readinto(buffer) or self.rest.readinto(buffer)
        self.count += size
        return size

    def tell(self):
        return self.count
