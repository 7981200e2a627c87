"""What the command line fits: a CSV file, or the diabetes data; needs pyarrow."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sklearn.datasets import load_diabetes

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
# A text column with at least this share of numbers is meant to be one of numbers.
MOSTLY = 0.5
MOST_NAMES = 20


class Unusable(ValueError):
    """Data that cannot be fitted; the message tells the user what, where and why."""


@dataclass(frozen=True)
class Table:
    """Numbers to fit, and what had to be done to get them.

    Attributes
    ----------
    title : str
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    names : list of str
        Of the features.
    target : str
    notes : list of str
        What was dropped or chosen, as sentences.
    """

    title: str
    X: np.ndarray
    y: np.ndarray
    names: list
    target: str
    notes: list = field(default_factory=list)


def read_diabetes():
    """scikit-learn's diabetes data, in the units in which they were measured."""
    data = load_diabetes(scaled=False)
    names = list(data.feature_names)
    title = "Diabetes data of scikit-learn"
    return Table(title, data.data, data.target, names, "disease progression")


def read_csv(path, target=None):
    """The numeric columns of a CSV file with a header.

    Parameters
    ----------
    path : path-like
    target : str, default=None
        Name of the column to predict; None: the last numeric one.

    Returns
    -------
    Table

    Raises
    ------
    Unusable
        Where nothing can be fitted.
    """
    path = Path(path)
    columns = _columns(path)
    numeric = [c for c in columns if c.numeric]
    notes = _notes_on_header(columns) + _notes_on_dropped(columns)
    if target is not None:
        chosen = _find(target, columns, path)
    elif numeric:
        chosen = numeric[-1]
        notes.insert(
            0,
            f"The target is {chosen.name}, the last numeric column; --target NAME "
            "chooses another.",
        )
    else:
        raise Unusable(f"{path} has no numeric columns: {_listed(columns)}.")
    features = [c for c in numeric if c is not chosen]
    if not features:
        raise Unusable(
            f"{path} has no numeric column besides the target {chosen.name}, so "
            f"there is nothing to predict it from. {' '.join(notes)}".rstrip()
        )
    X, y = _numbers(features, chosen, path, notes)
    return Table(str(path), X, y, [c.name for c in features], chosen.name, notes)


@dataclass(frozen=True, eq=False)
class _Column:
    name: str
    values: pa.ChunkedArray

    @property
    def numeric(self):
        kind = self.values.type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        return number or pa.types.is_boolean(kind)

    @property
    def empty(self):
        return self.values.null_count == len(self.values)

    def to_numpy(self):
        """The numbers as float64, NaN where a cell is empty."""
        return self.values.cast(pa.float64(), safe=False).to_numpy()

    def why_not_numeric(self):
        """A clause that says what is in the way."""
        if self.empty:
            return "it is empty"
        if pa.types.is_string(self.values.type):
            wrong = pc.invert(pc.match_substring_regex(self.values, NUMBER))
            # Arrow keeps empty cells of text columns as empty strings.
            wrong = pc.and_(wrong, pc.not_equal(self.values, ""))
            count = pc.sum(wrong).as_py()
            if count <= (1 - MOSTLY) * len(self.values):
                example = self.values.filter(wrong)[0].as_py()
                verb = "is" if count == 1 else "are"
                return (
                    f"{count} of its {len(self.values):,} cells {verb} text, such as "
                    f"{example!r} (make them empty to use the column)"
                )
            return "it is text"
        return f"it is of type {self.values.type}"


def _columns(path):
    """Every column of the file; raises where it cannot be read as CSV."""
    if path.is_dir():
        raise Unusable(f"{path} is a directory; give the path of a CSV file.")
    try:
        parse = csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
        table = csv.read_csv(path, parse_options=parse)
        names = [name.strip() for name in table.column_names]
    except FileNotFoundError:
        raise Unusable(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not UTF-8 text; convert it to UTF-8.") from None
    except OSError as error:
        reason = error.strerror or error
        raise Unusable(f"{path} cannot be read: {reason}.") from None
    except pa.ArrowException as error:
        reason = " ".join(str(error).removeprefix("CSV parse error: ").split())
        raise Unusable(f"{path} cannot be read as CSV: {reason}.") from None
    if table.num_rows == 0:
        raise Unusable(f"{path} has a header but no rows.")
    return [
        _Column(name or f"(column {number})", values)
        for number, (name, values) in enumerate(
            zip(names, table.columns, strict=True), start=1
        )
    ]


def _delimiter(path):
    """The separator that occurs most often in the header; a comma in doubt."""
    with pa.input_stream(str(path)) as stream:  # unpacks .gz and the like
        head = stream.read(65536).lstrip(b"\r\n")
    if not head.strip():
        raise Unusable(f"{path} is empty.")
    header = head.split(b"\n", 1)[0]
    return max(",;\t|", key=lambda mark: header.count(mark.encode()))


def _find(target, columns, path):
    """The column called `target`, which must be numeric."""
    found = [c for c in columns if c.name == target]
    if len(found) > 1:
        raise Unusable(
            f"{path} has {len(found)} columns called {target}; give the target a "
            "name of its own."
        )
    if not found:
        lower = {c.name.lower(): c.name for c in columns}
        close = get_close_matches(target.lower(), lower, n=1, cutoff=0.5)
        hint = f" Did you mean {lower[close[0]]}?" if close else ""
        raise Unusable(
            f"{path} has no column {target}.{hint} Its columns are: {_listed(columns)}."
        )
    if not found[0].numeric:
        raise Unusable(
            f"The target {target} of {path} is not numeric: {found[0].why_not_numeric()}."
        )
    return found[0]


def _notes_on_header(columns):
    names = pa.array([c.name for c in columns])
    if pc.all(pc.match_substring_regex(names, NUMBER)).as_py():
        return [
            "The first line is taken as the header but consists of numbers; add a "
            "line of names if it is a row of data."
        ]
    return []


def _notes_on_dropped(columns):
    """Sentences on the columns that are not used."""
    why = [(c.name, c.why_not_numeric()) for c in columns if not c.numeric]
    text = [name for name, reason in why if reason == "it is text"]
    notes = []
    if text:
        word = "column" if len(text) == 1 else "columns"
        notes.append(f"Dropped {len(text)} text {word}: {_listed(text)}.")
    notes += [
        f"Dropped column {name}: {reason}."
        for name, reason in why
        if reason != "it is text"
    ]
    return notes


def _numbers(features, target, path, notes):
    """X and y of the rows without an empty cell."""
    rows = len(target.values)
    X = np.empty((rows, len(features)))
    for j, column in enumerate(features):
        X[:, j] = column.to_numpy()
    y = target.to_numpy()
    used = [*zip([c.name for c in features], X.T, strict=True), (target.name, y)]
    missing = [(int(np.isnan(values).sum()), name) for name, values in used]
    missing.sort(key=lambda pair: -pair[0])
    counts = [f"{name} ({count:,})" for count, name in missing if count]
    keep = ~(np.isnan(y) | np.isnan(X).any(axis=1))
    left = int(keep.sum())
    if left == 0:
        raise Unusable(
            f"No rows are left: each of the {rows:,} rows of {path} has an empty cell "
            f"in a used column: {_listed(counts)}."
        )
    if left < rows:
        notes.append(
            f"Dropped {rows - left:,} of {rows:,} rows for empty cells, in: "
            f"{_listed(counts)}."
        )
    if left == 1:
        raise Unusable(f"{path} has only one row to fit; a line takes two at least.")
    for name, values in used:
        if np.isinf(values[keep]).any():
            raise Unusable(
                f"Column {name} of {path} contains infinity, or a number too large "
                "for float64; make the cell empty to drop its row."
            )
    return X[keep], y[keep]


def _listed(items):
    """Names in one line, the first few where there are many."""
    names = [getattr(item, "name", item) for item in items]
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
