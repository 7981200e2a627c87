"""Which format a file is of, and who reads it."""

from dataclasses import dataclass
from pathlib import Path

from sgdreg.cli._arrays import read_npz
from sgdreg.cli._delimited import Dialect, read_delimited
from sgdreg.cli._input import SUFFIXES, name_without_packing, open_input
from sgdreg.cli._messages import Unusable
from sgdreg.cli._parquet import read_parquet
from sgdreg.cli._svmlight import read_svmlight

# By the end of a file's name.
ENDINGS = {
    "csv": (".csv", ".txt", ".dat", ".data"),
    "tsv": (".tsv", ".tab"),
    "parquet": (".parquet", ".pq"),
    "svmlight": (".svm", ".svmlight", ".libsvm"),
    "npz": (".npz",),
}


@dataclass(frozen=True)
class Reading:
    """How files are to be read: the format, if its name does not tell, and the dialect."""

    format: str | None
    dialect: Dialect

    def __post_init__(self):
        if self.format is not None and self.format not in ENDINGS:
            raise Unusable(
                f"There is no format {self.format!r}; it is one of {', '.join(ENDINGS)}."
            )

    def source(self, path):
        """The source of a path, or of standard input for "-"."""
        name = self.format or _format_of(path)
        file = open_input(path)
        if name == "csv":
            return read_delimited(file, self.dialect)
        if name == "tsv":
            return read_delimited(file, self.dialect, "\t")
        read = {"parquet": read_parquet, "svmlight": read_svmlight, "npz": read_npz}
        return read[name](file)


def _format_of(path):
    """The format that a file's name says; csv where it says none, as "-" does."""
    suffix = Path(name_without_packing(path)).suffix
    if not suffix:
        return "csv"
    for name, endings in ENDINGS.items():
        if suffix in endings:
            return name
    known = ", ".join(ending for endings in ENDINGS.values() for ending in endings)
    raise Unusable(
        f"The name of {path} does not say its format: it ends with none of {known} (or one "
        f"of them and {', '.join(SUFFIXES)}); --format says it."
    )
