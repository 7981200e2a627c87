"""CSV, TSV and the like: text in lines, with a header."""

import codecs
import csv as python_csv
import re
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

import pyarrow as pa
from pyarrow import csv

from sgdreg.cli import _cells, _header, _input, _table
from sgdreg.cli._lines import Rewritten, rewriting
from sgdreg.cli._messages import Unusable, counted, one_line
from sgdreg.cli._numerals import Numerals

# Bytes that are read at a time, at least. For wide tables it is ROW_TO_HEADER times the
# size of the header, so that the longest row fits.
BLOCK, ROW_TO_HEADER = 2**20, 64
# Most bytes of a header: enough for a million columns.
MOST_HEADER = 2**24
# Separators that the header is searched for.
MARKS = ",;\t|"
# Most bytes of a character, in UTF-8 and UTF-32.
CHARACTER = 4
# Text is taken for UTF-16 where more than this share of every other byte is zero, and more
# bytes than FEW_ZEROS.
ZEROS, FEW_ZEROS = 0.9, 4
# Characters of a row that a message shows.
SHOWN = 60
# Decoding replaces invalid bytes by this character.
NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"
# Characters of a line that counts as empty.
BLANK = f" \t\r\n\f\v{_cells.CTRL_Z}"
LINE = r"[^\r\n]*(?:\r\n|\n|\r|$)"


@dataclass(frozen=True)
class Dialect:
    """The format of delimited text. None: found in the file, or pyarrow's default.

    Attributes
    ----------
    delimiter, encoding : str or None
    numerals : Numerals
    header : bool
        Whether there is a line of names; without it, columns are called x0, x1, …
    skip_lines : int
        The number of lines above the header, or above the rows.
    """

    delimiter: str | None = None
    encoding: str | None = None
    numerals: Numerals = _cells.PLAIN
    header: bool = True
    skip_lines: int = 0

    def __post_init__(self):
        mark = self.delimiter
        if mark is not None and (len(mark) != 1 or not mark.isascii() or mark in '"\r\n'):
            raise Unusable(
                "--delimiter must be one ASCII character, neither a quotation mark nor a "
                f"line break, got {mark!r}."
            )
        if self.encoding is not None:
            try:
                b" ".decode(self.encoding, errors="replace")
            except (LookupError, UnicodeError):  # idna does not support "replace"
                raise Unusable(f"There is no encoding {self.encoding!r}.") from None


def read_delimited(source, dialect, delimiter=None):
    """The source of an Input of delimited text."""
    file = _File(source, dialect, dialect.delimiter or delimiter)
    return _table.source_of(
        source.title,
        file.names,
        file.pieces,
        dialect.numerals,
        again=source.again,
        notes=file.notes,
    )


class _File:
    """Delimited text, read in blocks as columns of strings."""

    def __init__(self, source, dialect, delimiter):
        self.source, self.dialect, self.title = source, dialect, source.title
        self.wrong_row = None
        size = self._read_header(source.head, delimiter)
        if size is None:  # the header is longer than the first bytes
            size = self._read_header(self._longer_head(), delimiter)
        if size is None:
            raise Unusable(
                f"The first line of {self.title} does not end within "
                f"{MOST_HEADER >> 20} MB: it is no delimited text, or a quotation mark is "
                "left open."
            )
        self.notes = [] if self.lower is None else [self.lower]
        if dialect.header:
            self.names = _table.tidied(self.first)
            self.notes += _header.notes_on(self.first, dialect.numerals)
        else:
            self.names = [f"x{k}" for k in range(len(self.first))]
        # pyarrow gets numbers as names, because names in the file may occur twice.
        self.keys = [str(k) for k in range(len(self.first))]
        self.block = max(BLOCK, ROW_TO_HEADER * size, CHARACTER * self.above_bytes)

    def _read_header(self, head, delimiter):
        """Read the first row from the first bytes; its size, or None if it is longer."""
        text = self._below(self._text(head.removeprefix(b"\xef\xbb\xbf")))
        self.delimiter = delimiter or _delimiter(text)
        self.lower = _header.note_on_lower(text, self.above, delimiter, MARKS)
        self.rewrite = rewriting(self.delimiter, text)
        if self.rewrite is not None:
            text = self.rewrite(text)
        lines = StringIO(text, newline="")
        try:
            self.first = next(python_csv.reader(lines, delimiter=self.delimiter))
        except python_csv.Error as error:
            reason = one_line(error)
            raise Unusable(f"The header of {self.title} is none: {reason}.") from None
        size = lines.tell()
        self.header_only = self.dialect.header and not lines.read().strip(BLANK)
        ended = size < len(text) or text.endswith(("\n", "\r"))
        left_open = self.header_only and text[:size].count('"') % 2
        if (left_open or not ended) and len(head) >= _input.HEAD:
            return None
        if left_open:
            raise Unusable(f"A quotation mark is left open in the header of {self.title}.")
        return size

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
        """The first characters; below the header they may be undecodable."""
        if self.dialect.encoding is None and b"\x00" in head:
            raise Unusable(f"{self.title} is not text: it has bytes of zero{_utf16(head)}.")
        decoder = codecs.getincrementaldecoder(self.dialect.encoding or "utf-8")
        return decoder(errors="replace").decode(head)  # may end within a character

    def _below(self, head):
        """The text from the header on; counts the lines above it, also empty ones."""
        at, self.above = 0, 0
        while at < len(head):
            line = re.compile(LINE).match(head, at)
            if self.above >= self.dialect.skip_lines and line[0].strip(BLANK):
                break
            at, self.above = line.end(), self.above + 1
        self.above_bytes = CHARACTER * at
        if at >= len(head):
            skipped = self.dialect.skip_lines
            rest = f" but for --skip-lines {skipped:,}" if skipped else ""
            raise Unusable(f"{self.title} is empty{rest}.")
        if NO_CHARACTER in line[0]:
            raise Unusable(self._not_text("its header"))
        return head[at:]

    def pieces(self, columns):
        """Yield tables of strings, one for each block of lines."""
        stream = self.source.open()
        if self.rewrite is not None:
            stream = Rewritten(stream, self.rewrite, self.dialect.encoding)
        try:
            with self._explained():
                reader = self._reader(stream, self._included(columns))
            names = [self.names[int(key)] for key in reader.schema.names]
            while True:
                with self._explained():
                    batch = next(reader, None)
                if batch is None:
                    return
                yield pa.table(batch.columns, names=names)
        finally:
            stream.close()

    def _included(self, columns):
        """The keys of columns; None for all columns, also where a name occurs twice."""
        if columns is None or len(set(self.names)) < len(self.names):
            return None
        wanted = set(columns)
        return [key for key, n in zip(self.keys, self.names, strict=True) if n in wanted]

    def _reader(self, stream, included):
        encoding = self.dialect.encoding
        if encoding is not None and self.rewrite is None:
            text = pa.PythonFile(stream, mode="r")
            stream = pa.transcoding_input_stream(text, encoding, "utf8")
        return csv.open_csv(
            stream,
            csv.ReadOptions(
                block_size=self.block,
                use_threads=False,
                column_names=self.keys,
                skip_rows=self.above,
                skip_rows_after_names=int(self.dialect.header),
            ),
            csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._notice,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(self.keys, pa.string()),
                strings_can_be_null=True,
                include_columns=included,
            ),
        )

    def _notice(self, row):
        if not row.text.strip(BLANK):
            return "skip"
        self.wrong_row = row
        return "error"

    @contextmanager
    def _explained(self):
        """Turn errors of reading into sentences that say what is wrong with the file."""
        try:
            yield
        except UnicodeError:
            raise Unusable(self._not_text("some row")) from None
        except pa.ArrowInvalid as error:
            row = self.wrong_row
            reason = one_line(error).removeprefix("CSV parse error: ")
            number = re.search(r"Row #(\d+)", reason)
            if row is not None:
                reason = self._uneven(row)
            elif "invalid UTF8" in reason:
                where = f"row {int(number[1]) - 1}" if number else "some row"
                raise Unusable(self._not_text(where)) from None
            elif self.header_only:  # and without a line break at its end
                raise Unusable(f"{self.title} has a header but no rows.") from None
            elif "straddl" in reason:
                reason = (
                    f"a row is longer than {self.block >> 20} MB, as rows are where a "
                    "quotation mark is left open"
                )
            raise Unusable(f"{self.title} cannot be read as CSV: {reason}.") from None
        except OSError as error:
            raise Unusable(f"{self.title} cannot be read: {one_line(error)}.") from None

    def _uneven(self, row):
        """The sentence on a row with too many cells, or too few."""
        number = row.number and row.number - self.dialect.header
        where = f"in row {number}: " if number else ""
        reason = (
            f"{where}expected {counted(row.expected_columns, 'column')}, got "
            f"{row.actual_columns}: {_shortened(row.text)}"
        )
        if row.text.count('"') % 2:
            return f"{reason}. A quotation mark is left open"
        if self.lower is not None:
            return f"{reason}. {self.lower.removesuffix('.')}"
        if number == 1 and row.actual_columns == row.expected_columns + 1:
            if row.text.rstrip().endswith(self.delimiter):
                return (
                    f"{reason}. It ends with {_named(self.delimiter)}; let the header end "
                    "so, too"
                )
            return (
                f"{reason}. If rows begin with a name, which the header does not have, "
                "write one into it"
            )
        if row.actual_columns < row.expected_columns and not _header.numbers_among(
            row.text.split(self.delimiter)[:1]
        ):
            return f"{reason}. If it is a footnote or a title, delete the line"
        return reason

    def _not_text(self, where):
        if self.dialect.encoding is not None:
            return f"{self.title} is not text in {self.dialect.encoding}."
        return (
            f"{self.title} is not UTF-8 text, in {where}; --encoding latin-1 (or another) "
            "says what it is."
        )


def _delimiter(head):
    """The separator that occurs most often in the header; a comma if none does."""
    header = re.sub(r'"[^"]*"', "", head.split("\n", 1)[0])
    return max(MARKS, key=header.count)


def _utf16(head):
    """The option for UTF-16, if every other byte is zero; else nothing."""
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > max(FEW_ZEROS, ZEROS * len(head[start::2])):
            return f", as UTF-16 has (--encoding {name})"
    return ""


def _named(delimiter):
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(delimiter, delimiter)


def _shortened(text):
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]} …"
