"""The format of a file, and the function that reads it."""

from dataclasses import dataclass, replace
from pathlib import Path

from sgdreg.cli._arrays import read_npz
from sgdreg.cli._delimited import Dialect, read_delimited
from sgdreg.cli._input import SUFFIXES, name_without_packing, open_input
from sgdreg.cli._kinds import advice_on_ending, refuse_others
from sgdreg.cli._messages import Unusable
from sgdreg.cli._missing import Markers
from sgdreg.cli._parquet import read_parquet
from sgdreg.cli._svmlight import read_svmlight

# Formats by the ends of file names.
ENDINGS = {
    "csv": (".csv", ".txt", ".dat", ".data"),
    "tsv": (".tsv", ".tab"),
    "parquet": (".parquet", ".pq"),
    "svmlight": (".svm", ".svmlight", ".libsvm"),
    "npz": (".npz",),
}
# The formats that an option applies to; the options not named apply to all.
TEXT = (
    "delimiter",
    "header",
    "no-header",
    "skip-lines",
    "decimal",
    "thousands",
    "encoding",
)
APPLIES = {
    **{f"--{name}": ("csv", "tsv") for name in TEXT},
    **dict.fromkeys(("--zero-based", "--one-based"), ("svmlight",)),
}


@dataclass(frozen=True)
class Reading:
    """How files are to be read.

    Attributes
    ----------
    format : str or None
        None: the format follows from a file's name.
    dialect : Dialect
        The format of delimited text.
    markers : Markers
        The cells that mean empty.
    max_bytes : int or None
        Largest size of a file, unpacked.
    zero_based : bool or None
        Whether the first index of svmlight is 0; None: as in the model.
    """

    format: str | None
    dialect: Dialect
    markers: Markers
    max_bytes: int | None = None
    zero_based: bool | None = None

    def __post_init__(self):
        if self.format is not None and self.format not in ENDINGS:
            raise Unusable(
                f"There is no format {self.format!r}; it is one of {', '.join(ENDINGS)}."
            )

    def source(self, path):
        """The source of a path, or of standard input for "-"."""
        file = open_input(path, self.max_bytes)
        source = self._read(self.format_of(path), file)
        return self.markers.applied(replace(source, place=file.place))

    def format_of(self, path):
        """The name of the format in which a path is read."""
        return self.format or _format_of(path)

    def check(self, options, paths):
        """Raise Unusable where an option applies to none of the files.

        Parameters
        ----------
        options : list of str
            Names of the options that are given.
        paths : list of path or None
        """
        paths = [path for path in paths if path is not None]
        for option in options:
            if not paths:
                raise Unusable(f"{option} says how a file is read: give the file, too.")
            formats = APPLIES.get(option, tuple(ENDINGS))
            if not any(self.format_of(path) in formats for path in paths):
                raise Unusable(
                    f"{option} is for {' and '.join(formats)}, and {paths[0]} is read as "
                    f"{self.format_of(paths[0])}; leave it out."
                )
        numbers_only = all(self.format_of(path) == "svmlight" for path in paths)
        for text in self.markers.given:
            if numbers_only and self.markers.values[text] is None:
                raise Unusable(
                    f"--missing {text!r} is no number, and svmlight files as {paths[0]} "
                    "hold nothing else; leave it out."
                )

    def _read(self, name, file):
        if not self.dialect.skip_lines:  # the skipped lines may hold anything
            refuse_others(file.title, file.head, name, self.dialect.encoding)
        if name == "csv":
            return read_delimited(file, self.dialect)
        if name == "tsv":
            return read_delimited(file, self.dialect, "\t")
        if name == "svmlight":
            return read_svmlight(file, self.zero_based)
        read = {"parquet": read_parquet, "npz": read_npz}
        return read[name](file)


def _format_of(path):
    """The format that a file's name shows; csv for names without an ending, as "-"."""
    suffix = Path(name_without_packing(path)).suffix
    if not suffix:
        return "csv"
    for name, endings in ENDINGS.items():
        if suffix in endings:
            return name
    refuse_others(path, _head(path))
    if advice := advice_on_ending(suffix):
        raise Unusable(f"{path} is of a format that is not read; {advice}.")
    known = ", ".join(ending for endings in ENDINGS.values() for ending in endings)
    raise Unusable(
        f"The name of {path} does not say its format: it ends with none of {known} (or one "
        f"of them and {', '.join(SUFFIXES)}); --format says it."
    )


def _head(path):
    """The first bytes of a file; none if it does not exist."""
    try:
        return open_input(path).head if Path(path).is_file() else b""
    except Unusable:
        return b""
