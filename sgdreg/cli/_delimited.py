"""CSV, TSV and the like: text in lines, with a header."""

import codecs
import csv as python_csv
import re
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from sgdreg.cli import _input, _table
from sgdreg.cli._messages import Unusable, counted, one_line

# Bytes that are read at a time; and for how many headers of wide tables there is room.
BLOCK, ROW_TO_HEADER = 2**20, 64
# Of a header: one of a million columns.
MOST_HEADER = 2**24
MARKS = ",;\t|"
# What decoding puts in the place of bytes that it does not know.
NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"
# First bytes of files that are no text.
BINARY = {
    b"PAR1": "a Parquet file (--format parquet)",
    b"PK\x03\x04": "a zip archive: an .npz file (--format npz), or a spreadsheet to be "
    "saved as CSV",
    b"\xff\xfe": "UTF-16 text (--encoding utf-16)",
    b"\xfe\xff": "UTF-16 text (--encoding utf-16)",
}
DECIMAL_COMMA = r"^(\s*[-+]?\d*),(\d+([eE][-+]?\d+)?\s*)$"


@dataclass(frozen=True)
class Dialect:
    """How text is written; what is None is found out, or as pyarrow has it."""

    delimiter: str | None = None
    decimal: str = "."
    encoding: str | None = None

    def __post_init__(self):
        mark = self.delimiter
        if mark is not None and (len(mark) != 1 or not mark.isascii() or mark in '"\r\n'):
            raise Unusable(
                "--delimiter must be one ASCII character, neither a quotation mark nor a "
                f"line break, got {mark!r}."
            )
        if self.decimal not in (".", ","):
            raise Unusable(f"--decimal must be . or , and not {self.decimal}.")
        if self.encoding is not None:
            try:
                b" ".decode(self.encoding, errors="replace")
            except (LookupError, UnicodeError):  # idna knows no "replace"
                raise Unusable(f"There is no encoding {self.encoding!r}.") from None


def read_delimited(source, dialect, delimiter=None):
    """The source of an Input of delimited text."""
    file = _File(source, dialect, dialect.delimiter or delimiter)
    return _table.source_of(source.title, file.names, file.pieces, again=source.again)


class _File:
    """Delimited text, read in blocks as columns of strings."""

    def __init__(self, source, dialect, delimiter):
        self.source, self.dialect, self.title = source, dialect, source.title
        self.wrong_row = None
        size = self._read_header(source.head, delimiter)
        if size is None:  # it goes on after the first bytes
            size = self._read_header(self._longer_head(), delimiter)
        if size is None:
            raise Unusable(
                f"The first line of {self.title} does not end within "
                f"{MOST_HEADER >> 20} MB: it is no delimited text, or a quotation mark is "
                "left open."
            )
        self.names = _table.tidied(self.raw)
        self.block = max(BLOCK, ROW_TO_HEADER * size)

    def _read_header(self, head, delimiter):
        """Read the names from the first bytes; returns their size, None: it is more."""
        text = self._text(head.removeprefix(b"\xef\xbb\xbf")).lstrip("\r\n")
        if not text.strip():
            raise Unusable(f"{self.title} is empty.")
        self.delimiter = delimiter or _delimiter(text)
        lines = StringIO(text, newline="")
        try:
            self.raw = next(python_csv.reader(lines, delimiter=self.delimiter))
        except python_csv.Error as error:
            raise Unusable(f"The header of {self.title} is none: {error}.") from None
        ended = lines.tell() < len(text) or text.endswith(("\n", "\r"))
        return lines.tell() if ended or len(head) < _input.HEAD else None

    def _longer_head(self):
        if not self.source.again:
            raise Unusable(
                f"The first line of {self.title} is longer than {_input.HEAD >> 20} MB, "
                f"and {self.title} is too long to be held and read twice: give a file."
            )
        with self.source.open() as stream:
            head = stream.read(MOST_HEADER)
        return head if len(head) == MOST_HEADER else head + b"\n"

    def _text(self, head):
        """The first characters; past the header they need not be text."""
        if self.dialect.encoding is None:
            for mark, what in BINARY.items():
                if head.startswith(mark):
                    raise Unusable(f"{self.title} is not CSV but {what}.")
            if b"\x00" in head:
                raise Unusable(f"{self.title} is not text: it has bytes of zero.")
        decoder = codecs.getincrementaldecoder(self.dialect.encoding or "utf-8")
        text = decoder(errors="replace").decode(head)  # may end within a character
        if NO_CHARACTER in text.lstrip("\r\n").split("\n", 1)[0]:
            raise Unusable(self._not_text("its header"))
        return text

    def pieces(self, columns):
        """Tables of strings, a block of lines each."""
        stream = self.source.open()
        try:
            with self._explained():
                reader = self._reader(stream, self._included(columns))
            names = self.names
            if len(reader.schema) < len(names):
                known = dict(zip(self.raw, names, strict=True))
                names = [known[name] for name in reader.schema.names]
            while True:
                with self._explained():
                    batch = next(reader, None)
                if batch is None:
                    return
                columns = batch.columns
                if self.dialect.decimal == ",":
                    columns = [_with_points(column) for column in columns]
                yield pa.table(columns, names=names)
        finally:
            stream.close()

    def _included(self, columns):
        """Their names in the file; None for all, also where names do not tell."""
        if columns is None or len(set(self.raw)) < len(self.raw):
            return None
        wanted = set(columns)
        return [r for r, n in zip(self.raw, self.names, strict=True) if n in wanted]

    def _reader(self, stream, included):
        encoding = self.dialect.encoding
        if encoding is not None:
            text = pa.PythonFile(stream, mode="r")
            stream = pa.transcoding_input_stream(text, encoding, "utf8")
        return csv.open_csv(
            stream,
            csv.ReadOptions(block_size=self.block, use_threads=False),
            csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._notice,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(self.raw, pa.string()),
                strings_can_be_null=True,
                include_columns=included,
            ),
        )

    def _notice(self, row):
        self.wrong_row = row
        return "error"

    @contextmanager
    def _explained(self):
        """Say in a sentence what is wrong with the file."""
        try:
            yield
        except UnicodeError:
            raise Unusable(self._not_text("some row")) from None
        except pa.ArrowInvalid as error:
            row = self.wrong_row
            reason = one_line(error).removeprefix("CSV parse error: ")
            number = re.search(r"Row #(\d+)", reason)
            if row is not None:
                where = f"in row {row.number - 1}: " if row.number else ""
                reason = (
                    f"{where}expected {counted(row.expected_columns, 'column')}, got "
                    f"{row.actual_columns}: {_shortened(row.text)}"
                )
            elif "invalid UTF8" in reason:
                where = f"row {int(number[1]) - 1}" if number else "some row"
                raise Unusable(self._not_text(where)) from None
            elif "Empty CSV" in reason:  # not even a line break after the header
                raise Unusable(f"{self.title} has a header but no rows.") from None
            elif "straddl" in reason:
                reason = (
                    f"a row is longer than {self.block >> 20} MB; is a quotation mark left "
                    "open?"
                )
            raise Unusable(f"{self.title} cannot be read as CSV: {reason}.") from None
        except OSError as error:
            raise Unusable(f"{self.title} cannot be read: {error}.") from None

    def _not_text(self, where):
        if self.dialect.encoding is not None:
            return f"{self.title} is not text in {self.dialect.encoding}."
        return (
            f"{self.title} is not UTF-8 text, in {where}; --encoding latin-1 (or another) "
            "says what it is."
        )


def _with_points(values):
    """Decimal commas as points."""
    return pc.replace_substring_regex(values, DECIMAL_COMMA, r"\1.\2")


def _delimiter(head):
    """The separator that occurs most often in the header; a comma in doubt."""
    header = re.sub(r'"[^"]*"', "", head.split("\n", 1)[0])
    return max(MARKS, key=header.count)


def _shortened(text):
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
