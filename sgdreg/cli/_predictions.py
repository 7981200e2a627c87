"""Writers of predictions, piece by piece: CSV, Parquet or ``.npz``."""

import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from sgdreg._persistence.files import replaced
from sgdreg.cli._messages import Unusable
from sgdreg.cli._output import check_writable

NAME = "prediction"
# An empty cell. Readers of CSV would skip an empty line.
EMPTY = '""'


class Csv:
    """CSV of one column with a header; an empty cell is a pair of quotation marks."""

    def __init__(self, file):
        self.file = file
        file.write(f"{NAME}\n".encode())

    def write(self, predictions):
        cells = pc.fill_null(_column(predictions).cast(pa.string()), EMPTY)
        self.file.write("".join(f"{cell}\n" for cell in cells.to_pylist()).encode())
        self.file.flush()

    def close(self):
        """Do nothing: everything is written."""


class Parquet:
    """Parquet of one column; null where there is no prediction."""

    def __init__(self, file):
        self.schema = pa.schema([(NAME, pa.float64())])
        self.writer = parquet.ParquetWriter(file, self.schema)

    def write(self, predictions):
        self.writer.write_table(pa.table([_column(predictions)], schema=self.schema))

    def close(self):
        self.writer.close()


class Npz:
    """An ``.npz`` file of one array; NaN where there is no prediction."""

    def __init__(self, file):
        self.file, self.parts = file, [np.zeros(0)]

    def write(self, predictions):
        self.parts.append(predictions)

    def close(self):
        np.savez(self.file, **{NAME: np.concatenate(self.parts)})


class Collected:
    """Predictions in a list, for JSON."""

    def __init__(self):
        self.values = []

    def write(self, predictions):
        self.values += predictions.tolist()


KINDS = {".csv": Csv, ".txt": Csv, ".parquet": Parquet, ".pq": Parquet, ".npz": Npz}


def check(output):
    """Raise Unusable where predictions cannot be written to a path."""
    if output != "-":
        if Path(output).suffix.lower() not in KINDS and Path(output).suffix:
            raise Unusable(f"--output {output} must end with {', '.join(KINDS)}.")
        check_writable(output, "--output")


@contextmanager
def writer(output):
    """The writer of predictions to a path, or to standard output for "-"."""
    if output == "-":
        yield Csv(sys.stdout.buffer)
        return
    with replaced(output) as file:
        written = KINDS.get(Path(output).suffix.lower(), Csv)(file)
        yield written
        written.close()


def _column(predictions):
    return pa.array(predictions, from_pandas=True)  # NaN is null
