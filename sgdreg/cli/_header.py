"""Notes on a first line that does not look like a header, and on where the header is."""

import csv
import re
from collections import Counter
from itertools import islice

import pyarrow as pa

from sgdreg.cli._cells import PLAIN
from sgdreg.cli._messages import listed

# The header is looked for among the first LINES lines.
LINES = 60
# Cells and names that a note shows.
CELLS_SHOWN, NAMES_SHOWN = 3, 6
# Numbers that may be names: columns are often called by years.
YEAR = r"^\s*(1[89]|20|21)\d\d\s*$"


def notes_on(names, numerals=PLAIN):
    """A sentence where the first line looks like a row of data."""
    found = numbers_among(names, numerals)
    if 2 * len(found) < max(len(names), 1):
        return []
    return [
        "The first line is taken as the header, but most of its cells are numbers "
        f"({listed(found[:CELLS_SHOWN])}): --no-header reads it as a row of data."
    ]


def note_on_lower(head, above, delimiter, marks):
    """A sentence where the first line is not the header, but a later one; else None.

    Parameters
    ----------
    head : str
        The first lines of the file.
    above : int
        The number of lines that were skipped above `head`.
    delimiter : str or None
        None: one of `marks` is found.
    """
    lines = list(islice(re.split(r"\r\n|\n|\r", head), LINES))
    if lines[0].count('"') % 2:  # a quoted name that continues in the next line
        return None
    found = [_lower(lines, mark) for mark in ([delimiter] if delimiter else marks)]
    found = max((place for place in found if place), default=None)
    if found is None:
        return None
    _, place, names = found
    skipped = above + place
    return (
        f"Line {skipped + 1} looks like the header ({listed(names[:NAMES_SHOWN])}): "
        f"--skip-lines {skipped} reads the file from there."
    )


def _lower(lines, mark):
    """(lines of the usual width, lines above the header, its names); None: no such line."""
    rows = [_cells(line, mark) for line in lines]
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return None
    width, alike = widths.most_common(1)[0]
    first = next(row for row in rows if row)
    if alike < 2 or (len(first) == width and 2 * first.count("") <= width):
        return None
    for place, row in enumerate(rows):
        if (
            len(row) == width
            and row.count("") <= (width > 2)
            and not row[0].startswith(("#", "%"))
        ):
            return (alike, place, row) if place and not numbers_among(row) else None
    return None


def _cells(line, mark):
    """The cells of a line; none where it is empty."""
    if not line.strip():
        return []
    try:
        (row,) = csv.reader([line], delimiter=mark, skipinitialspace=True)
    except (csv.Error, ValueError):  # the line ends inside a quoted cell
        return [line]
    return [cell.strip() for cell in row]


def numbers_among(cells, numerals=PLAIN):
    """The cells of a header that are numbers, except years."""
    cells = [cell.strip() for cell in cells]
    _, good = numerals.plain(pa.array(cells, pa.string()))
    pairs = zip(cells, good.to_pylist(), strict=True)
    return [cell for cell, number in pairs if number and not re.match(YEAR, cell)]
