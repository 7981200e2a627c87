"""Rewriting of lines of text as plain CSV, before pyarrow reads them."""

import codecs
import io
import re

# Bytes that are read at a time; and the most characters that wait for a closing quote.
BLOCK, MOST_WAITING = 2**20, 2**24
QUOTED = r'"(?:[^"]|"")*"'


def rewriting(delimiter, head):
    """The function that rewrites blocks of whole lines as CSV; None where none is needed.

    Runs of spaces separate columns where `delimiter` is a space; and quoted cells may have
    spaces before and after them.

    Parameters
    ----------
    head : str
        The first lines of the file.
    """
    if delimiter == " ":
        return _single_spaces
    mark, space = re.escape(delimiter), "[ \t]" if delimiter != "\t" else " "
    if not re.search(rf'(?m)(?:^|{mark}){space}+"', head):
        return None
    cell = re.compile(rf"(?m)(^|{mark}){space}*({QUOTED}){space}*(?={mark}|\r?$)")
    return lambda text: cell.sub(r"\1\2", text)


def _single_spaces(text):
    if '"' in text:
        parts = re.split(rf"((?<!\S){QUOTED})", text)
        parts[::2] = [re.sub("[ \t]+", " ", part) for part in parts[::2]]
        text = "".join(parts)
    else:
        text = re.sub("[ \t]+", " ", text)
    text = text.replace("\n ", "\n").replace(" \n", "\n").replace(" \r", "\r")
    return text.removeprefix(" ").removesuffix(" ")


class Rewritten(io.RawIOBase):
    """A binary stream of text, rewritten in blocks of lines, as UTF-8."""

    def __init__(self, stream, rewrite, encoding):
        self.stream, self.rewrite = stream, rewrite
        # Bytes that are not UTF-8 pass, so that pyarrow's error can name their row.
        self.errors = "surrogateescape" if encoding is None else "strict"
        decoder = codecs.getincrementaldecoder(encoding or "utf-8-sig")
        self.decoder = decoder(self.errors)
        self.waiting, self.ready, self.ended = "", b"", False

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self.ready and not self.ended:
            self._read_on()
        size = min(len(buffer), len(self.ready))
        buffer[:size] = self.ready[:size]
        self.ready = self.ready[size:]
        return size

    def close(self):
        self.stream.close()
        super().close()

    def _read_on(self):
        block = self.stream.read(BLOCK)
        self.ended = not block
        text = self.waiting + self.decoder.decode(block, self.ended)
        end = len(text) if self.ended else text.rfind("\n") + 1
        inside = text.count('"', 0, end) % 2 and len(text) < MOST_WAITING
        if inside and not self.ended:  # a quoted cell continues in the next block
            end = 0
        self.waiting = text[end:]
        self.ready = self.rewrite(text[:end]).encode("utf-8", self.errors)
