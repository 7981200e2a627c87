"""The formats of numbers in text: decimal marks, thousands, signs, exponents."""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sgdreg.cli._messages import Unusable

NUMBER = r"^[-+]?((\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[iI]nf(inity)?|[nN]a[nN])$"
# Spaces at which a line does not break: no-break, narrow, thin, figure.
UNBROKEN = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{FIGURE SPACE}"
APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
# Marks that can only mean groups of three digits, so they need no option.
ALWAYS = APOSTROPHES + UNBROKEN
# The values of --thousands, and the characters that each stands for.
THOUSANDS = {
    ",": ",",
    ".": ".",
    "'": APOSTROPHES,
    " ": f" {UNBROKEN}",
    "_": "_",
}
NAMES = {" ": "space"}
MINUS = "[\N{MINUS SIGN}\N{SMALL HYPHEN-MINUS}\N{FULLWIDTH HYPHEN-MINUS}]"
SIGN = f"(?:[-+]|{MINUS})?"
EXPONENT = rf"(?:[eEdD]{SIGN}\d+)?"
# Fortran's exponents. 1D2, without a point or a sign, is not read: it may be a code.
FORTRAN = r"^([-+]?(?:\d+\.\d*|\.\d+))[dD]([-+]?\d+)$|^([-+]?\d+)[dD]([-+]\d+)$"


@dataclass(frozen=True)
class Numerals:
    """The format of the numbers in a file.

    Attributes
    ----------
    decimal : {".", ","}
        The decimal mark. The other mark occurs in numbers only as `thousands`.
    thousands : str or None
        The mark between groups of digits. Apostrophes and non-breaking spaces are read
        in any file.
    """

    decimal: str = "."
    thousands: str | None = None

    def __post_init__(self):
        if self.decimal not in (".", ","):
            raise Unusable(f"--decimal must be . or , and not {self.decimal}.")
        if self.thousands is not None and self.thousands not in THOUSANDS:
            raise Unusable(
                f"--thousands must be one of , . ' _ and space, and not {self.thousands}."
            )
        if self.thousands == self.decimal:
            raise Unusable(
                f"--thousands and --decimal cannot both be {self.decimal}; numbers as "
                "1.234,5 have --decimal , and --thousands ."
            )

    def quickly(self, values):
        """The numbers of a text column without unusual cells; None where it has some."""
        if self.decimal == ",":
            if pc.any(pc.match_substring(values, ".")).as_py():
                return None
            values = pc.replace_substring(values, ",", ".")
        try:
            return values.cast(pa.float64())
        except pa.ArrowInvalid:
            return None

    def plain(self, cells):
        """(the cells with numbers written as in Python, which of them are numbers).

        Parameters
        ----------
        cells : pyarrow.StringArray
            Without surrounding spaces.
        """
        if self.decimal == ".":  # most cells are written as in Python already
            good = pc.fill_null(pc.match_substring_regex(cells, NUMBER), True)
            if pc.all(good).as_py():
                return cells, good
            odd = pc.invert(good)
            rewritten, fine = self._rewritten(cells.filter(odd))
            cells = pc.replace_with_mask(cells, odd, rewritten)
            return cells, pc.replace_with_mask(good, odd, fine)
        return self._rewritten(cells)

    def _rewritten(self, cells):
        cells = pc.replace_substring_regex(cells, f"^{MINUS}", "-")
        cells = pc.replace_substring_regex(cells, rf"([eEdD]){MINUS}", r"\1-")
        grouped = pc.fill_null(pc.match_substring_regex(cells, self._grouped), False)
        if pc.any(grouped).as_py():
            marks = ALWAYS + THOUSANDS.get(self.thousands, "")
            bare = pc.replace_substring_regex(cells, f"[{marks}]", "")
            cells = pc.if_else(grouped, bare, cells)
        foreign = False
        if self.decimal == ",":
            foreign = pc.match_substring(cells, ".")
            cells = pc.replace_substring(cells, ",", ".")
        cells = pc.replace_substring_regex(cells, FORTRAN, r"\1\3e\2\4")
        good = pc.match_substring_regex(cells, NUMBER)
        return cells, pc.fill_null(pc.and_not(good, foreign), True)

    @property
    def _grouped(self):
        """The pattern of numbers with one mark between all groups of three digits."""
        mark = rf"\{self.decimal}"
        ways = [rf"\d{{1,3}}(?:{one}\d{{3}})+" for one in ALWAYS]
        if self.thousands is not None:  # in India groups of two precede the last one
            ways += [
                rf"\d{{1,3}}(?:{two}\d{{2,3}})*{two}\d{{3}}"
                for two in (rf"\x{{{ord(one):x}}}" for one in THOUSANDS[self.thousands])
            ]
        return rf"^[-+]?(?:{'|'.join(ways)})(?:{mark}\d*)?{EXPONENT}$"

    @staticmethod
    def written_in_digits(cell):
        """Whether a cell seems to be a number: digits, with marks between them."""
        marks = re.escape("".join(THOUSANDS.values()))
        return re.match(rf"^{SIGN}\d*([{marks}]\d+)+{EXPONENT}$", cell) is not None

    def reads(self, cells):
        """Whether all these cells are numbers in this format."""
        _, good = self.plain(pc.utf8_trim_whitespace(pa.array(cells, pa.string())))
        return pc.all(good).as_py()

    def options(self, cells):
        """The options under which all these cells are numbers, the likeliest first.

        Parameters
        ----------
        cells : list of str
            The cells of a column.

        Returns
        -------
        list of (str, str)
            Options, and what they mean for these cells.
        """
        found, together = [], "".join(cells)
        for decimal, mark, meaning in OTHERS:
            marked = mark or decimal
            if marked not in together or (mark is None and self.thousands):
                continue
            words = [f"--decimal {decimal}"] * (decimal != self.decimal)
            if mark not in (None, self.thousands):
                words.append(f"--thousands {NAMES.get(mark, mark)}")
            if words and Numerals(decimal, mark).reads(cells):
                found.append((words, meaning))
        found.sort(key=lambda pair: len(pair[0]))
        return [
            (" ".join(words), meaning)
            for k, (words, meaning) in enumerate(found)
            if not any(set(fewer) <= set(words) for fewer, _ in found[:k])
        ]


# Other formats, (decimal mark, mark of thousands, how a cell is then to be understood).
OTHERS = (
    (".", ",", "commas separate thousands"),
    (",", None, "they are decimal commas"),
    (".", None, "they are decimal points"),
    (",", ".", "points separate thousands"),
    (".", " ", "spaces separate thousands"),
    (",", " ", "spaces separate thousands"),
    (".", "_", "underscores separate thousands"),
)
